//! Where requests go and who asks: chosen from what there is, or typed.

use super::model::Model;
use super::object_id::ObjectId;
use super::request::{Target, aimed, is_system, targets};
use crate::api::Kind;
use crate::net::Protocol;
use crate::store::Store;
use crate::trace::{Request, Source};
use crate::world::CLIENT_ADDRESS;
use std::sync::Arc;

/// The most Pods that are offered to ask from, and the most nodes.
const MOST_PODS: usize = 60;
const MOST_NODES: usize = 200;

/// What a person typed or chose in place of what the list has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnAim {
    /// The URL.
    pub url: Option<String>,
    /// Who asks.
    pub from: Option<Source>,
}

/// Everybody who can ask: somebody outside, nodes, the people's own Pods that run.
pub fn askers(store: &Store) -> Vec<Source> {
    let mut askers = vec![Source::Internet { ip: CLIENT_ADDRESS }];
    let nodes = store.list(Kind::Node).take(MOST_NODES);
    askers.extend(nodes.map(|node| Source::Node(node.meta.name.clone())));
    let pods = store.list(Kind::Pod).filter(|pod| {
        !is_system(&pod.meta.namespace)
            && !pod.meta.is_terminating()
            && pod.pod().is_some_and(|pod| pod.status.pod_ip.is_some())
    });
    let pods = pods.map(|pod| Source::Pod {
        namespace: pod.meta.namespace.clone(),
        name: pod.meta.name.clone(),
    });
    askers.extend(pods.take(MOST_PODS));
    askers
}

/// Who asks, if a target of the list is aimed at.
pub fn asker_of(target: &Target) -> Source {
    match &target.from_pod {
        Some(ObjectId { namespace, name, .. }) => {
            Source::Pod { namespace: namespace.clone(), name: name.clone() }
        }
        None => Source::Internet { ip: CLIENT_ADDRESS },
    }
}

/// Reads a URL with the schemes http, https, tcp and udp.
///
/// # Errors
/// A sentence as curl says it.
pub fn read(from: Source, url: &str) -> Result<Request, String> {
    let url = url.trim();
    let plain = |rest: &str, protocol: Protocol| {
        let place = rest.trim_end_matches('/');
        let bad = || "(3) URL rejected: no port".to_owned();
        let (host, port) = place.rsplit_once(':').ok_or_else(bad)?;
        let port = port.parse().map_err(|_| bad())?;
        let request = Request::connect(from.clone(), host, port, protocol);
        Ok(Request { method: Arc::from(""), ..request })
    };
    match url.split_once("://") {
        Some(("tcp", rest)) => plain(rest, Protocol::Tcp),
        Some(("udp", rest)) => plain(rest, Protocol::Udp),
        _ => Request::from_url(from.clone(), url),
    }
}

/// What a request asks, as a URL.
pub fn address(request: &Request) -> String {
    let (host, port, path) = (&request.host, request.port, &request.path);
    if !request.protocol.has_ports() {
        return format!("{}://{host}", request.protocol);
    }
    if request.method.is_empty() || request.protocol != Protocol::Tcp {
        return format!("{}://{host}:{port}", request.protocol);
    }
    let scheme = if request.tls { "https" } else { "http" };
    match (request.tls, port) {
        (false, 80) | (true, 443) => format!("{scheme}://{host}{path}"),
        _ => format!("{scheme}://{host}:{port}{path}"),
    }
}

/// The request that would be sent now; none if there is nothing to ask, or the URL is none.
pub(super) fn request(model: &Model) -> Option<Request> {
    let all = targets(&model.world);
    let target = aimed(&all, model.aim.as_ref());
    let own = &model.tracer.own;
    let url = own.url.as_deref().or_else(|| Some(target?.url.as_str()))?;
    let from = own.from.clone().or_else(|| target.map(asker_of));
    read(from.unwrap_or(Source::Internet { ip: CLIENT_ADDRESS }), url).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_and_written_with_its_scheme() {
        let cases = [
            ("http://web:8080/a", "http://web:8080/a"),
            ("web", "http://web/"),
            ("https://shop.example", "https://shop.example/"),
            (" tcp://mariadb:3306 ", "tcp://mariadb:3306"),
            ("udp://10.96.0.10:53/", "udp://10.96.0.10:53"),
        ];
        for (typed, shown) in cases {
            let request = read(Source::Node(Arc::from("node-1")), typed).unwrap();
            assert_eq!(address(&request), shown, "{typed}");
        }
        assert!(read(Source::Node(Arc::from("node-1")), "tcp://mariadb").is_err());
    }
}
