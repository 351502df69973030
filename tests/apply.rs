//! Who manages which fields: server-side apply, conflicts, and what was applied last. The texts and
//! the managers are those of a real API server 1.36.2 and kubectl 1.36.3.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: 'nginx:3', ports: [{containerPort: 80}]}]}";

const MANAGERS: &str =
    "{range .metadata.managedFields[*]}{.manager}/{.operation}/{.subresource} {end}";

fn server_side(flags: &str, manifest: &str) -> String {
    format!("kubectl apply --server-side {flags} -f - <<'EOF'\n{manifest}\nEOF")
}

fn config_map(data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {data}")
}

/// Models managedfields/internal/conflict.go getConflictMessage and apply.go.
#[test]
fn who_applies_what_others_wrote_is_told_of_whom() {
    let mut room = Room::new();
    room.done("kubectl create deployment web --image=nginx --replicas=1");
    room.done("kubectl scale deploy web --replicas=2");
    room.done("kubectl label deploy web a=b");
    room.done("kubectl set image deploy/web nginx=nginx:2");
    let said = room.failed(&server_side("", WEB));
    let wanted = "error: Apply failed with 2 conflicts: conflicts with \"kubectl\" with subresource \"scale\" using apps/v1:
- .spec.replicas
conflicts with \"kubectl-set\" using apps/v1:
- .spec.template.spec.containers[name=\"nginx\"].image
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
";
    assert_eq!(said, wanted);
    let forced = room.done(&server_side("--force-conflicts", WEB));
    assert_eq!(forced, "deployment.apps/web serverside-applied");
    room.done("kubectl scale deploy web --replicas=1");
    let said = room.failed(&server_side("", WEB));
    let first = "error: Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1: .spec.replicas\n";
    assert!(said.starts_with(first), "{said}");
}

#[test]
fn a_created_object_belongs_to_its_creator_with_its_defaults() {
    let mut room = Room::new();
    room.done("kubectl create -f - <<'EOF'\napiVersion: v1\nkind: Service\nmetadata: {name: s, labels: {a: b}}\nspec: {ports: [{port: 80}], selector: {app: web}}\nEOF");
    let shown = room.done("kubectl get svc s -o yaml --show-managed-fields");
    let wanted = "  managedFields:
  - apiVersion: v1
    fieldsType: FieldsV1
    fieldsV1:
      f:metadata:
        f:labels:
          .: {}
          f:a: {}
      f:spec:
        f:internalTrafficPolicy: {}
        f:ports:
          .: {}
          k:{\"port\":80,\"protocol\":\"TCP\"}:
            .: {}
            f:port: {}
            f:protocol: {}
            f:targetPort: {}
        f:selector: {}
        f:sessionAffinity: {}
        f:type: {}
    manager: kubectl-create
    operation: Update
";
    assert!(shown.contains(wanted), "{shown}");
    assert!(!room.done("kubectl get svc s -o yaml").contains("managedFields"));
}

#[test]
fn what_is_not_applied_any_more_goes_unless_somebody_else_has_it() {
    let mut room = Room::new();
    room.done(&server_side("", &config_map("{x: '1', z: '2'}")));
    room.done(&server_side(
        "--field-manager=bob --force-conflicts",
        &config_map("{x: '5', b: '7'}"),
    ));
    room.done(&server_side("--field-manager=eve", &config_map("{z: '2'}")));
    room.done(&server_side("", &config_map("{q: '1'}")));
    assert_eq!(room.field("cm/c", ".data"), "{\"b\":\"7\",\"q\":\"1\",\"x\":\"5\",\"z\":\"2\"}");
    room.done(&server_side("--field-manager=eve", &config_map("{}")));
    assert_eq!(room.field("cm/c", ".data"), "{\"b\":\"7\",\"q\":\"1\",\"x\":\"5\"}");
    let managers = room.done(&format!("kubectl get cm c -o jsonpath='{MANAGERS}'"));
    assert_eq!(managers.trim(), "bob/Apply/ eve/Apply/ kubectl/Apply/");
}

/// Models sigs.k8s.io/structured-merge-diff/v6/typed/validate.go.
#[test]
fn what_does_not_fit_the_schema_is_refused_in_its_words() {
    let mut room = Room::new();
    let deployment = |spec: &str| {
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: t}}\nspec: {spec}")
    };
    let pods = "selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec:";
    for (spec, why) in [
        (
            format!("{{replica: 0, {pods} {{containers: [{{name: c, image: x}}]}}}}}}"),
            ": .spec.replica: field not declared in schema",
        ),
        (
            format!("{{replicas: two, {pods} {{containers: [{{name: c, image: x}}]}}}}}}"),
            ": .spec.replicas: expected numeric (int or float), got string",
        ),
        (
            format!("{{paused: 'yes', {pods} {{containers: {{name: c}}}}}}}}"),
            ": errors:\n  .spec.paused: expected boolean, got &{yes}\n  .spec.template.spec.containers: expected list, got &{map[name:c]}",
        ),
        (
            format!(
                "{{{pods} {{containers: [{{name: c, image: 5, env: [{{name: A}}, {{name: A}}]}}]}}}}}}"
            ),
            ": errors:\n  .spec.template.spec.containers[name=\"c\"].env: duplicate entries for key [name=\"A\"]\n  .spec.template.spec.containers[name=\"c\"].image: expected string, got &value.valueUnstructured{Value:5}",
        ),
        (
            format!("{{{pods} {{containers: [{{name: c, ports: [{{containerPort: http}}]}}]}}}}}}"),
            ": .spec.template.spec.containers[name=\"c\"].ports[containerPort=\"http\",protocol=\"TCP\"].containerPort: expected numeric (int or float), got string",
        ),
        (
            format!("{{{pods} {{containers: [c]}}}}}}"),
            ": .spec.template.spec.containers: element 0: associative list with keys may not have non-map elements",
        ),
    ] {
        let wanted = format!(
            "Error from server: failed to create typed patch object (default/t; apps/v1, Kind=Deployment){why}\n"
        );
        assert_eq!(room.failed(&server_side("", &deployment(&spec))), wanted, "{spec}");
    }
    let nameless = format!("{{{pods} {{containers: [{{image: x}}]}}}}}}");
    let said = room.failed(&server_side("", &deployment(&nameless)));
    assert_eq!(
        said,
        "The Deployment \"t\" is invalid: spec.template.spec.containers[0].name: Required value\n"
    );
}

/// Models apply.go Validate.
#[test]
fn flags_that_do_not_go_together_are_refused() {
    let mut room = Room::new();
    for (flags, why) in [
        ("--force-conflicts", "--force-conflicts only works with --server-side"),
        (
            "--server-side --dry-run=client",
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ),
        ("--server-side --force", "--force cannot be used with --server-side"),
        ("--subresource=status", "--subresource can only be specified for --server-side"),
        (
            "--prune",
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        ),
        ("--prune --all -l a=b", "cannot set --all and --selector at the same time"),
    ] {
        let line = format!("kubectl apply {flags} -f - <<'EOF'\n{}\nEOF", config_map("{}"));
        assert_eq!(room.failed(&line), format!("error: {why}\n"), "{flags}");
    }
    let said = room.failed(&server_side("--field-manager=", &config_map("{}")));
    assert_eq!(
        said,
        "The PatchOptions \"\" is invalid: fieldManager: Required value: is required for apply patch\n"
    );
}

/// Models lastappliedmanager.go, lastappliedupdater.go and client-go/util/csaupgrade.
#[test]
fn who_applied_from_the_clients_side_goes_over_to_the_servers_without_conflict() {
    let mut room = Room::new();
    room.apply(WEB);
    let managers = format!("kubectl get deploy web -o jsonpath='{MANAGERS}'");
    let before = room.done(&managers);
    assert!(before.contains("kubectl-client-side-apply/Update/"), "{before}");
    let other = WEB.replace("replicas: 3", "replicas: 4").replace("nginx:3", "nginx:4");
    assert_eq!(room.done(&server_side("", &other)), "deployment.apps/web serverside-applied");
    let after = room.done(&managers);
    assert!(!after.contains("client-side"), "{after}");
    assert!(
        after.contains("kubectl-last-applied/Apply/") && after.contains("kubectl/Apply/"),
        "{after}"
    );
    let last = room.done("kubectl apply view-last-applied deploy web -o json");
    assert!(last.contains("\"replicas\": 4") && last.contains("nginx:4"), "{last}");
    // And back: kubectl's two ways may change each other's fields.
    let third = WEB.replace("nginx:3", "nginx:5");
    room.apply(&third);
    assert_eq!(room.field("deploy/web", ".spec.replicas"), "3");
}

#[test]
fn what_was_applied_last_can_be_set() {
    let mut room = Room::new();
    room.done("kubectl create cm c --from-literal=a=b");
    room.done("cat > c.yaml <<'EOF'\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: c}\nEOF");
    let said = room.failed("kubectl apply set-last-applied -f c.yaml");
    assert_eq!(
        said,
        "error: no last-applied-configuration annotation found on resource: c, to create the annotation, run the command with --create-annotation\n"
    );
    assert_eq!(room.done("kubectl apply view-last-applied cm c"), "");
    let set = "kubectl apply set-last-applied -f c.yaml --create-annotation";
    assert_eq!(room.done(set), "configmap/c configured");
    assert_eq!(room.done(set), "set-last-applied c: no changes required.");
    let shown = room.done("kubectl apply view-last-applied cm/c");
    assert_eq!(
        shown,
        "apiVersion: v1\ndata:\n  a: c\nkind: ConfigMap\nmetadata:\n  name: c\n  namespace: default"
    );
    room.done("KUBE_EDITOR=\"sed -i 's/a: c/a: d/'\" kubectl apply edit-last-applied cm/c");
    assert!(room.done("kubectl apply view-last-applied cm/c").contains("a: d"));
    assert_eq!(room.field("cm/c", ".data.a"), "b");
}

#[test]
fn what_is_in_no_manifest_any_more_is_pruned() {
    let mut room = Room::new();
    let one = |name: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{app: x}}}}")
    };
    room.apply(&format!("{}\n---\n{}", one("a"), one("b")));
    room.done("kubectl create cm c");
    room.done("kubectl label cm c app=x");
    let said =
        room.done(&format!("kubectl apply --prune -l app=x -f - <<'EOF'\n{}\nEOF", one("a")));
    assert_eq!(said, "configmap/a unchanged\nconfigmap/b pruned");
    assert_eq!(room.done("kubectl get cm -l app=x -o name"), "configmap/a\nconfigmap/c");
}

#[test]
fn what_cannot_be_changed_is_made_anew_by_force() {
    let mut room = Room::new();
    let job = |image: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: j}}\nspec: {{suspend: true, template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: '{image}'}}]}}}}}}"
        )
    };
    room.apply(&job("nginx:1"));
    let uid = room.field("job/j", ".metadata.uid");
    let said = room.done(&format!("kubectl apply --force -f - <<'EOF'\n{}\nEOF", job("nginx:3")));
    assert_eq!(said, "job.batch/j configured");
    assert_ne!(room.field("job/j", ".metadata.uid"), uid);
}

/// Pods have no managers of their own in memory: they follow from what the pods are.
#[test]
fn pods_of_controllers_say_who_manages_them() {
    let mut room = Room::new();
    room.done("kubectl create deployment web --image=nginx");
    room.done("idle 3");
    let managers =
        format!("kubectl get pods -l app=web -o jsonpath='{{range .items[*]}}{MANAGERS}{{end}}'");
    let who = "kube-controller-manager/Update/ kubelet/Update/status";
    assert_eq!(room.done(&managers).trim(), who);
    let shown = room.done("kubectl get pods -l app=web -o yaml --show-managed-fields");
    assert!(shown.contains("k:{\"name\":\"nginx\"}:") && !shown.contains("f:nodeName"), "{shown}");
}
