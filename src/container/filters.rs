//! The small tools that read standard input.

use super::Output;
use crate::base::order;

fn said(stdout: String) -> Output {
    Output { stdout, ..Output::default() }
}

fn failed(exit: i32, stderr: String) -> Output {
    Output { stderr, exit, ..Output::default() }
}

/// Runs one of the small tools; `None` if the word names none of them.
pub fn run(name: &str, words: &[String], stdin: Option<&str>) -> Option<Output> {
    let text = stdin.unwrap_or_default();
    Some(match name {
        "grep" | "egrep" => grep(words, text),
        "head" | "tail" => head_or_tail(name == "head", words, text),
        "wc" => count(words, text),
        "sort" => sort(words, text),
        "uniq" => unique(words, text),
        "cut" => cut(words, text),
        "tr" => translate(words, text),
        "awk" => awk(words, text),
        "base64" => base64(words, text),
        "echo" => echo(words),
        "true" | ":" => Output::default(),
        "false" => failed(1, String::new()),
        _ => return None,
    })
}

fn lines(all: impl Iterator<Item = impl AsRef<str>>) -> Output {
    said(all.fold(String::new(), |mut text, line| {
        text.push_str(line.as_ref());
        text.push('\n');
        text
    }))
}

/// The letters of the flags, and the other words.
fn letters(words: &[String]) -> (String, Vec<&str>) {
    let (flags, rest): (Vec<&String>, Vec<&String>) =
        words.iter().partition(|word| word.starts_with('-') && word.len() > 1);
    let flags = flags.iter().map(|flag| flag.trim_start_matches('-')).collect();
    (flags, rest.into_iter().map(String::as_str).collect())
}

/// Encodes, in lines of 76 letters unless `-w` says otherwise, or decodes with `-d`.
fn base64(words: &[String], text: &str) -> Output {
    let (flags, rest) = letters(words);
    if flags.contains('d') {
        let packed: String = text.split_whitespace().collect();
        return match data_encoding::BASE64.decode(packed.as_bytes()) {
            Ok(bytes) => said(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => failed(1, "base64: invalid input\n".to_owned()),
        };
    }
    let encoded = data_encoding::BASE64.encode(text.as_bytes());
    if flags.contains('w') && (flags.contains("w0") || rest.contains(&"0")) {
        return said(encoded);
    }
    let letters: Vec<char> = encoded.chars().collect();
    lines(letters.chunks(76).map(|line| line.iter().collect::<String>()))
}

fn echo(words: &[String]) -> Output {
    match words.split_first() {
        Some((first, rest)) if first == "-n" => said(rest.join(" ")),
        Some((first, rest)) if first == "-e" => {
            said(rest.join(" ").replace("\\n", "\n").replace("\\t", "\t") + "\n")
        }
        _ => said(words.join(" ") + "\n"),
    }
}

/// Patterns know `^`, `$`, `.`, `.*`, `\|` and `|`.
fn grep(words: &[String], text: &str) -> Output {
    let mut flags = String::new();
    let (mut pattern, mut around) = (None, (0_usize, 0_usize));
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let number = |tail: &str, words: &mut core::slice::Iter<'_, String>| {
            let text = if tail.is_empty() {
                words.next().cloned().unwrap_or_default()
            } else {
                tail.to_owned()
            };
            text.parse().unwrap_or(0)
        };
        match word.as_str() {
            word if word.starts_with("-A") => around.1 = number(&word[2..], &mut words),
            word if word.starts_with("-B") => around.0 = number(&word[2..], &mut words),
            word if word.starts_with("-C") => {
                let count = number(&word[2..], &mut words);
                around = (count, count);
            }
            "-e" => pattern = words.next().cloned(),
            word if word.starts_with('-') && word.len() > 1 => {
                flags.push_str(word.trim_start_matches('-'))
            }
            _ => pattern = pattern.or_else(|| Some(word.clone())),
        }
    }
    let Some(pattern) = pattern else {
        return failed(2, "Usage: grep [OPTION]... PATTERNS [FILE]...\n".to_owned());
    };
    let fold = |text: &str| if flags.contains('i') { text.to_lowercase() } else { text.to_owned() };
    let pattern = fold(&pattern);
    let all: Vec<&str> = text.lines().collect();
    let hits: Vec<usize> = all
        .iter()
        .enumerate()
        .filter(|(_, line)| matches(&pattern, &fold(line)) != flags.contains('v'))
        .map(|(index, _)| index)
        .collect();
    let exit = i32::from(hits.is_empty());
    let mut output = if flags.contains('c') {
        said(format!("{}\n", hits.len()))
    } else if flags.contains('q') {
        Output::default()
    } else {
        let shown = |index: &usize| {
            hits.iter().any(|hit| *index + around.0 >= *hit && *index <= *hit + around.1)
        };
        lines(all.iter().enumerate().filter(|(index, _)| shown(index)).map(|(_, line)| *line))
    };
    output.exit = exit;
    output
}

/// Whether a line has the pattern in it.
fn matches(pattern: &str, line: &str) -> bool {
    pattern.replace("\\|", "|").split('|').any(|one| {
        let (one, at_start) = one.strip_prefix('^').map_or((one, false), |one| (one, true));
        let (one, at_end) = one.strip_suffix('$').map_or((one, false), |one| (one, true));
        let pattern: Vec<char> = one.chars().collect();
        let text: Vec<char> = line.chars().collect();
        let last = if at_start { 0 } else { text.len() };
        (0..=last).any(|from| here(&pattern, text.get(from..).unwrap_or_default(), at_end))
    })
}

fn here(pattern: &[char], text: &[char], at_end: bool) -> bool {
    match pattern {
        [] => !at_end || text.is_empty(),
        ['\\', letter, rest @ ..] => {
            text.first() == Some(letter) && here(rest, text.get(1..).unwrap_or_default(), at_end)
        }
        [letter, '*', rest @ ..] => {
            let same = |other: &char| *letter == '.' || other == letter;
            let most = text.iter().take_while(|other| same(other)).count();
            (0..=most).any(|skip| here(rest, text.get(skip..).unwrap_or_default(), at_end))
        }
        [letter, rest @ ..] => {
            let same = text.first().is_some_and(|other| *letter == '.' || other == letter);
            same && here(rest, text.get(1..).unwrap_or_default(), at_end)
        }
    }
}

fn head_or_tail(head: bool, words: &[String], text: &str) -> Output {
    let number = words.iter().find_map(|word| {
        word.trim_start_matches('-').trim_start_matches(['n', '=']).parse::<usize>().ok()
    });
    let from_start = words.iter().any(|word| word.contains('+'));
    let all: Vec<&str> = text.lines().collect();
    let count = number.unwrap_or(10);
    match head {
        true => lines(all.iter().take(count)),
        false if from_start => {
            let from = words
                .iter()
                .find_map(|word| word.split_once('+')?.1.parse::<usize>().ok())
                .unwrap_or(1);
            lines(all.iter().skip(from.saturating_sub(1)))
        }
        false => lines(all.iter().skip(all.len().saturating_sub(count))),
    }
}

fn count(words: &[String], text: &str) -> Output {
    let (lines, words_of, bytes) =
        (text.lines().count(), text.split_whitespace().count(), text.len());
    match letters(words).0.as_str() {
        "l" => said(format!("{lines}\n")),
        "w" => said(format!("{words_of}\n")),
        "c" | "m" => said(format!("{bytes}\n")),
        _ => said(format!("{lines:7} {words_of:7} {bytes:7}\n")),
    }
}

fn sort(words: &[String], text: &str) -> Output {
    let (flags, rest) = letters(words);
    let column: Option<usize> = flags
        .find('k')
        .and_then(|at| {
            flags
                .get(at + 1..)?
                .chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .ok()
        })
        .or_else(|| rest.first()?.parse().ok().filter(|_| flags.contains('k')));
    let key = |line: &str| match column {
        Some(column) => {
            line.split_whitespace().nth(column.saturating_sub(1)).unwrap_or_default().to_owned()
        }
        None => line.to_owned(),
    };
    let number = |text: &str| {
        text.trim()
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse::<u64>()
            .unwrap_or(0)
    };
    let mut all: Vec<&str> = text.lines().collect();
    if flags.contains('n') {
        order::sort_by_key(&mut all, |line| number(&key(line)));
    } else {
        order::sort_by_key(&mut all, |line| key(line));
    }
    if flags.contains('r') {
        all.reverse();
    }
    if flags.contains('u') {
        all.dedup();
    }
    lines(all.into_iter())
}

fn unique(words: &[String], text: &str) -> Output {
    let all: Vec<&str> = text.lines().collect();
    let counted = letters(words).0.contains('c');
    lines(all.chunk_by(|a, b| a == b).map(|group| {
        let line = group.first().copied().unwrap_or_default();
        if counted { format!("{:7} {line}", group.len()) } else { line.to_owned() }
    }))
}

fn cut(words: &[String], text: &str) -> Output {
    let (mut by, mut fields) = ('\t', Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = |prefix: &str| match word.strip_prefix(prefix) {
            Some("") => words.next().cloned(),
            tail => tail.map(str::to_owned),
        };
        if word.starts_with("-d") {
            by = value("-d").and_then(|text| text.chars().next()).unwrap_or(by);
        } else if word.starts_with("-f") {
            let list = value("-f").unwrap_or_default();
            fields = list.split(',').filter_map(|field| field.parse::<usize>().ok()).collect();
        }
    }
    lines(text.lines().map(|line| {
        let parts: Vec<&str> = line.split(by).collect();
        let chosen = fields.iter().filter_map(|field| parts.get(field.saturating_sub(1)).copied());
        chosen.collect::<Vec<_>>().join(&by.to_string())
    }))
}

fn translate(words: &[String], text: &str) -> Output {
    let set =
        |text: &str| text.replace("\\n", "\n").replace("\\t", "\t").chars().collect::<Vec<char>>();
    match words {
        [flag, from] if flag == "-d" => {
            let from = set(from);
            said(text.chars().filter(|letter| !from.contains(letter)).collect())
        }
        [flag, from] if flag == "-s" => {
            let from = set(from);
            let mut before = None;
            said(
                text.chars()
                    .filter(|letter| {
                        let repeated = before == Some(*letter) && from.contains(letter);
                        before = Some(*letter);
                        !repeated
                    })
                    .collect(),
            )
        }
        [from, to] => {
            let (from, to) = (set(from), set(to));
            said(
                text.chars()
                    .map(|letter| {
                        let place = from.iter().position(|other| *other == letter);
                        place
                            .and_then(|place| to.get(place).or(to.last()))
                            .copied()
                            .unwrap_or(letter)
                    })
                    .collect(),
            )
        }
        _ => failed(1, "tr: missing operand\n".to_owned()),
    }
}

/// `awk '{print $1, $3}'`, with `NR>1` or `/text/` in front.
fn awk(words: &[String], text: &str) -> Output {
    let Some(program) = words.iter().find(|word| word.contains('{')) else {
        return failed(2, "awk: this console's awk knows only '{print $1}'\n".to_owned());
    };
    let (condition, body) = program.split_once('{').unwrap_or(("", program));
    let body = body.trim_end_matches('}').trim();
    let Some(fields) = body.strip_prefix("print") else {
        return failed(2, "awk: this console's awk knows only '{print $1}'\n".to_owned());
    };
    let condition = condition.trim();
    let skip = condition
        .strip_prefix("NR>")
        .and_then(|count| count.trim().parse::<usize>().ok())
        .unwrap_or(0);
    let wanted = condition.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let chosen =
        text.lines().skip(skip).filter(|line| wanted.is_none_or(|pattern| matches(pattern, line)));
    lines(chosen.map(|line| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let field = |field: &str| match field.trim() {
            "" | "$0" => line.to_owned(),
            "$NF" => parts.last().copied().unwrap_or_default().to_owned(),
            field => {
                match field.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()) {
                    Some(number) => {
                        parts.get(number.saturating_sub(1)).copied().unwrap_or_default().to_owned()
                    }
                    None => field.trim_matches('"').to_owned(),
                }
            }
        };
        fields.split(',').map(field).collect::<Vec<_>>().join(" ")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_tools_do_what_they_do_elsewhere() {
        let text = "NAME READY\nweb-1 1/1\ndb-0 0/1\nweb-2 1/1\n";
        let cases = [
            ("grep web", "web-1 1/1\nweb-2 1/1\n"),
            ("grep -v ^web", "NAME READY\ndb-0 0/1\n"),
            ("grep -c 1/1$", "2\n"),
            ("grep -i 'name\\|db'", "NAME READY\ndb-0 0/1\n"),
            ("grep -A1 db", "db-0 0/1\nweb-2 1/1\n"),
            ("grep w.*2", "web-2 1/1\n"),
            ("head -2", "NAME READY\nweb-1 1/1\n"),
            ("head -n 1", "NAME READY\n"),
            ("tail -n1", "web-2 1/1\n"),
            ("tail -n +2", "web-1 1/1\ndb-0 0/1\nweb-2 1/1\n"),
            ("wc -l", "4\n"),
            ("sort", "NAME READY\ndb-0 0/1\nweb-1 1/1\nweb-2 1/1\n"),
            ("cut -d ' ' -f2", "READY\n1/1\n0/1\n1/1\n"),
            ("awk 'NR>1 {print $1}'", "web-1\ndb-0\nweb-2\n"),
        ];
        for (line, wanted) in cases {
            let words = shlex::split(line).unwrap();
            assert_eq!(run(&words[0], &words[1..], Some(text)).unwrap().stdout, wanted, "{line}");
        }
        assert_eq!(grep(&["nothing".to_owned()], text).exit, 1);
    }
}
