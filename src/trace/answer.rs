//! Who took the packet answers.

use super::haproxy::ADDRESS;
use super::hop::{Cause, Failure, Manner, Place, Reason, Server};
use super::path::{Arrival, Taker, Tracer};
use super::request::{Headers, Request};
use crate::api::pod::{Container, ContainerState};
use crate::api::{Kind, Object};
use crate::container::server::{self, Asked, Host, READINESS_PORT, Response};
use crate::kubelet::inside::container_at;
use crate::net::Protocol;
use crate::store::ObjectKey;
use std::net::IpAddr;
use std::sync::Arc;

/// Who answered what, before it is told.
pub(super) struct Answered {
    /// Who.
    pub(super) server: Server,
    /// HTTP status.
    pub(super) status: u16,
    /// Body.
    pub(super) body: Arc<str>,
    /// Headers beside those that every answer has.
    pub(super) headers: Headers,
    /// Why it is no better answer.
    pub(super) because: Option<Box<Cause>>,
}

impl Answered {
    pub(super) fn new(server: Server, status: u16, body: Arc<str>) -> Self {
        Answered { server, status, body, headers: Headers::default(), because: None }
    }
}

/// A request that passes more proxies than this goes in circles.
const MOST_PROXIES: u32 = 4;

/// A container that listens on a port.
struct Listener {
    /// Its number, init containers first.
    place: usize,
    name: Arc<str>,
    /// The folder that a program of its own serves.
    folder: Option<String>,
    /// Whether its specification names the port.
    is_declared: bool,
}

impl Listener {
    fn new(place: usize, container: &Container, port: u16, folder: Option<String>) -> Self {
        let mut declared = container.ports.iter().map(|port| port.container_port);
        let is_declared = declared.any(|declared| declared == port);
        Listener { place, name: Arc::from(container.name.as_str()), folder, is_declared }
    }
}

impl Tracer<'_> {
    /// The container of a pod that listens on a port and runs.
    fn listener(&self, object: &Arc<Object>, port: u16) -> Option<Listener> {
        let pod = object.pod()?;
        if let Some(inside) = self.cluster.inside(object) {
            let (place, folder) = inside.listener(port)?;
            let container = container_at(pod, place)?;
            return Some(Listener::new(place, container, port, folder));
        }
        // A pod that no kubelet runs is as its status says.
        let first = pod.spec.init_containers.len();
        let mut all = pod.spec.containers.iter().zip(&pod.status.containers).enumerate();
        all.find_map(|(place, (container, status))| {
            let runs = matches!(status.state, ContainerState::Running { .. });
            (runs && server::listens_on(container, port))
                .then(|| Listener::new(first + place, container, port, None))
        })
    }

    fn respond(&self, object: &Arc<Object>, listener: &Listener, asked: &Asked<'_>) -> Response {
        if let Some(inside) = self.cluster.inside(object) {
            return inside.respond(listener.place, listener.folder.as_deref(), asked);
        }
        let container = object.pod().and_then(|pod| container_at(pod, listener.place));
        match container {
            Some(container) => {
                let host = Host { pod: object, container, since: None, files: None, folder: None };
                server::respond(&host, asked)
            }
            None => Response { status: 0, body: Arc::from("") },
        }
    }

    /// Lets who took the packet answer.
    pub(super) fn answer(
        &mut self,
        request: &Request,
        arrival: &Arrival,
    ) -> Result<Answered, Failure> {
        if arrival.packet.protocol == Protocol::Icmp {
            return Ok(self.echo(arrival));
        }
        match &arrival.taker {
            Taker::Pod(pod, _) => {
                let pod = pod.clone();
                self.pod_answer(request, arrival, &pod)
            }
            Taker::Node(node) => {
                let node = node.clone();
                self.node_answer(request, arrival, &node)
            }
            Taker::Internet(_) if arrival.packet.destination.ip == IpAddr::from(ADDRESS) => {
                self.proxies += 1;
                match self.network.hand_built().cloned().filter(|_| self.proxies <= MOST_PROXIES) {
                    Some(config) => self.by_hand(request, arrival, &config),
                    None => {
                        let cause = Cause::NoSuchAddress(arrival.packet.destination.ip);
                        self.fail(cause, Manner::TimedOut)
                    }
                }
            }
            Taker::Internet(_) => {
                let packets = Some((arrival.packet, arrival.packet));
                let sees = arrival.packet.source.ip;
                self.hop(Place::Internet, Reason::Answers { sees }, packets);
                Ok(Answered::new(Server::Internet, 200, Arc::from("")))
            }
        }
    }

    /// The kernel of who has the address answers an echo request.
    fn echo(&mut self, arrival: &Arrival) -> Answered {
        let (place, server) = match &arrival.taker {
            Taker::Pod(pod, _) => {
                let pod = ObjectKey::of(pod);
                (Place::Pod(pod.clone()), Server::Pod { pod, container: Arc::from("") })
            }
            Taker::Node(node) => (Place::Node(node.clone()), Server::Node(node.clone())),
            Taker::Internet(_) => (Place::Internet, Server::Internet),
        };
        self.hop(place, Reason::Echoes, Some((arrival.packet, arrival.packet)));
        Answered::new(server, 0, Arc::from(""))
    }

    fn pod_answer(
        &mut self,
        request: &Request,
        arrival: &Arrival,
        object: &Arc<Object>,
    ) -> Result<Answered, Failure> {
        let key = ObjectKey::of(object);
        let to = arrival.packet.destination;
        let listener = self
            .listener(object, to.port)
            .filter(|listener| !self.cluster.is_ending(object, listener.place));
        let Some(listener) = listener else {
            let cause = Cause::NothingListens { pod: key.clone(), port: to.port };
            return self.refuses(Place::Pod(key), arrival, cause);
        };
        let sees = arrival.packet.source.ip;
        let packets = Some((arrival.packet, arrival.packet));
        if let Some(front) = self.front(object, to.port) {
            self.proxies += 1;
            if self.proxies > MOST_PROXIES {
                return self.fail(Cause::Loop, Manner::TimedOut);
            }
            return self.by_ingress(request, &front, arrival);
        }
        if let Some(front) = self.gateway_front(object).filter(|_| to.port != READINESS_PORT) {
            self.proxies += 1;
            if self.proxies > MOST_PROXIES {
                return self.fail(Cause::Loop, Manner::TimedOut);
            }
            return self.by_gateway(request, &front, arrival);
        }
        self.hop(Place::Pod(key.clone()), Reason::Answers { sees }, packets);
        let asked = Asked {
            port: to.port,
            protocol: request.protocol,
            path: &request.path,
            host: &request.host_value(),
            method: &request.method,
            agent: &request.agent,
            headers: &request.headers,
            body: &request.body,
            source: arrival.packet.source,
            now: self.cluster.now,
        };
        let response = self.respond(object, &listener, &asked);
        let server = Server::Pod { pod: key, container: listener.name };
        Ok(Answered::new(server, response.status, response.body))
    }

    /// What listens on a node itself: the API server, the kubelet, kube-proxy's health check, and
    /// pods in the node's own network.
    fn node_answer(
        &mut self,
        request: &Request,
        arrival: &Arrival,
        node: &Arc<str>,
    ) -> Result<Answered, Failure> {
        let (packet, port) = (arrival.packet, arrival.packet.destination.port);
        let packets = Some((packet, packet));
        let sees = packet.source.ip;
        let store = self.cluster.store;
        let hosted = store.pods_on(node).find_map(|object| {
            object.pod().filter(|pod| pod.spec.host_network)?;
            let listener = self.listener(object, port)?;
            // On a machine with others' processes a port is its container's only if it says so.
            listener.is_declared.then_some((object, listener))
        });
        if let Some((object, listener)) = hosted {
            let key = ObjectKey::of(object);
            self.hop(Place::Pod(key.clone()), Reason::Answers { sees }, packets);
            let server = Server::Pod { pod: key, container: listener.name };
            return Ok(Answered::new(server, 200, Arc::from("")));
        }
        if let Some(answered) = self.kube_proxy_answer(request, &packet, node) {
            self.hop(Place::Node(node.clone()), Reason::Answers { sees }, packets);
            return Ok(answered);
        }
        let is_control_plane = store.find(Kind::Node, "", node).is_some_and(|it| {
            it.meta.labels.get("node-role.kubernetes.io/control-plane").is_some()
        });
        let (status, body) = match port {
            6443 if is_control_plane => (403, FORBIDDEN),
            10250 => (401, "Unauthorized"),
            _ => {
                let node_port = self.network.service_at(packet.destination);
                let service = node_port.map(|(key, _)| key.clone());
                let cause = match service.filter(|_| packet.destination.ip.is_loopback()) {
                    Some(service) => {
                        Cause::NodePortOnLoopback { service, node: node.clone(), port }
                    }
                    None => Cause::NotANodePort { node: node.clone(), port },
                };
                return self.refuses(Place::Node(node.clone()), arrival, cause);
            }
        };
        self.hop(Place::Node(node.clone()), Reason::Answers { sees }, packets);
        Ok(Answered::new(Server::Node(node.clone()), status, Arc::from(body)))
    }
}

/// What the API server says to who does not say who they are.
const FORBIDDEN: &str = "{\n  \"kind\": \"Status\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {},\n  \"status\": \"Failure\",\n  \"message\": \"forbidden: User \\\"system:anonymous\\\" cannot get path \\\"/\\\"\",\n  \"reason\": \"Forbidden\",\n  \"details\": {},\n  \"code\": 403\n}";
