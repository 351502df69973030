//! Amounts of any resource, by name: what quotas and limit ranges reckon with.

use super::quantity_of;
use crate::api::tree::Tree as _;
use crate::base::Quantity;
use serde_json::Value;
use std::collections::BTreeMap;

/// A resource list.
pub type Amounts = BTreeMap<String, Quantity>;

/// Reads a resource list; what is no quantity is left out.
pub fn amounts(value: Option<&Value>) -> Amounts {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), quantity_of(value)?))).collect()
}

/// What the containers of a pod come to, of their `requests` or their `limits`: the containers
/// and sidecars together, or for each resource the most that an init container with the sidecars
/// before it needs. What the pod says as a whole counts instead.
///
/// Models staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests and PodLimits,
/// without the overhead.
pub fn pod_amounts(spec: &Value, list: &str) -> Amounts {
    let of = |container: &Value| amounts(container.at(&["resources", list]));
    let (mut sum, mut sidecars, mut peak) = (Amounts::new(), Amounts::new(), Amounts::new());
    for container in spec.items_at(&["containers"]) {
        add(&mut sum, &of(container));
    }
    for container in spec.items_at(&["initContainers"]) {
        let mut here = of(container);
        if container.str_at(&["restartPolicy"]) == Some("Always") {
            add(&mut sum, &here);
            add(&mut sidecars, &here);
            here.clone_from(&sidecars);
        } else {
            add(&mut here, &sidecars);
        }
        raise(&mut peak, &here);
    }
    raise(&mut sum, &peak);
    for (name, amount) in amounts(spec.at(&["resources", list])) {
        if is_of_the_whole_pod(&name) {
            sum.insert(name, amount);
        }
    }
    sum
}

/// Whether a pod's own `resources` may speak of this resource.
pub fn is_of_the_whole_pod(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}

/// Adds the overhead: to all requests, and to those limits that there are.
pub fn add_overhead(sum: &mut Amounts, spec: &Value, limits: bool) {
    for (name, amount) in amounts(spec.at(&["overhead"])) {
        match sum.get_mut(&name) {
            Some(before) if !limits || !before.is_zero() => *before += amount,
            None if !limits => drop(sum.insert(name, amount)),
            _ => {}
        }
    }
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get_mut(name) {
            Some(before) => *before += *amount,
            None => drop(sum.insert(name.clone(), *amount)),
        }
    }
}

fn raise(sum: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        match sum.get_mut(name) {
            Some(before) if *before >= *amount => {}
            _ => drop(sum.insert(name.clone(), *amount)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn init_containers_count_where_they_need_more() {
        let of = |cpu: &str| json!({"limits": {"cpu": cpu, "nvidia.com/gpu": 1}});
        let spec = json!({
            "containers": [{"resources": of("1")}, {"resources": of("500m")}],
            "initContainers": [
                {"restartPolicy": "Always", "resources": of("100m")},
                {"resources": of("2")},
            ],
            "overhead": {"cpu": "10m", "memory": "1Mi"},
        });
        let mut sum = pod_amounts(&spec, "limits");
        let text = |sum: &Amounts| {
            format!("{:?}", sum.iter().map(|(n, q)| format!("{n}={q}")).collect::<Vec<_>>())
        };
        assert_eq!(text(&sum), "[\"cpu=2100m\", \"nvidia.com/gpu=3\"]");
        add_overhead(&mut sum, &spec, true);
        assert_eq!(text(&sum), "[\"cpu=2110m\", \"nvidia.com/gpu=3\"]");
    }
}
