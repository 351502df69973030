//! `kubectl logs`.

use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::{SimTime, order};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use crate::kubectl::task::{Input, Task, Wake};
use crate::store::ObjectKey;
use core::time::Duration;
use std::sync::Arc;

/// As long as `-f` follows where nobody can end it.
const FOLLOWING: Duration = Duration::from_secs(30);

/// The pod of `NAME` or `TYPE/NAME`: a workload's first pod.
pub(super) fn pod_of(call: &mut Call<'_>, word: &str) -> Result<Arc<Object>, Failure> {
    let mut pods = pods_of(call, word)?;
    let (count, pod) = (pods.len(), pods.swap_remove(0));
    // Models staging/src/k8s.io/kubectl/pkg/polymorphichelpers/logsforobject.go.
    if count > 1 && call.verb.path == "logs" {
        call.warn(format!("Found {count} pods, using pod/{}", pod.meta.name));
    }
    Ok(pod)
}

/// The pods of `NAME` or `TYPE/NAME`, at least one, those that are ready first.
fn pods_of(call: &Call<'_>, word: &str) -> Result<Vec<Arc<Object>>, Failure> {
    let (kind, name) = match resources::queries(call.world.store(), &[word.to_owned()]) {
        Ok(queries) if word.contains('/') => match queries.into_iter().next() {
            Some(Query::Named(kind, name)) => (kind, name),
            _ => (Kind::Pod, word.to_owned()),
        },
        Err(failure) if word.contains('/') => return Err(failure),
        _ => (Kind::Pod, word.to_owned()),
    };
    let object = call.object(kind, &call.namespace(), &name)?;
    if kind == Kind::Pod {
        return Ok(vec![object]);
    }
    let has_selector = object.spec().at(&["selector"]).is_some();
    let is_workload = super::set::pod_spec_path(kind).is_some() && kind != Kind::CronJob;
    let verb = call.verb.path;
    let version = format!("*{}.{kind}", kind.resource().version);
    let why = match kind {
        Kind::Service if !has_selector => {
            format!("invalid service '{name}': Service is defined without a selector")
        }
        Kind::Service => String::new(),
        _ if !is_workload => format!("selector for {version} not implemented"),
        _ => String::new(),
    };
    if verb == "logs" && !why.is_empty() {
        return plain(format!("cannot get the logs from {version}: {why}"));
    }
    let selector = match kind {
        Kind::Service => crate::api::Selector::from_map(object.spec().at(&["selector"])),
        _ => crate::api::Selector::from_label_selector(object.spec().at(&["selector"]))
            .unwrap_or_default(),
    };
    let store = call.world.store();
    let namespace = call.namespace();
    let mut pods: Vec<Arc<Object>> = store
        .list_in(Kind::Pod, &namespace)
        .filter(|pod| selector.matches(&pod.meta.labels))
        .cloned()
        .collect();
    order::sort_by_key(&mut pods, |pod| !pod.pod().is_some_and(|pod| pod.status.is_ready()));
    match pods.is_empty() {
        true => plain(format!("timed out waiting for the condition on {}/{name}", kind.plural())),
        false => Ok(pods),
    }
}

/// The annotation that says which container is meant if none is named.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The container that is meant, and its status.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/podcmd/podcmd.go FindOrDefaultContainerByName.
pub(super) fn container_of(call: &mut Call<'_>, pod: &Value) -> Result<(Value, Value), Failure> {
    let name = pod.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let all: Vec<&Value> = pod
        .items_at(&["spec", "containers"])
        .iter()
        .chain(pod.items_at(&["spec", "ephemeralContainers"]))
        .chain(pod.items_at(&["spec", "initContainers"]))
        .collect();
    let names = all_names(pod);
    let inline = call.args.get(1).filter(|_| call.verb.path == "logs").cloned();
    let usual = pod.str_at(&["metadata", "annotations", DEFAULT_CONTAINER]);
    let wanted = inline.or_else(|| call.flags.get("container").or(usual).map(str::to_owned));
    let found = match &wanted {
        Some(wanted) => all.iter().find(|container| container.str_at(&["name"]) == Some(wanted)),
        None => all.first(),
    };
    let Some(container) = found else {
        let wanted = wanted.unwrap_or_default();
        return plain(format!("container {wanted} is not valid for pod {name} out of: {names}"));
    };
    if wanted.is_none() && all.len() > 1 {
        let chosen = container.str_at(&["name"]).unwrap_or_default().to_owned();
        call.warn(format!("Defaulted container \"{chosen}\" out of: {names}"));
    }
    let statuses = pod
        .items_at(&["status", "containerStatuses"])
        .iter()
        .chain(pod.items_at(&["status", "ephemeralContainerStatuses"]))
        .chain(pod.items_at(&["status", "initContainerStatuses"]));
    let status = statuses.into_iter().find(|status| status.get("name") == container.get("name"));
    Ok(((*container).clone(), status.cloned().unwrap_or(Value::Null)))
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/util/podcmd/podcmd.go AllContainerNames.
fn all_names(pod: &Value) -> String {
    let lists =
        [("containers", ""), ("ephemeralContainers", " (ephem)"), ("initContainers", " (init)")];
    let names = lists.into_iter().flat_map(|(list, mark)| {
        let own = pod.items_at(&["spec", list]).iter();
        own.map(move |it| format!("{}{mark}", it.str_at(&["name"]).unwrap_or_default()))
    });
    names.collect::<Vec<_>>().join(", ")
}

/// What containers have printed.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go.
pub(crate) fn logs(call: &mut Call<'_>) -> Outcome {
    check(call)?;
    let all_pods = call.flags.on("all-pods");
    let pods = match call.args.first().cloned() {
        Some(word) if all_pods => pods_of(call, &word).map_err(|why| not_found(call, why))?,
        Some(word) => vec![pod_of(call, &word).map_err(|why| not_found(call, why))?],
        None if !call.flags.text("selector").is_empty() => selected(call)?,
        None => {
            return plain(
                "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for help and examples",
            );
        }
    };
    validate(call)?;
    let by_selector = call.args.is_empty();
    if pods.is_empty() {
        call.warn(format!("No resources found in {} namespace.", call.namespace()));
    }
    let mut logs = Vec::new();
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
            logs.push(one(call, &pod, &name, by_selector)?);
        }
    }
    match call.flags.on("follow") {
        true => Following::new(call, logs).wait(call),
        false => Ok(()),
    }
}

/// What does not go together, and too many words.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/logs/logs.go Complete and Validate.
fn check(call: &Call<'_>) -> Outcome {
    let selects = !call.flags.text("selector").is_empty();
    if selects && !call.args.is_empty() {
        return call.usage("only a selector (-l) or a POD name is allowed");
    }
    if call.args.len() > 2 {
        return call.usage("expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command");
    }
    let (inline, named) = (call.args.len() == 2, call.flags.given("container"));
    if inline && named {
        return call.usage("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    if let Some(time) = call.flags.get("since-time").filter(|_| !call.flags.given("since"))
        && SimTime::parse_rfc3339(time).is_none()
    {
        let layout = "2006-01-02T15:04:05Z07:00";
        let time = crate::api::error::go_quote(time);
        return plain(format!(
            "parsing time {time} as \"{layout}\": cannot parse {time} as \"2006\""
        ));
    }
    Ok(())
}

/// What is looked at once the objects are found.
///
/// Models logs.go Validate.
fn validate(call: &Call<'_>) -> Outcome {
    let given = |flag| call.flags.get(flag);
    if given("since").is_some() && given("since-time").is_some() {
        return plain("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    let is_negative = |text: &str| text.starts_with('-');
    if given("since").is_some_and(is_negative) {
        return plain("--since must be greater than 0");
    }
    if call.flags.given("limit-bytes") && call.flags.int("limit-bytes")?.is_some_and(|it| it < 0) {
        return plain("--limit-bytes must be greater than 0");
    }
    let own = call.flags.text("container");
    let name = call.args.get(1).map_or(own, String::as_str);
    if call.flags.on("all-containers") && !name.is_empty() {
        return plain(format!(
            "--all-containers=true should not be specified with container name {name}"
        ));
    }
    if call.flags.int("tail")?.is_some_and(|tail| tail < -1) {
        return plain("--tail must be greater than or equal to -1");
    }
    Ok(())
}

/// Models logs.go RunLogs.
fn not_found(call: &Call<'_>, failure: Failure) -> Failure {
    match failure.is_not_found() {
        true => Failure::Plain(format!(
            "error from server (NotFound): {} in namespace \"{}\"",
            failure.sentence(),
            call.namespace()
        )),
        false => failure,
    }
}

/// The pods that `-l` selects.
fn selected(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Failure> {
    let text = call.flags.text("selector");
    let selector = crate::api::Selector::parse(text).map_err(Failure::Plain)?;
    let namespace = call.namespace();
    let all = call.world.store().list_in(Kind::Pod, &namespace);
    Ok(all.filter(|pod| selector.matches(&pod.meta.labels)).cloned().collect())
}

pub(super) fn names_of(pod: &Value) -> Vec<String> {
    let lists = ["initContainers", "containers"].into_iter();
    let all = lists.flat_map(|list| pod.items_at(&["spec", list]));
    all.filter_map(|container| container.str_at(&["name"]).map(str::to_owned)).collect()
}

/// Says what one container has printed.
fn one(
    call: &mut Call<'_>,
    pod: &Arc<Object>,
    name: &str,
    by_selector: bool,
) -> Result<Reading, Failure> {
    let previous = call.flags.on("previous");
    let status = status_of(&shown(pod), name);
    if let Some(why) = refused(&status, name, &pod.meta.name, previous) {
        let reason = crate::api::Reason::BadRequest;
        return Err(crate::api::ApiError::new(reason, why).into());
    }
    // What waits to be started again has but its last log.
    let before = previous && status.at(&["state", "running"]).is_some();
    let mut lines = call.world.printed(&ObjectKey::of(pod), name, before);
    let reading = Reading::new(pod, name, lines.len());
    if let Some(since) = call.flags.get("since") {
        let earliest = call.world.now() - super::duration(since)?;
        lines.retain(|(time, _)| *time >= earliest);
    }
    let usual = by_selector.then_some(10);
    let tail = call.flags.int("tail")?.filter(|tail| *tail >= 0).or(usual);
    if let Some(tail) = tail.and_then(|tail| usize::try_from(tail).ok()) {
        lines = lines.split_off(lines.len().saturating_sub(tail));
    }
    for (time, line) in lines {
        reading.say(call, time, &line);
    }
    Ok(reading)
}

/// Says what a container prints from now on.
pub(super) fn follow(call: &mut Call<'_>, pod: &Arc<Object>, container: &str) -> Outcome {
    let seen = call.world.printed(&ObjectKey::of(pod), container, false).len();
    let reading = Reading::new(pod, container, seen);
    Following::new(call, vec![reading]).wait(call)
}

/// A container's log that is read.
#[derive(Debug)]
pub(super) struct Reading {
    pod: Arc<Object>,
    container: String,
    /// How often the container was started again before.
    restarts: i64,
    /// How many of its lines are known.
    seen: usize,
}

impl Reading {
    /// The log of a container of which so many lines are known.
    pub(super) fn new(pod: &Arc<Object>, container: &str, seen: usize) -> Self {
        let restarts = restarts(&status_of(&shown(pod), container));
        Reading { pod: pod.clone(), container: container.to_owned(), restarts, seen }
    }

    fn say(&self, call: &mut Call<'_>, time: SimTime, line: &str) {
        let prefix = match call.flags.on("prefix") || call.flags.on("all-pods") {
            true => format!("[pod/{}/{}] ", self.pod.meta.name, self.container),
            false => String::new(),
        };
        match call.flags.on("timestamps") {
            true => {
                let time = time.format("%FT%T.%NZ");
                call.say(format!("{prefix}{time} {line}"));
            }
            false => call.say(format!("{prefix}{line}")),
        }
    }

    /// Says what is new, and whether more may come.
    pub(super) fn go_on(&mut self, call: &mut Call<'_>) -> bool {
        let meta = &self.pod.meta;
        let found = call.world.find(Kind::Pod, &meta.namespace, &meta.name);
        let Some(pod) = found.filter(|pod| pod.meta.uid == meta.uid).cloned() else {
            return false;
        };
        let key = ObjectKey::of(&pod);
        let status = status_of(&shown(&pod), &self.container);
        let is_same = restarts(&status) == self.restarts;
        // What was started again since has left its last lines with the one before.
        let lines = call.world.printed(&key, &self.container, !is_same);
        for (time, line) in lines.iter().skip(self.seen) {
            self.say(call, *time, line);
        }
        self.seen = lines.len();
        is_same && status.at(&["state", "terminated"]).is_none()
    }
}

fn restarts(status: &Value) -> i64 {
    status.int_at(&["restartCount"]).unwrap_or(0)
}

/// Logs that are read as they grow, until their containers end.
#[derive(Debug)]
pub(crate) struct Following {
    logs: Vec<Reading>,
    limit: SimTime,
}

impl Following {
    fn new(call: &Call<'_>, logs: Vec<Reading>) -> Self {
        Following { logs, limit: call.world.now() + FOLLOWING }
    }

    fn wait(mut self, call: &mut Call<'_>) -> Outcome {
        self.logs.retain_mut(|log| log.go_on(call));
        if self.logs.is_empty() {
            return Ok(());
        }
        let wake = Wake::Passing { limit: self.limit, is_endless: true };
        call.wait_for(wake, Task::Logs(self))
    }

    pub(crate) fn go_on(self, call: &mut Call<'_>, input: Input) -> Outcome {
        if input == Input::End {
            return Ok(());
        }
        self.wait(call)
    }
}

/// The status of a pod's container.
pub(super) fn status_of(pod: &Value, name: &str) -> Value {
    let lists =
        ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"].into_iter();
    let mut all = lists.flat_map(|list| pod.items_at(&["status", list]));
    all.find(|status| status.str_at(&["name"]) == Some(name)).cloned().unwrap_or_default()
}

/// Why there is no log.
///
/// Models pkg/kubelet/kubelet_pods.go validateContainerLogStatus.
pub(super) fn refused(status: &Value, name: &str, pod: &str, previous: bool) -> Option<String> {
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
