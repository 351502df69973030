//! sort and uniq.

use super::{letters, lines, said, value};
use crate::base::order;
use crate::container::Output;

/// The number that a text begins with in thousandths, 0 for none.
fn leading_number(text: &str) -> i128 {
    let text = text.trim_start();
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let fraction: String = rest
        .strip_prefix('.')
        .unwrap_or_default()
        .chars()
        .take_while(char::is_ascii_digit)
        .chain("000".chars())
        .take(3)
        .collect();
    let whole = digits.parse::<i64>().map_or(0, i128::from);
    let number = whole * 1000 + fraction.parse::<i128>().unwrap_or(0);
    if is_negative { -number } else { number }
}

/// `sort -t: -k2,2n -r -u`.
pub(super) fn sort(words: &[String], text: &str) -> Output {
    let mut flags = letters(words);
    let separator = value(words, 't').map(str::to_owned);
    let mut column = None;
    if let Some(key) = value(words, 'k') {
        let mut bounds = key.split(',').map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().unwrap_or(1).max(1)
        });
        column = bounds.next().map(|from| (from - 1, bounds.next().unwrap_or(usize::MAX)));
        flags.extend(key.chars().filter(char::is_ascii_alphabetic));
    }
    let of_key = |line: &str| -> String {
        let Some((from, to)) = column else { return line.to_owned() };
        let count = to.saturating_sub(from);
        match &separator {
            Some(sign) => {
                line.split(sign.as_str()).skip(from).take(count).collect::<Vec<_>>().join(sign)
            }
            None => line.split_whitespace().skip(from).take(count).collect::<Vec<_>>().join(" "),
        }
    };
    let (by_number, folds) = (flags.contains('n'), flags.contains('f'));
    let key = |line: &str| {
        let text = of_key(line);
        let number = if by_number { leading_number(&text) } else { 0 };
        let text = if by_number { String::new() } else { text };
        (number, if folds { text.to_uppercase() } else { text }, line.to_owned())
    };
    let mut all: Vec<&str> = text.lines().collect();
    order::sort_by_key(&mut all, |line| key(line));
    if flags.contains('r') {
        all.reverse();
    }
    if flags.contains('u') {
        all.dedup_by(|a, b| {
            let (a, b) = (key(a), key(b));
            (a.0, a.1) == (b.0, b.1)
        });
    }
    lines(all)
}

/// `uniq -c`, `-d`, `-u`.
pub(super) fn unique(words: &[String], text: &str) -> Output {
    let flags = letters(words);
    let mut out = String::new();
    let mut rest = text.lines().peekable();
    while let Some(line) = rest.next() {
        let mut count = 1;
        while rest.next_if_eq(&line).is_some() {
            count += 1;
        }
        if flags.contains('d') && count == 1 || flags.contains('u') && count > 1 {
            continue;
        }
        match flags.contains('c') {
            true => out.push_str(&format!("{count:7} {line}\n")),
            false => out.push_str(&format!("{line}\n")),
        }
    }
    said(out)
}
