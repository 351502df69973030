//! Scalars that stand as a block: `|` and `>`.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go yaml_parser_scan_block_scalar.

use super::scanner::{Scanned, Scanner, signed};
use super::token::{Token, TokenKind};
use super::{Mark, Span, Style};

/// What becomes of the ends of lines at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    /// None stays.
    Strip,
    /// One stays.
    Clip,
    /// All stay.
    Keep,
}

impl Scanner<'_> {
    pub(super) fn block_scalar(&mut self, literal: bool) -> Scanned<Token> {
        let start = self.cursor.mark;
        self.cursor.skip();
        let (chomping, increment) = self.block_header(start)?;
        let mut end = self.cursor.mark;
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) + increment,
        };
        let (mut text, mut first_break, mut more_breaks) =
            (String::new(), String::new(), String::new());
        self.block_breaks(&mut indent, &mut more_breaks, start, &mut end)?;
        let mut after_blank = false;
        while signed(self.cursor.mark.column) == indent && !self.cursor.is_end(0) {
            let blank = self.cursor.is_blank(0);
            if !literal && !after_blank && !blank && first_break.starts_with('\n') {
                if more_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&first_break);
            }
            first_break.clear();
            text.push_str(&more_breaks);
            more_breaks.clear();
            after_blank = blank;
            let offset = self.cursor.offset();
            while !self.cursor.is_break_or_end(0) {
                self.cursor.skip();
            }
            text.push_str(self.cursor.since(offset));
            self.cursor.read_line(&mut first_break);
            self.block_breaks(&mut indent, &mut more_breaks, start, &mut end)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(&first_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&more_breaks);
        }
        Ok(Token { kind: TokenKind::Scalar(text, Style::Quoted), span: Span { start, end } })
    }

    /// What stands behind `|`: chomping and indentation in any order, then a comment.
    fn block_header(&mut self, start: Mark) -> Scanned<(Chomping, isize)> {
        let (mut chomping, mut increment) = (Chomping::Clip, 0);
        let chomped_first = matches!(self.cursor.byte(0), b'+' | b'-');
        for digit in [!chomped_first, chomped_first, !chomped_first] {
            let byte = self.cursor.byte(0);
            if digit && byte.is_ascii_digit() && increment == 0 {
                if byte == b'0' {
                    let problem = "found an indentation indicator equal to 0";
                    return Err(self.failure_in(start, problem));
                }
                increment = isize::from(byte.wrapping_sub(b'0') as i8);
                self.cursor.skip();
            } else if !digit && chomping == Chomping::Clip && matches!(byte, b'+' | b'-') {
                chomping = if byte == b'+' { Chomping::Keep } else { Chomping::Strip };
                self.cursor.skip();
            }
        }
        self.cursor.skip_blanks();
        self.cursor.skip_comment();
        if !self.cursor.is_break_or_end(0) {
            return Err(self.failure_in(start, "did not find expected comment or line break"));
        }
        self.cursor.skip_line();
        Ok((chomping, increment))
    }

    /// Over empty lines and the indentation of the next one. The first line that is not empty
    /// says how far in the block is, unless its header did.
    fn block_breaks(
        &mut self,
        indent: &mut isize,
        breaks: &mut String,
        start: Mark,
        end: &mut Mark,
    ) -> Scanned<()> {
        *end = self.cursor.mark;
        let mut deepest = 0;
        loop {
            let within = |column: usize| *indent == 0 || signed(column) < *indent;
            while within(self.cursor.mark.column) && self.cursor.byte(0) == b' ' {
                self.cursor.skip();
            }
            deepest = deepest.max(self.cursor.mark.column);
            if within(self.cursor.mark.column) && self.cursor.byte(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return Err(self.failure_in(start, problem));
            }
            if !self.cursor.is_break(0) {
                break;
            }
            self.cursor.read_line(breaks);
            *end = self.cursor.mark;
        }
        if *indent == 0 {
            *indent = signed(deepest).max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
