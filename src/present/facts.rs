//! What there is to know of an object at a glance, kind by kind.

use super::condition;
use super::details::{Fact, FactValue};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::time::human_duration;
use crate::session::ObjectId;
use crate::world::World;

/// The facts of an object.
pub(super) fn facts(world: &World, object: &Object) -> Vec<Fact> {
    let mut facts = match object.kind {
        Kind::Pod => pod(object),
        Kind::Node => node(world, object),
        Kind::Service => service(world, object),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet => {
            workload(object)
        }
        Kind::Ingress => ingress(object),
        _ => Vec::new(),
    };
    let labels: Vec<String> =
        object.meta.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if !labels.is_empty() && object.kind != Kind::Node {
        facts.push(code("Labels", labels.join("\n")));
    }
    if !object.meta.namespace.is_empty() && &*object.meta.namespace != "default" {
        facts.push(words("Namespace", &*object.meta.namespace));
    }
    facts.push(words("Age", human_duration(world.now().since(object.meta.creation_timestamp))));
    facts
}

fn words(name: &'static str, value: impl Into<String>) -> Fact {
    Fact { name, value: FactValue::Words(value.into()) }
}

fn code(name: &'static str, value: impl Into<String>) -> Fact {
    Fact { name, value: FactValue::Code(value.into()) }
}

fn links(name: &'static str, ids: Vec<ObjectId>) -> Fact {
    Fact { name, value: FactValue::Links(ids) }
}

fn pod(object: &Object) -> Vec<Fact> {
    let Some(pod) = object.pod() else { return Vec::new() };
    let mut facts = vec![
        words("Status", condition::pod_word(object)),
        words("Ready", condition::ready_count(object)),
    ];
    if let Some(name) = &pod.node_name {
        facts.push(links("Node", vec![ObjectId::new(Kind::Node, "", name)]));
    }
    if let Some(ip) = pod.status.pod_ip {
        facts.push(code("IP", ip.to_string()));
    }
    for container in pod.spec.init_containers.iter().chain(&pod.spec.containers) {
        facts.push(code("Container", format!("{} ({})", container.name, container.image)));
    }
    let volumes = pod.spec.tree.items_at(&["volumes"]).iter();
    facts.extend(volumes.filter_map(volume).map(|text| code("Volume", text)));
    let restarts: u32 = pod.status.containers.iter().map(|one| one.restart_count).sum();
    if restarts > 0 {
        facts.push(words("Restarts", restarts.to_string()));
    }
    let failing = pod.status.conditions.iter().filter(|one| !one.status);
    let conditions = failing.map(|one| one.message()).filter(|why| !why.is_empty());
    let why = condition::container_message(pod).or_else(|| conditions.take(1).next());
    facts.extend(why.map(|why| words("Why", why)));
    facts
}

/// A volume in short: `cache (emptyDir, Memory)`.
fn volume(volume: &Value) -> Option<String> {
    let name = volume.str_at(&["name"])?;
    let (source, inside) = volume.as_object()?.iter().find(|(key, _)| *key != "name")?;
    let of = ["medium", "claimName", "name", "secretName", "path"];
    let detail = of.iter().find_map(|key| inside.str_at(&[key])).filter(|text| !text.is_empty());
    Some(match detail {
        Some(detail) => format!("{name} ({source}, {detail})"),
        None => format!("{name} ({source})"),
    })
}

fn node(world: &World, object: &Object) -> Vec<Fact> {
    let mut facts = vec![words("Status", condition::node_word(object))];
    for address in object.status().items_at(&["addresses"]) {
        if let (Some("InternalIP"), Some(ip)) =
            (address.str_at(&["type"]), address.str_at(&["address"]))
        {
            facts.push(code("Internal-IP", ip));
        }
    }
    if let Some(cidr) = object.spec().str_at(&["podCIDR"]) {
        facts.push(code("PodCIDR", cidr));
    }
    let labels = &object.meta.labels;
    if let Some(zone) = labels.get("topology.kubernetes.io/zone") {
        facts.push(words("Zone", zone));
    }
    let own = super::survey::own_labels(object);
    facts.extend(own.into_iter().map(|label| code("Label", label)));
    let taints = object.spec().items_at(&["taints"]).iter();
    facts.extend(taints.map(|taint| code("Taint", super::survey::taint(taint))));
    let resource = |name: &str| {
        let value = object.status().at(&["allocatable", name]);
        value.map_or_else(String::new, |value| {
            value.as_str().map_or(value.to_string(), str::to_owned)
        })
    };
    facts.push(words("Allocatable", format!("{} CPU, {}", resource("cpu"), resource("memory"))));
    let pods = world.store().pods_on(&object.meta.name).count();
    facts.push(words("Pods", format!("{pods} / {}", resource("pods"))));
    facts
}

fn service(world: &World, object: &Object) -> Vec<Fact> {
    let spec = object.spec();
    let text = |key: &str| spec.str_at(&[key]).unwrap_or_default();
    let mut facts = vec![words("Type", text("type")), code("ClusterIP", text("clusterIP"))];
    for port in spec.items_at(&["ports"]) {
        let number = |key: &str| port.at(&[key]).filter(|v| !v.is_null()).map(plain);
        let mut line = format!(
            "{} → {}",
            number("port").unwrap_or_default(),
            number("targetPort").unwrap_or_default()
        );
        if let Some(node_port) = number("nodePort").filter(|port| port != "0") {
            line.push_str(&format!(" (nodePort {node_port})"));
        }
        facts.push(code("Port", line));
    }
    if text("externalTrafficPolicy") == "Local" {
        facts.push(words("Traffic policy", "externalTrafficPolicy: Local"));
    }
    if text("sessionAffinity") == "ClientIP" {
        facts.push(words("Affinity", "ClientIP"));
    }
    if let Some(selector) = spec.fields_at(&["selector"]) {
        let pairs: Vec<String> =
            selector.iter().map(|(key, value)| format!("{key}={}", plain(value))).collect();
        facts.push(code("Selector", pairs.join("\n")));
    }
    facts.push(links("EndpointSlice", super::survey::slices_of(world.store(), object)));
    let (taking, others) = super::survey::selected_endpoints(world.store(), object);
    facts.push(links("Endpoints", taking));
    if !others.is_empty() {
        facts.push(links("Not ready", others));
    }
    facts
}

fn workload(object: &Object) -> Vec<Fact> {
    let status = object.status();
    let count = |key: &str| status.int_at(&[key]).unwrap_or(0);
    let mut facts = Vec::new();
    if object.kind == Kind::DaemonSet {
        let ready = format!("{} / {}", count("numberReady"), count("desiredNumberScheduled"));
        facts.push(words("Ready", ready));
    } else {
        let wanted = object.spec().int_at(&["replicas"]).unwrap_or(1);
        facts.push(words("Ready", format!("{} / {wanted}", count("readyReplicas"))));
        if matches!(object.kind, Kind::Deployment | Kind::StatefulSet) {
            facts.push(words("Up-to-date", count("updatedReplicas").to_string()));
        }
    }
    if let Some(template) = object.pod_template() {
        let images = template.spec.containers.iter();
        facts.extend(images.map(|one| code("Image", one.image.clone())));
    }
    facts
}

fn ingress(object: &Object) -> Vec<Fact> {
    let chip = super::survey::ingress_chip(object);
    let mut facts =
        vec![words("Class", object.spec().str_at(&["ingressClassName"]).unwrap_or("<none>"))];
    facts.extend(chip.rules.into_iter().map(|rule| code("Rule", rule)));
    facts.push(code("Address", chip.address));
    facts
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
