//! grep.

use super::{Read, failed};
use crate::container::Output;
use crate::pattern::{Dialect, Pattern};

/// What the flags ask for.
#[derive(Default)]
struct Options {
    letters: String,
    patterns: Vec<String>,
    files: Vec<String>,
    before: usize,
    after: usize,
    most: Option<usize>,
}

/// Lines that have a pattern in them.
pub(super) fn run(name: &str, words: &[String], read: Read<'_>, stdin: Option<&str>) -> Output {
    let mut options = parse(words);
    let has = |letter: char| options.letters.contains(letter);
    if options.patterns.is_empty() {
        return failed(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\n".to_owned());
    }
    let dialect = match name {
        _ if has('P') => Dialect::Perl,
        "fgrep" => Dialect::Fixed,
        _ if has('F') => Dialect::Fixed,
        "egrep" => Dialect::Extended,
        _ if has('E') => Dialect::Extended,
        _ => Dialect::Basic,
    };
    let mut patterns = Vec::new();
    for text in options.patterns.iter().flat_map(|it| it.split('\n')) {
        match Pattern::new(text, dialect, has('i') || has('y')) {
            Ok(pattern) => patterns.push(pattern),
            Err(fault) => return failed(2, format!("grep: {}\n", fault.sentence())),
        }
    }
    let files = core::mem::take(&mut options.files);
    let has = |letter: char| options.letters.contains(letter);
    let named = (files.len() > 1 || has('H')) && !has('h');
    let mut output = Output { exit: 1, ..Output::default() };
    let mut is_missing = false;
    if files.is_empty() {
        search(&options, &patterns, "(standard input)", "", stdin.unwrap_or_default(), &mut output);
    }
    for file in &files {
        let text = if file == "-" { stdin.map(str::to_owned) } else { read(file) };
        match text {
            Some(text) => {
                let prefix = if named { format!("{file}:") } else { String::new() };
                search(&options, &patterns, file, &prefix, &text, &mut output);
            }
            None => {
                is_missing = true;
                if !has('s') {
                    let line = format!("grep: {file}: No such file or directory\n");
                    output.stderr.push_str(&line);
                }
            }
        }
    }
    if has('q') {
        output.stdout.clear();
    }
    if is_missing && !(has('q') && output.exit == 0) {
        output.exit = 2;
    }
    output
}

fn parse(words: &[String]) -> Options {
    let mut options = Options::default();
    let mut operands = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.by_ref().cloned());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let letter = match long.split('=').next().unwrap_or_default() {
                "ignore-case" => "i",
                "invert-match" => "v",
                "count" => "c",
                "quiet" | "silent" => "q",
                "extended-regexp" => "E",
                "fixed-strings" => "F",
                "only-matching" => "o",
                "word-regexp" => "w",
                "line-number" => "n",
                _ => "",
            };
            options.letters.push_str(letter);
            continue;
        }
        let Some(cluster) = word.strip_prefix('-').filter(|it| !it.is_empty()) else {
            operands.push(word.clone());
            continue;
        };
        // `-5` is `-C 5`; letters may stand together, and the last may take a value.
        if let Ok(count) = cluster.parse() {
            (options.before, options.after) = (count, count);
            continue;
        }
        for (at, letter) in cluster.char_indices() {
            if !"ABCem".contains(letter) {
                options.letters.push(letter);
                continue;
            }
            let glued = cluster.get(at + 1..).unwrap_or_default();
            let value = match glued {
                "" => words.next().cloned().unwrap_or_default(),
                glued => glued.to_owned(),
            };
            let number = value.parse().unwrap_or(0);
            match letter {
                'A' => options.after = number,
                'B' => options.before = number,
                'C' => (options.before, options.after) = (number, number),
                'm' => options.most = Some(number),
                _ => options.patterns.push(value),
            }
            break;
        }
    }
    if options.patterns.is_empty() && !operands.is_empty() {
        options.patterns.push(operands.remove(0));
    }
    options.files = operands;
    options
}

/// The places in a line that match, from and to in letters.
fn places(options: &Options, patterns: &[Pattern], line: &[char]) -> Vec<(usize, usize)> {
    let has = |letter: char| options.letters.contains(letter);
    let is_word = |letter: Option<&char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || *letter == '_')
    };
    let fits = |from: usize, to: usize| {
        let before = from.checked_sub(1).and_then(|at| line.get(at));
        (!has('x') || from == 0 && to == line.len())
            && (!has('w') || !is_word(before) && !is_word(line.get(to)))
    };
    let mut all = Vec::new();
    let mut at = 0;
    while at <= line.len() {
        let first = patterns
            .iter()
            .filter_map(|pattern| pattern.find(line, at)?.first().copied().flatten())
            .min_by_key(|(from, to)| (*from, usize::MAX - *to));
        let Some((from, to)) = first else { break };
        if fits(from, to) {
            all.push((from, to));
            at = to.max(from + 1);
        } else {
            at = from + 1;
        }
        // Only who prints the parts needs more than one.
        if !has('o') && !all.is_empty() {
            break;
        }
    }
    all
}

fn search(
    options: &Options,
    patterns: &[Pattern],
    file: &str,
    prefix: &str,
    text: &str,
    output: &mut Output,
) {
    let has = |letter: char| options.letters.contains(letter);
    let all: Vec<&str> = text.lines().collect();
    let mut hits = Vec::new();
    for (at, line) in all.iter().enumerate() {
        let letters: Vec<char> = line.chars().collect();
        let found = places(options, patterns, &letters);
        if found.is_empty() == has('v') && options.most.is_none_or(|most| hits.len() < most) {
            let part = |(from, to): &(usize, usize)| -> String {
                letters.get(*from..*to).unwrap_or_default().iter().collect()
            };
            let parts: Vec<String> =
                if has('o') { found.iter().map(part).collect() } else { Vec::new() };
            hits.push((at, parts));
        }
    }
    if !hits.is_empty() {
        output.exit = 0;
    }
    if has('c') {
        output.stdout.push_str(&format!("{prefix}{}\n", hits.len()));
        return;
    }
    if has('l') || has('L') {
        if hits.is_empty() == has('L') {
            output.stdout.push_str(&format!("{file}\n"));
        }
        return;
    }
    let shown = |at: usize, sign: char, text: &str| {
        let name = prefix.strip_suffix(':').map(|name| format!("{name}{sign}"));
        let number = if has('n') { format!("{}{sign}", at + 1) } else { String::new() };
        format!("{}{number}{text}\n", name.unwrap_or_default())
    };
    if has('o') {
        for (at, parts) in &hits {
            let parts = parts.iter().filter(|it| !it.is_empty());
            output.stdout.extend(parts.map(|part| shown(*at, ':', part)));
        }
        return;
    }
    let mut next = 0;
    for (hit, _) in &hits {
        let from = hit.saturating_sub(options.before).max(next);
        let is_apart = options.before + options.after > 0 && next > 0 && from > next;
        let to = hit.saturating_add(options.after).min(all.len().saturating_sub(1));
        for at in from..=to {
            let is_hit = hits.binary_search_by_key(&at, |(at, _)| *at).is_ok();
            if is_apart && at == from {
                output.stdout.push_str("--\n");
            }
            let line = all.get(at).copied().unwrap_or_default();
            output.stdout.push_str(&shown(at, if is_hit { ':' } else { '-' }, line));
        }
        next = next.max(to + 1);
    }
}
