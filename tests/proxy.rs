//! The rules that a real kube-proxy 1.36.2 wrote (tests/conformance/proxy/README.md).

use diorama::base::order;
use std::collections::BTreeMap;

const OBJECTS: &str = include_str!("conformance/proxy/08-proxy-objects.yaml");
const OTHERS: &str = include_str!("conformance/proxy/08-proxy-other-namespaces.yaml");
const IPTABLES: &str = include_str!("conformance/proxy/08-proxy-iptables.txt");
const NFTABLES: &str = include_str!("conformance/proxy/08-proxy-nftables.txt");

/// A line without what chance or time put there.
fn masked(line: &str) -> &str {
    line.split(" [0:0]").next().unwrap_or_default().split(" initval ").next().unwrap_or_default()
}

/// The lines with the table they stand in and, for nftables, the chain or set; sorted, since
/// Kubernetes takes Services in a random order.
fn lines(text: &str) -> Vec<String> {
    let (mut table, mut part) = (String::new(), String::new());
    let mut lines = Vec::new();
    for line in text.lines().map(|line| masked(line).trim_end()) {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        if line.starts_with('*') || line.starts_with("table ") {
            table = line.to_owned();
            part.clear();
        }
        match line {
            "\t}" | "}" => part.clear(),
            line if line.starts_with('\t') && line.ends_with('{') => part = line.to_owned(),
            _ => {}
        }
        lines.push(format!("{table} {part} {line}"));
    }
    order::sort(&mut lines);
    lines
}

/// Chains whose rules belong to many Services.
const SHARED: [&str; 5] = [
    "KUBE-SERVICES",
    "KUBE-NODEPORTS",
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-PROXY-FIREWALL",
    "KUBE-IPVS-OUT-FILTER",
];

/// The rules of each chain in their order, but for the chains whose rules belong to many Services.
fn chains(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut table = String::new();
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut rules = 0;
    for line in text.lines() {
        if line.starts_with('*') {
            // A second table of one name is that of IPv6.
            let again = chains.keys().any(|key| key.starts_with(line));
            table = format!("{line}{}", if again { "6" } else { "" });
        }
        // Outside of tables, `-A` makes a virtual server.
        if let Some(rule) = line.strip_prefix("-A ").filter(|_| !table.is_empty()) {
            let chain = rule.split(' ').next().unwrap_or_default();
            rules += 1;
            if !SHARED.contains(&chain) {
                chains.entry(format!("{table} {chain}")).or_default().push(rule.to_owned());
            }
        }
    }
    assert!(rules > 0);
    chains
}

/// Fails with the lines that only one side has.
fn assert_same(title: &str, ours: &str, real: &str) {
    let (ours, real) = (lines(ours), lines(real));
    let only = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter().filter(|line| others.binary_search(line).is_err()).cloned().collect()
    };
    let (missing, extra) = (only(&real, &ours), only(&ours, &real));
    assert!(missing.is_empty() && extra.is_empty(), "{title}: - {missing:#?} + {extra:#?}");
    assert_eq!(ours.len(), real.len(), "{title}: a line comes more often on one side");
}

fn objects() -> String {
    format!("{OBJECTS}---\n{OTHERS}")
}

#[test]
fn iptables_rules_are_those_of_a_real_node() {
    let ours = diorama::proxy::print(&objects(), "node-1", "iptables").expect("rules");
    assert_same("iptables", &ours, IPTABLES);
    assert_eq!(chains(&ours), chains(IPTABLES));
}

#[test]
fn nftables_rules_are_those_of_a_real_node() {
    let ours = diorama::proxy::print(&objects(), "node-2", "nftables").expect("rules");
    assert_same("nftables", &ours, NFTABLES);
}

/// The text of a case's file; nothing if the case has none.
fn file(name: &str, part: &str) -> Option<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/proxy");
    std::fs::read_to_string(format!("{folder}/{name}-{part}")).ok()
}

/// The cases that we made up, and the node that the rules are of.
const CASES: [(&str, &str); 9] = [
    ("services", "node-2"),
    ("ranges", "node-3"),
    ("dual-stack", "node-1"),
    ("odd-fields", "node-1"),
    ("external-address", "node-1"),
    ("two-families", "node-1"),
    ("service-cidrs", "node-1"),
    ("long-names", "node-1"),
    ("refused-comment", "node-2"),
];

#[test]
fn the_real_kube_proxy_writes_the_same_of_other_objects() {
    let mut compared = 0;
    for (name, node) in CASES {
        let objects = file(name, "objects.yaml").expect("objects");
        for mode in ["iptables", "nftables", "ipvs"] {
            let Some(real) = file(name, &format!("{mode}.txt")) else { continue };
            let ours = diorama::proxy::print(&objects, node, mode).expect("rules");
            assert_same(&format!("{name} {mode}"), &ours, &real);
            if mode != "nftables" {
                assert_eq!(chains(&ours), chains(&real), "{name} {mode}");
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 19);
}

#[test]
fn rules_that_nft_refuses_are_not_written_and_said_to_be_so() {
    let objects = file("refused-comment", "objects.yaml").expect("objects");
    let (_, errors) =
        diorama::proxy::print_with_errors(&objects, "node-2", "nftables").expect("rules");
    assert_eq!(
        errors,
        "\"nftables sync failed\" ipFamily=\"IPv4\": comment too long, 128 characters maximum allowed\n"
    );
}

#[test]
fn a_node_that_is_not_in_the_file_is_named() {
    let error = diorama::proxy::print(OBJECTS, "node-9", "iptables").expect_err("a refusal");
    assert_eq!(error, "there is no Node \"node-9\" in the file");
}
