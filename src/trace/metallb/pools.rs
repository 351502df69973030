//! Pools of addresses, and which of them a Service gets.
//!
//! Models metallb/metallb internal/config/config.go and internal/allocator/allocator.go.
//!
//! Simplified: IPv4 alone.

use super::{any_matches, objects};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::store::{ObjectKey, Store};
use core::net::Ipv4Addr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The annotation that lets Services share an address, with the key they must have in common.
const SHARING: &str = "metallb.io/allow-shared-ip";

/// A pool of addresses.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// The IPAddressPool.
    pub object: Arc<Object>,
    /// Its addresses from and to, in the order of the manifest.
    pub ranges: Vec<(u32, u32)>,
}

impl Pool {
    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.object.meta.name
    }

    fn flag(&self, key: &str, usual: bool) -> bool {
        self.object.spec().bool_at(&[key]).unwrap_or(usual)
    }

    /// Whether an address may be given.
    fn gives(&self, ip: u32) -> bool {
        let confuses = matches!(ip & 0xff, 0 | 255);
        !(self.flag("avoidBuggyIPs", false) && confuses)
    }

    /// Whether it has an address.
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        let ip = ip.to_bits();
        self.gives(ip) && self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&ip))
    }

    /// How many addresses it has.
    pub fn size(&self) -> u64 {
        let of = |(from, to): &(u32, u32)| (*from..=*to).filter(|ip| self.gives(*ip)).count();
        let all: usize = self.ranges.iter().map(of).sum();
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    fn allocation(&self) -> Option<&Value> {
        self.object.spec().at(&["serviceAllocation"]).filter(|it| !it.is_null())
    }

    /// Whether a Service may have an address of it.
    ///
    /// Models isPoolCompatibleWithService.
    pub fn is_for(&self, store: &Store, service: &Object) -> bool {
        let Some(allocation) = self.allocation() else { return true };
        let namespaces = allocation.items_at(&["namespaces"]);
        let selectors = allocation.items_at(&["namespaceSelectors"]);
        let own = store.find(Kind::Namespace, "", &service.meta.namespace);
        let in_namespace = namespaces.is_empty() && selectors.is_empty()
            || namespaces.iter().any(|name| name.as_str() == Some(&service.meta.namespace))
            || own.is_some_and(|own| any_matches(selectors, &own.meta.labels, false));
        let services = allocation.items_at(&["serviceSelectors"]);
        in_namespace && any_matches(services, &service.meta.labels, true)
    }
}

/// Reads `10.0.0.0/28` or `10.0.0.1-10.0.0.9`.
///
/// Models config.go ParseCIDR.
///
/// # Errors
/// What is wrong, in MetalLB's words.
pub fn parse_range(text: &str) -> Result<(u32, u32), String> {
    let Some((start, end)) = text.split_once('-') else {
        let net = text.parse::<ipnet::Ipv4Net>().map_err(|_| format!("invalid CIDR \"{text}\""))?;
        return Ok((net.network().to_bits(), net.broadcast().to_bits()));
    };
    let read = |part: &str, which: &str| {
        let ip = part.trim().parse::<Ipv4Addr>().map(Ipv4Addr::to_bits);
        ip.map_err(|_| format!("invalid IP range \"{text}\": invalid {which} IP \"{part}\""))
    };
    let (from, to) = (read(start, "start")?, read(end, "end")?);
    if from > to {
        return Err(format!(
            "invalid IP range \"{text}\": start IP \"{}\" is after the end IP \"{}\"",
            start.trim(),
            end.trim()
        ));
    }
    Ok((from, to))
}

/// The pools there are, in the order of their names.
pub fn pools(store: &Store) -> Vec<Pool> {
    let all = objects(store, "IPAddressPool").into_iter();
    all.filter(|object| !object.meta.is_terminating())
        .map(|object| {
            let addresses = object.spec().items_at(&["addresses"]).iter().filter_map(Value::as_str);
            let ranges = addresses.filter_map(|text| parse_range(text).ok()).collect();
            Pool { object: object.clone(), ranges }
        })
        .collect()
}

/// The pool that an address is of.
pub fn pool_of(pools: &[Pool], ip: Ipv4Addr) -> Option<&Pool> {
    pools.iter().find(|pool| pool.contains(ip))
}

/// Who has which address now.
#[derive(Clone, Debug, Default)]
pub struct Taken(BTreeMap<u32, Vec<Holder>>);

#[derive(Clone, Debug)]
struct Holder {
    service: ObjectKey,
    sharing: String,
    backend: String,
    ports: Vec<(String, i64)>,
}

impl Holder {
    fn of(service: &Object) -> Self {
        let ports = service.spec().items_at(&["ports"]).iter();
        let port = |it: &Value| {
            let protocol = it.str_at(&["protocol"]).unwrap_or("TCP").to_lowercase();
            (protocol, it.int_at(&["port"]).unwrap_or_default())
        };
        // Services with a policy of Local share only if they have the same pods.
        let local = service.spec().str_at(&["externalTrafficPolicy"]) == Some("Local");
        let selector = service.spec().get("selector").filter(|_| local);
        Holder {
            service: ObjectKey::of(service),
            sharing: service.meta.annotations.get(SHARING).unwrap_or_default().to_owned(),
            backend: selector.map(Value::to_string).unwrap_or_default(),
            ports: ports.map(port).collect(),
        }
    }
}

/// The addresses that a Service has.
pub fn addresses(service: &Object) -> Vec<Ipv4Addr> {
    let ingress = service.status().items_at(&["loadBalancer", "ingress"]).iter();
    ingress.filter_map(|it| it.str_at(&["ip"])?.parse().ok()).collect()
}

impl Taken {
    /// The addresses of all Services of type LoadBalancer.
    pub fn of(store: &Store) -> Self {
        let mut taken = Taken::default();
        for service in store.list(Kind::Service) {
            if service.spec().str_at(&["type"]) == Some("LoadBalancer") {
                for ip in addresses(service) {
                    taken.0.entry(ip.to_bits()).or_default().push(Holder::of(service));
                }
            }
        }
        taken
    }

    /// Notes that a Service has these addresses, and no others any more.
    pub fn put(&mut self, service: &Object, ips: &[Ipv4Addr]) {
        let key = ObjectKey::of(service);
        for holders in self.0.values_mut() {
            holders.retain(|it| it.service != key);
        }
        for ip in ips {
            self.0.entry(ip.to_bits()).or_default().push(Holder::of(service));
        }
    }

    /// How many addresses of a pool are given.
    pub fn count(&self, pool: &Pool) -> u64 {
        let taken = self.0.iter().filter(|(_, holders)| !holders.is_empty());
        let own = taken.filter(|(ip, _)| pool.contains(Ipv4Addr::from_bits(**ip))).count();
        u64::try_from(own).unwrap_or(u64::MAX)
    }

    /// Whether a Service may have an address beside those that have it.
    ///
    /// Models checkSharing.
    fn check(&self, service: &Object, ip: u32) -> Result<(), String> {
        let new = Holder::of(service);
        let others = self.0.get(&ip).into_iter().flatten();
        let others: Vec<&Holder> = others.filter(|it| it.service != new.service).collect();
        let agrees = |it: &&Holder| {
            !it.sharing.is_empty() && it.sharing == new.sharing && it.backend == new.backend
        };
        if !others.iter().all(agrees) {
            let names: Vec<String> = others.iter().map(|it| it.service.to_string()).collect();
            return Err(format!(
                "can't change sharing key for \"{}\", address also in use by {}",
                new.service,
                names.join(",")
            ));
        }
        let taken = new.ports.iter().find(|port| others.iter().any(|it| it.ports.contains(port)));
        match taken {
            Some((protocol, number)) => {
                let ip = Ipv4Addr::from_bits(ip);
                Err(format!("port {protocol}/{number} is already in use on \"{ip}\""))
            }
            None => Ok(()),
        }
    }

    fn free_in(&self, pool: &Pool, service: &Object) -> Option<Ipv4Addr> {
        let all = pool.ranges.iter().flat_map(|(from, to)| *from..=*to);
        let mut free = all.filter(|ip| pool.gives(*ip) && self.check(service, *ip).is_ok());
        free.next().map(Ipv4Addr::from_bits)
    }
}

/// Whether a Service may have certain addresses, and from which pool they are.
///
/// Models Assign.
///
/// # Errors
/// Why not, in MetalLB's words.
pub fn assign<'a>(
    store: &Store,
    pools: &'a [Pool],
    taken: &Taken,
    service: &Object,
    ips: &[Ipv4Addr],
) -> Result<&'a Pool, String> {
    let pool = pools.iter().find(|pool| ips.iter().all(|ip| pool.contains(*ip)));
    let Some(pool) = pool else {
        let list: Vec<String> = ips.iter().map(|ip| format!("\"{ip}\"")).collect();
        return Err(format!("[{}] is not allowed in config", list.join(" ")));
    };
    if !pool.is_for(store, service) {
        return Err(format!("pool {} not compatible for ip assignment", pool.name()));
    }
    ips.iter().try_for_each(|ip| taken.check(service, ip.to_bits()))?;
    Ok(pool)
}

/// Picks an address for a Service: from the pool that is asked for, from those that are kept for
/// such Services, from any.
///
/// Models Allocate and AllocateFromPool. Upstream's order of pools is Go's of a map; here it is that
/// of their names.
///
/// # Errors
/// Why there is none, in MetalLB's words.
pub fn allocate<'a>(
    store: &Store,
    pools: &'a [Pool],
    taken: &Taken,
    service: &Object,
    wanted: Option<&str>,
) -> Result<(Ipv4Addr, &'a Pool), String> {
    if let Some(name) = wanted {
        let Some(pool) = pools.iter().find(|pool| **pool.name() == *name) else {
            return Err(format!("unknown pool \"{name}\""));
        };
        let ip = taken.free_in(pool, service);
        let ip = ip.ok_or_else(|| format!("no available IPs in pool {name}"))?;
        if !pool.is_for(store, service) {
            return Err(format!("pool {name} not compatible for ip assignment"));
        }
        return Ok((ip, pool));
    }
    let is_auto = |pool: &&Pool| pool.flag("autoAssign", true);
    let kept = |pool: &&Pool| pool.allocation().is_some();
    let mut pinned: Vec<&Pool> = pools
        .iter()
        .filter(|pool| is_auto(pool) && kept(pool) && pool.is_for(store, service))
        .collect();
    // No priority is the lowest.
    order::sort_by_key(&mut pinned, |pool| {
        let priority = pool.allocation().and_then(|it| it.int_at(&["priority"]));
        priority.filter(|priority| *priority > 0).unwrap_or(i64::MAX)
    });
    let open = pools.iter().filter(|pool| is_auto(pool) && !kept(pool));
    let mut candidates = pinned.into_iter().chain(open);
    let found = candidates.find_map(|pool| Some((taken.free_in(pool, service)?, pool)));
    found.ok_or_else(|| "no available IPs".to_owned())
}
