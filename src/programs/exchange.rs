//! A request and its answer as a client sees them: connection, TLS, headers, body.

use super::Site;
use crate::net::packet::Endpoint;
use crate::trace::{Cause, Manner, Outcome, PacketTrace, Reason, Request, Server, server};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    /// HTTP status.
    pub(super) status: u16,
    /// The headers, in the order of their sending.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(super) body: Arc<str>,
}

impl Reply {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// The first line, `HTTP/1.1 200 OK`.
    pub(super) fn status_line(&self) -> String {
        format!("HTTP/1.1 {} {}", self.status, reason_phrase(self.status))
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The name has no address.
    NotResolved,
    /// No name server answers.
    NamesTimedOut,
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
    /// The server's certificate is signed by nobody that the client knows.
    Certificate,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// The address that was asked, if the name has one.
    pub(super) address: Option<Endpoint>,
    /// The answer.
    pub(super) result: Result<Reply, Trouble>,
}

/// Sends a request; `insecure` takes any certificate.
pub(super) fn exchange(site: &mut Site<'_>, request: &Request, insecure: bool) -> Exchange {
    let own = Endpoint { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), port: request.port };
    let forwarded = site.forwarded(request);
    if let Some(None) = forwarded {
        return Exchange { address: Some(own), result: Err(Trouble::Refused) };
    }
    let is_forwarded = forwarded.is_some();
    let trace = site.wire.send(forwarded.flatten().as_ref().unwrap_or(request));
    let address = if is_forwarded { Some(own) } else { asked(&trace) };
    let result = match &trace.outcome {
        // Who answers here is kubectl: it takes the connection, and ends it.
        Outcome::Failed(_) if is_forwarded => Err(Trouble::Empty),
        Outcome::Failed(failure) => Err(match failure.manner {
            Manner::NotResolved if matches!(failure.cause, Cause::Policy { .. }) => {
                Trouble::NamesTimedOut
            }
            Manner::NotResolved => Trouble::NotResolved,
            Manner::Refused => Trouble::Refused,
            Manner::Unreachable | Manner::NotSent => Trouble::Unreachable,
            Manner::TimedOut => Trouble::TimedOut,
        }),
        Outcome::Answered { server, status, body, .. } => {
            answered(site, &trace, server, *status, body, insecure)
        }
    };
    Exchange { address, result }
}

/// The address that a request was sent to.
pub(super) fn asked(trace: &PacketTrace) -> Option<Endpoint> {
    trace.hops.iter().find_map(|hop| match (&hop.reason, &hop.packet) {
        (Reason::Sends, Some((before, _))) => Some(before.destination),
        _ => None,
    })
}

/// Where an HTTP server was reached first: its port, and whether it is the ingress controller.
fn front(trace: &PacketTrace) -> (u16, bool) {
    let mut port = 0;
    for hop in trace.hops.iter().filter(|hop| !hop.is_reply) {
        if let Some((_, after)) = &hop.packet {
            port = after.destination.port;
        }
        if matches!(hop.reason, Reason::IngressRule { .. }) {
            return (port, true);
        }
    }
    (port, false)
}

fn answered(
    site: &Site<'_>,
    trace: &PacketTrace,
    server: &Server,
    status: u16,
    body: &Arc<str>,
    insecure: bool,
) -> Result<Reply, Trouble> {
    let request = &trace.request;
    let (port, by_ingress) = front(trace);
    let speaks_tls = match server {
        _ if by_ingress => port == 443,
        Server::Node(_) => matches!(port, 6443 | 10250),
        Server::Pod { .. } => matches!(port, 443 | 6443 | 8443),
        Server::Internet => request.tls,
    };
    match (request.tls, speaks_tls) {
        (true, false) => return Err(Trouble::NoTls),
        (true, true) if !insecure && *server != Server::Internet => {
            return Err(Trouble::Certificate);
        }
        (false, true) => return Ok(plain_to_tls(site, by_ingress)),
        _ => {}
    }
    let image = image_of(site, server);
    if status == 0 {
        return Err(match server::says_something(&image) {
            true => Trouble::NotHttp,
            false => Trouble::Empty,
        });
    }
    let mut reply = Reply { status, headers: Vec::new(), body: body.clone() };
    reply.headers.push(("Date", date(site)));
    let kind = match status {
        308 | 502..=504 if by_ingress => "text/html",
        _ => server::content_type(&image, &request.path, status),
    };
    if !body.is_empty() || status == 200 {
        reply.headers.push(("Content-Type", kind.to_owned()));
    }
    reply.headers.push(("Content-Length", body.len().to_string()));
    if by_ingress {
        reply.headers.push(("Connection", "keep-alive".to_owned()));
    } else if let Some(name) = server::server_header(&image) {
        reply.headers.insert(0, ("Server", name));
        if image.contains("nginx") {
            reply.headers.push(("Connection", "keep-alive".to_owned()));
        }
    }
    if status == 308 {
        let place = format!("https://{}{}", request.asked_host(), request.path);
        reply.headers.push(("Location", place));
    }
    Ok(reply)
}

/// What a TLS server says to who does not speak TLS.
fn plain_to_tls(site: &Site<'_>, by_ingress: bool) -> Reply {
    let (kind, body) = match by_ingress {
        true => ("text/html", server::NGINX_PLAIN_TO_TLS),
        false => ("text/plain; charset=utf-8", "Client sent an HTTP request to an HTTPS server.\n"),
    };
    let headers = vec![
        ("Date", date(site)),
        ("Content-Type", kind.to_owned()),
        ("Content-Length", body.len().to_string()),
        ("Connection", "close".to_owned()),
    ];
    Reply { status: 400, headers, body: Arc::from(body) }
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
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
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
