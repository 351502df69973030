//! The command that mends what stopped a request, where one is obvious.

use super::compare::asked_service;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::store::{ObjectKey, Store};
use crate::trace::hop::WhyNoEndpoints;
use crate::trace::{Cause, Outcome, PacketTrace, Place};
use std::sync::Arc;

/// The command, if the request failed and one is obvious.
pub(super) fn remedy(store: &Store, trace: &PacketTrace) -> Option<String> {
    let Outcome::Failed(failure) = &trace.outcome else { return None };
    of_cause(store, trace, failure.at, &failure.cause)
}

fn of_cause(store: &Store, trace: &PacketTrace, at: u32, cause: &Cause) -> Option<String> {
    let patch = |service: &ObjectKey, patch: &str| {
        Some(format!("kubectl patch service {} -p '{patch}'", named(service)))
    };
    match cause {
        Cause::NoNameServer { why, .. } => match &**why {
            Cause::NoEndpoints { service, .. } if &*service.name == "kube-dns" => {
                dns_servers(store).or_else(|| of_cause(store, trace, at, why))
            }
            why => of_cause(store, trace, at, why),
        },
        Cause::NoEndpoints { service, why } => no_endpoints(store, service, why),
        Cause::NoLocalEndpoints { service, .. } => {
            patch(service, r#"{"spec":{"externalTrafficPolicy":"Cluster"}}"#)
        }
        Cause::NothingListens { pod, port } => {
            let pod = store.get(Kind::Pod, pod)?;
            let service = asked_service(store, trace)?;
            target_port(&service, pod, *port)
        }
        Cause::SourceRange { service } => Some(format!(
            r#"kubectl patch service {} --type=json -p '[{{"op":"remove","path":"/spec/loadBalancerSourceRanges"}}]'"#,
            named(service)
        )),
        Cause::NodeDown(node) => Some(format!("node start {node}")),
        Cause::Policy { policies, .. } => {
            let first = policies.first()?;
            Some(format!("kubectl describe networkpolicy {}", named(first)))
        }
        Cause::RuleByHand { .. } => by_hand(trace, at),
        _ => None,
    }
}

/// CoreDNS gets its pods back, if it is told to have none.
fn dns_servers(store: &Store) -> Option<String> {
    let coredns = store.find(Kind::Deployment, "kube-system", "coredns")?;
    let is_none = coredns.spec().int_at(&["replicas"]) == Some(0);
    is_none.then(|| "kubectl scale deployment coredns -n kube-system --replicas=2".to_owned())
}

/// `web -n shop`, or `web` in the default namespace.
fn named(key: &ObjectKey) -> String {
    match &*key.namespace {
        "default" => key.name.to_string(),
        namespace => format!("{} -n {namespace}", key.name),
    }
}

fn no_endpoints(store: &Store, service: &ObjectKey, why: &WhyNoEndpoints) -> Option<String> {
    if let Some(near) = why.nearly.first() {
        let has = near.has.as_ref()?;
        let name = named(service);
        let (key, has) = (serde_json::Value::from(&*near.key), serde_json::Value::from(&**has));
        return Some(format!(
            r#"kubectl patch service {name} -p '{{"spec":{{"selector":{{{key}:{has}}}}}}}'"#
        ));
    }
    let object = store.get(Kind::Service, service)?;
    if let Some(unknown) = &why.unknown_target_port {
        let pods = store.list_in(Kind::Pod, &service.namespace);
        let selected = |pod: &&Arc<Object>| {
            let wanted = &why.selector;
            !wanted.is_empty()
                && wanted.iter().all(|label| {
                    label
                        .split_once('=')
                        .is_some_and(|(key, value)| pod.meta.labels.get(key) == Some(value))
                })
        };
        let pod = pods.into_iter().find(selected)?;
        let is_it = |port: &&serde_json::Value| port.str_at(&["targetPort"]) == Some(unknown);
        let port = object.spec().items_at(&["ports"]).iter().find(is_it)?.int_at(&["port"])?;
        return set_target_port(service, port, first_port(pod)?);
    }
    let pod = why.not_ready.first()?;
    let pod = ObjectKey { namespace: service.namespace.clone(), name: pod.clone() };
    Some(format!("kubectl describe pod {}", named(&pod)))
}

/// The Service's port that leads to `port` is led to the first that a pod's containers name.
fn target_port(service: &Object, pod: &Object, port: u16) -> Option<String> {
    let leads_there = |own: &&serde_json::Value| {
        let target = own.int_at(&["targetPort"]).or_else(|| own.int_at(&["port"]));
        target == Some(i64::from(port))
    };
    let own = service.spec().items_at(&["ports"]).iter().find(leads_there)?;
    set_target_port(&ObjectKey::of(service), own.int_at(&["port"])?, first_port(pod)?)
}

fn set_target_port(service: &ObjectKey, port: i64, target: u16) -> Option<String> {
    let name = named(service);
    Some(format!(
        r#"kubectl patch service {name} -p '{{"spec":{{"ports":[{{"port":{port},"targetPort":{target}}}]}}}}'"#
    ))
}

fn first_port(pod: &Object) -> Option<u16> {
    let containers = pod.pod()?.spec.containers.iter();
    containers.flat_map(|container| &container.ports).map(|port| port.container_port).next()
}

/// `-A INPUT …` becomes `iptables -D INPUT …` on its node.
fn by_hand(trace: &PacketTrace, at: u32) -> Option<String> {
    let hop = trace.hops.get(usize::try_from(at).ok()?)?;
    let Place::Rule(node, rule) = &hop.place else { return None };
    let text = rule.text();
    let rest = text.strip_prefix("-A ")?;
    let program = match rule.family {
        crate::net::Family::V4 => "iptables",
        crate::net::Family::V6 => "ip6tables",
    };
    Some(format!("node run {node} -- {program} -t {} -D {rest}", rule.table))
}
