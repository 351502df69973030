//! Endpoints that a person writes for a Service without a selector, mirrored to EndpointSlices.
//!
//! Models pkg/controller/endpointslicemirroring.

use super::endpoints::{MANAGED_BY, SERVICE_NAME, TRIGGER_TIME, hash_in_endpoints};
use super::pod_control::controller_reference;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Details, Kind, Object, ObjectMeta, StringMap, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use core::net::IpAddr;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// So many addresses of those that share their ports are mirrored.
const MOST_ADDRESSES: usize = 1000;

/// The controller of mirrored EndpointSlices.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndpointMirrors;

impl Controller for EndpointMirrors {
    fn name(&self) -> &'static str {
        "endpoint-slice-mirroring-controller"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let (old, new) = (change.old.as_deref(), change.new.as_deref());
        let both = || [old, new].into_iter().flatten();
        let name = match change.kind {
            Kind::Endpoints if both().any(is_mirrored) && !selects(store, &change.key) => {
                Some(change.key.name.to_string())
            }
            Kind::Service if both().any(|service| !has_selector(service)) => {
                let same = old.zip(new).is_some_and(|(a, b)| has_selector(a) == has_selector(b));
                (!same).then(|| change.key.name.to_string())
            }
            Kind::EndpointSlice => {
                both().find(|slice| is_ours(slice)).and_then(service_of).map(str::to_owned)
            }
            _ => None,
        };
        let key = |name: String| ObjectKey::new(&change.key.namespace, &name);
        name.map(|name| Key { kind: Kind::Endpoints, object: key(name) }).into_iter().collect()
    }

    fn retries(&self) -> (core::time::Duration, core::time::Duration) {
        (core::time::Duration::from_secs(1), core::time::Duration::from_secs(100))
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let slices = mirrors(store, &key.object);
        let service = store.get(Kind::Service, &key.object);
        let wanted = store.get(Kind::Endpoints, &key.object).filter(|endpoints| {
            is_mirrored(endpoints) && service.is_some_and(|service| !has_selector(service))
        });
        match wanted {
            None => Plan::of(slices.iter().map(|slice| Write::delete(slice)).collect()),
            Some(endpoints) => Plan::of(self.reconcile_slices(endpoints, slices, now)),
        }
    }
}

impl EndpointMirrors {
    /// Models reconciler.go reconcile and finalize.
    fn reconcile_slices(
        &self,
        endpoints: &Arc<Object>,
        slices: Vec<&Arc<Object>>,
        now: SimTime,
    ) -> Vec<Write> {
        let mut writes = Vec::new();
        let (groups, skipped) = groups(endpoints);
        if skipped > 0 {
            let why = format!(
                "A max of {MOST_ADDRESSES} addresses can be mirrored to EndpointSlices per Endpoints subset. {skipped} addresses were skipped"
            );
            let (about, reason) = (endpoints.reference(), "TooManyAddressesToMirror");
            writes.push(Write::event(about, true, reason, why, self.name(), now));
        }
        let (mut left, mut new) = (slices, Vec::new());
        for wanted in groups {
            let fits = |slice: &&Arc<Object>| {
                ["addressType", "ports"]
                    .iter()
                    .all(|key| slice.content().get(*key) == wanted.get(*key))
            };
            match left.iter().position(fits) {
                Some(place) => writes.extend(update(endpoints, left.remove(place), wanted)),
                None => new.push(wanted),
            }
        }
        for wanted in new {
            let of_type = |slice: &&Arc<Object>| {
                slice.content().get("addressType") == wanted.get("addressType")
            };
            match left.iter().position(of_type) {
                Some(place) => writes.extend(update(endpoints, left.remove(place), wanted)),
                None => writes.push(Write::Create(Box::new(slice(endpoints, wanted)))),
            }
        }
        writes.extend(left.into_iter().map(|slice| Write::delete(slice)));
        writes
    }
}

fn has_selector(service: &Object) -> bool {
    service.spec().fields_at(&["selector"]).is_some()
}

fn selects(store: &Store, key: &ObjectKey) -> bool {
    store.get(Kind::Service, key).is_some_and(|service| has_selector(service))
}

/// Models shouldMirror.
fn is_mirrored(endpoints: &Object) -> bool {
    endpoints.meta.labels.get(SKIP) != Some("true")
        && endpoints.meta.annotations.get(LEADER).is_none()
}

fn is_ours(slice: &Object) -> bool {
    slice.meta.labels.get(MANAGED_BY) == Some(MANAGER)
}

fn service_of(slice: &Object) -> Option<&str> {
    slice.meta.labels.get(SERVICE_NAME)
}

/// The slices that mirror the Endpoints of a name, by their own names.
fn mirrors<'a>(store: &'a Store, key: &ObjectKey) -> Vec<&'a Arc<Object>> {
    let prefix = format!("{}-", key.name);
    let all = store.range_from(Kind::EndpointSlice, &key.namespace, &prefix);
    all.take_while(|slice| {
        slice.meta.namespace == key.namespace && slice.meta.name.starts_with(&prefix)
    })
    .filter(|slice| is_ours(slice) && service_of(slice) == Some(&*key.name))
    .collect()
}

/// An address with all of its ports, by their hashes.
struct Address<'a> {
    value: &'a Value,
    ready: bool,
    ports: BTreeMap<u128, &'a Value>,
}

/// What the slices are to hold, one for each set of ports and family of addresses; and how many
/// addresses are too many.
///
/// Models reconciler.go reconcile, reconciler_helpers.go desiredCalc and
/// pkg/api/v1/endpoints/util.go RepackSubsets.
fn groups(endpoints: &Object) -> (Vec<Value>, usize) {
    // By what tells addresses apart.
    let mut addresses: BTreeMap<(String, String), Address<'_>> = BTreeMap::new();
    for subset in endpoints.content().items_at(&["subsets"]) {
        for (list, ready) in [("addresses", true), ("notReadyAddresses", false)] {
            for address in subset.items_at(&[list]) {
                let text = |path: &[&str]| address.str_at(path).unwrap_or_default().to_owned();
                let key = (text(&["ip"]), text(&["targetRef", "uid"]));
                let new = || Address { value: address, ready, ports: BTreeMap::new() };
                let entry = addresses.entry(key).or_insert_with(new);
                entry.ready = ready;
                let ports = subset.items_at(&["ports"]).iter();
                entry.ports.extend(ports.map(|port| (hash_in_endpoints(port), port)));
            }
        }
    }
    let mut groups: BTreeMap<(Vec<u128>, &str), Value> = BTreeMap::new();
    let mut skipped = 0;
    for Address { value, ready, ports } in addresses.into_values() {
        let Some(ip) = value.str_at(&["ip"]).and_then(|ip| ip.parse::<IpAddr>().ok()) else {
            continue;
        };
        let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
        let key = (ports.keys().copied().collect(), family);
        let new = || {
            let ports: Vec<Value> = ports.into_values().map(port).collect();
            json!({"addressType": family, "endpoints": [], "ports": ports})
        };
        let group = groups.entry(key).or_insert_with(new);
        match group.get_mut("endpoints").and_then(Value::as_array_mut) {
            Some(all) if all.len() < MOST_ADDRESSES => all.push(endpoint(value, ip, ready)),
            _ => skipped += 1,
        }
    }
    (groups.into_values().collect(), skipped)
}

/// Models utils.go epPortsToEpsPorts.
fn port(port: &Value) -> Value {
    let mut port = port.clone();
    port.put_default(&["name"], "");
    port
}

/// Models utils.go addressToEndpoint.
fn endpoint(address: &Value, ip: IpAddr, ready: bool) -> Value {
    let mut endpoint = json!({"addresses": [ip.to_string()], "conditions": {"ready": ready}});
    for key in ["targetRef", "nodeName", "hostname"] {
        if let Some(field) = address.get(key).filter(|field| !field.is_null()) {
            endpoint.put(&[key], field.clone());
        }
    }
    endpoint
}

/// Models utils.go newEndpointSlice.
fn slice(endpoints: &Object, content: Value) -> Object {
    let mut slice = Object::from_value(Kind::EndpointSlice, content);
    slice.meta = ObjectMeta {
        namespace: endpoints.meta.namespace.clone(),
        labels: labels(endpoints),
        details: Details {
            annotations: annotations(endpoints),
            generate_name: format!("{}-", endpoints.meta.name).into(),
            owner_references: Arc::from([controller_reference(endpoints)]),
            ..Details::default()
        }
        .into(),
        ..ObjectMeta::default()
    };
    slice
}

fn labels(endpoints: &Object) -> StringMap {
    let mut labels = endpoints.meta.labels.clone();
    labels.set(SERVICE_NAME, &endpoints.meta.name);
    labels.set(MANAGED_BY, MANAGER);
    labels
}

fn annotations(endpoints: &Object) -> StringMap {
    let mut annotations = endpoints.meta.annotations.clone();
    for key in [TRIGGER_TIME, LAST_APPLIED] {
        annotations.unset(key);
    }
    annotations
}

/// Models reconciler.go reconcileByPortMapping.
fn update(endpoints: &Object, old: &Arc<Object>, content: Value) -> Option<Write> {
    let fresh = slice(endpoints, content);
    let is_same = *old.content() == *fresh.content()
        && old.meta.labels == fresh.meta.labels
        && old.meta.annotations == fresh.meta.annotations
        && old.meta.owner_references == fresh.meta.owner_references;
    if is_same {
        return None;
    }
    let mut new = (**old).clone();
    new.set_content(fresh.content().clone());
    new.meta.labels = fresh.meta.labels.clone();
    new.meta.annotations = fresh.meta.annotations.clone();
    new.meta.details.owner_references = fresh.meta.owner_references.clone();
    Some(Write::Update(Box::new(new)))
}
