//! Endpoints and EndpointSlices.
//!
//! Models pkg/apis/core/validation/validation.go ValidateEndpoints and
//! pkg/apis/discovery/validation/validation.go.

use super::addresses::{canonical_address, legacy_address, sloppy_address};
use super::path::{Errors, Fields as _, Path, Report as _, immutable, same};
use super::{names, object_meta, pod};
use crate::api::{FieldError, Value};
use core::net::IpAddr;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// An address that a packet can be sent to.
///
/// Models IsValidIPForLegacyField and, after it, ValidateEndpointIP.
pub(super) fn endpoint_address(text: &str, path: &Path<'_>, errors: &mut Errors) {
    let before = errors.len();
    legacy_address(text, path, errors);
    if errors.len() == before {
        reachable(text, path, errors);
    }
}

/// Models ValidateEndpointIP.
fn reachable(text: &str, path: &Path<'_>, errors: &mut Errors) {
    let Some(address) = sloppy_address(text) else {
        errors.invalid(path, text, "must be a valid IP address");
        return;
    };
    if address.is_unspecified() {
        errors.invalid(path, text, format!("may not be unspecified ({text})"));
    }
    if address.is_loopback() {
        let detail = "may not be in the loopback range (127.0.0.0/8, ::1/128)";
        errors.invalid(path, text, detail);
    }
    let (link_local, multicast) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets().starts_with(&[224, 0, 0])),
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let first = segments.first().copied().unwrap_or_default();
            (first & 0xffc0 == 0xfe80, first & 0xff0f == 0xff02)
        }
    };
    if link_local {
        let detail = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
        errors.invalid(path, text, detail);
    }
    if multicast {
        let detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
        errors.invalid(path, text, detail);
    }
}

/// Models validateEndpointSubsets.
pub(super) fn endpoints(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    if old.is_some_and(|old| same(old.sub("subsets"), object.sub("subsets"))) {
        return;
    }
    let list = Path::root("subsets");
    for (index, subset) in object.list("subsets").iter().enumerate() {
        let path = list.index(index);
        let lists = ["addresses", "notReadyAddresses"];
        if lists.iter().all(|list| subset.list(list).is_empty()) {
            errors.required(path, "must specify `addresses` or `notReadyAddresses`");
        }
        for list in lists {
            let list_path = path.child(list);
            for (index, address) in subset.list(list).iter().enumerate() {
                subset_address(address, &list_path.index(index), errors);
            }
        }
        let ports = subset.list("ports");
        let ports_path = path.child("ports");
        for (index, port) in ports.iter().enumerate() {
            let path = ports_path.index(index);
            let name = port.text("name");
            if !name.is_empty() {
                errors.each_invalid(&path.child("name"), name, names::dns_label(name));
            } else if ports.len() > 1 {
                errors.required(path.child("name"), "");
            }
            let number = port.int("port").unwrap_or_default();
            for message in names::port_number(number) {
                errors.invalid(path.child("port"), number, message);
            }
            pod::one_of(port, "protocol", &PROTOCOLS, &path, errors);
            app_protocol(port, &path, errors);
        }
    }
}

fn app_protocol(port: &Value, path: &Path<'_>, errors: &mut Errors) {
    if let Some(protocol) = port.sub("appProtocol").and_then(Value::as_str) {
        let wrong = names::qualified_name(protocol);
        errors.each_invalid(&path.child("appProtocol"), protocol, wrong);
    }
}

fn subset_address(address: &Value, path: &Path<'_>, errors: &mut Errors) {
    let ip = address.text("ip");
    legacy_address(ip, &path.child("ip"), errors);
    let hostname = address.text("hostname");
    if !hostname.is_empty() {
        errors.each_invalid(&path.child("hostname"), hostname, names::dns_label(hostname));
    }
    if let Some(node) = address.sub("nodeName").and_then(Value::as_str) {
        errors.each_invalid(&path.child("nodeName"), node, names::dns_subdomain(node));
    }
    reachable(ip, &path.child("ip"), errors);
}

/// Models ValidateEndpointSlice.
pub(super) fn endpoint_slice(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    const TYPES: [&str; 3] = ["FQDN", "IPv4", "IPv6"];
    let kind = object.text("addressType");
    let path = Path::root("addressType");
    if kind.is_empty() {
        errors.required(path, "");
    } else if !TYPES.contains(&kind) {
        errors.not_supported(path, kind, &TYPES);
    }
    slice_ports(object.list("ports"), &Path::root("ports"), errors);
    if !old.is_some_and(|old| same(old.sub("endpoints"), object.sub("endpoints"))) {
        slice_endpoints(object.list("endpoints"), kind, &Path::root("endpoints"), errors);
    }
    if let Some(old) = old {
        immutable(object.sub("addressType"), old.sub("addressType"), &path, errors);
    }
}

fn slice_ports(ports: &[Value], path: &Path<'_>, errors: &mut Errors) {
    const MOST_PORTS: usize = 20_000;
    if ports.len() > MOST_PORTS {
        errors.push(FieldError::too_many(path, ports.len(), MOST_PORTS));
        return;
    }
    for (index, port) in ports.iter().enumerate() {
        let name = port.text("name");
        let again = ports.iter().take(index).any(|other| other.text("name") == name);
        let path = path.index(index);
        if !name.is_empty() {
            errors.each_invalid(&path.child("name"), name, names::dns_label(name));
        }
        if again {
            errors.duplicate(path.child("name"), name);
        }
        pod::one_of(port, "protocol", &PROTOCOLS, &path, errors);
        app_protocol(port, &path, errors);
    }
}

fn slice_endpoints(endpoints: &[Value], kind: &str, path: &Path<'_>, errors: &mut Errors) {
    const MOST_ENDPOINTS: usize = 1000;
    const MOST_ADDRESSES: usize = 100;
    const MOST_LABELS: usize = 16;
    if endpoints.len() > MOST_ENDPOINTS {
        errors.push(FieldError::too_many(path, endpoints.len(), MOST_ENDPOINTS));
        return;
    }
    for (index, endpoint) in endpoints.iter().enumerate() {
        let path = path.index(index);
        let list = path.child("addresses");
        let addresses = endpoint.list("addresses");
        if addresses.is_empty() {
            errors.required(list, "must contain at least 1 address");
        } else if addresses.len() > MOST_ADDRESSES {
            errors.push(FieldError::too_many(list, addresses.len(), MOST_ADDRESSES));
        }
        for (index, address) in addresses.iter().enumerate() {
            let address = address.as_str().unwrap_or_default();
            slice_address(address, kind, &list, &list.index(index), errors);
        }
        if let Some(node) = endpoint.sub("nodeName").and_then(Value::as_str) {
            errors.each_invalid(&path.child("nodeName"), node, names::dns_subdomain(node));
        }
        let topology_path = path.child("deprecatedTopology");
        let labels = endpoint.map("deprecatedTopology").count();
        if labels > MOST_LABELS {
            errors.push(FieldError::too_many(topology_path, labels, MOST_LABELS));
        }
        object_meta::labels(endpoint.sub("deprecatedTopology"), &topology_path, errors);
        if let Some(name) = endpoint.sub("hostname").and_then(Value::as_str) {
            errors.each_invalid(&path.child("hostname"), name, names::dns_label(name));
        }
        if let Some(hints) = endpoint.sub("hints") {
            let path = path.child("hints");
            self::hints(hints, "forZones", names::label_value, &path, errors);
            self::hints(hints, "forNodes", names::dns_subdomain, &path, errors);
        }
    }
}

fn slice_address(address: &str, kind: &str, list: &Path<'_>, path: &Path<'_>, errors: &mut Errors) {
    let before = errors.len();
    match kind {
        "IPv4" => legacy_address(address, path, errors),
        "IPv6" => canonical_address(address, path, errors),
        _ => return,
    }
    if errors.len() > before {
        return;
    }
    let is_v6 = sloppy_address(address).is_some_and(|address| address.is_ipv6());
    if is_v6 != (kind == "IPv6") {
        errors.invalid(list, address, format!("must be an {kind} address"));
    }
    reachable(address, path, errors);
}

/// Models validateHints.
fn hints(
    hints: &Value,
    field: &str,
    rule: fn(&str) -> names::Messages,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    const MOST_HINTS: usize = 8;
    let list = path.child(field);
    let all = hints.list(field);
    if all.len() > MOST_HINTS {
        errors.push(FieldError::too_many(list, all.len(), MOST_HINTS));
        return;
    }
    for (index, hint) in all.iter().enumerate() {
        let name = hint.text("name");
        let path = list.index(index);
        if all.iter().take(index).any(|other| other.text("name") == name) {
            errors.duplicate(path.child("name"), name);
        }
        errors.each_invalid(&path.child("name"), name, rule(name));
    }
}
