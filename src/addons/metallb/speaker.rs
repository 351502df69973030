//! The speakers: one of them says that it announces a Service's address (L2), or each does (BGP).
//!
//! Models metallb/metallb speaker/main.go and internal/k8s/controllers/layer2_status_controller.go.

use super::{differs, every_balancer, is_configuration, is_for_metallb};
use crate::api::{Kind, Object};
use crate::base::SimTime;
use crate::store::{Change, Key, ObjectKey, Plan, Store, Write};
use crate::trace::metallb::pools;
use crate::trace::metallb::{FAILURE_DETECTION, Speaker, bgp, is_image, layer2, speakers};
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "metallb-speaker";
/// The labels of what the speakers write.
const NODE_LABEL: &str = "metallb.io/node";
const SERVICE_LABEL: &str = "metallb.io/service-name";
const NAMESPACE_LABEL: &str = "metallb.io/service-namespace";

/// The control loops of all speakers. Their keys are Services.
#[derive(Clone, Copy, Debug)]
pub(in crate::addons) struct Speakers;

impl crate::store::Controller for Speakers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let service = |object: ObjectKey| vec![Key { kind: Kind::Service, object }];
        match change.kind {
            Kind::Service => service(change.key.clone()),
            Kind::EndpointSlice => {
                let slice = change.object();
                let name = slice.and_then(|it| it.meta.labels.get("kubernetes.io/service-name"));
                let key = name.map(|name| ObjectKey::new(&change.key.namespace, name));
                let object = key.as_ref().and_then(|key| store.get(Kind::Service, key));
                let is_own = object.is_some_and(|object| is_for_metallb(object));
                key.filter(|_| is_own).map(service).unwrap_or_default()
            }
            Kind::Node if differs(&change.old, &change.new) => every_balancer(store),
            Kind::Pod if is_other_speaker(change) => every_balancer(store),
            _ if is_configuration(change) => every_balancer(store),
            _ => Vec::new(),
        }
    }

    fn hears(&self, store: &Store, _node: &str) -> Vec<Key> {
        match speakers(store).is_empty() {
            true => Vec::new(),
            false => every_balancer(store),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let all = speakers(store);
        match all.first() {
            Some(first) => announce(store, key, now, (first, &all)),
            None => Plan::default(),
        }
    }
}

/// What the speakers write about a Service.
#[inline(never)]
fn announce(
    store: &Store,
    key: &Key,
    now: SimTime,
    (first, all): (&Speaker<'_>, &[Speaker<'_>]),
) -> Plan {
    let namespace = first.pod.meta.namespace.clone();
    let service = store.get(key.kind, &key.object).filter(|service| is_for_metallb(service));
    let announced = service.map(|service| announced(store, service, now)).unwrap_or_default();
    let mut writes: Vec<Write> = Vec::new();
    if let Some(service) = service {
        let speaks = |speaker: &&(Speaker<'_>, &str)| speaker.0.silent_since.is_none();
        writes.extend(announced.iter().filter(speaks).map(|(speaker, protocol)| {
            let message =
                format!("announcing from node \"{}\" with protocol \"{protocol}\"", speaker.name());
            Write::event(service.reference(), false, "nodeAssigned", message, NAME, now)
        }));
    }
    let owner = announced.iter().find(|(_, protocol)| *protocol == "layer2");
    writes.extend(statuses(store, &namespace, key, owner.map(|(speaker, _)| speaker)));
    // A speaker that has just fallen silent is still counted; look again when it is not.
    let silent = all.iter().filter_map(|speaker| speaker.silent_since);
    let over = silent.map(|since| since + FAILURE_DETECTION).filter(|over| *over > now).min();
    Plan { writes, requeue_after: over.map(|over| over.since(now)) }
}

/// Whether a speaker has begun, or ends.
fn is_other_speaker(change: &Change) -> bool {
    let state = |object: &Option<Arc<Object>>| {
        let object = object.as_ref()?;
        let pod = object.pod()?;
        let container = pod.spec.containers.first()?;
        is_image(&container.image, "speaker").then(|| {
            let ready = pod.status.containers.first().map(|status| status.state.clone());
            (ready, object.meta.is_terminating())
        })
    };
    state(&change.old) != state(&change.new)
}

/// The speakers that announce a Service, each with its protocol.
fn announced<'a>(
    store: &'a Store,
    service: &Arc<Object>,
    now: SimTime,
) -> Vec<(Speaker<'a>, &'static str)> {
    let addresses = pools::addresses(service);
    let all = pools::pools(store);
    let Some(ip) = addresses.first().copied() else { return Vec::new() };
    let Some(pool) = pools::pool_of(&all, ip) else { return Vec::new() };
    let by_bgp = bgp::announcers(store, service, pool).unwrap_or_default();
    let by_bgp = by_bgp.into_iter().map(|speaker| (speaker, "bgp"));
    let owner = layer2::owner(store, now, service, (pool, ip)).ok();
    by_bgp.chain(owner.map(|owner| (owner.speaker, "layer2"))).collect()
}

/// The ServiceL2Status of a Service: one that names the node, or none.
fn statuses(store: &Store, namespace: &str, key: &Key, owner: Option<&Speaker<'_>>) -> Vec<Write> {
    let Some(kind) = Kind::of_manifest("metallb.io/v1beta1", "ServiceL2Status") else {
        return Vec::new();
    };
    if !store.serves(kind) {
        return Vec::new();
    }
    let is_own = |object: &&Arc<Object>| {
        let label = |name: &str| object.meta.labels.get(name);
        label(SERVICE_LABEL) == Some(&key.object.name)
            && label(NAMESPACE_LABEL) == Some(&key.object.namespace)
    };
    let known: Vec<&Arc<Object>> = store.list_in(kind, namespace).filter(is_own).collect();
    // A speaker whose node is silent cannot write.
    let owner = owner.filter(|owner| owner.silent_since.is_none());
    let Some(owner) = owner else {
        let reachable = known.iter().filter(|object| {
            let node = object.meta.labels.get(NODE_LABEL).unwrap_or_default();
            store.silent_since(node).is_none()
        });
        return reachable.map(|object| Write::delete(object)).collect();
    };
    let is_of_owner =
        |object: &&&Arc<Object>| object.meta.labels.get(NODE_LABEL) == Some(&**owner.name());
    let mut writes: Vec<Write> =
        known.iter().filter(|it| !is_of_owner(it)).map(|object| Write::delete(object)).collect();
    if known.iter().any(|object| is_of_owner(&object)) {
        return writes;
    }
    let (pod, node) = (owner.pod, &**owner.name());
    let reference = json!({
        "apiVersion": "v1", "kind": "Pod", "name": *pod.meta.name, "uid": pod.meta.uid.to_string(),
    });
    let status = json!({
        "node": node,
        "serviceName": *key.object.name,
        "serviceNamespace": *key.object.namespace,
    });
    let object = json!({
        "metadata": {
            "generateName": "l2-", "namespace": namespace, "ownerReferences": [reference],
            "labels": {
                NODE_LABEL: node,
                SERVICE_LABEL: *key.object.name,
                NAMESPACE_LABEL: *key.object.namespace,
            },
        },
        "spec": {},
        "status": status,
    });
    writes.push(Write::Create(Box::new(Object::from_value(kind, object))));
    writes
}
