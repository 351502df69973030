//! L2: one node answers for an address when it is asked for on the network.
//!
//! Models metallb/metallb speaker/layer2_controller.go.

use super::pools::Pool;
use super::speakers::{FAILURE_DETECTION, Speaker};
use super::{WhySilent, advertises, any_matches, from_node, is_local, may_announce, objects};
use super::{serving_nodes, speakers};
use crate::api::Object;
use crate::api::tree::Tree as _;
use crate::base::{SimTime, order};
use crate::store::{ObjectKey, Store};
use sha2::{Digest as _, Sha256};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Who answers for an address.
#[derive(Clone, Debug)]
pub struct Owner<'a> {
    /// The speaker that comes first.
    pub speaker: Speaker<'a>,
    /// How many could have.
    pub among: u32,
}

/// The L2Advertisements of a Service with an address from a pool.
fn advertisements<'a>(store: &'a Store, pool: &Pool, service: &Object) -> Vec<&'a Arc<Object>> {
    let all = objects(store, "L2Advertisement").into_iter();
    all.filter(|it| {
        let selectors = it.spec().items_at(&["serviceSelectors"]);
        advertises(it, &pool.object) && any_matches(selectors, &service.meta.labels, true)
    })
    .collect()
}

/// The node that answers for an address of a Service.
///
/// # Errors
/// Why nobody does.
pub fn owner<'a>(
    store: &'a Store,
    now: SimTime,
    service: &Object,
    (pool, ip): (&Pool, Ipv4Addr),
) -> Result<Owner<'a>, WhySilent> {
    let serving = serving_nodes(store, &ObjectKey::of(service));
    let advertisements = advertisements(store, pool, service);
    if advertisements.is_empty() {
        return Err(WhySilent::NoAdvertisement { pool: pool.name().clone() });
    }
    if serving.is_empty() {
        return Err(WhySilent::NoEndpoints);
    }
    let may = |speaker: &Speaker<'_>| {
        !speaker.is_given_up(now, FAILURE_DETECTION)
            && may_announce(speaker.node)
            && advertisements.iter().any(|it| from_node(it, speaker.node))
    };
    let mut candidates: Vec<Speaker<'a>> =
        speakers(store).into_iter().filter(|speaker| may(speaker)).collect();
    if candidates.is_empty() {
        return Err(WhySilent::NoSpeaker);
    }
    if is_local(service) {
        candidates.retain(|speaker| serving.contains(&Some(&**speaker.name())));
    }
    let among = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    order::sort_by_key(&mut candidates, |speaker| rank(speaker.name(), ip));
    let first = candidates.into_iter().next().ok_or(WhySilent::NoLocalEndpoints)?;
    Ok(Owner { speaker: first, among })
}

/// Every speaker reckons the same: the smallest hash of the node's name and the address wins.
///
/// Models sortL2Candidates.
fn rank(node: &str, ip: Ipv4Addr) -> [u8; 32] {
    Sha256::digest(format!("{node}#{ip}").as_bytes()).into()
}
