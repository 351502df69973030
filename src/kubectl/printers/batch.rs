//! Jobs and cron jobs.

use super::{Printer, containers, int, name, scalar_or, selector_text, text};
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use crate::base::time::human_duration;

pub(super) const JOB: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("STATUS", false),
        ("COMPLETIONS", false),
        ("DURATION", false),
        ("AGE", false),
        ("CONTAINERS", true),
        ("IMAGES", true),
        ("SELECTOR", true),
    ],
    row: |object, sight| {
        let done = int(object, &["status", "succeeded"]);
        let parallelism = int(object, &["spec", "parallelism"]);
        let completions = match object.int_at(&["spec", "completions"]) {
            Some(wanted) => format!("{done}/{wanted}"),
            None if parallelism > 1 => format!("{done}/1 of {parallelism}"),
            None => format!("{done}/1"),
        };
        let time = |key| object.str_at(&["status", key]).and_then(SimTime::parse_rfc3339);
        let duration = time("startTime")
            .map(|start| human_duration(time("completionTime").unwrap_or(sight.now).since(start)));
        let (names, images) = containers(object.at(&["spec", "template", "spec"]));
        vec![
            name(object),
            status(object).to_owned(),
            completions,
            duration.unwrap_or_default(),
            sight.age(object),
            names,
            images,
            selector_text(object.at(&["spec", "selector"])),
        ]
    },
};

fn status(object: &Value) -> &'static str {
    let has = |name: &str| {
        object
            .items_at(&["status", "conditions"])
            .iter()
            .any(|c| c.str_at(&["type"]) == Some(name) && c.str_at(&["status"]) == Some("True"))
    };
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if object.at(&["metadata", "deletionTimestamp"]).is_some() => "Terminating",
        () if has("Suspended") => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

pub(super) const CRON_JOB: Printer = Printer {
    columns: &[
        ("NAME", false),
        ("SCHEDULE", false),
        ("TIMEZONE", false),
        ("SUSPEND", false),
        ("ACTIVE", false),
        ("LAST SCHEDULE", false),
        ("AGE", false),
        ("CONTAINERS", true),
        ("IMAGES", true),
        ("SELECTOR", true),
    ],
    row: |object, sight| {
        let last = object.str_at(&["status", "lastScheduleTime"]);
        let suspended = match object.bool_at(&["spec", "suspend"]) {
            Some(true) => "True",
            Some(false) => "False",
            None => "<unset>",
        };
        let job = object.at(&["spec", "jobTemplate", "spec"]);
        let (names, images) = containers(job.and_then(|job| job.at(&["template", "spec"])));
        vec![
            name(object),
            text(object, &["spec", "schedule"]),
            scalar_or(object, &["spec", "timeZone"], "<none>"),
            suspended.to_owned(),
            object.items_at(&["status", "active"]).len().to_string(),
            last.map_or_else(|| "<none>".to_owned(), |time| sight.since(Some(time))),
            sight.age(object),
            names,
            images,
            selector_text(job.and_then(|job| job.at(&["selector"]))),
        ]
    },
};
