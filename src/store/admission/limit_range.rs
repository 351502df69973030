//! LimitRange: default requests and limits of containers, and their bounds.
//!
//! Models plugin/pkg/admission/limitranger/admission.go.

use crate::api::pod::quantity_of;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Value};
use crate::base::Quantity;
use crate::store::storage::Store;

/// Fills requests and limits that containers leave open.
pub(super) fn apply_defaults(store: &Store, namespace: &str, spec: &mut Value) {
    for item in limits(store, namespace, "Container") {
        for list in ["initContainers", "containers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                for (from, to) in [("defaultRequest", "requests"), ("default", "limits")] {
                    for (name, amount) in item.fields_at(&[from]).into_iter().flatten() {
                        container.put_default(&["resources", to, name], amount.clone());
                    }
                }
            }
        }
    }
}

/// Refuses a pod with a container outside the bounds; all its faults in one sentence.
pub(super) fn check(
    store: &Store,
    namespace: &str,
    name: &str,
    spec: &Value,
) -> Result<(), ApiError> {
    let mut faults = Vec::new();
    for item in limits(store, namespace, "Container") {
        let containers = spec.items_at(&["initContainers"]).iter();
        for container in containers.chain(spec.items_at(&["containers"])) {
            faults.extend(container_faults(&item, container));
        }
    }
    match faults.as_slice() {
        [] => Ok(()),
        [one] => Err(ApiError::forbidden("pods", name, one)),
        many => Err(ApiError::forbidden("pods", name, &format!("[{}]", many.join(", ")))),
    }
}

fn limits(store: &Store, namespace: &str, kind: &str) -> Vec<Value> {
    let ranges = store.list_in(Kind::LimitRange, namespace);
    let items = ranges.flat_map(|range| range.spec().items_at(&["limits"]).to_vec());
    items.filter(|item| item.str_at(&["type"]) == Some(kind)).collect()
}

fn container_faults(item: &Value, container: &Value) -> Vec<String> {
    let amount =
        |list: &str, name: &str| container.at(&["resources", list, name]).and_then(quantity_of);
    let bounds = |key: &str| -> Vec<(String, Quantity)> {
        let fields = item.fields_at(&[key]).into_iter().flatten();
        fields.filter_map(|(name, value)| Some((name.clone(), quantity_of(value)?))).collect()
    };
    let mut faults = Vec::new();
    for (name, min) in bounds("min") {
        let request = amount("requests", &name);
        faults.extend(match request {
            None => Some(format!(
                "minimum {name} usage per Container is {min}.  No request is specified"
            )),
            Some(request) if request < min => Some(format!(
                "minimum {name} usage per Container is {min}, but request is {request}"
            )),
            _ => None,
        });
    }
    for (name, max) in bounds("max") {
        let (request, limit) = (amount("requests", &name), amount("limits", &name));
        faults.extend(match (limit, request) {
            (None, _) => {
                Some(format!("maximum {name} usage per Container is {max}.  No limit is specified"))
            }
            (Some(limit), _) if limit > max => {
                Some(format!("maximum {name} usage per Container is {max}, but limit is {limit}"))
            }
            (_, Some(request)) if request > max => Some(format!(
                "maximum {name} usage per Container is {max}, but request is {request}"
            )),
            _ => None,
        });
    }
    faults
}
