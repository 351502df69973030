//! sed: `s/a/b/g`, `2d`, `-n 2,3p`, `/text/d`, `a`, `i`, `c`, `y`, `q`, `=`.
//!
//! Simplified: no labels, no second space, no blocks in braces.

use super::{failed, said};
use crate::container::Output;
use crate::pattern::{Dialect, Fault, Pattern, Places};

/// One command of a script.
struct Command {
    from: Address,
    to: Option<Address>,
    negated: bool,
    act: Act,
}

/// Which lines.
enum Address {
    All,
    Line(usize),
    /// So many lines behind the first.
    More(usize),
    Last,
    Pattern(Pattern),
}

enum Act {
    Substitute {
        pattern: Pattern,
        by: String,
        all: bool,
        nth: usize,
        print: bool,
    },
    Translate(Vec<char>, Vec<char>),
    Delete,
    Print,
    Number,
    Quit,
    /// Put behind, in front, or in place of a line.
    Text(char, String),
}

struct Parser<'a> {
    letters: &'a [char],
    at: usize,
    dialect: Dialect,
}

/// Edits lines.
pub(super) fn run(words: &[String], text: &str) -> Output {
    let (mut quiet, mut dialect) = (false, Dialect::Basic);
    let (mut scripts, mut plain) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() && !letters.starts_with('-') => {
                quiet |= letters.contains('n');
                if letters.contains(['E', 'r']) {
                    dialect = Dialect::Extended;
                }
                if letters.ends_with('e') {
                    scripts.extend(words.next().cloned());
                }
            }
            _ => plain.push(word.clone()),
        }
    }
    if scripts.is_empty() {
        scripts.extend(plain.into_iter().next());
    }
    let script: Vec<char> = scripts.join("\n").chars().collect();
    let mut parser = Parser { letters: &script, at: 0, dialect };
    match parser.commands() {
        Ok(commands) => said(edited(&commands, text, quiet)),
        Err(why) => failed(1, format!("sed: -e expression #1, char {}: {why}\n", parser.at.max(1))),
    }
}

fn edited(commands: &[Command], text: &str, quiet: bool) -> String {
    let count = text.lines().count();
    let mut out = String::new();
    let mut open: Vec<Option<usize>> = vec![None; commands.len()];
    for (number, line) in (1..).zip(text.lines()) {
        let mut line: Vec<char> = line.chars().collect();
        let (mut is_gone, mut ends) = (false, false);
        let mut behind = String::new();
        for (command, open) in commands.iter().zip(&mut open) {
            if is_meant(command, open, number, count, &line) == command.negated {
                continue;
            }
            let shown = |line: &[char]| line.iter().collect::<String>() + "\n";
            match &command.act {
                Act::Delete => is_gone = true,
                Act::Print => out.push_str(&shown(&line)),
                Act::Number => out.push_str(&format!("{number}\n")),
                Act::Quit => ends = true,
                Act::Text('i', text) => out.push_str(&format!("{text}\n")),
                Act::Text('a', text) => behind.push_str(&format!("{text}\n")),
                Act::Text(_, text) => {
                    if open.is_none() {
                        out.push_str(&format!("{text}\n"));
                    }
                    is_gone = true;
                }
                Act::Translate(from, to) => {
                    for letter in &mut line {
                        let place = from.iter().position(|other| other == letter);
                        *letter = place.and_then(|it| to.get(it)).copied().unwrap_or(*letter);
                    }
                }
                Act::Substitute { pattern, by, all, nth, print } => {
                    if let Some(new) = substituted(pattern, by, *all, *nth, &line) {
                        line = new;
                        if *print {
                            out.push_str(&shown(&line));
                        }
                    }
                }
            }
            if is_gone || ends {
                break;
            }
        }
        if !is_gone && !quiet {
            out.extend(line.iter());
            out.push('\n');
        }
        out.push_str(&behind);
        if ends {
            break;
        }
    }
    out
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn skip(&mut self, signs: &[char]) {
        while self.peek().is_some_and(|it| signs.contains(&it)) {
            self.at += 1;
        }
    }

    fn commands(&mut self) -> Result<Vec<Command>, String> {
        let mut commands = Vec::new();
        loop {
            self.skip(&[' ', '\t', '\n', ';']);
            match self.peek() {
                None => return Ok(commands),
                Some('#') => {
                    while self.peek().is_some_and(|it| it != '\n') {
                        self.at += 1;
                    }
                }
                Some(_) => commands.push(self.command()?),
            }
        }
    }

    fn command(&mut self) -> Result<Command, String> {
        let from = self.address()?;
        let to = if self.peek() == Some(',') {
            self.at += 1;
            Some(self.address()?)
        } else {
            None
        };
        self.skip(&[' ']);
        let negated = self.peek() == Some('!');
        self.at += usize::from(negated);
        self.skip(&[' ']);
        let Some(letter) = self.peek() else { return Err("missing command".to_owned()) };
        self.at += 1;
        let act = match letter {
            'd' => Act::Delete,
            'p' => Act::Print,
            '=' => Act::Number,
            'q' => Act::Quit,
            's' => self.substitute()?,
            'y' => {
                let sign = self.sign('y')?;
                let from = self.field(sign).ok_or("unterminated `y' command")?;
                let to = self.field(sign).ok_or("unterminated `y' command")?;
                if from.chars().count() != to.chars().count() {
                    return Err("strings for `y' command are different lengths".to_owned());
                }
                Act::Translate(from.chars().collect(), to.chars().collect())
            }
            'a' | 'i' | 'c' => {
                self.skip(&[' ', '\\', '\n']);
                let mut text = String::new();
                while let Some(it) = self.peek().filter(|it| *it != '\n') {
                    text.push(it);
                    self.at += 1;
                }
                Act::Text(letter, text)
            }
            other => return Err(format!("unknown command: `{other}'")),
        };
        self.skip(&[' ', '\t']);
        match self.peek() {
            None | Some(';' | '\n' | '#') => Ok(Command { from, to, negated, act }),
            Some(_) => Err("extra characters after command".to_owned()),
        }
    }

    fn address(&mut self) -> Result<Address, String> {
        match self.peek() {
            Some('$') => {
                self.at += 1;
                Ok(Address::Last)
            }
            Some('/') => {
                self.at += 1;
                let text = self.field('/').ok_or("unterminated address regex")?;
                let is_folded = self.peek() == Some('I');
                self.at += usize::from(is_folded);
                Ok(Address::Pattern(
                    Pattern::new(&text, self.dialect, is_folded).map_err(Fault::sentence)?,
                ))
            }
            Some('+') => {
                self.at += 1;
                Ok(Address::More(self.number().unwrap_or(0)))
            }
            _ => Ok(self.number().map_or(Address::All, Address::Line)),
        }
    }

    fn number(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(digit) = self.peek().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.at += 1;
        }
        digits.parse().ok()
    }

    fn sign(&mut self, command: char) -> Result<char, String> {
        let sign = self.peek().ok_or_else(|| format!("unterminated `{command}' command"))?;
        self.at += 1;
        Ok(sign)
    }

    /// The text up to a sign that has no backslash before it and is not in brackets.
    fn field(&mut self, sign: char) -> Option<String> {
        let mut field = String::new();
        let mut in_set = false;
        loop {
            let letter = self.peek()?;
            self.at += 1;
            match letter {
                '\\' => {
                    let next = self.peek()?;
                    self.at += 1;
                    if next != sign {
                        field.push('\\');
                    }
                    field.push(next);
                }
                letter if letter == sign && !in_set => return Some(field),
                letter => {
                    in_set = match letter {
                        '[' => self.letters.iter().skip(self.at + 1).any(|it| *it == ']'),
                        ']' => false,
                        _ => in_set,
                    };
                    field.push(letter);
                }
            }
        }
    }

    /// The same for what is put in place, where brackets are letters.
    fn replacement(&mut self, sign: char) -> Option<String> {
        let mut field = String::new();
        loop {
            let letter = self.peek()?;
            self.at += 1;
            match letter {
                '\\' => {
                    let next = self.peek()?;
                    self.at += 1;
                    if next != sign || next == '&' {
                        field.push('\\');
                    }
                    field.push(next);
                }
                letter if letter == sign => return Some(field),
                letter => field.push(letter),
            }
        }
    }

    fn substitute(&mut self) -> Result<Act, String> {
        let sign = self.sign('s')?;
        let text = self.field(sign).ok_or("unterminated `s' command")?;
        let by = self.replacement(sign).ok_or("unterminated `s' command")?;
        let (mut all, mut print, mut fold, mut nth) = (false, false, false, 1);
        loop {
            match self.peek() {
                Some('g') => all = true,
                Some('p') => print = true,
                Some('i' | 'I') => fold = true,
                Some(digit) if digit.is_ascii_digit() => {
                    nth = self.number().unwrap_or(1).max(1);
                    continue;
                }
                Some(' ' | '\t' | ';' | '\n' | '#') | None => break,
                Some(_) => return Err("unknown option to `s'".to_owned()),
            }
            self.at += 1;
        }
        let pattern = Pattern::new(&text, self.dialect, fold).map_err(Fault::sentence)?;
        Ok(Act::Substitute { pattern, by, all, nth, print })
    }
}

/// Whether a command is for a line; `open` is where its range began.
fn is_meant(
    command: &Command,
    open: &mut Option<usize>,
    number: usize,
    count: usize,
    line: &[char],
) -> bool {
    let is_at = |address: &Address| match address {
        Address::All => true,
        Address::Line(wanted) => *wanted == number,
        Address::More(_) => false,
        Address::Last => number == count,
        Address::Pattern(pattern) => pattern.find(line, 0).is_some(),
    };
    let Some(to) = &command.to else { return is_at(&command.from) };
    let is_past = |begin: usize| match to {
        Address::Line(last) => *last <= number,
        Address::More(more) => begin + more <= number,
        to => begin < number && is_at(to),
    };
    if let Some(begin) = *open {
        if is_past(begin) {
            *open = None;
        }
        return true;
    }
    let begins = is_at(&command.from);
    if begins && !is_past(number) {
        *open = Some(number);
    }
    begins
}

/// A line with what was put in place; `None` if nothing was found.
pub(super) fn substituted(
    pattern: &Pattern,
    by: &str,
    all: bool,
    nth: usize,
    line: &[char],
) -> Option<Vec<char>> {
    let mut out = Vec::new();
    let (mut at, mut count, mut changed) = (0, 0, false);
    while at <= line.len() {
        let Some(places) = pattern.find(line, at) else { break };
        let Some((from, to)) = places.first().copied().flatten() else { break };
        out.extend(line.get(at..from).unwrap_or_default());
        count += 1;
        if count >= nth {
            out.extend(filled(by, &places, line));
            changed = true;
        } else {
            out.extend(line.get(from..to).unwrap_or_default());
        }
        at = to;
        if from == to {
            // An empty match goes on behind the next letter.
            out.extend(line.get(at));
            at += 1;
        }
        if changed && !all {
            break;
        }
    }
    out.extend(line.get(at..).unwrap_or_default());
    changed.then_some(out)
}

/// What is put in place: `&` is the whole, `\1` the first group.
fn filled(by: &str, places: &Places, line: &[char]) -> Vec<char> {
    let group = |number: usize| {
        let place = places.get(number).copied().flatten();
        place.and_then(|(from, to)| line.get(from..to)).unwrap_or_default()
    };
    let mut out = Vec::new();
    let mut letters = by.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '&' => out.extend(group(0)),
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(digit) if digit.is_ascii_digit() => {
                    out.extend(group(digit.to_digit(10).map_or(0, |it| it as usize)));
                }
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_edited_as_by_sed() {
        let text = "image: nginx:1.27\nkind: Pod\n  name: web\n";
        let cases: [(&[&str], &str); 14] = [
            (&["s/nginx/httpd/"], "image: httpd:1.27\nkind: Pod\n  name: web\n"),
            (&["-n", "2p"], "kind: Pod\n"),
            (&["-n", "$p"], "  name: web\n"),
            (&["2,$d"], "image: nginx:1.27\n"),
            (&["/^kind/d; s/ /_/g"], "image:_nginx:1.27\n__name:_web\n"),
            (
                &["-E", "s/([a-z]+): ([A-Z].*)/\\2=\\1/"],
                "image: nginx:1.27\nPod=kind\n  name: web\n",
            ),
            (&["-n", "s|image: *\\(.*\\)|\\1|p"], "nginx:1.27\n"),
            (&["-n", "/kind/,/name/p"], "kind: Pod\n  name: web\n"),
            (&["-n", "/kind/!p"], "image: nginx:1.27\n  name: web\n"),
            (&["1q"], "image: nginx:1.27\n"),
            (&["2i above"], "image: nginx:1.27\nabove\nkind: Pod\n  name: web\n"),
            (&["-n", "-e", "1p", "-e", "3p"], "image: nginx:1.27\n  name: web\n"),
            (&["s/n/&&/2"], "image: nginnx:1.27\nkind: Pod\n  name: web\n"),
            (&["s/[/:]/-/"], "image- nginx:1.27\nkind- Pod\n  name- web\n"),
        ];
        for (words, wanted) in cases {
            let words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(run(&words, text).stdout, wanted, "{words:?}");
        }
        let wrong = run(&["s/a/b".to_owned()], text);
        assert_eq!(wrong.stderr, "sed: -e expression #1, char 5: unterminated `s' command\n");
    }
}
