//! `kubectl logs`.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use crate::kubectl::task::{Task, Wake};
use std::sync::Arc;

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
    let regular = pod.items_at(&["spec", "containers"]).len();
    let names = all_names(&all, regular);
    let wanted = call.flags.get("container").map(str::to_owned);
    let found = match &wanted {
        Some(wanted) => all.iter().find(|container| container.str_at(&["name"]) == Some(wanted)),
        None => all.first(),
    };
    let Some(container) = found else {
        let wanted = wanted.unwrap_or_default();
        return plain(format!("container {wanted} is not valid for pod {name} out of: {names}"));
    };
    if wanted.is_none() && regular > 1 {
        let chosen = container.str_at(&["name"]).unwrap_or_default().to_owned();
        call.warn(format!("Defaulted container \"{chosen}\" out of: {names}"));
    }
    let statuses = pod
        .items_at(&["status", "containerStatuses"])
        .iter()
        .chain(pod.items_at(&["status", "initContainerStatuses"]));
    let status = statuses.into_iter().find(|status| status.get("name") == container.get("name"));
    Ok(((*container).clone(), status.cloned().unwrap_or(Value::Null)))
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/podcmd/podcmd.go AllContainerNames.
fn all_names(all: &[&Value], regular: usize) -> String {
    let names = all.iter().enumerate().map(|(number, container)| {
        let name = container.str_at(&["name"]).unwrap_or_default();
        if number < regular { name.to_owned() } else { format!("{name} (init)") }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// What a container has printed.
// Simplified: images are not run, so a container's log is empty unless its command echoes a text.
pub(crate) fn logs(call: &mut Call<'_>) -> Outcome {
    let selected = !call.flags.text("selector").is_empty();
    let Some(word) = call.args.first().cloned() else {
        if selected {
            return Ok(());
        }
        return plain(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples",
        );
    };
    let pod = pod_of(call, &word)?;
    let value = shown(&pod);
    let (container, status) = container_of(call, &value)?;
    let name = container.str_at(&["name"]).unwrap_or_default();
    if status.at(&["state", "waiting"]).is_some()
        && status.at(&["lastState", "terminated"]).is_none()
    {
        let reason = status.str_at(&["state", "waiting", "reason"]).unwrap_or_default();
        let why = match reason {
            "ImagePullBackOff" | "ErrImagePull" => "trying and failing to pull image".to_owned(),
            other => other.to_owned(),
        };
        return Err(crate::api::ApiError::new(
            crate::api::Reason::BadRequest,
            format!("container \"{name}\" in pod \"{}\" is waiting to start: {why}", pod.meta.name),
        )
        .into());
    }
    if call.flags.on("previous") && status.at(&["lastState", "terminated"]).is_none() {
        return Err(crate::api::ApiError::new(
            crate::api::Reason::BadRequest,
            format!(
                "previous terminated container \"{name}\" in pod \"{}\" not found",
                pod.meta.name
            ),
        )
        .into());
    }
    let mut lines = printed(&container);
    if let Some(tail) = call.flags.int("tail")?.and_then(|tail| usize::try_from(tail).ok()) {
        lines = lines.split_off(lines.len().saturating_sub(tail));
    }
    let seen = printed(&container).len();
    for line in lines {
        call.say(line);
    }
    if !call.flags.on("follow") || status.at(&["state", "running"]).is_none() {
        return Ok(());
    }
    let container = name.to_owned();
    call.wait_for(Wake::Always, Task::Logs(Following { pod, container, seen }))
}

/// Says what a container prints from now on.
pub(super) fn follow(call: &mut Call<'_>, pod: Arc<Object>, container: String) -> Outcome {
    let value = shown(&pod);
    let mut all = value.items_at(&["spec", "containers"]).iter();
    let found = all.find(|one| one.str_at(&["name"]) == Some(&container));
    let seen = found.map_or(0, |container| printed(container).len());
    call.wait_for(Wake::Always, Task::Logs(Following { pod, container, seen }))
}

/// A log that is read as it grows, until its container ends.
#[derive(Debug)]
pub(crate) struct Following {
    pod: Arc<Object>,
    container: String,
    /// How many lines were said.
    seen: usize,
}

impl Following {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        let meta = &self.pod.meta;
        let found = call.world.find(Kind::Pod, &meta.namespace, &meta.name);
        let found = found.filter(|pod| pod.meta.uid == meta.uid).cloned();
        let Some(pod) = found else { return Ok(()) };
        if Arc::ptr_eq(&pod, &self.pod) {
            return call.wait_for(Wake::Always, Task::Logs(self));
        }
        let value = shown(&pod);
        let named = |list: &[&str]| {
            let mut all = value.items_at(list).iter();
            all.find(|one| one.str_at(&["name"]) == Some(&self.container)).cloned()
        };
        let Some(container) = named(&["spec", "containers"]) else { return Ok(()) };
        let status = named(&["status", "containerStatuses"]).unwrap_or(Value::Null);
        let lines = printed(&container);
        for line in lines.iter().skip(self.seen) {
            call.say(line);
        }
        if status.at(&["state", "running"]).is_none() {
            return Ok(());
        }
        (self.seen, self.pod) = (lines.len(), pod);
        call.wait_for(Wake::Always, Task::Logs(self))
    }
}

/// What the `echo`s of a container's command print.
fn printed(container: &Value) -> Vec<String> {
    let words: Vec<&str> = container
        .items_at(&["command"])
        .iter()
        .chain(container.items_at(&["args"]))
        .filter_map(Value::as_str)
        .collect();
    match words.as_slice() {
        ["echo" | "/bin/echo", rest @ ..] => vec![rest.join(" ")],
        [shell, "-c", script, ..] if shell.ends_with("sh") => {
            let parts = script.split([';', '\n', '&']).map(str::trim);
            parts
                .filter_map(|part| part.strip_prefix("echo "))
                .filter(|text| !text.contains('>'))
                .filter_map(|text| shlex::split(text).map(|words| words.join(" ")))
                .collect()
        }
        _ => Vec::new(),
    }
}
