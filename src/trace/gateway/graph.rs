//! All that a controller has taken in: its class, Gateways and routes.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/state/graph/graph.go and gateway.go.

use super::condition::Condition;
use super::listeners::{self, Listener};
use super::routes::{self, Route};
use super::{kind, objects};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::store::{ObjectKey, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a controller has taken in.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Graph {
    /// Its class, if it is there.
    pub class: Option<Arc<Object>>,
    /// The Gateways of its class.
    pub gateways: BTreeMap<ObjectKey, Gateway>,
    /// The HTTPRoutes that name one of them, oldest first.
    pub routes: Vec<Route>,
}

/// A Gateway.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// The object.
    pub object: Arc<Object>,
    /// Its listeners; none if it is not taken.
    pub listeners: Vec<Listener>,
    /// What is said of it beside what is said of every one that is taken.
    pub conditions: Vec<Condition>,
    /// Whether it is taken.
    pub is_valid: bool,
}

impl Gateway {
    /// What is said of it.
    ///
    /// Models prepareGatewayRequest.
    pub fn status_conditions(&self) -> Vec<Condition> {
        if !self.is_valid {
            return Condition::distinct(self.conditions.clone());
        }
        let mut all = vec![
            Condition::new("Accepted", true, "Accepted", "The Gateway is accepted"),
            Condition::new("Programmed", true, "Programmed", "The Gateway is programmed"),
        ];
        all.extend(self.conditions.iter().cloned());
        let valid = self.listeners.iter().filter(|it| it.is_valid).count();
        if valid == 0 && !self.listeners.is_empty() {
            let why = "The Gateway has no valid listeners";
            all.extend(Condition::refused("ListenersNotValid", why));
        } else if valid < self.listeners.len() {
            let why = "The Gateway has at least one valid listener";
            all.push(Condition::new("Accepted", true, "ListenersNotValid", why));
        }
        Condition::distinct(all)
    }
}

impl Graph {
    /// What the controller of this name takes in whose one class this is.
    pub fn of(store: &Store, class_name: &str, controller: &str) -> Self {
        let class = kind("GatewayClass").and_then(|kind| store.find(kind, "", class_name)).cloned();
        let is_own = |it: &Arc<Object>| it.spec().str_at(&["controllerName"]) == Some(controller);
        if class.as_ref().is_some_and(|class| !is_own(class)) {
            return Graph::default();
        }
        let own = objects(store, "Gateway")
            .filter(|it| it.spec().str_at(&["gatewayClassName"]) == Some(class_name));
        let own = own.map(|it| (ObjectKey::of(it), gateway(store, it, class.is_some())));
        let mut gateways: BTreeMap<ObjectKey, Gateway> = own.collect();
        let found = objects(store, "HTTPRoute");
        let mut routes: Vec<Route> =
            found.filter_map(|it| routes::route(store, it, &gateways)).collect();
        crate::base::order::sort_by_key(&mut routes, |it| {
            // Times are kept to the second.
            (it.object.meta.creation_timestamp.as_micros() / 1_000_000, it.key())
        });
        for route in &mut routes {
            routes::bind(store, route, &mut gateways);
        }
        Graph { class, gateways, routes }
    }
}

/// Models buildGateways and validateGateway.
fn gateway(store: &Store, object: &Arc<Object>, has_class: bool) -> Gateway {
    let mut conditions = Vec::new();
    if !has_class {
        conditions.extend(Condition::refused("Invalid", "The GatewayClass doesn't exist"));
    }
    let addresses = object.spec().items_at(&["addresses"]);
    let is_ip = |it: &Value| it.str_at(&["type"]).unwrap_or("IPAddress") == "IPAddress";
    if !addresses.iter().all(is_ip) {
        let why = "Only AddressType IPAddress is supported";
        conditions.push(Condition::new("Accepted", false, "UnsupportedAddress", why));
    }
    let is_valid = conditions.is_empty();
    if addresses.iter().any(|it| it.str_at(&["value"]).is_none_or(str::is_empty)) {
        let why = "Dynamically assigned addresses for the Gateway addresses field are not supported, value must be specified";
        conditions.push(Condition::unprogrammed("AddressNotAssigned", why));
    }
    let listeners = if is_valid { listeners::listeners(store, object) } else { Vec::new() };
    Gateway { object: object.clone(), listeners, conditions, is_valid }
}
