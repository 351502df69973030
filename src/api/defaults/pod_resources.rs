//! Requests and limits of a pod as a whole, where they are partly given.

use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::base::Quantity;
use std::collections::BTreeMap;

pub(in crate::api) type Amounts = BTreeMap<String, Quantity>;

/// Fills in what the containers imply of `spec.resources`.
///
/// Models pkg/apis/core/v1/defaults.go defaultHugePagePodLimits and defaultPodRequests.
pub(super) fn pod_level(spec: &mut Value) {
    let is_set = |list| spec.fields_at(&["resources", list]).is_some_and(|map| !map.is_empty());
    let (has_limits, has_requests) = (is_set("limits"), is_set("requests"));
    if has_limits || has_requests {
        for (name, amount) in of_containers(spec, "limits") {
            let requested = spec.at(&["resources", "requests", &name]).is_some();
            if name.starts_with("hugepages-") && !requested {
                spec.put_default(&["resources", "limits", &name], amount.to_string());
            }
        }
    }
    let limits = spec.fields_at(&["resources", "limits"]).cloned().unwrap_or_default();
    if limits.is_empty() {
        return;
    }
    for (name, amount) in of_containers(spec, "requests") {
        if name == "cpu" || name == "memory" {
            spec.put_default(&["resources", "requests", &name], amount.to_string());
        }
    }
    for (name, amount) in limits {
        if name == "cpu" || name == "memory" || name.starts_with("hugepages-") {
            spec.put_default(&["resources", "requests", &name], amount);
        }
    }
}

/// What all containers need together: the greater of what runs for good and what runs before it.
///
/// Models staging/src/k8s.io/component-helpers/resource/helpers.go AggregateContainerRequests.
pub(in crate::api) fn of_containers(spec: &Value, list: &str) -> Amounts {
    let mut total = Amounts::new();
    for container in spec.items_at(&["containers"]) {
        add(&mut total, &amounts(container, list));
    }
    let (mut sidecars, mut start) = (Amounts::new(), Amounts::new());
    for container in spec.items_at(&["initContainers"]) {
        let mut needs = amounts(container, list);
        if container.str_at(&["restartPolicy"]) == Some("Always") {
            add(&mut total, &needs);
            add(&mut sidecars, &needs);
            needs = sidecars.clone();
        } else {
            add(&mut needs, &sidecars);
        }
        raise(&mut start, &needs);
    }
    raise(&mut total, &start);
    total
}

fn amounts(container: &Value, list: &str) -> Amounts {
    let amount = |amount: &Value| match amount {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    };
    let fields = container.fields_at(&["resources", list]);
    let pairs = fields.into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.clone(), amount(value)?))).collect()
}

fn add(total: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *total.entry(name.clone()).or_default() += *amount;
    }
}

fn raise(total: &mut Amounts, needs: &Amounts) {
    for (name, amount) in needs {
        let entry = total.entry(name.clone()).or_default();
        *entry = (*amount).max(*entry);
    }
}
