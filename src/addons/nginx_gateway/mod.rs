//! The control loop of NGINX Gateway Fabric: for each Gateway of its class it makes an nginx and a
//! Service in front of it, and it says of Gateways and HTTPRoutes whether it takes them.
//!
//! It acts where a pod of its control plane runs, whoever installed it. What it decides is worked out
//! in `trace::gateway`.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/handler.go and internal/controller/status.
//!
//! Reading order: this file, `objects`.

mod objects;

use super::has_running_pod;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Key, Plan, Store, Write};
use crate::trace::gateway::{self, Condition, Fabric, GROUP, Gateway, Graph, Route};
use serde_json::json;

const NAME: &str = "nginx-gateway";
/// The group of the controller's own kinds.
const OWN_GROUP: &str = "gateway.nginx.org";

/// The control loop. Its keys are the workloads of control planes, each of which looks at everything
/// that is its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct NginxGateway;

impl crate::store::Controller for NginxGateway {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let concerns = match change.kind {
            Kind::Service | Kind::Secret | Kind::Namespace | Kind::Deployment => {
                gateway::objects(store, "Gateway").next().is_some()
            }
            Kind::Pod => change.object().is_some_and(|pod| is_own(pod)),
            kind => matches!(kind.resource().group, GROUP | OWN_GROUP),
        };
        if !concerns {
            return Vec::new();
        }
        let workloads = store.list(Kind::Deployment);
        let own = workloads.filter(|workload| Fabric::of_workload(workload).is_some());
        own.map(|workload| Key::of(workload)).collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let found = store.get(key.kind, &key.object).and_then(|workload| {
            let fabric = Fabric::of_workload(workload)?;
            has_running_pod(store, workload).then_some(fabric)
        });
        let Some(fabric) = found else { return Plan::default() };
        let graph = Graph::of(store, &fabric.class, &fabric.controller);
        let mut writes: Vec<Write> = class_status(store, &graph, now).into_iter().collect();
        for gateway in graph.gateways.values() {
            if gateway.is_valid && !gateway.listeners.is_empty() {
                writes.extend(objects::writes(store, &fabric, &graph, gateway));
            }
            writes.extend(gateway_status(store, &fabric, gateway, now));
        }
        let routes = graph.routes.iter();
        writes.extend(routes.filter_map(|route| route_status(&fabric, route, now)));
        Plan::of(writes)
    }
}

/// Whether a pod is of a control plane.
fn is_own(pod: &Object) -> bool {
    let containers = pod.pod().map(|pod| pod.spec.containers.as_slice()).unwrap_or_default();
    containers
        .iter()
        .any(|it| it.command.iter().any(|word| word.starts_with("--gateway-ctlr-name")))
}

fn values(conditions: &[Condition], object: &Object, now: SimTime) -> Vec<Value> {
    let generation = object.meta.generation;
    conditions.iter().map(|condition| condition.to_value(generation, now)).collect()
}

/// A new status, unless nothing but times would change.
fn written(object: &Object, status: Value) -> Option<Write> {
    fn bare(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let kept = fields.iter().filter(|(name, _)| *name != "lastTransitionTime");
                Value::Object(kept.map(|(name, value)| (name.clone(), bare(value))).collect())
            }
            Value::Array(items) => Value::Array(items.iter().map(bare).collect()),
            other => other.clone(),
        }
    }
    if bare(&status) == bare(object.status()) {
        return None;
    }
    let mut new = object.clone();
    new.set_status(status);
    Some(Write::UpdateStatus(Box::new(new)))
}

/// Models PrepareGatewayClassRequests.
///
/// Simplified: the list of features that are supported is left out.
fn class_status(store: &Store, graph: &Graph, now: SimTime) -> Option<Write> {
    let class = graph.class.as_ref()?;
    let condition = |kind, status, reason, message: &str| Condition {
        kind,
        status,
        reason,
        message: message.to_owned(),
    };
    let mut all = vec![
        condition("Accepted", true, "Accepted", "The GatewayClass is accepted"),
        condition(
            "SupportedVersion",
            true,
            "SupportedVersion",
            "The Gateway API CRD versions are supported",
        ),
    ];
    if class.spec().get("parametersRef").is_some() {
        match objects::parameters(store, class) {
            Some(_) => {
                let message = "The ParametersRef resource is resolved";
                all.push(condition("ResolvedRefs", true, "ResolvedRefs", message));
            }
            None => {
                let name = class.spec().str_at(&["parametersRef", "name"]).unwrap_or_default();
                let message = "The ParametersRef resource could not be found";
                all.push(condition("ResolvedRefs", false, "ParametersRefNotFound", message));
                let message = format!(
                    "The GatewayClass is accepted, but ParametersRef is ignored due to an error: spec.parametersRef.name: Not found: \"{name}\""
                );
                all.push(condition("Accepted", true, "InvalidParameters", &message));
            }
        }
    }
    let conditions = values(&Condition::distinct(all), class, now);
    written(class, json!({"conditions": conditions}))
}

/// Models prepareGatewayRequest and getGatewayAddressesForStatus.
fn gateway_status(
    store: &Store,
    fabric: &Fabric,
    gateway: &Gateway,
    now: SimTime,
) -> Option<Write> {
    let object = &gateway.object;
    let conditions = values(&gateway.status_conditions(), object, now);
    if !gateway.is_valid {
        return written(object, json!({"conditions": conditions}));
    }
    let listeners = gateway.listeners.iter().map(|listener| {
        json!({
            "attachedRoutes": listener.routes,
            "conditions": values(&listener.status_conditions(), object, now),
            "name": *listener.name,
            "supportedKinds": listener.kinds,
        })
    });
    let listeners: Vec<Value> = listeners.collect();
    let name = fabric.resource_name(&object.meta.name);
    let service = store.find(Kind::Service, &object.meta.namespace, &name);
    let addresses = service.map(|service| addresses(service, object)).unwrap_or_default();
    let mut status = json!({
        "attachedListenerSets": 0,
        "conditions": conditions,
        "listeners": listeners,
    });
    if !addresses.is_empty() {
        status.put(&["addresses"], addresses);
    }
    written(object, status)
}

fn addresses(service: &Object, gateway: &Object) -> Vec<Value> {
    let address = |kind: &str, value: &str| json!({"type": kind, "value": value});
    let (mut ips, mut names) = (Vec::new(), Vec::new());
    match service.spec().str_at(&["type"]) {
        Some("LoadBalancer") => {
            for one in service.status().items_at(&["loadBalancer", "ingress"]) {
                match (one.str_at(&["ip"]), one.str_at(&["hostname"])) {
                    (Some(ip), _) => ips.push(address("IPAddress", ip)),
                    (None, Some(name)) => names.push(address("Hostname", name)),
                    (None, None) => {}
                }
            }
        }
        _ => {
            let own = service.spec().str_at(&["clusterIP"]);
            ips.extend(own.map(|ip| address("IPAddress", ip)));
        }
    }
    let asked = gateway.spec().items_at(&["addresses"]).iter();
    let asked = asked.filter_map(|it| it.str_at(&["value"]));
    ips.extend(asked.map(|ip| address("IPAddress", ip)));
    ips.extend(names);
    ips
}

/// Models prepareRouteStatus and newHTTPRouteStatusSetter: what other controllers say stays.
fn route_status(fabric: &Fabric, route: &Route, now: SimTime) -> Option<Write> {
    let object = &route.object;
    let own = route.reported().into_iter().map(|parent| {
        let mut reference = json!({
            "group": GROUP,
            "kind": "Gateway",
            "name": *parent.gateway.name,
            "namespace": *parent.gateway.namespace,
        });
        if let Some(section) = &parent.section {
            reference.put(&["sectionName"], &**section);
        }
        json!({
            "conditions": values(&route.status_conditions(&parent), object, now),
            "controllerName": fabric.controller,
            "parentRef": reference,
        })
    });
    let others = object.status().items_at(&["parents"]).iter();
    let others = others.filter(|it| it.str_at(&["controllerName"]) != Some(&fabric.controller));
    let parents: Vec<Value> = own.chain(others.cloned()).collect();
    written(object, json!({"parents": parents}))
}
