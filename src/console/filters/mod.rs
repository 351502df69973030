//! The small tools that read standard input.

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
        "awk" => awk(&words, &whole),
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

fn count(words: &[String], texts: &[(&str, &str)]) -> Output {
    let (flags, _) = letters(words);
    let is_wanted = |letter: char| flags.is_empty() || flags.contains(letter);
    // Alone, and of standard input, one number stands without blanks.
    let is_short = flags.len() == 1 || texts.iter().all(|(name, _)| !name.is_empty());
    let line = |text: [usize; 3], name: &str| {
        let shown = [('l', text[0]), ('w', text[1]), ('c', text[2])]
            .into_iter()
            .filter(|(letter, _)| is_wanted(*letter) || (*letter == 'c' && flags.contains('m')));
        let number = |(_, count): (char, usize)| match is_short {
            true => count.to_string(),
            false => format!("{count:7}"),
        };
        let mut cells: Vec<String> = shown.map(number).collect();
        if !name.is_empty() {
            cells.push(name.to_owned());
        }
        cells.join(" ") + "\n"
    };
    let mut total = [0, 0, 0];
    let mut out = String::new();
    for (name, text) in texts {
        let counts = [text.matches('\n').count(), text.split_whitespace().count(), text.len()];
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        out.push_str(&line(counts, name));
    }
    if texts.len() > 1 {
        out.push_str(&line(total, "total"));
    }
    said(out)
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
    let set = |text: &str| {
        let letters: Vec<char> = text
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .trim_matches(['[', ']'])
            .chars()
            .collect();
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
    };
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
    let chosen = text
        .lines()
        .skip(skip)
        .filter(|line| wanted.is_none_or(|pattern| grep::matches(pattern, line)));
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
