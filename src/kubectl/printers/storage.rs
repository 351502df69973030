//! Volumes, claims, storage classes, config maps and secrets.

use super::{Printer, name, scalar_or, text};
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::api::volume_match::OLD_CLASS;

pub(super) const VOLUME: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("CAPACITY", false),
        ("ACCESS MODES", false),
        ("RECLAIM POLICY", false),
        ("STATUS", false),
        ("CLAIM", false),
        ("STORAGECLASS", false),
        ("VOLUMEATTRIBUTESCLASS", false),
        ("REASON", false),
        ("AGE", false),
        ("VOLUMEMODE", true),
    ],
    row: |object, sight| {
        let claim = object.at(&["spec", "claimRef"]);
        let claim = claim
            .map(|claim| format!("{}/{}", text(claim, &["namespace"]), text(claim, &["name"])));
        vec![
            name(object),
            scalar_or(object, &["spec", "capacity", "storage"], "0"),
            access_modes(object.items_at(&["spec", "accessModes"])),
            text(object, &["spec", "persistentVolumeReclaimPolicy"]),
            phase(object),
            claim.unwrap_or_default(),
            class(object),
            scalar_or(object, &["spec", "volumeAttributesClassName"], "<unset>"),
            text(object, &["status", "reason"]),
            sight.age(object),
            scalar_or(object, &["spec", "volumeMode"], "<unset>"),
        ]
    },
};

pub(super) const CLAIM: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("STATUS", false),
        ("VOLUME", false),
        ("CAPACITY", false),
        ("ACCESS MODES", false),
        ("STORAGECLASS", false),
        ("VOLUMEATTRIBUTESCLASS", false),
        ("AGE", false),
        ("VOLUMEMODE", true),
    ],
    row: |object, sight| {
        let volume = text(object, &["spec", "volumeName"]);
        let (capacity, modes) = if volume.is_empty() {
            (String::new(), String::new())
        } else {
            let capacity = scalar_or(object, &["status", "capacity", "storage"], "0");
            (capacity, access_modes(object.items_at(&["status", "accessModes"])))
        };
        vec![
            name(object),
            phase(object),
            volume,
            capacity,
            modes,
            class(object),
            scalar_or(object, &["spec", "volumeAttributesClassName"], "<unset>"),
            sight.age(object),
            scalar_or(object, &["spec", "volumeMode"], "<unset>"),
        ]
    },
};

/// The class of a claim or a volume.
fn class(object: &Value) -> String {
    match object.str_at(&["metadata", "annotations", OLD_CLASS]) {
        Some(old) => old.to_owned(),
        None => text(object, &["spec", "storageClassName"]),
    }
}

fn phase(object: &Value) -> String {
    match object.at(&["metadata", "deletionTimestamp"]) {
        Some(_) => "Terminating".to_owned(),
        None => text(object, &["status", "phase"]),
    }
}

/// `RWO,ROX`: each once, in the order of the API's constants.
///
/// Models pkg/apis/core/helper/helpers.go GetAccessModesAsString.
pub(crate) fn access_modes(modes: &[Value]) -> String {
    let all = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let has = |name: &str| modes.iter().any(|mode| mode.as_str() == Some(name));
    all.iter().filter(|(name, _)| has(name)).map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

/// The name, marked if an annotation makes it the default of its kind.
pub(super) fn marked_default(object: &Value, annotations: &[&str]) -> String {
    let marked = annotations
        .iter()
        .any(|note| object.str_at(&["metadata", "annotations", note]) == Some("true"));
    if marked { format!("{} (default)", name(object)) } else { name(object) }
}

pub(super) const STORAGE_CLASS: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("PROVISIONER", false),
        ("RECLAIMPOLICY", false),
        ("VOLUMEBINDINGMODE", false),
        ("ALLOWVOLUMEEXPANSION", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        let notes = [
            "storageclass.kubernetes.io/is-default-class",
            "storageclass.beta.kubernetes.io/is-default-class",
        ];
        vec![
            marked_default(object, &notes),
            text(object, &["provisioner"]),
            scalar_or(object, &["reclaimPolicy"], "Delete"),
            scalar_or(object, &["volumeBindingMode"], "Immediate"),
            object.bool_at(&["allowVolumeExpansion"]).unwrap_or(false).to_string(),
            sight.age(object),
        ]
    },
};

fn entries(object: &Value, key: &str) -> usize {
    object.fields_at(&[key]).map_or(0, serde_json::Map::len)
}

pub(super) const CONFIG_MAP: Printer = Printer {
    columns: &[("NAME", false), ("DATA", false), ("AGE", false)],
    row: |object, sight| {
        let count = entries(object, "data") + entries(object, "binaryData");
        vec![name(object), count.to_string(), sight.age(object)]
    },
};

pub(super) const SECRET: Printer = Printer {
    columns: &[("NAME", false), ("TYPE", false), ("DATA", false), ("AGE", false)],
    row: |object, sight| {
        vec![
            name(object),
            text(object, &["type"]),
            entries(object, "data").to_string(),
            sight.age(object),
        ]
    },
};
