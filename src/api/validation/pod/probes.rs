//! Probes and lifecycle hooks.

use super::super::names;
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::Spec;
use crate::api::Value;

/// Models validateLifecycle, validateLivenessProbe, validateReadinessProbe, validateStartupProbe.
pub(super) fn lifecycle_and_probes(
    container: &Value,
    spec: &Spec<'_>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    if let Some(lifecycle) = container.sub("lifecycle") {
        let path = path.child("lifecycle");
        for hook in ["postStart", "preStop"] {
            if let Some(handler) = lifecycle.sub(hook) {
                let kinds = ["exec", "httpGet", "tcpSocket", "sleep"];
                self::handler(handler, &kinds, spec, &path.child(hook), errors);
            }
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.sub(name) else { continue };
        let path = path.child(name);
        self::probe(probe, spec, &path, errors);
        if name == "readinessProbe" {
            if let Some(seconds) = probe.int("terminationGracePeriodSeconds") {
                let detail = "must not be set for readinessProbes";
                errors.invalid(path.child("terminationGracePeriodSeconds"), seconds, detail);
            }
        } else {
            let threshold = probe.int("successThreshold").unwrap_or_default();
            if threshold != 1 {
                errors.invalid(path.child("successThreshold"), threshold, "must be 1");
            }
        }
    }
}

/// Models validateProbe.
fn probe(probe: &Value, spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    handler(probe, &["exec", "httpGet", "tcpSocket", "grpc"], spec, path, errors);
    for field in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        errors.not_negative(&path.child(field), probe.int(field));
    }
    if let Some(seconds) = probe.int("terminationGracePeriodSeconds").filter(|s| *s <= 0) {
        let detail = "must be greater than 0";
        errors.invalid(path.child("terminationGracePeriodSeconds"), seconds, detail);
    }
}

/// Models validateHandler.
fn handler(handler: &Value, kinds: &[&str], spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let mut found = false;
    for kind in kinds {
        let Some(action) = handler.sub(kind) else { continue };
        let path = path.child(kind);
        if found {
            errors.forbidden(path, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match *kind {
            "exec" => {
                if action.list("command").is_empty() {
                    errors.required(path.child("command"), "");
                }
            }
            "httpGet" => http_get(action, &path, errors),
            "sleep" => sleep(action, spec, &path, errors),
            _ => port_number_or_name(action.sub("port"), &path.child("port"), errors),
        }
    }
    if !found {
        errors.required(path, "must specify a handler type");
    }
}

/// Models validateHTTPGetAction.
fn http_get(action: &Value, path: &Path<'_>, errors: &mut Errors) {
    if action.text("path").is_empty() {
        errors.required(path.child("path"), "");
    }
    port_number_or_name(action.sub("port"), &path.child("port"), errors);
    let scheme = action.text("scheme");
    if !["HTTP", "HTTPS"].contains(&scheme) {
        errors.not_supported(path.child("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    for header in action.list("httpHeaders") {
        let name = header.text("name");
        let wrong = names::http_header_name(name);
        errors.each_invalid(&path.child("httpHeaders"), name, wrong);
    }
}

/// Models validateSleepAction.
fn sleep(action: &Value, spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let seconds = action.int("seconds").unwrap_or_default();
    if let Some(grace) = spec.tree.int("terminationGracePeriodSeconds")
        && !(0..=grace).contains(&seconds)
    {
        let detail =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        errors.invalid(path, seconds, detail);
    }
}

/// Models ValidatePortNumOrName.
pub(in super::super) fn port_number_or_name(
    port: Option<&Value>,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    match port {
        Some(Value::String(name)) => errors.each_invalid(path, name, names::port_name(name)),
        port => {
            let number = port.and_then(Value::as_i64).unwrap_or_default();
            for message in names::port_number(number) {
                errors.invalid(path, number, message);
            }
        }
    }
}
