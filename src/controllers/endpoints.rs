//! Which pods stand behind a Service: EndpointSlices, and the older Endpoints.
//!
//! Models pkg/controller/{endpointslice,endpoint} and staging/src/k8s.io/endpointslice.
//!
//! Simplified: topology hints of `service.kubernetes.io/topology-mode: Auto` are not computed.

use super::pod_control::{controller_reference, is_ready, phase};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Details, Kind, Object, ObjectMeta, Selector, StringMap, Value};
use crate::base::{SimTime, names, order};
use crate::store::{Change, Controller, Key, ObjectKey, Plan, Store, Write};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most endpoints a slice has.
const MOST_IN_A_SLICE: usize = 100;
pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";
pub(super) const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The controller of EndpointSlices.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndpointSlices;

/// The controller of Endpoints.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndpointsObjects;

impl Controller for EndpointSlices {
    fn name(&self) -> &'static str {
        "endpoint-slice-controller"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let mut keys = services_of(store, change);
        if change.kind == Kind::EndpointSlice && change.new.is_none() {
            let service = change.old.as_ref().and_then(|old| old.meta.labels.get(SERVICE_NAME));
            keys.extend(service.map(|name| service_key(&change.key.namespace, name)));
        }
        keys
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(service) = selecting_service(store, key) else { return Plan::default() };
        let mut groups: BTreeMap<String, (Value, Vec<Value>)> = BTreeMap::new();
        for pod in pods_behind(store, service) {
            if let Some(endpoint) = endpoint_of(store, service, pod) {
                let mut ports = ports_for(service, pod);
                order::sort_by_key(&mut ports, hash_in_slice);
                let ports = Value::Array(ports);
                let group = groups.entry(ports.to_string()).or_insert((ports, Vec::new()));
                group.1.push(endpoint);
            }
        }
        let owned = store.owned_by(service.meta.uid);
        let slices: Vec<&Arc<Object>> =
            owned.filter(|object| object.kind == Kind::EndpointSlice).collect();
        Plan::of(reconcile_slices(service, &slices, groups, now))
    }
}

/// The Services that a change concerns.
fn services_of(store: &Store, change: &Change) -> Vec<Key> {
    match change.kind {
        Kind::Service => vec![Key { kind: Kind::Service, object: change.key.clone() }],
        Kind::Pod if pod_matters(change) => {
            let pods = [&change.old, &change.new].into_iter().flatten();
            let mut keys: Vec<Key> = pods
                .flat_map(|pod| store.services_selecting(&pod.meta.namespace, &pod.meta.labels))
                .map(|service| Key::of(service))
                .collect();
            order::sort(&mut keys);
            keys.dedup();
            keys
        }
        _ => Vec::new(),
    }
}

/// Models staging/src/k8s.io/endpointslice/util podEndpointsChanged.
fn pod_matters(change: &Change) -> bool {
    let (Some(old), Some(new)) = (&change.old, &change.new) else { return true };
    let facts = |object: &Object| {
        let pod = object.pod();
        (
            object.meta.is_terminating(),
            is_ready(object),
            phase(object).is_terminal(),
            pod.and_then(|pod| pod.status.pod_ip),
            pod.and_then(|pod| pod.node_name.clone()),
        )
    };
    facts(old) != facts(new) || !old.meta.labels.same(&new.meta.labels)
}

fn service_key(namespace: &str, name: &str) -> Key {
    Key { kind: Kind::Service, object: ObjectKey::new(namespace, name) }
}

/// The Service of a key if it selects pods.
fn selecting_service<'a>(store: &'a Store, key: &Key) -> Option<&'a Arc<Object>> {
    let service = store.get(key.kind, &key.object)?;
    let selects = service.spec().fields_at(&["selector"]).is_some_and(|map| !map.is_empty());
    let external = service.spec().str_at(&["type"]) == Some("ExternalName");
    (selects && !external && !service.meta.is_terminating()).then_some(service)
}

/// The pods that a Service selects and that have an address.
fn pods_behind<'a>(store: &'a Store, service: &Object) -> Vec<&'a Arc<Object>> {
    let selector = Selector::from_map(service.spec().get("selector"));
    let all = store.pods_matching(&service.meta.namespace, &selector);
    let has_address = |pod: &&Arc<Object>| {
        pod.pod().is_some_and(|pod| pod.status.pod_ip.is_some()) && !phase(pod).is_terminal()
    };
    // The iterator borrows the selector; keys do not.
    let keys: Vec<ObjectKey> = all.filter(has_address).map(|pod| ObjectKey::of(pod)).collect();
    keys.iter().filter_map(|key| store.get(Kind::Pod, key)).collect()
}

/// Models endpointslice/utils.go podToEndpoint.
fn endpoint_of(store: &Store, service: &Object, pod: &Object) -> Option<Value> {
    let facts = pod.pod()?;
    let serving = is_ready(pod);
    let terminating = pod.meta.is_terminating();
    let publish = service.spec().bool_at(&["publishNotReadyAddresses"]).unwrap_or_default();
    let ready = publish || serving && !terminating;
    let mut endpoint = json!({
        "addresses": [facts.status.pod_ip?.to_string()],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": {
            "kind": "Pod", "name": *pod.meta.name, "namespace": *pod.meta.namespace,
            "uid": pod.meta.uid.to_string(),
        },
    });
    let Some(node) = &facts.node_name else { return Some(endpoint) };
    endpoint.put(&["nodeName"], &**node);
    let zone = store.find(Kind::Node, "", node);
    let zone = zone.and_then(|node| node.meta.labels.get("topology.kubernetes.io/zone"));
    if let Some(zone) = zone {
        endpoint.put(&["zone"], zone);
    }
    if let Some(hostname) = hostname_of(service, pod) {
        endpoint.put(&["hostname"], hostname);
    }
    let distribution = service.spec().str_at(&["trafficDistribution"]);
    if let (Some(distribution), true, Some(zone)) = (distribution, ready, zone) {
        endpoint.put(&["hints", "forZones"], json!([{"name": zone}]));
        if distribution == "PreferSameNode" {
            endpoint.put(&["hints", "forNodes"], json!([{"name": **node}]));
        }
    }
    Some(endpoint)
}

/// A pod with a host name whose subdomain is the Service has a name of its own.
fn hostname_of<'a>(service: &Object, pod: &'a Object) -> Option<&'a str> {
    let tree = &pod.pod()?.spec.tree;
    let hostname = tree.str_at(&["hostname"]).filter(|name| !name.is_empty())?;
    (tree.str_at(&["subdomain"]) == Some(&*service.meta.name)).then_some(hostname)
}

/// The ports of a Service as this pod has them; named target ports are looked up in its
/// containers, and a port that it does not have is left out.
fn ports_for(service: &Object, pod: &Object) -> Vec<Value> {
    let ports = service.spec().items_at(&["ports"]).iter().filter_map(|port| {
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        let number = target_port(port, protocol, pod)?;
        let name = port.str_at(&["name"]).unwrap_or_default();
        let mut value = json!({"name": name, "port": number, "protocol": protocol});
        if let Some(application) = port.get("appProtocol") {
            value.put(&["appProtocol"], application.clone());
        }
        Some(value)
    });
    ports.collect()
}

/// What the ports of an EndpointSlice are ordered by: the hash of the port's fields as Go's
/// dumper writes them.
///
/// Models staging/src/k8s.io/endpointslice/util/controller_utils.go portsInOrder.
fn hash_in_slice(port: &Value) -> u128 {
    let Port { name, number, protocol, application } = Port::of(port);
    let text = format!(
        "(v1.EndpointPort){{Name:(*string){name} Protocol:(*v1.Protocol){protocol} \
         Port:(*int32){number} AppProtocol:(*string){application}}}"
    );
    names::fnv128a(text.as_bytes())
}

/// The same of an Endpoints object, whose fields are others.
///
/// Models pkg/api/v1/endpoints/util.go portsByHash.
pub(super) fn hash_in_endpoints(port: &Value) -> u128 {
    let Port { name, number, protocol, application } = Port::of(port);
    let text = format!(
        "(v1.EndpointPort){{Name:(string){name} Port:(int32){number} \
         Protocol:(v1.Protocol){protocol} AppProtocol:(*string){application}}}"
    );
    names::fnv128a(text.as_bytes())
}

struct Port<'a> {
    name: &'a str,
    number: i64,
    protocol: &'a str,
    application: &'a str,
}

impl<'a> Port<'a> {
    fn of(port: &'a Value) -> Self {
        let text = |key: &str| port.str_at(&[key]);
        Self {
            name: text("name").unwrap_or_default(),
            number: port.int_at(&["port"]).unwrap_or_default(),
            protocol: text("protocol").unwrap_or_default(),
            application: text("appProtocol").unwrap_or("<nil>"),
        }
    }
}

fn target_port(port: &Value, protocol: &str, pod: &Object) -> Option<i64> {
    let Some(target) = port.get("targetPort") else { return port.int_at(&["port"]) };
    let Some(name) = target.as_str() else { return target.as_i64() };
    let spec = &pod.pod()?.spec;
    let sidecars = spec.init_containers.iter().filter(|container| container.is_sidecar);
    let mut ports = spec.containers.iter().chain(sidecars).flat_map(|c| &c.ports);
    let found = ports.find(|port| port.name == name && port.protocol == protocol)?;
    Some(i64::from(found.container_port))
}

/// Keeps endpoints in the slices they are in, and fills what is free before it makes new slices.
///
/// Models staging/src/k8s.io/endpointslice/reconciler.go.
fn reconcile_slices(
    service: &Object,
    slices: &[&Arc<Object>],
    groups: BTreeMap<String, (Value, Vec<Value>)>,
    now: SimTime,
) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut left: Vec<&Arc<Object>> = slices.to_vec();
    order::sort_by_key(&mut left, |slice| (slice.meta.creation_timestamp, slice.meta.name.clone()));
    let placeholder = groups.is_empty();
    let mut groups: Vec<(Value, Vec<Value>)> = groups.into_values().collect();
    if placeholder {
        // A Service without pods has one empty slice, so that it is known to be without.
        groups.push((Value::Null, Vec::new()));
    }
    for (ports, mut wanted) in groups {
        let same_ports = |slice: &&Arc<Object>| {
            let own = slice.content().get("ports").unwrap_or(&Value::Null);
            *own == ports || ports.is_null() || own.is_null()
        };
        let (mine, others): (Vec<_>, Vec<_>) = left.into_iter().partition(same_ports);
        left = others;
        let mut kept: Vec<(&Arc<Object>, Vec<Value>)> = Vec::new();
        for slice in mine {
            let mut endpoints = Vec::new();
            for old in slice.content().items_at(&["endpoints"]) {
                let same = |new: &Value| {
                    new.str_at(&["targetRef", "uid"]) == old.str_at(&["targetRef", "uid"])
                };
                if let Some(index) = wanted.iter().position(same) {
                    endpoints.push(wanted.remove(index));
                }
            }
            kept.push((slice, endpoints));
        }
        for (_, endpoints) in &mut kept {
            let room = MOST_IN_A_SLICE.saturating_sub(endpoints.len());
            endpoints.extend(wanted.drain(..room.min(wanted.len())));
        }
        let mut first = true;
        for (slice, endpoints) in &kept {
            if endpoints.is_empty() && !(placeholder && first) {
                writes.push(Write::delete(slice));
            } else {
                writes.extend(update_slice(service, slice, &ports, endpoints, now));
            }
            first = false;
        }
        let need_empty = placeholder && kept.is_empty();
        for chunk in wanted.chunks(MOST_IN_A_SLICE).chain(need_empty.then_some(&[][..])) {
            writes.push(Write::Create(Box::new(new_slice(service, &ports, chunk, now))));
        }
    }
    writes.extend(left.into_iter().map(|slice| Write::delete(slice)));
    writes
}

fn slice_content(ports: &Value, endpoints: &[Value]) -> Value {
    // An empty list is null on the wire.
    let endpoints = if endpoints.is_empty() { Value::Null } else { json!(endpoints) };
    json!({"addressType": "IPv4", "endpoints": endpoints, "ports": ports})
}

fn update_slice(
    service: &Object,
    slice: &Arc<Object>,
    ports: &Value,
    endpoints: &[Value],
    now: SimTime,
) -> Option<Write> {
    let content = slice_content(ports, endpoints);
    let labels = slice_labels(service);
    if *slice.content() == content && slice.meta.labels == labels {
        return None;
    }
    let mut new = (**slice).clone();
    new.set_content(content);
    new.meta.labels = labels;
    new.meta.annotations.set(TRIGGER_TIME, &now.rfc3339());
    Some(Write::Update(Box::new(new)))
}

fn new_slice(service: &Object, ports: &Value, endpoints: &[Value], now: SimTime) -> Object {
    let mut slice = Object::from_value(Kind::EndpointSlice, slice_content(ports, endpoints));
    slice.meta = ObjectMeta {
        namespace: service.meta.namespace.clone(),
        labels: slice_labels(service),
        details: Details {
            generate_name: format!("{}-", service.meta.name).into(),
            owner_references: Arc::from([controller_reference(service)]),
            ..Details::default()
        }
        .into(),
        ..ObjectMeta::default()
    };
    slice.meta.annotations.set(TRIGGER_TIME, &now.rfc3339());
    slice
}

/// The Service's own labels, and whose slice it is.
fn slice_labels(service: &Object) -> StringMap {
    let mut labels = service.meta.labels.clone();
    labels.set(SERVICE_NAME, &service.meta.name);
    labels.set(MANAGED_BY, "endpointslice-controller.k8s.io");
    if is_headless(service) {
        labels.set(HEADLESS, "");
    }
    labels
}

fn is_headless(service: &Object) -> bool {
    service.spec().str_at(&["clusterIP"]) == Some("None")
}

impl Controller for EndpointsObjects {
    fn name(&self) -> &'static str {
        "endpoint-controller"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let mut keys = services_of(store, change);
        if change.kind == Kind::Endpoints && change.new.is_none() {
            keys.push(service_key(&change.key.namespace, &change.key.name));
        }
        keys
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let existing = store.get(Kind::Endpoints, &key.object);
        if store.get(key.kind, &key.object).is_none() {
            let ours = existing.filter(|object| object.meta.labels.get(MANAGED).is_some());
            return Plan::of(ours.map(|object| Write::delete(object)).into_iter().collect());
        }
        let Some(service) = selecting_service(store, key) else { return Plan::default() };
        let mut labels = service.meta.labels.clone();
        labels.set(MANAGED, "endpoint-controller");
        if is_headless(service) {
            labels.set(HEADLESS, "");
        }
        let content = endpoints_content(store, service);
        let unchanged = |old: &&Arc<Object>| *old.content() == content && old.meta.labels == labels;
        if existing.as_ref().is_some_and(unchanged) {
            return Plan::default();
        }
        let mut new = match existing {
            Some(old) => (**old).clone(),
            None => Object::from_value(Kind::Endpoints, json!({})),
        };
        new.set_content(content);
        new.meta.name = service.meta.name.clone();
        new.meta.namespace = service.meta.namespace.clone();
        new.meta.labels = labels;
        new.meta.annotations.set(TRIGGER_TIME, &now.rfc3339());
        let write = match existing {
            Some(_) => Write::Update(Box::new(new)),
            None => Write::Create(Box::new(new)),
        };
        Plan::of(vec![write])
    }
}

const MANAGED: &str = "endpoints.kubernetes.io/managed-by";

/// `subsets`: the addresses that share their ports, ready ones apart from the others.
fn endpoints_content(store: &Store, service: &Object) -> Value {
    let publish = service.spec().bool_at(&["publishNotReadyAddresses"]).unwrap_or_default();
    let mut subsets: BTreeMap<String, (Value, Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for pod in pods_behind(store, service) {
        let Some(facts) = pod.pod() else { continue };
        if pod.meta.is_terminating() && !publish {
            continue;
        }
        let mut address = json!({
            "ip": facts.status.pod_ip.map(|ip| ip.to_string()),
            "targetRef": {
                "kind": "Pod", "name": *pod.meta.name, "namespace": *pod.meta.namespace,
                "uid": pod.meta.uid.to_string(),
            },
        });
        if let Some(node) = &facts.node_name {
            address.put(&["nodeName"], &**node);
        }
        if let Some(hostname) = hostname_of(service, pod) {
            address.put(&["hostname"], hostname);
        }
        let mut ports = ports_for(service, pod);
        order::sort_by_key(&mut ports, hash_in_endpoints);
        let ports = Value::Array(ports);
        let group = subsets.entry(ports.to_string()).or_insert((ports, Vec::new(), Vec::new()));
        if is_ready(pod) || publish { group.1.push(address) } else { group.2.push(address) }
    }
    if subsets.is_empty() {
        return json!({});
    }
    // As texts: 10.244.1.10 comes before 10.244.1.2. Models LessEndpointAddress.
    let by_ip = |address: &Value| address.str_at(&["ip"]).map(str::to_owned);
    let subset = |(mut ports, mut ready, mut not_ready): (Value, Vec<Value>, Vec<Value>)| {
        order::sort_by_key(&mut ready, by_ip);
        order::sort_by_key(&mut not_ready, by_ip);
        let unnamed = |port: &mut Value| {
            if port.str_at(&["name"]) == Some("") {
                port.remove(&["name"]);
            }
        };
        ports.as_array_mut().into_iter().flatten().for_each(unnamed);
        let mut subset = json!({"ports": ports});
        for (key, addresses) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
            if !addresses.is_empty() {
                subset.put(&[key], addresses);
            }
        }
        subset
    };
    json!({"subsets": subsets.into_values().map(subset).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order that a real 1.36 gave these ports.
    #[test]
    fn ports_stand_in_the_order_of_their_hashes() {
        let ports = json!([
            {"name": "http", "port": 80, "protocol": "TCP"},
            {"name": "https", "port": 443, "protocol": "TCP", "appProtocol": "https"},
            {"name": "dns", "port": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
            {"name": "metrics", "port": 9153, "protocol": "TCP"},
            {"name": "grpc", "port": 50051, "protocol": "TCP", "appProtocol": "kubernetes.io/h2c"},
            {"name": "admin", "port": 8080, "protocol": "TCP"},
        ]);
        let order = |hash: fn(&Value) -> u128| {
            let mut ports = ports.as_array().cloned().unwrap_or_default();
            order::sort_by_key(&mut ports, hash);
            let names = ports.iter().filter_map(|port| port.str_at(&["name"]));
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(hash_in_slice), "dns https grpc dns-tcp http admin metrics");
        assert_eq!(order(hash_in_endpoints), "https admin http metrics dns-tcp dns grpc");
    }
}
