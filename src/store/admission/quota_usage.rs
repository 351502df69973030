//! What an object counts for, and whether a quota counts it.
//!
//! Models pkg/quota/v1/evaluator/core and staging/src/k8s.io/apiserver/pkg/quota/v1/generic.

use crate::api::pod::Qos;
use crate::api::pod::amounts::{Amounts, add_overhead, pod_amounts};
use crate::api::tree::Tree as _;
use crate::api::validation::QUOTA_OF_PODS;
use crate::api::{Kind, Object, Value};
use crate::base::Quantity;

/// What an object counts for, by the names of quota resources.
pub fn usage(object: &Object) -> Amounts {
    let one = Quantity::from_units(1);
    let mut usage = Amounts::from([(format!("count/{}", object.kind.group_resource()), one)]);
    match object.kind {
        Kind::Pod => pod_usage(object, &mut usage),
        Kind::Service => service_usage(object, &mut usage),
        Kind::PersistentVolumeClaim => claim_usage(object, &mut usage),
        Kind::ConfigMap | Kind::Secret | Kind::ReplicationController | Kind::ResourceQuota => {
            usage.insert(object.kind.plural().to_owned(), one);
        }
        _ => {}
    }
    usage
}

/// Models pods.go PodUsageFunc. A pod that has ended takes nothing any more.
fn pod_usage(object: &Object, usage: &mut Amounts) {
    let Some(pod) = object.pod().filter(|pod| !pod.status.phase.is_terminal()) else { return };
    let spec = &pod.spec.tree;
    let (mut requests, mut limits) = (pod_amounts(spec, "requests"), pod_amounts(spec, "limits"));
    add_overhead(&mut requests, spec, false);
    add_overhead(&mut limits, spec, true);
    compute_usage(&requests, &limits, usage);
}

/// Models pods.go podComputeUsageHelper.
fn compute_usage(requests: &Amounts, limits: &Amounts, usage: &mut Amounts) {
    const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
    usage.insert("pods".into(), Quantity::from_units(1));
    for (name, amount) in requests {
        let is_compute = COMPUTE.contains(&name.as_str());
        if is_compute || name.starts_with("hugepages-") {
            usage.insert(name.clone(), *amount);
        }
        if is_compute || name.starts_with("hugepages-") || is_extended(name) {
            usage.insert(format!("requests.{name}"), *amount);
        }
    }
    for (name, amount) in limits.iter().filter(|(name, _)| COMPUTE.contains(&name.as_str())) {
        usage.insert(format!("limits.{name}"), *amount);
    }
}

/// Models pkg/apis/core/v1/helper/helpers.go IsExtendedResourceName.
fn is_extended(name: &str) -> bool {
    name.split_once('/').is_some_and(|(domain, _)| {
        !(domain == "kubernetes.io" || domain.ends_with(".kubernetes.io"))
            || domain == "deviceclass.resource.kubernetes.io"
    })
}

/// Models services.go.
fn service_usage(object: &Object, usage: &mut Amounts) {
    let spec = object.spec();
    let all = spec.items_at(&["ports"]);
    let numbered = all.iter().filter(|port| port.int_at(&["nodePort"]).unwrap_or_default() != 0);
    let service_type = spec.str_at(&["type"]).unwrap_or_default();
    let ports = match service_type {
        "LoadBalancer" if spec.bool_at(&["allocateLoadBalancerNodePorts"]) == Some(false) => {
            numbered.count()
        }
        "NodePort" | "LoadBalancer" => all.len(),
        _ => 0,
    };
    let count = |number| Quantity::from_units(i64::try_from(number).unwrap_or(i64::MAX));
    usage.insert("services".into(), count(1));
    usage.insert("services.nodeports".into(), count(ports));
    let balanced = usize::from(service_type == "LoadBalancer");
    usage.insert("services.loadbalancers".into(), count(balanced));
}

/// Models persistent_volume_claims.go.
fn claim_usage(object: &Object, usage: &mut Amounts) {
    let spec = object.spec();
    let storage = spec.at(&["resources", "requests", "storage"]);
    let storage = storage.and_then(crate::api::pod::quantity_of);
    let class = spec.str_at(&["storageClassName"]).filter(|class| !class.is_empty());
    let mut charge = |name: &str, amount: Quantity| {
        usage.insert(name.to_owned(), amount);
        if let Some(class) = class {
            usage.insert(format!("{class}.storageclass.storage.k8s.io/{name}"), amount);
        }
    };
    charge("persistentvolumeclaims", Quantity::from_units(1));
    if let Some(storage) = storage {
        charge("requests.storage", storage);
    }
}

/// Whether a quota's scopes take an object in.
pub fn in_scope(quota: &Object, object: &Object) -> bool {
    let plain = quota.spec().items_at(&["scopes"]).iter().filter_map(Value::as_str);
    let exists = Value::Null;
    let mut plain = plain.map(|scope| (scope, &exists));
    let selected = quota.spec().items_at(&["scopeSelector", "matchExpressions"]);
    let mut selected =
        selected.iter().map(|term| (term.str_at(&["scopeName"]).unwrap_or_default(), term));
    plain.all(|(scope, term)| fits(scope, term, object))
        && selected.all(|(scope, term)| fits(scope, term, object))
}

/// Models pods.go podMatchesScopeFunc and persistent_volume_claims.go pvcMatchesScopeFunc.
fn fits(scope: &str, term: &Value, object: &Object) -> bool {
    if let Some(pod) = object.pod() {
        let spec = &pod.spec.tree;
        let ends = spec.int_at(&["activeDeadlineSeconds"]).is_some_and(|seconds| seconds >= 0);
        let best_effort = Qos::of(&pod.spec) == Qos::BestEffort;
        return match scope {
            "Terminating" => ends,
            "NotTerminating" => !ends,
            "BestEffort" => best_effort,
            "NotBestEffort" => !best_effort,
            "PriorityClass" => {
                let class = spec.str_at(&["priorityClassName"]);
                selects(term, class.filter(|class| !class.is_empty()))
            }
            "CrossNamespacePodAffinity" => crosses_namespaces(spec),
            _ => false,
        };
    }
    if object.kind == Kind::PersistentVolumeClaim && scope == "VolumeAttributesClass" {
        let class = object.spec().str_at(&["volumeAttributesClassName"]);
        return selects(term, class.filter(|class| !class.is_empty()));
    }
    false
}

/// Whether a scope's term takes an object of this class, or of none.
fn selects(term: &Value, class: Option<&str>) -> bool {
    let listed = |class: &str| term.items_at(&["values"]).iter().any(|value| value == class);
    match term.str_at(&["operator"]) {
        Some("In") => class.is_some_and(listed),
        Some("NotIn") => !class.is_some_and(listed),
        Some("DoesNotExist") => class.is_none(),
        _ => class.is_some(),
    }
}

/// Models pods.go usesCrossNamespacePodAffinity.
fn crosses_namespaces(spec: &Value) -> bool {
    ["podAffinity", "podAntiAffinity"].iter().any(|kind| {
        let terms = |list: &str| spec.items_at(&["affinity", kind, list]).iter();
        let preferred = terms("preferredDuringSchedulingIgnoredDuringExecution");
        let preferred = preferred.filter_map(|term| term.at(&["podAffinityTerm"]));
        terms("requiredDuringSchedulingIgnoredDuringExecution").chain(preferred).any(|term| {
            !term.items_at(&["namespaces"]).is_empty() || term.get("namespaceSelector").is_some()
        })
    })
}

/// Whether the amount of a resource is counted for a kind at all.
///
/// Models the evaluators' MatchingResources.
pub(super) fn is_counted(kind: Kind, name: &str) -> bool {
    if name == format!("count/{}", kind.group_resource()) {
        return true;
    }
    match kind {
        Kind::Pod => {
            QUOTA_OF_PODS.contains(&name)
                || name.starts_with("hugepages-")
                || name.starts_with("requests.hugepages-")
                || name.strip_prefix("requests.").is_some_and(is_extended)
        }
        Kind::Service => {
            matches!(name, "services" | "services.nodeports" | "services.loadbalancers")
        }
        Kind::PersistentVolumeClaim => {
            let name = name.rsplit_once(".storageclass.storage.k8s.io/").map_or(name, |(_, n)| n);
            matches!(name, "persistentvolumeclaims" | "requests.storage")
        }
        Kind::ConfigMap | Kind::Secret | Kind::ReplicationController | Kind::ResourceQuota => {
            name == kind.plural()
        }
        _ => false,
    }
}

/// The CPU and memory resources that oblige every container to say how much it asks for, with who
/// does not.
///
/// Models pods.go Constraints.
pub(super) fn unsaid(object: &Object, hard: &Amounts) -> Vec<String> {
    const OBLIGING: [&str; 6] =
        ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
    let Some(pod) = object.pod() else { return Vec::new() };
    let spec = &pod.spec.tree;
    let whole = ["requests", "limits"].iter().any(|list| {
        let names = spec.fields_at(&["resources", list]).into_iter().flatten();
        names.into_iter().any(|(name, _)| crate::api::pod::amounts::is_of_the_whole_pod(name))
    });
    if whole {
        return Vec::new();
    }
    let mut unsaid = Vec::new();
    for name in OBLIGING.into_iter().filter(|name| hard.contains_key(*name)) {
        let (list, resource) = name.split_once('.').unwrap_or(("requests", name));
        let containers = ["containers", "initContainers"];
        let containers = containers.iter().flat_map(|list| spec.items_at(&[list]));
        let silent = containers.filter(|c| c.at(&["resources", list, resource]).is_none());
        let names = silent.map(|container| container.str_at(&["name"]).unwrap_or_default());
        let names: std::collections::BTreeSet<&str> = names.collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            unsaid.push(format!("{name} for: {}", names.join(",")));
        }
    }
    unsaid
}
