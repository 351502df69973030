//! `kubectl create namespace`, `quota`, `poddisruptionbudget` and `priorityclass`.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/create/create_namespace.go, create_quota.go,
//! create_pdb.go and create_priorityclass.go.

use super::{begin_named, finish, named};
use crate::api::selector::{Operator, Selector};
use crate::api::tree::TreeMut as _;
use crate::api::{Kind, Value};
use crate::base::Quantity;
use crate::kubectl::call::Call;
use crate::kubectl::commands::run::int_or_string;
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::output::complete_for_client;
use serde_json::{Map, json};

/// `kubectl create namespace`.
pub(crate) fn namespace(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let mut value = named(Kind::Namespace, &name);
    value.put(&["spec"], json!({}));
    complete_for_client(Kind::Namespace, &mut value);
    call.create_generated(Kind::Namespace, value, "created")
}

/// `kubectl create quota`.
pub(crate) fn quota(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let mut value = named(Kind::ResourceQuota, &name);
    value.put(&["spec"], json!({}));
    if let Some(hard) = call.flags.get("hard") {
        let mut limits = Map::new();
        for pair in hard.split(',') {
            let parts = pair.split_once('=').filter(|(_, amount)| !amount.contains('='));
            let Some((resource, amount)) = parts else {
                return plain(format!(
                    "Invalid argument syntax {pair}, expected <resource>=<value>"
                ));
            };
            let amount = Quantity::parse(amount).map_err(|why| Failure::Plain(why.to_string()))?;
            limits.insert(resource.to_owned(), amount.to_string().into());
        }
        value.put(&["spec", "hard"], limits);
    }
    if let Some(scopes) = call.flags.get("scopes") {
        let scopes: Vec<&str> = scopes.split(',').collect();
        if scopes.contains(&"") {
            return plain("invalid resource quota scope \"\"");
        }
        value.put(&["spec", "scopes"], scopes);
    }
    finish(call, Kind::ResourceQuota, value, "quota:")
}

/// `kubectl create poddisruptionbudget`.
pub(crate) fn budget(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let text = call.flags.text("selector");
    if text.is_empty() {
        return plain("a selector must be specified");
    }
    let (least, most) = (call.flags.get("min-available"), call.flags.get("max-unavailable"));
    let (flag, field, bound) = match (least, most) {
        (None, None) => {
            return plain("one of min-available or max-unavailable must be specified");
        }
        (Some(_), Some(_)) => {
            return plain("min-available and max-unavailable cannot be both specified");
        }
        (Some(bound), None) => ("min-available", "minAvailable", bound),
        (None, Some(bound)) => ("max-unavailable", "maxUnavailable", bound),
    };
    let digits = bound.strip_suffix('%').unwrap_or(bound);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain(format!("invalid format specified for {flag}"));
    }
    let mut value = named(Kind::PodDisruptionBudget, &name);
    value.put(&["spec", "selector"], label_selector(text)?);
    value.put(&["spec", field], int_or_string(bound));
    finish(call, Kind::PodDisruptionBudget, value, "poddisruptionbudgets:")
}

/// A selector as an object has it: what must be equal apart from other requirements.
///
/// Models staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go ParseToLabelSelector.
fn label_selector(text: &str) -> Result<Value, Failure> {
    let all = Selector::parse(text).map_err(|why| {
        Failure::Plain(format!("couldn't parse the selector string \"{text}\": {why}"))
    })?;
    let (mut labels, mut expressions) = (Map::new(), Vec::new());
    for part in all.requirements {
        let is_set = sets(text).any(|key| key == part.key);
        let operator = match part.operator {
            Operator::In if !is_set => {
                labels.insert(part.key, part.values.concat().into());
                continue;
            }
            Operator::NotIn if !is_set => {
                return plain("\"!=\" is not a valid label selector operator");
            }
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            Operator::Gt => return plain("\"gt\" isn't supported in label selectors"),
            Operator::Lt => return plain("\"lt\" isn't supported in label selectors"),
        };
        let mut expression = json!({"key": part.key, "operator": operator});
        if !part.values.is_empty() {
            expression.put(&["values"], part.values);
        }
        expressions.push(expression);
    }
    let mut selector = json!({});
    if !labels.is_empty() {
        selector.put(&["matchLabels"], labels);
    }
    if !expressions.is_empty() {
        selector.put(&["matchExpressions"], expressions);
    }
    Ok(selector)
}

/// The keys of a selector's requirements that name a set: `env` of `env in (dev,test)`.
fn sets(text: &str) -> impl Iterator<Item = &str> {
    let before = text.split('(').rev().skip(1);
    before.filter_map(|part| part.rsplit([',', ')']).next()?.split_whitespace().next())
}

/// `kubectl create priorityclass`.
pub(crate) fn priority_class(call: &mut Call<'_>) -> Outcome {
    let name = begin_named(call)?;
    let mut value = named(Kind::PriorityClass, &name);
    value.put(&["value"], call.flags.int("value")?.unwrap_or(0));
    value.put(&["preemptionPolicy"], call.flags.text("preemption-policy"));
    if call.flags.on("global-default") {
        value.put(&["globalDefault"], true);
    }
    if let Some(text) = call.flags.get("description") {
        value.put(&["description"], text);
    }
    finish(call, Kind::PriorityClass, value, "priorityclass:")
}
