//! CoreDNS' plugin `kubernetes`: what there is of a name in the cluster.

use super::corefile::{Kubernetes, PodNames, zone_of};
use super::message::{Code, Data, Question, Record, RecordType, Response, unreverse};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::kubelet::dns::CLUSTER_DNS;
use crate::net::Protocol;
use crate::trace::Cluster;
use core::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

/// The most CNAMEs that are followed.
///
/// Models plugin/backend_lookup.go maxCnameChainLength.
const MAX_ALIASES: usize = 10;
/// The text of `dns-version`, and how long it holds.
///
/// Models plugin/kubernetes/kubernetes.go DNSSchemaVersion.
const VERSION: (&str, u32) = ("1.1.0", 28_800);

/// There is no such name.
#[derive(Clone, Copy, Debug)]
struct NotFound;

/// What has a name, as it was last found: programs ask for both kinds of addresses of a name, one
/// after the other.
#[derive(Debug, Default)]
pub(crate) struct Memo(RefCell<Option<(Arc<str>, All)>>);

/// All that has a name.
type All = Result<Vec<Found>, NotFound>;

impl Memo {
    fn get(&self, name: &Arc<str>, find: impl FnOnce() -> All) -> All {
        let Memo(last) = self;
        if let Some((known, found)) = &*last.borrow()
            && known == name
        {
            return found.clone();
        }
        let found = find();
        *last.borrow_mut() = Some((name.clone(), found.clone()));
        found
    }
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(Arc<str>),
}

/// One thing that has a name: models plugin/etcd/msg/service.go Service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    host: Host,
    /// None for an endpoint that declares none.
    port: Option<u16>,
    /// The name that an SRV record leads to.
    target: Arc<str>,
}

/// An endpoint of a Service.
struct Endpoint<'a> {
    ip: IpAddr,
    host: Arc<str>,
    ports: &'a [Value],
}

/// The zones at one moment.
pub(super) struct Zones<'a> {
    pub(super) cluster: &'a Cluster<'a>,
    pub(super) plugin: &'a Kubernetes,
    /// Who knows the names of other zones.
    pub(super) upstream: &'a dyn Fn(&Question) -> Response,
    pub(super) memo: &'a Memo,
}

impl Zones<'_> {
    /// What the plugin says; `None` if it leaves the question to the next one.
    ///
    /// Models plugin/kubernetes/handler.go ServeDNS.
    pub(super) fn answer(&self, question: &Question) -> Option<Response> {
        let zone = zone_of(&self.plugin.zones, &question.name)?;
        let name = &question.name;
        let plain = |answers: Vec<Record>| (answers, Vec::new());
        let found = match question.record {
            RecordType::A | RecordType::Aaaa => {
                self.addresses(name, question.record, zone, &mut Vec::new()).map(plain)
            }
            RecordType::Cname => self.records(name, zone).map(|found| {
                let first = found.into_iter().next().and_then(|found| match found.host {
                    Host::Name(target) => Some(self.record(name, Data::Cname(target))),
                    Host::Address(_) => None,
                });
                plain(first.into_iter().collect())
            }),
            RecordType::Ptr => self.names_of(name, zone).map(plain),
            RecordType::Srv => self.ports(name, zone),
            RecordType::Soa if *name == *zone => Ok(plain(vec![self.authority(zone)])),
            RecordType::Ns if *name == *zone => Ok(self.servers(zone)),
            RecordType::Txt => self.text(name, zone).map(plain),
            _ => self
                .addresses(name, RecordType::A, zone, &mut Vec::new())
                .map(|_| (Vec::new(), Vec::new())),
        };
        let negative = |code| Response {
            authoritative: true,
            authority: vec![self.authority(zone)],
            ..Response::of(code)
        };
        match found {
            Err(NotFound) if self.plugin.fall.through(name) => None,
            Err(NotFound) => Some(negative(Code::NoSuchName)),
            Ok((answers, _)) if answers.is_empty() => Some(negative(Code::NoError)),
            Ok((answers, additional)) => Some(Response {
                authoritative: true,
                answers,
                additional,
                ..Response::of(Code::NoError)
            }),
        }
    }

    fn record(&self, name: &Arc<str>, data: Data) -> Record {
        Record { name: name.clone(), ttl: self.plugin.ttl, data }
    }

    /// Who is responsible for the zone.
    ///
    /// Models plugin/backend_lookup.go SOA.
    // Simplified: the serial is the moment of the question, not that of the last change.
    fn authority(&self, zone: &Arc<str>) -> Record {
        let serial = u32::try_from(self.cluster.now.as_secs()).unwrap_or(u32::MAX);
        let data = Data::Soa { zone: zone.clone(), serial, minimum: self.plugin.ttl };
        Record { name: zone.clone(), ttl: self.plugin.ttl.min(300), data }
    }

    /// Models plugin/backend_lookup.go A and AAAA.
    fn addresses(
        &self,
        name: &Arc<str>,
        record: RecordType,
        zone: &Arc<str>,
        before: &mut Vec<Arc<str>>,
    ) -> Result<Vec<Record>, NotFound> {
        let found = match self.own_server(name, zone) {
            Some(found) => found,
            None => self.memo.get(name, || self.records(name, zone))?,
        };
        let mut records = Vec::new();
        for Found { host, .. } in found {
            match host {
                Host::Address(ip) => {
                    let new = self.record(name, Data::Address(ip));
                    if new.data.record() == record && !records.contains(&new) {
                        records.push(new);
                    }
                }
                Host::Name(target) => {
                    if before.len() >= MAX_ALIASES || before.contains(&target) || target == *name {
                        continue;
                    }
                    let alias = self.record(name, Data::Cname(target.clone()));
                    before.push(name.clone());
                    if zone_of(std::slice::from_ref(zone), &target).is_some() {
                        let next = self.addresses(&target, record, zone, before);
                        if let Ok(next) = next.or(Err(NotFound))
                            && !next.is_empty()
                        {
                            records.push(alias);
                            records.extend(next);
                        }
                    } else {
                        let question = Question { name: target, record };
                        records.push(alias);
                        records.extend((self.upstream)(&question).answers);
                    }
                }
            }
        }
        Ok(records)
    }

    /// Models plugin/backend_lookup.go SRV.
    fn ports(
        &self,
        name: &Arc<str>,
        zone: &Arc<str>,
    ) -> Result<(Vec<Record>, Vec<Record>), NotFound> {
        let found = self.records(name, zone)?;
        let of_addresses = found.iter().filter_map(|found| match found.host {
            Host::Address(ip) => Some((ip, found)),
            Host::Name(_) => None,
        });
        let of_addresses: Vec<_> = of_addresses.collect();
        let count = u16::try_from(of_addresses.len()).unwrap_or(u16::MAX).max(1);
        let weight = (100 / count).max(1);
        let (mut answers, mut additional) = (Vec::new(), Vec::new());
        for (ip, Found { port, target, .. }) in of_addresses {
            let Some(port) = *port else { continue };
            let srv = Data::Srv { weight, port, target: target.clone() };
            let records =
                [(self.record(name, srv), true), (self.record(target, Data::Address(ip)), false)];
            for (record, is_answer) in records {
                let list = if is_answer { &mut answers } else { &mut additional };
                if !list.contains(&record) {
                    list.push(record);
                }
            }
        }
        Ok((answers, additional))
    }

    /// Models plugin/kubernetes/kubernetes.go Services, for TXT.
    fn text(&self, name: &Arc<str>, zone: &Arc<str>) -> Result<Vec<Record>, NotFound> {
        let (text, ttl) = VERSION;
        if **name == *["dns-version.", zone].concat() {
            let data = Data::Txt(Arc::from(text));
            return Ok(vec![Record { name: name.clone(), ttl, data }]);
        }
        match self.records(name, zone)?.is_empty() {
            true => Err(NotFound),
            false => Ok(Vec::new()),
        }
    }

    /// The name `ns.dns` of the zone: the address of CoreDNS' own Service.
    ///
    /// Models plugin/kubernetes/ns.go nsAddrs.
    fn own_server(&self, name: &str, zone: &str) -> Option<Vec<Found>> {
        let is_it = name.strip_prefix("ns.dns.") == Some(zone);
        let host = Host::Address(CLUSTER_DNS);
        is_it.then(|| vec![Found { host, port: None, target: Arc::from(name) }])
    }

    fn servers(&self, zone: &Arc<str>) -> (Vec<Record>, Vec<Record>) {
        let server: Arc<str> = Arc::from(["kube-dns.kube-system.svc.", zone].concat());
        let address = self.record(&server, Data::Address(CLUSTER_DNS));
        (vec![self.record(zone, Data::Ns(server))], vec![address])
    }

    /// Models plugin/kubernetes/reverse.go Reverse.
    fn names_of(&self, name: &Arc<str>, zone: &Arc<str>) -> Result<Vec<Record>, NotFound> {
        let Some(ip) = unreverse(name) else {
            return self.records(name, zone).map(|_| Vec::new());
        };
        let store = self.cluster.store;
        let is_its = |service: &&Arc<Object>| {
            let spec = service.spec();
            let own = spec.items_at(&["clusterIPs"]).iter().filter_map(Value::as_str);
            let mut own = own.chain(spec.str_at(&["clusterIP"]));
            own.any(|text| text.parse() == Ok(ip)) && self.exposes(&service.meta.namespace)
        };
        if let Some(service) = store.list(Kind::Service).find(is_its) {
            let full = self.full(&[&service.meta.name, &service.meta.namespace, "svc"]);
            return Ok(vec![self.record(name, Data::Ptr(full))]);
        }
        let mut records = Vec::new();
        for slice in store.list(Kind::EndpointSlice) {
            let namespace = &slice.meta.namespace;
            let Some(service) = slice.meta.labels.get("kubernetes.io/service-name") else {
                continue;
            };
            let own = self.endpoints(slice).into_iter().filter(|endpoint| endpoint.ip == ip);
            for endpoint in own.filter(|_| self.exposes(namespace)) {
                let full = self.full(&[&endpoint.host, service, namespace, "svc"]);
                let record = self.record(name, Data::Ptr(full));
                if !records.contains(&record) {
                    records.push(record);
                }
            }
        }
        if records.is_empty() { Err(NotFound) } else { Ok(records) }
    }

    fn full(&self, labels: &[&str]) -> Arc<str> {
        Arc::from([labels.join("."), self.plugin.primary_zone().to_owned()].join("."))
    }

    /// Models plugin/kubernetes/namespace.go namespaceExposed.
    fn exposes(&self, namespace: &str) -> bool {
        let own = &self.plugin.namespaces;
        (own.is_empty() || own.iter().any(|it| **it == *namespace))
            && self.cluster.store.find(Kind::Namespace, "", namespace).is_some()
    }

    /// What a name of the cluster stands for; nothing for a name that is only on the way to others.
    ///
    /// Models plugin/kubernetes/parse.go parseRequest and kubernetes.go Records.
    fn records(&self, name: &str, zone: &str) -> Result<Vec<Found>, NotFound> {
        let base = name.strip_suffix(zone).unwrap_or(name).trim_end_matches('.');
        if matches!(base, "" | "svc" | "pod") {
            return Ok(Vec::new());
        }
        if zone.ends_with(".arpa") {
            return Err(NotFound);
        }
        let labels: Vec<&str> = base.split('.').collect();
        let bare = |label: &str| label.strip_prefix('_').unwrap_or(label).to_owned();
        let (kind, namespace, service, rest) = match labels.as_slice() {
            [namespace, kind] => (*kind, *namespace, "", &[] as &[&str]),
            [rest @ .., service, namespace, kind] => (*kind, *namespace, *service, rest),
            _ => return Err(NotFound),
        };
        if !matches!(kind, "svc" | "pod") || rest.len() > 2 || !self.exposes(namespace) {
            return Err(NotFound);
        }
        match (kind, service, rest) {
            (_, "", _) => Ok(Vec::new()),
            ("pod", ip, _) => self.pod(namespace, ip),
            (_, service, [host]) => self.service(namespace, service, Some(host), ("", "")),
            (_, service, [port, protocol]) => {
                self.service(namespace, service, None, (&bare(port), &bare(protocol)))
            }
            (_, service, _) => self.service(namespace, service, None, ("", "")),
        }
    }

    /// Models plugin/kubernetes/kubernetes.go findPods.
    fn pod(&self, namespace: &str, dashed: &str) -> Result<Vec<Found>, NotFound> {
        let is_v4 = dashed.matches('-').count() == 3 && !dashed.contains("--");
        let ip = dashed.replace('-', if is_v4 { "." } else { ":" });
        let ip: IpAddr = ip.parse().map_err(|_| NotFound)?;
        let is_there = match self.plugin.pods {
            PodNames::Disabled => false,
            PodNames::Insecure => true,
            PodNames::Verified => self.cluster.store.list_in(Kind::Pod, namespace).any(|pod| {
                pod.pod().and_then(|pod| pod.status.pod_ip).map(IpAddr::from) == Some(ip)
            }),
        };
        let found = Found { host: Host::Address(ip), port: None, target: Arc::from("") };
        if is_there { Ok(vec![found]) } else { Err(NotFound) }
    }

    /// Models plugin/kubernetes/kubernetes.go findServices.
    fn service(
        &self,
        namespace: &str,
        name: &str,
        host: Option<&str>,
        wanted: (&str, &str),
    ) -> Result<Vec<Found>, NotFound> {
        let store = self.cluster.store;
        let service = store.find(Kind::Service, namespace, name).ok_or(NotFound)?;
        let spec = service.spec();
        if spec.str_at(&["type"]) == Some("ExternalName") {
            if host.is_some() || wanted != ("", "") {
                return Err(NotFound);
            }
            let target = spec.str_at(&["externalName"]).unwrap_or_default();
            let target = target.trim_end_matches('.').to_ascii_lowercase();
            let host = match target.parse() {
                Ok(ip) => Host::Address(ip),
                Err(_) => Host::Name(Arc::from(target)),
            };
            // An address is no name that could stand for another.
            let is_name = matches!(host, Host::Name(_));
            let found = Found { host, port: None, target: Arc::from("") };
            return if is_name { Ok(vec![found]) } else { Err(NotFound) };
        }
        let suffix = [name, ".", namespace, ".svc.", self.plugin.primary_zone()].concat();
        let mut found = Vec::new();
        if host.is_some() || spec.str_at(&["clusterIP"]) == Some("None") {
            let is_its = |slice: &&Arc<Object>| {
                slice.meta.labels.get("kubernetes.io/service-name") == Some(name)
            };
            for slice in store.list_in(Kind::EndpointSlice, namespace).filter(is_its) {
                for endpoint in self.endpoints(slice) {
                    if host.is_none_or(|host| host.eq_ignore_ascii_case(&endpoint.host)) {
                        let target: Arc<str> = Arc::from([&endpoint.host, ".", &suffix].concat());
                        let host = Host::Address(endpoint.ip);
                        add_ports(&mut found, endpoint.ports, wanted, &host, &target);
                    }
                }
            }
        } else {
            let target: Arc<str> = Arc::from(suffix);
            let ips = spec.items_at(&["clusterIPs"]).iter().filter_map(Value::as_str);
            let mut ips: Vec<&str> = ips.collect();
            if ips.is_empty() {
                ips.extend(spec.str_at(&["clusterIP"]));
            }
            for ip in ips.into_iter().filter_map(|ip| ip.parse().ok()) {
                let ports = spec.items_at(&["ports"]);
                add_ports(&mut found, ports, wanted, &Host::Address(ip), &target);
            }
        }
        if found.is_empty() { Err(NotFound) } else { Ok(found) }
    }

    /// The ready endpoints of a slice.
    ///
    /// Models plugin/kubernetes/object/endpoint.go EndpointSliceToEndpoints and
    /// plugin/kubernetes/kubernetes.go endpointHostname.
    fn endpoints<'b>(&self, slice: &'b Object) -> Vec<Endpoint<'b>> {
        let content = slice.content();
        let ports = content.items_at(&["ports"]);
        let mut found = Vec::new();
        for endpoint in content.items_at(&["endpoints"]) {
            if endpoint.bool_at(&["conditions", "ready"]) == Some(false) {
                continue;
            }
            let pod_name = endpoint.str_at(&["targetRef", "name"]);
            let pod_name = pod_name.filter(|_| self.plugin.endpoint_pod_names);
            let host = endpoint.str_at(&["hostname"]).filter(|host| !host.is_empty()).or(pod_name);
            for address in endpoint.items_at(&["addresses"]).iter().filter_map(Value::as_str) {
                let Ok(ip) = address.parse() else { continue };
                let dashed = address.replace(['.', ':'], "-");
                let host = Arc::from(host.unwrap_or(&dashed));
                found.push(Endpoint { ip, host, ports });
            }
        }
        found
    }
}

/// One thing for each port that is wanted by its name and its protocol; "" is any.
fn add_ports(
    found: &mut Vec<Found>,
    ports: &[Value],
    (wanted, protocol): (&str, &str),
    host: &Host,
    target: &Arc<str>,
) {
    let mut add = |port| found.push(Found { host: host.clone(), port, target: target.clone() });
    if ports.is_empty() && (wanted, protocol) == ("", "") {
        add(None);
    }
    for port in ports {
        let name = port.str_at(&["name"]).unwrap_or_default();
        let own = port.str_at(&["protocol"]).unwrap_or("TCP");
        let fits = (wanted.is_empty() || wanted.eq_ignore_ascii_case(name))
            && (protocol.is_empty() || Protocol::parse(protocol) == Protocol::parse(own));
        if fits {
            add(port.int_at(&["port"]).and_then(|port| u16::try_from(port).ok()));
        }
    }
}
