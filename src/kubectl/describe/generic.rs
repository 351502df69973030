//! Kinds without a form of their own: every field in words.
//!
//! Models describe.go GenericDescriber, printUnstructuredContent, smartLabelFor.

use super::text::Text;
use super::workloads::Subject;
use crate::api::Value;
use crate::api::tree::Tree as _;

/// What the head of the description has said, or nobody reads.
const SAID: [&str; 5] = ["managedFields", "name", "namespace", "labels", "annotations"];

pub(super) fn describe(text: &mut Text, it: &Subject<'_>) {
    text.field(0, "Name", &it.object.meta.name);
    text.field(0, "Namespace", &it.object.meta.namespace);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    for (key, value) in it.value.as_object().into_iter().flatten() {
        match value {
            Value::Object(metadata) if key == "metadata" => {
                text.line(0, "Metadata:");
                for (key, value) in metadata.iter().filter(|(key, _)| !SAID.contains(&key.as_str()))
                {
                    field(text, key, value, 1);
                }
            }
            _ => field(text, key, value, 0),
        }
    }
    text.events(it.events);
}

fn field(text: &mut Text, key: &str, value: &Value, level: usize) {
    match value {
        Value::Object(map) => {
            text.line(level, format!("{}:", label(key)));
            map.iter().for_each(|(key, value)| field(text, key, value, level + 1));
        }
        Value::Array(items) => {
            text.line(level, format!("{}:", label(key)));
            for item in items {
                match item {
                    Value::Object(map) => {
                        map.iter().for_each(|(key, value)| field(text, key, value, level + 1));
                    }
                    other => text.line(level + 1, scalar(other)),
                }
            }
        }
        other => text.field(level, &label(key), scalar(other)),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `ingressClassName` as `Ingress Class Name`, `apiVersion` as `API Version`; an abbreviation takes
/// the word after it.
fn label(field: &str) -> String {
    if field.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return field.to_owned();
    }
    let mut merged: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in words(field) {
        let is_capital = word.starts_with(char::is_uppercase);
        match merged.last_mut().filter(|_| is_open && is_capital) {
            Some(last) => {
                last.push_str(&word);
                is_open = false;
            }
            None => {
                is_open = word.len() >= 2 && word.chars().all(char::is_uppercase);
                merged.push(word);
            }
        }
    }
    merged.into_iter().map(titled).collect::<Vec<_>>().join(" ")
}

fn titled(word: String) -> String {
    if ["api", "url", "uid", "guid"].contains(&word.to_lowercase().as_str()) {
        return word.to_uppercase();
    }
    if word.to_lowercase() != word {
        return word;
    }
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The words of a name in camel case; an abbreviation is a word of its own.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if letter.is_uppercase() && word.chars().all(char::is_uppercase) => {
                word.push(letter);
            }
            Some(word) if letter.is_lowercase() && word.chars().all(char::is_uppercase) => {
                // The last capital belongs to what follows.
                let capital = word.pop();
                let begun: String = capital.into_iter().chain([letter]).collect();
                if word.is_empty() {
                    words.pop();
                }
                words.push(begun);
            }
            Some(word)
                if letter.is_lowercase() && word.ends_with(char::is_alphabetic)
                    || letter == '-' && word.ends_with('-') =>
            {
                word.push(letter);
            }
            _ => words.push(letter.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn names_of_fields_become_words() {
        let cases = [
            ("apiVersion", "API Version"),
            ("uid", "UID"),
            ("creationTimestamp", "Creation Timestamp"),
            ("ingressClassName", "Ingress Class Name"),
            ("clusterCIDR", "Cluster CIDR"),
            ("IPAddressPool", "IPAddress Pool"),
            ("someURLField", "Some URLField"),
            ("podCIDRs", "Pod CIDRs"),
            ("x-kubernetes-int-or-string", "X - Kubernetes - Int - Or - String"),
            ("app.kubernetes.io/name", "app.kubernetes.io/name"),
        ];
        for (name, expected) in cases {
            assert_eq!(label(name), expected);
        }
    }
}
