//! `kubectl expose`.

use super::run::{int_or_string, labels, override_with};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::complete_for_client;
use crate::kubectl::resources;
use serde_json::{Map, json};

/// Makes a Service for what has pods.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/expose/expose.go.
pub(crate) fn expose(call: &mut Call<'_>) -> Outcome {
    let found = resources::find_named(call)?;
    let mut failures = found.failures;
    if found.objects.is_empty() && failures.is_empty() {
        return plain("You must provide one or more resources by argument or filename.");
    }
    for object in found.objects {
        let value = shown(&object);
        let result = service_for(call, object.kind, &value)
            .and_then(|service| call.create_generated(Kind::Service, service, "exposed"));
        if let Err(failure) = result {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

fn service_for(call: &Call<'_>, kind: Kind, object: &Value) -> Result<Value, Failure> {
    let exposable =
        [Kind::Pod, Kind::Service, Kind::Deployment, Kind::ReplicaSet, Kind::ReplicationController];
    if !exposable.contains(&kind) {
        return plain(format!(
            "cannot expose a {}",
            kind.singular_group().replacen(kind.resource().singular, kind.name(), 1)
        ));
    }
    let selector = match call.flags.get("selector") {
        Some(text) => labels(text)?,
        None => selector_of(kind, object)?,
    };
    let ports = ports(call, kind, object)?;
    let target = call.flags.get("target-port");
    let named = call.flags.get("name").map(str::to_owned);
    let name = named
        .unwrap_or_else(|| object.str_at(&["metadata", "name"]).unwrap_or_default().to_owned());
    let affinity = call.flags.text("session-affinity");
    if !matches!(affinity, "" | "None" | "ClientIP") {
        return plain(format!("unknown session affinity: {affinity}"));
    }
    let protocol = call.flags.get("protocol").unwrap_or("TCP");
    let several = ports.len() > 1;
    let port = |(index, (port, own)): (usize, &(i64, String))| {
        let protocol = if call.flags.given("protocol") { protocol } else { own };
        let mut entry = json!({"port": port, "protocol": protocol, "targetPort": port});
        if let Some(target) = target {
            entry.put(&["targetPort"], int_or_string(target));
        }
        if several {
            entry.put(&["name"], format!("port-{}", index + 1));
        }
        entry
    };
    let ports: Vec<Value> = ports.iter().enumerate().map(port).collect();
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": ports, "selector": selector},
    });
    let marks = match call.flags.get("labels") {
        Some(text) => Some(labels(text)?),
        None => object.at(&["metadata", "labels"]).cloned(),
    };
    if let Some(marks) = marks {
        service.put(&["metadata", "labels"], marks);
    }
    for (flag, path) in [
        ("type", &["spec", "type"]),
        ("cluster-ip", &["spec", "clusterIP"]),
        ("load-balancer-ip", &["spec", "loadBalancerIP"]),
        ("session-affinity", &["spec", "sessionAffinity"]),
    ] {
        if let Some(text) = call.flags.get(flag) {
            service.put(path, text);
        }
    }
    if let Some(address) = call.flags.get("external-ip") {
        service.put(&["spec", "externalIPs"], json!([address]));
    }
    override_with(call, Kind::Service, &mut service)?;
    complete_for_client(Kind::Service, &mut service);
    Ok(service)
}

/// The labels by which an object finds its pods, or a pod's own.
fn selector_of(kind: Kind, object: &Value) -> Result<Value, Failure> {
    let path: &[&str] = match kind {
        Kind::Pod => &["metadata", "labels"],
        Kind::Service | Kind::ReplicationController => &["spec", "selector"],
        _ => &["spec", "selector", "matchLabels"],
    };
    if let Some(map) = object.at(path)
        && !map.as_object().is_some_and(Map::is_empty)
    {
        return Ok(map.clone());
    }
    let why = match kind {
        Kind::Pod => "the pod has no labels and cannot be exposed",
        _ => "the object has no selector",
    };
    plain(format!("couldn't retrieve selectors via --selector flag or introspection: {why}"))
}

fn ports(call: &Call<'_>, kind: Kind, object: &Value) -> Result<Vec<(i64, String)>, Failure> {
    if let Some(text) = call.flags.get("port") {
        return text
            .split(',')
            .map(|part| {
                let wrong =
                    |_| Failure::Plain(format!("strconv.Atoi: parsing \"{part}\": invalid syntax"));
                part.parse().map(|port| (port, "TCP".to_owned())).map_err(wrong)
            })
            .collect();
    }
    let of = |items: &[Value], key: &str| {
        let port = |port: &Value| {
            Some((port.int_at(&[key])?, port.str_at(&["protocol"]).unwrap_or("TCP").to_owned()))
        };
        items.iter().filter_map(port).collect::<Vec<_>>()
    };
    let found = match kind {
        Kind::Service => of(object.items_at(&["spec", "ports"]), "port"),
        kind => {
            let path = super::set::pod_spec_path(kind).unwrap_or_default();
            let containers = object.at(path).map_or(&[][..], |spec| spec.items_at(&["containers"]));
            containers.iter().flat_map(|c| of(c.items_at(&["ports"]), "containerPort")).collect()
        }
    };
    if found.is_empty() {
        return plain("couldn't find port via --port flag or introspection");
    }
    Ok(found)
}
