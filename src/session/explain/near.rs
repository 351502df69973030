//! The word that was probably meant.

/// The word that `word` was probably meant to be: at most two slips away, or a third of it.
pub(super) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    let scored = words.map(|other| (distance(word, other), other));
    scored.filter(|(distance, _)| *distance <= most).min().map(|(_, other)| other)
}

/// How many letters must be put in, left out, changed, or swapped with their neighbour, capitals
/// aside (Damerau and Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i.saturating_add(1)];
        for (j, y) in b.iter().enumerate() {
            let change = at(&last, j).saturating_add(usize::from(x != y));
            let leave_out = at(&last, j.saturating_add(1)).saturating_add(1);
            let put_in = at(&row, j).saturating_add(1);
            let mut best = change.min(leave_out).min(put_in);
            let crossed = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if crossed {
                best = best.min(at(&before_last, j - 1).saturating_add(1));
            }
            row.push(best);
        }
        (before_last, last) = (last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_has_a_nearest_word_and_nonsense_has_none() {
        let fields = ["containerPort", "name", "ports", "image", "imagePullPolicy"];
        let cases = [
            ("port", Some("ports")),
            ("prots", Some("ports")),
            ("nmae", Some("name")),
            ("containerport", Some("containerPort")),
            ("imagen", Some("image")),
            ("zzz", None),
        ];
        for (word, near) in cases {
            assert_eq!(nearest(word, fields.into_iter()), near, "{word}");
        }
    }
}
