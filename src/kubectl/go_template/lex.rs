//! A template's text into tokens.
//!
//! Models Go's text/template/parse/lex.go.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Open,
    Close,
    Space,
    Assign,
    Declare,
    Pipe,
    Comma,
    OpenParen,
    CloseParen,
    Dot,
    Field,
    Variable,
    Identifier,
    Keyword,
    Bool,
    Nil,
    Number,
    Char,
    String,
    RawString,
    End,
    Wrong,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    /// Its line, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

const KEYWORDS: [&str; 10] =
    ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];

/// The tokens of a template; the last is [`Kind::End`] or [`Kind::Wrong`].
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    let outcome = lexer.template();
    let last = match outcome {
        Ok(()) => (Kind::End, String::new()),
        Err(why) => (Kind::Wrong, why),
    };
    let at = lexer.at;
    lexer.push(last.0, at, last.1);
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, at: usize, text: String) {
        let line = 1 + self.text.get(..at).unwrap_or_default().matches('\n').count();
        self.tokens.push(Token { kind, at, line, text });
    }

    /// A token from `at` to where the lexer is.
    fn emit(&mut self, kind: Kind, at: usize) {
        let text = self.text.get(at..self.at).unwrap_or_default().to_owned();
        self.push(kind, at, text);
    }

    fn template(&mut self) -> Result<(), String> {
        loop {
            let start = self.at;
            let found = self.rest().find("{{");
            let end = found.map_or(self.text.len(), |found| start + found);
            let mut plain = self.text.get(start..end).unwrap_or_default();
            self.at = (end + 2).min(self.text.len());
            let trims = self.rest().starts_with('-')
                && self.rest().get(1..).is_some_and(|rest| rest.starts_with(SPACES));
            if found.is_some() && trims {
                plain = plain.trim_end_matches(SPACES);
                self.at += 2;
            }
            if !plain.is_empty() {
                self.push(Kind::Text, start, plain.to_owned());
            }
            if found.is_none() {
                return Ok(());
            }
            if self.rest().starts_with("/*") {
                self.comment()?;
                continue;
            }
            self.push(Kind::Open, end, "{{".to_owned());
            self.action()?;
        }
    }

    fn comment(&mut self) -> Result<(), String> {
        let end = self.rest().find("*/").ok_or("unclosed comment")?;
        self.at += end + 2;
        match self.close() {
            true => Ok(()),
            false => Err("comment ends before closing delimiter".to_owned()),
        }
    }

    /// Reads `}}`, or ` -}}` with the blanks after it.
    fn close(&mut self) -> bool {
        let trims = self.rest().starts_with(SPACES)
            && self.rest().get(1..).is_some_and(|it| it.starts_with("-}}"));
        if trims {
            self.at += 4;
            let blanks = self.rest().len() - self.rest().trim_start_matches(SPACES).len();
            self.at += blanks;
            return true;
        }
        let closes = self.rest().starts_with("}}");
        if closes {
            self.at += 2;
        }
        closes
    }

    fn action(&mut self) -> Result<(), String> {
        let mut depth = 0_u32;
        loop {
            let at = self.at;
            if self.rest().starts_with("}}")
                || self.rest().get(1..).is_some_and(|rest| rest.starts_with("-}}"))
            {
                if depth > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                if self.close() {
                    self.push(Kind::Close, at, "}}".to_owned());
                    return Ok(());
                }
            }
            let Some(letter) = self.rest().chars().next() else {
                return Err("unclosed action".to_owned());
            };
            self.at += letter.len_utf8();
            match letter {
                letter if SPACES.contains(&letter) => {
                    let more = self.rest().len() - self.rest().trim_start_matches(SPACES).len();
                    self.at += more;
                    // The last blank may belong to ` -}}`.
                    if self.rest().starts_with("-}}") {
                        self.at -= 1;
                        if more == 0 {
                            continue;
                        }
                    }
                    self.emit(Kind::Space, at);
                }
                '=' => self.emit(Kind::Assign, at),
                ':' if self.rest().starts_with('=') => {
                    self.at += 1;
                    self.emit(Kind::Declare, at);
                }
                ':' => return Err("expected :=".to_owned()),
                '|' => self.emit(Kind::Pipe, at),
                ',' => self.emit(Kind::Comma, at),
                '(' => {
                    depth += 1;
                    self.emit(Kind::OpenParen, at);
                }
                ')' => {
                    depth = depth.checked_sub(1).ok_or("unexpected right paren")?;
                    self.emit(Kind::CloseParen, at);
                }
                '"' => self.quoted('"', "unterminated quoted string", Kind::String, at)?,
                '\'' => self.quoted('\'', "unterminated character constant", Kind::Char, at)?,
                '`' => {
                    let end = self.rest().find('`').ok_or("unterminated raw quoted string")?;
                    self.at += end + 1;
                    self.emit(Kind::RawString, at);
                }
                '.' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => {
                    self.word(Kind::Field, at)?;
                }
                '$' => self.word(Kind::Variable, at)?,
                letter if letter.is_ascii_digit() || "+-.".contains(letter) => self.number(at)?,
                letter if is_word(letter) => self.word(Kind::Identifier, at)?,
                letter => {
                    let code = u32::from(letter);
                    return Err(format!(
                        "unrecognized character in action: U+{code:04X} '{letter}'"
                    ));
                }
            }
        }
    }

    fn quoted(&mut self, quote: char, why: &str, kind: Kind, at: usize) -> Result<(), String> {
        let mut letters = self.rest().char_indices();
        let end = loop {
            match letters.next() {
                None | Some((_, '\n')) => return Err(why.to_owned()),
                Some((_, '\\')) => {
                    if letters.next().is_none_or(|(_, letter)| letter == '\n') {
                        return Err(why.to_owned());
                    }
                }
                Some((place, letter)) if letter == quote => break place,
                Some(_) => {}
            }
        };
        self.at += end + 1;
        self.emit(kind, at);
        Ok(())
    }

    /// A word of letters after what was read, and what ends it.
    fn word(&mut self, kind: Kind, at: usize) -> Result<(), String> {
        let end = self.rest().find(|letter| !is_word(letter)).unwrap_or(self.rest().len());
        self.at += end;
        if let Some(letter) = self.rest().chars().next() {
            let ends = SPACES.contains(&letter)
                || ".,|:)(".contains(letter)
                || self.rest().starts_with("}}");
            if !ends {
                let code = u32::from(letter);
                return Err(format!("bad character U+{code:04X} '{letter}'"));
            }
        }
        let word = self.text.get(at..self.at).unwrap_or_default();
        let kind = match (kind, word) {
            (Kind::Field, ".") => Kind::Dot,
            (Kind::Identifier, "true" | "false") => Kind::Bool,
            (Kind::Identifier, "nil") => Kind::Nil,
            (Kind::Identifier, word) if KEYWORDS.contains(&word) => Kind::Keyword,
            (kind, _) => kind,
        };
        self.emit(kind, at);
        Ok(())
    }

    fn number(&mut self, at: usize) -> Result<(), String> {
        let is_part = |letter: char| letter.is_ascii_hexdigit() || "._xXoO+-".contains(letter);
        let end = self.rest().find(|letter| !is_part(letter)).unwrap_or(self.rest().len());
        self.at += end;
        if self.rest().starts_with(is_word) {
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            let word = self.text.get(at..self.at).unwrap_or_default();
            return Err(format!("bad number syntax: {}", crate::api::error::go_quote(word)));
        }
        self.emit(Kind::Number, at);
        Ok(())
    }
}
