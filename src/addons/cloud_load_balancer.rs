//! A cloud's load balancers: a Service of type LoadBalancer gets an address that the internet
//! reaches.
//!
//! Models staging/src/k8s.io/cloud-provider/controllers/service/controller.go, with a cloud that
//! takes a while to make a load balancer, and never fails.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use crate::trace::balancer::is_target;
use core::net::Ipv4Addr;
use core::time::Duration;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the `providerID` of a cloud's nodes begins with.
pub const PROVIDER_PREFIX: &str = "diorama://";
const NAME: &str = "service-controller";
const CLEANUP: &str = "service.kubernetes.io/load-balancer-cleanup";
/// The first address of the cloud's pool, of the range that RFC 5737 keeps for examples.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// How long the cloud takes to make a load balancer: this much, and up to eight seconds more.
///
/// Simplified: the quicker clouds; others take a minute.
const MAKING: Duration = Duration::from_secs(12);
const ENSURING: &str = "EnsuringLoadBalancer";

/// The controller of external load balancers.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloudLoadBalancer;

impl Controller for CloudLoadBalancer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        // Thousands of nodes come at once, and mostly before there is any Service to tell.
        let matters = match change.kind {
            Kind::Service => service_differs(change),
            Kind::Node => targets_differ(change) && store.list(Kind::Service).any(has_balancer),
            _ => false,
        };
        if !matters || !has_cloud(store) {
            return Vec::new();
        }
        // All nodes are one key: the hosts of every load balancer.
        let object =
            if change.kind == Kind::Node { ObjectKey::new("", "") } else { change.key.clone() };
        vec![Key { kind: change.kind, object }]
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        if key.kind == Kind::Node {
            return Plan::of(update_hosts(store, now));
        }
        let Some(service) = store.get(key.kind, &key.object) else { return Plan::default() };
        match (wants_balancer(service), has_finalizer(service)) {
            (true, _) => ensure(store, service, now),
            (false, true) => Plan::of(give_back(service, now)),
            (false, false) => Plan::default(),
        }
    }
}

/// Whether there is something to do about a Service: it is new, its specification has changed, or
/// it is on its way out.
fn service_differs(change: &Change) -> bool {
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => {
            old.spec() != new.spec() || old.meta.is_terminating() != new.meta.is_terminating()
        }
        (None, new) => new.is_some(),
        (Some(_), None) => false,
    }
}

/// Whether other nodes than before are given to load balancers.
fn targets_differ(change: &Change) -> bool {
    let was = |node: &Option<Arc<Object>>| node.as_ref().is_some_and(|node| is_target(node));
    was(&change.old) != was(&change.new)
}

fn has_cloud(store: &Store) -> bool {
    let mut nodes = store.list(Kind::Node);
    nodes.any(|node| {
        node.spec().str_at(&["providerID"]).is_some_and(|id| id.starts_with(PROVIDER_PREFIX))
    })
}

fn has_balancer(service: &Arc<Object>) -> bool {
    wants_balancer(service) || has_finalizer(service)
}

fn wants_balancer(service: &Object) -> bool {
    service.spec().str_at(&["type"]) == Some("LoadBalancer")
        && service.spec().str_at(&["loadBalancerClass"]).is_none()
        && !service.meta.is_terminating()
}

fn has_finalizer(service: &Object) -> bool {
    service.meta.finalizers.iter().any(|finalizer| &**finalizer == CLEANUP)
}

fn is_ensured(service: &Object) -> bool {
    !service.status().items_at(&["loadBalancer", "ingress"]).is_empty()
}

fn event(service: &Object, reason: &str, message: &str, now: SimTime) -> Write {
    Write::event(service.reference(), false, reason, message.to_owned(), NAME, now)
}

fn unavailable(service: &Object, now: SimTime) -> Write {
    let message = "There are no available nodes for LoadBalancer".to_owned();
    Write::event(service.reference(), true, "UnAvailableLoadBalancer", message, NAME, now)
}

/// Models lockedUpdateLoadBalancerHosts, for every load balancer that there is.
fn update_hosts(store: &Store, now: SimTime) -> Vec<Write> {
    let has_hosts = store.list(Kind::Node).any(|node| is_target(node));
    let services = store.list(Kind::Service);
    let balanced = services.filter(|service| wants_balancer(service) && is_ensured(service));
    let told = |service: &Arc<Object>| match has_hosts {
        true => event(service, "UpdatedLoadBalancer", "Updated load balancer with new hosts", now),
        false => unavailable(service, now),
    };
    balanced.map(told).collect()
}

/// Models syncLoadBalancerIfNeeded, with the cloud's own time between its two events.
fn ensure(store: &Store, service: &Arc<Object>, now: SimTime) -> Plan {
    let ensuring = event(service, ENSURING, "Ensuring load balancer", now);
    let ensured = event(service, "EnsuredLoadBalancer", "Ensured load balancer", now);
    if is_ensured(service) {
        return Plan::of(vec![ensuring, ensured]);
    }
    let mut new = (**service).clone();
    new.meta.resource_version = 0;
    let Some(begun) = begun(store, service) else {
        let finalizers = new.meta.finalizers.iter().filter(|name| &***name != CLEANUP).cloned();
        new.meta.finalizers = finalizers.chain([Arc::from(CLEANUP)]).collect();
        let mut plan = Plan::of(vec![ensuring, Write::Update(Box::new(new))]);
        plan.requeue_after = Some(making(service));
        return plan;
    };
    let (passed, making) = (now.since(begun), making(service));
    if passed < making {
        let requeue_after = Some(making.saturating_sub(passed));
        return Plan { requeue_after, ..Plan::default() };
    }
    let wanted = service.spec().str_at(&["loadBalancerIP"]).and_then(|ip| ip.parse().ok());
    let address = wanted.unwrap_or_else(|| free_address(store));
    let mut status = service.status().clone();
    let ingress = json!([{"ip": address.to_string(), "ipMode": "VIP"}]);
    status.put(&["loadBalancer", "ingress"], ingress);
    new.set_status(status);
    let mut writes = vec![ensured, Write::UpdateStatus(Box::new(new))];
    if !store.list(Kind::Node).any(|node| is_target(node)) {
        writes.insert(0, unavailable(service, now));
    }
    Plan::of(writes)
}

/// When the cloud was asked for a load balancer, if it was: the controller said so.
fn begun(store: &Store, service: &Object) -> Option<SimTime> {
    if !has_finalizer(service) {
        return None;
    }
    let events = store.events_about(&service.meta.namespace, &service.meta.name);
    let own = events
        .filter_map(|object| object.event())
        .filter(|event| event.involved.uid == service.meta.uid && &*event.reason == ENSURING);
    own.map(|event| event.last_timestamp).max()
}

/// How long the cloud takes for this Service.
fn making(service: &Object) -> Duration {
    MAKING + Duration::from_millis(u64::try_from(service.meta.uid.0 % 8_000).unwrap_or_default())
}

fn free_address(store: &Store) -> Ipv4Addr {
    let services = store.list(Kind::Service);
    let taken: BTreeSet<u32> = services
        .flat_map(|service| service.status().items_at(&["loadBalancer", "ingress"]))
        .filter_map(|ingress| ingress.str_at(&["ip"])?.parse::<Ipv4Addr>().ok())
        .map(Ipv4Addr::to_bits)
        .collect();
    let first = FIRST_ADDRESS.to_bits();
    let free = (first..).find(|address| !taken.contains(address));
    Ipv4Addr::from_bits(free.unwrap_or(first))
}

/// The Service no longer wants a load balancer.
fn give_back(service: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let mut new = (**service).clone();
    new.meta.resource_version = 0;
    let mut status = service.status().clone();
    status.put(&["loadBalancer"], json!({}));
    new.set_status(status);
    let mut writes = vec![
        event(service, "DeletingLoadBalancer", "Deleting load balancer", now),
        Write::UpdateStatus(Box::new(new.clone())),
        event(service, "DeletedLoadBalancer", "Deleted load balancer", now),
    ];
    let others = new.meta.finalizers.iter().filter(|finalizer| &***finalizer != CLEANUP);
    new.meta.finalizers = others.cloned().collect();
    writes.push(Write::Update(Box::new(new)));
    writes
}
