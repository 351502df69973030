//! A small honest netfilter: packets, tables, chains, rules, sets, connection tracking.
//!
//! Rules are data. kube-proxy's model makes them, the printers show them as `iptables-save`,
//! `nft list ruleset` and `ipvsadm-save` would, and [`walk`] carries a packet through the very same
//! structure, so that what is shown is what decides.
//!
//! Invariants: a ruleset never changes once it is shared (what packets leave behind is in
//! [`conntrack`]); chance comes in only as draws of the caller's `Rng`; a walk always ends, since a
//! packet can pass a bounded number of nested chains.
//!
//! Reading order: `packet`, `rule`, `set`, `table`, `walk`, `conntrack`, then the printers
//! `iptables_text`, `iptables_list`, `nft_text`, `ipvs`, and what people change by hand: `edit`,
//! `iptables_command`.

pub mod conntrack;
pub mod edit;
pub mod iptables_command;
pub mod iptables_list;
pub mod iptables_text;
pub mod ipvs;
mod lookup;
pub mod nft_text;
pub mod packet;
pub mod rule;
pub mod set;
pub mod table;
pub mod walk;

pub use packet::{Family, Packet, Protocol};
pub use rule::{Action, Match, Rule};
pub use table::{Base, Chain, Hook, Ruleset, Table};
