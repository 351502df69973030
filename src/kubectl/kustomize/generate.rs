//! ConfigMaps and Secrets made from literals and files.
//!
//! Models kustomize api/internal/generators/configmap.go, secret.go.

use super::Resource;
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, plain};
use data_encoding::BASE64;
use serde_json::{Map, json};

/// Adds what the generators make, or changes what they are to change.
pub(super) fn run(
    call: &Call<'_>,
    folder: &str,
    spec: &Value,
    all: &mut Vec<Resource>,
) -> Result<(), Failure> {
    for (key, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for generator in spec.items_at(&[key]) {
            let made = make(call, folder, spec, kind, generator)?;
            let old = all.iter_mut().find(|one| one.kind() == kind && one.is_called(made.name()));
            match (generator.str_at(&["behavior"]).unwrap_or("create"), old) {
                ("merge", Some(old)) => {
                    for (key, value) in made.value.fields_at(&["data"]).into_iter().flatten() {
                        old.value.put(&["data", key], value.clone());
                    }
                }
                ("replace", Some(old)) => {
                    let data = made.value.at(&["data"]).cloned().unwrap_or_default();
                    old.value.put(&["data"], data);
                }
                ("create", None) => all.push(made),
                ("create", Some(_)) => {
                    return plain(format!(
                        "merging from generator: id {} exists; behavior must be merge or replace",
                        super::identity(&made)
                    ));
                }
                (behavior, _) => {
                    return plain(format!(
                        "merging from generator: id {} does not exist; cannot {behavior}",
                        super::identity(&made)
                    ));
                }
            }
        }
    }
    Ok(())
}

fn make(
    call: &Call<'_>,
    folder: &str,
    spec: &Value,
    kind: &str,
    generator: &Value,
) -> Result<Resource, Failure> {
    let name = generator.str_at(&["name"]).unwrap_or_default();
    let mut value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    if let Some(namespace) = generator.str_at(&["namespace"]) {
        value.put(&["metadata", "namespace"], namespace);
    }
    let texts = texts(call, folder, generator)?;
    if !texts.is_empty() {
        let data: Map<String, Value> = texts
            .into_iter()
            .map(|(key, text)| match kind {
                "Secret" => (key, BASE64.encode(text.as_bytes()).into()),
                _ => (key, text.into()),
            })
            .collect();
        value.put(&["data"], Value::Object(data));
    }
    if kind == "Secret" {
        value.put(&["type"], generator.str_at(&["type"]).unwrap_or("Opaque"));
    }
    let mut hashed = true;
    for options in
        [spec.at(&["generatorOptions"]), generator.at(&["options"])].into_iter().flatten()
    {
        for key in ["labels", "annotations"] {
            for (name, text) in options.fields_at(&[key]).into_iter().flatten() {
                value.put(&["metadata", key, name], text.clone());
            }
        }
        hashed &= options.bool_at(&["disableNameSuffixHash"]) != Some(true);
        if options.bool_at(&["immutable"]) == Some(true) {
            value.put(&["immutable"], true);
        }
    }
    Ok(Resource { hashed, ..Resource::new(value) })
}

/// What literals, files and files of variables give, by key.
fn texts(
    call: &Call<'_>,
    folder: &str,
    generator: &Value,
) -> Result<Vec<(String, String)>, Failure> {
    let words = |key: &str| {
        let all = generator.items_at(&[key]).iter().filter_map(Value::as_str);
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    let read = |path: &str| {
        let full = call.session.resolve(&format!("{folder}/{path}"));
        call.read(&full).map_err(|_| {
            let lost = format!(
                "evalsymlink failure on '{full}' : lstat {full}: no such file or directory"
            );
            Failure::Plain(format!("loading KV pairs: file sources: [{path}]: {lost}"))
        })
    };
    let mut found = Vec::new();
    for literal in words("literals") {
        let Some((key, text)) = literal.split_once('=') else {
            return plain(format!(
                "loading KV pairs: literal sources: [{literal}]: invalid literal source {literal}, expected key=value"
            ));
        };
        let text = ['"', '\'']
            .iter()
            .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(text);
        found.push((key.to_owned(), text.to_owned()));
    }
    for file in words("files") {
        let last = file.rsplit('/').next().unwrap_or_default();
        let (key, path) = file.split_once('=').unwrap_or((last, &file));
        found.push((key.to_owned(), read(path)?));
    }
    let one = generator.str_at(&["env"]).map(str::to_owned);
    for file in words("envs").into_iter().chain(one) {
        for line in read(&file)?.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, text) = line.split_once('=').unwrap_or((line, ""));
            found.push((key.to_owned(), text.to_owned()));
        }
    }
    Ok(found)
}
