//! Programs that speak over the network, wherever they run: curl, wget, nslookup, dig, host, ping, nc.
//!
//! [`run`] sends requests from where the program is (the internet, a node, a pod) and says what the
//! real program prints of the outcome, and how long it waits: its [`Output`] has pauses.
//!
//! Invariants: what becomes of a request is decided in `trace` alone; a program moves no clock,
//! whoever runs it lets the pauses pass; exit codes are the real programs'.
//!
//! Reading order: `published`, `exchange`, `cookies`, `curl_options`, `curl`, `wget`, `gnu_wget`, `question`,
//! `nslookup`, `dig`, `flags`, `ping`, `nc`.

mod cookies;
mod curl;
mod curl_options;
mod dig;
mod exchange;
mod flags;
mod gnu_wget;
mod nc;
mod nslookup;
mod ping;
mod published;
mod question;
mod wget;

pub use crate::container::{Kit, Mark, Output, Part, Stream, kit_of};
pub use published::{GATEWAY_API, METALLB, NGINX_GATEWAY, NGINX_GATEWAY_CRDS, published};

use crate::api::Kind;
use crate::base::{Rng, SimTime};
use crate::trace::names::{Inquired, Inquiry};
use crate::trace::{Cluster, PacketTrace, Request, Source};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a connection is tried that nobody answers: Linux sends the first packet eleven times.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(134_500);
/// How long a machine looks for the owner of an address on its own network.
pub const NO_ROUTE: Duration = Duration::from_millis(3_060);

/// The network that a program is connected to.
pub trait Wire {
    /// Sends a request and follows it.
    fn send(&mut self, request: &Request) -> Arc<PacketTrace>;
    /// Carries questions to a name server.
    fn inquire(&mut self, inquiry: &Inquiry) -> Inquired;
    /// The cluster at this moment.
    fn cluster(&self) -> Cluster<'_>;
    /// The source of chance.
    fn rng(&mut self) -> &mut Rng;
}

/// Where a program runs.
pub struct Site<'a> {
    /// The network.
    wire: &'a mut dyn Wire,
    /// Who sends its requests.
    from: Source,
    /// The folder that it saves files in.
    files: &'a mut BTreeMap<String, String>,
    /// Ports of the person's machine that lead into pods.
    forwards: Option<&'a mut Vec<Forwarded>>,
    /// How long it has waited.
    waited: Duration,
    /// What else there is.
    kit: Kit,
}

/// A port of the person's own machine that leads into a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The port of the machine.
    pub local: u16,
    /// The pod's namespace.
    pub namespace: Arc<str>,
    /// The pod's name.
    pub pod: Arc<str>,
    /// The port in the pod.
    pub port: u16,
    /// How many connections came that were not spoken of yet.
    pub connections: u32,
}

impl<'a> Site<'a> {
    /// A place on a network, with a folder, from which requests come as from `from`.
    pub fn new(
        wire: &'a mut dyn Wire,
        from: Source,
        files: &'a mut BTreeMap<String, String>,
    ) -> Self {
        Site { wire, from, files, forwards: None, waited: Duration::ZERO, kit: Kit::COMPUTER }
    }

    /// The same on a machine whose ports lead into pods.
    #[must_use]
    pub const fn with_forwards(mut self, forwards: &'a mut Vec<Forwarded>) -> Self {
        self.forwards = Some(forwards);
        self
    }

    /// Where a request to the machine itself leads: the request that is sent in its place, or
    /// nowhere. `None` if it is not to the machine itself.
    fn forwarded(&mut self, request: &Request) -> Option<Option<Request>> {
        let is_own = matches!(&*request.host, "localhost" | "127.0.0.1" | "::1");
        if !is_own || !matches!(self.from, Source::Internet { .. }) {
            return None;
        }
        let mut all = self.forwards.iter_mut().flat_map(|all| all.iter_mut());
        let found = all.find(|one| one.local == request.port);
        let Some(forwarded) = found else { return Some(None) };
        forwarded.connections = forwarded.connections.saturating_add(1);
        let (namespace, name) = (forwarded.namespace.clone(), forwarded.pod.clone());
        let port = forwarded.port;
        let pod = self.wire.cluster().store.find(Kind::Pod, &namespace, &name);
        let ip = pod.and_then(|pod| pod.pod()).and_then(|pod| pod.status.pod_ip);
        let Some(ip) = ip else { return Some(None) };
        // The kubelet connects from inside of the pod's network.
        let from = Source::Pod { namespace, name };
        let host_header = request.host_header.clone().or_else(|| Some(request.host.clone()));
        let host = Arc::from(ip.to_string());
        Some(Some(Request { from, host, port, host_header, ..request.clone() }))
    }

    /// Waits, before all that is printed.
    fn wait(&mut self, time: Duration) {
        self.waited = self.waited.saturating_add(time);
    }

    /// What a clock shows.
    fn now(&self) -> SimTime {
        self.wire.cluster().now + self.waited
    }
}

/// Runs a program; `None` if there is none of that name in the kit.
// Simplified: a program decides with its first request what it will print; what changes while it
// waits changes nothing for it.
pub fn run(site: &mut Site<'_>, kit: Kit, words: &[String]) -> Option<Output> {
    (site.waited, site.kit) = (Duration::ZERO, kit);
    let mut output = program(site, kit, words)?;
    if !site.waited.is_zero() {
        output.marks.insert(0, Mark { out: 0, err: 0, pause: site.waited });
    }
    Some(output)
}

fn program(site: &mut Site<'_>, kit: Kit, words: &[String]) -> Option<Output> {
    let (first, rest) = words.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    Some(match name {
        "curl" if kit.curl => curl::run(site, rest),
        "wget" if kit.busybox => wget::busybox(site, rest),
        "wget" if kit.wget => gnu_wget::run(site, rest),
        "nslookup" if kit.busybox || kit.bind => nslookup::run(site, rest, kit),
        "dig" if kit.bind => dig::dig(site, rest),
        "host" if kit.bind => dig::host(site, rest),
        "getent" if kit.getent => dig::getent(site, rest),
        "ping" if kit.ping => ping::iputils(site, rest),
        "ping" if kit.busybox => ping::busybox(site, rest),
        "nc" if kit.nc => nc::openbsd(site, rest),
        "nc" if kit.busybox => nc::busybox(site, rest),
        _ => return None,
    })
}
