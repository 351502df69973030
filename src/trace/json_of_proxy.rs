//! What proxies and load balancers do, as JSON.

use super::hop::{Cause, Reason, WhyNoRule};
use super::json::{draw, key};
use crate::api::Value;
use serde_json::json;

/// Why a proxy did what it did.
pub(super) fn reason(reason: &Reason) -> Value {
    match reason {
        Reason::AnswersArp { ip, node, mac, among } => json!({
            "kind": "answersArp",
            "ip": ip.to_string(),
            "node": **node,
            "mac": **mac,
            "among": among,
        }),
        Reason::AllAnswerArp { ip, node, mac, count } => json!({
            "kind": "allAnswerArp",
            "ip": ip.to_string(),
            "node": **node,
            "mac": **mac,
            "count": count,
        }),
        Reason::AsksInVain { ip } => json!({"kind": "asksInVain", "ip": ip.to_string()}),
        Reason::RoutesByBgp { service, node, draw: lot } => json!({
            "kind": "routesByBgp",
            "service": key(service),
            "node": **node,
            "draw": draw(lot),
        }),
        Reason::IngressRule { ingress, host, path, backend } => json!({
            "kind": "ingressRule",
            "ingress": ingress.as_ref().map(key),
            "host": **host,
            "path": **path,
            "service": backend.as_ref().map(|(service, _)| key(service)),
            "port": backend.as_ref().map(|(_, port)| port.to_string()),
        }),
        Reason::Rewrites { from, to, .. } => {
            json!({"kind": "rewrites", "from": **from, "to": **to})
        }
        Reason::Canary { service, taken, choice } => json!({
            "kind": "canary",
            "service": key(service),
            "taken": taken,
            "by": choice.to_string(),
        }),
        Reason::BypassesService { service, endpoint, among, pick } => json!({
            "kind": "bypassesService",
            "service": key(service),
            "endpoint": endpoint.to_string(),
            "among": among,
            "by": pick.to_string(),
        }),
        Reason::Fails { endpoint, manner, seconds } => json!({
            "kind": "fails",
            "endpoint": endpoint.to_string(),
            "manner": manner.word(),
            "seconds": seconds,
        }),
        _ => routing(reason),
    }
}

/// The same for Gateways and for load balancers that people built.
fn routing(reason: &Reason) -> Value {
    match reason {
        Reason::HttpRoute { gateway, listener, route, rule, host, path, .. } => json!({
            "kind": "httpRoute",
            "gateway": key(gateway),
            "listener": **listener,
            "route": route.as_ref().map(key),
            "rule": rule,
            "host": **host,
            "path": **path,
        }),
        Reason::Weighs { service, weight, total } => json!({
            "kind": "weighs", "service": key(service), "weight": weight, "total": total,
        }),
        Reason::ChangesHeaders { changes } => {
            json!({"kind": "changesHeaders", "changes": **changes})
        }
        Reason::HandBalances { server, to, among, down, unlisted } => json!({
            "kind": "handBalances",
            "server": **server,
            "to": to.to_string(),
            "among": among,
            "down": down,
            "unlisted": unlisted,
        }),
        Reason::HandFails { server, to, manner, seconds } => json!({
            "kind": "handFails",
            "server": **server,
            "to": to.to_string(),
            "manner": manner.word(),
            "seconds": seconds,
        }),
        _ => Value::Null,
    }
}

/// Why a proxy's answer is no better one.
pub(super) fn cause(cause: &Cause) -> Value {
    match cause {
        Cause::NotAnnounced { service, why } => json!({
            "kind": "notAnnounced",
            "service": key(service),
            "why": why.to_string(),
        }),
        Cause::AnnouncerDown { service, node } => {
            json!({"kind": "announcerDown", "service": key(service), "node": **node})
        }
        Cause::NoRule { host, path, why } => json!({
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
        Cause::NoSuchService { ingress, service } => json!({
            "kind": "noSuchService", "ingress": key(ingress), "service": key(service),
        }),
        Cause::NoSuchPort { ingress, service, port, offered } => json!({
            "kind": "noSuchPort",
            "ingress": key(ingress),
            "service": key(service),
            "port": **port,
            "offered": offered,
        }),
        Cause::NoRoute { gateway, host, path, why } => json!({
            "kind": "noRoute",
            "gateway": key(gateway),
            "host": **host,
            "path": **path,
            "why": why.to_string(),
        }),
        Cause::NoBackend { route, message } => {
            json!({"kind": "noBackend", "route": key(route), "message": **message})
        }
        Cause::NoTlsName { gateway, host } => {
            json!({"kind": "noTlsName", "gateway": key(gateway), "host": **host})
        }
        Cause::ByHand { server, to, cause } => json!({
            "kind": "byHand", "server": **server, "to": to.to_string(), "why": cause.to_string(),
        }),
        Cause::AllDown { count } => json!({"kind": "allDown", "count": count}),
        Cause::NoFrontend { offered, port } => {
            json!({"kind": "noFrontend", "offered": offered, "port": port})
        }
        Cause::RedirectsToTls(host) => json!({"kind": "redirectsToTls", "host": **host}),
        Cause::NotAllowedBy { ingress, ip } => json!({
            "kind": "notAllowedBy", "ingress": key(ingress), "ip": ip.to_string(),
        }),
        Cause::WantsPassword(secret) => json!({"kind": "wantsPassword", "secret": **secret}),
        _ => Value::Null,
    }
}
