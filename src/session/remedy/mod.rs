//! The command that mends what stopped a request, where one is obvious: what a teacher would type.
//!
//! Where nothing is broken and the question was wrong, it is the right question.
//!
//! Reading order: this file, `service`, `policy`, `names`, `front`.

mod front;
mod names;
mod policy;
mod service;
#[cfg(test)]
mod tests;

use super::compare::asked_service;
use crate::api::{Kind, Object};
use crate::net::{Packet, Protocol};
use crate::store::{ObjectKey, Store};
use crate::trace::{Cause, Cluster, Hop, Outcome, PacketTrace, Place, Reason, Request, Source};
use crate::world::World;
use std::sync::Arc;

/// The command, if the request failed, or was answered no better than with an error, and one is
/// obvious.
pub(super) fn remedy(world: &World, trace: &PacketTrace) -> Option<String> {
    let cause = match &trace.outcome {
        Outcome::Failed(failure) => &failure.cause,
        Outcome::Answered { because, .. } => because.as_deref()?,
    };
    Mender { cluster: world.cluster(), store: world.store(), trace }.line(cause)
}

/// Whether a command asks another question, so that the old one is not to be asked again.
pub(super) fn asks(line: &str) -> bool {
    line.starts_with("trace ") || line.starts_with("curl ")
}

/// Looks for the command.
struct Mender<'a> {
    cluster: Cluster<'a>,
    store: &'a Store,
    trace: &'a PacketTrace,
}

impl Mender<'_> {
    fn line(&self, cause: &Cause) -> Option<String> {
        match cause {
            Cause::NoNameServer { why, .. } => self.line(why),
            Cause::RefusalLost { refused, lost } => self.line(refused).or_else(|| self.line(lost)),
            Cause::NodeDown(node) => Some(start(node)),
            Cause::NoClient(source) => self.without_client(source),
            Cause::NoForwarding(node) => {
                Some(format!("node run {node} -- sysctl -w net.ipv4.ip_forward=1"))
            }
            Cause::RuleByHand { .. } => self.by_hand(),
            Cause::WrongPort { offered, .. } => self.offered(offered),
            Cause::Policy { direction, policies, .. } => self.allow(*direction, policies.first()?),
            Cause::NoSuchName(name) => self.other_name(name),
            Cause::NoEndpoints { .. }
            | Cause::NoAddress(_)
            | Cause::NoLocalEndpoints { .. }
            | Cause::NothingListens { .. }
            | Cause::NodePortOnLoopback { .. }
            | Cause::NotANodePort { .. }
            | Cause::SourceRange { .. }
            | Cause::NoHealthyNode(_)
            | Cause::NoEcho(_) => self.of_service(cause),
            Cause::PendingExternalIp(service) => self.by_node_port(service),
            Cause::Balancer(cause) => self.of_balancer(cause),
            Cause::Proxy(cause) => self.of_proxy(cause),
            Cause::NameServerFails { .. } => self.corefile(),
            Cause::UnknownService { service, .. } => {
                self.corefile().or_else(|| self.by_cluster_ip(service))
            }
            Cause::StrangeReply(_) => {
                let service = asked_service(self.store, self.trace)?;
                self.everywhere(&ObjectKey::of(&service))
            }
            Cause::WrongProtocol { .. } | Cause::NoSuchAddress(_) | Cause::Loop => None,
        }
    }

    /// The same question to the only port that there is.
    fn offered(&self, ports: &[u16]) -> Option<String> {
        let [port] = ports else { return None };
        self.again(|request| request.port = *port)
    }

    fn without_client(&self, source: &Source) -> Option<String> {
        match source {
            Source::Node(node) => self.cluster.nodes.get(node).map(|_| start(node)),
            Source::Pod { namespace, name } => {
                self.start_node_of(self.store.find(Kind::Pod, namespace, name)?)
            }
            Source::Internet { .. } => None,
        }
    }

    /// Starts the node of a pod, if that is down.
    fn start_node_of(&self, pod: &Object) -> Option<String> {
        let node = pod.pod()?.node_name.as_ref()?;
        self.cluster.nodes.get(node).filter(|machine| !machine.up).map(|_| start(node))
    }

    fn stopped_node(&self) -> Option<String> {
        let mut nodes = self.cluster.nodes.iter();
        nodes.find(|(_, machine)| !machine.up).map(|(node, _)| start(node))
    }

    /// `-A INPUT …` becomes `iptables -D INPUT …` on its node, and a policy ACCEPT.
    fn by_hand(&self) -> Option<String> {
        let decides = |hop: &&Hop| matches!(hop.place, Place::Rule(..));
        let lost = || self.trace.hops.iter().rev();
        // A refusal that comes back has met other rules since.
        let refused = lost().skip_while(|hop| hop.is_reply).find(decides);
        let is_back = self.trace.hops.last().is_some_and(|hop| hop.reason == Reason::IsRefused);
        let hop = if is_back { refused } else { lost().find(decides) }?;
        let Place::Rule(node, rule) = &hop.place else { return None };
        let text = rule.text();
        let change = match text.strip_prefix("-A ") {
            Some(rest) => format!("-D {rest}"),
            None => format!("-P {} ACCEPT", rule.chain),
        };
        let program = match rule.family {
            crate::net::Family::V4 => "iptables",
            crate::net::Family::V6 => "ip6tables",
        };
        Some(format!("node run {node} -- {program} -t {} {change}", rule.table))
    }

    /// A pod asked for a Service of another namespace by its name alone.
    fn other_name(&self, name: &str) -> Option<String> {
        let label = name.split('.').next()?;
        let is_it = |service: &&Arc<Object>| *service.meta.name == *label;
        let mut found = self.store.list(Kind::Service).filter(is_it);
        let (service, None) = (found.next()?, found.next()) else { return None };
        if matches!(self.trace.request.from, Source::Internet { .. } | Source::Node(_)) {
            return None;
        }
        let name = format!("{label}.{}", service.meta.namespace);
        self.again(|request| request.host = Arc::from(name.as_str()))
    }

    /// The question as it should be.
    fn again(&self, change: impl FnOnce(&mut Request)) -> Option<String> {
        let mut request = self.trace.request.clone();
        if request.protocol == Protocol::Udp {
            return None;
        }
        change(&mut request);
        request.protocol = Protocol::Tcp;
        let host = request.host_header.as_ref();
        let header = host.map(|host| format!("-H 'Host: {host}' ")).unwrap_or_default();
        let url = super::aim::address(&request);
        Some(match &request.from {
            Source::Internet { .. } => format!("curl {header}{url}"),
            Source::Node(name) => format!("trace --from node/{name} curl {header}{url}"),
            Source::Pod { namespace, name } => {
                format!("trace --from pod/{namespace}/{name} curl {header}{url}")
            }
        })
    }

    /// The packet at the last hop that has this to say.
    fn packet_at(&self, is_it: impl Fn(&Hop) -> bool) -> Option<Packet> {
        let hop = self.trace.hops.iter().rev().find(|hop| is_it(hop))?;
        hop.packet.map(|(packet, _)| packet)
    }
}

fn start(node: &str) -> String {
    format!("node start {node}")
}

/// `web -n shop`, or `web` in the default namespace.
fn named(key: &ObjectKey) -> String {
    match &*key.namespace {
        "default" => key.name.to_string(),
        namespace => format!("{} -n {namespace}", key.name),
    }
}

fn patch(kind: &str, key: &ObjectKey, patch: &serde_json::Value) -> Option<String> {
    let how = if patch.is_array() { " --type=json" } else { "" };
    Some(format!("kubectl patch {kind} {}{how} -p '{patch}'", named(key)))
}
