//! Help while writing: what could stand at a place, and what stands there.
//!
//! The text under the cursor is seldom whole YAML, so the place is found by indentation alone.

use crate::api::Kind;
use crate::base::order;
use crate::manifest::schema;
use crate::manifest::{Suggestion, suggestions};
use serde_json::json;

/// Larger texts get no help, so that typing in them stays quick.
const MOST_BYTES: usize = 300_000;

/// Where a cursor is in a manifest.
#[derive(Debug, PartialEq)]
struct Place {
    kind: Option<Kind>,
    /// The names of the fields around it, list items as `0`.
    path: Vec<String>,
    /// The field whose value is being written, if the cursor is behind its colon.
    value_of: Option<String>,
}

/// What could be written at an offset (in UTF-16 units), as the JSON list that the editor takes;
/// `None` if there is nothing to offer.
pub fn complete(text: &str, offset: u32) -> Option<String> {
    let place = place_at(text, offset)?;
    let offers = match (&place.kind, &place.value_of) {
        (_, Some(key)) if key == "kind" && place.path.is_empty() => kinds(),
        (kind, Some(key)) if key == "apiVersion" && place.path.is_empty() => versions(*kind),
        (Some(kind), Some(key)) => {
            let mut path = place.path.clone();
            path.push(key.clone());
            suggestions(*kind, &path).into_iter().filter(|one| one.detail == "value").collect()
        }
        (Some(kind), None) => {
            let mut fields = suggestions(*kind, &place.path);
            if place.path.is_empty() {
                fields.retain(|one| one.label != "status");
            }
            fields
        }
        (None, None) => ["apiVersion", "kind", "metadata", "spec"]
            .map(|label| Suggestion { label: label.into(), detail: String::new() })
            .into(),
        (None, Some(_)) => Vec::new(),
    };
    let is_value = place.value_of.is_some();
    let list = offers.into_iter().map(|offer| {
        let ends = if is_value { "" } else { ": " };
        json!({"label": offer.label, "apply": format!("{}{ends}", offer.label), "detail": offer.detail})
    });
    let list: Vec<_> = list.collect();
    (!list.is_empty()).then(|| serde_json::Value::from(list).to_string())
}

/// What stands at an offset: the field's path and type, as JSON with its place in UTF-16 units.
pub fn hover(text: &str, offset: u32) -> Option<String> {
    let place = place_at(text, offset)?;
    let (line_start, line, _) = line_at(text, offset)?;
    let key =
        line.trim_start_matches([' ', '-']).split(':').next().filter(|key| !key.is_empty())?;
    let mut path = place.path;
    path.push(key.trim().to_owned());
    let kind = place.kind?;
    let field_type = schema::type_at(kind, &path)?;
    let shown: Vec<&str> = path.iter().filter(|step| *step != "0").map(String::as_str).collect();
    let before = utf16(line) - utf16(line.trim_start_matches([' ', '-']));
    let from = line_start + before;
    let to = from + utf16(key);
    if offset < from || offset > to {
        return None;
    }
    let text = format!("{}.{}\n{}", kind.name(), shown.join("."), field_type.go_name());
    Some(json!({"from": from, "to": to, "text": text}).to_string())
}

fn kinds() -> Vec<Suggestion> {
    let offer = |kind: Kind| Suggestion { label: kind.name().into(), detail: kind.api_version() };
    Kind::all().map(offer).collect()
}

fn versions(kind: Option<Kind>) -> Vec<Suggestion> {
    let mut versions: Vec<String> = match kind {
        Some(kind) => vec![kind.api_version()],
        None => Kind::all().map(Kind::api_version).collect(),
    };
    order::sort(&mut versions);
    versions.dedup();
    let offer = |label| Suggestion { label, detail: String::new() };
    versions.into_iter().map(offer).collect()
}

fn utf16(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The line at an offset: where it begins, its text, and its number from 0.
fn line_at(text: &str, offset: u32) -> Option<(u32, &str, usize)> {
    let mut start = 0_u32;
    for (number, line) in text.split('\n').enumerate() {
        let end = start.saturating_add(utf16(line));
        if offset <= end {
            return Some((start, line, number));
        }
        start = end.saturating_add(1);
    }
    None
}

fn indent_of(line: &str) -> usize {
    line.len().saturating_sub(line.trim_start_matches(' ').len())
}

fn is_content(line: &str) -> bool {
    let trimmed = line.trim_start();
    !trimmed.is_empty() && !trimmed.starts_with('#')
}

fn place_at(text: &str, offset: u32) -> Option<Place> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let (start, line, number) = line_at(text, offset)?;
    let lines: Vec<&str> = text.split('\n').collect();
    let is_break = |line: &&str| line.trim_end() == "---";
    let first = lines.iter().take(number).rposition(is_break).map_or(0, |at| at.saturating_add(1));
    let rest = lines.iter().skip(first);
    let document: Vec<&str> = rest.copied().take_while(|line| !is_break(line)).collect();
    let kind = document.iter().find_map(|line| line.strip_prefix("kind:")).map(str::trim);
    let kind = kind.and_then(|name| Kind::all().find(|kind| kind.name() == name));
    let typed: String = typed_part(line, offset.saturating_sub(start));
    let body = typed.trim_start_matches([' ', '-']);
    let value_of = body.split_once(':').map(|(key, _)| key.trim().to_owned());
    // Dashes open a list item whose fields stand where the first one does.
    let column = typed.len().saturating_sub(body.len());
    let path = path_above(&document, number.saturating_sub(first), line, column);
    Some(Place { kind, path, value_of })
}

/// The part of a line before the cursor.
fn typed_part(line: &str, units: u32) -> String {
    let mut left = units;
    line.chars()
        .take_while(|c| {
            let width = u32::try_from(c.len_utf16()).unwrap_or(1);
            let fits = left >= width;
            left = left.saturating_sub(width);
            fits
        })
        .collect()
}

/// The fields around a column, found by going up to ever smaller indentation.
fn path_above(document: &[&str], number: usize, line: &str, column: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut column = column;
    let own_dash = line.trim_start().starts_with("- ").then(|| indent_of(line));
    if let Some(indent) = own_dash.filter(|indent| *indent < column) {
        path.push("0".to_owned());
        column = indent.saturating_add(1);
    }
    for above in document.iter().take(number).rev().filter(|line| is_content(line)) {
        if column == 0 {
            break;
        }
        let indent = indent_of(above);
        let body = above.trim_start();
        let (dash, after) = match body.strip_prefix("- ") {
            Some(after) => (true, after.trim_start()),
            None => (false, body),
        };
        let key_column = above.len().saturating_sub(after.len());
        // A list may stand at its key's own column: `ports:` above `- port`.
        let is_list_key = !dash && path.last().is_some_and(|step| step == "0") && indent < column;
        if key_column < column || is_list_key {
            if let Some((key, rest)) = after.split_once(':')
                && (rest.trim().is_empty() || rest.trim_start().starts_with('#'))
            {
                path.push(key.trim().trim_matches('"').to_owned());
                column = key_column;
            } else if !dash {
                continue;
            }
        }
        if dash && indent < column {
            path.push("0".to_owned());
            column = indent.saturating_add(1);
        }
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: a\n    image: nginx\n    ports:\n      - containerPort: 80\n        \n    re\n  restartPolicy: \n";

    fn at(mark: &str) -> Place {
        let end = TEXT.find(mark).unwrap() + mark.len();
        place_at(TEXT, u32::try_from(end).unwrap()).unwrap()
    }

    #[test]
    fn the_place_of_the_cursor_is_found_by_indentation() {
        let cases: [(&str, &[&str], Option<&str>); 6] = [
            ("  name: w", &["metadata"], Some("name")),
            ("  - na", &["spec", "containers", "0"], None),
            ("      - contai", &["spec", "containers", "0", "ports", "0"], None),
            ("80\n        ", &["spec", "containers", "0", "ports", "0"], None),
            ("\n    re", &["spec", "containers", "0"], None),
            ("restartPolicy: ", &["spec"], Some("restartPolicy")),
        ];
        for (mark, path, value_of) in cases {
            let place = at(mark);
            assert_eq!(place.path, path, "{mark:?}");
            assert_eq!(place.value_of.as_deref(), value_of, "{mark:?}");
        }
    }

    #[test]
    fn fields_and_values_are_offered_where_they_belong() {
        let labels = |mark: &str| {
            let end = TEXT.find(mark).unwrap() + mark.len();
            complete(TEXT, u32::try_from(end).unwrap()).unwrap_or_default()
        };
        assert!(labels("\n    re").contains("\"readinessProbe: \""));
        assert!(labels("restartPolicy: ").contains("\"Never\""));
        assert!(labels("kind: P").contains("\"Pod\""));
    }

    #[test]
    fn a_field_under_the_pointer_says_its_type() {
        let at = u32::try_from(TEXT.find("containerPort").unwrap() + 3).unwrap();
        let hover = hover(TEXT, at).unwrap();
        assert!(hover.contains("Pod.spec.containers.ports.containerPort\\nint32"), "{hover}");
    }
}
