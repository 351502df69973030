//! Checks on profiles: AppArmor, SELinux, seccomp.
//!
//! Models staging/src/k8s.io/pod-security-admission/policy/check_appArmorProfile.go,
//! check_seLinuxOptions.go and check_seccompProfile_*.go.

use super::PodView;
use super::checks::{Violation, containers, plural, quoted, security, setters, sorted, those};
use crate::api::Value;
use crate::api::error::go_quote;
use crate::api::tree::Tree as _;
use std::collections::BTreeSet;

pub(super) fn app_armor(pod: PodView<'_>) -> Option<Violation> {
    const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
    fn bad(value: &Value) -> Option<&str> {
        let profile = security(value).at(&["appArmorProfile"])?;
        let kind = profile.str_at(&["type"]).unwrap_or_default();
        (!["RuntimeDefault", "Localhost"].contains(&kind)).then_some(kind)
    }
    let is_allowed = |profile: &str| {
        profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/")
    };
    let who = setters(bad(pod.spec).is_some(), &those(pod, |c| bad(c).is_some()));
    let mut values = sorted(pod.containers().chain([pod.spec]).filter_map(bad).collect());
    let annotations = pod.annotations.iter();
    let annotations =
        annotations.filter(|(key, value)| key.starts_with(PREFIX) && !is_allowed(value));
    let annotations: Vec<String> =
        annotations.map(|(key, value)| format!("{key}={}", go_quote(value))).collect();
    let noted = (!annotations.is_empty()).then(|| plural("annotation", annotations.len()));
    values.extend(annotations);
    let who: Vec<String> = who.into_iter().chain(noted).collect();
    let reason = match values.len() {
        1 => "forbidden AppArmor profile",
        _ => "forbidden AppArmor profiles",
    };
    let (who_text, values) = (who.join(" and "), quoted(&values));
    let detail = format!("{who_text} must not set AppArmor profile type to {values}");
    (!who.is_empty()).then_some(Violation { reason, detail })
}

pub(super) fn selinux_1_0(pod: PodView<'_>) -> Option<Violation> {
    selinux(pod, &["", "container_t", "container_init_t", "container_kvm_t"])
}

pub(super) fn selinux_1_31(pod: PodView<'_>) -> Option<Violation> {
    selinux(pod, &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"])
}

fn selinux(pod: PodView<'_>, types: &[&str]) -> Option<Violation> {
    let text = |value: &Value, key: &str| {
        let text = security(value).str_at(&["seLinuxOptions", key]);
        text.unwrap_or_default().to_owned()
    };
    let bad_type =
        |value: &Value| Some(text(value, "type")).filter(|name| !types.contains(&name.as_str()));
    let has = |value: &Value, key: &str| !text(value, key).is_empty();
    let is_bad =
        |value: &Value| bad_type(value).is_some() || has(value, "user") || has(value, "role");
    let who = setters(is_bad(pod.spec), &those(pod, is_bad))?;
    let everything = || pod.containers().chain([pod.spec]);
    let names: BTreeSet<String> = everything().filter_map(bad_type).collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut wrong = Vec::new();
    if !names.is_empty() {
        wrong.push(format!("{} {}", plural("type", names.len()), quoted(&names)));
    }
    for key in ["user", "role"] {
        if everything().any(|value| has(value, key)) {
            wrong.push(format!("{key} may not be set"));
        }
    }
    let wrong = wrong.join("; ");
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {wrong}");
    Some(Violation { reason: "seLinuxOptions", detail })
}

/// Before 1.19 the profile stood in annotations.
pub(super) fn seccomp_annotations(pod: PodView<'_>) -> Option<Violation> {
    const POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
    const CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
    let names = pod.containers().map(|c| c.str_at(&["name"]).unwrap_or_default());
    let keys = names.map(|name| format!("{CONTAINER}{name}")).chain([POD.to_owned()]);
    let is_valid = |value: &str| {
        value == "runtime/default" || value == "docker/default" || value.starts_with("localhost/")
    };
    let bad: BTreeSet<String> = keys
        .filter_map(|key| {
            let value = pod.annotations.get(&key).filter(|value| !is_valid(value))?;
            Some(format!("{key}={}", go_quote(value)))
        })
        .collect();
    let count = bad.len();
    let list = bad.into_iter().collect::<Vec<_>>().join(", ");
    let detail = format!("forbidden {} {list}", plural("annotation", count));
    (count > 0).then_some(Violation { reason: "seccompProfile", detail })
}

fn seccomp(value: &Value) -> Option<&str> {
    let profile = security(value).at(&["seccompProfile"])?;
    Some(profile.str_at(&["type"]).unwrap_or_default())
}

fn bad_seccomp(value: &Value) -> Option<&str> {
    seccomp(value).filter(|kind| !["RuntimeDefault", "Localhost"].contains(kind))
}

pub(super) fn seccomp_baseline(pod: PodView<'_>) -> Option<Violation> {
    let explicit = those(pod, |container| bad_seccomp(container).is_some());
    let who = setters(bad_seccomp(pod.spec).is_some(), &explicit)?;
    let values = pod.containers().chain([pod.spec]).filter_map(bad_seccomp).collect();
    let values = quoted(&sorted(values));
    let detail = format!("{who} must not set securityContext.seccompProfile.type to {values}");
    Some(Violation { reason: "seccompProfile", detail })
}

pub(super) fn seccomp_restricted(pod: PodView<'_>) -> Option<Violation> {
    if let Some(explicit) = seccomp_baseline(pod) {
        return Some(explicit);
    }
    let whole = seccomp(pod.spec).is_some();
    let implicit = those(pod, |container| seccomp(container).is_none() && !whole);
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\"",
        containers(&implicit)
    );
    (!implicit.is_empty()).then_some(Violation { reason: "seccompProfile", detail })
}
