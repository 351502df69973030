//! How much of each ResourceQuota is used.
//!
//! Models pkg/controller/resourcequota.

use crate::api::pod::quantity_of;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::{Quantity, SimTime};
use crate::store::admission::{quota_in_scope, quota_usage};
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use serde_json::json;
use std::collections::BTreeMap;

/// The controller of ResourceQuotas.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResourceQuotas;

impl Controller for ResourceQuotas {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        if change.kind == Kind::ResourceQuota {
            return vec![Key { kind: change.kind, object: change.key.clone() }];
        }
        let grows = [Kind::Pod, Kind::Service, Kind::PersistentVolumeClaim].contains(&change.kind);
        let counted = change.old.is_none() || change.new.is_none() || grows;
        if !counted || change.key.namespace.is_empty() || store.count(Kind::ResourceQuota) == 0 {
            return Vec::new();
        }
        let quotas = store.list_in(Kind::ResourceQuota, &change.key.namespace);
        quotas.map(|quota| Key::of(quota)).collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let Some(quota) = store.get(key.kind, &key.object) else { return Plan::default() };
        let mut status = quota.status().clone();
        let hard = quota.spec().get("hard").cloned().unwrap_or(json!({}));
        status.put(&["hard"], hard);
        status.put(&["used"], used(store, quota));
        if status == *quota.status() {
            return Plan::default();
        }
        let mut new = (**quota).clone();
        new.set_status(status);
        Plan::of(vec![Write::UpdateStatus(Box::new(new))])
    }
}

/// What the namespace's objects come to, for the resources that the quota limits.
fn used(store: &Store, quota: &Object) -> Value {
    let hard = quota.spec().fields_at(&["hard"]).into_iter().flatten();
    let mut used: BTreeMap<String, Quantity> = hard
        .filter(|(_, amount)| quantity_of(amount).is_some())
        .map(|(name, _)| (name.clone(), Quantity::default()))
        .collect();
    let kinds = Kind::all().filter(|kind| kind.namespaced() && *kind != Kind::Event);
    for object in kinds.flat_map(|kind| store.list_in(kind, &quota.meta.namespace)) {
        if !quota_in_scope(quota, object) {
            continue;
        }
        for (name, amount) in quota_usage(object) {
            if let Some(sum) = used.get_mut(&name) {
                *sum += amount;
            }
        }
    }
    used.into_iter().map(|(name, sum)| (name, Value::from(sum.to_string()))).collect()
}
