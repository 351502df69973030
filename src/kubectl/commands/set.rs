//! `kubectl set`.

use super::send_change;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use serde_json::json;

/// Where the pod specification of a kind is.
pub(crate) const fn pod_spec_path(kind: Kind) -> Option<&'static [&'static str]> {
    match kind {
        Kind::Pod => Some(&["spec"]),
        Kind::CronJob => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        Kind::PodTemplate => Some(&["template", "spec"]),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::ReplicationController
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job => Some(&["spec", "template", "spec"]),
        _ => None,
    }
}

/// Splits `deploy/web a=b c-` into resources and changes.
fn split_args(call: &mut Call<'_>) -> Vec<String> {
    let is_change = |arg: &String| arg.contains('=') || (arg.ends_with('-') && arg.len() > 1);
    let args = core::mem::take(&mut call.args);
    let (changes, names): (Vec<String>, Vec<String>) = args.into_iter().partition(is_change);
    call.args = names;
    changes
}

/// Changes the pod specification of each object that is meant.
fn change_all(
    call: &mut Call<'_>,
    done: &str,
    mut change: impl FnMut(&mut Call<'_>, Kind, &mut Value) -> Outcome,
) -> Outcome {
    let from_files = !call.flags.list("filename").is_empty();
    if call.args.is_empty() && !from_files {
        return plain(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    let found = resources::find_named(call)?;
    let mut failures = found.failures;
    for object in found.objects {
        let before = shown(&object);
        let mut value = before.clone();
        if pod_spec_path(object.kind).is_none() {
            failures.push(Failure::Plain(format!(
                "{}/{} the object is not a pod or does not have a pod template: {}",
                object.kind.plural(),
                object.meta.name,
                object.kind.name()
            )));
            continue;
        }
        if let Err(failure) = change(call, object.kind, &mut value) {
            failures.push(failure);
            continue;
        }
        if value == before {
            continue;
        }
        match send_change(call, &object, &value) {
            Ok(stored) => call.done(object.kind, &stored, done)?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::of(failures)
}

/// The containers of an object, both kinds.
fn for_each_container(kind: Kind, value: &mut Value, mut act: impl FnMut(&mut Value)) {
    let Some(path) = pod_spec_path(kind) else { return };
    for key in ["initContainers", "containers"] {
        let mut full = path.to_vec();
        full.push(key);
        if value.at(&full).is_some()
            && let Some(items) = value.entry(&full).as_array_mut()
        {
            items.iter_mut().for_each(&mut act);
        }
    }
}

/// `kubectl set image deploy/web nginx=nginx:1.28`.
pub(crate) fn image(call: &mut Call<'_>) -> Outcome {
    let pairs: Vec<(String, String)> = split_args(call)
        .iter()
        .filter_map(|arg| {
            arg.split_once('=').map(|(name, image)| (name.to_owned(), image.to_owned()))
        })
        .collect();
    if pairs.is_empty() {
        return plain("at least one image update is required");
    }
    if pairs.len() > 1 && pairs.iter().any(|(name, _)| name == "*") {
        return plain(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        );
    }
    change_all(call, "image updated", |_, kind, value| {
        let mut failures = Vec::new();
        for (name, image) in &pairs {
            let mut found = false;
            for_each_container(kind, value, |container| {
                if name == "*" || container.str_at(&["name"]) == Some(name) {
                    found = true;
                    container.put(&["image"], image.clone());
                }
            });
            if !found {
                failures.push(Failure::Plain(format!(
                    "error: unable to find container named \"{name}\""
                )));
            }
        }
        Failure::of(failures)
    })
}

fn amounts(text: &str) -> Result<Vec<(String, String)>, Failure> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let wrong = || Failure::Plain(format!("invalid argument syntax {part}, expected <resource>=<value>"));
            let (name, amount) = part.split_once('=').ok_or_else(wrong)?;
            if crate::base::Quantity::parse(amount).is_err() {
                return plain("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
            }
            Ok((name.to_owned(), amount.to_owned()))
        })
        .collect()
}

/// `kubectl set resources deploy/web --limits=cpu=1`.
pub(crate) fn resources(call: &mut Call<'_>) -> Outcome {
    let limits = amounts(call.flags.text("limits"))?;
    let requests = amounts(call.flags.text("requests"))?;
    if limits.is_empty() && requests.is_empty() {
        return plain(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let wanted = call.flags.text("containers").to_owned();
    change_all(call, "resource requirements updated", |_, kind, value| {
        let mut found = false;
        for_each_container(kind, value, |container| {
            if wanted != "*" && container.str_at(&["name"]) != Some(&wanted) {
                return;
            }
            found = true;
            for (field, amounts) in [("limits", &limits), ("requests", &requests)] {
                for (name, amount) in amounts {
                    container.put(&["resources", field, name], amount.clone());
                }
            }
        });
        match found {
            true => Ok(()),
            false => plain(format!("error: unable to find container named {wanted}")),
        }
    })
}

/// `kubectl set env deploy/web A=1 B-`.
pub(crate) fn env(call: &mut Call<'_>) -> Outcome {
    let mut changes = split_args(call);
    changes.extend(call.flags.all("env").iter().cloned());
    if call.flags.on("list") {
        return list_env(call);
    }
    let from = named_by_source(call)?;
    if changes.is_empty() && from.is_empty() {
        return plain("at least one environment variable must be provided");
    }
    let wanted = call.flags.text("containers").to_owned();
    let overwrite = call.flags.on("overwrite");
    change_all(call, "env updated", |_, kind, value| {
        let mut clash = None;
        for_each_container(kind, value, |container| {
            if wanted != "*" && container.str_at(&["name"]) != Some(&wanted) {
                return;
            }
            let mut all: Vec<Value> = container.items_at(&["env"]).to_vec();
            for new in &from {
                all.retain(|old| old.get("name") != new.get("name"));
                all.push(new.clone());
            }
            for change in &changes {
                if let Some((name, text)) = change.split_once('=') {
                    let new = json!({"name": name, "value": text});
                    match all.iter_mut().find(|old| old.str_at(&["name"]) == Some(name)) {
                        Some(old) if !overwrite => {
                            let text = old.str_at(&["value"]).unwrap_or_default();
                            clash = Some(format!(
                                "'{name}' already has a value ({text}), and --overwrite is false"
                            ));
                        }
                        Some(old) => *old = new,
                        None => all.push(new),
                    }
                } else if let Some(name) = change.strip_suffix('-') {
                    all.retain(|old| old.str_at(&["name"]) != Some(name));
                }
            }
            if all.is_empty() {
                container.remove(&["env"]);
            } else {
                container.put(&["env"], all);
            }
        });
        clash.map_or(Ok(()), plain)
    })
}

/// The variables that `--from=configmap/x` gives.
fn named_by_source(call: &Call<'_>) -> Result<Vec<Value>, Failure> {
    let Some(from) = call.flags.get("from") else { return Ok(Vec::new()) };
    let query = resources::queries(&[from.to_owned()])?;
    let Some(resources::Query::Named(kind, name)) = query.into_iter().next() else {
        return plain("unsupported resource specified in --from");
    };
    let field = match kind {
        Kind::ConfigMap => "configMapKeyRef",
        Kind::Secret => "secretKeyRef",
        _ => return plain("unsupported resource specified in --from"),
    };
    let object = shown(&*call.object(kind, &call.namespace(), &name)?);
    let keys = call.flags.list("keys");
    let prefix = call.flags.text("prefix");
    let data = object.fields_at(&["data"]);
    let chosen = data
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .filter(|key| keys.is_empty() || keys.contains(key));
    let variable = |key: &String| {
        let upper: String = key
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
            .collect();
        let mut reference = serde_json::Map::new();
        reference.insert(field.to_owned(), json!({"name": name, "key": key}));
        json!({"name": format!("{prefix}{upper}"), "valueFrom": reference})
    };
    Ok(chosen.map(variable).collect())
}

fn list_env(call: &mut Call<'_>) -> Outcome {
    let found = resources::find_named(call)?;
    for object in found.objects {
        let mut value = shown(&object);
        let mut lines = Vec::new();
        let (kind, name) = (object.kind, object.meta.name.clone());
        for_each_container(kind, &mut value, |container| {
            let container_name = container.str_at(&["name"]).unwrap_or_default();
            lines.push(format!("# {} {name}, container {container_name}", kind.plural()));
            for variable in container.items_at(&["env"]) {
                let name = variable.str_at(&["name"]).unwrap_or_default();
                lines.push(match variable.at(&["valueFrom"]) {
                    None => format!("{name}={}", variable.str_at(&["value"]).unwrap_or_default()),
                    Some(from) => format!("# {name} from {}", reference_text(from)),
                });
            }
        });
        for line in lines {
            call.say(line);
        }
    }
    Failure::of(found.failures)
}

fn reference_text(from: &Value) -> String {
    let text = |path: &[&str]| from.str_at(path).unwrap_or_default().to_owned();
    if from.get("configMapKeyRef").is_some() {
        return format!(
            "configmap {}, key {}",
            text(&["configMapKeyRef", "name"]),
            text(&["configMapKeyRef", "key"])
        );
    }
    if from.get("secretKeyRef").is_some() {
        return format!(
            "secret {}, key {}",
            text(&["secretKeyRef", "name"]),
            text(&["secretKeyRef", "key"])
        );
    }
    if from.get("fieldRef").is_some() {
        return format!("field path {}", text(&["fieldRef", "fieldPath"]));
    }
    "invalid valueFrom".to_owned()
}

/// `kubectl set selector svc web app=web`.
pub(crate) fn selector(call: &mut Call<'_>) -> Outcome {
    let Some(text) = call.args.pop().filter(|text| text.contains('=')) else {
        return plain("one selector is required");
    };
    let pairs: serde_json::Map<String, Value> = text
        .split(',')
        .filter_map(|pair| {
            pair.split_once('=').map(|(key, value)| (key.to_owned(), Value::from(value)))
        })
        .collect();
    let found = resources::find_named(call)?;
    for object in found.objects {
        if object.kind != Kind::Service {
            return plain("setting a selector is only supported for Services");
        }
        let mut value = shown(&object);
        value.put(&["spec", "selector"], Value::Object(pairs.clone()));
        let stored = send_change(call, &object, &value)?;
        call.done(object.kind, &stored, "selector updated")?;
    }
    Failure::of(found.failures)
}

/// `kubectl set serviceaccount deploy web builder`.
pub(crate) fn service_account(call: &mut Call<'_>) -> Outcome {
    let Some(name) = call.args.pop() else {
        return plain("serviceaccount is required");
    };
    change_all(call, "serviceaccount updated", |_, kind, value| {
        let mut path = pod_spec_path(kind).unwrap_or_default().to_vec();
        path.push("serviceAccountName");
        value.put(&path, name.clone());
        path.pop();
        path.push("serviceAccount");
        value.put(&path, name.clone());
        Ok(())
    })
}
