//! Lines that are entered one by one until they are a script.

use super::open_document;

/// The lines of a script that may not be whole yet.
///
/// While they end in a here-document, only the line that ends it makes them worth reading again: a
/// long document is not read anew with each of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    text: String,
    /// The line that would end the last here-document that they end in.
    tag: Option<String>,
}

impl Entered {
    /// Adds a line; whether they may be whole now, which reading shows.
    pub fn add(&mut self, line: &str) -> bool {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        let may_end = |tag: &str| line == tag || line.trim() == tag;
        if !self.tag.as_deref().is_none_or(may_end) {
            return false;
        }
        self.tag = None;
        true
    }

    /// They were read, and there must be more.
    pub fn go_on(&mut self) {
        self.tag = open_document(&self.text);
    }

    /// Whether they end in a here-document, as far as [`Entered::go_on`] has seen.
    pub fn is_in_document(&self) -> bool {
        self.tag.is_some()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// All lines.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Takes the lines out.
    pub fn take(&mut self) -> String {
        self.tag = None;
        core::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_document_makes_its_lines_worth_reading() {
        let mut entered = Entered::default();
        let mut read = Vec::new();
        for line in ["cat << A; cat << 'B c'", "x", " A", "A", "y", "B c"] {
            if entered.add(line) {
                read.push(line);
                entered.go_on();
            }
        }
        assert_eq!(read, ["cat << A; cat << 'B c'", "B c"]);
        assert!(!entered.is_in_document());
        assert_eq!(entered.take(), "cat << A; cat << 'B c'\nx\n A\nA\ny\nB c");
    }
}
