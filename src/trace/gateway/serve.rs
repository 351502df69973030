//! What the nginx of a Gateway does with a request: it finds the rule, draws a backend, and asks an
//! endpoint of it over a connection of its own.

use super::filters::{self, filter};
use super::graph::Graph;
use super::locate::{Found, Located, locate};
use super::routes::Backend;
use super::{gateway_of, hostnames, kind, objects};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::container::server;
use crate::net::packet::Endpoint;
use crate::store::{ObjectKey, Store};
use crate::trace::answer::Answered;
use crate::trace::blame::why_no_endpoints;
use crate::trace::front::ProxyReason;
use crate::trace::hop::{Cause, Failure, Manner, Place, ProxyCause, WhyNoRoute};
use crate::trace::nginx::{Pick, ready_endpoints};
use crate::trace::path::{Arrival, Tracer};
use crate::trace::request::{Headers, Request};
use crate::trace::upstream::Nginx;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// `proxy_connect_timeout`, as nginx has it by itself.
const CONNECT_SECONDS: u32 = 60;

/// The nginx of a Gateway that a request came to.
pub(in crate::trace) struct GatewayFront {
    /// The process.
    nginx: Nginx,
    /// Its Gateway.
    gateway: ObjectKey,
}

/// A request as a Gateway's nginx has it.
#[derive(Clone, Copy)]
struct Asked<'a> {
    request: &'a Request,
    /// The address it came from.
    sees: IpAddr,
    /// The port it came to.
    port: u16,
}

impl Tracer<'_> {
    /// The nginx of a Gateway that runs in a pod, if one does.
    pub(in crate::trace) fn gateway_front(&self, pod: &Object) -> Option<GatewayFront> {
        let (gateway, container) = gateway_of(pod)?;
        let container = Arc::from(container.name.as_str());
        Some(GatewayFront { nginx: Nginx { pod: ObjectKey::of(pod), container }, gateway })
    }

    /// What the nginx of a Gateway does with a request.
    pub(in crate::trace) fn by_gateway(
        &mut self,
        request: &Request,
        front: &GatewayFront,
        arrival: &Arrival,
    ) -> Result<Answered, Failure> {
        let port = arrival.packet.destination.port;
        let graph = self.network.gateways(&self.cluster, &front.gateway);
        let own = graph.gateways.get(&front.gateway);
        let listeners = own.map(|it| it.listeners.as_slice()).unwrap_or_default();
        let Some(listener) = listeners.iter().find(|it| it.port == port && it.is_valid) else {
            let refused = listeners.iter().find(|it| it.port == port);
            let cause = match refused.and_then(|it| Some((it, it.trouble()?))) {
                Some((listener, message)) => Cause::Proxy(ProxyCause::NoListener {
                    gateway: front.gateway.clone(),
                    listener: listener.name.clone(),
                    message: Arc::from(message),
                }),
                None => Cause::NothingListens { pod: front.nginx.pod.clone(), port },
            };
            return self.refuses(Place::Pod(front.nginx.pod.clone()), arrival, cause);
        };
        if listener.is_tls() && !request.tls {
            return Ok(front.nginx.says(400, server::NGINX_PLAIN_TO_TLS));
        }
        let asked = Asked { request, sees: arrival.packet.source.ip, port };
        let found = match locate(&graph, &front.gateway, port, request) {
            Located::Found(found) => found,
            Located::NoServer if request.tls => {
                let gateway = front.gateway.clone();
                let host = Arc::from(request.asked_host());
                let cause = Cause::Proxy(ProxyCause::NoTlsName { gateway, host });
                return self.fail(cause, Manner::Handshake);
            }
            missed => return Ok(self.missed(front, &graph, listener.name.clone(), &missed, asked)),
        };
        let reason = ProxyReason::HttpRoute {
            gateway: front.gateway.clone(),
            listener: found.listener.name.clone(),
            tls: found.listener.is_tls(),
            route: Some(found.route.key()),
            rule: u32::try_from(found.rule + 1).unwrap_or(u32::MAX),
            host: found.host.clone(),
            path: Arc::from(found.path.value),
        };
        self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
        self.serve(front, &found, asked)
    }

    /// No rule fits: 404, with what stands in the way.
    fn missed(
        &mut self,
        front: &GatewayFront,
        graph: &Graph,
        listener: Arc<str>,
        located: &Located<'_>,
        asked: Asked<'_>,
    ) -> Answered {
        let (request, gateway) = (asked.request, front.gateway.clone());
        let host: Arc<str> = Arc::from(request.asked_host());
        let reason = ProxyReason::HttpRoute {
            gateway: gateway.clone(),
            listener,
            tls: request.tls,
            route: None,
            rule: 0,
            host: host.clone(),
            path: Arc::from(""),
        };
        self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
        let why = match located {
            Located::NoMatch(route) => WhyNoRoute::NoMatch(route.key()),
            _ => why_no_route(self.cluster.store, graph, &gateway, &host),
        };
        let path = Arc::from(request.path.split('?').next().unwrap_or("/"));
        let cause = ProxyCause::NoRoute { gateway, host, path, why: Box::new(why) };
        front.nginx.refuses(404, Cause::Proxy(cause))
    }

    fn serve(
        &mut self,
        front: &GatewayFront,
        found: &Found<'_>,
        asked: Asked<'_>,
    ) -> Result<Answered, Failure> {
        let (rule, request) = (found.source(), asked.request);
        if let Some(redirect) = filter(rule, "RequestRedirect", "requestRedirect") {
            let (status, place) = filters::redirect(redirect, found.path, request, asked.port);
            return Ok(front.nginx.sends_to(status, &place));
        }
        let place = Place::Pod(front.nginx.pod.clone());
        let forwarded = self.forwarded_by_gateway(&place, found, asked);
        let Some(backend) = self.weigh(&place, found) else {
            let route = found.route.key();
            let because = ProxyCause::NoBackend { route, message: Arc::from("") };
            return Ok(front.nginx.refuses(500, Cause::Proxy(because)));
        };
        if let Some(trouble) = &backend.trouble {
            let (route, message) = (found.route.key(), Arc::from(trouble.as_str()));
            let because = ProxyCause::NoBackend { route, message };
            return Ok(front.nginx.refuses(500, Cause::Proxy(because)));
        }
        let mut answered = self.ask_backend(front, backend, &forwarded)?;
        if let Some(modifier) = filter(rule, "ResponseHeaderModifier", "responseHeaderModifier") {
            answered.headers = filters::modify(modifier, &answered.headers).0;
        }
        Ok(answered)
    }

    /// Draws a backend by the weights. What is drawn is a share of all: the first one's of the
    /// whole, the next one's of what is left.
    ///
    /// Models split_clients, whose hundredths of percents are not rounded here.
    fn weigh<'a>(&mut self, place: &Place, found: &Found<'a>) -> Option<&'a Backend> {
        let backends = found.route.backends.get(found.rule)?;
        let total: u32 = backends.iter().map(|it| it.weight).fold(0, u32::saturating_add);
        let mut left = total;
        for backend in backends.iter().filter(|it| it.weight > 0) {
            if backend.weight < left && self.rng.lot(backend.weight, left) >= backend.weight {
                left -= backend.weight;
                continue;
            }
            if backends.len() > 1 {
                let reason = ProxyReason::Weighs {
                    service: backend.service.clone(),
                    weight: backend.weight,
                    total,
                };
                self.proxy_hop(place.clone(), reason);
            }
            return Some(backend);
        }
        None
    }

    /// Asks an endpoint, and another one if that cannot be reached.
    ///
    /// Models upstreams_template.go: `random two least_conn`, which is chance while nobody waits.
    fn ask_backend(
        &mut self,
        front: &GatewayFront,
        backend: &Backend,
        request: &Request,
    ) -> Result<Answered, Failure> {
        let mut left = ready_endpoints(self.cluster.store, &backend.service, backend.port);
        if left.is_empty() {
            let because = why_no_endpoints(&self.cluster, &backend.service);
            return Ok(front.nginx.refuses(503, because));
        }
        let place = Place::Pod(front.nginx.pod.clone());
        let mut last = front.nginx.page(502);
        while let Ok(among @ 1..) = u32::try_from(left.len()) {
            let drawn = usize::try_from(self.rng.below(among)).unwrap_or_default();
            let endpoint: Endpoint = left.remove(drawn.min(left.len().saturating_sub(1)));
            let reason = ProxyReason::BypassesService {
                service: backend.service.clone(),
                endpoint,
                among,
                pick: Pick::Chance,
            };
            self.proxy_hop(place.clone(), reason);
            let failure = match self.ask_endpoint(&front.nginx, request, endpoint) {
                Ok(answered) => return Ok(answered),
                Err(failure) => failure,
            };
            let waited = if failure.manner == Manner::Refused { 0 } else { CONNECT_SECONDS };
            self.waited += Duration::from_secs(u64::from(waited));
            let reason = ProxyReason::Fails { endpoint, manner: failure.manner, seconds: waited };
            self.proxy_hop(place.clone(), reason);
            last = front.nginx.refuses(if waited > 0 { 504 } else { 502 }, failure.cause);
        }
        Ok(last)
    }

    /// The request as it is handed on.
    ///
    /// Models createBaseProxySetHeaders and generateProxySetHeaders.
    fn forwarded_by_gateway(
        &mut self,
        place: &Place,
        found: &Found<'_>,
        asked: Asked<'_>,
    ) -> Request {
        let Asked { request, sees, port } = asked;
        let (rule, sees) = (found.source(), sees.to_string());
        let before = request.headers.get("X-Forwarded-For");
        let through = before.map_or_else(|| sees.clone(), |before| format!("{before}, {sees}"));
        let own = [
            ("X-Forwarded-For", through.as_str()),
            ("X-Real-IP", &sees),
            ("X-Forwarded-Proto", if request.tls { "https" } else { "http" }),
            ("X-Forwarded-Host", request.asked_host()),
            ("X-Forwarded-Port", &port.to_string()),
        ];
        let mut headers: Headers =
            own.iter().fold(request.headers.clone(), |all, (name, value)| all.with(name, value));
        if let Some(modifier) = filter(rule, "RequestHeaderModifier", "requestHeaderModifier") {
            let (new, told) = filters::modify(modifier, &headers);
            headers = new;
            let reason = ProxyReason::ChangesHeaders { changes: Arc::from(told.join(", ")) };
            self.proxy_hop(place.clone(), reason);
        }
        let rewrite = filter(rule, "URLRewrite", "urlRewrite");
        let path = rewrite.and_then(|it| filters::rewritten(it, found.path, &request.path));
        if let Some(to) = &path {
            let reason = ProxyReason::Rewrites {
                by: "URLRewrite",
                from: request.path.clone(),
                to: Arc::from(&**to),
            };
            self.proxy_hop(place.clone(), reason);
        }
        let host = rewrite.and_then(|it| it.str_at(&["hostname"]));
        Request {
            headers,
            host_header: Some(host.map_or_else(|| request.host_value(), Arc::from)),
            path: path.map_or_else(|| request.path.clone(), Arc::from),
            tls: false,
            ..request.clone()
        }
    }
}

/// What stands in the way of a route for a host.
fn why_no_route(store: &Store, graph: &Graph, gateway: &ObjectKey, host: &str) -> WhyNoRoute {
    let mut why = WhyNoRoute::NoHost;
    for route in &graph.routes {
        if !names_host(&route.object, host) {
            continue;
        }
        for parent in route.reported().iter().filter(|it| it.gateway == *gateway) {
            let refused = route.status_conditions(parent);
            let refused = refused.into_iter().find(|it| it.kind == "Accepted" && !it.status);
            why = why.max(match refused {
                Some(condition) => WhyNoRoute::Refused(route.key(), condition.message.into()),
                None => WhyNoRoute::NoPath(route.key()),
            });
        }
    }
    if why == WhyNoRoute::NoHost
        && let Some(route) = objects(store, "HTTPRoute").find(|it| names_host(it, host))
    {
        return WhyNoRoute::OtherGateway(ObjectKey::of(route));
    }
    why
}

/// Whether a route is for a host, as far as it says itself.
fn names_host(route: &Object, host: &str) -> bool {
    let names = route.spec().items_at(&["hostnames"]);
    let names: Vec<Arc<str>> = names.iter().filter_map(Value::as_str).map(Arc::from).collect();
    names.is_empty() || hostnames::best(names.iter(), host).is_some()
}

/// The hosts and paths of the routes that name a Gateway.
pub fn hosts<'a>(
    store: &'a Store,
    gateway: &'a Object,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let names = |route: &Object| {
        route.spec().items_at(&["parentRefs"]).iter().any(|parent| {
            parent.str_at(&["name"]) == Some(&gateway.meta.name)
                && *parent.str_at(&["namespace"]).unwrap_or(&route.meta.namespace)
                    == *gateway.meta.namespace
        })
    };
    objects(store, "HTTPRoute").filter(move |route| names(route)).flat_map(|route| {
        let hosts = route.spec().items_at(&["hostnames"]).iter().filter_map(Value::as_str);
        hosts.filter(|host| !host.starts_with('*')).flat_map(|host| {
            route.spec().items_at(&["rules"]).iter().map(move |rule| {
                let first = rule.items_at(&["matches"]).first();
                (host, first.and_then(|it| it.str_at(&["path", "value"])).unwrap_or("/"))
            })
        })
    })
}

/// The Gateway that a host leads to by a route that names it, and its address, as if the owner had
/// told the public DNS.
pub(in crate::trace) fn public_host(
    store: &Store,
    host: &str,
) -> Option<(ObjectKey, Option<IpAddr>)> {
    let gateways = kind("Gateway")?;
    for route in objects(store, "HTTPRoute") {
        if route.spec().items_at(&["hostnames"]).is_empty() || !names_host(route, host) {
            continue;
        }
        for parent in route.spec().items_at(&["parentRefs"]) {
            let namespace = parent.str_at(&["namespace"]).unwrap_or(&route.meta.namespace);
            let name = parent.str_at(&["name"]).unwrap_or_default();
            let Some(gateway) = store.find(gateways, namespace, name) else { continue };
            let addresses = gateway.status().items_at(&["addresses"]);
            let ip = addresses.first().and_then(|it| it.str_at(&["value"])?.parse().ok());
            let class = gateway.spec().str_at(&["gatewayClassName"]).unwrap_or_default();
            let service = ObjectKey::new(namespace, &format!("{name}-{class}"));
            if ip.is_some() || store.get(Kind::Service, &service).is_some() {
                return Some((service, ip));
            }
        }
    }
    None
}
