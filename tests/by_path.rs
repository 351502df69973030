//! The API server asked by its paths: with `--raw`, through `kubectl proxy`, and from pods.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// Models rest.Request.transformResponse: what is no Status is told by its code.
#[test]
fn a_path_that_is_not_served_is_not_found_and_a_wrong_one_is_no_uri() {
    let mut room = Room::new();
    let unknown =
        "Error from server (NotFound): the server could not find the requested resource\n";
    for path in ["/nosuch", "/api/v2", "/api/v1/nosuch", "/apis/apps/v1/pods", "/livez/nosuch"] {
        assert_eq!(room.failed(&format!("kubectl get --raw {path}")), unknown, "{path}");
    }
    let wrong = "error: --raw must be a valid URL path: parse \"pods\": invalid URI for request\n";
    assert_eq!(room.failed("kubectl get --raw pods"), wrong);
    let both = "error: --raw and --output are mutually exclusive\n";
    assert_eq!(room.failed("kubectl get --raw /api -o json"), both);
}

/// The hash of a storage version is a real cluster's.
#[test]
fn discovery_lists_groups_and_resources() {
    let mut room = Room::new();
    let apps = room.done("kubectl get --raw /apis/apps/v1");
    assert!(apps.starts_with("{\"kind\":\"APIResourceList\",\"apiVersion\":\"v1\",\"groupVersion\":\"apps/v1\",\"resources\":[{\"name\":\"controllerrevisions\",\"singularName\":\"controllerrevision\",\"namespaced\":true,\"kind\":\"ControllerRevision\",\"verbs\":[\"create\",\"delete\",\"deletecollection\",\"get\",\"list\",\"patch\",\"update\",\"watch\"],\"storageVersionHash\":\"85nkx63pcBU=\"}"), "{apps}");
    assert!(apps.contains("{\"name\":\"deployments/scale\",\"singularName\":\"\",\"namespaced\":true,\"group\":\"autoscaling\",\"version\":\"v1\",\"kind\":\"Scale\",\"verbs\":[\"get\",\"patch\",\"update\"]}"), "{apps}");
    assert_eq!(apps.matches("deployments/status").count(), 1);
    let core = room.done("kubectl get --raw /api/v1");
    assert!(core.starts_with("{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":\"bindings\""));
    let groups = room.done("kubectl get --raw /apis");
    let first = groups.find("apiregistration.k8s.io").unwrap_or(usize::MAX);
    assert!(first < groups.find("\"apps\"").unwrap_or_default());
    assert!(
        room.done("kubectl get --raw '/readyz?verbose'")
            .ends_with("[+]shutdown ok\nreadyz check passed")
    );
    assert_eq!(room.done("kubectl get --raw /livez"), "ok");
}

/// Texts of staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,rest}.go.
#[test]
fn objects_are_made_changed_and_taken_away_by_their_paths() {
    let mut room = Room::new();
    let maps = "/api/v1/namespaces/default/configmaps";
    let send = |verb: &str, path: &str, body: &str| {
        format!("kubectl {verb} --raw {path} -f - <<'EOF'\n{body}\nEOF")
    };
    let body = "{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"y\"}},\"data\":{\"k\":\"<v>\"}}";
    let made = room.done(&send("create", maps, body));
    assert!(made.starts_with("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"namespace\":\"default\",\"uid\":"), "{made}");
    assert!(made.ends_with("\"data\":{\"k\":\"\\u003cv\\u003e\"}}"), "{made}");
    let again = room.failed(&send("create", maps, body));
    assert_eq!(again, "Error from server (AlreadyExists): configmaps \"a\" already exists\n");
    let one = room.done(&format!("kubectl get --raw '{maps}?labelSelector=x%3Dy'"));
    assert!(one.starts_with(
        "{\"kind\":\"ConfigMapList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
    ));
    assert!(one.contains("\"items\":[{\"metadata\":{\"name\":\"a\""), "{one}");
    for (body, why) in [
        (
            "a: b",
            "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: invalid character 'a' looking for beginning of value (613a20620a)",
        ),
        (
            "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\"}",
            "the API version in the data (apps/v1) does not match the expected API version (v1)",
        ),
        (
            "{\"metadata\":{\"name\":\"b\",\"namespace\":\"x\"}}",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ] {
        let expected = format!("Error from server (BadRequest): {why}\n");
        assert_eq!(room.failed(&send("create", maps, body)), expected);
    }
    let other =
        room.failed(&send("replace", &format!("{maps}/a"), "{\"metadata\":{\"name\":\"b\"}}"));
    assert_eq!(
        other,
        "Error from server (BadRequest): the name of the object (b) does not match the name on the URL (a)\n"
    );
    let gone = room.done(&format!("kubectl delete --raw {maps}/a"));
    assert!(gone.starts_with("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\",\"details\":{\"name\":\"a\",\"kind\":\"configmaps\",\"uid\":"));
    let missing = room.failed(&format!("kubectl get --raw {maps}/a"));
    assert_eq!(missing, "Error from server (NotFound): configmaps \"a\" not found\n");
}

/// curl is shown JSON over several lines, as negotiate.go isPrettyPrint says; the filter is that of
/// proxy_server.go.
#[test]
fn a_proxy_on_the_persons_machine_leads_to_the_api() {
    let mut room = Room::classroom(&[
        "kubectl create deployment web --image=traefik/whoami",
        "kubectl expose deployment web --port=80",
        "kubectl rollout status deployment web",
    ]);
    let said = room.run("kubectl proxy --port=8011 &");
    assert_eq!(said, "Starting to serve on 127.0.0.1:8011\n");
    let through = |path: &str| format!("curl -s 'http://localhost:8011{path}'");
    let text = room.run(&through("/api/v1/namespaces/default/pods/x"));
    let status = "{\n  \"kind\": \"Status\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {},\n  \"status\": \"Failure\",\n  \"message\": \"pods \\\"x\\\" not found\",\n  \"reason\": \"NotFound\",\n  \"details\": {\n    \"name\": \"x\",\n    \"kind\": \"pods\"\n  },\n  \"code\": 404\n}";
    assert_eq!(text, status);
    assert_eq!(room.run(&through("/api/v1/namespaces/default/pods/x/exec")), "Forbidden\n");
    for service in ["web", "web:80", "http:web:80"] {
        let path = format!("/api/v1/namespaces/default/services/{service}/proxy/");
        let text = room.run(&through(&path));
        assert!(text.starts_with("Hostname: web-"), "{service}: {text}");
    }
    let none = room.failed("kubectl get --raw /api/v1/namespaces/default/services/web:81/proxy/");
    assert_eq!(
        none,
        "Error from server (ServiceUnavailable): no service port 81 found for service \"web\"\n"
    );
    let again = room.failed("kubectl proxy --port 8011");
    assert_eq!(again, "error: listen tcp 127.0.0.1:8011: bind: address already in use\n");
}

/// Models pkg/registry/apps/deployment/storage ScaleREST: any patch is one of the scale as it is.
#[test]
fn a_scale_is_patched_in_every_way_and_what_a_patch_leaves_alone_stays() {
    let mut room = Room::classroom(&["kubectl create deployment web --image=nginx --replicas=2"]);
    room.run("kubectl proxy --port=8011 &");
    let patches = [
        ("json-patch", r#"[{"op":"replace","path":"/spec/replicas","value":4}]"#, "4"),
        ("merge-patch", r#"{"metadata":{}}"#, "4"),
        ("merge-patch", r#"{"spec":{"replicas":3}}"#, "3"),
    ];
    for (how, body, replicas) in patches {
        let url = "http://localhost:8011/apis/apps/v1/namespaces/default/deployments/web/scale";
        let header = format!("Content-Type: application/{how}+json");
        room.run(&format!("curl -s -X PATCH -H '{header}' -d '{body}' {url}"));
        let now = room.done("kubectl get deployment web -o jsonpath='{.spec.replicas}'");
        assert_eq!(now, replicas, "{how} {body}");
    }
}

#[test]
fn what_a_control_plane_makes_for_itself_is_there_by_path_too() {
    let mut room = Room::classroom(&[]);
    let role = room.done("kubectl get --raw /apis/rbac.authorization.k8s.io/v1/clusterroles/view");
    assert!(role.contains("\"name\":\"view\""), "{role}");
    let nodes = room.done("kubectl get --raw /apis/storage.k8s.io/v1/csinodes");
    assert!(nodes.contains("\"name\":\"node-1\""), "{nodes}");
}

/// Models responsewriters/errors.go forbiddenMessage and rbac.go.
#[test]
fn a_pod_is_answered_by_what_the_roles_of_its_account_allow() {
    let mut room = Room::classroom(&[
        "kubectl run curl --image=curlimages/curl --command -- sleep infinity",
        "kubectl wait --for=condition=Ready pod/curl",
    ]);
    let pods = "https://kubernetes.default.svc/api/v1/namespaces/default/pods";
    let anonymous = room.done(&format!("kubectl exec curl -- curl -sk {pods}"));
    let no = |user: &str| {
        format!(
            "\"message\": \"pods is forbidden: User \\\"{user}\\\" cannot list resource \\\"pods\\\" in API group \\\"\\\" in the namespace \\\"default\\\"\""
        )
    };
    assert!(anonymous.contains(&no("system:anonymous")), "{anonymous}");
    let folder = "/var/run/secrets/kubernetes.io/serviceaccount";
    let with_token = format!(
        "kubectl exec curl -- sh -c 'curl -s --cacert {folder}/ca.crt -H \"Authorization: Bearer $(cat {folder}/token)\" {pods}'"
    );
    let account = "system:serviceaccount:default:default";
    let refused = room.done(&with_token);
    assert!(refused.contains(&no(account)), "{refused}");
    assert_eq!(room.failed(&format!("kubectl auth can-i list pods --as={account}")), "no\n");
    room.done("kubectl create role reader --verb=list --resource=pods");
    room.done("kubectl create rolebinding reader --role=reader --serviceaccount=default:default");
    assert_eq!(room.done(&format!("kubectl auth can-i list pods --as={account}")), "yes");
    let list = room.done(&with_token);
    assert!(list.starts_with("{\n  \"kind\": \"PodList\",\n  \"apiVersion\": \"v1\","), "{list}");
    let wrong = room.done(
        "kubectl exec curl -- curl -sk -H 'Authorization: Bearer x' https://kubernetes.default/api",
    );
    assert!(
        wrong.contains(
            "\"message\": \"Unauthorized\",\n  \"reason\": \"Unauthorized\",\n  \"code\": 401"
        ),
        "{wrong}"
    );
    let open = room.done("kubectl exec curl -- curl -sk https://kubernetes.default/healthz");
    assert_eq!(open, "ok");
}
