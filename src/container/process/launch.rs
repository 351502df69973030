//! Programs that a process starts.

use super::super::commands::{self, Call};
use super::super::files::{Found, normal};
use super::super::kit::{ASKING, Presence};
use super::super::shell::{self, Dialect};
use super::run::Did;
use super::{Frame, Ground, Process, Role, Service, Stream, Wait};
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
            | "break"
            | "continue"
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
        "grep" | "egrep" | "fgrep" => !has_flag("cmnlLABC0123456789"),
        "sed" => arguments.iter().all(|it| it.starts_with("s") || it == "-E" || it == "-r"),
        "awk" => !says(&["NR", "END", "BEGIN", "+=", "++"]),
        _ => false,
    }
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
        let by_line = goes_by_line(name, arguments);
        if name != "read" && !commands::reads_input(name, arguments) {
            return None;
        }
        let number = match self.streams[0] {
            Stream::Pipe(number) => number,
            // `read` and a shell have prompts of their own.
            Stream::Terminal if name != "read" && !is_shell(name) => {
                return self.typing_is_missing(by_line);
            }
            _ => return None,
        };
        let pipe = ground.pipe(number)?;
        let is_ready = pipe.is_closed || by_line && pipe.text.contains('\n');
        (!is_ready).then_some(Wait::Pipe(number, by_line))
    }

    /// Takes what is to be read; whether that is all.
    fn take_input(&mut self, ground: &mut Ground<'_>) -> (String, bool) {
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
        let is_shells_own = is_builtin(name) && !first.contains('/');
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
            commands::Ran::Done(_) if !is_all => match self.streams[0] {
                Stream::Pipe(number) => Did::Again(Wait::Pipe(number, true)),
                Stream::Terminal => Did::Again(Wait::Line(Arc::from(""))),
                _ => Did::Done(0),
            },
            commands::Ran::Done(status) => Did::Done(status),
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

    /// Commands that run another one: `env A=b CMD`, `timeout 5 CMD`, `nohup CMD`, `xargs CMD`.
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
            "nohup" | "time" | "tini" | "dumb-init" | "docker-entrypoint.sh" => {
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
            "xargs" => {
                let (input, _) = self.take_input(ground);
                let own = arguments.iter().skip_while(|it| it.starts_with('-')).cloned();
                let own: Vec<String> = own.collect();
                let own = if own.is_empty() { vec!["echo".to_owned()] } else { own };
                own.into_iter().chain(input.split_whitespace().map(str::to_owned)).collect()
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
    fn ask_others(&mut self, words: &[String], ground: &mut Ground<'_>) -> Did {
        let Some(reply) = self.reply.take() else {
            return Did::Again(Wait::Outside(Arc::from(words)));
        };
        self.put(1, &reply.stdout, ground);
        self.put(2, &reply.stderr, ground);
        for (path, text) in &reply.files {
            let whole = normal(&self.shell.folder, path);
            if let Err(why) = ground.files.write(&whole, text, false) {
                self.put(2, &format!("can't open '{path}': {why}\n"), ground);
                return Did::Done(1);
            }
        }
        Did::Done(reply.exit)
    }

    /// Servers run until they are stopped.
    fn serve(&mut self, name: &str, arguments: &[String], ground: &mut Ground<'_>) -> Option<Did> {
        let whole = |folder: Option<String>| {
            Some(normal(&self.shell.folder, folder.as_deref().unwrap_or(".")))
        };
        let service = match name {
            "nginx" => return self.nginx(arguments, ground),
            "httpd" if ground.kit.busybox => {
                let ports = Some(vec![port(value(arguments, "-p"), 80)]);
                let folder = whole(value(arguments, "-h"));
                let own = Service { ports, folder, stop_code: None };
                if !arguments.iter().any(|it| it.starts_with("-f") || it.starts_with("-vf")) {
                    return Some(self.daemon(name, own, ground));
                }
                own
            }
            "nc" if serves(name, arguments) => {
                let number = arguments.iter().rev().find_map(|it| it.parse().ok());
                let ports = Some(vec![port(value(arguments, "-p"), number.unwrap_or(0))]);
                Service { ports, ..Service::default() }
            }
            "python" | "python3" if arguments.iter().any(|it| it == "http.server") => {
                let number = arguments.iter().find_map(|it| it.parse::<u16>().ok());
                let ports = Some(vec![number.unwrap_or(8000)]);
                let given = value(arguments, "--directory").or_else(|| value(arguments, "-d"));
                Service { ports, folder: whole(given), stop_code: None }
            }
            _ if ground.kit.is_all(name)
                || commands::is_server(name) && !asks_version(arguments) =>
            {
                Service { stop_code: Some(0), ..Service::default() }
            }
            _ => return None,
        };
        Some(Did::Waits(Wait::Forever(service), 0))
    }

    /// nginx is a server, unless it is told something else.
    fn nginx(&mut self, arguments: &[String], ground: &mut Ground<'_>) -> Option<Did> {
        let has = |flag: &str| arguments.iter().any(|it| it == flag);
        if has("-s") {
            let how = value(arguments, "-s").unwrap_or_default();
            if how != "reload" && how != "reopen" {
                ground.signals.push((1, super::TERM));
            }
            return Some(Did::Done(0));
        }
        if has("-t") || has("-T") {
            let text = "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n";
            self.put(2, text, ground);
            return Some(Did::Done(0));
        }
        if has("-v") || has("-V") {
            let image = &ground.files.setting.image;
            let version = super::super::server::server_header(image).unwrap_or_default();
            self.put(2, &format!("nginx version: {version}\n"), ground);
            return Some(Did::Done(0));
        }
        let own = Service { stop_code: Some(0), ..Service::default() };
        match arguments.iter().any(|it| it.contains("daemon off")) {
            true => Some(Did::Waits(Wait::Forever(own), 0)),
            false => Some(self.daemon("nginx", own, ground)),
        }
    }

    /// A server that leaves the terminal at once.
    fn daemon(&mut self, name: &str, service: Service, ground: &mut Ground<'_>) -> Did {
        let pid = ground.number();
        let mut daemon = self.sibling(pid, self.at, ground.now);
        name.clone_into(&mut daemon.name);
        daemon.wait = Wait::Forever(service);
        ground.born.push(daemon);
        Did::Done(0)
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

/// The value of a flag, glued to it or after it.
fn value(arguments: &[String], flag: &str) -> Option<String> {
    let mut words = arguments.iter();
    let found = words.find(|word| word.starts_with(flag))?;
    match found.strip_prefix(flag) {
        Some("") | None => words.next().cloned(),
        Some(glued) => Some(glued.trim_start_matches('=').to_owned()),
    }
}

/// A port, alone or behind an address.
fn port(text: Option<String>, usual: u16) -> u16 {
    text.and_then(|text| text.rsplit(':').next()?.parse().ok()).unwrap_or(usual)
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "bash" | "ash" | "dash")
}

/// `nc -l`.
fn serves(name: &str, arguments: &[String]) -> bool {
    name == "nc" && arguments.iter().any(|it| it.starts_with('-') && it.contains('l'))
}

fn asks_version(arguments: &[String]) -> bool {
    arguments.iter().any(|it| matches!(it.as_str(), "--version" | "-v" | "-V" | "--help" | "-h"))
}
