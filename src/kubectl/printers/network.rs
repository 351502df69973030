//! Services, endpoints, ingresses, network policies and the Gateway API.

use super::{Printer, name, scalar_or, selector_text, text};
use crate::api::Value;
use crate::api::tree::Tree as _;
use std::collections::BTreeSet;

pub(super) const SERVICE: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("TYPE", false),
        ("CLUSTER-IP", false),
        ("EXTERNAL-IP", false),
        ("PORT(S)", false),
        ("AGE", false),
        ("SELECTOR", true),
    ],
    row: |object, sight| {
        let addresses = object.items_at(&["spec", "clusterIPs"]);
        let address = addresses.first().and_then(Value::as_str).unwrap_or("<none>");
        let ports = port_list(object.items_at(&["spec", "ports"]));
        vec![
            name(object),
            text(object, &["spec", "type"]),
            address.to_owned(),
            external_address(object, sight.wide),
            if ports.is_empty() { "<none>".to_owned() } else { ports },
            sight.age(object),
            super::map_text(object.at(&["spec", "selector"]), ","),
        ]
    },
};

/// Models pkg/printers/internalversion/printers.go getServiceExternalIP.
fn external_address(object: &Value, wide: bool) -> String {
    let own: Vec<&str> =
        object.items_at(&["spec", "externalIPs"]).iter().filter_map(Value::as_str).collect();
    match object.str_at(&["spec", "type"]).unwrap_or_default() {
        "ExternalName" => text(object, &["spec", "externalName"]),
        "LoadBalancer" => {
            let balancer = load_balancer_text(object, wide);
            let all: Vec<&str> = Some(balancer.as_str())
                .filter(|text| !text.is_empty())
                .into_iter()
                .chain(own)
                .collect();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ if own.is_empty() => "<none>".to_owned(),
        _ => own.join(","),
    }
}

/// The addresses in `status.loadBalancer`; shortened to 16 letters unless there is room.
///
/// Models pkg/printers/internalversion/printers.go loadBalancerStatusStringer.
pub(crate) fn load_balancer_text(object: &Value, wide: bool) -> String {
    let ingress = object.items_at(&["status", "loadBalancer", "ingress"]);
    let address = |item: &Value| {
        let found = item.str_at(&["ip"]).filter(|ip| !ip.is_empty()).or(item.str_at(&["hostname"]));
        found.map(str::to_owned)
    };
    let all: BTreeSet<String> = ingress.iter().filter_map(address).collect();
    let all = all.into_iter().collect::<Vec<_>>().join(",");
    match all.get(..13) {
        Some(start) if !wide && all.len() > 16 => format!("{start}..."),
        _ => all,
    }
}

/// `80/TCP,8080:30080/TCP`.
pub(crate) fn port_list(ports: &[Value]) -> String {
    let port = |port: &Value| {
        let (number, protocol) = (super::int(port, &["port"]), text(port, &["protocol"]));
        match super::int(port, &["nodePort"]) {
            0 => format!("{number}/{protocol}"),
            node_port => format!("{number}:{node_port}/{protocol}"),
        }
    };
    ports.iter().map(port).collect::<Vec<_>>().join(",")
}

pub(super) const ENDPOINTS: Printer = Printer {
    columns: &[("NAME", false), ("ENDPOINTS", false), ("AGE", false)],
    row: |object, sight| {
        vec![name(object), endpoints_text(object.items_at(&["subsets"]), None), sight.age(object)]
    },
};

/// The first three addresses of endpoints, of the port of a name or of all.
///
/// Models pkg/printers/internalversion/printers.go formatEndpoints.
pub(crate) fn endpoints_text(subsets: &[Value], port_name: Option<&str>) -> String {
    let mut all = Vec::new();
    for subset in subsets {
        let addresses = subset.items_at(&["addresses"]);
        let addresses = || addresses.iter().filter_map(|address| address.str_at(&["ip"]));
        let ports = subset.items_at(&["ports"]);
        if ports.is_empty() {
            all.extend(addresses().map(str::to_owned));
        }
        for port in ports {
            if port_name.is_none_or(|wanted| port.str_at(&["name"]).unwrap_or_default() == wanted) {
                all.extend(addresses().map(|ip| format!("{ip}:{}", super::int(port, &["port"]))));
            }
        }
    }
    if subsets.is_empty() { "<none>".to_owned() } else { with_more(&all) }
}

/// The first three, and how many more.
pub(crate) fn with_more(all: &[String]) -> String {
    let first = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    match all.len().saturating_sub(3) {
        0 => first,
        more => format!("{first} + {more} more..."),
    }
}

pub(super) const ENDPOINT_SLICE: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("ADDRESSTYPE", false),
        ("PORTS", false),
        ("ENDPOINTS", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        let port = |port: &Value| match port.int_at(&["port"]) {
            Some(number) => number.to_string(),
            None => scalar_or(port, &["name"], "*"),
        };
        let ports: Vec<String> = object.items_at(&["ports"]).iter().map(port).collect();
        let addresses: Vec<String> = object
            .items_at(&["endpoints"])
            .iter()
            .flat_map(|endpoint| endpoint.items_at(&["addresses"]))
            .filter_map(|address| address.as_str().map(str::to_owned))
            .collect();
        let list =
            |all: &[String]| if all.is_empty() { "<unset>".to_owned() } else { with_more(all) };
        vec![
            name(object),
            text(object, &["addressType"]),
            list(&ports),
            list(&addresses),
            sight.age(object),
        ]
    },
};

pub(super) const INGRESS: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("CLASS", false),
        ("HOSTS", false),
        ("ADDRESS", false),
        ("PORTS", false),
        ("AGE", false),
    ],
    row: |object, sight| {
        let ports = if object.items_at(&["spec", "tls"]).is_empty() { "80" } else { "80, 443" };
        vec![
            name(object),
            scalar_or(object, &["spec", "ingressClassName"], "<none>"),
            hosts(object.items_at(&["spec", "rules"])),
            load_balancer_text(object, sight.wide),
            ports.to_owned(),
            sight.age(object),
        ]
    },
};

fn hosts(rules: &[Value]) -> String {
    let host =
        |rule: &Value| rule.str_at(&["host"]).filter(|host| !host.is_empty()).map(str::to_owned);
    let mut list = Vec::new();
    let mut more = false;
    for rule in rules {
        more |= list.len() == 3;
        if !more {
            list.extend(host(rule));
        }
    }
    match list.join(",") {
        none if none.is_empty() => "*".to_owned(),
        first if more => format!("{first} + {} more...", rules.len() - 3),
        all => all,
    }
}

pub(super) const INGRESS_CLASS: Printer = Printer {
    columns: &[("NAME", false), ("CONTROLLER", false), ("PARAMETERS", false), ("AGE", false)],
    row: |object, sight| {
        let note = "ingressclass.kubernetes.io/is-default-class";
        let parameters = object.at(&["spec", "parameters"]).map(|parameters| {
            let group = scalar_or(parameters, &["apiGroup"], "");
            let dot = if group.is_empty() { "" } else { "." };
            format!("{}{dot}{group}/{}", text(parameters, &["kind"]), text(parameters, &["name"]))
        });
        vec![
            super::storage::marked_default(object, &[note]),
            text(object, &["spec", "controller"]),
            parameters.unwrap_or_else(|| "<none>".to_owned()),
            sight.age(object),
        ]
    },
};

pub(super) const NETWORK_POLICY: Printer = Printer {
    columns: &[("NAME", false), ("POD-SELECTOR", false), ("AGE", false)],
    row: |object, sight| {
        vec![name(object), selector_text(object.at(&["spec", "podSelector"])), sight.age(object)]
    },
};
