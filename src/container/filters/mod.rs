//! The small tools that make a text of texts: of files, or of standard input.
//!
//! They are the same in the console and in containers; who calls them says how to read a file.
//!
//! Reading order: this file, `pattern` (regular expressions), `grep`, `sed`, `awk`, `print`.

mod awk;
mod grep;
mod print;
mod sed;

pub use print::{formatted, unescape};

use super::Output;
use crate::base::order;

/// How a tool gets at a file.
pub type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

fn said(stdout: String) -> Output {
    Output { stdout, ..Output::default() }
}

fn failed(exit: i32, stderr: String) -> Output {
    Output { stderr, exit, ..Output::default() }
}

/// How the tools speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// GNU's.
    Gnu,
    /// busybox'.
    Busybox,
}

/// Runs one of the small tools; `None` if the word names none of them.
pub fn run(
    name: &str,
    words: &[String],
    dialect: Dialect,
    read: Read<'_>,
    stdin: Option<&str>,
) -> Option<Output> {
    match name {
        "echo" => return Some(echo(words)),
        "true" | ":" => return Some(Output::default()),
        "false" => return Some(failed(1, String::new())),
        "grep" | "egrep" | "fgrep" => return Some(grep::run(name, words, read, stdin)),
        _ => {}
    }
    let (words, files) = operands(name, words);
    let mut complaints = String::new();
    let mut texts: Vec<(&str, String)> = Vec::new();
    for file in &files {
        let text = if file == "-" { stdin.map(str::to_owned) } else { read(file) };
        match text {
            Some(text) => texts.push((file, text)),
            None => complaints.push_str(&not_there(name, file, dialect)),
        }
    }
    if files.is_empty() {
        texts.push(("", stdin.unwrap_or_default().to_owned()));
    }
    let whole: String = texts.iter().map(|(_, text)| text.as_str()).collect();
    let mut output = match name {
        "head" | "tail" => head_or_tail(name == "head", &words, &texts),
        "wc" => count(&words, &texts, dialect),
        "sort" => sort(&words, &whole),
        "uniq" => unique(&words, &whole),
        "cut" => cut(&words, &whole),
        "tr" => translate(&words, &whole),
        "sed" => sed::run(&words, &whole),
        "awk" => awk::run(&words, &whole),
        "base64" => base64(&words, &whole),
        _ => return None,
    };
    if !complaints.is_empty() {
        output.stderr.insert_str(0, &complaints);
        output.exit = if name == "sed" || name == "awk" { 2 } else { 1 };
        if texts.is_empty() {
            output.stdout.clear();
        }
    }
    Some(output)
}

fn not_there(name: &str, file: &str, dialect: Dialect) -> String {
    let before = match (dialect, name) {
        (Dialect::Gnu, "head" | "tail") => format!("cannot open '{file}' for reading"),
        (Dialect::Gnu, "sort") => format!("cannot read: {file}"),
        (Dialect::Gnu, "sed") => format!("can't read {file}"),
        (Dialect::Busybox, "sort" | "uniq" | "awk") => format!("can't open '{file}'"),
        _ => file.to_owned(),
    };
    format!("{name}: {before}: No such file or directory\n")
}

/// The letters of flags that a value follows.
pub fn with_value(name: &str) -> &'static str {
    match name {
        "grep" | "egrep" | "fgrep" => "eABCm",
        "head" | "tail" => "nc",
        "sort" => "kt",
        "cut" => "dfc",
        "sed" => "e",
        "awk" => "Fv",
        "base64" => "w",
        _ => "",
    }
}

/// Whether a flag gives grep or sed its pattern, so that no other word does.
pub fn names_pattern(words: &[String]) -> bool {
    words.iter().any(|it| it.starts_with('-') && !it.starts_with("--") && it.ends_with('e'))
}

/// Parts the words of a tool into its own and the names of files.
fn operands(name: &str, words: &[String]) -> (Vec<String>, Vec<String>) {
    // How many words that are no flags are the tool's own.
    let mut own = match name {
        "tr" => return (words.to_vec(), Vec::new()),
        "sed" => usize::from(!names_pattern(words)),
        "awk" => 1,
        _ => 0,
    };
    let (mut mine, mut files) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let flag = word.strip_prefix('-').filter(|it| !it.is_empty());
        if let Some(flag) = flag {
            mine.push(word.clone());
            if flag.chars().next_back().is_some_and(|last| with_value(name).contains(last))
                && !flag.starts_with('-')
                && (flag.len() == 1 || name == "sed" || name == "sort")
            {
                mine.extend(words.next().cloned());
            }
        } else if own > 0 {
            own -= 1;
            mine.push(word.clone());
        } else {
            files.push(word.clone());
        }
    }
    (mine, files)
}

/// The value of a flag of one letter, glued to it or after it.
fn value(words: &[String], letter: char) -> Option<&str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(flags) = word.strip_prefix('-').filter(|it| !it.starts_with('-')) else {
            continue;
        };
        if let Some((_, glued)) = flags.split_once(letter) {
            return if glued.is_empty() { words.next().map(String::as_str) } else { Some(glued) };
        }
    }
    None
}

/// Lines, each with its end.
fn lines<'a>(all: impl IntoIterator<Item = &'a str>) -> Output {
    let mut text = String::new();
    for line in all {
        text.push_str(line);
        text.push('\n');
    }
    said(text)
}

/// The letters of the flags.
fn letters(words: &[String]) -> String {
    words.iter().filter_map(|word| word.strip_prefix('-')).collect()
}

/// Encodes, in lines of 76 letters unless `-w` says otherwise, or decodes with `-d`.
fn base64(words: &[String], text: &str) -> Output {
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

fn echo(words: &[String]) -> Output {
    let mut words = words;
    let (mut ends, mut escapes) = (true, false);
    while let Some((first, rest)) = words.split_first() {
        let flags = first.strip_prefix('-').filter(|it| !it.is_empty());
        if flags.is_none_or(|it| !it.chars().all(|it| matches!(it, 'n' | 'e' | 'E'))) {
            break;
        }
        ends &= !first.contains('n');
        escapes |= first.contains('e');
        words = rest;
    }
    let text = words.join(" ");
    let (mut text, cut) = if escapes { unescape(&text) } else { (text, false) };
    if ends && !cut {
        text.push('\n');
    }
    said(text)
}

fn head_or_tail(is_head: bool, words: &[String], texts: &[(&str, String)]) -> Output {
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

fn count(words: &[String], texts: &[(&str, String)], dialect: Dialect) -> Output {
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
fn sort(words: &[String], text: &str) -> Output {
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

fn unique(words: &[String], text: &str) -> Output {
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

/// `cut -d: -f1,3-`, `cut -c1-9`.
fn cut(words: &[String], text: &str) -> Output {
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
fn translate(words: &[String], text: &str) -> Output {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(line: &str, stdin: &str) -> Output {
        let read = |path: &str| match path {
            "a.yaml" => Some("image: nginx\nkind: Pod\n".to_owned()),
            "b.yaml" => Some("kind: Service\n".to_owned()),
            _ => None,
        };
        let words = shlex::split(line).unwrap();
        run(&words[0], &words[1..], Dialect::Gnu, &read, Some(stdin)).unwrap()
    }

    #[test]
    fn the_small_tools_do_what_they_do_elsewhere() {
        let text = "NAME READY\nweb-1 1/1\ndb-0 0/1\nweb-2 1/1\n";
        let cases = [
            ("grep web", "web-1 1/1\nweb-2 1/1\n"),
            ("grep -v ^web", "NAME READY\ndb-0 0/1\n"),
            ("grep -c 1/1$", "2\n"),
            ("grep -i 'name\\|db'", "NAME READY\ndb-0 0/1\n"),
            ("grep -A1 db", "db-0 0/1\nweb-2 1/1\n"),
            ("grep -B1 -n db", "2-web-1 1/1\n3:db-0 0/1\n"),
            ("grep -A0 -E 'web-(1|2)'", "web-1 1/1\nweb-2 1/1\n"),
            ("grep w.*2", "web-2 1/1\n"),
            ("grep -oE '[0-9]/1'", "1/1\n0/1\n1/1\n"),
            ("grep -w web", "web-1 1/1\nweb-2 1/1\n"),
            ("grep -x web", ""),
            ("grep -e db -e NAME", "NAME READY\ndb-0 0/1\n"),
            ("grep -F 1/1 -m1", "web-1 1/1\n"),
            ("head -2", "NAME READY\nweb-1 1/1\n"),
            ("head -n 1", "NAME READY\n"),
            ("head -n -3", "NAME READY\n"),
            ("head -c 4", "NAME"),
            ("tail -n1", "web-2 1/1\n"),
            ("tail -n +2", "web-1 1/1\ndb-0 0/1\nweb-2 1/1\n"),
            ("wc -l", "4\n"),
            ("wc", "      4       8      40\n"),
            ("sort", "NAME READY\ndb-0 0/1\nweb-1 1/1\nweb-2 1/1\n"),
            ("sort -k2,2 -r", "NAME READY\nweb-2 1/1\nweb-1 1/1\ndb-0 0/1\n"),
            ("cut -d ' ' -f2", "READY\n1/1\n0/1\n1/1\n"),
            ("cut -c1-3", "NAM\nweb\ndb-\nweb\n"),
            ("tr a-z A-Z", "NAME READY\nWEB-1 1/1\nDB-0 0/1\nWEB-2 1/1\n"),
            ("tr -dc '0-9\\n'", "\n111\n001\n211\n"),
            ("awk 'NR>1 {print $1}'", "web-1\ndb-0\nweb-2\n"),
        ];
        for (line, wanted) in cases {
            assert_eq!(tool(line, text).stdout, wanted, "{line}");
        }
        assert_eq!(tool("grep nothing", text).exit, 1);
        assert_eq!(tool("sort -n", "10\n9\n-1\n1.5\n").stdout, "-1\n1.5\n9\n10\n");
        assert_eq!(tool("sort -t: -k2n", "a:10\nb:9\n").stdout, "b:9\na:10\n");
        assert_eq!(tool("uniq -c", "a\na\nb\n").stdout, "      2 a\n      1 b\n");
        assert_eq!(tool("tr -s ' '", "a   b\n").stdout, "a b\n");
    }

    #[test]
    fn the_small_tools_read_files() {
        let cases = [
            ("grep image a.yaml", "image: nginx\n", ""),
            ("grep -n kind: a.yaml b.yaml", "a.yaml:2:kind: Pod\nb.yaml:1:kind: Service\n", ""),
            ("grep -l Pod a.yaml b.yaml", "a.yaml\n", ""),
            ("grep -o 'k.*:' b.yaml", "kind:\n", ""),
            ("wc -l a.yaml", "2 a.yaml\n", ""),
            ("wc a.yaml b.yaml", " 2  4 23 a.yaml\n 1  2 14 b.yaml\n 3  6 37 total\n", ""),
            ("head -1 a.yaml", "image: nginx\n", ""),
            ("sed 's/nginx/httpd/; s/Pod/Job/' a.yaml", "image: httpd\nkind: Job\n", ""),
            ("sed -n 2p a.yaml", "kind: Pod\n", ""),
            ("cut -d: -f1 a.yaml", "image\nkind\n", ""),
            ("awk -F: '{print $1 \"=\" $2}' b.yaml", "kind= Service\n", ""),
            ("sort nothing", "", "sort: cannot read: nothing: No such file or directory\n"),
            ("wc -l x b.yaml", "1 b.yaml\n", "wc: x: No such file or directory\n"),
        ];
        for (line, stdout, stderr) in cases {
            let output = tool(line, "");
            let said = (output.stdout.as_str(), output.stderr.as_str());
            assert_eq!(said, (stdout, stderr), "{line}");
        }
    }
}
