//! Services.
//!
//! Models pkg/api/service/warnings.go GetWarningsForService.

use super::super::addresses::{warnings_for_address, warnings_for_range};
use super::super::path::{Fields as _, Path};
use crate::api::Value;

/// The warnings of a Service.
pub(super) fn service(object: &Value, found: &mut Vec<String>) {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    const MODE: &str = "service.kubernetes.io/topology-mode";
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let kind = spec.text("type");
    let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
    if annotations.is_some_and(|all| all.sub(HINTS).is_some()) {
        found.push(format!("annotation {HINTS} is deprecated, please use {MODE} instead"));
    }
    let headless = kind == "ClusterIP" && spec.text("clusterIP") == "None";
    let has_address = !["", "None"].contains(&spec.text("clusterIP")) && kind != "ExternalName";
    if has_address {
        addresses(spec, "clusterIPs", &path, found);
    }
    let external = !spec.list("externalIPs").is_empty();
    if headless {
        if !spec.text("loadBalancerIP").is_empty() {
            found.push("spec.loadBalancerIP is ignored for headless services".to_owned());
        }
        if external {
            found.push("spec.externalIPs is ignored for headless services".to_owned());
        }
        if spec.text("sessionAffinity") != "None" {
            found.push("spec.SessionAffinity is ignored for headless services".to_owned());
        }
    }
    addresses(spec, "externalIPs", &path, found);
    if external && !headless && kind != "ExternalName" {
        let text = "spec.externalIPs is deprecated and may no longer be implemented in some \
                    clusters";
        found.push(text.to_owned());
    }
    let balancer = spec.text("loadBalancerIP");
    if !balancer.is_empty() {
        warnings_for_address(balancer, &path.child("loadBalancerIP"), found);
    }
    let list = path.child("loadBalancerSourceRanges");
    for (index, range) in spec.list("loadBalancerSourceRanges").iter().enumerate() {
        warnings_for_range(range.as_str().unwrap_or_default(), &list.index(index), found);
    }
    if kind == "ExternalName" && external {
        found.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if kind != "ExternalName" && !spec.text("externalName").is_empty() {
        let text = "spec.externalName is ignored when spec.type is not \"ExternalName\"";
        found.push(text.to_owned());
    }
    if spec.text("trafficDistribution") == "PreferClose" {
        let text = "spec.trafficDistribution: \"PreferClose\" is deprecated; use \
                    \"PreferSameZone\"";
        found.push(text.to_owned());
    }
}

fn addresses(spec: &Value, list: &str, path: &Path<'_>, found: &mut Vec<String>) {
    let path = path.child(list);
    for (index, address) in spec.list(list).iter().enumerate() {
        warnings_for_address(address.as_str().unwrap_or_default(), &path.index(index), found);
    }
}
