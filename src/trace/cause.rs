//! Why a request came to nothing, or to no better answer.

use super::dns::Code;
use super::hop::{Direction, Manner};
use super::metallb::WhySilent;
use super::request::Source;
use crate::net::packet::{Endpoint, Protocol};
use crate::store::ObjectKey;
use std::net::IpAddr;
use std::sync::Arc;

/// Why a request failed, with the data to make a sentence of.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// The pod or the node to ask from is not there or not running.
    NoClient(Source),
    /// No such name.
    NoSuchName(Arc<str>),
    /// The name of a Service without addresses, or of a headless one without endpoints.
    NoAddress(ObjectKey),
    /// The name server that is asked does not know the Service, though it is there.
    UnknownService {
        /// The Service.
        service: ObjectKey,
        /// Who is asked.
        server: IpAddr,
    },
    /// The name server cannot be reached.
    NoNameServer {
        /// Its address.
        server: IpAddr,
        /// How that shows.
        manner: Manner,
        /// What became of the packet.
        why: Box<Cause>,
    },
    /// The name server could not find out, or does not answer for such names.
    NameServerFails {
        /// Its address.
        server: IpAddr,
        /// What it said.
        code: Code,
    },
    /// The node is not there.
    NodeDown(Arc<str>),
    /// The Service has no endpoints.
    NoEndpoints {
        /// The Service.
        service: ObjectKey,
        /// Why it has none.
        why: Box<WhyNoEndpoints>,
    },
    /// The Service has no endpoints on this node, and its policy asks for one.
    NoLocalEndpoints {
        /// The Service.
        service: ObjectKey,
        /// The node.
        node: Arc<str>,
        /// Whether it was asked at its cluster IP, so that its `internalTrafficPolicy` is meant.
        is_internal: bool,
    },
    /// The node port of a Service was asked at a loopback address, where kube-proxy does not take it.
    NodePortOnLoopback {
        /// The Service.
        service: ObjectKey,
        /// The node.
        node: Arc<str>,
        /// The port.
        port: u16,
    },
    /// The Service has no such port.
    WrongPort {
        /// The Service.
        service: ObjectKey,
        /// The port asked.
        port: u16,
        /// Its ports.
        offered: Vec<u16>,
    },
    /// The Service has the port for another protocol.
    WrongProtocol {
        /// The Service.
        service: ObjectKey,
        /// The port asked.
        port: u16,
        /// The protocol asked.
        protocol: Protocol,
        /// The protocol that the port is for.
        offered: Protocol,
    },
    /// No process of the pod listens on the port.
    NothingListens {
        /// The pod.
        pod: ObjectKey,
        /// The port.
        port: u16,
    },
    /// Nothing of the node listens on the port, and it is no Service's node port.
    NotANodePort {
        /// The node.
        node: Arc<str>,
        /// The port.
        port: u16,
    },
    /// A NetworkPolicy forbids it.
    Policy {
        /// In which direction.
        direction: Direction,
        /// The pod that the policies select.
        pod: ObjectKey,
        /// The policies.
        policies: Vec<ObjectKey>,
    },
    /// `loadBalancerSourceRanges` forbids it.
    SourceRange {
        /// The Service.
        service: ObjectKey,
    },
    /// The Service of type LoadBalancer has no external address yet.
    PendingExternalIp(ObjectKey),
    /// The load balancer has no node to send to.
    NoHealthyNode(ObjectKey),
    /// Nobody has the address.
    NoSuchAddress(IpAddr),
    /// The reply came from another address than the one asked, since it took another way back
    /// than the node that had translated the request: the client throws it away.
    StrangeReply(Endpoint),
    /// A rule that a person put there forbids it.
    RuleByHand {
        /// The node.
        node: Arc<str>,
        /// The chain.
        chain: Arc<str>,
    },
    /// The request was refused, and who asked has not heard of it.
    RefusalLost {
        /// Why it was refused.
        refused: Box<Cause>,
        /// What became of the refusal.
        lost: Box<Cause>,
    },
    /// The node does not forward packets (`net.ipv4.ip_forward` is 0).
    NoForwarding(Arc<str>),
    /// The address is a Service's, and stands for its ports alone: nobody there takes a ping.
    NoEcho(ObjectKey),
    /// It went around too often.
    Loop,
    /// A load balancer, or the router before the nodes, knows no way.
    Balancer(BalancerCause),
    /// A proxy of HTTP has no better answer.
    Proxy(ProxyCause),
}

/// Why a load balancer, or the router before the nodes, knows no way.
#[derive(Clone, Debug, PartialEq)]
pub enum BalancerCause {
    /// Nobody says to have the address that MetalLB gave to a Service.
    NotAnnounced {
        /// The Service.
        service: ObjectKey,
        /// Why.
        why: Box<WhySilent>,
    },
    /// The node that announced the address has fallen silent, and nobody has noticed yet.
    AnnouncerDown {
        /// The Service.
        service: ObjectKey,
        /// The node.
        node: Arc<str>,
    },
    /// A line in the file of a load balancer that people built leads to nobody, and nobody has told
    /// it.
    ByHand {
        /// The name of the server in the file.
        server: Arc<str>,
        /// Where the line leads.
        to: Endpoint,
        /// Why nobody is there.
        cause: Box<Cause>,
    },
    /// The checks of a load balancer that people built have found every line down.
    AllDown {
        /// How many lines there are.
        count: u32,
    },
    /// A load balancer that people built does not listen on the port.
    NoFrontend {
        /// Its ports.
        offered: Vec<u16>,
        /// The port asked.
        port: u16,
    },
}

/// Why a proxy of HTTP has no better answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ProxyCause {
    /// The ingress controller has no rule for host and path (404).
    NoRule {
        /// The host.
        host: Arc<str>,
        /// The path.
        path: Arc<str>,
        /// What stands in the way.
        why: Box<WhyNoRule>,
    },
    /// The Ingress leads to a Service that is not there (503).
    NoSuchService {
        /// The Ingress.
        ingress: ObjectKey,
        /// The Service.
        service: ObjectKey,
    },
    /// The Ingress leads to a port that the Service does not have (503).
    NoSuchPort {
        /// The Ingress.
        ingress: ObjectKey,
        /// The Service.
        service: ObjectKey,
        /// The port as the Ingress names it.
        port: Arc<str>,
        /// The Service's ports.
        offered: Vec<u16>,
    },
    /// The host has a certificate, so that it is to be asked by https (308).
    RedirectsToTls(Arc<str>),
    /// The annotations of the Ingress do not let this client in (403).
    NotAllowedBy {
        /// The Ingress.
        ingress: ObjectKey,
        /// The client as the controller sees it.
        ip: IpAddr,
    },
    /// The Ingress wants a name and a password, those of this Secret (401).
    WantsPassword(Arc<str>),
    /// No rule of an HTTPRoute fits at this Gateway (404).
    NoRoute {
        /// The Gateway.
        gateway: ObjectKey,
        /// The host.
        host: Arc<str>,
        /// The path.
        path: Arc<str>,
        /// What stands in the way.
        why: Box<WhyNoRoute>,
    },
    /// The rule of the HTTPRoute leads to no Service that may be asked (500).
    NoBackend {
        /// The route.
        route: ObjectKey,
        /// What the route's status says of it; empty if the rule has no backend with a weight.
        message: Arc<str>,
    },
    /// The listener of the Gateway at this port is not taken, so that nobody listens there.
    NoListener {
        /// The Gateway.
        gateway: ObjectKey,
        /// The listener's name.
        listener: Arc<str>,
        /// What its status says.
        message: Arc<str>,
    },
    /// The Secret that the Ingress names for its certificate is not there, or holds none: the
    /// controller shows a certificate of its own making.
    NoCertificate {
        /// The Ingress.
        ingress: ObjectKey,
        /// The Secret.
        secret: Arc<str>,
    },
    /// No listener with TLS of the Gateway has this host, so that there is no certificate for it.
    NoTlsName {
        /// The Gateway.
        gateway: ObjectKey,
        /// The host.
        host: Arc<str>,
    },
}

/// What stands in the way of a route; the later the nearer to what was meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyNoRoute {
    /// No HTTPRoute names the host.
    NoHost,
    /// The HTTPRoute that names it names another Gateway.
    OtherGateway(ObjectKey),
    /// The HTTPRoute that names it is not taken, as its status says.
    Refused(ObjectKey, Arc<str>),
    /// The HTTPRoute that names it has no such path.
    NoPath(ObjectKey),
    /// The path is there, but not for such a method, header or query.
    NoMatch(ObjectKey),
}

/// What stands in the way of a rule; the later the nearer to what was meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyNoRule {
    /// No Ingress names the host.
    NoHost,
    /// The Ingress that names it is of another class, or of one that is not there.
    OtherClass(ObjectKey),
    /// The Ingress that names it names no class.
    NoClass(ObjectKey),
    /// The Ingress that names it is a canary of none.
    OnlyCanary(ObjectKey),
    /// The Ingress that names it has no such path.
    NoPath(ObjectKey),
}

/// Why a Service has no endpoints.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WhyNoEndpoints {
    /// Its selector, `key=value`; empty if it has none.
    pub selector: Vec<String>,
    /// Pods that it selects, though none is ready.
    pub not_ready: Vec<Arc<str>>,
    /// Pods that it would select if it were not for one label.
    pub nearly: Vec<NearMiss>,
    /// Whether the `targetPort` is a name that no selected pod's port has.
    pub unknown_target_port: Option<Arc<str>>,
}

/// A pod that a selector would select if it were not for one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The pod.
    pub pod: Arc<str>,
    /// The label.
    pub key: Arc<str>,
    /// The value that the selector asks for.
    pub wanted: Arc<str>,
    /// The value that the pod has, if any.
    pub has: Option<Arc<str>>,
}
