//! The rules of one node made from those of another: most Services look the same from all nodes.

use super::input::{Input, Node, Service};
use super::topology::categorize;
use super::{Mode, nftables};
use crate::net::{Family, Ruleset};

/// The rules that kube-proxy writes on a node, made from those that it wrote on another one, whose
/// chains they share; none if they have to be made for themselves.
pub fn rules_like(
    input: &Input,
    node: &Node,
    mode: Mode,
    (other, known): (&Node, &Ruleset),
) -> Option<Ruleset> {
    let has_both = |family| node.ip(family).is_some() == other.ip(family).is_some();
    let families = [Family::V4, Family::V6];
    let is_alike = families.into_iter().all(has_both)
        && input.services.iter().all(|service| looks_alike(input, service, node, other));
    match mode {
        Mode::Iptables if is_alike => Some(known.clone()),
        Mode::Nftables if is_alike => Some(nftables::moved(known.clone(), input, node)),
        // Virtual servers are at each node's own address.
        _ => None,
    }
}

/// Whether two nodes see the same of a Service: the same endpoints, and whether their own addresses
/// are among its source ranges.
fn looks_alike(input: &Input, service: &Service, one: &Node, other: &Node) -> bool {
    let is_let_in = |node: &Node, family: Family| {
        node.ip(family).is_some_and(|ip| service.source_ranges.iter().any(|net| net.contains(&ip)))
    };
    [Family::V4, Family::V6].into_iter().all(|family| {
        is_let_in(one, family) == is_let_in(other, family)
            && service.ports.iter().all(|port| {
                let local = service.internal_local || service.external_local;
                let endpoints = input.endpoints_of(service, port, family);
                let hinted = endpoints
                    .iter()
                    .any(|it| !it.zone_hints.is_empty() || !it.node_hints.is_empty());
                let seen = |node| categorize(endpoints, node, true, local);
                !(local || hinted) || seen(one) == seen(other)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::rules;

    const OBJECTS: &str = include_str!("../../tests/conformance/proxy/08-proxy-objects.yaml");

    /// The recorded Services, without what makes nodes differ if `is_plain`.
    fn input(is_plain: bool) -> Input {
        let mut input = Input::from_yaml(OBJECTS).unwrap();
        if is_plain {
            for service in &mut input.services {
                (service.internal_local, service.external_local) = (false, false);
                service.source_ranges.clear();
            }
            for endpoint in input.endpoints.values_mut().flatten() {
                endpoint.zone_hints.clear();
                endpoint.node_hints.clear();
            }
        }
        input
    }

    #[test]
    fn rules_made_from_anothers_are_those_that_would_have_been_made() {
        for is_plain in [true, false] {
            let input = input(is_plain);
            for mode in Mode::ALL {
                let mut shared = 0;
                for other in &input.nodes {
                    let known = rules(&input, other, mode).numbered();
                    for node in &input.nodes {
                        let Some(made) = rules_like(&input, node, mode, (other, &known)) else {
                            continue;
                        };
                        shared += 1;
                        assert!(made == rules(&input, node, mode).numbered(), "{mode:?}");
                    }
                }
                // Each from itself, and from all others where nothing makes them differ.
                let all = input.nodes.len();
                match (mode, is_plain) {
                    (Mode::Ipvs, _) => assert_eq!(shared, 0),
                    (_, true) => assert_eq!(shared, all * all),
                    (_, false) => assert!((all..all * all).contains(&shared), "{mode:?} {shared}"),
                }
            }
        }
    }
}
