//! Pods as the API server's own structures, which some messages show whole.
//!
//! The server keeps objects in structures whose fields have other names, another order and no
//! omissions: `{"Capabilities":null,"Privileged":true,…}`. `go_structs.txt` lists the structures
//! that a pod's specification is made of: the name, then a line for each field with its name, its
//! name in a manifest (with `^` in front where it stands in the specification itself) and its type.
//! Types: `s` text, `b` boolean, `n` number, `q` quantity, `i` number or text, `L` label selector,
//! `M` metadata; with `*` in front for optional, `[` for lists, `{` for maps.
//!
//! Models pkg/apis/core/types.go.

use super::path::Fields as _;
use super::pod::environment::quantity;
use crate::api::Value;

const STRUCTS: &str = include_str!("go_structs.txt");

/// A structure on one line.
pub(super) fn compact(name: &str, value: &Value) -> String {
    let mut writer = Writer { text: String::new(), depth: None, root: value };
    writer.structure(name, value);
    writer.text
}

/// A structure with a line for each field, indented by one space a level.
pub(super) fn pretty(name: &str, value: &Value) -> String {
    let mut writer = Writer { text: String::new(), depth: Some(0), root: value };
    writer.structure(name, value);
    writer.text
}

/// The field lines of a structure.
fn fields_of(
    name: &str,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> + use<> {
    let mut lines = STRUCTS.lines();
    let _ = lines.find(|line| *line == name);
    lines.map_while(|line| line.strip_prefix("  ")).filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.next()?, words.next()?))
    })
}

struct Writer<'a> {
    text: String,
    /// How deep the line stands; none on one line.
    depth: Option<usize>,
    root: &'a Value,
}

impl Writer<'_> {
    fn structure(&mut self, name: &str, value: &Value) {
        let mut first = true;
        for (go_name, manifest_name, kind) in fields_of(name) {
            self.item(first, '{');
            first = false;
            self.quoted(go_name);
            self.colon();
            let value = match manifest_name.strip_prefix('^') {
                Some(name) => self.root.sub(name).cloned(),
                None => value.sub(manifest_name).cloned(),
            };
            self.value(kind, value.as_ref());
        }
        self.close(first, "{}", '}');
    }

    fn value(&mut self, kind: &str, value: Option<&Value>) {
        let (form, rest) = kind.split_at_checked(1).unwrap_or(("", ""));
        match (form, rest) {
            ("*", "PodSecurityContext") => {
                self.structure(rest, value.unwrap_or(&Value::Null));
            }
            ("*", rest) => match value {
                None => self.text.push_str("null"),
                Some(value) => self.value(rest, Some(value)),
            },
            ("[", rest) => self.list(rest, value.and_then(Value::as_array)),
            ("{", rest) => self.map(rest, value.and_then(Value::as_object)),
            ("s", "") => self.quoted(value.and_then(Value::as_str).unwrap_or_default()),
            ("b", "") => {
                let value = value.and_then(Value::as_bool).unwrap_or_default();
                self.text.push_str(if value { "true" } else { "false" });
            }
            ("n", "") => {
                let value = value.and_then(Value::as_i64).unwrap_or_default();
                self.text.push_str(&value.to_string());
            }
            ("q", "") => self.quoted(&quantity(value).unwrap_or_default().to_string()),
            ("i", "") => match value {
                Some(Value::String(text)) => self.quoted(text),
                value => {
                    let value = value.and_then(Value::as_i64).unwrap_or_default();
                    self.text.push_str(&value.to_string());
                }
            },
            ("L", "") => self.selector(value.unwrap_or(&Value::Null)),
            ("M", "") => self.text.push_str("{}"),
            _ => self.structure(kind, value.unwrap_or(&Value::Null)),
        }
    }

    fn list(&mut self, kind: &str, items: Option<&Vec<Value>>) {
        match items.filter(|items| !items.is_empty()) {
            None => self.text.push_str("null"),
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.item(index == 0, '[');
                    self.value(kind, Some(item));
                }
                self.close(false, "[]", ']');
            }
        }
    }

    fn map(&mut self, kind: &str, fields: Option<&serde_json::Map<String, Value>>) {
        match fields.filter(|fields| !fields.is_empty()) {
            None => self.text.push_str("null"),
            Some(fields) => {
                for (index, (key, value)) in fields.iter().enumerate() {
                    self.item(index == 0, '{');
                    self.quoted(key);
                    self.colon();
                    self.value(kind, Some(value));
                }
                self.close(false, "{}", '}');
            }
        }
    }

    /// Selectors have the names of manifests, and leave out what is empty.
    fn selector(&mut self, selector: &Value) {
        let mut first = true;
        if selector.map("matchLabels").next().is_some() {
            self.item(first, '{');
            first = false;
            self.quoted("matchLabels");
            self.colon();
            self.map("s", selector.sub("matchLabels").and_then(Value::as_object));
        }
        if !selector.list("matchExpressions").is_empty() {
            self.item(first, '{');
            first = false;
            self.quoted("matchExpressions");
            self.colon();
            for (index, requirement) in selector.list("matchExpressions").iter().enumerate() {
                self.item(index == 0, '[');
                for (index, key) in ["key", "operator"].into_iter().enumerate() {
                    self.item(index == 0, '{');
                    self.quoted(key);
                    self.colon();
                    self.quoted(requirement.text(key));
                }
                if let Some(values) = requirement.sub("values").and_then(Value::as_array) {
                    self.item(false, '{');
                    self.quoted("values");
                    self.colon();
                    self.list("s", Some(values));
                }
                self.close(false, "{}", '}');
            }
            self.close(false, "[]", ']');
        }
        self.close(first, "{}", '}');
    }

    /// What stands in front of an item: the bracket or a comma, and in many lines a new line.
    fn item(&mut self, first: bool, open: char) {
        self.text.push(if first { open } else { ',' });
        if first && let Some(depth) = &mut self.depth {
            *depth += 1;
        }
        self.new_line();
    }

    fn close(&mut self, empty: bool, all: &str, close: char) {
        if empty {
            self.text.push_str(all);
            return;
        }
        if let Some(depth) = &mut self.depth {
            *depth = depth.saturating_sub(1);
        }
        self.new_line();
        self.text.push(close);
    }

    fn new_line(&mut self) {
        if let Some(depth) = self.depth {
            self.text.push('\n');
            self.text.extend(core::iter::repeat_n(' ', depth));
        }
    }

    fn colon(&mut self) {
        self.text.push_str(if self.depth.is_some() { ": " } else { ":" });
    }

    /// A text as Go's encoder writes it, safe inside of HTML.
    fn quoted(&mut self, text: &str) {
        let json = Value::from(text).to_string();
        let safe = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        self.text.push_str(&safe);
    }
}

/// A pod template: its metadata as in a manifest, then the specification.
pub(super) fn pod_template(template: &Value) -> String {
    const META: [&str; 4] = ["name", "namespace", "labels", "annotations"];
    let mut text = String::from("{");
    let meta = template.sub("metadata").unwrap_or(&Value::Null);
    for field in META {
        if let Some(value) = meta.sub(field) {
            text.push_str(&format!("\"{field}\":{value},"));
        }
    }
    let spec = compact("PodSpec", template.sub("spec").unwrap_or(&Value::Null));
    text.push_str(&format!("\"Spec\":{spec}}}"));
    text
}

/// A label selector in the order of its structure.
pub(super) fn label_selector(selector: &Value) -> String {
    let mut writer = Writer { text: String::new(), depth: None, root: selector };
    writer.selector(selector);
    writer.text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_stand_in_the_order_of_the_structure_with_nothing_left_out() {
        let context = json!({"privileged": true, "capabilities": {"add": ["A"]}});
        expect_test::expect![[
            r#"{"Capabilities":{"Add":["A"],"Drop":null},"Privileged":true,"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":null,"ProcMount":null,"SeccompProfile":null,"AppArmorProfile":null}"#
        ]]
        .assert_eq(&compact("SecurityContext", &context));
    }

    #[test]
    fn selectors_show_labels_before_expressions() {
        let selector = json!({"matchExpressions": [{"key": "k", "operator": "Exists"}], "matchLabels": {"a": "<b>"}});
        expect_test::expect![[
            r#"{"matchLabels":{"a":"\u003cb\u003e"},"matchExpressions":[{"key":"k","operator":"Exists"}]}"#
        ]]
        .assert_eq(&label_selector(&selector));
    }

    #[test]
    fn every_type_in_the_table_has_its_structure() {
        for line in STRUCTS.lines().filter_map(|line| line.strip_prefix("  ")) {
            let kind = line.rsplit(' ').next().expect("a type").trim_start_matches(['*', '[', '{']);
            assert!(kind.len() == 1 || fields_of(kind).next().is_some(), "{line}");
        }
    }
}
