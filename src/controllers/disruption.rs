//! How many pods of a PodDisruptionBudget may be evicted now.
//!
//! Models pkg/controller/disruption/disruption.go.

use super::pod_control::{is_ready, scaled};
use crate::api::disruption_budget::{SYNC_FAILED, selector, set_condition, update_condition};
use crate::api::meta::OwnerReference;
use crate::api::pod::ConditionType;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::{SimTime, order};
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAME: &str = "controllermanager";
/// How long a pod that was evicted may take until it is going, and how long it may say that it will
/// be disrupted and is not.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The controller of PodDisruptionBudgets.
#[derive(Clone, Copy, Debug)]
pub(super) struct DisruptionBudgets;

impl Controller for DisruptionBudgets {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Of several budgets that cover a pod, only the first hears of it.
    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let own = Key { kind: change.kind, object: change.key.clone() };
        match change.kind {
            Kind::PodDisruptionBudget => vec![own],
            Kind::Pod => {
                let Some(pod) = change.object() else { return Vec::new() };
                let mut covering = covering(store, pod);
                let first = covering.next().map(|budget| Key::of(budget));
                let is_odd = covering.next().is_some() || says_disrupted(pod).is_some();
                let own = (is_odd && change.new.is_some()).then_some(own);
                first.into_iter().chain(own).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(object) = store.get(key.kind, &key.object) else { return Plan::default() };
        match key.kind {
            Kind::Pod => sync_pod(store, object, now),
            _ => sync_budget(store, object, now),
        }
    }
}

fn covering<'a>(store: &'a Store, pod: &'a Object) -> impl Iterator<Item = &'a Arc<Object>> {
    let budgets = store.list_in(Kind::PodDisruptionBudget, &pod.meta.namespace);
    budgets.filter(|budget| selector(budget).is_some_and(|s| s.matches(&pod.meta.labels)))
}

/// Since when a pod that is not going says that it will be disrupted. What the kubelet says stands.
///
/// Models disruption.go nonTerminatingPodHasStaleDisruptionCondition.
fn says_disrupted(pod: &Object) -> Option<SimTime> {
    let state = pod.pod().filter(|state| !state.status.phase.is_terminal())?;
    let condition = state.status.condition(ConditionType::DisruptionTarget)?;
    let stale = condition.status
        && condition.reason() != "TerminationByKubelet"
        && !pod.meta.is_terminating();
    stale.then_some(condition.last_transition_time)
}

/// Models disruption.go getPdbForPod and syncStalePodDisruption.
fn sync_pod(store: &Store, pod: &Arc<Object>, now: SimTime) -> Plan {
    let mut plan = Plan::default();
    let mut budgets = covering(store, pod);
    if let Some((first, _)) = budgets.next().zip(budgets.next()) {
        let (namespace, name) = (&pod.meta.namespace, &pod.meta.name);
        let message = format!(
            "Pod \"{namespace}\"/\"{name}\" matches multiple PodDisruptionBudgets.  Chose \"{}\" \
             arbitrarily.",
            first.meta.name
        );
        plan.writes.push(event(pod, true, "MultiplePodDisruptionBudgets", message, now));
    }
    if let Some(since) = says_disrupted(pod) {
        let until = since + TIMEOUT;
        if until > now {
            plan.requeue_after = Some(until.since(now));
            return plan;
        }
        let mut new = (**pod).clone();
        if let Some(state) = new.pod_mut() {
            state.status.set_condition(ConditionType::DisruptionTarget, false, None, now);
        }
        plan.writes.push(Write::UpdateStatus(Box::new(new)));
    }
    plan
}

/// Models disruption.go trySync and failSafe.
fn sync_budget(store: &Store, budget: &Arc<Object>, now: SimTime) -> Plan {
    // A budget without a selector is about no pods.
    let selector = selector(budget);
    let chosen = selector.iter().flat_map(|it| store.pods_matching(&budget.meta.namespace, it));
    let pods: Vec<&Arc<Object>> = chosen.collect();
    let mut plan = Plan::default();
    if pods.is_empty() {
        plan.writes.push(event(budget, false, "NoPods", "No matching pods found", now));
    }
    let mut status = budget.status().clone();
    match expected_pods(store, budget.spec(), &pods) {
        Err(why) => {
            let message = format!("Failed to calculate the number of expected pods: {why}");
            let reason = "CalculateExpectedPodCountFailed";
            plan.writes.push(event(budget, true, reason, message, now));
            status.put(&["disruptionsAllowed"], 0);
            set_condition(&mut status, "False", (SYNC_FAILED, &why), now);
        }
        Ok(expected) => {
            if expected.unmanaged {
                let message = unmanaged(budget.spec().get("selector"));
                plan.writes.push(event(budget, true, "UnmanagedPods", message, now));
            }
            let disrupted = still_disrupted(budget, &pods, now, &mut plan);
            status = counted(budget, &expected, healthy(&pods, &disrupted), disrupted, now);
        }
    }
    if status != *budget.status() {
        let mut new = (**budget).clone();
        new.set_status(status);
        plan.writes.push(Write::UpdateStatus(Box::new(new)));
    }
    plan
}

fn event(
    about: &Object,
    warning: bool,
    reason: &str,
    message: impl Into<Arc<str>>,
    now: SimTime,
) -> Write {
    Write::event(about.reference(), warning, reason, message, NAME, now)
}

/// Which evicted pods are not going yet; those that took too long are forgotten.
///
/// Models disruption.go buildDisruptedPodMap.
fn still_disrupted(
    budget: &Object,
    pods: &[&Arc<Object>],
    now: SimTime,
    plan: &mut Plan,
) -> BTreeMap<Arc<str>, SimTime> {
    let mut disrupted = BTreeMap::new();
    for pod in pods.iter().filter(|pod| !pod.meta.is_terminating()) {
        let text = budget.status().str_at(&["disruptedPods", &pod.meta.name]);
        let Some(time) = text.and_then(SimTime::parse_rfc3339) else { continue };
        let until = time + TIMEOUT;
        if until < now {
            let namespace = &budget.meta.namespace;
            let message = format!(
                "Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
            );
            plan.writes.push(event(pod, true, "NotDeleted", message, now));
            continue;
        }
        disrupted.insert(pod.meta.name.clone(), time);
        let wait = until.since(now) + Duration::from_millis(1);
        plan.requeue_after = plan.requeue_after.into_iter().chain([wait]).min();
    }
    disrupted
}

/// Models disruption.go countHealthyPods.
fn healthy(pods: &[&Arc<Object>], disrupted: &BTreeMap<Arc<str>, SimTime>) -> i64 {
    let counts = |pod: &&&Arc<Object>| {
        !pod.meta.is_terminating() && !disrupted.contains_key(&pod.meta.name) && is_ready(pod)
    };
    pods.iter().filter(counts).fold(0, |count, _| count + 1)
}

/// Models disruption.go updatePdbStatus.
fn counted(
    budget: &Object,
    expected: &Expected,
    healthy: i64,
    disrupted: BTreeMap<Arc<str>, SimTime>,
    now: SimTime,
) -> Value {
    let spare = (healthy - expected.desired).max(0);
    let mut status = json!({
        "currentHealthy": healthy,
        "desiredHealthy": expected.desired,
        "disruptionsAllowed": if expected.count > 0 { spare } else { 0 },
        "expectedPods": expected.count,
        "observedGeneration": budget.meta.generation,
    });
    if let Some(conditions) = budget.status().get("conditions") {
        status.put(&["conditions"], conditions.clone());
    }
    for (name, time) in disrupted {
        status.put(&["disruptedPods", &name], time.rfc3339());
    }
    update_condition(&mut status, now);
    status
}

/// How many pods there should be, and how many of them healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    count: i64,
    desired: i64,
    /// Whether some pods have no controller, and so are not counted.
    unmanaged: bool,
}

/// Models disruption.go getExpectedPodCount.
fn expected_pods(store: &Store, spec: &Value, pods: &[&Arc<Object>]) -> Result<Expected, String> {
    let (most, least) = (spec.get("maxUnavailable"), spec.get("minAvailable"));
    if most.is_none() && !least.is_some_and(Value::is_string) {
        let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        return Ok(Expected { count, desired: scaled(least, count, true), unmanaged: false });
    }
    let mut controllers = BTreeMap::new();
    for owner in pods.iter().filter_map(|pod| Some((pod, pod.meta.controller()?))) {
        let (pod, owner) = owner;
        if controllers.contains_key(&owner.uid) {
            continue;
        }
        let Some((uid, replicas)) = scale(store, owner, &pod.meta.namespace)? else {
            return Err(format!("found no controllers for pod \"{}\"", pod.meta.name));
        };
        controllers.insert(uid, replicas);
    }
    let count = controllers.values().sum();
    let desired = match most {
        Some(most) => (count - scaled(Some(most), count, true)).max(0),
        None => scaled(least, count, true),
    };
    let unmanaged = pods.iter().any(|pod| pod.meta.controller().is_none());
    Ok(Expected { count, desired, unmanaged })
}

/// A controller and how many pods it wants: a ReplicaSet's Deployment knows better than itself.
///
/// Models disruption.go finders.
fn scale(
    store: &Store,
    owner: &OwnerReference,
    namespace: &str,
) -> Result<Option<(crate::api::Uid, i64)>, String> {
    let (version, kind) = (&*owner.api_version, &*owner.kind);
    let Some(kind) = Kind::of_manifest(version, kind) else {
        return Err(format!("no matches for kind \"{kind}\" in version \"{version}\""));
    };
    let Some(path) = replicas_path(store, kind) else {
        return Err(format!("{} does not implement the scale subresource", kind.group_resource()));
    };
    let find = |kind, owner: &OwnerReference| {
        let object = store.get(kind, &ObjectKey::new(namespace, &owner.name));
        object.filter(|object| object.meta.uid == owner.uid)
    };
    let Some(mut object) = find(kind, owner) else { return Ok(None) };
    if kind == Kind::ReplicaSet {
        let above = object.meta.controller().filter(|above| &*above.kind == "Deployment");
        object = above.and_then(|above| find(Kind::Deployment, above)).unwrap_or(object);
    }
    let path: Vec<&str> = path.split('.').filter(|key| !key.is_empty()).collect();
    let value = object.to_value();
    Ok(Some((object.meta.uid, value.int_at(&path).unwrap_or_default())))
}

/// Where a kind that can be scaled says how many it wants.
fn replicas_path(store: &Store, kind: Kind) -> Option<String> {
    match kind {
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::ReplicationController => {
            Some(".spec.replicas".to_owned())
        }
        _ => {
            let definition = store.definition_of(kind)?;
            let mut versions = definition.spec().items_at(&["versions"]).iter();
            let path = ["subresources", "scale", "specReplicasPath"];
            versions.find_map(|version| version.str_at(&path)).map(str::to_owned)
        }
    }
}

fn unmanaged(selector: Option<&Value>) -> String {
    format!(
        "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a \
         result, the status of the PDB cannot be calculated correctly, which may result in \
         undefined behavior. To account for these pods please set \".spec.minAvailable\" field of \
         the PDB to an integer value.",
        go_selector(selector)
    )
}

/// A label selector as Go prints it.
///
/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/generated.pb.go LabelSelector.String.
fn go_selector(selector: Option<&Value>) -> String {
    let selector = selector.cloned().unwrap_or_default();
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let mut labels: Vec<(&str, &str)> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    order::sort(&mut labels);
    let labels: String = labels.iter().map(|(key, value)| format!("{key}: {value},")).collect();
    let expressions = selector.items_at(&["matchExpressions"]).iter().map(|expression| {
        let text = |key| expression.str_at(&[key]).unwrap_or_default();
        let values: Vec<&str> =
            expression.items_at(&["values"]).iter().filter_map(Value::as_str).collect();
        format!(
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
            text("key"),
            text("operator"),
            values.join(" ")
        )
    });
    let expressions: String = expressions.collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Form from staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/generated.pb.go.
    #[test]
    fn a_selector_is_printed_as_go_prints_it() {
        let selector = json!({
            "matchLabels": {"b": "2", "a": "1"},
            "matchExpressions": [{"key": "k", "operator": "In", "values": ["x", "y"]}],
        });
        let printed = "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},\
                       MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,\
                       Operator:In,Values:[x y],},},}";
        assert_eq!(go_selector(Some(&selector)), printed);
    }
}
