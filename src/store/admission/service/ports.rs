//! The node ports of a Service.
//!
//! Models pkg/registry/core/service/storage/alloc.go and …/portallocator.

use super::{Refused, needs_health_check, type_of};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, FieldError, Reason, Value};
use crate::store::server::internal_error;
use crate::store::storage::Store;
use core::ops::RangeInclusive;
use std::collections::BTreeMap;

/// The ports that a NodePort Service can have.
pub const NODE_PORTS: RangeInclusive<u16> = 30_000..=32_767;

/// The low part of the node ports, kept for those that people choose themselves.
const STATIC_NODE_PORTS: u16 = 86;

fn node_port(port: &Value) -> i64 {
    port.int_at(&["nodePort"]).unwrap_or_default()
}

fn node_ports_of(spec: &Value) -> Vec<i64> {
    spec.items_at(&["ports"]).iter().map(node_port).filter(|port| *port != 0).collect()
}

/// Whether every node port was there before.
pub(super) fn has_no_new_node_port(spec: &Value, old: &Value) -> bool {
    let before = node_ports_of(old);
    node_ports_of(spec).iter().all(|port| before.contains(port))
}

/// Ports keep their node ports by name, where their writer left them out.
pub(super) fn keep_node_ports(spec: &mut Value, old: &Value) {
    let (now, before) = (node_ports_of(spec), node_ports_of(old));
    let name = |port: &Value| port.str_at(&["name"]).unwrap_or_default().to_owned();
    let known: BTreeMap<String, i64> =
        old.items_at(&["ports"]).iter().map(|port| (name(port), node_port(port))).collect();
    let Some(ports) = spec.entry(&["ports"]).as_array_mut() else { return };
    for port in ports.iter_mut().filter(|port| node_port(port) == 0) {
        let kept = known.get(&name(port)).copied().unwrap_or_default();
        if kept != 0 && !(now.contains(&kept) && before.contains(&kept)) {
            port.put(&["nodePort"], kept);
        }
    }
}

/// The ports that one request takes, beside those that others have.
struct Operation<'a> {
    store: &'a mut Store,
    taken: Vec<i64>,
}

impl Operation<'_> {
    fn allocate(&mut self, wanted: i64) -> Result<(), String> {
        let Some(port) = u16::try_from(wanted).ok().filter(|port| NODE_PORTS.contains(port)) else {
            return Err(format!(
                "provided port is not in the valid range. The range of valid ports is {}-{}",
                NODE_PORTS.start(),
                NODE_PORTS.end()
            ));
        };
        if self.taken.contains(&wanted) || self.store.indexes().node_ports.contains_key(&port) {
            return Err("provided port is already allocated".to_owned());
        }
        self.taken.push(wanted);
        Ok(())
    }

    /// A free port at random, from the high part first.
    fn allocate_next(&mut self) -> Option<i64> {
        let first = NODE_PORTS.start() + STATIC_NODE_PORTS;
        let room = NODE_PORTS.end() - first + 1;
        let start = u16::try_from(self.store.rng().below(u32::from(room))).unwrap_or_default();
        let high = (0..room).map(|step| first + (start + step) % room);
        let mut ports = high.chain(*NODE_PORTS.start()..first);
        let others = &self.store.indexes().node_ports;
        let is_free =
            |port: &u16| !others.contains_key(port) && !self.taken.contains(&i64::from(*port));
        let port = i64::from(ports.find(is_free)?);
        self.taken.push(port);
        Some(port)
    }

    fn next_or_full(&mut self) -> Result<i64, Refused> {
        let why = "Internal error occurred: failed to allocate a nodePort: range is full";
        self.allocate_next().ok_or_else(|| Refused::Other(internal_error(why)))
    }
}

fn refuse(index: usize, wanted: i64, detail: String) -> Refused {
    FieldError::invalid(format!("spec.ports[{index}].nodePort"), wanted, detail).into()
}

/// Whether ports without a number get one.
fn gives_ports(spec: &Value) -> bool {
    match type_of(spec) {
        "NodePort" => true,
        "LoadBalancer" => spec.bool_at(&["allocateLoadBalancerNodePorts"]) != Some(false),
        _ => false,
    }
}

/// Models alloc.go initNodePorts for a new Service and updateNodePorts for a changed one.
pub(super) fn node_ports(
    store: &mut Store,
    spec: &mut Value,
    old: Option<&Value>,
) -> Result<(), Refused> {
    if !matches!(type_of(spec), "NodePort" | "LoadBalancer") {
        return Ok(());
    }
    let gives = gives_ports(spec);
    let mut ports = spec.items_at(&["ports"]).to_vec();
    let mut operation = Operation { store, taken: Vec::new() };
    match old {
        None => new_ports(&mut operation, &mut ports, gives)?,
        Some(old) => changed_ports(&mut operation, &mut ports, &node_ports_of(old), gives)?,
    }
    if !ports.is_empty() {
        spec.put(&["ports"], ports);
    }
    Ok(())
}

/// One number may serve two protocols of the same port.
fn new_ports(
    operation: &mut Operation<'_>,
    ports: &mut [Value],
    gives: bool,
) -> Result<(), Refused> {
    let number = |port: &Value| port.int_at(&["port"]).unwrap_or_default();
    let mut known: BTreeMap<i64, i64> = BTreeMap::new();
    for index in 0..ports.len() {
        let Some(port) = ports.get(index) else { break };
        let (number, given) = (number(port), node_port(port));
        if given == 0 && !gives {
            continue;
        }
        let chosen = match known.get(&number) {
            Some(before) if given == 0 || given == *before => *before,
            Some(_) => {
                operation.allocate(given).map_err(|why| refuse(index, given, why))?;
                given
            }
            None => {
                let same = |port: &&Value| number == port.int_at(&["port"]).unwrap_or_default();
                let asked = ports.iter().filter(same).map(node_port).find(|port| *port != 0);
                let chosen = match asked {
                    Some(asked) => {
                        operation.allocate(asked).map_err(|why| refuse(index, asked, why))?;
                        asked
                    }
                    None => operation.next_or_full()?,
                };
                known.insert(number, chosen);
                chosen
            }
        };
        if let Some(port) = ports.get_mut(index) {
            port.put(&["nodePort"], chosen);
        }
    }
    Ok(())
}

fn changed_ports(
    operation: &mut Operation<'_>,
    ports: &mut [Value],
    before: &[i64],
    gives: bool,
) -> Result<(), Refused> {
    let mut seen: Vec<(String, i64)> = Vec::new();
    for (index, port) in ports.iter_mut().enumerate() {
        let mut wanted = node_port(port);
        if wanted == 0 && !gives {
            continue;
        }
        if wanted == 0 {
            wanted = operation.next_or_full()?;
            port.put(&["nodePort"], wanted);
        } else if !before.contains(&wanted) && !operation.taken.contains(&wanted) {
            operation.allocate(wanted).map_err(|why| refuse(index, wanted, why))?;
        }
        let protocol = port.str_at(&["protocol"]).unwrap_or_default().to_owned();
        if seen.contains(&(protocol.clone(), wanted)) {
            let why = format!("duplicate nodePort: {{{protocol} {wanted}}}");
            return Err(Refused::Other(ApiError::new(Reason::Unknown, why)));
        }
        seen.push((protocol, wanted));
    }
    Ok(())
}

/// Models alloc.go allocHealthCheckNodePort and updateHealthCheckNodePort.
pub(super) fn health_check_port(
    store: &mut Store,
    spec: &mut Value,
    old: Option<&Value>,
) -> Result<(), Refused> {
    if !needs_health_check(spec) || old.is_some_and(needs_health_check) {
        return Ok(());
    }
    let taken = node_ports_of(spec);
    let wanted = spec.int_at(&["healthCheckNodePort"]).unwrap_or_default();
    let mut operation = Operation { store, taken };
    if wanted == 0 {
        let port = operation.next_or_full()?;
        spec.put(&["healthCheckNodePort"], port);
        return Ok(());
    }
    operation.allocate(wanted).map_err(|why| {
        Refused::Other(internal_error(format!(
            "Internal error occurred: failed to allocate requested HealthCheck NodePort {wanted}: {why}"
        )))
    })
}
