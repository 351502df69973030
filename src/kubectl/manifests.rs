//! Manifests: text to trees and back.

use super::call::Call;
use super::failure::{Failure, plain};
use super::kustomize;
use crate::api::tree::{Tree as _, TreeMut as _};
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
    /// The version in which it is written; empty for the usual one.
    pub(crate) version: String,
}

/// Reads all that `-f` names. What can be read is returned beside the failures of the rest: the
/// first document of a file that is no YAML, or that does not say what it is, hides those after it.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource: builder.go FilenameParam, visitor.go
/// StreamVisitor.Visit, EagerVisitorList.Visit.
pub(crate) fn read_all(call: &Call<'_>) -> Result<(Vec<Manifest>, Vec<Failure>), Failure> {
    call.field_validation()?;
    let paths = call.flags.list("filename");
    if let Some(folder) = call.flags.get("kustomize") {
        if !paths.is_empty() {
            return plain("only one of -f or -k can be specified");
        }
        return read_folder(call, folder);
    }
    if paths.iter().filter(|path| *path == "-").count() > 1 {
        return plain("standard input cannot be used for multiple arguments");
    }
    let (mut texts, mut missing) = (Vec::new(), Vec::new());
    for path in paths.into_iter().flat_map(|path| matching(call, path)) {
        let files = files_of(call, path.clone());
        if files.is_empty() {
            let known = "recognized file extensions are [.json .yaml .yml]";
            missing.push(Failure::Plain(format!("error reading [{path}]: {known}")));
        }
        for path in files {
            match call.read(&path) {
                Ok(text) => texts.push((if path == "-" { "STDIN".to_owned() } else { path }, text)),
                Err(failure) => missing.push(failure),
            }
        }
    }
    Failure::of(missing)?;
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for (source, text) in &texts {
        if let Err(failure) = read_one(call, text, source, &mut all, &mut failures) {
            failures.push(failure);
        }
        if stops_at_once(call, &failures) {
            break;
        }
    }
    let finds = ["get", "delete", "describe"].contains(&call.verb.path);
    if all.is_empty() && failures.is_empty() && !finds {
        return Err(Failure::Plain("no objects passed to ".to_owned() + call.verb.path));
    }
    Ok((all, failures))
}

/// Reads what the kustomization of a folder makes.
fn read_folder(call: &Call<'_>, folder: &str) -> Result<(Vec<Manifest>, Vec<Failure>), Failure> {
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for object in kustomize::build(call, folder)?.objects {
        if let Err(failure) = flatten(call, object, folder, &mut all) {
            failures.push(failure);
        }
    }
    match all.is_empty() && failures.is_empty() {
        true => plain("no objects passed to ".to_owned() + call.verb.path),
        false => Ok((all, failures)),
    }
}

/// The files that a pattern names; what is no pattern, or fits nothing, is itself.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/builder.go expandIfFilePattern. Simplified:
/// `*` and `?` in the last part alone.
fn matching(call: &Call<'_>, path: String) -> Vec<String> {
    let (folder, pattern) = path.rsplit_once('/').unwrap_or(("", &path));
    if !pattern.contains(['*', '?']) || call.session.read(&path).is_some() {
        return vec![path];
    }
    let inside = |name: String| match folder {
        "" => name,
        folder => format!("{folder}/{name}"),
    };
    let names = call.session.names(folder).into_iter();
    let found: Vec<String> =
        names.filter(|name| fits(pattern.as_bytes(), name.as_bytes())).map(inside).collect();
    if found.is_empty() { vec![path] } else { found }
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), after) => {
            fits(rest, name) || after.is_some_and(|(_, after)| fits(pattern, after))
        }
        (Some((b'?', rest)), Some((_, after))) => fits(rest, after),
        (Some((own, rest)), Some((other, after))) => own == other && fits(rest, after),
        _ => false,
    }
}

/// The manifests in a folder, with `-R` those of the folders in it too; a file is itself.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go ExpandPathsToFileVisitors.
fn files_of(call: &Call<'_>, path: String) -> Vec<String> {
    if !call.session.is_folder(&path) {
        return vec![path];
    }
    let folder = path.trim_end_matches('/').trim_start_matches("./");
    let inside = |name: String| match folder {
        "." | "" => name,
        folder => format!("{folder}/{name}"),
    };
    let is_manifest = |path: &str| [".json", ".yaml", ".yml"].iter().any(|end| path.ends_with(end));
    let all = call.session.names(&path).into_iter().map(inside);
    all.flat_map(|path| match call.session.is_folder(&path) {
        true if call.flags.on("recursive") => files_of(call, path),
        false if is_manifest(&path) => vec![path],
        _ => Vec::new(),
    })
    .collect()
}

/// Reads the documents of one file, up to the first that makes kubectl stop.
fn read_one(
    call: &Call<'_>,
    text: &str,
    source: &str,
    all: &mut Vec<Manifest>,
    failures: &mut Vec<Failure>,
) -> Result<(), Failure> {
    let (documents, broken) = documents(text, source);
    for document in documents {
        if document.is_null() {
            continue;
        }
        if !matches!(call.flags.get("validate"), None | Some("false" | "ignore")) {
            says_what_it_is(&document, source)?;
        }
        has_items(call, &document, source)?;
        if let Err(failure) = flatten(call, document, source, all) {
            failures.push(failure);
        }
        if stops_at_once(call, failures) {
            return Ok(());
        }
    }
    broken.map_or(Ok(()), Err)
}

/// Whether nothing more is read after a failure: `kubectl diff` does not go on.
fn stops_at_once(call: &Call<'_>, failures: &[Failure]) -> bool {
    call.verb.path == "diff" && !failures.is_empty()
}

/// Whether a document has a version and a kind, and what it lists has them too.
///
/// Models staging/src/k8s.io/kubectl/pkg/validation/validation.go getObjectKind,
/// staging/src/k8s.io/kubectl/pkg/util/openapi/validation/validation.go validateList.
fn says_what_it_is(value: &Value, source: &str) -> Result<(), Failure> {
    let mut why = Vec::new();
    note_missing(value, &mut why);
    let why = match why.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    Err(Failure::Plain(format!(
        "error validating \"{source}\": error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false"
    )))
}

fn note_missing(value: &Value, why: &mut Vec<String>) {
    if !value.is_object() {
        return why.push("invalid object to validate".to_owned());
    }
    let before = why.len();
    for key in ["apiVersion", "kind"] {
        match value.get(key) {
            None | Some(Value::Null) => why.push(format!("{key} not set")),
            Some(Value::String(text)) if key == "apiVersion" && text.matches('/').count() > 1 => {
                return why.push(format!("unexpected GroupVersion string: {text}"));
            }
            Some(Value::String(_)) => {}
            Some(_) => why.push(format!("{key} isn't string type")),
        }
    }
    if why.len() == before && value.str_at(&["kind"]) == Some("List") {
        match value.get("items") {
            Some(Value::Array(items)) => items.iter().for_each(|item| note_missing(item, why)),
            _ => why.push("invalid object to validate".to_owned()),
        }
    }
}

/// The objects of a list: those of a `PodList` need not say that they are pods.
///
/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/helpers.go decodeToList.
#[inline(never)]
fn items_of(list: &Value) -> Result<Vec<Value>, Failure> {
    let text = |value: &Value, key| value.str_at(&[key]).unwrap_or_default().to_owned();
    let (version, kind) = (text(list, "apiVersion"), text(list, "kind"));
    let kind = kind.trim_end_matches("List");
    let mut items = list.items_at(&["items"]).to_vec();
    if items.iter().any(|item| item.get("items").is_some_and(Value::is_array)) {
        return plain("*unstructured.Unstructured is not a list: no Items field in this object");
    }
    for item in &mut items {
        let is_bare = text(item, "apiVersion").is_empty() && text(item, "kind").is_empty();
        if is_bare && !kind.is_empty() {
            item.put(&["apiVersion"], version.clone());
            item.put(&["kind"], kind.to_owned());
        }
    }
    Ok(items)
}

/// Whether a document with items is a list, which every kind has one of.
///
/// Models staging/src/k8s.io/client-go/restmapper/discovery.go NewDiscoveryRESTMapper.
fn is_list(call: &Call<'_>, value: &Value, source: &str) -> Result<bool, Failure> {
    let text = |key| value.str_at(&[key]).unwrap_or_default();
    let (api_version, kind_name) = (text("apiVersion"), text("kind"));
    let listed =
        kind_name.strip_suffix("List").and_then(|kind| Kind::of_manifest(api_version, kind));
    if listed.filter(|kind| call.world.store().serves(*kind)).is_none() {
        let is_object = Kind::of_manifest(api_version, kind_name).is_some() || kind_name.is_empty();
        return match is_object {
            true => Ok(false),
            false => Err(unmapped(kind_name, api_version, ["", ""], source)),
        };
    }
    Ok(true)
}

/// Whether the list of a kind has items: what it looks like no server validates, so kubectl does.
///
/// Models staging/src/k8s.io/kubectl/pkg/validation/schema.go ValidateBytes.
fn has_items(call: &Call<'_>, value: &Value, source: &str) -> Result<(), Failure> {
    let text = |key| value.str_at(&[key]).unwrap_or_default();
    let (api_version, kind_name) = (text("apiVersion"), text("kind"));
    let listed = kind_name.strip_suffix("List").filter(|kind| !kind.is_empty());
    let is_known = listed.is_some_and(|kind| Kind::of_manifest(api_version, kind).is_some());
    let validates = !matches!(call.flags.get("validate"), Some("false" | "ignore"));
    if !is_known || !validates || !value.get("items").is_none_or(Value::is_null) {
        return Ok(());
    }
    let group = match api_version.split_once('/') {
        Some((group, version)) => {
            format!("{}.{version}", group.split('.').next().unwrap_or(group))
        }
        None => format!("core.{api_version}"),
    };
    plain(format!(
        "error validating \"{source}\": error validating data: ValidationError({kind_name}): missing required field \"items\" in io.k8s.api.{group}.{kind_name}; if you choose to ignore these errors, turn validation off with --validate=false"
    ))
}

/// What kubectl says of a kind that the server does not have.
#[inline(never)]
fn unmapped(kind: &str, version: &str, [name, namespace]: [&str; 2], source: &str) -> Failure {
    Failure::Plain(format!(
        "resource mapping not found for name: \"{name}\" namespace: \"{namespace}\" from \"{source}\": no matches for kind \"{kind}\" in version \"{version}\"\nensure CRDs are installed first"
    ))
}

/// An item of a list that says its kind must say its version.
fn typed(item: Value) -> Result<Value, Failure> {
    let has = |key: &str| item.str_at(&[key]).is_some_and(|text| !text.is_empty());
    match has("kind") && !has("apiVersion") {
        true => plain(
            "unable to get type info from the object \"*unstructured.Unstructured\": Object 'apiVersion' is missing in 'object has no apiVersion field'",
        ),
        false => Ok(item),
    }
}

/// Takes the objects out of a document, which may be a List.
pub(super) fn flatten(
    call: &Call<'_>,
    mut value: Value,
    source: &str,
    all: &mut Vec<Manifest>,
) -> Result<(), Failure> {
    let text = |value: &Value, key| value.str_at(&[key]).unwrap_or_default().to_owned();
    let written_version = text(&value, "apiVersion");
    conversion::to_stored(&mut value);
    let (api_version, kind_name) = (text(&value, "apiVersion"), text(&value, "kind"));
    if kind_name == "List" || (value.get("items").is_some() && is_list(call, &value, source)?) {
        let items = items_of(&value)?.into_iter();
        return items.map(typed).try_for_each(|item| flatten(call, item?, source, all));
    }
    let refuse = |why: String| Failure::Plain(format!("unable to decode \"{source}\": {why}"));
    manifest::check_metadata(&value).map_err(refuse)?;
    if kind_name.is_empty() || api_version.matches('/').count() > 1 {
        let json = super::go_text::compact_json(&value);
        let why = format!("unable to decode \"{source}\": Object 'Kind' is missing in '{json}'");
        return Err(Failure::Plain(why));
    }
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let written = value.str_at(&["metadata", "namespace"]).unwrap_or_default().to_owned();
    // kubectl knows a kind in small letters, too: what becomes of it is the server's business.
    let small =
        |kind: &Kind| kind.name().to_lowercase() == kind_name && kind.api_version() == api_version;
    let kind = Kind::of_manifest(&api_version, &kind_name).or_else(|| Kind::all().find(small));
    let Some(kind) = kind.filter(|kind| call.world.store().serves_in(*kind, &api_version)) else {
        return Err(unmapped(&kind_name, &written_version, [&name, &written], source));
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
    let version = match written_version == kind.api_version() {
        true => String::new(),
        false => written_version,
    };
    if kind.is_custom() {
        value.put(&["apiVersion"], kind.api_version());
    }
    all.push(Manifest { kind, value, source: source.to_owned(), namespace, name, version });
    Ok(())
}

/// The documents of a YAML or JSON text, without the empty ones, up to the first that cannot be
/// read; then why it cannot.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go StreamVisitor.
pub(super) fn documents(text: &str, source: &str) -> (Vec<Value>, Option<Failure>) {
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
