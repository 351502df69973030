//! RuntimeClass: what a pod of a class costs beside its containers, and where it may run.
//!
//! Models plugin/pkg/admission/runtimeclass/admission.go.

use crate::api::pod::amounts::amounts;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Value};
use crate::store::storage::Store;
use std::sync::Arc;

fn class_of<'a>(store: &'a Store, spec: &Value) -> Option<&'a Arc<Object>> {
    let name = spec.str_at(&["runtimeClassName"])?;
    let kind = Kind::all().find(|kind| kind.name() == "RuntimeClass" && !kind.is_custom())?;
    store.find(kind, "", name)
}

const MISMATCH: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/// Copies the overhead and the scheduling rules of its class to a new pod; `name` is how a refusal
/// names the pod.
pub(super) fn apply(store: &Store, name: &str, tree: &mut Value) -> Result<(), ApiError> {
    let refuse = |why: String| Err(ApiError::forbidden("pods", name, &why));
    let Some(class_name) = tree.str_at(&["runtimeClassName"]).map(str::to_owned) else {
        return Ok(());
    };
    let Some(class) = class_of(store, tree) else {
        return refuse(format!("pod rejected: RuntimeClass \"{class_name}\" not found"));
    };
    if let Some(fixed) = class.content().at(&["overhead", "podFixed"]) {
        let given = amounts(tree.at(&["overhead"]));
        if !given.is_empty() && given != amounts(Some(fixed)) {
            return refuse(MISMATCH.to_owned());
        }
        tree.put(&["overhead"], fixed.clone());
    }
    let Some(scheduling) = class.content().at(&["scheduling"]) else { return Ok(()) };
    for (key, value) in scheduling.fields_at(&["nodeSelector"]).into_iter().flatten() {
        match tree.at(&["nodeSelector", key]) {
            Some(other) if other != value => {
                return refuse(format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; \
                     pod.spec.nodeSelector[{key}] = {}",
                    value.as_str().unwrap_or_default(),
                    other.as_str().unwrap_or_default()
                ));
            }
            _ => tree.put(&["nodeSelector", key], value.clone()),
        }
    }
    let more = scheduling.items_at(&["tolerations"]);
    if !more.is_empty() {
        let mut all = tree.items_at(&["tolerations"]).to_vec();
        all.extend(
            more.iter().filter(|one| !tree.items_at(&["tolerations"]).contains(one)).cloned(),
        );
        tree.put(&["tolerations"], all);
    }
    Ok(())
}

/// Refuses a new pod with an overhead that its class does not have.
pub(super) fn check(store: &Store, object: &Object) -> Result<(), ApiError> {
    let Some(pod) = object.pod() else { return Ok(()) };
    let spec = &pod.spec.tree;
    let given = amounts(spec.at(&["overhead"]));
    let fixed =
        class_of(store, spec).and_then(|class| class.content().at(&["overhead", "podFixed"]));
    let why = match fixed {
        None if given.is_empty() => return Ok(()),
        Some(fixed) if amounts(Some(fixed)) == given => return Ok(()),
        Some(_) => MISMATCH,
        None => {
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        }
    };
    Err(ApiError::forbidden("pods", &object.meta.name, why))
}
