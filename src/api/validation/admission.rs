//! Webhook configurations and admission policies.
//!
//! Models pkg/apis/admissionregistration/validation/validation.go.
//!
//! Simplified: expressions in CEL are not compiled.

use super::names;
use super::path::{Errors, Fields as _, Path, Report as _};
use super::selectors::label_selector;
use super::webhook_client;
use crate::api::{FieldError, Kind, Value};

const FAILURE_POLICIES: [&str; 2] = ["Fail", "Ignore"];
const MATCH_POLICIES: [&str; 2] = ["Equivalent", "Exact"];
const REINVOCATION_POLICIES: [&str; 2] = ["IfNeeded", "Never"];
const SIDE_EFFECTS: [&str; 2] = ["None", "NoneOnDryRun"];
const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
/// A policy that changes objects has nothing to change in what is deleted.
const MUTATING_OPERATIONS: [&str; 4] = ["*", "CONNECT", "CREATE", "UPDATE"];
const SCOPES: [&str; 3] = ["*", "Cluster", "Namespaced"];
const MOST_CONDITIONS: usize = 64;

/// Checks what is below the metadata of one of the kinds of `admissionregistration.k8s.io`.
pub(super) fn admission(kind: Kind, object: &Value, errors: &mut Errors) {
    let spec = object.sub("spec").unwrap_or(&Value::Null);
    let path = Path::root("spec");
    match kind.name() {
        "ValidatingWebhookConfiguration" => webhooks(object, false, errors),
        "MutatingWebhookConfiguration" => webhooks(object, true, errors),
        "ValidatingAdmissionPolicy" => {
            policy(spec, false, &path, errors);
            validations(object, spec, &path, errors);
        }
        "MutatingAdmissionPolicy" => {
            policy(spec, true, &path, errors);
            mutations(spec, &path, errors);
        }
        "ValidatingAdmissionPolicyBinding" => {
            binding(spec, false, &path, errors);
            validation_actions(spec, &path.child("validationActions"), errors);
        }
        "MutatingAdmissionPolicyBinding" => binding(spec, true, &path, errors),
        _ => {}
    }
}

/// A word that must be one of some, where there is one.
fn one_of(value: &Value, key: &str, all: &[&str], path: &Path<'_>, errors: &mut Errors) {
    if let Some(text) = value.sub(key).and_then(Value::as_str).filter(|text| !all.contains(text)) {
        errors.not_supported(path.child(key), text, all);
    }
}

/// A word that must be there, and one of some.
fn required_one_of(value: &Value, key: &str, all: &[&str], path: &Path<'_>, errors: &mut Errors) {
    match value.sub(key) {
        None => errors.required(path.child(key), ""),
        Some(_) => one_of(value, key, all, path, errors),
    }
}

fn texts<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    value.list(key).iter().map(|text| text.as_str().unwrap_or_default()).collect()
}

/// Models validateValidatingWebhookConfiguration and validateMutatingWebhookConfiguration.
fn webhooks(object: &Value, mutating: bool, errors: &mut Errors) {
    let list = Path::root("webhooks");
    let hooks = object.list("webhooks");
    for (index, hook) in hooks.iter().enumerate() {
        let path = list.index(index);
        webhook(hook, mutating, &path, errors);
        let missing = "must specify one of v1, v1beta1";
        webhook_client::review_versions(hook, "admissionReviewVersions", missing, &path, errors);
        let name = hook.text("name");
        if !name.is_empty() && hooks.iter().take(index).any(|other| other.text("name") == name) {
            errors.duplicate(path.child("name"), name);
        }
    }
}

/// Models validateValidatingWebhook and validateMutatingWebhook.
fn webhook(hook: &Value, mutating: bool, path: &Path<'_>, errors: &mut Errors) {
    fully_qualified_name(hook.text("name"), &path.child("name"), errors);
    let rules = path.child("rules");
    for (index, rule) in hook.list("rules").iter().enumerate() {
        rule_with_operations(rule, &rules.index(index), errors);
    }
    one_of(hook, "failurePolicy", &FAILURE_POLICIES, path, errors);
    one_of(hook, "matchPolicy", &MATCH_POLICIES, path, errors);
    if hook.sub("sideEffects").is_none() {
        let detail = format!("must specify one of {}", SIDE_EFFECTS.join(", "));
        errors.required(path.child("sideEffects"), &detail);
    }
    one_of(hook, "sideEffects", &SIDE_EFFECTS, path, errors);
    if let Some(seconds) = hook.int("timeoutSeconds").filter(|it| !(1..=30).contains(it)) {
        let detail = "the timeout value must be between 1 and 30 seconds";
        errors.invalid(path.child("timeoutSeconds"), seconds, detail);
    }
    for key in ["namespaceSelector", "objectSelector"] {
        label_selector(hook.sub(key), &path.child(key), errors);
    }
    if mutating {
        one_of(hook, "reinvocationPolicy", &REINVOCATION_POLICIES, path, errors);
    }
    let config = hook.sub("clientConfig").unwrap_or(&Value::Null);
    webhook_client::client_config(config, &path.child("clientConfig"), errors);
    match_conditions(hook, &path.child("matchConditions"), errors);
}

/// Models staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go IsFullyQualifiedName.
fn fully_qualified_name(name: &str, path: &Path<'_>, errors: &mut Errors) {
    let wrong = names::dns_subdomain(name);
    if name.is_empty() {
        errors.required(path, "");
    } else if !wrong.is_empty() {
        errors.invalid(path, name, wrong.join(","));
    } else if name.split('.').count() < 3 {
        let detail = "should be a domain with at least three segments separated by dots";
        errors.invalid(path, name, detail);
    }
}

/// Models validateRuleWithOperations and validateRule.
fn rule_with_operations(rule: &Value, path: &Path<'_>, errors: &mut Errors) {
    let operations = path.child("operations");
    let alone = |key: &str, what: &str, path: &Path<'_>, errors: &mut Errors| {
        let all = texts(rule, key);
        if all.is_empty() {
            errors.required(path, "");
        }
        if all.len() > 1 && all.contains(&"*") {
            let detail = format!("if '*' is present, must not specify other {what}");
            errors.invalid(path, rule.list(key).to_vec(), detail);
        }
    };
    alone("operations", "operations", &operations, errors);
    for (index, operation) in texts(rule, "operations").into_iter().enumerate() {
        if !OPERATIONS.contains(&operation) {
            errors.not_supported(operations.index(index), operation, &OPERATIONS);
        }
    }
    alone("apiGroups", "API groups", &path.child("apiGroups"), errors);
    let versions = path.child("apiVersions");
    alone("apiVersions", "API versions", &versions, errors);
    for (index, version) in texts(rule, "apiVersions").into_iter().enumerate() {
        if version.is_empty() {
            errors.required(versions.index(index), "");
        }
    }
    resources(rule, &path.child("resources"), errors);
    one_of(rule, "scope", &SCOPES, path, errors);
}

/// Models validateResources.
fn resources(rule: &Value, path: &Path<'_>, errors: &mut Errors) {
    let all = texts(rule, "resources");
    if all.is_empty() {
        errors.required(path, "");
    }
    let (mut all_below, mut in_all) = (Vec::new(), Vec::new());
    let mut has_plain = false;
    for (index, text) in all.iter().enumerate() {
        let at = path.index(index);
        if text.is_empty() {
            errors.required(at, "");
            continue;
        }
        let Some((resource, below)) = text.split_once('/') else {
            // Upstream keeps what the last one without a subresource was.
            has_plain = *text != "*";
            continue;
        };
        if all_below.contains(&resource) {
            let detail = format!("if '{resource}/*' is present, must not specify {text}");
            errors.invalid(at, *text, detail);
        }
        if in_all.contains(&below) {
            let detail = format!("if '*/{below}' is present, must not specify {text}");
            errors.invalid(at, *text, detail);
        }
        if below == "*" {
            all_below.push(resource);
        }
        if resource == "*" {
            in_all.push(below);
        }
    }
    let mut whole =
        |detail: &str| errors.invalid(path, rule.list("resources").to_vec(), detail.to_owned());
    if all.len() > 1 && all.contains(&"*/*") {
        whole("if '*/*' is present, must not specify other resources");
    }
    if all.contains(&"*") && has_plain {
        whole("if '*' is present, must not specify other resources without subresources");
    }
}

/// Models validateMatchConditions.
fn match_conditions(value: &Value, path: &Path<'_>, errors: &mut Errors) {
    let conditions = value.list("matchConditions");
    if conditions.len() > MOST_CONDITIONS {
        errors.push(FieldError::too_many(path, conditions.len(), MOST_CONDITIONS));
    }
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        if condition.text("expression").trim().is_empty() {
            errors.required(at.child("expression"), "");
        }
        let (name, at) = (condition.text("name"), at.child("name"));
        if name.is_empty() {
            errors.required(at, "");
            continue;
        }
        errors.each_invalid(&at, name, names::qualified_name(name));
        if conditions.iter().take(index).any(|other| other.text("name") == name) {
            errors.duplicate(at, name);
        }
    }
}

/// What both kinds of policies have, as far as they have it in the same order.
///
/// Models validateValidatingAdmissionPolicySpec and validateMutatingAdmissionPolicySpec.
fn policy(spec: &Value, mutating: bool, path: &Path<'_>, errors: &mut Errors) {
    required_one_of(spec, "failurePolicy", &FAILURE_POLICIES, path, errors);
    if let Some(kind) = spec.sub("paramKind") {
        param_kind(kind, &path.child("paramKind"), errors);
    }
    let constraints = path.child("matchConstraints");
    match spec.sub("matchConstraints") {
        None => errors.required(constraints, ""),
        Some(found) => {
            match_resources(found, &constraints, errors);
            if found.list("resourceRules").is_empty() {
                errors.required(constraints.child("resourceRules"), "");
            }
            if mutating {
                mutating_operations(found, &constraints, errors);
            }
        }
    }
    match_conditions(spec, &path.child("matchConditions"), errors);
    let list = path.child("variables");
    for (index, variable) in spec.list("variables").iter().enumerate() {
        let at = list.index(index);
        let name = variable.text("name");
        if name.trim().is_empty() {
            errors.required(at.child("name"), "name is not specified");
        } else if !is_identifier(name) {
            errors.invalid(at.child("name"), name, "must be a valid CEL identifier");
        }
        if variable.text("expression").trim().is_empty() {
            errors.required(at.child("expression"), "expression is not specified");
        }
    }
}

/// Models isCELIdentifier.
fn is_identifier(name: &str) -> bool {
    const RESERVED: &str = "true false null in as break const continue else for function if \
                            import let loop package namespace return var void while";
    let in_class = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    name.chars().all(in_class)
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && !RESERVED.split(' ').any(|word| word == name)
}

/// Models validateParamKind.
fn param_kind(param: &Value, path: &Path<'_>, errors: &mut Errors) {
    let (text, at) = (param.text("apiVersion"), path.child("apiVersion"));
    let (group, version) = match text {
        "/" => ("", ""),
        text => text.split_once('/').unwrap_or(("", text)),
    };
    if text.is_empty() {
        errors.required(at, "");
    } else if version.contains('/') {
        errors.invalid(at, text, format!("unexpected GroupVersion string: {text}"));
    } else {
        let wrong = names::dns_subdomain(group);
        if !group.is_empty() && !wrong.is_empty() {
            errors.invalid(at, group, wrong.join(","));
        }
        let wrong = names::dns_1035_label(version);
        if version.is_empty() {
            errors.invalid(at, text, "version must be specified");
        } else if !wrong.is_empty() {
            errors.invalid(at, version, wrong.join(","));
        }
    }
    let (kind, at) = (param.text("kind"), path.child("kind"));
    let wrong = names::dns_1035_label(&kind.to_lowercase());
    if kind.is_empty() {
        errors.required(at, "");
    } else if !wrong.is_empty() {
        let may = "may have mixed case, but should otherwise match: ";
        errors.invalid(at, kind, format!("{may}{}", wrong.join(",")));
    }
}

/// Models validateMatchResources and validateNamedRuleWithOperations.
fn match_resources(found: &Value, path: &Path<'_>, errors: &mut Errors) {
    required_one_of(found, "matchPolicy", &MATCH_POLICIES, path, errors);
    for key in ["namespaceSelector", "objectSelector"] {
        match found.sub(key) {
            None => errors.required(path.child(key), ""),
            selector => label_selector(selector, &path.child(key), errors),
        }
    }
    for key in ["resourceRules", "excludeResourceRules"] {
        let list = path.child(key);
        for (index, rule) in found.list(key).iter().enumerate() {
            let at = list.index(index);
            let wanted = texts(rule, "resourceNames");
            let names = at.child("resourceNames");
            for (index, name) in wanted.iter().enumerate() {
                let at = names.index(index);
                errors.each_invalid(&at, name, names::path_segment(name));
                if wanted.iter().take(index).any(|other| other == name) {
                    errors.duplicate(at, *name);
                }
            }
            rule_with_operations(rule, &at, errors);
        }
    }
}

fn mutating_operations(found: &Value, path: &Path<'_>, errors: &mut Errors) {
    let rules = path.child("resourceRules");
    let all = found.list("resourceRules").iter().flat_map(|rule| texts(rule, "operations"));
    for operation in all.filter(|operation| !MUTATING_OPERATIONS.contains(operation)) {
        errors.not_supported(rules.child("operations"), operation, &MUTATING_OPERATIONS);
    }
}

/// What a policy says of an object, and notes down.
fn validations(object: &Value, spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const MOST_ANNOTATIONS: usize = 20;
    let lists = [path.child("validations"), path.child("auditAnnotations")];
    let (checks, notes) = (spec.list("validations"), spec.list("auditAnnotations"));
    if checks.is_empty() && notes.is_empty() {
        for list in lists {
            let detail = "validations or auditAnnotations must contain at least one item";
            errors.required(list, detail);
        }
        return;
    }
    let [list, noted] = lists;
    for (index, check) in checks.iter().enumerate() {
        validation(check, &list.index(index), errors);
    }
    if notes.len() > MOST_ANNOTATIONS {
        let pairs: Vec<String> = notes
            .iter()
            .map(|note| {
                let (key, value) = (note.text("key"), note.text("valueExpression"));
                format!(
                    "{{\"Key\":{},\"ValueExpression\":{}}}",
                    Value::from(key),
                    Value::from(value)
                )
            })
            .collect();
        let detail = format!("must not have more than {MOST_ANNOTATIONS} auditAnnotations");
        let error = FieldError::invalid(noted, Value::Null, detail);
        errors.push(error.showing(format!("[{}]", pairs.join(","))));
    }
    let name = object.sub("metadata").map_or("", |meta| meta.text("name"));
    for (index, note) in notes.iter().enumerate() {
        let at = noted.index(index);
        audit_annotation(name, note, &at, errors);
        let key = note.text("key");
        if notes.iter().take(index).any(|other| other.text("key") == key) {
            errors.duplicate(at.child("key"), key);
        }
    }
}

/// Models validateValidation.
fn validation(check: &Value, path: &Path<'_>, errors: &mut Errors) {
    const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
    if check.text("expression").trim().is_empty() {
        errors.required(path.child("expression"), "expression is not specified");
    }
    for key in ["messageExpression", "message"] {
        let text = check.text(key);
        if !text.is_empty() && text.trim().is_empty() {
            errors.invalid(path.child(key), text, "must be non-empty if specified");
        } else if key == "message" && text.trim().contains(['\n', '\r']) {
            errors.invalid(path.child(key), text, "must not contain line breaks");
        }
    }
    one_of(check, "reason", &REASONS, path, errors);
}

/// Models validateAuditAnnotation.
fn audit_annotation(name: &str, note: &Value, path: &Path<'_>, errors: &mut Errors) {
    const LONGEST: usize = 5 * 1024;
    let (key, at) = (note.text("key"), path.child("key"));
    if name.is_empty() {
        errors.invalid(at, key, "requires metadata.name be non-empty");
    } else {
        let whole = format!("{name}/{key}");
        errors.each_invalid(&at, &whole, names::qualified_name(&whole));
    }
    let at = path.child("valueExpression");
    match note.text("valueExpression").trim() {
        "" => errors.required(at, "valueExpression is not specified"),
        text if text.len() > LONGEST => {
            errors.required(at, &format!("must not exceed {LONGEST} bytes in length"));
        }
        _ => {}
    }
}

/// Models validateMutation, and what the policies that change objects say last.
fn mutations(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    const PARTS: [(&str, &str); 2] =
        [("JSONPatch", "jsonPatch"), ("ApplyConfiguration", "applyConfiguration")];
    let list = path.child("mutations");
    if spec.list("mutations").is_empty() {
        errors.required(list, "mutations must contain at least one item");
    }
    for (index, mutation) in spec.list("mutations").iter().enumerate() {
        let at = list.index(index);
        let kind = mutation.text("patchType");
        let Some((_, wanted)) = PARTS.iter().find(|(name, _)| *name == kind) else {
            match kind {
                "" => errors.required(at.child("patchType"), ""),
                kind => errors.not_supported(
                    at.child("patchType"),
                    kind,
                    &["ApplyConfiguration", "JSONPatch"],
                ),
            }
            continue;
        };
        let part = at.child(wanted);
        match mutation.sub(wanted) {
            None => errors.required(part, &format!("must be specified when patchType is {kind}")),
            Some(own) if own.text("expression").trim().is_empty() => {
                errors.required(part.child("expression"), "");
            }
            Some(_) => {}
        }
        for (_, other) in PARTS.iter().filter(|(name, _)| *name != kind) {
            if mutation.sub(other).is_some() {
                let detail = format!("must not be specified when patchType is {kind}");
                errors.invalid(at.child(other), format!("{{{other}}}"), detail);
            }
        }
    }
    required_one_of(spec, "reinvocationPolicy", &REINVOCATION_POLICIES, path, errors);
}

/// Models validateValidatingAdmissionPolicyBindingSpec and its counterpart.
fn binding(spec: &Value, mutating: bool, path: &Path<'_>, errors: &mut Errors) {
    let (name, at) = (spec.text("policyName"), path.child("policyName"));
    match name {
        "" => errors.required(at, ""),
        name => errors.each_invalid(&at, name, names::dns_subdomain(name)),
    }
    if let Some(param) = spec.sub("paramRef") {
        param_ref(param, &path.child("paramRef"), errors);
    }
    if let Some(found) = spec.sub("matchResources") {
        let path = path.child("matchResources");
        match_resources(found, &path, errors);
        if mutating {
            mutating_operations(found, &path, errors);
        }
    }
}

/// Models validateParamRef.
fn param_ref(param: &Value, path: &Path<'_>, errors: &mut Errors) {
    const EXCLUSIVE: &str = "name and selector are mutually exclusive";
    let (name, selector) = (param.text("name"), param.sub("selector"));
    let both = !name.is_empty() && selector.is_some();
    errors.each_invalid(
        &path.child("name"),
        name,
        match name {
            "" => Vec::new(),
            name => names::path_segment(name),
        },
    );
    if both {
        errors.forbidden(path.child("name"), EXCLUSIVE);
    }
    label_selector(selector, &path.child("selector"), errors);
    if both {
        errors.forbidden(path.child("selector"), EXCLUSIVE);
    }
    if name.is_empty() && selector.is_none() {
        errors.required(path, "one of name or selector must be specified");
    }
    let (key, all) = ("parameterNotFoundAction", ["Deny", "Allow"]);
    match param.text(key) {
        "" => errors.required(path.child(key), ""),
        _ => one_of(param, key, &all, path, errors),
    }
}

/// Models validateValidationActions.
fn validation_actions(spec: &Value, path: &Path<'_>, errors: &mut Errors) {
    let actions = texts(spec, "validationActions");
    let all = ["Audit", "Deny", "Warn"];
    for (index, action) in actions.iter().enumerate() {
        let at = path.index(index);
        if !all.contains(action) {
            errors.not_supported(at, *action, &all);
        }
        if actions.iter().take(index).any(|other| other == action) {
            errors.duplicate(at, *action);
        }
    }
    if actions.contains(&"Deny") && actions.contains(&"Warn") {
        let detail = "must not contain both Deny and Warn (repeating the same validation failure \
                      information in the API response and headers serves no purpose)";
        errors.invalid(path, spec.list("validationActions").to_vec(), detail);
    }
    if actions.is_empty() {
        errors.required(path, "at least one validation action is required");
    }
}
