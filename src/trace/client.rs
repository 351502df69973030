//! How a request begins: its host's address, its first packet, the load balancer.

use super::hop::{Cause, Failure, Manner, Place, Reason, Spread};
use super::path::{Arrival, Entrance, Taker, Tracer};
use super::request::{Request, Source};
use super::{dns, ingress};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::net::conntrack::Connection;
use crate::net::packet::Endpoint;
use crate::net::walk::Draw;
use crate::net::{Packet, Protocol};
use crate::proxy::input::Service;
use crate::store::ObjectKey;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Nodes with this label get nothing from load balancers.
const EXCLUDE_LABEL: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

impl Tracer<'_> {
    /// Finds the address of the host.
    pub(super) fn resolve(&mut self, request: &Request) -> Result<IpAddr, Failure> {
        if let Ok(ip) = request.host.parse::<IpAddr>() {
            return Ok(ip);
        }
        let (names, server) = match &request.from {
            Source::Pod { namespace, name } => {
                let own = self.cluster.store.find(Kind::Pod, namespace, name);
                if let Some(ip) = own.and_then(|pod| host_of_file(pod, &request.host)) {
                    return Ok(ip);
                }
                let (server, endpoint) = self.dns_server()?;
                if let Some(endpoint) = endpoint {
                    let client = ObjectKey { namespace: namespace.clone(), name: name.clone() };
                    self.may_ask(&client, endpoint)?;
                }
                (dns::search(&request.host, namespace), server)
            }
            Source::Node(name) => {
                if &*request.host == "localhost" {
                    return Ok(IpAddr::from(Ipv4Addr::LOCALHOST));
                }
                if let Some(machine) = self.cluster.nodes.get(&request.host) {
                    return Ok(IpAddr::from(machine.ip));
                }
                let _ = name;
                return self.resolve_outside(&request.host);
            }
            Source::Internet { .. } => return self.resolve_outside(&request.host),
        };
        let lookup = dns::look_up(&self.cluster, names);
        for (question, answer) in lookup.asked.iter().cloned() {
            self.hop(Place::Dns(server), Reason::Resolves { question, answer }, None);
        }
        if let Some(ip) = self.public_host(&request.host).filter(|_| lookup.name.is_some())
            && lookup.name.as_ref() == Some(&request.host)
        {
            return Ok(ip);
        }
        // Simplified: of several addresses one is taken by chance; CoreDNS turns their order.
        let draw = self.rng.below(u32::try_from(lookup.addresses.len()).unwrap_or(u32::MAX));
        let chosen = usize::try_from(draw).ok().and_then(|draw| lookup.addresses.get(draw));
        match chosen {
            Some(ip) => Ok(*ip),
            None => self.fail(self.unknown_name(request), Manner::NotResolved),
        }
    }

    /// Why a name that a pod asked for has no address.
    fn unknown_name(&self, request: &Request) -> Cause {
        let mut labels = request.host.split('.');
        let own = match &request.from {
            Source::Pod { namespace, .. } => &**namespace,
            _ => "default",
        };
        let (name, namespace) = (labels.next().unwrap_or_default(), labels.next().unwrap_or(own));
        let service = self.cluster.store.find(Kind::Service, namespace, name);
        match service {
            Some(_) if labels.next().is_none_or(|word| word == "svc") => {
                Cause::NoAddress(ObjectKey::new(namespace, name))
            }
            _ => Cause::NoSuchName(request.host.clone()),
        }
    }

    /// The DNS server that pods ask. If there is a Service for it, it must have endpoints.
    ///
    /// Simplified: queries are shown and policies are asked, but their packets are not followed
    /// through rules.
    fn dns_server(&mut self) -> Result<(IpAddr, Option<Endpoint>), Failure> {
        match self.network.dns() {
            None => Ok((IpAddr::from(Ipv4Addr::new(10, 96, 0, 10)), None)),
            Some((_, None)) => self.fail(Cause::DnsDown, Manner::NotResolved),
            Some((ip, endpoint)) => Ok((ip, endpoint)),
        }
    }

    /// Whether policies let a pod ask a DNS server: a policy that forbids all egress forbids this.
    fn may_ask(&mut self, client: &ObjectKey, server: Endpoint) -> Result<(), Failure> {
        if !self.has_policies() {
            return Ok(());
        }
        let pod = self.cluster.store.get(Kind::Pod, client).cloned();
        let ip = pod.as_ref().and_then(|pod| pod.pod()).and_then(|pod| pod.status.pod_ip);
        let (Some(pod), Some(ip)) = (pod, ip) else { return Ok(()) };
        let source = Endpoint { ip: IpAddr::from(ip), port: 0 };
        let packet = Packet::new(Protocol::Udp, source, server);
        let allowed = self.check_egress(&pod, &packet);
        allowed.map_err(|failure| Failure { manner: Manner::NotResolved, ..failure })
    }

    /// Finds a host as the rest of the world does.
    fn resolve_outside(&mut self, host: &str) -> Result<IpAddr, Failure> {
        let name: Arc<str> = Arc::from(host.trim_end_matches('.'));
        let public = self.public_host(&name);
        if public.is_none() && self.is_pending(&name) {
            let key = ObjectKey::new(ingress::NAMESPACE, ingress::SERVICE);
            return self.fail(Cause::PendingExternalIp(key), Manner::NotResolved);
        }
        let ip = public.or_else(|| dns::internet_address(&name));
        let question = dns::Question { name: name.clone(), record: dns::Record::A };
        let answer = match ip {
            Some(ip) => dns::Answer::Addresses(vec![ip]),
            None => dns::Answer::NoSuchName,
        };
        let server = IpAddr::from(Ipv4Addr::new(1, 1, 1, 1));
        self.hop(Place::Dns(server), Reason::Resolves { question, answer }, None);
        match ip {
            Some(ip) => Ok(ip),
            None => self.fail(Cause::NoSuchName(name), Manner::NotResolved),
        }
    }

    /// Whether an Ingress names a host, and its controller's Service waits for an address.
    fn is_pending(&self, host: &str) -> bool {
        let mut ingresses = self.cluster.store.list(Kind::Ingress);
        let key = ObjectKey::new(ingress::NAMESPACE, ingress::SERVICE);
        self.network.service(&key).is_some()
            && ingresses.any(|it: &Arc<Object>| ingress::names_host(it, host))
    }

    /// The address of a host that an Ingress names, as if its owner had told the public DNS.
    fn public_host(&self, host: &str) -> Option<IpAddr> {
        let ingresses = self.cluster.store.list(Kind::Ingress);
        let named = ingresses.filter(|ingress| ingress::names_host(ingress, host));
        let mut addresses = named
            .flat_map(|ingress| ingress.status().items_at(&["loadBalancer", "ingress"]).iter());
        let own = addresses.find_map(|address| address.str_at(&["ip"])?.parse().ok());
        own.or_else(|| {
            let named = |it: &Arc<Object>| ingress::names_host(it, host);
            let any = self.cluster.store.list(Kind::Ingress).any(named);
            let key = ObjectKey::new(ingress::NAMESPACE, ingress::SERVICE);
            let service = self.network.service(&key).filter(|_| any)?;
            service.load_balancer_vips.first().copied()
        })
    }

    /// Opens the connection and says who takes it.
    pub(super) fn open(&mut self, request: &Request, to: Endpoint) -> Result<Arrival, Failure> {
        let port = self.ephemeral_port();
        let place = Place::Client(request.from.clone());
        if let Source::Internet { ip } = &request.from {
            let packet = Packet::new(request.protocol, Endpoint { ip: *ip, port }, to);
            self.hop(place, Reason::Sends, Some((packet, packet)));
            return self.arrive_from_internet(packet);
        }
        let (node, ip, entrance) = self.origin(&request.from)?;
        let ip = if to.ip.is_loopback() { to.ip } else { self.source_for(&node, ip, to.ip) };
        let packet = Packet::new(request.protocol, Endpoint { ip, port }, to);
        self.hop(place, Reason::Sends, Some((packet, packet)));
        if to.ip.is_loopback() && entrance == Entrance::Pod {
            return self.within_pod(request, packet, &node);
        }
        self.send(&node, packet, entrance)
    }

    /// The address that a packet gets that begins on a node: that of the device it leaves by.
    fn source_for(&self, node: &Arc<str>, ip: IpAddr, to: IpAddr) -> IpAddr {
        let Some(machine) = self.cluster.machine(node).filter(|it| IpAddr::from(it.ip) == ip)
        else {
            return ip;
        };
        let own = self.network.pod_network().own_addresses(machine.pod_network);
        match (self.network.node_of_pods_at(to), own) {
            (Some(home), Some((bridge, _))) if home == node => bridge,
            (Some(_), Some((_, tunnel))) => tunnel,
            _ => ip,
        }
    }

    /// A pod that talks to itself over loopback.
    fn within_pod(
        &mut self,
        request: &Request,
        packet: Packet,
        node: &Arc<str>,
    ) -> Result<Arrival, Failure> {
        let Source::Pod { namespace, name } = &request.from else {
            return self.fail(Cause::NoClient(request.from.clone()), Manner::NotSent);
        };
        match self.cluster.store.find(Kind::Pod, namespace, name) {
            Some(pod) => {
                let taker = Taker::Pod(pod.clone(), node.clone());
                Ok(Arrival { taker, packet, tracked: Vec::new() })
            }
            None => self.fail(Cause::NoClient(request.from.clone()), Manner::NotSent),
        }
    }

    /// A packet from outside: to a load balancer, to a node, or to an external IP.
    fn arrive_from_internet(&mut self, packet: Packet) -> Result<Arrival, Failure> {
        let to = packet.destination;
        if let Some(node) = self.network.node_at(to.ip).cloned() {
            return self.send(&node, packet, Entrance::Network);
        }
        let Some(key) = self.network.service_at(to).map(|(key, _)| key.clone()) else {
            let cause = Cause::NoSuchAddress(to.ip);
            return self.fail(cause, Manner::TimedOut);
        };
        let service = self.network.service(&key).cloned();
        match service {
            Some(service)
                if service.load_balancer_vips.contains(&to.ip)
                    || service.load_balancer_proxies.contains(&to.ip) =>
            {
                self.balance(&key, &service, packet)
            }
            // Simplified: who routes external IPs to which node is up to the network; the first
            // node that is up gets it.
            Some(service) if service.external_ips.contains(&to.ip) => {
                let up = self.cluster.nodes.iter().find(|(_, machine)| machine.up);
                match up.map(|(name, _)| name.clone()) {
                    Some(node) => self.send(&node, packet, Entrance::Network),
                    None => self.fail(Cause::NoHealthyNode(key), Manner::TimedOut),
                }
            }
            _ => self.fail(Cause::NoSuchAddress(to.ip), Manner::TimedOut),
        }
    }

    /// The load balancer chooses a node.
    ///
    /// Simplified: it knows at once which nodes are healthy; a real one asks every few seconds.
    fn balance(
        &mut self,
        key: &ObjectKey,
        service: &Service,
        packet: Packet,
    ) -> Result<Arrival, Failure> {
        let to = packet.destination;
        let place = Place::LoadBalancer(to.ip);
        let Some(port) = service.ports.iter().find(|port| port.port == to.port) else {
            self.hop(place, Reason::Enters, Some((packet, packet)));
            let offered = service.ports.iter().map(|port| port.port).collect();
            let cause = Cause::WrongPort { service: key.clone(), port: to.port, offered };
            return self.fail(cause, Manner::TimedOut);
        };
        let nodes = self.healthy_nodes(key, service.external_local);
        let among = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        let drawn = self.rng.below(among);
        let Some(node) = usize::try_from(drawn).ok().and_then(|drawn| nodes.get(drawn)).cloned()
        else {
            self.hop(place, Reason::Enters, Some((packet, packet)));
            return self.fail(Cause::NoHealthyNode(key.clone()), Manner::TimedOut);
        };
        let is_proxy = service.load_balancer_proxies.contains(&to.ip);
        let spread = match service.external_local {
            true => Spread::NodesWithEndpoints {
                health_check_port: service.health_check_node_port.unwrap_or(0),
            },
            false => Spread::ReadyNodes,
        };
        let reason = Reason::Balances {
            service: key.clone(),
            node: node.clone(),
            draw: Draw { among, drawn },
            spread,
            node_port: if is_proxy { port.node_port } else { 0 },
        };
        let mut onward = packet;
        if is_proxy {
            onward = self.proxied(packet, &node, port.node_port);
        }
        self.hop(place, reason, Some((packet, onward)));
        self.send(&node, onward, Entrance::Network)
    }

    /// A load balancer that is a proxy opens a connection of its own to a node port.
    fn proxied(&mut self, packet: Packet, node: &Arc<str>, node_port: u16) -> Packet {
        let own = packet.destination.ip;
        let source = Endpoint { ip: own, port: self.ephemeral_port() };
        let ip = self.cluster.nodes.get(node).map_or(own, |machine| IpAddr::from(machine.ip));
        let destination = Endpoint { ip, port: node_port };
        let onward = Packet::new(packet.protocol, source, destination);
        let now = self.cluster.now;
        self.network.balancer(own).add(Connection::new(&packet, &onward, now), now);
        onward
    }

    /// The nodes that a load balancer sends to.
    fn healthy_nodes(&self, key: &ObjectKey, local: bool) -> Vec<Arc<str>> {
        let with_endpoints = |name: &Arc<str>| {
            let is_here =
                |it: &crate::proxy::input::Endpoint| it.ready && it.node.as_ref() == Some(name);
            self.network.endpoints_of(key).any(|(_, all)| all.iter().any(is_here))
        };
        let nodes = self.cluster.store.list(Kind::Node).filter(|node| {
            let conditions = node.status().items_at(&["conditions"]);
            let ready = conditions.iter().any(|condition| {
                condition.str_at(&["type"]) == Some("Ready")
                    && condition.str_at(&["status"]) == Some("True")
            });
            let name = &node.meta.name;
            ready
                && node.meta.labels.get(EXCLUDE_LABEL).is_none()
                && self.cluster.machine(name).is_some()
                && (!local || with_endpoints(name))
        });
        nodes.map(|node| node.meta.name.clone()).collect()
    }
}

/// The address that a pod's /etc/hosts has for a name.
fn host_of_file(pod: &Object, name: &str) -> Option<IpAddr> {
    let text = crate::kubelet::hosts(pod);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.into_iter().find_map(|line| {
        let mut words = line.split_whitespace();
        let ip = words.next()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then(|| ip.parse().ok())?
    })
}
