//! Manifests: text to trees and back.

use super::call::Call;
use super::failure::Failure;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value, conversion};
use crate::manifest;

/// One object of a manifest.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The tree as written.
    pub(crate) value: Value,
    /// The file's name as messages show it.
    pub(crate) source: String,
    /// The namespace it goes to; empty for kinds without.
    pub(crate) namespace: String,
    /// Its name; empty with `generateName`.
    pub(crate) name: String,
}

/// Reads all that `-f` names. What can be read is returned beside the failures of the rest.
pub(crate) fn read_all(call: &Call<'_>) -> Result<(Vec<Manifest>, Vec<Failure>), Failure> {
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for path in call.flags.list("filename") {
        let source = if path == "-" { "STDIN".to_owned() } else { path.clone() };
        let text = call.read(&path)?;
        let (documents, broken) = documents(&text, &source);
        for document in documents {
            if let Err(failure) = flatten(call, document, &source, &mut all) {
                failures.push(failure);
            }
        }
        failures.extend(broken);
    }
    if all.is_empty() && failures.is_empty() {
        return Err(Failure::Plain("no objects passed to ".to_owned() + call.verb.path));
    }
    Ok((all, failures))
}

fn flatten(
    call: &Call<'_>,
    mut value: Value,
    source: &str,
    all: &mut Vec<Manifest>,
) -> Result<(), Failure> {
    conversion::to_stored(&mut value);
    let text = |key| value.str_at(&[key]).unwrap_or_default().to_owned();
    let (api_version, kind_name) = (text("apiVersion"), text("kind"));
    if kind_name == "List" || (kind_name.ends_with("List") && value.get("items").is_some()) {
        for item in value.items_at(&["items"]) {
            flatten(call, item.clone(), source, all)?;
        }
        return Ok(());
    }
    if kind_name.is_empty() {
        let json = super::go_text::compact_json(&value);
        let why = format!("unable to decode \"{source}\": Object 'Kind' is missing in '{json}'");
        return Err(Failure::Plain(why));
    }
    let refuse = |why: String| Failure::Plain(format!("unable to decode \"{source}\": {why}"));
    manifest::check_metadata(&value).map_err(refuse)?;
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let written = value.str_at(&["metadata", "namespace"]).unwrap_or_default().to_owned();
    if api_version.is_empty() {
        let why = format!(
            "error validating \"{source}\": error validating data: apiVersion not set; if you choose to ignore these errors, turn validation off with --validate=false"
        );
        return Err(Failure::Plain(why));
    }
    let kind = Kind::of_manifest(&api_version, &kind_name);
    let Some(kind) = kind.filter(|kind| call.world.store().serves(*kind)) else {
        let what = format!("no matches for kind \"{kind_name}\" in version \"{api_version}\"");
        return Err(Failure::Plain(format!(
            "resource mapping not found for name: \"{name}\" namespace: \"{written}\" from \"{source}\": {what}\nensure CRDs are installed first"
        )));
    };
    let asked = call.flags.get("namespace");
    if let (Some(asked), true) = (asked, kind.namespaced() && !written.is_empty())
        && asked != written
    {
        return Err(Failure::Plain(format!(
            "the namespace from the provided object \"{written}\" does not match the namespace \"{asked}\". You must pass '--namespace={written}' to perform this operation."
        )));
    }
    let namespace = match (kind.namespaced(), written.is_empty()) {
        (false, _) => String::new(),
        (true, true) => call.namespace(),
        (true, false) => written,
    };
    all.push(Manifest { kind, value, source: source.to_owned(), namespace, name });
    Ok(())
}

/// The documents of a YAML or JSON text, without the empty ones, up to the first that cannot be
/// read; then why it cannot.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go StreamVisitor.
pub(crate) fn documents(text: &str, source: &str) -> (Vec<Value>, Option<Failure>) {
    let parsed = manifest::parse(text);
    let broken = parsed.problems.first();
    let before = |document: &manifest::Document| {
        broken.is_none_or(|problem| document.line < problem.document)
    };
    let values = parsed.documents.iter().filter(|document| before(document));
    let values = values.map(|document| document.value.clone()).collect();
    let failure = broken
        .map(|problem| Failure::Plain(format!("error parsing {source}: {}", problem.message)));
    (values, failure)
}

/// YAML as kubectl prints it.
pub(crate) fn to_yaml(value: &Value) -> String {
    manifest::to_yaml(value)
}

/// One value from YAML or JSON text on the command line.
pub(crate) fn parse_value(text: &str) -> Option<Value> {
    manifest::parse(text).documents.into_iter().next().map(|document| document.value)
}
