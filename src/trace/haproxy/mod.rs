//! A load balancer that people build by hand in front of node ports: a machine outside of the cluster
//! with HAProxy, which knows nothing but its file.
//!
//! Invariants: what is read of a file depends on its text alone; nothing of the cluster changes it.
//!
//! Models haproxy/haproxy src/cfgparse.c, src/backend.c and src/checks.c.
//!
//! Reading order: `parse`, `serve` (the hops).

mod parse;
mod serve;
#[cfg(test)]
mod tests;

pub use parse::{Problem, read};
pub use serve::unlisted;

use crate::net::packet::Endpoint;
use core::time::Duration;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The address of the machine.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 200);

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Where it listens.
    pub fronts: Vec<Front>,
    /// Where it leads.
    pub pools: Vec<Pool>,
}

/// A `frontend`, or the half of a `listen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Its name.
    pub name: Arc<str>,
    /// Its ports.
    pub ports: Vec<u16>,
    /// The place of its backend.
    pub pool: usize,
}

/// A `backend`, or the other half of a `listen`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: Arc<str>,
    /// `mode http`, and not `mode tcp`.
    pub is_http: bool,
    /// `option forwardfor`.
    pub forwards_for: bool,
    /// `option redispatch`: the last try goes to another server.
    pub redispatches: bool,
    /// `retries`.
    pub retries: u32,
    /// `timeout connect`.
    pub connect: Duration,
    /// Its lines.
    pub servers: Vec<Server>,
}

/// A line `server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: Arc<str>,
    /// Where it leads.
    pub to: Endpoint,
    /// How it is checked, if it is (`check`).
    pub check: Option<Check>,
    /// `weight`.
    pub weight: u32,
    /// `backup`: only when no other is up.
    pub is_backup: bool,
}

/// How a server is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// `inter`: from one check to the next.
    pub interval: Duration,
    /// `fall`: after so many that failed it is down.
    pub fall: u32,
    /// `rise`: after so many that succeeded it is up again.
    pub rise: u32,
}

impl Config {
    /// The backend of a port.
    pub fn pool(&self, port: u16) -> Option<&Pool> {
        let front = self.fronts.iter().find(|front| front.ports.contains(&port))?;
        self.pools.get(front.pool)
    }

    /// The ports that it listens on.
    pub fn ports(&self) -> Vec<u16> {
        self.fronts.iter().flat_map(|front| front.ports.iter().copied()).collect()
    }
}
