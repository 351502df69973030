//! MetalLB, as far as the way of a packet depends on it: which address is of which pool, which node
//! answers for it on the network (L2), and which nodes a router learns it from (BGP).
//!
//! Its controllers (see `addons`) decide nothing that is not decided here, so that events and
//! traces agree.
//!
//! Invariants: everything follows from the store and the present moment.
//!
//! Models metallb/metallb internal/config, internal/allocator and speaker.
//!
//! Reading order: `pools`, `speakers`, `layer2`, `bgp`, `route` (the hops).

pub mod bgp;
pub mod layer2;
pub mod pools;
mod route;
mod speakers;

pub(in crate::trace) use route::is_from_pool;
pub use speakers::{FAILURE_DETECTION, Speaker, is_image, is_part, speakers};

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, StringMap, Value};
use crate::store::{ObjectKey, Store};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The API group of its kinds.
pub const GROUP: &str = "metallb.io";
/// The annotation that says from which pool an address is; its controller writes it.
pub const FROM_POOL: &str = "metallb.io/ip-allocated-from-pool";
/// The router of the nodes' network, where packets from outside come in.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(172, 18, 0, 1);
/// Nodes with this label announce nothing, unless it says `false`.
const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// Why nobody says to have an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhySilent {
    /// The pool is in no L2Advertisement and no BGPAdvertisement.
    NoAdvertisement {
        /// The pool.
        pool: Arc<str>,
    },
    /// The Service has no endpoint that serves.
    NoEndpoints,
    /// `externalTrafficPolicy: Local`, and no node that may announce has an endpoint.
    NoLocalEndpoints,
    /// No speaker runs on a node that may announce.
    NoSpeaker,
    /// No node has a BGP session with the router.
    NoSession {
        /// The BGPPeer and what is wrong with it, if there is one.
        peer: Option<(Arc<str>, Mismatch)>,
    },
    /// The address is not of the nodes' network, so that nobody asks for it there.
    OtherNetwork,
}

/// Why a router and a speaker do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// There is no router at `peerAddress`.
    Address,
    /// The router has another number than `peerASN`.
    Asn,
    /// It listens on another port than `peerPort`.
    Port,
    /// It knows no password.
    Password,
}

/// The objects of a kind of MetalLB's.
pub fn objects<'a>(store: &'a Store, kind: &str) -> Vec<&'a Arc<Object>> {
    let versions = ["metallb.io/v1beta1", "metallb.io/v1beta2"];
    let kinds = versions.iter().filter_map(|version| Kind::of_manifest(version, kind));
    kinds.filter(|kind| store.serves(*kind)).flat_map(|kind| store.list(kind)).collect()
}

/// Whether one of several label selectors matches; `if_none` where there are none.
fn any_matches(selectors: &[Value], labels: &StringMap, if_none: bool) -> bool {
    let mut all = selectors.iter().filter_map(|it| Selector::from_label_selector(Some(it)));
    if selectors.is_empty() { if_none } else { all.any(|selector| selector.matches(labels)) }
}

/// Whether an advertisement is for a pool: it names it or selects it, or neither names nor selects
/// any.
fn advertises(advertisement: &Object, pool: &Object) -> bool {
    let spec = advertisement.spec();
    let names = spec.items_at(&["ipAddressPools"]);
    let selectors = spec.items_at(&["ipAddressPoolSelectors"]);
    names.is_empty() && selectors.is_empty()
        || names.iter().any(|name| name.as_str() == Some(&pool.meta.name))
        || any_matches(selectors, &pool.meta.labels, false)
}

/// Whether an advertisement may be made from a node.
fn from_node(advertisement: &Object, node: &Object) -> bool {
    any_matches(advertisement.spec().items_at(&["nodeSelectors"]), &node.meta.labels, true)
}

/// Whether a node may announce at all.
///
/// Models internal/k8s/nodes/nodes.go.
fn may_announce(node: &Object) -> bool {
    let no = ["0", "f", "F", "false", "FALSE", "False"];
    let included = node.meta.labels.get(EXCLUDE_LABEL).is_none_or(|value| no.contains(&value));
    let conditions = node.status().items_at(&["conditions"]);
    let cut_off = conditions.iter().any(|condition| {
        condition.str_at(&["type"]) == Some("NetworkUnavailable")
            && condition.str_at(&["status"]) == Some("True")
    });
    included && !cut_off
}

/// The nodes on which endpoints of a Service serve; none for one without a node.
fn serving_nodes<'a>(store: &'a Store, service: &ObjectKey) -> Vec<Option<&'a str>> {
    let name = service.name.clone();
    let slices = store
        .list_in(Kind::EndpointSlice, &service.namespace)
        .filter(move |slice| slice.meta.labels.get("kubernetes.io/service-name") == Some(&*name));
    let all = slices.flat_map(|slice| slice.content().items_at(&["endpoints"]));
    // Models internal/k8s/epslices EndpointCanServe.
    let serves = |it: &&Value| {
        it.bool_at(&["conditions", "ready"]).unwrap_or(true)
            || it.bool_at(&["conditions", "serving"]).unwrap_or(false)
    };
    all.filter(serves).map(|it| it.str_at(&["nodeName"])).collect()
}

fn is_local(service: &Object) -> bool {
    service.spec().str_at(&["externalTrafficPolicy"]) == Some("Local")
}

#[cfg(test)]
mod tests;
