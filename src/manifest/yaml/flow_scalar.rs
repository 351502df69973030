//! Scalars that flow over lines: plain ones and those in quotes.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go yaml_parser_scan_flow_scalar and
//! yaml_parser_scan_plain_scalar.

use super::scanner::{Scanned, Scanner, signed};
use super::token::{Token, TokenKind};
use super::{Mark, Span, Style};

/// Blanks and ends of lines between two words of a scalar.
#[derive(Default)]
struct Gap {
    blanks: String,
    first_break: String,
    more_breaks: String,
    /// Whether a line has ended.
    over_lines: bool,
}

impl Gap {
    /// Writes what the gap means: blanks as they are, one end of a line as a space, more as
    /// themselves.
    fn fold(&mut self, into: &mut String) {
        if self.over_lines {
            if self.first_break.starts_with('\n') && self.more_breaks.is_empty() {
                into.push(' ');
            } else if !self.first_break.starts_with('\n') {
                into.push_str(&self.first_break);
            }
            into.push_str(&self.more_breaks);
        } else {
            into.push_str(&self.blanks);
        }
        *self = Gap::default();
    }

    fn is_empty(&self) -> bool {
        !self.over_lines && self.blanks.is_empty()
    }
}

impl Scanner<'_> {
    /// Moves over one blank or one end of a line.
    fn widen(&mut self, gap: &mut Gap) {
        if self.cursor.is_blank(0) {
            if gap.over_lines {
                self.cursor.skip();
            } else {
                self.cursor.read(&mut gap.blanks);
            }
        } else if gap.over_lines {
            self.cursor.read_line(&mut gap.more_breaks);
        } else {
            gap.blanks.clear();
            self.cursor.read_line(&mut gap.first_break);
            gap.over_lines = true;
        }
    }

    pub(super) fn plain_scalar(&mut self) -> Scanned<Token> {
        let (start, indent) = (self.cursor.mark, self.indent + 1);
        let (mut end, mut text, mut gap) = (start, String::new(), Gap::default());
        loop {
            if self.cursor.is_document_indicator() || self.cursor.byte(0) == b'#' {
                break;
            }
            while !self.cursor.is_blank_or_end(0) && !self.ends_plain_scalar() {
                if !gap.is_empty() {
                    gap.fold(&mut text);
                }
                self.plain_word(&mut text);
                end = self.cursor.mark;
            }
            if !(self.cursor.is_blank(0) || self.cursor.is_break(0)) {
                break;
            }
            while self.cursor.is_blank(0) || self.cursor.is_break(0) {
                let outside = signed(self.cursor.mark.column) < indent;
                if gap.over_lines && outside && self.cursor.byte(0) == b'\t' {
                    let problem = "found a tab character that violates indentation";
                    return Err(self.failure_in(start, problem));
                }
                self.widen(&mut gap);
            }
            if self.flow_level == 0 && signed(self.cursor.mark.column) < indent {
                break;
            }
        }
        if gap.over_lines {
            self.simple_key_allowed = true;
        }
        Ok(Token { kind: TokenKind::Scalar(text, Style::Plain), span: Span { start, end } })
    }

    /// Characters up to the next that may end a word.
    fn plain_word(&mut self, text: &mut String) {
        let offset = self.cursor.offset();
        loop {
            self.cursor.skip();
            if self.cursor.is_blank_or_end(0) || self.ends_plain_scalar() {
                break;
            }
        }
        text.push_str(self.cursor.since(offset));
    }

    fn ends_plain_scalar(&self) -> bool {
        let byte = self.cursor.byte(0);
        byte == b':' && self.cursor.is_blank_or_end(1)
            || self.flow_level > 0 && b",?[]{}".contains(&byte)
    }

    pub(super) fn quoted_scalar(&mut self, single: bool) -> Scanned<Token> {
        let start = self.cursor.mark;
        let quote = if single { b'\'' } else { b'"' };
        self.cursor.skip();
        let mut text = String::new();
        loop {
            if self.cursor.is_document_indicator() {
                return Err(self.failure_in(start, "found unexpected document indicator"));
            }
            if self.cursor.is_end(0) {
                return Err(self.failure_in(start, "found unexpected end of stream"));
            }
            let mut gap = Gap::default();
            while !self.cursor.is_blank_or_end(0) {
                if single && self.cursor.byte(0) == quote && self.cursor.byte(1) == quote {
                    text.push('\'');
                    self.cursor.skip_by(2);
                } else if self.cursor.byte(0) == quote {
                    break;
                } else if !single && self.cursor.byte(0) == b'\\' && self.cursor.is_break(1) {
                    self.cursor.skip();
                    self.cursor.skip_line();
                    // The end of the line counts for nothing.
                    gap.over_lines = true;
                    break;
                } else if !single && self.cursor.byte(0) == b'\\' {
                    text.push(self.escaped(start)?);
                } else {
                    self.cursor.read(&mut text);
                }
            }
            if self.cursor.byte(0) == quote {
                break;
            }
            while self.cursor.is_blank(0) || self.cursor.is_break(0) {
                self.widen(&mut gap);
            }
            gap.fold(&mut text);
        }
        self.cursor.skip();
        let span = Span { start, end: self.cursor.mark };
        Ok(Token { kind: TokenKind::Scalar(text, Style::Quoted), span })
    }

    /// A character behind a backslash.
    fn escaped(&mut self, start: Mark) -> Scanned<char> {
        let digits = match self.cursor.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            plain => {
                let letter = match plain {
                    b'0' => '\0',
                    b'a' => '\u{7}',
                    b'b' => '\u{8}',
                    b't' | b'\t' => '\t',
                    b'n' => '\n',
                    b'v' => '\u{b}',
                    b'f' => '\u{c}',
                    b'r' => '\r',
                    b'e' => '\u{1b}',
                    b' ' | b'"' | b'\'' | b'\\' => char::from(plain),
                    b'N' => '\u{85}',
                    b'_' => '\u{a0}',
                    b'L' => '\u{2028}',
                    b'P' => '\u{2029}',
                    _ => return Err(self.failure_in(start, "found unknown escape character")),
                };
                self.cursor.skip_by(2);
                return Ok(letter);
            }
        };
        self.cursor.skip_by(2);
        let mut value = 0_u32;
        for ahead in 0..digits {
            let Some(digit) = char::from(self.cursor.byte(ahead)).to_digit(16) else {
                return Err(self.failure_in(start, "did not find expected hexdecimal number"));
            };
            value = value.wrapping_mul(16).wrapping_add(digit);
        }
        let problem = "found invalid Unicode character escape code";
        let letter = char::from_u32(value).ok_or_else(|| self.failure_in(start, problem))?;
        self.cursor.skip_by(digits);
        Ok(letter)
    }
}
