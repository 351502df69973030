//! Roles and their bindings.
//!
//! Models pkg/apis/rbac/validation/validation.go.

use super::path::{Errors, Fields as _, Path, Report as _, same};
use super::selectors::label_selector;
use super::{names, workloads};
use crate::api::{FieldError, Kind, Value};
use serde_json::json;

const GROUP: &str = "rbac.authorization.k8s.io";

/// A new or changed Role or ClusterRole.
pub(super) fn role(kind: Kind, object: &Value, errors: &mut Errors) {
    let list = Path::root("rules");
    for (index, rule) in object.list("rules").iter().enumerate() {
        policy_rule(rule, kind == Kind::Role, &list.index(index), errors);
    }
    let Some(aggregation) = object.sub("aggregationRule").filter(|_| kind == Kind::ClusterRole)
    else {
        return;
    };
    let path = Path::root("aggregationRule");
    let list = path.child("clusterRoleSelectors");
    let selectors = aggregation.list("clusterRoleSelectors");
    if selectors.is_empty() {
        let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        errors.required(list, detail);
    }
    for (index, selector) in selectors.iter().enumerate() {
        let path = list.index(index);
        label_selector(Some(selector), &path, errors);
        if !workloads::is_readable(selector) {
            errors.invalid(path, Value::Null, "invalid label selector.");
        }
    }
}

/// Models ValidatePolicyRule.
fn policy_rule(rule: &Value, namespaced: bool, path: &Path<'_>, errors: &mut Errors) {
    if rule.list("verbs").is_empty() {
        errors.required(path.child("verbs"), "verbs must contain at least one value");
    }
    let urls = rule.list("nonResourceURLs");
    let has = |field: &str| !rule.list(field).is_empty();
    if !urls.is_empty() {
        let path = path.child("nonResourceURLs");
        if namespaced {
            let detail = "namespaced rules cannot apply to non-resource URLs";
            errors.invalid(path, json!(urls), detail);
        }
        if ["apiGroups", "resources", "resourceNames"].into_iter().any(has) {
            let detail = "rules cannot apply to both regular resources and non-resource URLs";
            errors.invalid(path, json!(urls), detail);
        }
        return;
    }
    if !has("apiGroups") {
        errors
            .required(path.child("apiGroups"), "resource rules must supply at least one api group");
    }
    if !has("resources") {
        errors
            .required(path.child("resources"), "resource rules must supply at least one resource");
    }
}

/// A new RoleBinding or ClusterRoleBinding, or with `old` a changed one.
pub(super) fn binding(kind: Kind, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let role = object.sub("roleRef").unwrap_or(&null);
    let path = Path::root("roleRef");
    let group = role.text("apiGroup");
    if group != GROUP {
        errors.not_supported(path.child("apiGroup"), group, &[GROUP]);
    }
    let namespaced = kind == Kind::RoleBinding;
    let kinds: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    let role_kind = role.text("kind");
    if !kinds.contains(&role_kind) {
        errors.not_supported(path.child("kind"), role_kind, kinds);
    }
    let name = role.text("name");
    if name.is_empty() {
        errors.required(path.child("name"), "");
    } else {
        errors.each_invalid(&path.child("name"), name, names::path_segment(name));
    }
    let list = Path::root("subjects");
    for (index, one) in object.list("subjects").iter().enumerate() {
        subject(one, namespaced, &list.index(index), errors);
    }
    if let Some(old) = old
        && !same(old.sub("roleRef"), Some(role))
    {
        let text = format!(
            "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
            json!(group),
            json!(role_kind),
            json!(name)
        );
        let error = FieldError::invalid(path, role.clone(), "cannot change roleRef");
        errors.push(error.showing(text));
    }
}

/// Models ValidateRoleBindingSubject.
fn subject(subject: &Value, namespaced: bool, path: &Path<'_>, errors: &mut Errors) {
    let (name, group) = (subject.text("name"), subject.text("apiGroup"));
    if name.is_empty() {
        errors.required(path.child("name"), "");
    }
    match subject.text("kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.each_invalid(&path.child("name"), name, names::dns_subdomain(name));
            }
            if !group.is_empty() {
                errors.not_supported(path.child("apiGroup"), group, &[""]);
            }
            if !namespaced && subject.text("namespace").is_empty() {
                errors.required(path.child("namespace"), "");
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                errors.not_supported(path.child("apiGroup"), group, &[GROUP]);
            }
        }
        other => {
            errors.not_supported(path.child("kind"), other, &["ServiceAccount", "User", "Group"]);
        }
    }
}
