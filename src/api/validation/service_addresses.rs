//! The cluster addresses of Services and their families.

use super::addresses::{legacy_address, sloppy_address};
use super::path::{Errors, Fields as _, Path, Report as _};
use super::service::is_headless;
use crate::api::Value;
use serde_json::json;

/// Models ValidateServiceClusterIPsRelatedFields.
pub(super) fn addresses(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    if spec.text("type") == "ExternalName" {
        return;
    }
    let list = path.child("clusterIPs");
    let first = spec.text("clusterIP");
    let all = spec.list("clusterIPs");
    match all.first() {
        None if !first.is_empty() => errors.required(list, ""),
        Some(_) if first.is_empty() => {
            errors.invalid(list, json!(all), "must be empty when `clusterIP` is not specified");
        }
        Some(other) if other != first => {
            errors.invalid(list, json!(all), "first value must match `clusterIP`");
        }
        _ => {}
    }
    families(spec, path, errors);
    if !well_formed(all, &list, errors) {
        return;
    }
    let is_v6 = |value: &Value| {
        value.as_str().and_then(sloppy_address).is_some_and(|address| address.is_ipv6())
    };
    if let [one, other] = all
        && is_v6(one) == is_v6(other)
    {
        let detail = "may specify no more than one IP for each IP family";
        errors.invalid(list, json!(all), detail);
    }
    if is_headless(spec) {
        return;
    }
    for (index, (address, family)) in all.iter().zip(spec.list("ipFamilies")).enumerate() {
        let expected = match family.as_str() {
            Some("IPv4") if is_v6(address) => "IPv4",
            Some("IPv6") if !is_v6(address) => "IPv6",
            _ => continue,
        };
        let detail = format!("expected an {expected} value as indicated by `ipFamilies[{index}]`");
        errors.invalid(list.index(index), address.clone(), detail);
    }
}

fn families(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("ipFamilies");
    let all = spec.list("ipFamilies");
    for (index, family) in all.iter().enumerate() {
        let name = family.as_str().unwrap_or_default();
        if !["IPv4", "IPv6"].contains(&name) {
            errors.not_supported(list.index(index), name, &["IPv4", "IPv6"]);
        }
        if all.iter().take(index).any(|other| other == family) {
            errors.duplicate(list.index(index), name);
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    if let Some(policy) = spec.sub("ipFamilyPolicy").and_then(Value::as_str)
        && !policies.contains(&policy)
    {
        errors.not_supported(path.child("ipFamilyPolicy"), policy, &policies);
    }
}

/// Whether the list can be looked at any closer.
fn well_formed(all: &[Value], list: &Path<'_>, errors: &mut Errors) -> bool {
    let before = errors.len();
    for (index, address) in all.iter().enumerate() {
        let address = address.as_str().unwrap_or_default();
        if index == 0 && address == "None" {
            if all.len() > 1 {
                errors.invalid(list, json!(all), "'None' must be the first and only value");
            }
            continue;
        }
        legacy_address(address, &list.index(index), errors);
    }
    let well_formed = errors.len() == before;
    if all.len() > 2 {
        errors.invalid(list, json!(all), "may only hold up to 2 values");
    }
    well_formed
}

/// Models validateUpgradeDowngradeClusterIPs and validateUpgradeDowngradeIPFamilies.
pub(super) fn stay(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    const STAYS: &str = "may not change once set";
    if spec.text("type") == "ExternalName" || old.text("type") == "ExternalName" {
        return;
    }
    let (headless, old_headless) = (is_headless(spec), is_headless(old));
    if !(headless && old_headless) {
        let list = path.child("clusterIPs");
        let (new, old) = (spec.list("clusterIPs"), old.list("clusterIPs"));
        if new.len() == old.len() {
            for (index, _) in new.iter().zip(old).enumerate().filter(|(_, (a, b))| a != b) {
                errors.invalid(list.index(index), json!(new), STAYS);
            }
        } else if new.is_empty() {
            errors.invalid(list.index(0), Value::Null, "primary clusterIP can not be unset");
        } else if !old.is_empty() && new.first() != old.first() {
            errors.invalid(list.index(0), json!(new), STAYS);
        }
        releases(spec, new.len() == 1 && old.len() > 1, "clusterIP", path, errors);
    }
    if !headless && !old_headless {
        let list = path.child("ipFamilies");
        let (new, old) = (spec.list("ipFamilies"), old.list("ipFamilies"));
        let addresses = spec.list("clusterIPs");
        if new.len() == old.len() {
            for _ in new.iter().zip(old).filter(|(a, b)| a != b) {
                errors.invalid(list.index(0), json!(new), STAYS);
            }
        } else {
            if new.len() < old.len() && addresses.is_empty() {
                let detail = "primary ipFamily can not be unset";
                errors.invalid(list.index(0), json!(new), detail);
            }
            if !new.is_empty() && !old.is_empty() && new.first() != old.first() {
                errors.invalid(list.index(0), json!(addresses), STAYS);
            }
        }
        releases(spec, new.len() == 1 && old.len() > 1, "ipFamily", path, errors);
    }
}

/// A second address is given back only by who asks for a single one.
fn releases(spec: &Value, is_less: bool, what: &str, path: &Path<'_>, errors: &mut Errors) {
    if is_less && spec.text("ipFamilyPolicy") != "SingleStack" {
        let policy = spec.sub("ipFamilyPolicy").cloned().unwrap_or_default();
        let detail = format!("must be set to 'SingleStack' when releasing the secondary {what}");
        errors.invalid(path.child("ipFamilyPolicy"), policy, detail);
    }
}
