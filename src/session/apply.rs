//! The manifests in the editor: checked while they are written, applied when they are done.

use super::enter;
use super::explain;
use super::fault::Fault;
use super::model::{Applied, Model};
use super::running::Place;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value, validation};
use crate::base::order;
use crate::console::Console;
use crate::kubectl::{self, Refusal};
use crate::manifest::{Document, Parsed, decode, parse};
use std::rc::Rc;

/// Texts up to this many bytes are checked while they are written; larger ones when applied.
pub const CHECKED_WHILE_WRITTEN: usize = 150_000;
/// The most faults shown at once.
const MOST_FAULTS: usize = 50;

/// An object of the manifests as it was written, and as the API server stores it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// What was written.
    pub written: Value,
    /// What is stored.
    pub stored: Value,
}

/// Finds what is wrong with the manifests without asking the API server: YAML that cannot be
/// read, unknown kinds and fields, wrong types.
pub(super) fn check(model: &mut Model) {
    if model.source.len() > CHECKED_WHILE_WRITTEN {
        model.faults = Rc::default();
        return;
    }
    let source = model.source.clone();
    let parsed = parse(&source);
    let mut faults = unreadable(&source, &parsed);
    for document in &parsed.documents {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        match kind_of(document) {
            None => faults.push(unknown_kind(&source, document)),
            Some(kind) => {
                if let Err(error) = decode(kind, &document.value) {
                    faults.extend(explain::refusal(&source, document, &error));
                } else {
                    faults.extend(warnings(&source, document, kind, &document.value));
                }
            }
        }
    }
    keep(model, faults);
}

/// Applies the manifests: `kubectl apply -f FILE` in the terminal. What is wrong is found beside
/// it, in a copy of the world, and kept beside the text, which stays.
pub(super) fn apply(model: &mut Model) {
    rehearse(model, None);
    enter::begin(model, &format!("kubectl apply -f {}", model.file_name()), Place::Beside);
}

/// The same after a command that makes room for them.
pub(super) fn apply_after(model: &mut Model, command: &str) {
    rehearse(model, Some(command));
    let line = format!("{command} && kubectl apply -f {}", model.file_name());
    enter::begin(model, &line, Place::Beside);
}

/// Sees what would become of the manifests now, or after a command: the faults, and what the API
/// server adds.
fn rehearse(model: &mut Model, command: Option<&str>) {
    let file = model.file_name();
    model.console.session.write(&file, model.source.to_string());
    let source = model.source.clone();
    let parsed = parse(&source);
    let mut faults = unreadable(&source, &parsed);
    // kubectl reads no further than to the first document that is no YAML.
    let end = parsed.problems.first().map_or(u32::MAX, |problem| problem.place.start.line);
    let (mut world, mut console) = (model.world.clone(), Console::new());
    console.session = model.console.session.clone();
    if let Some(command) = command {
        console.execute(&mut world, command, None);
    }
    let session = &mut console.session;
    let mut stored = Vec::new();
    for document in &parsed.documents {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        if kind_of(document).is_none() && !is_list(document) {
            faults.push(unknown_kind(&source, document));
            // Without a word about what it is kubectl stops there.
            continue;
        }
        for result in kubectl::rehearse(&mut world, session, &document.value) {
            match result {
                Ok((kind, value)) => {
                    faults.extend(warnings(&source, document, kind, &value));
                    let written = document.value.clone();
                    if document.line <= end {
                        stored.push(Stored { written, stored: value });
                    }
                }
                Err(Refusal::Api(error)) => {
                    faults.extend(explain::refusal(&source, document, &error));
                }
                Err(Refusal::Client(words)) => {
                    faults.push(explain::client(&source, document, words))
                }
            }
        }
    }
    let count = u32::try_from(stored.len()).unwrap_or(u32::MAX);
    model.stored = stored.into();
    keep(model, faults);
    model.applied = match model.faults.iter().any(|fault| !fault.is_warning) {
        false if count > 0 => Applied::All { count, at: model.world.now() },
        false => Applied::No,
        true => Applied::Some { count },
    };
}

/// What the objects of the manifests would be if they were applied now.
pub fn rehearsed(model: &Model) -> Vec<Value> {
    let parsed = parse(&model.source);
    let (mut world, mut session) = (model.world.clone(), model.console.session.clone());
    let documents = parsed.documents.iter();
    let all = documents.flat_map(|it| kubectl::rehearse(&mut world, &mut session, &it.value));
    all.filter_map(|result| result.ok().map(|(_, value)| value)).collect()
}

fn keep(model: &mut Model, mut faults: Vec<Fault>) {
    order::sort_by_key(&mut faults, |fault| (fault.line, fault.is_warning));
    faults.truncate(MOST_FAULTS);
    model.faults = faults.into();
}

fn kind_of(document: &Document) -> Option<Kind> {
    let text = |key: &str| document.value.str_at(&[key]).unwrap_or_default();
    Kind::of_manifest(text("apiVersion"), text("kind"))
}

fn is_list(document: &Document) -> bool {
    document.value.str_at(&["kind"]).is_some_and(|kind| kind.ends_with("List"))
        && document.value.get("items").is_some()
}

/// What cannot be read as YAML.
fn unreadable(source: &str, parsed: &Parsed) -> Vec<Fault> {
    let of_syntax = |problem: &crate::manifest::Problem| explain::syntax(source, problem);
    let mut faults: Vec<Fault> = parsed.problems.iter().map(of_syntax).collect();
    let twice = parsed.documents.iter().flat_map(|document| &document.duplicates);
    faults.extend(twice.map(|(place, key)| explain::duplicate_key(source, *place, key)));
    faults
}

/// What the API server warns of, on its line.
fn warnings(source: &str, document: &Document, kind: Kind, value: &Value) -> Vec<Fault> {
    let all = validation::warnings(kind, value, None).into_iter();
    all.map(|words| explain::warning(source, document, words)).collect()
}

/// kubectl's words for a kind that the API server does not know.
fn unknown_kind(source: &str, document: &Document) -> Fault {
    let text = |key: &str| document.value.str_at(&[key]).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let known = Kind::all().find(|one| one.name() == kind);
    let (path, explanation) = match known {
        Some(known) => {
            let values = vec![("kind", kind.to_owned()), ("version", known.api_version())];
            ("apiVersion", (crate::text::Text::FaultVersion, values))
        }
        None => ("kind", explain::unknown_kind(kind)),
    };
    let words = match (api_version, kind) {
        _ if !document.value.is_object() => "invalid object to validate".to_owned(),
        ("", "") => "[apiVersion not set, kind not set]".to_owned(),
        (_, "") => "kind not set".to_owned(),
        ("", _) => "apiVersion not set".to_owned(),
        _ => format!("no matches for kind \"{kind}\" in version \"{api_version}\""),
    };
    let fix = explanation.1.iter().find(|(name, _)| matches!(*name, "near" | "version"));
    let fix = fix.map(|(_, fix)| fix.clone());
    let is_there = document.value.get(path).is_some();
    let told = explain::fault(source, document.place_of(path), words, explanation);
    match (is_there, fix) {
        (true, fix) => {
            Fault { path: path.to_owned(), fix: fix.map(super::fault::Fix::Value), ..told }
        }
        // A version that is missing stands in front of the kind.
        (false, Some(version)) if path == "apiVersion" => {
            let line = document.key_place_of("kind").start.line;
            let text = format!("apiVersion: {version}\n");
            Fault {
                path: path.to_owned(),
                fix: Some(super::fault::Fix::Insert { line, text }),
                ..told
            }
        }
        (false, _) => Fault { path: path.to_owned(), ..told },
    }
}
