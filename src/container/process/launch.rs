//! Programs that a process starts.

use super::super::commands::{self, Call};
use super::super::files::{Found, normal};
use super::super::kit::{ASKING, Presence};
use super::super::output::{self, Part};
use super::super::shell::{self, Dialect};
use super::desk;
use super::run::Did;
use super::servers::serves;
use super::{Asked, Frame, Ground, Process, Role, Service, Stream, Wait};
use core::mem;
use core::time::Duration;
use std::sync::Arc;

/// The shell's own commands, as far as `type` and `command -v` are asked for them.
pub(super) fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        ":" | "."
            | "["
            | "cd"
            | "echo"
            | "eval"
            | "exec"
            | "exit"
            | "export"
            | "false"
            | "kill"
            | "printf"
            | "pwd"
            | "read"
            | "set"
            | "shift"
            | "test"
            | "trap"
            | "true"
            | "type"
            | "umask"
            | "unset"
            | "wait"
            | "command"
            | "alias"
            | "break"
            | "continue"
            | "declare"
            | "help"
            | "history"
            | "jobs"
            | "let"
            | "readonly"
            | "source"
            | "unalias"
            | "return"
            | "local"
    )
}

/// Programs that ask others over the network.
fn asks_others(name: &str) -> bool {
    ASKING.contains(&name)
}

/// Whether a program makes of each line what it makes of it alone, so that it need not wait for all.
fn goes_by_line(name: &str, arguments: &[String]) -> bool {
    let has_flag = |letters: &str| {
        arguments.iter().any(|it| it.starts_with('-') && it.contains(|it| letters.contains(it)))
    };
    let says =
        |parts: &[&str]| arguments.iter().any(|it| parts.iter().any(|part| it.contains(part)));
    match name {
        "read" | "cat" | "tee" | "tr" | "cut" => true,
        _ if is_grep(name) => !has_flag("cmnlLABC0123456789"),
        "sed" => arguments.iter().all(|it| it.starts_with("s") || it == "-E" || it == "-r"),
        "awk" => !says(&["NR", "END", "BEGIN", "getline", "++", "--"]) && !assigns(arguments),
        _ => false,
    }
}

/// Whether a program of awk may remember something from line to line.
fn assigns(arguments: &[String]) -> bool {
    let comparisons = ["==", "!=", "<=", ">="];
    let without = |text: &String| {
        comparisons.iter().fold(text.clone(), |text, comparison| text.replace(comparison, ""))
    };
    arguments.iter().any(|argument| without(argument).contains('='))
}

fn is_grep(name: &str) -> bool {
    matches!(name, "grep" | "egrep" | "fgrep")
}

/// Whether a program that has read a part needs no more: `head`, and `grep -q` once it has found
/// something.
fn has_enough(name: &str, arguments: &[String], status: i32) -> bool {
    let is_quiet = |it: &String| it.starts_with('-') && !it.starts_with("--") && it.contains('q');
    name == "head" || is_grep(name) && status == 0 && arguments.iter().any(is_quiet)
}

impl Process {
    /// If a command needs what is in a pipe that has nothing yet: what it waits for.
    pub(super) fn input_is_missing(
        &mut self,
        words: &[String],
        ground: &mut Ground<'_>,
    ) -> Option<Wait> {
        let (name, arguments) = words.split_first()?;
        let name = name.rsplit('/').next()?;
        let is_of_others = ground.is_of_others(name);
        let by_line = !is_of_others && goes_by_line(name, arguments);
        let reads = match is_of_others {
            true => desk::reads_input(words),
            false => name == "read" || commands::reads_input(name, arguments),
        };
        if !reads {
            return None;
        }
        let number = match self.streams[0] {
            Stream::Pipe(number) => number,
            // `read` and a shell have prompts of their own.
            Stream::Terminal if is_of_others && !desk::reads_typed(words) => return None,
            Stream::Terminal if name != "read" && !is_shell(name) => {
                return self.typing_is_missing(by_line);
            }
            _ => return None,
        };
        let pipe = ground.pipe(number)?;
        // `head` has enough with its lines.
        let wanted = if name == "head" { head_lines(arguments) } else { usize::from(by_line) };
        let has_enough = wanted > 0 && pipe.text.matches('\n').count() >= wanted;
        let is_ready = pipe.is_closed || has_enough;
        (!is_ready).then_some(Wait::Pipe(number, wanted > 0))
    }

    /// Takes what is to be read; whether that is all.
    pub(super) fn take_input(&mut self, ground: &mut Ground<'_>) -> (String, bool) {
        match &mut self.streams[0] {
            Stream::Text(text, read) => {
                let rest = text.get(*read..).unwrap_or_default().to_owned();
                *read = text.len();
                (rest, true)
            }
            Stream::Pipe(number) => match ground.pipe(*number) {
                Some(pipe) => (mem::take(&mut pipe.text), pipe.is_closed),
                None => (String::new(), true),
            },
            Stream::Terminal => self.take_typed(),
            _ => (String::new(), true),
        }
    }

    /// Where a program is, if it is there.
    pub(super) fn place_of(&self, name: &str, ground: &Ground<'_>) -> Option<String> {
        if ground.is_of_others(name) {
            return Some(format!("/usr/bin/{name}"));
        }
        if name.contains('/') {
            let whole = normal(&self.shell.folder, name);
            return ground.files.view().find(&whole).map(|_| name.to_owned());
        }
        if ground.kit.has(name) != Presence::Yes {
            return None;
        }
        let folder = match name {
            "nginx" => "/usr/sbin",
            "redis-server"
            | "redis-cli"
            | "python3"
            | "python"
            | "node"
            | "docker-entrypoint.sh" => "/usr/local/bin",
            _ if ground.kit.busybox => "/bin",
            _ => "/usr/bin",
        };
        Some(format!("{folder}/{name}"))
    }

    /// Runs a program.
    pub(super) fn launch(&mut self, words: &[String], ground: &mut Ground<'_>) -> Did {
        let Some((first, arguments)) = words.split_first() else { return Did::Done(0) };
        let name = first.rsplit('/').next().unwrap_or_default();
        if ground.is_of_others(name) {
            return self.ask_others(words, ground);
        }
        let presence = ground.kit.has(first);
        if is_shell(name) && presence != Presence::No {
            return self.start_shell(name, arguments, ground);
        }
        match self.script_at(first, ground) {
            Some((script, true)) => return self.start_script(first, &script, arguments, ground),
            Some((_, false)) => {
                self.complain(&format!("{first}: Permission denied"), 126, ground);
                return Did::Done(126);
            }
            None => {}
        }
        if let Some(did) = self.wrapper(name, arguments, ground) {
            return did;
        }
        let knows_patterns = name == "[[" && self.shell.dialect != Dialect::Dash;
        let is_shells_own = is_builtin(name) && !first.contains('/') || knows_patterns;
        if presence == Presence::No && !is_shells_own {
            return self.not_found(first, ground);
        }
        if asks_others(name) && !serves(name, arguments) {
            return self.ask_others(words, ground);
        }
        if let Some(did) = self.serve(name, arguments, ground) {
            return did;
        }
        let (input, is_all) = match commands::reads_input(name, arguments) {
            true => self.take_input(ground),
            false => (String::new(), true),
        };
        let mut call = Call {
            name,
            arguments,
            input: &input,
            resumed: self.resumed,
            folder: &self.shell.folder,
            variables: &|name| self.shell.get(name).map(str::to_owned),
            exported: &|| self.shell.environment(),
            is_dash: self.shell.dialect == Dialect::Dash,
            pid: self.pid,
            ground,
            stdout: String::new(),
            stderr: String::new(),
        };
        let ran = commands::run(&mut call);
        let (stdout, stderr) = (mem::take(&mut call.stdout), mem::take(&mut call.stderr));
        self.put(1, &stdout, ground);
        self.put(2, &stderr, ground);
        match ran {
            commands::Ran::Done(status) => {
                let is_all = is_all || has_enough(name, arguments, status);
                self.has_read(name, is_all, status)
            }
            commands::Ran::Sleeps(time, status) => {
                Did::Waits(Wait::Until(ground.now + time), status)
            }
            commands::Ran::Forever => Did::Waits(Wait::Forever(Service::default()), 0),
            commands::Ran::Follows(path, seen) => {
                let next = ground.now + Duration::from_secs(1);
                Did::Waits(Wait::Follow(next, Arc::from(path), seen), 0)
            }
            commands::Ran::Unknown => self.unknown(first, presence, ground),
        }
    }

    /// A program is through with what there was to read: all of it, or a part.
    fn has_read(&mut self, name: &str, is_all: bool, status: i32) -> Did {
        if is_all {
            // grep found something if it did so in any part of what it read.
            let found = mem::take(&mut self.has_found);
            return Did::Done(if found && status == 1 { 0 } else { status });
        }
        self.has_found |= is_grep(name) && status == 0;
        match self.streams[0] {
            Stream::Pipe(number) => Did::Again(Wait::Pipe(number, true)),
            Stream::Terminal => Did::Again(Wait::Line(Arc::from(""))),
            _ => Did::Done(0),
        }
    }

    /// Commands that run another one: `env A=b CMD`, `timeout 5 CMD`, `nohup CMD`.
    fn wrapper(
        &mut self,
        name: &str,
        arguments: &[String],
        ground: &mut Ground<'_>,
    ) -> Option<Did> {
        let rest: Vec<String> = match name {
            "env" => {
                let is_setting = |it: &&String| it.contains('=') || it.starts_with('-');
                for (name, text) in
                    arguments.iter().take_while(is_setting).filter_map(|it| it.split_once('='))
                {
                    self.shell.set(name, text.to_owned());
                    self.declare_exported(name);
                }
                arguments.iter().skip_while(is_setting).cloned().collect()
            }
            "sudo" if ground.desk.is_none() => return None,
            "nohup" | "time" | "sudo" | "tini" | "dumb-init" | "docker-entrypoint.sh" => {
                arguments.iter().skip_while(|it| it.starts_with('-')).cloned().collect()
            }
            "nice" | "stdbuf" => {
                arguments.iter().skip_while(|it| it.starts_with('-')).cloned().collect()
            }
            // Simplified: how long it may take is not looked at.
            "timeout" => {
                let mut rest = arguments.iter().skip_while(|it| it.starts_with('-'));
                rest.next();
                rest.cloned().collect()
            }
            _ => return None,
        };
        match (rest.is_empty(), name) {
            (true, "env") => None,
            (true, _) => Some(Did::Done(0)),
            (false, _) => Some(self.launch(&rest, ground)),
        }
    }

    fn declare_exported(&mut self, name: &str) {
        if let Some(variable) = self.shell.variables.get_mut(name) {
            variable.exported = true;
        }
    }

    /// `sh -c SCRIPT`, `sh FILE`, `sh` that reads its script from standard input.
    fn start_shell(&mut self, name: &str, arguments: &[String], ground: &mut Ground<'_>) -> Did {
        let dialect = match name {
            "bash" => Dialect::Bash,
            _ if ground.kit.busybox => Dialect::Ash,
            _ => Dialect::Dash,
        };
        let flags = arguments.iter().take_while(|it| it.starts_with(['-', '+'])).count();
        let (flags, rest) = arguments.split_at_checked(flags).unwrap_or((arguments, &[]));
        let letters: String = flags.iter().map(|flag| flag.trim_start_matches('-')).collect();
        // `-o pipefail` takes a word.
        let rest = if letters.ends_with('o') { rest.get(1..).unwrap_or_default() } else { rest };
        let (script, script_name, rest) = match (letters.contains('c'), rest.split_first()) {
            (true, Some((script, rest))) => match rest.split_first() {
                Some((name, rest)) => (script.clone(), name.clone(), rest),
                None => (script.clone(), name.to_owned(), rest),
            },
            (false, Some((path, rest))) => {
                let whole = normal(&self.shell.folder, path);
                let Some(text) = ground.files.view().text(&whole) else {
                    let why = dialect.no_script(path);
                    self.put(2, &format!("{name}: {why}\n"), ground);
                    return Did::Done(if dialect == Dialect::Bash { 127 } else { 2 });
                };
                (text.to_string(), path.clone(), rest)
            }
            (true, None) => {
                self.put(2, &format!("{name}: -c requires an argument\n"), ground);
                return Did::Done(2);
            }
            (false, None) if self.streams[0] == Stream::Terminal => {
                (String::new(), name.to_owned(), rest)
            }
            (false, None) => (self.take_input(ground).0, name.to_owned(), rest),
        };
        let is_typed = script_name == name && script.is_empty();
        self.shell.dialect = dialect;
        let did = self.start_script(&script_name, &script, rest, ground);
        self.set_option(&letters, true);
        if is_typed && matches!(did, Did::Moved) && self.streams[0] == Stream::Terminal {
            self.shell.typing = Some(super::Typing::default());
        }
        did
    }

    /// What a file says that could be run as a script, and whether it may be.
    fn script_at(&self, path: &str, ground: &Ground<'_>) -> Option<(String, bool)> {
        if !path.contains('/') {
            return None;
        }
        match ground.files.view().find(&normal(&self.shell.folder, path))? {
            Found::File { text, executable, .. } if text.starts_with("#!") || executable => {
                (!text.is_empty()).then(|| (text.to_string(), executable))
            }
            _ => None,
        }
    }

    fn start_script(
        &mut self,
        name: &str,
        script: &str,
        arguments: &[String],
        ground: &mut Ground<'_>,
    ) -> Did {
        let code = match shell::parse(script) {
            Ok(code) if !self.is_too_deep() => Arc::new(code),
            Ok(_) => return Did::Done(2),
            Err(wrong) => {
                let prefix = mem::replace(&mut self.shell.name, name.to_owned());
                let why = self.shell.dialect.syntax(&wrong);
                self.complain(&why, 2, ground);
                self.shell.name = prefix;
                return Did::Done(2);
            }
        };
        let before = Box::new(self.shell.clone());
        let shell = &mut self.shell;
        shell.name = name.to_owned();
        shell.arguments = arguments.to_vec();
        shell.functions.clear();
        shell.traps.clear();
        shell.variables.retain(|_, variable| variable.exported);
        shell.typing = None;
        (shell.stops_on_error, shell.needs_variables, shell.traces) = (false, false, false);
        let streams = self.streams.clone();
        let code = mem::replace(&mut self.code, code);
        let at = mem::take(&mut self.at);
        self.frames.push(Frame::Script { code, at, shell: before, streams });
        Did::Moved
    }

    /// A program that asks others: the world runs it, and brings the answer.
    pub(super) fn ask_others(&mut self, words: &[String], ground: &mut Ground<'_>) -> Did {
        let Some(reply) = self.reply.take() else {
            return Did::Again(Wait::Outside(Arc::new(self.question(words, ground))));
        };
        for part in reply.said.parts() {
            match part {
                Part::Text(output::Stream::Out, text) => self.put(1, text, ground),
                Part::Text(output::Stream::Err, text) => self.put(2, text, ground),
                Part::Pause(_) => {}
            }
        }
        for (path, text) in &reply.files {
            let whole = normal(&self.shell.folder, path);
            if let Err(why) = ground.files.write(&whole, text, false) {
                self.put(2, &format!("can't open '{path}': {why}\n"), ground);
                return Did::Done(1);
            }
        }
        match &reply.goes_on {
            Some(asked) => Did::Again(Wait::Outside(asked.clone())),
            None => Did::Done(reply.said.exit),
        }
    }

    /// What a program asks others.
    fn question(&mut self, words: &[String], ground: &mut Ground<'_>) -> Asked {
        let (words, folder) = (words.to_vec(), self.shell.folder.clone());
        if ground.desk.is_none() {
            return Asked { words, folder, ..Asked::default() };
        }
        let reads = match self.streams[0] {
            Stream::Nothing => false,
            Stream::Terminal => desk::reads_typed(&words),
            _ => desk::reads_input(&words),
        };
        let input = reads.then(|| self.take_input(ground).0);
        Asked { words, folder, input, variables: self.shell.environment() }
    }

    /// A program of the container's own image that nobody knows: as a container's process it
    /// runs on, as anybody else's it does what it is there for, at once.
    fn unknown(&mut self, name: &str, presence: Presence, ground: &mut Ground<'_>) -> Did {
        match (self.role, presence) {
            (Role::Main, _) => {
                let program = name.rsplit('/').next().unwrap_or_default();
                let is_deaf = matches!(program, "python" | "python3" | "node" | "php");
                let stop_code = (!is_deaf).then_some(0);
                Did::Waits(Wait::Forever(Service { stop_code, ..Service::default() }), 0)
            }
            (Role::Person(_), Presence::Perhaps) => {
                self.put(2, &format!("this console does not know what {name} does\n"), ground);
                Did::Done(127)
            }
            _ => Did::Done(0),
        }
    }

    fn not_found(&mut self, name: &str, ground: &mut Ground<'_>) -> Did {
        let why = self.shell.dialect.not_found(name);
        self.complain(&why, 127, ground);
        Did::Done(127)
    }

    /// `tail -f` has looked again.
    pub(super) fn follow(&mut self, path: &str, seen: usize, ground: &mut Ground<'_>) {
        let text = ground.files.view().text(path);
        let mut seen = seen;
        if let Some(text) = text {
            // A file that has become shorter was written anew.
            let from = if text.len() < seen { 0 } else { seen };
            let new = text.get(from..).unwrap_or_default().to_owned();
            seen = text.len();
            self.put(1, &new, ground);
        }
        let next = ground.now + Duration::from_secs(1);
        self.wait = Wait::Follow(next, Arc::from(path), seen);
    }
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "ash" | "dash")
}

/// How many lines `head` wants; 0 if it does not go by lines.
fn head_lines(arguments: &[String]) -> usize {
    let mut wanted = 10;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix('-') else { continue };
        let number = match flag.strip_prefix('n').unwrap_or(flag) {
            "" => words.next().map_or("", String::as_str),
            glued => glued,
        };
        // All but the last lines, or bytes: it has to see the end.
        wanted = number.parse().unwrap_or(0);
    }
    wanted
}
