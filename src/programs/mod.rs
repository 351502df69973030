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
use crate::pattern::Pattern;
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
    /// What the API server answers a request that has come to it; `is_trusted` if whoever carries it
    /// says who asks.
    fn api(&mut self, request: &Request, is_trusted: bool) -> Served;
}

/// An answer of the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Arc<str>,
    /// What it says beside.
    pub warnings: Vec<String>,
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

/// A port of the person's own machine that leads into a pod, or to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The port of the machine.
    pub local: u16,
    /// Where it leads.
    pub to: Beyond,
    /// How many connections came that were not spoken of yet.
    pub connections: u32,
}

/// What is behind a port of the person's own machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// A pod: `kubectl port-forward`.
    Pod {
        /// Its namespace.
        namespace: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// The port in it.
        port: u16,
    },
    /// The API server: `kubectl proxy`.
    Api(Gate),
}

/// What `kubectl proxy` lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The path below which the API is, with a slash at its end.
    pub prefix: String,
    /// Paths and hosts that are let through, then paths and methods that are not; none of it if
    /// there is no filter.
    pub filter: Option<[Vec<Pattern>; 4]>,
}

impl Gate {
    /// The path that a request is for at the API server; why not, if it is not let through.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/proxy/proxy_server.go accept and stripLeaveSlash.
    fn path(&self, request: &Request) -> Result<String, (u16, &'static str)> {
        let whole = &*request.path;
        let below = whole.strip_prefix(&self.prefix);
        let path = match below {
            _ if self.prefix.starts_with("/api") && below.is_some() => whole.to_owned(),
            Some(rest) => format!("/{}", rest.trim_start_matches('/')),
            None => return Err((404, "404 page not found\n")),
        };
        let Some([paths, hosts, no_paths, no_methods]) = &self.filter else { return Ok(path) };
        let is_in = |text: &str, all: &[Pattern]| all.iter().any(|pattern| pattern.is_in(text));
        let bare = path.split('?').next().unwrap_or_default();
        let is_let_through = is_in(bare, paths)
            && is_in(request.asked_host(), hosts)
            && !is_in(bare, no_paths)
            && !is_in(&request.method, no_methods);
        if is_let_through { Ok(path) } else { Err((403, "Forbidden\n")) }
    }
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
        let Beyond::Pod { namespace, name, port } = &forwarded.to else { return None };
        forwarded.connections = forwarded.connections.saturating_add(1);
        let (namespace, name, port) = (namespace.clone(), name.clone(), *port);
        let pod = self.wire.cluster().store.find(Kind::Pod, &namespace, &name);
        let ip = pod.and_then(|pod| pod.pod()).and_then(|pod| pod.status.pod_ip);
        let Some(ip) = ip else { return Some(None) };
        // The kubelet connects from inside of the pod's network.
        let from = Source::Pod { namespace, name };
        let host_header = request.host_header.clone().or_else(|| Some(request.host.clone()));
        let host = Arc::from(ip.to_string());
        Some(Some(Request { from, host, port, host_header, ..request.clone() }))
    }

    /// What a `kubectl proxy` on the machine answers, if the request is to one.
    fn proxied(&mut self, request: &Request) -> Option<Served> {
        let is_own = matches!(&*request.host, "localhost" | "127.0.0.1" | "::1");
        if !is_own || request.tls || !matches!(self.from, Source::Internet { .. }) {
            return None;
        }
        let all = self.forwards.iter().flat_map(|all| all.iter());
        let gate = all.filter(|one| one.local == request.port).find_map(|one| match &one.to {
            Beyond::Api(gate) => Some(gate),
            Beyond::Pod { .. } => None,
        })?;
        Some(match gate.path(request) {
            Ok(path) => {
                let request = Request { path: Arc::from(path), ..request.clone() };
                self.wire.api(&request, true)
            }
            Err((status, body)) => Served {
                status,
                content_type: "text/plain; charset=utf-8",
                body: Arc::from(body),
                warnings: Vec::new(),
            },
        })
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
