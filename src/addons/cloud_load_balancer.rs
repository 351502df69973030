//! A cloud's load balancers: a Service of type LoadBalancer gets an address that the internet
//! reaches.
//!
//! Models staging/src/k8s.io/cloud-provider/controllers/service/controller.go, with a cloud that
//! is always well.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use core::net::Ipv4Addr;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the `providerID` of a cloud's nodes begins with.
pub const PROVIDER_PREFIX: &str = "diorama://";
const NAME: &str = "service-controller";
const CLEANUP: &str = "service.kubernetes.io/load-balancer-cleanup";
/// The first address of the cloud's pool, of the range that RFC 5737 keeps for examples.
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// The controller of external load balancers.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloudLoadBalancer;

impl Controller for CloudLoadBalancer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        if change.kind != Kind::Service || !has_cloud(store) {
            return Vec::new();
        }
        vec![Key { kind: Kind::Service, object: change.key.clone() }]
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(service) = store.get(key.kind, &key.object) else { return Plan::default() };
        let wants = service.spec().str_at(&["type"]) == Some("LoadBalancer")
            && service.spec().str_at(&["loadBalancerClass"]).is_none();
        let has = service.meta.finalizers.iter().any(|finalizer| &**finalizer == CLEANUP);
        match (wants && !service.meta.is_terminating(), has) {
            (true, _) => Plan::of(ensure(store, service, has, now)),
            (false, true) => Plan::of(give_back(service, now)),
            (false, false) => Plan::default(),
        }
    }
}

fn has_cloud(store: &Store) -> bool {
    let mut nodes = store.list(Kind::Node);
    nodes.any(|node| {
        node.spec().str_at(&["providerID"]).is_some_and(|id| id.starts_with(PROVIDER_PREFIX))
    })
}

fn event(service: &Object, reason: &str, message: &str, now: SimTime) -> Write {
    Write::event(service.reference(), false, reason, message.to_owned(), NAME, now)
}

fn ensure(store: &Store, service: &Arc<Object>, has: bool, now: SimTime) -> Vec<Write> {
    if !service.status().items_at(&["loadBalancer", "ingress"]).is_empty() {
        return Vec::new();
    }
    let wanted = service.spec().str_at(&["loadBalancerIP"]).and_then(|ip| ip.parse().ok());
    let address = wanted.unwrap_or_else(|| free_address(store));
    let mut new = (**service).clone();
    new.meta.resource_version = 0;
    let mut writes = vec![event(service, "EnsuringLoadBalancer", "Ensuring load balancer", now)];
    if !has {
        let finalizers = new.meta.finalizers.iter().cloned();
        new.meta.finalizers = finalizers.chain([Arc::from(CLEANUP)]).collect();
        writes.push(Write::Update(Box::new(new.clone())));
    }
    let mut status = service.status().clone();
    let ingress = json!([{"ip": address.to_string(), "ipMode": "VIP"}]);
    status.put(&["loadBalancer", "ingress"], ingress);
    new.set_status(status);
    writes.push(Write::UpdateStatus(Box::new(new)));
    writes.push(event(service, "EnsuredLoadBalancer", "Ensured load balancer", now));
    writes
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
