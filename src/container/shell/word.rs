//! Reading a script's letters and words.

use super::dialect::{Missing, Wrong};
use super::parse::{Parser, way};
use super::step::{BOTH, Change, Part, Step, Word};
use core::mem;

/// The letters of a script, and what was found on the way.
pub(super) struct Reader {
    letters: Vec<char>,
    at: usize,
    /// The steps of the `$(…)` in the words that are being read.
    pub(super) captures: Vec<Vec<Step>>,
    /// Where the next here-document of this line begins, and the line's own end.
    here: Option<(usize, usize)>,
    /// What is missing at the end, though it is a script without it.
    pub(super) open: Option<Missing>,
}

impl Reader {
    pub(super) fn new(script: &str) -> Self {
        Reader {
            letters: script.chars().collect(),
            at: 0,
            captures: Vec::new(),
            here: None,
            open: None,
        }
    }

    /// Where it is.
    pub(super) const fn place(&self) -> usize {
        self.at
    }

    /// The text from a place on.
    pub(super) fn since(&self, place: usize) -> String {
        self.letters.get(place..self.at).unwrap_or_default().iter().collect()
    }

    fn ahead(&self, steps: usize) -> Option<char> {
        self.letters.get(self.at + steps).copied()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.ahead(0)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        if letter == '\n'
            && let Some((end, line_end)) = self.here
            && self.at > line_end
        {
            self.at = self.at.max(end);
            self.here = None;
        }
        Some(letter)
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(steps, letter)| self.ahead(steps) == Some(letter))
    }

    /// Takes a text if it comes next; a word must end there.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let count = text.chars().count();
        let is_word = text.chars().all(char::is_alphabetic);
        let ends = !is_word || self.ahead(count).is_none_or(ends_word);
        if !self.starts_with(text) || !ends {
            return false;
        }
        self.at += count;
        true
    }

    /// Skips blanks, and line ends behind a backslash.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.ahead(1) == Some('\n') => self.at += 2,
                Some('#') if self.at == 0 || self.letters.get(self.at - 1).is_some_and(blank) => {
                    while self.peek().is_some_and(|letter| letter != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Skips what may stand before a command: blanks, comments, line ends.
    pub(super) fn skip_to_command(&mut self) {
        loop {
            self.skip_blanks();
            if self.peek() != Some('\n') {
                return;
            }
            self.next();
        }
    }

    /// The plain word that comes next; empty if none does.
    pub(super) fn peek_word(&self) -> String {
        let rest = self.letters.get(self.at..).unwrap_or_default();
        rest.iter().take_while(|letter| !ends_word(**letter)).take(20).collect()
    }

    pub(super) fn take_name(&mut self) -> String {
        let mut name = String::new();
        while let Some(letter) = self.peek().filter(|it| it.is_alphanumeric() || "_-".contains(*it))
        {
            name.push(letter);
            self.at += 1;
        }
        name
    }

    /// `NAME=`, if it comes next.
    pub(super) fn take_assignment(&mut self) -> Option<String> {
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let name: String =
            rest.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == '_').collect();
        let is_name = !name.is_empty() && !name.starts_with(|it: char| it.is_ascii_digit());
        if !is_name || rest.get(name.len()) != Some(&'=') {
            return None;
        }
        self.at += name.len() + 1;
        Some(name)
    }

    /// Whether `NAME()` comes next.
    pub(super) fn is_function(&self) -> bool {
        let rest = self.letters.get(self.at..).unwrap_or_default();
        let mut rest =
            rest.iter().skip_while(|it| it.is_ascii_alphanumeric() || "_-".contains(**it));
        let first = rest.next() == Some(&'(');
        first && rest.find(|it| **it != ' ') == Some(&')')
    }

    /// `>`, `2>>`, `<<-`, `>&` …: the stream, and the sign.
    pub(super) fn take_redirection(&mut self) -> Option<(u8, &'static str)> {
        self.skip_blanks();
        let begin = self.at;
        let digit = self.peek().and_then(|letter| letter.to_digit(10));
        if digit.is_some() {
            self.at += 1;
        }
        let both = digit.is_none() && self.starts_with("&>");
        if both {
            self.at += 1;
        }
        let signs = ["<<<", "<<-", "<<", ">>", ">&", ">|", "<&", ">", "<"];
        let Some(sign) = signs.into_iter().find(|sign| self.starts_with(sign)) else {
            self.at = begin;
            return None;
        };
        self.at += sign.len();
        let usual = if sign.starts_with('<') { 0 } else { 1 };
        let stream = digit.and_then(|digit| u8::try_from(digit).ok()).unwrap_or(usual);
        Some((if both { BOTH } else { stream }, sign))
    }
}

fn missing(sign: char) -> Wrong {
    Wrong::Unfinished(Missing::Quote(sign))
}

/// Whether a letter ends a word that stands in no quotes.
fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || ";&|<>()".contains(letter)
}

fn blank(letter: &char) -> bool {
    letter.is_whitespace() || ";&|(".contains(*letter)
}

impl Parser {
    /// The next word, if one comes before the command ends.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Wrong> {
        self.reader.skip_blanks();
        if self.reader.peek().is_none_or(ends_word) {
            return Ok(None);
        }
        self.glued_word().map(Some)
    }

    /// A word that begins right here, and may be empty.
    pub(super) fn glued_word(&mut self) -> Result<Word, Wrong> {
        let mut word = Word::new();
        while let Some(letter) = self.reader.peek().filter(|letter| !ends_word(*letter)) {
            self.reader.next();
            match letter {
                '\\' => match self.reader.next() {
                    Some('\n') => {}
                    None => self.reader.open = Some(Missing::Command),
                    Some(letter) => add(&mut word, letter, true),
                },
                '\'' => word.push(Part::Quoted(self.until_quote()?)),
                '"' => {
                    let before = word.len();
                    self.in_quotes(&mut word, Some('"'))?;
                    if word.len() == before {
                        word.push(Part::Quoted(String::new()));
                    }
                }
                '$' => self.dollar(&mut word, false)?,
                '`' => self.backquote(&mut word, false)?,
                letter => add(&mut word, letter, false),
            }
        }
        Ok(word)
    }

    fn until_quote(&mut self) -> Result<String, Wrong> {
        let mut text = String::new();
        loop {
            match self.reader.next() {
                Some('\'') => return Ok(text),
                Some(letter) => text.push(letter),
                None => return Err(missing('\'')),
            }
        }
    }

    /// What stands in double quotes, or in a here-document (`end` is `None`).
    fn in_quotes(&mut self, word: &mut Word, end: Option<char>) -> Result<(), Wrong> {
        loop {
            let Some(letter) = self.reader.next() else {
                return match end {
                    None => Ok(()),
                    Some(sign) => Err(missing(sign)),
                };
            };
            match letter {
                letter if Some(letter) == end => return Ok(()),
                '\\' => match self.reader.next() {
                    Some('\n') => {}
                    Some(letter) if "$`\"\\".contains(letter) => add(word, letter, true),
                    Some(letter) => {
                        add(word, '\\', true);
                        add(word, letter, true);
                    }
                    None => add(word, '\\', true),
                },
                '$' => self.dollar(word, true)?,
                '`' => self.backquote(word, true)?,
                letter => add(word, letter, true),
            }
        }
    }

    /// What follows a `$`.
    fn dollar(&mut self, word: &mut Word, quoted: bool) -> Result<(), Wrong> {
        let part = match self.reader.peek() {
            Some('(') if self.reader.starts_with("((") => {
                self.reader.take("((");
                self.sum()?
            }
            Some('(') => {
                self.reader.next();
                let inner = self.list(&[")"])?;
                self.expect(")")?;
                self.captured(inner, quoted)
            }
            Some('{') => {
                self.reader.next();
                self.braces(quoted)?
            }
            Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => {
                let mut name = String::new();
                while let Some(letter) =
                    self.reader.peek().filter(|it| it.is_ascii_alphanumeric() || *it == '_')
                {
                    name.push(letter);
                    self.reader.next();
                }
                Part::Parameter { name, change: Change::None, quoted }
            }
            Some(letter) if letter.is_ascii_digit() || "?$!#@*-".contains(letter) => {
                self.reader.next();
                Part::Parameter { name: letter.to_string(), change: Change::None, quoted }
            }
            _ => {
                add(word, '$', quoted);
                return Ok(());
            }
        };
        word.push(part);
        Ok(())
    }

    fn captured(&mut self, inner: Vec<Step>, quoted: bool) -> Part {
        let mut steps = vec![Step::Subshell { captured: true, len: way(inner.len() + 1) }];
        steps.extend(inner);
        steps.push(Step::EndSubshell);
        let number = self.reader.captures.len();
        self.reader.captures.push(steps);
        Part::Captured { number, quoted }
    }

    fn backquote(&mut self, word: &mut Word, quoted: bool) -> Result<(), Wrong> {
        let mut script = String::new();
        loop {
            match self.reader.next() {
                Some('`') => break,
                Some('\\') => script.extend(self.reader.next()),
                Some(letter) => script.push(letter),
                None => return Err(missing('`')),
            }
        }
        let inner = super::parse(&script)?;
        word.push(self.captured(inner, quoted));
        Ok(())
    }

    /// What stands between `$((` and `))`.
    pub(super) fn sum(&mut self) -> Result<Part, Wrong> {
        let mut word = Word::new();
        let mut depth = 0u32;
        loop {
            let Some(letter) = self.reader.next() else {
                return Err(missing(')'));
            };
            match letter {
                ')' if depth == 0 && self.reader.peek() == Some(')') => {
                    self.reader.next();
                    return Ok(Part::Sum(word));
                }
                '$' => self.dollar(&mut word, true)?,
                letter => {
                    match letter {
                        '(' => depth += 1,
                        ')' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    add(&mut word, letter, true);
                }
            }
        }
    }

    /// What follows `${`.
    fn braces(&mut self, quoted: bool) -> Result<Part, Wrong> {
        let has_length = self.reader.starts_with("#") && !self.reader.starts_with("#}");
        if has_length {
            self.reader.next();
        }
        let mut name = String::new();
        while let Some(letter) = self.reader.peek() {
            let is_special = name.is_empty() && "?$!#@*".contains(letter);
            if !is_special && !letter.is_ascii_alphanumeric() && letter != '_' {
                break;
            }
            name.push(letter);
            self.reader.next();
        }
        let or_empty = self.reader.peek() == Some(':');
        if or_empty {
            self.reader.next();
        }
        let sign = self.reader.next();
        let change = match sign {
            Some('}') if has_length => Change::Length,
            Some('}') => Change::None,
            Some(sign @ ('-' | '=' | '+' | '?')) => {
                Change::Unless { sign, or_empty, word: self.until_brace()? }
            }
            Some(sign @ ('%' | '#')) => {
                let longest = self.reader.peek() == Some(sign);
                if longest {
                    self.reader.next();
                }
                Change::Cut { sign, longest, pattern: self.until_brace()? }
            }
            None => return Err(missing('}')),
            Some(_) => return Err(Wrong::Substitution),
        };
        Ok(Part::Parameter { name, change, quoted })
    }

    fn until_brace(&mut self) -> Result<Word, Wrong> {
        let mut word = Word::new();
        loop {
            match self.reader.next() {
                Some('}') => return Ok(word),
                Some('\'') => word.push(Part::Quoted(self.until_quote()?)),
                Some('"') => self.in_quotes(&mut word, Some('"'))?,
                Some('$') => self.dollar(&mut word, true)?,
                Some('\\') => word.extend(self.reader.next().map(|it| Part::Quoted(it.into()))),
                Some(letter) => add(&mut word, letter, false),
                None => return Err(missing('}')),
            }
        }
    }

    /// The tag of a here-document, and whether a part of it is quoted.
    fn tag(&mut self) -> (String, bool) {
        let (mut tag, mut plain, mut quote) = (String::new(), false, None);
        let goes_on = |letter: char, quote: Option<char>| {
            letter != '\n' && (quote.is_some() || !ends_word(letter))
        };
        while let Some(letter) = self.reader.peek().filter(|letter| goes_on(*letter, quote)) {
            self.reader.next();
            match letter {
                '\'' | '"' if quote.is_none_or(|quote| quote == letter) => {
                    quote = if quote.is_none() { Some(letter) } else { None };
                    plain = true;
                }
                '\\' if quote.is_none() => plain = true,
                letter => tag.push(letter),
            }
        }
        (tag, plain)
    }

    /// The text of a here-document, whose tag comes next. It stands below this line.
    pub(super) fn here_document(&mut self, strip: bool) -> Result<Word, Wrong> {
        self.reader.skip_blanks();
        let (tag, plain) = self.tag();
        let letters = &self.reader.letters;
        let rest = letters.get(self.reader.at..).unwrap_or_default();
        let line = rest.iter().position(|letter| *letter == '\n');
        let line_end = line.map_or(letters.len(), |length| self.reader.at + length);
        let from = self.reader.here.map_or(line_end + 1, |(end, _)| end);
        let below: String = letters.get(from..).unwrap_or_default().iter().collect();
        let (mut text, mut length, mut is_open) = (String::new(), 0, true);
        for line in below.split_inclusive('\n') {
            length += line.chars().count();
            let line = if strip { line.trim_start_matches('\t') } else { line };
            if line.trim_end() == tag {
                is_open = false;
                break;
            }
            text.push_str(line);
        }
        self.reader.here = Some((from + length, line_end));
        if is_open {
            self.reader.open = Some(Missing::Document(tag));
        }
        if plain {
            return Ok(vec![Part::Quoted(text)]);
        }
        let outer = mem::replace(&mut self.reader, Reader::new(&text));
        let mut word = vec![Part::Quoted(String::new())];
        self.reader.captures.clone_from(&outer.captures);
        let result = self.in_quotes(&mut word, None);
        let inner = mem::replace(&mut self.reader, outer);
        self.reader.captures = inner.captures;
        result.map(|()| word)
    }
}

/// Adds a letter to a word's last part, or a part.
fn add(word: &mut Word, letter: char, quoted: bool) {
    match (word.last_mut(), quoted) {
        (Some(Part::Text(text)), false) | (Some(Part::Quoted(text)), true) => text.push(letter),
        (_, false) => word.push(Part::Text(letter.into())),
        (_, true) => word.push(Part::Quoted(letter.into())),
    }
}
