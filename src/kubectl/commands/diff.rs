//! `kubectl diff`.

use super::apply::{LAST_APPLIED, prepared};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{ApiError, Kind, Object, Reason, Value};
use crate::base::{Rng, SimTime};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::manifests::{self, Manifest, to_yaml};
use crate::kubectl::patch::{is_empty, three_way};
use crate::store::ObjectKey;
use crate::store::patch::{FieldValidation, Patch};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// `kubectl diff`: exit code 1 if something differs, 2 if something is wrong.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/diff/diff.go and cmd/util/helpers.go CheckDiffErr.
pub(crate) fn diff(call: &mut Call<'_>) -> Outcome {
    difference(call).map_err(|failure| match failure {
        Failure::Silent(code) => Failure::Silent(code),
        other => Failure::Coded(other.report().0, 2),
    })
}

fn difference(call: &mut Call<'_>) -> Outcome {
    super::apply::check_no_args(call)?;
    super::apply::check_files(call)?;
    let (manifests, failures) = manifests::read_all(call)?;
    // An object that two manifests have counts once, the last time.
    let mut pairs = BTreeMap::new();
    for manifest in manifests {
        let live = call.object(manifest.kind, &manifest.namespace, &manifest.name).ok();
        let live = live.map(|object| shown(&object));
        let mut copy = call.world.clone();
        copy.hold_against(FieldValidation::Warn);
        let mut new = prepared(&manifest);
        if !call.flags.on("server-side") {
            // Models util.GetModifiedConfiguration: no note of what was applied, but annotations.
            new.put_default(&["metadata", "annotations"], serde_json::json!({}));
            new.remove(&["metadata", "annotations", LAST_APPLIED]);
        }
        let merged = match &live {
            _ if call.flags.on("server-side") => apply_on_server(call, &mut copy, &manifest, &new),
            None => copy.create(manifest.kind, &new, &manifest.namespace),
            Some(live) => {
                let note = live.str_at(&["metadata", "annotations", LAST_APPLIED]);
                let last =
                    note.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
                let (how, body) =
                    three_way(manifest.kind, &last, &new, live).map_err(Failure::Plain)?;
                if is_empty(&body) {
                    // Nothing is asked of the server.
                    continue;
                }
                let fields = FieldValidation::Warn;
                let patch = Patch { how, body, fields, of_status: false };
                let key = ObjectKey::new(&manifest.namespace, &manifest.name);
                copy.patch(manifest.kind, &key, &patch).map(|patched| {
                    let unknown = patched.unknown.iter();
                    let unknown = unknown.map(|field| format!("unknown field \"{field}\""));
                    call.say_warnings(unknown.collect());
                    patched.object
                })
            }
        };
        call.say_warnings(copy.take_warnings());
        let (mut live, mut merged) = (live, shown(&*merged?));
        // What is only tried gets no version of its own.
        let version = ["metadata", "resourceVersion"];
        match live.as_ref().and_then(|live| live.at(&version)) {
            Some(own) => merged.put(&version, own.clone()),
            None => drop(merged.remove(&version)),
        }
        if manifest.kind == Kind::Secret && !call.flags.on("show-secrets") {
            mask(live.as_mut(), &mut merged);
        }
        let group = manifest.kind.api_version().replace('/', ".");
        let name =
            format!("{group}.{}.{}.{}", manifest.kind.name(), manifest.namespace, manifest.name);
        pairs.insert(name, (live.as_ref().map_or_else(String::new, to_yaml), to_yaml(&merged)));
    }
    // The first thing that is wrong ends it, and nothing is printed.
    failures.into_iter().next().map_or(Ok(()), Err)?;
    pairs.retain(|_, (before, after)| before != after);
    for (name, (before, after)) in &pairs {
        call.out.push_str(&unified(before, after, name, call.world.now()));
    }
    if pairs.is_empty() { Ok(()) } else { Err(Failure::Silent(1)) }
}

/// What the server would make of an object that is applied on its side.
///
/// Models diff.go InfoObject.Merged, which tries a conflict again until it gives up with a warning.
fn apply_on_server(
    call: &mut Call<'_>,
    copy: &mut World,
    manifest: &Manifest,
    new: &Value,
) -> Result<Arc<Object>, ApiError> {
    copy.speak_as(&call.field_manager(), "");
    let key = ObjectKey::new(&manifest.namespace, &manifest.name);
    let merged = copy.apply(manifest.kind, &key, new, call.flags.on("force-conflicts"));
    if matches!(&merged, Err(error) if error.reason == Reason::Conflict) {
        let (time, kind) = (call.world.now().format("%m%d %T.%N"), manifest.kind);
        let version = kind.api_version();
        let version =
            if version.contains('/') { version.to_owned() } else { format!("/{version}") };
        call.warn(format!(
            "W{}       1 diff.go:723] Object ({version}, Kind={}: {}) keeps changing, diffing without lock",
            time.get(..time.len().saturating_sub(3)).unwrap_or(&time),
            kind.name(),
            manifest.name
        ));
    }
    merged
}

/// Hides the values of a Secret; those that change are told apart.
///
/// Models diff.go Masker.
fn mask(from: Option<&mut Value>, to: &mut Value) {
    const HIDDEN: &str = "***";
    let mut none = serde_json::Map::new();
    let from = from.and_then(|from| from.get_mut("data")).and_then(Value::as_object_mut);
    let from = from.unwrap_or(&mut none);
    let mut other = serde_json::Map::new();
    let to = to.get_mut("data").and_then(Value::as_object_mut).unwrap_or(&mut other);
    for (key, value) in from.iter_mut() {
        let (before, after) = match to.get(key) {
            Some(new) if *new != *value => ("*** (before)", "*** (after)"),
            _ => (HIDDEN, HIDDEN),
        };
        *value = before.into();
        if let Some(new) = to.get_mut(key) {
            *new = after.into();
        }
    }
    for (_, value) in to.iter_mut().filter(|(key, _)| !from.contains_key(*key)) {
        *value = HIDDEN.into();
    }
}

/// A unified difference with three lines around each change.
fn unified(before: &str, after: &str, name: &str, now: SimTime) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut rng = Rng::new(now.as_micros());
    let [live, merged] =
        ["LIVE", "MERGED"].map(|folder| format!("/tmp/{folder}-{}/{name}", rng.bits()));
    let time = now.format("%F %T.%N +0000");
    let mut text =
        format!("diff -u -N {live} {merged}\n--- {live}\t{time}\n+++ {merged}\t{time}\n");
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
        let text = unified(before, after, "x", SimTime::default());
        assert!(text.ends_with("@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n"), "{text}");
    }
}
