//! Pods and pod templates.
//!
//! Models describe.go describePod, DescribePodTemplate, describeContainers, describeVolumes.

use super::text::{Text, or_none, plain};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::base::order;
use std::sync::Arc;

pub(super) fn describe(text: &mut Text, pod: &Value, events: &[Arc<Object>]) {
    let (spec, status) = parts(pod);
    text.head(pod);
    text.field_if(0, "Priority", spec.int_at(&["priority"]));
    text.field_if(0, "Priority Class Name", some(spec, "priorityClassName"));
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
    containers(
        text,
        "Init Containers",
        spec.items_at(&["initContainers"]),
        Some((pod, "initContainerStatuses")),
        "",
    );
    containers(
        text,
        "Containers",
        spec.items_at(&["containers"]),
        Some((pod, "containerStatuses")),
        "",
    );
    let conditions = status.items_at(&["conditions"]);
    if !conditions.is_empty() {
        text.line(0, "Conditions:");
        text.line(1, "Type\tStatus");
        for condition in conditions {
            let at = |key| condition.str_at(&[key]).unwrap_or_default();
            text.line(1, format!("{} \t{} ", at("type"), at("status")));
        }
    }
    volumes(text, spec.items_at(&["volumes"]), "");
    text.field(0, "QoS Class", status.str_at(&["qosClass"]).unwrap_or_default());
    text.map("Node-Selectors", spec.get("nodeSelector"));
    text.list("Tolerations", &tolerations(spec));
    spread(text, spec, "");
    text.events(events);
}

fn parts(object: &Value) -> (&Value, &Value) {
    let part = |key| object.get(key).unwrap_or(&Value::Null);
    (part("spec"), part("status"))
}

fn some<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.str_at(&[key]).filter(|text| !text.is_empty())
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
    volumes(text, spec.items_at(&["volumes"]), "  ");
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
    let constraints = spec.items_at(&["topologySpreadConstraints"]);
    let mut lines: Vec<String> = constraints
        .iter()
        .map(|constraint| {
            let at = |key| constraint.str_at(&[key]).unwrap_or_default();
            format!(
                "{}:{} when max skew {} is exceeded for selector {}",
                at("topologyKey"),
                at("whenUnsatisfiable"),
                constraint.int_at(&["maxSkew"]).unwrap_or_default(),
                super::text::selector(constraint.get("labelSelector"))
            )
        })
        .collect();
    order::sort(&mut lines);
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
            text.line(0, format!("{space}{label}:\t<none>"));
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
        let value = pod.and_then(|pod| {
            let steps: Vec<&str> = path.split('.').collect();
            pod.str_at(&steps).map(str::to_owned)
        });
        format!("{} ({}:{path})", value.unwrap_or_default(), at(field, "apiVersion"))
    } else if let Some(field) = from.get("resourceFieldRef") {
        let resource = at(field, "resource");
        let (list, name) = resource.split_once('.').unwrap_or_default();
        let value = container.at(&["resources", list, name]);
        let value = value.map_or_else(
            || if list == "limits" { "node allocatable".to_owned() } else { "0".to_owned() },
            |value| plain(Some(value)),
        );
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

fn mounts(text: &mut Text, container: &Value) {
    let mut mounts: Vec<&Value> = container.items_at(&["volumeMounts"]).iter().collect();
    if mounts.is_empty() {
        text.line(2, "Mounts:\t<none>");
        return;
    }
    order::sort_by_key(&mut mounts, |mount| mount.str_at(&["mountPath"]));
    text.line(2, "Mounts:");
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
}

fn volumes(text: &mut Text, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        text.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    text.line(0, format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes {
        let name = volume.str_at(&["name"]).unwrap_or_default();
        text.line(1, format!("{indent}{name}:"));
        let source = volume.as_object().into_iter().flatten().find(|(key, _)| *key != "name");
        match source {
            Some((kind, source)) => volume_source(text, kind, source),
            None => text.line(1, "<unknown>"),
        }
    }
}

fn volume_source(text: &mut Text, kind: &str, source: &Value) {
    let at = |key| source.str_at(&[key]).unwrap_or_default();
    let yes = |key| source.bool_at(&[key]).unwrap_or_default();
    match kind {
        "emptyDir" => {
            text.field(2, "Type", "EmptyDir (a temporary directory that shares a pod's lifetime)");
            text.field(2, "Medium", at("medium"));
            text.field(2, "SizeLimit", plain(source.get("sizeLimit")));
        }
        "hostPath" => {
            text.field(2, "Type", "HostPath (bare host directory volume)");
            text.field(2, "Path", at("path"));
            text.field(2, "HostPathType", at("type"));
        }
        "configMap" => {
            text.field(2, "Type", "ConfigMap (a volume populated by a ConfigMap)");
            text.field(2, "Name", at("name"));
            text.field(2, "Optional", yes("optional"));
        }
        "secret" => {
            text.field(2, "Type", "Secret (a volume populated by a Secret)");
            text.field(2, "SecretName", at("secretName"));
            text.field(2, "Optional", yes("optional"));
        }
        "persistentVolumeClaim" => {
            let words = "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same \
                         namespace)";
            text.field(2, "Type", words);
            text.field(2, "ClaimName", at("claimName"));
            text.field(2, "ReadOnly", yes("readOnly"));
        }
        "downwardAPI" => {
            let words = "DownwardAPI (a volume populated by information about the pod)";
            text.field(2, "Type", words);
            text.line(2, "Items:");
            for item in source.items_at(&["items"]) {
                let field = item.str_at(&["fieldRef", "fieldPath"]).unwrap_or_default();
                let path = item.str_at(&["path"]).unwrap_or_default();
                text.line(3, format!("{field} -> {path}"));
            }
        }
        "nfs" => {
            text.field(2, "Type", "NFS (an NFS mount that lasts the lifetime of a pod)");
            text.field(2, "Server", at("server"));
            text.field(2, "Path", at("path"));
            text.field(2, "ReadOnly", yes("readOnly"));
        }
        "projected" => projected(text, source),
        _ => text.field(2, "Type", kind),
    }
}

fn projected(text: &mut Text, source: &Value) {
    let words = "Projected (a volume that contains injected data from multiple sources)";
    text.field(2, "Type", words);
    for part in source.items_at(&["sources"]) {
        if let Some(secret) = part.get("secret") {
            text.field(2, "SecretName", secret.str_at(&["name"]).unwrap_or_default());
            text.field(2, "Optional", secret.bool_at(&["optional"]).unwrap_or_default());
        } else if part.get("downwardAPI").is_some() {
            text.field(2, "DownwardAPI", "true");
        } else if let Some(map) = part.get("configMap") {
            text.field(2, "ConfigMapName", map.str_at(&["name"]).unwrap_or_default());
            text.field(2, "Optional", map.bool_at(&["optional"]).unwrap_or_default());
        } else if let Some(token) = part.get("serviceAccountToken") {
            let seconds = token.int_at(&["expirationSeconds"]).unwrap_or_default();
            text.field(2, "TokenExpirationSeconds", seconds);
        }
    }
}
