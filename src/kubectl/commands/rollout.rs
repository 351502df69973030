//! `kubectl rollout`.

use super::{PATIENCE, duration, send_change};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use crate::kubectl::task::Task;
use crate::store::ObjectKey;
use core::time::Duration;
use std::sync::Arc;

/// Where a Deployment keeps the number of its template.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

/// The objects that are meant, and why others cannot be.
pub(super) fn found(call: &Call<'_>) -> Result<(Vec<Arc<Object>>, Vec<Failure>), Failure> {
    if call.args.is_empty() && call.flags.list("filename").is_empty() {
        return plain("required resource not specified");
    }
    let found = resources::find(call)?;
    Ok((found.objects, found.failures))
}

/// Waits until a rollout is done, telling how far it is.
pub(crate) fn status(call: &mut Call<'_>) -> Outcome {
    let timeout = duration(call.flags.text("timeout"))?;
    let patience = if timeout.is_zero() { PATIENCE * 6 } else { timeout };
    let revision = call.flags.int("revision")?.unwrap_or(0);
    let (objects, failures) = found(call)?;
    check_revision(revision)?;
    if objects.is_empty() && failures.is_empty() {
        say_nothing_found(call);
    }
    let left = objects.iter().rev().map(|object| (object.kind, ObjectKey::of(object))).collect();
    let by_kind = call.args.len() == 1 && call.args.iter().all(|arg| !arg.contains('/'));
    let limit = call.world.now() + patience;
    Watching { left, patience, limit, revision, seen: 0, failures, by_kind }.go_on(call)
}

pub(super) fn check_revision(revision: i64) -> Outcome {
    match revision < 0 {
        true => plain(format!("revision must be a positive integer: {revision}")),
        false => Ok(()),
    }
}

fn say_nothing_found(call: &mut Call<'_>) {
    let namespace = call.namespace();
    call.warn(format!("No resources found in {namespace} namespace."));
}

/// Rollouts that are watched, one after the other.
#[derive(Debug)]
pub(crate) struct Watching {
    /// The next one last.
    left: Vec<(Kind, ObjectKey)>,
    /// How long each is waited for.
    patience: Duration,
    /// Until when the next one is.
    limit: SimTime,
    /// The revision that is wanted, 0 for the latest.
    revision: i64,
    /// The version of the next object that was looked at last.
    seen: u64,
    failures: Vec<Failure>,
    /// Whether a kind was asked for and no names.
    by_kind: bool,
}

impl Watching {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        while let Some((kind, key)) = self.left.last() {
            let mut is_done = false;
            let mut look = || {
                let Some(now) = call.world.store().get(*kind, key) else {
                    return plain("object has been deleted");
                };
                let version = now.meta.resource_version;
                if version != core::mem::replace(&mut self.seen, version) {
                    let (text, done) = progress(*kind, &shown(now), self.revision)?;
                    call.say(&text);
                    is_done = done || !call.flags.on("watch");
                }
                match !is_done && call.world.now() >= self.limit {
                    true => plain("timed out waiting for the condition"),
                    false => Ok(()),
                }
            };
            match look() {
                Ok(()) if !is_done => return call.later(self.limit, Task::Rollout(self)),
                result => self.failures.extend(result.err()),
            }
            self.left.pop();
            self.seen = 0;
            self.limit = call.world.now() + self.patience;
        }
        // What goes wrong with a list comes as a list.
        match self.by_kind && !self.failures.is_empty() {
            true => Err(Failure::Many(self.failures)),
            false => Failure::of(self.failures),
        }
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
            let own: i64 = value
                .str_at(&["metadata", "annotations", REVISION])
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
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
    let (objects, mut failures) = found(call)?;
    if objects.is_empty() && failures.is_empty() {
        say_nothing_found(call);
    }
    for object in objects {
        let before = shown(&object);
        let mut value = before.clone();
        if let Err(why) = act(object.kind, &mut value) {
            let text =
                format!("error: {} \"{}\" {why}", object.kind.group_resource(), object.meta.name);
            failures.push(Failure::Plain(text));
            continue;
        }
        if value == before {
            failures.push(Failure::Plain(format!(
                "failed to create patch for {}: if restart has already been triggered within the past second, please wait before attempting to trigger another",
                object.meta.name
            )));
            continue;
        }
        match send_change(call, &object, &value) {
            Ok(stored) => call.done(object.kind, &stored, done)?,
            Err(failure) => {
                failures.push(Failure::Plain(format!("failed to patch: {}", failure.sentence())));
            }
        }
    }
    Failure::of(failures)
}
