//! ResourceQuota: what a namespace may hold.
//!
//! Models staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota and
//! pkg/quota/v1/evaluator/core.

use crate::api::pod::quantity_of;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Value};
use crate::base::Quantity;
use crate::store::server::Context;
use crate::store::storage::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Checks a new object against the quotas of its namespace, and charges it to them.
pub(in crate::store) fn charge(
    store: &mut Store,
    context: &Context,
    object: &Object,
) -> Result<(), ApiError> {
    let quotas: Vec<Arc<Object>> =
        store.list_in(Kind::ResourceQuota, &object.meta.namespace).cloned().collect();
    let mut charged = Vec::new();
    for quota in quotas {
        let hard = amounts(quota.status().get("hard"));
        let usage = usage(object);
        let counted: BTreeMap<String, Quantity> = usage
            .iter()
            .filter(|(name, _)| hard.contains_key(*name))
            .map(|(name, amount)| (name.clone(), *amount))
            .collect();
        check_constraints(&quota, &hard, object)?;
        let used = amounts(quota.status().get("used"));
        check_room(&quota, &hard, &used, &counted, object)?;
        if counted.is_empty() {
            continue;
        }
        let mut status = quota.status().clone();
        for (name, amount) in counted {
            let before = used.get(&name).copied().unwrap_or_default();
            status.put(&["used", &name], (before + amount).to_string());
        }
        charged.push((quota, status));
    }
    for (quota, status) in charged {
        let mut new = (*quota).clone();
        new.set_status(status);
        store.put(new, &context.cause);
    }
    Ok(())
}

/// What an object counts for, by the names of quota resources.
pub fn usage(object: &Object) -> BTreeMap<String, Quantity> {
    let mut usage = BTreeMap::new();
    let one = Quantity::from_units(1);
    usage.insert(format!("count/{}", object.kind.group_resource()), one);
    match object.kind {
        Kind::Pod => pod_usage(object, &mut usage),
        Kind::Service => {
            usage.insert("services".into(), one);
            let service_type = super::spec_text(object, "type");
            let ports = i64::try_from(object.spec().items_at(&["ports"]).len()).unwrap_or_default();
            if matches!(service_type, "NodePort" | "LoadBalancer") {
                usage.insert("services.nodeports".into(), Quantity::from_units(ports));
            }
            if service_type == "LoadBalancer" {
                usage.insert("services.loadbalancers".into(), one);
            }
        }
        Kind::PersistentVolumeClaim => {
            usage.insert("persistentvolumeclaims".into(), one);
            let storage = object.spec().at(&["resources", "requests", "storage"]);
            if let Some(storage) = storage.and_then(quantity_of) {
                usage.insert("requests.storage".into(), storage);
            }
        }
        Kind::ConfigMap | Kind::Secret | Kind::ReplicationController | Kind::ResourceQuota => {
            usage.insert(object.kind.plural().to_owned(), one);
        }
        _ => {}
    }
    usage
}

fn pod_usage(object: &Object, usage: &mut BTreeMap<String, Quantity>) {
    let Some(pod) = object.pod() else { return };
    usage.insert("pods".into(), Quantity::from_units(1));
    let mut limits = crate::api::pod::Resources::default();
    for container in &pod.spec.containers {
        limits.add(&container.limits);
    }
    let requests = &pod.spec.requests;
    for (prefix, resources) in [("requests.", requests), ("limits.", &limits), ("", requests)] {
        let cpu = Quantity::from_millis(resources.milli_cpu);
        usage.insert(format!("{prefix}cpu"), cpu);
        usage.insert(format!("{prefix}memory"), Quantity::from_bytes(resources.memory));
    }
}

fn amounts(value: Option<&Value>) -> BTreeMap<String, Quantity> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), quantity_of(value)?))).collect()
}

/// A quota on a compute resource obliges every container to say how much it asks for.
fn check_constraints(
    quota: &Object,
    hard: &BTreeMap<String, Quantity>,
    object: &Object,
) -> Result<(), ApiError> {
    let Some(pod) = object.pod() else { return Ok(()) };
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in hard.keys() {
        let (list, resource) = match name.split_once('.') {
            Some(("requests", resource @ ("cpu" | "memory"))) => ("requests", resource),
            Some(("limits", resource @ ("cpu" | "memory"))) => ("limits", resource),
            None if name == "cpu" || name == "memory" => ("requests", name.as_str()),
            _ => continue,
        };
        let containers = pod.spec.tree.items_at(&["containers"]);
        for container in containers {
            if container.at(&["resources", list, resource]).is_none() {
                let names = missing.entry(name).or_default();
                names.push(container.str_at(&["name"]).unwrap_or_default());
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<String> =
        missing.iter().map(|(name, who)| format!("{name} for: {}", who.join(","))).collect();
    let why = format!("failed quota: {}: must specify {}", quota.meta.name, list.join("; "));
    Err(ApiError::forbidden("pods", &object.meta.name, &why))
}

fn check_room(
    quota: &Object,
    hard: &BTreeMap<String, Quantity>,
    used: &BTreeMap<String, Quantity>,
    counted: &BTreeMap<String, Quantity>,
    object: &Object,
) -> Result<(), ApiError> {
    let over: Vec<&String> = counted
        .iter()
        .filter(|(name, amount)| {
            let before = used.get(*name).copied().unwrap_or_default();
            hard.get(*name).is_some_and(|hard| before + **amount > *hard)
        })
        .map(|(name, _)| name)
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let list = |of: &BTreeMap<String, Quantity>| -> String {
        let parts = over
            .iter()
            .map(|name| format!("{name}={}", of.get(*name).copied().unwrap_or_default()));
        parts.collect::<Vec<_>>().join(",")
    };
    let why = format!(
        "exceeded quota: {}, requested: {}, used: {}, limited: {}",
        quota.meta.name,
        list(counted),
        list(used),
        list(hard)
    );
    Err(ApiError::forbidden(&object.kind.group_resource(), &object.meta.name, &why))
}
