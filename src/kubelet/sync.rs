//! One look of the kubelet at one pod.
//!
//! Models pkg/kubelet/kubelet.go SyncPod and pkg/kubelet/kuberuntime/kuberuntime_manager.go.

use super::admission;
use super::inside;
use super::mounts;
use super::probes;
use super::runtime::{ContainerRuntime, Hook, NodeRuntime, PodRuntime, RunState, StopStep};
use super::start::{self, PLEG_PERIOD};
use super::status;
use super::stop;
use crate::api::pod::{Container, Pod, RestartPolicy};
use crate::api::tree::Tree as _;
use crate::api::{Event, Object, Uid};
use crate::base::SimTime;
use crate::container::Trees;
use crate::store::{DeleteOptions, Key, Plan, Store, Write};
use core::time::Duration;
use std::sync::Arc;

/// From a bound pod to its sandbox.
const SANDBOX: Duration = Duration::from_millis(100);

/// A kubelet at work.
pub struct Kubelet<'a> {
    /// Its node.
    pub name: &'a Arc<str>,
    /// What runs on it.
    pub node: &'a mut NodeRuntime,
    /// The disks that outlive pods.
    pub disks: &'a mut Trees,
    /// The API.
    pub api: &'a Store,
    /// The present.
    pub now: SimTime,
}

/// What one look needs and collects.
pub(super) struct Look<'a> {
    pub(super) node_name: &'a Arc<str>,
    pub(super) api: &'a Store,
    pub(super) object: &'a Arc<Object>,
    pub(super) pod: &'a Pod,
    pub(super) now: SimTime,
    pub(super) is_hollow: bool,
    pub(super) writes: Vec<Write>,
}

impl<'a> Look<'a> {
    fn new(kubelet: &Kubelet<'a>, object: &'a Arc<Object>, pod: &'a Pod) -> Self {
        Look {
            node_name: kubelet.name,
            api: kubelet.api,
            object,
            pod,
            now: kubelet.now,
            is_hollow: kubelet.node.is_hollow,
            writes: Vec::new(),
        }
    }

    /// The container of a number.
    pub(super) fn container(&self, place: usize) -> Option<&'a Container> {
        inside::container_at(self.pod, place)
    }

    /// An event of this kubelet; about a container if one is named.
    pub(super) fn event(&mut self, container: &str, warning: bool, reason: &str, message: String) {
        let mut involved = self.object.reference();
        if !container.is_empty() {
            let is_in = |all: &[Container]| all.iter().any(|it| it.name == container);
            let list = match &self.pod.spec {
                spec if is_in(&spec.init_containers) => "initContainers",
                spec if is_in(&spec.ephemeral_containers) => "ephemeralContainers",
                _ => "containers",
            };
            involved.field_path = Some(format!("spec.{list}{{{container}}}").into());
        }
        self.writes.push(Write::Event(Box::new(Event {
            involved,
            warning,
            reason: reason.into(),
            message: message.into(),
            component: "kubelet".into(),
            host: self.node_name.clone(),
            first_timestamp: self.now,
            last_timestamp: self.now,
            count: 1,
            from_events_api: false,
            written: None,
        })));
    }

    /// When a container that ends is started again.
    pub(super) fn policy(&self, place: usize) -> RestartPolicy {
        let spec = &self.pod.spec;
        let policy = spec.restart_policy;
        if place >= spec.init_containers.len() + spec.containers.len() {
            return RestartPolicy::Never;
        }
        match spec.init_containers.get(place) {
            Some(container) if container.is_sidecar => RestartPolicy::Always,
            // An init container that has done its work is never started again.
            Some(_) if policy == RestartPolicy::Always => RestartPolicy::OnFailure,
            _ => policy,
        }
    }

    /// Whether a container that has ended is started again.
    pub(super) fn restarts(&self, place: usize, exit_code: i32) -> bool {
        match self.policy(place) {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => exit_code != 0,
            RestartPolicy::Never => false,
        }
    }

    /// `NAME_NAMESPACE(UID)`.
    pub(super) fn full_name(&self) -> String {
        let meta = &self.object.meta;
        format!("{}_{}({})", meta.name, meta.namespace, meta.uid)
    }
}

/// Looks at a pod and brings what runs nearer to what is wanted. `object` is the pod as the API
/// has it, `None` if it is gone.
pub fn sync(kubelet: &mut Kubelet<'_>, uid: Uid, object: Option<&Arc<Object>>) -> Plan {
    let Some((object, pod)) = object.and_then(|object| Some((object, object.pod()?))) else {
        forget(kubelet.node, uid);
        return Plan::default();
    };
    let now = kubelet.now;
    let spec = &pod.spec;
    let mut look = Look::new(kubelet, object, pod);
    let known = kubelet.node.pods.get(&uid).map(|known| (**known).clone());
    if known.is_none() && pod.status.phase.is_terminal() {
        // It ended before this kubelet started, or was never let in; only its removal is left.
        return if object.meta.is_terminating() {
            remove(object, Vec::new())
        } else {
            Plan::default()
        };
    }
    if known.is_none()
        && !object.meta.is_terminating()
        && let Some(refusal) = admission::refusal(&look)
    {
        admission::reject(&mut look, refusal);
        return Plan { writes: look.writes, requeue_after: None };
    }
    let mut runtime = known
        .unwrap_or_else(|| PodRuntime::new(spec.containers.len(), spec.init_containers.len(), now));
    runtime.make_room(spec.ephemeral_containers.len());
    inside::play(kubelet.api, object, &mut runtime, kubelet.disks, now);
    if object.meta.is_terminating() {
        stop::stop_all(&mut look, &mut runtime);
    } else {
        keep_deadline(&mut look, &mut runtime);
    }
    if runtime.stopping_since.is_none() {
        prepare_sandbox(&mut look, &mut runtime, kubelet.node, kubelet.disks);
    }
    if runtime.sandbox_ready.is_some_and(|ready| ready <= now) {
        advance_all(&mut look, &mut runtime, kubelet);
    }
    inside::tidy(&mut runtime);
    let status = status::of(&look, &runtime, kubelet.node.ip);
    if status != pod.status {
        let mut changed = (**object).clone();
        if let Some(pod) = changed.pod_mut() {
            pod.status = status;
        }
        look.writes.push(Write::UpdateStatus(Box::new(changed)));
    }
    let at_work =
        |c: &ContainerRuntime| c.is_running() || matches!(c.state, RunState::Starting { .. });
    if object.meta.is_terminating() && !runtime.all().any(at_work) {
        forget(kubelet.node, uid);
        return remove(object, look.writes);
    }
    let due = next_due(&look, &runtime);
    let writes = look.writes;
    kubelet.node.pods.insert(uid, Arc::new(runtime));
    Plan { writes, requeue_after: due.map(|due| due.since(now)) }
}

/// A pod is gone from the API although it runs: its containers are killed.
///
/// Models pkg/kubelet/kubelet.go HandlePodRemoves.
// Simplified: they are gone at once, not after their grace period.
#[inline(never)]
pub fn removed(kubelet: &mut Kubelet<'_>, object: &Arc<Object>) -> Plan {
    let uid = object.meta.uid;
    let Some((runtime, pod)) = kubelet.node.pods.get(&uid).cloned().zip(object.pod()) else {
        return Plan::default();
    };
    let mut look = Look::new(kubelet, object, pod);
    for (place, state) in runtime.all().enumerate() {
        // Those that were told to stop have been spoken of.
        if matches!(state.state, RunState::Running { .. })
            && let Some(container) = look.container(place)
        {
            let message = format!("Stopping container {}", container.name);
            look.event(&container.name, false, "Killing", message);
        }
    }
    forget(kubelet.node, uid);
    Plan::of(look.writes)
}

fn forget(node: &mut NodeRuntime, uid: Uid) {
    if let Some(runtime) = node.pods.remove(&uid)
        && let Some(ip) = runtime.ip
    {
        node.release_pod_ip(ip);
    }
}

/// The kubelet's last word on a pod: delete it now.
#[inline(never)]
fn remove(object: &Object, mut writes: Vec<Write>) -> Plan {
    let options = DeleteOptions {
        uid: Some(object.meta.uid),
        grace_period_seconds: Some(0),
        ..DeleteOptions::default()
    };
    writes.push(Write::Delete { key: Key::of(object), options });
    Plan::of(writes)
}

/// The value of an annotation that steers the simulation: `NAME.sim/key`.
pub(super) fn simulated<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.meta.annotations.iter().find_map(|(name, value)| {
        let (domain, own_key) = name.split_once('/')?;
        (domain.ends_with(".sim") && own_key == key).then_some(value)
    })
}

/// When a pod has run for as long as it may.
fn deadline(look: &Look<'_>, runtime: &PodRuntime) -> Option<SimTime> {
    let seconds = look.pod.spec.tree.int_at(&["activeDeadlineSeconds"])?;
    Some(runtime.seen + Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// Ends a pod that has run for longer than it may.
///
/// Models pkg/kubelet/active_deadline.go.
fn keep_deadline(look: &mut Look<'_>, runtime: &mut PodRuntime) {
    let is_over = deadline(look, runtime).is_some_and(|deadline| deadline <= look.now);
    if !is_over || runtime.is_past_deadline || look.pod.status.phase.is_terminal() {
        return;
    }
    runtime.is_past_deadline = true;
    look.event("", false, status::DEADLINE.0, status::DEADLINE.1.to_owned());
    stop::stop_all(look, runtime);
}

/// Mounts volumes and makes the sandbox, which gives the pod its address.
fn prepare_sandbox(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    node: &mut NodeRuntime,
    disks: &mut Trees,
) {
    if runtime.sandbox_ready.is_some() {
        return;
    }
    if let Some((retry, failures)) = runtime.mount_retry
        && retry > look.now
        && failures > 0
    {
        return;
    }
    let failures = runtime.mount_retry.map_or(0, |(_, failures)| failures) + 1;
    if !node.network_ready && !look.pod.spec.host_network {
        runtime.mount_retry = Some((look.now + start::RESYNC, failures));
        let why = format!("network is not ready: {}", super::node::NO_NETWORK);
        look.event("", true, "NetworkNotReady", why);
        return;
    }
    if let Some(trouble) = mounts::trouble(look.api, look.object, look.node_name, disks) {
        // 0.5, 1, 2, 4 … seconds, at most about two minutes; a claim is looked at with the pod.
        let wait = match trouble.starts_with("Unable to attach") {
            true => start::RESYNC,
            false => Duration::from_millis(500 << failures.saturating_sub(1).min(8)),
        };
        runtime.mount_retry = Some((look.now + wait, failures));
        look.event("", true, "FailedMount", trouble);
        return;
    }
    runtime.mount_retry = None;
    runtime.sandbox_ready = Some(look.now + SANDBOX);
    runtime.ip = if look.pod.spec.host_network { Some(node.ip) } else { node.allocate_pod_ip() };
}

/// What runs is brought on; then init containers are started one after the other, then all others.
///
/// Models pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions and SyncPod.
fn advance_all(look: &mut Look<'_>, runtime: &mut PodRuntime, kubelet: &mut Kubelet<'_>) {
    let init_count = runtime.init_containers.len();
    let count = init_count + runtime.containers.len();
    let all = count + runtime.ephemeral_containers.len();
    for place in 0..all {
        carry_on(look, runtime, kubelet, place);
    }
    if runtime.stopping_since.is_some() {
        return;
    }
    if is_over(look, runtime) {
        stop::stop_rest(look, runtime);
        return;
    }
    // Who looks around must not wait for what does not begin.
    for place in count..all {
        start::bring_up(look, runtime, kubelet, place);
    }
    let is_initialized = runtime.containers.iter().any(|container| container.number > 0);
    for place in 0..init_count {
        let is_sidecar = look.container(place).is_some_and(|container| container.is_sidecar);
        if is_initialized && !is_sidecar {
            continue;
        }
        start::bring_up(look, runtime, kubelet, place);
        let passed = runtime.at(place).is_some_and(|container| match &container.state {
            RunState::Running { .. } => {
                is_sidecar && container.started && container.post_start.is_none()
            }
            RunState::Ended(end) => end.code == 0,
            _ => false,
        });
        if !passed && !is_initialized {
            return;
        }
    }
    for place in init_count..count {
        start::bring_up(look, runtime, kubelet, place);
        // Containers are started one by one, and a hook keeps the next ones waiting.
        if runtime.at(place).is_some_and(|container| container.post_start.is_some()) {
            return;
        }
    }
}

/// Whether nothing of the pod will ever be started again, so that its sidecars are of no use.
fn is_over(look: &Look<'_>, runtime: &PodRuntime) -> bool {
    let init_count = runtime.init_containers.len();
    let for_good = |place: usize, container: &ContainerRuntime| {
        container.end().is_some_and(|end| !look.restarts(place, end.code))
    };
    let mut init = runtime.init_containers.iter().enumerate();
    let failed = init.any(|(place, container)| {
        for_good(place, container) && container.end().is_some_and(|end| end.code != 0)
    });
    let mut regular = runtime.containers.iter().enumerate();
    failed || regular.all(|(place, container)| for_good(init_count + place, container))
}

/// Brings a container that runs, or is told to stop, through every step that is due.
fn carry_on(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
) {
    stop::hear(look, runtime, place);
    for _ in 0..8 {
        let Some(state) = runtime.at(place).map(|it| it.state.clone()) else { return };
        match &state {
            RunState::Running { since, ends } => {
                let ends = stop::natural_end(runtime, place, *since, *ends);
                match ends.filter(|(at, ..)| *at <= look.now) {
                    Some((at, code, for_memory)) => {
                        stop::ended(
                            look,
                            runtime,
                            kubelet,
                            place,
                            Some(*since),
                            at,
                            code,
                            for_memory,
                        );
                    }
                    None if runtime.stopping_since.is_none() => {
                        start::post_start(look, runtime, kubelet, place);
                        probes::run(look, runtime, kubelet, place);
                    }
                    None => {}
                }
            }
            RunState::Stopping { .. } => stop::carry_on(look, runtime, kubelet, place),
            _ => {}
        }
        let after = runtime.at(place).map(|it| &it.state);
        if after == Some(&state) {
            return;
        }
    }
}

/// The next moment at which something happens by itself.
fn next_due(look: &Look<'_>, runtime: &PodRuntime) -> Option<SimTime> {
    let now = look.now;
    let stopping = runtime.stopping_since.is_some();
    let container_due = |(place, container): (usize, &ContainerRuntime)| {
        let state = match &container.state {
            RunState::Pulling { until }
            | RunState::Blocked { until, .. }
            | RunState::Starting { until } => Some(*until),
            RunState::Running { since, ends } => {
                stop::natural_end(runtime, place, *since, *ends).map(|(at, ..)| at)
            }
            RunState::Stopping { since, step, kill_at, ends } => {
                let step = match step {
                    StopStep::Hook(Hook::Until(at)) | StopStep::Asked(Some((at, _))) => Some(*at),
                    StopStep::Turn => stop::is_turn(look, runtime, place).then_some(now),
                    _ => None,
                };
                let ends = stop::natural_end(runtime, place, *since, *ends).map(|(at, ..)| at);
                step.into_iter().chain(ends).chain([*kill_at]).min()
            }
            RunState::Ended(end) => {
                (!stopping && look.restarts(place, end.code)).then(|| end.at + PLEG_PERIOD)
            }
            RunState::New => None,
        };
        let hook = match container.post_start {
            Some(Hook::Until(at)) => Some(at),
            _ => None,
        };
        let probes = container.probes.iter().flat_map(|probes| probes.iter());
        let probes = probes
            .flat_map(|probe| probe.due.into_iter().chain(probe.talk.map(|(_, limit)| limit)));
        state.into_iter().chain(hook).chain(probes).min()
    };
    let sandbox = runtime.sandbox_ready.filter(|ready| *ready > now);
    let retry = runtime.mount_retry.map(|(at, _)| at);
    let deadline = deadline(look, runtime).filter(|_| !runtime.is_past_deadline && !stopping);
    let all = runtime.all().enumerate().filter_map(container_due);
    let all = all.chain(sandbox).chain(retry).chain(deadline);
    all.chain(inside::due(look.object, runtime)).min().map(|due| due.max(now))
}
