//! The control loop of ingress-nginx: it takes the Ingresses of its class and says at which address
//! they are reached. The requests themselves are served by its pods (see `trace`), and what nginx is
//! configured to do is worked out in `trace::nginx`.
//!
//! It acts where a pod of the controller runs, whoever installed it.
//!
//! Models kubernetes/ingress-nginx internal/ingress/status/status.go and
//! internal/ingress/controller/store/store.go.
//!
//! Reading order: this file, `controllers`, `webhook`.

mod controllers;
mod webhook;

pub(super) use webhook::Validator;

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use crate::trace::nginx::Settings;
use controllers::{Running, running};
use core::time::Duration;
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "nginx-ingress-controller";
/// From a controller's start until it leads and writes its first status.
const LEADS_AFTER: Duration = Duration::from_secs(1);
/// How often the leader looks after the status of its Ingresses.
const STATUS_PERIOD: Duration = Duration::from_secs(60);

/// The control loop of the ingress controller.
///
/// Its keys: an Ingress was changed; a Pod of the controller has a look at the status of all; and,
/// under the kind Event, a Pod of the controller loads its configuration anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct IngressNginx;

impl Controller for IngressNginx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let key = |kind| Key { kind, object: change.key.clone() };
        match change.kind {
            Kind::Ingress => {
                let mut keys: Vec<Key> = change.new.iter().map(|_| key(Kind::Ingress)).collect();
                if is_reconfigured(change) {
                    keys.extend(reloads(store, change));
                }
                keys
            }
            Kind::Pod => {
                let is_controller = |pod: &Arc<Object>| Settings::of_pod(pod).is_some();
                let own = change.object().is_some_and(is_controller);
                if own { vec![key(Kind::Pod)] } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        match key.kind {
            Kind::Ingress => {
                let Some(ingress) = store.get(key.kind, &key.object) else {
                    return Plan::default();
                };
                let takes = |it: &Running<'_>| it.settings.class_of(store, ingress).is_ok();
                let count = running(store).iter().filter(|it| takes(it)).count();
                Plan::of((0..count).map(|_| sync_event(ingress, now)).collect())
            }
            Kind::Pod => look_after(store, &key.object, now),
            _ => reloaded(store, &key.object, now),
        }
    }
}

/// Whether nginx is to be configured otherwise because of a change of an Ingress.
fn is_reconfigured(change: &Change) -> bool {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => {
            old.spec() != new.spec() || old.meta.annotations != new.meta.annotations
        }
        _ => true,
    }
}

/// The controllers that a change of an Ingress makes load their configuration anew.
fn reloads(store: &Store, change: &Change) -> Vec<Key> {
    let all = running(store);
    let concerned = all.iter().filter(|it| {
        let mut versions = change.old.iter().chain(&change.new);
        versions.any(|ingress| it.settings.class_of(store, ingress).is_ok())
    });
    concerned.map(|it| Key { kind: Kind::Event, object: ObjectKey::of(it.pod) }).collect()
}

fn sync_event(ingress: &Object, now: SimTime) -> Write {
    let message = "Scheduled for sync".to_owned();
    Write::event(ingress.reference(), false, "Sync", message, NAME, now)
}

fn reloaded(store: &Store, pod: &ObjectKey, now: SimTime) -> Plan {
    let Some(pod) = store.get(Kind::Pod, pod) else { return Plan::default() };
    let message = "NGINX reload triggered due to a change in configuration".to_owned();
    Plan::of(vec![Write::event(pod.reference(), false, "RELOAD", message, NAME, now)])
}

/// A controller's pod has changed, or a minute is over.
fn look_after(store: &Store, key: &ObjectKey, now: SimTime) -> Plan {
    let all = running(store);
    let Some(own) = all.iter().find(|it| ObjectKey::of(it.pod) == *key) else {
        return Plan::default();
    };
    if own.pod.meta.is_terminating() {
        // The last one takes the addresses away; with others there it leaves that to the next.
        let last = all.iter().filter(|it| it.is_sibling_of(own)).count() == 0;
        let writes = if last { write_status(store, own, &[]) } else { Vec::new() };
        return Plan::of(writes);
    }
    let first = own.since + LEADS_AFTER;
    if now < first {
        return Plan { requeue_after: Some(first.since(now)), ..Plan::default() };
    }
    let over = now.since(first).as_micros() % STATUS_PERIOD.as_micros();
    let over = Duration::from_micros(u64::try_from(over).unwrap_or_default());
    let mut writes = Vec::new();
    if now == first {
        writes.extend(own_ingresses(store, own).map(|ingress| sync_event(ingress, now)));
    }
    let leads = !all.iter().any(|it| it.is_sibling_of(own) && it.leads_before(own));
    if over.is_zero() && leads {
        writes.extend(write_status(store, own, &addresses(store, own)));
    }
    Plan { writes, requeue_after: Some(STATUS_PERIOD.saturating_sub(over)) }
}

fn own_ingresses<'a>(
    store: &'a Store,
    own: &'a Running<'_>,
) -> impl Iterator<Item = &'a Arc<Object>> {
    store.list(Kind::Ingress).filter(|it| own.settings.class_of(store, it).is_ok())
}

/// Writes the addresses to every Ingress that has others.
fn write_status(store: &Store, own: &Running<'_>, addresses: &[Value]) -> Vec<Write> {
    let differs = |ingress: &&Arc<Object>| {
        ingress.status().items_at(&["loadBalancer", "ingress"]) != addresses
    };
    let written = own_ingresses(store, own).filter(differs).map(|ingress| {
        let mut new = (**ingress).clone();
        let mut status = ingress.status().clone();
        status.put(&["loadBalancer"], json!({}));
        if !addresses.is_empty() {
            status.put(&["loadBalancer", "ingress"], addresses.to_vec());
        }
        new.set_status(status);
        Write::UpdateStatus(Box::new(new))
    });
    written.collect()
}

/// The addresses at which the controller's own Service is reached; without one, those of the nodes
/// that its pods run on.
///
/// Models statusAddressFromService and runningAddresses.
fn addresses(store: &Store, own: &Running<'_>) -> Vec<Value> {
    let Some(publish) = &own.settings.publish else { return node_addresses(store, own) };
    let Some(service) = store.get(Kind::Service, publish) else { return Vec::new() };
    let spec = service.spec();
    let ip = |value: &Value| value.as_str().map(|ip| json!({"ip": ip}));
    let external = spec.items_at(&["externalIPs"]).iter().filter_map(ip);
    match spec.str_at(&["type"]) {
        Some("ExternalName") => spec
            .str_at(&["externalName"])
            .map(|name| json!({"hostname": name}))
            .into_iter()
            .collect(),
        Some("LoadBalancer") => {
            let balanced = service.status().items_at(&["loadBalancer", "ingress"]).iter();
            let own = balanced.filter_map(|ingress| {
                let known = |key: &str| Some(json!({key: ingress.str_at(&[key])?}));
                known("ip").or_else(|| known("hostname"))
            });
            own.chain(external).collect()
        }
        Some("NodePort") if !spec.items_at(&["externalIPs"]).is_empty() => external.collect(),
        _ => spec.get("clusterIP").and_then(ip).into_iter().collect(),
    }
}

fn node_addresses(store: &Store, own: &Running<'_>) -> Vec<Value> {
    let all = running(store);
    let ready = all.iter().filter(|it| it.is_sibling_of(own) || core::ptr::eq(it.pod, own.pod));
    let ready = ready.filter(|it| it.pod.pod().is_some_and(|pod| pod.status.is_ready()));
    let mut ips: Vec<Value> = ready
        .filter_map(|it| {
            let node = store.find(Kind::Node, "", it.pod.pod()?.node_name.as_deref()?)?;
            let addresses = node.status().items_at(&["addresses"]);
            let internal = addresses.iter().find(|a| a.str_at(&["type"]) == Some("InternalIP"))?;
            Some(json!({"ip": internal.str_at(&["address"])?}))
        })
        .collect();
    crate::base::order::sort_by_key(&mut ips, |ip| ip.to_string());
    ips.dedup();
    ips
}
