//! What the kubelet reports of a pod.

use super::Pod;
use crate::api::meta::ObjectMeta;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::base::{SimTime, names};
use core::net::Ipv4Addr;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `status.phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is upstream's PodPhase of that name")]
pub enum Phase {
    #[default]
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

impl Phase {
    /// The phase's name.
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Unknown => "Unknown",
        }
    }

    /// Whether the pod has ended for good.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Phase::Succeeded | Phase::Failed)
    }
}

/// `status.conditions[*].type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is upstream's PodConditionType of that name")]
pub enum ConditionType {
    DisruptionTarget,
    PodReadyToStartContainers,
    Initialized,
    Ready,
    ContainersReady,
    PodScheduled,
}

impl ConditionType {
    const ALL: [ConditionType; 6] = [
        ConditionType::DisruptionTarget,
        ConditionType::PodReadyToStartContainers,
        ConditionType::Initialized,
        ConditionType::Ready,
        ConditionType::ContainersReady,
        ConditionType::PodScheduled,
    ];

    fn parse(name: &str) -> Option<Self> {
        ConditionType::ALL.into_iter().find(|condition| condition.name() == name)
    }

    /// The type's name.
    pub const fn name(self) -> &'static str {
        match self {
            ConditionType::DisruptionTarget => "DisruptionTarget",
            ConditionType::PodReadyToStartContainers => "PodReadyToStartContainers",
            ConditionType::Initialized => "Initialized",
            ConditionType::Ready => "Ready",
            ConditionType::ContainersReady => "ContainersReady",
            ConditionType::PodScheduled => "PodScheduled",
        }
    }
}

/// One condition of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodCondition {
    /// Which.
    pub condition_type: ConditionType,
    /// Whether it holds.
    pub status: bool,
    /// Why, if anything is said.
    pub why: Option<Arc<Why>>,
    /// When `status` changed last.
    pub last_transition_time: SimTime,
}

/// A reason and a message, which most pods and most of their conditions have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// In one word; may be empty.
    pub reason: Box<str>,
    /// In a sentence; may be empty.
    pub message: Box<str>,
}

impl Why {
    /// `None` if both are empty.
    pub fn of(reason: &str, message: &str) -> Option<Arc<Self>> {
        let why = || Arc::new(Why { reason: reason.into(), message: message.into() });
        (!reason.is_empty() || !message.is_empty()).then(why)
    }

    fn from_value(value: &Value) -> Option<Arc<Self>> {
        let text = |key| value.str_at(&[key]).unwrap_or_default();
        Why::of(text("reason"), text("message"))
    }

    /// Puts what is not empty into an object.
    fn put(&self, value: &mut Value) {
        for (key, text) in [("message", &self.message), ("reason", &self.reason)] {
            if !text.is_empty() {
                value.put(&[key], &**text);
            }
        }
    }
}

impl PodCondition {
    /// Why, in one word; may be empty.
    pub fn reason(&self) -> &str {
        self.why.as_ref().map_or("", |why| &why.reason)
    }

    /// Why, in a sentence; may be empty.
    pub fn message(&self) -> &str {
        self.why.as_ref().map_or("", |why| &why.message)
    }
}

/// What a container is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Not started, and why.
    Waiting {
        /// `ContainerCreating`, `ImagePullBackOff`, …
        reason: Arc<str>,
        /// A sentence; may be absent.
        message: Option<Arc<str>>,
    },
    /// Running.
    Running {
        /// Since when.
        started_at: SimTime,
    },
    /// Ended.
    Terminated {
        /// Exit code of the process.
        exit_code: i32,
        /// `Completed`, `Error`, `OOMKilled`, …
        reason: Arc<str>,
        /// Its last words; may be absent.
        message: Option<Arc<str>>,
        /// When it started.
        started_at: SimTime,
        /// When it ended.
        finished_at: SimTime,
    },
}

/// What the kubelet reports of one container; in the order of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// What it is doing.
    pub state: ContainerState,
    /// What it did before it was last started again.
    pub last_state: Option<Box<ContainerState>>,
    /// Whether its readiness probe says so.
    pub ready: bool,
    /// Whether its startup probe (if any) has succeeded.
    pub started: bool,
    /// How often it was started again.
    pub restart_count: u32,
    /// The number of its current or last container, 0 while there was none.
    pub container_number: u32,
}

/// The class by which the kernel and the kubelet choose whom to sacrifice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is upstream's PodQOSClass of that name")]
pub enum Qos {
    Guaranteed,
    Burstable,
    BestEffort,
}

impl Qos {
    /// The class's name.
    pub const fn name(self) -> &'static str {
        match self {
            Qos::Guaranteed => "Guaranteed",
            Qos::Burstable => "Burstable",
            Qos::BestEffort => "BestEffort",
        }
    }

    /// The class of a specification.
    ///
    /// Models pkg/apis/core/v1/helper/qos/qos.go ComputePodQOS.
    pub fn of(spec: &super::PodSpec) -> Self {
        let amounts = |r: &super::Resources| [r.milli_cpu, r.memory];
        let all = || spec.containers.iter().chain(&spec.init_containers);
        let any = all().any(|c| {
            amounts(&c.requests).iter().chain(&amounts(&c.limits)).any(|amount| *amount > 0)
        });
        let full = all().all(|c| {
            let (requests, limits) = (amounts(&c.requests), amounts(&c.limits));
            limits.iter().all(|limit| *limit > 0) && requests == limits
        });
        match (any, full) {
            (false, _) => Qos::BestEffort,
            (true, true) => Qos::Guaranteed,
            (true, false) => Qos::Burstable,
        }
    }
}

/// `status` of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodStatus {
    /// Phase.
    pub phase: Phase,
    /// Conditions in the order of [`ConditionType`].
    pub conditions: Vec<PodCondition>,
    /// Conditions of other types, which readiness gates wait for, as the API has them.
    pub others: Option<Arc<Vec<Value>>>,
    /// `Evicted`, … where the pod as a whole has a reason.
    pub why: Option<Arc<Why>>,
    /// The node the scheduler has freed for it by preemption.
    pub nominated_node_name: Option<Arc<str>>,
    /// The node's address once the kubelet has seen the pod.
    pub host_ip: Option<Ipv4Addr>,
    /// The pod's address once its sandbox runs.
    pub pod_ip: Option<Ipv4Addr>,
    /// When the kubelet saw the pod.
    pub start_time: Option<SimTime>,
    /// Containers.
    pub containers: Vec<ContainerStatus>,
    /// Init containers.
    pub init_containers: Vec<ContainerStatus>,
    /// Ephemeral containers, which few pods have.
    pub ephemeral_containers: Option<Arc<Vec<ContainerStatus>>>,
}

impl PodStatus {
    /// The condition of a type.
    pub fn condition(&self, condition_type: ConditionType) -> Option<&PodCondition> {
        self.conditions.iter().find(|condition| condition.condition_type == condition_type)
    }

    /// Whether the pod is Ready.
    pub fn is_ready(&self) -> bool {
        self.condition(ConditionType::Ready).is_some_and(|condition| condition.status)
    }

    /// `status` of a condition that is none of [`ConditionType`]; `None` if there is none of that
    /// type.
    pub fn other_condition(&self, condition_type: &str) -> Option<&str> {
        let mut others = self.others.iter().flat_map(|all| all.iter());
        let found = others.find(|condition| condition.str_at(&["type"]) == Some(condition_type))?;
        Some(found.str_at(&["status"]).unwrap_or_default())
    }

    /// Sets a condition; its transition time moves only when `status` changes.
    pub fn set_condition(
        &mut self,
        condition_type: ConditionType,
        status: bool,
        why: Option<(&str, &str)>,
        now: SimTime,
    ) {
        let (reason, message) = why.unwrap_or_default();
        let known = self.conditions.iter().position(|c| c.condition_type == condition_type);
        let index = known.unwrap_or_else(|| {
            let order = condition_type as u8;
            let index = self.conditions.partition_point(|c| (c.condition_type as u8) < order);
            let new = PodCondition { condition_type, status, why: None, last_transition_time: now };
            self.conditions.reserve_exact(1);
            self.conditions.insert(index, new);
            index
        });
        let Some(condition) = self.conditions.get_mut(index) else { return };
        if condition.status != status {
            (condition.status, condition.last_transition_time) = (status, now);
        }
        if (condition.reason(), condition.message()) != (reason, message) {
            condition.why = Why::of(reason, message);
        }
    }

    /// `status` as JSON. `meta` and `pod` give what the status only repeats.
    pub fn to_value(&self, meta: &ObjectMeta, pod: &Pod) -> Value {
        let mut value = Value::Object(Map::new());
        let own = self.conditions.iter().map(|c| {
            // Binding and the API server set none; the scheduler and the kubelet do.
            let observed = self.start_time.is_some() || c.reason() == "Unschedulable";
            condition_value(c, observed.then_some(meta.generation))
        });
        let others = self.others.iter().flat_map(|all| all.iter().cloned());
        let conditions: Vec<Value> = others.chain(own).collect();
        if !conditions.is_empty() {
            value.put(&["conditions"], conditions);
        }
        if !self.containers.is_empty() {
            value.put(
                &["containerStatuses"],
                container_values(&self.containers, &pod.spec.containers, meta),
            );
        }
        if !self.init_containers.is_empty() {
            let statuses = container_values(&self.init_containers, &pod.spec.init_containers, meta);
            value.put(&["initContainerStatuses"], statuses);
        }
        if let Some(all) = &self.ephemeral_containers {
            let mut all = container_values(all, &pod.spec.ephemeral_containers, meta);
            // Nobody asks whether they have started.
            all.iter_mut().for_each(|one| drop(one.remove(&["started"])));
            value.put(&["ephemeralContainerStatuses"], all);
        }
        if let Some(ip) = self.host_ip {
            value.put(&["hostIP"], ip.to_string());
            value.put(&["hostIPs"], json!([{"ip": ip.to_string()}]));
        }
        if let Some(ip) = self.pod_ip {
            value.put(&["podIP"], ip.to_string());
            value.put(&["podIPs"], json!([{"ip": ip.to_string()}]));
        }
        if let Some(why) = &self.why {
            why.put(&mut value);
        }
        if let Some(node) = &self.nominated_node_name {
            value.put(&["nominatedNodeName"], &**node);
        }
        if let Some(time) = self.start_time {
            value.put(&["startTime"], time.rfc3339());
            value.put(&["observedGeneration"], meta.generation);
        }
        value.put(&["phase"], self.phase.name());
        value.put(&["qosClass"], Qos::of(&pod.spec).name());
        value
    }

    /// Reads a status back; what the model does not keep is left out.
    pub fn from_value(value: &Value, spec: &super::PodSpec) -> Self {
        let ip = |key| value.str_at(&[key]).and_then(|text| text.parse().ok());
        PodStatus {
            phase: match value.str_at(&["phase"]) {
                Some("Running") => Phase::Running,
                Some("Succeeded") => Phase::Succeeded,
                Some("Failed") => Phase::Failed,
                Some("Unknown") => Phase::Unknown,
                _ => Phase::Pending,
            },
            conditions: value.items_at(&["conditions"]).iter().filter_map(condition).collect(),
            others: other_conditions(value.items_at(&["conditions"])),
            why: Why::from_value(value),
            nominated_node_name: value.str_at(&["nominatedNodeName"]).map(Arc::from),
            host_ip: ip("hostIP"),
            pod_ip: ip("podIP"),
            start_time: value.str_at(&["startTime"]).and_then(SimTime::parse_rfc3339),
            containers: container_statuses(
                value.items_at(&["containerStatuses"]),
                &spec.containers,
            ),
            init_containers: container_statuses(
                value.items_at(&["initContainerStatuses"]),
                &spec.init_containers,
            ),
            ephemeral_containers: Some(container_statuses(
                value.items_at(&["ephemeralContainerStatuses"]),
                &spec.ephemeral_containers,
            ))
            .filter(|all| !all.is_empty())
            .map(Arc::new),
        }
    }
}

fn condition_value(condition: &PodCondition, observed: Option<i64>) -> Value {
    let mut value = json!({
        "lastProbeTime": null,
        "lastTransitionTime": condition.last_transition_time.rfc3339(),
        "status": if condition.status { "True" } else { "False" },
        "type": condition.condition_type.name(),
    });
    if let Some(generation) = observed {
        value.put(&["observedGeneration"], generation);
    }
    if let Some(why) = &condition.why {
        why.put(&mut value);
    }
    value
}

fn other_conditions(values: &[Value]) -> Option<Arc<Vec<Value>>> {
    let is_other = |value: &&Value| {
        let name = value.str_at(&["type"]);
        name.is_some_and(|name| ConditionType::parse(name).is_none())
    };
    let complete = |value: &Value| {
        let mut value = value.clone();
        value.put_default(&["lastProbeTime"], Value::Null);
        value.put_default(&["lastTransitionTime"], Value::Null);
        value
    };
    let others: Vec<Value> = values.iter().filter(is_other).map(complete).collect();
    (!others.is_empty()).then(|| Arc::new(others))
}

fn condition(value: &Value) -> Option<PodCondition> {
    let name = value.str_at(&["type"])?;
    Some(PodCondition {
        condition_type: ConditionType::parse(name)?,
        status: value.str_at(&["status"]) == Some("True"),
        why: Why::from_value(value),
        last_transition_time: value
            .str_at(&["lastTransitionTime"])
            .and_then(SimTime::parse_rfc3339)
            .unwrap_or_default(),
    })
}

fn container_values(
    statuses: &[ContainerStatus],
    containers: &[super::Container],
    meta: &ObjectMeta,
) -> Vec<Value> {
    let pairs = statuses.iter().zip(containers);
    pairs.map(|(status, container)| container_value(status, container, meta)).collect()
}

fn container_value(
    status: &ContainerStatus,
    container: &super::Container,
    meta: &ObjectMeta,
) -> Value {
    let number = status.container_number;
    // What waits to be started again is still the container that ended.
    let last_number = match (&status.state, status.last_state.as_deref()) {
        (ContainerState::Waiting { .. }, _) => number,
        (state, Some(last)) if state == last => number,
        _ => number.saturating_sub(1),
    };
    let state = |state: &ContainerState, number: u32| {
        let mut value = state_value(state);
        if number > 0 && value.get("terminated").is_some() {
            value.put(&["terminated", "containerID"], container_id(meta, container, number));
        }
        value
    };
    let last = status.last_state.as_deref();
    let mut value = json!({
        "image": container.image,
        "imageID": "",
        "lastState": last.map_or(json!({}), |last| state(last, last_number)),
        "name": container.name,
        "ready": status.ready,
        "restartCount": status.restart_count,
        "started": status.started,
        "state": state(&status.state, number),
    });
    if number > 0 {
        value.put(&["imageID"], image_id(&container.image));
        value.put(&["containerID"], container_id(meta, container, number));
    }
    value
}

fn state_value(state: &ContainerState) -> Value {
    match state {
        ContainerState::Waiting { reason, message } => {
            let mut value = json!({"waiting": {"reason": **reason}});
            if let Some(message) = message {
                value.put(&["waiting", "message"], &**message);
            }
            value
        }
        ContainerState::Running { started_at } => {
            json!({"running": {"startedAt": started_at.rfc3339()}})
        }
        ContainerState::Terminated { exit_code, reason, message, started_at, finished_at } => {
            let mut value = json!({"terminated": {
                "exitCode": exit_code,
                "reason": **reason,
                "startedAt": started_at.rfc3339(),
                "finishedAt": finished_at.rfc3339(),
            }});
            if let Some(message) = message {
                value.put(&["terminated", "message"], &**message);
            }
            value
        }
    }
}

fn container_statuses(values: &[Value], containers: &[super::Container]) -> Vec<ContainerStatus> {
    let find = |name: &str| values.iter().find(|value| value.str_at(&["name"]) == Some(name));
    let found = containers.iter().filter_map(|container| find(&container.name));
    found
        .map(|value| ContainerStatus {
            state: state(value.at(&["state"])).unwrap_or_else(creating),
            last_state: state(value.at(&["lastState"])).map(Box::new),
            ready: value.bool_at(&["ready"]).unwrap_or_default(),
            started: value.bool_at(&["started"]).unwrap_or_default(),
            restart_count: value
                .int_at(&["restartCount"])
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or_default(),
            container_number: u32::from(value.get("containerID").is_some()),
        })
        .collect()
}

fn creating() -> ContainerState {
    ContainerState::Waiting { reason: Arc::from("ContainerCreating"), message: None }
}

fn state(value: Option<&Value>) -> Option<ContainerState> {
    let (name, state) = value?.as_object()?.iter().next()?;
    let time = |key| state.str_at(&[key]).and_then(SimTime::parse_rfc3339).unwrap_or_default();
    let text = |key| Arc::from(state.str_at(&[key]).unwrap_or_default());
    Some(match name.as_str() {
        "running" => ContainerState::Running { started_at: time("startedAt") },
        "terminated" => ContainerState::Terminated {
            exit_code: state
                .int_at(&["exitCode"])
                .and_then(|code| i32::try_from(code).ok())
                .unwrap_or_default(),
            reason: text("reason"),
            message: state.str_at(&["message"]).map(Arc::from),
            started_at: time("startedAt"),
            finished_at: time("finishedAt"),
        },
        _ => ContainerState::Waiting {
            reason: text("reason"),
            message: state.str_at(&["message"]).map(Arc::from),
        },
    })
}

/// 64 hexadecimal digits that stay the same for the same text.
fn digest(text: &str) -> String {
    (0..4u64)
        .map(|part| format!("{:016x}", names::fnv64a(part << 32 | 0x5eed, text.as_bytes())))
        .collect()
}

/// The identifier containerd would give.
///
/// Simplified: a digest of pod, container and start, not a random one.
fn container_id(meta: &ObjectMeta, container: &super::Container, number: u32) -> String {
    format!("containerd://{}", digest(&format!("{}/{}/{number}", meta.uid, container.name)))
}

/// `docker.io/library/nginx@sha256:…`.
///
/// Simplified: a digest of the image's name, since there are no image contents.
pub fn image_id(image: &str) -> String {
    let (repository, _) = match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (image, "latest"),
    };
    let repository = match repository.split_once('/') {
        None => format!("docker.io/library/{repository}"),
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => {
            repository.to_owned()
        }
        Some(_) => format!("docker.io/{repository}"),
    };
    format!("{repository}@sha256:{}", digest(image))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_condition_keeps_its_time_until_its_status_changes() {
        let mut status = PodStatus::default();
        let (start, later) = (SimTime::WORLD_START, SimTime::WORLD_START + Duration::from_secs(5));
        status.set_condition(ConditionType::Ready, false, Some(("A", "b")), start);
        status.set_condition(ConditionType::Ready, false, Some(("C", "d")), later);
        assert_eq!(status.conditions[0].last_transition_time, start);
        status.set_condition(ConditionType::Ready, true, None, later);
        assert_eq!(status.conditions[0].last_transition_time, later);
        assert!(status.is_ready());
    }

    #[test]
    fn images_without_a_registry_come_from_docker_hub() {
        for (image, start) in [
            ("nginx:1.27", "docker.io/library/nginx@sha256:"),
            ("bitnami/redis", "docker.io/bitnami/redis@sha256:"),
            ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause@sha256:"),
            ("localhost:5000/x", "localhost:5000/x@sha256:"),
        ] {
            assert!(image_id(image).starts_with(start), "{}", image_id(image));
        }
    }
}
