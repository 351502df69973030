//! Network devices of a machine.

use super::lookup;
use std::net::IpAddr;

/// The name of the machine's end of the cable to a pod of this address.
pub fn cable_name(ip: IpAddr) -> String {
    let hash = lookup::of_ip(ip);
    format!("veth{:08x}", (hash ^ hash >> 32) as u32)
}
