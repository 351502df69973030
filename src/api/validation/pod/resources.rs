//! Requests and limits.

use super::super::names;
use super::super::path::{Errors, Fields as _, NOT_NEGATIVE, Path, Report as _};
use super::Spec;
use super::environment::quantity;
use crate::api::defaults::of_containers;
use crate::api::{FieldError, Value};
use crate::base::{Quantity, order};

/// Resources that are counted in whole objects.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// The other resources without a domain that have a meaning somewhere.
const MEASURED: [&str; 11] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "storage",
    "requests.storage",
];

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Models pkg/apis/core/helper/helpers.go IsNativeResource.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Models IsExtendedResourceName.
fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified_name(&format!("requests.{name}")).is_empty()
}

/// Models IsOvercommitAllowed: whether a limit may be above the request.
pub(in super::super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Models validateResourceName.
pub(in super::super) fn resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let wrong = names::qualified_name(name);
    if !wrong.is_empty() {
        errors.each_invalid(path, name, wrong);
        return;
    }
    let is_huge = is_huge_page(name) || name.starts_with("requests.hugepages-");
    if !name.contains('/') && !is_huge && !COUNTED.contains(&name) && !MEASURED.contains(&name) {
        let detail = "must be a standard resource type or fully qualified";
        errors.invalid(path, name, detail);
    }
}

/// Models ValidateResourceQuotaResourceName.
pub(in super::super) fn quota_resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    resource_name(name, path, errors);
    let is_huge = is_huge_page(name) || name.starts_with("requests.hugepages-");
    let is_standard =
        is_huge || COUNTED.contains(&name) || (MEASURED.contains(&name) && name != "storage");
    if !name.contains('/') && !is_standard {
        errors.invalid(path, name, "must be a standard resource for quota");
    }
}

/// Models validateContainerResourceName.
pub(in super::super) fn container_resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    resource_name(name, path, errors);
    if !name.contains('/') {
        if !["cpu", "memory", "ephemeral-storage"].contains(&name) && !is_huge_page(name) {
            errors.invalid(path, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

/// Models validatePodResourceName.
fn pod_resource_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let before = errors.len();
    resource_name(name, path, errors);
    let supported = ["cpu", "hugepages-", "memory"];
    if errors.len() == before && !["cpu", "memory"].contains(&name) && !is_huge_page(name) {
        errors.not_supported(path, name, &supported);
    }
}

/// An amount as messages show it.
fn shown(value: Option<&Value>) -> String {
    quantity(value).unwrap_or_default().to_string()
}

/// Models ValidatePositiveQuantityValue.
pub(in super::super) fn positive_amount(
    value: Option<&Value>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let amount = quantity(value).unwrap_or_default();
    if amount <= Quantity::ZERO {
        errors.invalid(path, amount.to_string(), "must be greater than zero");
    }
}

/// Models ValidateResourceQuantityValue: not below zero, and whole if the resource is counted.
pub(in super::super) fn whole_amount(
    name: &str,
    value: Option<&Value>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let amount = quantity(value).unwrap_or_default();
    if amount.is_negative() {
        errors.invalid(path, amount.to_string(), NOT_NEGATIVE);
    }
    let is_counted = COUNTED.contains(&name) || is_extended(name);
    if is_counted && amount.milli_value() % 1000 != 0 {
        errors.invalid(path, amount.to_string(), "must be an integer");
    }
}

/// Models ValidateContainerResourceRequirements.
pub(super) fn of_container(
    requirements: &Value,
    claims: &[&str],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    requirements_of(requirements, container_resource_name, path, errors);
    claim_names(requirements.list("claims"), claims, &path.child("claims"), errors);
}

/// Models validateResourceRequirements.
fn requirements_of(
    requirements: &Value,
    name_rule: fn(&str, &Path<'_>, &mut Errors),
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let (mut computes, mut huge) = (false, false);
    for (name, value) in requirements.map("limits") {
        let path = limits_path.key(name);
        name_rule(name, &path, errors);
        whole_amount(name, Some(value), &path, errors);
        huge_page_amount(name, value, &path, errors);
        huge |= is_huge_page(name);
        computes |= ["cpu", "memory"].contains(&name);
    }
    let limits = requirements.sub("limits");
    for (name, value) in requirements.map("requests") {
        let path = requests_path.key(name);
        name_rule(name, &path, errors);
        whole_amount(name, Some(value), &path, errors);
        let request = quantity(Some(value)).unwrap_or_default();
        match limits.and_then(|limits| quantity(limits.sub(name))) {
            Some(limit) if request != limit && !may_overcommit(name) => {
                let detail = format!("must be equal to {name} limit of {limit}");
                errors.invalid(requests_path, request.to_string(), detail);
            }
            Some(limit) if request > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                errors.invalid(requests_path, request.to_string(), detail);
            }
            None if !may_overcommit(name) => {
                errors.required(limits_path, "Limit must be set for non overcommitable resources");
            }
            _ => {}
        }
        huge_page_amount(name, value, &path, errors);
        huge |= is_huge_page(name);
        computes |= ["cpu", "memory"].contains(&name);
    }
    if huge && !computes {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
}

/// Models validateResourceQuantityHugePageValue.
fn huge_page_amount(name: &str, value: &Value, path: &Path<'_>, errors: &mut Errors) {
    let Some(size) = name.strip_prefix("hugepages-") else { return };
    let size = Quantity::parse(size).unwrap_or_default();
    let amount = quantity(Some(value)).unwrap_or_default();
    let fits = size > Quantity::ZERO
        && size.milli_value() % 1000 == 0
        && amount.value().checked_rem(size.value()) == Some(0);
    if !fits {
        let text = amount.to_string();
        let detail = format!("{text} is not positive integer multiple of {name}");
        errors.invalid(path, text, detail);
    }
}

/// Models validateResourceClaimNames.
fn claim_names(claims: &[Value], known: &[&str], path: &Path<'_>, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, claim) in claims.iter().enumerate() {
        let path = path.index(index);
        let name = claim.text("name");
        if name.is_empty() {
            errors.required(path, "");
            continue;
        }
        if seen.contains(&name) && claim.text("request").is_empty() {
            errors.duplicate(path, name);
        }
        seen.push(name);
        if !known.contains(&name) {
            let mut sorted = known.to_vec();
            order::sort(&mut sorted);
            let rest = match sorted.as_slice() {
                [] => " which is empty".to_owned(),
                known => format!(": {}", known.join(", ")),
            };
            let detail = format!("must be one of the names in pod.spec.resourceClaims{rest}");
            errors.push(FieldError::not_found(path, name).with_detail(detail));
        }
    }
}

/// What a pod as a whole needs.
///
/// Models validatePodResources and validatePodResourceConsistency.
pub(super) fn of_pod(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let Some(resources) = spec.tree.sub("resources") else { return };
    let path = path.child("resources");
    if spec.os() == Some("windows") {
        errors.forbidden(path, "may not be set for a windows pod");
        return;
    }
    if resources.sub("claims").is_some() {
        let detail = "claims may not be set for Resources at pod-level";
        errors.forbidden(path.child("claims"), detail);
    }
    requirements_of(resources, pod_resource_name, &path, errors);
    claim_names(resources.list("claims"), &spec.claims, &path.child("claims"), errors);
    let of_pod = |list: &str, name: &str| resources.sub(list).and_then(|map| map.sub(name));
    for (name, sum) in of_containers(spec.tree, "requests") {
        let Some(request) = of_pod("requests", &name) else { continue };
        if quantity(Some(request)).is_some_and(|request| sum > request) {
            let detail =
                format!("must be greater than or equal to aggregate container requests of {sum}");
            let path = path.child("requests");
            errors.invalid(path.key(&name), shown(Some(request)), detail);
        }
    }
    for (name, sum) in of_containers(spec.tree, "limits") {
        let limit = of_pod("limits", &name).filter(|_| is_huge_page(&name));
        if quantity(limit).is_some_and(|limit| sum > limit) {
            let detail =
                format!("must be greater than or equal to aggregate container limits of {sum}");
            let path = path.child("limits");
            errors.invalid(path.key(&name), shown(limit), detail);
        }
    }
    let list = path.child("containers");
    for (index, container) in spec.tree.list("containers").iter().enumerate() {
        let Some(requirements) = container.sub("resources") else { continue };
        for (name, value) in requirements.map("limits") {
            let limit = of_pod("limits", name);
            let is_above = quantity(limit).zip(quantity(Some(value)));
            if is_above.is_some_and(|(most, own)| own > most) {
                let detail =
                    format!("must be less than or equal to pod limits of {}", shown(limit));
                let path = list.index(index);
                let path = path.key(name);
                errors.invalid(path.child("limits"), shown(Some(value)), detail);
            }
        }
    }
}
