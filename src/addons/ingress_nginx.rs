//! The control loop of ingress-nginx: it takes the Ingresses of its class and says at which address
//! they are reached. The requests themselves are served by its pods (see `trace`).
//!
//! Models kubernetes/ingress-nginx internal/ingress/status and internal/ingress/controller/store.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, Key, Plan, Store, Write};
use serde_json::json;
use std::sync::Arc;

const NAME: &str = "nginx-ingress-controller";
const CONTROLLER: &str = "k8s.io/ingress-nginx";
const NAMESPACE: &str = "ingress-nginx";
const SERVICE: &str = "ingress-nginx-controller";
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";
const DEFAULT_CLASS: &str = "ingressclass.kubernetes.io/is-default-class";

/// The control loop of the ingress controller.
#[derive(Clone, Copy, Debug)]
pub(super) struct IngressNginx;

impl Controller for IngressNginx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        match change.kind {
            Kind::Ingress => vec![Key { kind: change.kind, object: change.key.clone() }],
            Kind::Service if is_published(change) => every_ingress(store),
            Kind::IngressClass => every_ingress(store),
            _ => Vec::new(),
        }
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(ingress) = store.get(key.kind, &key.object) else { return Plan::default() };
        if !is_ours(store, ingress) {
            return Plan::default();
        }
        let Some(service) = store.find(Kind::Service, NAMESPACE, SERVICE) else {
            return Plan::default();
        };
        let wanted = addresses(service);
        let old = ingress.status().items_at(&["loadBalancer", "ingress"]);
        if old == wanted {
            return Plan::default();
        }
        let mut new = (**ingress).clone();
        let mut status = ingress.status().clone();
        status.put(&["loadBalancer", "ingress"], wanted);
        new.set_status(status);
        let message = "Scheduled for sync".to_owned();
        Plan::of(vec![
            Write::event(ingress.reference(), false, "Sync", message, NAME, now),
            Write::UpdateStatus(Box::new(new)),
        ])
    }
}

fn is_published(change: &Change) -> bool {
    &*change.key.namespace == NAMESPACE && &*change.key.name == SERVICE
}

fn every_ingress(store: &Store) -> Vec<Key> {
    store.list(Kind::Ingress).map(|ingress| Key::of(ingress)).collect()
}

fn is_class_of_ours(class: &Object) -> bool {
    class.spec().str_at(&["controller"]) == Some(CONTROLLER)
}

/// Whether an Ingress names a class of ours, or none while ours is the default one.
fn is_ours(store: &Store, ingress: &Arc<Object>) -> bool {
    let named = ingress.spec().str_at(&["ingressClassName"]);
    let named = named.or_else(|| ingress.meta.annotations.get(CLASS_ANNOTATION));
    match named {
        Some(name) => store.find(Kind::IngressClass, "", name).is_some_and(|c| is_class_of_ours(c)),
        None => store.list(Kind::IngressClass).any(|class| {
            is_class_of_ours(class) && class.meta.annotations.get(DEFAULT_CLASS) == Some("true")
        }),
    }
}

/// The addresses at which the controller's own Service is reached.
fn addresses(service: &Object) -> Vec<Value> {
    let external = service.status().items_at(&["loadBalancer", "ingress"]).iter();
    external.filter_map(|ingress| Some(json!({"ip": ingress.str_at(&["ip"])?}))).collect()
}
