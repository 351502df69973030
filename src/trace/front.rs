//! What load balancers and proxies do with a request on its way, and why.

use super::hop::{Manner, Spread};
use super::nginx::{Choice, Pick};
use crate::net::packet::Endpoint;
use crate::net::walk::Draw;
use crate::store::ObjectKey;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What a load balancer did, or the router before the nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum BalancerReason {
    /// The load balancer chose a node.
    Balances {
        /// The Service.
        service: ObjectKey,
        /// The node.
        node: Arc<str>,
        /// Between how many nodes.
        draw: Draw,
        /// Between which nodes.
        spread: Spread,
        /// The node port it goes to; 0 if it keeps the load balancer's address and port.
        node_port: u16,
    },
    /// The router asks who has the address, and a node answers: MetalLB's speaker there (L2).
    AnswersArp {
        /// The address.
        ip: Ipv4Addr,
        /// The node.
        node: Arc<str>,
        /// Its hardware address.
        mac: Arc<str>,
        /// Among how many nodes it was chosen.
        among: u32,
    },
    /// The router asks who has the address, and every node answers, since IPVS has bound it there;
    /// the first answer is taken.
    AllAnswerArp {
        /// The address.
        ip: Ipv4Addr,
        /// The node that was first.
        node: Arc<str>,
        /// Its hardware address.
        mac: Arc<str>,
        /// How many answer.
        count: u32,
    },
    /// The router asks who has the address, and nobody answers.
    AsksInVain {
        /// The address.
        ip: Ipv4Addr,
    },
    /// The router has learned ways to the address by BGP, and takes one of them.
    RoutesByBgp {
        /// The Service.
        service: ObjectKey,
        /// The node.
        node: Arc<str>,
        /// Between how many.
        draw: Draw,
    },
    /// A load balancer that people built chose a line of its file.
    HandBalances {
        /// The name of the server in the file.
        server: Arc<str>,
        /// Where the line leads.
        to: Endpoint,
        /// Between how many it chose.
        among: u32,
        /// How many others its checks have found down.
        down: u32,
        /// Nodes that the file does not know.
        unlisted: u32,
    },
    /// That line leads to nobody who takes the connection, and the next one is tried.
    HandFails {
        /// The name of the server.
        server: Arc<str>,
        /// Where the line leads.
        to: Endpoint,
        /// How it showed.
        manner: Manner,
        /// How long was waited for it.
        seconds: u32,
    },
}

/// What a proxy of HTTP did: an ingress controller, or the nginx of a Gateway.
#[derive(Clone, Debug, PartialEq)]
pub enum ProxyReason {
    /// The ingress controller found a rule for host and path.
    IngressRule {
        /// The Ingress; none for the controller's own 404.
        ingress: Option<ObjectKey>,
        /// The host of the rule; empty for any.
        host: Arc<str>,
        /// The path of the rule; empty for the default backend.
        path: Arc<str>,
        /// The Service it leads to, and its port as the Ingress names it.
        backend: Option<(ObjectKey, Arc<str>)>,
    },
    /// A Gateway's nginx found a rule of an HTTPRoute.
    HttpRoute {
        /// The Gateway.
        gateway: ObjectKey,
        /// Its listener.
        listener: Arc<str>,
        /// Whether that is reached by TLS.
        tls: bool,
        /// The route; none where no rule fits.
        route: Option<ObjectKey>,
        /// The rule, from 1.
        rule: u32,
        /// The host of listener and route; empty for all.
        host: Arc<str>,
        /// The path of the rule.
        path: Arc<str>,
    },
    /// Of the rule's backends one was drawn, by their weights.
    Weighs {
        /// The Service.
        service: ObjectKey,
        /// Its weight.
        weight: u32,
        /// All weights.
        total: u32,
    },
    /// Headers are set, added to or taken away (`RequestHeaderModifier`).
    ChangesHeaders {
        /// What was done: `name: value`, or `-name` for one that is gone.
        changes: Arc<str>,
    },
    /// A proxy changes the path (`rewrite-target`, `URLRewrite`).
    Rewrites {
        /// What says so.
        by: &'static str,
        /// From what was asked.
        from: Arc<str>,
        /// To what the server will see.
        to: Arc<str>,
    },
    /// There is a canary for this rule.
    Canary {
        /// The canary's Service.
        service: ObjectKey,
        /// Whether the request goes there.
        taken: bool,
        /// What decided.
        choice: Choice,
    },
    /// The ingress controller goes to an endpoint itself and not to the Service's address.
    BypassesService {
        /// The Service.
        service: ObjectKey,
        /// The endpoint.
        endpoint: Endpoint,
        /// Among how many.
        among: u32,
        /// How it was picked.
        pick: Pick,
    },
    /// The endpoint did not answer the ingress controller, which tries another one, if it may.
    Fails {
        /// The endpoint.
        endpoint: Endpoint,
        /// How it showed.
        manner: Manner,
        /// How long was waited for it.
        seconds: u32,
    },
}
