//! Programs that speak over the network, wherever they run: curl, wget, nslookup, ping, nc.
//!
//! [`run`] sends requests from where the program is (the internet, a node, a pod), prints what the
//! real program prints of the outcome, and notes how long it waits.
//!
//! Invariants: what becomes of a request is decided in `trace` alone; exit codes are the real
//! programs'.
//!
//! Simplified: a program that asks several times does so at one moment, and its waits come after.
//!
//! Reading order: `published`, `exchange`, `cookies`, `curl_options`, `curl`, `wget`, `nslookup`,
//! `probe`.

mod cookies;
mod curl;
mod curl_options;
mod exchange;
mod nslookup;
mod probe;
mod published;
mod wget;

pub use crate::container::{Kit, Output, kit_of};
pub use published::{METALLB, published};

use crate::base::{Rng, SimTime};
use crate::proxy::Mode;
use crate::trace::{Cluster, PacketTrace, Request, Source};
use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a connection is tried that nobody answers: Linux sends the first packet eleven times.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(134_500);
/// How long a machine looks for the owner of an address on its own network.
pub const NO_ROUTE: Duration = Duration::from_millis(3_060);
/// How long a resolver waits for name servers that do not answer: five seconds, twice.
pub const NAME_TIMEOUT: Duration = Duration::from_secs(10);

impl Output {
    /// Nothing but a line on standard error.
    pub fn failed(exit: i32, line: impl AsRef<str>) -> Self {
        Output { stderr: format!("{}\n", line.as_ref()), exit, ..Output::default() }
    }
}

/// The network that a program is connected to.
pub trait Wire {
    /// Sends a request and follows it.
    fn send(&mut self, request: &Request) -> Arc<PacketTrace>;
    /// The cluster at this moment.
    fn cluster(&self) -> Cluster<'_>;
    /// Whether an address is one that kube-proxy makes for a Service.
    fn is_service_address(&mut self, ip: IpAddr) -> bool;
    /// How kube-proxy works.
    fn proxy_mode(&self) -> Mode;
    /// The source of chance.
    fn rng(&mut self) -> &mut Rng;
}

/// Where a program runs.
pub struct Site<'a> {
    /// The network.
    pub wire: &'a mut dyn Wire,
    /// Who sends its requests.
    pub from: Source,
    /// The folder that it saves files in.
    pub files: &'a mut BTreeMap<String, String>,
    /// How long it has waited.
    pub waited: Duration,
}

impl<'a> Site<'a> {
    /// A program that begins now.
    pub fn new(
        wire: &'a mut dyn Wire,
        from: Source,
        files: &'a mut BTreeMap<String, String>,
    ) -> Self {
        Site { wire, from, files, waited: Duration::ZERO }
    }

    fn wait(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
    }

    fn now(&self) -> SimTime {
        self.wire.cluster().now + self.waited
    }
}

/// Runs a program; `None` if there is none of that name in the kit.
pub fn run(site: &mut Site<'_>, kit: Kit, words: &[String]) -> Option<Output> {
    let (first, rest) = words.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    Some(match name {
        "curl" if kit.curl => curl::run(site, rest),
        "wget" if kit.busybox => wget::busybox(site, rest),
        "wget" if kit.wget => wget::gnu(site, rest),
        "nslookup" if kit.busybox || kit.nslookup => nslookup::run(site, rest, kit),
        "ping" if kit.busybox || kit.ping => probe::ping(site, rest),
        "nc" if kit.busybox || kit.nc => probe::nc(site, rest),
        _ => return None,
    })
}
