//! The manifests in the editor: checked while they are written, applied when they are done.

use super::explain;
use super::fault::Fault;
use super::model::{Applied, Model};
use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Reason};
use crate::base::order;
use crate::kubectl;
use crate::manifest::{Document, decode, parse};
use crate::world::World;

/// Texts up to this many bytes are checked while they are written; larger ones when applied.
const CHECKED_WHILE_WRITTEN: usize = 150_000;
/// The most faults shown at once.
const MOST_FAULTS: usize = 50;

/// Finds what is wrong with the manifests without asking the API server: YAML that cannot be
/// read, unknown kinds and fields, wrong types.
pub(super) fn check(model: &mut Model) {
    if model.source.len() > CHECKED_WHILE_WRITTEN {
        return;
    }
    let source = model.source.clone();
    let faults = each_document(&source, |document, kind| decode(kind, &document.value).map(|_| ()));
    model.faults = faults.1.into();
}

/// Applies every document as `kubectl apply` does, and by the same way; what is wrong is kept in
/// the model beside the text, which stays.
pub(super) fn apply(model: &mut Model) {
    let source = model.source.clone();
    let (world, console) = (&mut model.world, &mut model.console);
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let (count, faults) = each_document(&source, |document, kind| {
        let text = document.value.to_string();
        let output = kubectl::run(world, &mut console.session, &apply_words(), Some(&text));
        stdout.push_str(&output.stdout);
        stderr.push_str(&output.stderr);
        if output.exit == 0 { Ok(()) } else { Err(why(world, document, kind, &output.stderr)) }
    });
    let file = format!("{}.yaml", model.sample.name());
    // kubectl names what it reads; the documents came to it one by one.
    let stderr = stderr.replace("\"STDIN\"", &format!("\"{file}\""));
    model.terminal.record(&format!("kubectl apply -f {file}"), &stdout, &stderr);
    model.console.session.files.insert(file, source.to_string());
    model.applied = match faults.len() {
        0 => Applied::All { count, at: model.world.now() },
        _ => Applied::Some { count },
    };
    model.faults = faults.into();
}

fn apply_words() -> [String; 3] {
    ["apply", "-f", "-"].map(str::to_owned)
}

/// Why the API server refused a document, field by field. kubectl has but a sentence, so it is
/// asked again, in a copy of the world.
fn why(world: &World, document: &Document, kind: Kind, stderr: &str) -> ApiError {
    let mut trial = world.clone();
    let value = &document.value;
    let namespace = value.str_at(&["metadata", "namespace"]).unwrap_or("default").to_owned();
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default();
    let place = if kind.namespaced() { &*namespace } else { "" };
    let result = match trial.find(kind, place, name) {
        Some(_) => trial.update(kind, value, &namespace),
        None => trial.create(kind, value, &namespace),
    };
    match result {
        Err(error) => error,
        Ok(_) => ApiError::new(Reason::Invalid, stderr.trim()),
    }
}

/// Does something to each document that can be read; returns for how many it worked, and what
/// was wrong in the order of the text.
fn each_document(
    source: &str,
    mut act: impl FnMut(&Document, Kind) -> Result<(), ApiError>,
) -> (u32, Vec<Fault>) {
    let parsed = parse(source);
    let mut faults: Vec<Fault> = parsed
        .problems
        .iter()
        .map(|problem| {
            let explanation = explain::syntax(&problem.message);
            explain::fault(source, problem.place, problem.message.clone(), explanation)
        })
        .collect();
    let mut count = 0_u32;
    for document in &parsed.documents {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        let text = |key: &str| document.value.str_at(&[key]).unwrap_or_default();
        let Some(kind) = Kind::of_manifest(text("apiVersion"), text("kind")) else {
            faults.push(unknown_kind(source, document));
            continue;
        };
        match act(document, kind) {
            Ok(()) => count = count.saturating_add(1),
            Err(error) => faults.extend(explain::refusal(source, document, &error)),
        }
    }
    order::sort_by_key(&mut faults, |fault| fault.line);
    faults.truncate(MOST_FAULTS);
    (count, faults)
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
        (_, "") => "Object 'Kind' is missing".to_owned(),
        ("", _) => "Object 'apiVersion' is missing".to_owned(),
        _ => format!("no matches for kind \"{kind}\" in version \"{api_version}\""),
    };
    let fix = explanation.1.iter().find(|(name, _)| matches!(*name, "near" | "version"));
    let fix = fix.map(|(_, fix)| fix.clone()).filter(|_| document.value.get(path).is_some());
    let told = explain::fault(source, document.place_of(path), words, explanation);
    Fault { path: path.to_owned(), fix, ..told }
}
