//! What kube-proxy watches: Services, EndpointSlices, Nodes.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::base::order;
use crate::net::packet::Endpoint as Address;
use crate::net::{Family, Protocol};
use crate::store::Store;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// The label by which another proxy takes a Service, and kube-proxy leaves it.
const PROXY_NAME_LABEL: &str = "service.kubernetes.io/service-proxy-name";
/// The label of EndpointSlices of headless Services.
const HEADLESS_LABEL: &str = "service.kubernetes.io/headless";
/// The label that names an EndpointSlice's Service.
const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// A Service as kube-proxy reads it: one that has a cluster IP.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// `clusterIPs`, one of each family at most.
    pub cluster_ips: Vec<IpAddr>,
    /// `ports`.
    pub ports: Vec<ServicePort>,
    /// `externalIPs`.
    pub external_ips: Vec<IpAddr>,
    /// `status.loadBalancer.ingress[].ip` of mode VIP.
    pub load_balancer_vips: Vec<IpAddr>,
    /// `status.loadBalancer.ingress[].ip` of mode Proxy: kube-proxy has nothing to do with them,
    /// since the load balancer goes to the node ports itself.
    pub load_balancer_proxies: Vec<IpAddr>,
    /// `loadBalancerSourceRanges`.
    pub source_ranges: Vec<IpNet>,
    /// Whether `internalTrafficPolicy` is Local.
    pub internal_local: bool,
    /// Whether `externalTrafficPolicy` is Local and there are external ways in.
    pub external_local: bool,
    /// `sessionAffinityConfig.clientIP.timeoutSeconds`, if there is session affinity.
    pub affinity_seconds: Option<u32>,
    /// `healthCheckNodePort`, if it is needed.
    pub health_check_node_port: Option<u16>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePort {
    /// Name; empty if it has none.
    pub name: Arc<str>,
    /// Protocol.
    pub protocol: Protocol,
    /// Port at the cluster IP.
    pub port: u16,
    /// Port at every node; 0 if there is none.
    pub node_port: u16,
}

/// An endpoint of a Service's port.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Address.
    pub address: Address,
    /// Where it runs.
    pub node: Option<Arc<str>>,
    /// Whether it takes new connections.
    pub ready: bool,
    /// Whether it could, though it may be terminating.
    pub serving: bool,
    /// Whether it is terminating.
    pub terminating: bool,
    /// The zones it is meant for.
    pub zone_hints: BTreeSet<Arc<str>>,
    /// The nodes it is meant for.
    pub node_hints: BTreeSet<Arc<str>>,
}

/// A node as kube-proxy on it needs to know it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Node {
    /// Name.
    pub name: Arc<str>,
    /// `InternalIP` addresses, then `ExternalIP` ones.
    pub ips: Vec<IpAddr>,
    /// Label `topology.kubernetes.io/zone`; empty without.
    pub zone: Arc<str>,
    /// `podCIDRs`.
    pub pod_cidrs: Vec<IpNet>,
}

impl Node {
    /// Its first address of a family.
    pub fn ip(&self, family: Family) -> Option<IpAddr> {
        self.ips.iter().copied().find(|ip| Family::of(*ip) == family)
    }
}

/// A Service's port as the endpoints name it: namespace, Service, port name, protocol.
pub type PortName = (Arc<str>, Arc<str>, Arc<str>, Protocol);

/// All that kube-proxy watches, which is the same for every node.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Input {
    /// Services with a cluster IP, by namespace and name.
    pub services: Vec<Service>,
    /// Endpoints by port and family, sorted as texts.
    pub endpoints: BTreeMap<(PortName, Family), Vec<Endpoint>>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// The cluster's pod networks (`--cluster-cidr`).
    pub cluster_cidrs: Vec<IpNet>,
    /// The cluster's Service networks.
    pub service_cidrs: Vec<IpNet>,
}

impl Input {
    /// Reads `kubectl get … -o yaml` output: Lists and single objects, documents parted by `---`
    /// or just following each other.
    ///
    /// # Errors
    /// What the YAML parser says.
    pub fn from_yaml(text: &str) -> Result<Self, String> {
        let mut objects = Vec::new();
        for document in documents(text) {
            let value: Value =
                serde_yaml::from_str(&document).map_err(|error| error.to_string())?;
            flatten(value, &mut objects);
        }
        Ok(Input::from_values(&objects))
    }

    /// Reads objects; what is neither a Service, an EndpointSlice, a Node nor a ServiceCIDR is
    /// left out.
    pub fn from_values<'a>(objects: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut builder = Builder::default();
        for object in objects {
            builder.add(object);
        }
        builder.finish()
    }

    /// Reads what a store holds.
    pub fn from_store(store: &Store) -> Self {
        let mut builder = Builder::default();
        for kind in [Kind::Service, Kind::EndpointSlice, Kind::Node] {
            for object in store.list(kind) {
                builder.add(&object.to_value());
            }
        }
        builder.finish()
    }

    /// The node of a name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| &*node.name == name)
    }

    /// All endpoints of a Service's port.
    pub fn endpoints_of(
        &self,
        service: &Service,
        port: &ServicePort,
        family: Family,
    ) -> &[Endpoint] {
        let (namespace, name) = (service.namespace.clone(), service.name.clone());
        let key = ((namespace, name, port.name.clone(), port.protocol), family);
        self.endpoints.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The pod network of a family, by which traffic from pods is told from other traffic.
    pub fn cluster_cidr(&self, family: Family) -> Option<IpNet> {
        self.cluster_cidrs.iter().copied().find(|net| Family::of(net.addr()) == family)
    }
}

impl Service {
    /// Its cluster IP of a family.
    pub fn cluster_ip(&self, family: Family) -> Option<IpAddr> {
        self.cluster_ips.iter().copied().find(|ip| Family::of(*ip) == family)
    }

    /// Reads a Service; `None` if kube-proxy has nothing to do for it.
    ///
    /// Models pkg/proxy/serviceport.go newBaseServiceInfo and pkg/proxy/util/utils.go
    /// ShouldSkipService.
    pub fn from_value(object: &Value) -> Option<Self> {
        if object.at(&["metadata", "labels", PROXY_NAME_LABEL]).is_some() {
            return None;
        }
        let spec = object.at(&["spec"])?;
        let kind = spec.str_at(&["type"]).unwrap_or("ClusterIP");
        let cluster_ip = spec.str_at(&["clusterIP"])?;
        if kind == "ExternalName" || matches!(cluster_ip, "" | "None") {
            return None;
        }
        let mut cluster_ips: Vec<IpAddr> = addresses(spec.items_at(&["clusterIPs"])).collect();
        if cluster_ips.is_empty() {
            cluster_ips.extend(parse_ip(cluster_ip));
        }
        let external_ips: Vec<IpAddr> = addresses(spec.items_at(&["externalIPs"])).collect();
        let accessible = kind != "ClusterIP" || !external_ips.is_empty();
        let local = |policy: &str| spec.str_at(&[policy]) == Some("Local");
        let external_local = accessible && local("externalTrafficPolicy");
        let sticky = spec.str_at(&["sessionAffinity"]) == Some("ClientIP");
        let seconds = spec.int_at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
        let health =
            spec.int_at(&["healthCheckNodePort"]).and_then(|port| u16::try_from(port).ok());
        Some(Service {
            namespace: text(object, "namespace"),
            name: text(object, "name"),
            cluster_ips,
            ports: spec.items_at(&["ports"]).iter().filter_map(ServicePort::from_value).collect(),
            external_ips,
            load_balancer_vips: balancers(object, "VIP"),
            load_balancer_proxies: balancers(object, "Proxy"),
            source_ranges: networks(spec.items_at(&["loadBalancerSourceRanges"])).collect(),
            internal_local: local("internalTrafficPolicy"),
            external_local,
            affinity_seconds: sticky
                .then(|| u32::try_from(seconds.unwrap_or(10_800)).unwrap_or(10_800)),
            health_check_node_port: health
                .filter(|port| *port != 0 && kind == "LoadBalancer" && external_local),
        })
    }
}

impl ServicePort {
    fn from_value(port: &Value) -> Option<Self> {
        let number = |key: &str| port.int_at(&[key]).and_then(|port| u16::try_from(port).ok());
        Some(ServicePort {
            name: Arc::from(port.str_at(&["name"]).unwrap_or_default()),
            protocol: protocol(port)?,
            port: number("port")?,
            node_port: number("nodePort").unwrap_or(0),
        })
    }
}

impl Node {
    /// Reads a Node.
    ///
    /// Models pkg/util/node/node.go GetNodeHostIPs: external addresses count where a family has no
    /// internal one.
    pub fn from_value(object: &Value) -> Self {
        let all = object.items_at(&["status", "addresses"]);
        let of_type = |kind: &'static str| {
            let own = all.iter().filter(move |address| address.str_at(&["type"]) == Some(kind));
            own.filter_map(|address| parse_ip(address.str_at(&["address"])?))
        };
        let ips = of_type("InternalIP").chain(of_type("ExternalIP"));
        let zone = object.str_at(&["metadata", "labels", "topology.kubernetes.io/zone"]);
        Node {
            name: text(object, "name"),
            ips: ips.collect(),
            zone: Arc::from(zone.unwrap_or_default()),
            pod_cidrs: networks(object.items_at(&["spec", "podCIDRs"])).collect(),
        }
    }
}

#[derive(Default)]
struct Builder {
    input: Input,
    endpoints: BTreeMap<(PortName, Family), BTreeMap<String, Endpoint>>,
}

impl Builder {
    fn add(&mut self, object: &Value) {
        match object.str_at(&["kind"]) {
            Some("Service") => self.input.services.extend(Service::from_value(object)),
            Some("Node") => self.input.nodes.push(Node::from_value(object)),
            Some("EndpointSlice") => {
                self.slice(object);
            }
            Some("ServiceCIDR") => {
                self.input.service_cidrs.extend(networks(object.items_at(&["spec", "cidrs"])));
            }
            _ => {}
        }
    }

    /// Models pkg/proxy/endpointslicecache.go endpointInfoByServicePort and addEndpoints.
    fn slice(&mut self, object: &Value) -> Option<()> {
        let labels = object.at(&["metadata", "labels"])?;
        if labels.at(&[HEADLESS_LABEL]).is_some() {
            return None;
        }
        let service: Arc<str> = Arc::from(labels.str_at(&[SERVICE_NAME_LABEL])?);
        let family = match object.str_at(&["addressType"])? {
            "IPv4" => Family::V4,
            "IPv6" => Family::V6,
            _ => return None,
        };
        let namespace = text(object, "namespace");
        for port in object.items_at(&["ports"]) {
            let number = port.int_at(&["port"]).and_then(|port| u16::try_from(port).ok());
            let number = number.filter(|number| *number != 0);
            let name = port.str_at(&["name"]);
            let (Some(number), Some(name), Some(protocol)) = (number, name, protocol(port)) else {
                continue;
            };
            let name = (namespace.clone(), service.clone(), Arc::from(name), protocol);
            let set = self.endpoints.entry((name, family)).or_default();
            for endpoint in object.items_at(&["endpoints"]) {
                let Some(endpoint) = Endpoint::from_value(endpoint, number) else { continue };
                let key = endpoint.address.to_string();
                if !endpoint.terminating || !set.contains_key(&key) {
                    set.insert(key, endpoint);
                }
            }
        }
        Some(())
    }

    fn finish(self) -> Input {
        let Builder { mut input, endpoints } = self;
        order::sort_by(&mut input.services, |a, b| {
            (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name))
        });
        input.endpoints =
            endpoints.into_iter().map(|(name, set)| (name, set.into_values().collect())).collect();
        if input.cluster_cidrs.is_empty() {
            input.cluster_cidrs = cluster_cidrs(&input.nodes);
        }
        if input.service_cidrs.is_empty() {
            input.service_cidrs = "10.96.0.0/16".parse().ok().into_iter().collect();
        }
        input
    }
}

impl Endpoint {
    fn from_value(value: &Value, port: u16) -> Option<Self> {
        let ip = parse_ip(value.items_at(&["addresses"]).first()?.as_str()?)?;
        let condition = |key: &str| value.bool_at(&["conditions", key]);
        let hints = |key: &str| {
            let hints = value.items_at(&["hints", key]).iter();
            hints.filter_map(|hint| hint.str_at(&["name"]).map(Arc::from)).collect()
        };
        Some(Endpoint {
            address: Address { ip, port },
            node: value.str_at(&["nodeName"]).map(Arc::from),
            ready: condition("ready").unwrap_or(true),
            serving: condition("serving").unwrap_or(true),
            terminating: condition("terminating").unwrap_or(false),
            zone_hints: hints("forZones"),
            node_hints: hints("forNodes"),
        })
    }
}

/// The pod network that kube-proxy is told of. Nothing among the objects says it; 10.244.0.0/16
/// is what tutorials use, and where the nodes' networks lie elsewhere, it is around the first.
fn cluster_cidrs(nodes: &[Node]) -> Vec<IpNet> {
    let default = "10.244.0.0/16".parse::<IpNet>().ok();
    let wide = |net: &IpNet| {
        let bits = if net.max_prefix_len() == 32 { 16 } else { 56 };
        IpNet::new(net.addr(), bits.min(net.prefix_len())).ok().map(|net| net.trunc())
    };
    let first = |family: Family| {
        let all = nodes.iter().flat_map(|node| &node.pod_cidrs);
        let mut own = all.filter(|net| Family::of(net.addr()) == family);
        own.find(|net| !default.is_some_and(|default| default.contains(*net))).and_then(wide)
    };
    [first(Family::V4).or(default), first(Family::V6)].into_iter().flatten().collect()
}

/// Parts a text into YAML documents: at `---`, and where a top-level key comes a second time, as in
/// the outputs of two commands put one after the other.
fn documents(text: &str) -> Vec<String> {
    let mut documents = Vec::new();
    let mut current = String::new();
    let mut keys: BTreeSet<&str> = BTreeSet::new();
    for line in text.lines() {
        let key = line.split_once(':').map(|(key, _)| key).filter(|key| {
            key.chars().next().is_some_and(char::is_alphabetic) && !key.contains(' ')
        });
        let separator = line == "---" || line.starts_with("--- ");
        if separator || key.is_some_and(|key| keys.contains(key)) {
            documents.push(core::mem::take(&mut current));
            keys.clear();
        }
        keys.extend(key);
        if !separator {
            current.push_str(line);
            current.push('\n');
        }
    }
    documents.push(current);
    documents.retain(|document| !document.trim().is_empty());
    documents
}

fn flatten(value: Value, objects: &mut Vec<Value>) {
    if !value.str_at(&["kind"]).is_some_and(|kind| kind.ends_with("List")) {
        objects.push(value);
        return;
    }
    if let Value::Object(mut fields) = value
        && let Some(Value::Array(items)) = fields.remove("items")
    {
        for item in items {
            flatten(item, objects);
        }
    }
}

fn text(object: &Value, field: &str) -> Arc<str> {
    let fallback = if field == "namespace" { "default" } else { "" };
    Arc::from(object.str_at(&["metadata", field]).unwrap_or(fallback))
}

fn protocol(port: &Value) -> Option<Protocol> {
    port.str_at(&["protocol"]).map_or(Some(Protocol::Tcp), Protocol::parse)
}

fn addresses(items: &[Value]) -> impl Iterator<Item = IpAddr> {
    items.iter().filter_map(|item| parse_ip(item.as_str()?))
}

fn networks(items: &[Value]) -> impl Iterator<Item = IpNet> {
    items.iter().filter_map(|item| parse_net(item.as_str()?.trim()))
}

/// Reads an address; the numbers of one of IPv4 may begin with zeros and are decimal all the same.
///
/// Models k8s.io/utils/net ParseIPSloppy.
fn parse_ip(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok();
    }
    let mut parts = text.split('.').map(|part| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u8>().ok()).flatten()
    });
    let mut next = || parts.next().flatten();
    let octets = [next()?, next()?, next()?, next()?];
    parts.next().is_none().then(|| IpAddr::from(octets))
}

/// Reads a network likewise.
///
/// Models k8s.io/utils/net ParseCIDRSloppy.
fn parse_net(text: &str) -> Option<IpNet> {
    let (ip, length) = text.split_once('/')?;
    Some(IpNet::new(parse_ip(ip)?, length.parse().ok()?).ok()?.trunc())
}

fn balancers(object: &Value, mode: &str) -> Vec<IpAddr> {
    let ingress = object.items_at(&["status", "loadBalancer", "ingress"]).iter();
    let fits = |ingress: &&Value| ingress.str_at(&["ipMode"]).unwrap_or("VIP") == mode;
    ingress.filter(fits).filter_map(|ingress| parse_ip(ingress.str_at(&["ip"])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_put_one_after_the_other_are_documents_of_their_own() {
        let text = "kind: A\nitems:\n- kind: x\nkind: B\n---\nkind: C\n";
        assert_eq!(documents(text), ["kind: A\nitems:\n- kind: x\n", "kind: B\n", "kind: C\n"]);
    }

    #[test]
    fn addresses_may_have_leading_zeros_and_no_blanks() {
        let read = |text| parse_ip(text).map_or("-".to_owned(), |ip| ip.to_string());
        let cases = [
            ("010.244.1.013", "10.244.1.13"),
            ("10.0.0.300", "-"),
            (" 1.2.3.4", "-"),
            ("1.2.3", "-"),
            ("1.2.3.4.5", "-"),
            ("1.2.+3.4", "-"),
            ("fd00::1", "fd00::1"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(parse_net("010.001.0.7/16"), "10.1.0.0/16".parse().ok());
    }

    #[test]
    fn a_node_without_an_internal_address_has_its_external_one() {
        let node = |addresses| {
            let object =
                serde_json::json!({"metadata": {"name": "n"}, "status": {"addresses": addresses}});
            let node = Node::from_value(&object);
            [Family::V4, Family::V6].map(|family| node.ip(family).map(|ip| ip.to_string()))
        };
        let address = |kind, ip| serde_json::json!({"type": kind, "address": ip});
        let both = node(serde_json::json!([
            address("ExternalIP", "172.18.0.9"),
            address("ExternalIP", "fd00::9"),
            address("InternalIP", "172.18.0.3"),
        ]));
        assert_eq!(both, [Some("172.18.0.3".into()), Some("fd00::9".into())]);
    }

    #[test]
    fn a_pod_network_around_all_nodes_is_found_where_it_is_not_the_usual_one() {
        let node = |cidr: &str| Node { pod_cidrs: vec![cidr.parse().unwrap()], ..Node::default() };
        let found = |cidr| format!("{:?}", cluster_cidrs(&[node(cidr)]));
        assert_eq!(found("10.244.3.0/24"), "[10.244.0.0/16]");
        assert_eq!(found("10.42.3.0/24"), "[10.42.0.0/16]");
    }
}
