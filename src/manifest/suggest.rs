//! What could stand at a place of a manifest.

use super::parse::{Parsed, Position};
use super::schema::{self, Definition, Type};
use crate::api::Kind;
use crate::api::tree::Tree as _;

/// One thing that could be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The text.
    pub label: String,
    /// Its type as Go has it, or `value` for one of a few values.
    pub detail: String,
}

/// The kind and the path of field names at a position of a text.
pub fn path_at(parsed: &Parsed, position: Position) -> Option<(Kind, Vec<String>)> {
    let document = parsed.documents.iter().rev().find(|d| d.line <= position.line)?;
    let kind = document.value.str_at(&["kind"]).and_then(Kind::of_word)?;
    Some((kind, document.path_at(position)))
}

/// What could be written below a path of a kind: field names of a structure, or the values of a
/// field that has few.
pub fn suggestions(kind: Kind, path: &[String]) -> Vec<Suggestion> {
    let Some(here) = schema::type_at(kind, path) else { return Vec::new() };
    let inner = match here.target() {
        Type::List(inner) => inner.target().clone(),
        other => other.clone(),
    };
    let Type::Named(name) = inner else { return Vec::new() };
    match schema::find(name) {
        Some(Definition::Struct(fields)) => fields
            .iter()
            .map(|(name, field)| Suggestion {
                label: (*name).to_owned(),
                detail: field.field_type.go_name(),
            })
            .collect(),
        Some(Definition::Basic { values, .. }) => values
            .iter()
            .map(|value| Suggestion { label: (*value).to_owned(), detail: "value".to_owned() })
            .collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn fields_and_values_are_suggested_where_they_belong() {
        let text = "kind: Service\nspec:\n  type: X\n  ports:\n  - port: 80\n";
        let at = |line, column| path_at(&parse(text), Position { line, column }).unwrap();
        assert_eq!(at(3, 9).1, ["spec", "type"]);
        let (kind, path) = at(3, 9);
        let labels: Vec<_> = suggestions(kind, &path).into_iter().map(|s| s.label).collect();
        assert_eq!(labels, ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]);
        let (kind, mut path) = at(5, 6);
        path.truncate(3);
        assert!(suggestions(kind, &path).iter().any(|s| s.label == "targetPort"));
    }
}
