//! From Ingresses, Services, EndpointSlices and Secrets to servers, locations and backends.
//!
//! Models kubernetes/ingress-nginx internal/ingress/controller/controller.go getBackendServers and
//! what it calls, location.go and endpointslices.go.

use super::annotations::Annotations;
use super::pattern::Pattern;
use super::{
    Backend, CATCH_ALL, Certificate, Configuration, DEFAULT_BACKEND, Location, PathType, Server,
    Settings, Trouble,
};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::net::packet::Endpoint;
use crate::store::{ObjectKey, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An Ingress with its annotations read.
struct Item<'a> {
    object: &'a Object,
    key: ObjectKey,
    rules: Arc<Annotations>,
}

/// A rule of an Ingress: host and path with the backend.
struct Rule<'a> {
    host: Arc<str>,
    path: Arc<str>,
    path_type: PathType,
    backend: &'a Value,
}

impl Item<'_> {
    /// The hosts of its rules, `_` for those without.
    fn hosts(&self) -> impl Iterator<Item = Arc<str>> {
        self.object.spec().items_at(&["rules"]).iter().map(host_of)
    }

    fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        self.object.spec().items_at(&["rules"]).iter().flat_map(|rule| {
            rule.items_at(&["http", "paths"]).iter().filter_map(move |path| {
                let text = path.str_at(&["path"]).filter(|path| !path.is_empty()).unwrap_or("/");
                Some(Rule {
                    host: host_of(rule),
                    path: Arc::from(text),
                    path_type: match path.str_at(&["pathType"]) {
                        Some("Exact") => PathType::Exact,
                        Some("Prefix") => PathType::Prefix,
                        _ => PathType::ImplementationSpecific,
                    },
                    backend: path.at(&["backend", "service"])?,
                })
            })
        })
    }

    fn default_backend(&self) -> Option<&Value> {
        self.object.spec().at(&["defaultBackend", "service"])
    }
}

fn host_of(rule: &Value) -> Arc<str> {
    let host = rule.str_at(&["host"]).filter(|host| !host.is_empty());
    Arc::from(host.unwrap_or(CATCH_ALL))
}

/// The port that a backend of an Ingress names, by number or by name.
fn port_of(backend: &Value) -> Arc<str> {
    match backend.int_at(&["port", "number"]).filter(|number| *number > 0) {
        Some(number) => Arc::from(number.to_string()),
        None => Arc::from(backend.str_at(&["port", "name"]).unwrap_or_default()),
    }
}

/// `namespace-service-port`.
fn backend_name(namespace: &str, backend: &Value) -> Arc<str> {
    let service = backend.str_at(&["name"]).unwrap_or_default();
    Arc::from(format!("{namespace}-{service}-{}", port_of(backend)))
}

/// Whether one Ingress comes before another: by age, and of two of one age the one whose name is
/// the later.
///
/// Models internal/ingress/controller/store/store.go sortIngressSlice.
fn sort(items: &mut [Item<'_>]) {
    order::sort_by(items, |a, b| {
        // Times are kept to the second.
        let second = |item: &Item<'_>| item.object.meta.creation_timestamp.as_micros() / 1_000_000;
        let (one, other) = (second(a), second(b));
        let name = |item: &Item<'_>| format!("{}/{}", item.key.namespace, item.key.name);
        one.cmp(&other).then_with(|| name(b).cmp(&name(a)))
    });
}

impl Configuration {
    /// What the controller with these settings makes of the objects there are.
    pub fn of(store: &Store, settings: &Settings) -> Self {
        Self::with(store, settings, None)
    }

    /// The same, as if `instead` stood in the place of the Ingress of its name.
    pub fn with(store: &Store, settings: &Settings, instead: Option<&Object>) -> Self {
        let replaced = instead.map(ObjectKey::of);
        let stored = store.list(Kind::Ingress).map(|ingress| &**ingress);
        let stored = stored.filter(|it| replaced.as_ref() != Some(&ObjectKey::of(it)));
        let all = stored.chain(instead).filter(|it| settings.class_of(store, it).is_ok());
        let mut items: Vec<Item<'_>> = all
            .map(|object| Item {
                object,
                key: ObjectKey::of(object),
                rules: Arc::new(Annotations::of(object)),
            })
            // Upstream refuses to read these at all.
            .filter(|item| !item.rules.canary_not_enabled)
            .collect();
        sort(&mut items);
        let mut builder =
            Builder { store, settings, slices: Slices::of(store), it: Configuration::default() };
        builder.backends(&items);
        builder.servers(&items);
        builder.certificates(&items);
        builder.locations(&items);
        builder.canaries(&items);
        builder.finish()
    }
}

/// EndpointSlices by the Service that they belong to.
struct Slices<'a>(BTreeMap<ObjectKey, Vec<&'a Object>>);

impl Slices<'_> {
    /// The endpoints of a Service's port that are ready; of its first one if none is given.
    ///
    /// Models getEndpointsFromSlices.
    fn endpoints(&self, service: &ObjectKey, port: Option<&Value>) -> Vec<Endpoint> {
        let name = port.and_then(|port| port.str_at(&["name"])).unwrap_or_default();
        let target = port.and_then(|port| number(port, "targetPort"));
        let mut found: Vec<Endpoint> = Vec::new();
        for slice in self.0.get(service).into_iter().flatten() {
            let ports = slice.content().items_at(&["ports"]).iter();
            let ports = ports.filter(|it| it.str_at(&["protocol"]).unwrap_or("TCP") == "TCP");
            let numbers = ports.filter_map(|it| {
                let own = it.str_at(&["name"]).unwrap_or_default();
                let own = (name.is_empty() || own == name).then(|| number(it, "port")).flatten();
                own.or(target)
            });
            let numbers: Vec<u16> = numbers.collect();
            for endpoint in slice.content().items_at(&["endpoints"]) {
                if endpoint.bool_at(&["conditions", "ready"]) == Some(false) {
                    continue;
                }
                let addresses = endpoint.items_at(&["addresses"]).iter();
                for ip in addresses.filter_map(|ip| ip.as_str()?.parse().ok()) {
                    let all = numbers.iter().map(|port| Endpoint { ip, port: *port });
                    let new: Vec<Endpoint> = all.filter(|one| !found.contains(one)).collect();
                    found.extend(new);
                }
            }
        }
        found
    }
}

/// The endpoints of a Service's port that are ready.
pub fn ready_endpoints(store: &Store, service: &ObjectKey, port: u16) -> Vec<Endpoint> {
    let ports = store.get(Kind::Service, service).map(|it| it.spec().items_at(&["ports"]));
    let mut ports = ports.unwrap_or_default().iter();
    let port = ports.find(|it| it.int_at(&["port"]) == Some(i64::from(port)));
    let own = store.list_in(Kind::EndpointSlice, &service.namespace);
    Slices::among(own).endpoints(service, port)
}

impl<'a> Slices<'a> {
    fn of(store: &'a Store) -> Self {
        Self::among(store.list(Kind::EndpointSlice))
    }

    fn among(all: impl IntoIterator<Item = &'a Arc<Object>>) -> Self {
        let mut slices: BTreeMap<ObjectKey, Vec<&Object>> = BTreeMap::new();
        for slice in all {
            if let Some(service) = slice.meta.labels.get("kubernetes.io/service-name") {
                let key = ObjectKey::new(&slice.meta.namespace, service);
                slices.entry(key).or_default().push(slice);
            }
        }
        Slices(slices)
    }
}

struct Builder<'a> {
    store: &'a Store,
    settings: &'a Settings,
    slices: Slices<'a>,
    it: Configuration,
}

impl Builder<'_> {
    /// Models createUpstreams.
    fn backends(&mut self, items: &[Item<'_>]) {
        let default = self.default_backend();
        self.it.backends.insert(Arc::from(DEFAULT_BACKEND), default);
        for item in items {
            let of_rules = item.rules().map(|rule| rule.backend.clone());
            for backend in item.default_backend().cloned().into_iter().chain(of_rules) {
                let name = backend_name(&item.key.namespace, &backend);
                if self.it.backends.contains_key(&name) {
                    continue;
                }
                let made = self.backend(item, &backend);
                self.it.backends.insert(name, made);
            }
        }
    }

    fn default_backend(&mut self) -> Backend {
        let service = self.settings.default_backend.clone();
        let Some(service) = service.filter(|key| self.store.get(Kind::Service, key).is_some())
        else {
            return Backend::default();
        };
        let mut backend = Backend { service: Some(service.clone()), ..Backend::default() };
        backend.endpoints = self.slices.endpoints(&service, None);
        backend
    }

    fn backend(&mut self, item: &Item<'_>, value: &Value) -> Backend {
        let key = ObjectKey::new(&item.key.namespace, value.str_at(&["name"]).unwrap_or_default());
        let mut backend = Backend {
            service: Some(key.clone()),
            port: port_of(value),
            canary: item.rules.canary.clone(),
            ..Backend::default()
        };
        let Some(service) = self.store.get(Kind::Service, &key).cloned() else {
            backend.trouble = Some(Trouble::NoService);
            self.it.warnings.push(format!(
                "Error obtaining Endpoints for Service \"{key}\": no object matching key \"{key}\" in local store"
            ));
            return backend;
        };
        if service.spec().str_at(&["type"]) == Some("ExternalName") {
            let name = service.spec().str_at(&["externalName"]).unwrap_or_default();
            let port = backend.port.parse().unwrap_or(80);
            backend.external = Some((Arc::from(name.trim_end_matches('.')), port));
            return backend;
        }
        let ports = service.spec().items_at(&["ports"]);
        let Some(port) = ports.iter().find(|port| is_named(port, &backend.port)) else {
            backend.trouble = Some(Trouble::NoPort);
            return backend;
        };
        let cluster_ip = service.spec().str_at(&["clusterIP"]).and_then(|ip| ip.parse().ok());
        backend.endpoints = match (item.rules.service_upstream, cluster_ip, number(port, "port")) {
            (true, Some(ip), Some(port)) => vec![Endpoint { ip, port }],
            _ => self.slices.endpoints(&key, Some(port)),
        };
        if backend.endpoints.is_empty() {
            let warning = format!("Service \"{key}\" does not have any active Endpoint.");
            self.it.warnings.push(warning);
        }
        backend
    }

    /// A server for each host, with one location that leads to the default backend.
    ///
    /// Models createServers.
    fn servers(&mut self, items: &[Item<'_>]) {
        let catch_all = Server {
            locations: vec![default_location(DEFAULT_BACKEND.into(), None)],
            ..Server::default()
        };
        self.it.servers.insert(Arc::from(CATCH_ALL), catch_all);
        for item in items.iter().filter(|item| item.rules.canary.is_none()) {
            let own = item.default_backend().map(|own| backend_name(&item.key.namespace, own));
            let has_rules = item.hosts().next().is_some();
            if let (Some(own), false) = (&own, has_rules)
                && let Some(location) = self.catch_all_location().filter(|it| it.is_default)
            {
                *location = Location {
                    is_default: false,
                    // What would change the path is not for the catch-all.
                    rules: Arc::new(Annotations {
                        rewrite_target: String::new(),
                        redirect: None,
                        ..(*item.rules).clone()
                    }),
                    ..default_location(own.clone(), Some(item))
                };
            }
            let backend = own.unwrap_or_else(|| Arc::from(DEFAULT_BACKEND));
            for host in item.hosts() {
                self.it.servers.entry(host).or_insert_with(|| Server {
                    locations: vec![default_location(backend.clone(), Some(item))],
                    ..Server::default()
                });
            }
        }
    }

    fn catch_all_location(&mut self) -> Option<&mut Location> {
        self.it.servers.get_mut(CATCH_ALL)?.locations.first_mut()
    }

    /// Further names and certificates.
    fn certificates(&mut self, items: &[Item<'_>]) {
        let hosts: Vec<Arc<str>> = self.it.servers.keys().cloned().collect();
        for item in items.iter().filter(|item| item.rules.canary.is_none()) {
            for host in item.hosts() {
                let certificate = self.certificate(item, &host);
                let Some(server) = self.it.servers.get_mut(&host) else { continue };
                if server.aliases.is_empty() {
                    let new = item.rules.aliases.iter().filter(|alias| !hosts.contains(alias));
                    server.aliases = new.cloned().collect();
                }
                if server.certificate.is_none() && &*host != CATCH_ALL {
                    server.certificate = certificate;
                }
            }
        }
    }

    /// The certificate that an Ingress has for a host.
    ///
    /// Simplified: the names that a certificate is for are not read; it fits the hosts beside it.
    fn certificate(&mut self, item: &Item<'_>, host: &str) -> Option<Certificate> {
        let sections = item.object.spec().items_at(&["tls"]);
        if sections.is_empty() {
            return None;
        }
        let is_for = |section: &&Value| {
            let mut hosts = section.items_at(&["hosts"]).iter().filter_map(Value::as_str);
            hosts.any(|own| own.eq_ignore_ascii_case(host))
        };
        let fake =
            || self.settings.certificate.clone().map_or(Certificate::Fake, Certificate::Secret);
        let secret = sections.iter().find(is_for).and_then(|it| it.str_at(&["secretName"]));
        let Some(secret) = secret.filter(|name| !name.is_empty()) else { return Some(fake()) };
        let key = ObjectKey::new(&item.key.namespace, secret);
        let found = self.store.get(Kind::Secret, &key);
        if found.is_some_and(|secret| secret.content().str_at(&["data", "tls.crt"]).is_some()) {
            return Some(Certificate::Secret(key));
        }
        let instead = match fake() {
            Certificate::Fake => {
                Certificate::InsteadOf { ingress: item.key.clone(), secret: Arc::from(secret) }
            }
            own => own,
        };
        self.it.warnings.push(format!(
            "Error getting SSL certificate \"{key}\": local SSL certificate {key} was not found. Using default certificate"
        ));
        Some(instead)
    }

    /// The locations of the rules.
    fn locations(&mut self, items: &[Item<'_>]) {
        for item in items {
            for rule in item.rules() {
                let name = backend_name(&item.key.namespace, rule.backend);
                if self.it.backends.get(&name).is_none_or(|backend| backend.canary.is_some()) {
                    continue;
                }
                let host = match self.it.servers.contains_key(&rule.host) {
                    true => rule.host.clone(),
                    false => Arc::from(CATCH_ALL),
                };
                if let Some(server) = self.it.servers.get_mut(&host) {
                    add_location(server, item, &rule, &name);
                }
                self.sticks(item, &rule, &name);
            }
        }
    }

    /// Notes the cookie of a rule's Ingress with its backend.
    fn sticks(&mut self, item: &Item<'_>, rule: &Rule<'_>, name: &str) {
        let (Some(affinity), Some(backend)) =
            (&item.rules.affinity, self.it.backends.get_mut(name))
        else {
            return;
        };
        backend.affinity = Some(affinity.clone());
        backend.affinity_paths.push((rule.host.clone(), rule.path.clone()));
        let aliases = self.it.servers.get(&rule.host).map(|server| server.aliases.clone());
        let aliases = aliases.into_iter().flatten();
        backend.affinity_paths.extend(aliases.map(|alias| (alias, rule.path.clone())));
    }

    /// Canaries become alternatives of the backends with the same host and path.
    ///
    /// Models mergeAlternativeBackends.
    fn canaries(&mut self, items: &[Item<'_>]) {
        for item in items.iter().filter(|item| item.rules.canary.is_some()) {
            for rule in item.rules() {
                let name = backend_name(&item.key.namespace, rule.backend);
                let Some(server) = self.it.servers.get(&rule.host) else { continue };
                let same = |location: &&Location| {
                    location.path == rule.path
                        && location.path_type == rule.path_type
                        && *location.backend != *DEFAULT_BACKEND
                        && location.backend != name
                };
                let primary = server.locations.iter().find(same).map(|it| it.backend.clone());
                let Some(primary) = primary else {
                    self.it.warnings.push(format!(
                        "unable to find real backend for alternative backend {name}. Deleting."
                    ));
                    continue;
                };
                let sticky = item.rules.affinity.as_ref().is_none_or(|own| own.sticky_canary);
                let Some(backend) = self.it.backends.get_mut(&primary) else { continue };
                if !backend.alternatives.contains(&name) {
                    backend.alternatives.push(name.clone());
                }
                let (affinity, paths) = (backend.affinity.clone(), backend.affinity_paths.clone());
                if let Some(canary) = self.it.backends.get_mut(&name).filter(|_| sticky) {
                    (canary.affinity, canary.affinity_paths) = (affinity, paths);
                }
            }
        }
    }

    fn finish(mut self) -> Configuration {
        for server in self.it.servers.values_mut() {
            // Longest first; of the same length the later in the alphabet.
            order::sort_by(&mut server.locations, |a, b| {
                (b.path.len(), &b.path).cmp(&(a.path.len(), &a.path))
            });
            server.by_pattern = server.locations.iter().any(|location| {
                location.rules.rewrites(&location.path) || location.rules.use_regex
            });
            let by_pattern = server.by_pattern;
            let locations = core::mem::take(&mut server.locations);
            server.locations = with_slashes(locations);
            for location in server.locations.iter_mut().filter(|_| by_pattern) {
                let pattern = Pattern::new(&format!("^{}", location.path), true);
                location.pattern = pattern.map(Arc::new);
            }
        }
        self.it
    }
}

fn number(value: &Value, key: &str) -> Option<u16> {
    value.int_at(&[key]).and_then(|number| u16::try_from(number).ok())
}

/// Whether a Service's port is the one that an Ingress names: by its number, its `targetPort` or
/// its name.
///
/// Models serviceEndpoints.
fn is_named(port: &Value, wanted: &str) -> bool {
    let target = port.get("targetPort");
    let target = target.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
    port.int_at(&["port"]).is_some_and(|number| number.to_string() == wanted)
        || target.is_some_and(|target| target == wanted)
        || port.str_at(&["name"]) == Some(wanted)
}

fn default_location(backend: Arc<str>, item: Option<&Item<'_>>) -> Location {
    Location {
        path: Arc::from("/"),
        ingress_path: Arc::from("/"),
        path_type: PathType::Prefix,
        backend,
        is_default: true,
        ingress: item.map(|item| item.key.clone()),
        rules: item.map(|item| item.rules.clone()).unwrap_or_default(),
        pattern: None,
    }
}

fn add_location(server: &mut Server, item: &Item<'_>, rule: &Rule<'_>, backend: &Arc<str>) {
    let new = Location {
        path: rule.path.clone(),
        ingress_path: rule.path.clone(),
        path_type: rule.path_type,
        backend: backend.clone(),
        is_default: false,
        ingress: Some(item.key.clone()),
        rules: item.rules.clone(),
        pattern: None,
    };
    // Only the first location of the path is looked at.
    let same = server.locations.iter_mut().find(|location| location.path == rule.path);
    match same {
        Some(old) if old.path_type == rule.path_type => {
            if old.is_default {
                *old = new;
            }
        }
        _ => server.locations.push(new),
    }
}

/// The path of a Prefix ends in a slash, with a location of its own for the path without it.
///
/// Models location.go updateServerLocations.
fn with_slashes(locations: Vec<Location>) -> Vec<Location> {
    let exact = |path: &str| {
        let mut all = locations.iter();
        all.any(|other| other.path_type == PathType::Exact && *other.path == *path)
    };
    let mut result = Vec::with_capacity(locations.len());
    for location in &locations {
        let as_it_is = &*location.path == "/"
            || location.path_type != PathType::Prefix
            || location.rules.rewrites(&location.path)
            || location.rules.use_regex;
        if as_it_is {
            result.push(location.clone());
            continue;
        }
        let slash = if location.path.ends_with('/') { "" } else { "/" };
        let path = Arc::from(format!("{}{slash}", location.path));
        result.push(Location { path, ..location.clone() });
        if !exact(&location.path) {
            result.push(Location { path_type: PathType::Exact, ..location.clone() });
        }
    }
    result
}
