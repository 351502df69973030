//! grep.

use super::super::{Output, failed};
use super::Read;

/// What the flags ask for.
#[derive(Default)]
struct Options {
    letters: String,
    patterns: Vec<String>,
    files: Vec<String>,
    before: usize,
    after: usize,
}

/// Patterns know `^`, `$`, `.`, `*`, `+`, `[…]`, `(…)`, `\|` and `|`.
pub(super) fn run(words: &[String], read: Read<'_>, stdin: Option<&str>) -> Output {
    let mut options = parse(words);
    if options.patterns.is_empty() {
        return failed(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\n".to_owned());
    }
    let has = |letter: char| options.letters.contains(letter);
    let files = core::mem::take(&mut options.files);
    let named = files.len() > 1 || has('H');
    let mut output = Output { exit: 1, ..Output::default() };
    let mut is_missing = false;
    if files.is_empty() {
        search(&options, "", stdin.unwrap_or_default(), &mut output);
    }
    for file in &files {
        match read(file) {
            Some(text) => {
                let name = if named { format!("{file}:") } else { String::new() };
                search(&options, &name, text, &mut output);
            }
            None => {
                output.complain(&format!("grep: {file}: No such file or directory\n"));
                is_missing = true;
            }
        }
    }
    if is_missing {
        output.exit = 2;
    }
    if has('q') {
        output.stdout.clear();
        output.marks.clear();
    }
    output
}

fn parse(words: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |tail: &str| match tail {
            "" => words.next().cloned().unwrap_or_default(),
            tail => tail.to_owned(),
        };
        if let Some(tail) = word.strip_prefix("-A") {
            options.after = value(tail).parse().unwrap_or(0);
        } else if let Some(tail) = word.strip_prefix("-B") {
            options.before = value(tail).parse().unwrap_or(0);
        } else if let Some(tail) = word.strip_prefix("-C") {
            options.after = value(tail).parse().unwrap_or(0);
            options.before = options.after;
        } else if word == "-e" {
            options.patterns.push(value(""));
        } else if word.starts_with('-') && word.len() > 1 {
            options.letters.push_str(word.trim_start_matches('-'));
        } else if options.patterns.is_empty() {
            options.patterns.push(word.clone());
        } else {
            options.files.push(word.clone());
        }
    }
    options
}

fn search(options: &Options, name: &str, text: &str, output: &mut Output) {
    let has = |letter: char| options.letters.contains(letter);
    let fold = |text: &str| if has('i') { text.to_lowercase() } else { text.to_owned() };
    let patterns: Vec<String> = options.patterns.iter().map(|one| fold(one)).collect();
    let found = |line: &str| {
        let line = fold(line);
        patterns.iter().any(|pattern| match has('w') {
            true => word_matches(pattern, &line),
            false => matches(pattern, &line),
        })
    };
    let all: Vec<&str> = text.lines().collect();
    let hits: Vec<usize> = (0..all.len())
        .filter(|at| all.get(*at).is_some_and(|line| found(line) != has('v')))
        .collect();
    if !hits.is_empty() {
        output.exit = 0;
    }
    if has('c') {
        output.stdout.push_str(&format!("{name}{}\n", hits.len()));
        return;
    }
    if has('l') {
        if !hits.is_empty() {
            output.stdout.push_str(&format!("{}\n", name.trim_end_matches(':')));
        }
        return;
    }
    for (at, line) in all.iter().enumerate() {
        let is_near = |hit: &usize| at + options.before >= *hit && at <= *hit + options.after;
        if !hits.iter().any(is_near) {
            continue;
        }
        let number = if has('n') { format!("{}:", at + 1) } else { String::new() };
        if has('o') {
            for part in patterns.iter().flat_map(|pattern| parts(pattern, line)) {
                output.stdout.push_str(&format!("{name}{number}{part}\n"));
            }
        } else {
            output.stdout.push_str(&format!("{name}{number}{line}\n"));
        }
    }
}

/// Whether a line has the pattern in it.
pub(super) fn matches(pattern: &str, line: &str) -> bool {
    find(pattern, line).is_some()
}

/// The same, between letters that are of no word.
fn word_matches(pattern: &str, line: &str) -> bool {
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.char_indices().any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let rest = line.get(at..).unwrap_or_default();
        find(&format!("^({pattern})"), rest).is_some_and(|(_, end)| {
            let after = rest.get(end..).and_then(|text| text.chars().next());
            !before.is_some_and(is_of_word) && !after.is_some_and(is_of_word)
        })
    })
}

/// The parts of a line that match, one after the other.
fn parts<'a>(pattern: &str, line: &'a str) -> Vec<&'a str> {
    let (mut rest, mut all) = (line, Vec::new());
    while let Some((from, to)) = find(pattern, rest) {
        if from == to {
            break;
        }
        all.extend(rest.get(from..to));
        rest = rest.get(to..).unwrap_or_default();
    }
    all
}

/// Where a pattern matches first, in bytes.
pub(super) fn find(pattern: &str, line: &str) -> Option<(usize, usize)> {
    let pattern: Vec<char> = pattern.replace("\\|", "|").chars().collect();
    let text: Vec<char> = line.chars().collect();
    let bytes = |count: usize| text.iter().take(count).map(|c| c.len_utf8()).sum();
    (0..=text.len()).find_map(|from| {
        let end = here(&pattern, &text, from, from == 0)?;
        Some((bytes(from), bytes(end)))
    })
}

/// Where a match that begins at `at` ends, the longest; alternatives are parted by `|`.
fn here(pattern: &[char], text: &[char], at: usize, is_start: bool) -> Option<usize> {
    alternatives(pattern).into_iter().filter_map(|one| sequence(one, text, at, is_start)).max()
}

/// Parts a pattern at `|` outside of brackets.
fn alternatives(pattern: &[char]) -> Vec<&[char]> {
    let (mut all, mut start, mut depth) = (Vec::new(), 0, 0_i32);
    let mut at = 0;
    while let Some(letter) = pattern.get(at) {
        match letter {
            '\\' => at += 1,
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth == 0 => {
                all.push(pattern.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    all.push(pattern.get(start..).unwrap_or_default());
    all
}

/// Matches one piece after the other, the longest first.
fn sequence(pattern: &[char], text: &[char], at: usize, is_start: bool) -> Option<usize> {
    let Some(first) = pattern.first() else { return Some(at) };
    if *first == '^' {
        let rest = pattern.get(1..).unwrap_or_default();
        return if is_start && at == 0 { sequence(rest, text, at, false) } else { None };
    }
    if pattern == ['$'] {
        return (at == text.len()).then_some(at);
    }
    let length = piece(pattern);
    let (own, rest) = pattern.split_at_checked(length)?;
    let (least, most, rest) = match rest.split_first() {
        Some(('*', rest)) => (0, usize::MAX, rest),
        Some(('+', rest)) => (1, usize::MAX, rest),
        Some(('?', rest)) => (0, 1, rest),
        _ => (1, 1, rest),
    };
    let mut ends = vec![at];
    while ends.len() <= most {
        let last = ends.last().copied().unwrap_or(at);
        match single(own, text, last).filter(|end| *end > last) {
            Some(end) => ends.push(end),
            None => break,
        }
    }
    let found = ends.iter().enumerate().rev().filter(|(count, _)| *count >= least);
    found.into_iter().find_map(|(_, end)| sequence(rest, text, *end, false))
}

/// How many letters of the pattern its first piece has.
fn piece(pattern: &[char]) -> usize {
    match pattern.first() {
        Some('\\') => 2,
        Some('[') => {
            let end = pattern.iter().skip(2).position(|letter| *letter == ']');
            end.map_or(1, |end| end + 3)
        }
        Some('(') => {
            let mut depth = 0_i32;
            for (at, letter) in pattern.iter().enumerate() {
                match letter {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    return at + 1;
                }
            }
            1
        }
        _ => 1,
    }
}

/// Where one piece that begins at `at` ends.
fn single(piece: &[char], text: &[char], at: usize) -> Option<usize> {
    if let ['(', inside @ .., ')'] = piece {
        return here(inside, text, at, at == 0);
    }
    let letter = *text.get(at)?;
    let fits = match piece {
        ['.'] => true,
        ['\\', 'd'] => letter.is_ascii_digit(),
        ['\\', 'w'] => letter.is_alphanumeric() || letter == '_',
        ['\\', 's'] => letter.is_whitespace(),
        ['\\', escaped] => letter == *escaped,
        ['[', '^', set @ .., ']'] => !is_of(set, letter),
        ['[', set @ .., ']'] => is_of(set, letter),
        [own] => letter == *own,
        _ => false,
    };
    fits.then_some(at + 1)
}

/// Whether a letter is one of `a-z_`.
fn is_of(set: &[char], letter: char) -> bool {
    let mut set = set;
    while let Some((first, rest)) = set.split_first() {
        match rest {
            ['-', last, more @ ..] => {
                if (*first..=*last).contains(&letter) {
                    return true;
                }
                set = more;
            }
            _ => {
                if *first == letter {
                    return true;
                }
                set = rest;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_grep() {
        let cases = [
            ("^(a|b) ", "b  1", Some("b ")),
            ("^[ab] ", "ab ", None),
            ("map/.*", "configmap/a", Some("map/a")),
            ("w.*2", "web-1 web-2 x", Some("web-1 web-2")),
            ("[0-9]+", "web-12", Some("12")),
            ("1/1$", "1/1 ", None),
            ("a\\.b", "axb a.b", Some("a.b")),
            ("", "x", Some("")),
        ];
        for (pattern, line, wanted) in cases {
            let found = find(pattern, line).and_then(|(from, to)| line.get(from..to));
            assert_eq!(found, wanted, "{pattern}");
        }
    }
}
