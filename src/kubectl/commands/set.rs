//! `kubectl set`.

use super::send_change;
use crate::api::selector::{Operator, Requirement};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Selector, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use std::sync::Arc;

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
    let args = core::mem::take(&mut call.args);
    let (changes, names): (Vec<String>, Vec<String>) =
        args.into_iter().partition(|arg| resources::is_change(arg));
    call.args = names;
    changes
}

/// The objects that are meant. One that is not there stops it all.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/set: each command's Complete.
pub(super) fn chosen(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Failure> {
    if call.flags.on("local") && !call.args.is_empty() {
        return Err(Failure::Verbatim(resources::LOCAL.to_owned()));
    }
    if call.flags.on("all") && !call.flags.text("selector").is_empty() {
        return plain("cannot set --all and --selector at the same time");
    }
    let found = resources::find_named(call)?;
    Failure::of(found.failures)?;
    Ok(found.objects)
}

/// What a command says of its changes.
pub(super) struct Words {
    pub(super) done: &'static str,
    /// What stands before what the server says of one that it refuses.
    pub(super) refused: &'static str,
    /// Whether it also speaks of objects that are as they were.
    pub(super) always: bool,
}

impl Words {
    pub(super) const fn new(done: &'static str, refused: &'static str) -> Self {
        Words { done, refused, always: false }
    }
}

/// Changes each object, its pod specification where it has one, and sends what is different.
pub(super) fn change_all(
    call: &mut Call<'_>,
    objects: Vec<Arc<Object>>,
    words: Words,
    mut change: impl FnMut(&mut Call<'_>, Kind, &mut Value) -> Outcome,
) -> Outcome {
    let mut failures = Vec::new();
    for object in objects {
        let before = shown(&object);
        let mut value = before.clone();
        if let Err(failure) = change(call, object.kind, &mut value) {
            failures.push(failure);
            continue;
        }
        call.record(&mut value);
        if value == before && !words.always {
            continue;
        }
        match send_change(call, &object, &value) {
            Ok(stored) => call.done(object.kind, &stored, words.done)?,
            Err(failure) => {
                let why = failure.sentence();
                failures.push(Failure::Plain(format!("{} {why}", words.refused)));
            }
        }
    }
    Failure::of(failures)
}

/// Refuses an object without pods.
pub(super) fn with_pods(kind: Kind, value: &Value) -> Outcome {
    if pod_spec_path(kind).is_some() {
        return Ok(());
    }
    plain(format!(
        "{}/{} the object is not a pod or does not have a pod template: *{}.{}",
        kind.plural(),
        value.str_at(&["metadata", "name"]).unwrap_or_default(),
        kind.resource().version,
        kind.name()
    ))
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
    let objects = chosen(call)?;
    if pairs.is_empty() {
        return plain("at least one image update is required");
    }
    if pairs.len() > 1 && pairs.iter().any(|(name, _)| name == "*") {
        return plain(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        );
    }
    let words = Words::new("image updated", "failed to patch image update to pod template:");
    change_all(call, objects, words, |_, kind, value| {
        with_pods(kind, value)?;
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
            let wrong = || Failure::Plain(format!("Invalid argument syntax {part}, expected <resource>=<value>"));
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
    let objects = chosen(call)?;
    let limits = amounts(call.flags.text("limits"))?;
    let requests = amounts(call.flags.text("requests"))?;
    if limits.is_empty() && requests.is_empty() {
        return plain(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    let wanted = call.flags.text("containers").to_owned();
    let words = Words::new(
        "resource requirements updated",
        "failed to patch resources update to pod template",
    );
    change_all(call, objects, words, |_, kind, value| {
        with_pods(kind, value)?;
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

/// `kubectl set selector svc web app=web`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/set/set_selector.go.
pub(crate) fn selector(call: &mut Call<'_>) -> Outcome {
    let Some(text) = call.args.pop() else { return plain("one selector is required") };
    let objects = chosen(call)?;
    let selector = Selector::parse(&text).map_err(Failure::Plain)?;
    let is_plain = |one: &Requirement| one.operator == Operator::In && !text.contains(" in ");
    if let Some(one) = selector.requirements.iter().find(|one| !is_plain(one)) {
        let expression = format!("{} {:?} [{}]", one.key, one.operator, one.values.join(" "));
        return plain(format!("match expression [{{{expression}}}] not supported on this object"));
    }
    let pairs: serde_json::Map<String, Value> = selector
        .required_pairs()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    for object in objects {
        if object.kind != Kind::Service {
            return plain("setting a selector is only supported for Services");
        }
        let mut value = shown(&object);
        value.put(&["spec", "selector"], Value::Object(pairs.clone()));
        call.record(&mut value);
        let stored = send_change(call, &object, &value)?;
        call.done(object.kind, &stored, "selector updated")?;
    }
    Ok(())
}

/// `kubectl set serviceaccount deploy web builder`.
pub(crate) fn service_account(call: &mut Call<'_>) -> Outcome {
    let Some(name) = call.args.pop() else {
        return plain("serviceaccount is required");
    };
    let objects = chosen(call)?;
    let words = Words::new("serviceaccount updated", "failed to patch ServiceAccountName");
    let words = Words { always: true, ..words };
    change_all(call, objects, words, |_, kind, value| {
        with_pods(kind, value)?;
        let mut path = pod_spec_path(kind).unwrap_or_default().to_vec();
        for field in ["serviceAccountName", "serviceAccount"] {
            path.push(field);
            value.put(&path, name.clone());
            path.pop();
        }
        Ok(())
    })
}

/// `kubectl set subject rolebinding admins --user=jane`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/set/set_subject.go.
pub(crate) fn subject(call: &mut Call<'_>) -> Outcome {
    let objects = chosen(call)?;
    let named = |flag: &str| {
        let mut names = call.flags.list(flag);
        crate::base::order::sort(&mut names);
        names.dedup();
        names
    };
    let (users, groups, accounts) = (named("user"), named("group"), named("serviceaccount"));
    if users.is_empty() && groups.is_empty() && accounts.is_empty() {
        return plain("you must specify at least one value of user, group or serviceaccount");
    }
    let of_rbac = |kind: &str, name: &String| serde_json::json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let mut subjects: Vec<Value> = users.iter().map(|name| of_rbac("User", name)).collect();
    subjects.extend(groups.iter().map(|name| of_rbac("Group", name)));
    for account in &accounts {
        let parts: Vec<&str> = account.split(':').collect();
        let [namespace, name] = parts.as_slice() else {
            return plain("serviceaccount must be <namespace>:<name>");
        };
        if name.is_empty() {
            return plain("serviceaccount must be <namespace>:<name>");
        }
        subjects.push(serde_json::json!({
            "kind": "ServiceAccount", "name": name, "namespace": namespace,
        }));
    }
    let words = Words::new("subjects updated", "failed to patch subjects to rolebinding:");
    change_all(call, objects, words, |_, kind, value| {
        if !matches!(kind, Kind::RoleBinding | Kind::ClusterRoleBinding) {
            let name = value.str_at(&["metadata", "name"]).unwrap_or_default();
            let what = "setting subjects is only supported for RoleBinding/ClusterRoleBinding";
            return plain(format!("error: {}/{name} {what}", kind.plural()));
        }
        let mut all = value.items_at(&["subjects"]).to_vec();
        all.extend(subjects.iter().filter(|new| !all.contains(new)).cloned().collect::<Vec<_>>());
        value.put(&["subjects"], all);
        Ok(())
    })
}
