//! The one sentence to each hop, and the cause of each failure.

use super::rule_sentence;
use super::sentence_of_proxy as proxy;
use crate::kubelet::dns::CLUSTER_DNS;
use crate::net::Protocol;
use crate::net::rule::Reject;
use crate::store::ObjectKey;
use crate::text::{Lang, Text};
use crate::trace::dns::{RecordType, Response};
use crate::trace::hop::{Direction, Reason, Route};
use crate::trace::{Cause, Hop, Manner, Outcome, PacketTrace};
use core::fmt::Display;

/// A hop that is told in a language.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The hop.
    pub hop: &'a Hop,
    /// Whether it comes right after one in a Pod.
    pub is_from_pod: bool,
    /// Whether it leads to a chain in which nothing matched.
    pub is_idle: bool,
    /// The language.
    pub lang: Lang,
}

impl Told<'_> {
    /// Why the packet went on as it did.
    pub fn sentence(&self) -> String {
        match &self.hop.reason {
            Reason::Sends => self.say(Text::HopSends, &[]),
            Reason::Resolves { name, asked } => self.resolves(name, asked),
            Reason::Enters if self.is_from_pod => self.say(Text::HopEntersFromPod, &[]),
            Reason::Enters => self.say(Text::HopEnters, &[]),
            Reason::Rule { .. } => rule_sentence::rule(self.hop, self.is_idle, self.lang),
            Reason::Schedules { server, among } => {
                self.say(Text::HopSchedules, &[("server", server), ("count", among)])
            }
            Reason::Routes(route) => self.route(route),
            Reason::Tracks => self.say(Text::HopTracks, &[]),
            Reason::Remembers => self.say(Text::HopRemembers, &[]),
            Reason::Encapsulates { overhead, mtu, .. } => {
                self.say(Text::HopEncapsulates, &[("overhead", overhead), ("mtu", mtu)])
            }
            Reason::Decapsulates => self.say(Text::HopDecapsulates, &[]),
            Reason::LeavesCluster => self.say(Text::HopLeaves, &[]),
            Reason::Allowed { policy, .. } => {
                self.say(Text::HopAllowed, &[("policy", &policy.name)])
            }
            Reason::Denied { policies, .. } => {
                let text = match policies.len() {
                    1 => Text::HopDenied,
                    _ => Text::HopDeniedMany,
                };
                self.say(text, &[("policies", &names(policies))])
            }
            Reason::Echoes => self.say(Text::HopEchoes, &[]),
            Reason::Refuses => self.refuses(),
            Reason::Rejects { about } => self.rejects(&about.to_string()),
            Reason::UntranslatesError { inside } => {
                let (before, after) = &**inside;
                self.say(Text::HopUntranslatesError, &[("before", before), ("after", after)])
            }
            Reason::IsRefused => self.is_refused(),
            Reason::Vanishes => self.say(Text::HopVanishes, &[]),
            Reason::Delivers => self.say(Text::HopDelivers, &[]),
            Reason::Answers { sees } => self.say(Text::HopAnswers, &[("ip", sees)]),
            Reason::Untranslates => self.untranslates(),
            Reason::Returns => self.say(Text::HopReturns, &[]),
            Reason::Receives => self.say(Text::HopReceives, &[]),
            Reason::Balancer(reason) => proxy::balancer(reason, self.lang),
            Reason::Proxy(reason) => proxy::proxy(reason, self.lang),
        }
    }

    fn say(&self, text: Text, values: &[(&str, &dyn Display)]) -> String {
        self.lang.fill(text, values)
    }

    /// What was changed in the request is undone in the answer.
    fn untranslates(&self) -> String {
        match self.hop.packet {
            Some((before, after)) if before.source == after.source => {
                self.say(Text::HopUnmasquerades, &[("to", &after.destination.ip)])
            }
            _ => self.say(Text::HopUntranslates, &[]),
        }
    }

    /// Nobody listens.
    fn refuses(&self) -> String {
        let packet = self.hop.packet.map(|(_, packet)| packet);
        let with = match packet.map(|packet| packet.protocol) {
            Some(Protocol::Udp) => Reject::PortUnreachable.name(),
            Some(Protocol::Sctp) => "ABORT",
            _ => "RST",
        };
        let port = packet.map_or(0, |packet| packet.destination.port);
        self.say(Text::HopRefuses, &[("port", &port), ("with", &with)])
    }

    /// A node tells who asked that it has refused a packet.
    fn rejects(&self, about: &str) -> String {
        let Some((_, packet)) = self.hop.packet else { return String::new() };
        let (from, by) = (packet.source.ip, packet.refusal.unwrap_or_default());
        match packet.is_error() {
            true => {
                let values: [(&str, &dyn Display); 3] =
                    [("with", &by.name()), ("from", &from), ("about", &about)];
                self.say(Text::HopRejects, &values)
            }
            false => self.say(Text::HopResets, &[("from", &packet.source)]),
        }
    }

    /// Who asked hears of a refusal.
    fn is_refused(&self) -> String {
        let Some((_, packet)) = self.hop.packet else { return String::new() };
        let by = packet.refusal.unwrap_or_default();
        let word = packet.refusal_name().unwrap_or_default();
        self.say(Text::HopIsRefused, &[("with", &word), ("error", &by.error_text())])
    }

    fn resolves(&self, name: &str, asked: &[(RecordType, Response)]) -> String {
        if asked.is_empty() {
            return self.say(Text::HopNoAnswer, &[("name", &name)]);
        }
        let records = asked.iter().map(|(record, _)| record.name()).collect::<Vec<_>>();
        let mut answers: Vec<String> =
            asked.iter().map(|(_, response)| response.to_string()).collect();
        answers.dedup();
        let (records, answer) = (records.join(", "), answers.join(" / "));
        let values: [(&str, &dyn Display); 3] =
            [("name", &name), ("records", &records), ("answer", &answer)];
        self.say(Text::HopResolves, &values)
    }

    fn route(&self, route: &Route) -> String {
        match route {
            Route::Local => self.say(Text::HopRouteLocal, &[]),
            Route::Pod => self.say(Text::HopRoutePod, &[]),
            Route::Neighbour(node) => self.say(Text::HopRouteNeighbour, &[("node", node)]),
            Route::Node(node) => self.say(Text::HopRouteNode, &[("node", node)]),
            Route::Tunnel(node) => self.say(Text::HopRouteTunnel, &[("node", node)]),
            Route::Default => self.say(Text::HopRouteDefault, &[]),
        }
    }
}

fn names(keys: &[ObjectKey]) -> String {
    keys.iter().map(|key| &*key.name).collect::<Vec<_>>().join(", ")
}

/// How a failure shows to who asked.
pub const fn manner(manner: Manner) -> Text {
    match manner {
        Manner::NotResolved => Text::NotResolved,
        Manner::Refused => Text::Refused,
        Manner::Unreachable => Text::Unreachable,
        Manner::Handshake => Text::HandshakeFailed,
        Manner::Closed => Text::ClosedEmpty,
        Manner::TimedOut => Text::TimedOut,
        Manner::NotSent => Text::NotSent,
    }
}

/// Why a request was lost.
pub fn sentence_of_loss(trace: &PacketTrace, lang: Lang) -> String {
    match &trace.outcome {
        Outcome::Failed(failure) => cause(&failure.cause, lang),
        Outcome::Answered { .. } => String::new(),
    }
}

/// Why nobody answered, and what to look at.
pub fn cause(cause: &Cause, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match cause {
        Cause::NoClient(source) => say(Text::CauseNoClient, &[("source", source)]),
        Cause::NoSuchName(name) => say(Text::CauseNoSuchName, &[("name", name)]),
        Cause::NoAddress(service) => say(Text::CauseNoAddress, &[("service", &service.name)]),
        Cause::UnknownService { service, server } => {
            let is_own = *server == CLUSTER_DNS;
            let text = if is_own { Text::CauseNoZone } else { Text::CauseOtherDns };
            say(text, &[("service", &service.name), ("server", server)])
        }
        Cause::NoNameServer { server, manner, why } => no_name_server(server, *manner, why, lang),
        Cause::NameServerFails { server, code } => {
            say(Text::CauseDnsFails, &[("server", server), ("code", &code.name())])
        }
        Cause::NodeDown(node) => say(Text::CauseNodeDown, &[("node", node)]),
        Cause::NoEndpoints { service, why } => no_endpoints(&service.name, why, lang),
        Cause::NoLocalEndpoints { service, node, is_internal } => {
            let policy = if *is_internal { "internal" } else { "external" };
            let values: [(&str, &dyn Display); 3] =
                [("policy", &policy), ("service", &service.name), ("node", node)];
            say(Text::CauseNoLocalEndpoints, &values)
        }
        Cause::NodePortOnLoopback { service, node, port } => {
            let values: [(&str, &dyn Display); 3] =
                [("service", &service.name), ("node", node), ("port", port)];
            say(Text::CauseOnLoopback, &values)
        }
        Cause::WrongPort { service, port, offered } => {
            let offered = offered.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            let values: [(&str, &dyn Display); 3] =
                [("service", &service.name), ("port", port), ("offered", &offered)];
            say(Text::CauseWrongPort, &values)
        }
        Cause::WrongProtocol { service, port, protocol, offered } => {
            let (asked, own) = (protocol.api_name(), offered.api_name());
            let values: [(&str, &dyn Display); 4] =
                [("service", &service.name), ("port", port), ("asked", &asked), ("offered", &own)];
            say(Text::CauseWrongProtocol, &values)
        }
        Cause::NothingListens { pod, port } => {
            say(Text::CauseNothingListens, &[("pod", &pod.name), ("port", port)])
        }
        Cause::NotANodePort { node, port } => {
            say(Text::CauseNotANodePort, &[("node", node), ("port", port)])
        }
        Cause::Policy { direction, pod, policies } => denied(*direction, &pod.name, policies, lang),
        Cause::SourceRange { service } => {
            say(Text::CauseSourceRange, &[("service", &service.name)])
        }
        Cause::PendingExternalIp(service) => {
            say(Text::CausePendingIp, &[("service", &service.name)])
        }
        Cause::NoHealthyNode(service) => {
            say(Text::CauseNoHealthyNode, &[("service", &service.name)])
        }
        Cause::NoSuchAddress(ip) => say(Text::CauseNoSuchAddress, &[("ip", ip)]),
        Cause::StrangeReply(from) => say(Text::CauseStrangeReply, &[("from", from)]),
        Cause::RuleByHand { node, chain } => {
            say(Text::CauseRuleByHand, &[("node", node), ("chain", chain)])
        }
        Cause::RefusalLost { refused, lost } => {
            let (refused, lost) = (self::cause(refused, lang), self::cause(lost, lang));
            say(Text::CauseRefusalLost, &[("refused", &refused), ("lost", &lost)])
        }
        Cause::NoForwarding(node) => say(Text::CauseNoForwarding, &[("node", node)]),
        Cause::NoEcho(service) => say(Text::CauseNoEcho, &[("service", &service.name)]),
        Cause::Loop => say(Text::CauseLoop, &[]),
        Cause::Balancer(cause) => proxy::balancer_cause(cause, lang),
        Cause::Proxy(cause) => proxy::proxy_cause(cause, lang),
    }
}

/// Policies let nothing through.
fn denied(direction: Direction, pod: &str, policies: &[ObjectKey], lang: Lang) -> String {
    let text = match (direction, policies.len()) {
        (Direction::Ingress, 1) => Text::CausePolicyIn,
        (Direction::Ingress, _) => Text::CausePolicyInMany,
        (Direction::Egress, 1) => Text::CausePolicyOut,
        (Direction::Egress, _) => Text::CausePolicyOutMany,
    };
    lang.fill(text, &[("pod", &pod), ("policies", &names(policies))])
}

/// Why a name server said nothing.
fn no_name_server(server: &dyn Display, manner: Manner, why: &Cause, lang: Lang) -> String {
    let text = match manner {
        Manner::TimedOut => Text::CauseDnsSilent,
        _ => Text::CauseDnsRefused,
    };
    lang.fill(text, &[("server", server), ("why", &cause(why, lang))])
}

fn no_endpoints(service: &str, why: &crate::trace::hop::WhyNoEndpoints, lang: Lang) -> String {
    let selector = why.selector.join(",");
    if let Some(near) = why.nearly.first() {
        let label = format!("{}={}", near.key, near.wanted);
        let has = near.has.as_ref().map(|has| format!("{}={has}", near.key));
        let (text, has) = match has {
            Some(has) => (Text::CauseNearly, has),
            None => (Text::CauseNearlyLacks, near.key.to_string()),
        };
        let values: [(&str, &dyn Display); 4] =
            [("service", &service), ("label", &label), ("pod", &near.pod), ("has", &has)];
        return lang.fill(text, &values);
    }
    if let Some(port) = &why.unknown_target_port {
        return lang.fill(Text::CauseTargetPort, &[("service", &service), ("port", port)]);
    }
    if !why.not_ready.is_empty() {
        let values: [(&str, &dyn Display); 2] =
            [("service", &service), ("count", &why.not_ready.len())];
        let text = match why.not_ready.len() {
            1 => Text::CauseNotReady,
            _ => Text::CauseNotReadyMany,
        };
        return lang.fill(text, &values);
    }
    lang.fill(Text::CauseNoEndpoints, &[("service", &service), ("selector", &selector)])
}
