//! Many requests over one connection (keep-alive): the connection is opened once, and only what
//! stands at its end chooses anew.

use super::hop::{Cause, Outcome, PacketTrace};
use super::path::Tracer;
use super::{Cluster, Network, Request};
use crate::base::Rng;
use crate::net::dice::Dice;

impl Network {
    /// Sends `count` requests over one connection: the first with its whole way, and how all of
    /// them ended. When the connection breaks, all that would have followed are lost too.
    pub fn send_kept(
        &mut self,
        cluster: &Cluster<'_>,
        request: &Request,
        count: u32,
        rng: &mut Rng,
    ) -> (PacketTrace, Vec<Outcome>) {
        self.refresh(cluster);
        let mut tracer = Tracer::new(cluster, self, Dice::Drawn(rng));
        let mut outcomes = Vec::new();
        let mut first = None;
        let opened = tracer.connect(request);
        for _ in 0..count {
            let outcome = match &opened {
                Ok((destination, arrival)) => tracer.ask(request, *destination, arrival),
                Err(failure) => Err(failure.clone()),
            };
            outcomes.push(outcome.unwrap_or_else(Outcome::Failed));
            let own = (core::mem::take(&mut tracer.hops), core::mem::take(&mut tracer.waited));
            first.get_or_insert(own);
        }
        let examined = tracer.examined;
        let ttl = super::FIRST_TTL.saturating_sub(tracer.forwards);
        let outcome = outcomes.first().cloned().unwrap_or_else(|| {
            let (cause, manner) = (Cause::Loop, super::Manner::NotSent);
            Outcome::Failed(super::Failure { cause, manner, at: 0 })
        });
        let (hops, waited) = first.unwrap_or_default();
        (PacketTrace { request: request.clone(), hops, examined, waited, ttl, outcome }, outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fixture, source};
    use super::*;
    use crate::proxy::Mode;
    use serde_json::json;
    use std::collections::BTreeSet;

    #[test]
    fn one_connection_stays_with_one_pod_and_new_ones_spread() {
        let mut it = Fixture::new(Mode::Iptables);
        for node in 1..=3 {
            it.pod(&format!("demo/web-{node}"), node, 2, json!({"app": "web"}));
        }
        let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30_080}]);
        let spec = json!({"type": "NodePort", "clusterIP": "10.96.0.80", "ports": ports});
        it.service("demo/web", spec, &[(1, 2), (2, 2), (3, 2)]);
        let url = "http://172.18.0.3:30080";
        let request = Request::from_url(source("8.8.8.8"), url).unwrap();
        let disks = crate::container::Trees::new();
        let (store, nodes) = (&it.store, &it.nodes);
        let cluster = Cluster { store, nodes, disks: &disks, now: it.now };
        let (first, kept) = it.network.send_kept(&cluster, &request, 30, &mut it.rng);
        let who_of = |outcome: &Outcome| match outcome {
            Outcome::Answered { server, .. } => server.to_string(),
            Outcome::Failed(failure) => failure.to_string(),
        };
        let who: BTreeSet<_> = kept.iter().map(who_of).collect();
        assert_eq!((kept.len(), who.len()), (30, 1));
        assert!(first.is_answered() && first.hops.len() > 10, "its whole way is told");
        let anew: BTreeSet<_> = (0..30).map(|_| who_of(&it.get("8.8.8.8", url).outcome)).collect();
        assert_eq!(anew.len(), 3);
    }
}
