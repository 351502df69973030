//! Characters to tokens.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go.

use super::cursor::Cursor;
use super::token::{SimpleKey, Token, TokenKind};
use super::{Failure, Mark, Span};
use std::collections::VecDeque;

/// A key on one line is no longer than this, in characters.
const LONGEST_KEY: usize = 1024;
/// Nothing is nested deeper than this.
const MOST_DEPTH: usize = 10_000;

/// The tokens of a text.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    pub(super) cursor: Cursor<'a>,
    tokens: VecDeque<Token>,
    /// How many tokens were taken.
    taken: usize,
    /// One for each level of flow collections, and one for the block around them.
    simple_keys: Vec<SimpleKey>,
    /// Whether a key may begin here.
    pub(super) simple_key_allowed: bool,
    /// The column of the innermost block collection; -1 outside.
    pub(super) indent: isize,
    indents: Vec<isize>,
    pub(super) flow_level: usize,
    ended: bool,
}

pub(super) type Scanned<T> = Result<T, Failure>;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Scanner {
            cursor: Cursor::new(text),
            tokens: VecDeque::new(),
            taken: 0,
            simple_keys: vec![SimpleKey::default()],
            simple_key_allowed: true,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            ended: false,
        }
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Scanned<&Token> {
        self.fetch_more()?;
        self.tokens.front().ok_or_else(|| self.failure("unknown problem parsing YAML content"))
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Scanned<Token> {
        self.fetch_more()?;
        self.taken += 1;
        let token = self.tokens.pop_front();
        token.ok_or_else(|| self.failure("unknown problem parsing YAML content"))
    }

    /// A failure here.
    pub(super) fn failure(&self, problem: &str) -> Failure {
        self.failure_in(self.cursor.mark, problem)
    }

    /// A failure here of something that began at `context`.
    pub(super) fn failure_in(&self, context: Mark, problem: &str) -> Failure {
        let mark = self.cursor.mark;
        Failure { problem: problem.to_owned(), mark, context, by_scanner: true }
    }

    /// Goes on until the next token is sure to be what it seems.
    fn fetch_more(&mut self) -> Scanned<()> {
        while !self.ended {
            if !self.tokens.is_empty() {
                let taken = self.taken;
                let pending = self
                    .simple_keys
                    .iter()
                    .position(|key| key.possible && key.token_number == taken);
                match pending {
                    None => return Ok(()),
                    Some(place) if !self.is_still_possible(place)? => return Ok(()),
                    Some(_) => {}
                }
            }
            self.fetch_next()?;
        }
        Ok(())
    }

    fn fetch_next(&mut self) -> Scanned<()> {
        self.skip_to_token();
        self.unroll_indent(signed(self.cursor.mark.column));
        let cursor = &self.cursor;
        let (byte, at_start) = (cursor.byte(0), cursor.mark.column == 0);
        let (in_flow, lone) = (self.flow_level > 0, cursor.is_blank_or_end(1));
        if cursor.is_end(0) {
            return self.fetch_stream_end();
        }
        if at_start && byte == b'%' {
            self.leave_block()?;
            let directive = self.directive()?;
            self.tokens.push_back(directive);
            return Ok(());
        }
        if cursor.is_document_indicator() {
            self.leave_block()?;
            let kind = if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd };
            self.push(kind, 3);
            return Ok(());
        }
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                self.push(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if lone => self.fetch_block_entry(),
            b'?' if in_flow || lone => self.fetch_key(),
            b':' if in_flow || lone => self.fetch_value(),
            b'*' | b'&' | b'!' | b'\'' | b'"' => self.fetch_node_part(byte),
            b'|' | b'>' if !in_flow => {
                self.remove_simple_key()?;
                self.simple_key_allowed = true;
                let scalar = self.block_scalar(byte == b'|')?;
                self.tokens.push_back(scalar);
                Ok(())
            }
            _ if self.begins_plain_scalar() => self.fetch_node_part(byte),
            _ => Err(self.failure("found character that cannot start any token")),
        }
    }

    fn begins_plain_scalar(&self) -> bool {
        let byte = self.cursor.byte(0);
        let indicator = b"-?:,[]{}#&*!|>'\"%@`".contains(&byte);
        (!self.cursor.is_blank_or_end(0) && !indicator)
            || (byte == b'-' && !self.cursor.is_blank(1))
            || (self.flow_level == 0
                && matches!(byte, b'?' | b':')
                && !self.cursor.is_blank_or_end(1))
    }

    /// What may be, or belong to, a key: scalars, anchors, aliases, tags.
    fn fetch_node_part(&mut self, byte: u8) -> Scanned<()> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = match byte {
            b'*' | b'&' => self.anchor(byte == b'&'),
            b'!' => self.tag(),
            b'\'' | b'"' => self.quoted_scalar(byte == b'\''),
            _ => self.plain_scalar(),
        }?;
        self.tokens.push_back(token);
        Ok(())
    }

    /// A token of so many characters.
    fn push(&mut self, kind: TokenKind, length: usize) {
        let start = self.cursor.mark;
        self.cursor.skip_by(length);
        self.tokens.push_back(Token { kind, span: Span { start, end: self.cursor.mark } });
    }

    fn push_at(&mut self, kind: TokenKind, mark: Mark) {
        self.tokens.push_back(Token { kind, span: Span { start: mark, end: mark } });
    }

    /// Puts a token where a key began.
    fn insert(&mut self, number: usize, kind: TokenKind, mark: Mark) {
        let token = Token { kind, span: Span { start: mark, end: mark } };
        self.tokens.insert(number.saturating_sub(self.taken).min(self.tokens.len()), token);
    }

    /// Over blanks, comments and ends of lines. A tab is a blank only where no key can begin.
    fn skip_to_token(&mut self) {
        loop {
            if self.cursor.mark.column == 0 && self.cursor.byte(0) == 0xEF {
                // The byte order mark.
                if self.cursor.byte(1) == 0xBB && self.cursor.byte(2) == 0xBF {
                    self.cursor.skip();
                }
            }
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            while self.cursor.byte(0) == b' ' || tabs && self.cursor.byte(0) == b'\t' {
                self.cursor.skip();
            }
            self.cursor.skip_comment();
            if !self.cursor.is_break(0) {
                return;
            }
            self.cursor.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Whether a key can still be one: it must end on its line, and soon.
    fn is_still_possible(&mut self, place: usize) -> Scanned<bool> {
        let Some(key) = self.simple_keys.get(place).copied().filter(|key| key.possible) else {
            return Ok(false);
        };
        let now = self.cursor.mark;
        if key.mark.line < now.line || key.mark.index + LONGEST_KEY < now.index {
            if key.required {
                return Err(self.failure_in(key.mark, "could not find expected ':'"));
            }
            if let Some(key) = self.simple_keys.get_mut(place) {
                key.possible = false;
            }
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Scanned<()> {
        let mark = self.cursor.mark;
        let required = self.flow_level == 0 && self.indent == signed(mark.column);
        if self.simple_key_allowed {
            let token_number = self.taken + self.tokens.len();
            self.remove_simple_key()?;
            if let Some(key) = self.simple_keys.last_mut() {
                *key = SimpleKey { possible: true, required, token_number, mark };
            }
        }
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Scanned<()> {
        let Some(key) = self.simple_keys.last().copied() else { return Ok(()) };
        if key.possible && key.required {
            return Err(self.failure_in(key.mark, "could not find expected ':'"));
        }
        if let Some(key) = self.simple_keys.last_mut() {
            key.possible = false;
        }
        Ok(())
    }

    /// Begins a block collection if this column is further in. `number` is the token it begins at.
    fn roll_indent(
        &mut self,
        column: usize,
        number: Option<usize>,
        kind: TokenKind,
        mark: Mark,
    ) -> Scanned<()> {
        if self.flow_level > 0 || self.indent >= signed(column) {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = signed(column);
        if self.indents.len() > MOST_DEPTH {
            return Err(self.failure(&format!("exceeded max depth of {MOST_DEPTH}")));
        }
        match number {
            Some(number) => self.insert(number, kind, mark),
            None => self.push_at(kind, mark),
        }
        Ok(())
    }

    /// Ends the block collections that are further in than a column.
    fn unroll_indent(&mut self, column: isize) {
        while self.flow_level == 0 && self.indent > column {
            self.push_at(TokenKind::BlockEnd, self.cursor.mark);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn leave_block(&mut self) -> Scanned<()> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn fetch_stream_end(&mut self) -> Scanned<()> {
        if self.cursor.mark.column != 0 {
            self.cursor.mark.column = 0;
            self.cursor.mark.line += 1;
        }
        self.leave_block()?;
        self.push_at(TokenKind::StreamEnd, self.cursor.mark);
        self.ended = true;
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Scanned<()> {
        self.save_simple_key()?;
        self.simple_keys.push(SimpleKey::default());
        self.flow_level += 1;
        if self.flow_level > MOST_DEPTH {
            return Err(self.failure(&format!("exceeded max depth of {MOST_DEPTH}")));
        }
        self.simple_key_allowed = true;
        self.push(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Scanned<()> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.push(kind, 1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                let problem = "block sequence entries are not allowed in this context";
                return Err(self.failure(problem));
            }
            let mark = self.cursor.mark;
            self.roll_indent(mark.column, None, TokenKind::BlockSequenceStart, mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scanned<()> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.failure("mapping keys are not allowed in this context"));
            }
            let mark = self.cursor.mark;
            self.roll_indent(mark.column, None, TokenKind::BlockMappingStart, mark)?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push(TokenKind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scanned<()> {
        let place = self.simple_keys.len().saturating_sub(1);
        if self.is_still_possible(place)? {
            let key = self.simple_keys.get(place).copied().unwrap_or_default();
            self.insert(key.token_number, TokenKind::Key, key.mark);
            let (column, number) = (key.mark.column, Some(key.token_number));
            self.roll_indent(column, number, TokenKind::BlockMappingStart, key.mark)?;
            if let Some(key) = self.simple_keys.get_mut(place) {
                key.possible = false;
            }
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(self.failure("mapping values are not allowed in this context"));
                }
                let mark = self.cursor.mark;
                self.roll_indent(mark.column, None, TokenKind::BlockMappingStart, mark)?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push(TokenKind::Value, 1);
        Ok(())
    }
}

/// A column as a number that can be less than any.
pub(super) fn signed(column: usize) -> isize {
    isize::try_from(column).unwrap_or(isize::MAX)
}
