//! `kubectl taint`, `cordon` and `uncordon`.

use super::send_change;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources::{self, Query};
use serde_json::json;
use std::sync::Arc;

/// `kubectl cordon`.
pub(crate) fn cordon(call: &mut Call<'_>) -> Outcome {
    for_nodes(call, true)
}

/// `kubectl uncordon`.
pub(crate) fn uncordon(call: &mut Call<'_>) -> Outcome {
    for_nodes(call, false)
}

fn for_nodes(call: &mut Call<'_>, closed: bool) -> Outcome {
    let (nodes, mut failures) = nodes(call)?;
    for node in nodes {
        if let Err(failure) = set_unschedulable(call, &node, closed) {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

/// The nodes that are named or selected.
pub(crate) fn nodes(call: &Call<'_>) -> Result<(Vec<Arc<Object>>, Vec<Failure>), Failure> {
    let selected = !call.flags.text("selector").is_empty();
    if call.args.is_empty() && !selected {
        return call.usage(&format!("USAGE: {} NODE [flags]", call.verb.path));
    }
    if !call.args.is_empty() && selected {
        return plain("error: cannot specify both a node name and a --selector option");
    }
    let name = |arg: &String| match arg.split_once('/') {
        Some((_, name)) => name.to_owned(),
        None => arg.clone(),
    };
    let queries: Vec<Query> = match selected {
        true => vec![Query::All(Kind::Node)],
        false => call.args.iter().map(|arg| Query::Named(Kind::Node, name(arg))).collect(),
    };
    let found = resources::find_queries(call, &queries)?;
    Ok((found.objects, found.failures))
}

/// Opens or closes a node for pods, and says so.
pub(crate) fn set_unschedulable(call: &mut Call<'_>, node: &Object, closed: bool) -> Outcome {
    let done = if closed { "cordoned" } else { "uncordoned" };
    let mut value = shown(node);
    if value.bool_at(&["spec", "unschedulable"]).unwrap_or(false) == closed {
        return call.done(Kind::Node, &value, &format!("already {done}"));
    }
    if closed {
        value.put(&["spec", "unschedulable"], true);
    } else {
        value.remove(&["spec", "unschedulable"]);
    }
    let stored = send_change(call, node, &value)?;
    call.done(Kind::Node, &stored, done)
}

struct Change {
    key: String,
    value: String,
    effect: String,
}

/// `kubectl taint nodes NAME key=value:Effect key:Effect- key-`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/taint/taint.go.
pub(crate) fn taint(call: &mut Call<'_>) -> Outcome {
    let args = core::mem::take(&mut call.args);
    let (kind, rest) = match args.split_first() {
        Some((first, rest)) if !first.contains('/') => (first.clone(), rest.to_vec()),
        Some((first, _)) => (first.split('/').next().unwrap_or_default().to_owned(), args.clone()),
        None => return plain("one or more resources must be specified as <resource> <name>"),
    };
    if resources::kind_of(&kind)? != Kind::Node {
        return plain(format!("invalid resource type {kind}, only node types are supported"));
    }
    let is_taint = |arg: &&String| arg.contains(['=', ':']) || arg.ends_with('-');
    let (specs, names): (Vec<&String>, Vec<&String>) = rest.iter().partition(is_taint);
    if specs.is_empty() {
        return plain("at least one taint update is required");
    }
    let (mut new, mut gone) = (Vec::new(), Vec::new());
    for spec in specs {
        match spec.strip_suffix('-') {
            Some(spec) => gone.push(read(spec, true)?),
            None => new.push(read(spec, false)?),
        }
    }
    call.args = names.into_iter().cloned().collect();
    let found = if call.args.is_empty() {
        if !call.flags.on("all") && call.flags.text("selector").is_empty() {
            return plain(
                "at least one resource name must be specified since 'all' parameter is not set",
            );
        }
        let found = resources::find_queries(call, &[Query::All(Kind::Node)])?;
        (found.objects, found.failures)
    } else {
        nodes(call)?
    };
    let mut failures = found.1;
    for node in found.0 {
        if let Err(failure) = taint_one(call, &node, &new, &gone) {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

fn read(spec: &str, removal: bool) -> Result<Change, Failure> {
    let (head, effect) = spec.split_once(':').unwrap_or((spec, ""));
    let (key, value) = head.split_once('=').unwrap_or((head, ""));
    if effect.is_empty() && !removal {
        return plain(format!("invalid taint spec: {spec}"));
    }
    if !effect.is_empty() && !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
        return plain(format!("invalid taint effect: {effect}, unsupported taint effect"));
    }
    Ok(Change { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
}

fn taint_one(call: &mut Call<'_>, node: &Object, new: &[Change], gone: &[Change]) -> Outcome {
    let name = node.meta.name.clone();
    let mut value = shown(node);
    let mut taints: Vec<Value> = value.items_at(&["spec", "taints"]).to_vec();
    let same = |taint: &Value, change: &Change| {
        taint.str_at(&["key"]) == Some(&change.key)
            && (change.effect.is_empty() || taint.str_at(&["effect"]) == Some(&change.effect))
    };
    if !call.flags.on("overwrite") {
        let clash: Vec<&Change> =
            new.iter().filter(|change| taints.iter().any(|taint| same(taint, change))).collect();
        if !clash.is_empty() {
            let keys: Vec<String> = clash.iter().map(|c| c.key.clone()).collect();
            return plain(format!(
                "node {name} already has {} taint(s) with same effect(s) and --overwrite is false",
                keys.join(",")
            ));
        }
    }
    let mut failures = Vec::new();
    for change in gone {
        let before = taints.len();
        taints.retain(|taint| !same(taint, change));
        if taints.len() == before {
            let what = if change.effect.is_empty() {
                change.key.clone()
            } else {
                format!("{}:{}", change.key, change.effect)
            };
            failures.push(Failure::Plain(format!("taint \"{what}\" not found")));
        }
    }
    if !failures.is_empty() {
        return Failure::of(failures);
    }
    for change in new {
        taints.retain(|taint| !same(taint, change));
        let mut taint = json!({"key": change.key, "effect": change.effect});
        if !change.value.is_empty() {
            taint.put(&["value"], change.value.clone());
        }
        taints.push(taint);
    }
    if taints.is_empty() {
        value.remove(&["spec", "taints"]);
    } else {
        value.put(&["spec", "taints"], taints);
    }
    let stored = send_change(call, node, &value)?;
    let what = match (new.is_empty(), gone.is_empty()) {
        (true, _) => "untainted",
        (false, true) => "tainted",
        (false, false) => "modified",
    };
    call.done(Kind::Node, &stored, what)
}
