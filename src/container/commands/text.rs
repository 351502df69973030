//! Programs for text.

use super::super::Output;
use super::super::filters::{self, Dialect, unescape};
use super::{Call, Ran};

pub(super) fn run(call: &mut Call<'_, '_>) -> Ran {
    match call.name {
        "echo" => echo(call),
        "printf" => print_formatted(call),
        "tail" if follows(call) => tail_follow(call),
        "sed" => sed(call),
        "seq" => sequence(call),
        "expr" => expression(call),
        "basename" | "dirname" => name_of(call),
        "tac" => {
            let text = input(call, 0).unwrap_or_default();
            text.lines().rev().for_each(|line| call.say(line));
            Ran::Done(0)
        }
        "yes" => Ran::Forever,
        "diff" => diff(call),
        "md5sum" | "sha256sum" => {
            let Ok(text) = input(call, 0) else { return Ran::Done(1) };
            let digits = if call.name == "md5sum" { 2 } else { 4 };
            let hash: String = (0..digits)
                .map(|part| format!("{:016x}", crate::base::names::fnv64a(part, text.as_bytes())))
                .collect();
            let name = call.arguments.first().map_or("-", String::as_str).to_owned();
            call.say(format!("{hash}  {name}"));
            Ran::Done(0)
        }
        _ => filter(call),
    }
}

/// Whether a program reads standard input, because no file is named.
pub(in crate::container) fn reads_input(name: &str, arguments: &[String]) -> bool {
    let is_patterned = matches!(name, "grep" | "egrep" | "fgrep" | "sed" | "awk");
    match name {
        "cat" | "head" | "tail" | "wc" | "sort" | "uniq" | "tac" | "cut" | "base64" | "md5sum"
        | "sha256sum" | "grep" | "egrep" | "fgrep" | "sed" | "awk" => {
            let (_, words) = super::flags(arguments, filters::with_value(name));
            let is_named = name != "awk" && filters::names_pattern(arguments);
            let skip = usize::from(is_patterned && !is_named);
            words.get(skip).is_none_or(|file| file == "-")
        }
        "tee" | "tr" | "xargs" | "sh" | "bash" | "ash" | "dash" => true,
        _ => false,
    }
}

/// The text of the files that are named behind the first `skip` words, or standard input.
fn input(call: &mut Call<'_, '_>, skip: usize) -> Result<String, ()> {
    let (_, words) = call.flags(filters::with_value(call.name));
    let paths: Vec<String> = words.into_iter().skip(skip).filter(|path| path != "-").collect();
    if paths.is_empty() {
        return Ok(call.input.to_owned());
    }
    let mut text = String::new();
    let mut failed = false;
    for path in &paths {
        let whole = call.whole(path);
        match call.view().text(&whole) {
            Some(own) => text.push_str(&own),
            None => {
                failed = true;
                let line = match (call.is_busybox(), call.name) {
                    (true, "grep" | "egrep" | "head" | "tail") | (false, "grep" | "egrep") => {
                        format!("{path}: No such file or directory")
                    }
                    (true, _) => format!("can't open '{path}': No such file or directory"),
                    (false, "head" | "tail") => {
                        format!("cannot open '{path}' for reading: No such file or directory")
                    }
                    (false, _) => format!("{path}: No such file or directory"),
                };
                call.warn(line);
            }
        }
    }
    if failed && text.is_empty() { Err(()) } else { Ok(text) }
}

/// Tools that the console has too.
fn filter(call: &mut Call<'_, '_>) -> Ran {
    let Some(output) = tool(call, call.name, call.arguments, call.input) else {
        return Ran::Unknown;
    };
    call.stdout.push_str(&output.stdout);
    call.stderr.push_str(&output.stderr);
    Ran::Done(output.exit)
}

fn tool(call: &Call<'_, '_>, name: &str, words: &[String], input: &str) -> Option<Output> {
    let dialect = if call.is_busybox() { Dialect::Busybox } else { Dialect::Gnu };
    let view = call.view();
    let read = |path: &str| view.text(&call.whole(path)).map(|text| text.to_string());
    filters::run(name, words, dialect, &read, Some(input))
}

fn follows(call: &Call<'_, '_>) -> bool {
    call.arguments
        .iter()
        .any(|it| it.starts_with("--follow") || it.starts_with('-') && it.contains(['f', 'F']))
}

/// `tail -f FILE`, `tail -n+1 -F FILE`.
fn tail_follow(call: &mut Call<'_, '_>) -> Ran {
    let (_, paths) = call.flags("n");
    let Some(path) = paths.iter().find(|path| !path.starts_with('+')).cloned() else {
        return Ran::Forever;
    };
    let whole = call.whole(&path);
    let by_name = call.arguments.iter().any(|it| it.contains('F') && it.starts_with('-'));
    let Some(text) = call.view().text(&whole) else {
        let line = match call.is_busybox() {
            true => format!("{path}: No such file or directory"),
            false => format!("cannot open '{path}' for reading: No such file or directory"),
        };
        call.warn(line);
        if by_name {
            return Ran::Follows(whole, 0);
        }
        if call.is_busybox() {
            call.warn("no files");
        } else {
            call.warn("no files remaining");
        }
        return Ran::Done(1);
    };
    let words: Vec<String> = call
        .arguments
        .iter()
        .filter(|word| **word != path && !matches!(word.as_str(), "-f" | "-F" | "-follow"))
        .map(|word| word.replace(['f', 'F'], ""))
        .collect();
    if let Some(output) = tool(call, "tail", &words, &text) {
        call.stdout.push_str(&output.stdout);
    }
    match whole.as_str() {
        "/dev/null" => Ran::Forever,
        _ => Ran::Follows(whole, text.len()),
    }
}

fn echo(call: &mut Call<'_, '_>) -> Ran {
    let mut words = call.arguments;
    // dash's echo always looks at backslashes, and knows no -e.
    let (mut ends, mut escapes) = (true, call.is_dash);
    while let Some((first, rest)) = words.split_first() {
        let is_flag = first.len() > 1
            && first.starts_with('-')
            && first
                .chars()
                .skip(1)
                .all(|it| it == 'n' || !call.is_dash && matches!(it, 'e' | 'E'));
        if !is_flag {
            break;
        }
        ends &= !first.contains('n');
        escapes |= first.contains('e');
        words = rest;
    }
    let text = words.join(" ");
    let (text, cut) = if escapes { unescape(&text) } else { (text, false) };
    call.stdout.push_str(&text);
    if ends && !cut {
        call.stdout.push('\n');
    }
    Ran::Done(0)
}

fn print_formatted(call: &mut Call<'_, '_>) -> Ran {
    if call.arguments.is_empty() {
        return Ran::Done(2);
    }
    call.stdout.push_str(&filters::formatted(call.arguments));
    Ran::Done(0)
}

/// `sed`; with `-i` each file is put in the place of itself.
fn sed(call: &mut Call<'_, '_>) -> Ran {
    let in_place = |word: &String| word.starts_with("-i") || word.starts_with("--in-place");
    if !call.arguments.iter().any(in_place) {
        return filter(call);
    }
    let words: Vec<String> = call.arguments.iter().filter(|it| !in_place(it)).cloned().collect();
    let (_, mut files) = super::flags(&words, filters::with_value(call.name));
    if !filters::names_pattern(&words) && !files.is_empty() {
        files.remove(0);
    }
    let mine: Vec<String> = words.into_iter().filter(|it| !files.contains(it)).collect();
    let mut status = 0;
    for path in &files {
        let whole = call.whole(path);
        let Some(text) = call.view().text(&whole) else {
            call.warn(format!("{path}: No such file or directory"));
            status = 1;
            continue;
        };
        let Some(output) = tool(call, "sed", &mine, &text) else { return Ran::Unknown };
        if output.exit != 0 {
            call.stderr.push_str(&output.stderr);
            return Ran::Done(output.exit);
        }
        if let Err(why) = call.ground.files.write(&whole, &output.stdout, false) {
            call.warn(format!("{path}: {why}"));
            status = 1;
        }
    }
    Ran::Done(status)
}

/// `seq` prints no more numbers than this.
const MOST_NUMBERS: u32 = 100_000;

fn sequence(call: &mut Call<'_, '_>) -> Ran {
    let numbers: Vec<i64> = call.arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => return Ran::Done(1),
    };
    let mut number = first;
    for _ in 0..MOST_NUMBERS {
        if step > 0 && number > last || step < 0 && number < last {
            break;
        }
        call.say(number.to_string());
        number = number.saturating_add(step);
    }
    Ran::Done(0)
}

fn expression(call: &mut Call<'_, '_>) -> Ran {
    let words: Vec<&str> = call.arguments.iter().map(String::as_str).collect();
    let value = match words.as_slice() {
        [left, sign, right] => {
            let numbers = left.parse::<i64>().ok().zip(right.parse::<i64>().ok());
            match (*sign, numbers) {
                ("+", Some((a, b))) => a.wrapping_add(b).to_string(),
                ("-", Some((a, b))) => a.wrapping_sub(b).to_string(),
                ("*", Some((a, b))) => a.wrapping_mul(b).to_string(),
                ("/", Some((a, b))) if b != 0 => a.wrapping_div(b).to_string(),
                ("%", Some((a, b))) if b != 0 => a.wrapping_rem(b).to_string(),
                ("=", _) => i32::from(left == right).to_string(),
                ("!=", _) => i32::from(left != right).to_string(),
                ("<", Some((a, b))) => i32::from(a < b).to_string(),
                (">", Some((a, b))) => i32::from(a > b).to_string(),
                _ => {
                    call.warn("syntax error");
                    return Ran::Done(2);
                }
            }
        }
        [one] => (*one).to_owned(),
        _ => {
            call.warn("syntax error");
            return Ran::Done(2);
        }
    };
    let status = i32::from(matches!(value.as_str(), "0" | ""));
    call.say(value);
    Ran::Done(status)
}

fn name_of(call: &mut Call<'_, '_>) -> Ran {
    let Some(path) = call.arguments.first().cloned() else { return Ran::Done(1) };
    let path = path.trim_end_matches('/');
    let text = match (call.name, path.rsplit_once('/')) {
        ("basename", Some((_, name))) => name,
        ("basename", None) => path,
        (_, Some(("", _))) => "/",
        (_, Some((folder, _))) => folder,
        (_, None) => ".",
    };
    let suffix = call.arguments.get(1).filter(|_| call.name == "basename");
    let text = suffix.and_then(|suffix| text.strip_suffix(suffix.as_str())).unwrap_or(text);
    call.say(text);
    Ran::Done(0)
}

/// Whether two files are the same.
// Simplified: what differs is not shown.
fn diff(call: &mut Call<'_, '_>) -> Ran {
    let (_, paths) = call.flags("");
    let texts: Vec<_> = paths.iter().map(|path| call.view().text(&call.whole(path))).collect();
    match texts.as_slice() {
        [Some(a), Some(b)] if a == b => Ran::Done(0),
        [Some(_), Some(_)] => {
            call.say(format!("Files {} differ", paths.join(" and ")));
            Ran::Done(1)
        }
        _ => Ran::Done(2),
    }
}
