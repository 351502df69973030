//! Whole objects through the store: what is accepted stays acceptable, what is not is refused.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the fixtures are this test's own: where one is wrong, the test fails at its line"
)]

use diorama::api::{Kind, Value};
use diorama::base::{Rng, SimTime};
use diorama::store::{Cause, Context, Manager, ObjectKey, Store, read_object};
use serde::Deserialize as _;
use serde_json::json;

const MINIMAL: &str = include_str!("conformance/minimal.yaml");

fn documents() -> impl Iterator<Item = (Kind, Value)> {
    serde_yaml::Deserializer::from_str(MINIMAL).map(|document| {
        let value = Value::deserialize(document).expect("YAML");
        let word = |key: &str| value[key].as_str().expect("a text").to_owned();
        (Kind::of_manifest(&word("apiVersion"), &word("kind")).expect("a served kind"), value)
    })
}

fn context() -> Context {
    Context {
        now: SimTime::default(),
        cause: Cause { writer: "kubectl".into(), working_on: None },
        validate: true,
        webhooks: &[],
        manager: Manager::Component,
    }
}

fn store() -> Store {
    let mut store = Store::new(Rng::new(1));
    let namespace = json!({"metadata": {"name": "default"}});
    for (kind, value) in [(Kind::Namespace, namespace.clone()), (Kind::ServiceAccount, namespace)] {
        let object = read_object(kind, &value, "default").expect("an object");
        store.create(&context(), object).expect("created");
    }
    store
}

#[test]
fn what_was_accepted_is_accepted_again_unchanged() {
    let mut store = store();
    for (kind, value) in documents() {
        let object = read_object(kind, &value, "default").expect("an object");
        let stored = store.create(&context(), object).unwrap_or_else(|e| panic!("{kind}: {e}"));
        let tree = stored.to_value();
        let again = read_object(kind, &tree, "default").unwrap_or_else(|e| panic!("{kind}: {e}"));
        let updated = store
            .update(&context(), again)
            .unwrap_or_else(|error| panic!("{kind}: {error}\n{tree}"));
        for field in ["spec", "data", "status", "rules"] {
            assert_eq!(updated.to_value()[field], tree[field], "{kind} {field}");
        }
        assert!(store.get(kind, &ObjectKey::of(&updated)).is_some());
    }
}

fn object(yaml: &str) -> (Kind, Value) {
    let value: Value = serde_yaml::from_str(yaml).expect("YAML");
    let word = |key: &str| value[key].as_str().expect("a text").to_owned();
    (Kind::of_manifest(&word("apiVersion"), &word("kind")).expect("a served kind"), value)
}

/// What the store answers to a manifest: nothing if it takes it.
fn answer(store: &mut Store, yaml: &str) -> String {
    let (kind, value) = object(yaml);
    let result = read_object(kind, &value, "default").and_then(|o| store.create(&context(), o));
    result.err().map(|error| error.message).unwrap_or_default()
}

#[test]
fn services_are_refused_ports_and_addresses_as_on_a_real_server() {
    let service = |name: &str, spec: &str| {
        format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {spec}}}")
    };
    let cases = [
        (
            "{type: NodePort, ports: [{port: 80, nodePort: 80}]}",
            "Service \"a\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767",
        ),
        (
            "{type: NodePort, ports: [{port: 80, nodePort: 30123}]}",
            "Service \"a\" is invalid: spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated",
        ),
        (
            "{clusterIP: 1.2.3.4, ports: [{port: 80}]}",
            "Service \"a\" is invalid: spec.clusterIPs: Invalid value: [\"1.2.3.4\"]: failed to allocate IP 1.2.3.4: the provided network does not match the current range",
        ),
        (
            "{ports: [{port: 80},{port: 81}]}",
            "Service \"a\" is invalid: [spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
        ),
    ];
    let mut store = store();
    let taken = service("np1", "{type: NodePort, ports: [{port: 80, nodePort: 30123}]}");
    assert_eq!(answer(&mut store, &taken), "");
    for (spec, text) in cases {
        assert_eq!(answer(&mut store, &service("a", spec)), text, "{spec}");
    }
}

#[test]
fn a_pod_on_its_node_cannot_change_its_network() {
    let mut store = store();
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}]}}";
    assert_eq!(answer(&mut store, pod), "");
    let key = ObjectKey::new("default", "p");
    let bound = store.bind(&context(), &key, &"node-1".into()).expect("bound");
    let mut changed = bound.to_value();
    changed["spec"]["hostNetwork"] = json!(true);
    let changed = read_object(Kind::Pod, &changed, "default").expect("an object");
    let error = store.update(&context(), changed).expect_err("refused");
    let hunk = r#"
@@ -142,7 +142,7 @@
  "AutomountServiceAccountToken": null,
  "NodeName": "node-1",
  "SecurityContext": {
-  "HostNetwork": false,
+  "HostNetwork": true,
   "HostPID": false,
   "HostIPC": false,
   "ShareProcessNamespace": null,
"#;
    assert!(error.message.contains(hunk), "{}", error.message);
}
