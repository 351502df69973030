//! Events.

use super::{Printer, name, text};
use crate::api::Value;
use crate::api::tree::Tree as _;

pub(super) const EVENT: Printer = Printer {
    columns: &[
        ("LAST SEEN", false),
        ("TYPE", false),
        ("REASON", false),
        ("OBJECT", false),
        ("SUBOBJECT", true),
        ("SOURCE", true),
        ("MESSAGE", false),
        ("FIRST SEEN", true),
        ("COUNT", true),
        ("NAME", true),
    ],
    row: |object, sight| {
        let first = object.str_at(&["firstTimestamp"]).or(object.str_at(&["eventTime"]));
        let last = object.str_at(&["series", "lastObservedTime"]);
        let last = last.or(object.str_at(&["lastTimestamp"])).or(first);
        let count = object.int_at(&["series", "count"]).or(object.int_at(&["count"]));
        let kind = text(object, &["involvedObject", "kind"]).to_lowercase();
        let target = match object.str_at(&["involvedObject", "name"]) {
            Some(name) if !name.is_empty() => format!("{kind}/{name}"),
            _ => kind,
        };
        vec![
            sight.since(last),
            text(object, &["type"]),
            text(object, &["reason"]),
            target,
            text(object, &["involvedObject", "fieldPath"]),
            source(object),
            text(object, &["message"]).trim().to_owned(),
            sight.since(first),
            count.filter(|count| *count > 0).unwrap_or(1).to_string(),
            name(object),
        ]
    },
};

/// Who says so: `kubelet, node-1`.
///
/// Models pkg/printers/internalversion/printers.go formatEventSource.
pub(crate) fn source(event: &Value) -> String {
    let first = |a: &[&str], b: &[&str]| {
        event
            .str_at(a)
            .filter(|text| !text.is_empty())
            .or(event.str_at(b))
            .unwrap_or_default()
            .to_owned()
    };
    let component = first(&["source", "component"], &["reportingComponent"]);
    let host = first(&["source", "host"], &["reportingInstance"]);
    if host.is_empty() { component } else { format!("{component}, {host}") }
}
