//! sed: `s/a/b/g`, `2d`, `-n 2,3p`, `/text/d`.

use super::super::{Output, failed, said};
use super::grep;

/// One command of a script.
struct Command {
    from: Address,
    to: Option<Address>,
    act: Act,
}

/// Which lines.
enum Address {
    All,
    Line(usize),
    Last,
    Pattern(String),
}

enum Act {
    Substitute { pattern: String, by: String, all: bool, print: bool },
    Delete,
    Print,
    Quit,
}

/// Edits lines.
pub(super) fn run(words: &[String], text: &str) -> Output {
    let quiet = words.iter().any(|word| word == "-n" || word == "-ne");
    let scripts: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut commands = Vec::new();
    for part in scripts.iter().flat_map(|script| parts(script)) {
        match parse(part.trim()) {
            Some(command) => commands.push(command),
            None => {
                let why = format!("sed: -e expression #1, char 1: unknown command: `{part}'\n");
                return failed(1, why);
            }
        }
    }
    let count = text.lines().count();
    let mut out = String::new();
    let mut open: Vec<bool> = commands.iter().map(|_| false).collect();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        let mut line = line.to_owned();
        let (mut is_gone, mut ends) = (false, false);
        for (command, open) in commands.iter().zip(&mut open) {
            if !is_meant(command, open, number, count, &line) {
                continue;
            }
            match &command.act {
                Act::Delete => is_gone = true,
                Act::Print => out.push_str(&format!("{line}\n")),
                Act::Quit => ends = true,
                Act::Substitute { pattern, by, all, print } => {
                    let new = substituted(pattern, by, *all, &line);
                    if *print && new != line {
                        out.push_str(&format!("{new}\n"));
                    }
                    line = new;
                }
            }
        }
        if !is_gone && !quiet {
            out.push_str(&format!("{line}\n"));
        }
        if ends {
            break;
        }
    }
    said(out)
}

/// Parts a script at semicolons that are not between slashes.
fn parts(script: &str) -> Vec<String> {
    let (mut all, mut part, mut slashes) = (Vec::new(), String::new(), 0);
    let mut letters = script.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                part.push(letter);
                part.extend(letters.next());
                continue;
            }
            ';' | '\n' if slashes % 3 == 0 || !part.trim_start().starts_with('s') => {
                all.push(core::mem::take(&mut part));
                slashes = 0;
                continue;
            }
            letter
                if part.trim_start().chars().nth(1) == Some(letter)
                    && !letter.is_alphanumeric() =>
            {
                slashes += 1;
            }
            _ if part.trim() == "s" => slashes = 1,
            _ => {}
        }
        part.push(letter);
    }
    all.push(part);
    all.retain(|part| !part.trim().is_empty());
    all
}

fn parse(part: &str) -> Option<Command> {
    let (from, rest) = address(part)?;
    let (to, rest) = match rest.strip_prefix(',') {
        Some(rest) => {
            let (to, rest) = address(rest)?;
            (Some(to), rest)
        }
        None => (None, rest),
    };
    let rest = rest.trim_start();
    let act = match rest.chars().next()? {
        'd' => Act::Delete,
        'p' => Act::Print,
        'q' => Act::Quit,
        's' => {
            let sign = rest.chars().nth(1)?;
            let mut fields = Vec::new();
            let mut field = String::new();
            let mut letters = rest.chars().skip(2);
            while let Some(letter) = letters.next() {
                if letter == '\\' {
                    let next = letters.next()?;
                    if next != sign {
                        field.push('\\');
                    }
                    field.push(next);
                } else if letter == sign && fields.len() < 2 {
                    fields.push(core::mem::take(&mut field));
                } else {
                    field.push(letter);
                }
            }
            let [pattern, by] = fields.try_into().ok()?;
            Act::Substitute { pattern, by, all: field.contains('g'), print: field.contains('p') }
        }
        _ => return None,
    };
    Some(Command { from, to, act })
}

fn address(text: &str) -> Option<(Address, &str)> {
    if let Some(rest) = text.strip_prefix('$') {
        return Some((Address::Last, rest));
    }
    if let Some(rest) = text.strip_prefix('/') {
        let (pattern, rest) = rest.split_once('/')?;
        return Some((Address::Pattern(pattern.to_owned()), rest));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    match number.parse() {
        Ok(number) => Some((Address::Line(number), rest)),
        Err(_) => Some((Address::All, rest)),
    }
}

fn is_meant(command: &Command, open: &mut bool, number: usize, count: usize, line: &str) -> bool {
    let is_at = |address: &Address| match address {
        Address::All => true,
        Address::Line(wanted) => *wanted == number,
        Address::Last => number == count,
        Address::Pattern(pattern) => grep::matches(pattern, line),
    };
    let Some(to) = &command.to else { return is_at(&command.from) };
    if *open {
        *open = !is_at(to);
        return true;
    }
    let begins = is_at(&command.from);
    let is_past = matches!(to, Address::Line(last) if *last <= number);
    *open = begins && !is_past;
    begins
}

fn substituted(pattern: &str, by: &str, all: bool, line: &str) -> String {
    let (mut out, mut rest) = (String::new(), line);
    while let Some((from, to)) = grep::find(pattern, rest) {
        // Behind the first match a line's start is none any more.
        if !out.is_empty() && pattern.starts_with('^') {
            break;
        }
        let found = rest.get(from..to).unwrap_or_default();
        out.push_str(rest.get(..from).unwrap_or_default());
        out.push_str(&by.replace("\\n", "\n").replace('&', found));
        rest = rest.get(to..).unwrap_or_default();
        if !all || from == to {
            break;
        }
    }
    out + rest
}
