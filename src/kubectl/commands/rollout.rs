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
use std::sync::Arc;

/// Where a Deployment keeps the number of its template.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";

/// The objects that are meant.
pub(super) fn found(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Failure> {
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
    Watching { left, limit, revision, seen: 0 }.go_on(call)
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
                call.say(&text);
                if done || !call.flags.on("watch") {
                    self.left.pop();
                    self.seen = 0;
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
    let objects = found(call)?;
    if objects.is_empty() {
        let namespace = call.namespace();
        call.warn(format!("No resources found in {namespace} namespace."));
    }
    let mut failures = Vec::new();
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
