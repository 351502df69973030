//! What mends the way in from outside: Ingresses, Gateways' routes, MetalLB.

use super::{Mender, named, patch, start};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, Value};
use crate::store::ObjectKey;
use crate::trace::hop::{BalancerCause, ProxyCause, WhyNoRoute, WhyNoRule};
use crate::trace::metallb::{self, Mismatch, ROUTER, WhySilent, bgp};
use crate::trace::{Cause, gateway, why_no_endpoints};
use serde_json::json;
use std::sync::Arc;

/// What the annotations of ingress-nginx begin with.
const ANNOTATION: &str = "nginx.ingress.kubernetes.io";
/// The number of the cluster's own side in BGP, where nothing says another: the one of MetalLB's
/// examples.
const OWN_ASN: i64 = 64_500;

impl Mender<'_> {
    pub(super) fn of_balancer(&self, cause: &BalancerCause) -> Option<String> {
        match cause {
            BalancerCause::NotAnnounced { service, why } => self.silent(service, why),
            BalancerCause::AnnouncerDown { node, .. } => Some(start(node)),
            BalancerCause::AllDown { .. } => self.stopped_node(),
            BalancerCause::NoFrontend { offered, .. } => self.offered(offered),
            BalancerCause::ByHand { cause, .. } => match **cause {
                Cause::NodeDown(_) => self.line(cause),
                _ => None,
            },
        }
    }

    pub(super) fn of_proxy(&self, cause: &ProxyCause) -> Option<String> {
        match cause {
            ProxyCause::NoRule { host, why, .. } => self.without_rule(host, why),
            ProxyCause::NoSuchService { ingress, service } => {
                let (_, backend) = self.backend(ingress, |own| {
                    own.str_at(&["service", "name"]) == Some(&service.name)
                })?;
                let port = backend.int_at(&["service", "port", "number"]).unwrap_or(80);
                self.expose(service, u16::try_from(port).ok()?)
            }
            ProxyCause::NoSuchPort { ingress, service, port, offered } => {
                let [offered] = offered.as_slice() else { return None };
                let (path, _) = self.backend(ingress, |own| {
                    let named = own.str_at(&["service", "port", "name"]) == Some(port);
                    let number = own.int_at(&["service", "port", "number"]);
                    own.str_at(&["service", "name"]) == Some(&service.name)
                        && (named || number.is_some_and(|own| own.to_string() == **port))
                })?;
                let (path, value) = (format!("{path}/service/port"), json!({"number": offered}));
                let change = json!([{"op": "replace", "path": path, "value": value}]);
                patch("ingress", ingress, &change)
            }
            ProxyCause::RedirectsToTls(_) => self.again(|request| {
                (request.tls, request.port) = (true, 443);
            }),
            ProxyCause::NotAllowedBy { ingress, ip } => {
                let object = self.store.get(Kind::Ingress, ingress)?;
                let key = ["allowlist", "whitelist"].map(|name| {
                    let key = format!("{ANNOTATION}/{name}-source-range");
                    object.meta.annotations.get(&key).map(|old| format!("{key}='{old},{ip}/32'"))
                });
                let [allowlist, whitelist] = key;
                let annotation = allowlist.or(whitelist)?;
                let name = named(ingress);
                Some(format!("kubectl annotate ingress {name} --overwrite {annotation}"))
            }
            ProxyCause::WantsPassword(_) => {
                let line = self.again(|_| {})?;
                Some(format!("curl -u user:password {}", line.strip_prefix("curl ")?))
            }
            ProxyCause::NoRoute { gateway, why, .. } => self.without_route(gateway, why),
            ProxyCause::NoBackend { route, .. } => self.route_backend(route),
            ProxyCause::NoListener { gateway, listener, .. } => self.listener(gateway, listener),
            ProxyCause::NoCertificate { ingress, secret } => self.certificate(ingress, secret),
            ProxyCause::NoTlsName { .. } => None,
        }
    }

    /// A backend of an Ingress, and the way to it in a patch.
    fn backend(
        &self,
        ingress: &ObjectKey,
        is_it: impl Fn(&Value) -> bool,
    ) -> Option<(String, &Value)> {
        let object = self.store.get(Kind::Ingress, ingress)?;
        let rules = object.spec().items_at(&["rules"]).iter().enumerate();
        let mut all = rules.flat_map(|(rule, own)| {
            let paths = own.items_at(&["http", "paths"]).iter().enumerate();
            paths.filter_map(move |(path, own)| {
                let place = format!("/spec/rules/{rule}/http/paths/{path}/backend");
                Some((place, own.at(&["backend"])?))
            })
        });
        all.find(|(_, own)| is_it(own))
    }

    fn without_rule(&self, host: &str, why: &WhyNoRule) -> Option<String> {
        match why {
            WhyNoRule::OtherClass(ingress) | WhyNoRule::NoClass(ingress) => {
                let is_own = |class: &&Arc<Object>| {
                    class.spec().str_at(&["controller"]) == Some("k8s.io/ingress-nginx")
                };
                let class = self.store.list(Kind::IngressClass).find(is_own)?;
                let change = json!({"spec": {"ingressClassName": *class.meta.name}});
                patch("ingress", ingress, &change)
            }
            WhyNoRule::OnlyCanary(ingress) => {
                let key = format!("{ANNOTATION}/canary");
                let off = json!({"metadata": {"annotations": {key: "false"}}});
                patch("ingress", ingress, &off)
            }
            WhyNoRule::NoPath(ingress) => {
                let object = self.store.get(Kind::Ingress, ingress)?;
                let mut rules = object.spec().items_at(&["rules"]).iter();
                let rule = rules.find(|rule| rule.str_at(&["host"]).is_none_or(|it| it == host))?;
                let path = rule.items_at(&["http", "paths"]).first()?.str_at(&["path"])?;
                self.again(|request| request.path = Arc::from(path))
            }
            WhyNoRule::NoHost => {
                let all = self.store.list(Kind::Ingress);
                let rules = all.flat_map(|it| it.spec().items_at(&["rules"]));
                only(rules.filter_map(|rule| rule.str_at(&["host"])))
                    .and_then(|host| self.ask_host(host))
            }
        }
    }

    /// Asks the same address or name for another host.
    fn ask_host(&self, host: &str) -> Option<String> {
        if host.contains('*') {
            return None;
        }
        self.again(|request| {
            let is_address = request.host.parse::<std::net::IpAddr>().is_ok();
            if is_address || request.host_header.is_some() {
                request.host_header = (*request.host != *host).then(|| Arc::from(host));
            } else {
                request.host = Arc::from(host);
            }
        })
    }

    /// A LoadBalancer that has no address can be asked by its node port all the same.
    pub(super) fn by_node_port(&self, service: &ObjectKey) -> Option<String> {
        let object = self.store.get(Kind::Service, service)?;
        let asked = i64::from(self.trace.request.port);
        let is_it = |port: &&Value| port.int_at(&["port"]) == Some(asked);
        let port = object.spec().items_at(&["ports"]).iter().find(is_it)?.int_at(&["nodePort"])?;
        let port = u16::try_from(port).ok()?;
        // On a node with a pod of its own, for it may be that others take none.
        let selector = Selector::from_map(object.spec().get("selector"));
        let mut pods = self.store.pods_matching(&service.namespace, &selector);
        let machine = pods.find_map(|pod| self.cluster.machine(pod.pod()?.node_name.as_ref()?))?;
        self.again(|request| {
            request.host_header = Some(request.host.clone());
            (request.host, request.port) = (Arc::from(machine.ip.to_string()), port);
        })
    }

    /// Nobody announces an address that MetalLB gave.
    fn silent(&self, service: &ObjectKey, why: &WhySilent) -> Option<String> {
        match why {
            WhySilent::NoAdvertisement { pool } => {
                let advertisement = json!({
                    "apiVersion": "metallb.io/v1beta1",
                    "kind": "L2Advertisement",
                    "metadata": {"name": **pool, "namespace": "metallb-system"},
                    "spec": {"ipAddressPools": [**pool]},
                });
                Some(format!("echo '{advertisement}' | kubectl apply -f -"))
            }
            WhySilent::NoEndpoints => self.of_service(&why_no_endpoints(&self.cluster, service)),
            WhySilent::NoLocalEndpoints => self.everywhere(service),
            WhySilent::NoSpeaker => self.stopped_node(),
            WhySilent::NoSession { peer: Some((peer, mismatch)) } => self.bgp_peer(peer, *mismatch),
            WhySilent::NoSession { peer: None } => {
                let peer = json!({
                    "apiVersion": "metallb.io/v1beta2",
                    "kind": "BGPPeer",
                    "metadata": {"name": "router", "namespace": "metallb-system"},
                    "spec": {
                        "myASN": OWN_ASN,
                        "peerASN": bgp::ROUTER_ASN,
                        "peerAddress": ROUTER.to_string(),
                    },
                });
                Some(format!("echo '{peer}' | kubectl apply -f -"))
            }
            WhySilent::OtherNetwork => None,
        }
    }

    /// A BGPPeer is made to fit the router of the nodes' network.
    fn bgp_peer(&self, name: &str, mismatch: Mismatch) -> Option<String> {
        let mut peers = metallb::objects(self.store, "BGPPeer").into_iter();
        let peer = peers.find(|peer| *peer.meta.name == *name)?;
        let set = |field: &str, value: Value| json!([{"op": "add", "path": format!("/spec/{field}"), "value": value}]);
        let change = match mismatch {
            Mismatch::Address => set("peerAddress", ROUTER.to_string().into()),
            Mismatch::Asn => set("peerASN", bgp::ROUTER_ASN.into()),
            Mismatch::Port => set("peerPort", 179.into()),
            Mismatch::Password => {
                let own = ["password", "passwordSecret"].into_iter();
                let own = own.filter(|field| peer.spec().get(*field).is_some());
                own.map(|field| json!({"op": "remove", "path": format!("/spec/{field}")})).collect()
            }
        };
        patch("bgppeer", &ObjectKey::of(peer), &change)
    }

    /// The one certificate that a namespace has, if it is another than the one that is missing.
    fn only_certificate(&self, namespace: &str, missing: &str) -> Option<&Arc<Object>> {
        let is_one = |secret: &&Arc<Object>| {
            let content = secret.content();
            // What a program keeps for itself is nobody's certificate.
            secret.meta.owner_references.is_empty()
                && content.str_at(&["type"]) == Some("kubernetes.io/tls")
                && content.str_at(&["data", "tls.crt"]).is_some()
        };
        let mut all = self.store.list_in(Kind::Secret, namespace).filter(is_one);
        let (secret, None) = (all.next()?, all.next()) else { return None };
        (*secret.meta.name != *missing).then_some(secret)
    }

    /// An Ingress names a Secret that has no certificate, and there is one that has.
    fn certificate(&self, ingress: &ObjectKey, missing: &str) -> Option<String> {
        let secret = self.only_certificate(&ingress.namespace, missing)?;
        let object = self.store.get(Kind::Ingress, ingress)?;
        let mut sections = object.spec().items_at(&["tls"]).iter();
        let place = sections.position(|it| it.str_at(&["secretName"]) == Some(missing))?;
        let path = format!("/spec/tls/{place}/secretName");
        let change = json!([{"op": "replace", "path": path, "value": *secret.meta.name}]);
        patch("ingress", ingress, &change)
    }

    /// A listener of a Gateway that is not taken for want of its certificate, and there is one.
    fn listener(&self, gateway: &ObjectKey, name: &str) -> Option<String> {
        let object = self.store.get(gateway::kind("Gateway")?, gateway)?;
        let listeners = object.spec().items_at(&["listeners"]);
        let place = listeners.iter().position(|it| it.str_at(&["name"]) == Some(name))?;
        let listener = listeners.get(place)?;
        let [named] = listener.items_at(&["tls", "certificateRefs"]) else { return None };
        let secret = self.only_certificate(&gateway.namespace, named.str_at(&["name"])?)?;
        let path = format!("/spec/listeners/{place}/tls/certificateRefs");
        let value = json!([{"name": *secret.meta.name}]);
        patch("gateway", gateway, &json!([{"op": "replace", "path": path, "value": value}]))
    }

    fn without_route(&self, gateway: &ObjectKey, why: &WhyNoRoute) -> Option<String> {
        match why {
            WhyNoRoute::NoHost => {
                let all = gateway::objects(self.store, "HTTPRoute");
                let hosts = all.flat_map(|route| route.spec().items_at(&["hostnames"]));
                only(hosts.filter_map(Value::as_str)).and_then(|host| self.ask_host(host))
            }
            WhyNoRoute::NoPath(route) => {
                let rules = self.route(route)?.spec().items_at(&["rules"]);
                let path =
                    rules.first()?.items_at(&["matches"]).first()?.str_at(&["path", "value"])?;
                self.again(|request| request.path = Arc::from(path))
            }
            WhyNoRoute::OtherGateway(route) => {
                let parent = json!({"name": *gateway.name, "namespace": *gateway.namespace});
                let change = json!([
                    {"op": "replace", "path": "/spec/parentRefs", "value": [parent]},
                ]);
                patch("httproute", route, &change)
            }
            WhyNoRoute::NoMatch(route) => self.as_wanted(route),
            WhyNoRoute::Refused(..) => None,
        }
    }

    /// The same question with the method and the headers that a route wants.
    fn as_wanted(&self, route: &ObjectKey) -> Option<String> {
        let rules = self.route(route)?.spec().items_at(&["rules"]).iter();
        let mut matches = rules.flat_map(|rule| rule.items_at(&["matches"]));
        let wanted =
            matches.find(|it| it.get("method").is_some() || it.get("headers").is_some())?;
        let mut flags = String::new();
        if let Some(method) = wanted.str_at(&["method"]) {
            flags += &format!("-X {method} ");
        }
        for header in wanted.items_at(&["headers"]) {
            let is_plain = header.str_at(&["type"]).is_none_or(|it| it == "Exact");
            let value = header.str_at(&["value"]).filter(|it| is_plain && !it.contains('\''))?;
            flags += &format!("-H '{}: {value}' ", header.str_at(&["name"])?);
        }
        let path = wanted.str_at(&["path", "value"]).unwrap_or("/");
        let line = self.again(|request| request.path = Arc::from(path))?;
        Some(line.replacen("curl ", &format!("curl {flags}"), 1))
    }

    fn route(&self, key: &ObjectKey) -> Option<&Arc<Object>> {
        self.store.get(gateway::kind("HTTPRoute")?, key)
    }

    /// The Service that a route leads to is made from the Deployment of its name.
    fn route_backend(&self, route: &ObjectKey) -> Option<String> {
        let spec = self.route(route)?.spec();
        let rules = spec.items_at(&["rules"]).iter();
        let mut backends = rules.flat_map(|rule| rule.items_at(&["backendRefs"]));
        backends.find_map(|backend| {
            let service = ObjectKey::new(&route.namespace, backend.str_at(&["name"])?);
            if self.store.get(Kind::Service, &service).is_some() {
                return None;
            }
            self.expose(&service, u16::try_from(backend.int_at(&["port"])?).ok()?)
        })
    }
}

/// The only one, whoever says it how often.
fn only<'a>(mut all: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}
