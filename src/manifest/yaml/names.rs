//! Anchors, aliases, tags and directives.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go yaml_parser_scan_anchor, …_tag and …_directive.

use super::scanner::{Scanned, Scanner};
use super::token::{Token, TokenKind};
use super::{Mark, Span};

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

impl Scanner<'_> {
    fn word(&mut self) -> String {
        let mut word = String::new();
        while is_word(self.cursor.byte(0)) {
            self.cursor.read(&mut word);
        }
        word
    }

    fn token_from(&self, start: Mark, kind: TokenKind) -> Token {
        Token { kind, span: Span { start, end: self.cursor.mark } }
    }

    pub(super) fn anchor(&mut self, is_anchor: bool) -> Scanned<Token> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let name = self.word();
        let ends = self.cursor.is_blank_or_end(0) || b"?:,]}%@`".contains(&self.cursor.byte(0));
        if name.is_empty() || !ends {
            let problem = "did not find expected alphabetic or numeric character";
            return Err(self.failure_in(start, problem));
        }
        let kind = if is_anchor { TokenKind::Anchor(name) } else { TokenKind::Alias(name) };
        Ok(self.token_from(start, kind))
    }

    pub(super) fn tag(&mut self) -> Scanned<Token> {
        let start = self.cursor.mark;
        let (mut handle, mut suffix) = (String::new(), String::new());
        if self.cursor.byte(1) == b'<' {
            self.cursor.skip_by(2);
            self.tag_uri("", start, &mut suffix)?;
            if self.cursor.byte(0) != b'>' {
                return Err(self.failure_in(start, "did not find the expected '>'"));
            }
            self.cursor.skip();
        } else {
            self.tag_handle(false, start, &mut handle)?;
            if handle.len() > 1 && handle.ends_with('!') {
                self.tag_uri("", start, &mut suffix)?;
            } else {
                let head = core::mem::replace(&mut handle, "!".to_owned());
                self.tag_uri(&head, start, &mut suffix)?;
                if suffix.is_empty() {
                    // The tag `!` alone.
                    core::mem::swap(&mut handle, &mut suffix);
                }
            }
        }
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.failure_in(start, "did not find expected whitespace or line break"));
        }
        Ok(self.token_from(start, TokenKind::Tag(handle, suffix)))
    }

    fn tag_handle(&mut self, directive: bool, start: Mark, handle: &mut String) -> Scanned<()> {
        if self.cursor.byte(0) != b'!' {
            return Err(self.failure_in(start, "did not find expected '!'"));
        }
        self.cursor.read(handle);
        handle.push_str(&self.word());
        if self.cursor.byte(0) == b'!' {
            self.cursor.read(handle);
        } else if directive && handle != "!" {
            return Err(self.failure_in(start, "did not find expected '!'"));
        }
        Ok(())
    }

    /// Simplified: an escaped octet (`%21`) stays as it is written.
    fn tag_uri(&mut self, head: &str, start: Mark, uri: &mut String) -> Scanned<()> {
        uri.push_str(head.get(1..).unwrap_or_default());
        let mut found = !head.is_empty();
        while is_word(self.cursor.byte(0)) || b";/?:@&=+$,.!~*'()[]%".contains(&self.cursor.byte(0))
        {
            let hex = |ahead| self.cursor.byte(ahead).is_ascii_hexdigit();
            if self.cursor.byte(0) == b'%' && !(hex(1) && hex(2)) {
                return Err(self.failure_in(start, "did not find URI escaped octet"));
            }
            self.cursor.read(uri);
            found = true;
        }
        match found {
            true => Ok(()),
            false => Err(self.failure_in(start, "did not find expected tag URI")),
        }
    }

    pub(super) fn directive(&mut self) -> Scanned<Token> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let name = self.word();
        if name.is_empty() {
            return Err(self.failure_in(start, "could not find expected directive name"));
        }
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.failure_in(start, "found unexpected non-alphabetical character"));
        }
        self.cursor.skip_blanks();
        let kind = match name.as_str() {
            "YAML" => self.version(start)?,
            "TAG" => self.tag_directive(start)?,
            _ => return Err(self.failure_in(start, "found unknown directive name")),
        };
        let token = self.token_from(start, kind);
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_break_or_end(0) {
            return Err(self.failure_in(start, "did not find expected comment or line break"));
        }
        self.cursor.skip_line();
        Ok(token)
    }

    fn version(&mut self, start: Mark) -> Scanned<TokenKind> {
        let major = self.version_number(start)?;
        if self.cursor.byte(0) != b'.' {
            let problem = "did not find expected digit or '.' character";
            return Err(self.failure_in(start, problem));
        }
        self.cursor.skip();
        Ok(TokenKind::Version(major, self.version_number(start)?))
    }

    fn version_number(&mut self, start: Mark) -> Scanned<u8> {
        let (mut number, mut length) = (0_u8, 0);
        while self.cursor.byte(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return Err(self.failure_in(start, "found extremely long version number"));
            }
            number = number.saturating_mul(10).saturating_add(self.cursor.byte(0) - b'0');
            self.cursor.skip();
        }
        match length {
            0 => Err(self.failure_in(start, "did not find expected version number")),
            _ => Ok(number),
        }
    }

    fn tag_directive(&mut self, start: Mark) -> Scanned<TokenKind> {
        let (mut handle, mut prefix) = (String::new(), String::new());
        self.tag_handle(true, start, &mut handle)?;
        if !self.cursor.is_blank(0) {
            return Err(self.failure_in(start, "did not find expected whitespace"));
        }
        self.cursor.skip_blanks();
        self.tag_uri("", start, &mut prefix)?;
        if !self.cursor.is_blank_or_end(0) {
            return Err(self.failure_in(start, "did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective(handle, prefix))
    }
}
