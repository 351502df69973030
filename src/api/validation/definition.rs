//! CustomResourceDefinitions.
//!
//! Versions that all have one schema, or the same subresources or columns, are kept by the server
//! with these at the top, so that messages name them as `spec.validation` and the like.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions:
//! validation/validation.go ValidateCustomResourceDefinition and its Update, v1/conversion.go.
//!
//! Simplified: rules in CEL are not compiled, and what a bundle of certificates holds is not looked
//! at. Where a message shows versions with schemas of their own, lists, maps and examples in these
//! are left out.

use super::definition_schema;
use super::go_structs;
use super::names;
use super::path::{Errors, Fields as _, Path, Report as _, immutable};
use super::webhook_client;
use crate::api::{FieldError, Value};

const APPROVAL: &str = "api-approved.kubernetes.io";
const APPROVAL_TEXT: &str = "see https://github.com/kubernetes/enhancements/pull/1111";
const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS: [&str; 8] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/// The name of a definition says what it defines.
pub(super) fn name(object: &Value) -> Vec<String> {
    let spec = object.sub("spec").unwrap_or(&Value::Null);
    let plural = spec.sub("names").map(|names| names.text("plural")).unwrap_or_default();
    let name = object.sub("metadata").map(|meta| meta.text("name")).unwrap_or_default();
    match name == format!("{plural}.{}", spec.text("group")) {
        true => Vec::new(),
        false => vec!["must be spec.names.plural+\".\"+spec.group".to_owned()],
    }
}

/// Checks what is below the metadata.
pub(super) fn definition(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    self::spec(spec, &path, errors);
    if let Some(old) = old.and_then(|old| old.sub("spec")) {
        let names = path.child("names");
        let name = |spec: &'_ Value, key: &str| {
            Some(Value::from(spec.sub("names").map_or("", |names| names.text(key))))
        };
        immutable(spec.sub("scope"), old.sub("scope"), &path.child("scope"), errors);
        for key in ["kind", "plural"] {
            if key == "plural" {
                immutable(spec.sub("group"), old.sub("group"), &path.child("group"), errors);
            }
            let (new, old) = (name(spec, key), name(old, key));
            immutable(new.as_ref(), old.as_ref(), &names.child(key), errors);
        }
    }
    stored_versions(object, spec, errors);
    approval(object, spec, old, errors);
    if spec.flag("preserveUnknownFields") {
        let detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in \
                      spec.versions[*].schema instead";
        errors.invalid(path.child("preserveUnknownFields"), true, detail);
    }
}

/// Models validateCustomResourceDefinitionSpec.
fn spec(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let group = spec.text("group");
    let wrong = names::dns_subdomain(group);
    if group.is_empty() {
        errors.required(path.child("group"), "");
    } else if !wrong.is_empty() {
        errors.invalid(path.child("group"), group, wrong.join(","));
    } else if !group.contains('.') {
        errors.invalid(path.child("group"), group, "should be a domain with at least one dot");
    }
    match spec.text("scope") {
        "" => errors.required(path.child("scope"), ""),
        "Cluster" | "Namespaced" => {}
        other => errors.not_supported(path.child("scope"), other, &["Cluster", "Namespaced"]),
    }
    versions(spec, path, errors);
    let names = path.child("names");
    let own = spec.sub("names").unwrap_or(&Value::Null);
    for key in ["plural", "singular", "kind", "listKind"] {
        if own.text(key).is_empty() {
            errors.required(names.child(key), "");
        }
    }
    self::names(own, &names, errors);
    let list = spec.list("versions");
    if let Some(schema) = shared(list, schema_of) {
        let has_status = shared(list, subresources_of).is_some_and(has_status);
        root_schema(schema, has_status, &path.child("validation"), errors);
    }
    if let Some(subresources) = shared(list, subresources_of) {
        self::subresources(subresources, &path.child("subresources"), errors);
    }
    if let Some(columns) = shared(list, |version| version.sub("additionalPrinterColumns")) {
        self::columns(columns, &path.child("additionalPrinterColumns"), errors);
    }
    if let Some(conversion) = spec.sub("conversion") {
        self::conversion(conversion, &path.child("conversion"), errors);
    }
}

/// The server's own structure has the webhook's parts under other names.
///
/// Models validateCustomResourceConversion.
fn conversion(conversion: &Value, path: &Path<'_>, errors: &mut Errors) {
    const VERSIONS: &str = "conversionReviewVersions";
    const ELSEWHERE: &str = "should not be set when strategy is not set to Webhook";
    let (strategy, at) = (conversion.text("strategy"), path.child("strategy"));
    match strategy {
        "" => errors.required(at, ""),
        "None" | "Webhook" => {}
        other => errors.not_supported(at, other, &["None", "Webhook"]),
    }
    let webhook = conversion.sub("webhook").unwrap_or(&Value::Null);
    let (client, at) = (webhook.sub("clientConfig"), path.child("webhookClientConfig"));
    match (strategy, client) {
        ("Webhook", None) => errors.required(at, "required when strategy is set to Webhook"),
        ("Webhook", Some(client)) => webhook_client::client_config(client, &at, errors),
        (_, Some(_)) => errors.forbidden(at, ELSEWHERE),
        _ => {}
    }
    if strategy == "Webhook" {
        webhook_client::review_versions(webhook, VERSIONS, "", path, errors);
    } else if !webhook.list(VERSIONS).is_empty() {
        errors.forbidden(path.child(VERSIONS), ELSEWHERE);
    }
}

fn schema_of(version: &Value) -> Option<&Value> {
    version.sub("schema").and_then(|schema| schema.sub("openAPIV3Schema"))
}

fn subresources_of(version: &Value) -> Option<&Value> {
    version.sub("subresources")
}

fn has_status(subresources: &Value) -> bool {
    subresources.sub("status").is_some()
}

/// Models validateCustomResourceDefinitionValidation, but for the fields that a schema with a status
/// may not have at its root.
fn root_schema(schema: &Value, has_status: bool, path: &Path<'_>, errors: &mut Errors) {
    let path = path.child("openAPIV3Schema");
    let kind = schema.text("type");
    if has_status && !["", "object"].contains(&kind) {
        let detail = "only \"object\" is allowed as the type at the root of the schema if the \
                      status subresource is enabled";
        errors.invalid(path.child("type"), kind, detail);
    }
    definition_schema::schema(schema, &path, errors);
}

/// What all versions have alike.
fn shared<'a>(
    versions: &'a [Value],
    part: impl Fn(&'a Value) -> Option<&'a Value>,
) -> Option<&'a Value> {
    let first = part(versions.first()?)?;
    versions.iter().all(|version| part(version) == Some(first)).then_some(first)
}

fn versions(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("versions");
    let versions = spec.list("versions");
    for (index, version) in versions.iter().enumerate() {
        if schema_of(version).is_none() {
            let at = list.index(index);
            errors.required(at.child("schema").child("openAPIV3Schema"), "");
        }
    }
    for (index, version) in versions.iter().enumerate() {
        let at = list.index(index);
        let wrong = names::dns_1035_label(version.text("name"));
        if !wrong.is_empty() {
            errors.invalid(at.child("name"), version.text("name"), wrong.join(","));
        }
        if version.sub("deprecationWarning").is_some() && !version.flag("deprecated") {
            let detail = "can only be set for deprecated versions";
            errors.invalid(
                at.child("deprecationWarning"),
                version.text("deprecationWarning"),
                detail,
            );
        }
        if let Some(schema) = schema_of(version).filter(|_| shared(versions, schema_of).is_none()) {
            let has_status = subresources_of(version).is_some_and(has_status);
            root_schema(schema, has_status, &at.child("schema"), errors);
        }
    }
    let names: Vec<&str> = versions.iter().map(|version| version.text("name")).collect();
    let is_twice = |(index, name): (usize, &&str)| names.iter().take(index).any(|it| it == name);
    if names.iter().enumerate().any(is_twice) {
        errors.report(whole(&list, versions, "must contain unique version names"));
    }
    if versions.iter().filter(|version| version.flag("storage")).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        errors.report(whole(&list, versions, detail));
    }
    if let Some(first) = names.first().filter(|name| !name.is_empty()) {
        let wrong = names::dns_1035_label(first);
        if !wrong.is_empty() {
            errors.invalid(path.child("version"), *first, wrong.join(","));
        }
    }
}

/// An error that shows all versions, as the server keeps them.
fn whole(path: &Path<'_>, versions: &[Value], detail: &str) -> FieldError {
    let error = FieldError::invalid(path, Value::Null, detail);
    if versions.is_empty() {
        return error;
    }
    let mut shown = versions.to_vec();
    for part in ["schema", "subresources", "additionalPrinterColumns"] {
        if shared(versions, |version| version.sub(part)).is_some() {
            let fields = shown.iter_mut().filter_map(Value::as_object_mut);
            fields.for_each(|fields| drop(fields.remove(part)));
        }
    }
    let texts = shown.iter();
    let texts = texts.map(|it| go_structs::compact("CustomResourceDefinitionVersion", it));
    let texts: Vec<String> = texts.collect();
    error.showing(format!("[{}]", texts.join(",")))
}

/// Models ValidateCustomResourceDefinitionNames.
fn names(own: &Value, path: &Path<'_>, errors: &mut Errors) {
    let mut check = |path: String, text: &str, mixed: bool| {
        let lower = if mixed { text.to_lowercase() } else { text.to_owned() };
        let wrong = names::dns_1035_label(&lower);
        if wrong.is_empty() {
            return;
        }
        let may = if mixed { "may have mixed case, but should otherwise match: " } else { "" };
        errors.invalid(path, text, format!("{may}{}", wrong.join(",")));
    };
    for (key, mixed) in [("plural", false), ("singular", false), ("kind", true), ("listKind", true)]
    {
        if !own.text(key).is_empty() {
            check(path.child(key).into(), own.text(key), mixed);
        }
    }
    let list = |key: &str| own.list(key).iter().filter_map(Value::as_str).enumerate();
    for (index, text) in list("shortNames") {
        check(path.child("shortNames").index(index).into(), text, false);
    }
    if !own.text("kind").is_empty() && own.text("kind") == own.text("listKind") {
        let detail = "kind and listKind may not be the same";
        errors.invalid(path.child("listKind"), own.text("listKind"), detail);
    }
    for (index, text) in list("categories") {
        let wrong = names::dns_1035_label(text);
        if !wrong.is_empty() {
            errors.invalid(path.child("categories").index(index), text, wrong.join(","));
        }
    }
}

/// Models ValidateCustomResourceDefinitionSubresources.
fn subresources(subresources: &Value, path: &Path<'_>, errors: &mut Errors) {
    let Some(scale) = subresources.sub("scale") else { return };
    let at = path.child("scale");
    for (key, starts, below) in [
        ("specReplicasPath", &[".spec."][..], "should be a json path under .spec"),
        ("statusReplicasPath", &[".status."], "should be a json path under .status"),
        (
            "labelSelectorPath",
            &[".spec.", ".status."],
            "should be a json path under either .spec or .status",
        ),
    ] {
        let text = scale.text(key);
        let at = at.child(key);
        if text.is_empty() {
            if key != "labelSelectorPath" {
                errors.required(at, "");
            }
        } else if !text.starts_with('.') {
            errors.invalid(at, text, "must be a simple json path starting with .");
        } else if !starts.iter().any(|start| text.starts_with(start)) {
            errors.invalid(at, text, below);
        }
    }
}

/// Models ValidateCustomResourceColumnDefinition.
fn columns(columns: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (index, column) in columns.as_array().into_iter().flatten().enumerate() {
        let at = path.index(index);
        if column.text("name").is_empty() {
            errors.required(at.child("name"), "");
        }
        let (kind, format) = (column.text("type"), column.text("format"));
        let one_of = format!("must be one of {}", COLUMN_TYPES.join(","));
        if kind.is_empty() {
            errors.required(at.child("type"), &one_of);
        } else if !COLUMN_TYPES.contains(&kind) {
            errors.invalid(at.child("type"), kind, one_of);
        }
        if !format.is_empty() && !COLUMN_FORMATS.contains(&format) {
            let one_of = format!("must be one of {}", COLUMN_FORMATS.join(","));
            errors.invalid(at.child("format"), format, one_of);
        }
        match column.text("jsonPath") {
            "" => errors.required(at.child("JSONPath"), ""),
            text if !text.starts_with('.') => {
                let detail = "must be a simple json path starting with .";
                errors.invalid(at.child("JSONPath"), text, detail);
            }
            _ => {}
        }
    }
}

/// Models ValidateCustomResourceDefinitionStoredVersions.
fn stored_versions(object: &Value, spec: &Value, errors: &mut Errors) {
    let status = Path::root("status");
    let path = status.child("storedVersions");
    let stored = object.sub("status").map(|status| status.list("storedVersions"));
    let stored = stored.unwrap_or_default();
    if stored.is_empty() {
        errors.invalid(path, Value::Null, "must have at least one stored version");
        return;
    }
    let versions = spec.list("versions");
    let is_stored =
        |version: &Value| stored.iter().any(|name| name.as_str() == Some(version.text("name")));
    let mut seen: Vec<&str> = Vec::new();
    for version in versions {
        let name = version.text("name");
        if version.flag("storage") && (!is_stored(version) || seen.contains(&name)) {
            let detail = format!("must have the storage version {name}");
            errors.invalid(path, stored.to_vec(), detail);
        }
        seen.push(name);
    }
    for (index, name) in stored.iter().filter_map(Value::as_str).enumerate() {
        if !seen.contains(&name) {
            let detail = format!(
                "missing from spec.versions; {name} was previously a storage version, and must \
                 remain in spec.versions until a storage migration ensures no data remains \
                 persisted in {name} and removes {name} from status.storedVersions"
            );
            errors.invalid(path.index(index), name, detail);
        }
    }
}

/// Groups of Kubernetes itself are for those who were asked.
///
/// Models validateAPIApproval.
fn approval(object: &Value, spec: &Value, old: Option<&Value>, errors: &mut Errors) {
    let group = spec.text("group");
    let is_protected = ["k8s.io", "kubernetes.io"]
        .iter()
        .any(|own| group == *own || group.ends_with(&format!(".{own}")));
    let annotation = |object: &Value| -> String {
        let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
        annotations.map(|all| all.text(APPROVAL)).unwrap_or_default().to_owned()
    };
    let own = annotation(object);
    let state = |text: &str| match text {
        "" => 0,
        text if text.starts_with("unapproved") => 1,
        text if text.split_once("://").is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()) => 2,
        _ => 3,
    };
    if !is_protected || old.is_some_and(|old| state(&annotation(old)) == state(&own)) {
        return;
    }
    let meta = Path::root("metadata");
    let annotations = meta.child("annotations");
    let at = annotations.key(APPROVAL);
    let must = format!("protected groups must have approval annotation \"{APPROVAL}\"");
    match state(&own) {
        0 => errors.required(at, &format!("{must}, {APPROVAL_TEXT}")),
        3 => {
            let with = "with either a URL or a reason starting with \"unapproved\"";
            errors.invalid(at, own, format!("{must} {with}, {APPROVAL_TEXT}"));
        }
        _ => {}
    }
}
