//! What the controllers of pods have in common: making pods from a template, adopting them, and
//! choosing which go first.
//!
//! Models pkg/controller/controller_utils.go and controller_ref_manager.go.

use crate::api::meta::OwnerReference;
use crate::api::pod::{ConditionType, Phase};
use crate::api::tree::Tree as _;
use crate::api::{
    Body, Details, Kind, Object, ObjectMeta, Pod, PodTemplate, Selector, StringMap, Value,
};
use crate::base::{SimTime, order};
use crate::store::{Key, ObjectKey, Outcome, Store, Write};
use core::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The label that tells the pods of one template from those of another.
pub(super) const TEMPLATE_HASH: &str = "pod-template-hash";
/// The annotation with which a person says which pods may go first.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The reference that makes `owner` the controller of another object.
pub(super) fn controller_reference(owner: &Object) -> OwnerReference {
    OwnerReference {
        api_version: owner.kind.api_version().into(),
        kind: owner.kind.name().into(),
        name: owner.meta.name.clone(),
        uid: owner.meta.uid,
        controller: true,
        block_owner_deletion: true,
    }
}

/// A pod of a template, named after its owner with a random suffix.
///
/// Models controller_utils.go GetPodFromTemplate.
pub(super) fn pod_of_template(owner: &Object, template: &PodTemplate) -> Object {
    let meta = ObjectMeta {
        namespace: owner.meta.namespace.clone(),
        labels: template.labels.clone(),
        details: Details {
            generate_name: name_prefix(&owner.meta.name),
            annotations: template.annotations.clone(),
            finalizers: template.finalizers.clone(),
            owner_references: Arc::from([controller_reference(owner)]),
            ..Details::default()
        }
        .into(),
        ..ObjectMeta::default()
    };
    Object { kind: Kind::Pod, meta, body: Body::Pod(Pod::new(template.spec.clone())) }
}

/// `web-` for `web`; nothing is added to a name so long that no pod could be named after it.
fn name_prefix(owner: &str) -> Arc<str> {
    const LONGEST_NAME: usize = 253;
    let prefix = format!("{owner}-");
    if prefix.len() > LONGEST_NAME { owner.into() } else { prefix.into() }
}

/// Whether a pod still counts: it has not ended and is not on its way out.
///
/// Models controller_utils.go IsPodActive.
pub(super) fn is_active(pod: &Object) -> bool {
    !pod.meta.is_terminating() && !phase(pod).is_terminal()
}

/// A pod's phase.
pub(super) fn phase(pod: &Object) -> Phase {
    pod.pod().map_or(Phase::Unknown, |pod| pod.status.phase)
}

/// Whether a pod is Ready.
pub(super) fn is_ready(pod: &Object) -> bool {
    pod.pod().is_some_and(|pod| pod.status.is_ready())
}

/// Since when a pod is Ready.
pub(super) fn ready_since(pod: &Object) -> Option<SimTime> {
    let condition = pod.pod()?.status.condition(ConditionType::Ready)?;
    condition.status.then_some(condition.last_transition_time)
}

/// Whether a pod has been Ready for so many seconds.
pub(super) fn is_available(pod: &Object, min_ready_seconds: i64, now: SimTime) -> bool {
    let Some(since) = ready_since(pod) else { return false };
    let seconds = u64::try_from(min_ready_seconds).unwrap_or_default();
    seconds == 0 || now.since(since).as_secs() >= seconds
}

/// When the next of these pods will have been Ready for so many seconds.
pub(super) fn next_available<'a>(
    pods: impl Iterator<Item = &'a Arc<Object>>,
    min_ready_seconds: i64,
    now: SimTime,
) -> Option<core::time::Duration> {
    let wait = core::time::Duration::from_secs(u64::try_from(min_ready_seconds).ok()?);
    let waits = pods.filter_map(|pod| ready_since(pod)).filter_map(|since| {
        let passed = now.since(since);
        wait.checked_sub(passed).filter(|left| !left.is_zero())
    });
    waits.min()
}

/// The pods of a controller: those it manages, and those of its selector that nobody manages,
/// with the writes that adopt them. What it manages but no longer selects is released.
///
/// Models controller_ref_manager.go ClaimPods.
pub(super) fn claim_pods(
    store: &Store,
    owner: &Object,
    selector: &Selector,
) -> (Vec<Arc<Object>>, Vec<Write>) {
    let (mut pods, mut writes) = (Vec::new(), Vec::new());
    let mut selects = asked_once(|labels| selector.matches(labels));
    for pod in store.owned_by(owner.meta.uid).filter(|object| object.kind == Kind::Pod) {
        if pod.meta.controller().is_none_or(|controller| controller.uid != owner.meta.uid) {
            continue;
        }
        if selects(&pod.meta.labels) {
            pods.push(pod.clone());
        } else if !owner.meta.is_terminating() {
            writes.push(release(pod, owner));
        }
    }
    if !owner.meta.is_terminating() {
        for pod in store.orphans(Kind::Pod, &owner.meta.namespace) {
            if selects(&pod.meta.labels) && is_active(pod) {
                writes.push(adopt(pod, owner));
                pods.push(pod.clone());
            }
        }
    }
    (pods, writes)
}

/// Asks something of labels once for each map of them in memory: the pods of a template share theirs.
pub(super) fn asked_once<'a>(
    ask: impl Fn(&StringMap) -> bool,
) -> impl FnMut(&'a StringMap) -> bool {
    let mut known: Vec<(&'a StringMap, bool)> = Vec::new();
    move |labels| {
        if let Some((_, answer)) = known.iter().find(|(other, _)| other.same(labels)) {
            return *answer;
        }
        let answer = ask(labels);
        if known.len() < 8 {
            known.push((labels, answer));
        }
        answer
    }
}

/// Makes `owner` the controller of an object.
pub(super) fn adopt(object: &Object, owner: &Object) -> Write {
    let mut new = object.clone();
    let owners = new.meta.owner_references.iter().cloned();
    new.meta.owner_references = owners.chain([controller_reference(owner)]).collect();
    Write::Update(Box::new(new))
}

/// Takes `owner` from an object's owners.
pub(super) fn release(object: &Object, owner: &Object) -> Write {
    let mut new = object.clone();
    let others = new.meta.owner_references.iter().filter(|other| other.uid != owner.meta.uid);
    new.meta.owner_references = others.cloned().collect();
    Write::Update(Box::new(new))
}

/// The key of an object's controller if it is of this kind.
pub(super) fn controller_key(object: &Object, kind: Kind) -> Option<Key> {
    let owner = object.meta.controller()?;
    if &*owner.kind != kind.name() {
        return None;
    }
    let object = ObjectKey { namespace: object.meta.namespace.clone(), name: owner.name.clone() };
    Some(Key { kind, object })
}

/// The pods in the order in which they are given up: the ones that matter least first. How many
/// `related` pods share a pod's node breaks ties between ready ones.
///
/// Models controller_utils.go ActivePodsWithRanks.
pub(super) fn in_deletion_order(
    mut pods: Vec<Arc<Object>>,
    related: &[Arc<Object>],
    now: SimTime,
) -> Vec<Arc<Object>> {
    let mut on_node: BTreeMap<Arc<str>, u32> = BTreeMap::new();
    for pod in related.iter().filter(|pod| is_active(pod)) {
        if let Some(node) = node_name(pod) {
            *on_node.entry(node).or_default() += 1;
        }
    }
    let rank = |pod: &Object| {
        node_name(pod).and_then(|node| on_node.get(&node).copied()).unwrap_or_default()
    };
    // Ages count on a logarithmic scale: younger first.
    let age = |time: Option<SimTime>| time.map(|time| now.since(time).as_nanos().checked_ilog2());
    order::sort_by_key(&mut pods, |pod| {
        let order = match phase(pod) {
            Phase::Pending => 0,
            Phase::Unknown => 1,
            _ => 2,
        };
        let importance = (node_name(pod).is_some(), order, is_ready(pod), deletion_cost(pod));
        // Simplified: upstream lets the UID decide as soon as the ready times differ within one
        // step of the scale, which is not a total order; here it decides when all else is equal.
        let ages = (age(ready_since(pod)), Reverse(restarts(pod)));
        let created = age(Some(pod.meta.creation_timestamp));
        (importance, Reverse(rank(pod)), ages, created, pod.meta.uid)
    });
    pods
}

fn node_name(pod: &Object) -> Option<Arc<str>> {
    pod.pod()?.node_name.clone()
}

fn deletion_cost(pod: &Object) -> i32 {
    let cost = pod.meta.annotations.get(DELETION_COST).and_then(|cost| cost.parse().ok());
    cost.unwrap_or_default()
}

fn restarts(pod: &Object) -> u32 {
    let statuses = pod.pod().map(|pod| pod.status.containers.iter());
    statuses.into_iter().flatten().map(|status| status.restart_count).max().unwrap_or_default()
}

/// The events of a controller that created a pod, or could not.
pub(super) fn creation_events(
    owner: &Object,
    outcomes: &[Outcome],
    component: &str,
    now: SimTime,
) -> Vec<Write> {
    let event = |outcome: &Outcome| match &outcome.result {
        Ok(pod) => {
            let message = format!("Created pod: {}", pod.meta.name);
            Write::event(owner.reference(), false, "SuccessfulCreate", message, component, now)
        }
        Err(error) => {
            let message = format!("Error creating: {}", error.message);
            Write::event(owner.reference(), true, "FailedCreate", message, component, now)
        }
    };
    outcomes.iter().map(event).collect()
}

/// The event of a controller that deleted a pod.
pub(super) fn deletion_event(owner: &Object, pod: &Object, component: &str, now: SimTime) -> Write {
    let message = format!("Deleted pod: {}", pod.meta.name);
    Write::event(owner.reference(), false, "SuccessfulDelete", message, component, now)
}

/// The selector of a workload; one that selects nothing if it has none.
pub(super) fn selector_of(object: &Object) -> Option<Selector> {
    match object.kind {
        Kind::ReplicationController => Some(Selector::from_map(object.spec().get("selector"))),
        _ => Selector::from_label_selector(object.spec().get("selector")),
    }
    .filter(|selector| !selector.is_everything())
}

/// A whole number of `spec`, or its default.
pub(super) fn spec_int(object: &Object, path: &[&str], default: i64) -> i64 {
    object.spec().int_at(path).unwrap_or(default)
}

/// `maxSurge` and the like: a number, or a percentage of `total`.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/intstr GetScaledValueFromIntOrPercent.
pub(crate) fn scaled(value: Option<&Value>, total: i64, round_up: bool) -> i64 {
    match value {
        Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
        Some(Value::String(text)) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or_default();
            let product = percent.saturating_mul(total);
            if round_up { product.div_ceil_signed(100) } else { product / 100 }
        }
        _ => 0,
    }
}

trait DivCeil {
    fn div_ceil_signed(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_signed(self, by: i64) -> i64 {
        self / by + i64::from(self % by > 0)
    }
}

/// Labels with one more.
pub(super) fn with_label(labels: &StringMap, key: &str, value: &str) -> StringMap {
    let mut labels = labels.clone();
    labels.set(key, value);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn percentages_round_up_for_surge_and_down_for_unavailable() {
        let cases = [
            (json!("25%"), 4, true, 1),
            (json!("25%"), 3, true, 1),
            (json!("25%"), 3, false, 0),
            (json!("100%"), 3, false, 3),
            (json!(2), 10, true, 2),
        ];
        for (value, total, round_up, expected) in cases {
            assert_eq!(scaled(Some(&value), total, round_up), expected, "{value} of {total}");
        }
    }
}
