//! Names of ports and of ICMP's messages.

use crate::net::Protocol;

/// Ports with names, as Debian's /etc/services has them.
///
/// Simplified: those that people meet; the file has 300.
const SERVICES: &str = "1/tcp tcpmux 7/tcp echo 7/udp echo 9/tcp discard 20/tcp ftp-data 21/tcp ftp 22/tcp ssh \
23/tcp telnet 25/tcp smtp 43/tcp whois 53/tcp domain 53/udp domain 67/udp bootps 68/udp bootpc \
69/udp tftp 80/tcp http 88/tcp kerberos 88/udp kerberos 110/tcp pop3 111/tcp sunrpc 111/udp sunrpc \
119/tcp nntp 123/udp ntp 137/udp netbios-ns 139/tcp netbios-ssn 143/tcp imap2 161/tcp snmp \
161/udp snmp 179/tcp bgp 389/tcp ldap 389/udp ldap 443/tcp https 443/udp https 445/tcp microsoft-ds \
465/tcp submissions 500/udp isakmp 514/tcp shell 514/udp syslog 587/tcp submission 631/tcp ipp \
636/tcp ldaps 636/udp ldaps 853/tcp domain-s 853/udp domain-s 873/tcp rsync 989/tcp ftps-data \
990/tcp ftps 993/tcp imaps 995/tcp pop3s 1080/tcp socks 1194/tcp openvpn 1194/udp openvpn \
1433/tcp ms-sql-s 2000/tcp cisco-sccp 2049/tcp nfs 2049/udp nfs 3306/tcp mysql 3389/tcp ms-wbt-server \
4500/udp ipsec-nat-t 5060/tcp sip 5060/udp sip 5222/tcp xmpp-client 5353/udp mdns 5432/tcp postgresql \
5671/tcp amqps 5672/tcp amqp 5672/sctp amqp 6000/tcp x11 6379/tcp redis 6444/tcp sge-qmaster \
6514/tcp syslog-tls 6667/tcp ircd 7000/tcp bbs 8080/tcp http-alt 8081/tcp tproxy 8088/tcp omniorb \
9418/tcp git 10000/tcp webmin 10050/tcp zabbix-agent 10051/tcp zabbix-trapper 10080/tcp amanda";

fn services() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut words = SERVICES.split(' ');
    core::iter::from_fn(move || Some((words.next()?, words.next()?)))
}

/// The name of a port, or its number.
pub(super) fn port_name(port: u16, protocol: Option<Protocol>) -> String {
    let protocol = protocol.map_or("tcp", Protocol::name);
    let wanted = format!("{port}/{protocol}");
    let found = services().find(|(port, _)| *port == wanted);
    found.map_or_else(|| port.to_string(), |(_, name)| name.to_owned())
}

/// The port of a name or a number.
pub(super) fn port_number(text: &str, protocol: Protocol) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let named = services().filter(|(_, name)| *name == text);
    let ports = named.filter_map(|(port, _)| port.split_once('/'));
    let mut own = ports.filter(|(_, of)| *of == protocol.name());
    own.next()?.0.parse().ok()
}

/// The messages of ICMP: name, type, code.
const MESSAGES: [(&str, u8, Option<u8>); 13] = [
    ("any", 255, None),
    ("echo-reply", 0, None),
    ("destination-unreachable", 3, None),
    ("network-unreachable", 3, Some(0)),
    ("host-unreachable", 3, Some(1)),
    ("protocol-unreachable", 3, Some(2)),
    ("port-unreachable", 3, Some(3)),
    ("fragmentation-needed", 3, Some(4)),
    ("communication-prohibited", 3, Some(13)),
    ("source-quench", 4, None),
    ("redirect", 5, None),
    ("echo-request", 8, None),
    ("time-exceeded", 11, None),
];

/// The name of a message, if it has one.
pub(super) fn icmp_name(kind: u8, code: Option<u8>) -> Option<&'static str> {
    let found = MESSAGES.iter().find(|(_, own, own_code)| (*own, *own_code) == (kind, code));
    found.map(|(name, ..)| *name)
}

/// The type and the code of a message by its name or by numbers, `3/4`.
pub(super) fn icmp_message(text: &str) -> Option<(u8, Option<u8>)> {
    let text = match text {
        "ping" => "echo-request",
        "pong" => "echo-reply",
        "ttl-exceeded" => "time-exceeded",
        other => other,
    };
    if let Some((_, kind, code)) = MESSAGES.iter().find(|(name, ..)| *name == text) {
        return Some((*kind, *code));
    }
    match text.split_once('/') {
        Some((kind, code)) => Some((kind.parse().ok()?, Some(code.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}
