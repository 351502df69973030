//! `kubectl wait`.

use super::{PATIENCE, duration};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::base::SimTime;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::jsonpath::JsonPath;
use crate::kubectl::task::{Task, Wake};
use crate::kubectl::{columns, resources};
use crate::store::ObjectKey;
use core::time::Duration;
use std::sync::Arc;

/// How often it is looked for an object that does not exist yet.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What is waited for.
#[derive(Clone, Debug)]
enum Condition {
    Create,
    Delete,
    Status(String, String),
    Path(JsonPath, Option<String>),
}

/// Waits for conditions of objects.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/wait.
pub(crate) fn wait(call: &mut Call<'_>) -> Outcome {
    let texts = call.flags.all("for");
    if texts.is_empty() {
        return plain("unrecognized condition: []");
    }
    let conditions: Vec<Condition> =
        texts.iter().map(|text| condition(text)).collect::<Result<_, _>>()?;
    let timeout = match call.flags.text("timeout") {
        text if text.starts_with('-') => PATIENCE * 6,
        text => duration(text)?,
    };
    let limit = call.world.now() + timeout;
    let waits_for = |wanted: fn(&Condition) -> bool| conditions.iter().any(wanted);
    if waits_for(|condition| matches!(condition, Condition::Create)) {
        return Creation { conditions, limit }.go_on(call);
    }
    let found = resources::find_named(call)?;
    let mut failures = found.failures;
    if waits_for(|condition| matches!(condition, Condition::Delete)) {
        failures.retain(|failure| !failure.is_not_found());
    } else if found.objects.is_empty() && failures.is_empty() {
        return plain("no matching resources found");
    }
    let mut left = found.objects;
    left.reverse();
    Conditions::new(conditions, left, limit, failures).go_on(call)
}

/// Objects of which something is to become true, one after the other.
#[derive(Debug)]
pub(crate) struct Conditions {
    conditions: Vec<Condition>,
    /// How many of them the next object has met.
    met: usize,
    /// The next one last.
    left: Vec<Arc<Object>>,
    limit: SimTime,
    /// The version of the next object that was looked at last.
    seen: u64,
    /// Whether one has waited in vain: all share one time, and none is left for the others.
    is_over: bool,
    failures: Vec<Failure>,
}

impl Conditions {
    fn new(
        conditions: Vec<Condition>,
        left: Vec<Arc<Object>>,
        limit: SimTime,
        failures: Vec<Failure>,
    ) -> Self {
        Conditions { conditions, met: 0, left, limit, seen: 0, is_over: false, failures }
    }

    pub(crate) fn go_on(mut self, call: &mut Call<'_>) -> Outcome {
        while let Some(object) = self.left.last().cloned() {
            let is_met = match !self.is_over {
                true => self.is_met(call, &object)?,
                false => false,
            };
            if is_met {
                call.done(object.kind, &shown(&object), "condition met")?;
                (self.met, self.seen) = (self.met + 1, 0);
                if self.met < self.conditions.len() {
                    continue;
                }
            } else if call.world.now() < self.limit {
                return call.later(self.limit, Task::Conditions(self));
            } else {
                let what = format!("{}/{}", object.kind.plural(), object.meta.name);
                let is_instant = call.flags.text("timeout").trim_matches(['0', 's']).is_empty();
                let text = match is_instant {
                    true => format!("condition not met for {what}"),
                    false => format!("timed out waiting for the condition on {what}"),
                };
                self.failures.push(Failure::Plain(text));
                self.is_over = !is_instant;
            }
            self.left.pop();
            self.met = 0;
            self.seen = 0;
        }
        Failure::of(self.failures)
    }

    fn is_met(&mut self, call: &Call<'_>, object: &Object) -> Result<bool, Failure> {
        let now = call.world.store().get(object.kind, &ObjectKey::of(object));
        let Some(condition) = self.conditions.get(self.met) else { return Ok(true) };
        Ok(match (condition, now) {
            (Condition::Create, Some(_)) => true,
            (Condition::Delete, now) => now.is_none_or(|now| now.meta.uid != object.meta.uid),
            (_, None) => false,
            (condition, Some(now)) => {
                let version = now.meta.resource_version;
                let is_new = core::mem::replace(&mut self.seen, version) != version;
                is_new && holds(condition, now)?
            }
        })
    }
}

/// Objects that do not exist yet.
#[derive(Debug)]
pub(crate) struct Creation {
    conditions: Vec<Condition>,
    limit: SimTime,
}

impl Creation {
    pub(crate) fn go_on(self, call: &mut Call<'_>) -> Outcome {
        let found = resources::find_named(call)?;
        if !found.objects.is_empty() && found.failures.is_empty() {
            let mut left = found.objects;
            left.reverse();
            let (conditions, limit) = (self.conditions, self.limit);
            return Conditions::new(conditions, left, limit, Vec::new()).go_on(call);
        }
        let now = call.world.now();
        if now >= self.limit {
            return plain("timed out waiting for the condition");
        }
        call.wait_for(Wake::At(now + LOOK_AGAIN), Task::Creation(self))
    }
}

fn condition(text: &str) -> Result<Condition, Failure> {
    match text.to_lowercase().as_str() {
        "delete" => return Ok(Condition::Delete),
        "create" => return Ok(Condition::Create),
        _ => {}
    }
    if let Some(rest) = text.strip_prefix("condition=") {
        let (name, wanted) = rest.split_once('=').unwrap_or((rest, "true"));
        return Ok(Condition::Status(name.to_owned(), wanted.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("jsonpath=") {
        return path_condition(rest);
    }
    plain(format!("unrecognized condition: {}", crate::api::error::go_quote(text)))
}

/// Models wait.go processJSONPathInput and newJSONPathParser.
fn path_condition(text: &str) -> Result<Condition, Failure> {
    let (path, wanted) = match parts(text).as_slice() {
        [path] => (path.clone(), None),
        [path, wanted] => (path.clone(), Some(wanted.trim_matches(['\'', '"']).to_owned())),
        _ => {
            return plain(
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'",
            );
        }
    };
    if path.is_empty() {
        return plain("jsonpath expression cannot be empty");
    }
    let path = columns::relaxed(&path)?;
    if wanted.as_deref() == Some("") {
        return plain(
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
        );
    }
    Ok(Condition::Path(JsonPath::parse(&path).map_err(Failure::Plain)?, wanted))
}

/// The parts between single equals signs; what follows one in a row belongs to the text.
///
/// Models wait.go splitJSONPathInput.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find('=') {
        let (before, signs) = rest.split_at(at);
        let after = signs.trim_start_matches('=');
        let count = signs.len() - after.len();
        if let Some(last) = parts.last_mut() {
            last.push_str(before);
            last.push_str(&"=".repeat(count - count % 2));
        }
        if count % 2 == 1 {
            parts.push(String::new());
        }
        rest = after;
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(rest);
    }
    parts
}

fn holds(condition: &Condition, object: &Object) -> Result<bool, Failure> {
    let value = shown(object);
    Ok(match condition {
        Condition::Status(name, wanted) => {
            let conditions = value.items_at(&["status", "conditions"]);
            let found = conditions
                .iter()
                .find(|c| c.str_at(&["type"]).is_some_and(|text| text.eq_ignore_ascii_case(name)));
            found.is_some_and(|found| {
                let status = found.str_at(&["status"]).unwrap_or_default();
                let seen = found
                    .int_at(&["observedGeneration"])
                    .or(value.int_at(&["status", "observedGeneration"]));
                let generation = value.int_at(&["metadata", "generation"]).unwrap_or(0);
                status.eq_ignore_ascii_case(wanted) && seen.is_none_or(|seen| seen >= generation)
            })
        }
        Condition::Path(path, wanted) => {
            let found = path.find(&value, true).unwrap_or_default();
            match (found.as_slice(), wanted) {
                ([], _) => false,
                ([_, _, ..], _) => {
                    return plain("given jsonpath expression matches more than one value");
                }
                (_, None) => true,
                ([Value::Object(_) | Value::Array(_)], Some(_)) => {
                    return plain(
                        "jsonpath leads to a nested object or list which is not supported",
                    );
                }
                ([scalar], Some(wanted)) => {
                    crate::kubectl::go_text::scalar_text(scalar).eq_ignore_ascii_case(wanted)
                }
            }
        }
        Condition::Create | Condition::Delete => true,
    })
}
