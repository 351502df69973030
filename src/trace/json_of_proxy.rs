//! What proxies and load balancers do, as JSON.

use super::front::{BalancerReason, ProxyReason};
use super::hop::{BalancerCause, ProxyCause, Spread, WhyNoRule};
use super::json::{draw, key};
use crate::api::Value;
use serde_json::json;

/// What a load balancer did.
pub(super) fn balancer(reason: &BalancerReason) -> Value {
    match reason {
        BalancerReason::Balances { service, node, draw: lot, spread, node_port } => json!({
            "kind": "balances",
            "service": key(service),
            "node": **node,
            "draw": draw(lot),
            "spread": match spread {
                Spread::HealthyNodes => "healthyNodes",
                Spread::NodesWithEndpoints { .. } => "nodesWithEndpoints",
            },
            "nodePort": node_port,
        }),
        BalancerReason::AnswersArp { ip, node, mac, among } => json!({
            "kind": "answersArp",
            "ip": ip.to_string(),
            "node": **node,
            "mac": **mac,
            "among": among,
        }),
        BalancerReason::AllAnswerArp { ip, node, mac, count } => json!({
            "kind": "allAnswerArp",
            "ip": ip.to_string(),
            "node": **node,
            "mac": **mac,
            "count": count,
        }),
        BalancerReason::AsksInVain { ip } => json!({"kind": "asksInVain", "ip": ip.to_string()}),
        BalancerReason::RoutesByBgp { service, node, draw: lot } => json!({
            "kind": "routesByBgp",
            "service": key(service),
            "node": **node,
            "draw": draw(lot),
        }),
        BalancerReason::HandBalances { server, to, among, down, unlisted } => json!({
            "kind": "handBalances",
            "server": **server,
            "to": to.to_string(),
            "among": among,
            "down": down,
            "unlisted": unlisted,
        }),
        BalancerReason::HandFails { server, to, manner, seconds } => json!({
            "kind": "handFails",
            "server": **server,
            "to": to.to_string(),
            "manner": manner.word(),
            "seconds": seconds,
        }),
    }
}

/// What a proxy did.
pub(super) fn proxy(reason: &ProxyReason) -> Value {
    match reason {
        ProxyReason::IngressRule { ingress, host, path, backend } => json!({
            "kind": "ingressRule",
            "ingress": ingress.as_ref().map(key),
            "host": **host,
            "path": **path,
            "service": backend.as_ref().map(|(service, _)| key(service)),
            "port": backend.as_ref().map(|(_, port)| port.to_string()),
        }),
        ProxyReason::Rewrites { from, to, .. } => {
            json!({"kind": "rewrites", "from": **from, "to": **to})
        }
        ProxyReason::Canary { service, taken, choice } => json!({
            "kind": "canary",
            "service": key(service),
            "taken": taken,
            "by": choice.to_string(),
        }),
        ProxyReason::BypassesService { service, endpoint, among, pick } => json!({
            "kind": "bypassesService",
            "service": key(service),
            "endpoint": endpoint.to_string(),
            "among": among,
            "by": pick.to_string(),
        }),
        ProxyReason::Fails { endpoint, manner, seconds } => json!({
            "kind": "fails",
            "endpoint": endpoint.to_string(),
            "manner": manner.word(),
            "seconds": seconds,
        }),
        ProxyReason::HttpRoute { gateway, listener, route, rule, host, path, .. } => json!({
            "kind": "httpRoute",
            "gateway": key(gateway),
            "listener": **listener,
            "route": route.as_ref().map(key),
            "rule": rule,
            "host": **host,
            "path": **path,
        }),
        ProxyReason::Weighs { service, weight, total } => json!({
            "kind": "weighs", "service": key(service), "weight": weight, "total": total,
        }),
        ProxyReason::ChangesHeaders { changes } => {
            json!({"kind": "changesHeaders", "changes": **changes})
        }
    }
}

/// Why a load balancer knows no way.
pub(super) fn balancer_cause(cause: &BalancerCause) -> Value {
    match cause {
        BalancerCause::NotAnnounced { service, why } => json!({
            "kind": "notAnnounced",
            "service": key(service),
            "why": why.to_string(),
        }),
        BalancerCause::AnnouncerDown { service, node } => {
            json!({"kind": "announcerDown", "service": key(service), "node": **node})
        }
        BalancerCause::ByHand { server, to, cause } => json!({
            "kind": "byHand", "server": **server, "to": to.to_string(), "why": cause.to_string(),
        }),
        BalancerCause::AllDown { count } => json!({"kind": "allDown", "count": count}),
        BalancerCause::NoFrontend { offered, port } => {
            json!({"kind": "noFrontend", "offered": offered, "port": port})
        }
    }
}

/// Why a proxy's answer is no better one.
pub(super) fn proxy_cause(cause: &ProxyCause) -> Value {
    match cause {
        ProxyCause::NoRule { host, path, why } => json!({
            "kind": "noRule",
            "host": **host,
            "path": **path,
            "why": match &**why {
                WhyNoRule::NoHost => json!({"kind": "noHost"}),
                WhyNoRule::OtherClass(it) => json!({"kind": "otherClass", "ingress": key(it)}),
                WhyNoRule::NoClass(it) => json!({"kind": "noClass", "ingress": key(it)}),
                WhyNoRule::OnlyCanary(it) => json!({"kind": "onlyCanary", "ingress": key(it)}),
                WhyNoRule::NoPath(it) => json!({"kind": "noPath", "ingress": key(it)}),
            },
        }),
        ProxyCause::NoSuchService { ingress, service } => json!({
            "kind": "noSuchService", "ingress": key(ingress), "service": key(service),
        }),
        ProxyCause::NoSuchPort { ingress, service, port, offered } => json!({
            "kind": "noSuchPort",
            "ingress": key(ingress),
            "service": key(service),
            "port": **port,
            "offered": offered,
        }),
        ProxyCause::NoRoute { gateway, host, path, why } => json!({
            "kind": "noRoute",
            "gateway": key(gateway),
            "host": **host,
            "path": **path,
            "why": why.to_string(),
        }),
        ProxyCause::NoBackend { route, message } => {
            json!({"kind": "noBackend", "route": key(route), "message": **message})
        }
        ProxyCause::NoListener { gateway, listener, message } => json!({
            "kind": "noListener",
            "gateway": key(gateway),
            "listener": **listener,
            "message": **message,
        }),
        ProxyCause::NoCertificate { ingress, secret } => {
            json!({"kind": "noCertificate", "ingress": key(ingress), "secret": **secret})
        }
        ProxyCause::NoTlsName { gateway, host } => {
            json!({"kind": "noTlsName", "gateway": key(gateway), "host": **host})
        }
        ProxyCause::RedirectsToTls(host) => json!({"kind": "redirectsToTls", "host": **host}),
        ProxyCause::NotAllowedBy { ingress, ip } => json!({
            "kind": "notAllowedBy", "ingress": key(ingress), "ip": ip.to_string(),
        }),
        ProxyCause::WantsPassword(secret) => json!({"kind": "wantsPassword", "secret": **secret}),
    }
}
