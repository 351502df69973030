//! Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers.
//!
//! Models pkg/apis/apps/validation/validation.go.

use super::go_structs;
use super::object_meta;
use super::path::{Errors, Fields as _, Path, Report as _, immutable, same};
use super::selectors::label_selector;
use super::{claims, names, pod};
use crate::api::tree::TreeMut as _;
use crate::api::{FieldError, Kind, Selector, StringMap, Value};
use serde_json::json;

const MISMATCH: &str = "`selector` does not match template `labels`";

/// A new workload, or with `old` a changed one.
pub(super) fn workload(kind: Kind, object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    let old_spec = old.map(|old| old.sub("spec").unwrap_or(&null));
    if kind == Kind::DaemonSet
        && let Some(old_spec) = old_spec
    {
        selector_stays(spec, old_spec, &path, errors);
    }
    match kind {
        Kind::Deployment => deployment(spec, &path, errors),
        Kind::ReplicaSet => replica_set(spec, &path, errors),
        Kind::StatefulSet => stateful_set(spec, old.is_none(), &path, errors),
        Kind::DaemonSet => daemon_set(spec, &path, errors),
        _ => replication_controller(spec, &path, errors),
    }
    match (kind, old_spec) {
        (Kind::Deployment | Kind::ReplicaSet, Some(old_spec)) => {
            selector_stays(spec, old_spec, &path, errors);
        }
        (Kind::StatefulSet, Some(old_spec)) => stateful_set_stays(spec, old_spec, &path, errors),
        _ => {}
    }
}

#[inline(never)]
fn selector_stays(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    let before = errors.len();
    let new = spec.sub("selector");
    immutable(new, old.sub("selector"), &path.child("selector"), errors);
    if let (Some(selector), true) = (new, errors.len() > before) {
        show_selector(selector, errors);
    }
}

/// Makes the last error show its selector in the order of its fields.
fn show_selector(selector: &Value, errors: &mut Errors) {
    if let Some(error) = errors.pop() {
        errors.push(error.showing(go_structs::label_selector(selector)));
    }
}

/// Models ValidateDeploymentSpec.
fn deployment(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("replicas"), spec.int("replicas"));
    if selector(spec, "deployment", path, errors) {
        template_of_selector(spec, "ReplicaSet", &path.child("template"), errors);
    }
    deployment_strategy(spec, &path.child("strategy"), errors);
    let ready_seconds = spec.int("minReadySeconds").unwrap_or_default();
    errors.not_negative(&path.child("minReadySeconds"), Some(ready_seconds));
    errors.not_negative(&path.child("revisionHistoryLimit"), spec.int("revisionHistoryLimit"));
    let deadline_path = path.child("progressDeadlineSeconds");
    if let Some(deadline) = spec.int("progressDeadlineSeconds") {
        errors.not_negative(&deadline_path, Some(deadline));
        if deadline <= ready_seconds {
            errors.invalid(deadline_path, deadline, "must be greater than minReadySeconds");
        }
    }
}

/// Models ValidateReplicaSetSpec.
#[inline(never)]
fn replica_set(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("replicas"), spec.int("replicas"));
    errors.not_negative(&path.child("minReadySeconds"), spec.int("minReadySeconds"));
    if selector(spec, "deployment", path, errors) {
        template_of_selector(spec, "ReplicaSet", &path.child("template"), errors);
    }
}

/// A selector must be there and choose something. Says whether it can be read.
fn selector(spec: &Value, of: &str, path: &Path<'_>, errors: &mut Errors) -> bool {
    let path = path.child("selector");
    let Some(selector) = spec.sub("selector") else {
        errors.required(path, "");
        return true;
    };
    label_selector(Some(selector), &path, errors);
    if is_empty(selector) {
        let detail = format!("empty selector is invalid for {of}");
        errors.invalid(path, json!({}), detail);
    }
    let readable = is_readable(selector);
    if !readable {
        let detail = if of == "statefulset" { "" } else { "invalid label selector" };
        errors.invalid(path, selector.clone(), detail);
        show_selector(selector, errors);
    }
    readable
}

fn is_empty(selector: &Value) -> bool {
    selector.map("matchLabels").next().is_none() && selector.list("matchExpressions").is_empty()
}

/// Whether the API server can make a selector of it.
///
/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
pub(super) fn is_readable(selector: &Value) -> bool {
    let labels = selector.map("matchLabels").all(|(key, value)| {
        names::qualified_name(key).is_empty()
            && names::label_value(value.as_str().unwrap_or_default()).is_empty()
    });
    labels
        && selector.list("matchExpressions").iter().all(|expression| {
            let values = expression.list("values");
            let fits = match expression.text("operator") {
                "In" | "NotIn" => !values.is_empty(),
                "Exists" | "DoesNotExist" => values.is_empty(),
                _ => false,
            };
            let is_value =
                |value: &Value| names::label_value(value.as_str().unwrap_or_default()).is_empty();
            fits && names::qualified_name(expression.text("key")).is_empty()
                && values.iter().all(is_value)
        })
}

/// Whether a selector chooses the labels of a template; one that is not there chooses nothing.
fn chooses(selector: Option<Selector>, template: &Value) -> bool {
    let labels = template.sub("metadata").and_then(|meta| meta.sub("labels"));
    selector.is_some_and(|selector| selector.matches(&StringMap::from_value(labels)))
}

/// The labels of a template must be chosen by the selector beside it.
pub(super) fn template_labels(
    selector: Option<Selector>,
    template: &Value,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    if !chooses(selector, template) {
        let labels = template.sub("metadata").and_then(|meta| meta.sub("labels"));
        let path = path.child("metadata");
        errors.invalid(path.child("labels"), labels.cloned().unwrap_or_default(), MISMATCH);
    }
}

/// Models ValidatePodTemplateSpecForReplicaSet.
fn template_of_selector(spec: &Value, of: &str, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let template = spec.sub("template").unwrap_or(&null);
    if !spec.sub("selector").is_some_and(is_empty) {
        let selector = Selector::from_label_selector(spec.sub("selector"));
        template_labels(selector, template, path, errors);
    }
    pod::template(template, path, errors);
    always_running(template, of, path, errors);
}

/// Pods that a controller replaces run for good.
fn always_running(template: &Value, of: &str, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = template.sub("spec").unwrap_or(&null);
    let path = path.child("spec");
    let policy = spec.text("restartPolicy");
    if policy != "Always" {
        errors.not_supported(path.child("restartPolicy"), policy, &["Always"]);
    }
    if spec.sub("activeDeadlineSeconds").is_some() {
        let detail = format!("activeDeadlineSeconds in {of} is not Supported");
        errors.forbidden(path.child("activeDeadlineSeconds"), detail);
    }
}

/// Models ValidateDeploymentStrategy.
fn deployment_strategy(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let strategy = spec.sub("strategy").unwrap_or(&null);
    let rolling_path = path.child("rollingUpdate");
    match (strategy.text("type"), strategy.sub("rollingUpdate")) {
        ("Recreate", None) => {}
        ("Recreate", Some(_)) => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            errors.forbidden(rolling_path, detail);
        }
        ("RollingUpdate", None) => {
            errors.required(rolling_path, "this should be defaulted and never be nil");
        }
        ("RollingUpdate", Some(rolling)) => {
            let unavailable_path = rolling_path.child("maxUnavailable");
            let (unavailable, surge) = (rolling.sub("maxUnavailable"), rolling.sub("maxSurge"));
            number_or_percent(unavailable, &unavailable_path, errors);
            number_or_percent(surge, &rolling_path.child("maxSurge"), errors);
            if amount(unavailable) == 0 && amount(surge) == 0 {
                let detail = "may not be 0 when `maxSurge` is 0";
                errors.invalid(unavailable_path, shown(unavailable), detail);
            }
            at_most_100_percent(unavailable, &unavailable_path, errors);
        }
        (other, rolling) => {
            strategy_type(other, rolling, &["Recreate", "RollingUpdate"], path, errors)
        }
    }
}

/// A strategy that does not exist; the API server shows all of it as its own structure.
fn strategy_type(
    kind: &str,
    rolling: Option<&Value>,
    supported: &[&str],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let rolling_text = match rolling {
        None => "null".to_owned(),
        Some(rolling) => {
            let (unavailable, surge) = (rolling.sub("maxUnavailable"), rolling.sub("maxSurge"));
            let (unavailable, surge) = (shown(unavailable), shown(surge));
            format!("{{\"MaxUnavailable\":{unavailable},\"MaxSurge\":{surge}}}")
        }
    };
    let text = format!("{{\"Type\":{},\"RollingUpdate\":{rolling_text}}}", json!(kind));
    errors.push(FieldError::not_supported(path, kind, supported).showing(text));
}

fn shown(value: Option<&Value>) -> Value {
    value.cloned().unwrap_or_else(|| json!(0))
}

/// Models ValidatePositiveIntOrPercent.
pub(super) fn number_or_percent(value: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    match value {
        Some(Value::String(text)) => errors.each_invalid(path, text, names::percent(text)),
        value => errors.not_negative(path, value.and_then(Value::as_i64)),
    }
}

fn percent(value: Option<&Value>) -> Option<i64> {
    let text = value?.as_str()?;
    if !names::percent(text).is_empty() {
        return None;
    }
    Some(text.trim_end_matches('%').parse().unwrap_or(i64::MAX))
}

/// Models getIntOrPercentValue.
fn amount(value: Option<&Value>) -> i64 {
    let number = || match value? {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64(),
    };
    percent(value).or_else(number).unwrap_or_default()
}

/// Models IsNotMoreThan100Percent.
pub(super) fn at_most_100_percent(value: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    if percent(value).is_some_and(|percent| percent > 100) {
        errors.invalid(path, shown(value), "must not be greater than 100%");
    }
}

/// Models ValidateDaemonSetSpec.
fn daemon_set(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let template = spec.sub("template").unwrap_or(&null);
    let template_path = path.child("template");
    let selector_path = path.child("selector");
    let selector = spec.sub("selector");
    label_selector(selector, &selector_path, errors);
    if selector.is_none_or(is_readable) {
        let selector = Selector::from_label_selector(selector);
        template_labels(selector, template, &template_path, errors);
    }
    if selector.is_some_and(is_empty) {
        errors.invalid(selector_path, json!({}), "empty selector is invalid for daemonset");
    }
    pod::template(template, &template_path, errors);
    always_running(template, "DaemonSet", &template_path, errors);
    errors.not_negative(&path.child("minReadySeconds"), spec.int("minReadySeconds"));
    daemon_set_strategy(spec, &path.child("updateStrategy"), errors);
    errors.not_negative(&path.child("revisionHistoryLimit"), spec.int("revisionHistoryLimit"));
}

/// Models ValidateDaemonSetUpdateStrategy.
fn daemon_set_strategy(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let strategy = spec.sub("updateStrategy").unwrap_or(&null);
    let rolling_path = path.child("rollingUpdate");
    match (strategy.text("type"), strategy.sub("rollingUpdate")) {
        ("OnDelete", _) => {}
        ("RollingUpdate", None) => errors.required(rolling_path, ""),
        ("RollingUpdate", Some(rolling)) => {
            let unavailable_path = rolling_path.child("maxUnavailable");
            let surge_path = rolling_path.child("maxSurge");
            let (unavailable, surge) = (rolling.sub("maxUnavailable"), rolling.sub("maxSurge"));
            number_or_percent(unavailable, &unavailable_path, errors);
            number_or_percent(surge, &surge_path, errors);
            at_most_100_percent(unavailable, &unavailable_path, errors);
            at_most_100_percent(surge, &surge_path, errors);
            match (amount(unavailable) != 0, amount(surge) != 0) {
                (true, true) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    errors.invalid(surge_path, shown(surge), detail);
                }
                (false, false) => {
                    errors.required(unavailable_path, "cannot be 0 when maxSurge is 0");
                }
                _ => {}
            }
        }
        (other, rolling) => {
            strategy_type(other, rolling, &["RollingUpdate", "OnDelete"], path, errors);
        }
    }
}

/// Models ValidateStatefulSetSpec.
#[inline(never)]
fn stateful_set(spec: &Value, is_new: bool, path: &Path<'_>, errors: &mut Errors) {
    let management = spec.text("podManagementPolicy");
    if management.is_empty() {
        errors.required(path.child("podManagementPolicy"), "");
    } else if !["OrderedReady", "Parallel"].contains(&management) {
        let detail = "must be 'OrderedReady' or 'Parallel'";
        errors.invalid(path.child("podManagementPolicy"), management, detail);
    }
    stateful_set_strategy(spec, &path.child("updateStrategy"), errors);
    let retention_path = path.child("persistentVolumeClaimRetentionPolicy");
    if let Some(retention) = spec.sub("persistentVolumeClaimRetentionPolicy") {
        for field in ["whenDeleted", "whenScaled"] {
            let policy = retention.text(field);
            if !["Retain", "Delete"].contains(&policy) {
                let path = retention_path.child(field);
                errors.not_supported(path, policy, &["Retain", "Delete"]);
            }
        }
    }
    if is_new {
        let null = Value::Null;
        let list = path.child("volumeClaimTemplates");
        for (index, claim) in spec.list("volumeClaimTemplates").iter().enumerate() {
            let path = list.index(index);
            claims::spec(claim.sub("spec").unwrap_or(&null), &path.child("spec"), errors);
        }
    }
    errors.not_negative(&path.child("replicas"), spec.int("replicas"));
    errors.not_negative(&path.child("minReadySeconds"), spec.int("minReadySeconds"));
    let start = spec.sub("ordinals").and_then(|ordinals| ordinals.int("start"));
    errors.not_negative(&path.child("ordinals.start"), start);
    let service = spec.text("serviceName");
    if is_new && !service.is_empty() {
        errors.each_invalid(&path.child("serviceName"), service, names::dns_label(service));
    }
    let template_path = path.child("template");
    if selector(spec, "statefulset", path, errors) {
        stateful_set_template(spec, &template_path, errors);
    }
    let template = spec.sub("template").cloned().unwrap_or_default();
    always_running(&template, "StatefulSet", &template_path, errors);
}

/// The template, as its pods will be: with the volumes of the claims, without the names that the
/// controller gives.
#[inline(never)]
fn stateful_set_template(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let mut template = spec.sub("template").cloned().unwrap_or_default();
    if !spec.sub("selector").is_some_and(is_empty) {
        let selector = Selector::from_label_selector(spec.sub("selector"));
        template_labels(selector, &template, path, errors);
    }
    template.remove(&["spec", "subdomain"]);
    template.remove(&["spec", "hostname"]);
    let claims: Vec<&str> = spec
        .list("volumeClaimTemplates")
        .iter()
        .filter_map(|claim| claim.sub("metadata").map(|meta| meta.text("name")))
        .collect();
    if !claims.is_empty() {
        let mut volumes: Vec<Value> = claims
            .iter()
            .map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}))
            .collect();
        let own = template.sub("spec").map_or(&[] as &[Value], |spec| spec.list("volumes"));
        volumes.extend(own.iter().filter(|one| !claims.contains(&one.text("name"))).cloned());
        template.put(&["spec", "volumes"], volumes);
    }
    pod::template(&template, path, errors);
    let null = Value::Null;
    let meta = template.sub("metadata").unwrap_or(&null);
    object_meta::labels(meta.sub("labels"), &path.child("labels"), errors);
    object_meta::annotations(meta.sub("annotations"), &path.child("annotations"), errors);
}

#[inline(never)]
fn stateful_set_strategy(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let strategy = spec.sub("updateStrategy").unwrap_or(&null);
    let rolling_path = path.child("rollingUpdate");
    match (strategy.text("type"), strategy.sub("rollingUpdate")) {
        ("", _) => errors.required(path, ""),
        ("OnDelete", Some(rolling)) => {
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            let text = go_structs::compact("RollingUpdateStatefulSetStrategy", rolling);
            let error = FieldError::invalid(rolling_path, rolling.clone(), detail);
            errors.push(error.showing(text));
        }
        ("RollingUpdate", Some(rolling)) => {
            errors.not_negative(&rolling_path.child("partition"), rolling.int("partition"));
            let unavailable = rolling.sub("maxUnavailable");
            let path = rolling_path.child("maxUnavailable");
            if unavailable.is_some() {
                number_or_percent(unavailable, &path, errors);
                if amount(unavailable) == 0 {
                    errors.invalid(path, shown(unavailable), "cannot be 0");
                }
                at_most_100_percent(unavailable, &path, errors);
            }
        }
        ("OnDelete" | "RollingUpdate", None) => {}
        _ => {
            let text = go_structs::compact("StatefulSetUpdateStrategy", strategy);
            let detail = "must be 'RollingUpdate' or 'OnDelete'";
            errors.push(FieldError::invalid(path, strategy.clone(), detail).showing(text));
        }
    }
}

/// Models the end of ValidateStatefulSetUpdate.
#[inline(never)]
fn stateful_set_stays(spec: &Value, old: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MAY_CHANGE: [&str; 7] = [
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    ];
    let rest = |spec: &Value| {
        let mut rest = spec.clone();
        for field in MAY_CHANGE {
            rest.remove(&[field]);
        }
        rest
    };
    if !same(Some(&rest(spec)), Some(&rest(old))) {
        let (last, others) = ("minReadySeconds", MAY_CHANGE.len() - 1);
        let list: Vec<String> =
            MAY_CHANGE.iter().take(others).map(|field| format!("'{field}'")).collect();
        let detail = format!(
            "updates to statefulset spec for fields other than {} and '{last}' are forbidden",
            list.join(", ")
        );
        errors.forbidden(path, detail);
    }
}

/// Models pkg/apis/core/validation/validation.go ValidateReplicationControllerSpec.
#[inline(never)]
fn replication_controller(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    errors.not_negative(&path.child("minReadySeconds"), spec.int("minReadySeconds"));
    let selects = spec.map("selector").next().is_some();
    if !selects {
        errors.required(path.child("selector"), "");
    }
    match spec.int("replicas") {
        None => errors.required(path.child("replicas"), ""),
        replicas => errors.not_negative(&path.child("replicas"), replicas),
    }
    let path = path.child("template");
    let Some(template) = spec.sub("template") else {
        errors.required(path, "");
        return;
    };
    if selects {
        let selector = Selector::from_map(spec.sub("selector"));
        template_labels(Some(selector), template, &path, errors);
    }
    pod::template(template, &path, errors);
    always_running(template, "ReplicationController", &path, errors);
}
