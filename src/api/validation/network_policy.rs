//! Network policies.
//!
//! Models pkg/apis/networking/validation/validation.go ValidateNetworkPolicySpec.

use super::addresses::{legacy_range, sloppy_range};
use super::names;
use super::path::{Errors, Fields as _, Path, Report as _};
use super::selectors::label_selector;
use crate::api::Value;
use serde_json::json;

/// A new or changed policy.
pub(super) fn network_policy(object: &Value, errors: &mut Errors) {
    const TYPES: [&str; 2] = ["Ingress", "Egress"];
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    label_selector(spec.sub("podSelector"), &path.child("podSelector"), errors);
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        let list = path.child(direction);
        for (index, rule) in spec.list(direction).iter().enumerate() {
            let path = list.index(index);
            let ports_path = path.child("ports");
            for (index, one) in rule.list("ports").iter().enumerate() {
                port(one, &ports_path.index(index), errors);
            }
            let peers_path = path.child(peers);
            for (index, one) in rule.list(peers).iter().enumerate() {
                peer(one, &peers_path.index(index), errors);
            }
        }
    }
    let types = spec.list("policyTypes");
    let list = path.child("policyTypes");
    if types.len() > TYPES.len() {
        errors.invalid(list, json!(types), "may not specify more than two policyTypes");
        return;
    }
    for (index, kind) in types.iter().enumerate() {
        let kind = kind.as_str().unwrap_or_default();
        if !TYPES.contains(&kind) {
            errors.not_supported(list.index(index), kind, &TYPES);
        }
    }
}

/// Models ValidateNetworkPolicyPort.
fn port(port: &Value, path: &Path<'_>, errors: &mut Errors) {
    const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
    if let Some(protocol) = port.sub("protocol").and_then(Value::as_str)
        && !PROTOCOLS.contains(&protocol)
    {
        errors.not_supported(path.child("protocol"), protocol, &PROTOCOLS);
    }
    let (port_path, end_path) = (path.child("port"), path.child("endPort"));
    let end = port.int("endPort");
    match (port.sub("port"), end) {
        (None, Some(end)) => {
            let detail = "may not be specified when `port` is not specified";
            errors.invalid(end_path, end, detail);
        }
        (None, None) => {}
        (Some(Value::String(name)), end) => {
            if let Some(end) = end {
                let detail = "may not be specified when `port` is non-numeric";
                errors.invalid(end_path, end, detail);
            }
            errors.each_invalid(&port_path, name, names::port_name(name));
        }
        (Some(number), end) => {
            let number = number.as_i64().unwrap_or_default();
            for message in names::port_number(number) {
                errors.invalid(port_path, number, message);
            }
            if let Some(end) = end {
                if end < number {
                    let detail = "must be greater than or equal to `port`";
                    errors.invalid(end_path, number, detail);
                }
                for message in names::port_number(end) {
                    errors.invalid(end_path, end, message);
                }
            }
        }
    }
}

/// Models ValidateNetworkPolicyPeer.
fn peer(peer: &Value, path: &Path<'_>, errors: &mut Errors) {
    let mut found = 0;
    for field in ["podSelector", "namespaceSelector"] {
        if let Some(selector) = peer.sub(field) {
            found += 1;
            label_selector(Some(selector), &path.child(field), errors);
        }
    }
    let block = peer.sub("ipBlock");
    if let Some(block) = block {
        found += 1;
        ip_block(block, &path.child("ipBlock"), errors);
    }
    if found == 0 {
        errors.required(path, "must specify a peer");
    } else if found > 1 && block.is_some() {
        errors.forbidden(path, "may not specify both ipBlock and another peer");
    }
}

/// Models ValidateIPBlock.
fn ip_block(block: &Value, path: &Path<'_>, errors: &mut Errors) {
    let text = block.text("cidr");
    if text.is_empty() {
        errors.required(path.child("cidr"), "");
        return;
    }
    legacy_range(text, &path.child("cidr"), errors);
    let Some(range) = sloppy_range(text) else { return };
    let list = path.child("except");
    for (index, text) in block.list("except").iter().enumerate() {
        let text = text.as_str().unwrap_or_default();
        let path = list.index(index);
        legacy_range(text, &path, errors);
        let Some(except) = sloppy_range(text) else { continue };
        let inside = range.trunc().contains(&except.network());
        if !inside || range.prefix_len() >= except.prefix_len() {
            errors.invalid(path, text, "must be a strict subset of `cidr`");
        }
    }
}
