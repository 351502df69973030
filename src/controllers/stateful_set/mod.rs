//! StatefulSets: pods with a name, a place in the order, and a disk of their own.
//!
//! Models pkg/controller/statefulset.
//!
//! Reading order: `mod.rs` (one look at a StatefulSet), `claims.rs` (the disks of its pods).

mod claims;

use super::history::{History, REVISION_HASH};
use super::pod_control::{
    claim_pods, controller_key, is_available, is_ready, phase, pod_of_template, selector_of,
    spec_int,
};
use crate::api::pod::Phase;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, PodSpec, PodTemplate, Reason, Value};
use crate::base::{SimTime, order};
use crate::store::{Change, Controller, Key, Outcome, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "statefulset-controller";
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";
/// How long it waits for claims that are going.
const CLAIMS_PERIOD: Duration = Duration::from_secs(1);

/// The controller of StatefulSets.
#[derive(Clone, Copy, Debug)]
pub(super) struct StatefulSets;

impl Controller for StatefulSets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::StatefulSet => vec![Key { kind: change.kind, object: change.key.clone() }],
            Kind::Pod => {
                let pods = [&change.old, &change.new].into_iter().flatten();
                let mut keys: Vec<Key> =
                    pods.filter_map(|pod| controller_key(pod, Kind::StatefulSet)).collect();
                keys.dedup();
                if let Some(orphan) = change.new.as_ref().filter(|p| p.meta.controller().is_none())
                {
                    let sets = store.list_in(Kind::StatefulSet, &orphan.meta.namespace);
                    let selecting = sets.filter(|set| {
                        selector_of(set).is_some_and(|s| s.matches(&orphan.meta.labels))
                    });
                    keys.extend(selecting.map(|set| Key::of(set)));
                }
                keys
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(set) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(mut sync) = Sync::new(store, set, now) else { return Plan::default() };
        if !set.meta.is_terminating() && sync.bring_up() {
            sync.fix_claims_of_condemned();
            if sync.bring_down() {
                sync.update();
            }
        }
        sync.truncate_history();
        // Nothing tells of claims that are going.
        let requeue_after = sync.waits_for_claims.then_some(CLAIMS_PERIOD);
        Plan { writes: sync.writes, requeue_after }
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        let Some(set) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(sync) = Sync::new(store, set, now) else { return Plan::default() };
        let mut writes = creation_events(set, outcomes, now);
        let status = sync.status();
        if status != *set.status() {
            let mut new = (**set).clone();
            new.set_status(status);
            writes.push(Write::UpdateStatus(Box::new(new)));
        }
        let waiting = sync.pods.iter().any(|pod| is_ready(pod) && !sync.is_available(pod));
        Plan { writes, requeue_after: waiting.then_some(Duration::from_secs(1)) }
    }
}

/// Models stateful_pod_control.go recordPodEvent, recordClaimEvent.
fn creation_events(set: &Object, outcomes: &[Outcome], now: SimTime) -> Vec<Write> {
    let name = &set.meta.name;
    let event = |warning, message: String| {
        let reason = if warning { "FailedCreate" } else { "SuccessfulCreate" };
        Write::event(set.reference(), warning, reason, message, NAME, now)
    };
    let failed = |pod: &str, why: &str| {
        event(true, format!("Create Pod {pod} in StatefulSet {name} failed error: {why}"))
    };
    let mut events = Vec::new();
    for Outcome { key, result, .. } in outcomes.iter().filter(|outcome| outcome.created) {
        let made = &key.object.name;
        let exists = result.as_ref().is_err_and(|e| e.reason == Reason::AlreadyExists);
        match (key.kind, result) {
            (Kind::Pod, Ok(_)) => {
                let message = format!("Create Pod {made} in StatefulSet {name} successful");
                events.push(event(false, message));
            }
            (Kind::Pod, Err(error)) if !exists => events.push(failed(made, &error.message)),
            (Kind::PersistentVolumeClaim, result) => {
                let Some(pod) = claims::pod_of_claim(made, set) else { continue };
                events.extend(match result {
                    Ok(_) => vec![event(
                        false,
                        format!("Create Claim {made} Pod {pod} in StatefulSet {name} success"),
                    )],
                    // It was there, but on its way out.
                    Err(_) if exists => vec![failed(&pod, &format!("pvc {made} is being deleted"))],
                    Err(error) => {
                        let why = &error.message;
                        let message = format!(
                            "Create Claim {made} for Pod {pod} in StatefulSet {name} failed \
                             error: {why}"
                        );
                        let why = format!("failed to create PVC {made}: {why}");
                        vec![event(true, message), failed(&pod, &why)]
                    }
                });
            }
            _ => {}
        }
    }
    events
}

/// One look at a StatefulSet.
struct Sync<'a> {
    store: &'a Store,
    set: &'a Arc<Object>,
    now: SimTime,
    history: History,
    /// The revision that pods below the partition keep.
    current: Arc<str>,
    /// Its pods, by ordinal.
    pods: Vec<Arc<Object>>,
    start: i64,
    replicas: i64,
    monotonic: bool,
    /// Whether a pod cannot be made before the claims of its predecessor are gone.
    waits_for_claims: bool,
    writes: Vec<Write>,
}

impl<'a> Sync<'a> {
    fn new(store: &'a Store, set: &'a Arc<Object>, now: SimTime) -> Option<Self> {
        let selector = selector_of(set)?;
        let (mut pods, mut writes) = claim_pods(store, set, &selector);
        pods.retain(|pod| ordinal(pod, set).is_some());
        order::sort_by_key(&mut pods, |pod| ordinal(pod, set));
        let label = "controller.kubernetes.io/hash";
        let history = History::of(store, set, label, &mut writes);
        let current = set.status().str_at(&["currentRevision"]).filter(|name| history.has(name));
        let current = current.map_or_else(|| history.update.clone(), Arc::from);
        Some(Sync {
            store,
            set,
            now,
            history,
            current,
            pods,
            start: spec_int(set, &["ordinals", "start"], 0),
            replicas: spec_int(set, &["replicas"], 1),
            monotonic: set.spec().str_at(&["podManagementPolicy"]) != Some("Parallel"),
            waits_for_claims: false,
            writes,
        })
    }

    fn in_range(&self, pod: &Object) -> bool {
        let range = self.start..self.start + self.replicas;
        ordinal(pod, self.set).is_some_and(|ordinal| range.contains(&ordinal))
    }

    /// Whether a pod runs and has been Ready for long enough.
    fn is_available(&self, pod: &Object) -> bool {
        phase(pod) == Phase::Running
            && is_ready(pod)
            && is_available(pod, spec_int(self.set, &["minReadySeconds"], 0), self.now)
    }

    fn is_unavailable(&self, pod: &Object) -> bool {
        !self.is_available(pod) || pod.meta.is_terminating()
    }

    /// Creates what is missing, in order. Says whether to go on.
    ///
    /// Models stateful_set_control.go processReplica.
    fn bring_up(&mut self) -> bool {
        for ordinal_wanted in self.start..self.start + self.replicas {
            let existing = self.pods.iter().find(|p| ordinal(p, self.set) == Some(ordinal_wanted));
            let ready = match existing.cloned() {
                None => {
                    self.create(ordinal_wanted);
                    false
                }
                Some(pod) if phase(&pod).is_terminal() => {
                    if !pod.meta.is_terminating() {
                        self.delete(&pod);
                    }
                    false
                }
                Some(pod) => {
                    if phase(&pod) == Phase::Pending {
                        self.create_claims(ordinal_wanted);
                    }
                    let waits = pod.meta.is_terminating() || !self.is_available(&pod);
                    if !waits || !self.monotonic {
                        self.fix_claims(&pod);
                    }
                    !waits
                }
            };
            if !ready && self.monotonic {
                return false;
            }
        }
        true
    }

    /// The pods that are too many, by ordinal.
    fn condemned(&self) -> Vec<Arc<Object>> {
        self.pods.iter().filter(|pod| !self.in_range(pod)).cloned().collect()
    }

    fn fix_claims_of_condemned(&mut self) {
        for pod in self.condemned().iter().rev() {
            self.update_claims(pod);
        }
    }

    /// Deletes what is too many, from the highest ordinal down. Says whether to go on.
    ///
    /// Models stateful_set_control.go processCondemned.
    fn bring_down(&mut self) -> bool {
        let condemned = self.condemned();
        let low: Vec<_> = self.pods.iter().filter(|p| self.in_range(p)).cloned().collect();
        let mut all = low.iter().chain(&condemned);
        let first_unavailable = all.find(|pod| self.is_unavailable(pod)).map(|pod| pod.meta.uid);
        for pod in condemned.iter().rev() {
            if pod.meta.is_terminating() {
                if self.monotonic {
                    return false;
                }
                continue;
            }
            let is_first = first_unavailable == Some(pod.meta.uid);
            if self.monotonic && !is_first && !self.is_available(pod) {
                return false;
            }
            self.delete(pod);
            if self.monotonic {
                return false;
            }
        }
        true
    }

    /// Replaces one pod of an older template, from the highest ordinal down to the partition, and
    /// waits where one is unavailable.
    ///
    /// Models the end of stateful_set_control.go updateStatefulSet (the feature
    /// MaxUnavailableStatefulSet is off by default).
    fn update(&mut self) {
        if self.set.spec().str_at(&["updateStrategy", "type"]) == Some("OnDelete") {
            return;
        }
        let partition = ["updateStrategy", "rollingUpdate", "partition"];
        let at_least = self.start + spec_int(self.set, &partition, 0);
        for wanted in (at_least..self.start + self.replicas).rev() {
            let pod = self.pods.iter().find(|pod| ordinal(pod, self.set) == Some(wanted)).cloned();
            // One that was made just now is not available either.
            let Some(pod) = pod else { return };
            let revision = pod.meta.labels.get(REVISION_HASH);
            if revision != Some(&*self.history.update) && !pod.meta.is_terminating() {
                self.delete(&pod);
                return;
            }
            if self.is_unavailable(&pod) {
                return;
            }
        }
    }

    fn delete(&mut self, pod: &Arc<Object>) {
        self.writes.push(Write::delete(pod));
        let (set, pod) = (&self.set.meta.name, &pod.meta.name);
        let message = format!("Delete Pod {pod} in StatefulSet {set} successful");
        let about = self.set.reference();
        let event = Write::event(about, false, "SuccessfulDelete", message, NAME, self.now);
        self.writes.push(event);
    }

    /// Which revision a new pod is made from.
    ///
    /// Models stateful_set_utils.go newVersionedStatefulSetPod.
    fn revision_for(&self, ordinal: i64) -> Arc<str> {
        let strategy = self.set.spec().get("updateStrategy");
        let rolling = strategy.and_then(|strategy| strategy.get("rollingUpdate"));
        let is_rolling = strategy.and_then(|s| s.str_at(&["type"])) != Some("OnDelete");
        let kept = match rolling {
            Some(rolling) => rolling.int_at(&["partition"]).unwrap_or_default(),
            None if is_rolling => {
                self.set.status().int_at(&["currentReplicas"]).unwrap_or_default()
            }
            None => 0,
        };
        if ordinal < self.start + kept { self.current.clone() } else { self.history.update.clone() }
    }

    fn create(&mut self, ordinal: i64) {
        let revision = self.revision_for(ordinal);
        let Some(template) = self.history.template(&revision, self.set) else { return };
        let name = format!("{}-{ordinal}", self.set.meta.name);
        if self.has_stale_claim(ordinal, &name) {
            self.waits_for_claims = true;
            return;
        }
        let template = self.own_template(&template, ordinal, &name);
        let mut pod = pod_of_template(self.set, &template);
        pod.meta.generate_name = format!("{}-", self.set.meta.name).into();
        pod.meta.name = name.as_str().into();
        pod.meta.labels.set(POD_NAME, &name);
        pod.meta.labels.set(POD_INDEX, &ordinal.to_string());
        pod.meta.labels.set(REVISION_HASH, &revision);
        let claims = self.missing_claims(ordinal, true).into_iter();
        self.writes.push(Write::CreateInTurn(claims.chain([pod]).collect()));
    }

    /// The template with this pod's host name and disks.
    fn own_template(&self, template: &PodTemplate, ordinal: i64, name: &str) -> PodTemplate {
        let mut tree = template.spec.tree.clone();
        tree.put(&["hostname"], name);
        if let Some(service) = self.set.spec().str_at(&["serviceName"]).filter(|s| !s.is_empty()) {
            tree.put(&["subdomain"], service);
        }
        let claims = self.claim_names(ordinal);
        let mut volumes: Vec<Value> = claims
            .iter()
            .map(|(volume, claim)| {
                json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}})
            })
            .collect();
        let others = tree
            .items_at(&["volumes"])
            .iter()
            .filter(|volume| claims.iter().all(|(name, _)| volume.str_at(&["name"]) != Some(name)));
        volumes.extend(others.cloned());
        if !volumes.is_empty() {
            tree.put(&["volumes"], volumes);
        }
        PodTemplate { spec: Arc::new(PodSpec::from_value(tree)), ..template.clone() }
    }

    fn truncate_history(&mut self) {
        let mut live: Vec<&str> =
            self.pods.iter().filter_map(|pod| pod.meta.labels.get(REVISION_HASH)).collect();
        live.push(&self.current);
        self.history.truncate(self.set, &live, &mut self.writes);
    }

    fn status(&self) -> Value {
        let count = |f: &dyn Fn(&Object) -> bool| {
            self.pods.iter().filter(|pod| f(pod)).fold(0i64, |count, _| count + 1)
        };
        let of_revision = |name: &str, pod: &Object| {
            !pod.meta.is_terminating() && pod.meta.labels.get(REVISION_HASH) == Some(name)
        };
        let running = |pod: &Object| phase(pod) == Phase::Running && is_ready(pod);
        let replicas = count(&|_| true);
        let ready = count(&running);
        let available = count(&|pod| running(pod) && self.is_available(pod));
        let updated = count(&|pod| of_revision(&self.history.update, pod));
        let mut current = count(&|pod| of_revision(&self.current, pod));
        let mut current_revision = &self.current;
        let all = [replicas, ready, updated].iter().all(|number| *number == self.replicas);
        if all && self.set.spec().str_at(&["updateStrategy", "type"]) != Some("OnDelete") {
            current = updated;
            current_revision = &self.history.update;
        }
        let mut status = json!({
            "observedGeneration": self.set.meta.generation,
            "replicas": replicas,
            "availableReplicas": available,
            "currentRevision": **current_revision,
            "updateRevision": *self.history.update,
            "collisionCount": 0,
        });
        let counts =
            [("readyReplicas", ready), ("currentReplicas", current), ("updatedReplicas", updated)];
        for (key, number) in counts.into_iter().filter(|(_, number)| *number != 0) {
            status.put(&[key], number);
        }
        status
    }
}

/// The number at the end of a pod's name, if the rest is its set's name.
fn ordinal(pod: &Object, set: &Object) -> Option<i64> {
    let rest = pod.meta.name.strip_prefix(&*set.meta.name)?.strip_prefix('-')?;
    rest.parse().ok().filter(|number: &i64| *number >= 0)
}
