//! Priority: from the name of a class to the number, and one default class at most.
//!
//! Models plugin/pkg/admission/priority/admission.go.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Value};
use crate::store::storage::Store;
use std::sync::Arc;

/// The classes that every cluster has, with their values.
pub(in crate::store) const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

/// Fills in what follows from the class of a new pod; `name` is how a refusal names the pod.
pub(super) fn resolve(store: &Store, name: &str, tree: &mut Value) -> Result<(), ApiError> {
    let refuse = |why: String| Err(ApiError::forbidden("pods", name, &why));
    let class = tree.str_at(&["priorityClassName"]).unwrap_or_default().to_owned();
    let found = match class.as_str() {
        "" => default_class(store),
        class => store.find(Kind::PriorityClass, "", class),
    };
    let system = SYSTEM_CLASSES.iter().find(|(name, _)| *name == class);
    let (priority, preemption) = match (found, system) {
        (Some(found), _) => {
            tree.put(&["priorityClassName"], &*found.meta.name);
            (value_of(found), found.content().str_at(&["preemptionPolicy"]))
        }
        (None, Some((_, value))) => (*value, Some("PreemptLowerPriority")),
        (None, None) if class.is_empty() => (0, Some("PreemptLowerPriority")),
        (None, None) => return refuse(format!("no PriorityClass with name {class} was found")),
    };
    if let Some(given) = tree.int_at(&["priority"]).filter(|given| *given != priority) {
        return refuse(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority \
             admission controller computed {priority} from the given PriorityClass name"
        ));
    }
    tree.put(&["priority"], priority);
    let Some(preemption) = preemption else { return Ok(()) };
    if let Some(given) = tree.str_at(&["preemptionPolicy"]).filter(|given| *given != preemption) {
        return refuse(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; \
             priority admission controller computed {preemption} from the given PriorityClass name"
        ));
    }
    tree.put(&["preemptionPolicy"], preemption);
    Ok(())
}

fn value_of(class: &Object) -> i64 {
    class.content().int_at(&["value"]).unwrap_or_default()
}

/// Of several the lowest, should there be several.
fn default_class(store: &Store) -> Option<&Arc<Object>> {
    let classes = store.list(Kind::PriorityClass);
    let defaults =
        classes.filter(|class| class.content().bool_at(&["globalDefault"]) == Some(true));
    defaults.min_by_key(|class| value_of(class))
}

/// A changed pod keeps what follows from its class.
pub(super) fn keep(tree: &mut Value, old: &Value) {
    for field in ["priority", "preemptionPolicy"] {
        if let Some(value) = old.get(field) {
            tree.put_default(&[field], value.clone());
        }
    }
}

/// Refuses a second default class.
#[inline(never)]
pub(super) fn check_class(
    store: &Store,
    object: &Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    if object.content().bool_at(&["globalDefault"]) != Some(true) {
        return Ok(());
    }
    let Some(other) = default_class(store) else { return Ok(()) };
    if old.is_some() && other.meta.name == object.meta.name {
        return Ok(());
    }
    let why = format!(
        "PriorityClass {} is already marked as default. Only one default can exist",
        other.meta.name
    );
    Err(ApiError::forbidden(&object.kind.group_resource(), &object.meta.name, &why))
}
