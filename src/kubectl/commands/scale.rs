//! `kubectl scale` and `kubectl autoscale`.

use super::{PATIENCE, duration, run_until, store_change};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use serde_json::json;

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
    for object in &found.objects {
        scale_one(call, object, replicas)?;
    }
    Failure::of(found.failures)
}

fn scale_one(call: &mut Call<'_>, object: &Object, replicas: i64) -> Outcome {
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
    value.put(&["spec", "replicas"], replicas);
    let stored = store_change(call, object.kind, &value, &object.meta.namespace)?;
    let timeout = duration(call.flags.text("timeout"))?;
    if !timeout.is_zero() {
        let (kind, key) = (object.kind, crate::store::ObjectKey::of(object));
        run_until(call.world, timeout.min(PATIENCE), |world| {
            world
                .store()
                .get(kind, &key)
                .is_none_or(|object| object.status().int_at(&["replicas"]).unwrap_or(0) == replicas)
        });
    }
    call.done(object.kind, &stored, "scaled")
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
