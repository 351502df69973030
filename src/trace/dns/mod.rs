//! Names: what name servers answer, and in which order a resolver asks.
//!
//! Invariants: answers follow from the store and from CoreDNS' configuration alone; whether a
//! name server can be reached is decided by its packets (`trace::names`).
//!
//! Reading order: `message`, `corefile`, `zone`, `server`.

mod corefile;
mod message;
mod server;
#[cfg(test)]
mod tests;
mod zone;

pub use corefile::Corefile;
pub use message::{Code, Data, Question, Record, RecordType, Response, reverse};
pub(super) use server::NameServer;
pub(super) use zone::Memo;

use crate::kubelet::dns::ResolvConf;
use std::sync::Arc;

/// The names that a resolver asks for in turn, each made when it is asked for.
///
/// Models resolv/res_query.c __res_context_search of the GNU C library.
// Simplified: musl does not search for a name with enough dots, and gives up its search at a name
// that has no address.
pub fn search<'a>(conf: &'a ResolvConf, host: &'a str) -> impl Iterator<Item = Arc<str>> + 'a {
    let itself = host.strip_suffix('.');
    let dots = host.matches('.').count();
    let enough = usize::try_from(conf.ndots()).unwrap_or(usize::MAX);
    let list: &[Arc<str>] = if itself.is_some() { &[] } else { &conf.search };
    let is_first = itself.is_some() || dots >= enough;
    let alone = move |is_now: bool| is_now.then(|| Arc::from(itself.unwrap_or(host)));
    let searched = list.iter().map(move |domain| match domain.trim_end_matches('.') {
        "" => Arc::from(host),
        domain => Arc::from([host, ".", domain].concat()),
    });
    alone(is_first).into_iter().chain(searched).chain(alone(!is_first))
}
