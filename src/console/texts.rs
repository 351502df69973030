//! Words of the shell that only make a text of texts: `seq`, `printf`, `test`, `basename`.

use super::{Output, failed, said};

/// `basename PATH [END]`, `dirname PATH`.
pub(super) fn part_of_path(name: &str, words: &[String]) -> Output {
    let Some(path) = words.first() else {
        return failed(1, format!("{name}: missing operand\n"));
    };
    let (folder, last) = path.rsplit_once('/').unwrap_or((".", path));
    let last = words.get(1).and_then(|end| last.strip_suffix(end.as_str())).unwrap_or(last);
    said(format!("{}\n", if name == "basename" { last } else { folder }))
}

/// `seq 3`, `seq 2 5`, `seq 1 2 9`.
pub(super) fn sequence(words: &[String]) -> Output {
    /// No more numbers than this.
    const MOST: usize = 100_000;
    let numbers: Option<Vec<i64>> = words.iter().map(|word| word.parse().ok()).collect();
    let (from, step, to) = match numbers.as_deref() {
        Some([to]) => (1, 1, *to),
        Some([from, to]) => (*from, 1, *to),
        Some([from, step, to]) if *step != 0 => (*from, *step, *to),
        _ => return failed(1, "seq: missing or invalid operand\n".to_owned()),
    };
    let mut text = String::new();
    let mut number = from;
    for _ in 0..MOST {
        if (step > 0 && number > to) || (step < 0 && number < to) {
            break;
        }
        text.push_str(&format!("{number}\n"));
        number = number.saturating_add(step);
    }
    said(text)
}

/// `printf '%s-%s\n' a b`: the format again for as long as there are words.
pub(super) fn print_formatted(words: &[String]) -> Output {
    let Some((format, rest)) = words.split_first() else {
        return failed(2, "bash: printf: usage: printf format [arguments]\n".to_owned());
    };
    let mut rest = rest.iter();
    let mut text = String::new();
    loop {
        let before = rest.len();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(other) => text.push(other),
                    None => text.push('\\'),
                },
                '%' => {
                    let mut width = String::new();
                    let kind = loop {
                        match letters.next() {
                            Some(sign) if sign.is_ascii_digit() || "-.".contains(sign) => {
                                width.push(sign);
                            }
                            other => break other,
                        }
                    };
                    match kind {
                        Some('%') | None => text.push('%'),
                        Some(_) => {
                            let word = rest.next().map(String::as_str).unwrap_or_default();
                            let count: usize = width.trim_start_matches('-').parse().unwrap_or(0);
                            text.push_str(&match width.starts_with('-') {
                                true => format!("{word:<count$}"),
                                false => format!("{word:>count$}"),
                            });
                        }
                    }
                }
                letter => text.push(letter),
            }
        }
        if rest.len() == 0 || rest.len() == before {
            return said(text);
        }
    }
}

/// `test`, `[`: texts and whole numbers.
pub(super) fn test(words: &[String]) -> Output {
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "]").collect();
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let holds = |words: &[&str]| match words {
        [] => false,
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [text] => !text.is_empty(),
        [a, "=" | "==", b] => a == b,
        [a, "!=", b] => a != b,
        [a, sign, b] => match (number(a), number(b)) {
            (Some(a), Some(b)) => match *sign {
                "-eq" => a == b,
                "-ne" => a != b,
                "-gt" => a > b,
                "-ge" => a >= b,
                "-lt" => a < b,
                "-le" => a <= b,
                _ => false,
            },
            _ => false,
        },
        _ => false,
    };
    let result = match words.split_first() {
        Some((&"!", rest)) => !holds(rest),
        _ => holds(&words),
    };
    Output { exit: i32::from(!result), ..Output::default() }
}
