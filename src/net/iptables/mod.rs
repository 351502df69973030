//! iptables: how it shows rules, and how a person changes them.
//!
//! Models Debian's iptables 1.8.9 on nf_tables, which kube-proxy's image has: its texts, its order
//! of conditions, its refusals.
//!
//! Reading order: `save` (`iptables-save`, `-S`), `list` (`-L`), `command` (a command line),
//! `options` and `target` (the words of a rule), `edit` (the changes), `names` (of ports).

pub mod command;
pub mod edit;
pub mod list;
mod names;
mod options;
pub mod restore;
pub mod save;
mod target;

pub use save::rule_text;

/// iptables' tables, in the order in which `iptables-save` shows them on a node.
pub const TABLES: [&str; 5] = ["mangle", "filter", "nat", "raw", "security"];
