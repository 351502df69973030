//! One scheduling decision, told: which nodes were refused by whom, what the others scored.

use super::cycle::{Search, decide, make_room};
use super::node_info::Snapshot;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Object, defaults};
use crate::base::{Rng, order};
use crate::store::Store;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What the scheduler would do with a pod now, as data: `nodes` (each with `filter` or with
/// `scores` and `total`), `best`, and the event's `message` if no node will do.
pub fn explain(pod: &Arc<Object>, snapshot: &Snapshot, store: &Store) -> Value {
    let Some((decision, _)) = decide(pod, snapshot, store, Search::EVERYWHERE) else {
        return Value::Null;
    };
    let mut nodes: Vec<Value> = Vec::new();
    for (place, node) in decision.feasible.iter().enumerate() {
        let mut scores = Map::new();
        for plugin in &decision.scores {
            let normalized = plugin.normalized().nth(place).unwrap_or_default();
            scores.insert(
                plugin.plugin.to_owned(),
                json!({
                    "raw": plugin.raw.get(place).copied().flatten(),
                    "normalized": normalized,
                    "weighted": normalized * plugin.weight,
                }),
            );
        }
        let total = decision.totals.get(place);
        nodes.push(json!({"name": **node.name(), "scores": scores, "total": total}));
    }
    for (name, rejection) in &decision.rejected {
        let filter = json!({"plugin": rejection.plugin, "reasons": rejection.reasons});
        nodes.push(json!({"name": **name, "filter": filter}));
    }
    if let Some(refused) = &decision.refused {
        let filter = json!({"plugin": refused.plugin, "reasons": refused.reasons});
        let all = snapshot.nodes().iter();
        nodes.extend(all.map(|node| json!({"name": **node.name(), "filter": filter})));
    }
    order::sort_by(&mut nodes, |a, b| a.str_at(&["name"]).cmp(&b.str_at(&["name"])));
    let best: Vec<&str> = decision.best().map(|node| &**node.name()).collect();
    let message = best.is_empty().then(|| {
        let (after, _) = make_room(pod, snapshot, store, &decision);
        decision.message(snapshot.nodes().len(), &after)
    });
    json!({"nodes": nodes, "best": best, "message": message})
}

/// Runs one scheduling cycle over recorded objects: `state` is a List (nodes, placed pods and what
/// else matters), `pod` the pod that needs a node. Answers as [`explain`] does.
pub fn explain_state(state: &Value, pod: &Value) -> Value {
    let mut store = Store::new(Rng::new(0));
    let items = state.items_at(&["items"]).iter();
    for item in items {
        let kind = item.str_at(&["kind"]).and_then(Kind::of_word);
        let Some(kind) = kind else { continue };
        let mut item = item.clone();
        defaults::apply(kind, &mut item);
        store.restore(Object::from_value(kind, item));
    }
    let mut pod = pod.clone();
    defaults::apply(Kind::Pod, &mut pod);
    pod.put_default(&["metadata", "namespace"], "default");
    let pod = Arc::new(Object::from_value(Kind::Pod, pod));
    let mut scheduler = super::Scheduler::new();
    let now = crate::base::SimTime::WORLD_START;
    for change in store.take_changes() {
        scheduler.observe(&store, &change, now);
    }
    explain(&pod, scheduler.snapshot(), &store)
}

/// The same from texts (YAML or JSON). `pod` is a manifest, or the name of a pod of the state as
/// `name` or `namespace/name`.
///
/// # Errors
/// A sentence for a person: what cannot be read, or that there is no such pod.
pub fn explain_texts(state: &str, pod: PodSource<'_>) -> Result<Value, String> {
    let read = |text: &str| serde_yaml::from_str::<Value>(text).map_err(|error| error.to_string());
    let mut state = read(state)?;
    let pod = match pod {
        PodSource::Manifest(text) => read(text)?,
        PodSource::Name(name) => {
            let items = state.get_mut("items").and_then(Value::as_array_mut);
            let items = items.ok_or("the state is not a List")?;
            let is_it = |item: &Value| {
                let at = |key| item.str_at(&["metadata", key]).unwrap_or_default();
                item.str_at(&["kind"]) == Some("Pod")
                    && (at("name") == name || format!("{}/{}", at("namespace"), at("name")) == name)
            };
            let place = items.iter().position(is_it);
            let place = place.ok_or_else(|| format!("no pod {name} in the state"))?;
            let mut pod = items.remove(place);
            pod.remove(&["spec", "nodeName"]);
            pod
        }
    };
    Ok(explain_state(&state, &pod))
}

/// Which pod to explain.
#[derive(Clone, Copy, Debug)]
pub enum PodSource<'a> {
    /// The text of its manifest.
    Manifest(&'a str),
    /// Its name in the state.
    Name(&'a str),
}

/// An explanation as a table: a line for each node, best first.
pub fn explanation_table(explanation: &Value) -> String {
    let mut nodes: Vec<&Value> = explanation.items_at(&["nodes"]).iter().collect();
    order::sort_by_key(&mut nodes, |node| core::cmp::Reverse(node.int_at(&["total"])));
    let mut text = format!("{:<24} {:>6}  {}\n", "NODE", "TOTAL", "WHY");
    for node in nodes {
        let name = node.str_at(&["name"]).unwrap_or_default();
        let (total, why) = match node.get("filter") {
            Some(filter) => {
                let reasons = filter.items_at(&["reasons"]).iter().filter_map(Value::as_str);
                let reasons: Vec<&str> = reasons.collect();
                let plugin = filter.str_at(&["plugin"]).unwrap_or_default();
                ("-".to_owned(), format!("{plugin}: {}", reasons.join(", ")))
            }
            None => {
                let scores = node.fields_at(&["scores"]).into_iter().flatten();
                let parts: Vec<String> = scores
                    .map(|(plugin, score)| {
                        format!("{plugin} {}", score.int_at(&["weighted"]).unwrap_or_default())
                    })
                    .collect();
                let total = node.int_at(&["total"]).unwrap_or_default();
                (total.to_string(), parts.join(", "))
            }
        };
        text.push_str(&format!("{name:<24} {total:>6}  {why}\n"));
    }
    if let Some(message) = explanation.str_at(&["message"]) {
        text.push_str(message);
        text.push('\n');
    }
    text
}
