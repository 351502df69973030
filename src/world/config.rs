//! What a cluster is made of before anybody has asked it for anything.

use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::net::link::PodNetwork;
use core::net::Ipv4Addr;
use serde_json::json;
use std::sync::Arc;

/// Who gives a Service of type LoadBalancer its external address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadBalancers {
    /// A cloud's load balancer.
    Cloud,
    /// MetalLB, which has to be told of a pool.
    MetalLb,
    /// Nobody: the address stays `<pending>`, as on bare metal without MetalLB.
    #[default]
    None,
}

impl LoadBalancers {
    /// The choice of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "cloud" => Some(LoadBalancers::Cloud),
            "bare-metal" => Some(LoadBalancers::None),
            "metallb" => Some(LoadBalancers::MetalLb),
            _ => None,
        }
    }
}

/// One node to set up.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    /// The node as far as it is described; the kubelet completes it.
    pub manifest: Value,
}

/// A cluster to set up.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterConfig {
    /// Nodes; their order gives addresses and pod networks. Thousands of them are not copied.
    pub nodes: Arc<[NodeConfig]>,
    /// Whether well-known images are on every node's disk already.
    pub warm_images: bool,
    /// Who gives external addresses.
    pub load_balancers: LoadBalancers,
    /// How packets come from one pod to another.
    pub pod_network: PodNetwork,
    /// Whether the workloads of [`crate::addons::CLASSROOM`] run: DNS, kube-proxy, a network
    /// plugin, an ingress controller, a default StorageClass.
    pub addons: bool,
    /// Whether the Gateway API is there too, with NGINX Gateway Fabric to act on it.
    pub gateway_api: bool,
    /// Whether the kubelets are hollow, as those of the recordings were: what is asked to end does
    /// so at once and with 0, whatever it is, and a readiness probe comes as soon as its delay is
    /// over.
    pub hollow: bool,
}

impl Default for ClusterConfig {
    /// cp-1 (control plane, tainted) and node-1 to node-3 in three zones, well-known images on
    /// their disks, no cloud and no addons: the cluster of the recordings.
    fn default() -> Self {
        let zones =
            [("cp-1", "zone-a"), ("node-1", "zone-a"), ("node-2", "zone-b"), ("node-3", "zone-c")];
        let nodes = zones.map(|(name, zone)| {
            let mut manifest = json!({
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {
                    "topology.kubernetes.io/region": "region-1",
                    "topology.kubernetes.io/zone": zone,
                }},
                "spec": {},
            });
            if name == "cp-1" {
                let (key, effect) = ("node-role.kubernetes.io/control-plane", "NoSchedule");
                manifest.put(&["metadata", "labels", key], "");
                manifest.put(&["spec", "taints"], json!([{"key": key, "effect": effect}]));
            }
            NodeConfig { manifest }
        });
        ClusterConfig {
            nodes: nodes.into(),
            warm_images: true,
            load_balancers: LoadBalancers::None,
            pod_network: PodNetwork::Routed,
            addons: false,
            gateway_api: false,
            hollow: false,
        }
    }
}

impl ClusterConfig {
    /// The cluster of the page: the default one in a cloud, with addons, and images to be pulled.
    pub fn classroom() -> Self {
        let mut config = ClusterConfig {
            warm_images: false,
            load_balancers: LoadBalancers::Cloud,
            addons: true,
            ..ClusterConfig::default()
        };
        // Models cmd/kubeadm/app/phases/markcontrolplane.
        for node in Arc::make_mut(&mut config.nodes).iter_mut().map(|node| &mut node.manifest) {
            let labels = ["metadata", "labels", "node-role.kubernetes.io/control-plane"];
            if node.at(&labels).is_some() {
                let excluded = "node.kubernetes.io/exclude-from-external-load-balancers";
                node.put(&["metadata", "labels", excluded], "");
            }
        }
        config
    }

    /// The cluster of the page with `count` workers, 16 CPUs and 64Gi each.
    pub fn classroom_of(count: u32) -> Self {
        let ClusterConfig { nodes, .. } = ClusterConfig::of_size(count, "16", "64Gi", "110");
        ClusterConfig { nodes, ..ClusterConfig::classroom() }
    }

    /// `count` workers of `cpu` CPUs and `memory` beside a control plane: large clusters for
    /// measurements. Pod networks are /24 from 10.0.0.0/8 on.
    pub fn of_size(count: u32, cpu: &str, memory: &str, pods: &str) -> Self {
        let mut config = ClusterConfig::default();
        let control_plane = config.nodes.iter().take(1).cloned();
        let workers = (1..=count).map(|number| {
            let zone = match number % 3 {
                0 => "zone-a",
                1 => "zone-b",
                _ => "zone-c",
            };
            let manifest = json!({
                "metadata": {"name": format!("node-{number}"), "labels": {
                    "topology.kubernetes.io/region": "region-1",
                    "topology.kubernetes.io/zone": zone,
                }},
                "spec": {},
                "status": {"capacity": {"cpu": cpu, "memory": memory, "pods": pods}},
            });
            NodeConfig { manifest }
        });
        config.nodes = control_plane.chain(workers).collect();
        config.warm_images = true;
        config
    }

    /// Reads a List of Nodes, or several documents' worth of them.
    pub fn from_manifests<'a>(manifests: impl IntoIterator<Item = &'a Value>) -> Self {
        let nodes = manifests.into_iter().flat_map(|manifest| match manifest.get("items") {
            Some(_) => manifest.items_at(&["items"]).to_vec(),
            None => vec![manifest.clone()],
        });
        let nodes = nodes.filter(|node| node.str_at(&["kind"]).is_none_or(|kind| kind == "Node"));
        let nodes = nodes.map(|manifest| NodeConfig { manifest }).collect();
        ClusterConfig { nodes, ..ClusterConfig::default() }
    }
}

/// The address of the node of a number: 172.18.0.2 for the first.
pub(super) fn node_ip(index: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(172, 18, 0, 2).to_bits() + index)
}

/// The pod network of the node of a number: 10.244.0.0/24 for the first, 10.244.1.0/24 for the
/// next; beyond 10.244.255.0/24 it goes on from 10.0.0.0/24, which no recorded cluster reaches.
pub(super) fn pod_network(index: u32) -> Ipv4Addr {
    let block = match index {
        0..=255 => Ipv4Addr::new(10, 244, 0, 0).to_bits() + index * 256,
        _ => Ipv4Addr::new(10, 128, 0, 0).to_bits() + (index - 256) * 256,
    };
    Ipv4Addr::from_bits(block)
}
