//! The containers of a pod.

use super::super::names;
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::volumes::Volumes;
use super::{Spec, environment, probes, resources, security, volume_mounts};
use crate::api::{FieldError, Value};

/// Models validateContainers.
pub(super) fn regular(
    spec: &Spec<'_>,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let containers = spec.tree.list("containers");
    if containers.is_empty() {
        errors.required(path, "");
        return;
    }
    let mut seen: Vec<&str> = Vec::with_capacity(containers.len());
    for (index, container) in containers.iter().enumerate() {
        let path = path.index(index);
        common(container, spec, volumes, &path, errors);
        let name = container.text("name");
        if seen.contains(&name) {
            errors.duplicate(path.child("name"), name);
        } else {
            seen.push(name);
        }
        probes::lifecycle_and_probes(container, spec, &path, errors);
        restart_policy(container, &path, errors);
    }
    host_port_conflicts(containers, path, errors);
}

/// Models validateInitContainers.
pub(super) fn init(spec: &Spec<'_>, volumes: &Volumes<'_>, path: &Path<'_>, errors: &mut Errors) {
    let names_of = |list| spec.tree.list(list).iter().map(|container| container.text("name"));
    let mut seen: Vec<&str> = names_of("containers").collect();
    for (index, container) in spec.tree.list("initContainers").iter().enumerate() {
        let list = path;
        let path = path.index(index);
        common(container, spec, volumes, &path, errors);
        if container.sub("restartPolicy").is_some() {
            restart_policy(container, &path, errors);
        } else if !container.list("restartPolicyRules").is_empty() {
            let detail = "must specify restartPolicy when restart rules are used";
            errors.required(path.child("restartPolicy"), detail);
        }
        let name = container.text("name");
        if seen.contains(&name) {
            errors.duplicate(path.child("name"), name);
        } else if !name.is_empty() {
            seen.push(name);
        }
        host_port_conflicts(core::slice::from_ref(container), list, errors);
        let is_sidecar = container.text("restartPolicy") == "Always";
        if is_sidecar {
            probes::lifecycle_and_probes(container, spec, &path, errors);
        } else {
            for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                if container.sub(field).is_some() {
                    let detail = "may not be set for init containers without restartPolicy=Always";
                    errors.forbidden(path.child(field), detail);
                }
            }
            let list = path.child("resizePolicy");
            for (index, policy) in container.list("resizePolicy").iter().enumerate() {
                if policy.text("restartPolicy") == "RestartContainer" {
                    let detail = "must not be set to 'RestartContainer' for non-sidecar \
                                  initContainers";
                    let path = list.index(index);
                    errors.invalid(path.child("restartPolicy"), "RestartContainer", detail);
                }
            }
        }
    }
}

/// Models validateEphemeralContainers.
pub(super) fn ephemeral(
    spec: &Spec<'_>,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    const NOT_HERE: &str = "cannot be set for an Ephemeral Container";
    const FORBIDDEN: [&str; 6] =
        ["ports", "resources", "resizePolicy", "livenessProbe", "readinessProbe", "startupProbe"];
    let names_of = |list| spec.tree.list(list).iter().map(|container| container.text("name"));
    let others: Vec<&str> = names_of("containers").chain(names_of("initContainers")).collect();
    let mut seen = others.clone();
    for (index, container) in spec.tree.list("ephemeralContainers").iter().enumerate() {
        let path = path.index(index);
        common(container, spec, volumes, &path, errors);
        only_for_pods(container, &path, errors);
        let name = container.text("name");
        if seen.contains(&name) {
            errors.duplicate(path.child("name"), name);
        } else {
            seen.push(name);
        }
        let target = container.text("targetContainerName");
        if !target.is_empty() && !others.contains(&target) {
            errors.not_found(path.child("targetContainerName"), target);
        }
        for field in FORBIDDEN.into_iter().chain(["lifecycle"]) {
            let is_set = container.sub(field).is_some_and(|value| {
                !value.as_array().is_some_and(Vec::is_empty)
                    && !value.as_object().is_some_and(serde_json::Map::is_empty)
            });
            if is_set {
                errors.forbidden(path.child(field), NOT_HERE);
            }
        }
        let list = path.child("volumeMounts");
        for (index, mount) in container.list("volumeMounts").iter().enumerate() {
            let path = list.index(index);
            for field in ["subPath", "subPathExpr"] {
                if !mount.text(field).is_empty() {
                    errors.forbidden(path.child(field), NOT_HERE);
                }
            }
        }
    }
}

/// Models validateContainerCommon.
fn common(
    container: &Value,
    spec: &Spec<'_>,
    volumes: &Volumes<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let name = container.text("name");
    if name.is_empty() {
        errors.required(path.child("name"), "");
    } else {
        errors.each_invalid(&path.child("name"), name, names::dns_label(name));
    }
    if container.text("image").is_empty() {
        errors.required(path.child("image"), "");
    }
    let policies = ["File", "FallbackToLogsOnError"];
    one_of(container, "terminationMessagePolicy", &policies, path, errors);
    ports(container.list("ports"), &path.child("ports"), errors);
    environment::variables(container.list("env"), &path.child("env"), errors);
    environment::sources(container.list("envFrom"), &path.child("envFrom"), errors);
    volume_mounts::mounts(container, volumes, &path.child("volumeMounts"), errors);
    volume_mounts::devices(container, volumes, &path.child("volumeDevices"), errors);
    one_of(container, "imagePullPolicy", &["Always", "IfNotPresent", "Never"], path, errors);
    if let Some(requirements) = container.sub("resources") {
        let path = path.child("resources");
        resources::of_container(requirements, &spec.claims, &path, errors);
    }
    resize_policy(container, spec, &path.child("resizePolicy"), errors);
    if let Some(context) = container.sub("securityContext") {
        security::of_container(context, spec.host_users, &path.child("securityContext"), errors);
    }
}

/// A field with a default, so that nothing else than one of a few texts is right.
pub(in super::super) fn one_of(
    owner: &Value,
    field: &str,
    supported: &[&str],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let value = owner.text(field);
    if value.is_empty() {
        errors.required(path.child(field), "");
    } else if !supported.contains(&value) {
        errors.not_supported(path.child(field), value, supported);
    }
}

/// Models validateContainerPorts.
fn ports(ports: &[Value], path: &Path<'_>, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            let wrong = names::port_name(name);
            if !wrong.is_empty() {
                errors.each_invalid(&path.child("name"), name, wrong);
            } else if seen.contains(&name) {
                errors.duplicate(path.child("name"), name);
            } else {
                seen.push(name);
            }
        }
        match port.int("containerPort") {
            None | Some(0) => errors.required(path.child("containerPort"), ""),
            Some(number) => port_number(number, &path.child("containerPort"), errors),
        }
        if let Some(number) = port.int("hostPort").filter(|number| *number != 0) {
            port_number(number, &path.child("hostPort"), errors);
        }
        one_of(port, "protocol", &["SCTP", "TCP", "UDP"], &path, errors);
    }
}

fn port_number(number: i64, path: &Path<'_>, errors: &mut Errors) {
    for message in names::port_number(number) {
        errors.invalid(path, number, message);
    }
}

/// Models checkHostPortConflicts.
fn host_port_conflicts(containers: &[Value], path: &Path<'_>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let path = path.index(index);
        let list = path.child("ports");
        for (index, port) in container.list("ports").iter().enumerate() {
            let number = port.int("hostPort").unwrap_or_default();
            if number == 0 {
                continue;
            }
            let text = format!("{}/{}/{number}", port.text("protocol"), port.text("hostIP"));
            if seen.contains(&text) {
                errors.duplicate(list.index(index).child("hostPort"), text);
            } else {
                seen.push(text);
            }
        }
    }
}

/// Models validateResizePolicy.
fn resize_policy(container: &Value, spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for (index, policy) in container.list("resizePolicy").iter().enumerate() {
        let (resource, restart) = (policy.text("resourceName"), policy.text("restartPolicy"));
        if seen.contains(&resource) {
            errors.duplicate(path.index(index), resource);
        }
        seen.push(resource);
        match resource {
            "cpu" | "memory" => {}
            "" => errors.required(path, ""),
            _ => errors.not_supported(path, resource, &["cpu", "memory"]),
        }
        match restart {
            "NotRequired" | "RestartContainer" => {}
            "" => errors.required(path, ""),
            _ => errors.not_supported(path, restart, &["NotRequired", "RestartContainer"]),
        }
        if spec.tree.text("restartPolicy") == "Never" && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.invalid(path, restart, detail);
        }
    }
}

/// Models validateContainerRestartPolicy.
fn restart_policy(container: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_RULES: usize = 20;
    let supported = ["Always", "Never", "OnFailure"];
    let rules = container.list("restartPolicyRules");
    match container.sub("restartPolicy").and_then(Value::as_str) {
        None if rules.is_empty() => return,
        None => {
            let detail = "must specify restartPolicy when restart rules are used";
            errors.required(path.child("restartPolicy"), detail);
        }
        Some(policy) if !supported.contains(&policy) => {
            errors.not_supported(path.child("restartPolicy"), policy, &supported);
        }
        Some(_) => {}
    }
    let list = path.child("restartPolicyRules");
    if rules.len() > MOST_RULES {
        errors.push(FieldError::too_many(list, rules.len(), MOST_RULES));
    }
    let actions = ["Restart", "RestartAllContainers"];
    for (index, rule) in rules.iter().enumerate() {
        let path = list.index(index);
        let action = rule.text("action");
        if !actions.contains(&action) {
            errors.not_supported(path.child("action"), action, &actions);
        }
        let Some(codes) = rule.sub("exitCodes") else {
            errors.required(path.child("exitCodes"), "must be specified");
            continue;
        };
        let path = path.child("exitCodes");
        let operator = codes.text("operator");
        if !["In", "NotIn"].contains(&operator) {
            errors.not_supported(path.child("operator"), operator, &["In", "NotIn"]);
        }
        let count = codes.list("values").len();
        if count > 255 {
            errors.push(FieldError::too_many(path.child("values"), count, 255));
        }
    }
}

/// What is checked in pods, but not in the templates of pods.
///
/// Models validateContainerOnlyForPod.
pub(super) fn only_for_pods(container: &Value, path: &Path<'_>, errors: &mut Errors) {
    let image = container.text("image");
    if image.len() != image.trim().len() {
        let detail = "must not have leading or trailing whitespace";
        errors.invalid(path.child("image"), image, detail);
    }
}
