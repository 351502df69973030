//! Gateways, with the Services that the routes attached to them lead to. They stand on the map where
//! Ingresses do.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::present::scene::IngressChip;
use crate::session::ObjectId;
use crate::store::{ObjectKey, Store};
use crate::trace::gateway::{self, Graph};
use std::sync::Arc;

/// The Gateways, each with the Services it leads to.
pub(super) fn gateways(store: &Store) -> Vec<(IngressChip, Vec<ObjectId>)> {
    gateway::objects(store, "Gateway").map(|object| gateway_chip(store, object)).collect()
}

/// A Gateway in short.
pub(in crate::present) fn gateway_chip(
    store: &Store,
    object: &Arc<Object>,
) -> (IngressChip, Vec<ObjectId>) {
    let class = object.spec().str_at(&["gatewayClassName"]).unwrap_or_default();
    let controller = gateway::kind("GatewayClass").and_then(|kind| store.find(kind, "", class));
    let controller = controller.and_then(|it| it.spec().str_at(&["controllerName"]));
    let graph = Graph::of(store, class, controller.unwrap_or_default());
    let (key, mut rules, mut behind) = (ObjectKey::of(object), Vec::new(), Vec::new());
    for route in &graph.routes {
        let own = route.parents.iter().filter(|it| it.is_attached && it.gateway == key);
        let mut hosts: Vec<&str> =
            own.flat_map(|it| &it.hosts).flat_map(|(_, hosts)| hosts).map(|it| &**it).collect();
        hosts.dedup();
        let sources = route.object.spec().items_at(&["rules"]);
        for (source, backends) in sources.iter().zip(&route.backends) {
            let to: Vec<&str> = backends.iter().map(|it| &*it.service.name).collect();
            let to = if to.is_empty() { "…".to_owned() } else { to.join(", ") };
            let matches = source.items_at(&["matches"]).first();
            let path = matches.and_then(|it| it.str_at(&["path", "value"])).unwrap_or("/");
            rules.extend(hosts.iter().map(|host| {
                let host = if host.is_empty() { "*" } else { host };
                format!("{host}{path} → {to}")
            }));
            for backend in backends.iter().filter(|_| !hosts.is_empty()) {
                let (namespace, name) = (&backend.service.namespace, &backend.service.name);
                let id = ObjectId::new(Kind::Service, namespace, name);
                if !behind.contains(&id) {
                    behind.push(id);
                }
            }
        }
    }
    let address = object.status().items_at(&["addresses"]).first();
    let address = address.and_then(|it| it.str_at(&["value"])).unwrap_or_default();
    let chip = IngressChip {
        id: ObjectId::of(object),
        rules,
        leads_to: Vec::new(),
        class: class.into(),
        address: address.into(),
    };
    (chip, behind)
}
