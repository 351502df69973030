//! Where a pod may run: affinity, tolerations and spreading.

use super::super::names;
use super::super::object_meta::{label_name, labels};
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::super::selectors::{label_selector, node_selector, node_selector_term};
use crate::api::Value;
use serde_json::json;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Models validateAffinity.
#[inline(never)]
pub(super) fn affinity(affinity: &Value, path: &Path<'_>, errors: &mut Errors) {
    if let Some(node) = affinity.sub("nodeAffinity") {
        let path = path.child("nodeAffinity");
        if let Some(required) = node.sub(REQUIRED) {
            node_selector(required, &path.child(REQUIRED), errors);
        }
        let list = path.child(PREFERRED);
        for (index, term) in node.list(PREFERRED).iter().enumerate() {
            let path = list.index(index);
            weight(term, &path, errors);
            let preference = term.sub("preference").unwrap_or(&Value::Null);
            node_selector_term(preference, false, &path.child("preference"), errors);
        }
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let Some(terms) = affinity.sub(kind) else { continue };
        let path = path.child(kind);
        let list = path.child(REQUIRED);
        for (index, term) in terms.list(REQUIRED).iter().enumerate() {
            pod_term(term, &list.index(index), errors);
        }
        let list = path.child(PREFERRED);
        for (index, term) in terms.list(PREFERRED).iter().enumerate() {
            let path = list.index(index);
            weight(term, &path, errors);
            let inner = term.sub("podAffinityTerm").unwrap_or(&Value::Null);
            pod_term(inner, &path.child("podAffinityTerm"), errors);
        }
    }
}

fn weight(term: &Value, path: &Path<'_>, errors: &mut Errors) {
    let weight = term.int("weight").unwrap_or_default();
    if !(1..=100).contains(&weight) {
        errors.invalid(path.child("weight"), weight, "must be in the range 1-100");
    }
}

/// Models validatePodAffinityTerm.
fn pod_term(term: &Value, path: &Path<'_>, errors: &mut Errors) {
    label_selector(term.sub("labelSelector"), &path.child("labelSelector"), errors);
    label_selector(term.sub("namespaceSelector"), &path.child("namespaceSelector"), errors);
    for name in term.list("namespaces") {
        let name = name.as_str().unwrap_or_default();
        errors.each_invalid(&path.child("namespace"), name, names::dns_label(name));
    }
    match_label_keys(term, path, errors);
    let key = term.text("topologyKey");
    if key.is_empty() {
        errors.required(path.child("topologyKey"), "can not be empty");
    }
    label_name(key, &path.child("topologyKey"), errors);
}

/// Models ValidateMatchLabelKeysAndMismatchLabelKeys.
fn match_label_keys(term: &Value, path: &Path<'_>, errors: &mut Errors) {
    label_keys(term, "matchLabelKeys", path, errors);
    label_keys(term, "mismatchLabelKeys", path, errors);
    let keys = term.list("matchLabelKeys");
    if let Some(selector) = term.sub("labelSelector") {
        let mut seen: Vec<&str> = selector.map("matchLabels").map(|(key, _)| key).collect();
        for expression in selector.list("matchExpressions") {
            let key = expression.text("key");
            let position = keys.iter().rposition(|one| one.as_str() == Some(key));
            if let Some(index) = position.filter(|_| seen.contains(&key)) {
                let detail = "exists in both matchLabelKeys and labelSelector";
                errors.invalid(path.index(index), key, detail);
            }
            seen.push(key);
        }
    }
    let mismatched = term.list("mismatchLabelKeys");
    let list = path.child("matchLabelKeys");
    for (index, key) in keys.iter().enumerate() {
        if mismatched.contains(key) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.invalid(list.index(index), key.clone(), detail);
        }
    }
}

/// Models validateLabelKeys.
fn label_keys(owner: &Value, field: &str, path: &Path<'_>, errors: &mut Errors) {
    let keys = owner.list(field);
    let list = path.child(field);
    if !keys.is_empty() && owner.sub("labelSelector").is_none() {
        errors.forbidden(list, "must not be specified when labelSelector is not set");
        return;
    }
    for (index, key) in keys.iter().enumerate() {
        label_name(key.as_str().unwrap_or_default(), &list.index(index), errors);
    }
}

/// The effects of taints, in the order in which messages list them.
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Models validateTaintEffect.
pub(in super::super) fn taint_effect(effect: &str, path: &Path<'_>, errors: &mut Errors) {
    if !EFFECTS.contains(&effect) {
        errors.not_supported(path, effect, &EFFECTS);
    }
}

/// Models ValidateTolerations.
pub(super) fn tolerations(tolerations: &[Value], path: &Path<'_>, errors: &mut Errors) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let path = path.index(index);
        let (key, operator) = (toleration.text("key"), toleration.text("operator"));
        let (value, effect) = (toleration.text("value"), toleration.text("effect"));
        if !key.is_empty() {
            label_name(key, &path.child("key"), errors);
        } else if operator != "Exists" {
            let detail = "operator must be Exists when `key` is empty, which means \"match all \
                          values and all keys\"";
            errors.invalid(path.child("operator"), operator, detail);
        }
        if toleration.sub("tolerationSeconds").is_some() && effect != "NoExecute" {
            let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            errors.invalid(path.child("effect"), effect, detail);
        }
        match operator {
            "" | "Equal" => {
                let wrong = names::label_value(value);
                if !wrong.is_empty() {
                    errors.invalid(path.child("operator"), value, wrong.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let detail = "value must be empty when `operator` is 'Exists'";
                    errors.invalid(path.child("operator"), value, detail);
                }
            }
            "Lt" | "Gt" => {
                let supported = ["Equal", "Exists", "Lt", "Gt"];
                errors.not_supported(path.child("operator"), operator, &supported);
            }
            _ => errors.not_supported(path.child("operator"), operator, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            taint_effect(effect, &path.child("effect"), errors);
        }
    }
}

/// Models validateTopologySpreadConstraints.
pub(super) fn spread_constraints(constraints: &[Value], path: &Path<'_>, errors: &mut Errors) {
    for (index, constraint) in constraints.iter().enumerate() {
        let path = path.index(index);
        let skew = constraint.int("maxSkew").unwrap_or_default();
        if skew <= 0 {
            errors.invalid(path.child("maxSkew"), skew, "must be greater than zero");
        }
        let key = constraint.text("topologyKey");
        if key.is_empty() {
            errors.required(path.child("topologyKey"), "can not be empty");
        }
        let action = constraint.text("whenUnsatisfiable");
        let actions = ["DoNotSchedule", "ScheduleAnyway"];
        if !actions.contains(&action) {
            errors.not_supported(path.child("whenUnsatisfiable"), action, &actions);
        }
        let repeated = constraints.iter().skip(index + 1).any(|other| {
            other.text("topologyKey") == key && other.text("whenUnsatisfiable") == action
        });
        if repeated {
            let pair = path.child("{topologyKey, whenUnsatisfiable}");
            errors.duplicate(pair, format!("{{{key}, {action}}}"));
        }
        if let Some(domains) = constraint.int("minDomains") {
            if domains <= 0 {
                let detail = "must be greater than zero";
                errors.invalid(path.child("minDomains"), domains, detail);
            }
            if action != "DoNotSchedule" {
                let detail = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not \
                              ScheduleAnyway"
                    .replace("ScheduleAnyway", action);
                errors.invalid(path.child("minDomains"), domains, detail);
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            if let Some(policy) = constraint.sub(field).and_then(Value::as_str)
                && !["Honor", "Ignore"].contains(&policy)
            {
                errors.not_supported(path.child(field), policy, &["Honor", "Ignore"]);
            }
        }
        match_label_keys(constraint, &path, errors);
        label_selector(constraint.sub("labelSelector"), &path.child("labelSelector"), errors);
    }
}

/// The labels that a node must have.
pub(super) fn node_labels(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    labels(spec.sub("nodeSelector"), &path.child("nodeSelector"), errors);
}

/// Models validateOnlyAddedTolerations: what a pod tolerates may grow, but not shrink.
pub(super) fn only_added_tolerations(
    new: &[Value],
    old: &[Value],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let without_seconds = |toleration: &Value| {
        let field = |key: &str| toleration.text(key).to_owned();
        json!([field("key"), field("operator"), field("value"), field("effect")])
    };
    let is_kept = |old: &Value| new.iter().any(|new| without_seconds(new) == without_seconds(old));
    if !old.iter().all(is_kept) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        errors.forbidden(path, detail);
        return;
    }
    tolerations(new, path, errors);
}
