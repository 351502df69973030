//! Questions to name servers as programs put them.

use super::{Output, Site};
use crate::kubelet::dns::ResolvConf;
use crate::trace::dns::{self, Question, RecordType};
use crate::trace::names::{Inquired, Inquiry, resolv_conf};
use crate::trace::{Cause, Manner, Outcome, PacketTrace, Source};
use core::net::IpAddr;
use core::time::Duration;

/// What BIND's programs call their version.
pub(super) const BIND: &str = "9.18.49";
/// How often BIND's programs say that a server cannot be reached: nslookup and dig, and host.
pub(super) const TRIES: u32 = 3;

impl Site<'_> {
    /// The resolver's configuration here.
    pub(super) fn resolv_conf(&self) -> ResolvConf {
        resolv_conf(&self.wire.cluster(), &self.from)
    }

    /// The server that a word names, or the first of the configuration.
    ///
    /// # Errors
    /// The word, if it is a name that has no address.
    pub(super) fn name_server(&mut self, word: Option<&str>) -> Result<IpAddr, String> {
        let Some(word) = word else {
            let own = self.resolv_conf().servers.first().copied();
            return Ok(own.unwrap_or(IpAddr::V4(core::net::Ipv4Addr::LOCALHOST)));
        };
        match word.parse() {
            Ok(ip) => Ok(ip),
            Err(_) => self.address_of(word).ok_or_else(|| word.to_owned()),
        }
    }

    /// The address of a host, as programs find it.
    pub(super) fn address_of(&mut self, host: &str) -> Option<IpAddr> {
        use crate::net::Protocol;
        use crate::trace::Request;
        let request = Request::connect(self.from.clone(), host, 7, Protocol::Udp);
        super::exchange::asked(&self.wire.send(&request)).map(|to| to.ip)
    }

    /// Puts questions to a server.
    pub(super) fn inquire(
        &mut self,
        server: IpAddr,
        questions: Vec<Question>,
        until_found: bool,
    ) -> Inquired {
        self.wire.inquire(&Inquiry { from: self.from.clone(), server, questions, until_found })
    }

    /// The questions for a name and those that the search list makes of it.
    pub(super) fn searched(&self, name: &str, record: RecordType) -> Vec<Question> {
        let conf = self.resolv_conf();
        dns::search(&conf, name).map(|name| Question::new(&name, record)).collect()
    }

    /// How long programs wait for the C library to find a host: silent servers are asked twice, by
    /// the GNU library once more for the name as it stands. musl hears no refusal.
    ///
    /// Models resolv/res_query.c of the GNU C library and src/network/res_msend.c of musl.
    pub(super) fn name_wait(&self, host: &str, is_silent: bool) -> Duration {
        let conf = self.resolv_conf();
        let servers = u32::try_from(conf.servers.len()).unwrap_or(1).max(1);
        if self.kit.musl {
            return conf.timeout();
        }
        let names = if conf.search.is_empty() || host.ends_with('.') { 1 } else { 2 };
        let whole = conf.timeout() * conf.attempts() * servers * names;
        if is_silent { whole } else { Duration::ZERO }
    }
}

impl Site<'_> {
    /// What the C library says of a name that it could not find.
    pub(super) fn name_error(&self, trace: &PacketTrace) -> &'static str {
        let is_for_now = match &trace.outcome {
            Outcome::Failed(failure) => {
                matches!(failure.cause, Cause::NoNameServer { .. } | Cause::NameServerFails { .. })
            }
            Outcome::Answered { .. } => false,
        };
        match (is_for_now, self.kit.musl) {
            (true, false) => "Temporary failure in name resolution",
            (true, true) => "Try again",
            (false, false) => "Name or service not known",
            (false, true) => "Name does not resolve",
        }
    }

    /// What the C library says of a connection that could not be made.
    pub(super) const fn error_text(&self, manner: Manner) -> &'static str {
        match (manner, self.kit.musl) {
            (Manner::Refused, _) => "Connection refused",
            (Manner::TimedOut, false) => "Connection timed out",
            (Manner::TimedOut, true) => "Operation timed out",
            (_, false) => "No route to host",
            (_, true) => "Host is unreachable",
        }
    }
}

/// What BIND's programs say of a server that cannot be reached, for each time they try.
pub(super) fn unreachable(server: IpAddr, is_silent: bool, tries: u32) -> String {
    let why = if is_silent { "timed out" } else { "connection refused" };
    let line = format!(";; communications error to {server}#53: {why}\n");
    line.repeat(usize::try_from(tries).unwrap_or(1))
}

/// How long that takes.
pub(super) fn unreachable_wait(is_silent: bool, timeout: Duration, tries: u32) -> Duration {
    if is_silent { timeout * tries } else { Duration::ZERO }
}

/// A program that was told of a server whose name has no address.
pub(super) fn no_address(program: &str, server: &str) -> Output {
    Output::failed(1, format!("{program}: couldn't get address for '{server}': not found"))
}

/// Whether somebody asks from within a pod.
pub(super) const fn is_pod(from: &Source) -> bool {
    matches!(from, Source::Pod { .. })
}
