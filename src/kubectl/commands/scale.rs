//! `kubectl scale` and `kubectl autoscale`.

use super::{PATIENCE, duration, record_after};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use crate::kubectl::task::Task;
use crate::store::ObjectKey;
use serde_json::json;
use std::sync::Arc;

const SCALABLE: [Kind; 4] =
    [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::ReplicationController];

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
            let now = call.world.store().get(object.kind, &ObjectKey::of(&object));
            let has = now.map(|now| now.status().int_at(&["replicas"]).unwrap_or(0));
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
    if !SCALABLE.contains(&object.kind) {
        return Err(crate::api::ApiError::new(
            crate::api::Reason::NotFound,
            "the server could not find the requested resource",
        )
        .into());
    }
    let mut value = shown(object);
    let current = call.flags.int("current-replicas")?.unwrap_or(-1);
    let actual = value.int_at(&["spec", "replicas"]).unwrap_or(0);
    if current != -1 && current != actual {
        return plain(format!("Expected replicas to be {current}, was {actual}"));
    }
    let version = object.meta.resource_version.to_string();
    if let Some(wanted) = call.flags.get("resource-version").filter(|wanted| *wanted != version) {
        return plain(format!("Expected resource version to be {wanted}, was {version}"));
    }
    value.put(&["spec", "replicas"], replicas);
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
    let found = resources::find_named(call)?;
    for object in &found.objects {
        if !SCALABLE.contains(&object.kind) {
            return plain(format!("cannot autoscale a {}: not supported", object.kind.name()));
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
        let mut metrics = Vec::new();
        let percent = call.flags.int("cpu-percent")?.unwrap_or(-1);
        if percent >= 0 {
            metrics.push(target("cpu", &format!("{percent}%")));
        }
        for resource in ["cpu", "memory"] {
            if let Some(wanted) = call.flags.get(resource) {
                metrics.push(target(resource, wanted));
            }
        }
        if !metrics.is_empty() {
            spec.put(&["metrics"], metrics);
        }
        let value = json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name}, "spec": spec,
        });
        call.create_generated(Kind::HorizontalPodAutoscaler, value, "autoscaled")?;
    }
    Failure::of(found.failures)
}

fn target(resource: &str, wanted: &str) -> serde_json::Value {
    let target = match wanted.strip_suffix('%').and_then(|percent| percent.parse::<i64>().ok()) {
        Some(percent) => json!({"type": "Utilization", "averageUtilization": percent}),
        None => json!({"type": "AverageValue", "averageValue": wanted}),
    };
    json!({"type": "Resource", "resource": {"name": resource, "target": target}})
}
