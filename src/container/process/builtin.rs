//! The shell's own commands.

use super::super::files::{Found, normal};
use super::super::shell::{self, Dialect, Step};
use super::run::Did;
use super::{EXIT, Frame, Ground, Process, Stream, Streams, Typed, Wait, signal_number};
use core::fmt::Write as _;
use core::mem;
use std::sync::Arc;

impl Process {
    /// Runs a command with its words; `before` is where the streams went without its redirections.
    pub(super) fn command(
        &mut self,
        words: &[String],
        before: &Streams,
        ground: &mut Ground<'_>,
    ) -> Did {
        let Some((name, arguments)) = words.split_first() else { return Did::Done(0) };
        if self.shell.traces && name != "set" {
            let line = format!("+ {}\n", words.join(" "));
            self.put(2, &line, ground);
        }
        if let Some((code, at)) = self.shell.functions.get(name).cloned() {
            return self.call_function(code, at, arguments, before, ground);
        }
        if ground.is_of_others(name) {
            return self.ask_others(words, ground);
        }
        self.own_command(words, name, arguments, before, ground)
    }

    /// Runs a command that this process itself knows, or a program of its image.
    #[inline(never)]
    fn own_command(
        &mut self,
        words: &[String],
        name: &str,
        arguments: &[String],
        before: &Streams,
        ground: &mut Ground<'_>,
    ) -> Did {
        if let Some(did) = self.leaving(name, arguments, ground) {
            return did;
        }
        match name {
            ":" | "true" => Did::Done(0),
            "false" => Did::Done(1),
            "((" => Did::Done(i32::from(arguments.first().is_none_or(|sum| sum == "0"))),
            "cd" => self.change_folder(arguments, ground),
            "export" | "readonly" | "declare" | "local" | "typeset" => {
                self.declare(name, arguments);
                Did::Done(0)
            }
            "unset" => {
                for name in arguments.iter().filter(|name| !name.starts_with('-')) {
                    self.shell.variables.remove(name);
                    self.shell.functions.remove(name);
                }
                Did::Done(0)
            }
            "set" => self.set_options(arguments, ground),
            "shift" => {
                let count = arguments.first().and_then(|it| it.parse().ok()).unwrap_or(1);
                let count = self.shell.arguments.len().min(count);
                self.shell.arguments.drain(..count);
                Did::Done(0)
            }
            "let" => Did::Done(0),
            "trap" => self.trap(arguments),
            "wait" => self.wait_for_jobs(arguments, ground),
            "read" => self.read(arguments, ground),
            "umask" | "ulimit" | "hash" | "alias" | "times" => Did::Done(0),
            "jobs" => Did::Done(0),
            "command" | "type" | "which" => self.look_for(name, arguments, ground),
            "kill" => self.kill(arguments, ground),
            "xargs" => self.each_of_input(arguments, before, ground),
            "." | "source" => self.source(arguments, ground),
            "exec" => match arguments.is_empty() {
                // Its redirections stay.
                true => Did::Done(0),
                false => self.replace_by(arguments),
            },
            _ => self.launch(words, ground),
        }
    }

    /// Commands after which another step comes than the next.
    fn leaving(
        &mut self,
        name: &str,
        arguments: &[String],
        ground: &mut Ground<'_>,
    ) -> Option<Did> {
        let number = arguments.first().and_then(|it| it.parse::<i32>().ok());
        match name {
            "exit" => {
                let status = number.unwrap_or(self.shell.status).rem_euclid(256);
                Some(match self.leave(status) {
                    Some(wait) => Did::Waits(wait, status),
                    None => Did::Moved,
                })
            }
            "return" => {
                self.shell.status = number.unwrap_or(self.shell.status);
                let is_in_function =
                    self.frames.iter().any(|frame| matches!(frame, Frame::Call { .. }));
                if is_in_function {
                    let code = Arc::new(vec![Step::Return]);
                    (self.code, self.at) = (code, 0);
                    return Some(Did::Moved);
                }
                let status = self.shell.status;
                Some(match self.leave(status) {
                    Some(wait) => Did::Waits(wait, status),
                    None => Did::Moved,
                })
            }
            "break" | "continue" => {
                let levels = number.and_then(|it| usize::try_from(it).ok()).unwrap_or(1).max(1);
                self.shell.status = 0;
                self.leave_loops(levels, name == "continue");
                Some(Did::Moved)
            }
            "eval" => match shell::parse(&arguments.join(" ")) {
                Ok(code) => {
                    self.enter(code, None, false);
                    Some(Did::Moved)
                }
                Err(wrong) => {
                    let why = self.shell.dialect.syntax(&wrong);
                    self.complain(&why, 2, ground);
                    Some(Did::Done(2))
                }
            },
            _ => None,
        }
    }

    /// `xargs COMMAND`: the words of standard input behind a command's own.
    fn each_of_input(
        &mut self,
        words: &[String],
        before: &Streams,
        ground: &mut Ground<'_>,
    ) -> Did {
        let (mut most, mut place, mut rest) = (usize::MAX, None, words);
        while let Some((first, after)) = rest.split_first().filter(|(it, _)| it.starts_with('-')) {
            let (flag, glued) = first.split_at_checked(2).unwrap_or((first, ""));
            if !matches!(flag, "-n" | "-L" | "-I") {
                rest = after;
                continue;
            }
            let next = after.first().map_or("", String::as_str);
            let value = if glued.is_empty() { next } else { glued };
            match flag {
                "-I" => (most, place) = (1, Some(value)),
                _ => most = value.parse().unwrap_or(1).max(1),
            }
            rest = if glued.is_empty() { after.get(1..).unwrap_or_default() } else { after };
        }
        let (text, _) = self.take_input(ground);
        let given: Vec<&str> = match place {
            Some(_) => text.lines().collect(),
            None => text.split_whitespace().collect(),
        };
        let own = if rest.is_empty() { vec!["echo".to_owned()] } else { rest.to_vec() };
        let mut steps: Vec<Step> = Vec::new();
        match place {
            Some(place) => steps.extend(given.iter().map(|one| {
                super::plain(&own.iter().map(|word| word.replace(place, one)).collect::<Vec<_>>())
            })),
            None if given.is_empty() => steps.push(super::plain(&own)),
            None => steps.extend(given.chunks(most.min(given.len())).map(|chunk| {
                let more = chunk.iter().map(|word| (*word).to_owned());
                super::plain(&own.iter().cloned().chain(more).collect::<Vec<_>>())
            })),
        }
        steps.push(Step::Return);
        self.streams[0] = Stream::Nothing;
        let arguments = self.shell.arguments.clone();
        self.call_function(Arc::new(steps), 0, &arguments, before, ground)
    }

    #[inline(never)]
    fn call_function(
        &mut self,
        code: Arc<Vec<Step>>,
        at: usize,
        arguments: &[String],
        before: &Streams,
        ground: &mut Ground<'_>,
    ) -> Did {
        if self.is_too_deep() {
            self.complain("Maximum function recursion depth exceeded", 2, ground);
            return Did::Done(2);
        }
        let arguments = mem::replace(&mut self.shell.arguments, arguments.to_vec());
        let code = mem::replace(&mut self.code, code);
        let at = mem::replace(&mut self.at, at);
        self.frames.push(Frame::Call { code, at, arguments, streams: before.clone() });
        Did::Moved
    }

    pub(super) fn is_too_deep(&self) -> bool {
        self.frames.len() >= super::run::MOST_FRAMES
    }

    fn change_folder(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        let home = self.shell.get("HOME").unwrap_or("/root").to_owned();
        let to = arguments.first().cloned().unwrap_or(home);
        let folder = match to.as_str() {
            "-" => self.shell.get("OLDPWD").unwrap_or("/").to_owned(),
            to => normal(&self.shell.folder, to),
        };
        if !ground.files.view().is_folder(&folder) {
            let why = self.shell.dialect.no_folder(&to);
            self.complain(&why, 1, ground);
            return Did::Done(if self.shell.dialect == Dialect::Dash { 2 } else { 1 });
        }
        self.shell.set("PWD", folder.clone());
        let old = mem::replace(&mut self.shell.folder, folder);
        self.shell.set("OLDPWD", old);
        Did::Done(0)
    }

    fn declare(&mut self, name: &str, arguments: &[String]) {
        for argument in arguments.iter().filter(|argument| !argument.starts_with('-')) {
            let (variable, text) =
                argument.split_once('=').map_or((argument.as_str(), None), |(a, b)| (a, Some(b)));
            if let Some(text) = text {
                self.shell.set(variable, text.to_owned());
            } else if name == "local" {
                self.shell.set(variable, String::new());
            }
            if name == "export" {
                self.shell.variables.entry(variable.to_owned()).or_default().exported = true;
            }
        }
    }

    fn set_options(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let on = argument.starts_with('-');
            match argument.as_str() {
                "--" => {
                    self.shell.arguments = arguments.cloned().collect();
                    return Did::Done(0);
                }
                "-o" | "+o" => {
                    let option = arguments.next().map_or("", String::as_str);
                    let letter = match option {
                        "errexit" => "e",
                        "nounset" => "u",
                        "xtrace" => "x",
                        "pipefail" if self.shell.dialect == Dialect::Dash => {
                            self.complain("set: Illegal option -o pipefail", 2, ground);
                            return match self.leave(2) {
                                Some(wait) => Did::Waits(wait, 2),
                                None => Did::Moved,
                            };
                        }
                        _ => "",
                    };
                    self.set_option(letter, on);
                }
                flags if flags.starts_with(['-', '+']) => {
                    self.set_option(flags.get(1..).unwrap_or_default(), on);
                    // `-eo pipefail`.
                    if flags.ends_with('o') {
                        arguments.next();
                    }
                }
                _ => {
                    self.shell.arguments =
                        [argument].into_iter().chain(arguments).cloned().collect();
                    return Did::Done(0);
                }
            }
        }
        Did::Done(0)
    }

    pub(super) fn set_option(&mut self, letters: &str, on: bool) {
        for letter in letters.chars() {
            match letter {
                'e' => self.shell.stops_on_error = on,
                'u' => self.shell.needs_variables = on,
                'x' => self.shell.traces = on,
                _ => {}
            }
        }
    }

    fn trap(&mut self, arguments: &[String]) -> Did {
        let Some((code, names)) = arguments.split_first() else { return Did::Done(0) };
        let (code, names) = match names.is_empty() {
            true => ("-", arguments),
            false => (code.as_str(), names),
        };
        for number in names.iter().filter_map(|name| signal_number(name)) {
            match code {
                "-" => drop(self.shell.traps.remove(&number)),
                code => drop(self.shell.traps.insert(number, code.to_owned())),
            }
        }
        Did::Done(0)
    }

    fn wait_for_jobs(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        if let Some(number) = self.interrupted.take() {
            return Did::Done(128 + i32::from(number));
        }
        let wanted = arguments.first().and_then(|it| it.trim_start_matches('%').parse().ok());
        let is_own = |process: &Process| {
            process.parent == self.pid && wanted.is_none_or(|pid: u32| pid == process.pid)
        };
        if ground.others.iter().chain(&ground.born).any(is_own) {
            return Did::Again(Wait::Jobs(wanted));
        }
        let code = wanted.map_or(Some(0), |pid| {
            ground.ended.iter().find(|(own, _)| *own == pid).map(|(_, code)| *code)
        });
        Did::Done(code.unwrap_or(127))
    }

    /// `read A B`: one line of standard input.
    fn read(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        let (mut names, mut prompt, mut words) = (Vec::new(), "", arguments.iter());
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some("p") => prompt = words.next().map_or("", String::as_str),
                Some("t" | "n" | "d" | "u") => drop(words.next()),
                Some(_) => {}
                None => names.push(word),
            }
        }
        let line = match &mut self.streams[0] {
            Stream::Text(text, read) => {
                let rest = text.get(*read..).unwrap_or_default();
                let line = rest.split_inclusive('\n').next().map(str::to_owned);
                *read += line.as_ref().map_or(0, String::len);
                line
            }
            Stream::Pipe(number) => {
                let Some(pipe) = ground.pipe(*number) else { return Did::Done(1) };
                let line = pipe.text.split_inclusive('\n').next().map(str::to_owned);
                pipe.text.drain(..line.as_ref().map_or(0, String::len));
                line
            }
            Stream::Terminal => match self.typed.take() {
                None => return Did::Again(Wait::Line(Arc::from(prompt))),
                Some(Typed::Line(line)) => Some(line + "\n"),
                Some(Typed::End) => None,
            },
            _ => None,
        };
        let status = i32::from(!line.as_ref().is_some_and(|line| line.ends_with('\n')));
        let line = line.unwrap_or_default();
        let by = self.shell.get("IFS").unwrap_or(" \t").to_owned();
        let is_blank = |letter: char| by.contains(letter) && letter.is_whitespace();
        let mut rest = line.trim_end_matches('\n').trim_matches(is_blank);
        let usual = "REPLY".to_owned();
        let names = if names.is_empty() { vec![&usual] } else { names };
        for (number, name) in names.iter().enumerate() {
            let is_last = number + 1 == names.len();
            let (word, after) = match rest.split_once(|letter| by.contains(letter)) {
                Some((word, after)) if !is_last => (word, after.trim_start_matches(is_blank)),
                _ => (rest, ""),
            };
            self.shell.set(name, word.to_owned());
            rest = after;
        }
        Did::Done(status)
    }

    /// `command -v`, `type`, `which`.
    fn look_for(&mut self, how: &str, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        if how == "command" && arguments.first().is_none_or(|flag| !flag.starts_with('-')) {
            return if arguments.is_empty() {
                Did::Done(0)
            } else {
                self.launch(arguments, ground)
            };
        }
        let mut text = String::new();
        let mut status = 0;
        for name in arguments.iter().filter(|name| !name.starts_with('-')) {
            let is_own = how != "which" && super::launch::is_builtin(name);
            let alias = ground.desk.and_then(|desk| desk.aliases.get(name));
            match self.place_of(name, ground) {
                _ if how == "type" && alias.is_some() => {
                    let alias = alias.map_or("", String::as_str);
                    let _ = writeln!(text, "{name} is aliased to `{alias}'");
                }
                _ if how == "type" && self.shell.functions.contains_key(name) => {
                    let _ = writeln!(text, "{name} is a function");
                }
                _ if is_own && how == "type" => {
                    let _ = writeln!(text, "{name} is a shell builtin");
                }
                _ if is_own => {
                    let _ = writeln!(text, "{name}");
                }
                Some(place) if how == "type" => {
                    let _ = writeln!(text, "{name} is {place}");
                }
                Some(place) => {
                    let _ = writeln!(text, "{place}");
                }
                None => {
                    if how == "type" && self.shell.dialect == Dialect::Bash {
                        self.complain(&format!("type: {name}: not found"), 1, ground);
                    } else if how == "type" {
                        let _ = writeln!(text, "{name}: not found");
                    }
                    status = if how == "command" { 127 } else { 1 };
                }
            }
        }
        self.put(1, &text, ground);
        Did::Done(status)
    }

    fn kill(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        let mut number = super::TERM;
        let mut status = 0;
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some("l") => return Did::Done(0),
                Some("s" | "n") => {
                    number = words.next().and_then(|it| signal_number(it)).unwrap_or(number);
                }
                Some(name) => number = signal_number(name).unwrap_or(number),
                None => {
                    let pid = word.parse::<u32>().ok();
                    let is_there = pid.is_some_and(|pid| {
                        pid == self.pid
                            || pid == 1
                            || ground.others.iter().chain(&ground.born).any(|it| it.pid == pid)
                    });
                    match pid.filter(|_| is_there) {
                        Some(pid) if number != EXIT => ground.signals.push((pid, number)),
                        Some(_) => {}
                        None => {
                            let why = self.shell.dialect.no_process(word);
                            self.complain(&why, 1, ground);
                            status = 1;
                        }
                    }
                }
            }
        }
        Did::Done(status)
    }

    /// `. FILE`.
    fn source(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        let Some(path) = arguments.first() else { return Did::Done(2) };
        let whole = normal(&self.shell.folder, path);
        let Some(Found::File { text, .. }) = ground.files.view().find(&whole) else {
            self.complain(&format!("{path}: No such file or directory"), 2, ground);
            return Did::Done(2);
        };
        if self.is_too_deep() {
            return Did::Done(2);
        }
        match shell::parse(&text) {
            Ok(code) => {
                self.enter(code, None, false);
                Did::Moved
            }
            Err(wrong) => {
                let why = self.shell.dialect.syntax(&wrong);
                self.complain(&why, 2, ground);
                Did::Done(2)
            }
        }
    }

    /// `exec COMMAND`: the shell is gone, and the command in its place.
    fn replace_by(&mut self, words: &[String]) -> Did {
        self.code = Arc::new(vec![super::plain(words)]);
        self.shell.typing = None;
        self.at = 0;
        self.frames.clear();
        self.shell.traps.clear();
        self.shell.functions.clear();
        self.name = words.join(" ");
        Did::Moved
    }
}
