//! DaemonSets: one pod on every node that suits it.
//!
//! Models pkg/controller/daemon.

use super::history::{History, REVISION_HASH};
use super::pod_control::{
    claim_pods, controller_key, creation_events, deletion_event, is_available, is_ready, phase,
    pod_of_template, scaled, selector_of, spec_int,
};
use crate::api::node_affinity::RequiredNodes;
use crate::api::pod::{Effect, Phase, Taint, Toleration};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, PodSpec, PodTemplate, Value};
use crate::base::{SimTime, order};
use crate::store::{Change, Controller, Key, Outcome, Plan, Store, Write};
use core::time::Duration;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const NAME: &str = "daemonset-controller";
/// The most pods that one look creates, and the most that it deletes.
///
/// Models pkg/controller/daemon/daemon_controller.go BurstReplicas.
const BURST: usize = 250;

/// The controller of DaemonSets.
#[derive(Clone, Copy, Debug)]
pub(super) struct DaemonSets;

impl Controller for DaemonSets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::DaemonSet => vec![Key { kind: change.kind, object: change.key.clone() }],
            Kind::Node if node_matters(change) => {
                store.list(Kind::DaemonSet).map(|set| Key::of(set)).collect()
            }
            Kind::Pod => {
                let pods = [&change.old, &change.new].into_iter().flatten();
                let mut keys: Vec<Key> =
                    pods.filter_map(|pod| controller_key(pod, Kind::DaemonSet)).collect();
                keys.dedup();
                keys
            }
            _ => Vec::new(),
        }
    }

    /// A look at a DaemonSet takes longer the more nodes there are, and what changes meanwhile waits
    /// for the next.
    ///
    /// Simplified: a quarter of a second for 5,000 nodes, and no time for fewer than a hundred.
    fn delay(&self, store: &Store, _change: &Change) -> Duration {
        let hundreds = u32::try_from(store.count(Kind::Node) / 100).unwrap_or(u32::MAX);
        Duration::from_millis(5).saturating_mul(hundreds)
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(set) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(mut sync) = Sync::new(store, set, now) else { return Plan::default() };
        if !set.meta.is_terminating() {
            sync.place();
            if sync.new_pods.is_empty() && sync.deleted.is_empty() {
                sync.update();
            }
        }
        sync.into_plan()
    }

    fn report(&self, store: &Store, key: &Key, outcomes: &[Outcome], now: SimTime) -> Plan {
        let Some(set) = store.get(key.kind, &key.object) else { return Plan::default() };
        let pods = |outcome: &&Outcome| {
            outcome.created && outcome.result.as_ref().is_ok_and(|o| o.kind == Kind::Pod)
                || outcome.result.is_err()
        };
        let created: Vec<Outcome> = outcomes.iter().filter(pods).cloned().collect();
        let mut writes = creation_events(set, &created, NAME, now);
        let Some(sync) = Sync::new(store, set, now) else { return Plan::of(writes) };
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

/// Heartbeats do not matter; labels, taints and the cordon do.
fn node_matters(change: &Change) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return true };
    old.meta.labels != new.meta.labels || old.spec() != new.spec()
}

/// The pod of the current template and the one of an older template on a node.
type Pair = (Option<Arc<Object>>, Option<Arc<Object>>);

/// One look at a DaemonSet.
struct Sync<'a> {
    store: &'a Store,
    set: &'a Arc<Object>,
    template: &'a PodTemplate,
    /// The specification with the tolerations that every pod of it gets.
    spec: Arc<PodSpec>,
    /// The nodes that it may use, and the only one, if it names one.
    required: RequiredNodes,
    named: Option<&'a str>,
    now: SimTime,
    history: History,
    pods: Vec<Arc<Object>>,
    by_node: BTreeMap<Arc<str>, Vec<Arc<Object>>>,
    new_pods: Vec<Arc<str>>,
    deleted: Vec<Arc<Object>>,
    writes: Vec<Write>,
}

impl<'a> Sync<'a> {
    fn new(store: &'a Store, set: &'a Arc<Object>, now: SimTime) -> Option<Self> {
        let selector = selector_of(set)?;
        let template = set.pod_template()?;
        let (pods, mut writes) = claim_pods(store, set, &selector);
        let history = History::of(store, set, REVISION_HASH, &mut writes);
        let mut by_node: BTreeMap<Arc<str>, Vec<Arc<Object>>> = BTreeMap::new();
        for pod in &pods {
            if let Some(node) = target_node(pod) {
                by_node.entry(node).or_default().push(pod.clone());
            }
        }
        for pods in by_node.values_mut() {
            order::sort_by_key(pods, |pod| {
                let placed = pod.pod().is_some_and(|pod| pod.node_name.is_some());
                let starting = phase(pod) == Phase::Pending;
                (!placed, starting, pod.meta.creation_timestamp, pod.meta.name.clone())
            });
        }
        let spec = Arc::new(with_tolerations(&template.spec));
        let required = RequiredNodes::of(&spec);
        let named = template.spec.tree.str_at(&["nodeName"]);
        let (new_pods, deleted) = (Vec::new(), Vec::new());
        let sync = Sync {
            store,
            set,
            template,
            spec,
            required,
            named,
            now,
            history,
            pods,
            by_node,
            new_pods,
            deleted,
            writes,
        };
        Some(sync)
    }

    fn is_available(&self, pod: &Object) -> bool {
        is_available(pod, spec_int(self.set, &["minReadySeconds"], 0), self.now)
    }

    fn is_updated(&self, pod: &Object) -> bool {
        pod.meta.labels.get(REVISION_HASH) == Some(self.history.update_hash(self.set))
    }

    /// Whether a pod belongs on a node, and whether one that is there may stay.
    ///
    /// Models daemon_controller.go NodeShouldRunDaemonPod.
    fn suits(&self, node: &Object) -> (bool, bool) {
        let by_name = self.named.is_none_or(|name| name == &*node.meta.name);
        if !by_name || !self.required.matches(node) {
            return (false, false);
        }
        let taints = node.spec().items_at(&["taints"]).iter().filter_map(Taint::from_value);
        let repelled: Vec<Taint> = taints
            .filter(|taint| taint.effect != Effect::PreferNoSchedule)
            .filter(|taint| !self.spec.tolerations.iter().any(|t| t.tolerates(taint)))
            .collect();
        if repelled.is_empty() {
            return (true, true);
        }
        (false, repelled.iter().all(|taint| taint.effect != Effect::NoExecute))
    }

    fn allows_surge(&self) -> bool {
        let surge = self.set.spec().at(&["updateStrategy", "rollingUpdate", "maxSurge"]);
        scaled(surge, 100, true) > 0
    }

    /// Models daemon_controller.go podsShouldBeOnNode.
    fn place(&mut self) {
        let by_node = core::mem::take(&mut self.by_node);
        for node in self.store.list(Kind::Node) {
            let (should_run, may_stay) = self.suits(node);
            let name = &node.meta.name;
            match by_node.get(name) {
                None if should_run => self.new_pods.push(name.clone()),
                Some(pods) if may_stay => self.tidy(name, pods, should_run),
                Some(pods) => {
                    let alive = pods.iter().filter(|pod| !pod.meta.is_terminating());
                    self.deleted.extend(alive.cloned());
                }
                None => {}
            }
        }
        let is_gone = |name: &str| self.store.find(Kind::Node, "", name).is_none();
        let gone = by_node.iter().filter(|(name, _)| is_gone(name));
        let lost = gone.flat_map(|(_, pods)| pods).filter(|pod| {
            pod.pod().is_some_and(|pod| pod.node_name.is_none()) && !pod.meta.is_terminating()
        });
        let lost: Vec<_> = lost.cloned().collect();
        self.deleted.extend(lost);
        self.by_node = by_node;
    }

    fn tidy(&mut self, node: &Arc<str>, pods: &[Arc<Object>], should_run: bool) {
        let mut running: Vec<&Arc<Object>> = Vec::new();
        for pod in pods.iter().filter(|pod| !pod.meta.is_terminating()) {
            let (warning, reason, word) = match phase(pod) {
                Phase::Failed => (true, "FailedDaemonPod", ("failed", "kill")),
                Phase::Succeeded => (false, "SucceededDaemonPod", ("succeeded", "delete")),
                _ => {
                    running.push(pod);
                    continue;
                }
            };
            let message = format!(
                "Found {} daemon pod {}/{} on node {node}, will try to {} it",
                word.0, pod.meta.namespace, pod.meta.name, word.1
            );
            let about = self.set.reference();
            self.writes.push(Write::event(about, warning, reason, message, NAME, self.now));
            self.deleted.push(pod.clone());
        }
        if !self.allows_surge() {
            self.deleted.extend(running.into_iter().skip(1).cloned());
            return;
        }
        if running.is_empty() && should_run {
            self.new_pods.push(node.clone());
        }
        let (new, old): (Vec<&Arc<Object>>, Vec<&Arc<Object>>) =
            running.into_iter().partition(|pod| self.is_updated(pod));
        let replaced = match (new.first(), old.first()) {
            (Some(new), Some(old)) if !is_ready(old) || self.is_available(new) => Some(*old),
            _ => None,
        };
        let excess = new.iter().skip(1).chain(old.iter().skip(1)).copied();
        let doomed: Vec<Arc<Object>> = excess.chain(replaced).cloned().collect();
        self.deleted.extend(doomed);
    }

    /// Models update.go rollingUpdate.
    fn update(&mut self) {
        if self.set.spec().str_at(&["updateStrategy", "type"]) == Some("OnDelete") {
            return;
        }
        let nodes: Vec<Arc<Object>> = self.store.list(Kind::Node).cloned().collect();
        let suited: Vec<&Arc<Object>> = nodes.iter().filter(|node| self.suits(node).0).collect();
        let total = i64::try_from(suited.len()).unwrap_or(i64::MAX);
        let bound = |key: &str| self.set.spec().at(&["updateStrategy", "rollingUpdate", key]);
        let surge = scaled(bound("maxSurge"), total, true);
        let mut unavailable = scaled(bound("maxUnavailable").or(Some(&json!(1))), total, true);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        let mut groups = self.by_node.clone();
        for node in suited {
            groups.entry(node.meta.name.clone()).or_default();
        }
        match surge {
            0 => self.replace(&groups, unavailable),
            _ => self.surge(&groups, surge),
        }
    }

    /// The pod of the current template and the one of an older template on a node; `None` if
    /// there are more.
    fn pair(&self, pods: &[Arc<Object>]) -> Option<Pair> {
        let alive = pods.iter().filter(|pod| !pod.meta.is_terminating()).cloned();
        let (new, old): (Vec<_>, Vec<_>) = alive.partition(|pod| self.is_updated(pod));
        if new.len() > 1 || old.len() > 1 {
            return None;
        }
        Some((new.into_iter().next(), old.into_iter().next()))
    }

    fn replace(&mut self, groups: &BTreeMap<Arc<str>, Vec<Arc<Object>>>, most: i64) {
        let (mut unavailable, mut candidates, mut doomed) = (0i64, Vec::new(), Vec::new());
        for pods in groups.values() {
            match self.pair(pods) {
                None | Some((None, None) | (Some(_), Some(_))) => unavailable += 1,
                Some((Some(new), None)) => unavailable += i64::from(!self.is_available(&new)),
                Some((None, Some(old))) if !self.is_available(&old) => {
                    unavailable += 1;
                    doomed.push(old);
                }
                Some((None, Some(old))) => candidates.push(old),
            }
        }
        let left = usize::try_from(most - unavailable).unwrap_or_default();
        doomed.extend(candidates.into_iter().take(left));
        self.deleted.extend(doomed);
    }

    fn surge(&mut self, groups: &BTreeMap<Arc<str>, Vec<Arc<Object>>>, most: i64) {
        let (mut surging, mut candidates, mut allowed) = (0i64, Vec::new(), Vec::new());
        let mut doomed = Vec::new();
        for (node, pods) in groups {
            match self.pair(pods) {
                None => surging += 1,
                Some((None, Some(old))) if !self.is_available(&old) => allowed.push(node.clone()),
                Some((None, Some(_))) => candidates.push(node.clone()),
                Some((Some(new), Some(_))) if !self.is_available(&new) => surging += 1,
                Some((Some(_), Some(old))) => doomed.push(old),
                Some((_, None)) => {}
            }
        }
        let left = usize::try_from(most - surging).unwrap_or_default();
        self.new_pods.extend(allowed.into_iter().chain(candidates.into_iter().take(left)));
        self.deleted.extend(doomed);
    }

    fn into_plan(mut self) -> Plan {
        self.new_pods.truncate(BURST);
        self.deleted.truncate(BURST);
        let pods: Vec<Object> = self.new_pods.iter().map(|node| self.pod_for(node)).collect();
        if !pods.is_empty() {
            self.writes.push(Write::CreateBatch(pods));
        }
        for pod in core::mem::take(&mut self.deleted) {
            self.writes.push(Write::delete(&pod));
            self.writes.push(deletion_event(self.set, &pod, NAME, self.now));
        }
        let hashes: Vec<&str> =
            self.pods.iter().filter_map(|pod| pod.meta.labels.get(REVISION_HASH)).collect();
        self.history.truncate(self.set, &hashes, &mut self.writes);
        Plan::of(self.writes)
    }

    /// A pod that only one node will do for.
    ///
    /// Models util/daemonset_util.go ReplaceDaemonSetPodNodeNameNodeAffinity.
    fn pod_for(&self, node: &str) -> Object {
        let mut tree = self.spec.tree.clone();
        let path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
        let fields = json!([{"key": "metadata.name", "operator": "In", "values": [node]}]);
        let terms = tree.at(&path).map(|required| required.items_at(&["nodeSelectorTerms"]));
        let terms: Vec<Value> = match terms {
            Some(terms) if !terms.is_empty() => terms
                .iter()
                .map(|term| {
                    let mut term = term.clone();
                    term.put(&["matchFields"], fields.clone());
                    term
                })
                .collect(),
            _ => vec![json!({"matchFields": fields})],
        };
        tree.put(&path, json!({"nodeSelectorTerms": terms}));
        let spec = Arc::new(PodSpec::from_value(tree));
        let template = PodTemplate { spec, ..self.template.clone() };
        let mut pod = pod_of_template(self.set, &template);
        pod.meta.labels.set(REVISION_HASH, self.history.update_hash(self.set));
        let generation = self.set.meta.annotations.get("deprecated.daemonset.template.generation");
        if let Some(generation) = generation {
            pod.meta.labels.set("pod-template-generation", generation);
        }
        pod
    }

    /// Models daemon_controller.go updateDaemonSetStatus.
    fn status(&self) -> Value {
        let (mut desired, mut current, mut misplaced) = (0i64, 0i64, 0i64);
        let (mut ready, mut available, mut updated) = (0i64, 0i64, 0i64);
        for node in self.store.list(Kind::Node) {
            let pods = self.by_node.get(&node.meta.name);
            if !self.suits(node).0 {
                misplaced += i64::from(pods.is_some());
                continue;
            }
            desired += 1;
            let Some(pod) = pods.and_then(|pods| pods.first()) else { continue };
            current += 1;
            ready += i64::from(is_ready(pod));
            available += i64::from(self.is_available(pod));
            updated += i64::from(self.is_updated(pod));
        }
        let mut status = json!({
            "currentNumberScheduled": current,
            "desiredNumberScheduled": desired,
            "numberMisscheduled": misplaced,
            "numberReady": ready,
            "observedGeneration": self.set.meta.generation,
        });
        let counts = [
            ("updatedNumberScheduled", updated),
            ("numberAvailable", available),
            ("numberUnavailable", desired - available),
        ];
        for (key, number) in counts.into_iter().filter(|(_, number)| *number != 0) {
            status.put(&[key], number);
        }
        status
    }
}

/// The node a pod runs on, or is meant for.
fn target_node(pod: &Object) -> Option<Arc<str>> {
    let facts = pod.pod()?;
    facts.node_name.clone().or_else(|| {
        let names = RequiredNodes::of(&facts.spec).names()?;
        names.first().map(|name| Arc::from(name.as_str()))
    })
}

/// Models util/daemonset_util.go AddOrUpdateDaemonPodTolerations.
fn with_tolerations(spec: &PodSpec) -> PodSpec {
    let always = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    let host_network = spec.host_network.then_some(("network-unavailable", "NoSchedule"));
    let mut tree = spec.tree.clone();
    let mut tolerations: Vec<Value> = tree.items_at(&["tolerations"]).to_vec();
    for (key, effect) in always.into_iter().chain(host_network) {
        let key = format!("node.kubernetes.io/{key}");
        let toleration = json!({"effect": effect, "key": key, "operator": "Exists"});
        let wanted = Toleration::from_value(&toleration);
        match tolerations.iter_mut().find(|old| Toleration::from_value(old) == wanted) {
            Some(old) => *old = toleration,
            None => tolerations.push(toleration),
        }
    }
    tree.put(&["tolerations"], tolerations);
    PodSpec::from_value(tree)
}
