//! kube-proxy: Services and EndpointSlices become rules on every node.
//!
//! [`Input`] is what all nodes see; [`services::Ports`] is what one node makes of it (which
//! endpoints are near, ready, or the last resort), and `iptables`, `nftables` and `ipvs` write that
//! down as a [`Ruleset`]. Nothing here looks at packets: `net::walk` does.
//!
//! Invariants: the same input gives the same ruleset; Services are taken by namespace, name and
//! port (Kubernetes takes them in a random order, so the order of rules of different Services in a
//! chain means nothing).
//!
//! Reading order: `input`, `services`, `topology`, `iptables`, `nftables`, `ipvs`, `alike`.

mod alike;
#[cfg(test)]
mod flows;
pub mod input;
pub mod iptables;
pub mod ipvs;
pub mod nftables;
pub mod services;
pub mod topology;

pub use alike::rules_like;
pub use input::{Input, Node};

use crate::base::SimTime;
use crate::net::iptables::save::{self, Moment};
use crate::net::table::Dialect;
use crate::net::{Family, Ruleset, ipvs as ipvs_text, nft_text};

/// The bit that marks packets whose source is to be translated.
pub const MASQUERADE_MARK: u32 = 0x4000;

/// How kube-proxy works on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Lists of rules, one after the other.
    Iptables,
    /// Rules that look into maps.
    Nftables,
    /// Virtual servers in the kernel, with a few rules around them.
    Ipvs,
}

impl Mode {
    /// All modes.
    pub const ALL: [Mode; 3] = [Mode::Iptables, Mode::Nftables, Mode::Ipvs];

    /// Reads `iptables`, `nftables` or `ipvs`; `None` for any other word.
    pub fn parse(text: &str) -> Option<Self> {
        Mode::ALL.into_iter().find(|mode| mode.name() == text)
    }

    /// The name, as kube-proxy's `--proxy-mode` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Iptables => "iptables",
            Mode::Nftables => "nftables",
            Mode::Ipvs => "ipvs",
        }
    }
}

/// The rules that kube-proxy writes on a node.
pub fn rules(input: &Input, node: &Node, mode: Mode) -> Ruleset {
    match mode {
        Mode::Iptables => iptables::rules(input, node),
        Mode::Nftables => nftables::rules(input, node),
        Mode::Ipvs => ipvs::rules(input, node),
    }
}

/// A ruleset as the node's own tools show it. The tables of IPv6 are left out, as `iptables-save`
/// does, unless `with_ipv6`.
pub fn text(ruleset: &Ruleset, with_ipv6: bool) -> String {
    if ruleset.dialect == Dialect::Nftables {
        return nft_text::print(ruleset);
    }
    let mut out = String::new();
    if ruleset.ipvs != ipvs_text::Ipvs::default() {
        out.push_str("# ipvsadm-save -n\n");
        out.push_str(&ipvs_text::print_servers(&ruleset.ipvs));
        out.push_str("# ipset save\n");
        out.push_str(&ipvs_text::print_sets(&ruleset.ipvs));
    }
    let moment = Moment::at(SimTime::WORLD_START);
    out.push_str(&save::print(ruleset, Family::V4, moment));
    if with_ipv6 {
        out.push_str(&save::print(ruleset, Family::V6, moment));
    }
    out
}

/// Shows what kube-proxy writes on `node`, given a file of Services, EndpointSlices and Nodes as
/// `kubectl get … -o yaml` prints them (Lists and documents, one after the other).
///
/// # Errors
/// A sentence, if the file is no YAML, the node is not in it, or the mode is unknown.
pub fn print(file: &str, node: &str, mode: &str) -> Result<String, String> {
    print_with_errors(file, node, mode).map(|(text, _)| text)
}

/// The same, and what kube-proxy's log says of rules that it could not write.
///
/// # Errors
/// As [`print`].
pub fn print_with_errors(file: &str, node: &str, mode: &str) -> Result<(String, String), String> {
    let mode = Mode::parse(mode)
        .ok_or_else(|| format!("unknown mode {mode:?}: use iptables, nftables or ipvs"))?;
    let input = Input::from_yaml(file)?;
    let node = input.node(node).ok_or_else(|| format!("there is no Node {node:?} in the file"))?;
    let dual = input.services.iter().any(|service| service.cluster_ip(Family::V6).is_some());
    let ruleset = rules(&input, node, mode);
    let missing = |family: &Family| !ruleset.tables.iter().any(|table| table.family == *family);
    let errors = [Family::V4, Family::V6].iter().filter(|family| missing(family)).map(|family| {
        format!(
            "\"nftables sync failed\" ipFamily=\"{}\": comment too long, 128 characters maximum allowed\n",
            family.api_name()
        )
    });
    let errors = errors.collect();
    Ok((text(&ruleset, dual), errors))
}
