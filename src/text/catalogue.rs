//! Reading a message file while the crate is compiled.

/// The texts of `file` in the order of `keys`.
///
/// Each line is empty, a comment (`# …`) or `Key = text`. A key that is missing, unknown or out of
/// order stops the compiler, which names this function and the place in the file.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a slip is a build error")]
pub(super) const fn read<const N: usize>(file: &'static str, keys: [&str; N]) -> [&'static str; N] {
    let bytes = file.as_bytes();
    let mut texts = [""; N];
    let (mut found, mut start) = (0, 0);
    while start < bytes.len() {
        let end = line_end(bytes, start);
        if end > start && bytes[start] != b'#' {
            assert!(found < N, "the message file has a text more than src/text/mod.rs has keys");
            let after_key = start + keys[found].len();
            assert!(
                has_at(bytes, start, keys[found].as_bytes()) && has_at(bytes, after_key, b" = "),
                "a text is missing, unknown or out of order in a message file"
            );
            texts[found] = slice(file, after_key + 3, end);
            found += 1;
        }
        start = end + 1;
    }
    assert!(found == N, "the last texts are missing in a message file");
    texts
}

/// Where the line that begins at `start` ends.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
const fn line_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < bytes.len() && bytes[end] != b'\n' {
        end += 1;
    }
    end
}

/// Whether `bytes` has `part` at `start`.
#[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
const fn has_at(bytes: &[u8], start: usize, part: &[u8]) -> bool {
    if start + part.len() > bytes.len() {
        return false;
    }
    let mut i = 0;
    while i < part.len() {
        if bytes[start + i] != part[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The part of `text` from byte `start` to byte `end`.
const fn slice(text: &'static str, start: usize, end: usize) -> &'static str {
    let (_, rest) = text.split_at(start);
    let (part, _) = rest.split_at(end - start);
    part
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn comments_and_empty_lines_are_skipped() {
        assert_eq!(
            read("# a comment\nOne = 1 = uno\n\nTwo = dos\n", ["One", "Two"]),
            ["1 = uno", "dos"]
        );
    }

    #[test]
    #[should_panic(expected = "out of order")]
    fn texts_out_of_order_are_refused() {
        read("Two = 2\nOne = 1\n", ["One", "Two"]);
    }

    #[test]
    #[should_panic(expected = "missing")]
    fn a_missing_text_is_refused() {
        read("One = 1\n", ["One", "Two"]);
    }
}
