//! `kubectl scale` and `kubectl autoscale`.

use super::{PATIENCE, duration, record_after};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::{Quantity, SimTime};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use crate::kubectl::task::Task;
use crate::store::ObjectKey;
use crate::world::{Scale, scale_of};
use serde_json::json;
use std::sync::Arc;

/// Sets how many replicas there are.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/scale/scale.go.
pub(crate) fn scale(call: &mut Call<'_>) -> Outcome {
    let Some(replicas) = call.flags.int("replicas")? else {
        return plain("required flag(s) \"replicas\" not set");
    };
    if replicas < 0 {
        return plain(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        );
    }
    if call.flags.int("current-replicas")?.is_some_and(|count| count < -1) {
        return plain("The --current-replicas must specify an integer of -1 or greater");
    }
    let found = resources::find_named(call)?;
    if found.objects.is_empty() {
        return if found.failures.is_empty() {
            plain("no objects passed to scale")
        } else {
            Failure::of(found.failures)
        };
    }
    let (mut left, failures) = (found.objects, found.failures);
    left.reverse();
    Scaling { left, replicas, changed: None, failures }.go_on(call)
}

/// Objects that are scaled, one after the other.
#[derive(Debug)]
pub(crate) struct Scaling {
    /// The next one last.
    left: Vec<Arc<Object>>,
    replicas: i64,
    /// The next object as it was stored, and how long its status is waited for.
    changed: Option<(Value, SimTime)>,
    failures: Vec<Failure>,
}

impl Scaling {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        while let Some(object) = self.left.last().cloned() {
            let (stored, limit) = match self.changed.take() {
                Some(changed) => changed,
                None => change(call, &object, self.replicas)?,
            };
            let store = call.world.store();
            let now = store.get(object.kind, &ObjectKey::of(&object));
            let how = Scale::of(store, object.kind);
            let has = now.zip(how).map(|(now, how)| how.actual(&shown(now)));
            if call.world.now() < limit && has.is_some_and(|has| has != self.replicas) {
                self.changed = Some((stored, limit));
                return call.later(limit, Task::Scale(self));
            }
            call.done(object.kind, &stored, "scaled")?;
            self.left.pop();
        }
        Failure::of(self.failures)
    }
}

/// Sets the number of one object: the object, and until when its pods are waited for.
fn change(
    call: &mut Call<'_>,
    object: &Object,
    replicas: i64,
) -> Result<(Value, SimTime), Failure> {
    let before = scale_of(call.world.store(), object)?;
    let mut value = shown(object);
    let current = call.flags.int("current-replicas")?.unwrap_or(-1);
    let actual = before.int_at(&["spec", "replicas"]).unwrap_or(0);
    if current != -1 && current != actual {
        return plain(format!("Expected replicas to be {current}, was {actual}"));
    }
    let version = object.meta.resource_version.to_string();
    if let Some(wanted) = call.flags.get("resource-version").filter(|wanted| *wanted != version) {
        return plain(format!("Expected resource version to be {wanted}, was {version}"));
    }
    if let Some(how) = Scale::of(call.world.store(), object.kind) {
        how.set(&mut value, replicas);
    }
    let stored = match call.dry_run()? {
        DryRun::Client => value,
        _ => {
            let scaled = call.write(|world| {
                world.speak_as("kubectl", "scale");
                let scaled = world.update(object.kind, &value, &object.meta.namespace);
                // The scale subresource says nothing of the rest of the object.
                drop(world.take_warnings());
                scaled
            })?;
            record_after(call, &scaled)?;
            shown(&scaled)
        }
    };
    let timeout = duration(call.flags.text("timeout"))?;
    Ok((stored, call.world.now() + timeout.min(PATIENCE)))
}

/// Makes a HorizontalPodAutoscaler.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/autoscale/autoscale.go.
pub(crate) fn autoscale(call: &mut Call<'_>) -> Outcome {
    if call.flags.given("cpu-percent") {
        call.warn("Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization or '500m' for milliCPU).");
    }
    let is_local = call.dry_run()? == DryRun::Client;
    let most = call.flags.int("max")?.unwrap_or(-1);
    let least = call.flags.int("min")?.unwrap_or(-1);
    if most < 1 {
        return plain(format!("--max=MAXPODS is required and must be at least 1, max: {most}"));
    }
    if most < least {
        return plain(format!(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: {most}, min: {least}"
        ));
    }
    let metrics = metrics(call)?;
    let found = resources::find_named(call)?;
    if found.objects.is_empty() && found.failures.is_empty() {
        return plain("no objects passed to autoscale");
    }
    let mut failures = found.failures;
    for object in &found.objects {
        let resource = object.kind.resource();
        if Scale::of(call.world.store(), object.kind).is_none() {
            failures.push(Failure::Plain(format!(
                "cannot autoscale a {}: could not find scale subresource for {}/{}, Resource={} in discovery information",
                object.kind, resource.group, resource.version, resource.plural
            )));
            continue;
        }
        let name = call.flags.get("name").unwrap_or(&object.meta.name).to_owned();
        let mut spec = json!({
            "maxReplicas": most,
            "scaleTargetRef": {
                "apiVersion": object.kind.api_version(), "kind": object.kind.name(), "name": *object.meta.name,
            },
        });
        if least > 0 {
            spec.put(&["minReplicas"], least);
        }
        if !metrics.is_empty() {
            spec.put(&["metrics"], metrics.clone());
        }
        let mut value = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name}, "spec": spec,
        });
        if is_local {
            value.put(&["status"], json!({"currentMetrics": null, "desiredReplicas": 0}));
        }
        let done = if is_local { "created" } else { "autoscaled" };
        let made = call.create_generated(Kind::HorizontalPodAutoscaler, value, done);
        failures.extend(made.err().map(|failure| refused(call, failure)));
    }
    Failure::of(failures)
}

/// What kubectl says when the server refuses the new version: it tries the old one, if that can say
/// what is asked for.
///
/// Models canCreateHPAV1.
fn refused(call: &Call<'_>, failure: Failure) -> Failure {
    let cpu = call.flags.text("cpu").trim();
    let why = match cpu {
        "" => "empty input",
        cpu if cpu.ends_with('%') && call.flags.get("memory").is_none() => return failure,
        _ => "%!w(<nil>)",
    };
    Failure::Plain(format!(
        "failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1: {why}"
    ))
}

fn metrics(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let percent = call.flags.int("cpu-percent")?.filter(|percent| *percent > 0);
    let mut metrics = Vec::new();
    if let Some(percent) = percent {
        if call.flags.get("cpu").is_some() {
            return plain("--cpu-percent and --cpu are mutually exclusive");
        }
        metrics.push(metric("cpu", json!({"type": "Utilization", "averageUtilization": percent})));
    }
    for (resource, unit) in [("cpu", "m"), ("memory", "Mi")] {
        if let Some(wanted) = call.flags.get(resource) {
            metrics.push(metric(resource, target(resource, unit, wanted)?));
        }
    }
    Ok(metrics)
}

fn metric(resource: &str, target: Value) -> Value {
    json!({"type": "Resource", "resource": {"name": resource, "target": target}})
}

/// What a resource is to be held at: a percentage, or a quantity, in `unit` if it names none.
///
/// Models parseResourceInput.
fn target(resource: &str, unit: &str, wanted: &str) -> Result<Value, Failure> {
    let wanted = wanted.trim();
    if let Some(percent) = wanted.strip_suffix('%') {
        return match percent.parse::<i32>() {
            Ok(number) if number >= 0 => {
                Ok(json!({"type": "Utilization", "averageUtilization": number}))
            }
            _ => plain(format!("invalid percentage value: {percent}")),
        };
    }
    let is_bare = wanted.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let text = if is_bare { format!("{wanted}{unit}") } else { wanted.to_owned() };
    match Quantity::parse(&text) {
        Ok(amount) => Ok(json!({"type": "AverageValue", "averageValue": amount.to_string()})),
        Err(_) => plain(format!("invalid resource {resource} value: {wanted}")),
    }
}
