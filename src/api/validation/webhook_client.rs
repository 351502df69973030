//! How a webhook is reached: by a URL or by a Service.
//!
//! Models staging/src/k8s.io/apiserver/pkg/util/webhook/validation.go.
//!
//! Simplified: what a bundle of certificates holds is not looked at.

use super::names;
use super::path::{Errors, Fields as _, Path, Report as _};
use crate::api::Value;
use crate::api::go_url::Url;

const FORM: &str = "; desired format: https://host[/path]";

/// Exactly one of the two, and that one right.
pub(super) fn client_config(config: &Value, path: &Path<'_>, errors: &mut Errors) {
    match (config.sub("url"), config.sub("service")) {
        (Some(url), None) => {
            self::url(url.as_str().unwrap_or_default(), &path.child("url"), errors);
        }
        (None, Some(service)) => self::service(service, &path.child("service"), errors),
        _ => errors.required(path, "exactly one of url or service is required"),
    }
}

/// Models ValidateWebhookURL.
fn url(text: &str, path: &Path<'_>, errors: &mut Errors) {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(why) => {
            errors.required(path, &format!("url must be a valid URL: {why}{FORM}"));
            return;
        }
    };
    if url.scheme != "https" {
        let detail = format!("'https' is the only allowed URL scheme{FORM}");
        errors.invalid(path, url.scheme, detail);
    }
    if url.host.is_empty() {
        errors.invalid(path, "", format!("host must be specified{FORM}"));
    }
    for (part, what) in [
        (url.user.unwrap_or_default(), "user information is"),
        (url.fragment, "fragments are"),
        (url.query, "query parameters are"),
    ] {
        if !part.is_empty() {
            errors.invalid(path, part, format!("{what} not permitted in the URL"));
        }
    }
}

/// The API server takes the name for the namespace here, and the other way round.
///
/// Models ValidateWebhookService as the configurations call it.
fn service(service: &Value, path: &Path<'_>, errors: &mut Errors) {
    for (key, shown) in [("namespace", "name"), ("name", "namespace")] {
        if service.text(key).is_empty() {
            errors.required(path.child(shown), "");
        }
    }
    let port = service.int("port").unwrap_or_default();
    let wrong = names::port_number(port);
    if !wrong.is_empty() {
        let detail = format!("port is not valid: {}", wrong.join(", "));
        errors.invalid(path.child("port"), port, detail);
    }
    let (text, at) = (service.text("path"), path.child("path"));
    if text.is_empty() || text == "/" {
        return;
    }
    if text == "//" {
        errors.invalid(at, text, "segment[0] may not be empty");
        return;
    }
    if !text.starts_with('/') {
        errors.invalid(at, text, "must start with a '/'");
    }
    let mut letters = text.chars();
    letters.next();
    let inner = letters.as_str();
    for (index, step) in inner.strip_suffix('/').unwrap_or(inner).split('/').enumerate() {
        if step.is_empty() {
            errors.invalid(at, text, format!("segment[{index}] may not be empty"));
            continue;
        }
        for failure in names::dns_subdomain(step) {
            errors.invalid(at, text, format!("segment[{index}]: {failure}"));
        }
    }
}

/// The versions in which a webhook is asked; `missing` is what is said where there are none.
///
/// Models validateAdmissionReviewVersions and validateConversionReviewVersions.
pub(super) fn review_versions(
    hook: &Value,
    key: &str,
    missing: &str,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    const KNOWN: [&str; 2] = ["v1", "v1beta1"];
    let path = path.child(key);
    let versions: Vec<&str> =
        hook.list(key).iter().map(|version| version.as_str().unwrap_or_default()).collect();
    if versions.is_empty() {
        errors.required(path, missing);
        return;
    }
    for (index, version) in versions.iter().enumerate() {
        let at = path.index(index);
        if versions.iter().take(index).any(|other| other == version) {
            errors.invalid(at, *version, "duplicate version");
            continue;
        }
        errors.each_invalid(&at, version, names::dns_1035_label(version));
    }
    if !versions.iter().any(|version| KNOWN.contains(version)) {
        let detail = format!("must include at least one of {}", KNOWN.join(", "));
        errors.invalid(path, hook.list(key).to_vec(), detail);
    }
}
