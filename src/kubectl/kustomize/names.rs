//! Names that change, and the fields that refer to them.
//!
//! Models kustomize api/internal/konfig/builtinpluginconsts/namereference.go, api/hasher/hasher.go.

use super::Resource;
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::kubectl::content_hash::content_hash;
use serde_json::json;

/// A field that holds a name, below a field of another name if one is given, and whose name it is.
const REFERENCES: [(&str, &str, &str); 18] = [
    ("configMapRef", "name", "ConfigMap"),
    ("configMapKeyRef", "name", "ConfigMap"),
    ("configMap", "name", "ConfigMap"),
    ("secretRef", "name", "Secret"),
    ("secretKeyRef", "name", "Secret"),
    ("secret", "name", "Secret"),
    ("secret", "secretName", "Secret"),
    ("imagePullSecrets", "name", "Secret"),
    ("secrets", "name", "Secret"),
    ("tls", "secretName", "Secret"),
    ("", "serviceAccountName", "ServiceAccount"),
    ("", "claimName", "PersistentVolumeClaim"),
    ("", "serviceName", "Service"),
    ("service", "name", "Service"),
    ("", "volumeName", "PersistentVolume"),
    ("", "storageClassName", "StorageClass"),
    ("", "priorityClassName", "PriorityClass"),
    ("", "ingressClassName", "IngressClass"),
];
/// Fields that say the kind beside the name.
const SAYING: [&str; 3] = ["scaleTargetRef", "roleRef", "subjects"];

/// Gives objects new names, and changes what refers to them.
pub(super) fn rename(all: &mut [Resource], new_name: impl Fn(&Resource) -> Option<String>) {
    let mut changes = Vec::new();
    for one in all.iter_mut() {
        let Some(name) = new_name(one).filter(|name| name != one.name()) else { continue };
        changes.push((one.kind().to_owned(), one.name().to_owned(), name.clone()));
        one.value.put(&["metadata", "name"], name);
    }
    if !changes.is_empty() {
        for one in all {
            refer(&mut one.value, "", &changes);
        }
    }
}

type Change = (String, String, String);

fn refer(value: &mut Value, below: &str, changes: &[Change]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, below, changes)),
        Value::Object(fields) => {
            let said = fields.get("kind").and_then(Value::as_str).map(str::to_owned);
            for (key, inner) in fields.iter_mut() {
                let known = REFERENCES.iter().find(|(parent, field, _)| {
                    field == key && (parent.is_empty() || *parent == below)
                });
                let kind = match known {
                    Some((_, _, kind)) => Some(*kind),
                    None if key == "name" && SAYING.contains(&below) => said.as_deref(),
                    None => None,
                };
                let change = changes.iter().find(|(changed, old, _)| {
                    kind == Some(changed.as_str()) && inner.as_str() == Some(old.as_str())
                });
                match change {
                    Some((_, _, new)) => *inner = new.as_str().into(),
                    None => refer(inner, key, changes),
                }
            }
        }
        _ => {}
    }
}

/// Ends the names of generated objects with a hash of what they hold.
pub(super) fn add_hashes(all: &mut [Resource]) {
    rename(all, |one| one.hashed.then(|| format!("{}-{}", one.name(), hash(one))));
}

/// Models api/hasher/hasher.go encodeConfigMap, encodeSecret, encode.
fn hash(one: &Resource) -> String {
    let data = one.value.at(&["data"]).cloned().unwrap_or_else(|| "".into());
    let mut held = json!({"data": data, "kind": one.kind(), "name": ""});
    if one.kind() == "Secret" {
        held.put(&["type"], one.value.at(&["type"]).cloned().unwrap_or_default());
    }
    content_hash(&held)
}
