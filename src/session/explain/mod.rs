//! What a refusal means, in the page's words, and the place in the manifest that it is about.
//!
//! Reading order: this file (a fault and its place), `syntax.rs` (text that is no YAML), `types.rs`
//! (unknown fields, wrong types), `causes.rs` (what validation and admission say), `near.rs`.

mod causes;
mod near;
mod syntax;
mod types;

pub(super) use syntax::{duplicate_key, syntax};

use super::fault::{Fault, Fix};
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Reason};
use crate::manifest::{Document, Place};
use crate::text::Text;

/// An explanation with what fills it in.
pub(super) type Explanation = (Text, Vec<(&'static str, String)>);

/// A fault at a place of the text.
pub(super) fn fault(source: &str, place: Place, words: String, explanation: Explanation) -> Fault {
    let (explanation, values) = explanation;
    let last = u32::try_from(source.lines().count()).unwrap_or(u32::MAX).max(1);
    // A text that ends too early is marked at its end.
    let is_past = place.start.line > last;
    let line = place.start.line.clamp(1, last);
    let end_column = match place.end.line == place.start.line && !is_past {
        true => place.end.column,
        // A value of several lines is marked to the end of its first.
        false => u32::MAX,
    };
    let start_column = if is_past { u32::MAX } else { place.start.column };
    let text = source.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    Fault {
        line,
        from: utf16_column(text, start_column),
        to: utf16_column(text, end_column),
        is_warning: false,
        path: String::new(),
        fix: None,
        words,
        explanation,
        values,
    }
}

/// A column from 1 in characters as one from 0 in UTF-16 units, as the browser counts.
fn utf16_column(line: &str, column: u32) -> u32 {
    let before = line.chars().take(column.saturating_sub(1) as usize);
    before.map(|c| if c.len_utf16() == 2 { 2_u32 } else { 1 }).sum()
}

/// The faults that an answer of the API server means.
pub(super) fn refusal(source: &str, document: &Document, error: &ApiError) -> Vec<Fault> {
    // Of an object that exists, the server shows all that it was sent before it says so.
    let strict = error.message.rsplit_once("strict decoding error: ").map(|(_, fields)| fields);
    if strict.is_none() && !error.causes.is_empty() {
        return causes::faults(source, document, error);
    }
    let message = strict.unwrap_or(&error.message);
    if message.contains("unknown field \"") {
        return types::unknown_fields(source, document, message);
    }
    if message.contains("cannot unmarshal ") {
        return vec![types::wrong_type(source, document, message)];
    }
    vec![match error.reason {
        Reason::NotFound => missing(source, document, error),
        Reason::Forbidden => causes::forbidden(source, document, error),
        _ => {
            let place = document.key_place_of("kind");
            fault(source, place, message.to_owned(), (Text::FaultOther, Vec::new()))
        }
    }]
}

/// What kubectl refuses by itself.
pub(super) fn client(source: &str, document: &Document, words: String) -> Fault {
    let text = match () {
        () if words.contains("resource name may not be empty") => Text::FaultNameMissing,
        () => Text::FaultOther,
    };
    let place = document.key_place_of("metadata");
    let place = if document.value.get("metadata").is_some() {
        place
    } else {
        document.key_place_of("kind")
    };
    let last = words.rsplit(": ").next().unwrap_or(&words).to_owned();
    fault(source, place, last, (text, Vec::new()))
}

/// What the API server accepts, but warns of.
pub(super) fn warning(source: &str, document: &Document, words: String) -> Fault {
    let path = words.split_once(": ").map_or("", |(path, _)| path);
    let is_path = path.starts_with("spec") || path.starts_with("metadata");
    let path = if is_path { path.to_owned() } else { String::new() };
    let place = match path.is_empty() {
        true => document.key_place_of("kind"),
        false => document.key_place_of(&path),
    };
    let told = fault(source, place, words, (Text::FaultWarning, Vec::new()));
    Fault { is_warning: true, path, ..told }
}

/// What is wrong with a document whose kind nobody knows.
pub(super) fn unknown_kind(kind: &str) -> Explanation {
    let near = near::nearest(kind, Kind::all().map(Kind::name));
    match (kind, near) {
        ("", _) => (Text::FaultNoKind, Vec::new()),
        (_, Some(near)) => {
            (Text::FaultKindNear, vec![("kind", kind.to_owned()), ("near", near.to_owned())])
        }
        _ => (Text::FaultKind, vec![("kind", kind.to_owned())]),
    }
}

/// The namespace does not exist.
fn missing(source: &str, document: &Document, error: &ApiError) -> Fault {
    let words = error.message.clone();
    let namespace = words.strip_prefix("namespaces \"").and_then(|rest| rest.split('"').next());
    let Some(namespace) = namespace.map(str::to_owned) else {
        let place = document.key_place_of("kind");
        return fault(source, place, words, (Text::FaultOther, Vec::new()));
    };
    let path = "metadata.namespace";
    let is_written = document.value.at(&["metadata", "namespace"]).is_some();
    let place =
        if is_written { document.place_of(path) } else { document.key_place_of("metadata") };
    let fix = Some(Fix::Command(format!("kubectl create namespace {namespace}")));
    let explanation = (Text::FaultNotFound, vec![("ns", namespace)]);
    Fault { path: path.to_owned(), fix, ..fault(source, place, words, explanation) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_as_the_browser_counts() {
        assert_eq!(utf16_column("a: \u{1f600}x", 5), 5);
        assert_eq!(utf16_column("short", u32::MAX), 5);
    }
}
