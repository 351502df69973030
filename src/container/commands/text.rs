//! Programs for text.

use super::super::filters;
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

/// The flags of a tool that a value follows.
fn flags_with_value(name: &str) -> &'static str {
    match name {
        "grep" | "egrep" | "fgrep" => "eABCm",
        "cut" => "cdf",
        "sed" => "e",
        "sort" => "kt",
        "awk" => "Fv",
        "head" | "tail" => "nc",
        _ => "",
    }
}

/// Whether a program reads standard input, because no file is named.
pub(in crate::container) fn reads_input(name: &str, arguments: &[String]) -> bool {
    let is_patterned = matches!(name, "grep" | "egrep" | "fgrep" | "sed" | "awk");
    match name {
        "cat" | "head" | "tail" | "wc" | "sort" | "uniq" | "tac" | "cut" | "base64" | "md5sum"
        | "sha256sum" | "grep" | "egrep" | "fgrep" | "sed" | "awk" => {
            let (letters, words) = super::flags(arguments, flags_with_value(name));
            let skip = usize::from(is_patterned && !letters.starts_with('e'));
            words.get(skip).is_none_or(|file| file == "-")
        }
        "tee" | "tr" | "xargs" | "sh" | "bash" | "ash" | "dash" => true,
        _ => false,
    }
}

/// The text of the files that are named behind the first `skip` words, or standard input.
fn input(call: &mut Call<'_, '_>, skip: usize) -> Result<String, ()> {
    let (_, words) = call.flags(flags_with_value(call.name));
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

/// Tools that the console has too: they read standard input alone.
fn filter(call: &mut Call<'_, '_>) -> Ran {
    let patterned = matches!(call.name, "grep" | "egrep" | "fgrep" | "awk" | "cut" | "tr");
    let skip = match call.name {
        "grep" | "egrep" | "fgrep" if call.value('e').is_none() => 1,
        "awk" => 1,
        "tr" => 9,
        _ => 0,
    };
    let Ok(text) = input(call, skip) else {
        return Ran::Done(if matches!(call.name, "grep" | "egrep" | "fgrep") { 2 } else { 1 });
    };
    let (_, plain) = call.flags(flags_with_value(call.name));
    let paths: Vec<&String> = plain.iter().skip(skip).collect();
    let words: Vec<String> =
        call.arguments.iter().filter(|word| patterned || !paths.contains(word)).cloned().collect();
    let words: Vec<String> = match patterned {
        true => words.into_iter().filter(|word| !paths.contains(&word)).collect(),
        false => words,
    };
    let name = if call.name == "fgrep" { "grep" } else { call.name };
    let Some(output) = filters::run(name, &words, Some(&text)) else { return Ran::Unknown };
    let mut stdout = output.stdout;
    // With a file, wc names it.
    if call.name == "wc"
        && let Some(path) = paths.first()
    {
        stdout = format!("{} {path}\n", stdout.trim_end());
    }
    call.stdout.push_str(&stdout);
    call.stderr.push_str(&output.stderr);
    Ran::Done(output.exit)
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
    if let Some(output) = filters::run("tail", &words, Some(&text)) {
        call.stdout.push_str(&output.stdout);
    }
    match whole.as_str() {
        "/dev/null" => Ran::Forever,
        _ => Ran::Follows(whole, text.len()),
    }
}

/// `\n`, `\t` and their kin; whether `\c` ended the text.
fn unescape(text: &str) -> (String, bool) {
    let mut out = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('e') => out.push('\u{1b}'),
            Some('0') => {
                let digits: String =
                    letters.clone().take(3).take_while(char::is_ascii_digit).collect();
                letters.by_ref().take(digits.len()).for_each(drop);
                out.extend(u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32));
            }
            Some('c') => return (out, true),
            Some('\\') => out.push('\\'),
            Some(other) => {
                out.push('\\');
                out.push(other);
            }
            None => out.push('\\'),
        }
    }
    (out, false)
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

/// `printf FORMAT …`: `%s`, `%d`, `%%`, and their widths.
fn print_formatted(call: &mut Call<'_, '_>) -> Ran {
    let Some((format, mut values)) = call.arguments.split_first() else { return Ran::Done(2) };
    let (format, _) = unescape(format);
    loop {
        let before = values.len();
        let mut letters = format.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                call.stdout.push(letter);
                continue;
            }
            let mut width = String::new();
            while let Some(it) = letters.next_if(|it| it.is_ascii_digit() || "-.0".contains(*it)) {
                width.push(it);
            }
            let kind = letters.next().unwrap_or('%');
            if kind == '%' {
                call.stdout.push('%');
                continue;
            }
            let (value, rest) = values.split_first().map_or(("", values), |(a, b)| (a.as_str(), b));
            values = rest;
            let text = match kind {
                'd' | 'i' => value.parse::<i64>().unwrap_or_default().to_string(),
                'b' => unescape(value).0,
                _ => value.to_owned(),
            };
            let size = width.trim_start_matches(['-', '0']).split('.').next().unwrap_or_default();
            let size: usize = size.parse().unwrap_or(0);
            let gap = size.saturating_sub(text.chars().count()).min(200);
            match (width.starts_with('-'), width.starts_with('0')) {
                (true, _) => call.stdout.push_str(&(text + &" ".repeat(gap))),
                (_, true) => call.stdout.push_str(&("0".repeat(gap) + &text)),
                _ => call.stdout.push_str(&(" ".repeat(gap) + &text)),
            }
        }
        // The format is used again while there are values, and it uses some.
        if values.is_empty() || values.len() == before {
            return Ran::Done(0);
        }
    }
}

/// `sed s/a/b/g`, `sed -i`, `sed -n 2,5p`, `sed 3d`, `sed /text/d`.
fn sed(call: &mut Call<'_, '_>) -> Ran {
    let (letters, mut words) = call.flags(flags_with_value(call.name));
    let script = call.value('e').map(str::to_owned);
    let script = match script {
        Some(script) => script,
        None if words.is_empty() => return Ran::Done(1),
        None => words.remove(0),
    };
    let quiet = letters.contains('n');
    if letters.contains('i') {
        let mut status = 0;
        for path in &words {
            let whole = call.whole(path);
            let Some(text) = call.view().text(&whole) else {
                call.warn(format!("{path}: No such file or directory"));
                status = 1;
                continue;
            };
            let edited = edit(&text, &script, quiet);
            if let Err(why) = call.ground.files.write(&whole, &edited, false) {
                call.warn(format!("{path}: {why}"));
                status = 1;
            }
        }
        return Ran::Done(status);
    }
    let text = match words.is_empty() {
        true => call.input.to_owned(),
        false => {
            let mut all = String::new();
            for path in &words {
                let whole = call.whole(path);
                match call.view().text(&whole) {
                    Some(text) => all.push_str(&text),
                    None => {
                        call.warn(format!("{path}: No such file or directory"));
                        return Ran::Done(1);
                    }
                }
            }
            all
        }
    };
    let edited = edit(&text, &script, quiet);
    call.stdout.push_str(&edited);
    Ran::Done(0)
}

// Simplified: patterns are plain texts; addresses are numbers, `$` and `/text/`.
fn edit(text: &str, script: &str, quiet: bool) -> String {
    let count = text.lines().count();
    let mut out = String::new();
    for (index, line) in text.lines().enumerate() {
        let mut line = line.to_owned();
        let (mut deleted, mut printed) = (false, u32::from(!quiet));
        for command in script.split([';', '\n']).map(str::trim) {
            let is_at = |command: &str| command.find(|it: char| "sdp".contains(it));
            let split_at = match command.strip_prefix('/') {
                Some(rest) => rest.find('/').map(|end| end + 2),
                None => is_at(command),
            };
            let (address, command) =
                command.split_at_checked(split_at.unwrap_or(0)).unwrap_or(("", ""));
            if !is_addressed(address, index + 1, count, &line) {
                continue;
            }
            match command.chars().next() {
                Some('s') => line = substitute(&line, command),
                Some('d') => deleted = true,
                Some('p') => printed += 1,
                _ => {}
            }
        }
        for _ in 0..printed {
            if !deleted {
                out.push_str(&line);
                out.push('\n');
            }
        }
    }
    out
}

fn is_addressed(address: &str, number: usize, count: usize, line: &str) -> bool {
    if let Some(text) = address.strip_prefix('/').and_then(|it| it.strip_suffix('/')) {
        return line.contains(text);
    }
    let place = |text: &str| if text == "$" { Some(count) } else { text.parse::<usize>().ok() };
    match address.split_once(',') {
        Some((from, to)) => {
            place(from).is_some_and(|it| it <= number) && place(to).is_some_and(|it| number <= it)
        }
        None => address.is_empty() || place(address) == Some(number),
    }
}

fn substitute(line: &str, command: &str) -> String {
    let mut letters = command.chars().skip(1);
    let Some(sign) = letters.next() else { return line.to_owned() };
    let rest: String = letters.collect();
    let mut parts = rest.split(sign);
    let (from, to) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let flags = parts.next().unwrap_or_default();
    let from = from.replace('\\', "");
    match (from.as_str(), flags.contains('g')) {
        ("", _) => line.to_owned(),
        ("^", _) => format!("{to}{line}"),
        ("$", _) => format!("{line}{to}"),
        (".*", _) => to.to_owned(),
        (from, true) => line.replace(from, to),
        (from, false) => line.replacen(from, to, 1),
    }
}

fn sequence(call: &mut Call<'_, '_>) -> Ran {
    let numbers: Vec<i64> = call.arguments.iter().filter_map(|it| it.parse().ok()).collect();
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1, 1, *last),
        [first, last] => (*first, 1, *last),
        [first, step, last] if *step != 0 => (*first, *step, *last),
        _ => return Ran::Done(1),
    };
    let mut number = first;
    for _ in 0..10_000 {
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
