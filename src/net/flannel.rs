//! The rules that Flannel writes beside kube-proxy's.

use super::iptables::command::{Command, parse};
use super::{Family, Ruleset};
use ipnet::IpNet;

/// The rules as Flannel gives them to iptables, for the cluster's pod network `C` and the node's own
/// part of it, `N`.
///
/// Models flannel's pkg/trafficmngr/iptables/iptables.go masqRules and forwardRules.
const RULES: [&str; 12] = [
    "-t nat -N FLANNEL-POSTRTG",
    "-t nat -A POSTROUTING -m comment --comment \"flanneld masq\" -j FLANNEL-POSTRTG",
    "-t nat -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment \"flanneld masq\" -j RETURN",
    "-t nat -A FLANNEL-POSTRTG -s N -d C -m comment --comment \"flanneld masq\" -j RETURN",
    "-t nat -A FLANNEL-POSTRTG -s C -d N -m comment --comment \"flanneld masq\" -j RETURN",
    "-t nat -A FLANNEL-POSTRTG ! -s C -d N -m comment --comment \"flanneld masq\" -j RETURN",
    "-t nat -A FLANNEL-POSTRTG -s C ! -d 224.0.0.0/4 -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully",
    "-t nat -A FLANNEL-POSTRTG ! -s C -d C -m comment --comment \"flanneld masq\" -j MASQUERADE --random-fully",
    "-N FLANNEL-FWD",
    "-A FORWARD -m comment --comment \"flanneld forward\" -j FLANNEL-FWD",
    "-A FLANNEL-FWD -s C -m comment --comment \"flanneld forward\" -j ACCEPT",
    "-A FLANNEL-FWD -d C -m comment --comment \"flanneld forward\" -j ACCEPT",
];

/// Whether a chain is one that Flannel writes.
pub fn is_of_flannel(chain: &str) -> bool {
    chain.starts_with("FLANNEL-")
}

/// Adds Flannel's rules to a node's.
pub fn add_rules(ruleset: &mut Ruleset, cluster: IpNet, own: IpNet) {
    for line in RULES {
        let words: Vec<String> = shlex::split(line)
            .unwrap_or_default()
            .into_iter()
            .map(|word| match word.as_str() {
                "C" => cluster.to_string(),
                "N" => own.to_string(),
                _ => word,
            })
            .collect();
        if let Ok(Command::Edits(edits)) = parse(&words, Family::V4) {
            for edit in edits {
                // These are ours, and tested to be possible.
                let _ = edit.apply(ruleset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SimTime;
    use crate::net::iptables::save::{Moment, print};
    use crate::net::table::Dialect;

    #[test]
    fn flannels_rules_are_those_of_a_node_with_flannel() {
        let mut ruleset =
            Ruleset { dialect: Dialect::Iptables, tables: Vec::new(), ipvs: Default::default() };
        let net = |text: &str| text.parse().unwrap();
        add_rules(&mut ruleset, net("10.1.0.0/16"), net("10.1.0.0/25"));
        let text = print(&ruleset, Family::V4, Moment::at(SimTime::default()));
        let rules: Vec<&str> = text.lines().filter(|line| line.starts_with("-A")).collect();
        expect_test::expect![[r#"
            -A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD
            -A FLANNEL-FWD -s 10.1.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
            -A FLANNEL-FWD -d 10.1.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT
            -A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG
            -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG -s 10.1.0.0/25 -d 10.1.0.0/16 -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG -s 10.1.0.0/16 -d 10.1.0.0/25 -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG ! -s 10.1.0.0/16 -d 10.1.0.0/25 -m comment --comment "flanneld masq" -j RETURN
            -A FLANNEL-POSTRTG -s 10.1.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
            -A FLANNEL-POSTRTG ! -s 10.1.0.0/16 -d 10.1.0.0/16 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully
        "#]].assert_eq(&(rules.join("\n") + "\n"));
    }
}
