//! Deployments and their kin, Jobs, autoscalers and budgets.
//!
//! Models describe.go describeDeployment, describeReplicaSet, describeStatefulSet,
//! describeDaemonSet, describeJob, describeCronJob.

use super::pod::{controlled_by, template};
use super::text::{Text, pairs, plain};
use crate::api::tree::Tree as _;
use crate::api::volume_match::OLD_CLASS;
use crate::api::{Kind, Object, Value};
use crate::base::time::human_duration;
use crate::base::{SimTime, order};
use crate::kubectl::printers::selector_text;
use crate::store::Store;
use std::sync::Arc;

/// What is described and what is known around it.
pub(super) struct Subject<'a> {
    pub(super) store: &'a Store,
    pub(super) object: &'a Object,
    pub(super) value: &'a Value,
    pub(super) events: &'a [Arc<Object>],
}

impl Subject<'_> {
    fn number(&self, path: &[&str]) -> i64 {
        self.value.int_at(path).unwrap_or_default()
    }

    fn text(&self, path: &[&str]) -> &str {
        self.value.str_at(path).unwrap_or_default()
    }

    /// `3 Running / 0 Waiting / 0 Succeeded / 0 Failed`.
    fn pods_status(&self) -> String {
        let mut counts = [0u32; 4];
        let pods = self.store.owned_by(self.object.meta.uid).filter(|o| o.kind == Kind::Pod);
        for pod in pods.filter_map(|object| object.pod()) {
            let place = match pod.status.phase.name() {
                "Running" => 0,
                "Pending" => 1,
                "Succeeded" => 2,
                "Failed" => 3,
                _ => continue,
            };
            if let Some(count) = counts.get_mut(place) {
                *count += 1;
            }
        }
        let [running, waiting, succeeded, failed] = counts;
        format!("{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed")
    }

    fn template(&self) -> Option<&Value> {
        self.value.at(&["spec", "template"])
    }

    fn created(&self, text: &Text) -> String {
        text.time(self.value.str_at(&["metadata", "creationTimestamp"]))
    }

    fn annotations(&self, text: &mut Text) {
        text.annotations("Annotations", self.value.at(&["metadata", "annotations"]));
    }

    fn conditions(&self, text: &mut Text) {
        let conditions = self.value.items_at(&["status", "conditions"]);
        if conditions.is_empty() {
            return;
        }
        text.line(0, "Conditions:");
        text.line(1, "Type\tStatus\tReason");
        text.line(1, "----\t------\t------");
        for condition in conditions {
            let at = |key| condition.str_at(&[key]).unwrap_or_default();
            text.line(1, format!("{} \t{}\t{}", at("type"), at("status"), at("reason")));
        }
    }
}

pub(super) fn deployment(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    let created = it.created(text);
    text.field(0, "CreationTimestamp", created);
    text.labels(it.value);
    it.annotations(text);
    text.field(0, "Selector", selector_text(it.value.at(&["spec", "selector"])));
    let status = |key| it.number(&["status", key]);
    text.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            it.number(&["spec", "replicas"]),
            status("updatedReplicas"),
            status("replicas"),
            status("availableReplicas"),
            status("unavailableReplicas")
        ),
    );
    text.field(0, "StrategyType", it.text(&["spec", "strategy", "type"]));
    text.field(0, "MinReadySeconds", it.number(&["spec", "minReadySeconds"]));
    if let Some(rolling) = it.value.at(&["spec", "strategy", "rollingUpdate"]) {
        let bound = |key| plain(rolling.get(key));
        let words =
            format!("{} max unavailable, {} max surge", bound("maxUnavailable"), bound("maxSurge"));
        text.field(0, "RollingUpdateStrategy", words);
    }
    template(text, it.template());
    it.conditions(text);
    let (new, old) = replica_sets(it);
    if !new.is_empty() || !old.is_empty() {
        text.field(0, "OldReplicaSets", joined(&old));
        text.field(0, "NewReplicaSet", joined(&new));
    }
    text.events(it.events);
}

fn joined(sets: &[String]) -> String {
    super::text::or_none(&sets.join(", ")).to_owned()
}

/// The ReplicaSet of the current template, and those of others, oldest first.
fn replica_sets(it: &Subject<'_>) -> (Vec<String>, Vec<String>) {
    let mut sets: Vec<&Arc<Object>> =
        it.store.owned_by(it.object.meta.uid).filter(|o| o.kind == Kind::ReplicaSet).collect();
    order::sort_by_key(&mut sets, |set| (set.meta.creation_timestamp, set.meta.name.clone()));
    let revision = |object: &Object| {
        object.meta.annotations.get("deployment.kubernetes.io/revision").map(str::to_owned)
    };
    let wanted = revision(it.object);
    let (mut new, mut old) = (Vec::new(), Vec::new());
    for set in sets {
        let words = format!(
            "{} ({}/{} replicas created)",
            set.meta.name,
            set.status().int_at(&["replicas"]).unwrap_or_default(),
            set.spec().int_at(&["replicas"]).unwrap_or_default()
        );
        let same = wanted.is_some() && revision(set) == wanted;
        if same { new.push(words) } else { old.push(words) }
    }
    (new, old)
}

pub(super) fn replica_set(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    let own = it.value.at(&["spec", "selector"]);
    match it.object.kind {
        Kind::ReplicationController => text.field(0, "Selector", pairs(own)),
        _ => text.field(0, "Selector", selector_text(own)),
    }
    text.labels(it.value);
    it.annotations(text);
    text.field_if(0, "Controlled By", controlled_by(it.value));
    let (current, wanted) = (it.number(&["status", "replicas"]), it.number(&["spec", "replicas"]));
    text.field(0, "Replicas", format!("{current} current / {wanted} desired"));
    text.field(0, "Pods Status", it.pods_status());
    template(text, it.template());
    it.conditions(text);
    text.events(it.events);
}

pub(super) fn stateful_set(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    let created = it.created(text);
    text.field(0, "CreationTimestamp", created);
    text.field(0, "Selector", selector_text(it.value.at(&["spec", "selector"])));
    text.labels(it.value);
    it.annotations(text);
    let (wanted, total) = (it.number(&["spec", "replicas"]), it.number(&["status", "replicas"]));
    text.field(0, "Replicas", format!("{wanted} desired | {total} total"));
    text.field(0, "Update Strategy", it.text(&["spec", "updateStrategy", "type"]));
    let rolling = it.value.at(&["spec", "updateStrategy", "rollingUpdate"]);
    if let Some(partition) = rolling.and_then(|rolling| rolling.int_at(&["partition"])) {
        text.field(1, "Partition", partition);
        let most = rolling.and_then(|rolling| rolling.get("maxUnavailable"));
        text.field_if(1, "MaxUnavailable", most.map(|most| plain(Some(most))));
    }
    text.field(0, "Pods Status", it.pods_status());
    template(text, it.template());
    claims(text, it.value.items_at(&["spec", "volumeClaimTemplates"]));
    text.events(it.events);
}

fn claims(text: &mut Text, templates: &[Value]) {
    if templates.is_empty() {
        text.field(0, "Volume Claims", "<none>");
        return;
    }
    text.line(0, "Volume Claims:");
    for claim in templates {
        text.field(1, "Name", claim.str_at(&["metadata", "name"]).unwrap_or_default());
        let annotated = ["metadata", "annotations", OLD_CLASS];
        let class = claim.str_at(&annotated).or(claim.str_at(&["spec", "storageClassName"]));
        text.field(1, "StorageClass", class.unwrap_or_default());
        text.map("  Labels", claim.at(&["metadata", "labels"]));
        text.map("  Annotations", claim.at(&["metadata", "annotations"]));
        let size = claim.at(&["spec", "resources", "requests", "storage"]);
        text.field(1, "Capacity", size.map_or_else(|| "<default>".to_owned(), |s| plain(Some(s))));
        let modes: Vec<&str> =
            claim.items_at(&["spec", "accessModes"]).iter().filter_map(Value::as_str).collect();
        text.field(1, "Access Modes", format!("[{}]", modes.join(" ")));
    }
}

pub(super) fn daemon_set(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.field(0, "Selector", selector_text(it.value.at(&["spec", "selector"])));
    let nodes = it.value.at(&["spec", "template", "spec", "nodeSelector"]);
    text.field(0, "Node-Selector", pairs(nodes));
    text.labels(it.value);
    it.annotations(text);
    let status = |key| it.number(&["status", key]);
    for (words, key) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        text.line(0, format!("{words}: {}", status(key)));
    }
    text.field(0, "Pods Status", it.pods_status());
    template(text, it.template());
    text.events(it.events);
}

pub(super) fn job(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.field(0, "Selector", selector_text(it.value.at(&["spec", "selector"])));
    text.labels(it.value);
    it.annotations(text);
    text.field_if(0, "Controlled By", controlled_by(it.value));
    let spec = |key| it.value.at(&["spec", key]);
    text.field_if(0, "Parallelism", spec("parallelism"));
    text.field(0, "Completions", plain(spec("completions")));
    text.field_if(0, "Completion Mode", spec("completionMode").and_then(Value::as_str));
    text.field_if(0, "Suspend", spec("suspend"));
    text.field_if(0, "Backoff Limit", spec("backoffLimit"));
    text.field_if(0, "TTL Seconds After Finished", spec("ttlSecondsAfterFinished"));
    let moment = |key| it.value.str_at(&["status", key]);
    for (title, key) in [("Start Time", "startTime"), ("Completed At", "completionTime")] {
        if let Some(time) = moment(key) {
            let time = text.time(Some(time));
            text.field(0, title, time);
        }
    }
    let time = |key| moment(key).and_then(SimTime::parse_rfc3339);
    if let (Some(start), Some(end)) = (time("startTime"), time("completionTime")) {
        text.field(0, "Duration", human_duration(end.since(start)));
    }
    let deadline = spec("activeDeadlineSeconds").map(|seconds| format!("{seconds}s"));
    text.field_if(0, "Active Deadline Seconds", deadline);
    let status = |key| it.number(&["status", key]);
    text.field(
        0,
        "Pods Statuses",
        format!(
            "{} Active ({} Ready) / {} Succeeded / {} Failed",
            status("active"),
            status("ready"),
            status("succeeded"),
            status("failed")
        ),
    );
    if it.text(&["spec", "completionMode"]) == "Indexed" {
        text.field(0, "Completed Indexes", indexes(it.text(&["status", "completedIndexes"])));
    }
    template(text, it.template());
    text.events(it.events);
}

/// At most about 50 letters of a list of indexes.
///
/// Models describe.go capIndexesListOrNone.
fn indexes(all: &str) -> String {
    let cut = all.char_indices().skip(50).find(|(_, letter)| *letter == ',');
    match cut {
        Some((at, _)) => format!("{}...", all.get(..=at).unwrap_or_default()),
        None => super::text::or_none(all).to_owned(),
    }
}

pub(super) fn cron_job(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    text.labels(it.value);
    it.annotations(text);
    let spec = |key| it.value.at(&["spec", key]);
    text.field(0, "Schedule", plain(spec("schedule")));
    text.field(0, "Concurrency Policy", plain(spec("concurrencyPolicy")));
    let suspended = match spec("suspend").and_then(Value::as_bool) {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    text.field(0, "Suspend", suspended);
    text.field(0, "Time Zone", plain(spec("timeZone")));
    text.field(0, "Successful Job History Limit", plain(spec("successfulJobsHistoryLimit")));
    text.field(0, "Failed Job History Limit", plain(spec("failedJobsHistoryLimit")));
    let seconds = spec("startingDeadlineSeconds").map(|seconds| format!("{seconds}s"));
    let seconds = seconds.unwrap_or_else(|| "<unset>".to_owned());
    text.field(0, "Starting Deadline Seconds", seconds);
    let job = it.value.at(&["spec", "jobTemplate", "spec"]).unwrap_or(&Value::Null);
    if let Some(own) = job.get("selector") {
        text.field(0, "Selector", selector_text(Some(own)));
    } else {
        text.field(0, "Selector", "<unset>");
    }
    text.field(0, "Parallelism", plain(job.get("parallelism")));
    text.field(0, "Completions", plain(job.get("completions")));
    let deadline = job.get("activeDeadlineSeconds").map(|seconds| format!("{seconds}s"));
    text.field_if(0, "Active Deadline Seconds", deadline);
    template(text, job.get("template"));
    let last = text.time(it.value.str_at(&["status", "lastScheduleTime"]));
    text.field(0, "Last Schedule Time", last);
    let active: Vec<&str> = it
        .value
        .items_at(&["status", "active"])
        .iter()
        .filter_map(|job| job.str_at(&["name"]))
        .collect();
    text.field(0, "Active Jobs", super::text::or_none(&active.join(", ")));
    text.events(it.events);
}

pub(super) fn budget(text: &mut Text, it: &Subject<'_>) {
    text.head(it.value);
    let spec = |key| it.value.at(&["spec", key]);
    match spec("minAvailable") {
        Some(least) => text.field(0, "Min available", plain(Some(least))),
        None => {
            text.field_if(0, "Max unavailable", spec("maxUnavailable").map(|m| plain(Some(m))));
        }
    }
    let pods = spec("selector").map_or("<unset>".to_owned(), |own| selector_text(Some(own)));
    text.field(0, "Selector", pods);
    text.line(0, "Status:");
    for (title, key) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        text.field(2, title, it.number(&["status", key]));
    }
    text.events(it.events);
}
