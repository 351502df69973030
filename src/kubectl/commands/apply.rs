//! `kubectl apply`, `create -f`, `replace` and `diff`.

use super::{ADMISSION_RETRY, ADMISSION_TRIES, store_change};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Uid, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, DryRun, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::go_text::compact_json;
use crate::kubectl::manifests::{self, Manifest, to_yaml};
use crate::kubectl::output::{FORMATS, Objects, Printer};
use crate::kubectl::patch::{is_empty, three_way};
use crate::kubectl::resources;
use crate::kubectl::task::{Task, Wake};
use crate::store::patch::{FieldValidation, Patch, patch_locally};
use crate::store::{DeleteOptions, ObjectKey};

/// Where kubectl keeps what was applied last.
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Puts what is applied into the annotation that the next `kubectl apply` reads.
pub(crate) fn note_last_applied(value: &mut Value) {
    value.put_default(&["metadata", "annotations"], serde_json::json!({}));
    value.remove(&["metadata", "annotations", LAST_APPLIED]);
    let text = compact_json(value) + "\n";
    value.put(&["metadata", "annotations", LAST_APPLIED], text);
}

fn prepared(manifest: &Manifest) -> Value {
    let mut value = manifest.value.clone();
    if manifest.kind.namespaced() {
        value.put(&["metadata", "namespace"], manifest.namespace.clone());
    }
    value
}

/// Creates or changes objects so that they are as their manifests say.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/apply/apply.go and patcher.go.
pub(crate) fn apply(call: &mut Call<'_>) -> Outcome {
    if call.flags.list("filename").is_empty() {
        if call.flags.given("kustomize") {
            return plain("kustomize needs folders, which this console does not have");
        }
        return plain("must specify one of -f and -k");
    }
    if let Some(arg) = call.args.first() {
        return call.usage(&format!("Unexpected args: [{arg}]"));
    }
    let (mut manifests, failures) = manifests::read_all(call)?;
    let selector = resources::selector(call)?;
    let labels = |manifest: &Manifest| {
        crate::api::StringMap::from_value(manifest.value.at(&["metadata", "labels"]))
    };
    manifests.retain(|manifest| selector.matches(&labels(manifest)));
    Manifests::new(How::Apply, manifests, failures).go_on(call)
}

fn apply_one(call: &mut Call<'_>, manifest: &Manifest) -> Result<(Value, &'static str), Failure> {
    let (kind, source) = (manifest.kind, &*manifest.source);
    if manifest.name.is_empty() {
        let generate = manifest.value.str_at(&["metadata", "generateName"]).unwrap_or_default();
        return match generate {
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
    let server_side = call.flags.on("server-side");
    if !server_side {
        note_last_applied(&mut new);
    }
    let Ok(live) = call.object(kind, &manifest.namespace, &manifest.name) else {
        let what = if server_side { "serverside-applied" } else { "created" };
        if call.dry_run()? == DryRun::Client {
            return Ok((new, what));
        }
        let made = call.create(kind, &new, &manifest.namespace);
        return Ok((
            shown(&*made.map_err(|failure| failure.named_by_source("creating", source))?),
            what,
        ));
    };
    let live = shown(&live);
    let note = live.str_at(&["metadata", "annotations", LAST_APPLIED]);
    if note.is_none() && !server_side {
        let what = format!("{}/{}", kind.plural(), manifest.name);
        call.warn(format!("Warning: resource {what} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically."));
    }
    let last = note.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    let (how, body) = three_way(kind, &last, &new, &live).map_err(Failure::Plain)?;
    if is_empty(&body) {
        return Ok((live, if server_side { "serverside-applied" } else { "unchanged" }));
    }
    let patch = Patch { how, body, fields: FieldValidation::Strict, of_status: false };
    let key = ObjectKey::new(&manifest.namespace, &manifest.name);
    let stored = match call.dry_run()? {
        DryRun::Client => patched_here(kind, &live, &patch),
        _ => call.patch(kind, &key, &patch).map(|patched| shown(&patched)),
    };
    let stored = stored.map_err(|failure| patch_failed(failure, manifest, &patch.body))?;
    Ok((stored, if server_side { "serverside-applied" } else { "configured" }))
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

/// `kubectl create -f`.
pub(crate) fn create(call: &mut Call<'_>) -> Outcome {
    if let Some(arg) = call.args.first() {
        return call.usage(&format!("Unexpected args: [{arg}]"));
    }
    if call.flags.list("filename").is_empty() {
        return plain("must specify one of -f and -k");
    }
    let (manifests, failures) = manifests::read_all(call)?;
    Manifests::new(How::Create, manifests, failures).go_on(call)
}

fn create_one(call: &mut Call<'_>, manifest: &Manifest) -> Result<Value, Failure> {
    let mut value = prepared(manifest);
    if call.flags.on("save-config") {
        note_last_applied(&mut value);
    }
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
    if call.flags.list("filename").is_empty() {
        return plain("must specify --filename to replace");
    }
    let (manifests, failures) = manifests::read_all(call)?;
    let mut task = Manifests::new(How::Replace, manifests, failures);
    if call.flags.on("force") {
        task.make_room(call)?;
    }
    task.go_on(call)
}

fn replace_one(call: &mut Call<'_>, manifest: &Manifest) -> Result<Value, Failure> {
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
    /// How often the next one was tried in vain.
    tries: u32,
    /// The objects that must be gone first, and how long they are waited for.
    gone: Vec<(Kind, ObjectKey, Uid)>,
    limit: SimTime,
}

impl Manifests {
    fn new(how: How, manifests: Vec<Manifest>, failures: Vec<Failure>) -> Self {
        let (many, mut left) = (manifests.len() > 1, manifests);
        left.reverse();
        let (values, gone, limit) = (Vec::new(), Vec::new(), SimTime::default());
        Manifests { how, left, many, values, failures, tries: 0, gone, limit }
    }

    /// Deletes what is to be replaced by force.
    ///
    /// Models staging/src/k8s.io/kubectl/pkg/cmd/replace/replace.go forceReplace.
    fn make_room(&mut self, call: &mut Call<'_>) -> Outcome {
        let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        for manifest in self.left.iter().rev() {
            let found = call.object(manifest.kind, &manifest.namespace, &manifest.name);
            let Ok(object) = found else { continue };
            super::delete::delete_one(call, &object, &options)?;
            self.gone.push((manifest.kind, ObjectKey::of(&object), object.meta.uid));
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
        let keeps = self.many && call.flags.given("output") && call.flags.text("output") != "name";
        while let Some(manifest) = self.left.last() {
            let result = match self.how {
                How::Apply => apply_one(call, manifest),
                How::Create => create_one(call, manifest).map(|value| (value, "created")),
                How::Replace => replace_one(call, manifest).map(|value| (value, "replaced")),
            };
            match result {
                Ok((value, _)) if keeps && self.how == How::Apply => self.values.push(value),
                Ok((value, what)) => call.done(manifest.kind, &value, what)?,
                Err(failure) if failure.may_pass() && self.tries < ADMISSION_TRIES => {
                    self.tries += 1;
                    let wake = Wake::At(call.world.now() + ADMISSION_RETRY);
                    return call.wait_for(wake, Task::Manifests(self));
                }
                Err(failure) => self.failures.push(failure),
            }
            self.left.pop();
            self.tries = 0;
        }
        if let (Some(printer), false) = (Printer::of(call, FORMATS)?, self.values.is_empty()) {
            call.print(&printer, &Objects::List(self.values, serde_json::json!({})))?;
        }
        Failure::of(self.failures)
    }
}

/// `kubectl apply view-last-applied`.
pub(crate) fn view_last_applied(call: &mut Call<'_>) -> Outcome {
    let found = resources::find(call)?;
    for object in &found.objects {
        let text = object.meta.annotations.get(LAST_APPLIED).map(str::to_owned);
        let Some(value) = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
            return plain(format!(
                "no last-applied-configuration annotation found on resource: {}",
                object.meta.name
            ));
        };
        let text = match call.flags.text("output") {
            "json" => crate::kubectl::go_text::indented_json(&value) + "\n",
            _ => to_yaml(&value),
        };
        call.out.push_str(&text);
    }
    Failure::of(found.failures)
}

/// `kubectl diff`: exit code 1 if something differs.
pub(crate) fn diff(call: &mut Call<'_>) -> Outcome {
    let (manifests, failures) = manifests::read_all(call)?;
    let mut differs = false;
    for manifest in manifests {
        let live = call.object(manifest.kind, &manifest.namespace, &manifest.name).ok();
        let live = live.map(|object| shown(&object));
        let mut copy = call.world.clone();
        let mut new = prepared(&manifest);
        note_last_applied(&mut new);
        let merged = match &live {
            None => copy.create(manifest.kind, &new, &manifest.namespace),
            Some(live) => {
                let note = live.str_at(&["metadata", "annotations", LAST_APPLIED]);
                let last =
                    note.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
                let (how, body) =
                    three_way(manifest.kind, &last, &new, live).map_err(Failure::Plain)?;
                let fields = FieldValidation::Strict;
                let patch = Patch { how, body, fields, of_status: false };
                let key = ObjectKey::new(&manifest.namespace, &manifest.name);
                copy.patch(manifest.kind, &key, &patch).map(|patched| patched.object)
            }
        };
        let clean = |value: &Value| {
            let mut value = value.clone();
            value.remove(&["metadata", "annotations", LAST_APPLIED]);
            value.remove(&["metadata", "resourceVersion"]);
            if value.fields_at(&["metadata", "annotations"]).is_some_and(serde_json::Map::is_empty)
            {
                value.remove(&["metadata", "annotations"]);
            }
            value
        };
        let before = live.as_ref().map_or_else(String::new, |live| to_yaml(&clean(live)));
        let after = to_yaml(&clean(&shown(&*merged?)));
        if before != after {
            differs = true;
            let group = manifest.kind.api_version().replace('/', ".");
            let name = format!(
                "{group}.{}.{}.{}",
                manifest.kind.name(),
                manifest.namespace,
                manifest.name
            );
            let text = unified(&before, &after, &name);
            call.out.push_str(&text);
        }
    }
    Failure::of(failures)?;
    if differs { Err(Failure::Silent(1)) } else { Ok(()) }
}

/// A unified difference with three lines around each change.
fn unified(before: &str, after: &str, name: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut text = format!(
        "diff -u -N /tmp/LIVE/{name} /tmp/MERGED/{name}\n--- /tmp/LIVE/{name}\n+++ /tmp/MERGED/{name}\n"
    );
    let edits = edits(&a, &b);
    let changed: Vec<usize> = edits
        .iter()
        .enumerate()
        .filter(|(_, edit)| edit.0 != ' ')
        .map(|(index, _)| index)
        .collect();
    let mut start = 0;
    while let Some(first) = changed.iter().find(|index| **index >= start).copied() {
        let mut last = first;
        while let Some(next) = changed.iter().find(|index| **index > last && **index <= last + 6) {
            last = *next;
        }
        let (from, to) = (first.saturating_sub(3).max(start), (last + 4).min(edits.len()));
        let count = |signs: &str, range: &[(char, &str)]| {
            range.iter().filter(|edit| signs.contains(edit.0)).count()
        };
        let head = edits.get(..from).unwrap_or_default();
        let hunk = edits.get(from..to).unwrap_or_default();
        let line = |before: usize, size: usize| if size == 0 { before } else { before + 1 };
        let (old, new) = (count(" -", hunk), count(" +", hunk));
        text.push_str(&format!(
            "@@ -{},{old} +{},{new} @@\n",
            line(count(" -", head), old),
            line(count(" +", head), new)
        ));
        for (sign, line) in hunk {
            text.push_str(&format!("{sign}{line}\n"));
        }
        start = to;
    }
    text
}

/// The lines of both, in order, with what happened to each (longest common subsequence).
pub fn edits<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<(char, &'a str)> {
    let width = b.len() + 1;
    let mut table = vec![0_u32; (a.len() + 1) * width];
    let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let best = if x == y {
                at(&table, i + 1, j + 1) + 1
            } else {
                at(&table, i + 1, j).max(at(&table, i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    loop {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => {
                out.push((' ', *x));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), y) if y.is_none() || at(&table, i + 1, j) >= at(&table, i, j + 1) => {
                out.push(('-', *x));
                i += 1;
            }
            (_, Some(y)) => {
                out.push(('+', *y));
                j += 1;
            }
            _ => return out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_three_lines_around_a_change() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\n";
        let after = "a\nb\nc\nd\nE\nf\ng\nh\n";
        let text = unified(before, after, "x");
        assert!(text.ends_with("@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n"), "{text}");
    }
}
