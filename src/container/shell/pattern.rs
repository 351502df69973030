//! `*`, `?` and `[a-z]`.

/// Whether a whole text fits a pattern.
pub(in crate::container) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    fits(&pattern, &text)
}

/// Goes back to the last `*` where a letter does not fit, so that it takes one more.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut place) = (0, 0);
    let mut star = None;
    while place < text.len() {
        let rest = pattern.get(at..).unwrap_or_default();
        let letter = text.get(place).copied().unwrap_or_default();
        if rest.first() == Some(&'*') {
            star = Some((at, place));
            at += 1;
        } else if let Some(length) = one(rest, letter) {
            at += length;
            place += 1;
        } else if let Some((star_at, star_place)) = star {
            star = Some((star_at, star_place + 1));
            (at, place) = (star_at + 1, star_place + 1);
        } else {
            return false;
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|letter| *letter == '*')
}

/// How many letters of the pattern stand for this letter, if they do.
fn one(pattern: &[char], letter: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => {
            let end = rest.iter().skip(1).position(|it| *it == ']')? + 1;
            let (negated, set) = match rest.get(..end)? {
                ['!' | '^', set @ ..] => (true, set),
                set => (false, set),
            };
            let mut found = set.contains(&letter);
            for range in set.windows(3) {
                if let [from, '-', to] = range {
                    found |= (*from..=*to).contains(&letter);
                }
            }
            (found != negated).then_some(end + 2)
        }
        ['\\', own, ..] => (*own == letter).then_some(2),
        [own, ..] => (*own == letter).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_texts() {
        let cases = [
            ("*", "", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.x", false),
            ("a?c", "abc", true),
            ("[a-c]1", "b1", true),
            ("[!a-c]1", "b1", false),
            ("web-*-0", "web-db-0", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        let hard = "a*".repeat(40) + "b";
        assert!(!matches(&hard, &"a".repeat(400)));
    }
}
