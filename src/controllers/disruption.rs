//! How many pods of a PodDisruptionBudget may be evicted now.
//!
//! Models pkg/controller/disruption/disruption.go.

use super::conditions::Conditions;
use super::pod_control::{is_active, is_ready, scaled};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Selector};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The controller of PodDisruptionBudgets.
#[derive(Clone, Copy, Debug)]
pub(super) struct DisruptionBudgets;

impl Controller for DisruptionBudgets {
    fn name(&self) -> &'static str {
        "controllermanager"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::PodDisruptionBudget => {
                vec![Key { kind: change.kind, object: change.key.clone() }]
            }
            Kind::Pod if store.count(Kind::PodDisruptionBudget) > 0 => {
                let Some(pod) = change.object() else { return Vec::new() };
                let budgets = store.list_in(Kind::PodDisruptionBudget, &pod.meta.namespace);
                let covering = budgets
                    .filter(|budget| selector(budget).is_some_and(|s| s.matches(&pod.meta.labels)));
                covering.map(|budget| Key::of(budget)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(budget) = store.get(key.kind, &key.object) else { return Plan::default() };
        let Some(selector) = selector(budget) else { return Plan::default() };
        let covered = store.pods_matching(&budget.meta.namespace, &selector);
        let pods: Vec<&Arc<Object>> = covered.filter(|pod| is_active(pod)).collect();
        let healthy = pods.iter().filter(|pod| is_ready(pod)).fold(0i64, |count, _| count + 1);
        let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        let spec = budget.spec();
        let (expected, desired) = match (spec.get("maxUnavailable"), spec.get("minAvailable")) {
            (Some(most), _) => {
                let expected = expected_scale(store, &pods);
                (expected, (expected - scaled(Some(most), expected, true)).max(0))
            }
            (None, Some(least)) if least.is_string() => {
                let expected = expected_scale(store, &pods);
                (expected, scaled(Some(least), expected, true))
            }
            (None, least) => (count, scaled(least, count, true)),
        };
        let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
        let mut conditions = Conditions::of(budget.status());
        match allowed {
            0 => conditions.set("DisruptionAllowed", "False", ("InsufficientPods", ""), now),
            _ => conditions.set("DisruptionAllowed", "True", ("SufficientPods", ""), now),
        }
        let mut status = json!({
            "currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed,
            "expectedPods": expected, "observedGeneration": budget.meta.generation,
        });
        if let Some(mut conditions) = conditions.into_value() {
            for condition in conditions.as_array_mut().into_iter().flatten() {
                condition.remove(&["lastUpdateTime"]);
                condition.put_default(&["observedGeneration"], budget.meta.generation);
            }
            status.put(&["conditions"], conditions);
        }
        if status == *budget.status() {
            return Plan::default();
        }
        let mut new = (**budget).clone();
        new.set_status(status);
        Plan::of(vec![Write::UpdateStatus(Box::new(new))])
    }
}

fn selector(budget: &Object) -> Option<Selector> {
    Selector::from_label_selector(budget.spec().get("selector"))
}

/// The pods that the controllers of these pods want: each controller counted once.
///
/// Models disruption.go getExpectedScale.
fn expected_scale(store: &Store, pods: &[&Arc<Object>]) -> i64 {
    let mut wanted = BTreeMap::new();
    for owner in pods.iter().filter_map(|pod| pod.meta.controller()) {
        let Some(mut object) = store.by_uid(owner.uid) else { continue };
        // A ReplicaSet's Deployment knows better.
        if let Some(above) = object.meta.controller().and_then(|above| store.by_uid(above.uid)) {
            object = above;
        }
        let replicas = object.spec().int_at(&["replicas"]).unwrap_or(1);
        wanted.insert(object.meta.uid, replicas);
    }
    wanted.values().sum()
}
