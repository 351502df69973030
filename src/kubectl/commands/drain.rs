//! `kubectl drain`.

use super::{PATIENCE, duration, nodes};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Reason, Selector, Uid};
use crate::base::{SimTime, order};
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::task::Task;
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
    let mut chosen = nodes::nodes(call)?;
    for node in &chosen {
        nodes::set_unschedulable(call, node, true)?;
    }
    chosen.reverse();
    Drain { nodes: chosen, evicting: None, fatal: Vec::new(), pending: Vec::new() }.go_on(call)
}

/// Nodes that are drained, one after the other.
#[derive(Debug)]
pub(crate) struct Drain {
    /// The next one last.
    nodes: Vec<Arc<Object>>,
    /// The pods of the next node, once they are asked to go.
    evicting: Option<Evicting>,
    fatal: Vec<Failure>,
    /// The nodes that could not be drained.
    pending: Vec<String>,
}

impl Drain {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        while let Some(node) = self.nodes.last().cloned() {
            let step = match self.evicting.take() {
                Some(evicting) => evicting.go_on(call, &node),
                None => begin(call, &node),
            };
            match step {
                Ok(Some((evicting, until))) => {
                    self.evicting = Some(evicting);
                    return call.later(until, Task::Drain(self));
                }
                Ok(None) => call.done(Kind::Node, &shown(&node), "drained")?,
                Err(errors) => {
                    let text = aggregate(&errors);
                    let name = &node.meta.name;
                    call.warn(format!("error: unable to drain node \"{name}\" due to error: {text}, continuing command..."));
                    self.pending.push(name.to_string());
                    self.fatal.extend(errors.into_iter().map(Failure::Plain));
                }
            }
            self.nodes.pop();
        }
        if !self.pending.is_empty() {
            call.warn("There are pending nodes to be drained:");
            for name in self.pending {
                call.warn(format!(" {name}"));
            }
        }
        match self.fatal.len() {
            0 => Ok(()),
            _ => Err(Failure::Many(self.fatal)),
        }
    }
}

/// Models staging/src/k8s.io/apimachinery/pkg/util/errors NewAggregate.
fn aggregate(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

type Pods = Vec<Arc<Object>>;

/// What evicting has come to: done, or what is left and when to go on with it; or why it failed.
type Step = Result<Option<(Evicting, SimTime)>, Vec<String>>;

/// Begins with a node.
fn begin(call: &mut Call<'_>, node: &Object) -> Step {
    let pods = pods_to_evict(call, node)?;
    let dry_run = call.dry_run().map_err(|failure| vec![failure.sentence()])?;
    if dry_run != DryRun::None {
        let how = if dry_run == DryRun::Client { "dry run" } else { "server dry run" };
        for pod in pods {
            call.say(format!("evicting pod {}/{} ({how})", pod.meta.namespace, pod.meta.name));
        }
        return Ok(None);
    }
    Evicting::new(call, &pods)?.go_on(call, node)
}

/// The pods that must go, with the warnings said; or why the node cannot be drained.
fn pods_to_evict(call: &mut Call<'_>, node: &Object) -> Result<Pods, Vec<String>> {
    let (pods, warnings) = pods_of(call, node)?;
    if !warnings.is_empty() {
        call.warn(format!("Warning: {}", warnings.join("; ")));
    }
    Ok(pods)
}

/// The pods that must go and the warnings about them; or why the node cannot be drained.
fn pods_of(call: &Call<'_>, node: &Object) -> Result<(Pods, Vec<String>), Vec<String>> {
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
    let line = |(why, names): (&&str, &Vec<String>)| format!("{why}: {}", names.join(", "));
    let mut lines: Vec<String> = warnings.iter().map(line).collect();
    order::sort(&mut lines);
    Ok((pods, lines))
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
    // With the flag there is a warning upstream, but the next filter's word replaces it.
    if local && !ended && !call.flags.on("delete-emptydir-data") {
        return Fate::Forbidden("Pods with local storage (use --delete-emptydir-data to override)");
    }
    if owner.is_none() && !ended {
        return match call.flags.on("force") {
            true => Fate::GoWithWarning("deleting Pods that declare no controller"),
            false => Fate::Forbidden("Pods that declare no controller (use --force to override)"),
        };
    }
    Fate::Go
}

/// One pod's eviction as kubectl asks for it.
#[derive(Debug)]
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

    /// Every attempt begins with its words, also the one that finds that the time is over.
    fn too_late(&self, call: &mut Call<'_>, timeout: Duration) -> String {
        let (name, namespace) = (&self.key.name, &self.key.namespace);
        call.say(format!("evicting pod {namespace}/{name}"));
        format!(
            "error when evicting pods/\"{name}\" -n \"{namespace}\": global timeout reached: {}",
            go_duration(timeout)
        )
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
        if self.announce && !by_delete {
            call.say(format!("evicting pod {namespace}/{name}"));
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

/// Pods that are evicted, again and again where a budget forbids it, until they are gone.
#[derive(Debug)]
struct Evicting {
    timeout: Duration,
    limit: SimTime,
    options: DeleteOptions,
    by_delete: bool,
    /// Those that are still to be asked.
    left: Vec<Attempt>,
    /// Those that were, and are not gone yet.
    waiting: Vec<(ObjectKey, Uid)>,
    /// What could not be done in time.
    errors: Vec<String>,
}

impl Evicting {
    fn new(call: &Call<'_>, pods: &Pods) -> Result<Self, Vec<String>> {
        let fail = |failure: Failure| vec![failure.sentence()];
        let timeout = duration(call.flags.text("timeout")).map_err(fail)?;
        let now = call.world.now();
        let grace = call.flags.int("grace-period").map_err(fail)?.filter(|seconds| *seconds >= 0);
        Ok(Evicting {
            timeout,
            limit: now + if timeout.is_zero() { PATIENCE * 6 } else { timeout },
            options: DeleteOptions { grace_period_seconds: grace, ..DeleteOptions::default() },
            by_delete: call.flags.on("disable-eviction"),
            left: pods.iter().map(|pod| Attempt::new(pod, now)).collect(),
            waiting: Vec::new(),
            errors: Vec::new(),
        })
    }

    fn go_on(mut self, call: &mut Call<'_>, node: &Object) -> Step {
        let now = call.world.now();
        // All evictions run side by side: one that takes from a budget makes the others start over
        // in the server, whose conflicts are not seen here.
        let mut one_succeeded = false;
        let (due, later): (Vec<_>, Vec<_>) = self.left.into_iter().partition(|one| one.at <= now);
        self.left = later;
        for attempt in due {
            let (key, uid) = (attempt.key.clone(), attempt.uid);
            if now >= self.limit {
                self.errors.push(attempt.too_late(call, self.timeout));
                continue;
            }
            match attempt.carry_out(call, self.by_delete, &self.options, one_succeeded)? {
                Some(again) => self.left.push(again),
                None => {
                    one_succeeded = true;
                    self.waiting.push((key, uid));
                }
            }
        }
        let store = call.world.store();
        let (gone, here): (Vec<_>, Vec<_>) = self.waiting.into_iter().partition(|(key, uid)| {
            store.get(Kind::Pod, key).is_none_or(|pod| pod.meta.uid != *uid)
        });
        self.waiting = here;
        for (key, _) in gone {
            let what = if self.by_delete { "deleted" } else { "evicted" };
            call.say(format!("pod/{} {what}", key.name));
        }
        if now >= self.limit {
            let late = format!("global timeout reached: {}", go_duration(self.timeout));
            let waiting = core::mem::take(&mut self.waiting);
            match self.by_delete {
                true => self.errors.extend((!waiting.is_empty()).then_some(late)),
                false => self.errors.extend(waiting.iter().map(|(key, _)| {
                    let (name, namespace) = (&key.name, &key.namespace);
                    let what = format!("pod \"{name}\" in namespace \"{namespace}\"");
                    format!("error when waiting for {what} to terminate: {late}")
                })),
            }
        }
        if self.waiting.is_empty() && self.left.is_empty() {
            return if self.errors.is_empty() { Ok(None) } else { Err(self.give_up(call, node)) };
        }
        let limit = (!self.waiting.is_empty()).then_some(self.limit);
        let until = self.left.iter().map(|attempt| attempt.at).chain(limit).min();
        Ok(until.map(|until| (self, until)))
    }

    /// Says which pods are still on the node.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go deleteOrEvictPodsSimple.
    fn give_up(self, call: &mut Call<'_>, node: &Object) -> Vec<String> {
        let Ok((pods, _)) = pods_of(call, node) else { return self.errors };
        if !pods.is_empty() {
            call.warn(format!(
                "There are pending pods in node \"{}\" when an error occurred: {}",
                node.meta.name,
                aggregate(&self.errors)
            ));
            pods.iter().for_each(|pod| call.warn(format!("pod/{}", pod.meta.name)));
        }
        self.errors
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
