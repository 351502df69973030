//! `kubectl create service` and `kubectl create ingress`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create/create_service.go and create_ingress.go.

use super::{begin, finish, named};
use crate::api::tree::TreeMut as _;
use crate::api::validation::names::{dns_subdomain, port_name, port_number};
use crate::api::{Kind, Value};
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, Outcome, plain};
use serde_json::json;

/// `kubectl create service clusterip|nodeport|loadbalancer|externalname`.
pub(crate) fn service(call: &mut Call<'_>) -> Outcome {
    let name = begin(call)?;
    let kind = match call.verb.path.rsplit(' ').next() {
        Some("nodeport") => "NodePort",
        Some("loadbalancer") => "LoadBalancer",
        Some("externalname") => "ExternalName",
        _ => "ClusterIP",
    };
    let pairs = call.flags.list("tcp");
    let address = call.flags.get("clusterip");
    if address != Some("None") && pairs.is_empty() && kind != "ExternalName" {
        return plain("at least one tcp port specifier must be provided");
    }
    let external = call.flags.text("external-name");
    if kind == "ExternalName" && !dns_subdomain(external).is_empty() {
        return plain(format!("invalid service external name {external}"));
    }
    let node_port = call.flags.int("node-port")?.filter(|port| *port != 0);
    let ports: Vec<Value> =
        pairs.iter().map(|pair| port(pair, node_port)).collect::<Result<_, _>>()?;
    let marks = json!({"app": name});
    let mut value = named(Kind::Service, &name);
    value.put(&["metadata", "labels"], marks.clone());
    value.put(&["spec"], json!({"type": kind, "selector": marks}));
    if !ports.is_empty() {
        value.put(&["spec", "ports"], ports);
    }
    for (field, text) in [("clusterIP", address.unwrap_or_default()), ("externalName", external)] {
        if !text.is_empty() {
            value.put(&["spec", field], text);
        }
    }
    finish(call, Kind::Service, value, &format!("{kind} service:"))
}

/// `PORT[:TARGET]`.
///
/// Models parsePorts.
fn port(pair: &str, node_port: Option<i64>) -> Result<Value, Failure> {
    let mut parts = pair.split(':');
    let text = parts.next().unwrap_or_default();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u16 = text.parse().map_err(|_| {
        let why = if is_number { "value out of range" } else { "invalid syntax" };
        let text = crate::api::error::go_quote(text);
        Failure::Plain(format!("strconv.ParseUint: parsing {text}: {why}"))
    })?;
    let target = match parts.next() {
        None => json!(number),
        Some(target) => {
            let number = target.parse::<i64>().ok();
            let wrong = number.map_or_else(|| port_name(target), port_number);
            if !wrong.is_empty() {
                return plain(wrong.join(","));
            }
            number.map_or_else(|| json!(target), |number| json!(number))
        }
    };
    let name = pair.replace(':', "-");
    let mut port = json!({"name": name, "port": number, "protocol": "TCP", "targetPort": target});
    if let Some(node_port) = node_port {
        port.put(&["nodePort"], node_port);
    }
    Ok(port)
}

/// `kubectl create ingress`.
pub(crate) fn ingress(call: &mut Call<'_>) -> Outcome {
    let name = begin(call)?;
    let rules = call.flags.all("rule");
    let fallback = call.flags.text("default-backend");
    if rules.is_empty() && fallback.is_empty() {
        return plain(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    if let Some(rule) = rules.iter().find(|rule| !is_rule(rule)) {
        return plain(format!(
            "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
        ));
    }
    let mut value = named(Kind::Ingress, &name);
    for pair in call.flags.all("annotation") {
        let Some((key, text)) = pair.split_once('=') else {
            return plain(format!(
                "annotation {pair} is invalid and should be in format key=[value]"
            ));
        };
        value.put(&["metadata", "annotations", key], text);
    }
    value.put(&["spec"], json!({}));
    if let Some(class) = call.flags.get("class") {
        value.put(&["spec", "ingressClassName"], class);
    }
    if !fallback.is_empty() {
        if fallback.split(':').count() != 2 {
            return plain("default-backend should be in format servicename:serviceport");
        }
        value.put(&["spec", "defaultBackend"], backend(fallback));
    }
    for (field, list) in [("rules", http_rules(rules)), ("tls", tls(rules))] {
        if !list.is_empty() {
            value.put(&["spec", field], list);
        }
    }
    value.put(&["status", "loadBalancer"], json!({}));
    finish(call, Kind::Ingress, value, "ingress:")
}

/// Whether a rule begins as `HOST/PATH=SERVICE:PORT`, whatever follows.
///
/// Models ruleRegex.
fn is_rule(rule: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let rest = rule.trim_start_matches(|c: char| is_word(c) || c == '*' || c == '.');
    let names_service = |text: &str| {
        let rest = text.trim_start_matches(is_word);
        rest.len() < text.len()
            && rest.strip_prefix(':').is_some_and(|port| port.starts_with(is_word))
    };
    rest.starts_with('/')
        && rest.match_indices('=').any(|(at, _)| names_service(rest.get(at + 1..).unwrap_or("")))
}

/// The rules, those of one host together.
///
/// Models buildIngressRules.
fn http_rules(rules: &[String]) -> Vec<Value> {
    let mut hosts: Vec<(&str, Vec<Value>)> = Vec::new();
    for rule in rules {
        let rule = rule.split(',').next().unwrap_or_default();
        let (host, rest) = rule.split_once('/').unwrap_or_default();
        let mut parts = rest.split('=');
        let path = format!("/{}", parts.next().unwrap_or_default());
        let service = backend(parts.next().unwrap_or_default());
        let (path, how) = match path.strip_suffix('*') {
            Some(prefix) => (prefix, "Prefix"),
            None => (&*path, "Exact"),
        };
        let entry = json!({"path": path, "pathType": how, "backend": service});
        match hosts.iter_mut().find(|(known, _)| *known == host) {
            Some((_, paths)) => paths.push(entry),
            None => hosts.push((host, vec![entry])),
        }
    }
    let rule = |(host, paths)| {
        let mut rule = json!({"http": {"paths": paths}});
        if !str::is_empty(host) {
            rule.put(&["host"], host);
        }
        rule
    };
    hosts.into_iter().map(rule).collect()
}

/// What `,tls` or `,tls=SECRET` after the rules asks for: each host once, those of one Secret
/// together.
///
/// Models buildTLSRules.
fn tls(rules: &[String]) -> Vec<Value> {
    let mut seen: Vec<&str> = Vec::new();
    let mut secrets: Vec<(&str, Vec<&str>)> = Vec::new();
    for rule in rules {
        let Some((_, asked)) = rule.split_once(',').filter(|(_, rest)| !rest.contains(',')) else {
            continue;
        };
        let host = rule.split('/').next().unwrap_or_default();
        if seen.contains(&host) {
            continue;
        }
        let secret = asked.split('=').nth(1).unwrap_or_default();
        match secrets.iter_mut().find(|(known, _)| *known == secret) {
            Some((_, hosts)) => hosts.push(host),
            None if host.is_empty() && secret.is_empty() => {}
            None if host.is_empty() => secrets.push((secret, Vec::new())),
            None => secrets.push((secret, vec![host])),
        }
        seen.push(host);
    }
    let entry = |(secret, hosts): (&str, Vec<&str>)| {
        let mut entry = json!({});
        if !hosts.is_empty() {
            entry.put(&["hosts"], hosts);
        }
        if !secret.is_empty() {
            entry.put(&["secretName"], secret);
        }
        entry
    };
    secrets.into_iter().map(entry).collect()
}

fn backend(text: &str) -> Value {
    let (service, port) = text.split_once(':').unwrap_or((text, ""));
    let port = match port.parse::<i32>() {
        Ok(number) => json!({ "number": number }),
        Err(_) => json!({ "name": port }),
    };
    json!({"service": {"name": service, "port": port}})
}
