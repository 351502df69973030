//! What the API server adds to a pod: service account, token, priority, tolerations, limits.

use super::limit_range;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, PodSpec, StringMap, Value, defaults};
use crate::base::names;
use crate::store::storage::Store;
use serde_json::json;
use std::sync::Arc;

/// Specifications that were admitted lately, so that the pods of one template pass once and share
/// the result. A cache: what it holds changes nothing but time and memory.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct AdmittedSpecs {
    entries: Vec<Entry>,
    /// The last labels that were extended, what with, and the result; see [`Store::shared_labels`].
    labels: Vec<ExtendedLabels>,
}

#[derive(Clone, Debug)]
struct ExtendedLabels {
    given: StringMap,
    additions: Vec<(String, String)>,
    result: StringMap,
}

#[derive(Clone, Debug)]
struct Entry {
    namespace: Arc<str>,
    given: Arc<PodSpec>,
    admitted: Arc<PodSpec>,
    valid: bool,
}

/// More templates than this at the same time just miss the cache.
const MOST_ENTRIES: usize = 32;

impl AdmittedSpecs {
    /// Forgets everything: something that admission looks at has changed.
    pub(in crate::store) fn clear(&mut self) {
        self.entries.clear();
    }
}

impl Store {
    /// Labels with additions, shared between all pods that ask for the same.
    pub(super) fn shared_labels(
        &mut self,
        labels: &StringMap,
        additions: &[(&str, String)],
    ) -> StringMap {
        let cache = &mut self.admitted().labels;
        let same = |wanted: &[(String, String)]| {
            wanted.len() == additions.len()
                && wanted.iter().zip(additions).all(|(a, b)| a.0 == b.0 && a.1 == b.1)
        };
        let known = cache.iter().find(|entry| entry.given.same(labels) && same(&entry.additions));
        if let Some(entry) = known {
            return entry.result.clone();
        }
        let mut result = labels.clone();
        for (name, value) in additions {
            result.set(name, value);
        }
        let additions = additions.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        cache.push(ExtendedLabels {
            given: labels.clone(),
            additions: additions.collect(),
            result: result.clone(),
        });
        if cache.len() > MOST_ENTRIES {
            cache.remove(0);
        }
        result
    }
}

/// Completes a pod. Says whether its specification is known to be valid.
pub(super) fn admit(store: &mut Store, object: &mut Object) -> Result<bool, ApiError> {
    let (name, namespace) = (object.meta.name.clone(), object.meta.namespace.clone());
    let suffix = names::random_suffix(store.rng(), 5);
    let Some(pod) = object.pod_mut() else { return Ok(false) };
    let given = pod.spec.clone();
    let known = store
        .admitted()
        .entries
        .iter()
        .find(|entry| Arc::ptr_eq(&entry.given, &given) && entry.namespace == namespace);
    let (admitted, valid) = match known {
        Some(entry) => (entry.admitted.clone(), entry.valid),
        None => {
            let admitted = complete(store, &namespace, &name, &given)?;
            let entry = Entry { namespace, given, admitted: admitted.clone(), valid: false };
            let entries = &mut store.admitted().entries;
            entries.push(entry);
            if entries.len() > MOST_ENTRIES {
                entries.remove(0);
            }
            (admitted, false)
        }
    };
    let mounts_token = mounts_token(&admitted.tree);
    pod.spec = admitted;
    pod.token_volume = suffix.as_bytes().try_into().ok().filter(|_| mounts_token);
    Ok(valid)
}

/// Notes that the specification of this pod passed validation.
pub(super) fn remember_valid(store: &mut Store, object: &Object) {
    let Some(pod) = object.pod() else { return };
    let entries = &mut store.admitted().entries;
    if let Some(entry) = entries.iter_mut().find(|e| Arc::ptr_eq(&e.admitted, &pod.spec)) {
        entry.valid = true;
    }
}

fn complete(
    store: &Store,
    namespace: &str,
    name: &str,
    given: &PodSpec,
) -> Result<Arc<PodSpec>, ApiError> {
    // A template has the defaults of templates; a pod has a few more.
    let mut pod = json!({"spec": given.tree});
    defaults::apply(Kind::Pod, &mut pod);
    let mut tree = pod.remove(&["spec"]).unwrap_or_default();
    limit_range::apply_defaults(store, namespace, &mut tree);
    service_account(store, namespace, name, &mut tree)?;
    priority(store, name, &mut tree)?;
    tolerate_node_trouble(&mut tree);
    limit_range::check(store, namespace, name, &tree)?;
    Ok(Arc::new(PodSpec::from_value(tree)))
}

/// Models plugin/pkg/admission/serviceaccount/admission.go.
fn service_account(
    store: &Store,
    namespace: &str,
    name: &str,
    tree: &mut Value,
) -> Result<(), ApiError> {
    let account = match tree.str_at(&["serviceAccountName"]) {
        None | Some("") => "default".to_owned(),
        Some(account) => account.to_owned(),
    };
    let Some(found) = store.find(Kind::ServiceAccount, namespace, &account) else {
        let why = format!(
            "error looking up service account {namespace}/{account}: \
             serviceaccount \"{account}\" not found"
        );
        return Err(ApiError::forbidden("pods", name, &why));
    };
    tree.put(&["serviceAccountName"], account.clone());
    tree.put(&["serviceAccount"], account);
    if tree.items_at(&["imagePullSecrets"]).is_empty()
        && let Some(secrets) = found.content().get("imagePullSecrets")
    {
        tree.put(&["imagePullSecrets"], secrets.clone());
    }
    if found.content().bool_at(&["automountServiceAccountToken"]) == Some(false) {
        tree.put_default(&["automountServiceAccountToken"], false);
    }
    Ok(())
}

/// Whether a token volume is added: not if the pod declines, or mounts one itself.
fn mounts_token(tree: &Value) -> bool {
    let has_one = tree.items_at(&["volumes"]).iter().any(|volume| {
        volume.str_at(&["name"]).is_some_and(|name| name.starts_with("kube-api-access-"))
    });
    tree.bool_at(&["automountServiceAccountToken"]) != Some(false) && !has_one
}

/// Models plugin/pkg/admission/priority/admission.go.
fn priority(store: &Store, name: &str, tree: &mut Value) -> Result<(), ApiError> {
    const SYSTEM_CLASSES: [(&str, i64); 2] =
        [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
    let class = tree.str_at(&["priorityClassName"]).unwrap_or_default().to_owned();
    let (priority, preemption) = match class.as_str() {
        "" => {
            let default = store
                .list(Kind::PriorityClass)
                .find(|class| class.content().bool_at(&["globalDefault"]) == Some(true));
            if let Some(default) = default {
                tree.put(&["priorityClassName"], &*default.meta.name);
            }
            default.map_or((0, None), |class| class_values(class))
        }
        class => match SYSTEM_CLASSES.iter().find(|(name, _)| *name == class) {
            Some((_, priority)) => (*priority, None),
            None => {
                let found = store.find(Kind::PriorityClass, "", class).ok_or_else(|| {
                    let why = format!("no PriorityClass with name {class} was found");
                    ApiError::forbidden("pods", name, &why)
                })?;
                class_values(found)
            }
        },
    };
    tree.put(&["priority"], priority);
    let preemption = preemption.unwrap_or_else(|| "PreemptLowerPriority".to_owned());
    tree.put_default(&["preemptionPolicy"], preemption);
    Ok(())
}

fn class_values(class: &Object) -> (i64, Option<String>) {
    let value = class.content().int_at(&["value"]).unwrap_or_default();
    (value, class.content().str_at(&["preemptionPolicy"]).map(str::to_owned))
}

/// Every pod bears a lost node for five minutes.
///
/// Models plugin/pkg/admission/defaulttolerationseconds/admission.go.
fn tolerate_node_trouble(tree: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covers = |toleration: &Value| {
            let key_fits = toleration.str_at(&["key"]).is_none_or(|k| k == key || k.is_empty());
            let effect = toleration.str_at(&["effect"]).unwrap_or_default();
            key_fits && (effect == "NoExecute" || effect.is_empty())
        };
        if tree.items_at(&["tolerations"]).iter().any(covers) {
            continue;
        }
        let toleration = json!({
            "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
        });
        match tree.entry(&["tolerations"]) {
            Value::Array(items) => items.push(toleration),
            other => *other = Value::Array(vec![toleration]),
        }
    }
}
