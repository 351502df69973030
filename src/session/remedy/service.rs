//! What mends a Service: its selector, its ports, its policies, and the pods behind it.

use super::super::compare::asked_service;
use super::{Mender, named, patch};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, StringMap, Value};
use crate::store::ObjectKey;
use crate::trace::hop::WhyNoEndpoints;
use crate::trace::{Cause, Place, why_no_endpoints};
use serde_json::json;
use std::sync::Arc;

/// What keeps a node from load balancers.
const EXCLUDE: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

impl Mender<'_> {
    pub(super) fn of_service(&self, cause: &Cause) -> Option<String> {
        match cause {
            Cause::NoEndpoints { service, why } => self.no_endpoints(service, why),
            Cause::NoAddress(service) => {
                let Cause::NoEndpoints { why, .. } = why_no_endpoints(&self.cluster, service)
                else {
                    return None;
                };
                self.no_endpoints(service, &why)
            }
            Cause::NoLocalEndpoints { service, .. } => self.everywhere(service),
            Cause::NothingListens { pod, port } => {
                let pod = self.store.get(Kind::Pod, pod)?;
                let target = first_port(pod).filter(|target| target != port)?;
                match asked_service(self.store, self.trace) {
                    Some(service) => target_port(&service, *port, target),
                    None => self.again(|request| request.port = target),
                }
            }
            Cause::NodePortOnLoopback { node, .. } => {
                let machine = self.cluster.machine(node)?;
                self.again(|request| request.host = Arc::from(machine.ip.to_string()))
            }
            Cause::NotANodePort { port, .. } => {
                let port = self.near_node_port(*port)?;
                self.again(|request| request.port = port)
            }
            Cause::SourceRange { service } => {
                let packet = self.packet_at(|hop| matches!(hop.place, Place::Rule(..)))?;
                let range = format!("{}/32", packet.source.ip);
                let path = "/spec/loadBalancerSourceRanges/-";
                patch("service", service, &json!([{"op": "add", "path": path, "value": range}]))
            }
            Cause::NoHealthyNode(service) => self.no_node(service),
            Cause::NoEcho(service) => {
                let service = self.store.get(Kind::Service, service)?;
                let port = service.spec().items_at(&["ports"]).first()?.int_at(&["port"])?;
                let port = u16::try_from(port).ok()?;
                self.again(|request| request.port = port)
            }
            _ => None,
        }
    }

    /// Who knows no names of the cluster can ask a Service by its address.
    pub(super) fn by_cluster_ip(&self, service: &ObjectKey) -> Option<String> {
        let ip = self.store.get(Kind::Service, service)?.spec().str_at(&["clusterIP"])?;
        let ip: std::net::IpAddr = ip.parse().ok()?;
        self.again(|request| request.host = Arc::from(ip.to_string()))
    }

    /// Lets a Service's packets go to any node.
    pub(super) fn everywhere(&self, service: &ObjectKey) -> Option<String> {
        let spec = self.store.get(Kind::Service, service)?.spec();
        let local = ["externalTrafficPolicy", "internalTrafficPolicy"].into_iter();
        let mut fields = serde_json::Map::new();
        for field in local.filter(|field| spec.str_at(&[field]) == Some("Local")) {
            fields.insert(field.to_owned(), "Cluster".into());
        }
        (!fields.is_empty()).then(|| patch("service", service, &json!({"spec": fields})))?
    }

    /// A load balancer has no node: they are down, or labelled so, or without the Service's pods.
    fn no_node(&self, service: &ObjectKey) -> Option<String> {
        let labelled = self.store.list(Kind::Node).find(|node| {
            let role = node.meta.labels.get("node-role.kubernetes.io/control-plane");
            role.is_none() && node.meta.labels.get(EXCLUDE).is_some()
        });
        self.stopped_node()
            .or_else(|| Some(format!("kubectl label node {} {EXCLUDE}-", labelled?.meta.name)))
            .or_else(|| self.of_service(&why_no_endpoints(&self.cluster, service)))
            .or_else(|| self.everywhere(service))
    }

    fn no_endpoints(&self, service: &ObjectKey, why: &WhyNoEndpoints) -> Option<String> {
        if let Some(near) = why.nearly.first() {
            // A label that the pods do not have is not asked for any more.
            let label = json!({&*near.key: near.has.as_deref()});
            return patch("service", service, &json!({"spec": {"selector": label}}));
        }
        let object = self.store.get(Kind::Service, service)?;
        let selector = Selector::from_map(object.spec().get("selector"));
        if why.selector.is_empty() {
            return None;
        }
        if let Some(unknown) = &why.unknown_target_port {
            let pod = self.store.pods_matching(&service.namespace, &selector).next()?;
            let is_it = |port: &&Value| port.str_at(&["targetPort"]) == Some(unknown);
            let port = object.spec().items_at(&["ports"]).iter().find(is_it)?.int_at(&["port"])?;
            return set_target_port(service, port, first_port(pod)?);
        }
        if let Some(name) = why.not_ready.first() {
            let pod = self.store.find(Kind::Pod, &service.namespace, name)?;
            let describe = || Some(format!("kubectl describe pod {}", named(&ObjectKey::of(pod))));
            return self.start_node_of(pod).or_else(|| self.undo(pod)).or_else(describe);
        }
        let workloads = [Kind::Deployment, Kind::StatefulSet].into_iter();
        let mut all = workloads.flat_map(|kind| self.store.list_in(kind, &service.namespace));
        let scaled_away = all.find(|it| {
            it.spec().int_at(&["replicas"]) == Some(0) && selects_template(&selector, it)
        })?;
        let key = ObjectKey::of(scaled_away);
        let count = if &*key.name == "coredns" { 2 } else { 1 };
        let kind = scaled_away.kind.resource().singular;
        Some(format!("kubectl scale {kind} {} --replicas={count}", named(&key)))
    }

    /// Takes back what a Deployment was changed to last, if its pods are not ready since.
    fn undo(&self, pod: &Object) -> Option<String> {
        let deployments = self.store.list_in(Kind::Deployment, &pod.meta.namespace);
        let owner = deployments.into_iter().find(|it| {
            let selector = Selector::from_label_selector(it.spec().get("selector"));
            selector.is_some_and(|selector| selector.matches(&pod.meta.labels))
        })?;
        let revision = owner.meta.annotations.get("deployment.kubernetes.io/revision");
        let is_changed = revision.is_some_and(|revision| revision != "1");
        let key = ObjectKey::of(owner);
        is_changed.then(|| format!("kubectl rollout undo deployment {}", named(&key)))
    }

    /// The node port that somebody meant who mistook a figure.
    fn near_node_port(&self, asked: u16) -> Option<u16> {
        let services = self.store.list(Kind::Service);
        let ports = services.flat_map(|service| service.spec().items_at(&["ports"]));
        let ports = ports.filter_map(|port| u16::try_from(port.int_at(&["nodePort"])?).ok());
        ports.filter(|port| port.abs_diff(asked) < 10).min_by_key(|port| port.abs_diff(asked))
    }

    /// The port at which a Deployment's containers listen.
    pub(super) fn expose(&self, service: &ObjectKey, port: u16) -> Option<String> {
        let object = self.store.get(Kind::Deployment, service)?;
        let containers = object.spec().items_at(&["template", "spec", "containers"]);
        let mut ports = containers.iter().flat_map(|own| own.items_at(&["ports"]));
        let target = ports.next().and_then(|port| port.int_at(&["containerPort"]));
        let target = target.map(|target| format!(" --target-port={target}")).unwrap_or_default();
        Some(format!("kubectl expose deployment {} --port={port}{target}", named(service)))
    }
}

fn selects_template(selector: &Selector, workload: &Arc<Object>) -> bool {
    let labels = workload.spec().at(&["template", "metadata", "labels"]);
    selector.matches(&StringMap::from_value(labels))
}

/// The Service's port that leads to `port` is led to `target`.
fn target_port(service: &Object, port: u16, target: u16) -> Option<String> {
    let leads_there = |own: &&Value| {
        let target = own.int_at(&["targetPort"]).or_else(|| own.int_at(&["port"]));
        target == Some(i64::from(port))
    };
    let own = service.spec().items_at(&["ports"]).iter().find(leads_there)?;
    set_target_port(&ObjectKey::of(service), own.int_at(&["port"])?, target)
}

fn set_target_port(service: &ObjectKey, port: i64, target: u16) -> Option<String> {
    let ports = json!([{"port": port, "targetPort": target}]);
    patch("service", service, &json!({"spec": {"ports": ports}}))
}

fn first_port(pod: &Object) -> Option<u16> {
    let containers = pod.pod()?.spec.containers.iter();
    containers.flat_map(|container| &container.ports).map(|port| port.container_port).next()
}
