//! Services, Ingresses and what stands behind them.
//!
//! Models describe.go describeService, describeIngressV1, describeEndpoints,
//! describeNetworkPolicy.

use super::text::{Text, or_none, pairs, plain};
use super::workloads::Subject;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Value};
use crate::kubectl::printers;
use crate::kubectl::printers::selector_text;
use crate::store::Store;

pub(super) fn service(text: &mut Text, it: &Subject<'_>) {
    let spec = it.value.get("spec").unwrap_or(&Value::Null);
    let at = |key| spec.str_at(&[key]).filter(|text| !text.is_empty());
    let list = |key: &str| {
        let items: Vec<&str> = spec.items_at(&[key]).iter().filter_map(Value::as_str).collect();
        items.join(",")
    };
    text.head(it.value);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.field(0, "Selector", pairs(spec.get("selector")));
    text.field(0, "Type", at("type").unwrap_or_default());
    text.field_if(0, "IP Family Policy", at("ipFamilyPolicy"));
    text.field(0, "IP Families", or_none(&list("ipFamilies")));
    text.field(0, "IP", at("clusterIP").unwrap_or_default());
    text.field(0, "IPs", or_none(&list("clusterIPs")));
    let external = list("externalIPs");
    text.field_if(0, "External IPs", (!external.is_empty()).then_some(external));
    text.field_if(0, "Desired LoadBalancer IP", at("loadBalancerIP"));
    text.field_if(0, "External Name", at("externalName"));
    let ingress: Vec<String> = it
        .value
        .items_at(&["status", "loadBalancer", "ingress"])
        .iter()
        .filter_map(|entry| {
            let address = entry.str_at(&["ip"]).or_else(|| entry.str_at(&["hostname"]))?;
            Some(match entry.str_at(&["ipMode"]) {
                Some(mode) => format!("{address} ({mode})"),
                None => address.to_owned(),
            })
        })
        .collect();
    let ingress = (!ingress.is_empty()).then(|| ingress.join(", "));
    text.field_if(0, "LoadBalancer Ingress", ingress);
    for port in spec.items_at(&["ports"]) {
        let at = |key| port.str_at(&[key]);
        let name = at("name").unwrap_or("<unset>");
        let protocol = at("protocol").unwrap_or("TCP");
        text.line(0, format!("Port:\t{name}\t{}/{protocol}", plain(port.get("port"))));
        let target = plain(port.get("targetPort"));
        text.field(0, "TargetPort", format!("{target}/{protocol}"));
        text.field_if(0, "AppProtocol", at("appProtocol"));
        if let Some(number) = port.int_at(&["nodePort"]).filter(|number| *number != 0) {
            text.line(0, format!("NodePort:\t{name}\t{number}/{protocol}"));
        }
        let (namespace, service) = (&it.object.meta.namespace, &it.object.meta.name);
        let endpoints = endpoints(it.store, namespace, service, at("name").unwrap_or_default());
        text.field(0, "Endpoints", endpoints);
    }
    text.field(0, "Session Affinity", at("sessionAffinity").unwrap_or_default());
    text.field_if(0, "External Traffic Policy", at("externalTrafficPolicy"));
    text.field_if(0, "Internal Traffic Policy", at("internalTrafficPolicy"));
    let health = spec.int_at(&["healthCheckNodePort"]).filter(|port| *port != 0);
    text.field_if(0, "HealthCheck NodePort", health);
    let ranges = list("loadBalancerSourceRanges");
    text.field_if(0, "LoadBalancer Source Ranges", (!ranges.is_empty()).then_some(ranges));
    text.field_if(0, "Traffic Distribution", at("trafficDistribution"));
    text.events(it.events);
}

/// The ready endpoints of one port of a Service: `10.244.1.2:80,10.244.2.3:80 + 2 more...`.
///
/// Models describe.go formatEndpointSlices.
fn endpoints(store: &Store, namespace: &str, service: &str, port: &str) -> String {
    let mut all = Vec::new();
    let mut has_slices = false;
    for slice in store.list_in(Kind::EndpointSlice, namespace) {
        if slice.meta.labels.get("kubernetes.io/service-name") != Some(service) {
            continue;
        }
        has_slices = true;
        let ready = slice
            .content()
            .items_at(&["endpoints"])
            .iter()
            .filter(|endpoint| endpoint.bool_at(&["conditions", "ready"]) != Some(false));
        let address = |endpoint: &Value| {
            let first = endpoint.items_at(&["addresses"]).first();
            first.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let addresses: Vec<String> = ready.map(address).collect();
        let ports = slice.content().items_at(&["ports"]);
        if ports.is_empty() {
            all.extend(addresses);
            continue;
        }
        let ports = ports.iter().filter(|p| p.str_at(&["name"]).unwrap_or_default() == port);
        for number in ports.filter_map(|port| port.int_at(&["port"])) {
            all.extend(addresses.iter().map(|address| format!("{address}:{number}")));
        }
    }
    match (has_slices, all.is_empty()) {
        (false, _) => "<none>".to_owned(),
        (true, true) => String::new(),
        (true, false) => printers::with_more(&all),
    }
}

pub(super) fn endpoint_slice(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.field(0, "AddressType", it.value.str_at(&["addressType"]).unwrap_or_default());
    let ports = it.value.items_at(&["ports"]);
    if ports.is_empty() {
        text.line(0, "Ports: <unset>");
    } else {
        text.line(0, "Ports:");
        text.line(1, "Name\tPort\tProtocol");
        text.line(1, "----\t----\t--------");
    }
    for port in ports {
        let name = port.str_at(&["name"]).filter(|name| !name.is_empty()).unwrap_or("<unset>");
        let protocol = port.str_at(&["protocol"]).unwrap_or_default();
        text.line(1, format!("{name}\t{}\t{protocol}", plain(port.get("port"))));
    }
    let endpoints = it.value.items_at(&["endpoints"]);
    text.line(0, if endpoints.is_empty() { "Endpoints: <none>" } else { "Endpoints:" });
    for endpoint in endpoints {
        let at = |path: &[&str]| plain(endpoint.at(path));
        let addresses: Vec<&str> =
            endpoint.items_at(&["addresses"]).iter().filter_map(Value::as_str).collect();
        text.field(1, "- Addresses", or_none(&addresses.join(", ")));
        text.line(2, "Conditions:");
        text.field(3, "Ready", at(&["conditions", "ready"]));
        text.field(2, "Hostname", at(&["hostname"]));
        if let Some(target) = endpoint.get("targetRef") {
            let part = |key| target.str_at(&[key]).unwrap_or_default();
            text.field(2, "TargetRef", format!("{}/{}", part("kind"), part("name")));
        }
        text.field(2, "NodeName", at(&["nodeName"]));
        text.field(2, "Zone", at(&["zone"]));
    }
    text.events(it.events);
}

pub(super) fn ingress_class(text: &mut Text, it: &Subject<'_>) {
    text.field(0, "Name", &it.object.meta.name);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.field(0, "Controller", it.value.str_at(&["spec", "controller"]).unwrap_or_default());
    if let Some(parameters) = it.value.at(&["spec", "parameters"]) {
        text.line(0, "Parameters:");
        text.field_if(1, "APIGroup", parameters.str_at(&["apiGroup"]));
        text.field(1, "Kind", parameters.str_at(&["kind"]).unwrap_or_default());
        text.field(1, "Name", parameters.str_at(&["name"]).unwrap_or_default());
    }
    text.events(it.events);
}

pub(super) fn ingress(text: &mut Text, it: &Subject<'_>) {
    let spec = it.value.get("spec").unwrap_or(&Value::Null);
    text.field(0, "Name", &it.object.meta.name);
    text.labels(it.value);
    text.field(0, "Namespace", &it.object.meta.namespace);
    let addresses: Vec<&str> = it
        .value
        .items_at(&["status", "loadBalancer", "ingress"])
        .iter()
        .filter_map(|entry| entry.str_at(&["ip"]).or_else(|| entry.str_at(&["hostname"])))
        .collect();
    text.field(0, "Address", addresses.join(","));
    text.field(0, "Ingress Class", spec.str_at(&["ingressClassName"]).unwrap_or("<none>"));
    let default = match spec.get("defaultBackend") {
        Some(backend) => backend_text(it, backend),
        None => "<default>".to_owned(),
    };
    text.field(0, "Default backend", &default);
    let certificates = spec.items_at(&["tls"]);
    if !certificates.is_empty() {
        text.line(0, "TLS:");
        for tls in certificates {
            let hosts: Vec<&str> =
                tls.items_at(&["hosts"]).iter().filter_map(Value::as_str).collect();
            let hosts = hosts.join(",");
            match tls.str_at(&["secretName"]).filter(|name| !name.is_empty()) {
                Some(secret) => text.line(1, format!("{secret} terminates {hosts}")),
                None => text.line(1, format!("SNI routes {hosts}")),
            }
        }
    }
    text.line(0, "Rules:");
    text.line(1, "Host\tPath\tBackends");
    text.line(1, "----\t----\t--------");
    let rules: Vec<&Value> =
        spec.items_at(&["rules"]).iter().filter(|rule| rule.get("http").is_some()).collect();
    for rule in &rules {
        let host = rule.str_at(&["host"]).filter(|host| !host.is_empty()).unwrap_or("*");
        text.line(1, format!("{host}\t"));
        for path in rule.items_at(&["http", "paths"]) {
            let backend = path.get("backend").map(|backend| backend_text(it, backend));
            let words = path.str_at(&["path"]).unwrap_or_default();
            text.line(2, format!("\t{words} \t{}", backend.unwrap_or_default()));
        }
    }
    if rules.is_empty() {
        text.line(1, format!("*\t*\t{default}"));
    }
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.events(it.events);
}

fn backend_text(it: &Subject<'_>, backend: &Value) -> String {
    let Some(service) = backend.get("service") else {
        let at = |key| backend.str_at(&["resource", key]).unwrap_or_default();
        let group = backend.str_at(&["resource", "apiGroup"]).unwrap_or("<none>");
        return format!("APIGroup: {group}, Kind: {}, Name: {}", at("kind"), at("name"));
    };
    let name = service.str_at(&["name"]).unwrap_or_default();
    let port = service.at(&["port", "number"]).or_else(|| service.at(&["port", "name"]));
    let words = format!("{name}:{}", plain(port));
    let namespace = &it.object.meta.namespace;
    let Some(object) = it.store.find(Kind::Service, namespace, name) else {
        return format!("{words} (<error: services \"{name}\" not found>)");
    };
    let ports = object.spec().items_at(&["ports"]).iter();
    let mut named = ports.filter(|p| p.get("port") == port || p.get("name") == port);
    let port = named.next().and_then(|port| port.str_at(&["name"])).unwrap_or_default();
    format!("{words} ({})", endpoints(it.store, namespace, name, port))
}

pub(super) fn endpoints_object(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.line(0, "Subsets:");
    for subset in it.value.items_at(&["subsets"]) {
        for (title, key) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")]
        {
            let ips: Vec<&str> =
                subset.items_at(&[key]).iter().filter_map(|a| a.str_at(&["ip"])).collect();
            text.field(1, title, or_none(&ips.join(",")));
        }
        let ports = subset.items_at(&["ports"]);
        if !ports.is_empty() {
            text.line(1, "Ports:");
            text.line(2, "Name\tPort\tProtocol");
            text.line(2, "----\t----\t--------");
            for port in ports {
                let name = port.str_at(&["name"]).unwrap_or("<unset>");
                let protocol = port.str_at(&["protocol"]).unwrap_or_default();
                text.line(2, format!("{name}\t{}\t{protocol}", plain(port.get("port"))));
            }
        }
        text.line(0, "");
    }
    text.events(it.events);
}

pub(super) fn network_policy(text: &mut Text, it: &Subject<'_>) {
    let spec = it.value.get("spec").unwrap_or(&Value::Null);
    text.head(it.value);
    text.field(0, "Created on", it.object.meta.creation_timestamp.go_string());
    text.labels(it.value);
    text.annotations("Annotations", it.value.at(&["metadata", "annotations"]));
    text.line(0, "Spec:");
    let pods = selector_text(spec.get("podSelector"));
    let everything = "<none> (Allowing the specific traffic to all pods in this namespace)";
    let pods = if pods == "<none>" { everything } else { &pods };
    text.line(1, format!("PodSelector:     {pods}"));
    let types: Vec<&str> =
        spec.items_at(&["policyTypes"]).iter().filter_map(Value::as_str).collect();
    for (way, title, peers, word) in [
        ("Ingress", "Allowing ingress traffic:", "from", "From"),
        ("Egress", "Allowing egress traffic:", "to", "To"),
    ] {
        if !types.contains(&way) {
            let way = way.to_lowercase();
            text.line(1, format!("Not affecting {way} traffic"));
            continue;
        }
        text.line(1, title);
        let rules = spec.items_at(&[&way.to_lowercase()]);
        if rules.is_empty() {
            let way = way.to_lowercase();
            let words = format!("<none> (Selected pods are isolated for {way} connectivity)");
            text.line(2, words);
        }
        for (number, rule) in rules.iter().enumerate() {
            if number > 0 {
                text.line(2, "----------");
            }
            policy_rule(text, rule, peers, word);
        }
    }
    text.line(1, format!("Policy Types: {}", or_none(&types.join(", "))));
}

fn policy_rule(text: &mut Text, rule: &Value, peers: &str, word: &str) {
    let ports = rule.items_at(&["ports"]);
    if ports.is_empty() {
        text.line(2, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        let number = port.get("port").map_or_else(|| "<nil>".to_owned(), |p| plain(Some(p)));
        text.line(
            2,
            match port.int_at(&["endPort"]) {
                Some(last) => format!("To Port Range: {number}-{last}/{protocol}"),
                None => format!("To Port: {number}/{protocol}"),
            },
        );
    }
    let peers = rule.items_at(&[peers]);
    if peers.is_empty() {
        text.line(
            2,
            format!(
                "{word}: <any> (traffic not restricted by {})",
                match word {
                    "From" => "source",
                    _ => "destination",
                }
            ),
        );
    }
    for peer in peers {
        text.line(2, format!("{word}:"));
        if let Some(block) = peer.get("ipBlock") {
            text.line(3, "IPBlock:");
            text.line(4, format!("CIDR: {}", block.str_at(&["cidr"]).unwrap_or_default()));
            let except: Vec<&str> =
                block.items_at(&["except"]).iter().filter_map(Value::as_str).collect();
            text.line(4, format!("Except: {}", except.join(", ")));
        }
        for (title, key) in
            [("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")]
        {
            if let Some(own) = peer.get(key) {
                text.line(3, format!("{title}: {}", selector_text(Some(own))));
            }
        }
    }
}
