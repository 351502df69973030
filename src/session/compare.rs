//! The same request with the same chance in a cluster where one thing is different.

use super::model::Model;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::proxy::Mode;
use crate::store::{ObjectKey, Store};
use crate::trace::{PacketTrace, Source};
use crate::world::World;
use core::time::Duration;
use std::sync::Arc;

/// How long a change has until every node's kube-proxy has written its rules.
const SETTLES: Duration = Duration::from_secs(3);

/// The one thing that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// How kube-proxy works, in place of how it does.
    Mode(Mode, Mode),
    /// `externalTrafficPolicy` of a Service, in place of what it is.
    External(ObjectKey, &'static str, &'static str),
    /// `sessionAffinity` of a Service, in place of what it is.
    Affinity(ObjectKey, &'static str, &'static str),
}

impl Change {
    /// How it is now, in Kubernetes' words.
    pub fn now(&self) -> String {
        match self {
            Change::Mode(now, _) => format!("kube-proxy: {}", now.name()),
            Change::External(_, now, _) => format!("externalTrafficPolicy: {now}"),
            Change::Affinity(_, now, _) => format!("sessionAffinity: {now}"),
        }
    }

    /// How it would be.
    pub fn then(&self) -> String {
        match self {
            Change::Mode(_, then) => format!("kube-proxy: {}", then.name()),
            Change::External(_, _, then) => format!("externalTrafficPolicy: {then}"),
            Change::Affinity(_, _, then) => format!("sessionAffinity: {then}"),
        }
    }

    /// The console's line for it.
    pub fn command(&self) -> String {
        let patch = |service: &ObjectKey, field: &str, value: &str| {
            let (namespace, name) = (&service.namespace, &service.name);
            format!(
                r#"kubectl patch service {name} -n {namespace} -p '{{"spec":{{"{field}":"{value}"}}}}'"#
            )
        };
        match self {
            Change::Mode(_, then) => format!("proxy mode {}", then.name()),
            Change::External(service, _, then) => patch(service, "externalTrafficPolicy", then),
            Change::Affinity(service, _, then) => patch(service, "sessionAffinity", then),
        }
    }
}

/// What is worth changing for a request.
pub(super) fn changes(world: &World, trace: &PacketTrace) -> Vec<Change> {
    let mut changes = Vec::new();
    let service = asked_service(world.store(), trace);
    if let Some(service) = &service {
        let (key, spec) = (ObjectKey::of(service), service.spec());
        let is_open = matches!(spec.str_at(&["type"]), Some("NodePort" | "LoadBalancer"));
        if is_open && matches!(trace.request.from, Source::Internet { .. }) {
            let is_local = spec.str_at(&["externalTrafficPolicy"]) == Some("Local");
            let (now, then) = if is_local { ("Local", "Cluster") } else { ("Cluster", "Local") };
            changes.push(Change::External(key.clone(), now, then));
        }
        let is_sticky = spec.str_at(&["sessionAffinity"]) == Some("ClientIP");
        let (now, then) = if is_sticky { ("ClientIP", "None") } else { ("None", "ClientIP") };
        changes.push(Change::Affinity(key, now, then));
    }
    let now = world.proxy_mode();
    let others = Mode::ALL.into_iter().filter(|mode| *mode != now);
    changes.extend(others.map(|mode| Change::Mode(now, mode)));
    changes
}

/// The Service whose address or port a request asks.
pub(super) fn asked_service(store: &Store, trace: &PacketTrace) -> Option<Arc<Object>> {
    let first = trace.hops.iter().find_map(|hop| hop.packet)?.0.destination;
    let ip = first.ip.to_string();
    let is_it = |service: &&Arc<Object>| {
        let spec = service.spec();
        let external = service.status().items_at(&["loadBalancer", "ingress"]);
        let mut ports =
            spec.items_at(&["ports"]).iter().filter_map(|port| port.int_at(&["nodePort"]));
        spec.str_at(&["clusterIP"]) == Some(&ip)
            || external.iter().any(|one| one.str_at(&["ip"]) == Some(&ip))
            || ports.any(|port| port == i64::from(first.port))
    };
    store.list(Kind::Service).find(is_it).cloned()
}

/// Sends the request that is followed in a copy of the cluster where one thing is different. What
/// it meets there is all that can differ: the lots are the same.
pub(super) fn compare(model: &mut Model, change: &Change) -> Option<Arc<PacketTrace>> {
    let trace = model.journey.as_ref()?.trace.clone();
    let known = model.tracer.before.clone().filter(|(own, _)| Arc::ptr_eq(own, &trace));
    let before = match known {
        Some((_, before)) => before,
        None => {
            let before = model.world.clone();
            let again = before.clone().send(&trace.request);
            model.follow(again);
            before
        }
    };
    let mut console = model.console.clone();
    let change = |world: &mut World| {
        console.execute(world, &change.command(), None);
        world.run_for(SETTLES);
    };
    Some(before.side_by_side(change, &trace.request).right)
}

#[cfg(test)]
mod tests {
    use super::super::{Model, Msg, Opening, TraceMsg, update};
    use super::*;
    use crate::trace::Outcome;

    #[test]
    fn what_is_compared_differs_in_the_one_thing_and_leaves_the_cluster_alone() {
        let mut model = Model::new(Opening::default());
        model.world.run_for(core::time::Duration::from_secs(20));
        update(&mut model, Msg::Send);
        let revision = model.world.store().revision();
        let offers = model.journey.as_ref().unwrap().changes.clone();
        let said: Vec<String> = offers.iter().map(Change::then).collect();
        let expected = [
            "externalTrafficPolicy: Local",
            "kube-proxy: ipvs",
            "kube-proxy: nftables",
            "sessionAffinity: ClientIP",
        ];
        let mut sorted = said.clone();
        crate::base::order::sort_by_key(&mut sorted, String::clone);
        assert_eq!(sorted, expected, "{said:?}");
        let local = offers.iter().position(|it| matches!(it, Change::External(..))).unwrap();
        update(&mut model, Msg::Trace(TraceMsg::Compare(local)));
        let (_, other) = model.tracer.comparison.clone().unwrap();
        let own = model.journey.as_ref().unwrap().trace.clone();
        let sees = |trace: &PacketTrace| match &trace.outcome {
            Outcome::Answered { sees, .. } => sees.to_string(),
            Outcome::Failed(failure) => failure.to_string(),
        };
        assert_eq!((sees(&own), sees(&other)), ("172.18.0.3".into(), "198.51.100.7".into()));
        let port = |trace: &PacketTrace| trace.hops[0].packet.unwrap().0.source.port;
        assert_eq!(port(&own), port(&other), "the same chance");
        assert_eq!(model.world.store().revision(), revision);
        assert_eq!(model.world.proxy_mode(), Mode::Iptables);
    }
}
