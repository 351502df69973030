//! DNS messages: what is asked, and what a name server says.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// A mail server.
    Mx,
    /// A name server.
    Ns,
    /// The name of an address.
    Ptr,
    /// Who is responsible for a zone.
    Soa,
    /// Ports and names of a service.
    Srv,
    /// Text.
    Txt,
    /// Anything.
    Any,
}

impl RecordType {
    /// All, by name.
    const ALL: [(RecordType, &'static str); 10] = [
        (RecordType::A, "A"),
        (RecordType::Aaaa, "AAAA"),
        (RecordType::Cname, "CNAME"),
        (RecordType::Mx, "MX"),
        (RecordType::Ns, "NS"),
        (RecordType::Ptr, "PTR"),
        (RecordType::Soa, "SOA"),
        (RecordType::Srv, "SRV"),
        (RecordType::Txt, "TXT"),
        (RecordType::Any, "ANY"),
    ];

    /// The name, `A`.
    pub fn name(self) -> &'static str {
        let found = RecordType::ALL.iter().find(|(own, _)| *own == self);
        found.map_or("", |(_, name)| name)
    }

    /// The type of that name, in letters of any size.
    pub fn parse(name: &str) -> Option<Self> {
        let found = RecordType::ALL.iter().find(|(_, own)| own.eq_ignore_ascii_case(name));
        found.map(|(own, _)| *own)
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The full name, in small letters and without the last dot.
    pub name: Arc<str>,
    /// The record.
    pub record: RecordType,
}

impl Question {
    /// A question for a name, with or without its last dot.
    pub fn new(name: &str, record: RecordType) -> Self {
        let name = name.strip_suffix('.').unwrap_or(name);
        Question { name: Arc::from(name.to_ascii_lowercase()), record }
    }

    /// The same, sharing the name's text where it is as it should be.
    pub fn of(name: &Arc<str>, record: RecordType) -> Self {
        match name.ends_with('.') || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Question::new(name, record),
            false => Question { name: name.clone(), record },
        }
    }

    /// Bytes of a message that only asks.
    pub fn size(&self) -> usize {
        const HEADER: usize = 12;
        HEADER + name_size(&self.name) + 4
    }
}

/// The name under which the name of an address is asked for: `10.0.96.10.in-addr.arpa`.
pub fn reverse(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let nibbles = ip.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

/// The address of a name that [`reverse`] made.
pub(super) fn unreverse(name: &str) -> Option<IpAddr> {
    if let Some(rest) = name.strip_suffix(".in-addr.arpa") {
        let text = rest.split('.').rev().collect::<Vec<_>>().join(".");
        return text.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let rest = name.strip_suffix(".ip6.arpa")?;
    let nibbles: Vec<&str> = rest.split('.').rev().collect();
    let text = nibbles.chunks(4).map(|four| four.concat()).collect::<Vec<_>>().join(":");
    (nibbles.len() == 32).then(|| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?
}

/// What a record holds. Names are without their last dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// The name that stands behind.
    Cname(Arc<str>),
    /// The name of an address.
    Ptr(Arc<str>),
    /// A name server.
    Ns(Arc<str>),
    /// A port of a service.
    Srv {
        /// Those of more weight are asked more often.
        weight: u16,
        /// The port.
        port: u16,
        /// The host.
        target: Arc<str>,
    },
    /// Who is responsible for the zone.
    Soa {
        /// The zone.
        zone: Arc<str>,
        /// When it last changed, in seconds since 1970.
        serial: u32,
        /// How long its negative answers hold, in seconds.
        minimum: u32,
    },
    /// Text.
    Txt(Arc<str>),
}

impl Data {
    /// The record's type.
    pub const fn record(&self) -> RecordType {
        match self {
            Data::Address(IpAddr::V4(_)) => RecordType::A,
            Data::Address(IpAddr::V6(_)) => RecordType::Aaaa,
            Data::Cname(_) => RecordType::Cname,
            Data::Ptr(_) => RecordType::Ptr,
            Data::Ns(_) => RecordType::Ns,
            Data::Srv { .. } => RecordType::Srv,
            Data::Soa { .. } => RecordType::Soa,
            Data::Txt(_) => RecordType::Txt,
        }
    }

    /// Bytes on the wire, without compression.
    fn size(&self) -> usize {
        match self {
            Data::Address(IpAddr::V4(_)) => 4,
            Data::Address(IpAddr::V6(_)) => 16,
            Data::Cname(name) | Data::Ptr(name) | Data::Ns(name) => name_size(name),
            Data::Srv { target, .. } => 6 + name_size(target),
            // `ns.dns.ZONE`, `hostmaster.ZONE`, five numbers.
            Data::Soa { zone, .. } => 2 * name_size(zone) + "ns.dns.hostmaster.".len() + 20,
            Data::Txt(text) => 1 + text.len(),
        }
    }
}

impl fmt::Display for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Address(ip) => write!(formatter, "{ip}"),
            Data::Cname(name) | Data::Ptr(name) | Data::Ns(name) => write!(formatter, "{name}."),
            Data::Srv { weight, port, target } => {
                write!(formatter, "0 {weight} {port} {target}.")
            }
            Data::Soa { zone, serial, minimum } => write!(
                formatter,
                "ns.dns.{zone}. hostmaster.{zone}. {serial} 7200 1800 86400 {minimum}"
            ),
            Data::Txt(text) => write!(formatter, "\"{text}\""),
        }
    }
}

/// Bytes of a name on the wire: a length before each label, and a zero.
fn name_size(name: &str) -> usize {
    name.len() + if name.is_empty() { 1 } else { 2 }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose.
    pub name: Arc<str>,
    /// How long it may be remembered, in seconds.
    pub ttl: u32,
    /// What it holds.
    pub data: Data,
}

/// How an answer is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Code {
    /// There is the name, with or without such a record.
    #[default]
    NoError,
    /// The server could not find out.
    ServerFailure,
    /// There is no such name.
    NoSuchName,
    /// The server does not answer for such names.
    Refused,
}

impl Code {
    /// The name, `NXDOMAIN`.
    pub const fn name(self) -> &'static str {
        match self {
            Code::NoError => "NOERROR",
            Code::ServerFailure => "SERVFAIL",
            Code::NoSuchName => "NXDOMAIN",
            Code::Refused => "REFUSED",
        }
    }

    /// The number.
    pub const fn number(self) -> u8 {
        match self {
            Code::NoError => 0,
            Code::ServerFailure => 2,
            Code::NoSuchName => 3,
            Code::Refused => 5,
        }
    }
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// How it is meant.
    pub code: Code,
    /// Whether the server answers for the zone itself (`aa`).
    pub authoritative: bool,
    /// Whether the server would ask others (`ra`).
    pub recursion: bool,
    /// What was asked for.
    pub answers: Vec<Record>,
    /// Who is responsible, in negative answers.
    pub authority: Vec<Record>,
    /// What goes with the answers.
    pub additional: Vec<Record>,
}

impl Response {
    /// An answer without records.
    pub fn of(code: Code) -> Self {
        Response { code, ..Response::default() }
    }

    /// The addresses in it.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.answers.iter().filter_map(|record| match record.data {
            Data::Address(ip) => Some(ip),
            _ => None,
        })
    }

    /// Whether it has what was asked for.
    pub fn has(&self, record: RecordType) -> bool {
        let mut types = self.answers.iter().map(|own| own.data.record());
        types.any(|own| own == record || record == RecordType::Any)
    }

    /// Bytes of the whole message; CoreDNS compresses none below 1,480.
    pub fn size(&self, question: &Question) -> usize {
        let records = self.answers.iter().chain(&self.authority).chain(&self.additional);
        let sizes = records.map(|record| name_size(&record.name) + 10 + record.data.size());
        question.size() + sizes.sum::<usize>()
    }
}

impl fmt::Display for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code != Code::NoError {
            return formatter.write_str(self.code.name());
        }
        if self.answers.is_empty() {
            return formatter.write_str("NODATA");
        }
        for (place, record) in self.answers.iter().enumerate() {
            let parting = match (place, &record.data) {
                (0, _) => "",
                (_, Data::Address(_)) => " ",
                _ => ", ",
            };
            formatter.write_str(parting)?;
            match &record.data {
                Data::Address(ip) => write!(formatter, "{ip}")?,
                Data::Cname(name) => write!(formatter, "CNAME {name}")?,
                Data::Srv { port, target, .. } => write!(formatter, "{port} {target}")?,
                Data::Ptr(name) | Data::Ns(name) => formatter.write_str(name)?,
                other => write!(formatter, "{other}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_names_of_their_own() {
        let cases = [
            ("10.96.0.10", "10.0.96.10.in-addr.arpa"),
            (
                "fd00:10::1",
                "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.d.f.ip6.arpa",
            ),
        ];
        for (ip, name) in cases {
            let ip: IpAddr = ip.parse().unwrap();
            assert_eq!(reverse(ip), name);
            assert_eq!(unreverse(name), Some(ip));
        }
        for name in ["0.96.10.in-addr.arpa", "a.b.c.d.in-addr.arpa", "1.ip6.arpa", "web"] {
            assert_eq!(unreverse(name), None, "{name}");
        }
    }

    /// dig of BIND 9.18 said of an answer that was not compressed: `;; MSG SIZE  rcvd: 86`.
    #[test]
    fn a_message_is_as_long_as_on_the_wire() {
        let question = Question::new("web.demo.svc.cluster.local.", RecordType::A);
        let data = Data::Address(IpAddr::from([10, 96, 71, 33]));
        let answers = vec![Record { name: question.name.clone(), ttl: 30, data }];
        assert_eq!(Response { answers, ..Response::default() }.size(&question), 86);
        let question = Question::new("nobody.demo.svc.cluster.local", RecordType::A);
        let name: Arc<str> = Arc::from("cluster.local");
        let data = Data::Soa { zone: name.clone(), serial: 1, minimum: 30 };
        let authority = vec![Record { name, ttl: 30, data }];
        assert_eq!(Response { authority, ..Response::default() }.size(&question), 140);
    }
}
