//! A request and its answer as a client sees them: connection, TLS, headers, body.

use super::{Served, Site};
use crate::net::Packet;
use crate::net::packet::Endpoint;
use crate::trace::{Cause, Manner, Outcome, PacketTrace, Reason, Request, Server, server};
use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// HTTP status.
    pub(super) status: u16,
    /// The version of HTTP, `1.1` or `2`.
    pub(super) version: &'static str,
    /// The headers, in the order of their sending.
    pub(super) headers: Vec<(String, String)>,
    /// The body.
    pub(super) body: Arc<str>,
}

impl Reply {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The first line, `HTTP/1.1 200 OK`; HTTP/2 has no words for its numbers.
    pub(super) fn status_line(&self) -> String {
        match self.version {
            "2" => format!("HTTP/2 {} ", self.status),
            version => format!("HTTP/{version} {} {}", self.status, reason_phrase(self.status)),
        }
    }

    /// The name of a header as it is sent: in lower case by HTTP/2.
    pub(super) fn shown(&self, name: &str) -> String {
        if self.version == "2" { name.to_ascii_lowercase() } else { name.to_owned() }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The name has no address.
    NotResolved,
    /// No name server could find out.
    NoNames {
        /// Whether it says nothing at all.
        is_silent: bool,
    },
    /// The connection was refused.
    Refused,
    /// There is no way to the address.
    Unreachable,
    /// No answer ever came.
    TimedOut,
    /// The server hung up without a word.
    Empty,
    /// The server speaks another protocol.
    NotHttp,
    /// The server does not speak TLS.
    NoTls,
    /// The server has no certificate for the name.
    NoTlsName,
    /// The server's certificate is signed by nobody that the client knows.
    Certificate {
        /// What OpenSSL says of it.
        why: &'static str,
    },
}

/// A certificate of an authority that the client does not know.
const UNKNOWN_ISSUER: &str = "SSL certificate problem: unable to get local issuer certificate";
/// A certificate that its owner signed, like the one that the ingress controller makes for itself.
const SELF_SIGNED: &str = "SSL certificate problem: self-signed certificate";

/// What came of a request.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// The address that was asked, if the name has one.
    pub(super) address: Option<Endpoint>,
    /// The client's own end of the connection.
    pub(super) own: Option<Endpoint>,
    /// How long the answer took, where a proxy waited for servers.
    pub(super) waited: Duration,
    /// The answer.
    pub(super) result: Result<Reply, Trouble>,
}

/// Whose certificates a client takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those of the internet's authorities.
    #[default]
    Usual,
    /// Those that the cluster's own authority signed.
    Cluster,
    /// Any.
    Anybody,
}

impl Trust {
    /// A client that takes any certificate, or not.
    pub(super) const fn of_insecure(insecure: bool) -> Self {
        if insecure { Trust::Anybody } else { Trust::Usual }
    }
}

/// Sends a request.
pub(super) fn exchange(site: &mut Site<'_>, request: &Request, trust: Trust) -> Exchange {
    let own = Endpoint { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: request.port };
    if let Some(served) = site.proxied(request) {
        let result = Ok(reply_of(site, &served, "1.1"));
        return Exchange { address: Some(own), own: None, waited: Duration::ZERO, result };
    }
    let forwarded = site.forwarded(request);
    if let Some(None) = forwarded {
        return Exchange {
            address: Some(own),
            own: None,
            waited: Duration::ZERO,
            result: Err(Trouble::Refused),
        };
    }
    let is_forwarded = forwarded.is_some();
    let trace = site.wire.send(forwarded.flatten().as_ref().unwrap_or(request));
    let address = if is_forwarded { Some(own) } else { asked(&trace) };
    let result = match &trace.outcome {
        // Who answers here is kubectl: it takes the connection, and ends it.
        Outcome::Failed(_) if is_forwarded => Err(Trouble::Empty),
        Outcome::Failed(failure) => Err(match failure.manner {
            Manner::NotResolved => match &failure.cause {
                cause @ (Cause::NoNameServer { .. } | Cause::NameServerFails { .. }) => {
                    Trouble::NoNames { is_silent: cause.is_silence() }
                }
                _ => Trouble::NotResolved,
            },
            Manner::Refused => Trouble::Refused,
            Manner::Unreachable | Manner::NotSent => Trouble::Unreachable,
            Manner::Handshake => Trouble::NoTlsName,
            Manner::Closed => Trouble::Empty,
            Manner::TimedOut => Trouble::TimedOut,
        }),
        Outcome::Answered { server, .. } => {
            let is_api = matches!(server, Server::Node(_)) && front(&trace).0 == API_PORT;
            match answered(site, &trace, trust) {
                Ok(reply) if is_api && request.tls => {
                    let served = site.wire.api(&trace.request, false);
                    Ok(reply_of(site, &served, reply.version))
                }
                other => other,
            }
        }
    };
    let own = sent(&trace).map(|packet| packet.source).filter(|_| address.is_some());
    Exchange { address, own, waited: trace.waited, result }
}

/// The port of the API server.
const API_PORT: u16 = 6443;

/// What the API server has answered, with its headers.
fn reply_of(site: &Site<'_>, served: &Served, version: &'static str) -> Reply {
    let mut headers = vec![
        ("Cache-Control".to_owned(), "no-cache, private".to_owned()),
        ("Content-Length".to_owned(), served.body.len().to_string()),
        ("Content-Type".to_owned(), served.content_type.to_owned()),
        ("Date".to_owned(), date(site)),
    ];
    let warning = |text: &String| ("Warning".to_owned(), format!("299 - \"{text}\""));
    headers.extend(served.warnings.iter().map(warning));
    Reply { status: served.status, version, headers, body: served.body.clone() }
}

/// The address that a request was sent to.
pub(super) fn asked(trace: &PacketTrace) -> Option<Endpoint> {
    // Without a name server there was only the question for the name.
    if let Outcome::Failed(failure) = &trace.outcome
        && matches!(failure.cause, Cause::NoNameServer { .. })
    {
        return None;
    }
    sent(trace).map(|packet| packet.destination)
}

/// The first packet.
fn sent(trace: &PacketTrace) -> Option<Packet> {
    trace.hops.iter().find_map(|hop| match (&hop.reason, &hop.packet) {
        (Reason::Sends, Some((before, _))) => Some(*before),
        _ => None,
    })
}

/// Where an HTTP server was reached first: its port, whether it is an nginx that hands requests on, and
/// whether that is a Gateway's.
fn front(trace: &PacketTrace) -> (u16, bool, bool) {
    let mut port = 0;
    for hop in trace.hops.iter().filter(|hop| !hop.is_reply) {
        if let Some((_, after)) = &hop.packet {
            port = after.destination.port;
        }
        match hop.reason {
            Reason::IngressRule { .. } => return (port, true, false),
            Reason::HttpRoute { tls, .. } => return (if tls { 443 } else { 80 }, true, true),
            _ => {}
        }
    }
    (port, false, false)
}

fn answered(site: &Site<'_>, trace: &PacketTrace, trust: Trust) -> Result<Reply, Trouble> {
    let Outcome::Answered { server, status, body, headers, .. } = &trace.outcome else {
        return Err(Trouble::Empty);
    };
    let (request, status) = (&trace.request, *status);
    let (port, by_ingress, by_gateway) = front(trace);
    let speaks_tls = match server {
        _ if by_ingress => port == 443,
        Server::Node(_) => matches!(port, 6443 | 10250),
        Server::Pod { .. } => matches!(port, 443 | 6443 | 8443),
        Server::Internet => request.tls,
    };
    match (request.tls, speaks_tls) {
        (true, false) => return Err(Trouble::NoTls),
        (true, true) if trust == Trust::Cluster && port == API_PORT => {}
        (true, true) if trust != Trust::Anybody && *server != Server::Internet => {
            let why = if by_ingress { SELF_SIGNED } else { UNKNOWN_ISSUER };
            return Err(Trouble::Certificate { why });
        }
        (false, true) => return Ok(plain_to_tls(site, by_ingress)),
        _ => {}
    }
    let published = match server {
        Server::Internet => published(request),
        _ => None,
    };
    let body = published.as_ref().unwrap_or(body);
    let image = image_of(site, server);
    if status == 0 {
        return Err(match server::says_something(&image) {
            true => Trouble::NotHttp,
            false => Trouble::Empty,
        });
    }
    // nginx and the API server offer HTTP/2 with TLS, and curl takes it.
    let h2 = request.tls && (by_ingress || matches!(server, Server::Node(_)));
    let version = if h2 { "2" } else { "1.1" };
    let mut reply = Reply { status, version, headers: Vec::new(), body: body.clone() };
    let mut add = |name: &str, value: String| reply.headers.push((name.to_owned(), value));
    // The ingress controller hides whose it is, a Gateway's nginx only its version.
    let own_server = match by_gateway {
        true => Some("nginx".to_owned()),
        false => server::server_header(&image).filter(|_| !by_ingress),
    };
    let keeps_alive = by_ingress || own_server.is_some() && image.contains("nginx");
    if let Some(name) = own_server {
        add("Server", name);
    }
    add("Date", date(site));
    // nginx' own pages are HTML, whoever was to answer.
    let is_page = by_ingress && body.contains("<hr><center>nginx</center>");
    let kind =
        if is_page { "text/html" } else { server::content_type(&image, &request.path, status) };
    let kind = headers.get("Content-Type").unwrap_or(kind);
    if !body.is_empty() || status == 200 {
        add("Content-Type", kind.to_owned());
    }
    add("Content-Length", body.len().to_string());
    if keeps_alive && !h2 {
        add("Connection", "keep-alive".to_owned());
    }
    for (name, value) in headers.iter().filter(|(name, _)| *name != "Content-Type") {
        add(name, value.to_owned());
    }
    Ok(reply)
}

/// What a project publishes at the address that is asked for.
fn published(request: &Request) -> Option<Arc<str>> {
    let url = format!("https://{}{}", request.host_value(), request.path);
    super::published(&url).map(Arc::from)
}

/// What a TLS server says to who does not speak TLS.
fn plain_to_tls(site: &Site<'_>, by_ingress: bool) -> Reply {
    let (kind, body) = match by_ingress {
        true => ("text/html", server::NGINX_PLAIN_TO_TLS),
        false => ("text/plain; charset=utf-8", "Client sent an HTTP request to an HTTPS server.\n"),
    };
    let headers = [
        ("Date", date(site)),
        ("Content-Type", kind.to_owned()),
        ("Content-Length", body.len().to_string()),
        ("Connection", "close".to_owned()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Reply { status: 400, version: "1.1", headers, body: Arc::from(body) }
}

/// The image of the container that answered; empty for others.
fn image_of(site: &Site<'_>, server: &Server) -> String {
    let Server::Pod { pod, container } = server else { return String::new() };
    let object = site.wire.cluster().store.find(crate::api::Kind::Pod, &pod.namespace, &pod.name);
    let containers = object.and_then(|object| object.pod()).map(|pod| &pod.spec.containers);
    let found = containers.into_iter().flatten().find(|own| *own.name == **container);
    found.map(|container| container.image.to_string()).unwrap_or_default()
}

/// The words that go with a status.
pub(super) const fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        201 => "Created",
        405 => "Not Allowed",
        409 => "Conflict",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => "",
    }
}

/// The header `Date`.
fn date(site: &Site<'_>) -> String {
    site.now().rfc1123z().replace("+0000", "GMT")
}
