//! What the kubelet reports of what runs.
//!
//! Models pkg/kubelet/kubelet_pods.go generateAPIPodStatus and pkg/kubelet/status/generate.go.

use super::runtime::{ContainerRuntime, End, PodRuntime, RunState};
use super::sync::Look;
use crate::api::PodStatus;
use crate::api::pod::{ConditionType, ContainerState, ContainerStatus, Phase, Why};
use crate::base::SimTime;
use core::net::Ipv4Addr;
use std::sync::Arc;

/// Reason and message of a pod that ran for longer than it may.
pub(super) const DEADLINE: (&str, &str) =
    ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline");

/// The status of a pod.
pub(super) fn of(look: &Look<'_>, runtime: &PodRuntime, host_ip: Ipv4Addr) -> PodStatus {
    let mut status = look.pod.status.clone();
    let sandbox = runtime.sandbox_ready.is_some_and(|ready| ready <= look.now);
    status.host_ip = Some(host_ip);
    status.start_time = Some(runtime.seen);
    status.pod_ip = runtime.ip.filter(|_| sandbox);
    let init_count = runtime.init_containers.len();
    let waiting = if init_count > 0 { "PodInitializing" } else { "ContainerCreating" };
    let one = |place, container| container_status(look, place, container, waiting);
    let init = runtime.init_containers.iter().enumerate();
    status.init_containers = init.map(|(place, container)| one(place, container)).collect();
    let regular = runtime.containers.iter().enumerate();
    status.containers =
        regular.map(|(place, container)| one(init_count + place, container)).collect();
    let ephemeral = runtime.ephemeral_containers.iter().enumerate();
    let place = init_count + runtime.containers.len();
    let ephemeral: Vec<_> = ephemeral
        .map(|(number, container)| ContainerStatus {
            ready: false,
            started: false,
            ..one(place + number, container)
        })
        .collect();
    if !ephemeral.is_empty() {
        status.ephemeral_containers = Some(Arc::new(ephemeral));
    }
    if !status.phase.is_terminal() {
        status.phase = phase(look, runtime, &status);
        if runtime.is_past_deadline {
            status.phase = Phase::Failed;
            status.why = Why::of(DEADLINE.0, DEADLINE.1);
        }
    }
    conditions(look, runtime, &mut status, sandbox);
    status
}

fn terminated(end: &End) -> ContainerState {
    ContainerState::Terminated {
        exit_code: end.code,
        reason: Arc::from(end.reason),
        message: end.message.clone(),
        // What never began did so at the beginning of time.
        started_at: end.since.unwrap_or(SimTime::from_micros(0)),
        finished_at: end.at,
    }
}

fn container_status(
    look: &Look<'_>,
    place: usize,
    runtime: &ContainerRuntime,
    waiting: &str,
) -> ContainerStatus {
    let mut last = runtime.last_end.as_deref().map(terminated);
    let creating = || ContainerState::Waiting { reason: Arc::from(waiting), message: None };
    let state = match &runtime.state {
        // Between two runs the last end is still what is known.
        RunState::New | RunState::Pulling { .. } | RunState::Starting { .. } => {
            last.clone().unwrap_or_else(creating)
        }
        RunState::Running { .. } if runtime.post_start.is_some() => {
            last.clone().unwrap_or_else(creating)
        }
        RunState::Blocked { reason, message, .. } => {
            ContainerState::Waiting { reason: Arc::from(*reason), message: Some(message.clone()) }
        }
        RunState::Running { since, .. } | RunState::Stopping { since, .. } => {
            ContainerState::Running { started_at: *since }
        }
        RunState::Ended(end) => match &end.shown_as {
            // What failed to start and is to be tried again is waiting.
            Some((reason, message)) if look.restarts(place, end.code) => {
                last = Some(terminated(end));
                ContainerState::Waiting {
                    reason: Arc::from(*reason),
                    message: Some(message.clone()),
                }
            }
            _ => terminated(end),
        },
    };
    let running = matches!(state, ContainerState::Running { .. });
    let init = look.pod.spec.init_containers.get(place);
    let is_done = init.is_some_and(|container| !container.is_sidecar)
        && matches!(state, ContainerState::Terminated { exit_code: 0, .. });
    ContainerStatus {
        state,
        last_state: last.map(Box::new),
        // Of init containers that must end, an end is what makes them ready.
        ready: match init {
            Some(container) if !container.is_sidecar => is_done,
            _ => runtime.ready && running,
        },
        started: runtime.started && running,
        restart_count: runtime.restart_count,
        container_number: runtime.number,
    }
}

/// Models pkg/kubelet/kubelet_pods.go getPhase.
fn phase(look: &Look<'_>, runtime: &PodRuntime, status: &PodStatus) -> Phase {
    let end = |status: &ContainerStatus| match &status.state {
        ContainerState::Terminated { exit_code, .. } => Some(*exit_code),
        ContainerState::Waiting { .. } => match status.last_state.as_deref() {
            Some(ContainerState::Terminated { exit_code, .. }) => Some(*exit_code),
            _ => None,
        },
        ContainerState::Running { .. } => None,
    };
    let is_running =
        |status: &ContainerStatus| matches!(status.state, ContainerState::Running { .. });
    let init_count = status.init_containers.len();
    let is_initialized = runtime.containers.iter().any(|container| container.number > 0);
    let (mut pending, mut running) = (0, 0);
    for (place, own) in status.init_containers.iter().enumerate() {
        let is_sidecar =
            look.pod.spec.init_containers.get(place).is_some_and(|container| container.is_sidecar);
        match end(own) {
            Some(code) if code != 0 && !is_sidecar && !look.restarts(place, code) => {
                return Phase::Failed;
            }
            Some(_) => {}
            None if is_sidecar && is_running(own) => {
                running += 1;
                pending += u32::from(!own.started && !is_initialized);
            }
            None => pending += u32::from(!is_sidecar || !is_initialized),
        }
    }
    let (mut waiting, mut stopped, mut succeeded, mut for_good) = (0, 0, 0, 0);
    for (place, own) in status.containers.iter().enumerate() {
        match end(own) {
            Some(code) => {
                stopped += 1;
                succeeded += u32::from(code == 0);
                for_good += u32::from(!look.restarts(init_count + place, code));
            }
            None if is_running(own) => running += 1,
            None => waiting += 1,
        }
    }
    let is_stopped = runtime.stopping_since.is_some() && !runtime.has_process();
    match () {
        // Its end is written even if it never ran.
        () if is_stopped && (pending > 0 || waiting > 0) => Phase::Failed,
        () if pending > 0 || waiting > 0 => Phase::Pending,
        () if running > 0 => Phase::Running,
        () if stopped == 0 => Phase::Pending,
        () if !is_stopped && stopped != for_good => Phase::Running,
        () if stopped == succeeded => Phase::Succeeded,
        () => Phase::Failed,
    }
}

fn conditions(look: &Look<'_>, runtime: &PodRuntime, status: &mut PodStatus, sandbox: bool) {
    let now = look.now;
    let spec = &look.pod.spec;
    let finished = status.phase == Phase::Succeeded;
    let alive = sandbox && !status.phase.is_terminal();
    status.set_condition(ConditionType::PodReadyToStartContainers, alive, None, now);

    let init = || spec.init_containers.iter().zip(&status.init_containers);
    let incomplete: Vec<&str> = init()
        .filter(|(spec, own)| if spec.is_sidecar { !own.started } else { !own.ready })
        .map(|(spec, _)| spec.name.as_str())
        .collect();
    let has_begun = runtime.containers.iter().any(|container| container.number > 0);
    let initialized = incomplete.is_empty() || has_begun || finished;
    let message: String;
    let why = match initialized {
        true => finished.then_some(("PodCompleted", "")),
        false => {
            message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
            Some(("ContainersNotInitialized", message.as_str()))
        }
    };

    let sidecars = init().filter(|(spec, _)| spec.is_sidecar);
    let unready: Vec<&str> = sidecars
        .chain(spec.containers.iter().zip(&status.containers))
        .filter(|(_, own)| !own.ready)
        .map(|(spec, _)| spec.name.as_str())
        .collect();
    let unready_message: String;
    let containers_ready = unready.is_empty() && !status.phase.is_terminal();
    let why_unready = match (containers_ready, status.phase) {
        (true, _) => None,
        (false, Phase::Succeeded) => Some(("PodCompleted", "")),
        (false, Phase::Failed) => Some(("PodFailed", "")),
        (false, _) => {
            unready_message = format!("containers with unready status: [{}]", unready.join(" "));
            Some(("ContainersNotReady", unready_message.as_str()))
        }
    };
    let closed = closed_gates(look, status);
    let ready = containers_ready && closed.is_empty();
    let why_not = match containers_ready {
        true if !closed.is_empty() => Some(("ReadinessGatesNotReady", closed.as_str())),
        _ => why_unready,
    };
    status.set_condition(ConditionType::Initialized, initialized, why, now);
    status.set_condition(ConditionType::Ready, ready, why_not, now);
    status.set_condition(ConditionType::ContainersReady, containers_ready, why_unready, now);
    status.set_condition(ConditionType::PodScheduled, true, None, now);
}

/// What is said of the readiness gates that are not open.
///
/// Models pkg/kubelet/status/generate.go GeneratePodReadyCondition.
fn closed_gates(look: &Look<'_>, status: &PodStatus) -> String {
    let closed = look.pod.spec.readiness_gates.iter().filter_map(|gate| {
        match status.other_condition(gate) {
            None => Some(format!(
                "corresponding condition of pod readiness gate \"{gate}\" does not exist."
            )),
            Some("True") => None,
            Some(other) => Some(format!(
                "the status of pod readiness gate \"{gate}\" is not \"True\", but {other}"
            )),
        }
    });
    closed.collect::<Vec<_>>().join(", ")
}
