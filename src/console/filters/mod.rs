//! The small tools that read standard input.

mod awk;
mod grep;
mod sed;

use super::{Output, failed, said};
use crate::base::order;

/// How a tool gets at a file.
pub(super) type Read<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// The names of the tools.
pub(super) const NAMES: [&str; 14] = [
    "grep", "egrep", "head", "tail", "wc", "sort", "uniq", "cut", "tr", "sed", "awk", "base64",
    "echo", "true",
];

/// Runs one of the small tools; `None` if the word names none of them.
pub(super) fn run(
    name: &str,
    words: &[String],
    read: Read<'_>,
    stdin: Option<&str>,
) -> Option<Output> {
    match name {
        "echo" => return Some(echo(words)),
        "true" | ":" => return Some(Output::default()),
        "false" => return Some(failed(1, String::new())),
        "grep" | "egrep" => return Some(grep::run(words, read, stdin)),
        _ => {}
    }
    let (words, files) = operands(name, words, read);
    let mut missing = Output::default();
    let mut texts: Vec<(&str, &str)> = Vec::new();
    for file in &files {
        match read(file) {
            Some(text) => texts.push((file, text)),
            None => missing.complain(&not_there(name, file)),
        }
    }
    if files.is_empty() {
        texts.push(("", stdin.unwrap_or_default()));
    }
    let whole: String = texts.iter().map(|(_, text)| *text).collect();
    let output = match name {
        "head" | "tail" => head_or_tail(name == "head", &words, &whole),
        "wc" => count(&words, &texts),
        "sort" => sort(&words, &whole),
        "uniq" => unique(&words, &whole),
        "cut" => cut(&words, &whole),
        "tr" => translate(&words, &whole),
        "sed" => sed::run(&words, &whole),
        "awk" => awk::run(&words, &whole),
        "base64" => base64(&words, &whole),
        _ => return None,
    };
    if !missing.stderr.is_empty() {
        missing.append(output);
        missing.exit = 1;
        return Some(missing);
    }
    Some(output)
}

fn not_there(name: &str, file: &str) -> String {
    match name {
        "head" | "tail" => {
            format!("{name}: cannot open '{file}' for reading: No such file or directory\n")
        }
        "sort" => format!("sort: cannot read: {file}: No such file or directory\n"),
        "sed" => format!("sed: can't read {file}: No such file or directory\n"),
        _ => format!("{name}: {file}: No such file or directory\n"),
    }
}

/// Parts the words of a tool into its own and the names of files.
fn operands<'a>(name: &str, words: &'a [String], read: Read<'_>) -> (Vec<String>, Vec<&'a str>) {
    // How many words that are no flags are the tool's own.
    let mut own = match name {
        "tr" => return (words.to_vec(), Vec::new()),
        "sed" | "awk" => usize::from(!words.iter().any(|word| word == "-e")),
        _ => 0,
    };
    let with_value: &[&str] = match name {
        "head" | "tail" => &["-n", "-c"],
        "sort" => &["-k", "-t"],
        "cut" => &["-d", "-f", "-c"],
        "sed" => &["-e"],
        "awk" => &["-F", "-v"],
        "base64" => &["-w"],
        _ => &[],
    };
    let (mut mine, mut files) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.starts_with('-') && word.len() > 1 {
            mine.push(word.clone());
            if with_value.contains(&word.as_str()) {
                mine.extend(words.next().cloned());
            }
        } else if own > 0 {
            own -= 1;
            mine.push(word.clone());
        } else if word.starts_with('+') && read(word).is_none() {
            mine.push(word.clone());
        } else if word != "-" {
            files.push(word.as_str());
        }
    }
    (mine, files)
}

/// Whether a tool makes of each line what it makes of it alone, so that it need not wait for all.
pub(super) fn goes_by_line(words: &[String]) -> bool {
    let Some((name, rest)) = words.split_first() else { return false };
    let has = |letters: &str| {
        rest.iter().any(|word| word.starts_with('-') && word.contains(|c| letters.contains(c)))
    };
    match name.as_str() {
        "grep" | "egrep" => !has("cqnABC"),
        "cut" | "tr" => true,
        "sed" => !has("n"),
        "awk" => !rest.iter().any(|word| word.contains("NR") || word.contains("END")),
        _ => false,
    }
}

/// Lines, each with its end.
fn lines(all: &[&str]) -> Output {
    let mut text = String::new();
    for line in all {
        text.push_str(line);
        text.push('\n');
    }
    said(text)
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
    let mut text = String::new();
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(76).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    said(text)
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

fn head_or_tail(head: bool, words: &[String], text: &str) -> Output {
    let (mut count, mut from_start) = (10, false);
    for word in words {
        if let Ok(number) = word.trim_start_matches(['-', 'n', '=', '+']).parse::<usize>() {
            (count, from_start) = (number, word.contains('+'));
        }
    }
    let all: Vec<&str> = text.lines().collect();
    let (from, to) = match (head, from_start) {
        (true, _) => (0, count.min(all.len())),
        (false, true) => (count.saturating_sub(1).min(all.len()), all.len()),
        (false, false) => (all.len().saturating_sub(count), all.len()),
    };
    lines(all.get(from..to).unwrap_or_default())
}

fn count(words: &[String], texts: &[(&str, &str)]) -> Output {
    let (flags, _) = letters(words);
    // Alone, and of standard input, one number stands without blanks.
    let is_short = flags.len() == 1 || texts.iter().all(|(name, _)| !name.is_empty());
    let line = |counts: [usize; 3], name: &str, out: &mut String| {
        let mut gap = "";
        for (letter, count) in ['l', 'w', 'c'].into_iter().zip(counts) {
            let is_bytes = letter == 'c' && flags.contains('m');
            if flags.is_empty() || flags.contains(letter) || is_bytes {
                let width = if is_short { 0 } else { 7 };
                out.push_str(&format!("{gap}{count:width$}"));
                gap = " ";
            }
        }
        if !name.is_empty() {
            out.push_str(&format!("{gap}{name}"));
        }
        out.push('\n');
    };
    let mut total = [0, 0, 0];
    let mut out = String::new();
    for (name, text) in texts {
        let counts = [text.matches('\n').count(), text.split_whitespace().count(), text.len()];
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

/// The number that a text begins with, 0 for none.
fn leading_number(text: &str) -> u64 {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn sort(words: &[String], text: &str) -> Output {
    let (flags, rest) = letters(words);
    let column = flags.split_once('k').map(|(_, after)| match leading_number(after) {
        0 => rest.first().map_or(0, |word| leading_number(word)),
        number => number,
    });
    let key = |line: &str| {
        let column = column.and_then(|column| usize::try_from(column).ok());
        let text = match column {
            Some(column) => line.split_whitespace().nth(column.saturating_sub(1)),
            None => Some(line),
        };
        let text = text.unwrap_or_default();
        let number = if flags.contains('n') { leading_number(text) } else { 0 };
        (number, if flags.contains('n') { String::new() } else { text.to_owned() })
    };
    let mut all: Vec<&str> = text.lines().collect();
    order::sort_by_key(&mut all, |line| key(line));
    if flags.contains('r') {
        all.reverse();
    }
    if flags.contains('u') {
        all.dedup();
    }
    lines(&all)
}

fn unique(words: &[String], text: &str) -> Output {
    let counted = letters(words).0.contains('c');
    let mut out = String::new();
    let mut rest = text.lines().peekable();
    while let Some(line) = rest.next() {
        let mut count = 1;
        while rest.next_if_eq(&line).is_some() {
            count += 1;
        }
        match counted {
            true => out.push_str(&format!("{count:7} {line}\n")),
            false => out.push_str(&format!("{line}\n")),
        }
    }
    said(out)
}

fn cut(words: &[String], text: &str) -> Output {
    let (mut by, mut fields) = ("\t".to_owned(), String::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (flag, glued) = word.split_at_checked(2).unwrap_or((word, ""));
        let value = if glued.is_empty() { words.next().cloned() } else { Some(glued.to_owned()) };
        match flag {
            "-d" => by = value.unwrap_or(by),
            "-f" => fields = value.unwrap_or_default(),
            _ => {}
        }
    }
    let mut out = String::new();
    for line in text.lines() {
        let mut gap = "";
        for field in fields.split(',') {
            let (from, to) = field.split_once('-').unwrap_or((field, field));
            let from = leading_number(from).max(1);
            let to = if to.is_empty() { u64::MAX } else { leading_number(to) };
            for (at, part) in (1_u64..).zip(line.split(by.as_str())) {
                if from <= at && at <= to {
                    out.push_str(gap);
                    out.push_str(part);
                    gap = &by;
                }
            }
        }
        out.push('\n');
    }
    said(out)
}

/// The letters of a set such as `a-z` or `[:upper:]`.
fn set(text: &str) -> Vec<char> {
    let text = match text {
        "[:lower:]" => "a-z",
        "[:upper:]" => "A-Z",
        "[:digit:]" => "0-9",
        "[:space:]" => " \\n\\t",
        text => text,
    };
    let letters: Vec<char> = text.replace("\\n", "\n").replace("\\t", "\t").chars().collect();
    let mut all = Vec::new();
    let mut rest = letters.as_slice();
    while let [first, after @ ..] = rest {
        match after {
            ['-', last, more @ ..] => {
                all.extend(*first..=*last);
                rest = more;
            }
            _ => {
                all.push(*first);
                rest = after;
            }
        }
    }
    all
}

fn translate(words: &[String], text: &str) -> Output {
    let (flag, from, to) = match words {
        [flag, from] if flag == "-d" || flag == "-s" => (flag.as_str(), from, ""),
        [from, to] => ("", from, to.as_str()),
        _ => return failed(1, "tr: missing operand\n".to_owned()),
    };
    let (from, to) = (set(from), set(to));
    let mut out = String::new();
    let mut before = None;
    for letter in text.chars() {
        let place = from.iter().position(|other| *other == letter);
        match (flag, place) {
            ("-d", Some(_)) => continue,
            ("-s", Some(_)) if before == Some(letter) => continue,
            ("", Some(place)) => out.push(*to.get(place).or(to.last()).unwrap_or(&letter)),
            _ => out.push(letter),
        }
        before = Some(letter);
    }
    said(out)
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
            let none = |_: &str| None;
            let output = run(&words[0], &words[1..], &none, Some(text)).unwrap();
            assert_eq!(output.stdout, wanted, "{line}");
        }
        let nothing = run("grep", &["nothing".to_owned()], &|_| None, Some(text));
        assert_eq!(nothing.map(|output| output.exit), Some(1));
    }

    #[test]
    fn the_small_tools_read_files() {
        let read = |path: &str| match path {
            "a.yaml" => Some("image: nginx\nkind: Pod\n"),
            "b.yaml" => Some("kind: Service\n"),
            _ => None,
        };
        let cases = [
            ("grep image a.yaml", "image: nginx\n", ""),
            ("grep -n kind: a.yaml b.yaml", "a.yaml:2:kind: Pod\nb.yaml:1:kind: Service\n", ""),
            ("grep -o 'k.*:' b.yaml", "kind:\n", ""),
            ("wc -l a.yaml", "2 a.yaml\n", ""),
            ("head -1 a.yaml", "image: nginx\n", ""),
            ("sed 's/nginx/httpd/; s/Pod/Job/' a.yaml", "image: httpd\nkind: Job\n", ""),
            ("sed -n 2p a.yaml", "kind: Pod\n", ""),
            ("cut -d: -f1 a.yaml", "image\nkind\n", ""),
            ("awk -F: '{print $1 \"=\" $2}' b.yaml", "kind= Service\n", ""),
            ("sort nothing", "", "sort: cannot read: nothing: No such file or directory\n"),
        ];
        for (line, stdout, stderr) in cases {
            let words = shlex::split(line).unwrap();
            let output = run(&words[0], &words[1..], &read, None).unwrap();
            assert_eq!(
                (output.stdout.as_str(), output.stderr.as_str()),
                (stdout, stderr),
                "{line}"
            );
        }
    }
}
