//! The single settings of a pod: names, DNS, gates, deadlines.

use super::super::addresses::legacy_address;
use super::super::names::{self, Messages};
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::{Spec, affinity, resources, security};
use crate::api::{FieldError, Value};
use serde_json::json;

/// Models validatePodResourceClaims.
pub(super) fn resource_claims(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, claim) in spec.list("resourceClaims").iter().enumerate() {
        let path = path.index(index);
        let name = claim.text("name");
        if name.is_empty() {
            errors.required(path.child("name"), "");
        } else if seen.contains(&name) {
            errors.duplicate(path.child("name"), name);
        } else {
            errors.each_invalid(&path.child("name"), name, names::dns_label(name));
            seen.push(name);
        }
        let fields = ["resourceClaimName", "resourceClaimTemplateName"];
        let detail = match fields.iter().filter(|field| claim.sub(field).is_some()).count() {
            0 => Some("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"),
            1 => None,
            _ => Some(
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be \
                 specified",
            ),
        };
        if let Some(detail) = detail {
            let shown = super::super::go_structs::compact("PodResourceClaim", claim);
            errors.push(FieldError::invalid(path, claim.clone(), detail).showing(shown));
        }
        for field in fields {
            if let Some(name) = claim.sub(field).and_then(Value::as_str) {
                errors.each_invalid(&path.child(field), name, names::dns_subdomain(name));
            }
        }
    }
}

/// Models validatePodHostNetworkDeps.
pub(super) fn host_network_ports(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    if !spec.tree.flag("hostNetwork") {
        return;
    }
    for (index, container) in spec.tree.list("containers").iter().enumerate() {
        let path = path.index(index);
        let path = path.child("ports");
        for (index, port) in container.list("ports").iter().enumerate() {
            let number = |field| port.int(field).unwrap_or_default();
            let (host, own) = (number("hostPort"), number("containerPort"));
            if (spec.is_pod || host != 0) && host != own {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid(path.index(index).child("hostPort"), host, detail);
            }
        }
    }
}

/// Models validatePodDNSConfig.
pub(super) fn dns_config(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_NAMESERVERS: usize = 3;
    const MOST_SEARCHES: usize = 32;
    const MOST_SEARCH_CHARACTERS: usize = 2048;
    let config = spec.sub("dnsConfig");
    let servers = config.map_or(&[] as &[Value], |config| config.list("nameservers"));
    if spec.text("dnsPolicy") == "None" {
        if config.is_none() {
            errors.required(path, "must provide `dnsConfig` when `dnsPolicy` is None");
            return;
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.required(path.child("nameservers"), detail);
            return;
        }
    }
    let Some(config) = config else { return };
    let list = path.child("nameservers");
    if servers.len() > MOST_NAMESERVERS {
        let detail = format!("must not have more than {MOST_NAMESERVERS} nameservers");
        errors.invalid(list, json!(servers), detail);
    }
    for (index, server) in servers.iter().enumerate() {
        legacy_address(server.as_str().unwrap_or_default(), &list.index(index), errors);
    }
    let searches: Vec<&str> = config.list("searches").iter().filter_map(Value::as_str).collect();
    let list = path.child("searches");
    if searches.len() > MOST_SEARCHES {
        let detail = format!("must not have more than {MOST_SEARCHES} search paths");
        errors.invalid(list, json!(searches), detail);
    }
    if searches.join(" ").len() > MOST_SEARCH_CHARACTERS {
        let detail = format!(
            "must not have more than {MOST_SEARCH_CHARACTERS} characters (including spaces) in \
             the search list"
        );
        errors.invalid(list, json!(searches), detail);
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| **search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        let wrong = names::dns_subdomain_with_underscore(search);
        errors.each_invalid(&list.index(index), search, wrong);
    }
    let list = path.child("options");
    for (index, option) in config.list("options").iter().enumerate() {
        if option.text("name").is_empty() {
            errors.required(list.index(index), "must not be empty");
        }
    }
}

/// Models validateReadinessGates and validateSchedulingGates.
pub(super) fn gates(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("readinessGates");
    for (index, gate) in spec.list("readinessGates").iter().enumerate() {
        let name = gate.text("conditionType");
        let path = list.index(index);
        errors.each_invalid(&path.child("conditionType"), name, names::qualified_name(name));
    }
    let list = path.child("schedulingGates");
    let mut seen: Vec<&str> = Vec::new();
    for (index, gate) in spec.list("schedulingGates").iter().enumerate() {
        let name = gate.text("name");
        errors.each_invalid(&list.index(index), name, names::qualified_name(name));
        if seen.contains(&name) {
            errors.duplicate(list.index(index), name);
        }
        seen.push(name);
    }
}

/// The rest of ValidatePodSpec, from validatePodHostName on.
pub(super) fn names_and_numbers(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let tree = spec.tree;
    hostname_override(tree, path, errors);
    let name = |field: &str, rule: fn(&str) -> Messages, errors: &mut Errors| {
        let value = tree.text(field);
        if !value.is_empty() {
            errors.each_invalid(&path.child(field), value, rule(value));
        }
    };
    name("serviceAccountName", names::dns_subdomain, errors);
    name("nodeName", names::dns_subdomain, errors);
    let most = i64::from(i32::MAX);
    if let Some(seconds) = tree.int("activeDeadlineSeconds").filter(|s| !(1..=most).contains(s)) {
        let detail = names::not_between(1, most);
        errors.invalid(path.child("activeDeadlineSeconds"), seconds, detail);
    }
    name("hostname", names::dns_label, errors);
    name("subdomain", names::dns_label, errors);
    affinity::tolerations(tree.list("tolerations"), &path.child("tolerations"), errors);
    host_aliases(tree, &path.child("hostAliases"), errors);
    name("priorityClassName", names::dns_subdomain, errors);
    name("runtimeClassName", names::dns_subdomain, errors);
    if let Some(policy) = tree.sub("preemptionPolicy").and_then(Value::as_str) {
        let supported = ["PreemptLowerPriority", "Never"];
        if policy.is_empty() {
            errors.required(path.child("preemptionPolicy"), "");
        } else if !supported.contains(&policy) {
            errors.not_supported(path.child("preemptionPolicy"), policy, &supported);
        }
    }
    if let Some(overhead) = tree.sub("overhead") {
        let limits = json!({"limits": overhead});
        resources::of_container(&limits, &[], &path.child("overhead"), errors);
    }
    if let Some(os) = spec.os() {
        let path = path.child("os");
        if os.is_empty() {
            errors.required(path.child("name"), "");
        } else if !["linux", "windows"].contains(&os) {
            errors.not_supported(path, os, &["linux", "windows"]);
        }
    }
    security::of_system(spec, path, errors);
}

/// Models validatePodHostName.
fn hostname_override(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_BYTES: usize = 64;
    let Some(name) = spec.sub("hostnameOverride").and_then(Value::as_str) else { return };
    let path = path.child("hostnameOverride");
    for field in ["setHostnameAsFQDN", "hostNetwork"] {
        if spec.flag(field) {
            errors.forbidden(path, format!("may not be specified when {field} is true"));
        }
    }
    if name.len() > MOST_BYTES {
        errors.push(FieldError::too_long(path, MOST_BYTES));
    }
    errors.each_invalid(&path, name, names::dns_subdomain(name));
}

/// Models ValidateHostAliases.
fn host_aliases(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (index, alias) in spec.list("hostAliases").iter().enumerate() {
        let path = path.index(index);
        legacy_address(alias.text("ip"), &path.child("ip"), errors);
        let list = path.child("hostnames");
        for (index, name) in alias.list("hostnames").iter().enumerate() {
            let name = name.as_str().unwrap_or_default();
            errors.each_invalid(&list.index(index), name, names::dns_subdomain(name));
        }
    }
}
