//! The shell's own words, and the small tools for files.

use super::job::Job;
use super::syntax::{Op, Pipeline, Simple, Word};
use super::texts::{part_of_path, print_formatted, sequence, test};
use super::work::{self, CLEAR, Step, Work};
use super::{Console, Output, failed, said};
use crate::world::World;
use std::sync::Arc;

/// All of them, for completion and `type`.
pub(super) const WORDS: [&str; 32] = [
    "alias", "basename", "cat", "cd", "clear", "cp", "date", "diff", "dirname", "env", "exit",
    "export", "help", "history", "jobs", "kill", "ls", "mkdir", "mv", "printf", "pwd", "rm", "seq",
    "tee", "test", "touch", "type", "unalias", "unset", "wait", "watch", "xargs",
];

impl Console {
    /// Runs one of the words; `None` if it is none of them.
    pub(super) fn builtin(
        &mut self,
        world: &mut World,
        name: &str,
        words: &[String],
        stdin: Option<&str>,
    ) -> Option<Step> {
        let output = match name {
            "watch" => return Some(self.watch(world, words)),
            "xargs" => return Some(self.xargs(world, words, stdin)),
            "alias" => self.alias(words),
            "unalias" => {
                words.iter().for_each(|name| drop(self.aliases.remove(name)));
                Output::default()
            }
            "export" => self.export(words),
            "unset" => {
                words.iter().for_each(|name| drop(self.variables.remove(name)));
                Output::default()
            }
            "env" if words.is_empty() => self.environment(words),
            "printenv" => self.environment(words),
            "cd" => self.change_folder(words),
            "pwd" => said(format!("{}\n", self.session.folder)),
            "cat" => self.cat(words, stdin),
            "ls" => self.list(words),
            "rm" => self.remove(words),
            "mkdir" => self.make_folders(words),
            "touch" => self.touch(words),
            "cp" | "mv" => self.copy(name, words),
            "tee" => self.tee(words, stdin),
            "history" => {
                let line = |(index, line): (usize, &String)| format!("{:5}  {line}\n", index + 1);
                said(self.history.iter().enumerate().map(line).collect())
            }
            "clear" => said(CLEAR.to_owned()),
            "date" => said(format!("{}\n", world.now().rfc1123z())),
            "help" => said(HELP.to_owned()),
            "diff" => self.differences(words),
            "basename" | "dirname" => part_of_path(name, words),
            "seq" => sequence(words),
            "printf" => print_formatted(words),
            "test" | "[" => test(words),
            "jobs" => {
                let line = |(id, name): &(u32, String)| {
                    format!("[{id}]+  Running                 {name} &\n")
                };
                said(self.background.iter().map(line).collect())
            }
            "kill" => self.kill(words),
            "type" | "which" => self.type_of(words),
            "time" | "command" | "sudo" | "env" if !words.is_empty() => {
                return Some(self.command(world, words, stdin));
            }
            "exit" | "logout" | "set" | "wait" | "disown" | "source" => Output::default(),
            _ => return None,
        };
        Some((output, None))
    }

    /// `watch kubectl get pods`: again every two seconds, or once where nobody looks.
    fn watch(&mut self, world: &mut World, words: &[String]) -> Step {
        let mut rest = words;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "-n" | "--interval" => rest = after.get(1..).unwrap_or_default(),
                word if word.starts_with('-') => rest = after,
                _ => break,
            }
        }
        if rest.is_empty() {
            let usage = "Usage:\n watch [options] command\n";
            return (failed(1, usage.to_owned()), None);
        }
        if !self.is_live {
            return match rest {
                [one] => (self.at_once(world, one), None),
                many => self.command(world, many, None),
            };
        }
        work::look(self, world, rest.join(" "))
    }

    /// `… | xargs kubectl delete`: the words of standard input behind a command's own.
    fn xargs(&mut self, world: &mut World, words: &[String], stdin: Option<&str>) -> Step {
        let (mut most, mut place, mut rest) = (usize::MAX, None, words);
        while let Some((first, after)) = rest.split_first().filter(|(it, _)| it.starts_with('-')) {
            let (flag, glued) = first.split_at_checked(2).unwrap_or((first, ""));
            let value = || {
                let next = after.first().map(String::as_str).unwrap_or_default();
                if glued.is_empty() { next.to_owned() } else { glued.to_owned() }
            };
            match flag {
                "-n" | "-L" => most = value().parse().unwrap_or(1).max(1),
                "-I" => (most, place) = (1, Some(value())),
                _ => {
                    rest = after;
                    continue;
                }
            }
            rest = if glued.is_empty() { after.get(1..).unwrap_or_default() } else { after };
        }
        let text = stdin.unwrap_or_default();
        let given: Vec<&str> = match place {
            Some(_) => text.lines().collect(),
            None => text.split_whitespace().collect(),
        };
        let own: Vec<String> =
            if rest.is_empty() { vec!["echo".to_owned()] } else { rest.to_vec() };
        let run = |words: Vec<String>| {
            let words = words.iter().map(|word| Word::quoted(word)).collect();
            let stages = vec![Simple { words, ..Simple::default() }];
            Op::Run(Arc::new(Pipeline { stages, ..Pipeline::default() }))
        };
        let ops: Vec<Op> = given
            .chunks(most.min(given.len().max(1)))
            .map(|chunk| match &place {
                Some(place) => {
                    let one = chunk.first().copied().unwrap_or_default();
                    run(own.iter().map(|word| word.replace(place.as_str(), one)).collect())
                }
                None => {
                    let more = chunk.iter().map(|word| (*word).to_owned());
                    run(own.iter().cloned().chain(more).collect())
                }
            })
            .collect();
        Work::Script(Box::new(Job::new(ops.into(), None))).go_on(
            self,
            world,
            crate::kubectl::Input::Time,
        )
    }

    fn alias(&mut self, words: &[String]) -> Output {
        if words.is_empty() {
            return said(
                self.aliases.iter().map(|(name, to)| format!("alias {name}='{to}'\n")).collect(),
            );
        }
        let mut output = Output::default();
        for word in words {
            match (word.split_once('='), self.aliases.get(word)) {
                (Some((name, to)), _) => drop(self.aliases.insert(name.into(), to.into())),
                (None, Some(to)) => output.stdout.push_str(&format!("alias {word}='{to}'\n")),
                (None, None) => {
                    output.complain(&format!("bash: alias: {word}: not found\n"));
                    output.exit = 1;
                }
            }
        }
        output
    }

    /// Simplified: every variable is one of the environment.
    fn export(&mut self, words: &[String]) -> Output {
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                self.variables.insert(name.to_owned(), value.to_owned());
            }
        }
        Output::default()
    }

    fn environment(&self, words: &[String]) -> Output {
        match words.first() {
            None => {
                let line = |(name, value): (&String, &String)| format!("{name}={value}\n");
                said(self.variables.iter().map(line).collect())
            }
            Some(name) => match self.variables.get(name) {
                Some(value) => said(format!("{value}\n")),
                None => failed(1, String::new()),
            },
        }
    }

    fn change_folder(&mut self, words: &[String]) -> Output {
        let path = words.first().map_or("~", String::as_str);
        let path = match path {
            "-" => self.variables.get("OLDPWD").cloned().unwrap_or_default(),
            path => path.to_owned(),
        };
        if !self.session.is_folder(&path) {
            return failed(1, format!("bash: cd: {path}: No such file or directory\n"));
        }
        let new = self.session.resolve(&path);
        let old = core::mem::replace(&mut self.session.folder, new.clone());
        self.variables.insert("OLDPWD".to_owned(), old);
        self.variables.insert("PWD".to_owned(), new);
        Output::default()
    }

    fn cat(&self, words: &[String], stdin: Option<&str>) -> Output {
        let mut output = Output::default();
        let paths: Vec<&String> =
            words.iter().filter(|word| *word == "-" || !word.starts_with('-')).collect();
        if paths.is_empty() {
            output.stdout.push_str(stdin.unwrap_or_default());
        }
        for path in paths {
            match self.session.read(path) {
                Some(text) => output.stdout.push_str(text),
                None if path == "-" => output.stdout.push_str(stdin.unwrap_or_default()),
                None if self.session.is_folder(path) => {
                    output.complain(&format!("cat: {path}: Is a directory\n"));
                    output.exit = 1;
                }
                None => {
                    output.complain(&format!("cat: {path}: No such file or directory\n"));
                    output.exit = 1;
                }
            }
        }
        output
    }

    fn list(&self, words: &[String]) -> Output {
        let mut output = Output::default();
        let folders_themselves = words.iter().any(|word| word == "-d");
        let mut paths: Vec<&str> =
            words.iter().filter(|word| !word.starts_with('-')).map(String::as_str).collect();
        if paths.is_empty() {
            paths.push(".");
        }
        for path in &paths {
            if self.session.is_folder(path) && !folders_themselves {
                if paths.len() > 1 {
                    output.stdout.push_str(&format!("{path}:\n"));
                }
                for name in self.session.names(path) {
                    output.stdout.push_str(&format!("{name}\n"));
                }
            } else if self.session.is_folder(path) || self.session.read(path).is_some() {
                output.stdout.push_str(&format!("{path}\n"));
            } else {
                output
                    .complain(&format!("ls: cannot access '{path}': No such file or directory\n"));
                output.exit = 2;
            }
        }
        output
    }

    fn remove(&mut self, words: &[String]) -> Output {
        let mut output = Output::default();
        let has =
            |letter: char| words.iter().any(|word| word.starts_with('-') && word.contains(letter));
        for path in words.iter().filter(|word| !word.starts_with('-')) {
            let full = self.session.resolve(path);
            let mut complain = |why: &str| {
                output.complain(&format!("rm: cannot remove '{path}': {why}\n"));
                output.exit = 1;
            };
            if self.session.files.remove(&full).is_some() {
            } else if self.session.is_folder(path) {
                if has('r') || has('R') {
                    let below = format!("{full}/");
                    let is_of_it = |it: &str| it == full || it.starts_with(&below);
                    self.session.files.retain(|it, _| !is_of_it(it));
                    self.session.folders.retain(|it| !is_of_it(it));
                } else {
                    complain("Is a directory");
                }
            } else if !has('f') {
                complain("No such file or directory");
            }
        }
        output
    }

    fn make_folders(&mut self, words: &[String]) -> Output {
        let mut output = Output::default();
        let parents = words.iter().any(|word| word == "-p" || word == "--parents");
        for path in words.iter().filter(|word| !word.starts_with('-')) {
            let full = self.session.resolve(path);
            if self.session.is_folder(path) && !parents {
                output.complain(&format!("mkdir: cannot create directory '{path}': File exists\n"));
                output.exit = 1;
                continue;
            }
            let mut at = full.as_str();
            while let Some((above, _)) = at.rsplit_once('/').filter(|_| parents && at.len() > 1) {
                self.session.folders.insert(at.to_owned());
                at = above;
            }
            self.session.folders.insert(full);
        }
        output
    }

    fn touch(&mut self, words: &[String]) -> Output {
        for path in words.iter().filter(|word| !word.starts_with('-')) {
            let full = self.session.resolve(path);
            self.session.files.entry(full).or_default();
        }
        Output::default()
    }

    /// Simplified: folders are neither copied nor moved.
    fn copy(&mut self, name: &str, words: &[String]) -> Output {
        let paths: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
        let Some((to, from)) = paths.split_last().filter(|(_, from)| !from.is_empty()) else {
            return failed(1, format!("{name}: missing file operand\n"));
        };
        let mut output = Output::default();
        for path in from {
            let Some(text) = self.session.read(path).map(str::to_owned) else {
                let why = match name {
                    "cp" => format!("cp: cannot stat '{path}': No such file or directory\n"),
                    _ => format!("mv: cannot stat '{path}': No such file or directory\n"),
                };
                output.complain(&why);
                output.exit = 1;
                continue;
            };
            if name == "mv" {
                let full = self.session.resolve(path);
                self.session.files.remove(&full);
            }
            let last = path.rsplit('/').next().unwrap_or(path);
            match self.session.is_folder(to) {
                true => self.session.write(&format!("{to}/{last}"), text),
                false => self.session.write(to, text),
            }
        }
        output
    }

    fn tee(&mut self, words: &[String], stdin: Option<&str>) -> Output {
        let text = stdin.unwrap_or_default();
        let appends = words.iter().any(|word| word == "-a");
        for path in words.iter().filter(|word| !word.starts_with('-')) {
            let old = self.session.read(path).filter(|_| appends).unwrap_or_default();
            let new = format!("{old}{text}");
            self.session.write(path, new);
        }
        said(text.to_owned())
    }

    /// `diff A B`, in its plain form.
    fn differences(&self, words: &[String]) -> Output {
        let paths: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
        let [a, b] = paths.as_slice() else {
            return failed(2, "diff: missing operand\n".to_owned());
        };
        let (left, right) = match (self.session.read(a), self.session.read(b)) {
            (Some(left), Some(right)) => (left, right),
            (None, _) => return failed(2, format!("diff: {a}: No such file or directory\n")),
            (_, None) => return failed(2, format!("diff: {b}: No such file or directory\n")),
        };
        let (left, right): (Vec<&str>, Vec<&str>) =
            (left.lines().collect(), right.lines().collect());
        let edits = crate::kubectl::line_edits(&left, &right);
        let (mut at, mut bt, mut out) = (0, 0, String::new());
        for group in edits.chunk_by(|a, b| (a.0 == ' ') == (b.0 == ' ')) {
            let count = |sign: char| group.iter().filter(|edit| edit.0 == sign).count();
            let (gone, new) = (count('-'), count('+'));
            if gone + new > 0 {
                let range = |at: usize, count: usize| match count {
                    0 => at.to_string(),
                    1 => (at + 1).to_string(),
                    count => format!("{},{}", at + 1, at + count),
                };
                let verb = match (gone, new) {
                    (0, _) => 'a',
                    (_, 0) => 'd',
                    _ => 'c',
                };
                out.push_str(&format!("{}{verb}{}\n", range(at, gone), range(bt, new)));
                for (sign, mark) in [('-', "< "), ('+', "> ")] {
                    if sign == '+' && gone > 0 && new > 0 {
                        out.push_str("---\n");
                    }
                    for (_, line) in group.iter().filter(|edit| edit.0 == sign) {
                        out.push_str(&format!("{mark}{line}\n"));
                    }
                }
            }
            let same = count(' ');
            (at, bt) = (at + gone + same, bt + new + same);
        }
        let exit = i32::from(!out.is_empty());
        Output { stdout: out, exit, ..Output::default() }
    }

    fn kill(&mut self, words: &[String]) -> Output {
        let mut output = Output::default();
        for word in words.iter().filter(|word| !word.starts_with('-')) {
            let number = match word.strip_prefix('%') {
                Some(number) => number.parse().ok(),
                None => word.parse::<u32>().ok().and_then(|process| process.checked_sub(1000)),
            };
            match number.filter(|number| self.background.iter().any(|(id, _)| id == number)) {
                Some(number) => self.ended.push(number),
                None => {
                    output.complain(&format!("bash: kill: {word}: no such job\n"));
                    output.exit = 1;
                }
            }
        }
        output
    }

    fn type_of(&self, words: &[String]) -> Output {
        let mut output = Output::default();
        for word in words {
            if let Some(to) = self.aliases.get(word) {
                output.stdout.push_str(&format!("{word} is aliased to `{to}'\n"));
            } else if WORDS.contains(&word.as_str()) {
                output.stdout.push_str(&format!("{word} is a shell builtin\n"));
            } else if super::complete::PROGRAMS.contains(&word.as_str()) {
                output.stdout.push_str(&format!("{word} is /usr/bin/{word}\n"));
            } else {
                output.complain(&format!("bash: type: {word}: not found\n"));
                output.exit = 1;
            }
        }
        output
    }
}

const HELP: &str = "kubectl …            everything about the cluster (kubectl --help); k for short
node stop|start NAME  cut a node's network, or mend it
node add [NAME]      another machine joins the cluster; node remove NAME takes one away
sleep N              let N seconds pass
idle N               wait until nothing has changed for N seconds (90 at most)
node run NAME -- CMD  iptables, iptables-save, nft, ipvsadm, conntrack, ip, ss, curl on a node
curl URL             send a request from outside; wget, nslookup, nc likewise
trace curl URL       show every hop of it; --from node/NAME or pod/NS/NAME, -o json
trace --against 'CMD' …  the same beside what it would be after that command
burst -n 200 --rate 20 curl URL  many requests counted; --keepalive CONNECTIONS, --from
proxy mode [MODE]    how kube-proxy works: iptables, nftables or ipvs
haproxy -f FILE      a load balancer built by hand, outside; haproxy -c -f, status, stop
network mode [MODE]  how pods of different nodes meet: routed or vxlan
watch CMD            again every two seconds, until Ctrl-C; CMD & goes on beside others
for, while, if, $VARIABLE, $(CMD), | && || > < <<, * and {1..3} as in bash
grep, head, tail, sort, wc, uniq, cut, tr, sed, awk, xargs, seq, echo, printf, base64
cat, ls, rm, cp, mv, mkdir, cd, pwd, touch, tee, export, alias, history, jobs, kill, clear
";
