//! Objects in the version in which they are asked for, and what custom resources can have beside
//! themselves: several versions, a status, a scale.
//!
//! Models staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go,
//! …/pkg/registry/customresource, pkg/apis/{events,autoscaling}/v1/conversion.go.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// A definition of two versions, the older one on its way out, with a status and a scale.
const DEFINITION: &str = "kubectl apply -f - <<'EOF'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: foos, kind: Foo, shortNames: [fo]}
  versions:
  - name: v1beta1
    served: true
    storage: true
    deprecated: true
    schema:
      openAPIV3Schema: &schema
        type: object
        properties:
          spec:
            type: object
            properties:
              replicas: {type: integer, minimum: 0}
              size: {type: string, default: small}
          status:
            type: object
            properties:
              replicas: {type: integer}
              selector: {type: string}
    subresources: &sub
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas, labelSelectorPath: .status.selector}
  - name: v1
    served: true
    storage: false
    schema: {openAPIV3Schema: *schema}
    subresources: *sub
    additionalPrinterColumns: [{name: Size, type: string, jsonPath: .spec.size}]
  - name: v1alpha1
    served: false
    storage: false
    schema: {openAPIV3Schema: *schema}
EOF";

fn foo(version: &str, rest: &str) -> String {
    format!(
        "kubectl apply -f - <<'EOF'\n{{apiVersion: example.com/{version}, kind: Foo, metadata: {{name: a}}, {rest}}}\nEOF"
    )
}

fn room() -> Room {
    let mut room = Room::new();
    let printed = room.done(DEFINITION);
    assert_eq!(printed, "customresourcedefinition.apiextensions.k8s.io/foos.example.com created");
    room
}

#[test]
fn a_custom_object_is_shown_in_the_version_that_is_asked_for() {
    let mut room = room();
    let made = room.output(&foo("v1beta1", "spec: {replicas: 2}"));
    assert_eq!(made.stdout, "foo.example.com/a created\n");
    assert_eq!(made.stderr, "Warning: example.com/v1beta1 Foo is deprecated\n");
    let version = "-o jsonpath='{.apiVersion}'";
    assert_eq!(room.done(&format!("kubectl get foo a {version}")), "example.com/v1");
    let older = room.output(&format!("kubectl get foos.v1beta1.example.com a {version}"));
    assert_eq!(older.stdout, "example.com/v1beta1");
    assert_eq!(older.stderr, "Warning: example.com/v1beta1 Foo is deprecated\n");
    assert_eq!(room.done("kubectl get foo"), "NAME   SIZE\na      small");
    let table = room.output("kubectl get foos.v1beta1.example.com").stdout;
    assert!(table.starts_with("NAME   AGE\na      "), "{table}");
}

#[test]
fn a_version_that_is_not_served_is_not_there() {
    let mut room = room();
    let refused = room.output(&foo("v1alpha1", "spec: {}"));
    let why = "no matches for kind \"Foo\" in version \"example.com/v1alpha1\"";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
    let refused = room.output("kubectl get foos.v1alpha1.example.com");
    assert_eq!(refused.stderr, "error: the server doesn't have a resource type \"foos\"\n");
    let versions = room.done("kubectl api-versions");
    let own: Vec<&str> = versions.lines().filter(|line| line.contains("example.com")).collect();
    assert_eq!(own, ["example.com/v1", "example.com/v1beta1"]);
}

#[test]
fn only_writes_of_the_status_change_a_status_and_only_others_count_generations() {
    let mut room = room();
    room.done(&foo("v1", "spec: {replicas: 2}, status: {replicas: 9}"));
    let shown = "kubectl get foo a -o jsonpath='{.status.replicas} {.metadata.generation}'";
    assert_eq!(room.done(shown), " 1");
    let patch = "kubectl patch foo a --subresource=status --type=merge -p";
    room.done(&format!("{patch} '{{\"status\":{{\"replicas\":1}},\"spec\":{{\"replicas\":7}}}}'"));
    assert_eq!(room.done(shown), "1 1");
    assert_eq!(room.done("kubectl get foo a -o jsonpath='{.spec.replicas}'"), "2");
    let refused = room.output(&format!("{patch} '{{\"status\":{{\"replicas\":\"x\"}}}}'"));
    let why = "The Foo \"a\" is invalid: status.replicas: Invalid value: \"string\": status.replicas in body must be of type integer: \"string\"\n";
    assert_eq!(refused.stderr, why);
    room.done("kubectl patch foo a --type=merge -p '{\"spec\":{\"size\":\"big\"}}'");
    assert_eq!(room.done(shown), "1 2");
}

#[test]
fn a_custom_object_can_be_scaled_where_its_definition_says_how() {
    let mut room = room();
    room.done(&foo("v1", "spec: {replicas: 2}"));
    assert_eq!(room.done("kubectl scale foo a --replicas=5"), "foo.example.com/a scaled");
    assert_eq!(room.done("kubectl get foo a -o jsonpath='{.spec.replicas}'"), "5");
    let refused = room.output("kubectl scale foo a --replicas=1 --current-replicas=2");
    assert_eq!(refused.stderr, "error: Expected replicas to be 2, was 5\n");
    room.done(
        "kubectl patch foo a --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/replicas\"}]'",
    );
    let refused = room.output("kubectl scale foo a --replicas=1");
    let why = "Error from server (InternalError): Internal error occurred: the spec replicas field \".spec.replicas\" does not exist\n";
    assert_eq!(refused.stderr, why);
}

const EVENT: &str = "kubectl create -f - <<'EOF'
apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: lesson.1, namespace: default}
eventTime: \"2026-01-01T00:00:10.000000Z\"
action: Teaching
reason: Lesson
note: begins
type: Normal
reportingController: example.com/teacher
reportingInstance: teacher-1
regarding: {kind: Pod, name: p, namespace: default}
related: {kind: Node, name: node-1}
series: {count: 3, lastObservedTime: \"2026-01-01T00:00:20.000000Z\"}
EOF";

#[test]
fn an_event_that_a_person_writes_keeps_all_its_fields() {
    let mut room = Room::new();
    assert_eq!(room.done(EVENT), "event.events.k8s.io/lesson.1 created");
    let get = "kubectl get";
    let fields = "-o jsonpath='{.action} {.eventTime} {.series.count} {.related.name}";
    let older = format!("{get} event lesson.1 {fields} {{.reportingComponent}} {{.message}}'");
    let all = "Teaching 2026-01-01T00:00:10.000000Z 3 node-1 example.com/teacher begins";
    assert_eq!(room.done(&older), all);
    let newer = format!(
        "{get} events.v1.events.k8s.io lesson.1 {fields} {{.reportingController}} {{.note}}'"
    );
    assert_eq!(room.done(&newer), all);
    let refused =
        room.output(&EVENT.replace("lesson.1", "lesson.2").replace("count: 3", "count: 1"));
    assert_eq!(
        refused.stderr,
        "The Event \"lesson.2\" is invalid: series.count: Invalid value: \"\": should be at least 2\n"
    );
}

#[test]
fn an_autoscaler_is_shown_as_v1_if_that_is_asked_for() {
    let mut room = Room::new();
    room.done("kubectl create deployment web --image=nginx");
    room.done("kubectl autoscale deployment web --max=3 --cpu=50%");
    let shown = room.done(
        "kubectl get hpa.v1.autoscaling web -o jsonpath='{.apiVersion} {.spec.targetCPUUtilizationPercentage}{.spec.metrics}'",
    );
    assert_eq!(shown, "autoscaling/v1 50");
}

#[test]
fn items_of_custom_lists_have_their_own_managers_where_the_schema_says_so() {
    let mut room = Room::new();
    room.done(&DEFINITION.replace(
        "size: {type: string, default: small}",
        "size: {type: string}\n              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}\n              ports: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], items: {type: object, required: [name], properties: {name: {type: string}, port: {type: integer}}}}\n              hosts: {type: array, items: {type: string}}",
    ));
    let apply = |who: &str, spec: &str| {
        format!(
            "kubectl apply --server-side --field-manager={who} -f - <<'EOF'\n{{apiVersion: example.com/v1, kind: Foo, metadata: {{name: a}}, spec: {spec}}}\nEOF"
        )
    };
    room.done(&apply("ann", "{ports: [{name: a, port: 1}], tags: [x], hosts: [h]}"));
    room.done(&apply("ben", "{ports: [{name: b, port: 2}], tags: [z]}"));
    let spec = "kubectl get foo a -o jsonpath='{.spec}'";
    let both = "{\"hosts\":[\"h\"],\"ports\":[{\"name\":\"a\",\"port\":1},{\"name\":\"b\",\"port\":2}],\"tags\":[\"x\",\"z\"]}";
    assert_eq!(room.done(spec), both);
    let refused = room.output(&apply("ben", "{ports: [{name: a, port: 9}], hosts: [i]}"));
    let why = "error: Apply failed with 2 conflicts: conflicts with \"ann\":\n- .spec.hosts\n- .spec.ports[name=\"a\"].port\n";
    assert!(refused.stderr.starts_with(why), "{}", refused.stderr);
    room.done(&apply("ben", "{tags: [z]}"));
    let left = "{\"hosts\":[\"h\"],\"ports\":[{\"name\":\"a\",\"port\":1}],\"tags\":[\"x\",\"z\"]}";
    assert_eq!(room.done(spec), left);
    let refused = room.output(&apply("ben", "{ports: [{port: 1}], more: 1}"));
    let why = ".spec.more: field not declared in schema";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
}

#[test]
fn the_eleventh_writer_makes_the_oldest_two_one() {
    let mut room = Room::new();
    room.done("kubectl create configmap c --from-literal=a=b");
    for writer in 1..=10 {
        room.done("sleep 1");
        room.done(&format!(
            "kubectl patch configmap c --field-manager=w{writer} -p '{{\"data\":{{\"k{writer}\":\"v\"}}}}'"
        ));
    }
    let names = "kubectl get configmap c -o jsonpath='{.metadata.managedFields[*].manager}'";
    assert_eq!(room.done(names), "ancient-changes w2 w3 w4 w5 w6 w7 w8 w9 w10");
}

/// Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go, pkg/registry/core/service/ipallocator.
#[test]
fn what_the_control_plane_makes_for_itself_is_there_for_who_asks() {
    let mut room = Room::new();
    let rules =
        "kubectl get clusterrole view -o jsonpath='{.rules[0].verbs} {.rules[*].resources[0]}'";
    let shown = room.done(rules);
    assert!(shown.starts_with("[\"get\",\"list\",\"watch\"] configmaps "), "{shown}");
    let names = room.done("kubectl get clusterrolebindings -o name");
    assert!(
        names.contains("clusterrolebinding.rbac.authorization.k8s.io/cluster-admin\n"),
        "{names}"
    );
    let cidr = room.done("kubectl get servicecidr -o jsonpath='{.items[*].spec.cidrs[0]}'");
    assert_eq!(cidr, "10.96.0.0/16");
    room.done("kubectl create service clusterip web --tcp=80 --clusterip=10.96.0.77");
    let parent = "-o jsonpath='{.spec.parentRef.resource}/{.spec.parentRef.name}'";
    assert_eq!(room.done(&format!("kubectl get ipaddress 10.96.0.77 {parent}")), "services/web");
    room.done("kubectl delete service web");
    let gone = room.output("kubectl get ipaddress 10.96.0.77");
    let why =
        "Error from server (NotFound): ipaddresses.networking.k8s.io \"10.96.0.77\" not found\n";
    assert_eq!(gone.stderr, why);
    assert_eq!(room.done("kubectl get csinodes -o name").lines().count(), 4);
    let leases = room.done("kubectl get leases -n kube-system -o name");
    assert_eq!(
        leases,
        "lease.coordination.k8s.io/kube-controller-manager\nlease.coordination.k8s.io/kube-scheduler"
    );
}
