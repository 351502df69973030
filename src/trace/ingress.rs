//! The ingress controller (ingress-nginx): which endpoint a host and a path lead to, and what nginx
//! answers itself.

use super::answer::Answered;
use super::blame::why_no_endpoints;
use super::front::ProxyReason;
use super::hop::{Cause, Failure, Manner, Place, ProxyCause, WhyNoRule};
use super::names;
use super::nginx::{
    self, Backend, Certificate, Configuration, DEFAULT_BACKEND, Ignored, Located, Settings, Target,
    Trouble, Worker, host_matches,
};
use super::path::{Arrival, Tracer};
use super::request::{Headers, Request, Source};
use super::upstream::Nginx;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::container::server;
use crate::net::packet::Endpoint;
use crate::store::ObjectKey;
use core::time::Duration;
use std::net::IpAddr;
use std::sync::Arc;

/// The controller's namespace.
pub(super) const NAMESPACE: &str = "ingress-nginx";
/// The controller's Service.
pub(super) const SERVICE: &str = "ingress-nginx-controller";
/// `proxy_connect_timeout` and `proxy_next_upstream_tries`.
const CONNECT_SECONDS: u32 = 5;
const TRIES: u32 = 3;
/// `Strict-Transport-Security` as the controller sends it.
const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Whether an Ingress has a rule for a host.
pub(super) fn names_host(ingress: &Object, host: &str) -> bool {
    let rules = ingress.spec().items_at(&["rules"]);
    rules.iter().any(|rule| rule.str_at(&["host"]).is_some_and(|own| host_matches(own, host)))
}

/// The controller that a request came to.
pub(super) struct Front {
    /// The process.
    nginx: Nginx,
    /// Its flags.
    settings: Settings,
    /// How many workers nginx has: one for each CPU of the node.
    workers: u32,
}

/// A request as the controller has it.
struct Asked<'a> {
    request: &'a Request,
    /// The address it came from.
    sees: IpAddr,
    /// The host asked for, and the path without its query.
    host: &'a str,
    path: &'a str,
}

impl Tracer<'_> {
    /// The controller that runs in a pod and takes requests on a port, if it is one.
    pub(super) fn front(&self, object: &Object, port: u16) -> Option<Front> {
        let (settings, container) = nginx::Settings::of_pod(object)?;
        let node = object.pod()?.node_name.clone().unwrap_or_default();
        let node = self.cluster.store.find(Kind::Node, "", &node);
        let cpus = node.and_then(|node| node.status().at(&["capacity", "cpu"]));
        let cpus = cpus.and_then(|cpus| match cpus.as_str() {
            Some(text) => text.parse().ok(),
            None => cpus.as_u64().and_then(|cpus| u32::try_from(cpus).ok()),
        });
        matches!(port, 80 | 443).then(|| Front {
            nginx: Nginx {
                pod: ObjectKey::of(object),
                container: Arc::from(container.name.as_str()),
            },
            settings,
            workers: cpus.unwrap_or(1).max(1),
        })
    }

    /// What the controller in a pod does with a request: it finds the rule, and asks an endpoint of
    /// its Service over a connection of its own.
    pub(super) fn by_ingress(
        &mut self,
        request: &Request,
        front: &Front,
        arrival: &Arrival,
    ) -> Result<Answered, Failure> {
        if arrival.packet.destination.port == 443 && !request.tls {
            return Ok(front.nginx.says(400, server::NGINX_PLAIN_TO_TLS));
        }
        let configuration = self.network.nginx(&self.cluster, &front.settings);
        let asked = Asked {
            request,
            sees: arrival.packet.source.ip,
            host: request.asked_host(),
            path: request.path.split('?').next().unwrap_or("/"),
        };
        let Some(located) = configuration.locate(asked.host, asked.path) else {
            return Ok(front.nginx.page(404));
        };
        self.found(front, &configuration, &located);
        let mut answered = match self.own_answer(front, &configuration, &located, &asked) {
            Some(answered) => answered,
            None => self.hand_on(front, &configuration, &located, &asked)?,
        };
        if request.tls {
            answered.headers = answered.headers.and("Strict-Transport-Security", HSTS);
            let missing = configuration.certificate(asked.host).and_then(Certificate::missing);
            let because = missing.map(|(ingress, secret)| {
                Box::new(Cause::Proxy(ProxyCause::NoCertificate { ingress, secret }))
            });
            answered.because = answered.because.or(because);
        }
        Ok(answered)
    }

    /// Notes the rule that was found.
    fn found(&mut self, front: &Front, configuration: &Configuration, located: &Located<'_>) {
        let Located { host, location, .. } = *located;
        let is_none = *location.backend == *DEFAULT_BACKEND;
        let backend = configuration.backends.get(&location.backend);
        let service = backend.and_then(|it| Some((it.service.clone()?, it.port.clone())));
        let reason = ProxyReason::IngressRule {
            ingress: location.ingress.clone().filter(|_| !is_none),
            host: Arc::from(if **host == *nginx::CATCH_ALL { "" } else { host }),
            path: location.ingress_path.clone(),
            backend: service,
        };
        self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
    }

    /// What nginx answers without asking anybody: redirects, refusals, and that there is nobody.
    ///
    /// In the order of nginx' phases: `return`, the redirect to TLS, the balancer's 503, who may
    /// come, who has a password.
    fn own_answer(
        &mut self,
        front: &Front,
        configuration: &Configuration,
        located: &Located<'_>,
        asked: &Asked<'_>,
    ) -> Option<Answered> {
        let Asked { request, host, path, sees } = *asked;
        let rules = &located.location.rules;
        let scheme = if request.tls { "https" } else { "http" };
        let roots = located.server.locations.iter().map(|location| &location.rules.app_root);
        if let Some(root) = roots.into_iter().find(|root| !root.is_empty() && path == "/") {
            return Some(front.nginx.sends_to(302, &format!("{scheme}://{host}{root}")));
        }
        if let Some((status, place)) = &rules.redirect {
            return Some(front.nginx.sends_to(*status, place));
        }
        if let Some(to) = located.location.rewrite(&request.path) {
            let reason = ProxyReason::Rewrites {
                by: "rewrite-target",
                from: request.path.clone(),
                to: Arc::from(to),
            };
            self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
        }
        if !request.tls && self.redirects_to_tls(front, configuration, located, host) {
            let place = format!("https://{host}{}", request.path);
            let because = Cause::Proxy(ProxyCause::RedirectsToTls(Arc::from(host)));
            let because = Some(Box::new(because));
            return Some(Answered { because, ..front.nginx.sends_to(308, &place) });
        }
        let backend = configuration.backends.get(&located.location.backend)?;
        if backend.is_empty() {
            if *located.location.backend == *DEFAULT_BACKEND {
                let because = self.why_no_rule(&front.settings, host, path);
                return Some(front.nginx.refuses(404, because));
            }
            let because = self.why_empty(located, backend);
            return Some(front.nginx.refuses(503, because));
        }
        let is_in = |nets: &[ipnet::IpNet]| nets.iter().any(|net| net.contains(&sees));
        if is_in(&rules.denied) || !rules.allowed.is_empty() && !is_in(&rules.allowed) {
            let ingress = located.location.ingress.clone()?;
            let because = ProxyCause::NotAllowedBy { ingress, ip: sees };
            return Some(front.nginx.refuses(403, Cause::Proxy(because)));
        }
        let (secret, realm) = rules.basic_auth.as_ref()?;
        if request.headers.get("Authorization").is_some() {
            // Simplified: any password will do.
            return None;
        }
        let page = front.nginx.page(401);
        let headers = page.headers.and("WWW-Authenticate", &format!("Basic realm=\"{realm}\""));
        let because = Cause::Proxy(ProxyCause::WantsPassword(Arc::from(secret.as_str())));
        let because = Some(Box::new(because));
        Some(Answered { headers, because, ..page })
    }

    /// Models rootfs/etc/nginx/lua/lua_ingress.lua redirect_to_https.
    fn redirects_to_tls(
        &self,
        front: &Front,
        configuration: &Configuration,
        located: &Located<'_>,
        host: &str,
    ) -> bool {
        let option = |name: &str| front.settings.option(self.cluster.store, name);
        let rules = &located.location.rules;
        let wanted = rules.ssl_redirect.unwrap_or(option("ssl-redirect") != Some("false"));
        rules.force_ssl_redirect
            || option("force-ssl-redirect") == Some("true")
            || wanted && configuration.certificate(host).is_some()
    }

    /// Why no rule fits: what stands in the way of the Ingress that was meant.
    fn why_no_rule(&self, settings: &Settings, host: &str, path: &str) -> Cause {
        let store = self.cluster.store;
        let mut why = WhyNoRule::NoHost;
        for ingress in store.list(Kind::Ingress).filter(|ingress| names_host(ingress, host)) {
            let key = ObjectKey::of(ingress);
            let found = match settings.class_of(store, ingress) {
                Err(Ignored::NoClass) => WhyNoRule::NoClass(key),
                Err(Ignored::OtherClass) => WhyNoRule::OtherClass(key),
                Ok(_) if nginx::Annotations::of(ingress).canary.is_some() => {
                    WhyNoRule::OnlyCanary(key)
                }
                Ok(_) => WhyNoRule::NoPath(key),
            };
            why = why.max(found);
        }
        let (host, path) = (Arc::from(host), Arc::from(path));
        Cause::Proxy(ProxyCause::NoRule { host, path, why: Box::new(why) })
    }

    /// Why a backend has no endpoints.
    fn why_empty(&self, located: &Located<'_>, backend: &Backend) -> Cause {
        let service = backend.service.clone().unwrap_or_else(|| ObjectKey::new("", ""));
        let ingress = located.location.ingress.clone().unwrap_or_else(|| service.clone());
        match backend.trouble {
            Some(Trouble::NoService) => {
                Cause::Proxy(ProxyCause::NoSuchService { ingress, service })
            }
            Some(Trouble::NoPort) => {
                let offered = self.network.ports(&service).unwrap_or_default();
                let port = backend.port.clone();
                Cause::Proxy(ProxyCause::NoSuchPort { ingress, service, port, offered })
            }
            None => why_no_endpoints(&self.cluster, &service),
        }
    }

    /// Asks an endpoint, and another one if that does not answer.
    fn hand_on(
        &mut self,
        front: &Front,
        configuration: &Configuration,
        located: &Located<'_>,
        asked: &Asked<'_>,
    ) -> Result<Answered, Failure> {
        let request = self.forwarded(located, asked);
        let mut name = located.location.backend.clone();
        let canary = configuration.canary(&name, &request.headers, &mut self.rng);
        if let Some((other, taken, choice)) = canary {
            let backend = configuration.backends.get(&other);
            let service = backend.and_then(|backend| backend.service.clone());
            if let Some(service) = service {
                let reason = ProxyReason::Canary { service, taken, choice };
                self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
            }
            if taken {
                name = other;
            }
        }
        let Some(backend) = configuration.backends.get(&name) else {
            return Ok(front.nginx.page(503));
        };
        let endpoints = self.addresses(front, backend)?;
        if endpoints.is_empty() {
            return Ok(front.nginx.page(503));
        }
        let affinity = backend.affinity.as_ref();
        let target = Target { name: &name, affinity, endpoints: &endpoints };
        self.try_endpoints(front, located, asked, &request, (backend, target))
    }

    fn try_endpoints(
        &mut self,
        front: &Front,
        located: &Located<'_>,
        asked: &Asked<'_>,
        request: &Request,
        (backend, target): (&Backend, Target<'_>),
    ) -> Result<Answered, Failure> {
        let rules = &located.location.rules;
        // Whoever is the worker, each endpoint is as likely to have its turn.
        let number = self.rng.any(front.workers) + 1;
        let worker = Worker { pod: &front.nginx.pod, number, count: front.workers };
        let seconds = rules.connect_timeout_seconds.unwrap_or(CONNECT_SECONDS);
        let (mut failed, mut headers) = (Vec::new(), Headers::default());
        let mut last = front.nginx.page(502);
        for _ in 0..rules.tries.unwrap_or(TRIES).max(1) {
            let now = self.cluster.now;
            let turns = self.network.nginx_turns();
            let dice = &mut self.rng;
            let picked = turns.pick(worker, target, &request.headers, &failed, (now, dice));
            let Some((endpoint, pick, cookie)) = picked else { break };
            if let (Some(value), Some(affinity)) = (&cookie, &backend.affinity) {
                let whom = (asked.host, asked.request.tls);
                let cookie = nginx::set_cookie((backend, affinity), located, whom, value, now);
                headers = headers.with("Set-Cookie", cookie.as_deref().unwrap_or_default());
            }
            let among = u32::try_from(target.endpoints.len()).unwrap_or(u32::MAX);
            let service = backend.service.clone().unwrap_or_else(|| front.nginx.pod.clone());
            let reason = ProxyReason::BypassesService { service, endpoint, among, pick };
            self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
            let failure = match self.ask_endpoint(&front.nginx, request, endpoint) {
                Ok(answered) => {
                    let mut all = answered.headers;
                    if let Some(cookie) = headers.get("Set-Cookie") {
                        all = all.and("Set-Cookie", cookie);
                    }
                    return Ok(Answered { headers: all, ..answered });
                }
                Err(failure) => failure,
            };
            let waited = if failure.manner == Manner::Refused { 0 } else { seconds };
            self.waited += Duration::from_secs(u64::from(waited));
            let manner = failure.manner;
            let reason = ProxyReason::Fails { endpoint, manner, seconds: waited };
            self.proxy_hop(Place::Pod(front.nginx.pod.clone()), reason);
            failed.push(endpoint);
            last = front.nginx.refuses(if waited > 0 { 504 } else { 502 }, failure.cause);
        }
        Ok(Answered { headers, ..last })
    }

    /// The addresses of a backend: its endpoints, or those that its name has.
    fn addresses(&mut self, front: &Front, backend: &Backend) -> Result<Vec<Endpoint>, Failure> {
        let Some((name, port)) = &backend.external else { return Ok(backend.endpoints.clone()) };
        if let Ok(ip) = name.parse() {
            return Ok(vec![Endpoint { ip, port: *port }]);
        }
        let pod = &front.nginx.pod;
        let from = Source::Pod { namespace: pod.namespace.clone(), name: pod.name.clone() };
        let conf = names::resolv_conf(&self.cluster, &from);
        let place = Place::Pod(pod.clone());
        // Who finds no address has no server to send to.
        let found = self.look_up(&from, &conf, name, Some(&place)).unwrap_or_default();
        Ok(found.into_iter().map(|ip| Endpoint { ip, port: *port }).collect())
    }

    /// The request as it is sent on.
    ///
    /// Models the `proxy_set_header` lines of rootfs/etc/nginx/template/nginx.tmpl.
    fn forwarded(&mut self, located: &Located<'_>, asked: &Asked<'_>) -> Request {
        let Asked { request, host, sees, .. } = *asked;
        let rules = &located.location.rules;
        let (port, scheme) = if request.tls { ("443", "https") } else { ("80", "http") };
        let sees = sees.to_string();
        let id: String = (0..4).map(|_| format!("{:08x}", self.rng.any(u32::MAX))).collect();
        let original = |name: &str| request.headers.get(name).unwrap_or_default().to_owned();
        let (for_whom, for_host) = (original("X-Forwarded-For"), original("X-Forwarded-Host"));
        let own = [
            ("X-Request-ID", id.as_str()),
            ("X-Real-IP", &sees),
            ("X-Forwarded-For", &sees),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Port", port),
            ("X-Forwarded-Proto", scheme),
            ("X-Forwarded-Scheme", scheme),
            ("X-Scheme", scheme),
            ("X-Original-Forwarded-For", &for_whom),
            ("X-Original-Forwarded-Host", &for_host),
        ];
        let headers =
            own.iter().fold(request.headers.clone(), |all, (name, value)| all.with(name, value));
        let host = if rules.upstream_host.is_empty() { host } else { &rules.upstream_host };
        let path = located.location.rewrite(&request.path).map(Arc::from);
        Request {
            headers,
            host_header: Some(Arc::from(host)),
            path: path.unwrap_or_else(|| request.path.clone()),
            tls: matches!(rules.backend_protocol.as_str(), "HTTPS" | "GRPCS"),
            ..request.clone()
        }
    }
}
