//! Validating admission policies: rules in CEL that those who run a cluster write.
//!
//! Models staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/{generic,validating}.
//!
//! Simplified: an expression that cannot be evaluated here lets everything pass, annotations for the
//! audit log go nowhere, and the `authorizer` is not there.

use super::webhook::{Operation, rule_fits, selects};
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::validation::cel;
use crate::api::{ApiError, FieldError, Kind, Object, Reason, Selector, Value};
use crate::store::Manager;
use crate::store::server::Context;
use crate::store::storage::Store;
use serde_json::json;
use std::sync::{Arc, LazyLock};

/// The kinds of policies and their bindings. Looked up once: every object that is stored passes here.
static KINDS: LazyLock<Option<(Kind, Kind)>> = LazyLock::new(|| {
    let of = Kind::of_word;
    of("ValidatingAdmissionPolicy").zip(of("ValidatingAdmissionPolicyBinding"))
});

/// What is asked for: the object as it is to be and as it is; one of the two may be absent.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Request<'a> {
    pub(in crate::store) new: Option<&'a Object>,
    pub(in crate::store) old: Option<&'a Object>,
}

impl Request<'_> {
    fn object(&self) -> Option<&Object> {
        self.new.or(self.old)
    }

    const fn operation(&self) -> Operation {
        match (self.new, self.old) {
            (Some(_), None) => Operation::Create,
            (Some(_), Some(_)) => Operation::Update,
            _ => Operation::Delete,
        }
    }
}

/// One refusal.
struct Decision {
    message: String,
    reason: Reason,
}

/// Asks all policies that are bound.
///
/// Models validating/dispatcher.go Dispatch.
///
/// # Errors
/// The first refusal, with the reason that its rule names.
pub(in crate::store) fn review(
    store: &mut Store,
    context: &Context,
    request: Request<'_>,
) -> Result<(), ApiError> {
    let (Some((policies, _)), Some(object)) = (*KINDS, request.object()) else { return Ok(()) };
    // Policies themselves are never shown to policies.
    if object.kind.resource().group == "admissionregistration.k8s.io"
        || store.list(policies).next().is_none()
    {
        return Ok(());
    }
    ask(store, context, object, request)
}

#[inline(never)]
fn ask(
    store: &mut Store,
    context: &Context,
    object: &Object,
    request: Request<'_>,
) -> Result<(), ApiError> {
    let Some((policies, bindings)) = *KINDS else { return Ok(()) };
    let (mut denied, mut warnings) = (None, Vec::new());
    let constrains = |found: Option<&Value>| {
        found.is_none_or(|found| concerns(store, found, object, request.operation()))
    };
    for policy in store.list(policies) {
        if !constrains(policy.spec().get("matchConstraints")) {
            continue;
        }
        let is_of = |binding: &&Arc<Object>| {
            binding.spec().str_at(&["policyName"]) == Some(&*policy.meta.name)
        };
        for binding in store.list(bindings).filter(is_of) {
            if !constrains(binding.spec().get("matchResources")) {
                continue;
            }
            let by = format!("'{}' with binding '{}'", policy.meta.name, binding.meta.name);
            for decision in decisions(store, context, (policy, binding), request) {
                let message = decision.message;
                for action in binding.spec().items_at(&["validationActions"]) {
                    match action.as_str() {
                        Some("Deny") if denied.is_none() => {
                            let why =
                                format!("ValidatingAdmissionPolicy {by} denied request: {message}");
                            denied = Some((why, decision.reason));
                        }
                        Some("Warn") => warnings.push(format!(
                            "Validation failed for ValidatingAdmissionPolicy {by}: {message}"
                        )),
                        _ => {}
                    }
                }
            }
        }
    }
    warnings.into_iter().for_each(|warning| store.warn(warning));
    let Some((why, reason)) = denied else { return Ok(()) };
    let mut error = ApiError::forbidden(&object.kind.group_resource(), &object.meta.name, &why);
    error.reason = reason;
    error.kind = object.kind.plural().to_owned();
    error.causes.push(FieldError::plain(why));
    Err(error)
}

/// Models policy/matching/matching.go Matches.
fn concerns(store: &Store, found: &Value, object: &Object, operation: Operation) -> bool {
    let any = |key: &str| {
        let mut rules = found.items_at(&[key]).iter();
        rules.any(|rule| {
            let names = rule.items_at(&["resourceNames"]);
            let is_named = names.is_empty() || names.iter().any(|name| *name == *object.meta.name);
            is_named && rule_fits(rule, object, operation)
        })
    };
    let fits = found.items_at(&["resourceRules"]).is_empty() || any("resourceRules");
    fits && !any("excludeResourceRules") && selects(store, found, object)
}

/// What a bound policy has against a request: for each of its parameters, each rule that is broken.
fn decisions(
    store: &Store,
    context: &Context,
    (policy, binding): (&Object, &Object),
    request: Request<'_>,
) -> Vec<Decision> {
    let fails = policy.spec().str_at(&["failurePolicy"]) != Some("Ignore");
    let fault = |message: String| Decision { message, reason: Reason::Invalid };
    let params = match params(store, (policy, binding), request) {
        Ok(params) => params,
        Err(why) if fails => return vec![fault(format!("failed to configure binding: {why}"))],
        Err(_) => return Vec::new(),
    };
    let mut all = Vec::new();
    for params in params {
        let mut names = names(store, context, request);
        names.push(("params", params));
        match held_against(policy.spec(), names) {
            Ok(broken) => all.extend(broken),
            Err(why) if fails => all.push(fault(why)),
            Err(_) => {}
        }
    }
    if !fails {
        all.retain(|decision: &Decision| !decision.message.starts_with(FAULT));
    }
    all
}

/// What the message of an expression that has no value begins with.
const FAULT: &str = "expression '";

fn faulty(expression: &str, why: &str) -> String {
    format!("{FAULT}{expression}' resulted in error: {why}")
}

/// The variables that every expression has.
fn names(store: &Store, context: &Context, request: Request<'_>) -> Vec<(&'static str, Value)> {
    let tree = |object: Option<&Object>| object.map_or(Value::Null, Object::to_value);
    let Some(object) = request.object() else { return Vec::new() };
    let resource = object.kind.resource();
    let namespace = store.find(Kind::Namespace, "", &object.meta.namespace);
    let username = match &context.manager {
        Manager::Component => format!("system:serviceaccount:kube-system:{}", context.cause.writer),
        _ => "kubernetes-admin".to_owned(),
    };
    let asked = json!({
        "kind": {"group": resource.group, "version": resource.version, "kind": resource.name},
        "resource": {
            "group": resource.group, "version": resource.version, "resource": resource.plural,
        },
        "name": *object.meta.name, "namespace": *object.meta.namespace,
        "operation": request.operation().name(), "dryRun": false,
        "userInfo": {
            "username": username, "groups": ["kubeadm:cluster-admins", "system:authenticated"],
        },
    });
    vec![
        ("object", tree(request.new)),
        ("oldObject", tree(request.old)),
        ("request", asked),
        ("namespaceObject", tree(namespace.map(|namespace| &**namespace))),
    ]
}

/// The objects that a binding gives its policy as parameters; null where it needs none.
///
/// Models generic/policy_dispatcher.go CollectParams.
fn params(
    store: &Store,
    (policy, binding): (&Object, &Object),
    request: Request<'_>,
) -> Result<Vec<Value>, String> {
    let wanted = policy.spec().get("paramKind").zip(binding.spec().get("paramRef"));
    let Some((wanted, from)) = wanted else { return Ok(vec![Value::Null]) };
    let text = |value: &Value, key: &str| value.str_at(&[key]).unwrap_or_default().to_owned();
    let (version, name) = (text(wanted, "apiVersion"), text(wanted, "kind"));
    let kind = Kind::of_manifest(&version, &name).filter(|kind| store.serves_in(*kind, &version));
    let Some(kind) = kind else {
        let version = if version.contains('/') { version } else { format!("/{version}") };
        return Err(format!(
            "failed to find resource referenced by paramKind: '{version}, Kind={name}'"
        ));
    };
    let own = request.object().map(|object| object.meta.namespace.to_string());
    let namespace = match (kind.namespaced(), text(from, "namespace")) {
        (false, namespace) if namespace.is_empty() => namespace,
        (false, _) => {
            let why = "paramRef.namespace must not be provided for a cluster-scoped `paramKind`";
            return Err(why.to_owned());
        }
        (true, namespace) if !namespace.is_empty() => namespace,
        (true, _) => own.filter(|own| !own.is_empty()).ok_or(
            "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources",
        )?,
    };
    let name = text(from, "name");
    let found: Vec<Value> = if name.is_empty() {
        let selector = Selector::from_label_selector(from.get("selector")).unwrap_or_default();
        let all = store.list(kind).filter(|object| {
            *object.meta.namespace == *namespace && selector.matches(&object.meta.labels)
        });
        all.map(|object| object.to_value()).collect()
    } else {
        store.find(kind, &namespace, &name).map(|object| object.to_value()).into_iter().collect()
    };
    if found.is_empty() && from.str_at(&["parameterNotFoundAction"]) == Some("Deny") {
        let why = "no params found for policy binding with `Deny` parameterNotFoundAction";
        return Err(why.to_owned());
    }
    Ok(found)
}

/// The rules that are broken.
///
/// Models validating/validator.go Validate.
///
/// # Errors
/// A condition that has no value.
fn held_against(
    spec: &Value,
    mut names: Vec<(&'static str, Value)>,
) -> Result<Vec<Decision>, String> {
    let expression = |value: &Value, key: &str| value.str_at(&[key]).unwrap_or_default().to_owned();
    for condition in spec.items_at(&["matchConditions"]) {
        let source = expression(condition, "expression");
        match cel::evaluate(source.trim(), &names) {
            Ok(Some(Value::Bool(false))) => return Ok(Vec::new()),
            Err(why) => return Err(faulty(&source, &why)),
            Ok(_) => {}
        }
    }
    names.push(("variables", json!({})));
    for variable in spec.items_at(&["variables"]) {
        let value = cel::evaluate(&expression(variable, "expression"), &names);
        if let (Ok(Some(value)), Some((_, all))) = (value, names.last_mut()) {
            all.put(&[&expression(variable, "name")], value);
        }
    }
    let mut broken = Vec::new();
    for rule in spec.items_at(&["validations"]) {
        let source = expression(rule, "expression");
        let message = match cel::evaluate(&source, &names) {
            Ok(None | Some(Value::Bool(true))) => continue,
            Err(why) => faulty(&source, &why),
            Ok(Some(_)) => told(rule, &names),
        };
        let reason = match expression(rule, "reason").as_str() {
            "Forbidden" => Reason::Forbidden,
            "RequestEntityTooLarge" => Reason::RequestEntityTooLarge,
            _ => Reason::Invalid,
        };
        broken.push(Decision { message, reason });
    }
    Ok(broken)
}

/// What a broken rule says: its expression's text, its own, or itself.
fn told(rule: &Value, names: &[(&'static str, Value)]) -> String {
    let text = |key: &str| rule.str_at(&[key]).unwrap_or_default().trim().to_owned();
    let composed = match text("messageExpression") {
        expression if expression.is_empty() => None,
        expression => cel::evaluate(&expression, names).ok().flatten(),
    };
    let composed = composed.and_then(|value| value.as_str().map(|text| text.trim().to_owned()));
    let composed = composed.filter(|text| !text.is_empty() && !text.contains('\n'));
    composed.unwrap_or_else(|| match text("message") {
        message if message.is_empty() => format!("failed expression: {}", text("expression")),
        message => message,
    })
}
