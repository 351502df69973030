//! What proxies and load balancers do, as text.

use super::front::{BalancerReason, ProxyReason};
use super::hop::{BalancerCause, ProxyCause, Spread, WhyNoRoute, WhyNoRule};
use super::metallb::{Mismatch, WhySilent};
use super::nginx::{Choice, Pick};
use super::text::{drawn, ports};
use core::fmt;

impl fmt::Display for BalancerReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BalancerReason::Balances { service, node, draw, spread, .. } => {
                let which = match spread {
                    Spread::HealthyNodes => "healthy nodes".to_owned(),
                    Spread::NodesWithEndpoints { health_check_port } => {
                        format!("nodes with endpoints, health check port {health_check_port}")
                    }
                };
                write!(formatter, "{service} to node {node} ({which}, {})", drawn(draw))
            }
            BalancerReason::AnswersArp { ip, node, mac, among } => {
                write!(formatter, "who has {ip}? {mac}, node {node} (1 of {among} that could)")
            }
            BalancerReason::AllAnswerArp { ip, node, mac, count } => {
                write!(formatter, "who has {ip}? {count} nodes answer, first {mac}, node {node}")
            }
            BalancerReason::AsksInVain { ip } => write!(formatter, "who has {ip}? nobody answers"),
            BalancerReason::RoutesByBgp { service, node, draw } => {
                let (number, count) = (u64::from(draw.drawn) + 1, draw.among);
                write!(
                    formatter,
                    "BGP route of {service} to node {node} (next hop {number} of {count})"
                )
            }
            BalancerReason::HandBalances { server, to, among, down, .. } => {
                write!(formatter, "server {server} {to} (1 of {among}, {down} down)")
            }
            BalancerReason::HandFails { server, manner, seconds: 0, .. } => {
                write!(formatter, "server {server} {}", manner.word())
            }
            BalancerReason::HandFails { server, manner, seconds, .. } => {
                write!(formatter, "server {server} {} after {seconds} s", manner.word())
            }
        }
    }
}

impl fmt::Display for ProxyReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyReason::IngressRule { ingress: None, .. } => {
                formatter.write_str("no Ingress fits")
            }
            ProxyReason::IngressRule { ingress: Some(ingress), host, path, backend } => {
                let host = if host.is_empty() { "*" } else { host };
                write!(formatter, "Ingress {ingress} {host}{path} -> ")?;
                match backend {
                    Some((service, port)) => write!(formatter, "{service}:{port}"),
                    None => formatter.write_str("no Service"),
                }
            }
            ProxyReason::HttpRoute { gateway, route: None, .. } => {
                write!(formatter, "no HTTPRoute at Gateway {gateway} fits")
            }
            ProxyReason::HttpRoute { listener, route: Some(route), rule, host, path, .. } => {
                let host = if host.is_empty() { "*" } else { host };
                write!(
                    formatter,
                    "listener {listener}: HTTPRoute {route} rule {rule}, {host}{path}"
                )
            }
            ProxyReason::Weighs { service, weight, total } => {
                write!(formatter, "backend {service} (weight {weight} of {total})")
            }
            ProxyReason::ChangesHeaders { changes } => write!(formatter, "headers {changes}"),
            ProxyReason::Rewrites { from, to, .. } => write!(formatter, "rewrites {from} to {to}"),
            ProxyReason::Canary { service, taken, choice } => {
                let word = if *taken { "to" } else { "not to" };
                write!(formatter, "{word} canary {service} ({choice})")
            }
            ProxyReason::BypassesService { service, endpoint, among, pick } => write!(
                formatter,
                "straight to endpoint {endpoint} of {service}, not to its cluster IP (1 of {among}, {pick})"
            ),
            ProxyReason::Fails { endpoint, manner, seconds: 0 } => {
                write!(formatter, "endpoint {endpoint} {}", manner.word())
            }
            ProxyReason::Fails { endpoint, manner, seconds } => {
                write!(formatter, "endpoint {endpoint} {} after {seconds} s", manner.word())
            }
        }
    }
}

impl fmt::Display for BalancerCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BalancerCause::NotAnnounced { service, why } => {
                write!(formatter, "nobody announces the address of {service}: {why}")
            }
            BalancerCause::AnnouncerDown { service, node } => {
                write!(formatter, "node {node} announced the address of {service} and is down")
            }
            BalancerCause::ByHand { server, to, cause } => {
                write!(formatter, "server {server} {to} in the load balancer's file: {cause}")
            }
            BalancerCause::AllDown { count } => {
                write!(formatter, "the load balancer's checks have found all {count} servers down")
            }
            BalancerCause::NoFrontend { offered, port } => {
                let offered = ports(offered);
                write!(formatter, "the load balancer does not bind port {port}, but {offered}")
            }
        }
    }
}

impl fmt::Display for ProxyCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProxyCause::NoRule { host, path, why } => write_no_rule(formatter, host, path, why),
            ProxyCause::NoSuchService { ingress, service } => {
                write!(
                    formatter,
                    "Ingress {ingress} leads to Service {service}, which is not there"
                )
            }
            ProxyCause::NoSuchPort { ingress, service, port, offered } => {
                let offered = ports(offered);
                write!(
                    formatter,
                    "Ingress {ingress} leads to port {port} of Service {service}, which has only {offered}"
                )
            }
            ProxyCause::NoRoute { gateway, host, path, why } => {
                write!(formatter, "Gateway {gateway} has no rule for {host}{path}: {why}")
            }
            ProxyCause::NoBackend { route, message } if message.is_empty() => {
                write!(formatter, "the rule of HTTPRoute {route} has no backend with a weight")
            }
            ProxyCause::NoBackend { route, message } => {
                write!(formatter, "HTTPRoute {route} leads nowhere: {message}")
            }
            ProxyCause::NoListener { gateway, listener, message } => {
                write!(
                    formatter,
                    "listener {listener} of Gateway {gateway} is not taken: {message}"
                )
            }
            ProxyCause::NoCertificate { ingress, secret } => {
                write!(
                    formatter,
                    "Ingress {ingress} names Secret {secret}, which has no certificate"
                )
            }
            ProxyCause::NoTlsName { gateway, host } => {
                write!(formatter, "no listener of Gateway {gateway} has a certificate for {host}")
            }
            ProxyCause::RedirectsToTls(host) => {
                write!(formatter, "{host} is to be asked by https")
            }
            ProxyCause::NotAllowedBy { ingress, ip } => {
                write!(formatter, "Ingress {ingress} does not let {ip} in")
            }
            ProxyCause::WantsPassword(secret) => {
                write!(formatter, "a name and a password of Secret {secret} are wanted")
            }
        }
    }
}

fn write_no_rule(
    formatter: &mut fmt::Formatter<'_>,
    host: &str,
    path: &str,
    why: &WhyNoRule,
) -> fmt::Result {
    match why {
        WhyNoRule::NoHost => write!(formatter, "no Ingress names host {host}"),
        WhyNoRule::OtherClass(key) => {
            write!(formatter, "Ingress {key} names {host}, but is of another class")
        }
        WhyNoRule::NoClass(key) => {
            write!(formatter, "Ingress {key} names {host}, but has no ingressClassName")
        }
        WhyNoRule::OnlyCanary(key) => {
            write!(
                formatter,
                "Ingress {key} is a canary, and no other Ingress has its host and path"
            )
        }
        WhyNoRule::NoPath(key) => {
            write!(formatter, "Ingress {key} names {host}, but has no path for {path}")
        }
    }
}

impl fmt::Display for WhyNoRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyNoRoute::NoHost => formatter.write_str("no HTTPRoute names the host"),
            WhyNoRoute::OtherGateway(key) => {
                write!(formatter, "HTTPRoute {key} names another Gateway")
            }
            WhyNoRoute::Refused(key, why) => write!(formatter, "HTTPRoute {key}: {why}"),
            WhyNoRoute::NoPath(key) => write!(formatter, "HTTPRoute {key} has no such path"),
            WhyNoRoute::NoMatch(key) => {
                write!(formatter, "HTTPRoute {key} wants another method, header or query")
            }
        }
    }
}

impl fmt::Display for WhySilent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhySilent::NoAdvertisement { pool } => {
                write!(formatter, "no L2Advertisement or BGPAdvertisement is for pool {pool}")
            }
            WhySilent::NoEndpoints => formatter.write_str("it has no endpoint that serves"),
            WhySilent::NoLocalEndpoints => {
                formatter.write_str("no node that may announce it has an endpoint of its own")
            }
            WhySilent::NoSpeaker => {
                formatter.write_str("no speaker runs on a node that may announce it")
            }
            WhySilent::NoSession { peer: None } => {
                formatter.write_str("the router has no BGP session, since there is no BGPPeer")
            }
            WhySilent::NoSession { peer: Some((peer, mismatch)) } => {
                let what = match mismatch {
                    Mismatch::Address => "has another peerAddress",
                    Mismatch::Asn => "has another peerASN",
                    Mismatch::Port => "has another peerPort",
                    Mismatch::Password => "has a password",
                };
                write!(formatter, "BGPPeer {peer} {what} than the router")
            }
            WhySilent::OtherNetwork => {
                formatter.write_str("it is not of the nodes' network, where L2 works")
            }
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Choice::Header { name, value } => write!(formatter, "header {name}: {value}"),
            Choice::Cookie { name, value } => write!(formatter, "cookie {name}={value}"),
            Choice::Affinity => formatter.write_str("by the cookie of an earlier answer"),
            Choice::Weight { weight, total, drawn } => {
                write!(formatter, "weight {weight} of {total}, drew {drawn}")
            }
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pick::Turn { worker, workers } => {
                write!(formatter, "its turn with worker {worker} of {workers}")
            }
            Pick::Cookie => formatter.write_str("by its cookie"),
            Pick::Chance => formatter.write_str("by chance"),
            Pick::NewCookie => formatter.write_str("by chance, with a new cookie"),
        }
    }
}
