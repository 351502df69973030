//! Startup, readiness and liveness probes.
//!
//! Models pkg/kubelet/prober/{worker,prober}.go and pkg/probe. A probe that has succeeded is not
//! run again while nothing can have changed: a simple server answers the same until somebody
//! touches it.

use super::environment::container_tree;
use super::inside::{self, Inside};
use super::runtime::{PodRuntime, ProbeRun, RunState};
use super::stop;
use super::sync::{Kubelet, Look, simulated};
use crate::api::Value;
use crate::api::pod::{Container, RestartPolicy};
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use crate::base::names::fnv64a;
use crate::container::Headers;
use crate::container::server::{self, Asked};
use crate::net::Protocol;
use crate::net::packet::Endpoint;
use core::time::Duration;
use std::net::IpAddr;

const STARTUP: usize = 0;
const READINESS: usize = 1;
const LIVENESS: usize = 2;
const ALL: [usize; 3] = [STARTUP, READINESS, LIVENESS];
const NAMES: [&str; 3] = ["Startup", "Readiness", "Liveness"];

/// What a probe heard.
pub(super) enum Answer {
    /// All is well.
    Well,
    /// Somebody answered, but not well.
    Bad(String),
    /// Nobody answered.
    Refused(String),
    /// It could not be asked; the result is thrown away.
    Unknown(String),
}

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

fn period(probe: &Value) -> Duration {
    seconds(probe, "periodSeconds", 10).max(Duration::from_secs(1))
}

fn run_of(runtime: &mut PodRuntime, place: usize, which: usize) -> Option<&mut ProbeRun> {
    runtime.at_mut(place)?.probes.as_mut()?.get_mut(which)
}

/// Sets the first probes of a container that has just started.
pub(super) fn arm(look: &Look<'_>, runtime: &mut PodRuntime, place: usize, at: SimTime) {
    let Some(container) = look.container(place) else { return };
    // The workers began to tick when the pod was set up, and go on through restarts.
    let begin = runtime.sandbox_ready.unwrap_or(runtime.seen).min(at);
    let mut runs = [ProbeRun::default(), ProbeRun::default(), ProbeRun::default()];
    let mut has_any = false;
    for (which, run) in runs.iter_mut().enumerate() {
        let Some(spec) = probe(container, which) else { continue };
        has_any = true;
        let delay = seconds(spec, "initialDelaySeconds", 0);
        run.due = Some(match which {
            READINESS if look.is_hollow || delay.is_zero() => at + delay,
            // A readiness probe is tried at once, which sets its clock.
            READINESS => first_tick(at, at, period(spec), delay),
            _ => first_tick(begin, at, period(spec), delay),
        });
    }
    let Some(state) = runtime.at_mut(place) else { return };
    state.started = container.startup_probe.is_none();
    state.ready = state.started && container.readiness_probe.is_none();
    state.probes = has_any.then(|| Box::new(runs));
}

/// The first tick of a worker that finds the container old enough. The container's start counts
/// from the whole second, as its status has it.
///
/// Models pkg/kubelet/prober/worker.go run and doProbe.
fn first_tick(begin: SimTime, started: SimTime, period: Duration, delay: Duration) -> SimTime {
    let ready = SimTime::from_micros(started.as_secs() * 1_000_000) + delay;
    let earliest = ready.max(started);
    let passed = earliest.since(begin).as_micros().div_ceil(period.as_micros()).max(1);
    let ticks = u32::try_from(passed).unwrap_or(u32::MAX);
    let tick = begin + period.saturating_mul(ticks);
    // At the very moment of the start its status is not known yet.
    if tick <= started { tick + period } else { tick }
}

/// Somebody changed something in a pod: probes that rested are run again.
pub(super) fn rouse(container: &Container, runs: &mut [ProbeRun; 3], now: SimTime) {
    for (which, run) in runs.iter_mut().enumerate() {
        let Some(spec) = probe(container, which) else { continue };
        let rests = run.due.is_none() && run.talk.is_none() && which != STARTUP;
        if rests && run.last.is_some_and(|(well, _)| well) {
            run.due = Some(now + period(spec));
        }
    }
}

/// Runs the probes that are due, and looks after those that are at work.
pub(super) fn run(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
) {
    let Some(container) = look.container(place) else { return };
    reconsider(look, runtime, place);
    for which in ALL {
        let Some(spec) = probe(container, which) else { continue };
        let Some(run) = run_of(runtime, place, which) else { return };
        if let Some((talk, limit)) = run.talk {
            if let Some(answer) = overheard(look, runtime, kubelet, place, spec, talk, limit) {
                if let Some(run) = run_of(runtime, place, which) {
                    run.talk = None;
                }
                note(look, runtime, place, which, spec, answer);
            }
            continue;
        }
        let Some(due) = run.due.filter(|due| *due <= look.now) else { continue };
        run.due = Some((due + period(spec)).max(look.now));
        let is_its_time = runtime.at(place).is_some_and(|it| it.started == (which != STARTUP));
        if !is_its_time {
            continue;
        }
        match ask(look, runtime, kubelet, place, which, spec) {
            Ok(answer) => note(look, runtime, place, which, spec, answer),
            Err(talk) => {
                let limit = look.now + seconds(spec, "timeoutSeconds", 1);
                if let Some(run) = run_of(runtime, place, which) {
                    run.talk = Some((talk, limit));
                }
                // A command that takes no time is done at once.
                if let Some(answer) = overheard(look, runtime, kubelet, place, spec, talk, limit) {
                    if let Some(run) = run_of(runtime, place, which) {
                        run.talk = None;
                    }
                    note(look, runtime, place, which, spec, answer);
                }
            }
        }
        if !runtime.at(place).is_some_and(|it| matches!(it.state, RunState::Running { .. })) {
            return;
        }
    }
}

/// An annotation that steers the simulation may have changed after the last answer.
fn reconsider(look: &Look<'_>, runtime: &mut PodRuntime, place: usize) {
    let is_never_ready = simulated(look.object, "never-ready") == Some("true");
    let is_ready = runtime.at(place).is_some_and(|it| it.ready);
    if is_never_ready
        && is_ready
        && let Some(run) = run_of(runtime, place, READINESS)
    {
        run.due.get_or_insert(look.now);
    }
}

/// Asks; what takes its time is a conversation whose number is given back.
fn ask(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &Kubelet<'_>,
    place: usize,
    which: usize,
    probe: &Value,
) -> Result<Answer, u32> {
    if which == READINESS && simulated(look.object, "never-ready") == Some("true") {
        return Ok(Answer::Bad("HTTP probe failed with statuscode: 503".to_owned()));
    }
    if probe.at(&["exec"]).is_some() {
        let words = command(probe);
        let site = Inside { api: look.api, object: look.object, runtime, disks: kubelet.disks };
        if let Some(why) = words.first().and_then(|program| site.missing(place, program)) {
            return Ok(Answer::Unknown(no_program(look, &why)));
        }
        let command = inside::command(look.api, look.object, runtime, place, words, None);
        return Err(inside::begin_talk(runtime, place, false, &command, look.now));
    }
    let inside = Inside { api: look.api, object: look.object, runtime, disks: kubelet.disks };
    Ok(match () {
        () if probe.at(&["httpGet"]).is_some() => {
            http(look, &inside, place, &probe["httpGet"], "probe")
        }
        () if probe.at(&["tcpSocket"]).is_some() => tcp(look, &inside, place, &probe["tcpSocket"]),
        () => grpc(look, &inside, place, probe),
    })
}

fn command(probe: &Value) -> Vec<String> {
    let words = probe.items_at(&["exec", "command"]).iter().filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}

/// The runtime's words for a program that is not there.
fn no_program(look: &Look<'_>, why: &str) -> String {
    let seed = format!("{} {why} {}", look.object.meta.uid, look.now.as_micros());
    let id: String = (0..4).map(|part| format!("{:016x}", fnv64a(part, seed.as_bytes()))).collect();
    format!(
        "rpc error: code = Unknown desc = failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: {why}"
    )
}

/// What came of a conversation, if it is over.
fn overheard(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    kubelet: &mut Kubelet<'_>,
    place: usize,
    probe: &Value,
    talk: u32,
    limit: SimTime,
) -> Option<Answer> {
    inside::play(look.api, look.object, runtime, kubelet.disks, look.now);
    if let Some(talk) = inside::end_talk(runtime, place, talk) {
        return Some(match talk.end {
            Some((_, 0)) | None => Answer::Well,
            Some(_) => Answer::Bad(talk.said.stdout + &talk.said.stderr),
        });
    }
    (limit <= look.now).then(|| {
        inside::break_talk(runtime, place, talk);
        let words = command(probe).join(" ");
        let time = seconds(probe, "timeoutSeconds", 1).as_secs();
        Answer::Bad(format!("command timed out: \"{words}\" timed out after {time}s"))
    })
}

/// Counts an answer, and acts on it when it has come often enough.
fn note(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    place: usize,
    which: usize,
    spec: &Value,
    answer: Answer,
) {
    let Some(container) = look.container(place) else { return };
    let name = NAMES.get(which).copied().unwrap_or_default();
    let is_well = match answer {
        Answer::Well => true,
        Answer::Bad(why) | Answer::Refused(why) => {
            look.event(&container.name, true, "Unhealthy", format!("{name} probe failed: {why}"));
            false
        }
        Answer::Unknown(why) => {
            let message = format!("{name} probe errored and resulted in unknown state: {why}");
            look.event(&container.name, true, "Unhealthy", message);
            return;
        }
    };
    let steady = is_well && is_steady(look, runtime, place, container, spec);
    let turns = server_changes_at(look, runtime, place);
    let Some(run) = run_of(runtime, place, which) else { return };
    let times = run.last.filter(|(last, _)| *last == is_well).map_or(1, |(_, times)| times + 1);
    run.last = Some((is_well, times));
    let key = if is_well { "successThreshold" } else { "failureThreshold" };
    let threshold = spec.int_at(&[key]).unwrap_or(if is_well { 1 } else { 3 });
    if i64::from(times) < threshold {
        return;
    }
    if steady {
        run.due = turns;
    }
    apply(look, runtime, place, which, spec, is_well);
}

/// When a server that answers well would answer otherwise.
fn server_changes_at(look: &Look<'_>, runtime: &PodRuntime, place: usize) -> Option<SimTime> {
    let since = runtime.at(place)?.since()?;
    let changes = server::changes_at(look.container(place)?, since)?;
    Some(changes.max(look.now + Duration::from_secs(1)))
}

/// Whether an answer stays the same while nobody touches the pod.
fn is_steady(
    look: &Look<'_>,
    runtime: &mut PodRuntime,
    place: usize,
    container: &Container,
    spec: &Value,
) -> bool {
    inside::tidy(runtime);
    let asks_others = command(spec).iter().any(|word| {
        ["curl", "wget", "nslookup", "dig ", "host ", "getent", "nc ", "ping"]
            .iter()
            .any(|program| word.contains(program))
    });
    let since = runtime.at(place).and_then(|it| it.since()).unwrap_or(look.now);
    let turns = server::changes_at(container, since);
    runtime.scene.is_none() && !asks_others && turns.is_none_or(|at| at > look.now)
}

fn apply(
    look: &mut Look<'_>,
    runtime: &mut PodRuntime,
    place: usize,
    which: usize,
    spec: &Value,
    is_well: bool,
) {
    let Some(container) = look.container(place) else { return };
    match (which, is_well) {
        (STARTUP, true) => {
            let Some(state) = runtime.at_mut(place) else { return };
            state.started = true;
            state.ready = container.readiness_probe.is_none();
            let since = state.since().unwrap_or(look.now);
            let delay =
                container.readiness_probe.as_ref().map(|it| seconds(it, "initialDelaySeconds", 0));
            if let Some(run) = run_of(runtime, place, STARTUP) {
                run.due = None;
            }
            if let Some((run, delay)) = run_of(runtime, place, READINESS).zip(delay) {
                run.due = Some((since + delay).max(look.now));
            }
        }
        (READINESS, is_well) => {
            if let Some(state) = runtime.at_mut(place) {
                state.ready = is_well;
            }
        }
        (_, false) => {
            let kind = if which == STARTUP { "startup" } else { "liveness" };
            let name = &container.name;
            let is_init = place < runtime.init_containers.len();
            let message = match (is_init, look.policy(place)) {
                (true, _) => format!("Init container {name} failed {kind} probe"),
                (false, RestartPolicy::Never) => format!("Container {name} failed {kind} probe"),
                _ => format!("Container {name} failed {kind} probe, will be restarted"),
            };
            let grace = spec.int_at(&["terminationGracePeriodSeconds"]);
            stop::stop_one(look, runtime, place, &message, grace);
        }
        _ => {}
    }
}

/// Models pkg/probe/util.go ResolveContainerPort.
fn port(container: &Container, action: &Value) -> Result<u16, String> {
    let number = match action.get("port") {
        Some(Value::String(name)) => match container.ports.iter().find(|it| it.name == *name) {
            Some(port) => i64::from(port.container_port),
            None => name.parse::<i64>().map_err(|_| {
                let name = crate::api::error::go_quote(name);
                format!("strconv.Atoi: parsing {name}: invalid syntax")
            })?,
        },
        Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
        _ => 0,
    };
    match u16::try_from(number) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("invalid port number: {number}")),
    }
}

/// The address that a probe asks: the pod's, or the one that it names.
fn host(look: &Look<'_>, inside: &Inside<'_>, action: &Value) -> (String, bool) {
    let own = inside.runtime.ip.map(|ip| ip.to_string()).unwrap_or_default();
    let own = look.pod.status.pod_ip.map_or(own, |ip| ip.to_string());
    match action.str_at(&["host"]).filter(|host| !host.is_empty()) {
        Some(host) if host != own => (host.to_owned(), false),
        _ => (own, true),
    }
}

/// Models pkg/probe/http/http.go DoHTTPProbe.
// Simplified: another host than the pod's own does not answer.
pub(super) fn http(
    look: &Look<'_>,
    inside: &Inside<'_>,
    place: usize,
    action: &Value,
    agent: &str,
) -> Answer {
    let Some(container) = look.container(place) else { return Answer::Well };
    let port = match port(container, action) {
        Ok(port) => port,
        Err(why) => return Answer::Unknown(why),
    };
    let (host, is_own) = host(look, inside, action);
    let scheme = action.str_at(&["scheme"]).unwrap_or("HTTP").to_lowercase();
    let path = action.str_at(&["path"]).unwrap_or("/");
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let url = format!("{scheme}://{host}:{port}{path}");
    let listener = if is_own { inside.listener_of_pod(place, port) } else { None };
    let Some((place, folder)) = listener else {
        return Answer::Refused(format!(
            "Get \"{url}\": dial tcp {host}:{port}: connect: connection refused"
        ));
    };
    let speaks_tls = matches!(port, 443 | 6443 | 8443);
    if scheme == "https" && !speaks_tls {
        let why = "http: server gave HTTP response to HTTPS client";
        return Answer::Bad(format!("Get \"{url}\": {why}"));
    }
    let (mut path, headers) = (path, Headers::default());
    for _ in 0..2 {
        let agent = format!("kube-{agent}/1.36");
        let asked = asked(look, port, &path, &host, (&agent, &headers));
        let response = inside.respond(place, folder.as_deref(), &asked);
        let status = if speaks_tls && scheme == "http" { 400 } else { response.status };
        match status {
            0 => return Answer::Bad(format!("Get \"{url}\": EOF")),
            301 => path.push('/'),
            200..400 => return Answer::Well,
            status => return Answer::Bad(format!("HTTP probe failed with statuscode: {status}")),
        }
    }
    Answer::Well
}

fn asked<'a>(
    look: &Look<'_>,
    port: u16,
    path: &'a str,
    host: &'a str,
    (agent, headers): (&'a str, &'a Headers),
) -> Asked<'a> {
    let ip = look.pod.status.host_ip.map_or(IpAddr::from([127, 0, 0, 1]), IpAddr::from);
    Asked {
        port,
        protocol: Protocol::Tcp,
        path,
        host,
        method: "GET",
        agent,
        headers,
        body: "",
        source: Endpoint { ip, port: 40_000 },
        now: look.now,
    }
}

fn tcp(look: &Look<'_>, inside: &Inside<'_>, place: usize, action: &Value) -> Answer {
    let Some(container) = look.container(place) else { return Answer::Well };
    match port(container, action) {
        Err(why) => Answer::Unknown(why),
        Ok(port) => {
            let (host, is_own) = host(look, inside, action);
            match is_own && inside.listener_of_pod(place, port).is_some() {
                true => Answer::Well,
                false => {
                    Answer::Refused(format!("dial tcp {host}:{port}: connect: connection refused"))
                }
            }
        }
    }
}

/// Models pkg/probe/grpc/grpc.go Probe.
fn grpc(look: &Look<'_>, inside: &Inside<'_>, place: usize, probe: &Value) -> Answer {
    let Some(action) = probe.at(&["grpc"]) else {
        return Answer::Unknown(format!(
            "missing probe handler for {}:{}",
            look.full_name(),
            look.container(place).map_or("", |it| it.name.as_str())
        ));
    };
    let number = action.int_at(&["port"]).unwrap_or_default();
    let number = u16::try_from(number).unwrap_or_default();
    let (host, _) = host(look, inside, action);
    let listener = inside.listener_of_pod(place, number);
    let speaks = listener
        .is_some_and(|(place, _)| look.container(place).is_some_and(server::may_speak_grpc));
    if speaks {
        return Answer::Well;
    }
    let time = seconds(probe, "timeoutSeconds", 1).as_secs();
    Answer::Bad(format!(
        "timeout: failed to connect service \"{host}:{number}\" within {time}s: context deadline exceeded"
    ))
}

/// Brings probes back to work after a person was in the pod.
pub(super) fn rouse_all(object: &crate::api::Object, runtime: &mut PodRuntime, now: SimTime) {
    let Some(pod) = object.pod() else { return };
    for place in 0..runtime.all().count() {
        let Some(container) = inside::container_at(pod, place) else { continue };
        if container_tree(object, place).is_none() {
            continue;
        }
        if let Some(runs) = runtime.at_mut(place).and_then(|it| it.probes.as_mut()) {
            rouse(container, runs, now);
        }
    }
}
