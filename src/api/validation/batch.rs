//! Jobs and CronJobs.
//!
//! Models pkg/apis/batch/validation/validation.go.

use super::path::{Errors, Fields as _, Path, Report as _, immutable, same};
use super::selectors::label_selector;
use super::workloads::{is_readable, template_labels};
use super::{cron, go_structs, job_policies, names, object_meta, pod};
use crate::api::tree::TreeMut as _;
use crate::api::{FieldError, Selector, Value};
use serde_json::json;

const INDEXED: &str = "Indexed";

/// Models ValidateJob and ValidateJobUpdate.
pub(super) fn job(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    generated_selector(object, spec, &path, errors);
    job_spec(spec, &path, errors);
    chosen_template(spec, &path, errors);
    indexed_name(object, spec, errors);
    if let Some(old) = old {
        job_stays(spec, old, &path, errors);
    }
}

/// Models validateGeneratedSelector: who does not choose a selector gets one.
fn generated_selector(object: &Value, spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let meta = object.sub("metadata").unwrap_or(&null);
    let Some(selector) = spec.sub("selector").filter(|_| !spec.flag("manualSelector")) else {
        return;
    };
    let (uid, name) = (meta.text("uid"), meta.text("name"));
    if uid.is_empty() {
        errors.required(Path::root("metadata").child("uid"), "");
    }
    let template = spec.sub("template").and_then(|template| template.sub("metadata"));
    let labels = template.and_then(|meta| meta.sub("labels"));
    let labels_path = path.child("template");
    let labels_path = labels_path.child("metadata");
    let labels_path = labels_path.child("labels");
    let expected = [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ];
    for (key, value) in expected {
        object_meta::has_label(labels, &labels_path, key, value, errors);
    }
    if is_readable(selector) {
        let labels: serde_json::Map<String, Value> =
            expected.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        let template = json!({"metadata": {"labels": labels}});
        let mut mismatch = Errors::new();
        let selector_value = Selector::from_label_selector(Some(selector));
        template_labels(selector_value, &template, path, &mut mismatch);
        if !mismatch.is_empty() {
            let error = FieldError::invalid(
                path.child("selector"),
                selector.clone(),
                "`selector` not auto-generated",
            );
            errors.push(error.showing(go_structs::label_selector(selector)));
        }
    }
}

/// The second half of ValidateJobSpec.
fn chosen_template(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let selector = spec.sub("selector");
    match selector {
        None => errors.required(path.child("selector"), ""),
        selector => label_selector(selector, &path.child("selector"), errors),
    }
    if selector.is_none_or(is_readable) {
        let template = spec.sub("template").unwrap_or(&null);
        let selector = Selector::from_label_selector(selector);
        template_labels(selector, template, &path.child("template"), errors);
    }
}

#[inline(never)]
fn indexed_name(object: &Value, spec: &Value, errors: &mut Errors) {
    let completions = spec.int("completions").unwrap_or_default();
    if spec.text("completionMode") != INDEXED || completions <= 0 {
        return;
    }
    let name = object.sub("metadata").map_or("", |meta| meta.text("name"));
    let hostname = format!("{name}-{}", completions - 1);
    if !names::dns_label(&hostname).is_empty() {
        let detail = format!("will not able to create pod with invalid DNS label: {hostname}");
        errors.invalid(Path::root("metadata").child("name"), name, detail);
    }
}

/// Models validateJobSpec.
fn job_spec(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        errors.not_negative(&path.child(field), spec.int(field));
    }
    let (per_index, most_failed) = (spec.int("backoffLimitPerIndex"), spec.int("maxFailedIndexes"));
    if most_failed.is_some() && per_index.is_none() {
        errors.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    managed_by(spec, &path.child("managedBy"), errors);
    let mode = spec.text("completionMode");
    if !["", "NonIndexed", INDEXED].contains(&mode) {
        errors.not_supported(path.child("completionMode"), mode, &["NonIndexed", INDEXED]);
    }
    if mode == INDEXED {
        indexed(spec, path, errors);
    }
    if mode.is_empty() || mode == "NonIndexed" {
        for (field, value) in
            [("backoffLimitPerIndex", per_index), ("maxFailedIndexes", most_failed)]
        {
            if let Some(value) = value {
                errors.invalid(path.child(field), value, "requires indexed completion mode");
            }
        }
    }
    job_policies::policies(spec, path, errors);
    let null = Value::Null;
    let template = spec.sub("template").unwrap_or(&null);
    pod::template(template, &path.child("template"), errors);
    restart_policy(spec, template, path, errors);
}

fn restart_policy(spec: &Value, template: &Value, path: &Path<'_>, errors: &mut Errors) {
    let policy = template.sub("spec").map_or("", |spec| spec.text("restartPolicy"));
    let path = path.child("template");
    let path = path.child("spec");
    let path = path.child("restartPolicy");
    match policy {
        "" | "Always" => errors.required(path, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if spec.sub("podFailurePolicy").is_some() => {
            let detail = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.invalid(path, policy, detail);
        }
        "OnFailure" | "Never" => {}
        _ => errors.not_supported(path, policy, &["OnFailure", "Never"]),
    }
}

#[inline(never)]
fn managed_by(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_BYTES: usize = 63;
    let Some(manager) = spec.sub("managedBy").and_then(Value::as_str) else { return };
    match manager.split_once('/') {
        _ if manager.is_empty() => errors.required(path, ""),
        Some((host, target)) if !host.is_empty() && !target.is_empty() => {
            errors.each_invalid(path, host, names::dns_subdomain(host));
            if !names::is_http_path(target) {
                errors.invalid(path, target, names::bad_http_path());
            }
        }
        _ => {
            let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            errors.invalid(path, manager, detail);
        }
    }
    if manager.len() > MOST_BYTES {
        errors.push(FieldError::too_long(path, MOST_BYTES));
    }
}

/// What an indexed Job must keep to.
#[inline(never)]
fn indexed(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_PARALLEL: i64 = 100_000;
    const MANY: i64 = 100_000;
    const MOST_OF_MANY: i64 = 10_000;
    let completions = spec.int("completions");
    let (parallel, failed) = (spec.int("parallelism"), spec.int("maxFailedIndexes"));
    if completions.is_none() {
        errors.required(path.child("completions"), "when completion mode is Indexed");
    }
    let mut at_most = |field: &str, value: Option<i64>, most: i64, detail: String| {
        if let Some(value) = value.filter(|value| *value > most) {
            errors.invalid(path.child(field), value, detail);
        }
    };
    let rest = "when completion mode is Indexed";
    let detail = format!("must be less than or equal to {MOST_PARALLEL} {rest}");
    at_most("parallelism", parallel, MOST_PARALLEL, detail);
    if let Some(completions) = completions {
        let detail = "must be less than or equal to completions".to_owned();
        at_most("maxFailedIndexes", failed, completions, detail);
    }
    let detail = format!("must be less than or equal to {MOST_PARALLEL}");
    at_most("maxFailedIndexes", failed, MOST_PARALLEL, detail);
    let is_many = completions.is_some_and(|completions| completions > MANY);
    if is_many && spec.int("backoffLimitPerIndex").is_some() {
        let rest = format!(
            "must be less than or equal to {MOST_OF_MANY} when completions are above {MANY} and \
             used with backoff limit per index"
        );
        at_most("parallelism", parallel, MOST_OF_MANY, rest.clone());
        at_most("maxFailedIndexes", failed, MOST_OF_MANY, rest);
        if failed.is_none() {
            let detail = format!("must be specified when completions is above {MANY}");
            errors.required(path.child("maxFailedIndexes"), &detail);
        }
    }
}

/// Models ValidateJobSpecUpdate.
#[inline(never)]
fn job_stays(spec: &Value, old_job: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let old = old_job.sub("spec").unwrap_or(&null);
    let completions_path = path.child("completions");
    if spec.text("completionMode") != INDEXED {
        immutable(spec.sub("completions"), old.sub("completions"), &completions_path, errors);
    } else if let Some(completions) = spec.int("completions")
        && old.int("completions") != Some(completions)
        && spec.int("parallelism") != Some(completions)
    {
        let detail = "can only be modified in tandem with spec.parallelism";
        errors.invalid(completions_path, completions, detail);
    }
    let before = errors.len();
    immutable(spec.sub("selector"), old.sub("selector"), &path.child("selector"), errors);
    if let (Some(selector), true) = (spec.sub("selector"), errors.len() > before)
        && let Some(error) = errors.pop()
    {
        errors.push(error.showing(go_structs::label_selector(selector)));
    }
    template_stays(spec, old_job, old, &path.child("template"), errors);
    for field in
        ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
    {
        immutable(spec.sub(field), old.sub(field), &path.child(field), errors);
    }
}

/// The template of a Job that has not started may say anew where its pods run and what they need.
///
/// Models validatePodTemplateUpdate.
#[inline(never)]
fn template_stays(
    spec: &Value,
    old_job: &Value,
    old: &Value,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    let null = Value::Null;
    let template = spec.sub("template").unwrap_or(&null);
    let mut allowed = old.sub("template").cloned().unwrap_or_default();
    let started = old_job.sub("status").is_some_and(|status| status.sub("startTime").is_some());
    let waits = old.flag("suspend") && !started;
    if waits {
        let own = |path: [&str; 2]| template.sub(path[0]).and_then(|one| one.sub(path[1]));
        for field in [
            ["spec", "nodeSelector"],
            ["spec", "tolerations"],
            ["spec", "schedulingGates"],
            ["metadata", "annotations"],
            ["metadata", "labels"],
        ] {
            allowed.put(&field, own(field).cloned().unwrap_or_default());
        }
        let affinity = own(["spec", "affinity"]).and_then(|one| one.sub("nodeAffinity"));
        if affinity.is_some() || allowed.sub("spec").is_some_and(|s| s.sub("affinity").is_some()) {
            let affinity = affinity.cloned().unwrap_or_default();
            allowed.put(&["spec", "affinity", "nodeAffinity"], affinity);
        }
        copy_resources(template, &mut allowed);
    }
    if same(Some(template), Some(&allowed)) {
        return;
    }
    let (path_text, shown) = if old.flag("suspend") && waits {
        let spec = template.sub("spec").unwrap_or(&null);
        (String::from(path.child("spec")), go_structs::compact("PodSpec", spec))
    } else {
        (String::from(path), go_structs::pod_template(template))
    };
    let error = FieldError::invalid(path_text, template.clone(), super::path::IMMUTABLE);
    errors.push(error.showing(shown));
}

fn copy_resources(template: &Value, allowed: &mut Value) {
    let null = Value::Null;
    let spec = template.sub("spec").unwrap_or(&null);
    for list in ["containers", "initContainers"] {
        let target = allowed.entry(&["spec", list]).as_array_mut();
        let Some(target) = target.filter(|target| target.len() == spec.list(list).len()) else {
            continue;
        };
        for (new, old) in spec.list(list).iter().zip(target) {
            if new.text("name") == old.text("name") {
                old.put(&["resources"], new.sub("resources").cloned().unwrap_or_default());
            }
        }
    }
}

/// Models ValidateCronJobCreate and ValidateCronJobUpdate.
pub(super) fn cron_job(object: &Value, old: Option<&Value>, errors: &mut Errors) {
    const LONGEST_NAME: usize = 52;
    let null = Value::Null;
    let spec = object.sub("spec").unwrap_or(&null);
    let path = Path::root("spec");
    schedule(spec, old, &path.child("schedule"), errors);
    errors
        .not_negative(&path.child("startingDeadlineSeconds"), spec.int("startingDeadlineSeconds"));
    time_zone(spec, &path.child("timeZone"), errors);
    let policies = ["Allow", "Forbid", "Replace"];
    pod::one_of(spec, "concurrencyPolicy", &policies, &path, errors);
    job_template(spec, &path.child("jobTemplate"), errors);
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        errors.not_negative(&path.child(field), spec.int(field));
    }
    let name = object.sub("metadata").map_or("", |meta| meta.text("name"));
    if old.is_none() && name.len() > LONGEST_NAME {
        let detail = names::longer_than(LONGEST_NAME);
        errors.invalid(Path::root("metadata").child("name"), name, detail);
    }
}

/// Models validateScheduleFormat.
fn schedule(spec: &Value, old: Option<&Value>, path: &Path<'_>, errors: &mut Errors) {
    let schedule = spec.text("schedule");
    if schedule.is_empty() {
        errors.required(path, "");
        return;
    }
    if let Err(problem) = cron::check(schedule) {
        errors.invalid(path, schedule, problem);
    }
    if !schedule.contains("TZ") {
        return;
    }
    let old_spec = old.and_then(|old| old.sub("spec"));
    if !old_spec.is_some_and(|old| old.text("schedule").contains("TZ")) {
        let detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        errors.invalid(path, schedule, detail);
    } else if spec.sub("timeZone").is_some() {
        let detail = "cannot use both timeZone field and TZ or CRON_TZ in schedule";
        errors.invalid(path, schedule, detail);
    }
}

/// Models validateTimeZone.
///
/// Simplified: the model has no time zones, so any well-formed name is a time zone.
fn time_zone(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let Some(zone) = spec.sub("timeZone").and_then(Value::as_str) else { return };
    if zone.is_empty() {
        errors.invalid(path, zone, "timeZone must be nil or non-empty string");
        return;
    }
    let is_part = |part: &str| {
        let in_class = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
        (1..=14).contains(&part.len())
            && ![".", ".."].contains(&part)
            && !part.starts_with('-')
            && part.bytes().all(in_class)
    };
    if !zone.split('/').all(is_part) {
        errors.invalid(path, zone, format!("unknown time zone {zone}"));
    } else if zone.eq_ignore_ascii_case("local") {
        let detail = "timeZone must be an explicit time zone as defined in \
                      https://www.iana.org/time-zones";
        errors.invalid(path, zone, detail);
    }
}

/// Models ValidateJobTemplateSpec.
fn job_template(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let null = Value::Null;
    let job = spec.sub("jobTemplate").and_then(|template| template.sub("spec")).unwrap_or(&null);
    let path = path.child("spec");
    job_spec(job, &path, errors);
    if let Some(selector) = job.sub("selector") {
        let detail = "`selector` will be auto-generated";
        let error = FieldError::invalid(path.child("selector"), selector.clone(), detail);
        errors.push(error.showing(go_structs::label_selector(selector)));
    }
    if job.flag("manualSelector") {
        errors.not_supported(path.child("manualSelector"), true, &["nil", "false"]);
    }
}
