//! The small tools that make a text of texts: of files, or of standard input.
//!
//! They are the same in the console and in containers; who calls them says how to read a file.
//!
//! Reading order: this file, `count` (head, tail, wc), `sort` (and uniq), `cut` (and tr), `grep`,
//! `sed`, `awk`, `print`.

mod awk;
mod count;
mod cut;
mod grep;
mod print;
mod sed;
mod sort;

pub use print::{formatted, unescape};

use super::Output;

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
        "head" | "tail" => count::head_or_tail(name == "head", &words, &texts),
        "wc" => count::count(&words, &texts, dialect),
        "sort" => sort::sort(&words, &whole),
        "uniq" => sort::unique(&words, &whole),
        "cut" => cut::cut(&words, &whole),
        "tr" => cut::translate(&words, &whole),
        "sed" => sed::run(&words, &whole),
        "awk" => awk::run(&words, &whole),
        "base64" => cut::base64(&words, &whole),
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
