//! The cluster as a whole: clock, event queue, and the one place where writes are carried out.
//!
//! Invariants: a world is plain data, and a clone of it costs O(1); the queue holds data, never
//! closures; the same seed and the same commands give the same world, natively and in wasm; time
//! moves only through [`World::run_until`] and its kin; nobody but [`World`] applies a write, and
//! each is logged with its cause.
//!
//! Reading order: `config.rs`, `queue.rs`, `dispatch.rs`, `server.rs`, `set_up.rs`, `join.rs`,
//! `nodes.rs`, `network.rs`, `inside.rs`, `burst.rs`, `rest/`.

mod activity;
pub mod burst;
mod config;
mod dispatch;
mod furniture;
mod inside;
mod join;
mod network;
mod nodes;
mod queue;
mod rest;
mod scale;
mod server;
mod set_up;
mod state_hash;

pub use activity::Activity;
pub use config::{ClusterConfig, LoadBalancers, NodeConfig};
pub use inside::{Exec, Feed, Going, Lines, NotRun};
pub use network::{CLIENT_ADDRESS, HandBuilt};
pub use queue::Due;
pub use rest::{ApiRequest, ApiResponse, Attributes, component_statuses};
pub use scale::{Scale, patched_scale, scale_of, scaled_to};

use crate::api::{Kind, Object};
use crate::base::{Map, Rng, SimTime};
use crate::container::Trees;
use crate::kubelet::NodeRuntime;
use crate::scheduler::Scheduler;
use crate::store::patch::FieldValidation;
use crate::store::{Key, Manager, Store};
use core::time::Duration;
use queue::Queue;
use std::sync::Arc;

/// How long a cluster is set up before anybody can ask it for anything.
pub const SET_UP_TIME: Duration = Duration::from_secs(60);

/// A cluster with its clock.
#[derive(Clone, Debug)]
pub struct World {
    config: Arc<ClusterConfig>,
    /// What is left to do until the cluster is there, the last first.
    set_up: Vec<set_up::Piece>,
    now: SimTime,
    rng: Rng,
    store: Store,
    queue: Queue,
    scheduler: Scheduler,
    nodes: Map<Arc<str>, NodeRuntime>,
    disks: Trees,
    last_change: SimTime,
    activity: Activity,
    wires: network::Wires,
    /// How often in a row a control loop (by its number) failed with a key.
    failures: Map<(u16, Key), u32>,
    /// Under which name people's requests come.
    client: Manager,
    /// What becomes of fields that are not known, in what people write.
    unknown_fields: FieldValidation,
}

impl World {
    /// A cluster that has just been set up: its nodes are registered and Ready, its namespaces
    /// exist, and a minute has passed.
    pub fn new(config: ClusterConfig, seed: u64) -> Self {
        let mut world = World::begin(config, seed);
        world.run_for(SET_UP_TIME);
        world
    }

    /// The same cluster in the moment in which its machines are switched on: it is set up once
    /// [`SET_UP_TIME`] has passed.
    pub fn begin(config: ClusterConfig, seed: u64) -> Self {
        let mut world = World::switched_on(config, seed);
        while world.go_on_setting_up() {}
        world
    }

    /// The same cluster before any of its machines has joined: it comes to be by
    /// [`go_on_setting_up`](Self::go_on_setting_up), as long as that says so.
    pub fn switched_on(config: ClusterConfig, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let store = Store::new(rng.fork());
        let pods = config.pod_network;
        let mut world = World {
            config: Arc::new(config),
            set_up: Vec::new(),
            now: SimTime::WORLD_START,
            rng,
            store,
            queue: Queue::default(),
            scheduler: Scheduler::new(),
            nodes: Map::new(),
            disks: Trees::new(),
            last_change: SimTime::WORLD_START,
            activity: Activity::default(),
            wires: network::Wires::new(pods),
            failures: Map::new(),
            client: Manager::of("kubectl", ""),
            unknown_fields: FieldValidation::Strict,
        };
        world.begin_set_up();
        world
    }

    /// The present.
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// What there is.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// How the cluster was set up.
    pub fn config(&self) -> &ClusterConfig {
        &self.config
    }

    /// The machines, by node name.
    pub const fn nodes(&self) -> &Map<Arc<str>, NodeRuntime> {
        &self.nodes
    }

    /// Who has been at work.
    pub const fn activity(&self) -> Activity {
        self.activity
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<SimTime> {
        self.queue.next_due()
    }

    /// Does what is due next, if that is not after `limit`, and moves the clock to it. Says whether
    /// there was anything.
    pub fn step(&mut self, limit: SimTime) -> bool {
        let Some((at, due)) = self.queue.pop(limit) else { return false };
        self.now = self.now.max(at);
        self.carry_out(due);
        true
    }

    /// Moves the clock to `limit`, doing all that is due on the way.
    pub fn run_until(&mut self, limit: SimTime) {
        while self.step(limit) {}
        self.now = self.now.max(limit);
    }

    /// Moves the clock by a duration.
    pub fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration);
    }

    /// Moves the clock until no object has changed for `quiet` (leases and node heartbeats do not
    /// count), at most by `most`.
    pub fn run_until_idle(&mut self, quiet: Duration, most: Duration) {
        let limit = self.now + most;
        let begin = self.now;
        loop {
            let calm = self.last_change.max(begin) + quiet;
            if calm >= limit || self.next_due().is_none_or(|due| due > calm) {
                self.run_until(calm.min(limit));
                return;
            }
            if !self.step(limit) {
                self.run_until(limit);
                return;
            }
        }
    }

    /// The source of chance for what people do: where their packets go.
    pub const fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// The object of a name, for readers that know just that.
    pub fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.store.find(kind, namespace, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_deployment_becomes_running_pods_on_different_nodes() {
        let mut world = World::new(ClusterConfig::default(), 1);
        let template = json!({
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27", "imagePullPolicy": "IfNotPresent"}], "restartPolicy": "Always", "terminationGracePeriodSeconds": 30},
        });
        let deployment = json!({
            "metadata": {"name": "web"},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}},
        });
        world.create(Kind::Deployment, &deployment, "default").unwrap();
        world.run_for(Duration::from_secs(20));
        let ready =
            world.store().list(Kind::Pod).filter(|pod| pod.pod().unwrap().status.is_ready());
        let nodes: std::collections::BTreeSet<_> =
            ready.map(|pod| pod.pod().unwrap().node_name.clone()).collect();
        assert_eq!(nodes.len(), 3);
    }

    #[test]
    fn a_daemon_set_asks_for_250_pods_at_a_time_and_then_for_the_rest() {
        let mut world = World::new(ClusterConfig::of_size(300, "4", "8Gi", "110"), 1);
        let template = json!({
            "metadata": {"labels": {"app": "agent"}},
            "spec": {"containers": [{"name": "agent", "image": "busybox:1.36"}]},
        });
        let set = json!({
            "metadata": {"name": "agent"},
            "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template},
        });
        world.create(Kind::DaemonSet, &set, "default").unwrap();
        let limit = world.now() + Duration::from_secs(10);
        while world.store().count(Kind::Pod) == 0 && world.step(limit) {}
        assert_eq!(world.store().count(Kind::Pod), 250);
        world.run_until(limit);
        assert_eq!(world.store().count(Kind::Pod), 300);
    }

    #[test]
    fn the_classroom_has_dns_an_ingress_controller_and_a_cloud() {
        let mut world = World::new(ClusterConfig::classroom(), 1);
        world.run_for(Duration::from_secs(60));
        let pods = world.store().list(Kind::Pod);
        let waiting: Vec<_> = pods
            .filter(|pod| !pod.pod().unwrap().status.is_ready())
            .map(|pod| pod.meta.name.clone())
            .collect();
        assert_eq!((world.store().count(Kind::Pod), waiting), (11, vec![]));
        let name = "ingress-nginx-controller";
        let service = world.find(Kind::Service, "ingress-nginx", name).unwrap();
        assert_eq!(service.status()["loadBalancer"]["ingress"][0]["ip"], "203.0.113.10");
        world
            .create(
                Kind::Ingress,
                &json!({"metadata": {"name": "shop"}, "spec": {"ingressClassName": "nginx",
                    "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}}),
                "default",
            )
            .unwrap();
        // The controller looks after addresses once a minute.
        world.run_for(Duration::from_secs(60));
        let ingress = world.find(Kind::Ingress, "default", "shop").unwrap();
        assert_eq!(ingress.status()["loadBalancer"]["ingress"][0]["ip"], "203.0.113.10");
    }
}
