//! A small honest netfilter: packets, tables, chains, rules, sets, connection tracking.
//!
//! Rules are data. kube-proxy's model makes them, the printers show them as `iptables-save`,
//! `nft list ruleset` and `ipvsadm-save` would, and [`walk`] carries a packet through the very same
//! structure, so that what is shown is what decides.
//!
//! Invariants: a ruleset never changes once it is shared (what packets leave behind is in
//! [`memory`], how often rules matched in a list beside it); chance comes in only as draws of the
//! caller's [`dice`]; a walk always ends, since a packet can pass a bounded number of nested chains.
//!
//! Reading order: `packet`, `rule`, `action`, `set`, `table`, `walk`, `matching`, `dice`,
//! `conntrack`, `memory`, `link`, then what people see and change: `iptables`, `nft_text`, `ipvs`, `flannel`.

pub mod action;
pub mod conntrack;
pub mod dice;
pub mod flannel;
pub mod iptables;
pub mod ipvs;
pub mod link;
mod lookup;
mod matching;
pub mod memory;
pub mod nft_text;
pub mod packet;
pub mod rule;
pub mod set;
pub mod table;
pub mod walk;

pub use packet::{Family, Packet, Protocol};
pub use rule::{Action, Match, Rule};
pub use table::{Base, Chain, Hook, Ruleset, Table};
