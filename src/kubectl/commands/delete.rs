//! `kubectl delete`.

use super::{PATIENCE, duration};
use crate::api::tree::Tree as _;
use crate::api::{Kind, StringMap, Uid};
use crate::base::SimTime;
use crate::kubectl::call::{Call, DryRun};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::flags::{is_false, is_true};
use crate::kubectl::manifests;
use crate::kubectl::resources::{self, Query};
use crate::kubectl::task::Task;
use crate::store::{DeleteOptions, ObjectKey, Propagation};
use core::time::Duration;
use std::sync::Arc;

/// An object that is to be deleted, whether there is one or not.
struct Target {
    kind: Kind,
    key: ObjectKey,
    /// The manifest that names it, if one does.
    source: Option<Arc<str>>,
}

/// Deletes objects and waits until they are gone.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let options = options(call)?;
    call.dry_run()?;
    let asks = call.flags.on("interactive");
    let rule = (asks, "--interactive can not be used with --raw");
    if let Some(outcome) = super::raw::raw(call, "DELETE", &[rule]) {
        return outcome;
    }
    let (targets, mut failures) = targets(call)?;
    let output = call.flags.text("output");
    if !matches!(output, "" | "name") {
        return plain(format!("unexpected -o output mode: {output}. We only support '-o name'"));
    }
    let grace = options.grace_period_seconds;
    if call.flags.on("force") {
        if grace.is_some_and(|seconds| seconds > 0) {
            return plain("--force and --grace-period greater than 0 cannot be specified together");
        }
        call.warn("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    if call.flags.on("interactive") {
        Failure::of(core::mem::take(&mut failures))?;
        if !targets.is_empty() && !is_confirmed(call, &targets) {
            return Ok(());
        }
    }
    let found = targets.len();
    let mut warns = call.flags.given("namespace") && !call.all_namespaces();
    let mut left = Vec::new();
    for target in targets {
        if warns && !target.kind.namespaced() {
            call.warn(
                "Warning: deleting cluster-scoped resources, not scoped to the provided namespace",
            );
            warns = false;
        }
        let uid = call.world.store().get(target.kind, &target.key).map(|object| object.meta.uid);
        match delete_one(call, target.kind, &target.key, &options) {
            Ok(()) => left.extend(uid.map(|uid| (target.kind, target.key, uid))),
            Err(failure) => failures.push(match &target.source {
                Some(source) => failure.named_by_source("deleting", source),
                None => failure,
            }),
        }
    }
    if ignores_missing(call) {
        failures.retain(|failure| !failure.is_not_found());
    }
    if found == 0 && failures.is_empty() {
        call.say("No resources found");
        return Ok(());
    }
    if call.flags.on("wait") && call.dry_run()? == DryRun::None {
        let timeout = duration(call.flags.text("timeout"))?;
        let timeout = if timeout.is_zero() { PATIENCE } else { timeout };
        let limit = call.world.now() + timeout;
        left.reverse();
        return Gone { left, timeout, limit, failures }.go_on(call);
    }
    Failure::of(failures)
}

/// Whether it is no mistake that an object is not there.
fn ignores_missing(call: &Call<'_>) -> bool {
    match call.flags.given("ignore-not-found") {
        true => call.flags.on("ignore-not-found"),
        false => call.flags.on("all") || resources::is_narrowed(call),
    }
}

/// Asks before anything is deleted.
///
/// Models DeleteOptions.confirmation. Simplified: the answer is what stands in the pipe.
fn is_confirmed(call: &mut Call<'_>, targets: &[Target]) -> bool {
    call.say(format!("You are about to delete the following {} resource(s):", targets.len()));
    for target in targets {
        call.say(format!("{}/{}", target.kind.singular_group(), target.key.name));
    }
    call.out.push_str("Do you want to continue? (y/N): ");
    let answer = call.stdin.unwrap_or_default().lines().next().unwrap_or_default();
    let is_yes = answer.trim().eq_ignore_ascii_case("y");
    if !is_yes {
        call.say("deletion is cancelled");
    }
    is_yes
}

/// Deleted objects whose end is waited for, one after the other.
#[derive(Debug)]
pub(crate) struct Gone {
    /// The next one last.
    left: Vec<(Kind, ObjectKey, Uid)>,
    timeout: Duration,
    /// How long the next one is waited for.
    limit: SimTime,
    failures: Vec<Failure>,
}

impl Gone {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        let now = call.world.now();
        while let Some((kind, key, uid)) = self.left.last() {
            let found = call.world.store().get(*kind, key);
            if found.is_some_and(|object| object.meta.uid == *uid) {
                if now < self.limit {
                    return call.later(self.limit, Task::Gone(self));
                }
                self.failures.push(Failure::Plain(format!(
                    "timed out waiting for the condition on {}/{}",
                    kind.plural(),
                    key.name
                )));
            }
            self.left.pop();
            self.limit = now + self.timeout;
        }
        Failure::of(self.failures)
    }
}

/// How the flags ask to delete.
pub(super) fn options(call: &mut Call<'_>) -> Result<DeleteOptions, Failure> {
    let text = call.flags.text("cascade").to_owned();
    let propagation = match text.as_str() {
        "background" => Propagation::Background,
        "foreground" => Propagation::Foreground,
        "orphan" => Propagation::Orphan,
        other => match (is_true(other), is_false(other)) {
            (true, _) => Propagation::Background,
            (_, true) => Propagation::Orphan,
            _ => {
                return plain(format!(
                    "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
                ));
            }
        },
    };
    if is_true(&text) || is_false(&text) {
        let word = if is_true(&text) { "background" } else { "orphan" };
        call.warn(format!("warning: --cascade={text} is deprecated (boolean value) and can be replaced with --cascade={word}."));
    }
    let mut grace = call.flags.int("grace-period")?.unwrap_or(-1);
    let force = call.flags.on("force");
    if call.flags.on("now") {
        if grace != -1 {
            return plain("--now and --grace-period cannot be specified together");
        }
        grace = 1;
    }
    if force && grace < 0 {
        grace = 0;
    } else if grace == 0 && !force {
        grace = 1;
    }
    Ok(DeleteOptions {
        grace_period_seconds: (grace >= 0).then_some(grace),
        propagation,
        ..DeleteOptions::default()
    })
}

type Targets = (Vec<Target>, Vec<Failure>);

/// What the words or the manifests name, and what the selectors find.
fn targets(call: &Call<'_>) -> Result<Targets, Failure> {
    let all = call.flags.on("all");
    if all && resources::is_narrowed(call) {
        return plain("setting 'all' parameter but found a non empty selector. ");
    }
    if call.flags.given("filename") || call.flags.given("kustomize") {
        return in_files(call);
    }
    let queries = resources::queries(call.world.store(), &call.args)?;
    if queries.is_empty() {
        return plain(match resources::is_narrowed(call) || all {
            true => "at least one resource must be specified to use a selector",
            false => resources::MISSING,
        });
    }
    let by_kind = queries.iter().any(|query| matches!(query, Query::All(_)));
    if by_kind && !all && !resources::is_narrowed(call) {
        return plain("resource(s) were provided, but no name was specified");
    }
    if all && queries.iter().any(|query| matches!(query, Query::Named(..))) {
        return Err(resources::no_names(call));
    }
    resources::check(call, &queries)?;
    let (mut targets, mut failures) = (Vec::new(), Vec::new());
    let target = |kind, key| Target { kind, key, source: None };
    for query in &queries {
        match query {
            Query::Named(kind, name) => {
                targets.push(target(*kind, ObjectKey::new(&call.namespace_for(*kind), name)));
            }
            Query::All(kind) => match resources::list(call, *kind) {
                Ok(found) => {
                    targets.extend(found.iter().map(|one| target(*kind, ObjectKey::of(one))));
                }
                Err(failure) => failures.push(failure),
            },
        }
    }
    Ok((targets, failures))
}

fn in_files(call: &Call<'_>) -> Result<Targets, Failure> {
    let (manifests, mut failures) = manifests::read_all(call)?;
    resources::check_no_args(call)?;
    let selector = resources::selector(call)?;
    let mut targets = Vec::new();
    for manifest in manifests {
        let labels = manifest.value.at(&["metadata", "labels"]);
        if !selector.matches(&StringMap::from_value(labels)) {
            continue;
        }
        let source = manifest.source.as_str();
        if manifest.name.is_empty() {
            let why = Failure::Plain("resource name may not be empty".to_owned());
            failures.push(why.named_by_source("deleting", source));
            continue;
        }
        let key = ObjectKey::new(&manifest.namespace, &manifest.name);
        targets.push(Target { kind: manifest.kind, key, source: Some(source.into()) });
    }
    Ok((targets, failures))
}

/// Asks for an object to be deleted, and says so.
pub(super) fn delete_one(
    call: &mut Call<'_>,
    kind: Kind,
    key: &ObjectKey,
    options: &DeleteOptions,
) -> Outcome {
    let dry_run = call.dry_run()?;
    if dry_run != DryRun::Client {
        call.write(|world| world.delete(kind, key, options))?;
    }
    if call.flags.text("output") == "name" {
        call.say(format!("{}/{}", kind.singular_group(), key.name));
        return Ok(());
    }
    let how = match options.grace_period_seconds {
        Some(0) => "force deleted",
        _ => "deleted",
    };
    let place = match kind.namespaced() {
        true => format!(" from {} namespace", key.namespace),
        false => String::new(),
    };
    let suffix = match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    call.say(format!("{} \"{}\" {how}{place}{suffix}", kind.singular_group(), key.name));
    Ok(())
}
