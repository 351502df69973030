//! `kubectl taint`, `cordon` and `uncordon`.

use super::send_change;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::names::{label_value, qualified_name};
use crate::api::{Kind, Object, Selector, Value};
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
    let mut failures = Vec::new();
    for node in nodes(call)? {
        if let Err(failure) = set_unschedulable(call, &node, closed) {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

/// The nodes that are named or selected; one that is missing makes none of them.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/drain/drain.go Complete.
pub(crate) fn nodes(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Failure> {
    let selected = !call.flags.text("selector").is_empty();
    if call.args.is_empty() && !call.flags.given("selector") {
        return call.usage(&format!("USAGE: {} NODE [flags]", call.verb.path));
    }
    if !call.args.is_empty() && selected {
        return call.usage("cannot specify both a node name and a --selector option");
    }
    call.dry_run()?;
    let pods = call.flags.text("pod-selector");
    if Selector::parse(pods).is_err() {
        return plain("--pod-selector=<pod_selector> must be a valid label selector");
    }
    let query = |arg: &String| -> Result<Query, Failure> {
        Ok(match arg.split_once('/') {
            Some((kind, name)) => {
                Query::Named(resources::kind_of(call.world.store(), kind)?, name.to_owned())
            }
            None => Query::Named(Kind::Node, arg.clone()),
        })
    };
    let queries: Vec<Query> = match selected {
        true => vec![Query::All(Kind::Node)],
        false => call.args.iter().map(query).collect::<Result<_, _>>()?,
    };
    let found = resources::find_queries(call, &queries)?;
    if let Some(failure) = found.failures.into_iter().next() {
        return Err(failure);
    }
    if let Some(other) = found.objects.iter().find(|object| object.kind != Kind::Node) {
        let resource = other.kind.resource();
        return plain(format!(
            "expected resource of type node, got \"{}/{}, Resource={}\"",
            resource.group, resource.version, resource.plural
        ));
    }
    Ok(found.objects)
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

#[derive(Clone, Debug, PartialEq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

impl Taint {
    fn of(taint: &Value) -> Self {
        let text = |key| taint.str_at(&[key]).unwrap_or_default().to_owned();
        Taint { key: text("key"), value: text("value"), effect: text("effect") }
    }

    fn is_same(&self, other: &Taint) -> bool {
        self.key == other.key && (other.effect.is_empty() || self.effect == other.effect)
    }
}

/// `kubectl taint nodes NAME key=value:Effect key:Effect- key-`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/taint/taint.go.
pub(crate) fn taint(call: &mut Call<'_>) -> Outcome {
    let (mut names, mut specs) = (Vec::new(), Vec::new());
    for arg in core::mem::take(&mut call.args) {
        match arg.contains(['=', ':']) || arg.ends_with('-') {
            true => specs.push(arg),
            false if specs.is_empty() => names.push(arg),
            false => {
                return plain(format!(
                    "all resources must be specified before taint changes: {arg}"
                ));
            }
        }
    }
    if names.is_empty() {
        return plain("one or more resources must be specified as <resource> <name>");
    }
    if specs.is_empty() {
        return plain("at least one taint update is required");
    }
    let (new, gone) = read_all(&specs).or_else(|why| call.usage(&why))?;
    let kind = names.remove(0);
    if super::mapped(call, &kind)? != Kind::Node {
        return plain(format!("invalid resource type {kind}, only node types are supported"));
    }
    let clashes = |taint: &&Taint| new.iter().any(|one| one.is_same(taint));
    let clash: Vec<String> = gone
        .iter()
        .filter(clashes)
        .map(|taint| format!("{}={}", taint.key, taint.effect))
        .collect();
    if !clash.is_empty() {
        return plain(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            clash.join(", ")
        ));
    }
    let (all, selects) = (call.flags.on("all"), !call.flags.text("selector").is_empty());
    if all && selects {
        return plain("setting 'all' parameter with a non empty selector is prohibited");
    }
    if !all && !selects && names.is_empty() {
        return plain(
            "at least one resource name must be specified since 'all' parameter is not set",
        );
    }
    let queries: Vec<Query> = match all || selects {
        true => vec![Query::All(Kind::Node)],
        false => names.into_iter().map(|name| Query::Named(Kind::Node, name)).collect(),
    };
    let found = resources::find_queries(call, &queries)?;
    let mut failures = found.failures;
    for node in found.objects {
        if let Err(failure) = taint_one(call, &node, &new, &gone) {
            failures.push(failure);
        }
    }
    Failure::of(failures)
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/taint/utils.go parseTaints.
fn read_all(specs: &[String]) -> Result<(Vec<Taint>, Vec<Taint>), String> {
    let (mut new, mut gone) = (Vec::<Taint>::new(), Vec::new());
    for spec in specs {
        if let Some(spec) = spec.strip_suffix('-') {
            gone.push(read(spec)?);
            continue;
        }
        let taint = read(spec)?;
        if taint.effect.is_empty() {
            return Err(format!("invalid taint spec: {spec}"));
        }
        if new.iter().any(|one| one.is_same(&taint)) {
            let Taint { key, value, effect } = taint;
            return Err(format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            ));
        }
        new.push(taint);
    }
    Ok((new, gone))
}

/// Models taint/utils.go parseTaint.
fn read(spec: &str) -> Result<Taint, String> {
    let wrong = |why: &[String]| match why.is_empty() {
        true => Err(format!("invalid taint spec: {spec}")),
        false => Err(format!("invalid taint spec: {spec}, {}", why.join("; "))),
    };
    let (key, value, effect) = match spec.split_once(':') {
        None => (spec, "", ""),
        Some((_, effect)) if effect.contains(':') => return wrong(&[]),
        Some((_, effect)) if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) => {
            return Err(format!("invalid taint effect: {effect}, unsupported taint effect"));
        }
        Some((head, effect)) => {
            let (key, value) = head.split_once('=').unwrap_or((head, ""));
            (key, value, effect)
        }
    };
    if value.contains('=') {
        return wrong(&[]);
    }
    for why in [label_value(value), qualified_name(key)] {
        if !why.is_empty() {
            return wrong(&why);
        }
    }
    Ok(Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
}

/// Models taint/utils.go reorganizeTaints.
fn taint_one(call: &mut Call<'_>, node: &Object, new: &[Taint], gone: &[Taint]) -> Outcome {
    let name = node.meta.name.clone();
    let mut value = shown(node);
    let old = value.items_at(&["spec", "taints"]).to_vec();
    let overwrites = call.flags.on("overwrite");
    let exist = new.iter().filter(|one| old.iter().any(|old| Taint::of(old).is_same(one)));
    let exist: Vec<&str> = exist.map(|one| one.key.as_str()).collect();
    if !overwrites && !exist.is_empty() {
        return plain(format!(
            "node {name} already has {} taint(s) with same effect(s) and --overwrite is false",
            exist.join(",")
        ));
    }
    let mut taints: Vec<Value> = Vec::new();
    for Taint { key, value, effect } in new {
        let mut taint = json!({"key": key, "effect": effect});
        if !value.is_empty() {
            taint.put(&["value"], value.clone());
        }
        taints.push(taint);
    }
    let kept = old.iter().filter(|old| !new.iter().any(|new| new.is_same(&Taint::of(old))));
    taints.extend(kept.cloned());
    let (added, mut removed, mut failures) = (taints.len() != old.len(), false, Vec::new());
    for taint in gone {
        let before = taints.len();
        taints.retain(|one| !Taint::of(one).is_same(taint));
        removed = taints.len() != before;
        if !removed {
            let parts = [taint.key.as_str(), taint.effect.as_str()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let text = format!("taint \"{}\" not found", parts.join(":"));
            failures.push(Failure::Plain(text));
        }
    }
    Failure::of(failures)?;
    match taints.is_empty() {
        true => drop(value.remove(&["spec", "taints"])),
        false => value.put(&["spec", "taints"], taints),
    }
    let stored = send_change(call, node, &value)?;
    let what = match (added, removed, overwrites) {
        (true, true, _) | (_, _, true) => "modified",
        (true, false, _) => "tainted",
        _ => "untainted",
    };
    // Models taint.go RunTaint: the printer was made before it was known that nothing is stored.
    call.done_plainly(Kind::Node, &stored, what)
}
