//! `kubectl set env`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/set/set_env.go.

use super::set::{Words, change_all, chosen, pod_spec_path, with_pods};
use crate::api::error::go_quote;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use core::fmt::Write as _;
use serde_json::json;

/// What is to become of the variables.
struct Changes {
    /// New ones.
    set: Vec<Value>,
    /// The names of those that go.
    gone: Vec<String>,
}

/// `kubectl set env deploy/web A=1 B-`.
pub(crate) fn env(call: &mut Call<'_>) -> Outcome {
    let args = core::mem::take(&mut call.args);
    let (mut specs, names): (Vec<String>, Vec<String>) =
        args.into_iter().partition(|arg| resources::is_change(arg));
    call.args = names;
    if call.args.is_empty() && !call.flags.given("filename") {
        return plain(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    if call.flags.given("keys") && !call.flags.given("from") {
        return plain("when specifying --keys, a configmap or secret must be provided with --from");
    }
    let is_asked = !specs.is_empty();
    specs.splice(0..0, call.flags.all("env").iter().cloned());
    let mut changes = parse(&specs)?;
    changes.set.extend(from_source(call)?);
    let prefix = call.flags.text("prefix").to_owned();
    for variable in &mut changes.set {
        let name = variable.str_at(&["name"]).unwrap_or_default();
        let name = format!("{prefix}{name}");
        variable.put(&["name"], name);
    }
    let list = call.flags.on("list");
    let objects = chosen(call)?;
    if list {
        for object in objects {
            let mut value = shown(&object);
            change(call, object.kind, &mut value, &changes)?;
        }
        return Ok(());
    }
    let words = Words::new("env updated", "failed to patch env update to pod template:");
    let is_removal_alone = changes.set.is_empty() && !is_asked;
    change_all(call, objects, words, |call, kind, value| {
        let before = value.clone();
        change(call, kind, value, &changes)?;
        match is_removal_alone && *value != before {
            true => plain("at least one environment variable must be provided"),
            false => Ok(()),
        }
    })
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/set/env/env_parse.go parseIntoEnvVar.
fn parse(specs: &[String]) -> Result<Changes, Failure> {
    let mut changes = Changes { set: Vec::new(), gone: Vec::new() };
    for spec in specs {
        if let Some((name, text)) = spec.split_once('=') {
            if let Some(why) = wrong_name(name) {
                return plain(format!("{} is not a valid key name: {why}", go_quote(name)));
            }
            changes.set.push(json!({"name": name, "value": text}));
        } else if let Some(name) = spec.strip_suffix('-') {
            changes.gone.push(name.to_owned());
        } else {
            return plain(format!("unknown environment variable: {spec}"));
        }
    }
    let is_both = |name: &String| changes.set.iter().any(|one| one.str_at(&["name"]) == Some(name));
    if changes.gone.iter().any(is_both) {
        return plain(
            "can not both modify and remove the same environment variable in the same command",
        );
    }
    Ok(changes)
}

/// Models staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go IsEnvVarName.
fn wrong_name(name: &str) -> Option<&'static str> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_fine = name.bytes().all(is_letter)
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    match name {
        _ if !is_fine => Some(
            "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')",
        ),
        "." => Some("must not be '.'"),
        ".." => Some("must not be '..'"),
        _ if name.starts_with("..") => Some("must not start with '..'"),
        _ => None,
    }
}

/// The variables that `--from=configmap/x` gives.
fn from_source(call: &mut Call<'_>) -> Result<Vec<Value>, Failure> {
    let Some(from) = call.flags.get("from") else { return Ok(Vec::new()) };
    let query = resources::queries(call.world.store(), &[from.to_owned()])?;
    let Some(resources::Query::Named(kind, name)) = query.into_iter().next() else {
        return plain("unsupported resource specified in --from");
    };
    let field = match kind {
        Kind::ConfigMap => "configMapKeyRef",
        Kind::Secret => "secretKeyRef",
        _ => return plain("unsupported resource specified in --from"),
    };
    let object = shown(&*call.object(kind, &call.namespace(), &name)?);
    let wanted = call.flags.list("keys");
    let data = object.fields_at(&["data"]).into_iter().flatten().map(|(key, _)| key);
    let mut variables = Vec::new();
    for key in data.filter(|key| wanted.is_empty() || wanted.contains(key)) {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let upper: String = key.chars().map(letter).collect();
        if upper != *key {
            call.warn(format!("Warning: key {key} transferred to {upper}"));
        }
        let mut reference = serde_json::Map::new();
        reference.insert(field.to_owned(), json!({"name": name, "key": key}));
        variables.push(json!({"name": upper, "valueFrom": reference}));
    }
    Ok(variables)
}

/// Changes the variables of the containers that are meant, or lists them.
fn change(call: &mut Call<'_>, kind: Kind, value: &mut Value, changes: &Changes) -> Outcome {
    with_pods(kind, value)?;
    let wanted = call.flags.text("containers").to_owned();
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let mut listed = String::new();
    let mut has_one = false;
    for list in ["containers", "initContainers"] {
        let mut path = pod_spec_path(kind).unwrap_or_default().to_vec();
        path.push(list);
        if value.at(&path).is_none() {
            continue;
        }
        let Some(containers) = value.entry(&path).as_array_mut() else { continue };
        for container in containers {
            let own = container.str_at(&["name"]).unwrap_or_default().to_owned();
            if wanted != "*" && own != wanted {
                continue;
            }
            has_one = true;
            let all = changed(call, container.items_at(&["env"]), changes, kind, &name)?;
            let _ = writeln!(listed, "# {} {name}, container {own}", kind.name());
            for variable in &all {
                let _ = writeln!(listed, "{}", variable_text(call, variable));
            }
            match all.is_empty() {
                true => drop(container.remove(&["env"])),
                false => container.put(&["env"], all),
            }
        }
    }
    if call.flags.on("list") {
        call.out.push_str(&listed);
    }
    if !has_one {
        let wanted = go_quote(&wanted);
        let what = "does not have any containers matching";
        call.warn(format!("Warning: {}/{name} {what} {wanted}", kind.name()));
    }
    Ok(())
}

fn changed(
    call: &Call<'_>,
    old: &[Value],
    changes: &Changes,
    kind: Kind,
    object: &str,
) -> Result<Vec<Value>, Failure> {
    let mut all = old.to_vec();
    for new in &changes.set {
        let name = new.str_at(&["name"]).unwrap_or_default();
        match all.iter_mut().find(|old| old.str_at(&["name"]) == Some(name)) {
            Some(old) if !call.flags.on("overwrite") => {
                let text = old.str_at(&["value"]).unwrap_or_default();
                return plain(format!(
                    "error: {}/{object} '{name}' already has a value ({text}), and --overwrite is false",
                    kind.plural()
                ));
            }
            Some(old) => *old = new.clone(),
            None => all.push(new.clone()),
        }
    }
    all.retain(|old| !changes.gone.iter().any(|name| old.str_at(&["name"]) == Some(name)));
    Ok(all)
}

/// A line of `--list`.
fn variable_text(call: &Call<'_>, variable: &Value) -> String {
    let name = variable.str_at(&["name"]).unwrap_or_default();
    let Some(from) = variable.at(&["valueFrom"]) else {
        return format!("{name}={}", variable.str_at(&["value"]).unwrap_or_default());
    };
    match call.flags.on("resolve").then(|| resolved(call, from)).flatten() {
        Some(text) => format!("{name}={text}"),
        None => format!("# {name} from {}", reference_text(from)),
    }
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/set/env/env_resolve.go GetEnvVarRefValue.
// Simplified: fields of the pod are not looked up.
fn resolved(call: &Call<'_>, from: &Value) -> Option<String> {
    let sources = [("configMapKeyRef", Kind::ConfigMap), ("secretKeyRef", Kind::Secret)];
    let (field, kind) = sources.into_iter().find(|(field, _)| from.get(*field).is_some())?;
    let name = from.str_at(&[field, "name"])?;
    let object = shown(&*call.object(kind, &call.namespace(), name).ok()?);
    let text = object.str_at(&["data", from.str_at(&[field, "key"])?])?;
    match kind {
        Kind::Secret => {
            let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok()?;
            String::from_utf8(bytes).ok()
        }
        _ => Some(text.to_owned()),
    }
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/set/env/env_resolve.go GetEnvVarRefString.
fn reference_text(from: &Value) -> String {
    let text = |path: &[&str]| from.str_at(path).unwrap_or_default().to_owned();
    for (field, what) in [("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")] {
        if from.get(field).is_some() {
            return format!("{what} {}, key {}", text(&[field, "name"]), text(&[field, "key"]));
        }
    }
    if from.get("fieldRef").is_some() {
        return format!("field path {}", text(&["fieldRef", "fieldPath"]));
    }
    if from.get("resourceFieldRef").is_some() {
        let container = text(&["resourceFieldRef", "containerName"]);
        let begin = if container.is_empty() { container } else { format!("{container}/") };
        return format!("resource field {begin}{}", text(&["resourceFieldRef", "resource"]));
    }
    "invalid valueFrom".to_owned()
}
