//! ResourceQuota: what a namespace may hold.
//!
//! Models staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go.

use super::quota_usage::{in_scope, is_counted, unsaid, usage};
use crate::api::pod::amounts::{Amounts, amounts};
use crate::api::tree::TreeMut as _;
use crate::api::{ApiError, Kind, Object};
use crate::base::Quantity;
use crate::store::server::Context;
use crate::store::storage::Store;
use std::sync::Arc;

/// What quotas are to be charged with, once the object is stored.
pub(in crate::store) struct Charges(Vec<(Arc<Object>, Amounts)>);

/// Checks a new or a changed object against the quotas of its namespace.
pub(in crate::store) fn check(
    store: &Store,
    object: &Object,
    old: Option<&Object>,
) -> Result<Charges, ApiError> {
    let mut charges = Charges(Vec::new());
    if object.kind == Kind::Event || !concerns_quotas(object, old) {
        return Ok(charges);
    }
    let quotas: Vec<&Arc<Object>> = store
        .list_in(Kind::ResourceQuota, &object.meta.namespace)
        .filter(|quota| {
            let mut names = amounts(quota.status().get("hard")).into_keys();
            names.any(|name| is_counted(object.kind, &name)) && in_scope(quota, object)
        })
        .collect();
    let refuse = |why: String| {
        Err(ApiError::forbidden(&object.kind.group_resource(), &object.meta.name, &why))
    };
    for quota in &quotas {
        let unsaid = unsaid(object, &amounts(quota.status().get("hard")));
        if !unsaid.is_empty() {
            let name = &quota.meta.name;
            return refuse(format!("failed quota: {name}: must specify {}", unsaid.join("; ")));
        }
    }
    if quotas.is_empty() {
        return Ok(charges);
    }
    let all = usage(object);
    let before = old.map(usage).unwrap_or_default();
    for quota in quotas {
        let (hard, used) =
            (amounts(quota.status().get("hard")), amounts(quota.status().get("used")));
        let counted_before = old.is_some_and(|old| in_scope(quota, old));
        let delta = |(name, amount): (&String, &Quantity)| {
            let had = before.get(name).copied().filter(|_| counted_before).unwrap_or_default();
            let more = *amount > had && hard.contains_key(name);
            more.then(|| (name.clone(), if had.is_zero() { *amount } else { *amount - had }))
        };
        let delta: Amounts = all.iter().filter_map(delta).collect();
        let after: Amounts =
            delta.iter().map(|(name, more)| (name.clone(), sum(&used, name, *more))).collect();
        let over: Vec<&String> = delta
            .keys()
            .filter(|name| hard.get(*name).zip(after.get(*name)).is_some_and(|(h, a)| a > h))
            .collect();
        if !over.is_empty() {
            let list = |of: &Amounts| -> String {
                let parts =
                    over.iter().filter_map(|name| Some(format!("{name}={}", of.get(*name)?)));
                parts.collect::<Vec<_>>().join(",")
            };
            return refuse(format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                quota.meta.name,
                list(&delta),
                list(&used),
                list(&hard)
            ));
        }
        if !after.is_empty() {
            charges.0.push((quota.clone(), after));
        }
    }
    Ok(charges)
}

fn sum(used: &Amounts, name: &str, more: Quantity) -> Quantity {
    match used.get(name) {
        Some(before) if !before.is_zero() => *before + more,
        _ => more,
    }
}

/// Most objects count when they are made; some when they grow.
///
/// Models the evaluators' Handles.
fn concerns_quotas(object: &Object, old: Option<&Object>) -> bool {
    let Some(old) = old else { return true };
    let deadline = |object: &Object| {
        object.pod().is_some_and(|pod| pod.spec.tree.get("activeDeadlineSeconds").is_some())
    };
    match object.kind {
        Kind::Service | Kind::PersistentVolumeClaim => true,
        Kind::Pod => deadline(object) != deadline(old),
        _ => false,
    }
}

/// Notes in the quotas what is used now.
pub(in crate::store) fn charge(store: &mut Store, context: &Context, charges: Charges) {
    for (quota, after) in charges.0 {
        let mut status = quota.status().clone();
        for (name, amount) in after {
            status.put(&["used", &name], amount.to_string());
        }
        let mut new = (*quota).clone();
        new.set_status(status);
        store.put(new, &context.cause);
    }
}
