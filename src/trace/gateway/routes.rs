//! HTTPRoutes: their backends, and the listeners that they are attached to.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/state/graph/httproute.go,
//! backend_refs.go and route_common.go.
//!
//! Simplified: filters that mirror requests, answer CORS or refer to extensions are taken and do
//! nothing; what nginx could not write down (quotes, `$`) is not looked for.

use super::condition::Condition;
use super::graph::Gateway;
use super::{GROUP, Listener, hostnames, is_granted};
use crate::api::tree::Tree as _;
use crate::api::{FieldError, Kind, Object, Value};
use crate::store::{ObjectKey, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The group of what an extension for models brings as a backend.
const INFERENCE: &str = "inference.networking.k8s.io";

/// An HTTPRoute that names one of the controller's Gateways.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The object.
    pub object: Arc<Object>,
    /// The listeners that it asks for.
    pub parents: Vec<Parent>,
    /// What is said of it for every parent.
    pub conditions: Vec<Condition>,
    /// The backends of each of its rules.
    pub backends: Vec<Vec<Backend>>,
}

/// A listener, or several, that a route asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Parent {
    /// Its place among the route's `parentRefs`.
    pub place: usize,
    /// The Gateway.
    pub gateway: ObjectKey,
    /// The listener, by its name.
    pub section: Option<Arc<str>>,
    /// The port, if one is asked for.
    pub port: Option<u16>,
    /// Whether it is attached.
    pub is_attached: bool,
    /// Why not, or not wholly.
    pub conditions: Vec<Condition>,
    /// The hosts for which it is reached, by listener.
    pub hosts: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// The Service.
    pub service: ObjectKey,
    /// Its port.
    pub port: u16,
    /// Its weight.
    pub weight: u32,
    /// Why nothing can be sent there (500).
    pub trouble: Option<String>,
}

impl Route {
    /// Its key.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::of(&self.object)
    }

    /// What is said of it for a parent.
    ///
    /// Models prepareRouteStatus.
    pub fn status_conditions(&self, parent: &Parent) -> Vec<Condition> {
        let mut all = vec![
            Condition::new("Accepted", true, "Accepted", "The Route is accepted"),
            Condition::new("ResolvedRefs", true, "ResolvedRefs", "All references are resolved"),
        ];
        all.extend(self.conditions.iter().chain(&parent.conditions).cloned());
        Condition::distinct(all)
    }

    /// Its parents as they are reported: those that were one before are one again.
    ///
    /// Models removeDuplicateIndexParentRefs.
    pub fn reported(&self) -> Vec<Parent> {
        let mut all: Vec<Parent> = Vec::new();
        for parent in &self.parents {
            match all.last_mut().filter(|last| last.place == parent.place) {
                None => all.push(parent.clone()),
                Some(last) => {
                    let is_better =
                        parent.is_attached && (parent.conditions.is_empty() || !last.is_attached);
                    if is_better {
                        *last = parent.clone();
                    }
                    last.section = None;
                }
            }
        }
        all
    }
}

/// A route as far as it does not depend on listeners; none if it names no Gateway of these.
pub(super) fn route(
    store: &Store,
    object: &Arc<Object>,
    gateways: &BTreeMap<ObjectKey, Gateway>,
) -> Option<Route> {
    let parents = parents(object, gateways);
    if parents.is_empty() {
        return None;
    }
    let mut route =
        Route { object: object.clone(), parents, conditions: Vec::new(), backends: Vec::new() };
    let rules = object.spec().items_at(&["rules"]);
    let ignored = rules.iter().enumerate().filter(|(_, rule)| rule.get("timeouts").is_some());
    let ignored: Vec<String> = ignored
        .map(|(place, _)| {
            let path = format!("spec.rules[{place}].timeouts");
            FieldError::forbidden(path, "Timeouts").to_string()
        })
        .collect();
    if !ignored.is_empty() {
        let list = match ignored.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let why = format!("The following unsupported parameters were ignored: {list}");
        route.conditions.push(Condition::new("Accepted", true, "UnsupportedField", why));
    }
    for (place, rule) in rules.iter().enumerate() {
        let backends = rule.items_at(&["backendRefs"]).iter().enumerate().map(|(index, one)| {
            let path = format!("spec.rules[{place}].backendRefs[{index}]");
            backend(store, object, one, &path)
        });
        let mut all = Vec::new();
        for (backend, condition) in backends {
            all.push(backend);
            route.conditions.extend(condition);
        }
        route.backends.push(all);
    }
    Some(route)
}

/// Models buildSectionNameRefs.
fn parents(object: &Object, gateways: &BTreeMap<ObjectKey, Gateway>) -> Vec<Parent> {
    let mut all = Vec::new();
    for (place, one) in object.spec().items_at(&["parentRefs"]).iter().enumerate() {
        let is_gateway = one.str_at(&["kind"]).unwrap_or("Gateway") == "Gateway"
            && one.str_at(&["group"]).unwrap_or(GROUP) == GROUP;
        let namespace = one.str_at(&["namespace"]).unwrap_or(&object.meta.namespace);
        let key = ObjectKey::new(namespace, one.str_at(&["name"]).unwrap_or_default());
        let Some(gateway) = gateways.get(&key).filter(|_| is_gateway) else { continue };
        let parent = |section: Option<Arc<str>>| Parent {
            place,
            gateway: key.clone(),
            section,
            port: one.int_at(&["port"]).and_then(|port| u16::try_from(port).ok()),
            is_attached: false,
            conditions: Vec::new(),
            hosts: Vec::new(),
        };
        match one.str_at(&["sectionName"]) {
            None if one.get("port").is_none() && !gateway.listeners.is_empty() => {
                all.extend(gateway.listeners.iter().map(|it| parent(Some(it.name.clone()))));
            }
            section => all.push(parent(section.map(Arc::from))),
        }
    }
    all
}

/// Models createBackendRef: what is wrong makes it answer 500, with its weight all the same.
fn backend(
    store: &Store,
    route: &Object,
    source: &Value,
    path: &str,
) -> (Backend, Option<Condition>) {
    let own = &*route.meta.namespace;
    let namespace = source.str_at(&["namespace"]).unwrap_or(own);
    let name = source.str_at(&["name"]).unwrap_or_default();
    let port = source.int_at(&["port"]).and_then(|port| u16::try_from(port).ok());
    let weight = source.int_at(&["weight"]).and_then(|weight| u32::try_from(weight).ok());
    let mut backend = Backend {
        service: ObjectKey::new(namespace, name),
        port: port.unwrap_or_default(),
        weight: weight.unwrap_or(1),
        trouble: None,
    };
    let condition = wrong(store, own, source, &backend, path).map(|(reason, why)| {
        backend.trouble = Some(why.clone());
        Condition::new("ResolvedRefs", false, reason, why)
    });
    (backend, condition)
}

/// What is wrong with a backend: the reason and the words.
fn wrong(
    store: &Store,
    own: &str,
    source: &Value,
    backend: &Backend,
    path: &str,
) -> Option<(&'static str, String)> {
    let filters = source.items_at(&["filters"]).len();
    if filters > 0 {
        let why = FieldError::too_many(format!("{path}.filters"), filters, 0);
        return Some(("UnsupportedValue", why.to_string()));
    }
    let group = source.str_at(&["group"]).unwrap_or_default();
    if !matches!(group, "" | "core" | INFERENCE) {
        let known = ["core", "", INFERENCE];
        let why = FieldError::not_supported(format!("{path}.group"), group, &known);
        return Some(("InvalidKind", why.to_string()));
    }
    let kind = source.str_at(&["kind"]).unwrap_or("Service");
    if kind != "Service" {
        let known = ["Service", "InferencePool"];
        let why = FieldError::not_supported(format!("{path}.kind"), kind, &known);
        return Some(("InvalidKind", why.to_string()));
    }
    let key = &backend.service;
    if *key.namespace != *own && !is_granted(store, ("HTTPRoute", own), ("Service", key)) {
        let why = format!("Backend ref to Service {key} not permitted by any ReferenceGrant");
        let why = FieldError::forbidden(format!("{path}.namespace"), why);
        return Some(("RefNotPermitted", why.to_string()));
    }
    let Some(service) = store.get(Kind::Service, key) else {
        let why = FieldError::not_found(format!("{path}.name"), &*key.name);
        return Some(("BackendNotFound", why.to_string()));
    };
    let mut ports = service.spec().items_at(&["ports"]).iter();
    let Some(port) = ports.find(|it| it.int_at(&["port"]) == Some(i64::from(backend.port))) else {
        let (name, port) = (&key.name, backend.port);
        let why = format!("No matching port for Service {name} and port {port}");
        return Some(("BackendNotFound", why));
    };
    if service.spec().str_at(&["type"]) == Some("ExternalName") {
        let why =
            "ExternalName service requires DNS resolver configuration in Gateway's NginxProxy";
        return Some(("UnsupportedValue", why.to_owned()));
    }
    let more = match port.str_at(&["appProtocol"]) {
        Some("kubernetes.io/h2c") => {
            "nginx does not support proxying to upstreams with http2 or h2c"
        }
        Some("kubernetes.io/wss") => "missing corresponding BackendTLSPolicy",
        _ => return None,
    };
    let protocol = port.str_at(&["appProtocol"]).unwrap_or_default();
    let why =
        format!("The Route type http does not support service port appProtocol {protocol}; {more}");
    Some(("UnsupportedProtocol", why))
}

/// Attaches a route to the listeners that it asks for, as far as they take it.
///
/// Models bindL7RouteToListeners.
pub(super) fn bind(store: &Store, route: &mut Route, gateways: &mut BTreeMap<ObjectKey, Gateway>) {
    let object = route.object.clone();
    let mut counted: Vec<(ObjectKey, Arc<str>)> = Vec::new();
    let mut is_invalid = false;
    for parent in &mut route.parents {
        let Some(gateway) = gateways.get_mut(&parent.gateway) else { continue };
        let is_there = gateway.listeners.iter().any(|it| parent.means(it));
        let failed = match () {
            () if !is_there => {
                Some(("NoMatchingParent", "The Listener is not found for this parent ref"))
            }
            () if !gateway.is_valid => Some(("InvalidGateway", "The Gateway is invalid")),
            () => attach(store, &object, parent, gateway),
        };
        for (name, _) in &parent.hosts {
            let key = (parent.gateway.clone(), name.clone());
            let listener = gateway.listeners.iter_mut().find(|it| it.name == *name);
            if let Some(listener) = listener.filter(|_| !counted.contains(&key)) {
                listener.routes += 1;
                counted.push(key);
            }
        }
        parent.is_attached = failed.is_none();
        is_invalid |= parent.is_attached
            && !parent.hosts.iter().any(|(name, _)| {
                gateway.listeners.iter().any(|it| it.name == *name && it.is_valid)
            });
        let refused = failed.map(|(reason, why)| Condition::new("Accepted", false, reason, why));
        parent.conditions.extend(refused);
    }
    if is_invalid {
        let (reason, why) = INVALID_LISTENER;
        route.conditions.push(Condition::new("Accepted", false, reason, why));
    }
}

const INVALID_LISTENER: (&str, &str) =
    ("InvalidListener", "The Listener is invalid for this parent ref");

/// Attaches a route to the listeners of a parent, or says why it is not.
///
/// Models tryToAttachL7RouteToListeners and isolateHostnamesForParentRefs.
fn attach(
    store: &Store,
    route: &Object,
    parent: &mut Parent,
    gateway: &Gateway,
) -> Option<(&'static str, &'static str)> {
    let (mut any, mut allowed) = (false, false);
    let meant: Vec<&Listener> =
        gateway.listeners.iter().filter(|it| parent.means(it) && it.is_attachable).collect();
    for listener in meant {
        any = true;
        let takes = listener.takes_from(store, &parent.gateway, &route.meta.namespace);
        if !takes || !listener.takes_http_routes() {
            continue;
        }
        allowed = true;
        let own = route.spec().items_at(&["hostnames"]);
        let own: Vec<&str> = own.iter().filter_map(Value::as_str).collect();
        let mut hosts = hostnames::accepted(&listener.host, own.into_iter());
        if hosts.is_empty() {
            continue;
        }
        // What another listener of the port is for is left to it.
        let is_others = |host: &Arc<str>, other: &Listener| {
            other.name != listener.name
                && other.port == listener.port
                && !other.host.is_empty()
                && other.host == *host
        };
        hosts.retain(|host| !gateway.listeners.iter().any(|other| is_others(host, other)));
        parent.hosts.push((listener.name.clone(), hosts));
    }
    match () {
        () if !any => Some(INVALID_LISTENER),
        () if !allowed => {
            Some(("NotAllowedByListeners", "The Route is not allowed by any listener"))
        }
        () if parent.hosts.is_empty() => Some((
            "NoMatchingListenerHostname",
            "The Listener hostname does not match the Route hostnames",
        )),
        () => None,
    }
}

impl Parent {
    /// Whether it asks for this listener.
    fn means(&self, listener: &Listener) -> bool {
        self.section.as_ref().is_none_or(|name| *name == listener.name)
            && self.port.is_none_or(|port| port == listener.port)
    }
}
