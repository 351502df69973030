//! What chance makes of a request: every way that it can go, and how likely each is.
//!
//! Nothing is drawn: each draw is taken each way in turn, so that shares are exact, whether they
//! come from kube-proxy's rules, from a load balancer's choice of a node, or from both.

use super::cluster::Cluster;
use super::hop::{Cause, Outcome, PacketTrace, Place, Server};
use super::network::Network;
use super::request::Request;
use crate::base::order;
use crate::net::dice::{Dice, Path, Share};

/// How many ways are gone at most; the rest is [`Chances::unknown`].
const MOST_WAYS: u32 = 4096;

/// Where a request can end, and how likely it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Chance {
    /// Who answers, or why nobody does.
    pub end: Result<Server, Cause>,
    /// How likely.
    pub share: Share,
}

/// All that can become of a request that is sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct Chances {
    /// Where it can end: who answers first, by name; then why nobody does.
    pub ends: Vec<Chance>,
    /// How many there are beyond those that were looked at: nothing, but in very large Services.
    pub unknown: Share,
}

impl Chances {
    /// How likely this one answers.
    pub fn of(&self, server: &Server) -> Share {
        let found = self.ends.iter().find(|it| it.end.as_ref().is_ok_and(|own| own == server));
        found.map_or(Share::NONE, |chance| chance.share)
    }

    fn add(&mut self, outcome: Outcome, share: Share) {
        let end = match outcome {
            Outcome::Answered { server, .. } => Ok(server),
            Outcome::Failed(failure) => Err(failure.cause),
        };
        match self.ends.iter_mut().find(|chance| chance.end == end) {
            Some(known) => known.share = known.share.and(share),
            None => self.ends.push(Chance { end, share }),
        }
    }
}

impl Network {
    /// Where a request that is sent now can end, and how likely each end is. Nothing is changed.
    pub fn chances(&self, cluster: &Cluster<'_>, request: &Request) -> Chances {
        let mut start = self.clone();
        start.refresh(cluster);
        start.is_trial = true;
        let mut chances = Chances { ends: Vec::new(), unknown: Share::NONE };
        let (mut path, mut found, mut is_whole) = (Path::default(), Share::NONE, false);
        for _ in 0..MOST_WAYS {
            // Each way begins with what nodes remember now.
            let trace = start.clone().send_by(cluster, request, Dice::Followed(&mut path));
            start.prepare(&trace);
            let share = path.share();
            found = found.and(share);
            chances.add(trace.outcome, share);
            if !path.turn() {
                is_whole = true;
                break;
            }
        }
        if !is_whole {
            chances.unknown = found.rest();
        }
        order::sort_by_key(&mut chances.ends, |chance| match &chance.end {
            Ok(server) => (0, server.to_string()),
            Err(cause) => (1, cause.to_string()),
        });
        chances
    }

    /// Makes the rules of the nodes that a packet passed, so that they are made once for all ways.
    fn prepare(&mut self, trace: &PacketTrace) {
        for hop in &trace.hops {
            if let Place::Node(node) = &hop.place {
                self.ruleset(node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::Mode;
    use crate::trace::fixture::{Fixture, source};
    use serde_json::json;
    use std::collections::BTreeMap;

    /// One pod on node-1, two on node-2, none on node-3, behind a load balancer.
    fn shop(mode: Mode, policy: &str) -> Fixture {
        let mut it = Fixture::new(mode);
        let all: [(u8, u8); 3] = [(1, 10), (2, 20), (2, 21)];
        for (node, last) in all {
            it.pod(&format!("demo/web-{last}"), node, last, json!({"app": "web"}));
        }
        let ports = json!([{"port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": 30_080}]);
        let mut spec = json!({
            "type": "LoadBalancer", "clusterIP": "10.96.10.1", "ports": ports,
            "externalTrafficPolicy": policy,
        });
        if policy == "Local" {
            spec["healthCheckNodePort"] = 32_000.into();
        }
        let status = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.10", "ipMode": "VIP"}]}});
        it.service("demo/web", json!({"spec": spec, "status": status}), &all);
        let spec = json!({
            "clusterIP": "10.96.10.2", "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}},
        });
        it.service("demo/sticky", spec, &all);
        it
    }

    fn ends(it: &Fixture, from: &str, url: &str) -> String {
        let request = Request::from_url(source(from), url).unwrap();
        let chances = it.network.chances(&it.cluster(), &request);
        assert_eq!(chances.unknown, Share::NONE);
        let one = |it: &Chance| match &it.end {
            Ok(Server::Pod { pod, .. }) => format!("{} {}", pod.name, it.share),
            Ok(server) => format!("{server} {}", it.share),
            Err(cause) => format!("{cause} {}", it.share),
        };
        chances.ends.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn shares_are_those_of_the_rules_and_of_the_balancer_together() {
        for mode in Mode::ALL {
            let any = shop(mode, "Cluster");
            let equal = "web-10 1/3, web-20 1/3, web-21 1/3";
            assert_eq!(ends(&any, "203.0.113.7", "http://192.0.2.10"), equal, "{mode:?}");
            // The balancer halves between two nodes, and one of them between two pods.
            let local = shop(mode, "Local");
            let unequal = "web-10 1/2, web-20 1/4, web-21 1/4";
            assert_eq!(ends(&local, "203.0.113.7", "http://192.0.2.10"), unequal, "{mode:?}");
            // What comes from inside takes any, whatever the external policy.
            assert_eq!(ends(&local, "node-1", "http://10.96.10.1"), equal, "{mode:?}");
            let two = "web-20 1/2, web-21 1/2";
            assert_eq!(ends(&local, "203.0.113.7", "http://172.18.0.4:30080"), two, "{mode:?}");
        }
    }

    #[test]
    fn who_has_a_server_of_its_own_goes_there_again_for_certain() {
        for mode in Mode::ALL {
            let mut it = shop(mode, "Cluster");
            let equal = "web-10 1/3, web-20 1/3, web-21 1/3";
            assert_eq!(ends(&it, "node-1", "http://10.96.10.2"), equal, "{mode:?}");
            let trace = it.get("node-1", "http://10.96.10.2");
            let Outcome::Answered { server: Server::Pod { pod, .. }, .. } = &trace.outcome else {
                panic!("{}", trace.to_text())
            };
            let certain = format!("{} 1", pod.name);
            assert_eq!(ends(&it, "node-1", "http://10.96.10.2"), certain, "{mode:?}");
            assert_eq!(ends(&it, "node-2", "http://10.96.10.2"), equal, "{mode:?}");
        }
    }

    /// The chance that χ² with two degrees of freedom is above 18.4 is one in ten thousand.
    #[test]
    fn many_requests_come_to_their_shares_within_what_chance_allows() {
        for (mode, policy) in [(Mode::Iptables, "Cluster"), (Mode::Nftables, "Local")] {
            let mut it = shop(mode, policy);
            let request = Request::from_url(source("203.0.113.7"), "http://192.0.2.10").unwrap();
            let chances = it.network.chances(&it.cluster(), &request);
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            const ALL: u64 = 600;
            for _ in 0..ALL {
                if let Outcome::Answered { server, .. } =
                    it.get("203.0.113.7", "http://192.0.2.10").outcome
                {
                    *counts.entry(server.to_string()).or_default() += 1;
                }
            }
            let mut millionths = 0;
            for chance in &chances.ends {
                let Ok(server) = &chance.end else { panic!("{chance:?}") };
                let expected = ALL * u64::from(chance.share.millionths()) / 1_000_000;
                let off = counts.get(&server.to_string()).copied().unwrap_or(0).abs_diff(expected);
                millionths += off * off * 1_000_000 / expected;
            }
            assert!(millionths < 18_400_000, "{mode:?}: {counts:?}");
        }
    }

    #[test]
    fn a_request_that_nobody_can_answer_fails_for_certain() {
        let mut it = shop(Mode::Iptables, "Cluster");
        it.service("demo/empty", json!({"clusterIP": "10.96.10.4"}), &[]);
        let end = ends(&it, "node-1", "http://10.96.10.4");
        assert!(end.ends_with(" 1") && end.contains("demo/empty"), "{end}");
    }
}
