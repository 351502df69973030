//! The keys of the terminal's line beside letters, as in a shell (readline).

/// A line with its cursor, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// Where the cursor is.
    pub cursor: usize,
}

/// What a key does to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Ctrl-A: to the start.
    Start,
    /// Ctrl-E: to the end.
    End,
    /// Ctrl-U: cut all before the cursor.
    CutBefore,
    /// Ctrl-K: cut all behind the cursor.
    CutBehind,
    /// Ctrl-W: cut the word before the cursor.
    CutWord,
    /// Alt-B: a word back.
    WordBack,
    /// Alt-F: a word on.
    WordOn,
}

impl Line {
    /// The line after a key.
    #[must_use]
    pub fn after(&self, key: Key) -> Line {
        let (before, behind) = self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""));
        let at = |text: String, cursor| Line { text, cursor };
        match key {
            Key::Start => at(self.text.clone(), 0),
            Key::End => at(self.text.clone(), self.text.len()),
            Key::CutBefore => at(behind.to_owned(), 0),
            Key::CutBehind => at(before.to_owned(), before.len()),
            Key::CutWord => {
                let kept = before.trim_end();
                let kept = kept.get(..word_start(kept)).unwrap_or_default();
                at(format!("{kept}{behind}"), kept.len())
            }
            Key::WordBack => at(self.text.clone(), word_start(before.trim_end())),
            Key::WordOn => {
                let blank = behind.len() - behind.trim_start().len();
                let rest = behind.trim_start();
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                at(self.text.clone(), before.len() + blank + end)
            }
        }
    }
}

/// A place in UTF-16 units, as the browser counts, in bytes.
pub fn byte_at(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(c.len_utf16());
    }
    text.len()
}

/// A place in bytes in UTF-16 units.
pub fn unit_at(text: &str, byte: usize) -> u32 {
    let before = text.get(..byte).unwrap_or(text);
    u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
}

fn word_start(text: &str) -> usize {
    text.char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace())
        .map_or(0, |(at, c)| at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_the_browser_counts() {
        let text = "é\u{1f600}x";
        for (byte, unit) in [(0, 0), (2, 1), (6, 3), (7, 4)] {
            assert_eq!((byte_at(text, unit), unit_at(text, byte)), (byte, unit));
        }
        assert_eq!(byte_at(text, 99), 7);
    }

    #[test]
    fn keys_do_what_they_do_in_a_shell() {
        let cases = [
            (Key::Start, "|get pods -o wide"),
            (Key::End, "get pods -o wide|"),
            (Key::CutBefore, "| -o wide"),
            (Key::CutBehind, "get pods|"),
            (Key::CutWord, "get | -o wide"),
            (Key::WordBack, "get |pods -o wide"),
            (Key::WordOn, "get pods -o| wide"),
        ];
        let line = Line { text: "get pods -o wide".to_owned(), cursor: 8 };
        for (key, wanted) in cases {
            let Line { text, cursor } = line.after(key);
            let (before, behind) = text.split_at(cursor);
            assert_eq!(format!("{before}|{behind}"), wanted, "{key:?}");
        }
    }
}
