//! Services with the Pods behind them, and Ingresses and Gateways with the Services behind those.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::present::palette::Palette;
use crate::present::scene::{External, IngressChip, ServiceChip};
use crate::session::ObjectId;
use crate::session::request::is_system;
use crate::store::Store;

const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The Services and Ingresses of the map. A Service that an Ingress leads to comes before the
/// others, and those of the cluster itself last.
pub(super) fn services(store: &Store, palette: &Palette) -> (Vec<ServiceChip>, Vec<IngressChip>) {
    let ends = Ends::of(store);
    let shown = store.list(Kind::Service).filter(|service| !is_own_service(service));
    let mut services: Vec<ServiceChip> =
        shown.map(|service| chip(service, palette, &ends)).collect();
    let leads = store.list(Kind::Ingress).map(|it| (ingress_chip(it), backends(it)));
    let leads: Vec<(IngressChip, Vec<ObjectId>)> =
        leads.chain(super::gateways::gateways(store)).collect();
    let order = |id: &ObjectId| {
        let mut behind = leads.iter().flat_map(|(_, services)| services);
        behind.position(|one| one == id).unwrap_or(usize::MAX)
    };
    order::sort_by_key(&mut services, |one| (one.system, order(&one.id)));
    let place = |id: &ObjectId| services.iter().position(|one| one.id == *id);
    let ingresses = leads.iter().map(|(chip, behind)| IngressChip {
        leads_to: behind.iter().filter_map(place).collect(),
        ..chip.clone()
    });
    let ingresses = ingresses.collect();
    (services, ingresses)
}

/// Whether this is a Service of the cluster's own, such as `default/kubernetes`: the map leaves
/// those out.
fn is_own_service(service: &Object) -> bool {
    let (namespace, name) = (&*service.meta.namespace, &*service.meta.name);
    namespace == "kube-system" || namespace == "default" && name == "kubernetes"
}

pub(super) fn port_at(port: &Value, key: &str) -> Option<u16> {
    port.int_at(&[key]).and_then(|number| u16::try_from(number).ok()).filter(|&port| port > 0)
}

/// A Service by namespace and name, with how many Pods behind it take requests, and do not.
type End<'a> = ((&'a str, &'a str), (u32, u32));

/// How many Pods are behind each Service, sorted.
struct Ends<'a>(Vec<End<'a>>);

impl<'a> Ends<'a> {
    fn of(store: &'a Store) -> Self {
        let slices = store.list(Kind::EndpointSlice);
        let counted = slices.filter_map(|slice| {
            let name = slice.meta.labels.get(SERVICE_NAME)?;
            let mut counts = (0, 0);
            for endpoint in endpoints_of(slice) {
                match is_ready(endpoint) {
                    true => counts.0 += 1,
                    false => counts.1 += 1,
                }
            }
            if !takes_requests(store, slice, name) {
                counts.0 = 0;
            }
            Some(((&*slice.meta.namespace, name), counts))
        });
        let mut counted: Vec<_> = counted.collect();
        order::sort(&mut counted);
        Ends(counted)
    }

    /// Those that take requests, and those that do not.
    fn count(&self, service: &Object) -> (u32, u32) {
        let key = (&*service.meta.namespace, &*service.meta.name);
        let from = self.0.partition_point(|(one, _)| *one < key);
        let own = self.0.iter().skip(from).take_while(|(one, _)| *one == key);
        own.fold((0, 0), |sum, (_, counts)| (sum.0 + counts.0, sum.1 + counts.1))
    }
}

fn endpoints_of(slice: &Object) -> impl Iterator<Item = &Value> {
    slice.content().items_at(&["endpoints"]).iter()
}

fn is_ready(endpoint: &Value) -> bool {
    endpoint.bool_at(&["conditions", "ready"]).unwrap_or(true)
}

/// Whether a slice has a port: without one, though its Service asks for it, nothing gets there.
fn takes_requests(store: &Store, slice: &Object, service: &str) -> bool {
    let wanted = || store.find(Kind::Service, &slice.meta.namespace, service);
    !slice.content().items_at(&["ports"]).is_empty()
        || wanted().is_some_and(|service| service.spec().items_at(&["ports"]).is_empty())
}

fn chip(service: &Object, palette: &Palette, ends: &Ends<'_>) -> ServiceChip {
    let spec = service.spec();
    let kind = spec.str_at(&["type"]).unwrap_or("ClusterIP");
    let cluster_ip = spec.str_at(&["clusterIP"]).filter(|&ip| ip != "None");
    let ingress = service.status().items_at(&["loadBalancer", "ingress"]).first();
    let address = ingress.and_then(|one| one.str_at(&["ip"]).or(one.str_at(&["hostname"])));
    let (endpoints, not_ready) = ends.count(service);
    ServiceChip {
        id: ObjectId::of(service),
        kind: kind.into(),
        cluster_ip: cluster_ip.unwrap_or_default().into(),
        ports: spec
            .items_at(&["ports"])
            .iter()
            .filter_map(|port| Some((port_at(port, "port")?, port_at(port, "nodePort"))))
            .collect(),
        external: match (kind, address) {
            ("LoadBalancer", Some(address)) => External::Address(address.into()),
            ("LoadBalancer", None) => External::Pending,
            _ => External::None,
        },
        endpoints,
        not_ready,
        colour: palette.of_selector(spec.get("selector")),
        system: is_system(&service.meta.namespace),
    }
}

/// The Pods behind a Service: those that take requests, and those that do not.
pub(in crate::present) fn selected_endpoints(
    store: &Store,
    service: &Object,
) -> (Vec<ObjectId>, Vec<ObjectId>) {
    let (namespace, name) = (&service.meta.namespace, &*service.meta.name);
    let (mut taking, mut others) = (Vec::new(), Vec::new());
    for slice in store.list_in(Kind::EndpointSlice, namespace) {
        if slice.meta.labels.get(SERVICE_NAME) != Some(name) {
            continue;
        }
        let takes = takes_requests(store, slice, name);
        for endpoint in endpoints_of(slice) {
            let Some(pod) = endpoint.str_at(&["targetRef", "name"]) else { continue };
            let id = ObjectId::new(Kind::Pod, namespace, pod);
            if takes && is_ready(endpoint) { taking.push(id) } else { others.push(id) }
        }
    }
    (taking, others)
}

/// The slices that hold a Service's endpoints.
pub(in crate::present) fn slices_of(store: &Store, service: &Object) -> Vec<ObjectId> {
    let slices = store.list_in(Kind::EndpointSlice, &service.meta.namespace);
    let name = Some(&*service.meta.name);
    slices
        .filter(|slice| slice.meta.labels.get(SERVICE_NAME) == name)
        .map(|slice| ObjectId::of(slice))
        .collect()
}

/// The Services that an Ingress leads to, each once.
fn backends(ingress: &Object) -> Vec<ObjectId> {
    let spec = ingress.spec();
    let rules = spec.items_at(&["rules"]).iter();
    let paths = rules.flat_map(|rule| rule.items_at(&["http", "paths"]));
    let backends = paths.filter_map(|path| path.get("backend")).chain(spec.get("defaultBackend"));
    let mut services = Vec::new();
    for name in backends.filter_map(|backend| backend.str_at(&["service", "name"])) {
        let id = ObjectId::new(Kind::Service, &ingress.meta.namespace, name);
        if !services.contains(&id) {
            services.push(id);
        }
    }
    services
}

/// An Ingress in short.
pub(in crate::present) fn ingress_chip(ingress: &Object) -> IngressChip {
    let spec = ingress.spec();
    let backend =
        |value: &Value| -> String { value.str_at(&["service", "name"]).unwrap_or("?").to_owned() };
    let mut rules = Vec::new();
    for rule in spec.items_at(&["rules"]) {
        let host = rule.str_at(&["host"]).unwrap_or("*");
        for path in rule.items_at(&["http", "paths"]) {
            let to = path.get("backend").map(&backend).unwrap_or_default();
            rules.push(format!("{host}{} → {to}", path.str_at(&["path"]).unwrap_or("/")));
        }
    }
    if let Some(default) = spec.get("defaultBackend") {
        rules.push(format!("* → {}", backend(default)));
    }
    let ingress_points = ingress.status().items_at(&["loadBalancer", "ingress"]);
    let address = ingress_points
        .first()
        .and_then(|one| one.str_at(&["ip"]).or(one.str_at(&["hostname"])))
        .unwrap_or_default();
    let id = ObjectId::of(ingress);
    let class = spec.str_at(&["ingressClassName"]).unwrap_or_default();
    IngressChip { id, rules, leads_to: Vec::new(), class: class.into(), address: address.into() }
}
