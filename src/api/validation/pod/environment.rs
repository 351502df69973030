//! Environment variables and what they can show of the pod.

use super::super::names;
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::volume_paths::no_backsteps;
use crate::api::Value;
use crate::base::Quantity;

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// Models ValidateEnv.
pub(super) fn variables(variables: &[Value], path: &Path<'_>, errors: &mut Errors) {
    for (index, variable) in variables.iter().enumerate() {
        let path = path.index(index);
        let name = variable.text("name");
        if name.is_empty() {
            errors.required(path.child("name"), "");
        } else {
            errors.each_invalid(&path.child("name"), name, names::environment_name(name));
        }
        if let Some(source) = variable.sub("valueFrom") {
            let has_value = !variable.text("value").is_empty();
            value_from(source, has_value, &path.child("valueFrom"), errors);
        }
    }
}

/// Models validateEnvVarValueFrom.
fn value_from(source: &Value, has_value: bool, path: &Path<'_>, errors: &mut Errors) {
    let mut sources = 0;
    if let Some(field) = source.sub("fieldRef") {
        sources += 1;
        field_selector(field, &FIELDS, &path.child("fieldRef"), errors);
    }
    if let Some(resource) = source.sub("resourceFieldRef") {
        sources += 1;
        resource_selector(resource, false, &path.child("resourceFieldRef"), errors);
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        if let Some(reference) = source.sub(kind) {
            sources += 1;
            key_selector(reference, &path.child(kind), errors);
        }
    }
    if let Some(reference) = source.sub("fileKeyRef") {
        sources += 1;
        file_key_selector(reference, &path.child("fileKeyRef"), errors);
    }
    match sources {
        0 => {
            let detail = "must specify one of: `fieldRef`, `resourceFieldRef`, \
                          `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
            errors.invalid(path, "", detail);
        }
        _ if has_value => {
            errors.invalid(path, "", "may not be specified when `value` is not empty");
        }
        1 => {}
        _ => errors.invalid(path, "", "may not have more than one field specified at a time"),
    }
}

/// Models validateObjectFieldSelector.
pub(super) fn field_selector(
    selector: &Value,
    supported: &[&str],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    for field in ["apiVersion", "fieldPath"] {
        if selector.text(field).is_empty() {
            errors.required(path.child(field), "");
            return;
        }
    }
    let field = selector.text("fieldPath");
    if let Some(problem) = conversion_problem(selector.text("apiVersion"), field) {
        let detail = format!("error converting fieldPath: {problem}");
        errors.invalid(path.child("fieldPath"), field, detail);
        return;
    }
    match subscript(field) {
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            errors.each_invalid(path, &key, names::qualified_name(&key));
        }
        Some((_, key)) => errors.each_invalid(path, key, names::qualified_name(key)),
        None => {
            let field = if field == "spec.host" { "spec.nodeName" } else { field };
            if !supported.contains(&field) {
                errors.not_supported(path.child("fieldPath"), field, supported);
            }
        }
    }
}

/// `metadata.labels['key']` in its parts.
///
/// Models pkg/fieldpath/fieldpath.go SplitMaybeSubscriptedPath.
fn subscript(field: &str) -> Option<(&str, &str)> {
    let (path, key) = field.strip_suffix("']")?.split_once("['")?;
    if path.is_empty() { None } else { Some((path, key)) }
}

/// Models pkg/apis/core/pods/helpers.go ConvertDownwardAPIFieldLabel.
fn conversion_problem(version: &str, field: &str) -> Option<String> {
    const MORE_FIELDS: [&str; 6] = [
        "metadata.annotations",
        "metadata.labels",
        "spec.restartPolicy",
        "spec.schedulerName",
        "status.phase",
        "spec.host",
    ];
    if version != "v1" {
        return Some(format!("unsupported pod version: {version}"));
    }
    match subscript(field) {
        Some(("metadata.annotations" | "metadata.labels", _)) => None,
        Some(_) => Some(format!("field label does not support subscript: {field}")),
        None if FIELDS.contains(&field) || MORE_FIELDS.contains(&field) => None,
        None => Some(format!("field label not supported: {field}")),
    }
}

/// Models validateContainerResourceFieldSelector.
pub(super) fn resource_selector(
    selector: &Value,
    in_volume: bool,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let resource = selector.text("resource");
    let is_huge_page =
        resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if in_volume && selector.text("containerName").is_empty() {
        errors.required(path.child("containerName"), "");
    } else if resource.is_empty() {
        errors.required(path.child("resource"), "");
    } else if !RESOURCES.contains(&resource) && !is_huge_page {
        errors.not_supported(path.child("resource"), resource, &RESOURCES);
    }
    divisor(selector, resource, path, errors);
}

/// Models validateContainerResourceDivisor.
fn divisor(selector: &Value, resource: &str, path: &Path<'_>, errors: &mut Errors) {
    const OF_CPU: [&str; 2] = ["1m", "1"];
    const OF_BYTES: [&str; 13] =
        ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let Some(amount) = quantity(selector.sub("divisor")).filter(|amount| !amount.is_zero()) else {
        return;
    };
    let (supported, what): (&[&str], &str) = match resource {
        "limits.cpu" | "requests.cpu" => {
            if !OF_CPU.contains(&amount.to_string().as_str()) {
                let detail = "only divisor's values 1m and 1 are supported with the cpu resource";
                errors.invalid(path.child("divisor"), resource, detail);
            }
            return;
        }
        "limits.memory" | "requests.memory" => (&OF_BYTES, "memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" => {
            (&OF_BYTES, "local ephemeral storage")
        }
        other if other.contains(".hugepages-") => (&OF_BYTES, "hugepages"),
        _ => return,
    };
    if !supported.contains(&amount.to_string().as_str()) {
        let list = supported.join(", ");
        let detail = format!("only divisor's values {list} are supported with the {what} resource");
        errors.invalid(path.child("divisor"), resource, detail);
    }
}

/// Reads a quantity, which may be written as a number.
pub(in super::super) fn quantity(value: Option<&Value>) -> Option<Quantity> {
    match value? {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// Models validateConfigMapKeySelector and validateSecretKeySelector.
fn key_selector(reference: &Value, path: &Path<'_>, errors: &mut Errors) {
    let (name, key) = (reference.text("name"), reference.text("key"));
    errors.each_invalid(&path.child("name"), name, names::dns_subdomain(name));
    if key.is_empty() {
        errors.required(path.child("key"), "");
    } else {
        errors.each_invalid(&path.child("key"), key, names::config_key(key));
    }
}

/// Models validateFileKeySelector.
fn file_key_selector(reference: &Value, path: &Path<'_>, errors: &mut Errors) {
    let field = |name| (reference.text(name), path.child(name));
    let (key, key_path) = field("key");
    if key.is_empty() {
        errors.required(key_path, "");
    } else {
        errors.each_invalid(&key_path, key, names::environment_name(key));
    }
    let (volume, volume_path) = field("volumeName");
    if volume.is_empty() {
        errors.required(volume_path, "");
    } else {
        errors.each_invalid(&volume_path, volume, names::dns_label(volume));
    }
    let (file, file_path) = field("path");
    if file.is_empty() {
        errors.required(file_path, "");
    } else {
        no_backsteps(file, &file_path, errors);
    }
}

/// Models ValidateEnvFrom.
pub(super) fn sources(sources: &[Value], path: &Path<'_>, errors: &mut Errors) {
    for (index, source) in sources.iter().enumerate() {
        let item = path.index(index);
        let prefix = source.text("prefix");
        if !prefix.is_empty() {
            let wrong = names::environment_name(prefix);
            errors.each_invalid(&item.child("prefix"), prefix, wrong);
        }
        let mut found = 0;
        for kind in ["configMapRef", "secretRef"] {
            let Some(reference) = source.sub(kind) else { continue };
            found += 1;
            let path = item.child(kind);
            let name = reference.text("name");
            if name.is_empty() {
                errors.required(path.child("name"), "");
            } else {
                errors.each_invalid(&path.child("name"), name, names::dns_subdomain(name));
            }
        }
        match found {
            0 => errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(path, "", "may not have more than one field specified at a time"),
        }
    }
}

/// Models validateFileKeyRefVolumes: keys are read from files in an emptyDir only.
pub(super) fn file_volumes(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    for list in ["initContainers", "containers"] {
        let list_path = path.child(list);
        for (index, container) in spec.list(list).iter().enumerate() {
            let path = list_path.index(index);
            let path = path.child("env");
            for (index, variable) in container.list("env").iter().enumerate() {
                let reference = variable.sub("valueFrom").and_then(|from| from.sub("fileKeyRef"));
                let Some(reference) = reference else { continue };
                let name = reference.text("volumeName");
                let mut volumes = spec.list("volumes").iter().rev();
                let volume = volumes.find(|volume| volume.text("name") == name);
                let path = path.index(index);
                let path = path.child("valueFrom");
                let path = path.child("fileKeyRef");
                let path = path.child("volumeName");
                match volume {
                    None => errors.not_found(path, name),
                    Some(volume) if volume.sub("emptyDir").is_none() => {
                        let detail = "referenced volume must be of type emptyDir";
                        errors.invalid(path, name, detail);
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
