//! A place in the text that moves forward.

use super::Mark;

/// Where the scanner is.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// Bytes before it.
    offset: usize,
    pub(super) mark: Mark,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Cursor { text, offset: 0, mark: Mark { index: 0, line: 0, column: 0 } }
    }

    /// The byte so far ahead; 0 behind the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.offset + ahead).copied().unwrap_or_default()
    }

    fn letter(&self) -> Option<char> {
        self.text.get(self.offset..)?.chars().next()
    }

    /// The text from an earlier offset to here.
    pub(super) fn since(&self, offset: usize) -> &'a str {
        self.text.get(offset..self.offset).unwrap_or_default()
    }

    pub(super) const fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn is_end(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// Whether a line ends there: LF, CR, NEL, LS or PS.
    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\n' | b'\r' => true,
            0xC2 => self.byte(ahead + 1) == 0x85,
            0xE2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    pub(super) fn is_break_or_end(&self, ahead: usize) -> bool {
        self.is_end(ahead) || self.is_break(ahead)
    }

    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_break_or_end(ahead)
    }

    /// Whether `---` or `...` stands here alone at the beginning of a line.
    pub(super) fn is_document_indicator(&self) -> bool {
        let same = |byte| (0..3).all(|ahead| self.byte(ahead) == byte);
        self.mark.column == 0 && (same(b'-') || same(b'.')) && self.is_blank_or_end(3)
    }

    /// Moves over one character that ends no line.
    pub(super) fn skip(&mut self) {
        let width = self.letter().map_or(0, char::len_utf8);
        self.offset += width;
        self.mark.index += 1;
        self.mark.column += 1;
    }

    pub(super) fn skip_by(&mut self, count: usize) {
        (0..count).for_each(|_| self.skip());
    }

    /// Moves over one character and writes it down.
    pub(super) fn read(&mut self, into: &mut String) {
        if let Some(letter) = self.letter() {
            into.push(letter);
        }
        self.skip();
    }

    /// Moves over the end of a line.
    pub(super) fn skip_line(&mut self) {
        self.read_line(&mut String::new());
    }

    /// Moves over the end of a line and writes it down: most kinds as LF.
    pub(super) fn read_line(&mut self, into: &mut String) {
        let crlf = self.byte(0) == b'\r' && self.byte(1) == b'\n';
        let Some(letter) = self.letter().filter(|_| self.is_break(0)) else { return };
        self.offset += if crlf { 2 } else { letter.len_utf8() };
        self.mark.index += if crlf { 2 } else { 1 };
        self.mark.column = 0;
        self.mark.line += 1;
        into.push(match letter {
            '\u{2028}' | '\u{2029}' => letter,
            _ => '\n',
        });
    }

    /// Moves over blanks on a line.
    pub(super) fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.skip();
        }
    }

    /// Moves to the end of the line if a comment begins here.
    pub(super) fn skip_comment(&mut self) {
        if self.byte(0) == b'#' {
            while !self.is_break_or_end(0) {
                self.skip();
            }
        }
    }
}
