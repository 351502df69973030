//! One look of the kubelet at one pod.
//!
//! Models pkg/kubelet/kubelet.go SyncPod and pkg/kubelet/kuberuntime/kuberuntime_manager.go.

use super::images;
use super::probes;
use super::process;
use super::runtime::{ContainerRuntime, NodeRuntime, PodRuntime, RunState};
use super::status;
use crate::api::pod::{Container, Pod, RestartPolicy, VolumeSource};
use crate::api::tree::Tree as _;
use crate::api::{Event, Object, Uid};
use crate::base::SimTime;
use crate::store::{DeleteOptions, Key, Plan, Write};
use core::time::Duration;
use std::sync::Arc;

/// What a kubelet asks the API about, beside the pod.
pub trait Surroundings {
    /// Whether the namespace has a config map of this name.
    fn has_config_map(&self, namespace: &str, name: &str) -> bool;
    /// Whether the namespace has a secret of this name.
    fn has_secret(&self, namespace: &str, name: &str) -> bool;
}

/// From a bound pod to its sandbox.
const SANDBOX: Duration = Duration::from_millis(100);
/// To bring an image over the network.
const PULL: Duration = Duration::from_millis(400);
/// To create and start a container, for the quickest pod.
const START: Duration = Duration::from_millis(250);
/// How much later the next quickest is, and how many steps there are: pods that were made together
/// do not start together, so who waits for them sees one after the other. A step is longer than a
/// pod's news takes to its Deployment.
const START_STEP: Duration = Duration::from_millis(11);
const START_STEPS: u128 = 16;
/// For a process to end when it is asked to.
const STOP: Duration = Duration::from_millis(500);
/// Before the first retry of a pull or a crashed container, in seconds.
const FIRST_BACK_OFF_SECONDS: u32 = 10;
/// The longest back-off, in seconds.
const LONGEST_BACK_OFF_SECONDS: u32 = 300;
/// A container that ran this long is not in a crash loop any more.
const BACK_OFF_RESET: Duration = Duration::from_secs(600);
/// Between two looks at a pod that waits for its configuration.
const RESYNC: Duration = Duration::from_secs(12);

/// What one look needs and collects.
pub(super) struct Look<'a> {
    pub(super) node_name: &'a Arc<str>,
    pub(super) object: &'a Object,
    pub(super) pod: &'a Pod,
    pub(super) now: SimTime,
    pub(super) writes: Vec<Write>,
}

impl Look<'_> {
    /// An event of this kubelet; about a container if one is named.
    pub(super) fn event(&mut self, container: &str, warning: bool, reason: &str, message: String) {
        let mut involved = self.object.reference();
        if !container.is_empty() {
            let init = self.pod.spec.init_containers.iter().any(|c| c.name == container);
            let list = if init { "initContainers" } else { "containers" };
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
        })));
    }
}

/// Looks at a pod and brings what runs nearer to what is wanted. `object` is the pod as the API
/// has it, `None` if it is gone.
pub fn sync(
    node_name: &Arc<str>,
    node: &mut NodeRuntime,
    uid: Uid,
    object: Option<&Arc<Object>>,
    around: &dyn Surroundings,
    now: SimTime,
) -> Plan {
    let Some((object, pod)) = object.and_then(|object| Some((object, object.pod()?))) else {
        forget(node, uid);
        return Plan::default();
    };
    let known = node.pods.get(&uid).cloned();
    let spec = &pod.spec;
    if known.is_none() && pod.status.phase.is_terminal() {
        // It ended before this kubelet started; only its removal is left.
        return if object.meta.is_terminating() {
            remove(object, Vec::new())
        } else {
            Plan::default()
        };
    }
    let mut runtime = known
        .unwrap_or_else(|| PodRuntime::new(spec.containers.len(), spec.init_containers.len(), now));
    let mut look = Look { node_name, object, pod, now, writes: Vec::new() };
    if object.meta.is_terminating() && runtime.stopping_since.is_none() {
        stop_all(&mut look, &mut runtime);
    }
    if runtime.stopping_since.is_none() {
        prepare_sandbox(&mut look, &mut runtime, node, around);
    }
    if runtime.sandbox_ready.is_some_and(|ready| ready <= now) {
        advance_all(&mut look, &mut runtime, node, around);
    }
    let status = status::of(&look, &runtime, node.ip);
    if status != pod.status {
        let mut changed = (**object).clone();
        if let Some(pod) = changed.pod_mut() {
            pod.status = status;
        }
        look.writes.push(Write::UpdateStatus(Box::new(changed)));
    }
    let still_running =
        |c: &ContainerRuntime| c.is_running() || matches!(c.state, RunState::Starting { .. });
    let all = || runtime.containers.iter().chain(&runtime.init_containers);
    if object.meta.is_terminating() && !all().any(still_running) {
        forget(node, uid);
        return remove(object, look.writes);
    }
    let due = next_due(&runtime, now);
    let writes = look.writes;
    node.pods.insert(uid, runtime);
    Plan { writes, requeue_after: due.map(|due| due.since(now)) }
}

fn forget(node: &mut NodeRuntime, uid: Uid) {
    if let Some(runtime) = node.pods.remove(&uid)
        && let Some(ip) = runtime.ip
    {
        node.release_pod_ip(ip);
    }
}

/// The kubelet's last word on a pod: delete it now.
fn remove(object: &Object, mut writes: Vec<Write>) -> Plan {
    let options = DeleteOptions {
        uid: Some(object.meta.uid),
        grace_period_seconds: Some(0),
        ..DeleteOptions::default()
    };
    writes.push(Write::Delete { key: Key::of(object), options });
    Plan::of(writes)
}

/// How long a process takes to end after SIGTERM.
///
/// Simplified: every process ends promptly, unless an annotation `….sim/term-seconds` says how
/// long it takes; after the grace period it is killed.
fn stop_time(look: &Look<'_>) -> (Duration, bool) {
    let grace = look
        .object
        .meta
        .deletion
        .map_or(look.pod.spec.termination_grace_period_seconds, |deletion| {
            deletion.grace_period_seconds
        });
    let grace = Duration::from_secs(u64::try_from(grace).unwrap_or_default());
    let wanted = simulated(look.object, "term-seconds")
        .and_then(|seconds| seconds.parse().ok())
        .map_or(STOP, Duration::from_secs);
    (wanted.min(grace), wanted > grace)
}

/// The value of an annotation that steers the simulation: `NAME.sim/key`.
pub(super) fn simulated<'a>(object: &'a Object, key: &str) -> Option<&'a str> {
    object.meta.annotations.iter().find_map(|(name, value)| {
        let (domain, own_key) = name.split_once('/')?;
        (domain.ends_with(".sim") && own_key == key).then_some(value)
    })
}

fn stop_all(look: &mut Look<'_>, runtime: &mut PodRuntime) {
    runtime.stopping_since = Some(look.now);
    let pod = look.pod;
    let (time, killed) = stop_time(look);
    let until = look.now + time;
    let containers = pod.spec.init_containers.iter().zip(&mut runtime.init_containers);
    for (container, state) in
        containers.chain(pod.spec.containers.iter().zip(&mut runtime.containers))
    {
        match state.state {
            RunState::Running { since, .. } => {
                let exit_code = if killed { 137 } else { process::exit_when_stopped(container) };
                state.state = RunState::Stopping { since, until, exit_code };
                let message = format!("Stopping container {}", container.name);
                look.event(&container.name, false, "Killing", message);
            }
            RunState::Starting { .. } => state.state = RunState::New,
            _ => {}
        }
        state.ready = false;
        state.probes_due = [None; 3];
    }
}

/// Mounts volumes and makes the sandbox, which gives the pod its address.
fn prepare_sandbox(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    node: &mut NodeRuntime,
    around: &dyn Surroundings,
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
    if let Some(problem) = missing_volume(look, around) {
        let failures = runtime.mount_retry.map_or(0, |(_, failures)| failures) + 1;
        // 0.5, 1, 2, 4 … seconds, at most about two minutes.
        let wait = Duration::from_millis(500 << failures.saturating_sub(1).min(8));
        runtime.mount_retry = Some((look.now + wait, failures));
        look.event("", true, "FailedMount", problem);
        return;
    }
    runtime.mount_retry = None;
    runtime.sandbox_ready = Some(look.now + SANDBOX);
    runtime.ip = if look.pod.spec.host_network { Some(node.ip) } else { node.allocate_pod_ip() };
}

fn missing_volume(look: &Look<'_>, around: &dyn Surroundings) -> Option<String> {
    let namespace = &look.object.meta.namespace;
    look.pod.spec.volumes.iter().find_map(|(volume, source)| {
        let (kind, name) = match source {
            VolumeSource::ConfigMap { name, optional: false }
                if !around.has_config_map(namespace, name) =>
            {
                ("configmap", name)
            }
            VolumeSource::Secret { name, optional: false }
                if !around.has_secret(namespace, name) =>
            {
                ("secret", name)
            }
            _ => return None,
        };
        let why = format!("{kind} \"{name}\" not found");
        Some(format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}"))
    })
}

/// Init containers one after the other, then all the others.
fn advance_all(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    node: &mut NodeRuntime,
    around: &dyn Surroundings,
) {
    let pod = look.pod;
    let policy = pod.spec.restart_policy;
    let stopping = runtime.stopping_since.is_some();
    for (container, state) in pod.spec.init_containers.iter().zip(&mut runtime.init_containers) {
        let policy = match (container.is_sidecar, policy) {
            (true, _) => RestartPolicy::Always,
            (false, RestartPolicy::Always) => RestartPolicy::OnFailure,
            (false, policy) => policy,
        };
        advance(look, container, state, policy, node, around, stopping);
        let passed = match state.state {
            RunState::Running { .. } => container.is_sidecar && state.started,
            RunState::Ended { exit_code, .. } => exit_code == 0,
            _ => false,
        };
        if !passed && !stopping {
            return;
        }
    }
    for (container, state) in pod.spec.containers.iter().zip(&mut runtime.containers) {
        advance(look, container, state, policy, node, around, stopping);
    }
}

/// Brings one container through every step that is due.
fn advance(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    policy: RestartPolicy,
    node: &mut NodeRuntime,
    around: &dyn Surroundings,
    stopping: bool,
) {
    // Each pass makes one step; a container never needs more than these at one moment.
    for _ in 0..8 {
        let before = state.state.clone();
        match before {
            RunState::New if !stopping => begin(look, container, state, node),
            RunState::Pulling { until } if until <= look.now => {
                pulled(look, container, state, node, until);
            }
            RunState::Blocked { until, reason, failures, .. } if until <= look.now && !stopping => {
                unblock(look, container, state, node, reason, failures);
            }
            RunState::Starting { until } if until <= look.now => {
                started(look, container, state, until);
            }
            RunState::Running { since, ends: Some((at, exit_code)) } if at <= look.now => {
                ended(state, since, at, exit_code);
            }
            RunState::Running { .. } if !stopping => probes::run(look, container, state),
            RunState::Stopping { since, until, exit_code } if until <= look.now => {
                ended(state, since, until, exit_code);
            }
            RunState::Ended { at, exit_code, .. } if !stopping => {
                let again = match policy {
                    RestartPolicy::Always => true,
                    RestartPolicy::OnFailure => exit_code != 0,
                    RestartPolicy::Never => false,
                };
                if again {
                    restart(look, container, state, node, at);
                }
            }
            _ => {}
        }
        if let RunState::Starting { until } = state.state
            && let Some(problem) = missing_configuration(look, container, around)
            && before != state.state
        {
            block_for_configuration(look, container, state, problem, until);
        }
        if state.state == before {
            return;
        }
    }
}

/// The image first, then the container.
fn begin(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    node: &NodeRuntime,
) {
    let here = node.images.contains(container.image.as_str());
    if here && container.image_pull_policy != "Always" {
        let message = format!(
            "Container image \"{}\" already present on machine and can be accessed by the pod",
            container.image
        );
        look.event(&container.name, false, "Pulled", message);
        create(look, container, state);
        return;
    }
    if container.image_pull_policy == "Never" {
        let message = format!(
            "Container image \"{}\" is not present with pull policy of Never",
            container.image
        );
        look.event(&container.name, true, "ErrImageNeverPull", message.clone());
        let until = look.now + RESYNC;
        state.state = RunState::Blocked {
            reason: "ErrImageNeverPull",
            message: message.into(),
            until,
            failures: 0,
        };
        return;
    }
    let message = format!("Pulling image \"{}\"", container.image);
    look.event(&container.name, false, "Pulling", message);
    state.state = RunState::Pulling { until: look.now + PULL };
}

fn pulled(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    node: &mut NodeRuntime,
    at: SimTime,
) {
    let image = &container.image;
    if images::exists(image) {
        node.images.insert(Arc::from(image.as_str()));
        let (time, size) = (PULL.as_millis(), images::SIZE_BYTES);
        let message = format!(
            "Successfully pulled image \"{image}\" in {time}ms ({time}ms including waiting). \
             Image size: {size} bytes."
        );
        look.event(&container.name, false, "Pulled", message);
        create(look, container, state);
        return;
    }
    let reference = images::reference(image);
    let why = format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{reference}\": \
         failed to resolve reference \"{reference}\": {reference}: not found"
    );
    let message = format!("Failed to pull image \"{image}\": {why}");
    look.event(&container.name, true, "Failed", message);
    look.event(&container.name, true, "Error: ErrImagePull", String::new());
    rename_last_event(look, "Failed", "Error: ErrImagePull");
    let until = at + Duration::from_secs(1);
    state.state =
        RunState::Blocked { reason: "ErrImagePull", message: why.into(), until, failures: 0 };
}

/// Gives the event just recorded its reason and message.
fn rename_last_event(look: &mut Look<'_>, reason: &str, message: &str) {
    if let Some(Write::Event(event)) = look.writes.last_mut() {
        event.reason = reason.into();
        event.message = message.into();
    }
}

fn create(look: &mut Look<'_>, container: &Container, state: &mut ContainerRuntime) {
    look.event(&container.name, false, "Created", "Container created".to_owned());
    let step = u32::try_from(look.object.meta.uid.0 % START_STEPS).unwrap_or_default();
    state.state = RunState::Starting { until: look.now + START + START_STEP * step };
}

fn started(look: &mut Look<'_>, container: &Container, state: &mut ContainerRuntime, at: SimTime) {
    look.event(&container.name, false, "Started", "Container started".to_owned());
    state.number += 1;
    let ends = process::natural_end(container);
    let ends = ends.map(|(millis, code)| (at + Duration::from_millis(millis), code));
    state.state = RunState::Running { since: at, ends };
    probes::arm(container, state, at);
}

fn ended(state: &mut ContainerRuntime, since: SimTime, at: SimTime, exit_code: i32) {
    state.state = RunState::Ended { since, at, exit_code };
    state.ready = false;
    state.started = false;
    state.probes_due = [None; 3];
}

/// The first time at once, then after 10, 20, 40 … seconds.
///
/// Models pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff.
fn restart(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    node: &NodeRuntime,
    ended_at: SimTime,
) {
    if let RunState::Ended { since, at, exit_code } = state.state {
        state.last_end = Some((since, at, exit_code));
        if at.since(since) >= BACK_OFF_RESET {
            state.back_off_seconds = 0;
        }
    }
    let wait = state.back_off_seconds;
    state.back_off_seconds = match wait {
        0 => FIRST_BACK_OFF_SECONDS,
        wait => (wait * 2).min(LONGEST_BACK_OFF_SECONDS),
    };
    if wait == 0 {
        state.restart_count += 1;
        begin(look, container, state, node);
        return;
    }
    let (name, meta) = (&container.name, &look.object.meta);
    let who = format!("{}_{}({})", meta.name, meta.namespace, meta.uid);
    let text = format!("restarting failed container={name} pod={who}");
    let message = format!("back-off {} {text}", go_seconds(wait));
    let until = ended_at + Duration::from_secs(u64::from(wait));
    state.state = RunState::Blocked {
        reason: "CrashLoopBackOff",
        message: message.into(),
        until,
        failures: 0,
    };
    let event = format!("Back-off restarting failed container {name} in pod {who}");
    look.event(name, true, "BackOff", event);
}

/// A number of seconds as Go writes a duration: `10s`, `1m20s`, `5m0s`.
fn go_seconds(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

fn unblock(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    node: &NodeRuntime,
    reason: &'static str,
    failures: u32,
) {
    match reason {
        "ErrImagePull" => {
            let image = &container.image;
            let message = format!("Back-off pulling image \"{image}\"");
            look.event(&container.name, false, "BackOff", message.clone());
            look.event(&container.name, true, "Failed", "Error: ImagePullBackOff".to_owned());
            let wait = match state.back_off_seconds {
                0 => FIRST_BACK_OFF_SECONDS,
                wait => (wait * 2).min(LONGEST_BACK_OFF_SECONDS),
            };
            state.back_off_seconds = wait;
            let until = look.now + Duration::from_secs(u64::from(wait));
            let message = message.into();
            state.state =
                RunState::Blocked { reason: "ImagePullBackOff", message, until, failures };
        }
        "CrashLoopBackOff" => {
            state.restart_count += 1;
            begin(look, container, state, node);
        }
        _ => {
            state.state = RunState::New;
            begin(look, container, state, node);
        }
    }
}

/// A config map or secret that the container's environment needs and that is not there.
fn missing_configuration(
    look: &Look<'_>,
    container: &Container,
    around: &dyn Surroundings,
) -> Option<String> {
    let namespace = &look.object.meta.namespace;
    let lists = ["containers", "initContainers"];
    let mut trees = lists.iter().flat_map(|list| look.pod.spec.tree.items_at(&[list]));
    let tree = trees.find(|tree| tree.str_at(&["name"]) == Some(&container.name))?;
    let refs = tree.items_at(&["envFrom"]).iter().flat_map(|source| {
        [("configmap", source.at(&["configMapRef"])), ("secret", source.at(&["secretRef"]))]
    });
    let keys = tree.items_at(&["env"]).iter().flat_map(|variable| {
        [
            ("configmap", variable.at(&["valueFrom", "configMapKeyRef"])),
            ("secret", variable.at(&["valueFrom", "secretKeyRef"])),
        ]
    });
    refs.chain(keys).find_map(|(kind, reference)| {
        let reference = reference?;
        let name = reference.str_at(&["name"])?;
        let found = match kind {
            "configmap" => around.has_config_map(namespace, name),
            _ => around.has_secret(namespace, name),
        };
        let optional = reference.bool_at(&["optional"]) == Some(true);
        (!found && !optional).then(|| format!("{kind} \"{name}\" not found"))
    })
}

fn block_for_configuration(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    problem: String,
    _until: SimTime,
) {
    // It was never created after all: in place of that event stands the failure.
    look.writes.pop();
    look.event(&container.name, true, "Failed", format!("Error: {problem}"));
    let until = look.now + RESYNC;
    let (reason, message) = ("CreateContainerConfigError", problem.into());
    state.state = RunState::Blocked { reason, message, until, failures: 0 };
}

/// The next moment at which something happens by itself.
fn next_due(runtime: &PodRuntime, now: SimTime) -> Option<SimTime> {
    let container_due = |container: &ContainerRuntime| {
        let state = match &container.state {
            RunState::Pulling { until }
            | RunState::Blocked { until, .. }
            | RunState::Starting { until }
            | RunState::Stopping { until, .. } => Some(*until),
            RunState::Running { ends, .. } => ends.map(|(at, _)| at),
            RunState::New | RunState::Ended { .. } => None,
        };
        state.into_iter().chain(container.probes_due.iter().flatten().copied()).min()
    };
    let containers = runtime.containers.iter().chain(&runtime.init_containers);
    let sandbox = runtime.sandbox_ready.filter(|ready| *ready > now);
    let retry = runtime.mount_retry.map(|(at, _)| at);
    containers.filter_map(container_due).chain(sandbox).chain(retry).min().map(|due| due.max(now))
}
