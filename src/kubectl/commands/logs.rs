//! `kubectl logs`.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use crate::store::ObjectKey;
use core::time::Duration;
use std::sync::Arc;

/// As long as `-f` follows what never ends.
// Simplified: a real one goes on until it is stopped.
const FOLLOWING: Duration = Duration::from_secs(30);

/// The pod of `NAME` or `TYPE/NAME`: a workload's first pod.
pub(super) fn pod_of(call: &Call<'_>, word: &str) -> Result<Arc<Object>, Failure> {
    let (kind, name) = match resources::queries(&[word.to_owned()]) {
        Ok(queries) if word.contains('/') => match queries.into_iter().next() {
            Some(Query::Named(kind, name)) => (kind, name),
            _ => (Kind::Pod, word.to_owned()),
        },
        Err(failure) if word.contains('/') => return Err(failure),
        _ => (Kind::Pod, word.to_owned()),
    };
    let object = call.object(kind, &call.namespace(), &name)?;
    if kind == Kind::Pod {
        return Ok(object);
    }
    let selector = match kind {
        Kind::Service => crate::api::Selector::from_map(object.spec().at(&["selector"])),
        _ => crate::api::Selector::from_label_selector(object.spec().at(&["selector"]))
            .unwrap_or_default(),
    };
    let store = call.world.store();
    let namespace = call.namespace();
    let mut pods: Vec<&Arc<Object>> = store
        .list_in(Kind::Pod, &namespace)
        .filter(|pod| selector.matches(&pod.meta.labels))
        .collect();
    order::sort_by_key(&mut pods, |pod| !pod.pod().is_some_and(|pod| pod.status.is_ready()));
    match pods.first() {
        Some(pod) => Ok((*pod).clone()),
        None => plain(format!("timed out waiting for the condition on {}/{name}", kind.plural())),
    }
}

/// The container that is meant, and its status.
pub(super) fn container_of(call: &mut Call<'_>, pod: &Value) -> Result<(Value, Value), Failure> {
    let name = pod.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let all: Vec<&Value> = pod
        .items_at(&["spec", "containers"])
        .iter()
        .chain(pod.items_at(&["spec", "initContainers"]))
        .collect();
    let names = |all: &[&Value]| {
        all.iter().filter_map(|c| c.str_at(&["name"]).map(str::to_owned)).collect::<Vec<_>>()
    };
    let wanted = call.flags.get("container").map(str::to_owned);
    let found = match &wanted {
        Some(wanted) => all.iter().find(|container| container.str_at(&["name"]) == Some(wanted)),
        None => all.first(),
    };
    let Some(container) = found else {
        let wanted = wanted.unwrap_or_default();
        return plain(format!("container {wanted} is not valid for pod {name}"));
    };
    let regular = pod.items_at(&["spec", "containers"]).len();
    if wanted.is_none() && regular > 1 {
        let chosen = container.str_at(&["name"]).unwrap_or_default().to_owned();
        let names = names(&all).join(", ");
        call.warn(format!("Defaulted container \"{chosen}\" out of: {names}"));
    }
    let statuses = pod
        .items_at(&["status", "containerStatuses"])
        .iter()
        .chain(pod.items_at(&["status", "initContainerStatuses"]));
    let status = statuses.into_iter().find(|status| status.get("name") == container.get("name"));
    Ok(((*container).clone(), status.cloned().unwrap_or(Value::Null)))
}

/// What containers have printed.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go.
pub(crate) fn logs(call: &mut Call<'_>) -> Outcome {
    let pods = match call.args.first().cloned() {
        Some(word) => vec![pod_of(call, &word)?],
        None if !call.flags.text("selector").is_empty() => selected(call)?,
        None => {
            return plain(
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples",
            );
        }
    };
    let by_selector = call.args.is_empty();
    for pod in pods {
        let value = shown(&pod);
        let names: Vec<String> = match call.flags.on("all-containers") {
            true => names_of(&value),
            false => {
                let (container, _) = container_of(call, &value)?;
                container.str_at(&["name"]).map(str::to_owned).into_iter().collect()
            }
        };
        for name in names {
            one(call, &pod, &name, by_selector)?;
        }
    }
    Ok(())
}

/// The pods that `-l` selects.
fn selected(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Failure> {
    let text = call.flags.text("selector");
    let selector = crate::api::Selector::parse(text).map_err(Failure::Plain)?;
    let namespace = call.namespace();
    let all = call.world.store().list_in(Kind::Pod, &namespace);
    Ok(all.filter(|pod| selector.matches(&pod.meta.labels)).cloned().collect())
}

fn names_of(pod: &Value) -> Vec<String> {
    let lists = ["initContainers", "containers"].into_iter();
    let all = lists.flat_map(|list| pod.items_at(&["spec", list]));
    all.filter_map(|container| container.str_at(&["name"]).map(str::to_owned)).collect()
}

/// One container.
fn one(call: &mut Call<'_>, pod: &Arc<Object>, name: &str, by_selector: bool) -> Outcome {
    let key = ObjectKey::of(pod);
    let previous = call.flags.on("previous");
    if call.flags.on("follow") {
        follow(call, &key, name);
    }
    let Some(pod) = call.world.store().get(Kind::Pod, &key).cloned() else { return Ok(()) };
    let status = status_of(&shown(&pod), name);
    if let Some(why) = refused(&status, name, &pod.meta.name, previous) {
        let reason = crate::api::Reason::BadRequest;
        return Err(crate::api::ApiError::new(reason, why).into());
    }
    // What waits to be started again has but its last log.
    let before = previous && status.at(&["state", "running"]).is_some();
    let mut lines = call.world.printed(&key, name, before);
    if let Some(since) = call.flags.get("since") {
        let earliest = call.world.now() - super::duration(since)?;
        lines.retain(|(time, _)| *time >= earliest);
    }
    let usual = by_selector.then_some(10);
    let tail = call.flags.int("tail")?.filter(|tail| *tail >= 0).or(usual);
    if let Some(tail) = tail.and_then(|tail| usize::try_from(tail).ok()) {
        lines = lines.split_off(lines.len().saturating_sub(tail));
    }
    let prefix = match call.flags.on("prefix") {
        true => format!("[pod/{}/{name}] ", pod.meta.name),
        false => String::new(),
    };
    for (time, line) in lines {
        match call.flags.on("timestamps") {
            true => {
                let time = time.format("%FT%T.%NZ");
                call.say(format!("{prefix}{time} {line}"));
            }
            false => call.say(format!("{prefix}{line}")),
        }
    }
    Ok(())
}

/// Lets time pass while a container runs, but not for ever.
fn follow(call: &mut Call<'_>, key: &ObjectKey, name: &str) {
    super::run_until(call.world, FOLLOWING, |world| {
        let pod = world.store().get(Kind::Pod, key);
        pod.is_none_or(|pod| status_of(&shown(pod), name).at(&["state", "terminated"]).is_some())
    });
}

fn status_of(pod: &Value, name: &str) -> Value {
    let lists = ["containerStatuses", "initContainerStatuses"].into_iter();
    let mut all = lists.flat_map(|list| pod.items_at(&["status", list]));
    all.find(|status| status.str_at(&["name"]) == Some(name)).cloned().unwrap_or_default()
}

/// Why there is no log.
///
/// Models pkg/kubelet/kubelet_pods.go validateContainerLogStatus.
fn refused(status: &Value, name: &str, pod: &str, previous: bool) -> Option<String> {
    let ended_before = status.at(&["lastState", "terminated"]).is_some();
    if previous {
        return (!ended_before).then(|| {
            format!("previous terminated container \"{name}\" in pod \"{pod}\" not found")
        });
    }
    let reason = status.str_at(&["state", "waiting", "reason"])?;
    let why = match reason {
        _ if ended_before => return None,
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        other => other,
    };
    Some(format!("container \"{name}\" in pod \"{pod}\" is waiting to start: {why}"))
}
