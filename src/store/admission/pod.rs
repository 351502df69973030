//! What the API server adds to a pod: service account, token, priority, tolerations, limits.

use super::{limit_range, priority, runtime_class};
use crate::api::pod::TOKEN_MOUNT_PATH;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, PodSpec, Reason, StringMap, Value, defaults};
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
    /// What a LimitRange filled in, in a sentence.
    note: Option<String>,
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
    /// Labels or annotations with additions, shared between all pods that ask for the same.
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

/// Completes a new pod.
pub(super) fn complete_new(store: &mut Store, object: &mut Object) -> Result<(), ApiError> {
    let namespace = object.meta.namespace.clone();
    let suffix = names::random_suffix(store.rng(), 5);
    let Some(pod) = object.pod() else { return Ok(()) };
    let given = pod.spec.clone();
    let known = store
        .admitted()
        .entries
        .iter()
        .find(|entry| Arc::ptr_eq(&entry.given, &given) && entry.namespace == namespace);
    let (admitted, note) = match known {
        Some(entry) => (entry.admitted.clone(), entry.note.clone()),
        None => {
            // A name that is generated is not there yet.
            let name = match &*object.meta.name {
                "" => &*object.meta.generate_name,
                name => name,
            };
            let (admitted, note) = complete(store, &namespace, name, &given)?;
            let (kept, note_kept) = (admitted.clone(), note.clone());
            let entry = Entry { namespace, given, admitted: kept, note: note_kept };
            let entries = &mut store.admitted().entries;
            entries.push(entry);
            if entries.len() > MOST_ENTRIES {
                entries.remove(0);
            }
            (admitted, note)
        }
    };
    if let Some(note) = note {
        let noted = [(limit_range::ANNOTATION, note)];
        object.meta.annotations = store.shared_labels(&object.meta.annotations, &noted);
    }
    let Some(pod) = object.pod_mut() else { return Ok(()) };
    let mounts_token = mounts_token(&admitted.tree);
    pod.spec = admitted;
    pod.token_volume = suffix.as_bytes().try_into().ok().filter(|_| mounts_token);
    Ok(())
}

/// A changed pod keeps what was given to it when it was new.
pub(super) fn complete_changed(object: &mut Object, old: &Object) {
    let (Some(pod), Some(old)) = (object.pod_mut(), old.pod()) else { return };
    if Arc::ptr_eq(&pod.spec, &old.spec) {
        return;
    }
    let mut tree = pod.spec.tree.clone();
    priority::keep(&mut tree, &old.spec.tree);
    tolerate_node_trouble(&mut tree);
    if tree != pod.spec.tree {
        pod.spec = Arc::new(PodSpec::from_value(tree));
    }
}

/// The specification with what admission adds, and what a LimitRange filled in.
fn complete(
    store: &Store,
    namespace: &str,
    name: &str,
    given: &PodSpec,
) -> Result<(Arc<PodSpec>, Option<String>), ApiError> {
    // A template has the defaults of templates; a pod has a few more.
    let mut pod = json!({"spec": given.tree});
    defaults::apply(Kind::Pod, &mut pod);
    let mut tree = pod.remove(&["spec"]).unwrap_or_default();
    let note = limit_range::apply_defaults(store, namespace, &mut tree);
    service_account(store, namespace, name, &mut tree)?;
    priority::resolve(store, name, &mut tree)?;
    tolerate_node_trouble(&mut tree);
    runtime_class::apply(store, name, &mut tree)?;
    Ok((Arc::new(PodSpec::from_value(tree)), note))
}

/// Whether a pod was refused only because its namespace has no default service account yet: the
/// server looks for it again for a second or two before it says so.
///
/// Models plugin/pkg/admission/serviceaccount/admission.go getServiceAccount.
pub fn awaits_account(error: &ApiError) -> bool {
    error.reason == Reason::Forbidden
        && error.message.contains("error looking up service account ")
        && error.message.ends_with("/default: serviceaccount \"default\" not found")
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

/// Whether a token volume is added: not if the pod declines, or brings one itself, or all of its
/// containers have something else in its place.
///
/// Models plugin/pkg/admission/serviceaccount/admission.go mountServiceAccountToken.
fn mounts_token(tree: &Value) -> bool {
    let has_one = tree.items_at(&["volumes"]).iter().any(|volume| {
        volume.str_at(&["name"]).is_some_and(|name| name.starts_with("kube-api-access-"))
    });
    let lists = ["initContainers", "containers"].into_iter();
    let needs_one = |container: &Value| {
        let mut mounts = container.items_at(&["volumeMounts"]).iter();
        !mounts.any(|mount| mount.str_at(&["mountPath"]) == Some(TOKEN_MOUNT_PATH))
    };
    tree.bool_at(&["automountServiceAccountToken"]) != Some(false)
        && !has_one
        && lists.flat_map(|list| tree.items_at(&[list])).any(needs_one)
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
