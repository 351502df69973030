//! What a refusal means, in the page's words, and the place in the manifest that it is about.

use super::fault::Fault;
use crate::api::tree::Tree as _;
use crate::api::{ApiError, FieldError, FieldErrorType, Kind, Reason, Value};
use crate::manifest::schema;
use crate::manifest::{Document, Place};
use crate::text::Text;

/// An explanation with what fills it in.
type Explanation = (Text, Vec<(&'static str, String)>);

/// A fault at a place of the text.
pub(super) fn fault(source: &str, place: Place, words: String, explanation: Explanation) -> Fault {
    let (explanation, values) = explanation;
    let line = place.start.line.max(1);
    let end_column = match place.end.line == place.start.line {
        true => place.end.column,
        // A value of several lines is marked to the end of its first.
        false => u32::MAX,
    };
    let text = source.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    Fault {
        line,
        from: utf16_column(text, place.start.column),
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
    if error.causes.is_empty() {
        return by_message(source, document, error);
    }
    error
        .causes
        .iter()
        .map(|cause| {
            let place = match cause.error_type {
                FieldErrorType::Required => document.key_place_of(&cause.field),
                _ => document.place_of(&cause.field),
            };
            let words = format!("{}: {}", cause.field, cause.body());
            let one =
                Fault { path: cause.field.clone(), ..fault(source, place, words, by_cause(cause)) };
            mended(source, document, cause, one)
        })
        .collect()
}

/// What is wrong with YAML that cannot be read.
pub(super) fn syntax(message: &str) -> Explanation {
    let text = match () {
        () if message.contains("too large") => Text::FaultTooLarge,
        () if message.contains("excessive aliasing") => Text::FaultAliases,
        () if message.contains("depth") => Text::FaultDepth,
        () if message.contains("control character") => Text::FaultBinary,
        () if message.contains('\t') || message.contains("tab") => Text::FaultTab,
        () if message.contains("duplicate") || message.contains("already set") => {
            Text::FaultDuplicateKey
        }
        () => Text::FaultSyntax,
    };
    (text, Vec::new())
}

/// What is wrong with a document whose kind nobody knows.
pub(super) fn unknown_kind(kind: &str) -> Explanation {
    let near = nearest(kind, Kind::all().map(Kind::name));
    match (kind, near) {
        ("", _) => (Text::FaultNoKind, Vec::new()),
        (_, Some(near)) => {
            (Text::FaultKindNear, vec![("kind", kind.to_owned()), ("near", near.to_owned())])
        }
        _ => (Text::FaultKind, vec![("kind", kind.to_owned())]),
    }
}

/// Refusals whose fields are only in the sentence: unknown fields and wrong types.
fn by_message(source: &str, document: &Document, error: &ApiError) -> Vec<Fault> {
    let message = &error.message;
    let unknown: Vec<&str> = message
        .split("unknown field \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    if !unknown.is_empty() {
        return unknown
            .into_iter()
            .map(|path| {
                let words = format!("unknown field \"{path}\"");
                let explanation = unknown_field(document, path);
                let fix = explanation.1.iter().find(|(name, _)| *name == "near");
                let (path, fix) = (path.to_owned(), fix.map(|(_, near)| near.clone()));
                let place = document.key_place_of(&path);
                Fault { path, fix, ..fault(source, place, words, explanation) }
            })
            .collect();
    }
    if let Some((_, rest)) = message.split_once("cannot unmarshal ") {
        let word = |mark: &str| {
            rest.split_once(mark).and_then(|(_, after)| after.split_whitespace().next())
        };
        let got = rest.split_whitespace().next().unwrap_or_default();
        let path = word("Go struct field ").and_then(|field| field.split_once('.'));
        let path = path.map_or("", |(_, path)| path);
        let values = vec![
            ("field", path.to_owned()),
            ("got", got.to_owned()),
            ("want", word("of type ").unwrap_or_default().to_owned()),
        ];
        let place = document.place_of(path);
        let want = word("of type ").unwrap_or_default();
        let given = document.value.at(&path.split('.').collect::<Vec<_>>());
        let fix = given.and_then(|given| retyped(given, want));
        let path = path.to_owned();
        let told = fault(source, place, message.clone(), (Text::FaultType, values));
        return vec![Fault { path, fix, ..told }];
    }
    let (path, text) = match error.reason {
        Reason::NotFound => ("metadata.namespace", Text::FaultNotFound),
        Reason::Forbidden => ("metadata.name", Text::FaultForbidden),
        _ => ("kind", Text::FaultOther),
    };
    vec![fault(source, document.key_place_of(path), message.clone(), (text, Vec::new()))]
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

/// The same fault with its fix, and at the place of the fix, where there is one.
fn mended(source: &str, document: &Document, cause: &FieldError, one: Fault) -> Fault {
    let at = |path: String, fix: String| {
        let place = document.place_of(&path);
        let (words, explanation) = (one.words.clone(), (one.explanation, one.values.clone()));
        Fault { path, fix: Some(fix), ..fault(source, place, words, explanation) }
    };
    match one.explanation {
        Text::FaultNotSupported => {
            let given = cause.bad_value.as_str().unwrap_or_default();
            let offered = cause.detail.split('"').skip(1).step_by(2);
            match nearest(given, offered) {
                Some(near) => at(cause.field.clone(), near.to_owned()),
                None => one,
            }
        }
        // The label that differs, not all of them.
        Text::FaultSelector => {
            let wanted = document.value.fields_at(&["spec", "selector", "matchLabels"]);
            let labels = document.value.at(&["spec", "template", "metadata", "labels"]);
            let differs = wanted.into_iter().flatten().find_map(|(key, want)| {
                let has = labels?.str_at(&[key])?;
                let want = want.as_str()?;
                (has != want).then(|| (key.to_string(), want.to_owned()))
            });
            match differs {
                Some((key, want)) => at(format!("spec.template.metadata.labels.{key}"), want),
                None => one,
            }
        }
        _ => one,
    }
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
    let near = fields.and_then(|fields| nearest(name, fields.keys().copied()));
    match near {
        Some(near) => {
            (Text::FaultFieldNear, vec![("field", name.to_owned()), ("near", near.to_owned())])
        }
        None => (Text::FaultField, vec![("field", name.to_owned())]),
    }
}

/// What is wrong with a field, by the kind of its error and the words that tell errors of one
/// kind apart.
fn by_cause(cause: &FieldError) -> Explanation {
    let field = cause.field.rsplit('.').next().unwrap_or(&cause.field).to_owned();
    let says = |words: &str| cause.detail.contains(words);
    let text = match cause.error_type {
        FieldErrorType::Required => Text::FaultRequired,
        FieldErrorType::NotSupported => Text::FaultNotSupported,
        FieldErrorType::Duplicate => Text::FaultDuplicate,
        FieldErrorType::NotFound => Text::FaultNameless,
        FieldErrorType::Forbidden => Text::FaultForbidden,
        _ if says("does not match template") => Text::FaultSelector,
        _ if says("field is immutable") => Text::FaultImmutable,
        _ if says("RFC 1123") || says("DNS-10") || says("RFC 1035") => Text::FaultName,
        _ if says("between 1 and 65535") => Text::FaultPort,
        _ if says("range of valid ports") || says("already allocated") => Text::FaultNodePort,
        _ if says("must be less than or equal to") => Text::FaultLimit,
        _ => Text::FaultInvalid,
    };
    let value = cause.bad_value.as_str().map_or(cause.bad_value.to_string(), str::to_owned);
    (text, vec![("field", field), ("value", value), ("detail", cause.detail.clone())])
}

/// The word that `word` was probably meant to be: at most two letters away, or a third of it.
fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    let scored = words.map(|other| (distance(word, other), other));
    scored.filter(|(distance, _)| *distance <= most).min().map(|(_, other)| other)
}

/// How many letters must be put in, left out or changed, capitals aside.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i.saturating_add(1)];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX);
            let change = at(&row, j).saturating_add(usize::from(x != y));
            let leave_out = at(&row, j.saturating_add(1)).saturating_add(1);
            let put_in = at(&next, j).saturating_add(1);
            next.push(change.min(leave_out).min(put_in));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_has_a_nearest_word_and_nonsense_has_none() {
        let fields = ["containerPort", "name", "ports", "image", "imagePullPolicy"];
        let cases = [
            ("port", Some("ports")),
            ("containerport", Some("containerPort")),
            ("imagen", Some("image")),
            ("zzz", None),
        ];
        for (word, near) in cases {
            assert_eq!(nearest(word, fields.into_iter()), near, "{word}");
        }
    }

    #[test]
    fn columns_are_counted_as_the_browser_counts() {
        assert_eq!(utf16_column("a: \u{1f600}x", 5), 5);
        assert_eq!(utf16_column("short", u32::MAX), 5);
    }
}
