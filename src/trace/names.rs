//! How a host's address is found: who is asked, whether the question gets there, what is answered.

use super::cluster::Cluster;
use super::dns::{self, Code, Corefile, Memo, NameServer, Question, RecordType, Response};
use super::hop::{Cause, Failure, Hop, Manner, Outcome, PacketTrace, Place, Reason, Server};
use super::network::Network;
use super::path::Tracer;
use super::request::{Request, Source};
use super::{FIRST_TTL, gateway, ingress};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object};
use crate::base::{Map, Rng, SimTime};
use crate::kubelet::dns::{CLUSTER_DNS, CLUSTER_DOMAIN, ResolvConf};
use crate::kubelet::host_at;
use crate::net::Protocol;
use crate::net::conntrack::Phase;
use crate::net::dice::Dice;
use crate::net::packet::Endpoint;
use crate::store::ObjectKey;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The port of name servers.
const PORT: u16 = 53;
/// The name server of who is outside of the cluster.
pub const OUTSIDE_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1));

/// Questions to a name server, as dig and its kin send them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// Who asks.
    pub from: Source,
    /// Who is asked.
    pub server: IpAddr,
    /// What, in turn.
    pub questions: Vec<Question>,
    /// Whether to ask no further once there is such a name.
    pub until_found: bool,
}

/// What came of questions.
#[derive(Clone, Debug, PartialEq)]
pub struct Inquired {
    /// The way of their packet, and the answers.
    pub trace: Arc<PacketTrace>,
    /// What was asked with the answers, in turn; nothing if nobody answers.
    pub responses: Vec<(Question, Response)>,
}

impl Inquired {
    /// Whether nobody says anything; `None` if there are answers.
    pub fn is_silent(&self) -> Option<bool> {
        match &self.trace.outcome {
            Outcome::Failed(failure) => Some(failure.cause.is_silence()),
            Outcome::Answered { .. } => None,
        }
    }
}

impl Cause {
    /// Whether a name server lets who asks wait in vain; if not, it is refused at once.
    pub fn is_silence(&self) -> bool {
        matches!(self, Cause::NoNameServer { manner: Manner::TimedOut, .. })
    }
}

/// The resolver's configuration where somebody asks.
pub fn resolv_conf(cluster: &Cluster<'_>, from: &Source) -> ResolvConf {
    match from {
        Source::Internet { .. } => {
            ResolvConf { servers: vec![OUTSIDE_DNS], ..ResolvConf::default() }
        }
        Source::Node(_) => ResolvConf::of_node(),
        Source::Pod { namespace, name } => {
            let pod = cluster.store.find(Kind::Pod, namespace, name);
            pod.map_or_else(ResolvConf::default, |pod| ResolvConf::of_pod(pod))
        }
    }
}

impl Network {
    /// Carries questions to a name server.
    pub fn ask(&mut self, cluster: &Cluster<'_>, inquiry: &Inquiry, rng: &mut Rng) -> Inquired {
        self.refresh(cluster);
        let Inquiry { from, server, .. } = inquiry;
        let request = Request::connect(from.clone(), &server.to_string(), PORT, Protocol::Udp);
        let mut tracer = Tracer::new(cluster, self, Dice::Drawn(rng));
        let mut responses = Vec::new();
        let outcome = match tracer.reach(from, *server) {
            Err(failure) => Outcome::Failed(no_name_server(*server, failure)),
            Ok(reached) => {
                for question in &inquiry.questions {
                    let response = tracer.put(&reached, question);
                    let asked = vec![(question.record, response.clone())];
                    tracer.told(Place::Dns(*server), &question.name, asked);
                    let is_found = response.code == Code::NoError;
                    responses.push((question.clone(), response));
                    if is_found && inquiry.until_found {
                        break;
                    }
                }
                answered(reached.by, *server)
            }
        };
        let Tracer { hops, examined, waited, forwards, .. } = tracer;
        let ttl = FIRST_TTL.saturating_sub(forwards);
        let trace = PacketTrace { request, hops, examined, waited, ttl, outcome };
        Inquired { trace: Arc::new(trace), responses }
    }
}

fn answered(server: Server, ip: IpAddr) -> Outcome {
    let reply_from = Endpoint { ip, port: PORT };
    let (body, headers) = (Arc::from(""), super::Headers::default());
    Outcome::Answered { server, status: 0, body, headers, because: None, sees: ip, reply_from }
}

fn no_name_server(server: IpAddr, failure: Failure) -> Failure {
    let Failure { cause, manner, at } = failure;
    let cause = Cause::NoNameServer { server, manner, why: Box::new(cause) };
    Failure { cause, manner: Manner::NotResolved, at }
}

/// A name server that a packet has come to.
struct Reached {
    name_server: NameServer,
    /// Who it is.
    by: Server,
    /// Who asks, as it sees them.
    client: Option<Endpoint>,
    /// What it has just found.
    memo: Memo,
}

/// The questions that CoreDNS has logged, by its pods.
#[derive(Clone, Debug, Default)]
pub struct QueryLog(Map<ObjectKey, Arc<Vec<(SimTime, String)>>>);

impl QueryLog {
    /// So many lines of each pod are kept.
    const MOST: usize = 1000;

    fn add(&mut self, pod: &ObjectKey, now: SimTime, line: String) {
        let QueryLog(pods) = self;
        let lines = Arc::make_mut(pods.entry(pod.clone()).or_default());
        if lines.len() >= Self::MOST {
            lines.drain(..Self::MOST / 2);
        }
        lines.push((now, line));
    }

    /// The lines of a pod, each with its moment.
    pub fn of(&self, pod: &ObjectKey) -> &[(SimTime, String)] {
        let QueryLog(pods) = self;
        pods.get(pod).map_or(&[], |lines| lines)
    }
}

/// A question as the plugin `log` writes it.
///
/// Models plugin/log/setup.go CommonLogFormat and plugin/pkg/replacer.
fn logged(client: Endpoint, question: &Question, response: &Response, drawn: u32) -> String {
    let Question { name, record } = question;
    let aa = if response.authoritative { ",aa" } else { "" };
    let ra = if response.recursion { ",ra" } else { "" };
    format!(
        "[INFO] {client} - {} \"{} IN {name}. udp {} false 512\" {} qr{aa},rd{ra} {} 0.000{:06}s",
        drawn & 0xffff,
        record.name(),
        question.size(),
        response.code.name(),
        response.size(question),
        80_000 + (drawn >> 16),
    )
}

impl Tracer<'_> {
    /// Finds the address of the host.
    pub(super) fn resolve(&mut self, request: &Request) -> Result<IpAddr, Failure> {
        let host = &request.host;
        let mut own = None;
        match &request.from {
            Source::Pod { namespace, name } => {
                own = self.cluster.store.find(Kind::Pod, namespace, name);
                if let Some(ip) = own.and_then(|pod| host_at(pod, host)) {
                    return Ok(ip);
                }
            }
            Source::Node(_) => {
                if &**host == "localhost" {
                    return Ok(IpAddr::from(Ipv4Addr::LOCALHOST));
                }
                if let Some(machine) = self.cluster.nodes.get(host) {
                    return Ok(IpAddr::from(machine.ip));
                }
            }
            Source::Internet { .. } => {}
        }
        let conf = match own {
            Some(pod) => ResolvConf::of_pod(pod),
            None => resolv_conf(&self.cluster, &request.from),
        };
        match self.look_up(&request.from, &conf, host, None)?.into_iter().next() {
            Some(ip) => Ok(ip),
            None => {
                let pending = self.pending(host).filter(|_| own.is_none());
                let cause = match (pending, &request.from) {
                    (Some(service), _) => Cause::PendingExternalIp(service),
                    (None, Source::Internet { .. }) => Cause::NoSuchName(host.clone()),
                    (None, _) => self.unknown_name(request, &conf),
                };
                self.fail(cause, Manner::NotResolved)
            }
        }
    }

    /// The addresses of a host, for both families at once, as the C library asks for them; none if
    /// no name on the way has any. `place` is where the questions are told of, if not at the server.
    ///
    /// Simplified: all questions about a host go to one CoreDNS pod, and their packets are told of
    /// only if they do not come to it.
    pub(super) fn look_up(
        &mut self,
        from: &Source,
        conf: &ResolvConf,
        host: &str,
        place: Option<&Place>,
    ) -> Result<Vec<IpAddr>, Failure> {
        let (reached, server) = self.first_server(from, conf, host)?;
        let mut trouble = None;
        for name in dns::search(conf, host) {
            let asked = [RecordType::A, RecordType::Aaaa].map(|record| {
                let question = Question::of(&name, record);
                (record, self.put(&reached, &question))
            });
            let addresses: Vec<IpAddr> =
                asked.iter().flat_map(|(_, response)| response.addresses()).collect();
            let codes = asked.iter().map(|(_, response)| response.code);
            let bad = codes.into_iter().find(|it| !matches!(it, Code::NoError | Code::NoSuchName));
            trouble = trouble.or(bad);
            let place = place.cloned().unwrap_or(Place::Dns(server));
            self.told(place, &name, Vec::from(asked));
            if !addresses.is_empty() {
                return Ok(addresses);
            }
        }
        match trouble {
            None => Ok(Vec::new()),
            Some(code) => {
                let cause = Cause::NameServerFails { server, code };
                self.fail(cause, Manner::NotResolved)
            }
        }
    }

    /// The first of the resolver's servers that can be reached. Those before it cost time.
    fn first_server(
        &mut self,
        from: &Source,
        conf: &ResolvConf,
        host: &str,
    ) -> Result<(Reached, IpAddr), Failure> {
        let mut last = None;
        for server in &conf.servers {
            if let Some(known) = self.without_packets(from, *server) {
                return Ok((known, *server));
            }
            // The way there is another trace, whose draws decide nothing of this one's shares.
            let mut rng = Rng::new(self.rng.any(u32::MAX).into());
            let mut other = Tracer::new(&self.cluster, self.network, Dice::Drawn(&mut rng));
            match other.reach(from, *server) {
                Ok(reached) => return Ok((reached, *server)),
                Err(failure) => {
                    let Tracer { hops, examined, .. } = other;
                    if conf.servers.last() != Some(server) {
                        self.told(Place::Dns(*server), &Arc::from(host), Vec::new());
                        let is_silent = failure.manner == Manner::TimedOut;
                        self.waited += conf.timeout() * u32::from(is_silent);
                    }
                    last = Some((hops, examined, no_name_server(*server, failure)));
                }
            }
        }
        match last {
            None => self.fail(Cause::NoClient(from.clone()), Manner::NotSent),
            Some((hops, examined, failure)) => {
                let before = u32::try_from(self.hops.len()).unwrap_or(u32::MAX);
                self.hops.extend(hops);
                self.examined += examined;
                Err(Failure { at: failure.at.saturating_add(before), ..failure })
            }
        }
    }

    fn put(&mut self, server: &Reached, question: &Question) -> Response {
        let cluster = self.cluster;
        let response = server
            .name_server
            .ask(&cluster, question, &server.memo, &mut |among| self.rng.below(among));
        if let (NameServer::CoreDns(corefile), Server::Pod { pod, .. }, Some(client)) =
            (&server.name_server, &server.by, server.client)
            && corefile.logs(question)
        {
            let line = logged(client, question, &response, self.rng.any(u32::MAX));
            self.network.configured.queries.add(pod, cluster.now, line);
        }
        response
    }

    fn told(&mut self, place: Place, name: &Arc<str>, asked: Vec<(RecordType, Response)>) {
        let reason = Reason::Resolves { name: name.clone(), asked };
        self.hops.push(Hop { place, reason, packet: None, is_reply: false });
    }

    /// Carries the packet of a question to a name server and that of its answer back, and says who
    /// answers.
    fn reach(&mut self, from: &Source, server: IpAddr) -> Result<Reached, Failure> {
        if let Some(known) = self.without_packets(from, server) {
            return Ok(known);
        }
        let to = Endpoint { ip: server, port: PORT };
        let request = Request::connect(from.clone(), &server.to_string(), PORT, Protocol::Udp);
        let arrival = self.open(&request, to)?;
        let answered = self.answer(&request, &arrival)?;
        let reply_from = self.reply(&arrival)?;
        self.conclude(&arrival, Phase::Closed);
        if reply_from != to {
            return self.fail(Cause::StrangeReply(reply_from), Manner::TimedOut);
        }
        let name_server = match &answered.server {
            Server::Pod { pod, container } => self.name_server_in(pod, container),
            Server::Node(_) | Server::Internet => NameServer::Public,
        };
        let client = Some(arrival.packet.source);
        Ok(Reached { name_server, by: answered.server, client, memo: Memo::default() })
    }

    /// Who is asked without a packet in the cluster: the internet's servers from outside, and the
    /// DNS of a cluster that was set up without CoreDNS.
    fn without_packets(&mut self, from: &Source, server: IpAddr) -> Option<Reached> {
        let (by, client) = (Server::Internet, None);
        let known = |name_server| Reached { name_server, by, client, memo: Memo::default() };
        if let (Source::Internet { .. }, IpAddr::V4(ip)) = (from, server) {
            let is_own = self.network.is_service_ip(server) || ip.is_private();
            return (!is_own).then(|| known(NameServer::Public));
        }
        let has_own = server != CLUSTER_DNS || self.network.has_dns(self.cluster.store);
        (!has_own).then(|| known(NameServer::CoreDns(Corefile::usual())))
    }

    /// What a name server in a pod goes by: its ConfigMap's Corefile.
    ///
    /// Simplified: other programs than CoreDNS know the internet.
    fn name_server_in(&mut self, key: &ObjectKey, container: &str) -> NameServer {
        let store = self.cluster.store;
        let Some(object) = store.get(Kind::Pod, key) else { return NameServer::Public };
        let mut containers = object.pod().into_iter().flat_map(|pod| &pod.spec.containers);
        let own = containers.find(|own| *own.name == *container);
        if !own.is_some_and(|own| own.image.contains("coredns")) {
            return NameServer::Public;
        }
        let tree = object.pod().map(|pod| &pod.spec.tree);
        let volumes = tree.into_iter().flat_map(|tree| tree.items_at(&["volumes"]));
        let mut maps = volumes.filter_map(|volume| {
            let name = volume.str_at(&["configMap", "name"])?;
            store.find(Kind::ConfigMap, &key.namespace, name)
        });
        let has_corefile = |map: &&Arc<Object>| text_of(map).is_some();
        NameServer::CoreDns(match maps.find(has_corefile) {
            Some(map) => self.network.corefile(map),
            None => Corefile::usual(),
        })
    }

    /// Why a name that a pod asked for has no address.
    fn unknown_name(&self, request: &Request, conf: &ResolvConf) -> Cause {
        let mut labels = request.host.split('.');
        let own = match &request.from {
            Source::Pod { namespace, .. } => &**namespace,
            _ => "default",
        };
        let (name, namespace) = (labels.next().unwrap_or_default(), labels.next().unwrap_or(own));
        let service = self.cluster.store.find(Kind::Service, namespace, name);
        let full = [name, ".", namespace, ".svc.", CLUSTER_DOMAIN].concat();
        let server = conf.servers.first().copied().unwrap_or(CLUSTER_DNS);
        // Other name servers know the cluster by no name.
        let is_asked =
            server != CLUSTER_DNS || dns::search(conf, &request.host).any(|asked| *asked == *full);
        let address = service.filter(|_| is_asked).map(|it| it.spec().str_at(&["clusterIP"]));
        match address {
            Some(None | Some("")) | None => Cause::NoSuchName(request.host.clone()),
            Some(Some("None")) if server == CLUSTER_DNS => {
                Cause::NoAddress(ObjectKey::new(namespace, name))
            }
            Some(_) => Cause::UnknownService { service: ObjectKey::new(namespace, name), server },
        }
    }

    /// The Service that waits for an address, if a host that an Ingress or a route names leads
    /// there.
    fn pending(&self, host: &str) -> Option<ObjectKey> {
        let mut ingresses = self.cluster.store.list(Kind::Ingress);
        let key = ObjectKey::new(ingress::NAMESPACE, ingress::SERVICE);
        let by_ingress = self.network.service(&key).is_some()
            && ingresses.any(|it: &Arc<Object>| ingress::names_host(it, host));
        let by_route = || gateway::public_host(self.cluster.store, host).map(|(key, _)| key);
        by_ingress.then_some(key).or_else(by_route)
    }
}

/// The text of a Corefile in a ConfigMap.
pub(super) fn text_of(map: &Object) -> Option<&str> {
    map.content().str_at(&["data", "Corefile"])
}
