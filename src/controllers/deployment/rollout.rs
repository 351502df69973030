//! The ReplicaSets of a Deployment, and the steps that change them.

use super::super::conditions::Conditions;
use super::super::pod_control::{
    TEMPLATE_HASH, adopt, controller_reference, release, scaled, spec_int, with_label,
};
use super::NAME;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Body, Details, Kind, Object, ObjectMeta, Selector, Uid, Value};
use crate::base::{SimTime, names, order};
use crate::store::{Plan, Store, Write};
use serde_json::json;
use std::sync::Arc;

/// Which template the Deployment has had, counted from 1.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const ROLLBACK: &str = "deprecated.deployment.rollback.to";

/// One look at a Deployment: its ReplicaSets as they will be, and the writes that make them so.
pub(super) struct Rollout<'a> {
    pub(super) store: &'a Store,
    pub(super) stored: &'a Arc<Object>,
    /// The Deployment with its revision as it will be.
    pub(super) deployment: Object,
    pub(super) conditions: Conditions,
    /// Its ReplicaSets, oldest first.
    pub(super) sets: Vec<Object>,
    /// The identity of the one with the current template, once it is known to exist.
    pub(super) new_set: Option<Uid>,
    pub(super) now: SimTime,
    pub(super) writes: Vec<Write>,
}

impl<'a> Rollout<'a> {
    pub(super) fn new(
        store: &'a Store,
        stored: &'a Arc<Object>,
        selector: &Selector,
        now: SimTime,
    ) -> Self {
        let (mut sets, mut writes) = (Vec::new(), Vec::new());
        for set in store.owned_by(stored.meta.uid).filter(|it| it.kind == Kind::ReplicaSet) {
            if set.meta.controller().is_none_or(|controller| controller.uid != stored.meta.uid) {
                continue;
            }
            match selector.matches(&set.meta.labels) {
                true => sets.push((**set).clone()),
                false => writes.push(release(set, stored)),
            }
        }
        for set in store.orphans(Kind::ReplicaSet, &stored.meta.namespace) {
            if selector.matches(&set.meta.labels) && !set.meta.is_terminating() {
                writes.push(adopt(set, stored));
                sets.push((**set).clone());
            }
        }
        order::sort_by(&mut sets, |a, b| {
            let key = |set: &Object| (set.meta.creation_timestamp, set.meta.name.clone());
            key(a).cmp(&key(b))
        });
        Rollout {
            store,
            stored,
            deployment: (**stored).clone(),
            conditions: Conditions::of(stored.status()),
            sets,
            new_set: None,
            now,
            writes,
        }
    }

    /// The replicas asked for.
    pub(super) fn replicas(&self) -> i64 {
        spec_int(&self.deployment, &["replicas"], 1)
    }

    pub(super) fn is_rolling(&self) -> bool {
        self.deployment.spec().str_at(&["strategy", "type"]) != Some("Recreate")
    }

    fn bound(&self, key: &str, round_up: bool) -> i64 {
        let value = self.deployment.spec().at(&["strategy", "rollingUpdate", key]);
        scaled(value, self.replicas(), round_up)
    }

    /// How many pods more than asked for there may be.
    pub(super) fn max_surge(&self) -> i64 {
        if self.is_rolling() { self.bound("maxSurge", true) } else { 0 }
    }

    /// How many of the pods asked for may be missing.
    pub(super) fn max_unavailable(&self) -> i64 {
        if !self.is_rolling() || self.replicas() == 0 {
            return 0;
        }
        let unavailable = self.bound("maxUnavailable", false);
        let unavailable = if unavailable == 0 && self.max_surge() == 0 { 1 } else { unavailable };
        unavailable.min(self.replicas())
    }

    pub(super) fn new_set(&self) -> Option<&Object> {
        let uid = self.new_set?;
        self.sets.iter().find(|set| set.meta.uid == uid)
    }

    /// The uids of the others, oldest first.
    pub(super) fn old_sets(&self) -> impl Iterator<Item = &Object> {
        self.sets.iter().filter(|set| Some(set.meta.uid) != self.new_set)
    }

    /// Finds the ReplicaSet of the current template, and makes it if `create` says so.
    ///
    /// Models sync.go getAllReplicaSetsAndSyncRevision, getNewReplicaSet.
    pub(super) fn find_new_set(&mut self, create: bool) {
        let template = self.deployment.spec().get("template").unwrap_or(&Value::Null);
        let found = self.sets.iter().find(|set| same_template(set, template));
        self.new_set = found.map(|set| set.meta.uid);
        let newest_old = self.old_sets().map(revision_of).max().unwrap_or_default();
        let revision = newest_old + 1;
        match self.new_set {
            Some(uid) => self.renew(uid, revision),
            None if create => {
                let template = self.deployment.spec().get("template").cloned();
                self.make_new_set(template.unwrap_or_default(), revision);
            }
            None => {}
        }
    }

    fn renew(&mut self, uid: Uid, revision: i64) {
        let min_ready = self.deployment.spec().get("minReadySeconds").cloned();
        let deployment = self.deployment.clone();
        let Some(set) = self.sets.iter_mut().find(|set| set.meta.uid == uid) else { return };
        let before = set.clone();
        annotate(set, &deployment, revision);
        if set.spec().get("minReadySeconds") != min_ready.as_ref() {
            let mut spec = set.spec().clone();
            match min_ready {
                Some(seconds) => spec.put(&["minReadySeconds"], seconds),
                None => drop(spec.remove(&["minReadySeconds"])),
            }
            set.set_spec(spec);
        }
        let (after, name) = (set.clone(), set.meta.name.clone());
        if after != before {
            self.writes.push(Write::Update(Box::new(after.clone())));
        }
        self.set_revision(&revision_of(&after).to_string());
        if self.has_deadline() && self.conditions.get("Progressing").is_none() {
            let message = format!("Found new replica set \"{name}\"");
            let why = ("FoundNewReplicaSet", message.as_str());
            self.conditions.set("Progressing", "True", why, self.now);
        }
    }

    fn make_new_set(&mut self, mut template: Value, revision: i64) {
        let collisions = self.deployment.status().int_at(&["collisionCount"]).unwrap_or_default();
        let text = format!("{template}{collisions}");
        let hash = names::safe_encode(names::fnv32a(text.as_bytes()));
        template.put(&["metadata", "labels", TEMPLATE_HASH], hash.as_str());
        let mut selector = self.deployment.spec().get("selector").cloned().unwrap_or_default();
        selector.put(&["matchLabels", TEMPLATE_HASH], hash.as_str());
        let mut spec = json!({"replicas": 0, "selector": selector, "template": template});
        if let Some(seconds) = self.deployment.spec().get("minReadySeconds") {
            spec.put(&["minReadySeconds"], seconds.clone());
        }
        let labels = self.deployment.pod_template().map(|t| t.labels.clone()).unwrap_or_default();
        let meta = ObjectMeta {
            name: format!("{}-{hash}", self.deployment.meta.name).into(),
            namespace: self.deployment.meta.namespace.clone(),
            labels: with_label(&labels, TEMPLATE_HASH, &hash),
            details: Details {
                owner_references: Arc::from([controller_reference(&self.deployment)]),
                ..Details::default()
            }
            .into(),
            creation_timestamp: self.now,
            ..ObjectMeta::default()
        };
        let body = Body::Tree { content: Arc::default(), status: None };
        let mut set = Object { kind: Kind::ReplicaSet, meta, body };
        let total: i64 = self.sets.iter().map(size).sum();
        let count = match self.is_rolling() {
            true => (self.replicas() + self.max_surge() - total).clamp(0, self.replicas()),
            false => self.replicas(),
        };
        spec.put(&["replicas"], count);
        set.set_spec(spec);
        annotate(&mut set, &self.deployment, revision);
        self.annotate_sizes(&mut set);
        self.writes.push(Write::Create(Box::new(set.clone())));
        if count > 0 {
            self.scaling_event("up", &set.meta.name, 0, count);
        }
        self.set_revision(&revision.to_string());
        if self.has_deadline() {
            let message = format!("Created new replica set \"{}\"", set.meta.name);
            let why = ("NewReplicaSetCreated", message.as_str());
            self.conditions.set("Progressing", "True", why, self.now);
        }
        self.new_set = Some(set.meta.uid);
        self.sets.push(set);
    }

    fn set_revision(&mut self, revision: &str) {
        if self.deployment.meta.annotations.get(REVISION) != Some(revision) {
            self.deployment.meta.annotations.set(REVISION, revision);
        }
    }

    pub(super) fn annotate_sizes(&self, set: &mut Object) {
        let desired = self.replicas();
        set.meta.annotations.set(DESIRED, &desired.to_string());
        set.meta.annotations.set(MOST, &(desired + self.max_surge()).to_string());
    }

    /// Changes the size of a ReplicaSet. Says whether that changed anything.
    ///
    /// Models sync.go scaleReplicaSet.
    pub(super) fn resize(&mut self, uid: Uid, to: i64, even_if_equal: bool) -> bool {
        let Some(index) = self.sets.iter().position(|set| set.meta.uid == uid) else {
            return false;
        };
        let Some(old) = self.sets.get(index) else { return false };
        let from = size(old);
        if from == to && !even_if_equal {
            return false;
        }
        let mut set = old.clone();
        let mut spec = set.spec().clone();
        spec.put(&["replicas"], to);
        set.set_spec(spec);
        self.annotate_sizes(&mut set);
        if set == *old {
            return false;
        }
        let name = set.meta.name.clone();
        self.writes.push(Write::Update(Box::new(set.clone())));
        if let Some(place) = self.sets.get_mut(index) {
            *place = set;
        }
        if from != to {
            self.scaling_event(if from < to { "up" } else { "down" }, &name, from, to);
        }
        from != to
    }

    fn scaling_event(&mut self, way: &str, name: &str, from: i64, to: i64) {
        let message = format!("Scaled {way} replica set {name} from {from} to {to}");
        let about = self.deployment.reference();
        let event = Write::event(about, false, "ScalingReplicaSet", message, NAME, self.now);
        self.writes.push(event);
    }

    pub(super) fn has_deadline(&self) -> bool {
        let seconds = self.deployment.spec().int_at(&["progressDeadlineSeconds"]);
        seconds.is_some_and(|seconds| seconds != i64::from(i32::MAX))
    }

    /// Old ReplicaSets beyond `revisionHistoryLimit` go.
    ///
    /// Models sync.go cleanupDeployment.
    pub(super) fn clean_up(&mut self) {
        let Some(limit) = self.deployment.spec().int_at(&["revisionHistoryLimit"]) else { return };
        let mut old: Vec<&Object> =
            self.old_sets().filter(|set| !set.meta.is_terminating()).collect();
        order::sort_by_key(&mut old, |set| (revision_of(set), set.meta.creation_timestamp));
        let excess = old.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        let empty = |set: &&&Object| {
            let observed = set.status().int_at(&["observedGeneration"]).unwrap_or_default();
            size(set) == 0
                && set.status().int_at(&["replicas"]).unwrap_or_default() == 0
                && set.meta.generation <= observed
        };
        let deletions: Vec<Write> =
            old.iter().take(excess).filter(empty).map(|set| Write::delete(set)).collect();
        self.writes.extend(deletions);
    }

    /// All writes, the Deployment's own annotations and status last.
    pub(super) fn into_plan(
        mut self,
        status: Value,
        requeue: Option<core::time::Duration>,
    ) -> Plan {
        if self.deployment.meta.annotations != self.stored.meta.annotations {
            self.writes.push(Write::Update(Box::new(self.deployment.clone())));
        }
        if status != *self.stored.status() {
            self.deployment.set_status(status);
            self.writes.push(Write::UpdateStatus(Box::new(self.deployment)));
        }
        // Each write was made from what is stored now; none of them minds the one before it.
        let writes = self.writes.into_iter().map(|write| match write {
            Write::Update(mut object) => {
                object.meta.resource_version = 0;
                Write::Update(object)
            }
            other => other,
        });
        Plan { writes: writes.collect(), requeue_after: requeue }
    }
}

/// `spec.replicas` of a ReplicaSet.
pub(super) fn size(set: &Object) -> i64 {
    spec_int(set, &["replicas"], 1)
}

/// A number of a ReplicaSet's status.
pub(super) fn count(set: &Object, key: &str) -> i64 {
    set.status().int_at(&[key]).unwrap_or_default()
}

/// Which template of its Deployment a ReplicaSet has; 0 if it does not say.
pub(super) fn revision_of(set: &Object) -> i64 {
    set.meta.annotations.get(REVISION).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Models deployment_util.go EqualIgnoreHash.
fn same_template(set: &Object, template: &Value) -> bool {
    let mut own = set.spec().get("template").cloned().unwrap_or_default();
    own.remove(&["metadata", "labels", TEMPLATE_HASH]);
    own == *template
}

/// Models deployment_util.go SetNewReplicaSetAnnotations.
fn annotate(set: &mut Object, deployment: &Object, revision: i64) {
    let own = [LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED, MOST, ROLLBACK];
    for (key, value) in deployment.meta.annotations.iter().filter(|(key, _)| !own.contains(key)) {
        set.meta.annotations.set(key, value);
    }
    let old = set.meta.annotations.get(REVISION).map(str::to_owned);
    if revision_of(set) >= revision {
        return;
    }
    set.meta.annotations.set(REVISION, &revision.to_string());
    if let Some(old) = old {
        let history = match set.meta.annotations.get(REVISION_HISTORY) {
            None | Some("") => old,
            Some(history) => format!("{history},{old}"),
        };
        set.meta.annotations.set(REVISION_HISTORY, &history);
    }
}
