//! How Pods and nodes are: a shape for the map, and kubectl's word.

use super::scene::{ContainerMark, PodState};
use crate::api::pod::{
    ConditionType, Container, ContainerState, ContainerStatus, Phase, PodCondition,
};
use crate::api::tree::Tree as _;
use crate::api::{Object, Pod};

/// Whether a node is Ready; `None` if no kubelet has ever said so or otherwise.
pub fn node_ready(node: &Object) -> Option<bool> {
    let mut conditions = node.status().items_at(&["conditions"]).iter();
    let ready = conditions.find(|condition| condition.str_at(&["type"]) == Some("Ready"))?;
    Some(ready.str_at(&["status"]) == Some("True"))
}

/// Whether a node takes no new Pods.
pub fn is_cordoned(node: &Object) -> bool {
    node.spec().bool_at(&["unschedulable"]).unwrap_or_default()
}

/// kubectl's words for how a node is: the STATUS column.
///
/// Models pkg/printers/internalversion/printers.go printNode.
pub fn node_word(node: &Object) -> String {
    let ready = match node_ready(node) {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if is_cordoned(node) { ",SchedulingDisabled" } else { "" };
    format!("{ready}{cordoned}")
}

/// What the scheduler says of a Pod that it found no node for: `1 node(s) had untolerated
/// taint(s), 3 Insufficient cpu`. Empty if it has not looked yet.
pub fn why_unscheduled(object: &Object) -> &str {
    let conditions = object.pod().map(|pod| pod.status.conditions.as_slice()).unwrap_or_default();
    let is_it = |one: &&PodCondition| one.condition_type == ConditionType::PodScheduled;
    let message = conditions.iter().find(is_it).map(PodCondition::message).unwrap_or_default();
    let after = message.split_once(" nodes are available: ").map_or(message, |(_, after)| after);
    let reason = after.split_once(". ").map_or(after, |(reason, _)| reason);
    reason.trim_end_matches('.')
}

/// The shape of a Pod.
pub fn pod_state(object: &Object) -> PodState {
    let Some(pod) = object.pod() else { return PodState::Unknown };
    if object.meta.is_terminating() {
        return PodState::Terminating;
    }
    match pod.status.phase {
        Phase::Succeeded => PodState::Completed,
        Phase::Failed => PodState::Failed,
        Phase::Pending | Phase::Running if is_failing(pod) => PodState::Failed,
        Phase::Pending if pod.node_name.is_none() => PodState::Pending,
        Phase::Pending => PodState::Starting,
        Phase::Running if pod.status.is_ready() => PodState::Ready,
        Phase::Running => PodState::NotReady,
        Phase::Unknown => PodState::Unknown,
    }
}

/// Whether a container has ended badly or cannot start.
fn is_failing(pod: &Pod) -> bool {
    let status = &pod.status;
    status.init_containers.iter().chain(&status.containers).any(|one| match &one.state {
        ContainerState::Waiting { reason, .. } => {
            !matches!(&**reason, "ContainerCreating" | "PodInitializing")
        }
        ContainerState::Terminated { exit_code, .. } => *exit_code != 0,
        ContainerState::Running { .. } => false,
    })
}

/// What is said of the first container that does not run: why it waits, or its last words.
pub fn container_message(pod: &Pod) -> Option<&str> {
    let all = pod.status.init_containers.iter().chain(&pod.status.containers);
    let mut messages = all.filter_map(|one| match &one.state {
        ContainerState::Waiting { message, .. } | ContainerState::Terminated { message, .. } => {
            message.as_deref()
        }
        ContainerState::Running { .. } => None,
    });
    messages.find(|message| !message.is_empty())
}

/// A Pod's address; empty while it has none.
pub fn pod_ip(object: &Object) -> String {
    let ip = object.pod().and_then(|pod| pod.status.pod_ip);
    ip.map(|ip| ip.to_string()).unwrap_or_default()
}

/// Ready and all containers, `1/2`. Sidecars count, other init containers do not.
pub fn ready_count(object: &Object) -> String {
    let containers = containers(object);
    let ready = containers.iter().filter(|one| one.ready).count();
    format!("{ready}/{}", containers.len())
}

/// A Pod's containers, sidecars first.
pub fn containers(object: &Object) -> Vec<ContainerMark> {
    let Some(pod) = object.pod() else { return Vec::new() };
    let mark = |container: &Container, status: Option<&ContainerStatus>| ContainerMark {
        name: container.name.clone(),
        ready: status.is_some_and(|status| status.ready),
        sidecar: container.is_sidecar,
    };
    let sidecars = pod.spec.init_containers.iter().enumerate().filter(|(_, one)| one.is_sidecar);
    let sidecars = sidecars.map(|(at, one)| mark(one, pod.status.init_containers.get(at)));
    let others = pod.spec.containers.iter().enumerate();
    sidecars.chain(others.map(|(at, one)| mark(one, pod.status.containers.get(at)))).collect()
}

/// kubectl's word for how a Pod is: the STATUS column.
///
/// Models pkg/printers/internalversion/printers.go printPod.
pub fn pod_word(object: &Object) -> String {
    let Some(pod) = object.pod() else { return String::new() };
    if object.meta.is_terminating() {
        return "Terminating".into();
    }
    let mut word = match pod.status.why.as_ref().map_or("", |why| &why.reason) {
        "" => pod.status.phase.name().to_owned(),
        reason => reason.to_owned(),
    };
    let mut is_initializing = false;
    let plain = pod.spec.init_containers.iter().zip(&pod.status.init_containers);
    for (at, (container, status)) in plain.enumerate() {
        match &status.state {
            ContainerState::Terminated { exit_code: 0, .. } => continue,
            _ if container.is_sidecar && status.started => continue,
            ContainerState::Terminated { reason, exit_code, .. } => {
                word = format!("Init:{}", ended(reason, *exit_code));
            }
            ContainerState::Waiting { reason, .. } if &**reason != "PodInitializing" => {
                word = format!("Init:{reason}");
            }
            _ => word = format!("Init:{at}/{}", pod.spec.init_containers.len()),
        }
        is_initializing = true;
        break;
    }
    if !is_initializing {
        let mut is_running = false;
        for status in pod.status.containers.iter().rev() {
            match &status.state {
                ContainerState::Waiting { reason, .. } if !reason.is_empty() => {
                    word = reason.to_string();
                }
                ContainerState::Terminated { reason, exit_code, .. } => {
                    word = ended(reason, *exit_code);
                }
                ContainerState::Running { .. } if status.ready => is_running = true,
                _ => {}
            }
        }
        if word == "Completed" && is_running {
            word = if pod.status.is_ready() { "Running" } else { "NotReady" }.into();
        }
    }
    word
}

fn ended(reason: &str, exit_code: i32) -> String {
    if reason.is_empty() { format!("ExitCode:{exit_code}") } else { reason.to_owned() }
}
