//! A command of a script: its words, with all that is filled in.

use super::super::files::{View, normal};
use super::super::shell::{self, Dialect, Simple, Variables, Word};
use super::run::Did;
use super::{Ground, Process, Shell, Variable, Wait};
use crate::base::SimTime;
use core::mem;

impl Process {
    /// A command with its words.
    pub(super) fn simple(
        &mut self,
        simple: &Simple,
        captures: usize,
        ground: &mut Ground<'_>,
    ) -> Option<Wait> {
        let place = (self.frames.len(), self.at);
        let words = match self.words_of(simple, captures, ground) {
            Ok(words) => words,
            Err(why) => {
                self.use_captured(captures);
                self.complain(&why, 2, ground);
                return self.give_up(2);
            }
        };
        let is_given = simple.redirects.iter().any(|redirect| redirect.stream == 0);
        if !is_given && let Some(wait) = self.input_is_missing(&words, ground) {
            self.at -= 1;
            self.begun = Some((place.0, place.1, words));
            return Some(wait);
        }
        let streams = self.streams.clone();
        let variables = self.assign(simple, captures, &words, ground);
        let redirected = self.redirect(&simple.redirects, captures, ground);
        let (did, keeps) = match redirected {
            Ok(()) if words.is_empty() => {
                let status = if captures > 0 { self.shell.status } else { 0 };
                (Did::Done(status), false)
            }
            Ok(()) => {
                let keeps = words.len() == 1 && words.first().is_some_and(|word| word == "exec");
                (self.command(&words, &streams, ground), keeps)
            }
            Err(why) => {
                self.complain(&why, 1, ground);
                (Did::Done(if self.shell.dialect == Dialect::Dash { 2 } else { 1 }), false)
            }
        };
        if !keeps && !matches!(did, Did::Moved | Did::Waits(Wait::Follow(..), _)) {
            let input = mem::replace(&mut self.streams, streams);
            // How far a text was read stays known to the next command.
            if !is_given {
                let [input, ..] = input;
                self.streams[0] = input;
            }
        }
        self.put_back(variables);
        self.resumed = matches!(did, Did::Again(_));
        match did {
            Did::Again(wait) => {
                self.at -= 1;
                self.begun = Some((place.0, place.1, words));
                Some(wait)
            }
            Did::Done(status) => {
                self.use_captured(captures);
                self.shell.status = status;
                self.stop_on_error()
            }
            Did::Waits(wait, status) => {
                self.use_captured(captures);
                self.shell.status = status;
                self.doing = Some(words.join(" "));
                Some(wait)
            }
            Did::Moved => {
                self.use_captured(captures);
                match self.wait {
                    Wait::Ended(status) => Some(Wait::Ended(status)),
                    _ => None,
                }
            }
        }
    }

    /// What a command's words are: of one that was begun before, those that they were then.
    fn words_of(
        &mut self,
        simple: &Simple,
        captures: usize,
        ground: &Ground<'_>,
    ) -> Result<Vec<String>, String> {
        let place = (self.frames.len(), self.at);
        let begun = self.begun.take().filter(|(depth, at, _)| (*depth, *at) == place);
        if let Some((.., words)) = begun {
            return Ok(words);
        }
        let words = self.expand_only(&simple.words, captures, ground)?;
        Ok(match ground.desk {
            Some(desk) => desk.aliased(words),
            None => words,
        })
    }

    /// Gives variables back what they were before a command.
    fn put_back(&mut self, variables: Vec<(String, Option<Variable>)>) {
        for (name, before) in variables.into_iter().rev() {
            match before {
                Some(variable) => drop(self.shell.variables.insert(name, variable)),
                None => drop(self.shell.variables.remove(&name)),
            }
        }
    }

    /// Carries out `NAME=VALUE` before a command; gives the variables to be restored after it.
    fn assign(
        &mut self,
        simple: &Simple,
        captures: usize,
        words: &[String],
        ground: &mut Ground<'_>,
    ) -> Vec<(String, Option<Variable>)> {
        let mut before = Vec::new();
        for (name, word) in &simple.assignments {
            match self.fill(word, captures, ground) {
                Ok(text) => {
                    if !words.is_empty() {
                        before.push((name.clone(), self.shell.variables.get(name).cloned()));
                    }
                    self.shell.set(name, text);
                    if !words.is_empty()
                        && let Some(variable) = self.shell.variables.get_mut(name)
                    {
                        variable.exported = true;
                    }
                }
                Err(why) => self.complain(&why, 2, ground),
            }
        }
        before
    }

    pub(super) fn expand(
        &mut self,
        words: &[Word],
        captures: usize,
        ground: &Ground<'_>,
    ) -> Result<Vec<String>, String> {
        let fields = self.expand_only(words, captures, ground);
        self.use_captured(captures);
        fields
    }

    fn expand_only(
        &mut self,
        words: &[Word],
        captures: usize,
        ground: &Ground<'_>,
    ) -> Result<Vec<String>, String> {
        let mut filling = self.filling(captures, ground);
        let mut all = Vec::new();
        let has_braces = filling.shell.dialect == Dialect::Bash;
        for word in words {
            for word in if has_braces { shell::braces(word) } else { vec![word.clone()] } {
                all.extend(shell::fields(&word, &mut filling)?);
            }
        }
        filling.checked().map(|()| all)
    }

    pub(super) fn fill(
        &mut self,
        word: &Word,
        captures: usize,
        ground: &Ground<'_>,
    ) -> Result<String, String> {
        let mut filling = self.filling(captures, ground);
        let text = shell::text(word, &mut filling)?;
        filling.checked().map(|()| text)
    }

    fn filling<'a>(&'a mut self, captures: usize, ground: &'a Ground<'_>) -> Filling<'a> {
        let from = self.captured.len().saturating_sub(captures);
        Filling {
            captured: self.captured.get(from..).unwrap_or_default(),
            shell: &mut self.shell,
            view: ground.files.view(),
            pid: self.pid,
            now: ground.now,
            unset: core::cell::RefCell::default(),
        }
    }
}

/// A process' variables while words are filled in.
struct Filling<'a> {
    shell: &'a mut Shell,
    captured: &'a [String],
    view: View<'a>,
    pid: u32,
    now: SimTime,
    /// A variable that `set -u` needs and that is not there.
    unset: core::cell::RefCell<Option<String>>,
}

impl Filling<'_> {
    fn checked(&self) -> Result<(), String> {
        match self.unset.borrow_mut().take() {
            Some(name) if self.shell.needs_variables => Err(self.shell.dialect.unset(&name)),
            _ => Ok(()),
        }
    }
}

impl Variables for Filling<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let found = match name {
            "?" => Some(self.shell.status.to_string()),
            "$" => Some(self.pid.to_string()),
            "!" => self.shell.last_job.map(|pid| pid.to_string()),
            "-" => Some(String::new()),
            "0" => Some(self.shell.name.clone()),
            "PWD" => Some(self.shell.folder.clone()),
            // Simplified: chance is a matter of the time and the process.
            "RANDOM" => {
                let seed = self.now.as_micros() ^ (u64::from(self.pid) << 32);
                Some((crate::base::names::fnv64a(seed, b"RANDOM") % 32_768).to_string())
            }
            "SECONDS" => None,
            name => match name.parse::<usize>() {
                Ok(number) => self.shell.arguments.get(number.wrapping_sub(1)).cloned(),
                Err(_) => self.shell.get(name).map(str::to_owned),
            },
        };
        if found.is_none() {
            *self.unset.borrow_mut() = Some(name.to_owned());
        }
        found
    }

    fn arguments(&self) -> Vec<String> {
        self.shell.arguments.clone()
    }

    fn assign(&mut self, name: &str, value: String) {
        self.shell.set(name, value);
    }

    fn captured(&self, number: usize) -> String {
        self.captured.get(number).cloned().unwrap_or_default()
    }

    fn paths(&self, pattern: &str) -> Vec<String> {
        paths(&self.view, &self.shell.folder, pattern)
    }
}

/// The paths that fit a pattern, part by part.
fn paths(view: &View<'_>, folder: &str, pattern: &str) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for before in &found {
            let whole = normal(folder, before);
            let glue = if before.is_empty() || before.ends_with('/') { "" } else { "/" };
            if part.contains(['*', '?', '[']) {
                let names = view.names(&whole).into_iter();
                let names = names.filter(|name| {
                    shell::matches(part, name) && name.starts_with('.') == part.starts_with('.')
                });
                next.extend(names.map(|name| format!("{before}{glue}{name}")));
            } else if view.find(&normal(&whole, part)).is_some() {
                next.push(format!("{before}{glue}{part}"));
            }
        }
        found = next;
    }
    found.retain(|path| !path.is_empty());
    found
}
