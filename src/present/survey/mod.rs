//! Reads the scene of the map from the world.
//!
//! Every Pod is looked at once: its node gets a dot for it, and a chip if there are few enough of
//! them or the node is in sight. So a scene of 150,000 Pods stays small.
//!
//! Reading order: `nodes.rs`, `pods.rs`, `services.rs`, `gateways.rs`, `shelves.rs`.

mod gateways;
mod nodes;
mod pods;
mod services;
mod shelves;

pub(super) use gateways::gateway_chip;
pub(super) use nodes::{own_labels, taint};
pub(super) use services::{ingress_chip, selected_endpoints, slices_of};

use super::condition;
use super::palette::Palette;
use super::scene::{ClusterScene, HandBuilt, NodeBox, PodChip, WaitingGroup};
use crate::api::{Kind, Object};
use crate::base::order;
use crate::session::request::is_system;
use crate::world::{CLIENT_ADDRESS, World};
use pods::Pods;
use std::rc::Rc;
use std::sync::Arc;

/// With more Pods than this, only those on nodes in sight have a chip.
pub const MOST_CHIPS: usize = 800;
/// The most Pods of a waiting group that are named.
const MOST_NAMED: usize = 60;

/// Everything the map shows of a world. In a crowd, only the Pods of the nodes `in_sight` have a
/// chip.
pub fn survey(world: &World, in_sight: &[Arc<str>]) -> ClusterScene {
    let store = world.store();
    let palette = Palette::of(store);
    let pods = Pods::new(world, &palette);
    let count = store.count(Kind::Pod);
    let in_sight = (count > MOST_CHIPS).then_some(in_sight);
    let mut nodes = nodes::Nodes::of(world, in_sight);
    let mut waiting = Vec::new();
    let mut own = 0;
    for pod in store.list(Kind::Pod) {
        own += usize::from(!is_system(&pod.meta.namespace));
        match pod.pod().and_then(|pod| pod.node_name.as_ref()) {
            Some(node) => nodes.place(node, pod, &pods),
            None => wait(&mut waiting, pod, &pods),
        }
    }
    order::sort_by_key(&mut waiting, |group| core::cmp::Reverse(group.count));
    let (services, ingresses) = services::services(store, &palette);
    let nodes = nodes.finish();
    let chips = || {
        let placed = nodes.iter().flat_map(|node| &node.pods);
        placed.chain(waiting.iter().flat_map(|group| &group.pods))
    };
    ClusterScene {
        client: CLIENT_ADDRESS.to_string(),
        counts_down: chips().any(|pod| pod.countdown.is_some())
            || nodes.iter().any(|node| node.cut_since.is_some()),
        services,
        ingresses,
        hand_built: hand_built(world),
        shelves: shelves::shelves(store, &palette),
        proxy_mode: world.proxy_mode().name(),
        pod_count: count,
        own_pod_count: own,
        nodes,
        waiting,
    }
}

/// The load balancer that people built.
fn hand_built(world: &World) -> Option<HandBuilt> {
    let config = world.hand_built()?;
    let state = world.hand_built_state(config);
    let nodes = world.cluster().nodes;
    let is_up = |name: &Arc<str>| nodes.get(name).is_some_and(|machine| machine.up);
    let servers = config.pools.iter().flat_map(|pool| &pool.servers);
    let known = servers.zip(&state.nodes).zip(&state.up);
    let lines = known.map(|((server, node), up)| {
        let node = node.as_ref().filter(|name| *up && is_up(name)).map(ToString::to_string);
        (server.name.to_string(), server.to.to_string(), node)
    });
    Some(HandBuilt {
        address: crate::trace::haproxy::ADDRESS.to_string(),
        lines: lines.collect(),
        unlisted: state.unlisted.iter().map(ToString::to_string).collect(),
    })
}

/// The same scene of a crowd with other nodes in sight: only their Pods are looked at.
pub fn look_closer(world: &World, scene: &ClusterScene, in_sight: &[Arc<str>]) -> ClusterScene {
    let mut closer = scene.clone();
    if closer.pod_count <= MOST_CHIPS {
        return closer;
    }
    let palette = Palette::of(world.store());
    let pods = Pods::new(world, &palette);
    for node in &mut closer.nodes {
        let is_seen = in_sight.contains(&node.id.name);
        if is_seen == node.pods.is_empty() {
            let mut drawn = NodeBox::clone(node);
            drawn.pods.clear();
            if is_seen {
                drawn.pods.extend(world.store().pods_on(&node.id.name).map(|pod| pods.chip(pod)));
                order::sort_by_key(&mut drawn.pods, |pod| pod.system);
            }
            *node = Rc::new(drawn);
        }
    }
    closer
}

/// A Pod waits for a node, with all others for which the scheduler says the same.
fn wait(groups: &mut Vec<WaitingGroup>, pod: &Arc<Object>, pods: &Pods<'_>) {
    let reason = condition::why_unscheduled(pod);
    let at = groups.iter().position(|group| group.reason == reason).unwrap_or_else(|| {
        groups.push(WaitingGroup { reason: reason.to_owned(), count: 0, pods: Vec::new() });
        groups.len() - 1
    });
    let Some(group) = groups.get_mut(at) else { return };
    group.count += 1;
    if group.pods.len() < MOST_NAMED {
        let chip: PodChip = pods.chip(pod);
        group.pods.push(chip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::scene::{NodeState, PodState};
    use crate::session::{Model, Msg, Opening, Sample, update};

    fn after(sample: Sample, lines: &[&str], seconds: u32) -> ClusterScene {
        let mut model = Model::new(Opening { sample, ..Opening::default() });
        for line in lines {
            model.console.execute(&mut model.world, line, None);
        }
        for _ in 0..seconds * 4 {
            update(&mut model, Msg::Tick(250_000));
        }
        survey(&model.world, &[])
    }

    #[test]
    fn pods_that_wait_are_grouped_by_what_the_scheduler_says() {
        let scene = after(
            Sample::Placement,
            &[
                "kubectl run big --image=nginx --overrides='{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx\",\"resources\":{\"requests\":{\"cpu\":\"64\"}}}]}}'",
            ],
            3,
        );
        let groups: Vec<(usize, &str)> =
            scene.waiting.iter().map(|group| (group.count, group.reason.as_str())).collect();
        let taint = "1 node(s) had untolerated taint(s)";
        assert_eq!(
            groups,
            [
                (1, format!("{taint}, 3 Insufficient cpu").as_str()),
                (
                    1,
                    format!("{taint}, 3 node(s) didn't match Pod's node affinity/selector")
                        .as_str()
                ),
            ]
        );
    }

    #[test]
    fn a_service_whose_port_has_no_name_among_the_pods_has_no_endpoints() {
        let scene = after(Sample::Silent, &[], 5);
        let endpoints = |name: &str| {
            scene.services.iter().find(|one| &*one.id.name == name).map(|one| one.endpoints)
        };
        let found = ["wrong-label", "wrong-name", "wrong-port"].map(endpoints);
        assert_eq!(found, [Some(0), Some(0), Some(2)]);
    }

    #[test]
    fn a_node_without_a_machine_has_no_rules_and_a_cut_one_is_still_ready_for_a_while() {
        let described =
            "kubectl create -f - <<EOF\napiVersion: v1\nkind: Node\nmetadata: {name: node-4}\nEOF";
        let scene = after(Sample::Web, &[described, "node stop node-1"], 2);
        let node = |name: &str| scene.nodes.iter().find(|node| &*node.id.name == name).unwrap();
        let ghost = node("node-4");
        assert_eq!((ghost.status.as_str(), ghost.has_rules), ("Unknown", false));
        assert!(ghost.node_ports.is_empty());
        let cut = node("node-1");
        assert_eq!((cut.state, cut.cut_since.is_some()), (NodeState::Ready, true));
        assert!(!node("node-2").node_ports.is_empty());
    }

    #[test]
    fn a_rollout_tells_old_pods_from_new_ones() {
        let lines = ["sleep 20", "kubectl set image deployment/shop nginx=nginx:1.28"];
        let scene = after(Sample::Rollout, &lines, 1);
        let pods: Vec<&PodChip> = scene.nodes.iter().flat_map(|node| &node.pods).collect();
        let shop = pods.iter().filter(|pod| pod.family == "shop");
        let tags: Vec<(&str, bool)> = shop.map(|pod| (pod.tag.as_str(), pod.is_old)).collect();
        assert!(tags.contains(&("1.27", true)) && tags.contains(&("1.28", false)), "{tags:?}");
        assert!(!tags.contains(&("1.27", false)) && !tags.contains(&("1.28", true)), "{tags:?}");
        let workload = scene.shelves.iter().flat_map(|shelf| &shelf.workloads).next().unwrap();
        assert!(workload.old() > 0 && workload.updated > 0 && workload.wanted == 6);
    }

    #[test]
    fn a_crashing_pod_counts_down_to_its_next_try() {
        let crash = "kubectl run broken --image=busybox -- sh -c 'exit 3'";
        let scene = after(Sample::Web, &[crash], 6);
        let mut pods = scene.nodes.iter().flat_map(|node| &node.pods);
        let pod = pods.find(|pod| &*pod.id.name == "broken").unwrap();
        assert_eq!((pod.state, pod.status.as_str()), (PodState::Failed, "CrashLoopBackOff"));
        let countdown = pod.countdown.unwrap();
        assert_eq!(countdown.exit_code, Some(3));
        assert_eq!(countdown.until.since(countdown.from).as_secs(), 10);
        assert!(scene.counts_down);
    }

    #[test]
    fn in_a_crowd_only_nodes_in_sight_have_chips_and_all_have_dots() {
        let scale = ["kubectl scale deployment web --replicas=900"];
        let mut model = Model::new(Opening { nodes: Some(20), ..Opening::default() });
        model.console.execute(&mut model.world, scale[0], None);
        for _ in 0..40 {
            update(&mut model, Msg::Tick(250_000));
        }
        let scene = survey(&model.world, &["node-7".into()]);
        assert!(scene.pod_count > MOST_CHIPS);
        let with_chips: Vec<&str> = scene
            .nodes
            .iter()
            .filter(|node| !node.pods.is_empty())
            .map(|node| &*node.id.name)
            .collect();
        assert_eq!(with_chips, ["node-7"]);
        assert!(scene.nodes.iter().all(|node| !node.dots.is_empty()));
        let seven = scene.nodes.iter().find(|node| &*node.id.name == "node-7").unwrap();
        let dots: Vec<_> = seven.pods.iter().map(PodChip::dot).collect();
        assert_eq!(dots, seven.dots);
        // Looking elsewhere gives what a whole survey would.
        let names = ["node-3".into(), "node-9".into()];
        assert_eq!(look_closer(&model.world, &scene, &names), survey(&model.world, &names));
    }
}
