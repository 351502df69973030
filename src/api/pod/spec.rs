//! What a pod is to be: the tree, and the facts that the simulation decides on, read once.

use crate::api::meta::StringMap;
use crate::api::selector::Selector;
use crate::api::tree::Tree as _;
use crate::base::{Quantity, Seconds};
use serde_json::Value;
use std::collections::BTreeMap;

/// Amounts of CPU, memory and other resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a CPU.
    pub milli_cpu: i64,
    /// Bytes of memory.
    pub memory: i64,
    /// Bytes of ephemeral storage.
    pub ephemeral_storage: i64,
    /// Other resources (huge pages, extended ones) in their units.
    pub others: BTreeMap<String, i64>,
}

impl Resources {
    /// Reads a resource list.
    pub fn from_value(value: Option<&Value>) -> Self {
        let mut resources = Resources::default();
        for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
            let Some(quantity) = quantity_of(value) else { continue };
            match name.as_str() {
                "cpu" => resources.milli_cpu = quantity.milli_value(),
                "memory" => resources.memory = quantity.value(),
                "ephemeral-storage" => resources.ephemeral_storage = quantity.value(),
                "pods" => {}
                other => {
                    resources.others.insert(other.to_owned(), quantity.value());
                }
            }
        }
        resources
    }

    /// Adds another amount to this one.
    pub fn add(&mut self, other: &Resources) {
        self.combine(other, i64::saturating_add);
    }

    /// Takes another amount from this one.
    pub fn subtract(&mut self, other: &Resources) {
        self.combine(other, i64::saturating_sub);
    }

    /// Raises each amount to that of `other` where that is larger.
    pub fn raise_to(&mut self, other: &Resources) {
        self.combine(other, i64::max);
    }

    fn combine(&mut self, other: &Resources, f: fn(i64, i64) -> i64) {
        self.milli_cpu = f(self.milli_cpu, other.milli_cpu);
        self.memory = f(self.memory, other.memory);
        self.ephemeral_storage = f(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.others {
            let entry = self.others.entry(name.clone()).or_default();
            *entry = f(*entry, *amount);
        }
    }
}

/// The quantity of a resource list's entry, written as text or number.
pub fn quantity_of(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// When containers that end are started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is upstream's RestartPolicy of that name")]
pub enum RestartPolicy {
    #[default]
    Always,
    OnFailure,
    Never,
}

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is upstream's TaintEffect of that name")]
pub enum Effect {
    NoSchedule,
    PreferNoSchedule,
    NoExecute,
}

impl Effect {
    /// Reads `NoSchedule`, …
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "NoSchedule" => Effect::NoSchedule,
            "PreferNoSchedule" => Effect::PreferNoSchedule,
            "NoExecute" => Effect::NoExecute,
            _ => return None,
        })
    }

    /// The effect's name.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::NoSchedule => "NoSchedule",
            Effect::PreferNoSchedule => "PreferNoSchedule",
            Effect::NoExecute => "NoExecute",
        }
    }
}

/// A mark on a node that keeps pods away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// Key, `node.kubernetes.io/unreachable`.
    pub key: String,
    /// Value, often empty.
    pub value: String,
    /// What it does.
    pub effect: Effect,
}

impl Taint {
    /// Reads a taint; `None` if its effect is unknown.
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(Taint {
            key: value.str_at(&["key"]).unwrap_or_default().to_owned(),
            value: value.str_at(&["value"]).unwrap_or_default().to_owned(),
            effect: Effect::parse(value.str_at(&["effect"])?)?,
        })
    }
}

/// What a pod says it can bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    /// Key; empty tolerates every key.
    pub key: String,
    /// `Exists` rather than `Equal`.
    pub exists: bool,
    /// `Lt` or `Gt` compare whole numbers; `None` for the two usual operators.
    pub comparison: Option<core::cmp::Ordering>,
    /// Value for `Equal`.
    pub value: String,
    /// Effect; `None` tolerates all of them.
    pub effect: Option<Effect>,
    /// How many seconds a `NoExecute` taint is borne; for ever without.
    pub seconds: Option<Seconds>,
}

impl Toleration {
    /// Reads a toleration.
    pub fn from_value(value: &Value) -> Self {
        let text = |key| value.str_at(&[key]).unwrap_or_default().to_owned();
        let operator = text("operator");
        Toleration {
            key: text("key"),
            exists: operator == "Exists",
            comparison: match operator.as_str() {
                "Lt" => Some(core::cmp::Ordering::Less),
                "Gt" => Some(core::cmp::Ordering::Greater),
                _ => None,
            },
            value: text("value"),
            effect: value.str_at(&["effect"]).and_then(Effect::parse),
            seconds: value.int_at(&["tolerationSeconds"]),
        }
    }

    /// Whether a taint is tolerated.
    ///
    /// Models staging/src/k8s.io/api/core/v1/toleration.go ToleratesTaint.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let key_fits = self.key.is_empty() || self.key == taint.key;
        let effect_fits = self.effect.is_none_or(|effect| effect == taint.effect);
        let value_fits = match self.comparison {
            _ if self.exists => true,
            None => self.value == taint.value,
            Some(order) => {
                let number = |text: &str| text.parse::<i64>().ok();
                let pair = number(&taint.value).zip(number(&self.value));
                pair.is_some_and(|(taint, bound)| taint.cmp(&bound) == order)
            }
        };
        key_fits && effect_fits && value_fits
    }
}

/// A port that a container says it listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPort {
    /// Name that Services can target; may be empty.
    pub name: String,
    /// Port number.
    pub container_port: u16,
    /// Port on the node, 0 for none.
    pub host_port: u16,
    /// Address on the node for the host port; empty for all.
    pub host_ip: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
}

/// A port of the node that a pod takes for itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Address, `0.0.0.0` for all.
    pub ip: String,
    /// Port number, 1 to 65535.
    pub port: u16,
}

/// One container of a pod; its tree is `spec.tree`'s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Name.
    pub name: String,
    /// Image with its tag.
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`.
    pub image_pull_policy: String,
    /// Command and arguments in one list.
    pub command: Vec<String>,
    /// Ports.
    pub ports: Vec<ContainerPort>,
    /// What it asks for.
    pub requests: Resources,
    /// What the scheduler's scores count for it: `requests`, with 100m of CPU and 200 MB of memory
    /// where it names none.
    pub scored_requests: Resources,
    /// What it may use at most.
    pub limits: Resources,
    /// The three probes as trees: readiness, liveness, startup.
    pub readiness_probe: Option<Value>,
    /// See `readiness_probe`.
    pub liveness_probe: Option<Value>,
    /// See `readiness_probe`.
    pub startup_probe: Option<Value>,
    /// An init container that keeps running beside the others.
    pub is_sidecar: bool,
}

impl Container {
    fn from_value(value: &Value) -> Self {
        let text = |key| value.str_at(&[key]).unwrap_or_default().to_owned();
        let texts =
            |key| value.items_at(&[key]).iter().filter_map(Value::as_str).map(str::to_owned);
        let limits = Resources::from_value(value.at(&["resources", "limits"]));
        Container {
            name: text("name"),
            image: text("image"),
            image_pull_policy: text("imagePullPolicy"),
            command: texts("command").chain(texts("args")).collect(),
            ports: value.items_at(&["ports"]).iter().map(container_port).collect(),
            scored_requests: scored_requests(value),
            requests: Resources::from_value(value.at(&["resources", "requests"])),
            limits,
            readiness_probe: value.at(&["readinessProbe"]).cloned(),
            liveness_probe: value.at(&["livenessProbe"]).cloned(),
            startup_probe: value.at(&["startupProbe"]).cloned(),
            is_sidecar: value.str_at(&["restartPolicy"]) == Some("Always"),
        }
    }
}

fn container_port(value: &Value) -> ContainerPort {
    let text = |key| value.str_at(&[key]).unwrap_or_default().to_owned();
    let port = |key| value.int_at(&[key]).and_then(|port| u16::try_from(port).ok());
    ContainerPort {
        name: text("name"),
        container_port: port("containerPort").unwrap_or_default(),
        host_port: port("hostPort").unwrap_or_default(),
        host_ip: text("hostIP"),
        protocol: value.str_at(&["protocol"]).unwrap_or("TCP").to_owned(),
    }
}

/// What a volume of a pod is made from, as far as it decides anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// A claim by its name.
    PersistentVolumeClaim(String),
    /// A config map by its name, and whether the pod starts without it.
    ConfigMap {
        /// Name.
        name: String,
        /// Whether the pod starts without it.
        optional: bool,
    },
    /// A secret by its name, and whether the pod starts without it.
    Secret {
        /// Name.
        name: String,
        /// Whether the pod starts without it.
        optional: bool,
    },
    /// Anything else.
    Other,
}

/// A pod's specification with the facts that decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSpec {
    /// The specification as the API has it.
    pub tree: Value,
    /// Containers.
    pub containers: Vec<Container>,
    /// Init containers, sidecars among them.
    pub init_containers: Vec<Container>,
    /// Containers that were added to look around.
    pub ephemeral_containers: Vec<Container>,
    /// What the whole pod asks for.
    pub requests: Resources,
    /// The same from [`Container::scored_requests`].
    pub scored_requests: Resources,
    /// The same without what the pod asks for as a whole: the score of a node's free resources
    /// looks at nothing else of a pod that is to come.
    pub scored_of_containers: Resources,
    /// What it tolerates.
    pub tolerations: Vec<Toleration>,
    /// `nodeSelector`.
    pub node_selector: Selector,
    /// Ports it takes on its node.
    pub host_ports: Vec<HostPort>,
    /// Whether it shares its node's network.
    pub host_network: bool,
    /// Priority; higher ones may push lower ones out.
    pub priority: i32,
    /// When ended containers start again.
    pub restart_policy: RestartPolicy,
    /// Seconds a pod may take to end.
    pub termination_grace_period_seconds: Seconds,
    /// Volumes by name.
    pub volumes: Vec<(String, VolumeSource)>,
    /// Types of the conditions that must hold before the pod is Ready.
    pub readiness_gates: Vec<String>,
}

impl PodSpec {
    /// Reads a specification that has its defaults.
    pub fn from_value(tree: Value) -> Self {
        let containers = |key| -> Vec<Container> {
            tree.items_at(&[key]).iter().map(Container::from_value).collect()
        };
        let ephemeral_containers = containers("ephemeralContainers");
        let (containers, init_containers) =
            (containers("containers"), containers("initContainers"));
        let host_network = tree.bool_at(&["hostNetwork"]).unwrap_or_default();
        let scored = sum(&containers, &init_containers, |c| &c.scored_requests);
        PodSpec {
            ephemeral_containers,
            requests: with_pod_level(&tree, sum(&containers, &init_containers, |c| &c.requests)),
            scored_requests: with_pod_level(&tree, scored.clone()),
            scored_of_containers: with_overhead(&tree, scored),
            tolerations: tree
                .items_at(&["tolerations"])
                .iter()
                .map(Toleration::from_value)
                .collect(),
            node_selector: Selector::from_map(tree.at(&["nodeSelector"])),
            host_ports: host_ports(&containers, &init_containers),
            host_network,
            priority: tree
                .int_at(&["priority"])
                .and_then(|priority| i32::try_from(priority).ok())
                .unwrap_or_default(),
            restart_policy: match tree.str_at(&["restartPolicy"]) {
                Some("Never") => RestartPolicy::Never,
                Some("OnFailure") => RestartPolicy::OnFailure,
                _ => RestartPolicy::Always,
            },
            termination_grace_period_seconds: tree
                .int_at(&["terminationGracePeriodSeconds"])
                .unwrap_or(30),
            volumes: tree.items_at(&["volumes"]).iter().map(volume).collect(),
            readiness_gates: tree
                .items_at(&["readinessGates"])
                .iter()
                .filter_map(|gate| gate.str_at(&["conditionType"]).map(str::to_owned))
                .collect(),
            containers,
            init_containers,
            tree,
        }
    }

    /// The labels that `spec` does not hold but decisions on pods need are in the metadata; this
    /// says whether the pod would land on a node with these labels by `nodeSelector` alone.
    pub fn selects_node(&self, node_labels: &StringMap) -> bool {
        self.node_selector.matches(node_labels)
    }

    /// The container of a name, init and ephemeral containers included.
    pub fn container(&self, name: &str) -> Option<&Container> {
        let all = self.containers.iter().chain(&self.init_containers);
        all.chain(&self.ephemeral_containers).find(|c| c.name == name)
    }
}

/// What the scheduler counts for a pod: the containers and sidecars together, or the largest init
/// container with the sidecars started before it if that is more.
///
/// Models staging/src/k8s.io/component-helpers/resource/helpers.go AggregateContainerRequests.
fn sum(
    containers: &[Container],
    init: &[Container],
    requests_of: fn(&Container) -> &Resources,
) -> Resources {
    let mut sum = Resources::default();
    for container in containers {
        sum.add(requests_of(container));
    }
    let mut sidecars = Resources::default();
    let mut peak = Resources::default();
    for container in init {
        let mut here = requests_of(container).clone();
        if container.is_sidecar {
            sum.add(&here);
            sidecars.add(&here);
            here = sidecars.clone();
        } else {
            here.add(&sidecars);
        }
        peak.raise_to(&here);
    }
    sum.raise_to(&peak);
    sum
}

/// What the pod asks for as a whole counts instead of what its containers do; plus the overhead.
///
/// Models staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests.
fn with_pod_level(tree: &Value, mut sum: Resources) -> Resources {
    if let Some(pod_level) = tree.at(&["resources", "requests"]) {
        let pod_level = Resources::from_value(Some(pod_level));
        let named = |key| tree.at(&["resources", "requests", key]).is_some();
        if named("cpu") {
            sum.milli_cpu = pod_level.milli_cpu;
        }
        if named("memory") {
            sum.memory = pod_level.memory;
        }
    }
    with_overhead(tree, sum)
}

fn with_overhead(tree: &Value, mut sum: Resources) -> Resources {
    sum.add(&Resources::from_value(tree.at(&["overhead"])));
    sum
}

/// Models pkg/scheduler/util/pod_resources.go DefaultMilliCPURequest, DefaultMemoryRequest.
fn scored_requests(container: &Value) -> Resources {
    let requests = container.at(&["resources", "requests"]);
    let named = |key| requests.is_some_and(|requests| requests.get(key).is_some());
    let mut resources = Resources::from_value(requests);
    if !named("cpu") {
        resources.milli_cpu = 100;
    }
    if !named("memory") {
        resources.memory = 200 * 1024 * 1024;
    }
    resources
}

fn host_ports(containers: &[Container], init: &[Container]) -> Vec<HostPort> {
    let sidecars = init.iter().filter(|container| container.is_sidecar);
    let ports = containers.iter().chain(sidecars).flat_map(|container| &container.ports);
    ports
        .filter(|port| port.host_port != 0)
        .map(|port| HostPort {
            protocol: port.protocol.clone(),
            ip: if port.host_ip.is_empty() { "0.0.0.0".into() } else { port.host_ip.clone() },
            port: port.host_port,
        })
        .collect()
}

fn volume(value: &Value) -> (String, VolumeSource) {
    let name = value.str_at(&["name"]).unwrap_or_default().to_owned();
    let text = |path: &[&str]| value.str_at(path).unwrap_or_default().to_owned();
    let optional = |source| value.bool_at(&[source, "optional"]).unwrap_or_default();
    let source = if value.get("persistentVolumeClaim").is_some() {
        VolumeSource::PersistentVolumeClaim(text(&["persistentVolumeClaim", "claimName"]))
    } else if value.get("configMap").is_some() {
        VolumeSource::ConfigMap {
            name: text(&["configMap", "name"]),
            optional: optional("configMap"),
        }
    } else if value.get("secret").is_some() {
        VolumeSource::Secret { name: text(&["secret", "secretName"]), optional: optional("secret") }
    } else {
        VolumeSource::Other
    };
    (name, source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn container(cpu: &str) -> Value {
        json!({"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}})
    }

    #[test]
    fn a_pod_asks_for_its_containers_or_its_largest_init_container() {
        let mut sidecar = container("100m");
        sidecar["restartPolicy"] = json!("Always");
        let cases = [
            (json!({"containers": [container("1"), container("500m")]}), 1500),
            (json!({"containers": [container("1")], "initContainers": [container("3")]}), 3000),
            (json!({"containers": [container("1")], "initContainers": [sidecar.clone()]}), 1100),
            (
                json!({"containers": [container("1")], "initContainers": [sidecar, container("3")]}),
                3100,
            ),
            (json!({"containers": [container("1")], "overhead": {"cpu": "10m"}}), 1010),
        ];
        for (tree, milli_cpu) in cases {
            assert_eq!(PodSpec::from_value(tree.clone()).requests.milli_cpu, milli_cpu, "{tree}");
        }
    }

    /// Seen on a real 1.36: noderesources' score of free resources does not see them, its filter does.
    #[test]
    fn what_a_pod_asks_for_as_a_whole_counts_but_in_the_score_of_free_resources() {
        let tree = json!({
            "containers": [{"name": "c", "image": "nginx"}],
            "resources": {"requests": {"cpu": "300m", "memory": "500Mi"}},
        });
        let spec = PodSpec::from_value(tree);
        let all = [&spec.requests, &spec.scored_requests, &spec.scored_of_containers];
        assert_eq!(all.map(|one| one.milli_cpu), [300, 300, 100]);
        assert_eq!(all.map(|one| one.memory >> 20), [500, 500, 200]);
    }

    #[test]
    fn a_toleration_must_fit_in_key_value_and_effect() {
        let taint = |effect| Taint { key: "a".into(), value: "b".into(), effect };
        let cases = [
            (json!({"operator": "Exists"}), true),
            (json!({"key": "a", "operator": "Exists"}), true),
            (json!({"key": "a", "value": "b"}), true),
            (json!({"key": "a", "value": "c"}), false),
            (json!({"key": "a", "value": "b", "effect": "NoExecute"}), false),
            (json!({"key": "x", "operator": "Exists"}), false),
        ];
        for (value, expected) in cases {
            let toleration = Toleration::from_value(&value);
            assert_eq!(toleration.tolerates(&taint(Effect::NoSchedule)), expected, "{value}");
        }
    }
}
