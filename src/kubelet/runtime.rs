//! What really runs on a node: the kubelet's own memory, apart from what it has reported.

use crate::api::Uid;
use crate::base::{Map, Set, SimTime};
use core::net::Ipv4Addr;
use std::sync::Arc;

/// A node's machine and its kubelet.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRuntime {
    /// Whether it is connected to the cluster; a stopped one neither reports nor can be reached.
    pub up: bool,
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
    /// The pods that run on it.
    pub pods: Map<Uid, PodRuntime>,
}

impl NodeRuntime {
    /// A node that has just joined.
    pub fn new(ip: Ipv4Addr, pod_network: Ipv4Addr) -> Self {
        NodeRuntime {
            up: true,
            ip,
            pod_network,
            last_pod_offset: 1,
            pod_offsets: Set::new(),
            images: Set::new(),
            pods: Map::new(),
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

    /// Gives an address back.
    pub fn release_pod_ip(&mut self, ip: Ipv4Addr) {
        self.pod_offsets.remove(&ip.to_bits().wrapping_sub(self.pod_network.to_bits()));
    }
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
        /// `ErrImagePull`, `ImagePullBackOff`, `CreateContainerConfigError`, `CrashLoopBackOff`.
        reason: &'static str,
        /// A sentence.
        message: Arc<str>,
        /// When it is tried again.
        until: SimTime,
        /// How often it failed so.
        failures: u32,
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
        /// When its process ends by itself, and with which exit code.
        ends: Option<(SimTime, i32)>,
    },
    /// Told to stop.
    Stopping {
        /// Since when it ran.
        since: SimTime,
        /// When it has ended.
        until: SimTime,
        /// With which exit code.
        exit_code: i32,
    },
    /// Ended.
    Ended {
        /// When it started.
        since: SimTime,
        /// When it ended.
        at: SimTime,
        /// With which exit code.
        exit_code: i32,
    },
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRuntime {
    /// What it is doing.
    pub state: RunState,
    /// How it ended the last time, if it was started again: start, end, exit code.
    pub last_end: Option<(SimTime, SimTime, i32)>,
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
    /// When each probe is due: startup, readiness, liveness.
    pub probes_due: [Option<SimTime>; 3],
    /// How often in a row each probe failed.
    pub probe_failures: [u32; 3],
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
            probes_due: [None; 3],
            probe_failures: [0; 3],
        }
    }

    /// Whether its process exists.
    pub const fn is_running(&self) -> bool {
        matches!(self.state, RunState::Running { .. } | RunState::Stopping { .. })
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
    /// When volumes are tried again after a failure, and how often they failed.
    pub mount_retry: Option<(SimTime, u32)>,
    /// When its processes were told to stop.
    pub stopping_since: Option<SimTime>,
    /// Containers in the order of the specification.
    pub containers: Vec<ContainerRuntime>,
    /// Init containers likewise.
    pub init_containers: Vec<ContainerRuntime>,
}

impl PodRuntime {
    /// Whether the process of the container at this place was asked to end: servers then take no
    /// more connections.
    ///
    /// Simplified: a server that does not listen for SIGTERM would go on until it is killed.
    pub fn is_asked_to_end(&self, place: usize) -> bool {
        let state = self.containers.get(place).map(|container| &container.state);
        matches!(state, Some(RunState::Stopping { .. }))
    }

    /// A pod that the kubelet sees for the first time.
    pub fn new(containers: usize, init_containers: usize, now: SimTime) -> Self {
        PodRuntime {
            seen: now,
            ip: None,
            sandbox_ready: None,
            mount_retry: None,
            stopping_since: None,
            containers: vec![ContainerRuntime::new(); containers],
            init_containers: vec![ContainerRuntime::new(); init_containers],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_addresses_go_round_and_are_never_given_twice() {
        let mut node = NodeRuntime::new(Ipv4Addr::new(172, 18, 0, 3), Ipv4Addr::new(10, 244, 1, 0));
        let first = node.allocate_pod_ip().unwrap();
        let second = node.allocate_pod_ip().unwrap();
        assert_eq!((first, second), (Ipv4Addr::new(10, 244, 1, 2), Ipv4Addr::new(10, 244, 1, 3)));
        node.release_pod_ip(first);
        assert_eq!(node.allocate_pod_ip(), Some(Ipv4Addr::new(10, 244, 1, 4)));
        let rest = core::iter::from_fn(|| node.allocate_pod_ip()).count();
        assert_eq!(rest, 251);
    }
}
