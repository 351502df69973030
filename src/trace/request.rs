//! Who asks for what.

use crate::api::Value;
pub use crate::container::Headers;
use crate::net::Protocol;
use core::fmt;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Where a request begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Somewhere outside of the cluster.
    Internet {
        /// The client's address.
        ip: IpAddr,
    },
    /// A process on a node, outside of any pod.
    Node(Arc<str>),
    /// A pod.
    Pod {
        /// Namespace.
        namespace: Arc<str>,
        /// Name.
        name: Arc<str>,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Internet { ip } => write!(formatter, "internet {ip}"),
            Source::Node(name) => write!(formatter, "node {name}"),
            Source::Pod { namespace, name } => write!(formatter, "pod {namespace}/{name}"),
        }
    }
}

impl Source {
    /// The source as JSON.
    pub fn to_value(&self) -> Value {
        match self {
            Source::Internet { ip } => json!({"kind": "internet", "ip": ip.to_string()}),
            Source::Node(name) => json!({"kind": "node", "name": **name}),
            Source::Pod { namespace, name } => {
                json!({"kind": "pod", "namespace": **namespace, "name": **name})
            }
        }
    }
}

/// A request to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub from: Source,
    /// A name or an address, as in a URL.
    pub host: Arc<str>,
    /// The port asked.
    pub port: u16,
    /// Transport protocol.
    pub protocol: Protocol,
    /// The path asked for, with its leading slash.
    pub path: Arc<str>,
    /// The header `Host`, if it is another one than the URL's host.
    pub host_header: Option<Arc<str>>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The method, `GET`.
    pub method: Arc<str>,
    /// The header `User-Agent`.
    pub agent: Arc<str>,
    /// The headers but for `Host` and `User-Agent`; `Accept` is there unless another is given.
    pub headers: Headers,
    /// The body.
    pub body: Arc<str>,
}

/// The address that stands for somebody on the internet (RFC 5737).
pub const CLIENT_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// What curl calls itself.
pub const CURL_AGENT: &str = "curl/8.14.1";

impl Request {
    /// Reads `http://host:port/path`; the scheme, the port and the path may be absent.
    ///
    /// # Errors
    /// A sentence as curl says it, if there is no host, the port is no port, or the scheme is not
    /// HTTP.
    pub fn from_url(from: Source, url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other => return Err(format!("(1) Protocol \"{other}\" not supported")),
        };
        let place = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(place);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = split_port(authority);
        let bad = || "(3) URL rejected: Port number was not a decimal number between 0 and 65535";
        let default = if tls { 443 } else { 80 };
        let port = port.map_or(Ok(default), |port| port.parse().map_err(|_| bad().to_owned()))?;
        if host.is_empty() {
            return Err("(3) URL rejected: No host part in the URL".to_owned());
        }
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Request {
            from,
            host: Arc::from(host.to_ascii_lowercase()),
            port,
            protocol: Protocol::Tcp,
            path: Arc::from(path),
            host_header: None,
            tls,
            method: Arc::from("GET"),
            agent: Arc::from(CURL_AGENT),
            headers: Headers::default(),
            body: Arc::from(""),
        })
    }

    /// A plain connection to a port, not HTTP.
    pub fn connect(from: Source, host: &str, port: u16, protocol: Protocol) -> Self {
        Request {
            from,
            host: Arc::from(host.to_ascii_lowercase()),
            port,
            protocol,
            path: Arc::from("/"),
            host_header: None,
            tls: false,
            method: Arc::from("GET"),
            agent: Arc::from(CURL_AGENT),
            headers: Headers::default(),
            body: Arc::from(""),
        }
    }

    /// What the header `Host` says: the host of the URL, with its port unless that is the usual one.
    pub fn host_value(&self) -> Arc<str> {
        match &self.host_header {
            Some(host) => host.clone(),
            None if self.port == if self.tls { 443 } else { 80 } => self.host.clone(),
            None => Arc::from(format!("{}:{}", self.host, self.port)),
        }
    }

    /// What the header `Host` says, without a port.
    pub fn asked_host(&self) -> &str {
        let host = self.host_header.as_deref().unwrap_or(&self.host);
        split_port(host).0
    }
}

/// Parts `host:port`, `[::1]:port`, `host`.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').unwrap_or((rest, ""));
        return (host, rest.strip_prefix(':'));
    }
    match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_curl_reads_them() {
        let read = |url| {
            Request::from_url(Source::Node(Arc::from("n")), url)
                .map(|it| format!("{} {} {} {}", it.host, it.port, it.path, it.tls))
                .unwrap_or_else(|error| error)
        };
        let cases = [
            ("web", "web 80 / false"),
            ("http://web.shop:8080/a?b=c#d", "web.shop 8080 /a?b=c false"),
            ("https://Kubernetes", "kubernetes 443 / true"),
            ("http://[::1]:30080/x", "::1 30080 /x false"),
            ("http://web?x", "web 80 /?x false"),
            ("ftp://web", "(1) Protocol \"ftp\" not supported"),
            ("http://", "(3) URL rejected: No host part in the URL"),
            (
                "http://web:http/",
                "(3) URL rejected: Port number was not a decimal number between 0 and 65535",
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(read(url), expected, "{url}");
        }
    }
}
