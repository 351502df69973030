//! When a Job counts as failed or done, if it says so itself.

use super::path::{Errors, Fields as _, Path, Report as _};
use super::{go_structs, names};
use crate::api::{FieldError, FieldErrorType, Value};
use serde_json::json;

const MOST_RULES: usize = 20;
const MOST_EXIT_CODES: usize = 255;
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

/// An error that does not show its value.
fn without_value(path: &Path<'_>, detail: &str) -> FieldError {
    let error = FieldError::forbidden(path, detail);
    FieldError { error_type: FieldErrorType::Invalid, shown: Some(String::new()), ..error }
}

/// The policies of a Job's specification.
pub(super) fn policies(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let failure = spec.sub("podFailurePolicy");
    if let Some(policy) = failure {
        failure_policy(spec, policy, &path.child("podFailurePolicy"), errors);
    }
    if let Some(policy) = spec.sub("successPolicy") {
        let path = path.child("successPolicy");
        if spec.text("completionMode") == "Indexed" {
            success_policy(spec, policy, &path, errors);
        } else {
            let shown = go_structs::compact("SuccessPolicy", policy);
            let error =
                FieldError::invalid(path, policy.clone(), "requires indexed completion mode");
            errors.push(error.showing(shown));
        }
    }
    if let Some(policy) = spec.sub("podReplacementPolicy").and_then(Value::as_str) {
        let supported: &[&str] =
            if failure.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
        if !supported.contains(&policy) {
            errors.not_supported(path.child("podReplacementPolicy"), policy, supported);
        }
    }
}

/// Models validatePodFailurePolicy.
fn failure_policy(spec: &Value, policy: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("rules");
    let rules = policy.list("rules");
    if rules.len() > MOST_RULES {
        errors.push(FieldError::too_many(list, rules.len(), MOST_RULES));
    }
    for (index, rule) in rules.iter().enumerate() {
        let path = list.index(index);
        let action = rule.text("action");
        let action_path = path.child("action");
        if action.is_empty() {
            let quoted: Vec<String> = ACTIONS.iter().map(|one| format!("\"{one}\"")).collect();
            errors.required(action_path, &format!("valid values: [{}]", quoted.join(" ")));
        } else if !ACTIONS.contains(&action) {
            errors.not_supported(action_path, action, &ACTIONS);
        } else if action == "FailIndex" && spec.int("backoffLimitPerIndex").is_none() {
            errors.invalid(action_path, action, "requires the backoffLimitPerIndex to be set");
        }
        let (codes, conditions) = (rule.sub("onExitCodes"), rule.list("onPodConditions"));
        if let Some(codes) = codes {
            exit_codes(spec, codes, &path.child("onExitCodes"), errors);
        }
        pod_conditions(conditions, &path.child("onPodConditions"), errors);
        let detail = match (codes.is_some(), !conditions.is_empty()) {
            (true, true) => "specifying both OnExitCodes and OnPodConditions is not supported",
            (false, false) => "specifying one of OnExitCodes and OnPodConditions is required",
            _ => continue,
        };
        errors.push(without_value(&path, detail));
    }
}

/// Models validatePodFailurePolicyRuleOnPodConditions.
fn pod_conditions(conditions: &[Value], path: &Path<'_>, errors: &mut Errors) {
    if conditions.len() > MOST_RULES {
        errors.push(FieldError::too_many(path, conditions.len(), MOST_RULES));
    }
    for (index, condition) in conditions.iter().enumerate() {
        let path = path.index(index);
        let kind = condition.text("type");
        errors.each_invalid(&path.child("type"), kind, names::qualified_name(kind));
        let status = condition.text("status");
        let supported = ["False", "True", "Unknown"];
        if status.is_empty() {
            let detail = "valid values: [\"False\" \"True\" \"Unknown\"]";
            errors.required(path.child("status"), detail);
        } else if !supported.contains(&status) {
            errors.not_supported(path.child("status"), status, &supported);
        }
    }
}

/// Models validatePodFailurePolicyRuleOnExitCodes.
fn exit_codes(spec: &Value, rule: &Value, path: &Path<'_>, errors: &mut Errors) {
    let operator = rule.text("operator");
    if operator.is_empty() {
        errors.required(path.child("operator"), "valid values: [\"In\" \"NotIn\"]");
    } else if !["In", "NotIn"].contains(&operator) {
        errors.not_supported(path.child("operator"), operator, &["In", "NotIn"]);
    }
    if let Some(name) = rule.sub("containerName").and_then(Value::as_str) {
        let pod = spec.sub("template").and_then(|template| template.sub("spec"));
        let lists = ["containers", "initContainers"];
        let mut containers =
            lists.iter().flat_map(|list| pod.map_or(&[] as &[Value], |pod| pod.list(list)));
        if !containers.any(|container| container.text("name") == name) {
            let detail = "must be one of the container or initContainer names in the pod template";
            errors.invalid(path.child("containerName"), name, detail);
        }
    }
    let list = path.child("values");
    let values: Vec<i64> = rule.list("values").iter().filter_map(Value::as_i64).collect();
    if values.is_empty() {
        let shown = rule.sub("values").cloned().unwrap_or_default();
        errors.invalid(list, shown, "at least one value is required");
    } else if values.len() > MOST_EXIT_CODES {
        errors.push(FieldError::too_many(list, values.len(), MOST_EXIT_CODES));
    }
    for (index, value) in values.iter().enumerate() {
        if operator == "In" && *value == 0 {
            errors.invalid(list.index(index), 0, "must not be 0 for the In operator");
        }
        if values.iter().take(index).any(|other| other == value) {
            errors.duplicate(list.index(index), *value);
        }
    }
    if !values.is_sorted() {
        errors.invalid(list, json!(values), "must be ordered");
    }
}

/// Models validateSuccessPolicy.
fn success_policy(spec: &Value, policy: &Value, path: &Path<'_>, errors: &mut Errors) {
    let list = path.child("rules");
    let rules = policy.list("rules");
    if rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.required(list, detail);
    }
    if rules.len() > MOST_RULES {
        errors.push(FieldError::too_many(list, rules.len(), MOST_RULES));
    }
    let completions = spec.int("completions").unwrap_or_default();
    for (index, rule) in rules.iter().enumerate() {
        let path = list.index(index);
        let (count, indexes) = (rule.int("succeededCount"), rule.sub("succeededIndexes"));
        if count.is_none() && indexes.is_none() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            errors.required(path, detail);
        }
        let mut total = i64::MAX;
        if let Some(text) = indexes.and_then(Value::as_str) {
            match index_count(text, completions) {
                Ok(count) => total = count,
                Err(problem) => {
                    total = 0;
                    let detail = format!("error parsing succeededIndexes: {problem}");
                    errors.invalid(path.child("succeededIndexes"), text, detail);
                }
            }
        }
        let Some(count) = count else { continue };
        let path = path.child("succeededCount");
        errors.not_negative(&path, Some(count));
        if count > completions {
            let detail = format!(
                "must be less than or equal to {completions} (the number of specified \
                 completions)"
            );
            errors.invalid(path, count, detail);
        }
        if count > total {
            let detail = format!(
                "must be less than or equal to {total} (the number of indexes in the specified \
                 succeededIndexes field)"
            );
            errors.invalid(path, count, detail);
        }
    }
}

/// How many indexes a text like `0,3-5` names.
///
/// Models validateIndexesFormat.
fn index_count(text: &str, completions: i64) -> Result<i64, String> {
    let (mut total, mut last): (i64, Option<i64>) = (0, None);
    for interval in text.split(',').filter(|_| !text.is_empty()) {
        let ends: Vec<&str> = interval.split('-').collect();
        let number = |text: &str| {
            let number = text.parse::<i64>();
            let number = number
                .map_err(|_| format!("cannot convert string to integer for index: {text:?}"))?;
            if number >= completions {
                return Err(format!("too large index: {text:?}"));
            }
            Ok(number)
        };
        let (start, end) = match ends.as_slice() {
            [one] => (number(one)?, number(one)?),
            [start, end] => (number(start)?, number(end)?),
            _ => {
                return Err(format!(
                    "the fragment {interval:?} violates the requirement that an index interval \
                     can have at most two parts separated by '-'"
                ));
            }
        };
        if let Some(last) = last.filter(|last| *last >= start) {
            return Err(format!("non-increasing order, previous: {last}, current: {start}"));
        }
        if ends.len() == 2 && end <= start {
            return Err(format!("non-increasing order, previous: {start}, current: {end}"));
        }
        total += end - start + 1;
        last = Some(end);
    }
    Ok(total)
}
