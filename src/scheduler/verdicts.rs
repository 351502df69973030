//! What the plugins that look at one node at a time say of the nodes, remembered: pods of a template
//! ask the same of the same nodes, and a pod changes only the node that it comes to.
//!
//! It is a cache: what it holds equals what the plugins would say anew, and changes nothing but
//! time. [`Snapshot`](super::Snapshot) has it forget a node as soon as that changes.

use crate::api::PodSpec;
use std::sync::Arc;

/// So many kinds of pods are remembered; of one more the kind that was not asked for longest goes.
const MOST: usize = 4;

/// What the plugins say of a node for a pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They were not asked.
    #[default]
    Unknown,
    /// One of them refuses it.
    No,
    /// None of them refuses it.
    Yes(Points),
}

/// The points of a node, as far as they depend on nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Points {
    /// Soft taints that are not tolerated: TaintToleration.
    pub soft_taints: i64,
    /// The weights of the preferred terms that it fits: NodeAffinity.
    pub preferred: i64,
    /// Those of NodeResourcesFit and NodeResourcesBalancedAllocation together: both count once,
    /// and neither is normalized.
    pub resources: i64,
}

/// The pods of a kind, and what was said of each node, by its place.
#[derive(Clone, Debug)]
struct Alike {
    spec: Arc<PodSpec>,
    nodes: Arc<Vec<Verdict>>,
}

/// What is remembered; the kind of pods asked for last comes last.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdicts {
    kinds: Vec<Alike>,
}

impl Verdicts {
    /// A node is not what it was.
    pub(super) fn forget(&mut self, place: usize) {
        for kind in &mut self.kinds {
            if let Some(verdict) = Arc::make_mut(&mut kind.nodes).get_mut(place) {
                *verdict = Verdict::Unknown;
            }
        }
    }

    /// Places mean other nodes now.
    pub(super) fn clear(&mut self) {
        self.kinds.clear();
    }

    /// What was said of each of `count` nodes for pods like one of this specification.
    pub(super) fn of(&mut self, spec: &Arc<PodSpec>, count: usize) -> &mut [Verdict] {
        let same = |kind: &Alike| Arc::ptr_eq(&kind.spec, spec);
        let place = self.kinds.iter().position(same);
        let place = place.or_else(|| self.kinds.iter().position(|k| are_alike(&k.spec, spec)));
        let mut kind = match place {
            Some(place) => self.kinds.remove(place),
            None => {
                if self.kinds.len() >= MOST {
                    self.kinds.remove(0);
                }
                Alike { spec: spec.clone(), nodes: Arc::default() }
            }
        };
        kind.spec = spec.clone();
        self.kinds.push(kind);
        let Some(kind) = self.kinds.last_mut() else { return &mut [] };
        let nodes = Arc::make_mut(&mut kind.nodes);
        nodes.resize(count, Verdict::Unknown);
        nodes
    }
}

/// Whether two specifications ask the same of a node, as far as the plugins look that
/// [`Local`](super::plugins::Local) has.
fn are_alike(one: &PodSpec, other: &PodSpec) -> bool {
    one.requests == other.requests
        && one.scored_of_containers == other.scored_of_containers
        && one.tolerations == other.tolerations
        && one.node_selector == other.node_selector
        && one.host_ports == other.host_ports
        && one.tree.get("affinity") == other.tree.get("affinity")
}

#[cfg(test)]
mod tests {
    use super::super::cycle::Candidates;
    use super::super::{Scheduler, Search, Turn, decide, plugins};
    use crate::api::{Kind, Object, Uid, Value};
    use crate::base::{Rng, SimTime};
    use crate::store::{ObjectKey, Store};
    use serde_json::json;
    use std::sync::Arc;

    const NODES: u32 = 150;

    fn node(number: u32, rng: &mut Rng) -> Arc<Object> {
        let taint = |effect: &str| json!([{"key": "a", "value": "b", "effect": effect}]);
        let taints = match rng.below(8) {
            0 => taint("NoSchedule"),
            1 | 2 => taint("PreferNoSchedule"),
            _ => json!([]),
        };
        let name = format!("node-{number}");
        let zone = ["a", "b", "c"][rng.below(3) as usize];
        let value = json!({
            "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone,
                "disk": if rng.below(3) == 0 { "ssd" } else { "hdd" },
            }},
            "spec": {"taints": taints, "unschedulable": rng.below(12) == 0},
            "status": {"allocatable": {
                "cpu": (1 + rng.below(3)).to_string(), "memory": "2Gi",
                "pods": (2 + rng.below(6)).to_string(),
            }},
        });
        Arc::new(Object::from_value(Kind::Node, value))
    }

    fn specs() -> [Value; 6] {
        let containers =
            |requests: Value| json!([{"name": "c", "image": "c", "resources": requests}]);
        let small = containers(json!({"requests": {"cpu": "100m", "memory": "64Mi"}}));
        let prefers = json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 7, "preference": {"matchExpressions": [
                {"key": "disk", "operator": "In", "values": ["ssd"]}]}}]}});
        let port = json!([{"name": "c", "image": "c", "ports": [
            {"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}]}]);
        [
            json!({"containers": small}),
            json!({"containers": containers(json!({}))}),
            json!({"containers": containers(json!({})), "resources": {"requests": {"cpu": "300m"}}}),
            json!({"containers": small, "affinity": prefers}),
            json!({"containers": small, "tolerations": [{"operator": "Exists"}],
                "nodeSelector": {"disk": "ssd"}}),
            json!({"containers": port}),
        ]
    }

    fn pod(number: u32, spec: &Value, rng: &mut Rng) -> Arc<Object> {
        let app = ["web", "db"][rng.below(2) as usize];
        let meta = json!({"name": format!("p{number}"), "namespace": "n", "labels": {"app": app}});
        let mut pod = Object::from_value(Kind::Pod, json!({"metadata": meta, "spec": spec}));
        pod.meta.uid = Uid(u128::from(number) + 1);
        Arc::new(pod)
    }

    #[test]
    fn what_is_remembered_of_nodes_changes_no_decision() {
        let mut quick = 0;
        for seed in 0..6 {
            let mut rng = Rng::new(seed);
            let mut store = Store::new(Rng::new(seed));
            let service = json!({"metadata": {"name": "web", "namespace": "n"},
                "spec": {"selector": {"app": "web"}}});
            store.restore(Object::from_value(Kind::Service, service));
            let mut scheduler = Scheduler::new();
            (0..NODES).for_each(|number| scheduler.snapshot.set_node(&node(number, &mut rng)));
            let mut placed: Vec<(Arc<str>, Arc<Object>)> = Vec::new();
            for number in 0..400 {
                let pod = pod(number, &specs()[rng.below(6) as usize], &mut rng);
                if let Some(selector) = plugins::default_spread_selector(&store, &pod) {
                    scheduler.snapshot.keep_tally(&store, &pod.meta.namespace, &selector);
                }
                let search = Search::of_cluster(rng.below(NODES) as usize, NODES as usize);
                let mut other_rng = rng.clone();
                let expected = decide(&pod, &scheduler.snapshot, &store, search)
                    .and_then(|(it, looked_at)| Some((it.choose(&mut other_rng)?, looked_at)));
                let (now, writes, key) = (SimTime::WORLD_START, Vec::new(), ObjectKey::of(&pod));
                let (spread, candidates) = (None, Candidates::default());
                let mut turn =
                    Turn { store: &store, now, rng: &mut rng, writes, spread, candidates };
                let found = scheduler.place_quickly(&mut turn, &key, &pod, search);
                assert_eq!((&found, &rng), (&expected, &other_rng), "seed {seed}, pod {number}");
                if let Some((node, _)) = found {
                    quick += 1;
                    scheduler.assume(&pod, &node);
                    placed.push((node, pod));
                }
                // Nodes change, and pods go.
                if rng.below(5) == 0 {
                    let number = rng.below(NODES);
                    scheduler.snapshot.set_node(&node(number, &mut rng));
                }
                if rng.below(2) == 0 && !placed.is_empty() {
                    let place = rng.below(placed.len() as u32) as usize;
                    let (node, pod) = placed.swap_remove(place);
                    scheduler.snapshot.remove_pod(&node, pod.meta.uid);
                    scheduler.snapshot.confirm(&ObjectKey::of(&pod));
                }
            }
        }
        assert!(quick > 1000, "{quick} pods found a node");
    }
}
