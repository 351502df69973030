//! `kubectl wait`.

use super::{PATIENCE, duration, run_until};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::jsonpath::JsonPath;
use crate::kubectl::{columns, resources};
use crate::store::ObjectKey;
use core::time::Duration;

/// What is waited for.
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
    let Some(text) = call.flags.get("for") else {
        return plain("unrecognized condition: \"\"");
    };
    let condition = condition(text)?;
    let timeout = match call.flags.text("timeout") {
        text if text.starts_with('-') => PATIENCE * 6,
        text => duration(text)?,
    };
    if matches!(condition, Condition::Create) {
        return wait_for_creation(call, timeout);
    }
    let found = resources::find(call)?;
    let for_delete = matches!(condition, Condition::Delete);
    let mut failures = found.failures;
    if for_delete {
        failures.retain(|failure| !failure.is_not_found());
    } else if found.objects.is_empty() && failures.is_empty() {
        return plain("no matching resources found");
    }
    let begin = call.world.now();
    for object in found.objects {
        let left = timeout.saturating_sub(call.world.now().since(begin));
        let (kind, key, uid) = (object.kind, ObjectKey::of(&object), object.meta.uid);
        let met = run_until(call.world, left, |world| {
            let now = world.store().get(kind, &key);
            match (&condition, now) {
                (Condition::Delete, now) => now.is_none_or(|object| object.meta.uid != uid),
                (_, None) => false,
                (condition, Some(object)) => holds(condition, object),
            }
        });
        if met {
            call.done(kind, &shown(&object), "condition met")?;
        } else {
            let what = format!("{}/{}", kind.plural(), key.name);
            failures.push(Failure::Plain(format!("timed out waiting for the condition on {what}")));
        }
    }
    Failure::of(failures)
}

fn wait_for_creation(call: &mut Call<'_>, timeout: Duration) -> Outcome {
    let limit = call.world.now() + timeout;
    loop {
        let found = resources::find(call)?;
        if !found.objects.is_empty() && found.failures.is_empty() {
            for object in found.objects {
                call.done(object.kind, &shown(&object), "condition met")?;
            }
            return Ok(());
        }
        if call.world.now() >= limit {
            return plain("timed out waiting for the condition");
        }
        call.world.run_for(Duration::from_millis(500));
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
        let rest = rest.trim_matches('\'');
        let (path, wanted) = match rest.rfind('}') {
            Some(end) => {
                (rest.get(..=end).unwrap_or_default(), rest.get(end + 1..).unwrap_or_default())
            }
            None => rest
                .split_once('=')
                .map_or((rest, ""), |(path, _)| (path, rest.get(path.len()..).unwrap_or_default())),
        };
        let wanted = wanted
            .trim_start_matches('\'')
            .strip_prefix('=')
            .map(|text| text.trim_matches(['"', '\'']).to_owned());
        let path = JsonPath::parse(&columns::relaxed(path)?).map_err(Failure::Plain)?;
        return Ok(Condition::Path(path, wanted));
    }
    plain(format!("unrecognized condition: {}", crate::api::error::go_quote(text)))
}

fn holds(condition: &Condition, object: &Object) -> bool {
    let value = shown(object);
    match condition {
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
                (_, None) => true,
                ([one], Some(wanted)) => match one {
                    Value::Object(_) | Value::Array(_) => false,
                    scalar => {
                        crate::kubectl::go_text::scalar_text(scalar).eq_ignore_ascii_case(wanted)
                    }
                },
                _ => false,
            }
        }
        Condition::Create | Condition::Delete => true,
    }
}
