//! `kubectl rollout`.

use super::{PATIENCE, duration, send_change};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::Task;
use crate::kubectl::{describe, resources, tabwriter};
use crate::store::ObjectKey;
use std::collections::BTreeMap;
use std::sync::Arc;

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

fn found(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Failure> {
    if call.args.is_empty() && call.flags.list("filename").is_empty() {
        return plain("required resource not specified");
    }
    let found = resources::find(call)?;
    Failure::of(found.failures)?;
    Ok(found.objects)
}

/// Waits until a rollout is done, telling how far it is.
pub(crate) fn status(call: &mut Call<'_>) -> Outcome {
    let timeout = duration(call.flags.text("timeout"))?;
    let limit = call.world.now() + if timeout.is_zero() { PATIENCE * 6 } else { timeout };
    let revision = call.flags.int("revision")?.unwrap_or(0);
    let objects = found(call)?;
    let left = objects.iter().rev().map(|object| (object.kind, ObjectKey::of(object))).collect();
    Watching { left, limit, revision, seen: 0, last_said: String::new() }.go_on(call)
}

/// Rollouts that are watched, one after the other.
#[derive(Debug)]
pub(crate) struct Watching {
    /// The next one last.
    left: Vec<(Kind, ObjectKey)>,
    limit: SimTime,
    /// The revision that is wanted, 0 for the latest.
    revision: i64,
    /// The version of the next object that was looked at last.
    seen: u64,
    last_said: String,
}

impl Watching {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        while let Some((kind, key)) = self.left.last() {
            let Some(now) = call.world.store().get(*kind, key) else {
                return plain("object has been deleted");
            };
            let version = now.meta.resource_version;
            if version != core::mem::replace(&mut self.seen, version) {
                let (text, done) = progress(*kind, &shown(now), self.revision)?;
                if text != self.last_said {
                    call.say(&text);
                    self.last_said = text;
                }
                if done || !call.flags.on("watch") {
                    self.left.pop();
                    (self.seen, self.last_said) = (0, String::new());
                    continue;
                }
            }
            if call.world.now() >= self.limit {
                return plain("timed out waiting for the condition");
            }
            return call.later(self.limit, Task::Rollout(self));
        }
        Ok(())
    }
}

/// Models staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go.
fn progress(kind: Kind, value: &Value, revision: i64) -> Result<(String, bool), Failure> {
    let status = |key| value.int_at(&["status", key]).unwrap_or(0);
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default();
    let generation = value.int_at(&["metadata", "generation"]).unwrap_or(0);
    let replicas = value.int_at(&["spec", "replicas"]).unwrap_or(1);
    let observed = status("observedGeneration");
    match kind {
        Kind::Deployment => {
            let own: i64 =
                annotation(value, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0);
            if revision > 0 && revision != own {
                return plain(format!(
                    "desired revision ({revision}) is different from the running revision ({own})"
                ));
            }
            if generation > observed {
                return Ok(("Waiting for deployment spec update to be observed...".into(), false));
            }
            let late = value.items_at(&["status", "conditions"]).iter().any(|condition| {
                condition.str_at(&["type"]) == Some("Progressing")
                    && condition.str_at(&["reason"]) == Some("ProgressDeadlineExceeded")
            });
            if late {
                return plain(format!("deployment \"{name}\" exceeded its progress deadline"));
            }
            let (updated, all, available) =
                (status("updatedReplicas"), status("replicas"), status("availableReplicas"));
            let what = format!("Waiting for deployment \"{name}\" rollout to finish:");
            Ok(if updated < replicas {
                (
                    format!("{what} {updated} out of {replicas} new replicas have been updated..."),
                    false,
                )
            } else if all > updated {
                (format!("{what} {} old replicas are pending termination...", all - updated), false)
            } else if available < updated {
                (
                    format!("{what} {available} of {updated} updated replicas are available..."),
                    false,
                )
            } else {
                (format!("deployment \"{name}\" successfully rolled out"), true)
            })
        }
        Kind::DaemonSet => {
            rolling_only(value)?;
            if generation > observed {
                return Ok(("Waiting for daemon set spec update to be observed...".into(), false));
            }
            let (updated, wanted, available) = (
                status("updatedNumberScheduled"),
                status("desiredNumberScheduled"),
                status("numberAvailable"),
            );
            let what = format!("Waiting for daemon set \"{name}\" rollout to finish:");
            Ok(if updated < wanted {
                (format!("{what} {updated} out of {wanted} new pods have been updated..."), false)
            } else if available < wanted {
                (format!("{what} {available} of {wanted} updated pods are available..."), false)
            } else {
                (format!("daemon set \"{name}\" successfully rolled out"), true)
            })
        }
        Kind::StatefulSet => {
            rolling_only(value)?;
            Ok(stateful_progress(value, replicas, generation, observed))
        }
        _ => plain(format!("no status viewer has been implemented for {}", kind.name())),
    }
}

fn rolling_only(value: &Value) -> Outcome {
    match value.str_at(&["spec", "updateStrategy", "type"]) {
        Some("OnDelete") => {
            plain("rollout status is only available for RollingUpdate strategy type")
        }
        _ => Ok(()),
    }
}

fn stateful_progress(
    value: &Value,
    replicas: i64,
    generation: i64,
    observed: i64,
) -> (String, bool) {
    let status = |key| value.int_at(&["status", key]).unwrap_or(0);
    let revision = |key| value.str_at(&["status", key]).unwrap_or_default();
    if observed == 0 || generation > observed {
        return ("Waiting for statefulset spec update to be observed...".into(), false);
    }
    let (ready, updated) = (status("readyReplicas"), status("updatedReplicas"));
    if ready < replicas {
        return (format!("Waiting for {} pods to be ready...", replicas - ready), false);
    }
    if value.at(&["spec", "updateStrategy", "rollingUpdate"]).is_some() {
        let partition =
            value.int_at(&["spec", "updateStrategy", "rollingUpdate", "partition"]).unwrap_or(0);
        if updated < replicas - partition {
            let wanted = replicas - partition;
            return (
                format!(
                    "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
                ),
                false,
            );
        }
        return (
            format!("partitioned roll out complete: {updated} new pods have been updated..."),
            true,
        );
    }
    let (new, current) = (revision("updateRevision"), revision("currentRevision"));
    if new != current {
        return (
            format!(
                "waiting for statefulset rolling update to complete {updated} pods at revision {new}..."
            ),
            false,
        );
    }
    (
        format!(
            "statefulset rolling update complete {} pods at revision {current}...",
            status("currentReplicas")
        ),
        true,
    )
}

fn annotation<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.str_at(&["metadata", "annotations", key])
}

/// One version of a pod template that a rollout has been at.
struct Revision {
    cause: Option<String>,
    template: Value,
}

/// The versions of an object's pod template by their number.
fn revisions(call: &Call<'_>, object: &Object) -> Result<BTreeMap<i64, Revision>, Failure> {
    let owned = call.world.store().owned_by(object.meta.uid).map(|owned| shown(owned));
    let cause = |value: &Value| {
        annotation(value, CHANGE_CAUSE).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut all = BTreeMap::new();
    for value in owned {
        let (number, template) = match (object.kind, value.str_at(&["kind"])) {
            (Kind::Deployment, Some("ReplicaSet")) => {
                let number = annotation(&value, REVISION).and_then(|text| text.parse().ok());
                (number, value.at(&["spec", "template"]).cloned())
            }
            (Kind::DaemonSet | Kind::StatefulSet, Some("ControllerRevision")) => {
                (value.int_at(&["revision"]), value.at(&["data", "spec", "template"]).cloned())
            }
            _ => continue,
        };
        if let (Some(number), Some(mut template)) = (number, template) {
            template.remove(&["$patch"]);
            template.remove(&["metadata", "labels", "pod-template-hash"]);
            all.insert(number, Revision { cause: cause(&value), template });
        }
    }
    if !matches!(object.kind, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet) {
        let kind = object.kind.singular_group();
        return plain(format!(
            "no history viewer has been implemented for \"{}\"",
            kind.replacen(object.kind.resource().singular, object.kind.name(), 1)
        ));
    }
    Ok(all)
}

/// `kubectl rollout history`.
pub(crate) fn history(call: &mut Call<'_>) -> Outcome {
    let wanted = call.flags.int("revision")?.unwrap_or(0);
    for object in found(call)? {
        let all = revisions(call, &object)?;
        let head = format!("{}/{}", object.kind.singular_group(), object.meta.name);
        if wanted > 0 {
            let Some(revision) = all.get(&wanted) else {
                return plain("unable to find the specified revision");
            };
            let text = describe::template_text(&revision.template, wanted, &call.world.now());
            call.say(format!("{head} with revision #{wanted}"));
            call.out.push_str(&text);
            continue;
        }
        let mut text = String::from("REVISION\tCHANGE-CAUSE\n");
        for (number, revision) in &all {
            text.push_str(&format!(
                "{number}\t{}\n",
                revision.cause.as_deref().unwrap_or("<none>")
            ));
        }
        call.say(format!("{head} "));
        call.out.push_str(&tabwriter::align(&text, 0, 2));
        call.out.push('\n');
    }
    Ok(())
}

/// `kubectl rollout undo`.
///
/// Models staging/src/k8s.io/kubectl/pkg/polymorphichelpers/rollback.go.
pub(crate) fn undo(call: &mut Call<'_>) -> Outcome {
    let wanted = call.flags.int("to-revision")?.unwrap_or(0);
    for object in found(call)? {
        let mut value = shown(&object);
        if annotation(&value, super::apply::LAST_APPLIED).is_some() {
            call.warn(format!(
                "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the kubectl.kubernetes.io/last-applied-configuration annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.",
                object.kind.plural(), object.meta.name
            ));
        }
        if object.kind == Kind::Deployment && value.bool_at(&["spec", "paused"]) == Some(true) {
            return plain(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
            );
        }
        let all = revisions(call, &object)?;
        let number = match wanted {
            0 => all.keys().rev().nth(1).copied(),
            wanted if all.contains_key(&wanted) => Some(wanted),
            wanted => {
                return plain(format!("unable to find specified revision {wanted} in history"));
            }
        };
        let Some((number, revision)) = number.and_then(|number| Some((number, all.get(&number)?)))
        else {
            return match object.kind {
                Kind::Deployment => plain(format!(
                    "no rollout history found for deployment \"{}\"",
                    object.meta.name
                )),
                _ => plain("no last revision to roll back to"),
            };
        };
        if value.at(&["spec", "template"]) == Some(&revision.template) {
            let what =
                format!("skipped rollback (current template already matches revision {number})");
            call.done(object.kind, &value, &what)?;
            continue;
        }
        value.put(&["spec", "template"], revision.template.clone());
        let stored = send_change(call, &object, &value)?;
        call.done(object.kind, &stored, "rolled back")?;
    }
    Ok(())
}

/// `kubectl rollout restart`.
pub(crate) fn restart(call: &mut Call<'_>) -> Outcome {
    let now = call.world.now().rfc3339();
    change(call, "restarted", |kind, value| {
        if !matches!(kind, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet) {
            return Err("restarting is not supported".into());
        }
        if value.bool_at(&["spec", "paused"]) == Some(true) {
            return Err("can't restart paused deployment (run rollout resume first)".into());
        }
        let path =
            ["spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"];
        value.put(&path, now.clone());
        Ok(())
    })
}

/// `kubectl rollout pause`.
pub(crate) fn pause(call: &mut Call<'_>) -> Outcome {
    change(call, "paused", |kind, value| {
        if kind != Kind::Deployment {
            return Err("pausing is not supported".into());
        }
        if value.bool_at(&["spec", "paused"]) == Some(true) {
            return Err("is already paused".into());
        }
        value.put(&["spec", "paused"], true);
        Ok(())
    })
}

/// `kubectl rollout resume`.
pub(crate) fn resume(call: &mut Call<'_>) -> Outcome {
    change(call, "resumed", |kind, value| {
        if kind != Kind::Deployment {
            return Err("resuming is not supported".into());
        }
        if value.bool_at(&["spec", "paused"]) != Some(true) {
            return Err("is not paused".into());
        }
        value.remove(&["spec", "paused"]);
        Ok(())
    })
}

fn change(
    call: &mut Call<'_>,
    done: &str,
    act: impl Fn(Kind, &mut Value) -> Result<(), String>,
) -> Outcome {
    let mut failures = Vec::new();
    for object in found(call)? {
        let mut value = shown(&object);
        if let Err(why) = act(object.kind, &mut value) {
            let text =
                format!("error: {} \"{}\" {why}", object.kind.group_resource(), object.meta.name);
            failures.push(Failure::Plain(text));
            continue;
        }
        let stored = send_change(call, &object, &value)?;
        call.done(object.kind, &stored, done)?;
    }
    Failure::of(failures)
}
