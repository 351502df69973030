//! The rules that a real kube-proxy 1.36.2 wrote for the recorded Services.

use std::collections::BTreeMap;

const OBJECTS: &str = include_str!("conformance/proxy/08-proxy-objects.yaml");
const OTHERS: &str = include_str!("conformance/proxy/08-proxy-other-namespaces.yaml");
const IPTABLES: &str = include_str!("conformance/proxy/08-proxy-iptables.txt");
const NFTABLES: &str = include_str!("conformance/proxy/08-proxy-nftables.txt");

/// The lines with the table they stand in, without times and counters, sorted: Kubernetes takes
/// Services in a random order.
fn lines(text: &str) -> Vec<String> {
    let mut table = String::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = line.split(" [0:0]").next().unwrap_or_default().trim_end();
        if line.starts_with('#') {
            continue;
        }
        if line.starts_with('*') || line.starts_with("table ") {
            table = line.to_owned();
        }
        lines.push(format!("{table} {line}"));
    }
    diorama::base::order::sort(&mut lines);
    lines
}

/// The rules of each chain in their order, but for the chains whose rules belong to many Services.
fn chains(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut table = String::new();
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut services = 0;
    for line in text.lines() {
        if line.starts_with('*') {
            table = line.to_owned();
        }
        if let Some(rule) = line.strip_prefix("-A ") {
            let chain = rule.split(' ').next().unwrap_or_default();
            services += 1;
            if !["KUBE-SERVICES", "KUBE-NODEPORTS"].contains(&chain) {
                chains.entry(format!("{table} {chain}")).or_default().push(rule.to_owned());
            }
        }
    }
    assert!(services > 0);
    chains
}

fn objects() -> String {
    format!("{OBJECTS}---\n{OTHERS}")
}

#[test]
fn iptables_rules_are_those_of_a_real_node() {
    let ours = diorama::proxy::print(&objects(), "node-1", "iptables").unwrap();
    assert_eq!(lines(&ours), lines(IPTABLES));
    assert_eq!(chains(&ours), chains(IPTABLES));
}

#[test]
fn nftables_rules_are_those_of_a_real_node() {
    let ours = diorama::proxy::print(&objects(), "node-2", "nftables").unwrap();
    assert_eq!(lines(&ours), lines(NFTABLES));
}

#[test]
fn a_node_that_is_not_in_the_file_is_named() {
    let error = diorama::proxy::print(OBJECTS, "node-9", "iptables").unwrap_err();
    assert_eq!(error, "there is no Node \"node-9\" in the file");
}
