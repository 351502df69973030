//! Pods and pod templates.

use super::{Printer, Sight, containers, int, map_text, name, text};
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use crate::base::time::human_duration;

pub(super) const POD: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("READY", false),
        ("STATUS", false),
        ("RESTARTS", false),
        ("AGE", false),
        ("IP", true),
        ("NODE", true),
        ("NOMINATED NODE", true),
        ("READINESS GATES", true),
    ],
    row: pod,
};

pub(super) const POD_TEMPLATE: Printer = Printer {
    columns: &[("NAME", false), ("CONTAINERS", false), ("IMAGES", false), ("POD LABELS", false)],
    row: |object, _| {
        let (names, images) = containers(object.at(&["template", "spec"]));
        let labels = map_text(object.at(&["template", "metadata", "labels"]), ",");
        vec![name(object), names, images, labels]
    },
};

/// What the containers say of a pod.
#[derive(Default)]
struct Summary {
    reason: String,
    ready: usize,
    restarts: i64,
    last_restart: Option<SimTime>,
}

impl Summary {
    fn count_restarts(&mut self, status: &Value) {
        self.restarts += int(status, &["restartCount"]);
        let finished = status.str_at(&["lastState", "terminated", "finishedAt"]);
        self.last_restart = self.last_restart.max(finished.and_then(SimTime::parse_rfc3339));
    }
}

fn pod(object: &Value, sight: &Sight) -> Vec<String> {
    let sidecars: Vec<&str> = object
        .items_at(&["spec", "initContainers"])
        .iter()
        .filter(|container| container.str_at(&["restartPolicy"]) == Some("Always"))
        .filter_map(|container| container.str_at(&["name"]))
        .collect();
    let total = object.items_at(&["spec", "containers"]).len() + sidecars.len();
    let summary = summary(object, &sidecars);
    let restarts = match (summary.restarts, summary.last_restart) {
        (0, _) | (_, None) => summary.restarts.to_string(),
        (count, Some(time)) => format!("{count} ({} ago)", human_duration(sight.now.since(time))),
    };
    let ready = format!("{}/{total}", summary.ready);
    let mut row = vec![name(object), ready, summary.reason, restarts, sight.age(object)];
    if sight.wide {
        let or_none = |path: &[&str]| object.str_at(path).unwrap_or("<none>").to_owned();
        row.push(or_none(&["status", "podIP"]));
        row.push(or_none(&["spec", "nodeName"]));
        row.push(or_none(&["status", "nominatedNodeName"]));
        row.push(readiness_gates(object));
    }
    row
}

fn has_condition(object: &Value, name: &str) -> bool {
    object
        .items_at(&["status", "conditions"])
        .iter()
        .any(|c| c.str_at(&["type"]) == Some(name) && c.str_at(&["status"]) == Some("True"))
}

fn readiness_gates(object: &Value) -> String {
    let gates = object.items_at(&["spec", "readinessGates"]);
    let passed =
        |gate: &&Value| has_condition(object, gate.str_at(&["conditionType"]).unwrap_or_default());
    match gates.len() {
        0 => "<none>".to_owned(),
        total => format!("{}/{total}", gates.iter().filter(passed).count()),
    }
}

/// Models pkg/printers/internalversion/printers.go printPod.
fn summary(object: &Value, sidecars: &[&str]) -> Summary {
    let phase = text(object, &["status", "phase"]);
    let mut summary = Summary { reason: phase.clone(), ..Summary::default() };
    if let Some(reason) = object.str_at(&["status", "reason"]).filter(|reason| !reason.is_empty()) {
        reason.clone_into(&mut summary.reason);
    }
    let gated = object.items_at(&["status", "conditions"]).iter().any(|condition| {
        condition.str_at(&["type"]) == Some("PodScheduled")
            && condition.str_at(&["reason"]) == Some("SchedulingGated")
    });
    if gated {
        summary.reason = "SchedulingGated".to_owned();
    }
    let mut of_sidecars = Summary::default();
    let initializing = init_containers(object, sidecars, &mut summary, &mut of_sidecars);
    if !initializing || has_condition(object, "Initialized") {
        summary.restarts = of_sidecars.restarts;
        summary.last_restart = of_sidecars.last_restart;
        main_containers(object, &mut summary);
    }
    let terminating = object.at(&["metadata", "deletionTimestamp"]).is_some();
    let lost = object.str_at(&["status", "reason"]) == Some("NodeLost");
    if terminating && lost {
        summary.reason = "Unknown".to_owned();
    } else if terminating && !matches!(phase.as_str(), "Succeeded" | "Failed") {
        summary.reason = "Terminating".to_owned();
    }
    summary
}

/// Whether the init containers are still at it or have failed.
fn init_containers(
    object: &Value,
    sidecars: &[&str],
    summary: &mut Summary,
    of_sidecars: &mut Summary,
) -> bool {
    let total = object.items_at(&["spec", "initContainers"]).len();
    let statuses = object.items_at(&["status", "initContainerStatuses"]);
    for (index, status) in statuses.iter().enumerate() {
        summary.count_restarts(status);
        let sidecar = sidecars.contains(&status.str_at(&["name"]).unwrap_or_default());
        if sidecar {
            of_sidecars.count_restarts(status);
        }
        let terminated = status.at(&["state", "terminated"]);
        if terminated.is_some_and(|state| int(state, &["exitCode"]) == 0) {
            continue;
        }
        if sidecar && status.bool_at(&["started"]) == Some(true) {
            summary.ready += usize::from(status.bool_at(&["ready"]) == Some(true));
            continue;
        }
        let waiting = status.str_at(&["state", "waiting", "reason"]);
        summary.reason = match (terminated, waiting) {
            (Some(state), _) => format!("Init:{}", end_reason(state)),
            (None, Some(reason)) if reason != "PodInitializing" => format!("Init:{reason}"),
            _ => format!("Init:{index}/{total}"),
        };
        return true;
    }
    false
}

fn end_reason(terminated: &Value) -> String {
    match (terminated.str_at(&["reason"]), int(terminated, &["signal"])) {
        (Some(reason), _) if !reason.is_empty() => reason.to_owned(),
        (_, 0) => format!("ExitCode:{}", int(terminated, &["exitCode"])),
        (_, signal) => format!("Signal:{signal}"),
    }
}

fn main_containers(object: &Value, summary: &mut Summary) {
    let mut has_running = false;
    let mut error = String::new();
    for status in object.items_at(&["status", "containerStatuses"]).iter().rev() {
        summary.count_restarts(status);
        let waiting =
            status.str_at(&["state", "waiting", "reason"]).filter(|reason| !reason.is_empty());
        if let Some(reason) = waiting {
            reason.clone_into(&mut summary.reason);
        } else if let Some(terminated) = status.at(&["state", "terminated"]) {
            summary.reason = end_reason(terminated);
            if int(terminated, &["exitCode"]) != 0 {
                error.clone_from(&summary.reason);
            }
        } else if status.bool_at(&["ready"]) == Some(true)
            && status.at(&["state", "running"]).is_some()
        {
            has_running = true;
            summary.ready += 1;
        }
    }
    if summary.reason == "Completed" {
        if has_running && has_condition(object, "Ready") {
            summary.reason = "Running".to_owned();
        } else if !error.is_empty() {
            summary.reason = error;
        } else if has_running {
            summary.reason = "NotReady".to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(status: Value) -> (String, String, String) {
        let object = json!({
            "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]},
            "status": status,
        });
        let sight =
            Sight { now: SimTime::WORLD_START + core::time::Duration::from_secs(90), wide: false };
        let row = pod(&object, &sight);
        (row[1].clone(), row[2].clone(), row[3].clone())
    }

    #[test]
    fn the_status_of_a_pod_is_its_most_telling_container() {
        let ended =
            |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
        let running =
            json!({"name": "b", "ready": true, "restartCount": 0, "state": {"running": {}}});
        let cases = [
            (json!({"phase": "Pending"}), ("0/2", "Pending", "0")),
            (json!({"phase": "Failed", "reason": "Evicted"}), ("0/2", "Evicted", "0")),
            (
                json!({"phase": "Pending", "initContainerStatuses": [
                    {"name": "i", "state": {"running": {}}, "restartCount": 0}]}),
                ("0/2", "Init:0/1", "0"),
            ),
            (
                json!({"phase": "Pending", "initContainerStatuses": [
                    {"name": "i", "state": ended(1, "Error"), "restartCount": 2,
                     "lastState": {"terminated": {"finishedAt": "2026-01-01T00:01:00Z"}}}]}),
                ("0/2", "Init:Error", "2 (30s ago)"),
            ),
            (
                json!({"phase": "Running", "containerStatuses": [
                    {"name": "a", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3}, running]}),
                ("1/2", "CrashLoopBackOff", "3"),
            ),
            (
                json!({"phase": "Running", "containerStatuses": [
                    {"name": "a", "state": ended(0, "Completed"), "restartCount": 0}, running]}),
                ("1/2", "NotReady", "0"),
            ),
            (
                json!({"phase": "Failed", "containerStatuses": [
                    {"name": "a", "state": ended(0, "Completed"), "restartCount": 0},
                    {"name": "b", "state": ended(7, ""), "restartCount": 0}]}),
                ("0/2", "ExitCode:7", "0"),
            ),
        ];
        for (status, (ready, reason, restarts)) in cases {
            let wanted = (ready.to_owned(), reason.to_owned(), restarts.to_owned());
            assert_eq!(shown(status.clone()), wanted, "{status}");
        }
    }
}
