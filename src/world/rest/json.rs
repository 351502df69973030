//! Objects as the API server writes them: the fields in the order of Go's structures.
//!
//! Models staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json/json.go doEncode.

use crate::api::{Kind, Value};
use crate::base::order;
use crate::manifest::schema::{self, Type};

/// An object of a kind. What a definition brought has its fields in the order of the alphabet.
pub(super) fn object(kind: Kind, value: &Value) -> String {
    let mut out = String::new();
    let whole = schema::name_of(kind).map(Type::Named);
    write(value, whole.as_ref(), &mut out);
    out
}

/// A part of an object, by the name of its structure.
pub(super) fn structure(name: &str, value: &Value) -> String {
    let mut out = String::new();
    write(value, schema::type_of(name).as_ref(), &mut out);
    out
}

fn write(value: &Value, of: Option<&Type>, out: &mut String) {
    let of = of.map(Type::target);
    match value {
        Value::Object(fields) => {
            let known = match of {
                Some(Type::Named(name)) => schema::struct_fields(name),
                _ => None,
            };
            let place = |key: &str| {
                let place = known.and_then(|known| known.get(key)).map_or(u32::MAX, |it| it.place);
                // Of the first two fields of an object Go writes `kind` before `apiVersion`.
                if place <= 1 && fields.contains_key("metadata") { 1 - place } else { place }
            };
            let mut keys: Vec<&String> = fields.keys().collect();
            order::sort_by_key(&mut keys, |key| place(key));
            for (index, key) in keys.into_iter().enumerate() {
                out.push(if index == 0 { '{' } else { ',' });
                out.push_str(&text(key));
                out.push(':');
                let inner = match of {
                    Some(Type::Map(inner)) => Some(&**inner),
                    _ => known.and_then(|known| known.get(key.as_str())).map(|it| &it.field_type),
                };
                write(fields.get(key).unwrap_or(&Value::Null), inner, out);
            }
            out.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
        Value::Array(items) => {
            let inner = match of {
                Some(Type::List(inner)) => Some(&**inner),
                _ => None,
            };
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { '[' } else { ',' });
                write(item, inner, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::String(own) => out.push_str(&text(own)),
        other => out.push_str(&other.to_string()),
    }
}

/// A text in quotes, as Go's encoding/json escapes it.
pub(super) fn text(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    match quoted.contains(['<', '>', '&']) {
        true => quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"),
        false => quoted,
    }
}

/// An object of these fields, whose values are JSON; those without a value are left out.
pub(super) fn record(fields: &[(&str, String)]) -> String {
    let all = fields.iter().filter(|(_, value)| !value.is_empty());
    let all: Vec<String> = all.map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", all.join(","))
}

/// A list of what is JSON.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// JSON of one line over several, indented by two.
pub(super) fn indented(json: &str) -> String {
    let (mut out, mut depth, mut in_text, mut is_escaped) = (String::new(), 0_usize, false, false);
    let mut letters = json.chars().peekable();
    while let Some(letter) = letters.next() {
        if in_text {
            out.push(letter);
            in_text = is_escaped || letter != '"';
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        };
        match letter {
            '{' | '[' if matches!(letters.peek(), Some('}' | ']')) => {
                out.push(letter);
                out.extend(letters.next());
            }
            '{' | '[' => {
                depth += 1;
                out.push(letter);
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_text = true;
                out.push(letter);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_stand_in_the_order_of_gos_structures() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"b": "", "a": ""}, "name": "x"},
            "spec": {"containers": [{"image": "a", "name": "<c>"}], "volumes": []}, "status": {},
        });
        let text = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\",\"labels\":{\"a\":\"\",\"b\":\"\"}},\"spec\":{\"volumes\":[],\"containers\":[{\"name\":\"\\u003cc\\u003e\",\"image\":\"a\"}]},\"status\":{}}";
        assert_eq!(object(Kind::Pod, &pod), text);
    }

    #[test]
    fn json_is_indented_as_go_does_it() {
        let text = record(&[("a", list(["1".to_owned(), "{}".to_owned()].into_iter()))]);
        assert_eq!(indented(&text), "{\n  \"a\": [\n    1,\n    {}\n  ]\n}");
        assert_eq!(indented("{\"a\":\"x,\\\"{:\"}"), "{\n  \"a\": \"x,\\\"{:\"\n}");
    }
}
