//! Pod Security: which pods a namespace takes, by its labels `pod-security.kubernetes.io/…`.
//!
//! `enforce` refuses pods, `warn` warns of them and of templates that describe such pods, `audit`
//! goes to the audit log, which the model does not have. The exemptions of namespaces, users and
//! runtime classes stand in a file that kubeadm does not write, so there are none.
//!
//! Models staging/src/k8s.io/pod-security-admission/admission/admission.go.
//!
//! Reading order: this file, `policy.rs`, `checks.rs`, `host.rs`, `profiles.rs`.

mod checks;
mod host;
mod policy;
mod profiles;

use crate::api::tree::Tree as _;
use crate::api::{ApiError, Kind, Object, StringMap, Value};
use crate::store::server::{Context, invalid};
use crate::store::storage::Store;
use checks::{Violation, violations};
use policy::{Level, LevelAndVersion, Policy};
use std::collections::{BTreeMap, BTreeSet};

/// More pods than this are not looked at when a namespace changes.
const MOST_PODS: usize = 3000;

/// A pod as the checks see it.
#[derive(Clone, Copy)]
struct PodView<'a> {
    annotations: &'a StringMap,
    spec: &'a Value,
}

impl<'a> PodView<'a> {
    /// All containers: first those that start first, last those that were added later.
    fn containers(self) -> impl Iterator<Item = &'a Value> {
        let lists = ["initContainers", "containers", "ephemeralContainers"];
        lists.into_iter().flat_map(move |list| self.spec.items_at(&[list]))
    }
}

/// Refuses what the namespace does not take, and warns of what it is to be warned of.
pub(super) fn validate(
    store: &mut Store,
    context: &Context,
    object: &Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    match object.kind {
        Kind::Namespace => namespace(store, object, old),
        Kind::Pod => pod(store, context, object, old),
        _ if context.validate => {
            template(store, object);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn policy_of(store: &Store, namespace: &str) -> Policy {
    let found = store.find(Kind::Namespace, "", namespace);
    found.map_or_else(Policy::default, |namespace| Policy::of(&namespace.meta.labels).0)
}

/// Models admission.go ValidateNamespace.
fn namespace(store: &mut Store, object: &Object, old: Option<&Object>) -> Result<(), ApiError> {
    let (new, errors) = Policy::of(&object.meta.labels);
    let Some(old) = old else {
        return if errors.is_empty() { Ok(()) } else { Err(refused(object, errors)) };
    };
    let (before, old_errors) = Policy::of(&old.meta.labels);
    if !errors.is_empty() && errors != old_errors {
        return Err(refused(object, errors));
    }
    let (new, before) = (new.enforce, before.enforce);
    let relaxed = new.version == before.version && new.level <= before.level;
    if new == before || new.level == Level::Privileged || relaxed {
        return Ok(());
    }
    for warning in warnings_for_pods(store, &object.meta.name, new) {
        store.warn(warning);
    }
    Ok(())
}

fn refused(object: &Object, errors: Vec<crate::api::FieldError>) -> ApiError {
    invalid(object.kind, &object.meta.name, errors)
}

/// What becomes of the pods that are there already: nothing, but their reader is warned.
///
/// Models admission.go EvaluatePodsInNamespace.
#[inline(never)]
fn warnings_for_pods(store: &Store, namespace: &str, enforce: LevelAndVersion) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let (mut first, mut alike) = (Vec::new(), Vec::new());
    for pod in store.list_in(Kind::Pod, namespace) {
        // One pod of a controller is like the other.
        let is_new = pod.meta.controller().is_none_or(|owner| seen.insert(owner.uid));
        if is_new { first.push(pod) } else { alike.push(pod) }
    }
    first.extend(alike);
    let all = first.len();
    first.truncate(MOST_PODS);
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for object in &first {
        let Some(pod) = object.pod() else { continue };
        let view = PodView { annotations: &object.meta.annotations, spec: &pod.spec.tree };
        let found = violations(enforce, view);
        if !found.is_empty() {
            let reason: Vec<&str> = found.iter().map(|violation| violation.reason).collect();
            reasons.entry(reason.join(", ")).or_default().push(&object.meta.name);
        }
    }
    let mut warnings = Vec::new();
    if first.len() < all {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {} of {all} existing pods",
            first.len()
        ));
    }
    if !reasons.is_empty() {
        warnings.push(format!(
            "existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \
             \"{enforce}\""
        ));
    }
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for (reason, pods) in &reasons {
        let name = pods.iter().min().copied().unwrap_or_default();
        lines.insert(match pods.len() {
            1 => format!("{name}: {reason}"),
            2 => format!("{name} (and 1 other pod): {reason}"),
            count => format!("{name} (and {} other pods): {reason}", count - 1),
        });
    }
    warnings.extend(lines);
    warnings
}

/// Models admission.go ValidatePod and EvaluatePod.
fn pod(
    store: &mut Store,
    context: &Context,
    object: &Object,
    old: Option<&Object>,
) -> Result<(), ApiError> {
    let policy = policy_of(store, &object.meta.namespace);
    let Some(pod) = object.pod().filter(|_| !policy.is_fully_privileged()) else { return Ok(()) };
    let old_spec = old.and_then(Object::pod).map(|pod| &pod.spec.tree);
    if old_spec.is_some_and(|old| !changes_containers(&pod.spec.tree, old)) {
        return Ok(());
    }
    let view = PodView { annotations: &object.meta.annotations, spec: &pod.spec.tree };
    let found = violations(policy.enforce, view);
    if !found.is_empty() {
        let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, in_detail(&found));
        return Err(ApiError::forbidden("pods", &object.meta.name, &why));
    }
    if context.validate {
        warn(store, policy.warn, view);
    }
    Ok(())
}

/// Models admission.go isSignificantPodUpdate.
fn changes_containers(new: &Value, old: &Value) -> bool {
    let images = |spec: &Value, list: &str| -> Vec<Option<Value>> {
        let containers = spec.items_at(&[list]).iter();
        containers.map(|container| container.get("image").cloned()).collect()
    };
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    lists.into_iter().any(|list| images(new, list) != images(old, list))
}

/// Models admission.go ValidatePodController.
fn template(store: &mut Store, object: &Object) {
    let content = object.content();
    let template = match object.kind {
        Kind::PodTemplate => content.at(&["template"]),
        Kind::CronJob => content.at(&["spec", "jobTemplate", "spec", "template"]),
        Kind::ReplicationController
        | Kind::ReplicaSet
        | Kind::Deployment
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job => content.at(&["spec", "template"]),
        _ => None,
    };
    let Some(template) = template else { return };
    let policy = policy_of(store, &object.meta.namespace);
    let annotations = StringMap::from_value(template.at(&["metadata", "annotations"]));
    let spec = template.at(&["spec"]).unwrap_or(&Value::Null);
    warn(store, policy.warn, PodView { annotations: &annotations, spec });
}

fn warn(store: &mut Store, policy: LevelAndVersion, view: PodView<'_>) {
    let found = violations(policy, view);
    if !found.is_empty() {
        store.warn(format!("would violate PodSecurity \"{policy}\": {}", in_detail(&found)));
    }
}

fn in_detail(found: &[Violation]) -> String {
    let texts: Vec<String> =
        found.iter().map(|one| format!("{} ({})", one.reason, one.detail)).collect();
    texts.join(", ")
}
