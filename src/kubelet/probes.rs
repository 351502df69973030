//! Startup, readiness and liveness probes.
//!
//! Models pkg/kubelet/prober/{worker,prober}.go. A probe that has succeeded is not run again until
//! something changes: in the simulation a process answers the same until then.

use super::process;
use super::runtime::{ContainerRuntime, RunState};
use super::sync::{Look, simulated};
use crate::api::Value;
use crate::api::pod::Container;
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use core::time::Duration;

const STARTUP: usize = 0;
const READINESS: usize = 1;
const LIVENESS: usize = 2;
const NAMES: [&str; 3] = ["Startup", "Readiness", "Liveness"];

fn probe(container: &Container, which: usize) -> Option<&Value> {
    match which {
        STARTUP => container.startup_probe.as_ref(),
        READINESS => container.readiness_probe.as_ref(),
        _ => container.liveness_probe.as_ref(),
    }
}

fn seconds(probe: &Value, key: &str, default: i64) -> Duration {
    let value = probe.int_at(&[key]).unwrap_or(default);
    Duration::from_secs(u64::try_from(value).unwrap_or_default())
}

/// Sets the first probes of a container that has just started.
pub(super) fn arm(container: &Container, state: &mut ContainerRuntime, at: SimTime) {
    state.probe_failures = [0; 3];
    state.started = container.startup_probe.is_none();
    state.ready = state.started && container.readiness_probe.is_none();
    for which in [STARTUP, READINESS, LIVENESS] {
        let due = probe(container, which).map(|p| at + seconds(p, "initialDelaySeconds", 0));
        if let Some(slot) = state.probes_due.get_mut(which) {
            *slot = due;
        }
    }
}

/// Runs the probes that are due.
pub(super) fn run(look: &mut Look<'_>, container: &Container, state: &mut ContainerRuntime) {
    reconsider(look, container, state);
    for which in [STARTUP, READINESS, LIVENESS] {
        let due = state.probes_due.get(which).copied().flatten();
        let Some(spec) = probe(container, which) else { continue };
        if due.is_none_or(|due| due > look.now) || which != STARTUP && !state.started {
            continue;
        }
        let answer = answer(look, container, spec, which);
        let next = look.now + seconds(spec, "periodSeconds", 10);
        let failures = match &answer {
            Ok(()) => 0,
            Err(_) => state.probe_failures.get(which).map_or(1, |failures| failures + 1),
        };
        if let (Some(slot), Some(count)) =
            (state.probes_due.get_mut(which), state.probe_failures.get_mut(which))
        {
            *slot = answer.is_err().then_some(next);
            *count = failures;
        }
        if let Err(why) = &answer {
            let name = NAMES.get(which).copied().unwrap_or_default();
            look.event(&container.name, true, "Unhealthy", format!("{name} probe failed: {why}"));
        }
        let threshold = spec.int_at(&["failureThreshold"]).unwrap_or(3);
        apply(look, container, state, which, answer.is_ok(), i64::from(failures) >= threshold);
    }
}

/// An annotation that steers the simulation may have changed after the last answer.
fn reconsider(look: &Look<'_>, container: &Container, state: &mut ContainerRuntime) {
    let Some(spec) = &container.readiness_probe else { return };
    if state.started
        && state.ready != answer(look, container, spec, READINESS).is_ok()
        && state.ready
    {
        state.probes_due[READINESS].get_or_insert(look.now);
    }
}

fn apply(
    look: &mut Look<'_>,
    container: &Container,
    state: &mut ContainerRuntime,
    which: usize,
    success: bool,
    failed_for_good: bool,
) {
    match (which, success) {
        (STARTUP, true) => {
            state.started = true;
            state.ready = container.readiness_probe.is_none();
        }
        (READINESS, true) => state.ready = true,
        (READINESS, false) if failed_for_good => state.ready = false,
        (STARTUP | LIVENESS, false) if failed_for_good => {
            let kind = if which == STARTUP { "startup" } else { "liveness" };
            let name = &container.name;
            let message = format!("Container {name} failed {kind} probe, will be restarted");
            look.event(name, false, "Killing", message);
            if let RunState::Running { since, .. } = state.state {
                let until = look.now + Duration::from_millis(500);
                let exit_code = super::process::exit_when_stopped(container);
                state.state = RunState::Stopping { since, until, exit_code };
            }
            state.ready = false;
            state.probes_due = [None; 3];
        }
        _ => {}
    }
}

/// What the probe would hear.
fn answer(
    look: &Look<'_>,
    container: &Container,
    probe: &Value,
    which: usize,
) -> Result<(), String> {
    if which == READINESS && simulated(look.object, "never-ready") == Some("true") {
        return Err("HTTP probe failed with statuscode: 503".to_owned());
    }
    let ip = look.pod.status.pod_ip.map(|ip| ip.to_string()).unwrap_or_default();
    let port = |action: &Value| match action.get("port") {
        Some(Value::String(name)) => {
            let named = container.ports.iter().find(|port| port.name == *name);
            named.map(|port| port.container_port)
        }
        Some(Value::Number(number)) => number.as_u64().and_then(|port| u16::try_from(port).ok()),
        _ => None,
    };
    for (kind, scheme) in [("httpGet", "Get"), ("tcpSocket", ""), ("grpc", "")] {
        let Some(action) = probe.get(kind) else { continue };
        let number = port(action).unwrap_or_default();
        if process::listens_on(container, number) {
            return Ok(());
        }
        let refused = format!("dial tcp {ip}:{number}: connect: connection refused");
        let path = action.str_at(&["path"]).unwrap_or("/");
        return Err(match scheme {
            "" => refused,
            scheme => format!("{scheme} \"http://{ip}:{number}{path}\": {refused}"),
        });
    }
    // Simplified: a command of an exec probe succeeds, unless it is `false`.
    let command = probe.items_at(&["exec", "command"]);
    match command.last().and_then(Value::as_str) {
        Some("false" | "/bin/false" | "exit 1") => Err("command failed".to_owned()),
        _ => Ok(()),
    }
}
