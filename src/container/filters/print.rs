//! `printf`, and what backslashes stand for.

/// `\n`, `\t` and their kin; whether `\c` ended the text.
pub fn unescape(text: &str) -> (String, bool) {
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

/// `FORMAT VALUE …`: `%s`, `%d`, `%%` and their widths; the format again while there are values.
pub fn formatted(words: &[String]) -> String {
    let mut out = String::new();
    let Some((format, mut values)) = words.split_first() else { return out };
    let (format, _) = unescape(format);
    loop {
        let before = values.len();
        let mut letters = format.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            let mut flags = String::new();
            while let Some(it) = letters.next_if(|it| it.is_ascii_digit() || "-.+ 0".contains(*it))
            {
                flags.push(it);
            }
            let kind = letters.next().unwrap_or('%');
            if kind == '%' {
                out.push('%');
                continue;
            }
            let (value, rest) = values.split_first().map_or(("", values), |(a, b)| (a.as_str(), b));
            values = rest;
            out.push_str(&padded(&flags, &one(kind, &flags, value)));
        }
        // The format is used again while there are values, and it uses some.
        if values.is_empty() || values.len() == before {
            return out;
        }
    }
}

/// One value.
fn one(kind: char, flags: &str, value: &str) -> String {
    let precision = flags.split_once('.').and_then(|(_, digits)| digits.parse::<usize>().ok());
    let whole = || {
        let number = value.trim().parse::<f64>().unwrap_or_default();
        format!("{:.0}", number.trunc())
    };
    match kind {
        'd' | 'i' | 'u' => {
            value.trim().parse::<i64>().map_or_else(|_| whole(), |it| it.to_string())
        }
        'x' => format!("{:x}", value.trim().parse::<i64>().unwrap_or_default()),
        'o' => format!("{:o}", value.trim().parse::<i64>().unwrap_or_default()),
        'f' => {
            let number = value.trim().parse::<f64>().unwrap_or_default();
            format!("{number:.*}", precision.unwrap_or(6).min(30))
        }
        'c' => value.chars().take(1).collect(),
        'b' => unescape(value).0,
        _ => value.chars().take(precision.unwrap_or(usize::MAX)).collect(),
    }
}

fn padded(flags: &str, text: &str) -> String {
    let size = flags.trim_start_matches(['-', '+', ' ', '0']).split('.').next().unwrap_or_default();
    let size: usize = size.parse().unwrap_or(0);
    let gap = size.saturating_sub(text.chars().count()).min(200);
    match (flags.contains('-'), flags.starts_with('0')) {
        (true, _) => text.to_owned() + &" ".repeat(gap),
        (_, true) => "0".repeat(gap) + text,
        _ => " ".repeat(gap) + text,
    }
}
