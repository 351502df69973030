//! Bringing a container up: its image, its configuration, its process, its postStart hook.
//!
//! Models pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer and
//! pkg/kubelet/images/image_manager.go EnsureImageExists.

use super::environment::{self, Within, container_tree};
use super::hooks::{self, Outcome};
use super::inside::{self, Inside};
use super::probes;
use super::runtime::{End, PodRuntime, RunState};
use super::stop;
use super::sync::{Kubelet, Look};
use crate::api::Kind;
use crate::api::pod::Container;
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use crate::container::{Start, images, start as start_of, start_alone};
use core::time::Duration;
use std::sync::Arc;

/// To bring an image over the network.
const PULL: Duration = Duration::from_millis(400);
/// To create and start a container, for the quickest pod.
const START: Duration = Duration::from_millis(250);
/// How much later the next quickest is, and how many steps there are: pods that were made together
/// do not start together, so who waits for them sees one after the other. A step is longer than a
/// pod's news takes to its Deployment.
const START_STEP: Duration = Duration::from_millis(11);
const START_STEPS: u128 = 16;
/// A process takes at least this long from its start to its end.
pub(super) const SHORTEST_LIFE: Duration = Duration::from_millis(50);
/// Before the first retry of a pull or a crashed container, in seconds.
const FIRST_BACK_OFF_SECONDS: u32 = 10;
/// The longest back-off, in seconds.
const LONGEST_BACK_OFF_SECONDS: u32 = 300;
/// A container that ran this long is not in a crash loop any more.
const BACK_OFF_RESET: Duration = Duration::from_secs(600);
/// Between two looks at a pod that waits for its configuration.
pub(super) const RESYNC: Duration = Duration::from_secs(12);
/// Between two looks at what runs: an end is seen that long before anything follows from it.
pub(super) const PLEG_PERIOD: Duration = Duration::from_secs(1);

/// Brings a container that does not run through every step that is due.
pub(super) fn bring_up(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
) {
    let Some(container) = look.container(place) else { return };
    // Each pass makes one step; a container never needs more than these at one moment.
    for _ in 0..8 {
        let Some(before) = runtime.at(place).map(|it| it.state.clone()) else { return };
        match &before {
            RunState::New => begin(look, container, runtime, kubelet, place),
            RunState::Pulling { until } if *until <= look.now => {
                pulled(look, container, runtime, kubelet, place);
            }
            RunState::Blocked { until, reason, message } if *until <= look.now => {
                unblock(look, container, runtime, kubelet, place, reason, message);
            }
            RunState::Starting { until } if *until <= look.now => {
                started(look, container, runtime, kubelet, place, *until);
            }
            RunState::Running { .. } => {
                post_start(look, runtime, kubelet, place);
                return;
            }
            RunState::Ended(end)
                if look.restarts(place, end.code) && end.at + PLEG_PERIOD <= look.now =>
            {
                let end = end.clone();
                restart(look, container, runtime, kubelet, place, &end);
            }
            _ => {}
        }
        if runtime.at(place).map(|it| &it.state) == Some(&before) {
            return;
        }
    }
}

fn set(runtime: &mut PodRuntime, place: usize, state: RunState) {
    if let Some(container) = runtime.at_mut(place) {
        container.state = state;
    }
}

/// It cannot be started yet.
fn block(
    runtime: &mut PodRuntime,
    place: usize,
    reason: &'static str,
    message: impl Into<Arc<str>>,
    until: SimTime,
) {
    set(runtime, place, RunState::Blocked { reason, message: message.into(), until });
}

/// The image first, then the container.
fn begin(
    look: &mut Look<'_>,
    container: &Container,
    runtime: &mut PodRuntime,
    kubelet: &Kubelet<'_>,
    place: usize,
) {
    let image = &container.image;
    if let Err(why) = images::check_name(image) {
        let message = format!(
            "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": {why}"
        );
        look.event(&container.name, true, "InspectFailed", message.clone());
        look.event(&container.name, true, "Failed", "Error: InvalidImageName".to_owned());
        return block(runtime, place, "InvalidImageName", message, look.now + RESYNC);
    }
    let here = kubelet.node.images.contains(image.as_str());
    if here && container.image_pull_policy != "Always" {
        let message = format!(
            "Container image \"{image}\" already present on machine and can be accessed by the pod"
        );
        look.event(&container.name, false, "Pulled", message);
        create(look, container, runtime, place);
        return;
    }
    if container.image_pull_policy == "Never" {
        let message =
            format!("Container image \"{image}\" is not present with pull policy of Never");
        look.event(&container.name, true, "ErrImageNeverPull", message.clone());
        look.event(&container.name, true, "Failed", "Error: ErrImageNeverPull".to_owned());
        return block(runtime, place, "ErrImageNeverPull", message, look.now + RESYNC);
    }
    let message = format!("Pulling image \"{image}\"");
    look.event(&container.name, false, "Pulling", message);
    set(runtime, place, RunState::Pulling { until: look.now + PULL });
}

fn pulled(
    look: &mut Look<'_>,
    container: &Container,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
) {
    let image = &container.image;
    if images::exists(image) {
        kubelet.node.images.insert(Arc::from(image.as_str()));
        let (time, size) = (PULL.as_millis(), images::SIZE_BYTES);
        let message = format!(
            "Successfully pulled image \"{image}\" in {time}ms ({time}ms including waiting). \
             Image size: {size} bytes."
        );
        look.event(&container.name, false, "Pulled", message);
        create(look, container, runtime, place);
        return;
    }
    let reference = images::reference(image);
    let why = format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{reference}\": \
         failed to resolve reference \"{reference}\": {reference}: not found"
    );
    let message = format!("Failed to pull image \"{image}\": {why}");
    look.event(&container.name, true, "Failed", message);
    look.event(&container.name, true, "Failed", "Error: ErrImagePull".to_owned());
    block(runtime, place, "ErrImagePull", why, look.now + Duration::from_secs(1));
}

/// Creates the container, if its configuration is there.
fn create(look: &mut Look<'_>, container: &Container, runtime: &mut PodRuntime, place: usize) {
    let trouble =
        missing_configuration(look, place).or_else(|| runs_as_root(look, container, place));
    if let Some(problem) = trouble {
        look.event(&container.name, true, "Failed", format!("Error: {problem}"));
        let until = look.now + RESYNC;
        return block(runtime, place, "CreateContainerConfigError", problem, until);
    }
    look.event(&container.name, false, "Created", "Container created".to_owned());
    let step = u32::try_from(look.object.meta.uid.0 % START_STEPS).unwrap_or_default();
    set(runtime, place, RunState::Starting { until: look.now + START + START_STEP * step });
}

/// The container's process begins.
fn started(
    look: &mut Look<'_>,
    container: &Container,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
    at: SimTime,
) {
    let Some(tree) = container_tree(look.object, place) else { return };
    let references = kept_references(look, place);
    let within =
        Within { api: look.api, pod: look.object, container: tree, references: &references };
    let (words, is_command) = within.words();
    let words = images::completed_words(&container.image, words, is_command);
    let has_input = tree.bool_at(&["stdin"]) == Some(true);
    let folder = tree.str_at(&["workingDir"]).unwrap_or("/");
    let begins = match is_command || !images::has_entrypoint(&container.image) {
        true if words.is_empty() => start_alone(&container.image, has_input),
        true => {
            let site = Inside { api: look.api, object: look.object, runtime, disks: kubelet.disks };
            let memory = container.limits.memory;
            inside::look(&site, place, |view, _| {
                start_of(&container.image, &words, has_input, folder, memory, view)
            })
        }
        // What it is given are arguments of the image's own server.
        false => Start::Server,
    };
    if let Start::Missing(why) = begins {
        return fail_to_start(look, container, runtime, place, &why);
    }
    look.event(&container.name, false, "Started", "Container started".to_owned());
    let is_script = begins == Start::Script;
    if is_script || runtime.scene.is_some() {
        let command = is_script.then(|| within.command(words, has_input.then(String::new)));
        runtime.scene(at).start(place, command.as_ref(), at);
    }
    let ends = match begins {
        Start::Ends { after, code, out_of_memory } => {
            Some((at + after.max(SHORTEST_LIFE), code, out_of_memory))
        }
        _ => None,
    };
    if let Some(state) = runtime.at_mut(place) {
        state.references = references;
        state.number += 1;
        state.state = RunState::Running { since: at, ends };
    }
    let hook = hooks::begin(look, runtime, place, "postStart");
    if let Some(state) = runtime.at_mut(place) {
        state.post_start = hook;
    }
    if runtime.at(place).is_some_and(|it| it.post_start.is_none()) {
        probes::arm(look, runtime, place, at);
    }
    if is_script {
        inside::play(look.api, look.object, runtime, kubelet.disks, look.now);
    }
}

/// The config maps and secrets that the environment is made from, as they are now.
fn kept_references(look: &Look<'_>, place: usize) -> Vec<Arc<crate::api::Object>> {
    let namespace = &look.object.meta.namespace;
    let tree = container_tree(look.object, place);
    let all = tree.map(environment::references).unwrap_or_default();
    let found = all.iter().filter_map(|(kind, name, ..)| look.api.find(*kind, namespace, name));
    found.cloned().collect()
}

/// The runtime has no such program to start.
#[inline(never)]
fn fail_to_start(
    look: &mut Look<'_>,
    container: &Container,
    runtime: &mut PodRuntime,
    place: usize,
    why: &str,
) {
    let message: Arc<str> = format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: \
         runc create failed: unable to start container process: error during container init: {why}"
    )
    .into();
    look.event(&container.name, true, "Failed", format!("Error: {message}"));
    let Some(state) = runtime.at_mut(place) else { return };
    state.number += 1;
    state.state = RunState::Ended(Arc::new(End {
        since: None,
        at: look.now,
        code: 128,
        reason: "StartError",
        message: Some(message.clone()),
        shown_as: Some(("RunContainerError", message)),
    }));
}

/// Looks after the postStart hook: until it is done the container does not count as started.
#[inline(never)]
pub(super) fn post_start(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
) {
    let Some(hook) = runtime.at(place).and_then(|it| it.post_start.clone()) else { return };
    let Some(container) = look.container(place) else { return };
    match hooks::look(look, runtime, kubelet, place, "postStart", &hook) {
        Outcome::AtWork => {}
        Outcome::Done => {
            if let Some(state) = runtime.at_mut(place) {
                state.post_start = None;
            }
            probes::arm(look, runtime, place, look.now);
        }
        Outcome::Failed(why) => {
            if let Some(state) = runtime.at_mut(place) {
                state.post_start = None;
            }
            let warning = "PostStartHook failed".to_owned();
            look.event(&container.name, true, "FailedPostStartHook", warning);
            stop::stop_one(look, runtime, place, "FailedPostStartHook", None);
            if let Some(state) = runtime.at_mut(place) {
                state.failed_start = Some(("PostStartHookError", why.into()));
            }
        }
    }
}

/// The first time at once, then after 10, 20, 40 … seconds.
///
/// Models pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff.
#[inline(never)]
fn restart(
    look: &mut Look<'_>,
    container: &Container,
    runtime: &mut PodRuntime,
    kubelet: &Kubelet<'_>,
    place: usize,
    end: &Arc<End>,
) {
    let Some(state) = runtime.at_mut(place) else { return };
    state.last_end = Some(end.clone());
    if end.since.is_some_and(|since| end.at.since(since) >= BACK_OFF_RESET) {
        state.back_off_seconds = 0;
    }
    let wait = state.back_off_seconds;
    state.back_off_seconds = longer(wait);
    if wait == 0 {
        state.restart_count += 1;
        begin(look, container, runtime, kubelet, place);
        return;
    }
    let who = look.full_name();
    let name = &container.name;
    let text = format!("restarting failed container={name} pod={who}");
    let message = format!("back-off {} {text}", go_seconds(wait));
    let until = end.at + Duration::from_secs(u64::from(wait));
    block(runtime, place, "CrashLoopBackOff", message, until);
    let event = format!("Back-off restarting failed container {name} in pod {who}");
    look.event(name, true, "BackOff", event);
}

/// The back-off after one of so many seconds.
fn longer(seconds: u32) -> u32 {
    match seconds {
        0 => FIRST_BACK_OFF_SECONDS,
        seconds => (seconds * 2).min(LONGEST_BACK_OFF_SECONDS),
    }
}

/// A number of seconds as Go writes a duration: `10s`, `1m20s`, `5m0s`.
fn go_seconds(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

#[inline(never)]
fn unblock(
    look: &mut Look<'_>,
    container: &Container,
    runtime: &mut PodRuntime,
    kubelet: &Kubelet<'_>,
    place: usize,
    reason: &str,
    before: &str,
) {
    match reason {
        "ErrImagePull" => {
            let image = &container.image;
            let message = format!("Back-off pulling image \"{image}\"");
            look.event(&container.name, false, "BackOff", message.clone());
            look.event(&container.name, true, "Failed", "Error: ImagePullBackOff".to_owned());
            let Some(state) = runtime.at_mut(place) else { return };
            state.back_off_seconds = longer(state.back_off_seconds);
            let until = look.now + Duration::from_secs(u64::from(state.back_off_seconds));
            let message = format!("{message}: ErrImagePull: {before}");
            block(runtime, place, "ImagePullBackOff", message, until);
        }
        "CrashLoopBackOff" => {
            if let Some(state) = runtime.at_mut(place) {
                state.restart_count += 1;
            }
            begin(look, container, runtime, kubelet, place);
        }
        _ => {
            set(runtime, place, RunState::New);
            begin(look, container, runtime, kubelet, place);
        }
    }
}

/// A config map or secret, or a key of one, that the container's environment needs and that is not
/// there.
///
/// Models pkg/kubelet/kubelet_pods.go makeEnvironmentVariables.
fn missing_configuration(look: &Look<'_>, place: usize) -> Option<String> {
    let namespace = &look.object.meta.namespace;
    let all = environment::references(container_tree(look.object, place)?);
    all.into_iter().filter(|(.., optional)| !optional).find_map(|(kind, name, key, _)| {
        let word = if kind == Kind::Secret { "secret" } else { "configmap" };
        let Some(object) = look.api.find(kind, namespace, &name) else {
            return Some(format!("{word} \"{name}\" not found"));
        };
        let key = key?;
        let is_there = object.content().at(&["data", &key]).is_some();
        let named = if kind == Kind::Secret { "Secret" } else { "ConfigMap" };
        (!is_there).then(|| format!("couldn't find key {key} in {named} {namespace}/{name}"))
    })
}

/// Models pkg/kubelet/kuberuntime/security_context_others.go verifyRunAsNonRoot.
// Simplified: of an image that nothing is known of it is assumed that it does not run as root.
fn runs_as_root(look: &Look<'_>, container: &Container, place: usize) -> Option<String> {
    let tree = container_tree(look.object, place)?;
    let of_pod = &look.pod.spec.tree;
    let key = |key: &str| {
        let own = tree.at(&["securityContext", key]);
        own.or_else(|| of_pod.at(&["securityContext", key])).cloned()
    };
    if key("runAsNonRoot").and_then(|it| it.as_bool()) != Some(true) {
        return None;
    }
    let who = format!("(pod: \"{}\", container: {})", look.full_name(), container.name);
    if let Some(user) = key("runAsUser").and_then(|it| it.as_i64()) {
        return (user == 0).then(|| format!("container's runAsUser breaks non-root policy {who}"));
    }
    let user = images::user_of(&container.image)?;
    let user = user.split(':').next().unwrap_or_default();
    match user.parse::<u32>() {
        Ok(0) => Some(format!("container has runAsNonRoot and image will run as root {who}")),
        Ok(_) => None,
        Err(_) if user.is_empty() || user == "root" => {
            Some(format!("container has runAsNonRoot and image will run as root {who}"))
        }
        Err(_) => Some(format!(
            "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root {who}"
        )),
    }
}
