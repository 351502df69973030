//! cut, tr, base64: letters, taken out and put for others.

use super::{failed, letters, said, value};
use crate::container::Output;

/// `cut -d: -f1,3-`, `cut -c1-9`.
pub(super) fn cut(words: &[String], text: &str) -> Output {
    let by = value(words, 'd').unwrap_or("\t");
    let (list, is_letters) = match (value(words, 'f'), value(words, 'c').or(value(words, 'b'))) {
        (Some(list), _) => (list, false),
        (None, Some(list)) => (list, true),
        (None, None) => {
            let why = "cut: you must specify a list of bytes, characters, or fields\n";
            return failed(1, why.to_owned());
        }
    };
    let ranges: Vec<(usize, usize)> = list
        .split(',')
        .map(|field| {
            let (from, to) = field.split_once('-').unwrap_or((field, field));
            (from.parse().unwrap_or(1), to.parse().unwrap_or(usize::MAX))
        })
        .collect();
    let is_chosen = |at: usize| ranges.iter().any(|(from, to)| (*from..=*to).contains(&at));
    let only_parted = letters(words).contains('s');
    let mut out = String::new();
    for line in text.lines() {
        if is_letters {
            out.extend((1..).zip(line.chars()).filter(|(at, _)| is_chosen(*at)).map(|(_, it)| it));
        } else if !line.contains(by) {
            if only_parted {
                continue;
            }
            out.push_str(line);
        } else {
            let parts = (1..).zip(line.split(by)).filter(|(at, _)| is_chosen(*at));
            out.push_str(&parts.map(|(_, part)| part).collect::<Vec<_>>().join(by));
        }
        out.push('\n');
    }
    said(out)
}

/// The letters of a set such as `a-z` or `[:upper:]_`.
fn set(text: &str) -> Vec<char> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]"));
        if let Some((ranges, after)) =
            named.and_then(|(name, after)| Some((crate::pattern::class(name)?, after)))
        {
            all.extend(ranges.iter().flat_map(|(from, to)| *from..=*to));
            rest = after;
            continue;
        }
        let mut letters = rest.chars();
        letters.next();
        let mut letter = first;
        if first == '\\' {
            letter = match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            };
        }
        rest = letters.as_str();
        let last = rest.strip_prefix('-').and_then(|rest| rest.chars().next());
        match last {
            Some(last) if letter <= last => {
                all.extend(letter..=last);
                rest = rest.get(1 + last.len_utf8()..).unwrap_or_default();
            }
            _ => all.push(letter),
        }
    }
    all
}

/// `tr a-z A-Z`, `tr -d '\r'`, `tr -s ' '`, `tr -dc '[:alnum:]'`.
pub(super) fn translate(words: &[String], text: &str) -> Output {
    let (flags, sets): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.len() > 1 && word.starts_with('-'));
    let has = |letter: char| flags.iter().any(|flag| flag.contains(letter));
    let (from, to) = match sets.as_slice() {
        [from, to] => (set(from), Some(set(to))),
        [from] if has('d') || has('s') => (set(from), None),
        [from] => {
            return failed(1, format!("tr: missing operand after '{from}'\n"));
        }
        _ => return failed(1, "tr: missing operand\n".to_owned()),
    };
    let place = |letter: char| {
        let found = from.iter().position(|other| *other == letter);
        match (has('c') || has('C'), found) {
            (true, None) => Some(usize::MAX),
            (true, Some(_)) => None,
            (false, found) => found,
        }
    };
    let mut out = String::new();
    let mut before = None;
    for letter in text.chars() {
        let put = match (place(letter), &to) {
            (None, _) => letter,
            (Some(_), _) if has('d') => continue,
            (Some(place), Some(to)) => *to.get(place).or(to.last()).unwrap_or(&letter),
            (Some(_), None) => letter,
        };
        let squeezed = match &to {
            Some(to) => to.contains(&put),
            None => place(letter).is_some(),
        };
        if has('s') && squeezed && before == Some(put) {
            continue;
        }
        out.push(put);
        before = Some(put);
    }
    said(out)
}

/// Encodes, in lines of 76 letters unless `-w` says otherwise, or decodes with `-d`.
pub(super) fn base64(words: &[String], text: &str) -> Output {
    if letters(words).contains('d') {
        let packed: String = text.split_whitespace().collect();
        return match data_encoding::BASE64.decode(packed.as_bytes()) {
            Ok(bytes) => said(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => failed(1, "base64: invalid input\n".to_owned()),
        };
    }
    let encoded = data_encoding::BASE64.encode(text.as_bytes());
    let width = value(words, 'w').and_then(|it| it.parse::<usize>().ok()).unwrap_or(76);
    if width == 0 {
        return said(encoded);
    }
    let mut text = String::new();
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(width).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    said(text)
}
