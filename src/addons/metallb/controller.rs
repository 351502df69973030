//! The controller: it gives each Service of type LoadBalancer an address from a pool.
//!
//! Models metallb/metallb controller/service.go, controller/main.go and
//! internal/k8s/controllers/pool_status_controller.go.

use super::super::has_running_pod;
use super::{differs, every_balancer, is_configuration, is_for_metallb};
use crate::api::pod::ContainerState;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Key, Outcome, Plan, Store, Write};
use crate::trace::metallb::pools::{self, Pool, Taken};
use crate::trace::metallb::{FROM_POOL, is_image, is_part};
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;

const NAME: &str = "metallb-controller";
const POOL: &str = "metallb.io/address-pool";
const ADDRESSES: &str = "metallb.io/loadBalancerIPs";
/// The Secret with which speakers know each other.
const MEMBERLIST: &str = "memberlist";

/// The control loop of MetalLB's controller. Its keys are Services, and its Pod when that
/// begins.
#[derive(Clone, Copy, Debug)]
pub(in crate::addons) struct Controller;

impl crate::store::Controller for Controller {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let own = || vec![Key { kind: change.kind, object: change.key.clone() }];
        match change.kind {
            Kind::Service if is_gone(change) => every_balancer(store),
            Kind::Service => own(),
            // Its process begins, and looks at everything.
            Kind::Pod if begins(change) => own(),
            Kind::Namespace if differs(&change.old, &change.new) => every_balancer(store),
            _ if is_configuration(change) => every_balancer(store),
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(deployment) = running(store) else { return Plan::default() };
        let mut taken = Taken::of(store);
        Plan::of(match key.kind {
            Kind::Service => {
                let service = store.get(key.kind, &key.object);
                service.map(|it| converge(store, &mut taken, it, now)).unwrap_or_default()
            }
            _ => start(store, deployment, now),
        })
    }

    fn report(&self, store: &Store, _key: &Key, _outcomes: &[Outcome], _now: SimTime) -> Plan {
        match running(store) {
            Some(_) => Plan::of(pool_statuses(store)),
            None => Plan::default(),
        }
    }
}

/// Whether a Service has gone that had an address, or needs none any more: others may wait for it.
fn is_gone(change: &Change) -> bool {
    let had = change.old.as_ref().is_some_and(|old| !pools::addresses(old).is_empty());
    had && change.new.as_ref().is_none_or(|new| pools::addresses(new).is_empty())
}

/// Whether a process of MetalLB's controller begins.
fn begins(change: &Change) -> bool {
    let runs = |object: &Option<Arc<Object>>| {
        let pod = object.as_ref().and_then(|object| object.pod());
        let statuses = pod.map(|pod| &pod.status.containers).into_iter().flatten();
        let mut states = statuses.map(|status| &status.state);
        states.any(|state| matches!(state, ContainerState::Running { .. }))
    };
    let containers = change.new.as_ref().and_then(|object| object.pod());
    let containers = containers.map(|pod| &pod.spec.containers).into_iter().flatten();
    let is_own = containers.into_iter().any(|it| is_image(&it.image, "controller"));
    is_own && runs(&change.new) && !runs(&change.old)
}

/// The Deployment of the controller, if a pod of it runs on a machine that can be reached.
pub(super) fn running(store: &Store) -> Option<&Arc<Object>> {
    let mut all = store.list(Kind::Deployment).filter(|it| is_part(it, "controller"));
    all.find(|deployment| has_running_pod(store, deployment))
}

/// What the controller does when it starts: the speakers' Secret, and every Service.
fn start(store: &Store, deployment: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let namespace = &*deployment.meta.namespace;
    let mut writes = Vec::new();
    if store.find(Kind::Secret, namespace, MEMBERLIST).is_none() {
        let key = data_encoding::BASE64.encode(deployment.meta.uid.to_string().as_bytes());
        let owner = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "name": *deployment.meta.name, "uid": deployment.meta.uid.to_string(),
        });
        let secret = json!({
            "metadata": {"name": MEMBERLIST, "namespace": namespace, "ownerReferences": [owner]},
            "type": "Opaque",
            "data": {"secretkey": key},
        });
        writes.push(Write::Create(Box::new(Object::from_value(Kind::Secret, secret))));
    }
    let mut taken = Taken::of(store);
    for service in store.list(Kind::Service).filter(|service| is_for_metallb(service)) {
        writes.extend(converge(store, &mut taken, service, now));
    }
    writes
}

/// Makes a Service's address what it should be.
///
/// Models convergeBalancer.
fn converge(store: &Store, taken: &mut Taken, service: &Arc<Object>, now: SimTime) -> Vec<Write> {
    let say = |warning: bool, reason: &str, message: String| {
        Write::event(service.reference(), warning, reason, message, NAME, now)
    };
    let key = format!("{}/{}", service.meta.namespace, service.meta.name);
    let pools = pools::pools(store);
    if !is_for_metallb(service) || pools.is_empty() {
        return clear(service);
    }
    let mut events = Vec::new();
    let mut current = pools::addresses(service);
    let mut from: Option<&Pool> = None;
    let wanted_pool = service.meta.annotations.get(POOL);
    let wanted = match wanted_addresses(service) {
        Ok(wanted) => wanted,
        Err(why) => {
            let message = format!("invalid requested loadbalancer IPs: {why}");
            return vec![say(true, "LoadBalancerFailed", message)];
        }
    };
    if !current.is_empty() {
        match pools::assign(store, &pools, taken, service, &current) {
            Ok(pool) => from = Some(pool),
            Err(why) => {
                let message = format!(
                    "current IP for \"{key}\" not allowed by config, will attempt for new IP assignment: {why}"
                );
                events.push(say(false, "ClearAssignment", message));
                current.clear();
            }
        }
        let other_pool = from.zip(wanted_pool).is_some_and(|(own, wanted)| **own.name() != *wanted);
        if other_pool || !wanted.is_empty() && !same(&wanted, &current) {
            current.clear();
        }
    }
    if current.is_empty() {
        let found = give(store, &pools, taken, service, (&wanted, wanted_pool));
        match found {
            Ok((ips, pool)) => {
                let list: Vec<String> = ips.iter().map(|ip| format!("\"{ip}\"")).collect();
                let message = format!("Assigned IP [{}]", list.join(" "));
                events.push(say(false, "IPAllocated", message));
                taken.put(service, &ips);
                (current, from) = (ips, Some(pool));
            }
            Err(why) => {
                let message = format!("Failed to allocate IP for \"{key}\": {why}");
                events.push(say(true, "AllocationFailed", message));
                events.extend(clear(service));
                return events;
            }
        }
    }
    let pool = from.map(|pool| pool.name().to_string()).unwrap_or_default();
    events.extend(set(service, &current, &pool));
    events
}

fn same(a: &[Ipv4Addr], b: &[Ipv4Addr]) -> bool {
    let sorted = |ips: &[Ipv4Addr]| {
        let mut ips = ips.to_vec();
        crate::base::order::sort(&mut ips);
        ips
    };
    sorted(a) == sorted(b)
}

/// The addresses that a Service asks for.
///
/// Models getDesiredLbIPs.
fn wanted_addresses(service: &Object) -> Result<Vec<Ipv4Addr>, String> {
    let annotated = service.meta.annotations.get(ADDRESSES).filter(|text| !text.is_empty());
    let field = service.spec().str_at(&["loadBalancerIP"]).filter(|text| !text.is_empty());
    match (annotated, field) {
        (None, None) => Ok(Vec::new()),
        (Some(_), Some(_)) => {
            Err(format!("service can not have both {ADDRESSES} and svc.Spec.LoadBalancerIP"))
        }
        (Some(text), None) => {
            let parts = text.split(',').map(|part| part.trim().parse());
            parts.collect::<Result<_, _>>().map_err(|_| format!("invalid {ADDRESSES}: \"{text}\""))
        }
        (None, Some(text)) => {
            let ip = text.parse();
            ip.map(|ip| vec![ip]).map_err(|_| format!("invalid spec.loadBalancerIP \"{text}\""))
        }
    }
}

/// Models allocateIPs.
fn give<'a>(
    store: &Store,
    pools: &'a [Pool],
    taken: &Taken,
    service: &Object,
    (wanted, wanted_pool): (&[Ipv4Addr], Option<&str>),
) -> Result<(Vec<Ipv4Addr>, &'a Pool), String> {
    if wanted.is_empty() {
        let (ip, pool) = pools::allocate(store, pools, taken, service, wanted_pool)?;
        return Ok((vec![ip], pool));
    }
    let pool = pools::assign(store, pools, taken, service, wanted)?;
    match wanted_pool.filter(|name| **pool.name() != **name) {
        None => Ok((wanted.to_vec(), pool)),
        Some(name) => {
            let list: Vec<String> = wanted.iter().map(|ip| format!("\"{ip}\"")).collect();
            Err(format!(
                "requested loadBalancer IP(s) [{}] is not compatible with requested address pool {name}",
                list.join(" ")
            ))
        }
    }
}

/// Takes away what the controller gave.
fn clear(service: &Arc<Object>) -> Vec<Write> {
    match service.meta.annotations.get(FROM_POOL) {
        Some(_) => set(service, &[], ""),
        None => Vec::new(),
    }
}

/// Writes a Service's addresses and the pool they are from; nothing if they are so.
fn set(service: &Arc<Object>, ips: &[Ipv4Addr], pool: &str) -> Vec<Write> {
    let mut new = (**service).clone();
    new.meta.resource_version = 0;
    let mut writes = Vec::new();
    if service.meta.annotations.get(FROM_POOL).unwrap_or_default() != pool {
        match pool {
            "" => new.meta.annotations.unset(FROM_POOL),
            pool => new.meta.annotations.set(FROM_POOL, pool),
        };
        writes.push(Write::Update(Box::new(new.clone())));
    }
    let mut status = service.status().clone();
    let ingress: Vec<_> =
        ips.iter().map(|ip| json!({"ip": ip.to_string(), "ipMode": "VIP"})).collect();
    status.put(&["loadBalancer"], json!({}));
    if !ingress.is_empty() {
        status.put(&["loadBalancer", "ingress"], ingress);
    }
    if status != *service.status() {
        new.set_status(status);
        writes.push(Write::UpdateStatus(Box::new(new)));
    }
    writes
}

/// The counters of the pools.
fn pool_statuses(store: &Store) -> Vec<Write> {
    let taken = Taken::of(store);
    let status = |pool: &Pool| {
        let assigned = taken.count(pool);
        let available = pool.size().saturating_sub(assigned);
        json!({
            "assignedIPv4": assigned, "assignedIPv6": 0,
            "availableIPv4": available, "availableIPv6": 0,
        })
    };
    let pools = pools::pools(store);
    let news = pools.iter().map(|pool| (pool, status(pool)));
    let news = news.filter(|(pool, status)| pool.object.status() != status);
    news.map(|(pool, status)| {
        let mut new = (*pool.object).clone();
        new.set_status(status);
        Write::UpdateStatus(Box::new(new))
    })
    .collect()
}
