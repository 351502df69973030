//! Tables of refusals.
//!
//! A table is a text: `# function` names what upstream calls the check, a line without indentation
//! is a case, the indented lines after it are what is said to it. A case starts with a kind (or
//! `container`, for the container of a pod) and what is merged into a minimal valid object of that
//! kind, null taking away; `update KIND A => B` changes an object merged with A to one merged with
//! B. To renew the texts after a change of the tables, run the tests with UPDATE_EXPECT=1, and read
//! what comes out against upstream.

use super::{read, validate_create, validate_update};
use crate::api::validation::warnings;
use crate::api::{FieldError, Value};
use expect_test::{ExpectFile, expect_file};
use serde_json::json;

const MINIMAL: &str = include_str!("../../../../tests/conformance/minimal.yaml");

/// Merges as RFC 7396 merges.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let fields = target.as_object_mut().expect("an object");
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn minimal(kind: &str) -> Value {
    let more = "
{apiVersion: v1, kind: ReplicationController, metadata: {name: m}, spec: {selector: {a: b}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}}
---
{apiVersion: v1, kind: Node, metadata: {name: m}}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: m}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: m}, addressType: IPv4, endpoints: [], ports: []}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: m}, spec: {controller: a.b/c}}
---
{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: m}, value: 1}
---
{apiVersion: coordination.k8s.io/v1, kind: Lease, metadata: {name: m}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: m}, rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: m}, rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: m}, roleRef: {kind: Role, name: r}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: m}, roleRef: {kind: ClusterRole, name: r}}
---
{apiVersion: v1, kind: PodTemplate, metadata: {name: m}, template: {spec: {containers: [{name: c, image: nginx}]}}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: m}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: m}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: m}, spec: {matchConstraints: {resourceRules: [RULE]}, validations: [{expression: 'true'}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: m}, spec: {policyName: p, validationActions: [Deny]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingAdmissionPolicy, metadata: {name: m}, spec: {reinvocationPolicy: Never, matchConstraints: {resourceRules: [RULE]}, mutations: [{patchType: JSONPatch, jsonPatch: {expression: '[]'}}]}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingAdmissionPolicyBinding, metadata: {name: m}, spec: {policyName: p}}
---
{apiVersion: v1, kind: Event, metadata: {name: m}, involvedObject: {kind: Pod, name: p, namespace: default}, reason: Why, message: m, type: Normal}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: foos.example.com}, spec: {group: example.com, scope: Namespaced, names: {plural: foos, kind: Foo}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}, status: {storedVersions: [v1]}}
"
    .replace("RULE", "{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}");
    let all = [MINIMAL, &more].join("\n---\n");
    let mut documents = serde_yaml::Deserializer::from_str(&all)
        .filter_map(|document| <Value as serde::Deserialize>::deserialize(document).ok());
    let found = documents.find(|document| document["kind"] == kind);
    let mut object = found.unwrap_or_else(|| panic!("no minimal {kind}"));
    if kind == "Pod" {
        object["spec"] = json!({"containers": [{"name": "c", "image": "nginx"}]});
    }
    if kind == "ResourceQuota" {
        object["spec"] = json!({"hard": {"pods": "2"}});
    }
    object
}

/// The object of a case, with its defaults.
fn object(kind: &str, patch: &str) -> Value {
    let patch: Value = serde_yaml::from_str(patch).unwrap_or_else(|e| panic!("{patch}: {e}"));
    let mut object = minimal(if kind == "container" { "Pod" } else { kind });
    let target = match kind {
        "container" => &mut object["spec"]["containers"][0],
        _ => &mut object,
    };
    merge(target, &patch);
    read(&object.to_string()).1
}

/// What is said to a case.
///
/// Cases of a table of warnings are answered with warnings.
fn answer(case: &str, warn: bool) -> Vec<String> {
    let kind_of = |object: &Value| read(&object.to_string()).0;
    if let Some(case) = case.strip_prefix("update ") {
        let (kind, patches) = case.split_once(' ').expect("a kind");
        let (old, new) = patches.split_once(" => ").expect("two patches");
        let (old, new) = (object(kind, old), object(kind, new));
        return shown(validate_update(kind_of(&new), &new, &old));
    }
    let (kind, patch) = case.split_once(' ').expect("a kind");
    let object = object(kind, patch);
    if warn {
        return warnings(kind_of(&object), &object, None);
    }
    shown(validate_create(kind_of(&object), &object))
}

fn shown(errors: Vec<FieldError>) -> Vec<String> {
    errors.iter().map(FieldError::to_string).collect()
}

fn check_table(table: &str, warn: bool, file: ExpectFile) {
    let mut text = String::new();
    let (mut cases, mut refusals) = (0, 0);
    for line in table.lines().filter(|line| !line.starts_with("    ")) {
        text.push_str(&format!("{line}\n"));
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        cases += 1;
        for error in answer(line, warn) {
            refusals += 1;
            for line in error.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
    }
    assert!(cases > 0 && refusals > 0);
    file.assert_eq(&text);
}

macro_rules! tables {
    ($($name:ident),*) => {$(
        #[test]
        fn $name() {
            let file = concat!(stringify!($name), ".txt");
            let table = include_str!(concat!(stringify!($name), ".txt"));
            check_table(table, stringify!($name) == "warned", expect_file![file]);
        }
    )*};
}

tables!(
    metadata, pods, containers, volumes, workloads, services, networking, storage, policies,
    admission, warned
);

#[test]
fn minimal_objects_are_accepted() {
    for kind in crate::api::Kind::known() {
        use crate::api::Kind as K;
        if [K::Event, K::CustomResourceDefinition, K::ControllerRevision].contains(&kind) {
            continue;
        }
        let object = object(kind.name(), "{}");
        let errors = validate_create(kind, &object);
        assert_eq!(errors, [], "{kind}");
        assert_eq!(validate_update(kind, &object, &object), [], "{kind}");
    }
}

#[test]
fn validation_of_anything_at_all_does_not_panic() {
    let odd = [
        json!({}),
        json!(null),
        json!({"metadata": [], "spec": 1}),
        json!({"spec": {"containers": [1, null, "x"], "ports": {}, "template": []}}),
    ];
    for kind in crate::api::Kind::known() {
        for object in &odd {
            validate_create(kind, object);
            validate_update(kind, object, object);
        }
    }
}

/// Every tree that differs from `tree` in one value.
fn with_one_value_replaced(tree: &Value, junk: &Value, visit: &mut dyn FnMut(Value)) {
    visit(junk.clone());
    match tree {
        Value::Object(fields) => {
            for (key, value) in fields {
                with_one_value_replaced(value, junk, &mut |new| {
                    let mut copy = tree.clone();
                    copy[key] = new;
                    visit(copy);
                });
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                with_one_value_replaced(value, junk, &mut |new| {
                    let mut copy = tree.clone();
                    copy[index] = new;
                    visit(copy);
                });
            }
        }
        _ => {}
    }
}

#[test]
fn an_object_with_a_value_of_a_wrong_type_does_not_panic() {
    let junk = [json!(-1), json!("-"), json!([[]])];
    for document in serde_yaml::Deserializer::from_str(MINIMAL) {
        let tree: Value = serde::Deserialize::deserialize(document).expect("YAML");
        let kind = read(&tree.to_string()).0;
        for junk in &junk {
            with_one_value_replaced(&tree, junk, &mut |mut object| {
                validate_create(kind, &object);
                validate_update(kind, &object, &tree);
                validate_update(kind, &tree, &object);
                warnings(kind, &object, None);
                crate::api::defaults::apply(kind, &mut object);
                validate_create(kind, &object);
                validate_update(kind, &object, &tree);
                warnings(kind, &object, None);
            });
        }
    }
}
