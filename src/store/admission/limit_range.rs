//! LimitRange: default requests and limits of containers, and the bounds of containers, pods and
//! claims.
//!
//! Models plugin/pkg/admission/limitranger/admission.go.

use super::aggregate;
use crate::api::pod::amounts::{Amounts, amounts, pod_amounts};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Value};
use crate::base::Quantity;
use crate::store::storage::Store;
use std::sync::Arc;

/// The annotation that says what was filled in.
pub(super) const ANNOTATION: &str = "kubernetes.io/limit-ranger";

fn items<'a>(range: &'a Object, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let items = range.spec().items_at(&["limits"]).iter();
    items.filter(move |item| item.str_at(&["type"]) == Some(kind))
}

/// Fills requests and limits that containers leave open, and says which in a sentence.
pub(super) fn apply_defaults(store: &Store, namespace: &str, spec: &mut Value) -> Option<String> {
    let mut note = None;
    for range in store.list_in(Kind::LimitRange, namespace) {
        let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
        for item in items(range, "Container") {
            requests.extend(amounts(item.at(&["defaultRequest"])));
            limits.extend(amounts(item.at(&["default"])));
        }
        let mut set = Vec::new();
        for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                let name = container.str_at(&["name"]).unwrap_or_default().to_owned();
                let defaults = [("limits", "limit", &limits), ("requests", "request", &requests)];
                let filled = defaults.map(|(list, word, defaults)| {
                    let names = fill(container, list, defaults);
                    (!names.is_empty())
                        .then(|| format!("{} {word} for {what} {name}", names.join(", ")))
                });
                set.extend(filled.into_iter().rev().flatten());
            }
        }
        if !set.is_empty() {
            note = Some(format!("LimitRanger plugin set: {}", set.join("; ")));
        }
    }
    note
}

#[inline(never)]
fn fill(container: &mut Value, list: &str, defaults: &Amounts) -> Vec<String> {
    let mut names = Vec::new();
    for (name, amount) in defaults {
        if container.at(&["resources", list, name]).is_none() {
            container.put(&["resources", list, name], amount.to_string());
            names.push(name.clone());
        }
    }
    names
}

/// Refuses a new pod, or a claim, outside the bounds: the faults of one LimitRange in one sentence.
pub(super) fn check(store: &Store, object: &Object, old: Option<&Object>) -> Result<(), ApiError> {
    if old.is_some_and(|old| old.meta.is_terminating() || object.kind == Kind::Pod) {
        return Ok(());
    }
    let faults = |range: &Arc<Object>| match object.kind {
        Kind::Pod => object.pod().map(|pod| pod_faults(range, &pod.spec.tree)).unwrap_or_default(),
        Kind::PersistentVolumeClaim => claim_faults(range, object.spec()),
        _ => Vec::new(),
    };
    let ranges = store.list_in(Kind::LimitRange, &object.meta.namespace);
    let wrong = ranges.map(faults).find(|faults| !faults.is_empty());
    wrong.map_or(Ok(()), |faults| {
        let resource = object.kind.group_resource();
        Err(ApiError::forbidden(&resource, &object.meta.name, &aggregate(&faults)))
    })
}

#[inline(never)]
fn pod_faults(range: &Object, spec: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for item in range.spec().items_at(&["limits"]) {
        match item.str_at(&["type"]) {
            Some("Container") => {
                for list in ["containers", "initContainers"] {
                    for container in spec.items_at(&[list]) {
                        let of = |list| amounts(container.at(&["resources", list]));
                        all_bounds(item, &of("requests"), &of("limits"), &mut faults);
                    }
                }
            }
            Some("Pod") => {
                let (requests, limits) =
                    (pod_amounts(spec, "requests"), pod_amounts(spec, "limits"));
                all_bounds(item, &requests, &limits, &mut faults);
            }
            _ => {}
        }
    }
    faults
}

/// The bounds of one item.
struct Bound<'a> {
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    kind: &'a str,
    name: &'a str,
    enforced: Quantity,
    request: Option<Quantity>,
    limit: Option<Quantity>,
}

fn bounds<'a>(item: &'a Value, key: &str, requests: &Amounts, limits: &Amounts) -> Vec<Bound<'a>> {
    let fields = item.fields_at(&[key]).into_iter().flatten();
    let kind = item.str_at(&["type"]).unwrap_or_default();
    let bound = |(name, value): (&'a String, &'a Value)| {
        let enforced = crate::api::pod::quantity_of(value)?;
        let (request, limit) = (requests.get(name).copied(), limits.get(name).copied());
        Some(Bound { kind, name, enforced, request, limit })
    };
    fields.filter_map(bound).collect()
}

fn all_bounds(item: &Value, requests: &Amounts, limits: &Amounts, faults: &mut Vec<String>) {
    faults.extend(bounds(item, "min", requests, limits).iter().filter_map(Bound::below));
    faults.extend(bounds(item, "max", requests, limits).iter().filter_map(Bound::above));
    let ratios = bounds(item, "maxLimitRequestRatio", requests, limits);
    faults.extend(ratios.iter().filter_map(Bound::out_of_ratio));
}

#[inline(never)]
fn claim_faults(range: &Object, spec: &Value) -> Vec<String> {
    let requests = amounts(spec.at(&["resources", "requests"]));
    let none = Amounts::new();
    let mut faults = Vec::new();
    for item in items(range, "PersistentVolumeClaim") {
        faults.extend(bounds(item, "min", &requests, &none).iter().filter_map(Bound::below));
        faults.extend(
            bounds(item, "max", &requests, &none).iter().filter_map(Bound::requested_above),
        );
    }
    faults
}

impl Bound<'_> {
    fn usage(&self, which: &str) -> String {
        format!("{which} {} usage per {} is {}", self.name, self.kind, self.enforced)
    }

    /// Models admission.go minConstraint.
    fn below(&self) -> Option<String> {
        let usage = self.usage("minimum");
        match (self.request, self.limit) {
            (None, _) => Some(format!("{usage}.  No request is specified")),
            (Some(request), _) if request < self.enforced => {
                Some(format!("{usage}, but request is {request}"))
            }
            (_, Some(limit)) if limit < self.enforced => {
                Some(format!("{usage}, but limit is {limit}"))
            }
            _ => None,
        }
    }

    /// Models admission.go maxConstraint.
    fn above(&self) -> Option<String> {
        let usage = self.usage("maximum");
        match (self.limit, self.request) {
            (None, _) => Some(format!("{usage}.  No limit is specified")),
            (Some(limit), _) if limit > self.enforced => {
                Some(format!("{usage}, but limit is {limit}"))
            }
            (_, Some(request)) if request > self.enforced => {
                Some(format!("{usage}, but request is {request}"))
            }
            _ => None,
        }
    }

    /// Models admission.go maxRequestConstraint.
    fn requested_above(&self) -> Option<String> {
        let usage = self.usage("maximum");
        match self.request {
            None => Some(format!("{usage}.  No request is specified")),
            Some(request) if request > self.enforced => {
                Some(format!("{usage}, but request is {request}"))
            }
            Some(_) => None,
        }
    }

    /// Models admission.go limitRequestRatioConstraint.
    fn out_of_ratio(&self) -> Option<String> {
        let (name, kind, enforced) = (self.name, self.kind, self.enforced);
        let most = format!("{name} max limit to request ratio per {kind} is {enforced}, but");
        let nothing = |amount: Option<Quantity>| amount.is_none_or(Quantity::is_zero);
        if nothing(self.request) {
            return Some(format!("{most} no request is specified or request is 0"));
        }
        if nothing(self.limit) {
            return Some(format!("{most} no limit is specified or limit is 0"));
        }
        let (request, limit) = (self.request?, self.limit?);
        let over = i128::from(limit.milli_value()) * 1000
            > i128::from(request.milli_value()) * i128::from(enforced.milli_value());
        over.then(|| format!("{most} provided ratio is {}", ratio(limit, request)))
    }
}

/// Two amounts' ratio with six decimals, as Go's `%f` writes it.
fn ratio(limit: Quantity, request: Quantity) -> String {
    const MILLION: i128 = 1_000_000;
    let (limit, request) = (i128::from(limit.milli_value()), i128::from(request.milli_value()));
    let millionths = (limit * MILLION * 2 + request) / (request * 2).max(1);
    format!("{}.{:06}", millionths / MILLION, millionths % MILLION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(item: Value, spec: Value) -> Vec<String> {
        let range = json!({"spec": {"limits": [item]}});
        pod_faults(&Object::from_value(Kind::LimitRange, range), &spec)
    }

    /// Texts of a real API server.
    #[test]
    fn bounds_are_of_containers_and_of_whole_pods() {
        let container = |request: &str, limit: &str| json!({"resources": {"requests": {"cpu": request}, "limits": {"cpu": limit}}});
        let two = json!({"containers": [container("100m", "1"), container("50m", "500m")]});
        let cases = [
            (
                json!({"type": "Pod", "min": {"cpu": "200m"}}),
                "minimum cpu usage per Pod is 200m, but request is 150m",
            ),
            (
                json!({"type": "Pod", "maxLimitRequestRatio": {"cpu": "2"}}),
                "cpu max limit to request ratio per Pod is 2, but provided ratio is 10.000000",
            ),
            (
                json!({"type": "Container", "max": {"cpu": "600m"}}),
                "maximum cpu usage per Container is 600m, but limit is 1",
            ),
            (
                json!({"type": "Pod", "max": {"memory": "1Gi"}}),
                "maximum memory usage per Pod is 1Gi.  No limit is specified",
            ),
        ];
        for (item, text) in cases {
            assert_eq!(faults(item, two.clone()), [text]);
        }
        assert_eq!(ratio(Quantity::from_units(2), Quantity::from_units(3)), "0.666667");
    }
}
