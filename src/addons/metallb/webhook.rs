//! The controller's webhooks: they refuse a configuration that could not be.
//!
//! Models metallb/metallb internal/k8s/webhooks and internal/config/config.go.

use crate::api::tree::Tree as _;
use crate::api::{Object, Reason, Value};
use crate::store::Store;
use crate::store::admission::{Denial, Operation, Webhook};
use crate::trace::metallb::pools::{self, parse_range};
use std::net::{IpAddr, Ipv4Addr};

/// The namespace in which everything of MetalLB's must be.
const NAMESPACE: &str = "metallb-system";

/// One of the webhooks: its name, and what it refuses.
#[derive(Clone, Copy, Debug)]
pub(in crate::addons) struct Validator {
    name: &'static str,
    check: fn(&Store, &Object) -> Result<(), String>,
}

/// The webhooks.
pub(in crate::addons) static VALIDATORS: [Validator; 4] = [
    Validator { name: "ipaddresspoolvalidationwebhook.metallb.io", check: check_pool },
    Validator { name: "l2advertisementvalidationwebhook.metallb.io", check: |_, _| Ok(()) },
    Validator { name: "bgpadvertisementvalidationwebhook.metallb.io", check: check_advertisement },
    Validator { name: "bgppeersvalidationwebhook.metallb.io", check: check_peer },
];

impl Webhook for Validator {
    fn name(&self) -> &'static str {
        self.name
    }

    fn review(&self, store: &Store, object: &Object, operation: Operation) -> Result<(), Denial> {
        let deny = |message: String| {
            Err(Denial { reason: Reason::Forbidden, message, warnings: Vec::new() })
        };
        if operation == Operation::Create && &*object.meta.namespace != NAMESPACE {
            return deny(format!("resource must be created in {NAMESPACE} namespace"));
        }
        (self.check)(store, object).or_else(deny)
    }
}

/// A pool among those that there are.
fn check_pool(store: &Store, new: &Object) -> Result<(), String> {
    let existing = pools::pools(store);
    let others = existing.iter().map(|pool| &*pool.object);
    let others = others.filter(|pool| pool.meta.name != new.meta.name);
    let mut known: Vec<(u32, u32)> = Vec::new();
    for pool in others.chain([new]) {
        let name = &pool.meta.name;
        let parsed = cidrs(pool).map_err(|why| format!("parsing address pool {name}: {why}"))?;
        for cidr in parsed {
            if let Some(other) = known.iter().find(|other| overlap(**other, cidr)) {
                return Err(format!(
                    "CIDR \"{}\" in pool \"{name}\" overlaps with already defined CIDR \"{}\"",
                    cidr_text(cidr),
                    cidr_text(*other)
                ));
            }
            known.push(cidr);
        }
    }
    Ok(())
}

/// The addresses of a pool as CIDRs: first address and length of the prefix.
fn cidrs(pool: &Object) -> Result<Vec<(u32, u32)>, String> {
    let addresses = pool.spec().items_at(&["addresses"]);
    if addresses.is_empty() {
        return Err("pool has no prefixes defined".to_owned());
    }
    let mut all = Vec::new();
    for text in addresses.iter().filter_map(Value::as_str) {
        let range = parse_range(text);
        let name = &pool.meta.name;
        let range =
            range.map_err(|why| format!("invalid CIDR \"{text}\" in pool \"{name}\": {why}"))?;
        all.extend(summarize(range));
    }
    Ok(all)
}

/// The fewest CIDRs that are a range.
fn summarize((from, to): (u32, u32)) -> Vec<(u32, u32)> {
    let (mut next, to) = (u64::from(from), u64::from(to));
    let mut all = Vec::new();
    while next <= to {
        let by_place = if next == 0 { 32 } else { next.trailing_zeros().min(32) };
        let by_size = (to - next + 1).ilog2();
        let bits = by_place.min(by_size);
        all.push((u32::try_from(next).unwrap_or(u32::MAX), 32 - bits));
        next += 1u64 << bits;
    }
    all
}

fn overlap(a: (u32, u32), b: (u32, u32)) -> bool {
    let shorter = a.1.min(b.1);
    let mask = u32::MAX.checked_shl(32 - shorter).unwrap_or(0);
    a.0 & mask == b.0 & mask
}

fn cidr_text((first, length): (u32, u32)) -> String {
    format!("{}/{length}", Ipv4Addr::from_bits(first))
}

fn check_advertisement(_store: &Store, new: &Object) -> Result<(), String> {
    match new.spec().int_at(&["aggregationLength"]) {
        Some(length) if length > 32 => {
            // Go prints a number as the letter that it is of.
            let letter = u32::try_from(length).ok().and_then(char::from_u32).unwrap_or('�');
            Err(format!("invalid aggregation length '{letter}' for IPv4"))
        }
        _ => Ok(()),
    }
}

/// Models peerFromCR.
fn check_peer(_store: &Store, new: &Object) -> Result<(), String> {
    let spec = new.spec();
    let (own, peer) = (spec.int_at(&["myASN"]), spec.int_at(&["peerASN"]).unwrap_or(0));
    let text = |key: &str| spec.str_at(&[key]).unwrap_or_default();
    let (dynamic, address) = (text("dynamicASN"), text("peerAddress"));
    let wrong = match () {
        () if own.unwrap_or(0) == 0 => "missing local ASN".to_owned(),
        () if peer == 0 && dynamic.is_empty() => "missing peer ASN and dynamicASN".to_owned(),
        () if peer != 0 && !dynamic.is_empty() => {
            "both peer ASN and dynamicASN specified".to_owned()
        }
        () if own == Some(peer) && spec.bool_at(&["ebgpMultiHop"]) == Some(true) => {
            "invalid ebgp-multihop parameter set for an ibgp peer".to_owned()
        }
        () if address.is_empty() => "peer has no Address or Interface specified".to_owned(),
        () if address.parse::<IpAddr>().is_err() => {
            format!("invalid BGPPeer address \"{address}\"")
        }
        () => return Ok(()),
    };
    Err(format!("parsing peer {} {wrong}", new.meta.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_becomes_the_fewest_cidrs() {
        // As github.com/mikioh/ipaddr Summarize does it.
        for (range, expected) in [
            (
                "172.18.0.100-172.18.0.120",
                "172.18.0.100/30 172.18.0.104/29 172.18.0.112/29 172.18.0.120/32",
            ),
            ("10.0.0.0/28", "10.0.0.0/28"),
            ("10.0.0.1-10.0.0.1", "10.0.0.1/32"),
            ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
        ] {
            let all = summarize(parse_range(range).unwrap());
            let texts: Vec<String> = all.into_iter().map(cidr_text).collect();
            assert_eq!(texts.join(" "), expected);
        }
    }
}
