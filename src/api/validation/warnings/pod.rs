//! Pods and their templates.
//!
//! Models pkg/api/pod/warnings.go warningsForPodSpecAndMeta.

use super::super::addresses::warnings_for_address;
use super::super::names;
use super::super::path::{Fields as _, Path};
use super::super::pod::environment::quantity;
use super::{claim_spec, fraction, paths};
use crate::api::Value;
use crate::api::error::go_quote;

const SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

const DEPRECATED_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];

const DEPRECATED_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

/// Volume sources that are on their way out.
const DEPRECATED_SOURCES: [(&str, &str, &str); 9] = [
    (
        "photonPersistentDisk",
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

fn under<'a>(base: Option<&'a Path<'a>>, name: &'a str) -> Path<'a> {
    base.map_or(Path::root(name), |base| base.child(name))
}

pub(super) fn deprecated_label(key: &str) -> Option<&'static str> {
    DEPRECATED_LABELS.iter().find(|(label, _)| *label == key).map(|(_, text)| *text)
}

/// The warnings of a pod, or of a template that is at `base`.
pub(super) fn pod(pod: &Value, base: Option<&Path<'_>>, found: &mut Vec<String>) {
    let null = Value::Null;
    let (meta, spec) = (pod.sub("metadata").unwrap_or(&null), pod.sub("spec").unwrap_or(&null));
    let path = under(base, "spec");
    let annotations_path = under(base, "metadata");
    let annotations_path = annotations_path.child("annotations");
    placement(spec, &path, found);
    let annotations = meta.sub("annotations").unwrap_or(&null);
    for (key, text) in DEPRECATED_ANNOTATIONS {
        if annotations.sub(key).is_some() {
            found.push(format!("{}: {text}", annotations_path.key(key)));
        }
    }
    volumes(spec, &path.child("volumes"), found);
    paths::overlaps(spec, found);
    repeated(spec, "hostAliases", "ip", &path, found);
    repeated(spec, "imagePullSecrets", "name", &path, found);
    let list = path.child("imagePullSecrets");
    for (index, secret) in spec.list("imagePullSecrets").iter().enumerate() {
        if secret.text("name").is_empty() {
            found.push(format!("{}: invalid empty name \"\"", list.index(index).child("name")));
        }
    }
    let overhead = spec.sub("overhead").unwrap_or(&null);
    for resource in ["memory", "ephemeral-storage"] {
        fraction(overhead.sub(resource), &path.child("overhead").key(resource), found);
    }
    let context = spec.sub("securityContext").unwrap_or(&null);
    if context.sub("seccompProfile").is_none() && annotations.sub(SECCOMP).is_some() {
        seccomp(&annotations_path.key(SECCOMP), found);
    }
    for_containers(spec, &path, |container, path| {
        of_container(container, annotations, &annotations_path, path, found);
    });
    ports(spec, &path, found);
    if spec.int("terminationGracePeriodSeconds").is_some_and(|seconds| seconds < 0) {
        found.push(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            path.child("terminationGracePeriodSeconds")
        ));
    }
    pod_affinity(spec, &path, found);
    let config = spec.sub("dnsConfig").unwrap_or(&null);
    let list = path.child("dnsConfig");
    let list = list.child("nameservers");
    for (index, server) in config.list("nameservers").iter().enumerate() {
        warnings_for_address(server.as_str().unwrap_or_default(), &list.index(index), found);
    }
    let list = path.child("hostAliases");
    for (index, alias) in spec.list("hostAliases").iter().enumerate() {
        warnings_for_address(alias.text("ip"), &list.index(index).child("ip"), found);
    }
}

fn seccomp(path: &Path<'_>, found: &mut Vec<String>) {
    found.push(format!(
        "{path}: non-functional in v1.27+; use the \"seccompProfile\" field instead"
    ));
}

fn for_containers(spec: &Value, path: &Path<'_>, mut visit: impl FnMut(&Value, &Path<'_>)) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let list_path = path.child(list);
        for (index, container) in spec.list(list).iter().enumerate() {
            visit(container, &list_path.index(index));
        }
    }
}

/// Labels of nodes that nodes no longer have, and constraints that choose no pod.
fn placement(spec: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    let null = Value::Null;
    let selector_path = path.child("nodeSelector");
    for (key, _) in spec.map("nodeSelector") {
        if let Some(text) = deprecated_label(key) {
            found.push(format!("{}: {text}", selector_path.key(key)));
        }
    }
    let affinity = spec.sub("affinity").and_then(|affinity| affinity.sub("nodeAffinity"));
    let affinity = affinity.unwrap_or(&null);
    let affinity_path = path.child("affinity");
    let affinity_path = affinity_path.child("nodeAffinity");
    let list = affinity_path.child(REQUIRED);
    let list = list.child("nodeSelectorTerms");
    let required = affinity.sub(REQUIRED).unwrap_or(&null);
    for (index, term) in required.list("nodeSelectorTerms").iter().enumerate() {
        selector_term(term, false, &list.index(index), found);
    }
    let list = affinity_path.child(PREFERRED);
    for (index, term) in affinity.list(PREFERRED).iter().enumerate() {
        let preference = term.sub("preference").unwrap_or(&null);
        selector_term(preference, true, &list.index(index).child("preference"), found);
    }
    let list = path.child("topologySpreadConstraints");
    for (index, constraint) in spec.list("topologySpreadConstraints").iter().enumerate() {
        let path = list.index(index);
        let key = constraint.text("topologyKey");
        if let Some(text) = deprecated_label(key) {
            found.push(format!("{}: {key} is {text}", path.child("topologyKey")));
        }
        no_selector(constraint, &path, found);
    }
}

/// Models pkg/api/node/util.go GetWarningsForNodeSelectorTerm.
pub(super) fn selector_term(
    term: &Value,
    check_values: bool,
    path: &Path<'_>,
    found: &mut Vec<String>,
) {
    let list = path.child("matchExpressions");
    for (index, expression) in term.list("matchExpressions").iter().enumerate() {
        let path = list.index(index);
        let key = expression.text("key");
        if let Some(text) = deprecated_label(key) {
            found.push(format!("{}: {key} is {text}", path.child("key")));
        }
        let values = path.child("values");
        for (index, value) in expression.list("values").iter().enumerate().filter(|_| check_values)
        {
            let value = value.as_str().unwrap_or_default();
            for text in names::label_value(value) {
                found.push(format!("{}: {value} is invalid, {text}", values.index(index)));
            }
        }
    }
}

fn no_selector(owner: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    if owner.sub("labelSelector").is_none() {
        let path = path.child("labelSelector");
        found.push(format!("{path}: a null labelSelector results in matching no pod"));
    }
}

fn pod_affinity(spec: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    let null = Value::Null;
    let affinity = spec.sub("affinity").unwrap_or(&null);
    let path = path.child("affinity");
    for kind in ["podAffinity", "podAntiAffinity"] {
        let terms = affinity.sub(kind).unwrap_or(&null);
        let path = path.child(kind);
        let list = path.child(REQUIRED);
        for (index, term) in terms.list(REQUIRED).iter().enumerate() {
            no_selector(term, &list.index(index), found);
        }
        let list = path.child(PREFERRED);
        for (index, term) in terms.list(PREFERRED).iter().enumerate() {
            let inner = term.sub("podAffinityTerm").unwrap_or(&null);
            no_selector(inner, &list.index(index).child("podAffinityTerm"), found);
        }
    }
}

fn volumes(spec: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    let null = Value::Null;
    for (index, volume) in spec.list("volumes").iter().enumerate() {
        let path = path.index(index);
        for (source, shown, text) in DEPRECATED_SOURCES {
            if volume.sub(source).is_some() {
                found.push(format!("{}: {text}", path.child(shown)));
            }
        }
        let template = volume.sub("ephemeral").and_then(|one| one.sub("volumeClaimTemplate"));
        if let Some(template) = template {
            let path = path.child("ephemeral");
            let path = path.child("volumeClaimTemplate");
            claim_spec(template.sub("spec").unwrap_or(&null), &path.child("spec"), found);
        }
    }
}

/// A value that stands twice in a list.
fn repeated(spec: &Value, list: &str, field: &str, path: &Path<'_>, found: &mut Vec<String>) {
    let path = path.child(list);
    let items = spec.list(list);
    for (index, item) in items.iter().enumerate() {
        let value = item.text(field);
        if items.iter().take(index).any(|other| other.text(field) == value) {
            let path = path.index(index);
            found.push(format!("{}: duplicate {field} {}", path.child(field), go_quote(value)));
        }
    }
}

fn of_container(
    container: &Value,
    annotations: &Value,
    annotations_path: &Path<'_>,
    path: &Path<'_>,
    found: &mut Vec<String>,
) {
    let null = Value::Null;
    let name = container.text("name");
    let context = container.sub("securityContext").unwrap_or(&null);
    let key = format!("{SECCOMP_CONTAINER}{name}");
    if context.sub("seccompProfile").is_none() && annotations.sub(&key).is_some() {
        seccomp(&annotations_path.key(&key), found);
    }
    let key = format!("{APP_ARMOR}{name}");
    if context.sub("appArmorProfile").is_none() && annotations.sub(&key).is_some() {
        let path = annotations_path.key(&key);
        found.push(format!(
            "{path}: deprecated since v1.30; use the \"appArmorProfile\" field instead"
        ));
    }
    let resources = container.sub("resources").unwrap_or(&null);
    let resources_path = path.child("resources");
    for resource in ["memory", "ephemeral-storage"] {
        for list in ["limits", "requests"] {
            let value = resources.sub(list).and_then(|list| list.sub(resource));
            let amount = quantity(value).unwrap_or_default();
            if amount.milli_value() % 1000 != 0 {
                fraction(value, &resources_path.child(list).key(resource), found);
            }
        }
    }
    let list = path.child("env");
    let variables = container.list("env");
    for (index, variable) in variables.iter().enumerate() {
        let name = variable.text("name");
        let again = variables.iter().take(index).any(|other| other.text("name") == name);
        let (value, reference) = (variable.text("value"), format!("$({name})"));
        let extends =
            variable.sub("valueFrom").is_none() && value != reference && value.contains(&reference);
        if again && !extends {
            found.push(format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                list.index(index),
                go_quote(name)
            ));
        }
    }
}

/// Ports that more than one container has.
fn ports(spec: &Value, path: &Path<'_>, found: &mut Vec<String>) {
    let mut seen: Vec<(Value, String)> = Vec::new();
    let number = |port: &Value, field: &str| port.int(field).unwrap_or_default();
    for_containers(spec, path, |container, path| {
        let list = path.child("ports");
        for (index, port) in container.list("ports").iter().enumerate() {
            let path = list.index(index);
            let (ip, host_port) = (port.text("hostIP"), number(port, "hostPort"));
            if !ip.is_empty() && host_port == 0 {
                found.push(format!(
                    "{path}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} \
                     Protocol:{} HostIP:{ip}}}",
                    port.text("name"),
                    number(port, "containerPort"),
                    port.text("protocol")
                ));
            }
            let is_same = |other: &Value| {
                number(other, "containerPort") == number(port, "containerPort")
                    && other.text("protocol") == port.text("protocol")
            };
            for (other, place) in seen.iter().filter(|(other, _)| is_same(other)) {
                let (other_ip, other_port) = (other.text("hostIP"), number(other, "hostPort"));
                let what = if ip == other_ip && host_port == other_port {
                    "duplicate"
                } else if host_port == 0 || other_port == 0 {
                    "overlapping"
                } else if host_port == other_port && ip.is_empty() != other_ip.is_empty() {
                    "dangerously ambiguous"
                } else {
                    continue;
                };
                found.push(format!("{path}: {what} port definition with {place}"));
            }
            seen.push((port.clone(), path.to_string()));
        }
    });
    let mut named: Vec<(String, String)> = Vec::new();
    for_containers(spec, path, |container, path| {
        let list = path.child("ports");
        for (index, port) in container.list("ports").iter().enumerate() {
            let (path, name) = (list.index(index), port.text("name"));
            if name.is_empty() {
                continue;
            }
            match named.iter().find(|(other, _)| other == name) {
                None => named.push((name.to_owned(), path.to_string())),
                Some((_, other)) => found.push(format!(
                    "{path}: duplicate port name {} with {other}, services and probes that \
                     select ports by name will use {other}",
                    go_quote(name)
                )),
            }
        }
    });
}
