//! Stopping containers: preStop hooks, the order of sidecars, signals, grace periods, ends.
//!
//! Models pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer and
//! kuberuntime_termination_order.go.

use super::environment::container_tree;
use super::hooks::{self, Outcome};
use super::inside::{self, Inside};
use super::runtime::{End, Hook, PodRuntime, RunState, StopStep};
use super::start::SHORTEST_LIFE;
use super::sync::{Kubelet, Look, simulated};
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use crate::container::{self, TERM};
use core::time::Duration;
use std::sync::Arc;

/// For a process to end when it is asked to.
const STOP: Duration = Duration::from_millis(500);
/// However short its grace period is, a process has this long.
const SHORTEST_GRACE: Duration = Duration::from_secs(2);
/// The longest message that a container leaves.
const MOST_MESSAGE_BYTES: usize = 4096;

/// What stops a pod as a whole: its deletion, or its deadline.
#[inline(never)]
pub(super) fn stop_all(look: &mut Look<'_>, runtime: &mut PodRuntime) {
    if runtime.stopping_since.is_some() {
        return hasten(look, runtime);
    }
    runtime.stopping_since = Some(look.now);
    for place in 0..runtime.all().count() {
        let Some(state) = runtime.at_mut(place) else { continue };
        state.probes = None;
        match state.state {
            RunState::Running { .. } => {
                let name = look.container(place).map(|it| it.name.clone()).unwrap_or_default();
                stop_one(look, runtime, place, &format!("Stopping container {name}"), None);
            }
            RunState::Starting { .. } => state.state = RunState::New,
            _ => {}
        }
    }
}

/// A pod that is on its way out may be given less time than at first.
fn hasten(look: &Look<'_>, runtime: &mut PodRuntime) {
    let Some(deletion) = look.object.meta.deletion else { return };
    for place in 0..runtime.all().count() {
        if let Some(RunState::Stopping { kill_at, .. }) =
            runtime.at_mut(place).map(|it| &mut it.state)
        {
            *kill_at = (*kill_at).min(deletion.timestamp.max(look.now));
        }
    }
}

/// Stops what still runs of a pod that is over: its sidecars.
#[inline(never)]
pub(super) fn stop_rest(look: &mut Look<'_>, runtime: &mut PodRuntime) {
    for place in 0..runtime.all().count() {
        let runs = runtime.at(place).map(|it| &it.state);
        if matches!(runs, Some(RunState::Running { .. }))
            && let Some(name) = look.container(place).map(|it| it.name.clone())
        {
            stop_one(look, runtime, place, &format!("Stopping container {name}"), None);
        }
    }
}

/// Tells a container to stop; `grace` is the time that its probe gives it.
pub(super) fn stop_one(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    place: usize,
    message: &str,
    grace: Option<i64>,
) {
    let Some(container) = look.container(place) else { return };
    let Some(RunState::Running { since, ends }) = runtime.at(place).map(|it| it.state.clone())
    else {
        return;
    };
    look.event(&container.name, false, "Killing", message.to_owned());
    let grace = grace_seconds(look, grace);
    let kill_at = look.now + Duration::from_secs(grace);
    let hook = if grace > 0 { hooks::begin(look, runtime, place, "preStop") } else { None };
    let step = match hook {
        Some(hook) => StopStep::Hook(hook),
        None => StopStep::Turn,
    };
    if let Some(state) = runtime.at_mut(place) {
        state.state = RunState::Stopping { since, ends, step, kill_at };
        state.probes = None;
        state.post_start = None;
    }
}

/// Models setTerminationGracePeriod.
fn grace_seconds(look: &Look<'_>, of_probe: Option<i64>) -> u64 {
    let of_pod = look.pod.spec.termination_grace_period_seconds;
    let of_deletion = look.object.meta.deletion.map(|deletion| deletion.grace_period_seconds);
    let seconds = of_deletion.or(of_probe).unwrap_or(of_pod);
    u64::try_from(seconds).unwrap_or_default()
}

/// Brings a container that is told to stop through the step that is due.
#[inline(never)]
pub(super) fn carry_on(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
) {
    let Some(RunState::Stopping { since, ends, step, kill_at }) =
        runtime.at(place).map(|it| it.state.clone())
    else {
        return;
    };
    let natural = natural_end(runtime, place, since, ends);
    if let Some((at, code, for_memory)) = natural.filter(|(at, ..)| *at <= look.now) {
        return ended(look, runtime, kubelet, place, Some(since), at, code, for_memory);
    }
    let is_late = kill_at <= look.now;
    let next = match step {
        StopStep::Hook(hook) => {
            match hooks::look(look, runtime, kubelet, place, "preStop", &hook) {
                Outcome::AtWork if !is_late => return,
                Outcome::AtWork => {
                    if let Hook::Talk(number) = hook {
                        inside::break_talk(runtime, place, number);
                    }
                    StopStep::Turn
                }
                Outcome::Done => StopStep::Turn,
                Outcome::Failed(_) => {
                    let name = look.container(place).map(|it| it.name.clone()).unwrap_or_default();
                    look.event(&name, true, "FailedPreStopHook", "PreStopHook failed".to_owned());
                    StopStep::Turn
                }
            }
        }
        StopStep::Turn if !is_late && !is_turn(look, runtime, place) => return,
        StopStep::Turn => return ask(look, runtime, place, since, ends, kill_at),
        StopStep::Asked(Some((at, code))) if at <= look.now => {
            return ended(look, runtime, kubelet, place, Some(since), at, code, false);
        }
        StopStep::Asked(_) if is_late => {
            return ended(look, runtime, kubelet, place, Some(since), look.now, 137, false);
        }
        StopStep::Asked(_) => return,
    };
    if let Some(state) = runtime.at_mut(place) {
        state.state = RunState::Stopping { since, ends, step: next, kill_at };
    }
}

/// Passes signals on that were sent to a container's first process from inside.
pub(super) fn hear(look: &Look<'_>, runtime: &mut PodRuntime, place: usize) {
    let Some(scene) = &mut runtime.scene else { return };
    if !scene.was_signalled(place) {
        return;
    }
    let signals = Arc::make_mut(scene).take_signals(place);
    let Some(spec) = look.container(place) else { return };
    // SIGKILL from inside does not reach it, and SIGHUP makes servers read their configuration.
    let ends = signals.iter().any(|signal| matches!(*signal, 2 | 3 | TERM));
    let code = container::stop_code(&spec.image, &spec.command).filter(|_| ends);
    let at = look.now + SHORTEST_LIFE;
    if let Some(code) = code
        && let Some(RunState::Running { ends, .. } | RunState::Stopping { ends, .. }) =
            runtime.at_mut(place).map(|it| &mut it.state)
    {
        *ends = Some((at, code, false));
    }
}

/// When a container's process ends by itself, as far as that is known: `ends` if it is no script.
pub(super) fn natural_end(
    runtime: &PodRuntime,
    place: usize,
    since: SimTime,
    ends: Option<(SimTime, i32, bool)>,
) -> Option<(SimTime, i32, bool)> {
    let script = runtime.scene.as_ref().and_then(|scene| scene.end_of(place));
    let script = script.map(|(at, code)| (at.max(since + SHORTEST_LIFE), code, false));
    script.or(ends)
}

/// Sidecars end after the other containers, and the later ones of them first.
pub(super) fn is_turn(look: &Look<'_>, runtime: &PodRuntime, place: usize) -> bool {
    let spec = &look.pod.spec;
    let is_sidecar = spec.init_containers.get(place).is_some_and(|it| it.is_sidecar);
    if !is_sidecar {
        return true;
    }
    let later = runtime.init_containers.iter().skip(place + 1);
    !runtime.containers.iter().chain(later).any(|it| it.is_running())
}

/// Asks a process to end.
///
/// What heeds SIGTERM ends soon. What does not, a shell without a trap or a `sleep`, is killed when
/// its time is over, since the first process of a container hears only what it listens for.
fn ask(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    place: usize,
    since: SimTime,
    ends: Option<(SimTime, i32, bool)>,
    kill_at: SimTime,
) {
    let Some(spec) = look.container(place) else { return };
    let kill_at = kill_at.max(look.now + SHORTEST_GRACE);
    let wanted = simulated(look.object, "term-seconds").and_then(|seconds| seconds.parse().ok());
    let step = if let Some(seconds) = wanted {
        StopStep::Asked(Some((look.now + Duration::from_secs(seconds), 0)))
    } else if look.is_hollow {
        StopStep::Asked(Some((look.now + STOP, 0)))
    } else if let Some(scene) = runtime.scene.as_mut().filter(|scene| scene.runs_script(place)) {
        Arc::make_mut(scene).signal(place, TERM, look.now);
        StopStep::Asked(None)
    } else {
        let code = container::stop_code(&spec.image, &spec.command);
        StopStep::Asked(code.map(|code| (look.now + STOP, code)))
    };
    // What takes longer than it may is killed.
    let step = match step {
        StopStep::Asked(Some((at, _))) if at > kill_at => StopStep::Asked(None),
        step => step,
    };
    if let Some(state) = runtime.at_mut(place) {
        state.state = RunState::Stopping { since, ends, step, kill_at };
    }
}

/// A container has ended.
#[expect(clippy::too_many_arguments, reason = "an end has this many sides")]
#[inline(never)]
pub(super) fn ended(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
    since: Option<SimTime>,
    at: SimTime,
    code: i32,
    for_memory: bool,
) {
    let message = last_words(look, runtime, kubelet, place, code);
    if let Some(scene) = &mut runtime.scene {
        Arc::make_mut(scene).stop(place, at);
    }
    let Some(state) = runtime.at_mut(place) else { return };
    let reason = match (code, for_memory) {
        (_, true) => "OOMKilled",
        (0, _) => "Completed",
        _ => "Error",
    };
    let shown_as = state.failed_start.take();
    state.state = RunState::Ended(Arc::new(End { since, at, code, reason, message, shown_as }));
    state.ready = false;
    state.started = false;
    state.probes = None;
    state.post_start = None;
}

/// What a container wrote as its last words, or the end of its log if it failed without.
///
/// Models pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage.
fn last_words(
    look: &Look<'_>,
    runtime: &PodRuntime,
    kubelet: &Kubelet<'_>,
    place: usize,
    code: i32,
) -> Option<Arc<str>> {
    let scene = runtime.scene.as_ref()?;
    let container = container_tree(look.object, place)?;
    let path = container.str_at(&["terminationMessagePath"]).unwrap_or("/dev/termination-log");
    let site = Inside { api: look.api, object: look.object, runtime, disks: kubelet.disks };
    let text = inside::look(&site, place, |view, _| view.text(path));
    let mut text = text.map(|text| text.to_string()).unwrap_or_default();
    let falls_back =
        container.str_at(&["terminationMessagePolicy"]) == Some("FallbackToLogsOnError");
    if text.is_empty() && falls_back && code != 0 {
        let lines: Vec<&str> = scene.log(place, false)?.lines().map(|(_, line)| line).collect();
        let from = lines.len().saturating_sub(80);
        text =
            lines.get(from..).unwrap_or_default().iter().map(|line| format!("{line}\n")).collect();
    }
    let text = text.get(..MOST_MESSAGE_BYTES).unwrap_or(&text);
    (!text.is_empty()).then(|| Arc::from(text))
}
