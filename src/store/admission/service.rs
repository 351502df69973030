//! Cluster IPs and node ports.
//!
//! Models pkg/registry/core/service/storage/alloc.go, …/ipallocator and …/portallocator.

use super::{content, spec_text};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, FieldError, Object, Value};
use crate::store::server::invalid;
use crate::store::storage::Store;
use core::net::Ipv4Addr;
use core::ops::RangeInclusive;
use serde_json::json;

/// The addresses of Services: 10.96.0.0/16, as first address and number of addresses.
pub const SERVICE_CIDR: (Ipv4Addr, u32) = (Ipv4Addr::new(10, 96, 0, 0), 65_536);

/// The ports that a NodePort Service can have.
pub const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// The low part of the node ports, kept for those that people choose themselves.
const STATIC_NODE_PORTS: u16 = 86;
/// The low part of the addresses, kept likewise.
const STATIC_ADDRESSES: u32 = 256;

/// Gives a Service its addresses and ports, or takes over those of `old`.
pub(super) fn allocate(
    store: &mut Store,
    object: &mut Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    content(object)?;
    let mut spec = object.spec().clone();
    if let Some(old) = old {
        keep_allocated(&mut spec, old.spec());
    }
    let service_type = spec_text(object, "type").to_owned();
    if service_type != "ExternalName" {
        families(&mut spec);
        cluster_ip(store, &mut spec, old).map_err(|cause| refuse(object, cause))?;
    }
    let load_balancer = service_type == "LoadBalancer";
    let wants_ports = service_type == "NodePort"
        || load_balancer && spec.bool_at(&["allocateLoadBalancerNodePorts"]) != Some(false);
    if wants_ports || matches!(service_type.as_str(), "NodePort" | "LoadBalancer") {
        node_ports(store, &mut spec, old, wants_ports).map_err(|cause| refuse(object, cause))?;
    }
    if load_balancer && spec.str_at(&["externalTrafficPolicy"]) == Some("Local") {
        let port = spec.int_at(&["healthCheckNodePort"]).unwrap_or_default();
        if port == 0 {
            let port = free_port(store, &[])
                .ok_or_else(|| refuse(object, full(&["spec", "healthCheckNodePort"])))?;
            spec.put(&["healthCheckNodePort"], port);
        }
    }
    object.set_spec(spec);
    Ok(())
}

fn refuse(object: &Object, cause: FieldError) -> ApiError {
    invalid(object.kind, &object.meta.name, vec![cause])
}

fn full(path: &[&str]) -> FieldError {
    FieldError::invalid(path.join("."), Value::Null, "range is full")
}

/// A manifest rarely repeats what the server gave; then it stays.
///
/// Models pkg/registry/core/service/strategy.go patchAllocatedValues and
/// storage/alloc.go normalizeClusterIPs.
fn keep_allocated(spec: &mut Value, old: &Value) {
    let has_ip = |spec: &Value| spec.str_at(&["type"]) != Some("ExternalName");
    if has_ip(spec) && has_ip(old) {
        for key in ["clusterIP", "clusterIPs"] {
            if let Some(value) = old.get(key) {
                let given = spec.str_at(&["clusterIP"]).is_some_and(|ip| !ip.is_empty());
                if !given || key == "clusterIPs" && spec.get("clusterIP") == old.get("clusterIP") {
                    spec.put_default(&[key], value.clone());
                }
            }
        }
    }
    // Who changes one and repeats the other means both.
    let changed = spec.get("clusterIP") != old.get("clusterIP");
    let given = spec.str_at(&["clusterIP"]).filter(|ip| !ip.is_empty()).map(str::to_owned);
    if let Some(ip) = given.filter(|_| changed && spec.get("clusterIPs") == old.get("clusterIPs"))
        && let Some(first) =
            spec.entry(&["clusterIPs"]).as_array_mut().and_then(|all| all.first_mut())
    {
        *first = ip.into();
    }
    for key in ["ipFamilies", "ipFamilyPolicy"] {
        if let Some(value) = old.get(key).filter(|_| has_ip(spec)) {
            spec.put_default(&[key], value.clone());
        }
    }
    let has_ports =
        |spec: &Value| matches!(spec.str_at(&["type"]), Some("NodePort" | "LoadBalancer"));
    if !has_ports(spec) || !has_ports(old) {
        return;
    }
    let old_ports = old.items_at(&["ports"]).to_vec();
    for port in spec.entry(&["ports"]).as_array_mut().into_iter().flatten() {
        let same = |other: &&Value| {
            other.get("port") == port.get("port") && other.get("protocol") == port.get("protocol")
        };
        let kept = old_ports.iter().find(same).and_then(|other| other.int_at(&["nodePort"]));
        if let Some(kept) = kept.filter(|_| port.int_at(&["nodePort"]).unwrap_or_default() == 0) {
            port.put(&["nodePort"], kept);
        }
    }
    if let Some(port) = old.get("healthCheckNodePort") {
        spec.put_default(&["healthCheckNodePort"], port.clone());
    }
}

/// Simplified: the cluster has IPv4 only.
fn families(spec: &mut Value) {
    let headless = spec.str_at(&["clusterIP"]) == Some("None");
    let selects = spec.fields_at(&["selector"]).is_some_and(|selector| !selector.is_empty());
    if headless && !selects {
        // Without a selector nothing says which families the endpoints have.
        spec.put_default(&["ipFamilyPolicy"], "RequireDualStack");
        spec.put_default(&["ipFamilies"], json!(["IPv4", "IPv6"]));
    }
    spec.put_default(&["ipFamilyPolicy"], "SingleStack");
    spec.put_default(&["ipFamilies"], json!(["IPv4"]));
}

fn cluster_ip(store: &mut Store, spec: &mut Value, old: Option<&Object>) -> Result<(), FieldError> {
    let given = spec
        .str_at(&["clusterIP"])
        .filter(|ip| !ip.is_empty())
        .or_else(|| spec.items_at(&["clusterIPs"]).first().and_then(Value::as_str))
        .map(str::to_owned);
    let Some(given) = given else {
        let ip = free_address(store).ok_or_else(|| full(&["spec", "clusterIPs"]))?;
        spec.put(&["clusterIP"], ip.to_string());
        spec.put(&["clusterIPs"], json!([ip.to_string()]));
        return Ok(());
    };
    spec.put_default(&["clusterIP"], given.clone());
    spec.put_default(&["clusterIPs"], json!([given.clone()]));
    let unchanged = old.is_some_and(|old| spec_text(old, "clusterIP") == given);
    let replaced = old.is_some_and(|old| !matches!(spec_text(old, "clusterIP"), "" | "None"));
    let Ok(ip) = given.parse::<Ipv4Addr>() else { return Ok(()) };
    if unchanged || replaced {
        // Another address than before is refused by validation.
        return Ok(());
    }
    let (first, count) = SERVICE_CIDR;
    let offset = ip.to_bits().wrapping_sub(first.to_bits());
    let problem = if offset >= count {
        "the provided network does not match the current range"
    } else if store.indexes().cluster_ips.contains(&ip.to_bits()) {
        "provided IP is already allocated"
    } else {
        return Ok(());
    };
    let detail = format!("failed to allocate IP {given}: {problem}");
    Err(FieldError::invalid("spec.clusterIPs", json!([given]), detail))
}

/// A free address at random, from the high part first.
fn free_address(store: &mut Store) -> Option<Ipv4Addr> {
    let (first, count) = SERVICE_CIDR;
    // The last address is the broadcast address and is not given out.
    let room = count - STATIC_ADDRESSES - 1;
    let start = store.rng().below(room);
    let high = (0..room).map(|step| STATIC_ADDRESSES + (start + step) % room);
    let mut offsets = high.chain(1..STATIC_ADDRESSES);
    let taken = &store.indexes().cluster_ips;
    let bits = offsets.find_map(|offset| {
        let bits = first.to_bits() + offset;
        (!taken.contains(&bits)).then_some(bits)
    });
    bits.map(Ipv4Addr::from_bits)
}

fn node_ports(
    store: &mut Store,
    spec: &mut Value,
    old: Option<&Object>,
    allocate_missing: bool,
) -> Result<(), FieldError> {
    let own: Vec<i64> = old
        .into_iter()
        .flat_map(|old| old.spec().items_at(&["ports"]))
        .filter_map(|port| port.int_at(&["nodePort"]))
        .collect();
    let mut given: Vec<(i64, i64, String)> = Vec::new();
    let mut ports = spec.items_at(&["ports"]).to_vec();
    for (index, port) in ports.iter_mut().enumerate() {
        let wanted = port.int_at(&["nodePort"]).unwrap_or_default();
        let number = port.int_at(&["port"]).unwrap_or_default();
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP").to_owned();
        // One number may serve two protocols of the same Service.
        let shared = given.iter().find(|(node_port, service_port, other)| {
            *other != protocol && (*node_port == wanted || wanted == 0 && *service_port == number)
        });
        let node_port = match (shared, wanted) {
            (Some((node_port, ..)), _) => *node_port,
            (None, 0) if !allocate_missing => continue,
            (None, 0) => {
                let taken: Vec<i64> = given.iter().map(|(port, ..)| *port).collect();
                let path = format!("spec.ports[{index}].nodePort");
                let free = free_port(store, &taken);
                i64::from(free.ok_or_else(|| FieldError::invalid(path, 0, "range is full"))?)
            }
            (None, wanted) => {
                if !own.contains(&wanted) {
                    check_port(store, index, wanted)?;
                }
                wanted
            }
        };
        port.put(&["nodePort"], node_port);
        given.push((node_port, number, protocol));
    }
    spec.put(&["ports"], ports);
    Ok(())
}

fn check_port(store: &Store, index: usize, wanted: i64) -> Result<(), FieldError> {
    let port = u16::try_from(wanted).ok().filter(|port| NODE_PORTS.contains(port));
    let detail = match port {
        None => format!(
            "provided port is not in the valid range. The range of valid ports is {}-{}",
            NODE_PORTS.start(),
            NODE_PORTS.end()
        ),
        Some(port) if store.indexes().node_ports.contains_key(&port) => {
            "provided port is already allocated".to_owned()
        }
        Some(_) => return Ok(()),
    };
    Err(FieldError::invalid(format!("spec.ports[{index}].nodePort"), wanted, detail))
}

/// A free port at random, from the high part first.
fn free_port(store: &mut Store, also_taken: &[i64]) -> Option<u16> {
    let first = NODE_PORTS.start() + STATIC_NODE_PORTS;
    let room = NODE_PORTS.end() - first + 1;
    let start = u16::try_from(store.rng().below(u32::from(room))).unwrap_or_default();
    let high = (0..room).map(|step| first + (start + step) % room);
    let mut ports = high.chain(*NODE_PORTS.start()..first);
    let taken = &store.indexes().node_ports;
    ports.find(|port| !taken.contains_key(port) && !also_taken.contains(&i64::from(*port)))
}
