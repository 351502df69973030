//! Namespaces: what every one begins with, and how one ends.
//!
//! Models pkg/controller/{namespace,serviceaccount,certificates/rootcacertpublisher}.

use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::base::SimTime;
use crate::store::{Change, Controller, DeleteOptions, Key, ObjectKey, Plan, Store, Write};
use serde_json::json;
use std::sync::Arc;

/// The controller that empties namespaces that are being deleted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Namespaces;

impl Controller for Namespaces {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn wants(&self, store: &Store, change: &Change) -> Vec<Key> {
        let name = match change.kind {
            Kind::Namespace => &change.key.name,
            _ if change.new.is_none() => &change.key.namespace,
            _ => return Vec::new(),
        };
        let namespace = store.find(Kind::Namespace, "", name);
        namespace.filter(|n| n.meta.is_terminating()).map(|n| Key::of(n)).into_iter().collect()
    }

    fn reconcile(&self, store: &Store, key: &Key, now: SimTime) -> Plan {
        let Some(namespace) = store.get(key.kind, &key.object) else { return Plan::default() };
        if !namespace.meta.is_terminating() {
            return Plan::default();
        }
        let kinds = Kind::all().filter(|kind| kind.namespaced());
        let content: Vec<&Arc<Object>> =
            kinds.flat_map(|kind| store.list_in(kind, &namespace.meta.name)).collect();
        if content.is_empty() {
            let mut new = (**namespace).clone();
            let mut spec = namespace.spec().clone();
            spec.remove(&["finalizers"]);
            new.set_spec(spec);
            return Plan::of(vec![Write::Update(Box::new(new))]);
        }
        let mut writes: Vec<Write> = content
            .iter()
            .filter(|object| !object.meta.is_terminating())
            .map(|object| Write::Delete { key: Key::of(object), options: DeleteOptions::default() })
            .collect();
        let mut new = (**namespace).clone();
        let mut status = namespace.status().clone();
        status.put(&["conditions"], conditions(&content, namespace, now));
        new.set_status(status);
        writes.push(Write::UpdateStatus(Box::new(new)));
        Plan::of(writes)
    }
}

/// Models namespace/deletion/status_condition_utils.go.
fn conditions(content: &[&Arc<Object>], namespace: &Object, now: SimTime) -> Value {
    let mut counts: Vec<(Kind, usize)> = Vec::new();
    for object in content.iter().filter(|object| object.kind == Kind::Pod) {
        match counts.iter_mut().find(|(kind, _)| *kind == object.kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((object.kind, 1)),
        }
    }
    let remaining: Vec<String> = counts
        .iter()
        .map(|(kind, count)| {
            let resource = kind.resource();
            format!("{}.{} has {count} resource instances", resource.plural, resource.group)
        })
        .collect();
    let old = namespace.status().items_at(&["conditions"]);
    let condition = |name: &str, is: bool, reason: &str, message: String| {
        let status = if is { "True" } else { "False" };
        let same =
            |c: &&Value| c.str_at(&["type"]) == Some(name) && c.str_at(&["status"]) == Some(status);
        let since = old.iter().find(same).and_then(|c| c.str_at(&["lastTransitionTime"]));
        json!({
            "type": name, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since.map_or_else(|| now.rfc3339(), str::to_owned),
        })
    };
    let fine = |name: &str, reason: &str, message: &str| {
        condition(name, false, reason, message.to_owned())
    };
    let left = !remaining.is_empty();
    json!([
        fine(
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        fine(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        fine(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        match left {
            true => condition(
                "NamespaceContentRemaining",
                true,
                "SomeResourcesRemain",
                format!("Some resources are remaining: {}", remaining.join(", ")),
            ),
            false => fine(
                "NamespaceContentRemaining",
                "ContentRemoved",
                "All content successfully removed",
            ),
        },
        fine(
            "NamespaceFinalizersRemaining",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    ])
}

/// The controller that gives every namespace its ServiceAccount `default` and the cluster's
/// certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamespaceFurniture;

impl Controller for NamespaceFurniture {
    fn name(&self) -> &'static str {
        "serviceaccount-controller"
    }

    fn wants(&self, _store: &Store, change: &Change) -> Vec<Key> {
        let name = match change.kind {
            Kind::Namespace if change.old.is_none() => &change.key.name,
            Kind::ServiceAccount | Kind::ConfigMap if change.new.is_none() => &change.key.namespace,
            _ => return Vec::new(),
        };
        vec![Key { kind: Kind::Namespace, object: ObjectKey::new("", name) }]
    }

    fn reconcile(&self, store: &Store, key: &Key, _now: SimTime) -> Plan {
        let name = &key.object.name;
        let alive = store.get(key.kind, &key.object).is_some_and(|n| !n.meta.is_terminating());
        if !alive {
            return Plan::default();
        }
        let mut writes = Vec::new();
        if store.find(Kind::ServiceAccount, name, "default").is_none() {
            let account = json!({"metadata": {"name": "default", "namespace": **name}});
            let account = Object::from_value(Kind::ServiceAccount, account);
            writes.push(Write::Create(Box::new(account)));
        }
        if store.find(Kind::ConfigMap, name, "kube-root-ca.crt").is_none() {
            let certificate = Object::from_value(Kind::ConfigMap, root_certificate(name));
            writes.push(Write::Create(Box::new(certificate)));
        }
        Plan::of(writes)
    }
}

/// Simplified: the certificate is a placeholder that certifies nothing.
fn root_certificate(namespace: &str) -> Value {
    json!({
        "metadata": {
            "name": "kube-root-ca.crt",
            "namespace": namespace,
            "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to \
                verify the kube-apiserver when using internal endpoints such as the internal \
                service IP or kubernetes.default.svc. No other usage is guaranteed across \
                distributions of Kubernetes clusters."},
        },
        "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n"},
    })
}
