//! Reads the scene of the map from the world.
//!
//! A node gets a dot for each of its Pods, and a chip if there are few enough of them or the node is
//! in sight. So a scene of 150,000 Pods stays small. Only the nodes that have changed, or whose Pods
//! have, are drawn again, and in a crowd no more of them at a time than there is time for.
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
use super::scene::{ClusterScene, HandBuilt, WaitingGroup};
use crate::api::{Kind, Object};
use crate::base::{Map, Set, SimTime, order};
use crate::session::request::is_system;
use crate::store::{ObjectKey, Store};
use crate::world::{CLIENT_ADDRESS, World};
use nodes::Boxes;
use pods::Pods;
use std::rc::Rc;
use std::sync::Arc;

/// With more Pods than this, only those on nodes in sight have a chip.
pub const MOST_CHIPS: usize = 800;
/// The most Pods of a waiting group that are named.
const MOST_NAMED: usize = 60;

/// Everything the map shows of a world. In a crowd, only the Pods of the nodes `in_sight` have a
/// chip.
pub fn survey(world: &World, in_sight: &Rc<[Arc<str>]>) -> ClusterScene {
    Surveyor::default().survey(world, in_sight, &|| true)
}

/// Surveys a world again and again, and reads nothing anew that has not changed.
#[derive(Debug, Default)]
pub struct Surveyor {
    /// The Pods and nodes as they were read last, and the machines that were silent.
    pods: Map<ObjectKey, Arc<Object>>,
    nodes: Map<ObjectKey, Arc<Object>>,
    silent: Map<Arc<str>, SimTime>,
    /// What all nodes were drawn by.
    palette: Palette,
    is_proxy_seen: bool,
    is_crowd: bool,
    in_sight: Rc<[Arc<str>]>,
    /// The nodes as they were drawn.
    boxes: Boxes,
    /// Pods without a node, by what the scheduler says.
    waiting: Map<Arc<str>, Set<ObjectKey>>,
    /// How many Pods are not the cluster's own.
    own: usize,
}

impl Surveyor {
    /// Everything the map shows of a world. In a crowd, only the Pods of the nodes `in_sight` have a
    /// chip, and when there is no time any more, the other nodes look as they did before.
    pub fn survey(
        &mut self,
        world: &World,
        in_sight: &Rc<[Arc<str>]>,
        has_time: &dyn Fn() -> bool,
    ) -> ClusterScene {
        let store = world.store();
        self.read_nodes(world);
        self.read_pods(store);
        let palette = Palette::of(store);
        let (is_proxy_seen, is_crowd) = (nodes::is_proxy_seen(store), self.is_crowded());
        if !is_crowd
            || !self.palette.is_kept_by(&palette)
            || (self.is_proxy_seen, self.is_crowd) != (is_proxy_seen, is_crowd)
        {
            self.boxes.spoil_all();
        }
        self.palette = palette;
        (self.is_proxy_seen, self.is_crowd) = (is_proxy_seen, is_crowd);
        self.draw(world, in_sight, has_time);
        let (services, ingresses) = services::services(store, &self.palette);
        let waiting = self.waiting(world);
        let nodes = self.boxes.all().to_vec();
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
            shelves: shelves::shelves(store, &self.palette),
            node_ports: nodes::node_ports(store),
            proxy_mode: world.proxy_mode().name(),
            pod_count: self.pods.len(),
            own_pod_count: self.own,
            nodes,
            waiting,
        }
    }

    /// The same scene of a crowd with other nodes in sight: only their Pods are looked at.
    #[inline(never)]
    pub fn look_closer(
        &mut self,
        world: &World,
        scene: &ClusterScene,
        in_sight: &Rc<[Arc<str>]>,
    ) -> ClusterScene {
        if self.is_crowd {
            self.draw(world, in_sight, &|| false);
        }
        ClusterScene { nodes: self.boxes.all().to_vec(), ..scene.clone() }
    }

    /// Whether some nodes are not yet as the world has them.
    pub fn is_behind(&self) -> bool {
        self.boxes.is_behind()
    }

    fn is_crowded(&self) -> bool {
        self.pods.len() > MOST_CHIPS
    }

    fn read_nodes(&mut self, world: &World) {
        let store = world.store();
        let changed = store.differences(Kind::Node, &self.nodes);
        if changed.iter().any(|(old, new)| old.is_none() || new.is_none()) {
            self.boxes.arrange(world);
        }
        for (_, node) in changed {
            node.iter().for_each(|node| self.boxes.spoil(&node.meta.name));
        }
        self.nodes = store.table(Kind::Node);
        if self.silent != *store.silent() {
            self.boxes.spoil_all();
            self.silent = store.silent().clone();
        }
    }

    fn read_pods(&mut self, store: &Store) {
        for (old, new) in store.differences(Kind::Pod, &self.pods) {
            for (pod, is_new) in [(old, false), (new, true)] {
                let Some(pod) = pod else { continue };
                if !is_system(&pod.meta.namespace) {
                    self.own = if is_new { self.own + 1 } else { self.own.saturating_sub(1) };
                }
                match pod.pod().and_then(|pod| pod.node_name.as_ref()) {
                    Some(node) => self.boxes.spoil(node),
                    None => self.wait(&pod, is_new),
                }
            }
        }
        self.pods = store.table(Kind::Pod);
    }

    /// A Pod waits for a node, with all others for which the scheduler says the same, or waits no
    /// longer like this.
    fn wait(&mut self, pod: &Object, is_new: bool) {
        let (reason, key) = (condition::why_unscheduled(pod), ObjectKey::of(pod));
        if is_new {
            self.waiting.entry(reason.into()).or_default().insert(key);
        } else if let Some(group) = self.waiting.get_mut(reason) {
            group.remove(&key);
            if group.is_empty() {
                self.waiting.remove(reason);
            }
        }
    }

    /// Draws what has to be drawn again: in a crowd first what is in sight, and all of that, since
    /// what is written on a Pod depends on more than on itself.
    fn draw(&mut self, world: &World, in_sight: &Rc<[Arc<str>]>, has_time: &dyn Fn() -> bool) {
        let pods = Pods::new(world, &self.palette);
        let (is_crowd, is_proxy_seen) = (self.is_crowd, self.is_proxy_seen);
        let draw = |name: &str| {
            let with_chips = !is_crowd || in_sight.iter().any(|one| **one == *name);
            nodes::draw(world, name, &pods, (with_chips, is_proxy_seen))
        };
        if is_crowd {
            for name in self.in_sight.iter().chain(in_sight.iter()) {
                self.boxes.spoil(name);
                self.boxes.draw(name, &draw);
            }
        }
        self.boxes.draw_all(&draw, has_time);
        self.in_sight = in_sight.clone();
    }

    /// The Pods without a node, in groups.
    fn waiting(&self, world: &World) -> Vec<WaitingGroup> {
        let pods = Pods::new(world, &self.palette);
        let group = |(reason, keys): (&Arc<str>, &Set<ObjectKey>)| {
            let named = keys.iter().take(MOST_NAMED);
            let named = named.filter_map(|key| world.store().get(Kind::Pod, key));
            WaitingGroup {
                reason: reason.to_string(),
                count: keys.len(),
                pods: named.map(|pod| pods.chip(pod)).collect(),
            }
        };
        let mut groups: Vec<WaitingGroup> = self.waiting.iter().map(group).collect();
        order::sort_by_key(&mut groups, |group| {
            (core::cmp::Reverse(group.count), group.pods.first().map(|pod| pod.id.clone()))
        });
        groups
    }
}

/// The load balancer that people built.
#[inline(never)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::scene::{NodeState, PodChip, PodState};
    use crate::session::{Model, Msg, Opening, Sample, update};

    fn after(sample: Sample, lines: &[&str], seconds: u32) -> ClusterScene {
        let mut model = Model::new(Opening { sample, ..Opening::default() });
        for line in lines {
            model.console.execute(&mut model.world, line, None);
        }
        for _ in 0..seconds * 4 {
            update(&mut model, Msg::Tick(250_000));
        }
        survey(&model.world, &Rc::default())
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
        let cut = node("node-1");
        assert_eq!((cut.state, cut.cut_since.is_some()), (NodeState::Ready, true));
        assert!(node("node-2").has_rules && !scene.node_ports.is_empty());
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
        let mut surveyor = Surveyor::default();
        let scene = surveyor.survey(&model.world, &["node-7".into()].into(), &|| true);
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
        let names = ["node-3".into(), "node-9".into()].into();
        let closer = surveyor.look_closer(&model.world, &scene, &names);
        assert_eq!(closer, survey(&model.world, &names));
    }

    #[test]
    fn who_surveys_again_sees_what_a_first_survey_would_and_gets_there_bit_by_bit() {
        let mut model = Model::new(Opening { nodes: Some(20), ..Opening::default() });
        let (mut surveyor, names) = (Surveyor::default(), Rc::from(["node-7".into()]));
        for line in [
            "kubectl create deployment other --image=nginx --replicas=30",
            "kubectl scale deployment web --replicas=900",
            "kubectl run big --image=nginx --overrides='{\"spec\":{\"nodeSelector\":{\"no\":\"such\"}}}'",
            "node stop node-3",
            "kubectl delete pods -l app=other --wait=false",
            "kubectl delete node node-5",
            "node add",
            "kubectl delete deployment web --wait=false",
            "node start node-3",
            "kubectl delete pod big --wait=false",
        ] {
            model.console.execute(&mut model.world, line, None);
            for _ in 0..12 {
                update(&mut model, Msg::Tick(250_000));
                let times = core::cell::Cell::new(3_u32);
                let has_time = || times.replace(times.get().saturating_sub(1)) > 0;
                surveyor.survey(&model.world, &names, &has_time);
            }
            let mut scene = surveyor.survey(&model.world, &names, &|| false);
            for _ in 0..30 {
                scene = surveyor.survey(&model.world, &names, &|| true);
            }
            assert!(!surveyor.is_behind());
            assert!(scene == survey(&model.world, &names), "{line}");
        }
    }
}
