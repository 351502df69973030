//! The ingress controller (ingress-nginx): which Service a host and a path lead to.

use super::answer::Answered;
use super::hop::{Failure, Place, Reason, Server};
use super::path::{Arrival, Entrance, Tracer};
use super::request::{Request, Source};
use super::server::{NGINX_308, NGINX_404, NGINX_503};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::net::Packet;
use crate::net::conntrack::Phase;
use crate::net::packet::Endpoint;
use crate::net::walk::Draw;
use crate::store::ObjectKey;
use std::net::IpAddr;
use std::sync::Arc;

/// The controller's namespace.
pub(super) const NAMESPACE: &str = "ingress-nginx";
/// The controller's Service, Deployment, and the beginning of its pods' names.
pub(super) const SERVICE: &str = "ingress-nginx-controller";

/// Whether a pod is one of the controller's.
pub(super) fn is_controller(pod: &ObjectKey) -> bool {
    &*pod.namespace == NAMESPACE && pod.name.starts_with(SERVICE)
}

/// Whether an Ingress has a rule for a host.
pub(super) fn names_host(ingress: &Object, host: &str) -> bool {
    let rules = ingress.spec().items_at(&["rules"]);
    rules.iter().any(|rule| rule.str_at(&["host"]).is_some_and(|own| host_matches(own, host)))
}

/// `*.example.com` stands for exactly one label.
fn host_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(rest) => host
            .split_once('.')
            .is_some_and(|(first, tail)| !first.is_empty() && tail.eq_ignore_ascii_case(rest)),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// How well a path of a rule fits; the larger wins. `None` if it does not.
///
/// Exact before Prefix, longer before shorter. ImplementationSpecific is Prefix to ingress-nginx,
/// whose prefixes end at a slash too.
fn path_rank(kind: &str, pattern: &str, path: &str) -> Option<(usize, bool)> {
    if kind == "Exact" {
        return (pattern == path).then_some((pattern.len(), true));
    }
    let trimmed = pattern.trim_end_matches('/');
    let rest = path.strip_prefix(trimmed)?;
    (rest.is_empty() || rest.starts_with('/')).then_some((trimmed.len().max(1), false))
}

/// A rule that fits a request.
struct Found {
    ingress: ObjectKey,
    host: Arc<str>,
    path: Arc<str>,
    backend: Value,
}

/// Whether the controller serves an Ingress.
///
/// Simplified: an Ingress without a class is served too if there is but one class.
fn is_served(tracer: &Tracer<'_>, ingress: &Object) -> bool {
    let store = tracer.cluster.store;
    let annotation = ingress.meta.annotations.get("kubernetes.io/ingress.class");
    match ingress.spec().str_at(&["ingressClassName"]).or(annotation) {
        Some("nginx") => true,
        Some(class) => store.find(Kind::IngressClass, "", class).is_some_and(|class| {
            class.spec().str_at(&["controller"]) == Some("k8s.io/ingress-nginx")
        }),
        None => store.count(Kind::IngressClass) <= 1,
    }
}

fn find(tracer: &Tracer<'_>, host: &str, path: &str) -> Option<Found> {
    // Whether the host is named in full, whether it is named at all, then how well the path fits;
    // of equals the first, by age and then by name.
    let mut best: Option<((u8, usize, bool), Found)> = None;
    let mut ingresses: Vec<&Arc<Object>> = tracer.cluster.store.list(Kind::Ingress).collect();
    order::sort_by_key(&mut ingresses, |it| it.meta.creation_timestamp);
    for ingress in ingresses {
        if !is_served(tracer, ingress) {
            continue;
        }
        for rule in ingress.spec().items_at(&["rules"]) {
            let named = rule.str_at(&["host"]).filter(|name| !name.is_empty());
            let host_rank = match named {
                None => 0,
                Some(name) if !host_matches(name, host) => continue,
                Some(name) if name.starts_with("*.") => 1,
                Some(_) => 2,
            };
            for entry in rule.items_at(&["http", "paths"]) {
                let pattern = entry.str_at(&["path"]).unwrap_or("/");
                let kind = entry.str_at(&["pathType"]).unwrap_or("ImplementationSpecific");
                let Some((length, exact)) = path_rank(kind, pattern, path) else { continue };
                let rank = (host_rank, length, exact);
                if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                    let found = Found {
                        ingress: ObjectKey::of(ingress),
                        host: Arc::from(named.unwrap_or_default()),
                        path: Arc::from(pattern),
                        backend: entry.get("backend").cloned().unwrap_or_default(),
                    };
                    best = Some((rank, found));
                }
            }
        }
    }
    best.map(|(_, found)| found).or_else(|| default_backend(tracer))
}

fn default_backend(tracer: &Tracer<'_>) -> Option<Found> {
    let mut ingresses = tracer.cluster.store.list(Kind::Ingress);
    ingresses.find_map(|ingress| {
        let backend = ingress.spec().get("defaultBackend")?.clone();
        is_served(tracer, ingress).then(|| Found {
            ingress: ObjectKey::of(ingress),
            host: Arc::from(""),
            path: Arc::from(""),
            backend,
        })
    })
}

impl Tracer<'_> {
    /// What the controller in a pod does with a request: it finds the rule, and asks an endpoint of
    /// its Service over a connection of its own.
    pub(super) fn by_ingress(
        &mut self,
        request: &Request,
        controller: &Arc<Object>,
        sees: IpAddr,
    ) -> Result<Answered, Failure> {
        let key = ObjectKey::of(controller);
        let place = Place::Pod(key.clone());
        let own = |status, body: &str| Answered {
            server: Server::Pod { pod: key.clone(), container: Arc::from("controller") },
            status,
            body: Arc::from(body),
        };
        let path = request.path.split('?').next().unwrap_or("/").to_owned();
        let found = find(self, request.asked_host(), &path);
        let backend = found.as_ref().and_then(|found| self.backend(found));
        let reason = Reason::IngressRule {
            ingress: found.as_ref().map(|found| found.ingress.clone()),
            host: found.as_ref().map_or(Arc::from(""), |found| found.host.clone()),
            path: found.as_ref().map_or(Arc::from(""), |found| found.path.clone()),
            backend: backend.clone(),
        };
        self.hop(place.clone(), reason, None);
        if found.is_none() {
            return Ok(own(404, NGINX_404));
        }
        if !request.tls && self.redirects_to_tls(found.as_ref(), request.asked_host()) {
            return Ok(own(308, NGINX_308));
        }
        let endpoints = backend.as_ref().map(|(key, port)| self.endpoints(key, *port));
        let endpoints = endpoints.unwrap_or_default();
        let among = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
        // Simplified: by chance; the controller takes turns.
        let drawn = self.rng.below(among);
        let endpoint = usize::try_from(drawn).ok().and_then(|drawn| endpoints.get(drawn)).copied();
        let (Some(endpoint), Some((service, _))) = (endpoint, backend) else {
            return Ok(own(503, NGINX_503));
        };
        let draw = Draw { among, drawn };
        self.hop(place, Reason::BypassesService { service, endpoint, draw }, None);
        self.forwarded_for = Some(sees);
        let arrival = match self.second_connection(request, &key, endpoint) {
            Ok(arrival) => arrival,
            Err(failure) if failure.manner == super::Manner::TimedOut => {
                return Ok(own(504, "504 Gateway Time-out\n"));
            }
            Err(_) => return Ok(own(502, "502 Bad Gateway\n")),
        };
        let answered = self.answer(request, &arrival);
        if answered.is_ok() {
            match self.reply(&arrival) {
                Ok(_) => self.conclude(&arrival, Phase::Closed),
                Err(_) => return Ok(own(504, "504 Gateway Time-out\n")),
            }
        }
        answered.or_else(|_| Ok(own(502, "502 Bad Gateway\n")))
    }

    /// Whether a host has a certificate, and its Ingress does not say that plain HTTP is fine.
    fn redirects_to_tls(&self, found: Option<&Found>, host: &str) -> bool {
        let Some(found) = found else { return false };
        let store = self.cluster.store;
        let Some(ingress) = store.get(Kind::Ingress, &found.ingress) else { return false };
        let annotation = |name: &str| {
            ingress.meta.annotations.get(&format!("nginx.ingress.kubernetes.io/{name}"))
        };
        if annotation("force-ssl-redirect") == Some("true") {
            return true;
        }
        let namespace = &found.ingress.namespace;
        let has_certificate = ingress.spec().items_at(&["tls"]).iter().any(|tls| {
            let mut hosts = tls.items_at(&["hosts"]).iter().filter_map(Value::as_str);
            let secret = tls.str_at(&["secretName"]);
            hosts.any(|own| host_matches(own, host))
                && secret.is_some_and(|it| store.find(Kind::Secret, namespace, it).is_some())
        });
        has_certificate && annotation("ssl-redirect") != Some("false")
    }

    fn second_connection(
        &mut self,
        request: &Request,
        controller: &ObjectKey,
        endpoint: Endpoint,
    ) -> Result<Arrival, Failure> {
        let (namespace, name) = (controller.namespace.clone(), controller.name.clone());
        let (node, ip, entrance): (Arc<str>, IpAddr, Entrance) =
            self.origin(&Source::Pod { namespace, name })?;
        let port = self.ephemeral_port();
        let packet = Packet::new(request.protocol, Endpoint { ip, port }, endpoint);
        let place = Place::Pod(controller.clone());
        self.hop(place, Reason::Sends, Some((packet, packet)));
        self.send(&node, packet, entrance)
    }

    /// The Service and the number of its port that a rule leads to.
    fn backend(&self, found: &Found) -> Option<(ObjectKey, u16)> {
        let name = found.backend.str_at(&["service", "name"])?;
        let key = ObjectKey::new(&found.ingress.namespace, name);
        let number = found.backend.int_at(&["service", "port", "number"]);
        if let Some(number) = number.and_then(|number| u16::try_from(number).ok()) {
            return Some((key, number));
        }
        let wanted = found.backend.str_at(&["service", "port", "name"])?;
        let service = self.cluster.store.get(Kind::Service, &key);
        let ports = service.map_or(&[][..], |service| service.spec().items_at(&["ports"]));
        let port = ports.iter().find(|port| port.str_at(&["name"]) == Some(wanted));
        let number = port.and_then(|port| u16::try_from(port.int_at(&["port"])?).ok());
        Some((key, number.unwrap_or(0)))
    }

    /// The ready endpoints of a Service's port.
    fn endpoints(&self, key: &ObjectKey, port: u16) -> Vec<Endpoint> {
        let Some(service) = self.network.service(key) else { return Vec::new() };
        let Some(port) = service.ports.iter().find(|own| own.port == port) else {
            return Vec::new();
        };
        let name = (key.namespace.clone(), key.name.clone(), port.name.clone(), port.protocol);
        let all = self.network.input().endpoints.get(&(name, crate::net::Family::V4));
        let ready = all.into_iter().flatten().filter(|endpoint| endpoint.ready);
        ready.map(|endpoint| endpoint.address).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(host_matches("*.shop.io", "a.shop.io"));
        assert!(!host_matches("*.shop.io", "a.b.shop.io"));
        assert!(!host_matches("*.shop.io", "shop.io"));
        assert!(host_matches("Shop.io", "shop.IO"));
    }

    #[test]
    fn a_prefix_ends_at_a_slash_and_exact_beats_it() {
        assert!(path_rank("Prefix", "/api", "/api/v1") > path_rank("Prefix", "/", "/api/v1"));
        assert_eq!(path_rank("Prefix", "/api", "/apis"), None);
        assert!(path_rank("Exact", "/api", "/api") > path_rank("Prefix", "/api", "/api"));
        assert_eq!(path_rank("Exact", "/api", "/api/"), None);
        assert!(path_rank("Prefix", "/api/", "/api").is_some());
    }
}
