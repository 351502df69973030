//! What the kubelet reports of what runs.
//!
//! Models pkg/kubelet/kubelet_pods.go generateAPIPodStatus and pkg/kubelet/status/generate.go.

use super::runtime::{ContainerRuntime, PodRuntime, RunState};
use super::sync::Look;
use crate::api::PodStatus;
use crate::api::pod::{
    ConditionType, Container, ContainerState, ContainerStatus, Phase, RestartPolicy,
};
use crate::base::SimTime;
use core::net::Ipv4Addr;
use std::sync::Arc;

/// The status of a pod.
pub(super) fn of(look: &Look<'_>, runtime: &PodRuntime, host_ip: Ipv4Addr) -> PodStatus {
    let mut status = look.pod.status.clone();
    let sandbox = runtime.sandbox_ready.is_some_and(|ready| ready <= look.now);
    status.host_ip = Some(host_ip);
    status.start_time = Some(runtime.seen);
    status.pod_ip = runtime.ip.filter(|_| sandbox);
    status.init_containers =
        containers(&look.pod.spec.init_containers, &runtime.init_containers, true);
    status.containers = containers(&look.pod.spec.containers, &runtime.containers, {
        !runtime.init_containers.is_empty()
    });
    status.phase = if status.phase.is_terminal() { status.phase } else { phase(look, runtime) };
    conditions(look, runtime, &mut status, sandbox);
    status
}

fn containers(
    specs: &[Container],
    runtimes: &[ContainerRuntime],
    initializing: bool,
) -> Vec<ContainerStatus> {
    let waiting = if initializing { "PodInitializing" } else { "ContainerCreating" };
    specs.iter().zip(runtimes).map(|(_, runtime)| container(runtime, waiting)).collect()
}

fn container(runtime: &ContainerRuntime, waiting: &str) -> ContainerStatus {
    let terminated = |since: SimTime, at: SimTime, exit_code: i32| ContainerState::Terminated {
        exit_code,
        reason: Arc::from(if exit_code == 0 { "Completed" } else { "Error" }),
        started_at: since,
        finished_at: at,
    };
    let last = runtime.last_end.map(|(since, at, code)| terminated(since, at, code));
    let state = match &runtime.state {
        RunState::New | RunState::Pulling { .. } | RunState::Starting { .. } => match &last {
            // Between two runs the last end is still what is known.
            Some(last) => last.clone(),
            None => ContainerState::Waiting { reason: Arc::from(waiting), message: None },
        },
        RunState::Blocked { reason, message, .. } => {
            ContainerState::Waiting { reason: Arc::from(*reason), message: Some(message.clone()) }
        }
        RunState::Running { since, .. } | RunState::Stopping { since, .. } => {
            ContainerState::Running { started_at: *since }
        }
        RunState::Ended { since, at, exit_code } => terminated(*since, *at, *exit_code),
    };
    let running = matches!(state, ContainerState::Running { .. });
    ContainerStatus {
        state,
        last_state: last.map(Box::new),
        ready: runtime.ready && running,
        started: runtime.started && running,
        restart_count: runtime.restart_count,
        container_number: runtime.number,
    }
}

/// Models pkg/kubelet/kubelet_pods.go getPhase.
fn phase(look: &Look<'_>, runtime: &PodRuntime) -> Phase {
    let policy = look.pod.spec.restart_policy;
    let failed_for_good = |c: &ContainerRuntime| {
        policy == RestartPolicy::Never
            && matches!(c.state, RunState::Ended { exit_code, .. } if exit_code != 0)
    };
    if runtime.init_containers.iter().any(failed_for_good) {
        return Phase::Failed;
    }
    let begun = |c: &ContainerRuntime| c.number > 0;
    let all = &runtime.containers;
    if all.iter().all(|c| matches!(c.state, RunState::Ended { .. })) && !all.is_empty() {
        let codes = all.iter().filter_map(|c| match c.state {
            RunState::Ended { exit_code, .. } => Some(exit_code),
            _ => None,
        });
        let failures = codes.filter(|code| *code != 0).count();
        return match (policy, failures) {
            (RestartPolicy::Always, _) if runtime.stopping_since.is_none() => Phase::Running,
            (RestartPolicy::OnFailure, 1..) if runtime.stopping_since.is_none() => Phase::Running,
            (_, 0) => Phase::Succeeded,
            _ => Phase::Failed,
        };
    }
    if all.iter().any(begun) && all.iter().all(|c| begun(c) || c.is_running()) {
        Phase::Running
    } else if all.iter().any(ContainerRuntime::is_running) {
        // One runs, another still waits: upstream calls that Pending while one has never run.
        Phase::Pending
    } else {
        look.pod.status.phase
    }
}

fn conditions(look: &Look<'_>, runtime: &PodRuntime, status: &mut PodStatus, sandbox: bool) {
    let now = look.now;
    let names =
        |pick: &dyn Fn(&ContainerStatus) -> bool, specs: &[Container], all: &[ContainerStatus]| {
            let pairs = specs.iter().zip(all).filter(|(_, status)| pick(status));
            pairs.map(|(spec, _)| spec.name.as_str()).collect::<Vec<_>>().join(" ")
        };
    let finished = status.phase == Phase::Succeeded;
    let alive = sandbox && !status.phase.is_terminal();
    status.set_condition(ConditionType::PodReadyToStartContainers, alive, None, now);
    let specs = &look.pod.spec.init_containers;
    let incomplete: Vec<&str> = specs
        .iter()
        .zip(&runtime.init_containers)
        .filter(|(spec, c)| match c.state {
            RunState::Ended { exit_code, .. } => exit_code != 0,
            RunState::Running { .. } => !(spec.is_sidecar && c.started),
            _ => true,
        })
        .map(|(spec, _)| spec.name.as_str())
        .collect();
    let initialized = incomplete.is_empty() || finished;
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    let completed = finished.then_some(("PodCompleted", ""));
    let why =
        if initialized { completed } else { Some(("ContainersNotInitialized", message.as_str())) };
    status.set_condition(ConditionType::Initialized, initialized, why, now);
    let unready = names(&|c| !c.ready, &look.pod.spec.containers, &status.containers);
    let message = format!("containers with unready status: [{unready}]");
    let ready = unready.is_empty() && !status.phase.is_terminal();
    let why = match (ready, status.phase) {
        (true, _) => None,
        (false, Phase::Succeeded) => Some(("PodCompleted", "")),
        (false, Phase::Failed) => Some(("PodFailed", "")),
        (false, _) => Some(("ContainersNotReady", message.as_str())),
    };
    status.set_condition(ConditionType::Ready, ready, why, now);
    status.set_condition(ConditionType::ContainersReady, ready, why, now);
    status.set_condition(ConditionType::PodScheduled, true, None, now);
}
