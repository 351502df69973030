//! What there is on the map: the cluster as a person would draw it.

use crate::base::SimTime;
use crate::session::ObjectId;
use std::rc::Rc;

/// Everything the map shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterScene {
    /// The address of the client outside, `198.51.100.7`.
    pub client: String,
    /// The nodes, control plane first, each group by name. Shared, since there may be thousands.
    pub nodes: Vec<Rc<NodeBox>>,
    /// The Services, the cluster's own last: after each Ingress's Services all others.
    pub services: Vec<ServiceChip>,
    /// The Ingresses, by namespace and name, then the Gateways.
    pub ingresses: Vec<IngressChip>,
    /// The load balancer that people built outside of the cluster, if they did.
    pub hand_built: Option<HandBuilt>,
    /// Pods that no node has been found for, by what the scheduler says.
    pub waiting: Vec<WaitingGroup>,
    /// What people have asked for, by namespace; those of the cluster itself last.
    pub shelves: Vec<Shelf>,
    /// The node ports that are open on every node with rules, those of the cluster's own Services
    /// last.
    pub node_ports: Vec<u16>,
    /// How kube-proxy works: `iptables`, `nftables`, `ipvs`.
    pub proxy_mode: &'static str,
    /// How many Pods there are, placed or not.
    pub pod_count: usize,
    /// How many of them are not the cluster's own.
    pub own_pod_count: usize,
    /// Whether something counts down, so that what is shown changes as time passes.
    pub counts_down: bool,
}

/// A load balancer that people built, which knows nothing but its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandBuilt {
    /// Its address.
    pub address: String,
    /// Its lines: server, where it leads, and the node that is there, if one is and answers.
    pub lines: Vec<(String, String, Option<String>)>,
    /// Nodes that the file does not know.
    pub unlisted: Vec<String>,
}

impl HandBuilt {
    /// How many lines lead to a node.
    pub fn alive(&self) -> usize {
        self.lines.iter().filter(|(_, _, node)| node.is_some()).count()
    }
}

/// A node and what runs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeBox {
    /// The node.
    pub id: ObjectId,
    /// Its InternalIP.
    pub ip: String,
    /// Its zone, if it has one.
    pub zone: String,
    /// Whether it runs the control plane.
    pub control_plane: bool,
    /// How it is.
    pub state: NodeState,
    /// kubectl's words for it, `Ready,SchedulingDisabled`.
    pub status: String,
    /// Since when its network is cut, if it is; the control plane may not know yet.
    pub cut_since: Option<SimTime>,
    /// Whether it takes no new Pods (`kubectl cordon`).
    pub cordoned: bool,
    /// Its taints, without the domain of their keys: `control-plane:NoSchedule`.
    pub taints: Vec<String>,
    /// Its labels that are not Kubernetes' own: `disk=ssd`.
    pub labels: Vec<String>,
    /// Whether kube-proxy has written its rules on it.
    pub has_rules: bool,
    /// CPU requested and allocatable.
    pub cpu: Usage,
    /// Memory requested and allocatable.
    pub memory: Usage,
    /// Its Pods, by namespace and name, those of the cluster itself last. Empty in a crowd, where
    /// the node is not in sight.
    pub pods: Vec<PodChip>,
    /// The same Pods in the same order, each as a dot.
    pub dots: Vec<Dot>,
}

/// How a node is, as the control plane knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Its kubelet says it is well.
    Ready,
    /// Its kubelet has said nothing for too long, or says it is not well.
    NotReady,
    /// No kubelet has ever spoken for it.
    Unknown,
}

/// How much of something is spoken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// What the Pods request, of what the node has for Pods: `1.2/4`, `3.1/8Gi`.
    pub text: String,
    /// The share in percent, 0 to 100.
    pub percent: u8,
}

/// How a Pod is, as far as its shape on the map goes. Its word is kubectl's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodState {
    /// Waits for a node, or for its first container.
    Pending,
    /// Containers are being created or probed for the first time.
    Starting,
    /// Takes requests.
    Ready,
    /// Runs, but takes no requests.
    NotReady,
    /// Its containers fail.
    Failed,
    /// Its work is done.
    Completed,
    /// Is being deleted.
    Terminating,
    /// Its node is silent.
    Unknown,
}

/// A Pod as a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dot {
    /// Its shape.
    pub state: PodState,
    /// The colour of its application, an index into the palette.
    pub colour: u8,
    /// Whether it belongs to the cluster itself.
    pub system: bool,
}

/// A container of a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerMark {
    /// Its name.
    pub name: String,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is a sidecar: an init container that is restarted always.
    pub sidecar: bool,
}

/// A Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodChip {
    /// The Pod.
    pub id: ObjectId,
    /// Its IP, once it has one.
    pub ip: String,
    /// Its shape.
    pub state: PodState,
    /// kubectl's word for it, `Running`, `CrashLoopBackOff`.
    pub status: String,
    /// Ready and all containers, `1/1`.
    pub ready: String,
    /// The colour of its application, an index into the palette.
    pub colour: u8,
    /// The name it has in common with its siblings, `kube-proxy`.
    pub family: String,
    /// The tag of its first container's image, `1.27`; empty if it names none.
    pub tag: String,
    /// Whether its template has been replaced by a newer one.
    pub is_old: bool,
    /// Its containers, sidecars first.
    pub containers: Vec<ContainerMark>,
    /// Whether it has a disk that outlives it (a PersistentVolumeClaim).
    pub disk: bool,
    /// Whether its containers share a directory that dies with it (an emptyDir).
    pub shared: bool,
    /// Whether it belongs to the cluster itself (kube-proxy, CoreDNS, the ingress controller).
    pub system: bool,
    /// Whether it shares its node's network, so that nothing lies between the two.
    pub on_host: bool,
    /// What it waits for and until when: the end of its grace, or its next try.
    pub countdown: Option<Countdown>,
}

impl PodChip {
    /// The same as a dot.
    pub const fn dot(&self) -> Dot {
        Dot { state: self.state, colour: self.colour, system: self.system }
    }
}

/// A span of time that is running out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// When it began.
    pub from: SimTime,
    /// When it ends.
    pub until: SimTime,
    /// The exit code with which the container ended before, if that is what it waits after.
    pub exit_code: Option<i32>,
}

impl Countdown {
    /// The whole seconds that are left, rounded up.
    pub fn seconds_left(&self, now: SimTime) -> u64 {
        self.until.since(now).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
    }

    /// How much of it is over, in thousandths.
    pub fn share_over(&self, now: SimTime) -> u32 {
        let (over, all) =
            (now.since(self.from).as_micros(), self.until.since(self.from).as_micros());
        u32::try_from(over.saturating_mul(1000) / all.max(1)).unwrap_or(1000).min(1000)
    }
}

/// Pods that wait for a node for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingGroup {
    /// What the scheduler says of them, `3 Insufficient cpu`; empty before it has looked.
    pub reason: String,
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub pods: Vec<PodChip>,
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChip {
    /// The Service.
    pub id: ObjectId,
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: String,
    /// Its cluster IP; empty if it is headless.
    pub cluster_ip: String,
    /// Its ports, each with its node port if it has one.
    pub ports: Vec<(u16, Option<u16>)>,
    /// The address of its load balancer.
    pub external: External,
    /// How many Pods behind it take requests.
    pub endpoints: u32,
    /// How many Pods behind it do not, or not yet.
    pub not_ready: u32,
    /// The colour of the application it selects.
    pub colour: u8,
    /// Whether it belongs to the cluster itself.
    pub system: bool,
}

/// The outside address of a Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum External {
    /// It asks for none.
    None,
    /// It has asked and waits.
    Pending,
    /// It has one.
    Address(String),
}

/// An Ingress, or a Gateway with what is attached to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressChip {
    /// The Ingress.
    pub id: ObjectId,
    /// Its rules in short: `shop.example/ → web`.
    pub rules: Vec<String>,
    /// The Services it leads to, as places in the scene's list.
    pub leads_to: Vec<usize>,
    /// The class that its controller is known by; empty if it names none.
    pub class: String,
    /// The address its controller has given it; empty if none.
    pub address: String,
}

/// What people have asked for in one namespace, or outside of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The namespace; none for objects of the cluster as a whole.
    pub namespace: Option<ObjectId>,
    /// Whether it is one of the cluster's own.
    pub system: bool,
    /// Whether the namespace is being deleted.
    pub is_ending: bool,
    /// What makes Pods.
    pub workloads: Vec<WorkloadChip>,
    /// Everything else.
    pub records: Vec<RecordChip>,
}

/// What makes Pods and keeps their number: a Deployment, a StatefulSet, a DaemonSet, a Job …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadChip {
    /// The workload.
    pub id: ObjectId,
    /// The colour of its application.
    pub colour: u8,
    /// How many of its Pods are Ready, or have done their work.
    pub ready: u32,
    /// How many there should be.
    pub wanted: u32,
    /// How many are there, old and new.
    pub present: u32,
    /// How many have the newest template.
    pub updated: u32,
    /// What its numbers do not say: a CronJob's schedule, `paused`, `suspended`.
    pub note: String,
}

impl WorkloadChip {
    /// How many Pods still have an older template.
    pub const fn old(&self) -> u32 {
        self.present.saturating_sub(self.updated)
    }
}

/// Any other object that somebody has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChip {
    /// The object.
    pub id: ObjectId,
    /// kubectl's short name of its kind, `cm`.
    pub word: &'static str,
    /// Whether it waits for something: a claim without a volume.
    pub is_pending: bool,
}
