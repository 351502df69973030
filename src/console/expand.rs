//! Words as they were written into words as a command gets them.

use super::Session;
use super::syntax::{Part, Word};
use std::collections::BTreeMap;

/// What words are looked up in.
pub(super) struct Lookup<'a> {
    /// The variables of the shell.
    pub(super) variables: &'a BTreeMap<String, String>,
    /// The files that patterns are held against.
    pub(super) session: &'a Session,
    /// The last exit code.
    pub(super) exit: i32,
    /// What was captured for the words, in their order.
    pub(super) captured: std::vec::IntoIter<String>,
}

impl Lookup<'_> {
    fn variable(&self, name: &str, default: &str) -> String {
        let found = match name {
            "?" => Some(self.exit.to_string()),
            "$" => Some("1".to_owned()),
            name => self.variables.get(name).cloned(),
        };
        found.filter(|text| !text.is_empty()).unwrap_or_else(|| default.to_owned())
    }

    /// The words that a word stands for: none if it is an empty variable, several if a variable
    /// with spaces in it stands in no quotes, or if it is a pattern that files match.
    pub(super) fn words(&mut self, word: &Word) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let (mut text, mut is_word, mut has_pattern) = (String::new(), false, false);
        for part in &word.0 {
            let (more, is_quoted) = self.part(part);
            let splits = !is_quoted && !matches!(part, Part::Text { .. });
            if !splits {
                is_word |= is_quoted || !more.is_empty();
                has_pattern |= !is_quoted && more.contains(['*', '?']);
                text.push_str(&more);
                continue;
            }
            let mut pieces = more.split(char::is_whitespace).peekable();
            while let Some(piece) = pieces.next() {
                is_word |= !piece.is_empty();
                text.push_str(piece);
                if pieces.peek().is_some() && is_word {
                    words.push(core::mem::take(&mut text));
                    is_word = false;
                }
            }
        }
        if is_word {
            words.push(text);
        }
        match words.as_slice() {
            [pattern] if has_pattern => {
                let names = self.session.names("");
                let found: Vec<String> =
                    names.into_iter().filter(|name| matches(pattern, name)).collect();
                if found.is_empty() { words } else { found }
            }
            _ => words,
        }
    }

    /// The word as one text: the value of an assignment, the name of a file.
    pub(super) fn text(&mut self, word: &Word) -> String {
        word.0.iter().map(|part| self.part(part).0).collect()
    }

    fn part(&mut self, part: &Part) -> (String, bool) {
        match part {
            Part::Text { text, is_quoted } => match text.strip_prefix('~') {
                Some(rest) if !is_quoted && (rest.is_empty() || rest.starts_with('/')) => {
                    (format!("{}{rest}", self.variable("HOME", "")), true)
                }
                _ => (text.clone(), *is_quoted),
            },
            Part::Variable { name, default, is_quoted } => {
                (self.variable(name, default), *is_quoted)
            }
            Part::Captured { is_quoted, .. } => {
                let text = self.captured.next().unwrap_or_default();
                (text.trim_end_matches('\n').to_owned(), *is_quoted)
            }
            Part::Sum(sum) => (self.sum(sum).unwrap_or(0).to_string(), true),
        }
    }

    /// `1 + 2 * i`: whole numbers, variables, `+ - * / %` and brackets.
    fn sum(&self, text: &str) -> Option<i64> {
        let mut tokens = Vec::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter.is_whitespace() || letter == '$' {
                continue;
            }
            let mut token = letter.to_string();
            if letter.is_ascii_alphanumeric() || letter == '_' {
                let is_of_it = |it: &char| it.is_ascii_alphanumeric() || *it == '_';
                while let Some(next) = letters.next_if(is_of_it) {
                    token.push(next);
                }
            }
            tokens.push(token);
        }
        tokens.reverse();
        self.terms(&mut tokens)
    }

    fn terms(&self, tokens: &mut Vec<String>) -> Option<i64> {
        let mut total = self.factors(tokens)?;
        while let Some(sign) = tokens.pop_if(|sign| matches!(sign.as_str(), "+" | "-")) {
            let next = self.factors(tokens)?;
            total = if sign == "+" { total.checked_add(next)? } else { total.checked_sub(next)? };
        }
        Some(total)
    }

    fn factors(&self, tokens: &mut Vec<String>) -> Option<i64> {
        let mut total = self.number(tokens)?;
        let is_sign = |sign: &mut String| matches!(sign.as_str(), "*" | "/" | "%");
        while let Some(sign) = tokens.pop_if(is_sign) {
            let next = self.number(tokens)?;
            total = match sign.as_str() {
                "*" => total.checked_mul(next)?,
                "/" => total.checked_div(next)?,
                _ => total.checked_rem(next)?,
            };
        }
        Some(total)
    }

    fn number(&self, tokens: &mut Vec<String>) -> Option<i64> {
        let token = tokens.pop()?;
        match token.as_str() {
            "-" => self.number(tokens)?.checked_neg(),
            "(" => {
                let total = self.terms(tokens)?;
                tokens.pop_if(|sign| sign == ")").map(|_| total)
            }
            word => match word.parse() {
                Ok(number) => Some(number),
                Err(_) => self.variable(word, "0").parse().ok(),
            },
        }
    }
}

/// Whether a name is as a pattern with `*` and `?` wants it.
fn matches(pattern: &str, name: &str) -> bool {
    match (pattern.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = pattern.get(1..).unwrap_or_default();
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| name.get(at..).is_some_and(|tail| matches(rest, tail)))
        }
        (Some(wanted), Some(letter)) if wanted == '?' || wanted == letter => {
            let tail = |text: &str, letter: char| text.get(letter.len_utf8()..).map(str::to_owned);
            match (tail(pattern, wanted), tail(name, letter)) {
                (Some(pattern), Some(name)) => matches(&pattern, &name),
                _ => false,
            }
        }
        _ => false,
    }
}
