//! Applying the manifests of the editor: what `kubectl apply -f` does, one document after the other.

use super::fault::Fault;
use super::model::{Applied, Model};
use crate::api::Kind;
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::text::Text;
use serde::Deserialize as _;

/// Applies every document; what is wrong is kept in the model beside the text, which stays.
pub(super) fn apply(model: &mut Model) {
    let mut faults = Vec::new();
    let mut done = 0_u32;
    let source = model.source.clone();
    for document in serde_yaml::Deserializer::from_str(&source) {
        match Value::deserialize(document) {
            Ok(Value::Null) => {}
            Ok(value) => match apply_one(model, &value) {
                Ok(()) => done = done.saturating_add(1),
                Err(words) => faults.push(fault(words)),
            },
            Err(error) => {
                faults.push(fault(error.to_string()));
                break;
            }
        }
    }
    let at = model.world.now();
    model.applied = match faults.len() {
        0 => Applied::All { count: done, at },
        _ => Applied::Some { count: done },
    };
    model.faults = faults.into();
}

fn apply_one(model: &mut Model, value: &Value) -> Result<(), String> {
    let api_version = value.str_at(&["apiVersion"]).unwrap_or_default();
    let kind = value.str_at(&["kind"]).unwrap_or_default();
    let kind = Kind::of_manifest(api_version, kind)
        .ok_or_else(|| format!("no matches for kind \"{kind}\" in version \"{api_version}\""))?;
    let namespace = value.str_at(&["metadata", "namespace"]).unwrap_or("default").to_owned();
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default();
    let known = if kind.namespaced() { &*namespace } else { "" };
    let result = match model.world.find(kind, known, name) {
        Some(_) => model.world.update(kind, value, &namespace),
        None => model.world.create(kind, value, &namespace),
    };
    result.map(|_| ()).map_err(|error| error.message)
}

fn fault(words: String) -> Fault {
    Fault {
        line: 1,
        from: 0,
        to: 0,
        is_warning: false,
        words,
        explanation: Text::FaultOther,
        values: Vec::new(),
    }
}
