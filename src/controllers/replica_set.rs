//! ReplicaSets and ReplicationControllers: as many pods of a template as asked for.
//!
//! Models pkg/controller/replicaset/replica_set.go and replica_set_utils.go.

use super::pod_control::{
    asked_once, claim_pods, controller_key, creation_events, deletion_event, in_deletion_order,
    is_active, is_available, is_ready, next_available, phase, pod_of_template, selector_of,
    spec_int,
};
use crate::api::pod::Phase;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Selector, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Outcome, Plan, Store, Write};
use serde_json::json;
use std::sync::Arc;

/// A batch of creations or deletions is no larger than this.
const BURST: usize = 500;

/// The controller of ReplicaSets, or of ReplicationControllers.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplicaSets {
    kind: Kind,
    name: &'static str,
}

/// The controller of ReplicaSets.
pub(super) static REPLICA_SETS: ReplicaSets =
    ReplicaSets { kind: Kind::ReplicaSet, name: "replicaset-controller" };
/// The controller of ReplicationControllers.
pub(super) static REPLICATION_CONTROLLERS: ReplicaSets =
    ReplicaSets { kind: Kind::ReplicationController, name: "replication-controller" };

impl Controller for ReplicaSets {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        if change.kind == self.kind {
            return vec![Key { kind: self.kind, object: change.key.clone() }];
        }
        if change.kind != Kind::Pod {
            return Vec::new();
        }
        let owners = [&change.old, &change.new].into_iter().flatten();
        let mut keys: Vec<Key> = owners.filter_map(|pod| controller_key(pod, self.kind)).collect();
        keys.dedup();
        if let Some(orphan) = change.new.as_ref().filter(|pod| pod.meta.controller().is_none()) {
            let sets = store.list_in(self.kind, &orphan.meta.namespace).filter(|set| {
                selector_of(set).is_some_and(|selector| selector.matches(&orphan.meta.labels))
            });
            keys.extend(sets.map(|set| Key::of(set)));
        }
        keys
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(set) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(selector) = selector_of(set) else { return Plan::default() };
        let (pods, mut writes) = claim_pods(store, set, &selector);
        let active: Vec<Arc<Object>> = pods.iter().filter(|pod| is_active(pod)).cloned().collect();
        if !set.meta.is_terminating() {
            writes.extend(self.scale(store, set, &selector, active, now));
        }
        Plan::of(writes)
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        let Some(set) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(selector) = selector_of(set) else { return Plan::default() };
        let created: Vec<Outcome> =
            outcomes.iter().filter(|outcome| outcome.created).cloned().collect();
        let mut writes = creation_events(set, &created, self.name, now);
        let (pods, _) = claim_pods(store, set, &selector);
        let failure = created.iter().find_map(|outcome| outcome.result.as_ref().err());
        let status = self.status(set, &pods, failure.map(|error| error.message.as_str()), now);
        if status != *set.status() {
            let mut new = (**set).clone();
            new.set_status(status);
            writes.push(Write::UpdateStatus(Box::new(new)));
        }
        let min_ready = spec_int(set, &["minReadySeconds"], 0);
        let requeue_after = match min_ready {
            0 => None,
            _ => next_available(pods.iter().filter(|pod| is_active(pod)), min_ready, now),
        };
        Plan { writes, requeue_after }
    }
}

impl ReplicaSets {
    /// Models replica_set.go manageReplicas.
    fn scale(
        &self,
        store: &Store,
        set: &Arc<Object>,
        selector: &Selector,
        active: Vec<Arc<Object>>,
        now: SimTime,
    ) -> Vec<Write> {
        let wanted = usize::try_from(spec_int(set, &["replicas"], 1)).unwrap_or_default();
        let template = set.pod_template();
        if active.len() < wanted {
            let Some(template) = template else { return Vec::new() };
            let count = (wanted - active.len()).min(BURST);
            return vec![Write::CreateBatch(vec![pod_of_template(set, template); count])];
        }
        let excess = (active.len() - wanted).min(BURST);
        if excess == 0 {
            return Vec::new();
        }
        let related = match set.meta.controller() {
            Some(owner) => related_pods(store, set, owner.uid, selector),
            None => active.clone(),
        };
        let order = in_deletion_order(active, &related, now);
        let victims = order.iter().take(excess);
        victims
            .flat_map(|pod| [Write::delete(pod), deletion_event(set, pod, self.name, now)])
            .collect()
    }

    /// Models replica_set_utils.go calculateStatus.
    fn status(
        &self,
        set: &Object,
        pods: &[Arc<Object>],
        failure: Option<&str>,
        now: SimTime,
    ) -> Value {
        let min_ready = spec_int(set, &["minReadySeconds"], 0);
        let active: Vec<&Arc<Object>> = pods.iter().filter(|pod| is_active(pod)).collect();
        let template = set.pod_template().map(|template| &template.labels);
        let mut labeled = asked_once(|own| {
            let mut labels = template.into_iter().flat_map(|labels| labels.iter());
            labels.all(|(key, value)| own.get(key) == Some(value))
        });
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let ready = active.iter().filter(|pod| is_ready(pod)).count();
        let available = active.iter().filter(|pod| is_available(pod, min_ready, now)).count();
        let mut status = json!({"replicas": count(active.len())});
        let mut put = |key: &str, number: i64| {
            if number != 0 {
                status.put(&[key], number);
            }
        };
        put(
            "fullyLabeledReplicas",
            count(active.iter().filter(|pod| labeled(&pod.meta.labels)).count()),
        );
        put("readyReplicas", count(ready));
        put("availableReplicas", count(available));
        put("observedGeneration", set.meta.generation);
        if self.kind == Kind::ReplicaSet {
            let terminating = pods.iter().filter(|p| p.meta.is_terminating() && !ended(p)).count();
            status.put(&["terminatingReplicas"], count(terminating));
        }
        if let Some(conditions) = failure_condition(set, failure, now) {
            status.put(&["conditions"], conditions);
        }
        status
    }
}

fn ended(pod: &Object) -> bool {
    matches!(phase(pod), Phase::Succeeded | Phase::Failed)
}

/// The condition of a ReplicaSet that could not make its pods: it tells of the first failure until
/// a look goes well.
fn failure_condition(set: &Object, failure: Option<&str>, now: SimTime) -> Option<Value> {
    let message = failure?;
    let old = set.status().items_at(&["conditions"]);
    if !old.is_empty() {
        return Some(Value::Array(old.to_vec()));
    }
    Some(json!([{
        "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": message, "lastTransitionTime": now.rfc3339(),
    }]))
}

/// The pods of all ReplicaSets of the same Deployment.
fn related_pods(
    store: &Store,
    set: &Object,
    owner: crate::api::Uid,
    selector: &Selector,
) -> Vec<Arc<Object>> {
    let siblings = store.owned_by(owner).filter(|object| object.kind == set.kind);
    let pods = siblings.flat_map(|sibling| store.owned_by(sibling.meta.uid));
    let pods: Vec<_> = pods.filter(|object| object.kind == Kind::Pod).cloned().collect();
    match pods.is_empty() {
        true => store.pods_matching(&set.meta.namespace, selector).cloned().collect(),
        false => pods,
    }
}
