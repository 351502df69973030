use super::apply;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use serde_json::json;

const MINIMAL: &str = include_str!("../../../tests/conformance/minimal.yaml");
const DEFAULTED: &str = include_str!("../../../tests/conformance/minimal-defaulted.yaml");

fn documents(text: &str) -> Vec<(Kind, Value)> {
    serde_yaml::Deserializer::from_str(text)
        .filter_map(|document| {
            let value: Value = serde::Deserialize::deserialize(document).expect("YAML");
            let kind = Kind::of_manifest(
                value.str_at(&["apiVersion"])?,
                value.str_at(&["kind"]).expect("a kind"),
            );
            Some((kind.expect("a served kind"), value))
        })
        .collect()
}

fn defaulted(kind: Kind, yaml: &str) -> Value {
    let mut value: Value = serde_yaml::from_str(yaml).expect("YAML");
    apply(kind, &mut value);
    value
}

/// Takes away what the store and admission add, which is not this room's work.
fn without_the_stores_part(kind: Kind, object: &mut Value) {
    object.remove(&["status"]);
    for key in ["uid", "creationTimestamp", "generation", "namespace", "finalizers"] {
        object.remove(&["metadata", key]);
    }
    object.remove(&["metadata", "annotations", "deprecated.daemonset.template.generation"]);
    let spec: &[&str] = match kind {
        Kind::Service => &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"],
        Kind::Pod => {
            &["preemptionPolicy", "priority", "serviceAccount", "serviceAccountName", "tolerations"]
        }
        Kind::Namespace => &["finalizers"],
        Kind::Job => &["selector"],
        _ => &[],
    };
    for key in spec {
        object.remove(&["spec", key]);
    }
    match kind {
        Kind::Job => {
            object.remove(&["metadata", "labels"]);
            object.remove(&["spec", "template", "metadata", "labels"]);
        }
        Kind::Service => {
            for port in super::items(object.entry(&["spec"]), "ports") {
                port.remove(&["nodePort"]);
            }
        }
        Kind::Pod => {
            let spec = object.entry(&["spec"]);
            let is_token = |value: &Value| {
                value.str_at(&["name"]).is_some_and(|name| name.starts_with("kube-api-access"))
            };
            for container in super::items(spec, "containers") {
                if let Some(mounts) = container.entry(&["volumeMounts"]).as_array_mut() {
                    mounts.retain(|mount| !is_token(mount));
                }
            }
            if let Some(volumes) = spec.entry(&["volumes"]).as_array_mut() {
                volumes.retain(|volume| !is_token(volume));
            }
        }
        _ => {}
    }
    prune(object);
}

/// Takes away nulls, empty lists, and the objects that become empty at the top.
fn prune(object: &mut Value) {
    match object {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            let is_left =
                |value: &Value| !value.is_null() && !value.as_array().is_some_and(Vec::is_empty);
            fields.retain(|key, value| {
                is_left(value)
                    && !(["annotations", "labels", "spec"].contains(&key.as_str())
                        && value.as_object().is_some_and(serde_json::Map::is_empty))
            });
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

fn quantities_as_the_decoder_writes_them(kind: Kind, object: &mut Value) {
    if kind == Kind::ResourceQuota {
        object.put(&["spec", "hard", "pods"], "2");
    }
}

#[test]
fn minimal_manifests_become_what_a_real_server_made_of_them() {
    let real = documents(DEFAULTED);
    let minimal = documents(MINIMAL);
    assert!(minimal.len() > 20);
    for (kind, mut object) in minimal {
        let name = object.str_at(&["metadata", "name"]).map(str::to_owned);
        apply(kind, &mut object);
        quantities_as_the_decoder_writes_them(kind, &mut object);
        let (_, mut expected) = real
            .iter()
            .find(|(k, o)| *k == kind && o.str_at(&["metadata", "name"]) == name.as_deref())
            .cloned()
            .expect("recorded");
        without_the_stores_part(kind, &mut object);
        without_the_stores_part(kind, &mut expected);
        let show = |value: &Value| serde_yaml::to_string(value).expect("YAML");
        assert_eq!(show(&object), show(&expected), "{kind} {name:?}");
    }
}

#[test]
fn defaults_applied_twice_change_nothing() {
    for (kind, mut object) in documents(MINIMAL) {
        apply(kind, &mut object);
        let once = object.clone();
        apply(kind, &mut object);
        assert_eq!(object, once, "{kind}");
    }
}

#[test]
fn defaults_of_an_empty_object_do_not_panic() {
    for kind in Kind::known() {
        for mut object in [json!({}), json!(null), json!({"spec": 1, "status": []})] {
            apply(kind, &mut object);
        }
    }
}

#[test]
fn a_pods_requests_follow_its_limits_but_a_templates_do_not() {
    let container =
        "{name: c, image: a, resources: {limits: {cpu: '1', memory: 1Gi}, requests: {cpu: 100m}}}";
    let pod = defaulted(Kind::Pod, &format!("{{spec: {{containers: [{container}]}}}}"));
    let requests = &pod["spec"]["containers"][0]["resources"]["requests"];
    assert_eq!(requests, &json!({"cpu": "100m", "memory": "1Gi"}));
    let yaml = format!("{{spec: {{template: {{spec: {{containers: [{container}]}}}}}}}}");
    let deployment = defaulted(Kind::Deployment, &yaml);
    let requests =
        &deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"];
    assert_eq!(requests, &json!({"cpu": "100m"}));
}

#[test]
fn host_network_gives_ports_of_the_host() {
    let yaml = "{spec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}}";
    let pod = defaulted(Kind::Pod, yaml);
    assert_eq!(pod["spec"]["containers"][0]["ports"][0]["hostPort"], 80);
}

#[test]
fn requests_of_a_whole_pod_come_from_its_containers_or_its_limits() {
    let yaml = "
spec:
  resources: {limits: {cpu: '2', memory: 1Gi}}
  initContainers: [{name: i, resources: {requests: {cpu: '1'}}}]
  containers: [{name: a, resources: {requests: {cpu: 250m}}}, {name: b, resources: {requests: {cpu: 250m}}}]";
    let pod = defaulted(Kind::Pod, yaml);
    assert_eq!(pod["spec"]["resources"]["requests"], json!({"cpu": "1", "memory": "1Gi"}));
}

#[test]
fn autoscaling_behavior_is_filled_in_once_it_is_there() {
    let hpa = defaulted(
        Kind::HorizontalPodAutoscaler,
        "{spec: {behavior: {scaleDown: {selectPolicy: Min}}}}",
    );
    expect_test::expect![[r#"{"scaleDown":{"policies":[{"periodSeconds":15,"type":"Percent","value":100}],"selectPolicy":"Min"},"scaleUp":{"policies":[{"periodSeconds":15,"type":"Pods","value":4},{"periodSeconds":15,"type":"Percent","value":100}],"selectPolicy":"Max","stabilizationWindowSeconds":0}}"#]]
    .assert_eq(&hpa["spec"]["behavior"].to_string());
}

#[test]
fn texts_of_a_secret_become_its_data() {
    let secret = defaulted(Kind::Secret, "{data: {a: eA==}, stringData: {a: b, c: d}}");
    assert_eq!(secret, json!({"data": {"a": "Yg==", "c": "ZA=="}, "type": "Opaque"}));
}

#[test]
fn a_replication_controller_selects_what_its_template_is_labelled() {
    let rc =
        defaulted(Kind::ReplicationController, "{spec: {template: {metadata: {labels: {a: b}}}}}");
    assert_eq!(rc["spec"]["selector"], json!({"a": "b"}));
    assert_eq!(rc["metadata"]["labels"], json!({"a": "b"}));
}

#[test]
fn people_in_role_bindings_belong_to_the_rbac_group() {
    let yaml = "{roleRef: {kind: Role, name: r}, subjects: [{kind: User, name: u}, {kind: ServiceAccount, name: s}]}";
    let binding = defaulted(Kind::RoleBinding, yaml);
    assert_eq!(binding["subjects"][0]["apiGroup"], "rbac.authorization.k8s.io");
    assert_eq!(binding["subjects"][1].get("apiGroup"), None);
}
