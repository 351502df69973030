//! The cluster addresses of a Service and their families.
//!
//! Models pkg/registry/core/service/storage/alloc.go, …/storage.go normalizeClusterIPs and
//! …/ipallocator.
//!
//! Simplified: the cluster has IPv4 only.

use super::{Refused, is_empty, needs_cluster_ip, type_of};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::service_address_errors;
use crate::api::{FieldError, Value};
use crate::store::server::internal_error;
use crate::store::storage::Store;
use core::net::Ipv4Addr;
use serde_json::json;

/// The addresses of Services: 10.96.0.0/16, as first address and number of addresses.
pub const SERVICE_CIDR: (Ipv4Addr, u32) = (Ipv4Addr::new(10, 96, 0, 0), 65_536);

/// The low part of the addresses, kept for those that people choose themselves.
const STATIC_ADDRESSES: u32 = 256;

const POLICY: &str = "ipFamilyPolicy";

/// Brings `clusterIPs` in line with `clusterIP`, which is what most people write.
///
/// Models storage.go normalizeClusterIPs.
pub(super) fn synchronize(spec: &mut Value, old: Option<&Value>) {
    let first = spec.str_at(&["clusterIP"]).unwrap_or_default().to_owned();
    let Some(old) = old else {
        if !first.is_empty() && is_empty(spec.get("clusterIPs")) {
            spec.put(&["clusterIPs"], json!([first]));
        }
        return;
    };
    let same_list = spec.items_at(&["clusterIPs"]) == old.items_at(&["clusterIPs"]);
    if first == old.str_at(&["clusterIP"]).unwrap_or_default() {
        if let Some(list) = old.get("clusterIPs").filter(|_| is_empty(spec.get("clusterIPs"))) {
            spec.put(&["clusterIPs"], list.clone());
        }
    } else if same_list && first.is_empty() {
        spec.remove(&["clusterIPs"]);
    } else if same_list {
        spec.put(&["clusterIPs"], json!([first]));
    }
}

/// Fills in `ipFamilyPolicy` and `ipFamilies`, and says what cannot be.
///
/// Models alloc.go initIPFamilyFields.
pub(super) fn choose_families(
    spec: &mut Value,
    old: Option<&Value>,
) -> Result<(), Vec<FieldError>> {
    if !needs_cluster_ip(spec) || old.is_some_and(|old| stays_dual(spec, old)) {
        return Ok(());
    }
    let selects = spec.fields_at(&["selector"]).is_some_and(|selector| !selector.is_empty());
    let is_free = spec.str_at(&["clusterIP"]) == Some("None") && !selects;
    if spec.get(POLICY).is_none() {
        let before = old.and_then(|old| old.get(POLICY)).cloned();
        let default = if is_free { "RequireDualStack" } else { "SingleStack" };
        spec.put(&[POLICY], before.unwrap_or_else(|| default.into()));
    }
    refuse_any(service_address_errors(spec))?;
    let mut wrong = policy_errors(spec, old);
    wrong.extend(families_of_addresses(spec));
    refuse_any(wrong)?;
    let single = spec.str_at(&[POLICY]) == Some("SingleStack");
    if is_free {
        let families = spec.items_at(&["ipFamilies"]);
        let mut families =
            if families.is_empty() { vec![json!("IPv4")] } else { families.to_vec() };
        if families.len() < 2 && !single {
            let v4 = families.first().and_then(Value::as_str) == Some("IPv4");
            families.push(json!(if v4 { "IPv6" } else { "IPv4" }));
        }
        spec.put(&["ipFamilies"], families);
        return Ok(());
    }
    refuse_any(unconfigured(spec))?;
    if is_empty(spec.get("ipFamilies")) {
        spec.put(&["ipFamilies"], json!(["IPv4"]));
    }
    Ok(())
}

fn refuse_any(errors: Vec<FieldError>) -> Result<(), Vec<FieldError>> {
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Models alloc.go isMatchingPreferDualStackClusterIPFields.
fn stays_dual(spec: &Value, old: &Value) -> bool {
    let same = |key: &str| spec.items_at(&[key]) == old.items_at(&[key]);
    let prefers = |spec: &Value| spec.str_at(&[POLICY]) == Some("PreferDualStack");
    let has_address = matches!(type_of(spec), "ClusterIP" | "NodePort" | "LoadBalancer");
    has_address
        && type_of(spec) == type_of(old)
        && prefers(spec)
        && prefers(old)
        && same("clusterIPs")
        && same("ipFamilies")
}

/// A policy that does not go with the addresses and families that are asked for.
fn policy_errors(spec: &mut Value, old: Option<&Value>) -> Vec<FieldError> {
    const LISTS: [(&str, &str); 2] = [("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")];
    let policy = spec.get(POLICY).cloned().unwrap_or_default();
    let single = policy == "SingleStack";
    let refuse =
        |detail: String| FieldError::invalid("spec.ipFamilyPolicy", policy.clone(), detail);
    let mut errors = Vec::new();
    for (list, what) in LISTS.into_iter().filter(|_| old.is_some()) {
        let before = old.map_or(&[][..], |old| old.items_at(&[list]));
        let now = spec.items_at(&[list]);
        if !single {
            if before.len() > now.len() && !now.is_empty() && before.starts_with(now) {
                errors
                    .push(refuse(format!("must be 'SingleStack' to release the secondary {what}")));
            }
        } else if now == before && now.len() > 1 {
            let first = now.iter().take(1).cloned().collect::<Vec<_>>();
            spec.put(&[list], first);
        }
    }
    for (list, what) in [("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")] {
        if single && spec.items_at(&[list]).len() == 2 {
            errors.push(refuse(format!(
                "must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"
            )));
        }
    }
    errors
}

/// Infers families from addresses.
fn families_of_addresses(spec: &mut Value) -> Vec<FieldError> {
    let all = spec.items_at(&["clusterIPs"]).to_vec();
    let mut families = spec.items_at(&["ipFamilies"]).to_vec();
    let mut errors = Vec::new();
    for (index, ip) in all.iter().enumerate().skip(families.len()) {
        let ip = ip.as_str().unwrap_or_default();
        if ip == "None" {
            break;
        }
        if ip.contains(':') {
            let path = format!("spec.clusterIPs[{index}]");
            let detail = "IPv6 is not configured on this cluster";
            errors.push(FieldError::invalid(path, all.clone(), detail));
        } else {
            families.push(json!("IPv4"));
        }
    }
    if !families.is_empty() {
        spec.put(&["ipFamilies"], families);
    }
    errors
}

fn unconfigured(spec: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if spec.str_at(&[POLICY]) == Some("RequireDualStack") {
        let detail = "this cluster is not configured for dual-stack services";
        errors.push(FieldError::invalid("spec.ipFamilyPolicy", "RequireDualStack", detail));
    }
    for (index, family) in spec.items_at(&["ipFamilies"]).iter().enumerate() {
        if family.as_str() != Some("IPv4") {
            let path = format!("spec.ipFamilies[{index}]");
            let detail = "not configured on this cluster";
            errors.push(FieldError::invalid(path, family.clone(), detail));
        }
    }
    errors
}

/// Models alloc.go allocClusterIPs and updateClusterIPs.
pub(super) fn cluster_ip(
    store: &mut Store,
    spec: &mut Value,
    old: Option<&Value>,
) -> Result<(), Refused> {
    let given = spec.items_at(&["clusterIPs"]).first().and_then(Value::as_str);
    let given = given.unwrap_or_default().to_owned();
    if !needs_cluster_ip(spec) || given == "None" || old.is_some_and(needs_cluster_ip) {
        // An address that there was stays; that it may not change is said by validation.
        return Ok(());
    }
    if given.is_empty() {
        let Some(ip) = free_address(store) else {
            let why = "failed to allocate a serviceIP: range is full";
            return Err(Refused::Other(internal_error(format!("Internal error occurred: {why}"))));
        };
        spec.put(&["clusterIP"], ip.to_string());
        spec.put(&["clusterIPs"], json!([ip.to_string()]));
        return Ok(());
    }
    let Ok(ip) = given.parse::<Ipv4Addr>() else { return Ok(()) };
    let (first, count) = SERVICE_CIDR;
    let problem = if ip.to_bits().wrapping_sub(first.to_bits()) >= count {
        "the provided network does not match the current range"
    } else if store.indexes().cluster_ips.contains(&ip.to_bits()) {
        "provided IP is already allocated"
    } else {
        return Ok(());
    };
    let detail = format!("failed to allocate IP {given}: {problem}");
    Err(FieldError::invalid("spec.clusterIPs", json!([given]), detail).into())
}

/// A free address at random, from the high part first.
fn free_address(store: &mut Store) -> Option<Ipv4Addr> {
    let (first, count) = SERVICE_CIDR;
    // The last address is the broadcast address and is not given out.
    let room = count - STATIC_ADDRESSES - 1;
    let start = store.rng().below(room);
    let high = (0..room).map(|step| STATIC_ADDRESSES + (start + step) % room);
    let mut offsets = high.chain(1..STATIC_ADDRESSES);
    let taken = &store.indexes().cluster_ips;
    let bits = offsets.find_map(|offset| {
        let bits = first.to_bits() + offset;
        (!taken.contains(&bits)).then_some(bits)
    });
    bits.map(Ipv4Addr::from_bits)
}
