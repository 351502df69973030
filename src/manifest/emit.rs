//! Objects as kubectl prints them.
//!
//! Models sigs.k8s.io/yaml (Marshal) and kubectl's JSON printer.

use super::scalar::needs_quotes;
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

/// YAML with sorted keys, lists at the indentation of their key, and Go's rules for quotes.
pub fn to_yaml(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => fields(&mut text, value, 0),
        Value::Array(items) if !items.is_empty() => list(&mut text, items, 0),
        other => {
            text.push_str(&scalar(other, 0));
            text.push('\n');
        }
    }
    text
}

/// JSON as kubectl prints it: four spaces, sorted keys.
pub fn to_json(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    // A tree of JSON cannot fail to be written to memory.
    let _ = value.serialize(&mut serializer);
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

fn indent(text: &mut String, depth: usize) {
    text.extend(core::iter::repeat_n(' ', depth));
}

fn fields(text: &mut String, value: &Value, depth: usize) {
    for (number, (key, value)) in value.as_object().into_iter().flatten().enumerate() {
        if number > 0 || depth == 0 || text.ends_with('\n') {
            indent(text, depth);
        }
        text.push_str(&scalar(&Value::String(key.clone()), depth));
        text.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                text.push('\n');
                fields(text, value, depth + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                list(text, items, depth);
            }
            other => {
                text.push(' ');
                text.push_str(&scalar(other, depth + 2));
                text.push('\n');
            }
        }
    }
}

fn list(text: &mut String, items: &[Value], depth: usize) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 || depth == 0 || text.ends_with('\n') {
            indent(text, depth);
        }
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => fields(text, item, depth + 2),
            Value::Array(inner) if !inner.is_empty() => list(text, inner, depth + 2),
            other => {
                text.push_str(&scalar(other, depth + 2));
                text.push('\n');
            }
        }
    }
}

fn scalar(value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => string(text, depth),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// Models goyaml.v2 encode.go stringv and emitterc.go yaml_emitter_analyze_scalar.
fn string(text: &str, depth: usize) -> String {
    if text.contains('\n') && is_printable(text) && !text.starts_with([' ', '\n']) {
        return block(text, depth);
    }
    if !is_printable(text) || text.contains('\n') {
        return double_quoted(text);
    }
    if text.is_empty() || needs_quotes(text) || is_base60(text) || is_time(text) {
        return double_quoted(text);
    }
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{feff}')
}

/// `12:30:45` would be a number in YAML 1.1.
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let rest: Vec<&str> = parts.collect();
    digits(first) && !rest.is_empty() && rest.iter().all(|part| digits(part) && part.len() <= 2)
}

/// `2026-01-01`, alone or with a time of day, would be a timestamp.
fn is_time(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(place) => text.split_at(place),
        None => (text, ""),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |part: &str, length: core::ops::RangeInclusive<usize>| {
        length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let clock = time.get(1..).unwrap_or_default();
    number(year, 4..=4)
        && number(month, 1..=2)
        && number(day, 1..=2)
        && (time.is_empty() || clock.starts_with(|c: char| c.is_ascii_digit()))
}

fn is_plain(text: &str) -> bool {
    let first_forbidden = text.starts_with([
        '#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
    ]);
    let indicator =
        text.starts_with(['-', '?', ':']) && text.chars().nth(1).is_none_or(|c| c.is_whitespace());
    let document = text.starts_with("---") || text.starts_with("...");
    let spaced = text.starts_with(' ') || text.ends_with(' ');
    let inside = text.contains(": ") || text.contains(" #") || text.ends_with(':');
    let merge = text == "<<" || text == "=";
    !(first_forbidden || indicator || document || spaced || inside || merge || text.contains('\t'))
}

fn block(text: &str, depth: usize) -> String {
    let body = text.strip_suffix('\n');
    let mut result = String::from(match body {
        None => "|-",
        Some(body) if body.ends_with('\n') => "|+",
        Some(_) => "|",
    });
    let depth = depth.max(2);
    for line in body.unwrap_or(text).split('\n') {
        result.push('\n');
        if !line.is_empty() {
            indent(&mut result, depth);
            result.push_str(line);
        }
    }
    result
}

fn double_quoted(text: &str) -> String {
    let mut result = String::from('"');
    for c in text.chars() {
        match c {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\t' => result.push_str("\\t"),
            '\r' => result.push_str("\\r"),
            '\u{feff}' => result.push_str("\\uFEFF"),
            c if c.is_control() && u32::from(c) < 256 => {
                result.push_str(&format!("\\x{:02X}", u32::from(c)));
            }
            c if c.is_control() => result.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => result.push(c),
        }
    }
    result.push('"');
    result
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use expect_test::expect;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn yaml_is_written_as_kubectl_writes_it() {
        let value = json!({
            "args": ["-c", "sleep 1; exit 3", "a: b", "#x", "80", "true", "", "12:30"],
            "empty": {}, "list": [], "nested": [{"a": 1, "b": [{"c": null}]}, [1, 2]],
            "script": "line 1\nline 2\n", "tail": "no newline\nat end", "quote": "it's",
            "star": "*", "time": "2026-01-01T00:00:00Z", "version": "1.27", "y": "y",
        });
        expect![[r#"
            args:
            - -c
            - sleep 1; exit 3
            - 'a: b'
            - '#x'
            - "80"
            - "true"
            - ""
            - "12:30"
            empty: {}
            list: []
            nested:
            - a: 1
              b:
              - c: null
            - - 1
              - 2
            quote: it's
            script: |
              line 1
              line 2
            star: '*'
            tail: |-
              no newline
              at end
            time: "2026-01-01T00:00:00Z"
            version: "1.27"
            "y": "y"
        "#]]
        .assert_eq(&to_yaml(&value));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~\n]{0,12}".prop_map(Value::from),
            "[a-z0-9:#.*-]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any_value()) {
            let text = to_yaml(&json!({"value": value}));
            let parsed = parse(&text);
            prop_assert_eq!(&parsed.problems, &vec![], "{}", text);
            prop_assert_eq!(&parsed.documents[0].value["value"], &value, "{}", text);
        }

        #[test]
        fn no_text_panics(text in "[ -~\n\t]{0,60}") {
            let _ = parse(&text);
        }
    }
}
