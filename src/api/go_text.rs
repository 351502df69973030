//! Values as Go prints them.

use super::error::go_quote;
use core::fmt::Write as _;
use serde_json::Value;

/// A value as `fmt.Print` shows what was decoded from JSON: lists as `[a b]`, maps as `map[k:v]`.
pub fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(go_value).collect();
            format!("[{}]", texts.join(" "))
        }
        Value::Object(fields) => {
            let texts: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key}:{}", go_value(value))).collect();
            format!("map[{}]", texts.join(" "))
        }
        other => other.to_string(),
    }
}

/// A value as `%#v` shows what client-go decoded.
pub fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".into(),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", texts.join(", "))
        }
        Value::Object(fields) => {
            let mut text = String::from("map[string]interface {}{");
            for (index, (key, value)) in fields.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}{key:?}:{}", go_syntax(value));
            }
            text.push('}');
            text
        }
        Value::String(text) => go_quote(text),
        other => other.to_string(),
    }
}
