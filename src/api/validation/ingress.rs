//! Ingresses and their classes.
//!
//! Models pkg/apis/networking/validation/validation.go.

use super::addresses::sloppy_address;
use super::names;
use super::path::{Errors, Fields as _, Path, Report as _, immutable};
use crate::api::{FieldError, Value};

const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// Models ValidateIngressCreate and ValidateIngressUpdate.
pub(super) fn ingress(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let rules = spec.list("rules");
    if rules.is_empty() && spec.sub("defaultBackend").is_none() {
        let detail = "either `defaultBackend` or `rules` must be specified";
        errors.invalid(path, Value::Null, detail);
    }
    if let Some(default) = spec.sub("defaultBackend") {
        backend(default, &path.child("defaultBackend"), errors);
    }
    let list = path.child("rules");
    for (index, rule) in rules.iter().enumerate() {
        self::rule(rule, &list.index(index), errors);
    }
    tls(spec, &path.child("tls"), errors);
    let class = spec.sub("ingressClassName").and_then(Value::as_str);
    if let Some(class) = class {
        let path = path.child("ingressClassName");
        errors.each_invalid(&path, class, names::dns_subdomain(class));
    }
    let annotations = object.sub("metadata").and_then(|meta| meta.sub("annotations"));
    let annotation = annotations.and_then(|all| all.sub(CLASS_ANNOTATION)).and_then(Value::as_str);
    if let (Some(annotation), Some(class), None) = (annotation, class, old)
        && annotation != class
    {
        let detail = "must match `ingressClassName` when both are specified";
        errors.invalid(Path::root("annotations").child(CLASS_ANNOTATION), annotation, detail);
    }
}

/// A host, which may have a star in front.
fn host(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let wrong = if name.contains('*') {
        names::wildcard_subdomain(name)
    } else {
        names::dns_subdomain(name)
    };
    errors.each_invalid(path, name, wrong);
}

/// Models validateIngressTLS.
fn tls(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (index, tls) in spec.list("tls").iter().enumerate() {
        let path = path.index(index);
        let list = path.child("hosts");
        for (index, name) in tls.list("hosts").iter().enumerate() {
            host(name.as_str().unwrap_or_default(), &list.index(index), errors);
        }
        let secret = tls.text("secretName");
        if !secret.is_empty() {
            errors.each_invalid(&path.child("secretName"), secret, names::dns_subdomain(secret));
        }
    }
}

/// Models validateIngressRules.
fn rule(rule: &Value, path: &Path<'_>, errors: &mut Errors) {
    let name = rule.text("host");
    if !name.is_empty() {
        let path = path.child("host");
        if sloppy_address(name).is_some() {
            errors.invalid(path, name, "must be a DNS name, not an IP address");
        }
        host(name, &path, errors);
    }
    let Some(http) = rule.sub("http") else { return };
    let path = path.child("http");
    let list = path.child("paths");
    let paths = http.list("paths");
    if paths.is_empty() {
        errors.required(list, "");
    }
    for (index, one) in paths.iter().enumerate() {
        http_path(one, &list.index(index), errors);
    }
}

/// Models validateHTTPIngressPath.
fn http_path(one: &Value, path: &Path<'_>, errors: &mut Errors) {
    const BANNED: [&str; 5] = ["//", "/./", "/../", "%2f", "%2F"];
    const BANNED_ENDS: [&str; 2] = ["/..", "/."];
    let target = one.text("path");
    let target_path = path.child("path");
    match one.sub("pathType").and_then(Value::as_str) {
        None => {
            errors.required(path.child("pathType"), "pathType must be specified");
            return;
        }
        Some("Exact" | "Prefix") => {
            if !target.starts_with('/') {
                errors.invalid(target_path, target, "must be an absolute path");
            }
            for banned in BANNED {
                if target.contains(banned) {
                    errors.invalid(target_path, target, format!("must not contain '{banned}'"));
                }
            }
            for banned in BANNED_ENDS {
                if target.ends_with(banned) {
                    errors.invalid(target_path, target, format!("cannot end with '{banned}'"));
                }
            }
        }
        Some("ImplementationSpecific") => {
            if !target.is_empty() && !target.starts_with('/') {
                errors.invalid(target_path, target, "must be an absolute path");
            }
        }
        Some(other) => {
            let supported = ["Exact", "ImplementationSpecific", "Prefix"];
            errors.not_supported(path.child("pathType"), other, &supported);
        }
    }
    let null = Value::Null;
    backend(one.sub("backend").unwrap_or(&null), &path.child("backend"), errors);
}

/// Models validateIngressBackend.
fn backend(backend: &Value, path: &Path<'_>, errors: &mut Errors) {
    let (resource, service) = (backend.sub("resource"), backend.sub("service"));
    match (resource, service) {
        (Some(_), Some(_)) => {
            errors.invalid(path, "", "cannot set both resource and service backends");
        }
        (Some(resource), None) => local_object(resource, &path.child("resource"), errors),
        (None, Some(service)) => backend_service(service, path, errors),
        (None, None) => errors.invalid(path, "", "resource or service backend is required"),
    }
}

fn backend_service(service: &Value, path: &Path<'_>, errors: &mut Errors) {
    let service_path = path.child("service");
    let name = service.text("name");
    if name.is_empty() {
        errors.required(service_path.child("name"), "");
    } else {
        errors.each_invalid(&service_path.child("name"), name, names::dns_label(name));
    }
    let null = Value::Null;
    let port = service.sub("port").unwrap_or(&null);
    let port_path = service_path.child("port");
    let (name, number) = (port.text("name"), port.int("number").unwrap_or_default());
    match (name.is_empty(), number) {
        (true, 0) => errors.required(path, "port name or number is required"),
        (true, number) => {
            for message in names::port_number(number) {
                errors.invalid(port_path.child("number"), number, message);
            }
        }
        (false, 0) => errors.each_invalid(&port_path.child("name"), name, names::port_name(name)),
        (false, _) => errors.invalid(path, "", "cannot set both port name & port number"),
    }
}

/// Models validateIngressTypedLocalObjectReference.
fn local_object(reference: &Value, path: &Path<'_>, errors: &mut Errors) {
    if let Some(group) = reference.sub("apiGroup").and_then(Value::as_str) {
        errors.each_invalid(&path.child("apiGroup"), group, names::dns_subdomain(group));
    }
    for field in ["kind", "name"] {
        let value = reference.text(field);
        if value.is_empty() {
            errors.required(path.child(field), "");
        } else {
            errors.each_invalid(&path.child(field), value, names::path_segment(value));
        }
    }
}

/// Models ValidateIngressClass and ValidateIngressClassUpdate.
pub(super) fn ingress_class(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    const LONGEST_CONTROLLER: usize = 250;
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let controller_path = path.child("controller");
    if let Some(old) = old {
        let old = old.sub("spec").and_then(|old| old.sub("controller"));
        immutable(spec.sub("controller"), old, &controller_path, errors);
    }
    let controller = spec.text("controller");
    if controller.len() > LONGEST_CONTROLLER {
        errors.push(FieldError::too_long(controller_path, LONGEST_CONTROLLER));
    }
    domain_path(controller, &controller_path, errors);
    let Some(parameters) = spec.sub("parameters") else { return };
    let path = path.child("parameters");
    local_object(parameters, &path, errors);
    let namespace = parameters.sub("namespace").and_then(Value::as_str);
    let namespace_path = path.child("namespace");
    match (parameters.sub("scope").and_then(Value::as_str), namespace) {
        (None, _) => errors.required(path.child("scope"), ""),
        (Some("Namespace"), None) => {
            errors.required(namespace_path, "`parameters.scope` is set to 'Namespace'");
        }
        (Some("Namespace"), Some(name)) => {
            errors.each_invalid(&namespace_path, name, names::dns_label(name));
        }
        (Some("Cluster"), Some(_)) => {
            errors.forbidden(namespace_path, "`parameters.scope` is set to 'Cluster'");
        }
        (Some("Cluster"), None) => {}
        (Some(other), _) => {
            errors.not_supported(path.child("scope"), other, &["Cluster", "Namespace"]);
        }
    }
}

/// `acme.io/foo`. Models IsDomainPrefixedPath.
pub(super) fn domain_path(text: &str, path: &Path<'_>, errors: &mut Errors) {
    match text.split_once('/') {
        _ if text.is_empty() => errors.required(path, ""),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            errors.each_invalid(path, host, names::dns_subdomain(host));
            if !names::is_http_path(rest) {
                errors.invalid(path, rest, names::bad_http_path());
            }
        }
        _ => {
            let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.invalid(path, text, detail);
        }
    }
}
