//! Events, by the older and by the newer API.
//!
//! Models pkg/apis/core/validation/events.go.

use super::names;
use super::object_meta;
use super::path::{Errors, Fields as _, Path, Report as _, immutable, same};
use crate::api::{Kind, Value};

const LONGEST: usize = 128;
const LONGEST_NOTE: usize = 1024;

/// Whether the object came by the newer API, which holds it to more.
fn is_strict(object: &Value) -> bool {
    object.text("apiVersion") == "events.k8s.io/v1"
}

/// A new or changed event, its metadata too.
///
/// Models ValidateEventCreate and ValidateEventUpdate.
pub(super) fn event(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    legacy(object, errors);
    match old {
        _ if !is_strict(object) => {}
        None => strict(object, errors),
        Some(old) => unchanged(object, old, errors),
    }
}

/// Models legacyValidateEvent.
fn legacy(object: &Value, errors: &mut Errors) {
    let namespace = |part: &str| object.sub(part).map_or("", |part| part.text("namespace"));
    let (own, involved) = (namespace("metadata"), namespace("involvedObject"));
    let is_new = object.sub("eventTime").is_some();
    let agree = match (involved, is_new) {
        ("", false) => own == "default",
        ("", true) => matches!(own, "default" | "kube-system"),
        (involved, is_new) => is_new || own == involved,
    };
    if !agree {
        let path = Path::root("involvedObject");
        errors.invalid(path.child("namespace"), involved, "does not match event.namespace");
    }
    if is_new {
        reported(object, errors);
    }
    errors.each_invalid(&Path::root("namespace"), own, names::dns_subdomain(own));
}

/// Who says it, and what it does.
fn reported(object: &Value, errors: &mut Errors) {
    let shown = if is_strict(object) { "reportingController" } else { "reportingComponent" };
    let (who, path) = (object.text("reportingComponent"), Path::root(shown));
    if who.is_empty() {
        errors.required(path, "");
    }
    errors.each_invalid(&path, who, names::qualified_name(who));
    for key in ["reportingInstance", "action", "reason", "message"] {
        let (text, path) = (object.text(key), Path::root(key));
        let most = if key == "message" { LONGEST_NOTE } else { LONGEST };
        if text.is_empty() && key != "message" {
            errors.required(path, "");
        }
        if text.len() > most {
            errors.invalid(path, "", format!("can have at most {most} characters"));
        }
    }
}

fn series(object: &Value, errors: &mut Errors) {
    let Some(series) = object.sub("series") else { return };
    if series.int("count").unwrap_or_default() < 2 {
        errors.invalid("series.count", "", "should be at least 2");
    }
    if series.sub("lastObservedTime").is_none() {
        errors.required("series.lastObservedTime", "");
    }
}

fn strict(object: &Value, errors: &mut Errors) {
    object_meta::create(Kind::ConfigMap, object, errors);
    series(object, errors);
    if object.sub("eventTime").is_none() {
        errors.required("eventTime", "");
    }
    let kind = object.text("type");
    if !matches!(kind, "Normal" | "Warning") {
        errors.invalid("type", "", format!("has invalid value: {kind}"));
    }
    let has_source = object.sub("source").is_some_and(|source| {
        !source.text("component").is_empty() || !source.text("host").is_empty()
    });
    for (key, is_set) in [
        ("firstTimestamp", object.sub("firstTimestamp").is_some()),
        ("lastTimestamp", object.sub("lastTimestamp").is_some()),
        ("count", object.int("count").is_some_and(|count| count != 0)),
        ("source", has_source),
    ] {
        if is_set {
            errors.invalid(key, "", "needs to be unset");
        }
    }
}

fn unchanged(object: &Value, old: &Value, errors: &mut Errors) {
    object_meta::update(Kind::ConfigMap, object, old, errors);
    if !same(object.sub("series"), old.sub("series")) {
        series(object, errors);
    }
    for (key, shown) in [
        ("involvedObject", "involvedObject"),
        ("reason", "reason"),
        ("message", "message"),
        ("source", "source"),
        ("firstTimestamp", "firstTimestamp"),
        ("lastTimestamp", "lastTimestamp"),
        ("count", "count"),
        ("type", "type"),
        ("eventTime", "eventTime"),
        ("action", "action"),
        ("related", "related"),
        ("reportingComponent", "reportingController"),
        ("reportingInstance", "reportingInstance"),
    ] {
        immutable(object.sub(key), old.sub(key), &Path::root(shown), errors);
    }
}
