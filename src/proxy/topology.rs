//! Which endpoints a node uses.

use super::input::{Endpoint, Node};
use crate::base::order;

/// The endpoints of a Service's port as one node uses them.
///
/// Models pkg/proxy/topology.go CategorizeEndpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Categorized {
    /// Those for traffic under the policy Cluster.
    pub cluster: Vec<Endpoint>,
    /// Those for traffic under the policy Local.
    pub local: Vec<Endpoint>,
    /// Both lists in one.
    pub reachable: Vec<Endpoint>,
    /// Whether there is any usable endpoint anywhere in the cluster.
    pub any: bool,
}

/// Which hints a node follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hints {
    /// None.
    Ignore,
    /// Endpoints meant for the node's zone.
    SameZone,
    /// Endpoints meant for the node.
    SameNode,
}

/// Sorts out the endpoints for a node.
pub fn categorize(
    endpoints: &[Endpoint],
    node: &Node,
    uses_cluster: bool,
    uses_local: bool,
) -> Categorized {
    let mut result = Categorized::default();
    if uses_cluster {
        let hints = hints_to_follow(endpoints, node);
        result.cluster = cluster_endpoints(endpoints, node, hints);
        result.any = !result.cluster.is_empty();
    }
    if !uses_local {
        result.reachable.clone_from(&result.cluster);
        return result;
    }
    result.any |= endpoints.iter().any(|endpoint| endpoint.ready || is_last_resort(endpoint));
    let is_local = |endpoint: &&Endpoint| endpoint.node.as_ref() == Some(&node.name);
    let local: Vec<&Endpoint> = endpoints.iter().filter(is_local).collect();
    let ready = local.iter().filter(|endpoint| endpoint.ready);
    result.local = ready.map(|endpoint| (*endpoint).clone()).collect();
    if result.local.is_empty() {
        let last = local.iter().filter(|endpoint| is_last_resort(endpoint));
        result.local = last.map(|endpoint| (*endpoint).clone()).collect();
    }
    result.reachable = if uses_cluster { union(&result) } else { result.local.clone() };
    result
}

fn cluster_endpoints(endpoints: &[Endpoint], node: &Node, hints: Hints) -> Vec<Endpoint> {
    let available = |endpoint: &&Endpoint| {
        endpoint.ready
            && match hints {
                Hints::Ignore => true,
                Hints::SameNode => endpoint.node_hints.contains(&node.name),
                Hints::SameZone => endpoint.zone_hints.contains(&node.zone),
            }
    };
    let ready: Vec<Endpoint> = endpoints.iter().filter(available).cloned().collect();
    if !ready.is_empty() {
        return ready;
    }
    endpoints.iter().filter(|endpoint| is_last_resort(endpoint)).cloned().collect()
}

/// Terminating but still serving: used where nothing is ready.
const fn is_last_resort(endpoint: &Endpoint) -> bool {
    endpoint.serving && endpoint.terminating
}

fn union(result: &Categorized) -> Vec<Endpoint> {
    let mut all = result.cluster.clone();
    for endpoint in &result.local {
        if !all.iter().any(|other| other.address == endpoint.address) {
            all.push(endpoint.clone());
        }
    }
    order::sort_by_key(&mut all, |endpoint| endpoint.address.to_string());
    all
}

/// Models pkg/proxy/topology.go topologyModeFromHints.
pub fn hints_to_follow(endpoints: &[Endpoint], node: &Node) -> Hints {
    let ready: Vec<&Endpoint> = endpoints.iter().filter(|endpoint| endpoint.ready).collect();
    let all_have = |hints: fn(&Endpoint) -> bool| ready.iter().all(|endpoint| hints(endpoint));
    if ready.is_empty() {
        return Hints::Ignore;
    }
    let for_node = ready.iter().any(|endpoint| endpoint.node_hints.contains(&node.name));
    if for_node && all_have(|endpoint| !endpoint.node_hints.is_empty()) {
        return Hints::SameNode;
    }
    let for_zone = ready.iter().any(|endpoint| endpoint.zone_hints.contains(&node.zone));
    if for_zone && all_have(|endpoint| !endpoint.zone_hints.is_empty()) {
        return Hints::SameZone;
    }
    Hints::Ignore
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::packet::Endpoint as Address;
    use std::sync::Arc;

    /// An endpoint of one letter a fact: `r`eady, `s`erving, `t`erminating; then its node, then
    /// the zone and the node it is meant for.
    fn endpoint(last: u8, facts: &str, node: &str, zone: &str, for_node: &str) -> Endpoint {
        let hints = |text: &str| text.split(',').filter(|t| !t.is_empty()).map(Arc::from).collect();
        Endpoint {
            address: Address { ip: [10, 0, 0, last].into(), port: 80 },
            node: Some(Arc::from(node)),
            ready: facts.contains('r'),
            serving: facts.contains('s'),
            terminating: facts.contains('t'),
            zone_hints: hints(zone),
            node_hints: hints(for_node),
        }
    }

    fn check(title: &str, endpoints: &[Endpoint], uses: (bool, bool), expected: [&[u8]; 3]) {
        let node = Node { name: Arc::from("a"), zone: Arc::from("z1"), ..Node::default() };
        let found = categorize(endpoints, &node, uses.0, uses.1);
        let last = |list: &[Endpoint]| -> Vec<u8> {
            list.iter()
                .map(|endpoint| match endpoint.address.ip {
                    std::net::IpAddr::V4(ip) => ip.octets()[3],
                    std::net::IpAddr::V6(_) => 0,
                })
                .collect()
        };
        let found = [last(&found.cluster), last(&found.local), last(&found.reachable)];
        assert_eq!(found.each_ref().map(Vec::as_slice), expected, "{title}");
    }

    #[test]
    fn endpoints_are_sorted_out_as_policy_readiness_and_hints_say() {
        let ready = |last, node| endpoint(last, "rs", node, "", "");
        let leaving = |last, node| endpoint(last, "st", node, "", "");
        let zoned = |last, zone| endpoint(last, "rs", "b", zone, "");
        check(
            "all that are ready",
            &[ready(1, "a"), ready(2, "b")],
            (true, false),
            [&[1, 2], &[], &[1, 2]],
        );
        check(
            "one that is not ready is left out",
            &[endpoint(1, "", "a", "", ""), ready(2, "b")],
            (true, false),
            [&[2], &[], &[2]],
        );
        check(
            "terminating ones if nothing is ready",
            &[leaving(1, "a"), leaving(2, "b")],
            (true, false),
            [&[1, 2], &[], &[1, 2]],
        );
        check(
            "no terminating one beside a ready one",
            &[leaving(1, "a"), ready(2, "b")],
            (true, false),
            [&[2], &[], &[2]],
        );
        check(
            "local ones under the policy Local",
            &[ready(1, "a"), ready(2, "b")],
            (true, true),
            [&[1, 2], &[1], &[1, 2]],
        );
        check(
            "a local terminating one, though another node has a ready one",
            &[leaving(1, "a"), ready(2, "b")],
            (true, true),
            [&[2], &[1], &[1, 2]],
        );
        check(
            "the zone's own",
            &[zoned(1, "z1"), zoned(2, "z2")],
            (true, false),
            [&[1], &[], &[1]],
        );
        check(
            "hints are ignored if one endpoint has none",
            &[zoned(1, "z1"), ready(2, "b")],
            (true, false),
            [&[1, 2], &[], &[1, 2]],
        );
        check(
            "hints are ignored if none is for this zone",
            &[zoned(1, "z3"), zoned(2, "z2")],
            (true, false),
            [&[1, 2], &[], &[1, 2]],
        );
        check(
            "the node's own before the zone's",
            &[endpoint(1, "rs", "a", "z1", "a"), endpoint(2, "rs", "b", "z1", "b")],
            (true, false),
            [&[1], &[], &[1]],
        );
        check("nothing from nothing", &[], (true, true), [&[], &[], &[]]);
    }
}
