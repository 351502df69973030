//! `kubectl apply`, `create -f`, `replace` and `diff`.

use super::{ADMISSION_RETRY, ADMISSION_TRIES, duration, store_change};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason, Uid, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::go_text::compact_json;
use crate::kubectl::manifests::{self, Manifest};
use crate::kubectl::output::{FORMATS, Objects, Printer};
use crate::kubectl::patch::{is_empty, three_way};
use crate::kubectl::resources;
use crate::kubectl::task::{Task, Wake};
use crate::store::patch::{Patch, patch_locally};
use crate::store::{DeleteOptions, ObjectKey};
use std::collections::BTreeSet;

/// Where kubectl keeps what was applied last.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Puts what is applied into the annotation that the next `kubectl apply` reads.
pub(crate) fn note_last_applied(value: &mut Value) {
    value.put_default(&["metadata", "annotations"], serde_json::json!({}));
    value.remove(&["metadata", "annotations", LAST_APPLIED]);
    let text = compact_json(value) + "\n";
    value.put(&["metadata", "annotations", LAST_APPLIED], text);
}

/// Models staging/src/k8s.io/cli-runtime/pkg/resource/visitor.go SetNamespace and FilterNamespace.
pub(super) fn prepared(manifest: &Manifest) -> Value {
    let mut value = manifest.value.clone();
    match manifest.kind.namespaced() {
        true => value.put(&["metadata", "namespace"], manifest.namespace.clone()),
        false => drop(value.remove(&["metadata", "namespace"])),
    }
    value
}

/// Models apply.go pruneNulls: what an update would leave out is not created either.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Creates or changes objects so that they are as their manifests say.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply.go and patcher.go.
pub(crate) fn apply(call: &mut Call<'_>) -> Outcome {
    check_no_args(call)?;
    call.dry_run()?;
    call.field_validation()?;
    check_files(call)?;
    super::server_side::check_flags(call)?;
    let (mut manifests, failures) = manifests::read_all(call)?;
    select(call, &mut manifests, &failures)?;
    Manifests::new(How::Apply, manifests, failures).go_on(call)
}

/// Leaves the manifests that `-l` chooses.
fn select(call: &Call<'_>, manifests: &mut Vec<Manifest>, failures: &[Failure]) -> Outcome {
    let selector = resources::selector(call)?;
    manifests.retain(|manifest| {
        let labels = manifest.value.at(&["metadata", "labels"]);
        selector.matches(&crate::api::StringMap::from_value(labels))
    });
    match manifests.is_empty() && failures.is_empty() {
        true => plain(format!("no objects passed to {}", call.verb.path)),
        false => Ok(()),
    }
}

fn apply_one(call: &mut Call<'_>, manifest: &Manifest) -> Result<(Value, &'static str), Failure> {
    let (kind, source) = (manifest.kind, &*manifest.source);
    if manifest.name.is_empty() {
        let generate = manifest.value.str_at(&["metadata", "generateName"]).unwrap_or_default();
        return match generate {
            "" if call.flags.on("server-side") => plain("resource name may not be empty"),
            "" => plain(format!(
                "error when retrieving current configuration of:\nResource: \"{}\", GroupVersionKind: \"{}\"\nName: \"\", Namespace: \"{}\"\nfrom server for: \"{source}\": resource name may not be empty",
                group_version_resource(kind),
                group_version_kind(kind),
                manifest.namespace
            )),
            generate => plain(format!("from {generate}: cannot use generate name with apply")),
        };
    }
    let mut new = prepared(manifest);
    call.record(&mut new);
    if call.flags.on("server-side") {
        let stored = super::server_side::apply_one(call, manifest, &new)?;
        return Ok((stored, "serverside-applied"));
    }
    note_last_applied(&mut new);
    let Ok(live) = call.object(kind, &manifest.namespace, &manifest.name) else {
        without_nulls(&mut new);
        if call.dry_run()? == DryRun::Client {
            return Ok((new, "created"));
        }
        let made = call.create(kind, &new, &manifest.namespace);
        let made = made.map_err(|failure| failure.named_by_source("creating", source))?;
        return Ok((shown(&made), "created"));
    };
    let is_going = live.clone();
    let live = shown(&live);
    let note = live.str_at(&["metadata", "annotations", LAST_APPLIED]);
    if note.is_none() {
        let what = format!("{}/{}", kind.plural(), manifest.name);
        call.warn(format!("Warning: resource {what} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically."));
    }
    let last = note.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let (how, body) = three_way(kind, &last, &new, &live).map_err(Failure::Plain)?;
    if is_empty(&body) {
        warn_if_deleting(call, &is_going);
        return Ok((live, "unchanged"));
    }
    let fields = call.field_validation()?;
    let patch = Patch { how, body, fields, of_status: false };
    let key = ObjectKey::new(&manifest.namespace, &manifest.name);
    let stored = match call.dry_run()? {
        DryRun::Client => patched_here(kind, &live, &patch),
        _ => call.patch(kind, &key, &patch).map(|patched| shown(&patched)),
    };
    let stored = stored.map_err(|failure| patch_failed(failure, manifest, &patch.body))?;
    warn_if_deleting(call, &is_going);
    Ok((stored, "configured"))
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply.go WarnIfDeleting.
pub(super) fn warn_if_deleting(call: &mut Call<'_>, object: &Object) {
    if object.meta.is_terminating() {
        let what = format!("{}/{}", object.kind.plural(), object.meta.name);
        call.warn(format!(
            "Warning: Detected changes to resource {what} which is currently being deleted."
        ));
    }
}

/// An object with a patch that no server has seen.
fn patched_here(kind: Kind, live: &Value, patch: &Patch) -> Result<Value, Failure> {
    let mut value = live.clone();
    patch_locally(kind, &mut value, patch)
        .map_err(|why| Failure::Plain(format!("applying patch locally: {why}")))?;
    Ok(value)
}

/// Applies one document to a world as `kubectl apply` would: what was stored, object by object (a
/// List has several), or why not. Admission that waits is waited for.
pub(crate) fn rehearse(call: &mut Call<'_>, document: &Value) -> Vec<Rehearsed> {
    let mut manifests = Vec::new();
    let mut all = Vec::new();
    if let Err(failure) = manifests::flatten(call, document.clone(), "", &mut manifests) {
        all.push(Err(failure));
    }
    for manifest in manifests {
        let mut result = apply_one(call, &manifest);
        for _ in 0..ADMISSION_TRIES {
            if !matches!(&result, Err(failure) if failure.may_pass()) {
                break;
            }
            call.world.run_for(ADMISSION_RETRY);
            result = apply_one(call, &manifest);
        }
        all.push(result.map(|(stored, _)| (manifest.kind, stored)));
    }
    all
}

/// An object as it was stored, or why it was not.
pub(crate) type Rehearsed = Result<(Kind, Value), Failure>;

/// What kubectl says when the server refuses its patch.
fn patch_failed(failure: Failure, manifest: &Manifest, patch: &Value) -> Failure {
    let Failure::Api(error) = failure else { return failure };
    let source = crate::api::error::go_quote(&manifest.source);
    let kind = manifest.kind;
    let message = format!(
        "error when applying patch:\n{}\nto:\nResource: \"{}\", GroupVersionKind: \"{}\"\nName: \"{}\", Namespace: \"{}\"\nfor: {source}: error when patching {source}: {}",
        compact_json(patch),
        group_version_resource(kind),
        group_version_kind(kind),
        manifest.name,
        manifest.namespace,
        error.message
    );
    Failure::Api(ApiError { message, ..error })
}

fn group_version(kind: Kind) -> String {
    let resource = kind.resource();
    format!("{}/{}", resource.group, resource.version)
}

fn group_version_resource(kind: Kind) -> String {
    format!("{}, Resource={}", group_version(kind), kind.plural())
}

fn group_version_kind(kind: Kind) -> String {
    format!("{}, Kind={}", group_version(kind), kind.name())
}

pub(super) fn check_no_args(call: &Call<'_>) -> Outcome {
    match call.args.is_empty() {
        true => Ok(()),
        false => call.usage(&format!("Unexpected args: [{}]", call.args.join(" "))),
    }
}

/// Models staging/src/k8s.io/cli-runtime/pkg/resource/builder.go RequireFilenameOrKustomize and
/// validate.
pub(super) fn check_files(call: &Call<'_>) -> Outcome {
    match (call.flags.list("filename").is_empty(), call.flags.given("kustomize")) {
        (true, false) => plain("must specify one of -f and -k"),
        (false, true) => plain("only one of -f or -k can be specified"),
        _ => Ok(()),
    }
}

/// `kubectl create -f`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    check_no_args(call)?;
    check_files(call)?;
    call.dry_run()?;
    call.field_validation()?;
    let selects = !call.flags.text("selector").is_empty();
    let rule = (selects, "--raw and --selector (-l) are mutually exclusive");
    if let Some(outcome) = super::raw::raw(call, "POST", &[rule]) {
        return outcome;
    }
    let (mut manifests, failures) = manifests::read_all(call)?;
    select(call, &mut manifests, &failures)?;
    Manifests::new(How::Create, manifests, failures).go_on(call)
}

#[inline(never)]
fn create_one(call: &mut Call<'_>, manifest: &Manifest) -> Result<Value, Failure> {
    let mut value = prepared(manifest);
    if call.flags.on("save-config") {
        note_last_applied(&mut value);
    }
    call.record(&mut value);
    if call.dry_run()? == DryRun::Client {
        return Ok(value);
    }
    match call.create(manifest.kind, &value, &manifest.namespace) {
        Ok(made) => Ok(shown(&made)),
        Err(failure) => Err(failure.named_by_source("creating", &manifest.source)),
    }
}

/// `kubectl replace -f`.
pub(crate) fn replace(call: &mut Call<'_>) -> Outcome {
    call.dry_run()?;
    call.field_validation()?;
    check_force(call)?;
    check_files(call)?;
    if let Some(outcome) = super::raw::raw(call, "PUT", &[]) {
        return outcome;
    }
    let (manifests, failures) = manifests::read_all(call)?;
    let mut task = Manifests::new(How::Replace, manifests, failures);
    if call.flags.on("force") {
        task.make_room(call)?;
    }
    task.go_on(call)
}

/// What goes with `--force` alone, and what does not go with it.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/replace/replace.go Complete and Validate.
fn check_force(call: &Call<'_>) -> Outcome {
    let force = call.flags.on("force");
    let grace = call.flags.int("grace-period")?.unwrap_or(-1);
    let waits = !duration(call.flags.text("timeout"))?.is_zero();
    let rules = [
        (force && call.dry_run()? != DryRun::None, "--dry-run can not be used when --force is set"),
        (grace >= 0 && !force, "--grace-period must have --force specified"),
        (waits && !force, "--timeout must have --force specified"),
    ];
    rules.into_iter().find(|(broken, _)| *broken).map_or(Ok(()), |(_, why)| plain(why))
}

#[inline(never)]
fn replace_one(call: &mut Call<'_>, manifest: &Manifest) -> Result<Value, Failure> {
    if manifest.name.is_empty() && !call.flags.on("force") {
        let why = Failure::Plain("resource name may not be empty".to_owned());
        return Err(why.named_by_source("replacing", &manifest.source));
    }
    let mut value = prepared(manifest);
    if call.flags.on("save-config") {
        note_last_applied(&mut value);
    }
    let result = match call.flags.on("force") {
        true => {
            call.create(manifest.kind, &value, &manifest.namespace).map(|object| shown(&object))
        }
        false => store_change(call, manifest.kind, &value, &manifest.namespace),
    };
    result.map_err(|failure| failure.named_by_source("replacing", &manifest.source))
}

/// What could not be read is one failure among several; where it is the only one, it is told line
/// by line.
///
/// Models apply.go Run, and staging/src/k8s.io/apimachinery/pkg/util/errors aggregate.Error.
fn in_brackets(failures: Vec<Failure>, unread: usize) -> Vec<Failure> {
    if unread < 2 || failures.len() == unread {
        return failures;
    }
    let mut said: Vec<String> = Vec::new();
    for failure in failures.iter().take(unread).map(Failure::sentence) {
        if !said.contains(&failure) {
            said.push(failure);
        }
    }
    let all = match said.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    let rest = failures.into_iter().skip(unread);
    core::iter::once(Failure::Plain(all)).chain(rest).collect()
}

/// What is done with manifests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Apply,
    Create,
    Replace,
}

/// Manifests that are carried out one after the other.
#[derive(Debug)]
pub(crate) struct Manifests {
    how: How,
    /// The next one last.
    left: Vec<Manifest>,
    /// Whether what is printed is a list.
    many: bool,
    /// What is printed at the end.
    values: Vec<Value>,
    failures: Vec<Failure>,
    /// How many of them there were before anything was done.
    unread: usize,
    /// How often the next one was tried in vain.
    tries: u32,
    /// The objects that must be gone first, and how long they are waited for.
    gone: Vec<(Kind, ObjectKey, Uid)>,
    limit: SimTime,
    /// Whether the next one was deleted to be made anew.
    anew: bool,
    /// What was applied.
    applied: Vec<Uid>,
    namespaces: BTreeSet<String>,
}

impl Manifests {
    fn new(how: How, manifests: Vec<Manifest>, failures: Vec<Failure>) -> Self {
        let (many, mut left) = (manifests.len() > 1, manifests);
        left.reverse();
        let namespaces = left.iter().map(|manifest| manifest.namespace.clone()).collect();
        Manifests {
            how,
            left,
            many,
            values: Vec::new(),
            unread: failures.len(),
            failures,
            tries: 0,
            gone: Vec::new(),
            limit: SimTime::default(),
            anew: false,
            applied: Vec::new(),
            namespaces,
        }
    }

    /// Deletes what is to be replaced by force.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/replace/replace.go forceReplace.
    fn make_room(&mut self, call: &mut Call<'_>) -> Outcome {
        let grace = call.flags.int("grace-period")?.filter(|seconds| *seconds >= 0);
        // None at all would lose data.
        let grace = grace.map(|seconds| seconds.max(1));
        let options = DeleteOptions { grace_period_seconds: grace, ..DeleteOptions::default() };
        for manifest in self.left.iter().rev() {
            let found = call.object(manifest.kind, &manifest.namespace, &manifest.name);
            let Ok(object) = found else { continue };
            let key = ObjectKey::of(&object);
            super::delete::delete_one(call, manifest.kind, &key, &options)?;
            self.gone.push((manifest.kind, key, object.meta.uid));
        }
        self.limit = call.world.now() + super::PATIENCE;
        Ok(())
    }

    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        let store = call.world.store();
        self.gone.retain(|(kind, key, uid)| {
            store.get(*kind, key).is_some_and(|object| object.meta.uid == *uid)
        });
        if !self.gone.is_empty() && call.world.now() < self.limit {
            return call.later(self.limit, Task::Manifests(self));
        }
        let keeps = call.flags.given("output") && call.flags.text("output") != "name";
        while let Some(manifest) = self.left.last() {
            call.world.furnish(manifest.kind);
            call.versions = match manifest.version.as_str() {
                "" => Vec::new(),
                version => vec![(manifest.kind, version.to_owned())],
            };
            let result = match self.how {
                How::Apply => apply_one(call, manifest),
                How::Create => create_one(call, manifest).map(|value| (value, "created")),
                How::Replace => replace_one(call, manifest).map(|value| (value, "replaced")),
            };
            if let (How::Apply, Ok((value, _))) = (self.how, &result) {
                self.applied.extend(value.str_at(&["metadata", "uid"]).and_then(Uid::parse));
            }
            match result {
                Ok((value, _)) if keeps && self.how == How::Apply => self.values.push(value),
                Ok((value, what)) => {
                    let what = if self.anew { "configured" } else { what };
                    call.done(manifest.kind, &value, what)?;
                }
                Err(failure) if self.makes_anew(call, &failure) => {
                    let manifest = manifest.clone();
                    self.delete(call, &manifest)?;
                    return call.later(self.limit, Task::Manifests(self));
                }
                Err(failure) if failure.may_pass() && self.tries < ADMISSION_TRIES => {
                    self.tries += 1;
                    let wake = Wake::At(call.world.now() + ADMISSION_RETRY);
                    return call.wait_for(wake, Task::Manifests(self));
                }
                Err(failure) => self.failures.push(failure),
            }
            self.left.pop();
            self.tries = 0;
            self.anew = false;
        }
        // Models apply.go Run and printObjects: one failure, and no object is printed.
        let prints = self.failures.is_empty() && !self.values.is_empty();
        if let (Some(printer), true) = (Printer::of(call, FORMATS)?, prints) {
            let objects = match (self.many, self.values.pop()) {
                (false, Some(value)) => Objects::One(value),
                (_, last) => {
                    self.values.extend(last);
                    Objects::List(self.values, serde_json::json!({}))
                }
            };
            call.print(&printer, &objects)?;
        }
        if self.failures.is_empty() && self.how == How::Apply && call.flags.on("prune") {
            return super::prune::prune(call, &self.applied, &self.namespaces);
        }
        if self.how == How::Apply {
            self.failures = in_brackets(self.failures, self.unread);
        }
        Failure::of(self.failures)
    }

    /// Whether `--force` deletes what cannot be changed, to make it anew.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/patcher.go Patch and deleteAndCreate.
    fn makes_anew(&self, call: &Call<'_>, failure: &Failure) -> bool {
        let Failure::Api(error) = failure else { return false };
        let is_so = matches!(error.reason, Reason::Invalid | Reason::Conflict);
        is_so && self.how == How::Apply && !self.anew && call.flags.on("force")
    }

    #[inline(never)]
    fn delete(&mut self, call: &mut Call<'_>, manifest: &Manifest) -> Outcome {
        let object = call.object(manifest.kind, &manifest.namespace, &manifest.name)?;
        let key = ObjectKey::of(&object);
        call.write(|world| world.delete(object.kind, &key, &DeleteOptions::default()))?;
        self.gone.push((object.kind, key, object.meta.uid));
        (self.anew, self.limit) = (true, call.world.now() + super::PATIENCE);
        Ok(())
    }
}
