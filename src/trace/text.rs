//! A trace as text: one line a hop, in the words of the trade.

use super::dns::{RecordType, Response};
use super::hop::{
    Cause, Direction, Failure, Hop, Manner, NearMiss, Outcome, PacketTrace, Place, Reason, Route,
    Server,
};
use super::metallb::ROUTER;
use crate::net::Packet;
use crate::net::rule::Verdict;
use crate::net::walk::Draw;
use crate::store::ObjectKey;
use core::fmt;

impl fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

impl PacketTrace {
    /// The trace as text: one line a hop (place, what happened, the packet), then the outcome.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for (index, hop) in self.hops.iter().enumerate() {
            let arrow = if hop.is_reply { '<' } else { '>' };
            out.push_str(&format!("{:<2} {arrow} {hop}\n", index + 1));
        }
        out.push_str(&format!("= {}\n", self.outcome));
        out
    }

    /// Whether the request was answered.
    pub const fn is_answered(&self) -> bool {
        matches!(self.outcome, Outcome::Answered { .. })
    }
}

impl Hop {
    /// The hop without its packet's port of the moment and its rule's text: what can be the same in
    /// two traces.
    pub fn brief(&self) -> String {
        let mut text = format!("{}: {}", self.place, self.reason);
        if let Some((before, after)) = self.packet.filter(|(before, after)| before != after) {
            let ips = |packet: &Packet| (packet.source.ip, packet.destination.ip);
            if ips(&before) != ips(&after) {
                let ((source, to), (new_source, new_to)) = (ips(&before), ips(&after));
                text += &format!(" [{source} -> {to}] => [{new_source} -> {new_to}]");
            }
        }
        text
    }
}

impl fmt::Display for Hop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.reason)?;
        if let Place::Rule(_, rule) = &self.place {
            write!(formatter, " | {}", rule.text())?;
        }
        match &self.packet {
            None => Ok(()),
            Some((before, after)) if before == after => write!(formatter, " [{before}]"),
            Some((before, after)) => write!(formatter, " [{before}] => [{after}]"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Client(source) => write!(formatter, "{source}"),
            Place::Dns(ip) => write!(formatter, "dns {ip}"),
            Place::LoadBalancer(ip) => write!(formatter, "load balancer {ip}"),
            Place::Node(name) => write!(formatter, "node {name}"),
            Place::Rule(node, rule) => {
                let hook = rule.hook.name();
                write!(formatter, "node {node} {hook} {} {}", rule.table, rule.chain)
            }
            Place::VirtualServer(node, address) => write!(formatter, "node {node} ipvs {address}"),
            Place::Device(node, device) => write!(formatter, "node {node} {}", device.name()),
            Place::Pod(pod) => write!(formatter, "pod {pod}"),
            Place::Internet => formatter.write_str("internet"),
            Place::Router => write!(formatter, "router {ROUTER}"),
        }
    }
}

pub(super) fn drawn(draw: &Draw) -> String {
    format!("draw {} of {}", u64::from(draw.drawn) + 1, draw.among)
}

/// `A web -> 10.96.0.5; AAAA -> NODATA`.
fn resolved(name: &str, asked: &[(RecordType, Response)]) -> String {
    if asked.is_empty() {
        return format!("no answer about {name}");
    }
    let told = asked.iter().enumerate().map(|(place, (record, response))| match place {
        0 => format!("{} {name} -> {response}", record.name()),
        _ => format!("{} -> {response}", record.name()),
    });
    told.collect::<Vec<_>>().join("; ")
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Sends => formatter.write_str("sends"),
            Reason::Resolves { name, asked } => formatter.write_str(&resolved(name, asked)),
            Reason::Enters => formatter.write_str("enters"),
            Reason::Rule { matched, examined, draw, found } => {
                let word = if *matched { "matches" } else { "not drawn" };
                write!(formatter, "{word}, {examined} examined")?;
                if let Some(draw) = draw {
                    write!(formatter, ", {}", drawn(draw))?;
                }
                match found {
                    Some(Verdict::Goto(chain) | Verdict::Jump(chain)) => {
                        write!(formatter, ", map says {chain}")
                    }
                    Some(Verdict::Drop) => formatter.write_str(", map says drop"),
                    Some(Verdict::Reject(with)) => {
                        write!(formatter, ", map says reject with {}", with.name())
                    }
                    Some(Verdict::Accept) => formatter.write_str(", map says accept"),
                    Some(Verdict::Return) => formatter.write_str(", map says return"),
                    None => Ok(()),
                }
            }
            Reason::Schedules { server, among } => {
                write!(formatter, "round robin to {server} (1 of {among})")
            }
            Reason::Routes(route) => write!(formatter, "route {route}"),
            Reason::Tracks => formatter.write_str("conntrack entry"),
            Reason::Remembers => formatter.write_str("conntrack knows the connection"),
            Reason::Encapsulates { vni, overhead, mtu } => {
                write!(formatter, "packs into VXLAN {vni}, {overhead} bytes more, MTU {mtu}")
            }
            Reason::Decapsulates => formatter.write_str("unpacks from VXLAN"),
            Reason::LeavesCluster => formatter.write_str("masqueraded by the pod network"),
            Reason::Allowed { direction, policy } => {
                write!(formatter, "{direction} allowed by {policy}")
            }
            Reason::Denied { direction, policies } => {
                write!(formatter, "{direction} denied by {}", list(policies))
            }
            Reason::Delivers => formatter.write_str("delivers"),
            Reason::Answers { sees } => write!(formatter, "answers, sees source {sees}"),
            Reason::Echoes => formatter.write_str("answers the echo request"),
            Reason::Refuses => formatter.write_str("refuses, nobody listens"),
            Reason::Rejects { about } => write!(formatter, "tells the sender of {about}"),
            Reason::UntranslatesError { inside } => {
                let (before, after) = &**inside;
                write!(formatter, "conntrack untranslates, inside [{before}] => [{after}]")
            }
            Reason::IsRefused => formatter.write_str("is refused"),
            Reason::Vanishes => formatter.write_str("nobody there"),
            Reason::Untranslates => formatter.write_str("conntrack untranslates"),
            Reason::Returns => formatter.write_str("passes"),
            Reason::Receives => formatter.write_str("receives the answer"),
            Reason::Balancer(reason) => reason.fmt(formatter),
            Reason::Proxy(reason) => reason.fmt(formatter),
        }
    }
}

/// `80, 443`.
pub(super) fn ports(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn list(keys: &[ObjectKey]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Local => formatter.write_str("local"),
            Route::Pod => formatter.write_str("to own pod"),
            Route::Neighbour(node) => write!(formatter, "to node {node}"),
            Route::Node(node) => write!(formatter, "via node {node}"),
            Route::Tunnel(node) => write!(formatter, "by tunnel to node {node}"),
            Route::Default => formatter.write_str("default"),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Server::Pod { pod, container } if container.is_empty() => {
                write!(formatter, "pod {pod}")
            }
            Server::Pod { pod, container } => write!(formatter, "pod {pod} container {container}"),
            Server::Node(node) => write!(formatter, "node {node}"),
            Server::Internet => formatter.write_str("internet"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Answered { server, status: 0, sees, reply_from, .. } => {
                write!(formatter, "{server} answered; saw {sees}, reply from {reply_from}")
            }
            Outcome::Answered { server, status, sees, reply_from, because, .. } => {
                write!(formatter, "{server} answered {status}")?;
                if let Some(cause) = because {
                    write!(formatter, ", since {cause}")?;
                }
                write!(formatter, "; saw {sees}, reply from {reply_from}")
            }
            Outcome::Failed(failure) => write!(formatter, "{failure}"),
        }
    }
}

impl Manner {
    /// One word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Manner::NotResolved => "not resolved",
            Manner::Refused => "refused",
            Manner::Unreachable => "unreachable",
            Manner::Handshake => "TLS refused",
            Manner::Closed => "closed",
            Manner::TimedOut => "timed out",
            Manner::NotSent => "not sent",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.manner.word(), self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NoClient(source) => write!(formatter, "{source} is not running"),
            Cause::NoSuchName(name) => write!(formatter, "no such name {name}"),
            Cause::NoAddress(service) => write!(formatter, "{service} has no address"),
            Cause::UnknownService { service, server } => {
                write!(formatter, "name server {server} does not know Service {service}")
            }
            Cause::NoNameServer { server, why, .. } => {
                write!(formatter, "name server {server} cannot be reached: {why}")
            }
            Cause::NameServerFails { server, code } => {
                write!(formatter, "name server {server} says {}", code.name())
            }
            Cause::NodeDown(node) => write!(formatter, "node {node} is down"),
            Cause::NoEndpoints { service, why } => {
                write!(formatter, "{service} has no endpoints ({why})")
            }
            Cause::NoLocalEndpoints { service, node, .. } => {
                write!(formatter, "{service} has no endpoints on node {node}")
            }
            Cause::WrongPort { service, port, offered } => {
                write!(formatter, "{service} has no port {port}, only {}", ports(offered))
            }
            Cause::WrongProtocol { service, port, protocol, offered } => {
                let (asked, own) = (protocol.api_name(), offered.api_name());
                write!(formatter, "{service} has port {port} for {own}, not for {asked}")
            }
            Cause::NothingListens { pod, port } => {
                write!(formatter, "nothing listens on port {port} of pod {pod}")
            }
            Cause::NodePortOnLoopback { service, node, port } => {
                write!(
                    formatter,
                    "kube-proxy takes port {port} of {service} on node {node}, not on loopback"
                )
            }
            Cause::NotANodePort { node, port } => {
                write!(formatter, "port {port} of node {node} is no Service's node port")
            }
            Cause::Policy { direction, policies, .. } => {
                write!(formatter, "{direction} denied by NetworkPolicy {}", list(policies))
            }
            Cause::SourceRange { service } => {
                write!(formatter, "{service} has loadBalancerSourceRanges without this source")
            }
            Cause::PendingExternalIp(it) => write!(formatter, "EXTERNAL-IP of {it} is <pending>"),
            Cause::NoHealthyNode(service) => {
                write!(formatter, "the load balancer of {service} has no healthy node")
            }
            Cause::NoSuchAddress(ip) => write!(formatter, "nobody has address {ip}"),
            Cause::StrangeReply(from) => {
                write!(formatter, "the reply came from {from}, which was not asked")
            }
            Cause::RuleByHand { node, chain } => {
                write!(formatter, "a rule added by hand to chain {chain} of node {node}")
            }
            Cause::RefusalLost { refused, lost } => {
                write!(formatter, "{refused}; the refusal was lost: {lost}")
            }
            Cause::NoForwarding(node) => {
                write!(formatter, "node {node} does not forward packets: net.ipv4.ip_forward is 0")
            }
            Cause::NoEcho(service) => {
                write!(formatter, "{service} is no machine that answers a ping")
            }
            Cause::Loop => formatter.write_str("routing loop"),
            Cause::Balancer(cause) => cause.fmt(formatter),
            Cause::Proxy(cause) => cause.fmt(formatter),
        }
    }
}

impl fmt::Display for super::hop::WhyNoEndpoints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.selector.is_empty() {
            return formatter.write_str("no selector");
        }
        write!(formatter, "selector {}", self.selector.join(","))?;
        if self.not_ready.is_empty() {
            formatter.write_str(" selects no pod")?;
        } else {
            write!(formatter, " selects {}, none ready", self.not_ready.join(", "))?;
        }
        for NearMiss { pod, key, wanted, has } in &self.nearly {
            let has = has.as_deref().unwrap_or("no such label");
            write!(formatter, "; {pod} has {key}={has}, not {wanted}")?;
        }
        match &self.unknown_target_port {
            Some(name) => write!(formatter, "; targetPort {name} is no pod's port"),
            None => Ok(()),
        }
    }
}
