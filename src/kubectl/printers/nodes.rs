//! Nodes, namespaces and leases.

use super::{Printer, name, scalar_or, text};
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::order;

pub(super) const NODE: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("STATUS", false),
        ("ROLES", false),
        ("AGE", false),
        ("VERSION", false),
        ("INTERNAL-IP", true),
        ("EXTERNAL-IP", true),
        ("OS-IMAGE", true),
        ("KERNEL-VERSION", true),
        ("CONTAINER-RUNTIME", true),
    ],
    row: |object, sight| {
        let roles = roles(object);
        let info = |key| scalar_or(object, &["status", "nodeInfo", key], "<unknown>");
        let architecture = text(object, &["status", "nodeInfo", "architecture"]);
        let kernel = match architecture.as_str() {
            "" => info("kernelVersion"),
            architecture => format!("{} ({architecture})", info("kernelVersion")),
        };
        vec![
            name(object),
            status(object),
            if roles.is_empty() { "<none>".to_owned() } else { roles },
            sight.age(object),
            text(object, &["status", "nodeInfo", "kubeletVersion"]),
            address(object, "InternalIP"),
            address(object, "ExternalIP"),
            info("osImage"),
            kernel,
            info("containerRuntimeVersion"),
        ]
    },
};

fn status(object: &Value) -> String {
    let conditions = object.items_at(&["status", "conditions"]);
    let ready = conditions.iter().find(|c| c.str_at(&["type"]) == Some("Ready"));
    let mut status = match ready.and_then(|ready| ready.str_at(&["status"])) {
        None => "Unknown".to_owned(),
        Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
    };
    if object.bool_at(&["spec", "unschedulable"]) == Some(true) {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn address(object: &Value, kind: &str) -> String {
    let addresses = object.items_at(&["status", "addresses"]);
    let found = addresses.iter().find(|address| address.str_at(&["type"]) == Some(kind));
    found.map_or("<none>".to_owned(), |address| text(address, &["address"]))
}

/// The roles of a node by its labels, sorted and joined by commas.
pub(crate) fn roles(object: &Value) -> String {
    let labels = object.fields_at(&["metadata", "labels"]);
    let mut roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    order::sort(&mut roles);
    roles.dedup();
    roles.join(",")
}

pub(super) const NAMESPACE: Printer = Printer {
    columns: &[("NAME", false), ("STATUS", false), ("AGE", false)],
    row: |object, sight| vec![name(object), text(object, &["status", "phase"]), sight.age(object)],
};

pub(super) const LEASE: Printer = Printer {
    columns: &[("NAME", false), ("HOLDER", false), ("AGE", false)],
    row: |object, sight| {
        vec![name(object), text(object, &["spec", "holderIdentity"]), sight.age(object)]
    },
};
