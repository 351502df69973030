//! The console's own words, beside those of its shell.

use super::work::{self, CLEAR, Step, Work};
use super::{Console, Output, failed, said};
use crate::world::World;

/// The words that the shell asks for; the first three only where commands are sent off with `&`.
const OUTSIDE: [&str; 28] = [
    "jobs", "kill", "wait", "alias", "burst", "clear", "curl", "diff", "dig", "disown", "getent",
    "haproxy", "help", "history", "host", "idle", "kubectl", "logout", "nc", "network", "node",
    "nslookup", "ping", "proxy", "trace", "unalias", "watch", "wget",
];

/// The words that the shell asks for, with somebody in front or not.
pub(super) fn outside(is_live: bool) -> &'static [&'static str] {
    if is_live { &OUTSIDE } else { OUTSIDE.get(3..).unwrap_or_default() }
}

impl Console {
    /// Runs one of the words; `None` if it is none of them.
    pub(super) fn builtin(
        &mut self,
        world: &mut World,
        name: &str,
        words: &[String],
    ) -> Option<Step> {
        let output = match name {
            "watch" => return Some(self.watch(world, words)),
            "wait" if self.has_jobs() => {
                return Some((Output::default(), Some(Work::Jobs)));
            }
            "alias" => self.alias(words),
            "unalias" => {
                words.iter().for_each(|name| drop(self.aliases.remove(name)));
                Output::default()
            }
            "history" => {
                let line = |(index, line): (usize, &String)| format!("{:5}  {line}\n", index + 1);
                said(self.history.iter().enumerate().map(line).collect())
            }
            "clear" => said(CLEAR.to_owned()),
            "help" => said(HELP.to_owned()),
            "diff" => self.differences(words),
            "jobs" => {
                let line = |(id, name): &(u32, String)| {
                    format!("[{id}]+  Running                 {name} &\n")
                };
                said(self.background.iter().map(line).collect())
            }
            "kill" => self.kill(words),
            "disown" | "logout" | "wait" => Output::default(),
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
            return (self.at_once(world, &rest.join(" ")), None);
        }
        work::look(self, world, rest.join(" "))
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
for, while, case, functions, $VARIABLE, $(CMD), | && || > < <<, {1..3} as in bash
grep, head, tail, sort, wc, uniq, cut, tr, sed, awk, xargs, seq, echo, printf, base64
cat, ls, rm, cp, mv, find, cd, tee, read, source, export, alias, history, jobs, kill, clear
";
