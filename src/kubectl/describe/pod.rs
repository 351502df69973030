//! Pods and pod templates.
//!
//! Models describe.go describePod, DescribePodTemplate, describeContainers.

use super::text::{Text, or_none, plain};
use super::volumes;
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::base::{Quantity, order};
use std::sync::Arc;

pub(super) fn describe(text: &mut Text, pod: &Value, events: &[Arc<Object>]) {
    let (spec, status) = parts(pod);
    text.head(pod);
    text.field_if(0, "Priority", spec.int_at(&["priority"]));
    text.field_if(0, "Priority Class Name", some(spec, "priorityClassName"));
    text.field_if(0, "Runtime Class Name", some(spec, "runtimeClassName"));
    text.field_if(0, "Service Account", some(spec, "serviceAccountName"));
    match some(spec, "nodeName") {
        None => text.field(0, "Node", "<none>"),
        Some(node) => {
            let ip = status.str_at(&["hostIP"]).unwrap_or_default();
            text.field(0, "Node", format!("{node}/{ip}"));
        }
    }
    if let Some(start) = status.str_at(&["startTime"]) {
        let start = text.time(Some(start));
        text.field(0, "Start Time", start);
    }
    text.labels(pod);
    text.annotations("Annotations", pod.at(&["metadata", "annotations"]));
    phase(text, pod, status);
    text.field_if(0, "Reason", some(status, "reason"));
    text.field_if(0, "Message", some(status, "message"));
    seccomp(text, spec, 0, 0);
    text.field(0, "IP", status.str_at(&["podIP"]).unwrap_or_default());
    let ips = status.items_at(&["podIPs"]);
    if ips.is_empty() {
        text.field(0, "IPs", "<none>");
    } else {
        text.line(0, "IPs:");
        for ip in ips {
            text.field(1, "IP", ip.str_at(&["ip"]).unwrap_or_default());
        }
    }
    text.field_if(0, "Controlled By", controlled_by(pod));
    text.field_if(0, "NominatedNodeName", some(status, "nominatedNodeName"));
    if spec.get("resources").is_some() {
        text.line(0, "Resources:");
        resources(text, spec, 1);
    }
    for (label, key, statuses) in [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ] {
        containers(text, label, spec.items_at(&[key]), Some((pod, statuses)), "");
    }
    conditions(text, spec, status);
    volumes::of_pod(text, spec.items_at(&["volumes"]), "");
    text.field(0, "QoS Class", status.str_at(&["qosClass"]).unwrap_or_default());
    text.map("Node-Selectors", spec.get("nodeSelector"));
    text.list("Tolerations", &tolerations(spec));
    spread(text, spec, "");
    text.events(events);
}

fn conditions(text: &mut Text, spec: &Value, status: &Value) {
    let conditions = status.items_at(&["conditions"]);
    let gates = spec.items_at(&["readinessGates"]);
    if !gates.is_empty() {
        text.line(0, "Readiness Gates:");
        text.line(1, "Type\tStatus");
        for gate in gates {
            let name = gate.str_at(&["conditionType"]).unwrap_or_default();
            let found = conditions.iter().find(|it| it.str_at(&["type"]) == Some(name));
            let status = found.and_then(|it| it.str_at(&["status"])).unwrap_or("<none>");
            text.line(1, format!("{name} \t{status} "));
        }
    }
    if !conditions.is_empty() {
        text.line(0, "Conditions:");
        text.line(1, "Type\tStatus");
        for condition in conditions {
            let at = |key| condition.str_at(&[key]).unwrap_or_default();
            text.line(1, format!("{} \t{} ", at("type"), at("status")));
        }
    }
}

fn parts(object: &Value) -> (&Value, &Value) {
    let part = |key| object.get(key).unwrap_or(&Value::Null);
    (part("spec"), part("status"))
}

fn some<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.str_at(&[key]).filter(|text| !text.is_empty())
}

/// The seccomp profile of a pod or a container.
fn seccomp(text: &mut Text, owner: &Value, level: usize, below: usize) {
    if let Some(profile) = owner.at(&["securityContext", "seccompProfile"]) {
        let name = profile.str_at(&["type"]).unwrap_or_default();
        text.field(level, "SeccompProfile", name);
        if name == "Localhost" {
            text.field_if(below, "LocalhostProfile", some(profile, "localhostProfile"));
        }
    }
}

fn phase(text: &mut Text, pod: &Value, status: &Value) {
    let phase = status.str_at(&["phase"]).unwrap_or_default();
    let deletion = pod.str_at(&["metadata", "deletionTimestamp"]);
    match deletion.filter(|_| !matches!(phase, "Failed" | "Succeeded")) {
        Some(time) => {
            let since = text.since(Some(time));
            text.field(0, "Status", format!("Terminating (lasts {since})"));
            let grace = pod.int_at(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or_default();
            text.field(0, "Termination Grace Period", format!("{grace}s"));
        }
        None => text.field(0, "Status", phase),
    }
}

/// `ReplicaSet/web-7d7fc96576`.
pub(super) fn controlled_by(object: &Value) -> Option<String> {
    let owners = object.items_at(&["metadata", "ownerReferences"]).iter();
    let mut controllers = owners.filter(|owner| owner.bool_at(&["controller"]) == Some(true));
    let owner = controllers.next()?;
    Some(format!("{}/{}", owner.str_at(&["kind"])?, owner.str_at(&["name"])?))
}

/// `Pod Template:` and what is in it.
pub(super) fn template(text: &mut Text, template: Option<&Value>) {
    text.line(0, "Pod Template:");
    let Some(template) = template else {
        text.line(1, "<unset>");
        return;
    };
    text.map("  Labels", template.at(&["metadata", "labels"]));
    let annotations = template.fields_at(&["metadata", "annotations"]);
    if annotations.is_some_and(|annotations| !annotations.is_empty()) {
        text.annotations("  Annotations", template.at(&["metadata", "annotations"]));
    }
    let spec = template.get("spec").unwrap_or(&Value::Null);
    text.field_if(1, "Service Account", some(spec, "serviceAccountName"));
    containers(text, "Init Containers", spec.items_at(&["initContainers"]), None, "  ");
    containers(text, "Containers", spec.items_at(&["containers"]), None, "  ");
    volumes::of_pod(text, spec.items_at(&["volumes"]), "  ");
    spread(text, spec, "  ");
    text.field_if(1, "Priority Class Name", some(spec, "priorityClassName"));
    text.map("  Node-Selectors", spec.get("nodeSelector"));
    text.list("  Tolerations", &tolerations(spec));
}

/// `key=value:effect op=Exists for 300s`.
fn tolerations(spec: &Value) -> Vec<String> {
    let one = |toleration: &Value| {
        let at = |key| toleration.str_at(&[key]).unwrap_or_default();
        let mut line = at("key").to_owned();
        if !at("value").is_empty() {
            line.push_str(&format!("={}", at("value")));
        }
        if !at("effect").is_empty() {
            line.push_str(&format!(":{}", at("effect")));
        }
        if at("operator") == "Exists" && at("value").is_empty() {
            if !at("key").is_empty() || !at("effect").is_empty() {
                line.push(' ');
            }
            line.push_str("op=Exists");
        }
        if let Some(seconds) = toleration.int_at(&["tolerationSeconds"]) {
            line.push_str(&format!(" for {seconds}s"));
        }
        line
    };
    let mut all: Vec<&Value> = spec.items_at(&["tolerations"]).iter().collect();
    order::sort_by_key(&mut all, |toleration| toleration.str_at(&["key"]));
    all.into_iter().map(one).collect()
}

fn spread(text: &mut Text, spec: &Value, space: &str) {
    let mut constraints: Vec<&Value> =
        spec.items_at(&["topologySpreadConstraints"]).iter().collect();
    order::sort_by_key(&mut constraints, |constraint| constraint.str_at(&["topologyKey"]));
    let line = |constraint: &&Value| {
        let at = |key| constraint.str_at(&[key]).unwrap_or_default();
        let skew = constraint.int_at(&["maxSkew"]).unwrap_or_default();
        let pods = match constraint.get("labelSelector") {
            Some(own) => {
                format!(" for selector {}", crate::kubectl::printers::selector_text(Some(own)))
            }
            None => String::new(),
        };
        let (key, otherwise) = (at("topologyKey"), at("whenUnsatisfiable"));
        format!("{key}:{otherwise} when max skew {skew} is exceeded{pods}")
    };
    let lines: Vec<String> = constraints.iter().map(line).collect();
    if !lines.is_empty() {
        text.list(&format!("{space}Topology Spread Constraints"), &lines);
    }
}

fn containers(
    text: &mut Text,
    label: &str,
    containers: &[Value],
    statuses: Option<(&Value, &str)>,
    space: &str,
) {
    if containers.is_empty() {
        if label == "Containers" {
            text.line(0, format!("{space}{label}: <none>"));
        }
        return;
    }
    text.line(0, format!("{space}{label}:"));
    let indent = if space.is_empty() { "" } else { " " };
    for container in containers {
        let name = container.str_at(&["name"]).unwrap_or_default();
        let status = statuses.and_then(|(pod, key)| {
            let all = pod.items_at(&["status", key]).iter();
            all.into_iter().find(|status| status.str_at(&["name"]) == Some(name))
        });
        text.line(1, format!("{indent}{name}:"));
        image_and_ports(text, container, status);
        for (title, key) in [("Command", "command"), ("Args", "args")] {
            let words: Vec<&str> =
                container.items_at(&[key]).iter().filter_map(Value::as_str).collect();
            if !words.is_empty() {
                text.line(2, format!("{title}:"));
                for line in words.iter().flat_map(|word| word.split('\n')) {
                    text.line(3, line);
                }
            }
        }
        if let Some(status) = status {
            state(text, "State", status.get("state"));
            if status.at(&["lastState", "terminated"]).is_some() {
                state(text, "Last State", status.get("lastState"));
            }
            let ready = status.bool_at(&["ready"]).unwrap_or_default();
            text.field(2, "Ready", if ready { "True" } else { "False" });
            text.field(2, "Restart Count", status.int_at(&["restartCount"]).unwrap_or_default());
        }
        resources(text, container, 2);
        for (title, key) in [
            ("Liveness", "livenessProbe"),
            ("Readiness", "readinessProbe"),
            ("Startup", "startupProbe"),
        ] {
            text.field_if(2, title, container.get(key).map(probe));
        }
        environment(text, container, statuses.map(|(pod, _)| pod));
        mounts(text, container);
    }
}

fn image_and_ports(text: &mut Text, container: &Value, status: Option<&Value>) {
    let of = |key| status.map(|status| status.str_at(&[key]).unwrap_or_default());
    text.field_if(2, "Container ID", of("containerID"));
    text.field(2, "Image", container.str_at(&["image"]).unwrap_or_default());
    text.field_if(2, "Image ID", of("imageID"));
    for (title, key) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports: Vec<String> = container
            .items_at(&["ports"])
            .iter()
            .map(|port| {
                let number = port.int_at(&[key]).unwrap_or_default();
                let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
                match port.str_at(&["name"]) {
                    Some(name) => format!("{number}/{protocol} ({name})"),
                    None => format!("{number}/{protocol}"),
                }
            })
            .collect();
        let title = if ports.len() > 1 { format!("{title}s") } else { title.to_owned() };
        text.field(2, &title, or_none(&ports.join(", ")));
    }
    seccomp(text, container, 2, 3);
}

fn state(text: &mut Text, title: &str, state: Option<&Value>) {
    let state = state.unwrap_or(&Value::Null);
    if let Some(running) = state.get("running") {
        text.field(2, title, "Running");
        let started = text.time(running.str_at(&["startedAt"]));
        text.field(3, "Started", started);
    } else if let Some(ended) = state.get("terminated") {
        text.field(2, title, "Terminated");
        text.field_if(3, "Reason", some(ended, "reason"));
        text.field_if(3, "Message", some(ended, "message"));
        text.field(3, "Exit Code", ended.int_at(&["exitCode"]).unwrap_or_default());
        let signal = ended.int_at(&["signal"]).filter(|signal| *signal > 0);
        text.field_if(3, "Signal", signal);
        let (started, finished) =
            (text.time(ended.str_at(&["startedAt"])), text.time(ended.str_at(&["finishedAt"])));
        text.field(3, "Started", started);
        text.field(3, "Finished", finished);
    } else {
        text.field(2, title, "Waiting");
        let reason = state.at(&["waiting"]).and_then(|waiting| some(waiting, "reason"));
        text.field_if(3, "Reason", reason);
    }
}

fn resources(text: &mut Text, container: &Value, level: usize) {
    for (title, key) in [("Limits", "limits"), ("Requests", "requests")] {
        let Some(amounts) = container.fields_at(&["resources", key]).filter(|a| !a.is_empty())
        else {
            continue;
        };
        text.line(level, format!("{title}:"));
        for (name, amount) in amounts {
            text.field(level + 1, name, plain(Some(amount)));
        }
    }
}

fn probe(probe: &Value) -> String {
    let number = |key| probe.int_at(&[key]).unwrap_or_default();
    let times = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds"),
        number("timeoutSeconds"),
        number("periodSeconds"),
        number("successThreshold"),
        number("failureThreshold")
    );
    let port = |handler: &Value| plain(handler.get("port"));
    if let Some(exec) = probe.get("exec") {
        let words: Vec<&str> =
            exec.items_at(&["command"]).iter().filter_map(Value::as_str).collect();
        format!("exec [{}] {times}", words.join(" "))
    } else if let Some(http) = probe.get("httpGet") {
        let at = |key| http.str_at(&[key]).unwrap_or_default();
        let scheme = at("scheme").to_ascii_lowercase();
        format!("http-get {scheme}://{}:{}{} {times}", at("host"), port(http), at("path"))
    } else if let Some(tcp) = probe.get("tcpSocket") {
        let host = tcp.str_at(&["host"]).unwrap_or_default();
        format!("tcp-socket {host}:{} {times}", port(tcp))
    } else if let Some(grpc) = probe.get("grpc") {
        let service = grpc.str_at(&["service"]).unwrap_or_default();
        format!("grpc <pod>:{} {service} {times}", port(grpc))
    } else {
        format!("unknown {times}")
    }
}

fn environment(text: &mut Text, container: &Value, pod: Option<&Value>) {
    let sources = container.items_at(&["envFrom"]);
    if !sources.is_empty() {
        text.line(2, "Environment Variables from:");
    }
    for source in sources {
        let (kind, reference) = match (source.get("configMapRef"), source.get("secretRef")) {
            (Some(reference), _) => ("ConfigMap", reference),
            (None, Some(reference)) => ("Secret", reference),
            (None, None) => continue,
        };
        let name = reference.str_at(&["name"]).unwrap_or_default();
        let optional = reference.bool_at(&["optional"]).unwrap_or_default();
        let prefix = match some(source, "prefix") {
            Some(prefix) => format!(" with prefix '{prefix}'"),
            None => String::new(),
        };
        text.line(3, format!("{name}\t{kind}{prefix}\tOptional: {optional}"));
    }
    let variables = container.items_at(&["env"]);
    if variables.is_empty() {
        text.line(2, "Environment:\t<none>");
        return;
    }
    text.line(2, "Environment:");
    for variable in variables {
        let name = variable.str_at(&["name"]).unwrap_or_default();
        let Some(from) = variable.get("valueFrom") else {
            let mut lines = variable.str_at(&["value"]).unwrap_or_default().split('\n');
            text.field(3, name, lines.next().unwrap_or_default());
            lines.for_each(|line| text.line(3, format!("\t{line}")));
            continue;
        };
        text.line(3, format!("{name}:\t{}", variable_source(from, container, pod)));
    }
}

fn variable_source(from: &Value, container: &Value, pod: Option<&Value>) -> String {
    let optional = |reference: &Value| reference.bool_at(&["optional"]).unwrap_or_default();
    let at = |reference: &Value, key: &str| reference.str_at(&[key]).unwrap_or_default().to_owned();
    if let Some(field) = from.get("fieldRef") {
        let path = at(field, "fieldPath");
        // Only what kubectl's own fieldpath.ExtractFieldPathAsString finds: no status, no spec.
        let value = pod.filter(|_| path.starts_with("metadata.")).and_then(|pod| {
            let steps: Vec<&str> = path.split('.').collect();
            pod.str_at(&steps).map(str::to_owned)
        });
        format!("{} ({}:{path})", value.unwrap_or_default(), at(field, "apiVersion"))
    } else if let Some(field) = from.get("resourceFieldRef") {
        let resource = at(field, "resource");
        let value = match resource_value(container, &resource, field.get("divisor")) {
            0 if ["limits.cpu", "limits.memory"].contains(&resource.as_str()) => {
                "node allocatable".to_owned()
            }
            value => value.to_string(),
        };
        format!("{value} ({resource})")
    } else if let Some(key) = from.get("secretKeyRef") {
        format!(
            "<set to the key '{}' in secret '{}'>\tOptional: {}",
            at(key, "key"),
            at(key, "name"),
            optional(key)
        )
    } else if let Some(key) = from.get("configMapKeyRef") {
        format!(
            "<set to the key '{}' of config map '{}'>\tOptional: {}",
            at(key, "key"),
            at(key, "name"),
            optional(key)
        )
    } else {
        String::new()
    }
}

/// An amount in units of a divisor, rounded up.
///
/// Models staging/src/k8s.io/kubectl/pkg/util/resource/resource.go ExtractContainerResourceValue.
fn resource_value(container: &Value, resource: &str, divisor: Option<&Value>) -> i64 {
    let (list, name) = resource.split_once('.').unwrap_or_default();
    let millis = |value: Option<&Value>| {
        let text = value.map(|value| plain(Some(value)));
        let quantity = text.and_then(|text| Quantity::parse(&text).ok());
        quantity.map_or(0, |quantity| quantity.milli_value())
    };
    let amount = millis(container.at(&["resources", list, name]));
    let divisor = match millis(divisor) {
        0 => 1000,
        divisor => divisor,
    };
    amount.div_euclid(divisor) + i64::from(amount.rem_euclid(divisor) > 0)
}

fn mounts(text: &mut Text, container: &Value) {
    let mut mounts: Vec<&Value> = container.items_at(&["volumeMounts"]).iter().collect();
    let none = if mounts.is_empty() { "\t<none>" } else { "" };
    order::sort_by_key(&mut mounts, |mount| mount.str_at(&["mountPath"]));
    text.line(2, format!("Mounts:{none}"));
    for mount in mounts {
        let at = |key| mount.str_at(&[key]).unwrap_or_default();
        let mut flags = String::from(match mount.bool_at(&["readOnly"]) {
            Some(true) => "ro",
            _ => "rw",
        });
        if let Some(path) = some(mount, "subPath") {
            flags.push_str(&format!(",path=\"{path}\""));
        }
        text.line(3, format!("{} from {} ({flags})", at("mountPath"), at("name")));
    }
    let mut devices: Vec<&Value> = container.items_at(&["volumeDevices"]).iter().collect();
    if devices.is_empty() {
        return;
    }
    order::sort_by_key(&mut devices, |device| device.str_at(&["devicePath"]));
    text.line(2, format!("Devices:{none}"));
    for device in devices {
        let at = |key| device.str_at(&[key]).unwrap_or_default();
        text.line(3, format!("{} from {}", at("devicePath"), at("name")));
    }
}
