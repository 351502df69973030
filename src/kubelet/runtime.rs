//! What really runs on a node: the kubelet's own memory, apart from what it has reported.

use crate::api::{Object, Pod, Uid};
use crate::base::{Map, Set, SimTime};
use crate::container::Scene;
use core::net::Ipv4Addr;
use std::sync::Arc;

/// A node's machine and its kubelet.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRuntime {
    /// Whether it is connected to the cluster; a stopped one neither reports nor can be reached.
    pub up: bool,
    /// Since when it is so.
    pub since: SimTime,
    /// Whether a network plugin has left its configuration; without one the node is not Ready and
    /// only pods of the host's network start.
    pub network_ready: bool,
    /// The node's own address.
    pub ip: Ipv4Addr,
    /// The first address for pods; `…​.1` is the bridge.
    pub pod_network: Ipv4Addr,
    /// The offset of the address given last.
    pub last_pod_offset: u32,
    /// The offsets in use.
    pub pod_offsets: Set<u32>,
    /// The images on its disk.
    pub images: Set<Arc<str>>,
    /// The pods that run on it. Each lies by itself: the map has room for more than there are.
    pub pods: Map<Uid, Arc<PodRuntime>>,
    /// Whether its containers are no more than entries in a list, as on the machines that the
    /// recordings were made with: what is asked to end does so at once and well, and a readiness
    /// probe does not wait for its turn.
    pub is_hollow: bool,
}

impl NodeRuntime {
    /// A node that joins now.
    pub fn new(ip: Ipv4Addr, pod_network: Ipv4Addr, now: SimTime) -> Self {
        NodeRuntime {
            up: true,
            since: now,
            network_ready: true,
            ip,
            pod_network,
            last_pod_offset: 1,
            pod_offsets: Set::new(),
            images: Set::new(),
            pods: Map::new(),
            is_hollow: false,
        }
    }

    /// The next free pod address, round robin through the /24 as the host-local plugin does.
    pub fn allocate_pod_ip(&mut self) -> Option<Ipv4Addr> {
        const FIRST: u32 = 2;
        const LAST: u32 = 254;
        let span = LAST - FIRST + 1;
        let next = (0..span)
            .map(|step| FIRST + (self.last_pod_offset + 1 - FIRST + step) % span)
            .find(|offset| !self.pod_offsets.contains(offset))?;
        self.last_pod_offset = next;
        self.pod_offsets.insert(next);
        Some(Ipv4Addr::from_bits(self.pod_network.to_bits() + next))
    }

    /// Whether a pod that brings a network plugin runs here.
    pub(crate) fn gains_network(&self, uid: Uid, pod: &Pod) -> bool {
        let runs = self.pods.get(&uid).is_some_and(|pod| {
            let mut containers = pod.containers.iter();
            containers.any(ContainerRuntime::is_running)
        });
        runs && super::node::brings_network(&pod.spec)
    }

    /// Gives an address back.
    pub fn release_pod_ip(&mut self, ip: Ipv4Addr) {
        self.pod_offsets.remove(&ip.to_bits().wrapping_sub(self.pod_network.to_bits()));
    }
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When it had started; `None` if its process never began.
    pub since: Option<SimTime>,
    /// When it ended.
    pub at: SimTime,
    /// Exit code.
    pub code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`.
    pub reason: &'static str,
    /// What it left as its last words, or the runtime's sentence.
    pub message: Option<Arc<str>>,
    /// What is shown of it while it is to be started again, if that is something else: a start
    /// that failed, and why.
    pub shown_as: Option<(&'static str, Arc<str>)>,
}

/// How far a container is that was told to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopStep {
    /// Its preStop hook runs.
    Hook(Hook),
    /// It waits for containers that end before it.
    Turn,
    /// Its process was asked to end; when it does so and with which code, if that is known.
    Asked(Option<(SimTime, i32)>),
}

/// A hook at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Until then.
    Until(SimTime),
    /// A conversation with a program in the container.
    Talk(u32),
}

/// What a container is doing, down to the kubelet's steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Not begun.
    New,
    /// Its image comes over the network until then.
    Pulling {
        /// When the image is here, or the registry has said no.
        until: SimTime,
    },
    /// It cannot be started yet; tried again then.
    Blocked {
        /// `ErrImagePull`, `ImagePullBackOff`, `CreateContainerConfigError`, `CrashLoopBackOff` …
        reason: &'static str,
        /// A sentence.
        message: Arc<str>,
        /// When it is tried again.
        until: SimTime,
    },
    /// Being created and started.
    Starting {
        /// When it runs.
        until: SimTime,
    },
    /// Running.
    Running {
        /// Since when.
        since: SimTime,
        /// When its process ends by itself, with which exit code, and whether for its memory; a
        /// script's end is not known beforehand.
        ends: Option<(SimTime, i32, bool)>,
    },
    /// Told to stop.
    Stopping {
        /// Since when it ran.
        since: SimTime,
        /// As in `Running`.
        ends: Option<(SimTime, i32, bool)>,
        /// How far that is.
        step: StopStep,
        /// When it is killed.
        kill_at: SimTime,
    },
    /// Ended.
    Ended(Arc<End>),
}

/// One probe of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeRun {
    /// When it is due; not before something changes without.
    pub due: Option<SimTime>,
    /// The conversation that it waits for, and until when.
    pub talk: Option<(u32, SimTime)>,
    /// The last answer, and how often in a row it came.
    pub last: Option<(bool, u32)>,
}

/// One container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerRuntime {
    /// What it is doing.
    pub state: RunState,
    /// How it ended the last time, if it was started again.
    pub last_end: Option<Arc<End>>,
    /// How often it was started again.
    pub restart_count: u32,
    /// How many containers were made for it.
    pub number: u32,
    /// How long the next back-off is, in seconds; 0 before the first.
    pub back_off_seconds: u32,
    /// Whether its readiness probe says so.
    pub ready: bool,
    /// Whether its startup probe has succeeded.
    pub started: bool,
    /// Its probes, if it has any: startup, readiness, liveness.
    pub probes: Option<Box<[ProbeRun; 3]>>,
    /// Its postStart hook, while that is at work.
    pub post_start: Option<Hook>,
    /// As what its end is to be shown: a start that failed, and why.
    pub failed_start: Option<(&'static str, Arc<str>)>,
    /// The config maps and secrets that its environment was made from.
    pub references: Vec<Arc<Object>>,
}

impl Default for ContainerRuntime {
    fn default() -> Self {
        ContainerRuntime::new()
    }
}

impl ContainerRuntime {
    /// A container that has not begun.
    pub const fn new() -> Self {
        ContainerRuntime {
            state: RunState::New,
            last_end: None,
            restart_count: 0,
            number: 0,
            back_off_seconds: 0,
            ready: false,
            started: false,
            probes: None,
            post_start: None,
            failed_start: None,
            references: Vec::new(),
        }
    }

    /// Whether its process exists.
    pub const fn is_running(&self) -> bool {
        matches!(self.state, RunState::Running { .. } | RunState::Stopping { .. })
    }

    /// Since when its process exists.
    pub const fn since(&self) -> Option<SimTime> {
        match self.state {
            RunState::Running { since, .. } | RunState::Stopping { since, .. } => Some(since),
            _ => None,
        }
    }

    /// How it ended, if it has and is not yet started again.
    pub fn end(&self) -> Option<&End> {
        match &self.state {
            RunState::Ended(end) => Some(end),
            _ => None,
        }
    }
}

/// One pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodRuntime {
    /// When the kubelet first saw it.
    pub seen: SimTime,
    /// Its address, once its sandbox exists.
    pub ip: Option<Ipv4Addr>,
    /// When the sandbox is ready; the volumes must be there before.
    pub sandbox_ready: Option<SimTime>,
    /// When volumes and network are tried again after a failure, and how often they failed.
    pub mount_retry: Option<(SimTime, u32)>,
    /// When its processes were told to stop.
    pub stopping_since: Option<SimTime>,
    /// Whether it ran for longer than it may.
    pub is_past_deadline: bool,
    /// Containers in the order of the specification.
    pub containers: Vec<ContainerRuntime>,
    /// Init containers likewise.
    pub init_containers: Vec<ContainerRuntime>,
    /// Ephemeral containers likewise.
    pub ephemeral_containers: Vec<ContainerRuntime>,
    /// What is inside of them, where that is more than simple servers.
    pub scene: Option<Arc<Scene>>,
}

impl PodRuntime {
    /// Whether the process of the container at this place was asked to end: servers then take no
    /// more connections.
    ///
    /// Simplified: a server that does not listen for SIGTERM would go on until it is killed.
    pub fn is_asked_to_end(&self, place: usize) -> bool {
        let state = self.containers.get(place).map(|container| &container.state);
        matches!(state, Some(RunState::Stopping { step: StopStep::Asked(_), .. }))
    }

    /// A pod that the kubelet sees for the first time.
    pub fn new(containers: usize, init_containers: usize, now: SimTime) -> Self {
        PodRuntime {
            seen: now,
            ip: None,
            sandbox_ready: None,
            mount_retry: None,
            stopping_since: None,
            is_past_deadline: false,
            containers: vec![ContainerRuntime::new(); containers],
            init_containers: vec![ContainerRuntime::new(); init_containers],
            ephemeral_containers: Vec::new(),
            scene: None,
        }
    }

    /// Has room for so many ephemeral containers: they are added while the others run.
    pub(super) fn make_room(&mut self, ephemeral_containers: usize) {
        if self.ephemeral_containers.len() >= ephemeral_containers {
            return;
        }
        self.ephemeral_containers.resize_with(ephemeral_containers, ContainerRuntime::new);
        let count = self.all().count();
        if let Some(scene) = &mut self.scene {
            Arc::make_mut(scene).make_room(count);
        }
    }

    /// All containers, init containers first, ephemeral ones last: the order of their numbers in a
    /// [`Scene`].
    pub fn all(&self) -> impl Iterator<Item = &ContainerRuntime> {
        self.init_containers.iter().chain(&self.containers).chain(&self.ephemeral_containers)
    }

    /// The container of a number.
    pub fn at(&self, place: usize) -> Option<&ContainerRuntime> {
        self.all().nth(place)
    }

    /// The container of a number.
    pub fn at_mut(&mut self, place: usize) -> Option<&mut ContainerRuntime> {
        let all = self.init_containers.iter_mut().chain(&mut self.containers);
        all.chain(&mut self.ephemeral_containers).nth(place)
    }

    /// The inside of its containers, made if there is none.
    pub fn scene(&mut self, now: SimTime) -> &mut Scene {
        let count = self.all().count();
        let scene = self.scene.get_or_insert_with(|| Arc::new(Scene::new(count, now)));
        Arc::make_mut(scene)
    }

    /// Whether a container's process exists.
    pub fn has_process(&self) -> bool {
        self.all().any(ContainerRuntime::is_running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_addresses_go_round_and_are_never_given_twice() {
        let mut node = NodeRuntime::new(
            Ipv4Addr::new(172, 18, 0, 3),
            Ipv4Addr::new(10, 244, 1, 0),
            SimTime::WORLD_START,
        );
        let first = node.allocate_pod_ip().unwrap();
        let second = node.allocate_pod_ip().unwrap();
        assert_eq!((first, second), (Ipv4Addr::new(10, 244, 1, 2), Ipv4Addr::new(10, 244, 1, 3)));
        node.release_pod_ip(first);
        assert_eq!(node.allocate_pod_ip(), Some(Ipv4Addr::new(10, 244, 1, 4)));
        let rest = core::iter::from_fn(|| node.allocate_pod_ip()).count();
        assert_eq!(rest, 251);
    }
}
