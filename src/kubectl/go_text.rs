//! Values as Go's standard library writes them.

use crate::api::Value;
pub(crate) use crate::api::{go_syntax, go_value as scalar_text};

/// JSON on one line with sorted keys, `<`, `>` and `&` escaped, as encoding/json writes it.
pub(crate) fn compact_json(value: &Value) -> String {
    escape_html(&value.to_string())
}

/// JSON over several lines, indented by four.
pub(crate) fn indented_json(value: &Value) -> String {
    json_with_indent(value, "    ")
}

/// JSON over several lines.
pub(crate) fn json_with_indent(value: &Value, indent: &str) -> String {
    use serde::Serialize as _;
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    if value.serialize(&mut serializer).is_err() {
        return String::new();
    }
    escape_html(&String::from_utf8_lossy(&bytes))
}

/// Whether a text is one that a request may ask for: a path, or a whole address.
///
/// Models net/url.ParseRequestURI, as far as its first letters go.
pub(crate) fn is_uri(text: &str) -> bool {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        rest.starts_with('/') && scheme.chars().all(|letter| letter.is_ascii_alphanumeric())
    });
    (text.starts_with('/') || has_scheme) && !text.contains(|letter: char| letter.is_control())
}

fn escape_html(json: &str) -> String {
    if !json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return json.to_owned();
    }
    json.chars().fold(String::with_capacity(json.len()), |mut text, letter| {
        match letter {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            other => text.push(other),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_go_writes_them() {
        let value = json!({"b": [1, "x&y"], "a": null});
        assert_eq!(compact_json(&value), "{\"a\":null,\"b\":[1,\"x\\u0026y\"]}");
        assert_eq!(scalar_text(&value), "map[a:<nil> b:[1 x&y]]");
        let go =
            "map[string]interface {}{\"a\":interface {}(nil), \"b\":[]interface {}{1, \"x&y\"}}";
        assert_eq!(go_syntax(&value), go);
        assert_eq!(indented_json(&json!({"items": []})), "{\n    \"items\": []\n}");
    }
}
