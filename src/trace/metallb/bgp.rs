//! BGP: every node that may announces an address to the router, which spreads connections over
//! them.
//!
//! Models metallb/metallb speaker/bgp_controller.go, with the native implementation.
//!
//! Simplified: the network has one router, and it takes every neighbour that calls it by its right
//! number.

use super::pools::Pool;
use super::speakers::Speaker;
use super::{Mismatch, ROUTER, WhySilent, advertises, any_matches, from_node, is_local};
use super::{may_announce, objects, serving_nodes, speakers};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::base::SimTime;
use crate::base::names::fnv64a;
use crate::net::Packet;
use crate::store::{ObjectKey, Store};
use core::time::Duration;
use std::sync::Arc;

/// The router's number.
pub const ROUTER_ASN: i64 = 64_501;
/// How long a session is believed in without a word, unless the BGPPeer says otherwise.
const HOLD_TIME: Duration = Duration::from_secs(90);

/// The BGPAdvertisements of a Service with an address from a pool.
fn advertisements<'a>(store: &'a Store, pool: &Pool, service: &Object) -> Vec<&'a Arc<Object>> {
    let all = objects(store, "BGPAdvertisement").into_iter();
    all.filter(|it| {
        let selectors = it.spec().items_at(&["serviceSelectors"]);
        advertises(it, &pool.object) && any_matches(selectors, &service.meta.labels, true)
    })
    .collect()
}

/// The speakers that announce an address of a Service, whether the router hears them or not.
///
/// Models ShouldAnnounce.
///
/// # Errors
/// Why none does.
pub fn announcers<'a>(
    store: &'a Store,
    service: &Object,
    pool: &Pool,
) -> Result<Vec<Speaker<'a>>, WhySilent> {
    let advertisements = advertisements(store, pool, service);
    if advertisements.is_empty() {
        return Err(WhySilent::NoAdvertisement { pool: pool.name().clone() });
    }
    let serving = serving_nodes(store, &ObjectKey::of(service));
    if serving.is_empty() {
        return Err(WhySilent::NoEndpoints);
    }
    let all = speakers(store).into_iter().filter(|speaker| {
        may_announce(speaker.node) && advertisements.iter().any(|it| from_node(it, speaker.node))
    });
    let mut all: Vec<Speaker<'a>> = all.collect();
    if all.is_empty() {
        return Err(WhySilent::NoSpeaker);
    }
    if is_local(service) {
        all.retain(|speaker| serving.contains(&Some(&**speaker.name())));
    }
    if all.is_empty() { Err(WhySilent::NoLocalEndpoints) } else { Ok(all) }
}

/// The nodes that the router knows as ways to an address, in the order of their names; also those
/// that have fallen silent, until their hold time is over.
///
/// # Errors
/// Why it knows none.
pub fn next_hops<'a>(
    store: &'a Store,
    now: SimTime,
    service: &Object,
    pool: &Pool,
) -> Result<Vec<Speaker<'a>>, WhySilent> {
    let all = announcers(store, service, pool)?;
    let peers = objects(store, "BGPPeer");
    let advertisements = advertisements(store, pool, service);
    let hears = |speaker: &Speaker<'_>| {
        peers.iter().any(|peer| {
            let held = hold_time(peer);
            mismatch(peer).is_none()
                && from_node(peer, speaker.node)
                && !speaker.is_given_up(now, held)
                && advertisements.iter().any(|it| is_told(it, peer, speaker))
        })
    };
    let heard: Vec<Speaker<'a>> = all.into_iter().filter(hears).collect();
    if heard.is_empty() {
        let wrong = peers.iter().find_map(|peer| Some((peer.meta.name.clone(), mismatch(peer)?)));
        return Err(WhySilent::NoSession { peer: wrong });
    }
    Ok(heard)
}

/// Whether a speaker tells a peer of an advertisement.
fn is_told(advertisement: &Object, peer: &Object, speaker: &Speaker<'_>) -> bool {
    let peers = advertisement.spec().items_at(&["peers"]);
    let named = peers.iter().any(|name| name.as_str() == Some(&peer.meta.name));
    (peers.is_empty() || named) && from_node(advertisement, speaker.node)
}

/// What keeps a BGPPeer from coming to a session with the router.
pub fn mismatch(peer: &Object) -> Option<Mismatch> {
    let spec = peer.spec();
    let has = |key: &str| spec.get(key).is_some_and(|value| !value.is_null() && *value != "");
    if spec.str_at(&["peerAddress"]) != Some(&*ROUTER.to_string()) {
        return Some(Mismatch::Address);
    }
    if spec.int_at(&["peerPort"]).unwrap_or(179) != 179 {
        return Some(Mismatch::Port);
    }
    if spec.int_at(&["peerASN"]) != Some(ROUTER_ASN) {
        return Some(Mismatch::Asn);
    }
    let secret = spec
        .at(&["passwordSecret"])
        .filter(|secret| secret.str_at(&["name"]).is_some_and(|name: &str| !name.is_empty()));
    (has("password") || secret.is_some()).then_some(Mismatch::Password)
}

/// `spec.holdTime`, `90s`.
fn hold_time(peer: &Object) -> Duration {
    let text = peer.spec().get("holdTime").and_then(Value::as_str);
    text.and_then(go_duration).unwrap_or(HOLD_TIME)
}

/// Reads `1m30s`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut seconds = 0u64;
    let mut digits = String::new();
    for letter in text.chars() {
        let factor = match letter {
            '0'..='9' => {
                digits.push(letter);
                continue;
            }
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(digits.parse::<u64>().ok()?.checked_mul(factor)?)?;
        digits.clear();
    }
    digits.is_empty().then(|| Duration::from_secs(seconds))
}

/// Which of several next hops a packet takes: routers hash addresses and ports, so that the packets
/// of a connection stay together.
pub fn pick(packet: &Packet, count: u32) -> u32 {
    let flow = format!("{} {} {}", packet.protocol.number(), packet.source, packet.destination);
    let hash = fnv64a(0, flow.as_bytes());
    u32::try_from(hash.checked_rem(u64::from(count)).unwrap_or_default()).unwrap_or_default()
}
