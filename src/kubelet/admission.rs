//! Whether a kubelet lets a pod in that somebody else than the scheduler put on its node.
//!
//! Models pkg/kubelet/lifecycle/predicate.go and pkg/scheduler/eventhandlers.go AdmissionCheck.
//!
//! Simplified: a critical pod does not push others out here.

use super::sync::Look;
use crate::api::node_affinity::RequiredNodes;
use crate::api::pod::{ConditionType, Effect, Phase, Resources, Taint, Why};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, PodStatus};
use crate::store::Write;

/// Why a pod is not let in: the reason, and the message.
pub(super) struct Refusal {
    reason: String,
    message: String,
}

impl Refusal {
    fn predicate(name: &str, why: &str) -> Self {
        Refusal { reason: name.to_owned(), message: format!("Predicate {name} failed: {why}") }
    }
}

/// Why a pod is not let in, if it is not. What the scheduler bound fits.
pub(super) fn refusal(look: &Look<'_>) -> Option<Refusal> {
    let pod = look.pod;
    if pod.status.condition(ConditionType::PodScheduled).is_some() {
        return None;
    }
    let node = look.api.find(Kind::Node, "", look.node_name)?;
    let others = look.api.pods_on(look.node_name).filter(|other| {
        let is_active = other.pod().is_some_and(|pod| !pod.status.phase.is_terminal());
        is_active && other.meta.uid != look.object.meta.uid
    });
    let others: Vec<&Object> = others.map(|other| &**other).collect();
    if let Some(refusal) = too_large(look, node, &others) {
        return Some(refusal);
    }
    if !RequiredNodes::of(&pod.spec).matches(node) {
        let why = "node(s) didn't match Pod's node affinity/selector";
        return Some(Refusal::predicate("NodeAffinity", why));
    }
    let wanted = &pod.spec.host_ports;
    let mut taken =
        others.iter().filter_map(|other| other.pod()).flat_map(|it| &it.spec.host_ports);
    let clash = taken.any(|own| {
        wanted.iter().any(|port| {
            let any = own.ip == "0.0.0.0" || port.ip == "0.0.0.0" || own.ip == port.ip;
            any && own.port == port.port && own.protocol == port.protocol
        })
    });
    if clash {
        let why = "node(s) didn't have free ports for the requested pod ports";
        return Some(Refusal::predicate("NodePorts", why));
    }
    let taints = node.spec().items_at(&["taints"]).iter().filter_map(Taint::from_value);
    let untolerated = taints
        .filter(|taint| taint.effect == Effect::NoExecute)
        .any(|taint| !pod.spec.tolerations.iter().any(|toleration| toleration.tolerates(&taint)));
    untolerated.then(|| {
        Refusal::predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    })
}

/// Models pkg/scheduler/framework/plugins/noderesources/fit.go fitsRequest.
fn too_large(look: &Look<'_>, node: &Object, others: &[&Object]) -> Option<Refusal> {
    let allocatable = node.status().at(&["allocatable"]);
    let may = Resources::from_value(allocatable);
    let mut used = Resources::default();
    others.iter().filter_map(|other| other.pod()).for_each(|pod| used.add(&pod.spec.requests));
    let wanted = &look.pod.spec.requests;
    let most_pods = allocatable.and_then(|it| it.str_at(&["pods"])?.parse::<i64>().ok());
    let count = i64::try_from(others.len()).unwrap_or(i64::MAX);
    let amounts = [
        ("pods", 1, count, most_pods.unwrap_or(110)),
        ("cpu", wanted.milli_cpu, used.milli_cpu, may.milli_cpu),
        ("memory", wanted.memory, used.memory, may.memory),
        (
            "ephemeral-storage",
            wanted.ephemeral_storage,
            used.ephemeral_storage,
            may.ephemeral_storage,
        ),
    ];
    let (name, requested, used, capacity) = amounts
        .into_iter()
        .find(|(_, wanted, used, may)| *wanted > 0 && *wanted > may.saturating_sub(*used))?;
    Some(Refusal {
        reason: format!("OutOf{name}"),
        message: format!(
            "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
        ),
    })
}

/// Models pkg/kubelet/kubelet.go rejectPod.
#[inline(never)]
pub(super) fn reject(look: &mut Look<'_>, refusal: Refusal) {
    let Refusal { reason, message } = refusal;
    look.event("", true, &reason, message.clone());
    let mut changed = (**look.object).clone();
    if let Some(pod) = changed.pod_mut() {
        pod.status = PodStatus {
            phase: Phase::Failed,
            why: Why::of(&reason, &format!("Pod was rejected: {message}")),
            start_time: Some(look.now),
            ..PodStatus::default()
        };
    }
    look.writes.push(Write::UpdateStatus(Box::new(changed)));
}
