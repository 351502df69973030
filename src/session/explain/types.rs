//! Refusals of the decoder: fields that there are none of, and values of another type.

use super::super::fault::{Fault, Fix};
use super::{Explanation, fault, near};
use crate::api::{Kind, Value};
use crate::manifest::{Document, schema};
use crate::text::Text;

/// All unknown fields of a sentence.
pub(super) fn unknown_fields(source: &str, document: &Document, message: &str) -> Vec<Fault> {
    let paths = message.split("unknown field \"").skip(1).filter_map(|rest| rest.split('"').next());
    paths
        .map(|path| {
            let words = format!("unknown field \"{path}\"");
            let explanation = unknown_field(document, path);
            let fix = explanation.1.iter().find(|(name, _)| *name == "near");
            let fix = fix.map(|(_, near)| Fix::Value(near.clone()));
            let place = document.key_place_of(path);
            Fault { path: path.to_owned(), fix, ..fault(source, place, words, explanation) }
        })
        .collect()
}

/// A field that its structure does not have, with the one that may have been meant.
fn unknown_field(document: &Document, path: &str) -> Explanation {
    let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
    let kind = document.value.get("kind").and_then(|kind| kind.as_str()).and_then(Kind::of_word);
    let steps: Vec<String> =
        parent.split(['.', '[', ']']).filter(|step| !step.is_empty()).map(str::to_owned).collect();
    let fields = kind.and_then(|kind| schema::type_at(kind, &steps)).and_then(|here| {
        let schema::Type::Named(name) = *here.target() else { return None };
        schema::struct_fields(name)
    });
    let near = fields.and_then(|fields| near::nearest(name, fields.keys().copied()));
    match near {
        Some(near) => {
            (Text::FaultFieldNear, vec![("field", name.to_owned()), ("near", near.to_owned())])
        }
        None => (Text::FaultField, vec![("field", name.to_owned())]),
    }
}

/// A value of another type than its field.
pub(super) fn wrong_type(source: &str, document: &Document, message: &str) -> Fault {
    let rest = message.split_once("cannot unmarshal ").map_or("", |(_, rest)| rest);
    let word =
        |mark: &str| rest.split_once(mark).and_then(|(_, after)| after.split_whitespace().next());
    let got = rest.split_whitespace().next().unwrap_or_default();
    let want = word("of type ").unwrap_or_default();
    let named = word("Go struct field ").and_then(|field| field.split_once('.'));
    let named = named.map_or("", |(_, path)| path);
    // Go's path has no places in lists and no keys of maps.
    let steps: Vec<&str> = named.split('.').filter(|step| !step.is_empty()).collect();
    let path = find(&document.value, &steps, got, want).unwrap_or_else(|| named.to_owned());
    let given = document.value_at(&path);
    let fix = given.and_then(|given| retyped(given, want)).map(Fix::Value);
    let text = match (want, got) {
        ("string", _) => Text::FaultTypeString,
        ("int" | "int32" | "int64", _) if fix.is_some() => Text::FaultTypeNumberQuoted,
        ("int" | "int32" | "int64", _) => Text::FaultTypeNumber,
        ("bool", _) => Text::FaultTypeBool,
        _ if want.starts_with("[]") => Text::FaultTypeList,
        _ if want.contains('.') || want.starts_with("map[") => Text::FaultTypeFields,
        _ => Text::FaultType,
    };
    let field = path.rsplit(['.', '[']).next().unwrap_or(&path).trim_end_matches(']');
    let values = vec![
        ("field", field.to_owned()),
        ("got", got.to_owned()),
        ("want", want.to_owned()),
        ("value", given.map(shown).unwrap_or_default()),
    ];
    let place = document.place_of(&path);
    Fault { path, fix, ..fault(source, place, message.to_owned(), (text, values)) }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// JSON's name of a value's type, as Go says it.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The path of the first value of a type at the end of Go's path, which leaves out the places in
/// lists.
fn find(value: &Value, steps: &[&str], got: &str, want: &str) -> Option<String> {
    fn walk(value: &Value, steps: &[&str], got: &str, want: &str, path: &str) -> Option<String> {
        if let (Value::Array(items), false) = (value, steps.is_empty() && got == "array") {
            let mut items = items.iter().enumerate();
            return items
                .find_map(|(at, item)| walk(item, steps, got, want, &format!("{path}[{at}]")));
        }
        let Some((first, rest)) = steps.split_first() else {
            if type_of(value) == got {
                return Some(path.to_owned());
            }
            // A map whose values are of one type.
            let mut fields = value.as_object()?.iter();
            return fields.find_map(|(key, inner)| {
                (type_of(inner) == got && got != want).then(|| format!("{path}[{key}]"))
            });
        };
        let next = if path.is_empty() { (*first).to_owned() } else { format!("{path}.{first}") };
        walk(value.get(*first)?, rest, got, want, &next)
    }
    walk(value, steps, got, want, "")
}

/// A value that has the wrong type only by its quotes, or by the lack of them.
fn retyped(given: &Value, want: &str) -> Option<String> {
    match (given, want) {
        (Value::String(text), "int" | "int32" | "int64") => {
            text.trim().parse::<i64>().ok().map(|number| number.to_string())
        }
        (Value::String(text), "bool") => {
            text.trim().parse::<bool>().ok().map(|value| value.to_string())
        }
        (Value::Number(_) | Value::Bool(_), "string") => Some(format!("\"{given}\"")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{decode, parse};

    fn told(source: &str) -> Fault {
        let document = parse(source).documents.into_iter().next().unwrap();
        let kind = Kind::of_word(document.value["kind"].as_str().unwrap()).unwrap();
        let error = decode(kind, &document.value).unwrap_err();
        super::super::refusal(source, &document, &error).remove(0)
    }

    #[test]
    fn quotes_are_named_only_where_they_are_what_is_wrong() {
        let of = |port: &str| {
            let head = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n";
            told(&format!("{head}  - port: {port}\n")).explanation
        };
        assert_eq!(of("\"80\""), Text::FaultTypeNumberQuoted);
        assert_eq!(of("http"), Text::FaultTypeNumber);
    }

    #[test]
    fn a_value_of_another_type_is_marked_itself_however_deep() {
        let cases = [
            (
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"1\", z: 3}\n",
                "data[z]",
                "3",
                "\"3\"",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: b\n  - name: c\n    image: d\n    env:\n    - name: E\n      value: 8\n",
                "spec.containers[1].env[0].value",
                "8",
                "\"8\"",
            ),
            (
                "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: \"80\"\n",
                "spec.ports[0].port",
                "\"80\"",
                "80",
            ),
        ];
        for (source, path, marked, fix) in cases {
            let fault = told(source);
            let line = source.lines().nth(fault.line as usize - 1).unwrap();
            let text = line.get(fault.from as usize..fault.to as usize).unwrap();
            assert_eq!((fault.path.as_str(), text), (path, marked), "{source}");
            assert_eq!(fault.fix, Some(Fix::Value(fix.to_owned())), "{source}");
        }
    }
}
