//! The functions of a template.
//!
//! Models Go's text/template/funcs.go and kubectl's own two (staging/src/k8s.io/cli-runtime/pkg/
//! printers/template.go).

use super::exec::Val;
use crate::api::{Value, go_value};
use core::cmp::Ordering;
use core::fmt::Write as _;
use std::borrow::Cow;

const NAMES: [&str; 20] = [
    "and",
    "base64decode",
    "call",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "urlquery",
];

pub(super) fn is_known(name: &str) -> bool {
    NAMES.contains(&name) || name == "slice"
}

/// How many arguments a function takes at least, and whether it takes more.
pub(super) fn arity(name: &str) -> (usize, bool) {
    match name {
        "len" | "not" | "base64decode" => (1, false),
        "ne" | "le" | "lt" | "ge" | "gt" => (2, false),
        "print" | "println" | "html" | "js" | "urlquery" => (0, true),
        _ => (1, true),
    }
}

/// Whether a value counts as true.
pub(super) fn is_true(value: &Val<'_>) -> bool {
    match value.as_deref() {
        None | Some(Value::Null) => false,
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
    }
}

/// Carries out a function.
///
/// # Errors
/// Go's sentence, without what stands in front.
pub(super) fn call<'a>(name: &str, mut args: Vec<Val<'a>>) -> Result<Val<'a>, String> {
    let owned = |value: Value| Ok(Some(Cow::Owned(value)));
    match name {
        "not" => owned(Value::Bool(!args.first().is_some_and(is_true))),
        "len" => length(args.first().and_then(|it| it.as_deref())).and_then(owned),
        "index" => {
            let mut args = args.drain(..);
            let item = args.next().flatten();
            index(item, args.collect())
        }
        "slice" => slice(&args).and_then(owned),
        "exists" => owned(Value::Bool(exists(&args))),
        "base64decode" => match args.first().and_then(|it| it.as_deref()) {
            Some(Value::String(text)) => decoded(text).map(Value::from).and_then(owned),
            _ => Err("invalid value; expected string".to_owned()),
        },
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => {
            compared(name, &args).map(Value::Bool).and_then(owned)
        }
        "print" => owned(sprint(&args).into()),
        "println" => {
            let texts: Vec<String> = args.iter().map(shown).collect();
            owned((texts.join(" ") + "\n").into())
        }
        "printf" => owned(sprintf(&args).into()),
        "html" => owned(escaped_html(&sprint(&args)).into()),
        "urlquery" => owned(escaped_query(&sprint(&args)).into()),
        "js" => owned(escaped_js(&sprint(&args)).into()),
        _ => Err("call of nil".to_owned()),
    }
}

pub(super) fn type_name(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::Null) => "<nil>",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(number)) if number.is_f64() => "float64",
        Some(Value::Number(_)) => "int64",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "[]interface {}",
        Some(Value::Object(_)) => "map[string]interface {}",
    }
}

fn length(value: Option<&Value>) -> Result<Value, String> {
    let count = match value {
        Some(Value::String(text)) => text.len(),
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(fields)) => fields.len(),
        None | Some(Value::Null) => return Err("len of nil pointer".to_owned()),
        other => return Err(format!("len of type {}", type_name(other))),
    };
    Ok(Value::from(count))
}

fn step<'a>(item: Cow<'a, Value>, by: Option<&Value>) -> Result<Val<'a>, String> {
    let place = |count: usize| match by {
        Some(Value::Number(number)) if number.is_i64() => {
            let index = number.as_i64().unwrap_or_default();
            let found = usize::try_from(index).ok().filter(|index| *index < count);
            found.ok_or_else(|| format!("index out of range: {index}"))
        }
        None | Some(Value::Null) => Err("cannot index slice/array with nil".to_owned()),
        other => Err(format!("cannot index slice/array with type {}", type_name(other))),
    };
    let key = || match by {
        Some(Value::String(key)) => Ok(key.clone()),
        None | Some(Value::Null) => Err("value is nil; should be of type string".to_owned()),
        other => Err(format!("value has type {}; should be string", type_name(other))),
    };
    match item {
        Cow::Borrowed(Value::Array(items)) => Ok(items.get(place(items.len())?).map(Cow::Borrowed)),
        Cow::Owned(Value::Array(mut items)) => {
            let place = place(items.len())?;
            Ok(Some(Cow::Owned(items.swap_remove(place))))
        }
        Cow::Borrowed(Value::Object(fields)) => Ok(fields.get(&key()?).map(Cow::Borrowed)),
        Cow::Owned(Value::Object(mut fields)) => Ok(fields.remove(&key()?).map(Cow::Owned)),
        other => match other.as_ref() {
            Value::String(text) => {
                let byte = text.as_bytes().get(place(text.len())?).copied();
                Ok(byte.map(|byte| Cow::Owned(Value::from(byte))))
            }
            Value::Null => Err("index of nil pointer".to_owned()),
            other => Err(format!("can't index item of type {}", type_name(Some(other)))),
        },
    }
}

fn index<'a>(item: Val<'a>, by: Vec<Val<'_>>) -> Result<Val<'a>, String> {
    let mut item = match item {
        None => return Err("index of untyped nil".to_owned()),
        Some(item) if item.is_null() => return Err("index of untyped nil".to_owned()),
        item => item,
    };
    for by in by {
        let here = item.ok_or("index of nil pointer")?;
        item = step(here, by.as_deref())?;
    }
    Ok(item)
}

/// kubectl's own: whether fields and items are there, one below the other.
fn exists(args: &[Val<'_>]) -> bool {
    let mut here = args.first().and_then(|item| item.as_deref());
    for by in args.get(1..).unwrap_or_default() {
        here = match (here, by.as_deref()) {
            (Some(Value::Object(fields)), Some(Value::String(key))) => fields.get(key),
            (Some(Value::Array(items)), Some(Value::Number(number))) => {
                number.as_u64().and_then(|place| items.get(usize::try_from(place).ok()?))
            }
            _ => return false,
        };
        if here.is_none() {
            return false;
        }
    }
    true
}

fn slice(args: &[Val<'_>]) -> Result<Value, String> {
    let item = args.first().and_then(|item| item.as_deref());
    let count = match item {
        Some(Value::String(text)) => text.len(),
        Some(Value::Array(items)) => items.len(),
        None | Some(Value::Null) => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", type_name(other))),
    };
    let bound = |place: usize, default: usize| match args.get(place).map(|it| it.as_deref()) {
        None => Ok(default),
        Some(Some(Value::Number(number))) if number.is_i64() => {
            let index = number.as_i64().unwrap_or_default();
            let found = usize::try_from(index).ok().filter(|index| *index <= count);
            found.ok_or_else(|| format!("index out of range: {index}"))
        }
        Some(other) => Err(format!("cannot index slice/array with type {}", type_name(other))),
    };
    let (from, to) = (bound(1, 0)?, bound(2, count)?);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match item {
        Some(Value::Array(items)) => items.get(from..to).unwrap_or_default().into(),
        Some(Value::String(text)) => text.get(from..to).unwrap_or_default().into(),
        _ => Value::Null,
    })
}

fn decoded(text: &str) -> Result<String, String> {
    let bytes = data_encoding::BASE64.decode(text.as_bytes()).map_err(|error| {
        format!("base64 decode failed: illegal base64 data at input byte {}", error.position)
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn order(a: Option<&Value>, b: Option<&Value>) -> Result<Ordering, String> {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => Ok(a.cmp(b)),
        (Some(Value::Bool(a)), Some(Value::Bool(b))) => Ok(a.cmp(b)),
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.is_f64() == b.is_f64() => {
            let float = |number: &serde_json::Number| number.as_f64().unwrap_or_default();
            Ok(a.as_i64()
                .zip(b.as_i64())
                .map_or_else(|| float(a).total_cmp(&float(b)), |(a, b)| a.cmp(&b)))
        }
        (None | Some(Value::Null), None | Some(Value::Null)) => Ok(Ordering::Equal),
        (None | Some(Value::Null), _) | (_, None | Some(Value::Null)) => Ok(Ordering::Less),
        (Some(Value::Array(_) | Value::Object(_)), _)
        | (_, Some(Value::Array(_) | Value::Object(_))) => {
            Err("invalid type for comparison".to_owned())
        }
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn compared(name: &str, args: &[Val<'_>]) -> Result<bool, String> {
    let first = args.first().and_then(|it| it.as_deref());
    let rest = args.get(1..).unwrap_or_default();
    if rest.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    let orders: Result<Vec<Ordering>, String> =
        rest.iter().map(|other| order(first, other.as_deref())).collect();
    let orders = orders?;
    let one = orders.first().copied().unwrap_or(Ordering::Equal);
    if !["eq", "ne"].contains(&name) && matches!(first, Some(Value::Bool(_)) | None) {
        return Err("invalid type for comparison".to_owned());
    }
    Ok(match name {
        "eq" => orders.iter().any(|order| order.is_eq()),
        "ne" => one.is_ne(),
        "lt" => one.is_lt(),
        "le" => one.is_le(),
        "gt" => one.is_gt(),
        _ => one.is_ge(),
    })
}

fn shown(value: &Val<'_>) -> String {
    value.as_deref().map_or_else(|| "<no value>".to_owned(), go_value)
}

/// Models Go's fmt.Sprint: a blank between operands of which neither is a text.
fn sprint(args: &[Val<'_>]) -> String {
    let mut text = String::new();
    let mut after_text = true;
    for arg in args {
        let is_text = matches!(arg.as_deref(), Some(Value::String(_)));
        if !after_text && !is_text {
            text.push(' ');
        }
        text.push_str(&shown(arg));
        after_text = is_text;
    }
    text
}

/// Models Go's fmt.Sprintf for the verbs `v`, `s`, `q`, `d`, `t`, `f`, `x`.
fn sprintf(args: &[Val<'_>]) -> String {
    let Some(Value::String(format)) = args.first().and_then(|it| it.as_deref()) else {
        return String::new();
    };
    let mut rest = args.iter().skip(1);
    let mut text = String::new();
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut flags = String::new();
        while let Some(flag) = letters.next_if(|letter| "+-# 0123456789.".contains(*letter)) {
            flags.push(flag);
        }
        match letters.next() {
            None => text.push_str("%!(NOVERB)"),
            Some('%') => text.push('%'),
            Some(verb) => match rest.next() {
                None => {
                    let _ = write!(text, "%!{verb}(MISSING)");
                }
                Some(arg) => text.push_str(&padded(&formatted(verb, &flags, arg), &flags)),
            },
        }
    }
    for (place, extra) in rest.enumerate() {
        let start = if place == 0 { "%!(EXTRA " } else { ", " };
        let _ = write!(text, "{start}{}={}", type_name(extra.as_deref()), shown(extra));
    }
    if args.len() > 1 && text.contains("%!(EXTRA ") {
        text.push(')');
    }
    text
}

fn formatted(verb: char, flags: &str, arg: &Val<'_>) -> String {
    let precision = flags.split_once('.').and_then(|(_, digits)| digits.parse::<usize>().ok());
    match (verb, arg.as_deref()) {
        ('v', _) | ('t', Some(Value::Bool(_))) => shown(arg),
        ('d', Some(Value::Number(number))) if number.is_i64() => number.to_string(),
        ('s', Some(Value::String(text))) => match precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.clone(),
        },
        ('q', Some(Value::String(text))) => crate::api::error::go_quote(text),
        ('x', Some(Value::String(text))) => text.bytes().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
        ('x', Some(Value::Number(number))) => {
            number.as_i64().map_or_else(|| shown(arg), |number| format!("{number:x}"))
        }
        ('f', Some(Value::Number(number))) if number.is_f64() => {
            format!("{:.*}", precision.unwrap_or(6), number.as_f64().unwrap_or_default())
        }
        ('s', Some(Value::Array(_) | Value::Object(_))) => shown(arg),
        (verb, value) => match value {
            None | Some(Value::Null) => format!("%!{verb}(<nil>)"),
            value => format!("%!{verb}({}={})", type_name(value), shown(arg)),
        },
    }
}

fn padded(text: &str, flags: &str) -> String {
    let left = flags.contains('-');
    let digits = flags.trim_start_matches(['+', '-', '#', ' ', '0']);
    let width: usize = digits.split('.').next().and_then(|it| it.parse().ok()).unwrap_or(0);
    let missing = width.min(1000).saturating_sub(text.chars().count());
    let fill = if flags.starts_with('0') && !left { "0" } else { " " };
    match left {
        true => text.to_owned() + &fill.repeat(missing),
        false => fill.repeat(missing) + text,
    }
}

fn escaped_html(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        match letter {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
        out
    })
}

fn escaped_query(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b' ' => out.push('+'),
            byte if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => {
                out.push(byte.into())
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

fn escaped_js(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, letter| {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter if letter < ' ' => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            other => out.push(other),
        }
        out
    })
}
