//! What a trace is made of: hops, with where and why, and the outcome.

pub use super::cause::{
    BalancerCause, Cause, NearMiss, ProxyCause, WhyNoEndpoints, WhyNoRoute, WhyNoRule,
};
use super::dns::{RecordType, Response};
use super::front::{BalancerReason, ProxyReason};
use super::request::{Headers, Request, Source};
use crate::net::conntrack::Tuple;
use crate::net::packet::Endpoint;
use crate::net::rule::{Rule, Verdict};
use crate::net::table::{Chain, Hook, Ruleset};
use crate::net::walk::{Device, Draw};
use crate::net::{Family, Packet, iptables, nft_text};
use crate::store::ObjectKey;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// A request's whole way, and the answer's way back.
#[derive(Clone, Debug, PartialEq)]
pub struct PacketTrace {
    /// What was asked.
    pub request: Request,
    /// The way.
    pub hops: Vec<Hop>,
    /// How many rules the nodes had to look at, whether they matched or not: what a request costs.
    pub examined: u32,
    /// The time to live that the answer has left when it comes back: 64 but for the nodes that
    /// forwarded it.
    pub ttl: u8,
    /// How long proxies on the way waited for servers that did not answer: so much later the client
    /// has its answer.
    pub waited: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

impl PacketTrace {
    /// Whether it passes a proxy in the cluster, which hands each request on by itself.
    pub fn passes_proxy(&self) -> bool {
        let rule = |hop: &Hop| {
            let reason = hop.proxy_reason();
            matches!(reason, Some(ProxyReason::IngressRule { .. } | ProxyReason::HttpRoute { .. }))
        };
        self.hops.iter().any(rule)
    }
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// Where.
    pub place: Place,
    /// Why the packet went on as it did.
    pub reason: Reason,
    /// The packet before and after, if there is a packet yet.
    pub packet: Option<(Packet, Packet)>,
    /// Whether this is on the answer's way back.
    pub is_reply: bool,
}

impl Hop {
    /// What a load balancer did there, if it is one.
    pub fn balancer_reason(&self) -> Option<&BalancerReason> {
        match &self.reason {
            Reason::Balancer(reason) => Some(reason),
            _ => None,
        }
    }

    /// What a proxy did there, if it is one.
    pub fn proxy_reason(&self) -> Option<&ProxyReason> {
        match &self.reason {
            Reason::Proxy(reason) => Some(reason),
            _ => None,
        }
    }
}

/// Where a hop takes place.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// At who asks.
    Client(Source),
    /// At a DNS server.
    Dns(IpAddr),
    /// At the load balancer that has this address.
    LoadBalancer(IpAddr),
    /// At the router of the nodes' network.
    Router,
    /// On a node.
    Node(Arc<str>),
    /// At a rule of a node.
    Rule(Arc<str>, RuleRef),
    /// At a node's virtual server (IPVS).
    VirtualServer(Arc<str>, Endpoint),
    /// At a network device of a node.
    Device(Arc<str>, Device),
    /// In a pod.
    Pod(ObjectKey),
    /// Outside of the cluster.
    Internet,
}

/// A rule of a node's ruleset. Its text is made only when somebody reads it.
#[derive(Clone, Debug)]
pub struct RuleRef {
    /// The ruleset.
    pub ruleset: Arc<Ruleset>,
    /// Family of its table.
    pub family: Family,
    /// The hook at which it was met.
    pub hook: Hook,
    /// Name of its table.
    pub table: &'static str,
    /// Name of its chain.
    pub chain: Arc<str>,
    /// Its place in the chain, from 0; the place after the last rule is the chain's policy.
    pub index: u32,
}

impl RuleRef {
    /// The chain it is in.
    pub fn chain(&self) -> Option<&Chain> {
        let mut tables = self.ruleset.tables.iter();
        let table = tables.find(|it| it.family == self.family && it.name == self.table);
        table.and_then(|table| table.chain(&self.chain))
    }

    /// The rule itself; none for a chain's policy.
    pub fn rule(&self) -> Option<&Rule> {
        self.chain()?.rules.get(usize::try_from(self.index).ok()?)
    }

    /// The rule as `iptables-save` or `nft list ruleset` shows it, in one line.
    pub fn text(&self) -> String {
        let chain = self.chain();
        let place = usize::try_from(self.index).unwrap_or(usize::MAX);
        let is_iptables = iptables::TABLES.contains(&self.table);
        match (chain.map(|chain| (chain, chain.rules.get(place))), is_iptables) {
            (None, _) => String::new(),
            (Some((_, Some(rule))), true) => {
                format!("-A {}{}", self.chain, iptables::rule_text(rule, self.family))
            }
            (Some((_, Some(rule))), false) => nft_text::rule_text(rule, self.family),
            (Some((chain, None)), true) => format!("-P {} {}", self.chain, chain.policy_name()),
            (Some((chain, None)), false) => {
                format!("policy {}", chain.policy_name().to_lowercase())
            }
        }
    }
}

impl PartialEq for RuleRef {
    fn eq(&self, other: &Self) -> bool {
        let key = |it: &RuleRef| (it.family, it.hook, it.table, it.chain.clone(), it.index);
        key(self) == key(other)
            && (Arc::ptr_eq(&self.ruleset, &other.ruleset) || self.text() == other.text())
    }
}

/// Where a node sends a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To itself.
    Local,
    /// To one of its own pods.
    Pod,
    /// To another node, whose own address it is.
    Neighbour(Arc<str>),
    /// To another node, for one of its pods.
    Node(Arc<str>),
    /// To another node, through a tunnel.
    Tunnel(Arc<str>),
    /// Out of the cluster.
    Default,
}

/// Why a load balancer chose a node among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Any node that passes the health check (`externalTrafficPolicy: Cluster`).
    HealthyNodes,
    /// Nodes with an endpoint of their own, as the health check port says
    /// (`externalTrafficPolicy: Local`).
    NodesWithEndpoints {
        /// The health check port; 0 if the Service has none.
        health_check_port: u16,
    },
}

/// In which direction a policy looks at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the pod it selects.
    Ingress,
    /// Out of the pod it selects.
    Egress,
}

/// Why a packet went on as it did, with the data to make a sentence of.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The request is sent.
    Sends,
    /// A name is asked for.
    Resolves {
        /// The full name.
        name: Arc<str>,
        /// What was asked of it, and what was answered; nothing if nobody answers there.
        asked: Vec<(RecordType, Response)>,
    },
    /// A load balancer, or the router before the nodes, sent it on.
    Balancer(Box<BalancerReason>),
    /// The packet comes to a node.
    Enters,
    /// A rule was met.
    Rule {
        /// Whether it matched; if not, chance alone kept it from matching.
        matched: bool,
        /// How many rules of the chain were looked at.
        examined: u32,
        /// The lot that was drawn.
        draw: Option<Draw>,
        /// What a map said.
        found: Option<Verdict>,
    },
    /// A virtual server handed the connection to a server, in turn.
    Schedules {
        /// The server.
        server: Endpoint,
        /// Among how many.
        among: u32,
    },
    /// The routing table was asked.
    Routes(Route),
    /// The node notes the connection, to translate the reply.
    Tracks,
    /// The packet belongs to a connection that the node knows, and is translated as its first one
    /// was.
    Remembers,
    /// The packet is packed into another one that goes through a tunnel between nodes.
    Encapsulates {
        /// The tunnels' network.
        vni: u32,
        /// How many bytes that adds.
        overhead: u16,
        /// The longest packet that fits into the tunnel.
        mtu: u16,
    },
    /// The packet is unpacked at the other end of the tunnel.
    Decapsulates,
    /// The pod network's own masquerading of what leaves the cluster.
    LeavesCluster,
    /// A NetworkPolicy of the pod let it pass.
    Allowed {
        /// In which direction.
        direction: Direction,
        /// The policy that has the rule.
        policy: ObjectKey,
    },
    /// The policies that select the pod have no rule for it.
    Denied {
        /// In which direction.
        direction: Direction,
        /// The policies.
        policies: Vec<ObjectKey>,
    },
    /// It goes over the link to the pod.
    Delivers,
    /// A process takes it and answers.
    Answers {
        /// The source address it sees.
        sees: IpAddr,
    },
    /// The kernel answers an echo request (ping) itself.
    Echoes,
    /// Nobody listens on the port: the kernel refuses, for TCP with a reset (RST).
    Refuses,
    /// The node tells who asked that it has refused a packet: with an ICMP error that has the
    /// beginning of the packet inside, or with a reset in the name of who was asked.
    Rejects {
        /// The refused packet.
        about: Tuple,
    },
    /// The packet inside of an ICMP error is turned back into what was sent, and the error with it.
    UntranslatesError {
        /// Before and after.
        inside: Box<(Tuple, Tuple)>,
    },
    /// The refusal is back where the request came from.
    IsRefused,
    /// Nobody is there to take it: the machine has no network.
    Vanishes,
    /// A proxy of HTTP did something with the request.
    Proxy(Box<ProxyReason>),
    /// The reply's addresses are turned back into those that were asked.
    Untranslates,
    /// The reply passes.
    Returns,
    /// The reply is back where the request came from.
    Receives,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Somebody answered.
    Answered {
        /// Who.
        server: Server,
        /// The HTTP status; 0 if it was no HTTP request.
        status: u16,
        /// The body.
        body: Arc<str>,
        /// Headers beside those that every answer has: `Location`, `Set-Cookie`.
        headers: Headers,
        /// Why it is no better answer, if it is one of a proxy that could not do as it was asked.
        because: Option<Box<Cause>>,
        /// The source address that the server saw.
        sees: IpAddr,
        /// The address that the reply came from, as the client saw it.
        reply_from: Endpoint,
    },
    /// Nobody did.
    Failed(Failure),
}

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A container of a pod.
    Pod {
        /// The pod.
        pod: ObjectKey,
        /// The container.
        container: Arc<str>,
    },
    /// A process of a node: the API server, the kubelet, kube-proxy's health check.
    Node(Arc<str>),
    /// Somebody outside of the cluster.
    Internet,
}

/// How a failure shows to who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The name was not found (curl 6).
    NotResolved,
    /// Refused at once (curl 7).
    Refused,
    /// There is no way to the address (curl 7).
    Unreachable,
    /// The server broke off the handshake of TLS (curl 35).
    Handshake,
    /// The connection was taken and closed without a word (curl 52).
    Closed,
    /// No answer ever came (curl 28).
    TimedOut,
    /// There is nobody to ask from.
    NotSent,
}

impl Manner {
    /// curl's exit code.
    pub const fn curl_code(self) -> u8 {
        match self {
            Manner::NotResolved => 6,
            Manner::Refused | Manner::Unreachable => 7,
            Manner::Handshake => 35,
            Manner::Closed => 52,
            Manner::TimedOut => 28,
            Manner::NotSent => 2,
        }
    }
}

/// A request that nobody answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Why.
    pub cause: Cause,
    /// How it shows.
    pub manner: Manner,
    /// The last hop, counted from 0.
    pub at: u32,
}
