//! The way back of a refusal: of the message that a node sends whose rule rejects a packet, and of
//! the reset of a machine on which nobody listens.
//!
//! Simplified: whoever rejects an answer tells the server, and that way is not followed; a node
//! sends as many ICMP errors as it likes; a reset that a rule made passes no chain that translates.

use super::hop::{Cause, Failure, Manner, Place, Reason};
use super::path::{Arrival, Tracer};
use crate::net::conntrack::{Known, Tuple};
use crate::net::packet::{Packet, Protocol, State};
use crate::net::rule::Reject;
use std::net::IpAddr;
use std::sync::Arc;

/// A packet that a node has refused.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    /// The node.
    pub(super) node: Arc<str>,
    /// What it tells the sender.
    pub(super) with: Reject,
    /// The packet as it came to the node.
    pub(super) before: Packet,
    /// The packet as the rule saw it.
    pub(super) after: Packet,
    /// The node's address that it writes from, unless it writes in the name of who was asked.
    pub(super) from: IpAddr,
}

impl Refused {
    /// The message to the sender; nothing if there is none for such a packet.
    ///
    /// Models net/ipv4/netfilter/nf_reject_ipv4.c nf_send_unreach and nf_send_reset.
    fn message(&self) -> Option<Packet> {
        match (self.with, self.after.protocol) {
            (Reject::TcpReset, Protocol::Tcp) => {
                Some(self.after.refused(self.with, self.after.destination.ip))
            }
            (Reject::TcpReset, _) => None,
            _ => Some(self.after.refused(self.with, self.from)),
        }
    }
}

impl Tracer<'_> {
    /// A node has refused a packet: carries its message back to who asked.
    pub(super) fn sends_back(&mut self, refused: &Refused, failure: Failure) -> Failure {
        let Some(packet) = refused.message() else {
            return Failure { manner: Manner::TimedOut, ..failure };
        };
        let about = Tuple::of(&refused.after);
        if refused.after.state != State::Untracked {
            self.attached = Some(Known::of_refusal(&refused.before, &refused.after));
        }
        self.about = Some(about);
        self.is_replying = true;
        let place = Place::Node(refused.node.clone());
        self.hop(place, Reason::Rejects { about }, Some((packet, packet)));
        let sent = self.send(&refused.node, packet, super::path::Entrance::Process);
        let mut way = sent.map(|arrival| arrival.packet);
        if let Ok(packet) = &mut way {
            self.through_balancer(packet);
        }
        self.comes_back(way, failure)
    }

    /// Who took a packet refuses it, for nobody listens there: carries the refusal back.
    ///
    /// Models net/ipv4/tcp_ipv4.c tcp_v4_send_reset and net/ipv4/udp.c __udp4_lib_rcv.
    pub(super) fn refuses<T>(
        &mut self,
        place: Place,
        arrival: &Arrival,
        cause: Cause,
    ) -> Result<T, Failure> {
        let asked = arrival.packet;
        self.hop(place, Reason::Refuses, Some((asked, asked)));
        let at = u32::try_from(self.hops.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let failure = Failure { cause, manner: Manner::Refused, at };
        let with = match asked.protocol {
            Protocol::Udp => Reject::PortUnreachable,
            _ => Reject::TcpReset,
        };
        self.about = Some(Tuple::of(&asked));
        let packet = asked.refused(with, asked.destination.ip);
        let way = self.carry_back(packet, arrival);
        Err(self.comes_back(way, failure))
    }

    /// Whoever asked learns of the refusal, if it came back as the answer of who was asked.
    fn comes_back(&mut self, way: Result<Packet, Failure>, failure: Failure) -> Failure {
        self.is_replying = true;
        let lost = match way {
            Ok(packet) if self.is_of_who_was_asked(&packet) => {
                if let Some((place, _)) = self.asked() {
                    self.hop(place, Reason::IsRefused, Some((packet, packet)));
                }
                self.is_replying = false;
                return failure;
            }
            Ok(packet) => self.fail(Cause::StrangeReply(packet.source), Manner::TimedOut),
            Err(lost) => Err::<(), _>(lost),
        };
        self.is_replying = false;
        let Err(lost) = lost else { return failure };
        let (refused, lost_by) = (Box::new(failure.cause), Box::new(lost.cause));
        let cause = Cause::RefusalLost { refused, lost: lost_by };
        Failure { cause, manner: Manner::TimedOut, at: lost.at }
    }

    /// Who asked in the current connection, and what it sent.
    fn asked(&self) -> Option<(Place, Packet)> {
        self.hops.iter().rev().find_map(|hop| match (&hop.reason, &hop.packet) {
            (Reason::Sends, Some((packet, _))) => Some((hop.place.clone(), *packet)),
            _ => None,
        })
    }

    /// Whether a refusal is of the connection that it comes to, as far as who asked can tell.
    fn is_of_who_was_asked(&self, refusal: &Packet) -> bool {
        let Some((_, sent)) = self.asked() else { return false };
        match self.about.filter(|_| refusal.is_error()) {
            Some(about) => about == Tuple::of(&sent),
            None => Tuple::of(refusal).inverse() == Tuple::of(&sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Fixture;
    use super::*;
    use crate::net::link::PodNetwork;
    use crate::net::{Family, iptables::restore};
    use crate::proxy::Mode;
    use crate::trace::{Outcome, PacketTrace};
    use serde_json::json;

    /// Who asks is on node-1, who is asked on node-2; a Service without endpoints, and some that
    /// lead to a port on which nobody listens.
    fn shop(mode: Mode) -> Fixture {
        let mut it = Fixture::new(mode);
        it.pod("demo/web", 2, 20, json!({"app": "web"}));
        it.pod("demo/client", 1, 50, json!({}));
        let port = |protocol: &str, target: u16, node_port: u16| {
            let mut port = json!({"port": 80, "protocol": protocol, "targetPort": target});
            if node_port != 0 {
                port["nodePort"] = node_port.into();
            }
            json!([port])
        };
        let mut add = |name: &str, ip: u8, ports, endpoints: &[(u8, u8)]| {
            let kind = if name == "idle" { "NodePort" } else { "ClusterIP" };
            let ip = format!("10.96.10.{ip}");
            let spec = json!({"type": kind, "clusterIP": ip, "ports": ports});
            it.service(&format!("demo/{name}"), spec, endpoints);
        };
        add("web", 1, port("TCP", 80, 0), &[(2, 20)]);
        add("idle", 8, port("TCP", 80, 30_080), &[]);
        add("shut", 9, port("TCP", 8080, 0), &[(2, 20)]);
        add("shut-udp", 10, port("UDP", 8080, 0), &[(2, 20)]);
        it
    }

    fn by_hand(it: &mut Fixture, rules: &[(&str, &str)]) {
        for (node, rule) in rules {
            it.refresh();
            let text = format!("*filter\n-I {rule}\nCOMMIT\n");
            let old = it.network.ruleset(node);
            let Ok(new) = restore::restore(&old, &text, Family::V4, true) else { panic!("{rule}") };
            it.network.set_ruleset(node, new);
        }
    }

    /// How it ended, and what came back from whom.
    fn end(trace: &PacketTrace) -> String {
        let Outcome::Failed(failure) = &trace.outcome else { return trace.outcome.to_string() };
        let last = trace.hops.last().filter(|hop| matches!(hop.reason, Reason::IsRefused));
        let heard = last.and_then(|hop| hop.packet).map(|(packet, _)| {
            let [from, _] = packet.ends();
            format!(", {} from {from}", packet.refusal_name().unwrap_or_default())
        });
        format!("{}{}", failure.manner.word(), heard.unwrap_or_default())
    }

    /// What is asked, rules by hand, who asks, for what, and how it ends in the three modes.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, Protocol, &'a str, [String; 3]);

    fn check(cases: &[Case<'_>]) {
        for (title, rules, from, protocol, to, expected) in cases {
            for (mode, expected) in Mode::ALL.into_iter().zip(expected) {
                let mut it = shop(mode);
                by_hand(&mut it, rules);
                let trace = it.connect(from, to, *protocol);
                assert_eq!(end(&trace), *expected, "{mode:?}: {title}\n{}", trace.to_text());
            }
        }
    }

    fn same(text: &str) -> [String; 3] {
        [text.to_owned(), text.to_owned(), text.to_owned()]
    }

    /// All of these were seen with tcpdump behind Linux 6.18.
    #[test]
    fn a_rule_that_refuses_writes_from_where_the_kernel_sends_it_from() {
        use Protocol::{Icmp, Tcp};
        let reset = "-p tcp -j REJECT --reject-with tcp-reset";
        let reset = [format!("INPUT {reset}"), format!("FORWARD {reset}")];
        let reset: Vec<_> = reset.iter().map(|rule| ("node-1", rule.as_str())).collect();
        let plain = [("node-1", "INPUT -p tcp -j REJECT"), ("node-1", "FORWARD -p tcp -j REJECT")];
        let host = [("node-1", "FORWARD -p icmp -j REJECT --reject-with icmp-host-prohibited")];
        let (idle, port, pod) = ("10.96.10.8:80", "172.18.0.5:30080", "demo/client");
        // Under IPVS the node has the Service's address itself.
        let told = |own: &str| {
            let own = format!("refused, icmp-port-unreachable from {own}");
            [own.clone(), own, "refused, icmp-port-unreachable from 10.96.10.8".to_owned()]
        };
        let by_asked = same("refused, icmp-port-unreachable from 172.18.0.5");
        let by_service = same("refused, icmp-port-unreachable from 10.96.10.1");
        let by_node = same("refused, icmp-port-unreachable from 172.18.0.3");
        let by_reset = same("refused, RST from 10.96.10.1:80");
        let prohibited = same("unreachable, icmp-host-prohibited from 172.18.0.3");
        check(&[
            ("no endpoints, a pod", &[], pod, Tcp, idle, told("172.18.0.3")),
            ("no endpoints, a node", &[], "node-1", Tcp, idle, told("172.18.0.3")),
            ("no endpoints, a node port", &[], "203.0.113.7", Tcp, port, by_asked.clone()),
            ("no endpoints, another's node port", &[], pod, Tcp, port, by_asked),
            ("a reset after the translation", &reset, pod, Tcp, "10.96.10.1:80", by_reset),
            ("by hand after the translation", &plain, pod, Tcp, "10.96.10.1:80", by_service),
            ("by hand without a translation", &plain, pod, Tcp, "10.244.2.20:80", by_node),
            ("a ping", &host, pod, Icmp, "10.244.2.20:0", prohibited),
        ]);
    }

    #[test]
    fn a_port_on_which_nobody_listens_answers_from_the_address_that_was_asked() {
        use Protocol::{Tcp, Udp};
        let (service, pod) = ("10.96.10.9:80", "10.244.2.20:8080");
        let error = same("refused, icmp-port-unreachable from 10.96.10.10");
        let (client, node) = ("demo/client", "172.18.0.4:9999");
        let by = |from: &str| same(&format!("refused, RST from {from}"));
        check(&[
            ("behind a Service", &[], client, Tcp, service, by(service)),
            ("behind a Service, UDP", &[], client, Udp, "10.96.10.10:80", error),
            ("in a pod", &[], "node-1", Tcp, pod, by(pod)),
            ("on a node", &[], "203.0.113.7", Tcp, node, by(node)),
        ]);
    }

    #[test]
    fn behind_a_bridge_a_node_writes_from_the_bridge() {
        for (mode, from) in [(Mode::Iptables, "10.244.1.1"), (Mode::Nftables, "10.244.1.1")] {
            let mut it = shop(mode);
            it.network.set_pod_network(PodNetwork::Vxlan);
            let trace = it.connect("demo/client", "10.96.10.8:80", Protocol::Tcp);
            assert_eq!(end(&trace), format!("refused, icmp-port-unreachable from {from}"));
            // Nobody listens on another node: the reset comes back through the tunnel.
            let trace = it.connect("demo/client", "10.96.10.9:80", Protocol::Tcp);
            assert_eq!(end(&trace), "refused, RST from 10.96.10.9:80", "{}", trace.to_text());
            let packed =
                |hop: &&super::super::Hop| matches!(hop.reason, Reason::Encapsulates { .. });
            assert_eq!(trace.hops.iter().filter(packed).count(), 2, "{}", trace.to_text());
        }
    }

    #[test]
    fn who_does_not_hear_of_a_refusal_waits_in_vain() {
        use Protocol::{Tcp, Udp};
        let no_icmp = [("node-1", "OUTPUT -p icmp -j DROP")];
        let no_related = [("node-1", "OUTPUT -m conntrack --ctstate RELATED -j DROP")];
        let no_invalid = [("node-1", "OUTPUT -m conntrack --ctstate INVALID -j DROP")];
        let no_reset = [("node-1", "FORWARD -p tcp --tcp-flags RST RST -j DROP")];
        let no_errors = [("node-2", "FORWARD -p icmp --icmp-type port-unreachable -j DROP")];
        let rejected = [("node-1", "FORWARD -s 10.244.2.20 -p tcp -j REJECT")];
        let cases: [(&[(&str, &str)], _, _, _); 7] = [
            (&no_icmp, Tcp, "10.96.10.8:80", true),
            (&no_related, Tcp, "10.96.10.8:80", true),
            (&no_invalid, Tcp, "10.96.10.8:80", false),
            (&no_reset, Tcp, "10.96.10.9:80", true),
            (&no_errors, Udp, "10.96.10.10:80", true),
            (&no_errors, Tcp, "10.96.10.9:80", false),
            // The server is told, and not the client.
            (&rejected, Tcp, "10.96.10.1:80", true),
        ];
        for mode in Mode::ALL {
            for (rules, protocol, to, is_lost) in cases {
                let mut it = shop(mode);
                by_hand(&mut it, rules);
                let trace = it.connect("demo/client", to, protocol);
                let expected = if is_lost { "timed out" } else { "refused, " };
                assert!(
                    end(&trace).starts_with(expected),
                    "{mode:?}: {rules:?} {}",
                    trace.to_text()
                );
            }
            let mut it = shop(mode);
            by_hand(&mut it, &no_reset);
            let trace = it.connect("demo/client", "10.96.10.9:80", Tcp);
            let Outcome::Failed(failure) = &trace.outcome else { panic!("{}", trace.to_text()) };
            let Cause::RefusalLost { refused, lost } = &failure.cause else { panic!("{failure}") };
            assert!(matches!(**refused, Cause::NothingListens { .. }), "{failure}");
            assert!(matches!(**lost, Cause::RuleByHand { .. }), "{failure}");
        }
    }

    #[test]
    fn a_reset_ends_what_nodes_know_of_a_connection_and_an_icmp_error_does_not() {
        let mut it = shop(Mode::Iptables);
        let known = |it: &Fixture, node: &str| {
            let kernel = it.network.kernel_of(node).unwrap();
            kernel.memory().conntrack.list(it.now).count()
        };
        it.connect("demo/client", "10.96.10.9:80", Protocol::Tcp);
        assert_eq!((known(&it, "node-1"), known(&it, "node-2")), (0, 0));
        it.connect("demo/client", "10.96.10.10:80", Protocol::Udp);
        assert_eq!((known(&it, "node-1"), known(&it, "node-2")), (1, 1));
        // What was refused on its way was never noted.
        it.connect("demo/client", "10.96.10.8:80", Protocol::Tcp);
        assert_eq!((known(&it, "node-1"), known(&it, "node-2")), (1, 1));
    }

    #[test]
    fn the_packet_inside_of_an_error_is_turned_back_as_the_error_is() {
        let mut it = shop(Mode::Iptables);
        let trace = it.connect("demo/client", "10.96.10.10:80", Protocol::Udp);
        let inside = trace.hops.iter().find_map(|hop| match &hop.reason {
            Reason::UntranslatesError { inside } => Some(inside.clone()),
            _ => None,
        });
        let (before, after) = *inside.unwrap();
        assert_eq!(before.destination.to_string(), "10.244.2.20:8080");
        assert_eq!(after.destination.to_string(), "10.96.10.10:80");
        assert_eq!(before.source, after.source);
        let text = trace.to_text();
        assert!(text.contains("[icmp 10.244.2.20 -> 10.244.1.50 icmp-port-unreachable] => [icmp 10.96.10.10 -> 10.244.1.50 icmp-port-unreachable]"), "{text}");
    }
}
