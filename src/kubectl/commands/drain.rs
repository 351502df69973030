//! `kubectl drain`.

use super::{PATIENCE, duration, nodes};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Reason, Selector, Uid};
use crate::base::{SimTime, order};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome};
use crate::store::{DeleteOptions, ObjectKey};
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a refused eviction waits before it is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How soon the server tries again when two evictions changed a budget at once.
///
/// Models pkg/registry/core/pod/storage/eviction.go EvictionsRetry.
const SERVER_RETRY: Duration = Duration::from_millis(500);

/// What is to happen to a pod of the node.
enum Fate {
    Go,
    GoWithWarning(&'static str),
    Stay,
    StayWithWarning(&'static str),
    Forbidden(&'static str),
}

/// Closes nodes and evicts their pods.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go and pkg/drain.
pub(crate) fn drain(call: &mut Call<'_>) -> Outcome {
    let (chosen, failures) = nodes::nodes(call)?;
    Failure::of(failures)?;
    for node in &chosen {
        nodes::set_unschedulable(call, node, true)?;
    }
    let mut fatal = Vec::new();
    let mut pending = Vec::new();
    for node in &chosen {
        match drain_one(call, node) {
            Ok(()) => call.done(Kind::Node, &shown(node), "drained")?,
            Err(errors) => {
                let text = match errors.as_slice() {
                    [one] => one.clone(),
                    many => format!("[{}]", many.join(", ")),
                };
                let name = &node.meta.name;
                call.warn(format!("error: unable to drain node \"{name}\" due to error: {text}, continuing command..."));
                pending.push(name.to_string());
                fatal.extend(errors.into_iter().map(Failure::Plain));
            }
        }
    }
    if !pending.is_empty() {
        call.warn("There are pending nodes to be drained:");
        for name in pending {
            call.warn(format!(" {name}"));
        }
    }
    match fatal.len() {
        0 => Ok(()),
        _ => Err(Failure::Many(fatal)),
    }
}

type Pods = Vec<Arc<Object>>;

fn drain_one(call: &mut Call<'_>, node: &Object) -> Result<(), Vec<String>> {
    let pods = pods_to_evict(call, node)?;
    let dry_run = call.dry_run().map_err(|failure| vec![failure.sentence()])?;
    if dry_run != DryRun::None {
        let how = if dry_run == DryRun::Client { "dry run" } else { "server dry run" };
        for pod in pods {
            call.say(format!("evicting pod {}/{} ({how})", pod.meta.namespace, pod.meta.name));
        }
        return Ok(());
    }
    evict(call, pods)
}

/// The pods that must go, with the warnings said; or why the node cannot be drained.
fn pods_to_evict(call: &mut Call<'_>, node: &Object) -> Result<Pods, Vec<String>> {
    let selector = Selector::parse(call.flags.text("pod-selector")).map_err(|why| vec![why])?;
    let mut pods = Pods::new();
    let mut warnings: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut errors: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let all: Pods = call.world.store().pods_on(&node.meta.name).cloned().collect();
    for pod in all.into_iter().filter(|pod| selector.matches(&pod.meta.labels)) {
        let name = format!("{}/{}", pod.meta.namespace, pod.meta.name);
        match fate(call, &pod) {
            Fate::Go => pods.push(pod),
            Fate::GoWithWarning(why) => {
                warnings.entry(why).or_default().push(name);
                pods.push(pod);
            }
            Fate::Stay => {}
            Fate::StayWithWarning(why) => warnings.entry(why).or_default().push(name),
            Fate::Forbidden(why) => errors.entry(why).or_default().push(name),
        }
    }
    if !errors.is_empty() {
        let line = |(why, names): (&&str, &Vec<String>)| {
            format!("cannot delete {why}: {}", names.join(", "))
        };
        let mut lines: Vec<String> = errors.iter().map(line).collect();
        order::sort_by_key(&mut lines, |line| !line.contains("declare no controller"));
        return Err(lines);
    }
    if !warnings.is_empty() {
        let line = |(why, names): (&&str, &Vec<String>)| format!("{why}: {}", names.join(", "));
        let mut lines: Vec<String> = warnings.iter().map(line).collect();
        order::sort(&mut lines);
        call.warn(format!("Warning: {}", lines.join("; ")));
    }
    Ok(pods)
}

/// Models staging/src/k8s.io/kubectl/pkg/drain/filters.go.
fn fate(call: &Call<'_>, pod: &Object) -> Fate {
    let value = shown(pod);
    let ended = matches!(value.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"));
    let owner = pod.meta.controller();
    if owner.is_some_and(|owner| &*owner.kind == "DaemonSet") && !ended {
        let exists = owner.is_some_and(|owner| call.world.store().by_uid(owner.uid).is_some());
        if exists && !call.flags.on("ignore-daemonsets") {
            return Fate::Forbidden("DaemonSet-managed Pods (use --ignore-daemonsets to ignore)");
        }
        if exists {
            return Fate::StayWithWarning("ignoring DaemonSet-managed Pods");
        }
    }
    if pod.meta.annotations.get("kubernetes.io/config.mirror").is_some() {
        return Fate::Stay;
    }
    let local =
        value.items_at(&["spec", "volumes"]).iter().any(|volume| volume.get("emptyDir").is_some());
    let mut fate = Fate::Go;
    if local && !ended {
        if !call.flags.on("delete-emptydir-data") {
            return Fate::Forbidden(
                "Pods with local storage (use --delete-emptydir-data to override)",
            );
        }
        fate = Fate::GoWithWarning("deleting Pods with local storage");
    }
    if owner.is_none() && !ended {
        return match call.flags.on("force") {
            true => Fate::GoWithWarning("deleting Pods that declare no controller"),
            false => Fate::Forbidden("Pods that declare no controller (use --force to override)"),
        };
    }
    fate
}

/// One pod's eviction as kubectl asks for it.
struct Attempt {
    key: ObjectKey,
    uid: Uid,
    /// When it is tried next.
    at: SimTime,
    /// Whether that is kubectl's own doing, and so is said.
    announce: bool,
}

impl Attempt {
    fn new(pod: &Object, at: SimTime) -> Self {
        Attempt { key: ObjectKey::of(pod), uid: pod.meta.uid, at, announce: true }
    }

    /// Asks for the eviction. Gives back the next attempt if a budget forbids it now.
    fn carry_out(
        mut self,
        call: &mut Call<'_>,
        by_delete: bool,
        options: &DeleteOptions,
        one_succeeded: bool,
    ) -> Result<Option<Self>, Vec<String>> {
        let (name, namespace) = (self.key.name.clone(), self.key.namespace.clone());
        if self.announce {
            let verb = if by_delete { "deleting" } else { "evicting" };
            call.say(format!("{verb} pod {namespace}/{name}"));
        }
        let result = match by_delete {
            true => call.world.delete(Kind::Pod, &self.key, options),
            false => call.world.evict(&self.key, options),
        };
        let error = match result {
            Err(error) if error.reason != Reason::NotFound => error,
            _ => return Ok(None),
        };
        let why = |more: &str| {
            let what = format!("error when evicting pods/\"{name}\" -n \"{namespace}\"");
            format!("{what}{more}: {}", error.message)
        };
        if error.reason != Reason::TooManyRequests {
            return Err(vec![why("")]);
        }
        let conflicts = one_succeeded && self.announce;
        if !conflicts {
            call.warn(why(" (will retry after 5s)"));
        }
        self.at = call.world.now() + if conflicts { SERVER_RETRY } else { RETRY };
        self.announce = !conflicts;
        Ok(Some(self))
    }
}

/// Evicts pods, again and again where a budget forbids it, and waits until they are gone.
fn evict(call: &mut Call<'_>, pods: Pods) -> Result<(), Vec<String>> {
    let fail = |failure: Failure| vec![failure.sentence()];
    let timeout = duration(call.flags.text("timeout")).map_err(fail)?;
    let limit = call.world.now() + if timeout.is_zero() { PATIENCE * 6 } else { timeout };
    let grace = call.flags.int("grace-period").map_err(fail)?.filter(|seconds| *seconds >= 0);
    let options = DeleteOptions { grace_period_seconds: grace, ..DeleteOptions::default() };
    let by_delete = call.flags.on("disable-eviction");
    let mut waiting: Vec<(ObjectKey, Uid)> = Vec::new();
    let now = call.world.now();
    let mut left: Vec<Attempt> = pods.iter().map(|pod| Attempt::new(pod, now)).collect();
    loop {
        let now = call.world.now();
        // All evictions run side by side: one that takes from a budget makes the others start over
        // in the server, whose conflicts are not seen here.
        let mut one_succeeded = false;
        let (due, later): (Vec<_>, Vec<_>) = left.into_iter().partition(|one| one.at <= now);
        left = later;
        for attempt in due {
            let (key, uid) = (attempt.key.clone(), attempt.uid);
            match attempt.carry_out(call, by_delete, &options, one_succeeded)? {
                Some(again) => left.push(again),
                None => {
                    one_succeeded = true;
                    waiting.push((key, uid));
                }
            }
        }
        let store = call.world.store();
        let (gone, here): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(key, uid)| {
            store.get(Kind::Pod, key).is_none_or(|pod| pod.meta.uid != *uid)
        });
        waiting = here;
        for (key, _) in gone {
            call.say(format!("pod/{} {}", key.name, if by_delete { "deleted" } else { "evicted" }));
        }
        if waiting.is_empty() && left.is_empty() {
            return Ok(());
        }
        let until = left.iter().map(|attempt| attempt.at).fold(limit, SimTime::min);
        if call.world.now() >= limit {
            let left = left.iter().map(|attempt| &attempt.key);
            let name = waiting.iter().map(|(key, _)| key).chain(left).next().cloned();
            let (name, namespace) = name.map_or_else(Default::default, |key| {
                (key.name.to_string(), key.namespace.to_string())
            });
            call.warn(format!("There are pending pods in node when an error occurred: [error when waiting for pod \"{name}\" in namespace \"{namespace}\" to terminate: global timeout reached: {}]", go_duration(timeout)));
            return Err(vec![format!(
                "error when evicting pods/\"{name}\" -n \"{namespace}\": global timeout reached: {}",
                go_duration(timeout)
            )]);
        }
        if !call.world.step(until) {
            call.world.run_until(until);
        }
    }
}

/// `1m0s`, as Go prints a duration.
pub(crate) fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    }
}
