//! KYAML, `-o kyaml`: YAML that says everything with brackets and quotes.
//!
//! Models sigs.k8s.io/yaml/kyaml/kyaml.go Encoder.

use crate::api::Value;

/// A document with its `---`.
pub(crate) fn to_kyaml(value: &Value) -> String {
    let mut out = String::from("---\n");
    node(value, 0, &mut out);
    out.push('\n');
    out
}

fn indent(level: usize, out: &mut String) {
    out.push_str(&"  ".repeat(level));
}

fn node(value: &Value, level: usize, out: &mut String) {
    match value {
        Value::String(text) => string(text, level + 1, out),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => sequence(items, level, out),
        Value::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Value::Object(fields) => {
            out.push_str("{\n");
            for (key, value) in fields {
                indent(level + 1, out);
                match needs_quotes(key) {
                    true => quoted(key, out),
                    false => out.push_str(key),
                }
                out.push_str(": ");
                node(value, level + 1, out);
                out.push_str(",\n");
            }
            indent(level, out);
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Lists of nothing but lists and maps share the brackets' lines.
fn sequence(items: &[Value], level: usize, out: &mut String) {
    if items.iter().all(|item| item.is_array() || item.is_object()) {
        out.push('[');
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            node(item, level, out);
        }
        out.push(']');
        return;
    }
    out.push_str("[\n");
    for item in items {
        indent(level + 1, out);
        node(item, level + 1, out);
        out.push_str(",\n");
    }
    indent(level, out);
    out.push(']');
}

/// A text in quotes; one of several lines is folded, a line of the text a line.
fn string(text: &str, level: usize, out: &mut String) {
    if !text.contains('\n') {
        return quoted(text, out);
    }
    out.push_str("\"\\\n");
    let mut at_start = true;
    for letter in text.chars() {
        if at_start {
            indent(level, out);
            out.push(if letter.is_whitespace() && letter != '\n' { '\\' } else { ' ' });
        }
        at_start = letter == '\n';
        match letter {
            '\n' => out.push_str("\\n\\\n"),
            '\t' => out.push('\t'),
            other => escaped(other, out),
        }
    }
    if !at_start {
        out.push_str("\\\n");
    }
    indent(level, out);
    out.push('"');
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '\n' => out.push_str("\\n"),
            '\t' => out.push('\t'),
            other => escaped(other, out),
        }
    }
    out.push('"');
}

fn escaped(letter: char, out: &mut String) {
    let code = u32::from(letter);
    match letter {
        '"' | '\\' => out.extend(['\\', letter]),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\u{b}' => out.push_str("\\v"),
        '\0' => out.push_str("\\0"),
        '\u{1b}' => out.push_str("\\e"),
        '\u{85}' => out.push_str("\\N"),
        '\u{a0}' => out.push_str("\\_"),
        '\u{2028}' => out.push_str("\\L"),
        '\u{2029}' => out.push_str("\\P"),
        _ if code < 0x20 || code == 0x7f => out.push_str(&format!("\\x{code:02x}")),
        _ if letter.is_control() => out.push_str(&format!("\\u{code:04x}")),
        other => out.push(other),
    }
}

/// Whether a key must stand in quotes.
fn needs_quotes(key: &str) -> bool {
    let last = key.chars().count().saturating_sub(1);
    let is_plain = |(place, letter): (usize, char)| {
        letter.is_alphanumeric()
            || letter == '_'
            || (place > 0 && place < last && matches!(letter, '-' | '.' | '/'))
    };
    let word = key.to_lowercase();
    key.is_empty()
        || crate::manifest::reads_as_something_else(&word)
        || matches!(word.as_str(), "t" | "f" | "inf" | "infinity" | "nan")
        || !key.chars().enumerate().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The texts were printed by sigs.k8s.io/yaml v1.6.0.
    #[test]
    fn brackets_and_quotes_say_what_indentation_says_elsewhere() {
        let value = json!({
            "a-b.c/d": "x", "no": 1, "_ok": true, "1": null, "2001-01-01": [], "-x": {},
            "maps": [{"k": 1.5}, {"k": []}], "texts": ["a", 2, {"deep": ["b"]}],
            "lines": "one\n  two \"q\"\n\nthree", "tab": "a\tb\\", "end": "one\n",
        });
        let wanted = "---\n{\n  \"-x\": {},\n  \"1\": null,\n  \"2001-01-01\": [],\n  _ok: true,\n  a-b.c/d: \"x\",\n  end: \"\\\n     one\\n\\\n    \",\n  lines: \"\\\n     one\\n\\\n    \\  two \\\"q\\\"\\n\\\n     \\n\\\n     three\\\n    \",\n  maps: [{\n    k: 1.5,\n  }, {\n    k: [],\n  }],\n  \"no\": 1,\n  tab: \"a\tb\\\\\",\n  texts: [\n    \"a\",\n    2,\n    {\n      deep: [\n        \"b\",\n      ],\n    },\n  ],\n}\n";
        assert_eq!(to_kyaml(&value), wanted);
    }
}
