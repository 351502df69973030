//! What kube-proxy itself answers on a node: whether load balancers may send here, and how it works.
//!
//! Models pkg/proxy/healthcheck/{service_health,proxy_health}.go and cmd/kube-proxy/app/server.go
//! serveMetrics.

use super::answer::Answered;
use super::balancer;
use super::hop::Server;
use super::path::Tracer;
use super::request::{Headers, Request};
use crate::api::Kind;
use crate::net::Packet;
use crate::store::ObjectKey;
use std::sync::Arc;

/// Where kube-proxy says whether it is well.
const HEALTHZ: u16 = 10256;
/// Where it answers who asks on its own node.
const METRICS: u16 = 10249;

impl Tracer<'_> {
    /// What kube-proxy answers on a port of its node; `None` where it does not listen.
    pub(super) fn kube_proxy_answer(
        &self,
        request: &Request,
        packet: &Packet,
        node: &Arc<str>,
    ) -> Option<Answered> {
        let path = request.path.split('?').next().unwrap_or("/");
        let (status, body, more) = match packet.destination.port {
            HEALTHZ => self.proxy_health(path, node),
            METRICS if packet.destination.ip.is_loopback() => match path {
                "/proxyMode" => (200, self.network.mode().name().to_owned(), Headers::default()),
                "/healthz" => (200, "ok".to_owned(), Headers::default()),
                // Simplified: nothing is measured.
                "/metrics" => (200, String::new(), Headers::default()),
                _ => (404, "404 page not found\n".to_owned(), Headers::default()),
            },
            port => self.service_health(port, node)?,
        };
        let answered = Answered::new(Server::Node(node.clone()), status, Arc::from(body));
        Some(Answered { headers: more, ..answered })
    }

    fn proxy_health(&self, path: &str, node: &Arc<str>) -> (u16, String, Headers) {
        if path != "/healthz" && path != "/livez" {
            return (404, "404 page not found\n".to_owned(), Headers::default());
        }
        let object = self.cluster.store.find(Kind::Node, "", node);
        let is_eligible = object.is_some_and(|node| !balancer::is_leaving(node));
        let now = self.cluster.now.rfc3339_micros();
        let eligible = match path {
            "/healthz" => format!("\"nodeEligible\":{is_eligible},"),
            _ => String::new(),
        };
        let body = format!(
            "{{\"lastUpdated\":\"{now}\",\"currentTime\":\"{now}\",{eligible}\"healthy\":true,\"status\":{{\"IPv4\":{{\"lastUpdated\":\"{now}\",\"healthy\":true}}}}}}"
        );
        let status = if is_eligible || path == "/livez" { 200 } else { 503 };
        (status, body, json_headers())
    }

    /// The health check port of a Service whose `externalTrafficPolicy` is Local: 200 where it has
    /// endpoints of its own.
    fn service_health(&self, port: u16, node: &Arc<str>) -> Option<(u16, String, Headers)> {
        let input = self.network.input();
        let mut services = input.services.iter();
        let service = services.find(|it| it.health_check_node_port == Some(port))?;
        let key = ObjectKey { namespace: service.namespace.clone(), name: service.name.clone() };
        let count = self.local_endpoints(&key, node);
        let (namespace, name) = (&key.namespace, &key.name);
        let body = format!(
            "{{\n\t\"service\": {{\n\t\t\"namespace\": \"{namespace}\",\n\t\t\"name\": \"{name}\"\n\t}},\n\t\"localEndpoints\": {count},\n\t\"serviceProxyHealthy\": true\n}}"
        );
        let weight = count.to_string();
        let headers = json_headers().and("X-Load-Balancing-Endpoint-Weight", &weight);
        Some((if count > 0 { 200 } else { 503 }, body, headers))
    }

    /// How many ready endpoints a Service has on a node.
    fn local_endpoints(&self, key: &ObjectKey, node: &Arc<str>) -> usize {
        let local = self.network.endpoints_of(key).flat_map(|(_, all)| all);
        let local = local.filter(|it| it.ready && it.node.as_ref() == Some(node));
        let ips: std::collections::BTreeSet<_> = local.map(|it| it.address.ip).collect();
        ips.len()
    }
}

fn json_headers() -> Headers {
    let pairs = [("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff")];
    pairs.into_iter().collect()
}
