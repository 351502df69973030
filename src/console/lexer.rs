//! Text into tokens: words with their quotes and variables, signs, and here-documents.

use super::syntax::{Part, Word};
use core::iter::Peekable;
use core::str::Chars;

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// More lines could make it one; bash's sentence if none come.
    Unfinished(String),
    /// Nothing could; bash's sentence.
    Syntax(String),
}

impl Wrong {
    /// bash's sentence.
    pub(super) fn sentence(&self) -> &str {
        match self {
            Wrong::Unfinished(text) | Wrong::Syntax(text) => text,
        }
    }
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    /// `;`, `&&`, `||`, `|`, `&`, `(`, `)`, and a line's end as `\n`.
    Sign(&'static str),
    /// `<`, `>`, `>>`, `2>`, `2>>`, `2>&1`, `>&2`, `&>`, `<<<`.
    Redirect(&'static str),
    /// `<<WORD` with its document, which has been read.
    Document(Word),
}

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Wrong> {
    let mut lexer = Lexer::new(text);
    lexer.run()?;
    Ok(lexer.tokens)
}

/// The line that would end the here-document which a text ends in, if it ends in one.
pub(super) fn open_document(text: &str) -> Option<String> {
    let mut lexer = Lexer::new(text);
    match lexer.run() {
        Err(Wrong::Unfinished(_)) => lexer.open,
        _ => None,
    }
}

/// Reads tokens.
struct Lexer<'a> {
    letters: Peekable<Chars<'a>>,
    tokens: Vec<Token>,
    /// Here-documents whose text begins with the next line.
    documents: Vec<Pending>,
    /// The last line of the document that the text ends in.
    open: Option<String>,
}

/// A here-document whose text is still to come.
struct Pending {
    /// Its token.
    at: usize,
    /// The line that ends it.
    tag: String,
    /// Whether tabs in front of its lines are left out.
    strips: bool,
    /// Whether variables in it stand for their values.
    expands: bool,
}

fn push(word: &mut Word, letter: char, quoted: bool) {
    match word.0.last_mut() {
        Some(Part::Text { text, is_quoted }) if *is_quoted == quoted => text.push(letter),
        _ => word.0.push(Part::Text { text: letter.to_string(), is_quoted: quoted }),
    }
}

fn unmatched(sign: char) -> Wrong {
    Wrong::Unfinished(format!("bash: unexpected EOF while looking for matching `{sign}'"))
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        let (tokens, documents) = (Vec::new(), Vec::new());
        Lexer { letters: text.chars().peekable(), tokens, documents, open: None }
    }

    fn run(&mut self) -> Result<(), Wrong> {
        while let Some(letter) = self.letters.peek().copied() {
            match letter {
                '\n' => {
                    self.letters.next();
                    self.tokens.push(Token::Sign("\n"));
                    self.read_documents()?;
                }
                letter if letter.is_whitespace() => drop(self.letters.next()),
                '#' => while self.letters.next_if(|letter| *letter != '\n').is_some() {},
                ';' | '|' | '&' | '(' | ')' => self.sign(letter),
                '<' | '>' => self.redirect()?,
                _ => self.word()?,
            }
        }
        self.read_documents()
    }

    fn sign(&mut self, letter: char) {
        self.letters.next();
        let mut twice = |letter| self.letters.next_if_eq(&letter).is_some();
        let sign = match letter {
            '|' if twice('|') => "||",
            '|' => "|",
            '&' if twice('&') => "&&",
            '&' if twice('>') => return self.tokens.push(Token::Redirect("&>")),
            '&' => "&",
            ';' if twice(';') => ";;",
            ';' => ";",
            '(' => "(",
            _ => ")",
        };
        self.tokens.push(Token::Sign(sign));
    }

    fn redirect(&mut self) -> Result<(), Wrong> {
        // `2>` is of standard error where the number touches it.
        let errors = matches!(self.tokens.last(), Some(Token::Redirect("2")));
        if errors {
            self.tokens.pop();
        }
        let mut next = |letter| self.letters.next_if_eq(&letter).is_some();
        let sign = match (next('>'), next('>'), errors) {
            (true, true, true) => "2>>",
            (true, true, false) => ">>",
            (true, false, true) => "2>",
            (true, false, false) => ">",
            _ => {
                next('<');
                match (next('<'), next('<')) {
                    (true, true) => "<<<",
                    (true, false) => return self.begin_document(),
                    _ => "<",
                }
            }
        };
        if sign.ends_with('>') && self.letters.next_if_eq(&'&').is_some() {
            let to = self.letters.next_if(char::is_ascii_digit);
            self.tokens.push(Token::Redirect(match (errors, to) {
                (true, Some('1')) => "2>&1",
                (false, Some('2')) => ">&2",
                _ => "&>",
            }));
            return Ok(());
        }
        self.tokens.push(Token::Redirect(sign));
        Ok(())
    }

    /// Reads the word behind `<<`; the text comes with the next line.
    fn begin_document(&mut self) -> Result<(), Wrong> {
        let strips = self.letters.next_if_eq(&'-').is_some();
        while self.letters.next_if(|letter| matches!(letter, ' ' | '\t')).is_some() {}
        let at = self.tokens.len();
        self.word()?;
        let Some(Token::Word(word)) = self.tokens.get(at).cloned() else {
            let what = "bash: syntax error near unexpected token `newline'";
            return Err(Wrong::Syntax(what.to_owned()));
        };
        self.tokens.truncate(at);
        let text = |part: &Part| match part {
            Part::Text { text, .. } => text.clone(),
            Part::Variable { name, .. } => format!("${name}"),
            _ => String::new(),
        };
        let is_quoted = |part: &Part| matches!(part, Part::Text { is_quoted: true, .. });
        let tag: String = word.0.iter().map(text).collect();
        let expands = !word.0.iter().any(is_quoted);
        self.documents.push(Pending { at, tag, strips, expands });
        self.tokens.push(Token::Document(Word::default()));
        Ok(())
    }

    /// Reads the documents that the line which has just ended asks for.
    fn read_documents(&mut self) -> Result<(), Wrong> {
        for Pending { at, tag, strips, expands } in core::mem::take(&mut self.documents) {
            let mut text = String::new();
            loop {
                let Some(line) = self.line() else {
                    self.open = Some(tag.clone());
                    return Err(Wrong::Unfinished(format!(
                        "bash: warning: here-document delimited by end-of-file (wanted `{tag}')"
                    )));
                };
                let line = if strips { line.trim_start_matches('\t') } else { &line };
                if line.trim_end() == tag {
                    break;
                }
                text.push_str(line);
                text.push('\n');
            }
            let word = if expands { Lexer::new(&text).document()? } else { Word::quoted(&text) };
            if let Some(token) = self.tokens.get_mut(at) {
                *token = Token::Document(word);
            }
        }
        Ok(())
    }

    /// The rest of the line; `None` at the end of the text.
    fn line(&mut self) -> Option<String> {
        self.letters.peek()?;
        Some(self.letters.by_ref().take_while(|letter| *letter != '\n').collect())
    }

    /// The parts of a here-document: variables stand for their values, quotes for themselves.
    fn document(&mut self) -> Result<Word, Wrong> {
        let mut word = Word::default();
        while let Some(letter) = self.letters.next() {
            match letter {
                '\\' => match self.letters.next() {
                    Some('\n') | None => {}
                    Some(next @ ('$' | '`' | '\\')) => push(&mut word, next, true),
                    Some(next) => {
                        push(&mut word, '\\', true);
                        push(&mut word, next, true);
                    }
                },
                '$' => self.dollar(&mut word, true)?,
                '`' => self.backquote(&mut word, true)?,
                letter => push(&mut word, letter, true),
            }
        }
        Ok(word)
    }

    fn word(&mut self) -> Result<(), Wrong> {
        let mut word = Word::default();
        while let Some(letter) = self.letters.peek().copied() {
            if letter.is_whitespace() || ";|&()<>".contains(letter) {
                break;
            }
            self.letters.next();
            match letter {
                '\\' => match self.letters.next() {
                    Some('\n') => {}
                    Some(next) => push(&mut word, next, true),
                    None => {
                        let what = "bash: syntax error: unexpected end of file".to_owned();
                        return Err(Wrong::Unfinished(what));
                    }
                },
                '\'' => self.single(&mut word)?,
                '"' => self.double(&mut word)?,
                '$' => self.dollar(&mut word, false)?,
                '`' => self.backquote(&mut word, false)?,
                letter => push(&mut word, letter, false),
            }
        }
        let touches = matches!(self.letters.peek(), Some('>'));
        match word.plain() {
            Some("2") if touches => self.tokens.push(Token::Redirect("2")),
            Some("1") if touches => {}
            _ if word.0.is_empty() => {}
            _ => self.tokens.push(Token::Word(word)),
        }
        Ok(())
    }

    fn single(&mut self, word: &mut Word) -> Result<(), Wrong> {
        let mut text = String::new();
        loop {
            match self.letters.next() {
                Some('\'') => break,
                Some(letter) => text.push(letter),
                None => return Err(unmatched('\'')),
            }
        }
        word.0.push(Part::Text { text, is_quoted: true });
        Ok(())
    }

    fn double(&mut self, word: &mut Word) -> Result<(), Wrong> {
        // An empty text in quotes is a word all the same.
        word.0.push(Part::Text { text: String::new(), is_quoted: true });
        loop {
            match self.letters.next() {
                Some('"') => return Ok(()),
                Some('\\') => match self.letters.next() {
                    Some('\n') => {}
                    Some(next @ ('$' | '`' | '"' | '\\')) => push(word, next, true),
                    Some(next) => {
                        push(word, '\\', true);
                        push(word, next, true);
                    }
                    None => return Err(unmatched('"')),
                },
                Some('$') => self.dollar(word, true)?,
                Some('`') => self.backquote(word, true)?,
                Some(letter) => push(word, letter, true),
                None => return Err(unmatched('"')),
            }
        }
    }

    /// What stands behind a `$`.
    fn dollar(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), Wrong> {
        match self.letters.peek().copied() {
            Some('(') => {
                self.letters.next();
                let text = self.nested_text()?;
                if let Some(sum) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
                    word.0.push(Part::Sum(sum.to_owned()));
                    return Ok(());
                }
                word.0.push(Part::Captured { script: text, is_quoted });
            }
            Some('{') => {
                self.letters.next();
                let mut text = String::new();
                loop {
                    match self.letters.next() {
                        Some('}') => break,
                        Some(letter) => text.push(letter),
                        None => return Err(unmatched('}')),
                    }
                }
                let (name, default) = text.split_once(":-").unwrap_or((&text, ""));
                let (name, default) = (name.to_owned(), default.to_owned());
                word.0.push(Part::Variable { name, default, is_quoted });
            }
            Some(first) if first.is_ascii_alphabetic() || first == '_' => {
                let mut name = String::new();
                let is_of_name = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
                while let Some(letter) = self.letters.next_if(is_of_name) {
                    name.push(letter);
                }
                word.0.push(Part::Variable { name, default: String::new(), is_quoted });
            }
            Some(first) if first == '?' || first == '$' || first.is_ascii_digit() => {
                self.letters.next();
                let (name, default) = (first.to_string(), String::new());
                word.0.push(Part::Variable { name, default, is_quoted });
            }
            _ => push(word, '$', is_quoted),
        }
        Ok(())
    }

    /// The text up to the bracket that closes `$(`.
    fn nested_text(&mut self) -> Result<String, Wrong> {
        let (mut text, mut depth, mut quote) = (String::new(), 1, None);
        loop {
            let letter = self.letters.next().ok_or_else(|| unmatched(')'))?;
            match (quote, letter) {
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                (None, '\'' | '"') => quote = Some(letter),
                (Some(open), letter) if letter == open => quote = None,
                _ => {}
            }
            if depth == 0 {
                return Ok(text);
            }
            text.push(letter);
            if letter == '\\' {
                text.extend(self.letters.next());
            }
        }
    }

    fn backquote(&mut self, word: &mut Word, is_quoted: bool) -> Result<(), Wrong> {
        let mut text = String::new();
        loop {
            match self.letters.next() {
                Some('`') => break,
                Some(letter) => text.push(letter),
                None => return Err(unmatched('`')),
            }
        }
        word.0.push(Part::Captured { script: text, is_quoted });
        Ok(())
    }
}
