//! How a request begins: its host's address, its first packet, the load balancer.

use super::hop::{Cause, Failure, Manner, Place, Reason};
use super::path::{Arrival, Entrance, Taker, Tracer};
use super::request::{Request, Source};
use super::{dns, gateway, haproxy, ingress, metallb};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::kubelet::host_at;
use crate::net::packet::Endpoint;
use crate::net::{Packet, Protocol};
use crate::store::ObjectKey;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

impl Tracer<'_> {
    /// Finds the address of the host.
    pub(super) fn resolve(&mut self, request: &Request) -> Result<IpAddr, Failure> {
        if let Ok(ip) = request.host.parse::<IpAddr>() {
            return Ok(ip);
        }
        let (names, server) = match &request.from {
            Source::Pod { namespace, name } => {
                let own = self.cluster.store.find(Kind::Pod, namespace, name);
                if let Some(ip) = own.and_then(|pod| host_at(pod, &request.host)) {
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
        for (question, answer) in lookup.asked {
            self.hop(Place::Dns(server), Reason::Resolves { question, answer }, None);
        }
        if lookup.name.as_ref() == Some(&request.host)
            && let Some(ip) = self.public_host(&request.host)
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
        if public.is_none()
            && let Some(key) = self.pending(&name)
        {
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

    /// The Service that waits for an address, if a host that an Ingress or a route names leads there.
    fn pending(&self, host: &str) -> Option<ObjectKey> {
        let mut ingresses = self.cluster.store.list(Kind::Ingress);
        let key = ObjectKey::new(ingress::NAMESPACE, ingress::SERVICE);
        let by_ingress = self.network.service(&key).is_some()
            && ingresses.any(|it: &Arc<Object>| ingress::names_host(it, host));
        let by_route = || gateway::public_host(self.cluster.store, host).map(|(key, _)| key);
        by_ingress.then_some(key).or_else(by_route)
    }

    /// The address of a host that an Ingress or an HTTPRoute names, as if its owner had told the public DNS.
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
        .or_else(|| gateway::public_host(self.cluster.store, host)?.1)
    }

    /// Opens the connection and says who takes it.
    pub(super) fn open(&mut self, request: &Request, to: Endpoint) -> Result<Arrival, Failure> {
        let place = Place::Client(request.from.clone());
        if let Source::Internet { ip } = &request.from {
            let node = self.network.node_at(to.ip).cloned();
            let port = self.free_port(request.protocol, *ip, to, node.as_ref());
            let packet = Packet::new(request.protocol, Endpoint { ip: *ip, port }, to);
            self.hop(place, Reason::Sends, Some((packet, packet)));
            return self.arrive_from_internet(packet);
        }
        let (node, ip, entrance) = self.origin(&request.from)?;
        let ip = if to.ip.is_loopback() { to.ip } else { self.source_for(&node, ip, to.ip) };
        let port = self.free_port(request.protocol, ip, to, Some(&node));
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
        if to.ip == IpAddr::from(haproxy::ADDRESS) && self.network.hand_built().is_some() {
            return Ok(Arrival { taker: Taker::Internet(None), packet, tracked: Vec::new() });
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
                let object = self.cluster.store.get(Kind::Service, &key).cloned();
                match (object.filter(|object| metallb::is_from_pool(object)), to.ip) {
                    (Some(object), IpAddr::V4(ip)) => self.by_metallb(&key, &object, ip, packet),
                    _ => self.balance(&key, &service, packet),
                }
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
}
