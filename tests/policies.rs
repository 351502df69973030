//! Validating admission policies that a person binds.
//!
//! Texts from staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating:
//! dispatcher.go Dispatch, validator.go Validate.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// A policy of Deployments with these rules, bound with these actions.
fn policy(rules: &str, binding: &str) -> String {
    format!(
        "kubectl apply -f - <<'EOF'
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: few}}
spec:
  matchConstraints:
    resourceRules:
    - {{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [deployments]}}
  {rules}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: everywhere}}
spec: {{policyName: few, {binding}}}
EOF"
    )
}

fn room(rules: &str, binding: &str) -> Room {
    let mut room = Room::new();
    room.done(&policy(rules, binding));
    room
}

const CREATE: &str = "kubectl create deployment web --image=nginx --replicas=";
const BY: &str = "ValidatingAdmissionPolicy 'few' with binding 'everywhere' denied request:";

#[test]
fn a_rule_that_is_broken_refuses_and_says_itself() {
    let rules = "validations: [{expression: 'request.operation == \"DELETE\" || object.spec.replicas <= 2'}]";
    let mut room = room(rules, "validationActions: [Deny]");
    room.done(&format!("{CREATE}2"));
    let refused = room.output("kubectl patch deployment web -p '{\"spec\":{\"replicas\":3}}'");
    let why = format!(
        "The deployments \"web\" is invalid: : {BY} failed expression: request.operation == \"DELETE\" || object.spec.replicas <= 2\n"
    );
    assert_eq!(refused.stderr, why);
    room.done("kubectl delete deployment web");
}

#[test]
fn a_rule_has_a_message_of_its_own_variables_and_parameters() {
    let rules = "paramKind: {apiVersion: v1, kind: ConfigMap}
  variables: [{name: most, expression: 'int(params.data.most)'}]
  validations:
  - expression: object.spec.replicas <= variables.most
    messageExpression: \"'at most ' + string(variables.most) + ' in ' + namespaceObject.metadata.name\"
    reason: Forbidden";
    let binding =
        "validationActions: [Deny], paramRef: {name: limits, parameterNotFoundAction: Deny}";
    let mut room = room(rules, binding);
    let refused = room.output(&format!("{CREATE}9"));
    let why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction";
    assert!(refused.stderr.ends_with(&format!("{BY} {why}\n")), "{}", refused.stderr);
    room.done("kubectl create configmap limits --from-literal=most=3");
    let refused = room.output(&format!("{CREATE}9"));
    let why = format!(
        "error: failed to create deployment: deployments.apps \"web\" is forbidden: {BY} at most 3 in default\n"
    );
    assert_eq!(refused.stderr, why);
    room.done(&format!("{CREATE}3"));
}

#[test]
fn a_policy_may_warn_and_holds_only_where_its_conditions_and_selectors_do() {
    let rules = "matchConditions: [{name: named, expression: 'object.metadata.name != \"free\"'}]
  validations: [{expression: \"'team' in object.metadata.labels\", message: 'whose is it?'}]";
    let binding = "validationActions: [Warn], matchResources: {namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [default]}]}}";
    let mut room = room(rules, binding);
    let warned = room.output(&format!("{CREATE}1"));
    let why = "Warning: Validation failed for ValidatingAdmissionPolicy 'few' with binding 'everywhere': whose is it?\n";
    assert_eq!((warned.stderr.as_str(), warned.exit), (why, 0));
    let quiet = room.output("kubectl create deployment free --image=nginx");
    assert_eq!(quiet.stderr, "");
    room.done("kubectl create namespace other");
    assert_eq!(room.output("kubectl create deployment x --image=nginx -n other").stderr, "");
}

#[test]
fn an_expression_without_a_value_refuses_unless_that_is_to_be_ignored() {
    let rules = "validations: [{expression: object.spec.paused}]";
    let mut strict = room(rules, "validationActions: [Deny]");
    let refused = strict.output(&format!("{CREATE}1"));
    let why = "expression 'object.spec.paused' resulted in error: no such key: paused";
    assert!(refused.stderr.ends_with(&format!("{BY} {why}\n")), "{}", refused.stderr);
    let mut lax = room(&format!("failurePolicy: Ignore\n  {rules}"), "validationActions: [Deny]");
    lax.done(&format!("{CREATE}1"));
}
