//! Values as Go prints them.

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
