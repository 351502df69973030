//! `kubectl delete`.

use super::{PATIENCE, duration};
use crate::api::{Kind, Object, Uid};
use crate::base::SimTime;
use crate::kubectl::call::{Call, DryRun};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::manifests;
use crate::kubectl::resources::{self, Query};
use crate::kubectl::task::Task;
use crate::store::{DeleteOptions, ObjectKey, Propagation};
use core::time::Duration;
use std::sync::Arc;

/// Deletes objects and waits until they are gone.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go.
pub(crate) fn delete(call: &mut Call<'_>) -> Outcome {
    let options = options(call)?;
    let (objects, mut failures) = chosen(call)?;
    if call.flags.on("ignore-not-found") || call.flags.on("all") {
        failures.retain(|failure| !failure.is_not_found());
    }
    let force = call.flags.on("force");
    if force && options.grace_period_seconds == Some(0) {
        call.warn("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    if objects.iter().any(|object| !object.kind.namespaced()) && call.all_namespaces() {
        call.warn(
            "Warning: deleting cluster-scoped resources, not scoped to the provided namespace",
        );
    }
    if objects.is_empty() && failures.is_empty() {
        if !call.flags.on("ignore-not-found") {
            call.say("No resources found");
        }
        return Ok(());
    }
    let mut left = Vec::new();
    for object in &objects {
        match delete_one(call, object, &options) {
            Ok(()) => left.push((object.kind, ObjectKey::of(object), object.meta.uid)),
            Err(failure) => failures.push(failure),
        }
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

fn options(call: &Call<'_>) -> Result<DeleteOptions, Failure> {
    let mut grace = call.flags.int("grace-period")?.unwrap_or(-1);
    let force = call.flags.on("force");
    if call.flags.on("now") {
        if grace != -1 {
            return plain("--now and --grace-period cannot be specified together");
        }
        grace = 1;
    }
    if force && grace > 0 {
        return plain("--force and --grace-period greater than 0 cannot be specified together");
    }
    if force && grace < 0 {
        grace = 0;
    } else if grace == 0 && !force {
        grace = 1;
    }
    let propagation = match call.flags.text("cascade") {
        "background" | "true" => Propagation::Background,
        "foreground" => Propagation::Foreground,
        "orphan" | "false" => Propagation::Orphan,
        other => {
            return plain(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            ));
        }
    };
    Ok(DeleteOptions {
        grace_period_seconds: (grace >= 0).then_some(grace),
        propagation,
        ..DeleteOptions::default()
    })
}

type Chosen = (Vec<Arc<Object>>, Vec<Failure>);

fn chosen(call: &Call<'_>) -> Result<Chosen, Failure> {
    if call.has_files() {
        let (manifests, mut failures) = manifests::read_all(call)?;
        let mut objects = Vec::new();
        for manifest in manifests {
            match call.object(manifest.kind, &manifest.namespace, &manifest.name) {
                Ok(object) => objects.push(object),
                Err(failure) => {
                    failures.push(failure.named_by_source("deleting", &manifest.source))
                }
            }
        }
        return Ok((objects, failures));
    }
    let queries = resources::queries(&call.args)?;
    if queries.is_empty() {
        return plain(
            "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
        );
    }
    let by_kind = queries.iter().any(|query| matches!(query, Query::All(_)));
    let narrowed =
        ["selector", "field-selector"].iter().any(|flag| !call.flags.text(flag).is_empty());
    if by_kind && !narrowed && !call.flags.on("all") {
        return plain("resource(s) were provided, but no name was specified");
    }
    if !by_kind && call.flags.on("all") {
        return plain("name cannot be provided when a selector is specified");
    }
    let found = resources::find_queries(call, &queries)?;
    Ok((found.objects, found.failures))
}

/// Asks for an object to be deleted, and says so.
pub(super) fn delete_one(call: &mut Call<'_>, object: &Object, options: &DeleteOptions) -> Outcome {
    let key = ObjectKey::of(object);
    let dry_run = call.dry_run()?;
    if dry_run != DryRun::Client {
        call.write(|world| world.delete(object.kind, &key, options))?;
    }
    if call.flags.text("output") == "name" {
        call.say(format!("{}/{}", object.kind.singular_group(), key.name));
        return Ok(());
    }
    let how = match options.grace_period_seconds {
        Some(0) => "force deleted",
        _ => "deleted",
    };
    let place = match object.kind.namespaced() {
        true => format!(" from {} namespace", key.namespace),
        false => String::new(),
    };
    let suffix = match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    call.say(format!("{} \"{}\" {how}{place}{suffix}", object.kind.singular_group(), key.name));
    Ok(())
}
