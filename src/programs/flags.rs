//! Flags of one letter, as small programs have them.

/// The value of a flag of one letter, glued to it or after it.
pub(super) fn flag(words: &[String], letter: char) -> Option<&str> {
    let at = words.iter().position(|word| {
        let letters = word.strip_prefix('-').unwrap_or_default();
        letters.starts_with(letter)
            || letters.ends_with(letter) && letters.chars().all(|it| it.is_ascii_alphabetic())
    })?;
    let word = words.get(at)?.trim_start_matches('-');
    match word.strip_prefix(letter) {
        Some(glued) if !glued.is_empty() => Some(glued),
        _ => words.get(at + 1).map(String::as_str),
    }
}

/// The words that are neither flags nor the values of those that take one.
pub(super) fn plain<'a>(words: &'a [String], with_value: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(flag) if flag.chars().last().is_some_and(|it| with_value.contains(it)) => {
                words.next();
            }
            Some(_) => {}
            None => found.push(word.as_str()),
        }
    }
    found
}

/// How often a letter is among the flags.
pub(super) fn times(words: &[String], letter: char) -> usize {
    let flags = words.iter().filter_map(|word| word.strip_prefix('-'));
    let flags = flags.filter(|flag| flag.chars().all(|it| it.is_ascii_alphabetic()));
    flags.map(|flag| flag.matches(letter).count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_by_their_flags_or_behind_them() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let cases = [
            ("-c 3 web", Some("3"), "web"),
            ("-c3 web", Some("3"), "web"),
            ("-qc 3 web", Some("3"), "web"),
            ("web", None, "web"),
        ];
        for (line, value, host) in cases {
            let words = words(line);
            assert_eq!(flag(&words, 'c'), value, "{line}");
            assert_eq!(plain(&words, "c"), [host], "{line}");
        }
        let words = words("-zvv -w2 web 80");
        assert_eq!((times(&words, 'v'), times(&words, 'z'), times(&words, 'u')), (2, 1, 0));
        assert_eq!((flag(&words, 'w'), plain(&words, "w")), (Some("2"), vec!["web", "80"]));
    }
}
