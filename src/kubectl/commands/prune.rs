//! `kubectl apply --prune`: what was applied once and is in no manifest any more goes.

use crate::api::{Kind, Object, Uid};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::commands::apply::LAST_APPLIED;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use crate::store::{DeleteOptions, ObjectKey};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The kinds that are looked at, in upstream's order.
///
/// Models staging/src/k8s.io/kubectl/pkg/util/prune/prune.go.
const KINDS: [Kind; 16] = [
    Kind::ConfigMap,
    Kind::Endpoints,
    Kind::PersistentVolumeClaim,
    Kind::Pod,
    Kind::ReplicationController,
    Kind::Secret,
    Kind::Service,
    Kind::Job,
    Kind::CronJob,
    Kind::Ingress,
    Kind::DaemonSet,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::Namespace,
    Kind::PersistentVolume,
];

/// The kinds of `--prune-allowlist`, or all of them.
fn kinds(call: &Call<'_>) -> Result<Vec<Kind>, Failure> {
    let words = call.flags.list("prune-allowlist");
    if words.is_empty() {
        return Ok(KINDS.to_vec());
    }
    let mut kinds = Vec::new();
    for word in words {
        let parts: Vec<&str> = word.split('/').collect();
        let [group, version, kind] = parts.as_slice() else {
            return plain(format!(
                "invalid GroupVersionKind format: {word}, please follow <group/version/kind>"
            ));
        };
        let api_version = match *group {
            "core" | "" => (*version).to_owned(),
            group => format!("{group}/{version}"),
        };
        let Some(found) = Kind::of_manifest(&api_version, kind) else {
            return plain(format!("no matches for kind \"{kind}\" in version \"{api_version}\""));
        };
        kinds.push(found);
    }
    Ok(kinds)
}

/// Deletes what was applied before, fits the selector and is not among what was `applied` now.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/prune.go.
pub(super) fn prune(
    call: &mut Call<'_>,
    applied: &[Uid],
    namespaces: &BTreeSet<String>,
) -> Outcome {
    let selector = resources::selector(call)?;
    if call.flags.given("namespace") && call.flags.list("prune-allowlist").is_empty() {
        // Models pkg/util/prune/prune.go GetRESTMappings.
        let text = "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the --namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the --prune-allowlist flag.";
        let line = crate::kubectl::logged(call.world.now(), "prune.go:71", text);
        call.warn(line);
    }
    for kind in kinds(call)? {
        let goes = |object: &&Arc<Object>| {
            let meta = &object.meta;
            (!kind.namespaced() || namespaces.contains(&*meta.namespace))
                && meta.annotations.get(LAST_APPLIED).is_some()
                && selector.matches(&meta.labels)
                && !applied.contains(&meta.uid)
        };
        let gone: Vec<Arc<Object>> = call.world.store().list(kind).filter(goes).cloned().collect();
        for object in gone {
            if call.dry_run()? != DryRun::Client {
                let key = ObjectKey::of(&object);
                let result =
                    call.write(|world| world.delete(kind, &key, &DeleteOptions::default()));
                match result {
                    Err(failure) if !failure.is_not_found() => return Err(failure),
                    _ => {}
                }
            }
            call.done(kind, &shown(&object), "pruned")?;
        }
    }
    Ok(())
}
