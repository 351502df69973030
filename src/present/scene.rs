//! What there is on the map: the cluster as a person would draw it.

use crate::session::ObjectId;

/// Everything the map shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterScene {
    /// The address of the client outside, `198.51.100.7`.
    pub client: String,
    /// The nodes, control plane first, each group by name.
    pub nodes: Vec<NodeBox>,
    /// The Services, by namespace and name.
    pub services: Vec<ServiceChip>,
    /// The Ingresses, by namespace and name.
    pub ingresses: Vec<IngressChip>,
    /// Pods that no node has been found for.
    pub waiting: Vec<PodChip>,
}

impl ClusterScene {
    /// How many Pods there are, placed or not.
    pub fn pod_count(&self) -> usize {
        self.waiting.len() + self.nodes.iter().map(|node| node.pods.len()).sum::<usize>()
    }
}

/// A node and what runs on it.
#[derive(Clone, Debug, PartialEq)]
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
    /// Whether it takes no new Pods (`kubectl cordon`).
    pub cordoned: bool,
    /// The node ports that kube-proxy has opened on it, those of the cluster's own Services last.
    pub node_ports: Vec<u16>,
    /// CPU requested and allocatable.
    pub cpu: Usage,
    /// Memory requested and allocatable.
    pub memory: Usage,
    /// Its Pods, by namespace and name, those of the cluster itself last.
    pub pods: Vec<PodChip>,
}

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Its kubelet says it is well.
    Ready,
    /// Its kubelet has said nothing for too long, or says it is not well.
    NotReady,
    /// Somebody has switched it off; the control plane may not know yet.
    Stopped,
}

/// How much of something is spoken for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// What the Pods request, as Kubernetes writes it.
    pub requested: String,
    /// What the node has for Pods.
    pub allocatable: String,
    /// The share in percent, 0 to 100.
    pub percent: u8,
}

/// How a Pod is, as far as its shape on the map goes. Its word is kubectl's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A Pod.
#[derive(Clone, Debug, PartialEq)]
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
    /// Its containers' names, each with whether it is ready.
    pub containers: Vec<(String, bool)>,
    /// Whether it has a disk that outlives it (a PersistentVolumeClaim).
    pub disk: bool,
    /// Whether its containers share a directory that dies with it (an emptyDir).
    pub shared: bool,
    /// Whether it belongs to the cluster itself (kube-proxy, CoreDNS, the ingress controller).
    pub system: bool,
}

/// A Service.
#[derive(Clone, Debug, PartialEq)]
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
    /// The Pods behind it that take requests, in the order of its EndpointSlices.
    pub endpoints: Vec<ObjectId>,
    /// The colour of the application it selects.
    pub colour: u8,
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

/// An Ingress.
#[derive(Clone, Debug, PartialEq)]
pub struct IngressChip {
    /// The Ingress.
    pub id: ObjectId,
    /// Its rules in short: `shop.example/ → web`.
    pub rules: Vec<String>,
    /// The address its controller has given it; empty if none.
    pub address: String,
}
