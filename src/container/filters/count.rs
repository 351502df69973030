//! head, tail, wc: how many lines, and which.

use super::{Dialect, failed, letters, said, value};
use crate::container::Output;

/// `head -n 3`, `tail -n +2`, `head -c 4`.
pub(super) fn head_or_tail(is_head: bool, words: &[String], texts: &[(&str, String)]) -> Output {
    let given = value(words, 'c').map(|it| (it, true)).or_else(|| {
        let short = words.iter().find_map(|word| {
            let digits = word.strip_prefix('-').unwrap_or(word);
            digits.starts_with(|it: char| it.is_ascii_digit()).then_some(digits)
        });
        value(words, 'n').or(short).map(|it| (it, false))
    });
    let (number, is_bytes) = given.unwrap_or(("10", false));
    let (sign, digits) = match number.chars().next() {
        Some(sign @ ('-' | '+')) => (sign, number.get(1..).unwrap_or_default()),
        _ => (' ', number),
    };
    let Ok(count) = digits.parse::<usize>() else {
        let name = if is_head { "head" } else { "tail" };
        return failed(1, format!("{name}: invalid number '{number}'\n"));
    };
    let mut out = String::new();
    for (place, (name, text)) in texts.iter().enumerate() {
        if texts.len() > 1 && !letters(words).contains('q') {
            let gap = if place > 0 { "\n" } else { "" };
            out.push_str(&format!("{gap}==> {name} <==\n"));
        }
        let parts: Vec<&str> = match is_bytes {
            true => text.split_inclusive(|_| true).collect(),
            false => text.split_inclusive('\n').collect(),
        };
        let all = parts.len();
        let (from, to) = match (is_head, sign) {
            (true, '-') => (0, all.saturating_sub(count)),
            (true, _) => (0, count.min(all)),
            (false, '+') => (count.saturating_sub(1).min(all), all),
            (false, _) => (all.saturating_sub(count), all),
        };
        out.extend(parts.get(from..to).unwrap_or_default().iter().copied());
    }
    said(out)
}

/// `wc -l`.
pub(super) fn count(words: &[String], texts: &[(&str, String)], dialect: Dialect) -> Output {
    let flags = letters(words);
    let wanted = |letter: char| match flags.is_empty() {
        true => letter != 'm',
        false => flags.contains(letter),
    };
    let columns = ['l', 'w', 'm', 'c'].into_iter().filter(|letter| wanted(*letter)).count();
    // GNU makes room for the size of all files, and for seven digits where it cannot know.
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let is_piped = texts.iter().any(|(name, _)| name.is_empty() || *name == "-");
    let width = match (columns, texts.len(), dialect) {
        (1, _, Dialect::Busybox) | (1, 1, _) => 0,
        (_, _, Dialect::Busybox) => 9,
        _ if is_piped => 7,
        _ => bytes.to_string().len(),
    };
    let line = |counts: [usize; 4], name: &str, out: &mut String| {
        let mut gap = "";
        for (letter, count) in ['l', 'w', 'm', 'c'].into_iter().zip(counts) {
            if wanted(letter) {
                out.push_str(&format!("{gap}{count:width$}"));
                gap = " ";
            }
        }
        if !name.is_empty() {
            out.push_str(&format!(" {name}"));
        }
        out.push('\n');
    };
    let mut total = [0; 4];
    let mut out = String::new();
    for (name, text) in texts {
        let words = text.split_whitespace().count();
        let counts = [text.matches('\n').count(), words, text.chars().count(), text.len()];
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        line(counts, name, &mut out);
    }
    if texts.len() > 1 {
        line(total, "total", &mut out);
    }
    said(out)
}
