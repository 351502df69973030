//! Programs that speak over the network, wherever they run: curl, wget, nslookup, ping, nc.
//!
//! [`run`] sends requests from where the program is (the internet, a node, a pod), prints what the
//! real program prints of the outcome, and lets the time pass that it waits.
//!
//! Invariants: what becomes of a request is decided in `trace` alone; a program that waits runs the
//! world forward; exit codes are the real programs'.
//!
//! Reading order: `kit` (which image has what), `exchange`, `cookies`, `curl`, `wget`, `nslookup`, `probe`.

mod cookies;
mod curl;
mod curl_options;
mod exchange;
mod kit;
mod nslookup;
mod probe;
mod wget;

pub use kit::{Kit, kit_of};

use crate::trace::Source;
use crate::world::World;
use core::time::Duration;
use std::collections::BTreeMap;

/// How long a connection is tried that nobody answers: Linux sends the first packet eleven times.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(134_500);
/// How long a machine looks for the owner of an address on its own network.
pub const NO_ROUTE: Duration = Duration::from_millis(3_060);
/// How long a resolver waits for name servers that do not answer: five seconds, twice.
pub const NAME_TIMEOUT: Duration = Duration::from_secs(10);

/// What a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code, 0 for success.
    pub exit: i32,
}

impl Output {
    /// Nothing but a line on standard error.
    pub fn failed(exit: i32, line: impl AsRef<str>) -> Self {
        Output { stderr: format!("{}\n", line.as_ref()), exit, ..Output::default() }
    }
}

/// Where a program runs.
#[derive(Debug)]
pub struct Site<'a> {
    /// The world.
    pub world: &'a mut World,
    /// Who sends its requests.
    pub from: Source,
    /// The folder that it saves files in.
    pub files: &'a mut BTreeMap<String, String>,
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
