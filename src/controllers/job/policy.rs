//! What a Job itself says about when its pods have failed, and when enough have succeeded.
//!
//! Models pkg/controller/job/pod_failure_policy.go and success_policy.go.

use super::indexes::Indexes;
use crate::api::pod::{Container, ContainerState, ContainerStatus, Pod};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};

/// What the rule that matches a failed pod says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The failure does not count.
    Ignore,
    /// It counts as ever.
    Count,
    /// Its index has failed for good.
    FailIndex,
    /// The whole Job has failed, for this reason.
    FailJob(String),
}

/// What the first matching rule of `spec.podFailurePolicy` says of a failed pod; `None` if none
/// matches.
pub(super) fn failure_action(job: &Object, failed: &Object) -> Option<Action> {
    let rules = job.spec().items_at(&["podFailurePolicy", "rules"]);
    rules.iter().enumerate().find_map(|(number, rule)| {
        let what = match rule.get("onExitCodes").filter(|codes| !codes.is_null()) {
            Some(codes) => matching_container(failed, codes)?,
            None => matching_condition(failed, rule.items_at(&["onPodConditions"]))?,
        };
        match rule.str_at(&["action"])? {
            "Ignore" => Some(Action::Ignore),
            "Count" => Some(Action::Count),
            "FailIndex" => Some(Action::FailIndex),
            "FailJob" => {
                Some(Action::FailJob(format!("{what} matching FailJob rule at index {number}")))
            }
            _ => None,
        }
    })
}

/// The container that ended as a rule says, in the words of the Job's condition.
fn matching_container(object: &Object, codes: &Value) -> Option<String> {
    let pod = object.pod()?;
    let Pod { spec, status, .. } = pod;
    let of = |containers: &'_ [Container], statuses: &'_ [ContainerStatus]| {
        containers.iter().zip(statuses).find_map(|(container, status)| {
            let ContainerState::Terminated { exit_code, .. } = status.state else { return None };
            let named = codes.str_at(&["containerName"]).is_none_or(|name| name == container.name);
            let among =
                codes.items_at(&["values"]).iter().any(|value| value == &Value::from(exit_code));
            let wanted = match codes.str_at(&["operator"]) {
                Some("In") => among,
                Some("NotIn") => !among,
                _ => false,
            };
            (named && exit_code != 0 && wanted).then(|| (container.name.clone(), exit_code))
        })
    };
    let (container, code) = of(&spec.containers, &status.containers)
        .or_else(|| of(&spec.init_containers, &status.init_containers))?;
    let meta = &object.meta;
    Some(format!(
        "Container {container} for pod {}/{} failed with exit code {code}",
        meta.namespace, meta.name
    ))
}

/// The condition that a rule names, in the words of the Job's condition.
fn matching_condition(object: &Object, patterns: &[Value]) -> Option<String> {
    let matches = |name: &str, status: &str| {
        patterns.iter().any(|pattern| {
            pattern.str_at(&["type"]) == Some(name) && pattern.str_at(&["status"]) == Some(status)
        })
    };
    let found = object.pod()?.status.conditions.iter().find(|condition| {
        matches(condition.condition_type.name(), if condition.status { "True" } else { "False" })
    })?;
    let (meta, name) = (&object.meta, found.condition_type.name());
    Some(format!("Pod {}/{} has condition {name}", meta.namespace, meta.name))
}

/// Which rule of `spec.successPolicy` the succeeded indexes meet, in the words of the Job's
/// condition.
pub(super) fn success(job: &Object, completions: i64, succeeded: &Indexes) -> Option<String> {
    if succeeded.is_empty() {
        return None;
    }
    let rules = job.spec().items_at(&["successPolicy", "rules"]);
    let met = |rule: &Value| {
        let enough = rule.int_at(&["succeededCount"]);
        match rule.str_at(&["succeededIndexes"]) {
            Some(text) => {
                let wanted = Indexes::parse(text, completions);
                let shared = wanted.shared(succeeded);
                !wanted.is_empty()
                    && (shared == wanted.count() || enough.is_some_and(|enough| shared >= enough))
            }
            None => enough.is_some_and(|enough| succeeded.count() >= enough),
        }
    };
    let number = rules.iter().position(met)?;
    Some(format!("Matched rules at index {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use serde_json::json;

    fn failed_pod(exit_code: i32, condition: Option<&str>) -> Object {
        let terminated = json!({"terminated": {"exitCode": exit_code, "reason": "Error"}});
        let conditions = condition.map(|name| json!({"type": name, "status": "True"}));
        Object::from_value(
            Kind::Pod,
            json!({
                "metadata": {"name": "p", "namespace": "n"},
                "spec": {"containers": [
                    {"name": "sidecar", "image": "a"}, {"name": "main", "image": "b"},
                ]},
                "status": {
                    "phase": "Failed",
                    "conditions": conditions.into_iter().collect::<Vec<_>>(),
                    "containerStatuses": [
                        {"name": "sidecar", "state": {"terminated": {"exitCode": 0}}},
                        {"name": "main", "state": terminated},
                    ],
                },
            }),
        )
    }

    fn job(spec: Value) -> Object {
        Object::from_value(Kind::Job, json!({"metadata": {"name": "j"}, "spec": spec}))
    }

    /// Texts from pkg/controller/job/pod_failure_policy_test.go.
    #[test]
    fn the_first_rule_that_matches_a_failed_pod_decides() {
        let on = |action: &str, codes: Value| json!({"action": action, "onExitCodes": codes});
        let disrupted = json!({"action": "Ignore", "onPodConditions": [
            {"type": "DisruptionTarget", "status": "True"},
        ]});
        let fatal = on("FailJob", json!({"operator": "In", "values": [2, 3]}));
        let other = on("FailIndex", json!({"operator": "NotIn", "values": [7]}));
        let elsewhere =
            on("FailJob", json!({"containerName": "sidecar", "operator": "NotIn", "values": [1]}));
        let says = "Container main for pod n/p failed with exit code 2 matching FailJob rule at \
                    index 1";
        let cases = [
            (vec![], 2, None, None),
            (vec![other.clone(), fatal.clone()], 7, None, None),
            (vec![other.clone(), fatal.clone()], 2, None, Some(Action::FailIndex)),
            (vec![disrupted.clone(), fatal], 2, None, Some(Action::FailJob(says.to_owned()))),
            (vec![disrupted, other], 2, Some("DisruptionTarget"), Some(Action::Ignore)),
            (vec![elsewhere], 2, None, None),
        ];
        for (rules, code, condition, expected) in cases {
            let job = job(json!({"podFailurePolicy": {"rules": rules}}));
            assert_eq!(failure_action(&job, &failed_pod(code, condition)), expected, "{code}");
        }
    }

    /// Cases from pkg/controller/job/success_policy_test.go.
    #[test]
    fn a_job_succeeds_with_the_indexes_or_the_number_that_a_rule_asks_for() {
        let first = || Some("Matched rules at index 0".to_owned());
        let cases = [
            (json!([{"succeededIndexes": "0-2"}]), "0-2", first()),
            (json!([{"succeededIndexes": "0-2"}]), "0,2", None),
            (json!([{"succeededIndexes": "0-4", "succeededCount": 2}]), "1,4", first()),
            (json!([{"succeededIndexes": "0-4", "succeededCount": 2}]), "1,7", None),
            (json!([{"succeededCount": 1}]), "", None),
            (json!([{"succeededCount": 3}]), "1,3,9", first()),
            (json!([{"succeededIndexes": "9"}, {"succeededCount": 1}]), "3", {
                Some("Matched rules at index 1".to_owned())
            }),
        ];
        for (rules, succeeded, expected) in cases {
            let job = job(json!({"successPolicy": {"rules": rules.clone()}}));
            let succeeded = Indexes::parse(succeeded, 10);
            assert_eq!(success(&job, 10, &succeeded), expected, "{rules}");
        }
    }
}
