//! PodDisruptionBudgets typed into a console: what they count, what they refuse, what they say.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use room::Room;

/// A Deployment of two pods, of which `ready` says how one finds out whether it is ready.
fn deployment(room: &mut Room, ready: &str) {
    room.apply(&format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web}}, spec: {{replicas: 2, \
         selector: {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, \
         spec: {{containers: [{{name: c, image: 'nginx:1.27'{ready}}}]}}}}}}}}"
    ));
}

fn budget(room: &mut Room, name: &str, app: &str, spec: &str) {
    room.apply(&format!(
        "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: {name}}}, spec: \
         {{selector: {{matchLabels: {{app: {app}}}}}, {spec}}}}}"
    ));
}

/// The events about a budget.
fn events(room: &mut Room, name: &str) -> Vec<String> {
    room.events(&format!("involvedObject.kind=PodDisruptionBudget,involvedObject.name={name}"))
}

const NEVER_READY: &str = ", readinessProbe: {tcpSocket: {port: 81}}";
const ALL_NODES: &str = "kubectl drain node-1 node-2 node-3 --timeout=8s";

/// Models pkg/registry/core/pod/storage/eviction.go.
#[test]
fn a_pod_that_is_not_ready_goes_only_when_enough_others_are_or_its_budget_says_always() {
    let mut room = Room::new();
    deployment(&mut room, NEVER_READY);
    budget(&mut room, "web", "web", "minAvailable: 1");
    room.done("sleep 5");
    let refused = room.failed(ALL_NODES);
    let why = "Cannot evict pod as it would violate the pod's disruption budget.";
    assert!(refused.contains(why), "{refused}");
    room.done("kubectl uncordon node-1 node-2 node-3");
    let always = "{\"spec\":{\"unhealthyPodEvictionPolicy\":\"AlwaysAllow\"}}";
    room.done(&format!("kubectl patch pdb web -p '{always}'"));
    room.done(ALL_NODES);
    room.done("kubectl uncordon node-1 node-2 node-3");
    room.done("sleep 5");
    // Those that are ready are guarded still.
    room.done("kubectl patch deployment web --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/template/spec/containers/0/readinessProbe\"}]'");
    room.done("kubectl rollout status deployment web");
    room.done("kubectl patch pdb web -p '{\"spec\":{\"minAvailable\":2}}'");
    let refused = room.failed(ALL_NODES);
    assert!(refused.contains(why), "{refused}");
}

#[test]
fn an_evicted_pod_says_so_and_its_budget_remembers_it_until_it_is_going() {
    let mut room = Room::new();
    deployment(&mut room, "");
    budget(&mut room, "web", "web", "minAvailable: 1");
    room.done("sleep 5");
    assert_eq!(room.field("pdb web", ".status.disruptionsAllowed"), "1");
    let pod = room.field("pods", ".items[0].metadata.name");
    let node = room.field(&format!("pod {pod}"), ".spec.nodeName");
    // Its kubelet cannot end it.
    room.done(&format!("node stop {node}"));
    room.failed(&format!("kubectl drain {node} --timeout=2s"));
    let path = ".status.conditions[?(@.type==\"DisruptionTarget\")]";
    let condition = |field: &str| format!("{path}.{field}");
    let of_pod = format!("pod {pod}");
    assert_eq!(room.field(&of_pod, &condition("reason")), "EvictionByEvictionAPI");
    assert_eq!(room.field(&of_pod, &condition("message")), "Eviction API: evicting");
    assert_eq!(room.field("pdb web", ".status.disruptedPods"), "");
    // A number counts every pod that is selected, the one that is going too.
    assert_eq!(room.field("pdb web", ".status.expectedPods"), "3");
    assert_eq!(room.field("pdb web", ".status.currentHealthy"), "2");
}

/// Texts from pkg/controller/disruption/disruption.go.
#[test]
fn a_budget_says_what_it_cannot_count() {
    let mut room = Room::new();
    budget(&mut room, "none", "none", "minAvailable: 1");
    room.done("sleep 5");
    // Once for itself, once for its status.
    assert_eq!(events(&mut room, "none"), ["NoPods x2: No matching pods found"]);
    room.done("kubectl run bare --image=nginx:1.27 --labels=app=bare");
    budget(&mut room, "bare", "bare", "maxUnavailable: 1");
    room.done("sleep 5");
    let unmanaged = events(&mut room, "bare");
    let begin = ": Pods selected by this PodDisruptionBudget (selector: \
                 &LabelSelector{MatchLabels:map[string]string{app: bare,},\
                 MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a \
                 result, the status";
    assert!(unmanaged.iter().any(|event| event.contains(begin)), "{unmanaged:?}");
    assert_eq!(room.field("pdb bare", ".status.expectedPods"), "0");
    room.apply(
        "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: ds}, spec: {selector: {matchLabels: \
         {app: ds}}, template: {metadata: {labels: {app: ds}}, spec: {containers: [{name: c, image: \
         'nginx:1.27'}]}}}}",
    );
    room.done("sleep 5");
    budget(&mut room, "ds", "ds", "maxUnavailable: 1");
    room.done("sleep 5");
    let why = "daemonsets.apps does not implement the scale subresource";
    let said = format!("Failed to calculate the number of expected pods: {why}");
    assert_eq!(events(&mut room, "ds"), [format!("CalculateExpectedPodCountFailed x2: {said}")]);
    let condition = "{.reason}: {.message}";
    let path = format!("{{range .status.conditions[*]}}{condition}{{end}}");
    let condition = room.done(&format!("kubectl get pdb ds -o jsonpath='{path}'"));
    assert_eq!(condition, format!("SyncFailed: {why}"));
    assert_eq!(room.field("pdb ds", ".status.disruptionsAllowed"), "0");
}

#[test]
fn a_pod_with_two_budgets_cannot_be_evicted_and_says_so() {
    let mut room = Room::new();
    budget(&mut room, "first", "web", "minAvailable: 1");
    budget(&mut room, "second", "web", "minAvailable: 1");
    deployment(&mut room, "");
    room.done("sleep 5");
    assert_eq!(room.field("pdb first", ".status.currentHealthy"), "2");
    let pod = room.field("pods", ".items[0].metadata.name");
    let said = room.events(&format!("involvedObject.name={pod}"));
    let odd = format!(
        ": Pod \"default\"/\"{pod}\" matches multiple PodDisruptionBudgets.  Chose \"first\" \
         arbitrarily."
    );
    assert!(said.iter().any(|event| event.ends_with(&odd)), "{said:?}");
    let refused = room.failed(ALL_NODES);
    assert!(refused.contains("This pod has more than one PodDisruptionBudget"), "{refused}");
}

/// What a real kubectl 1.36 printed: a last turn finds that the time is over.
#[test]
fn a_drain_that_a_budget_holds_back_ends_with_the_turn_after_its_timeout() {
    let mut room = Room::new();
    deployment(&mut room, "");
    budget(&mut room, "web", "web", "minAvailable: 2");
    room.done("sleep 5");
    let pod = room.done(
        "kubectl get pods --field-selector spec.nodeName=node-1 -o jsonpath='{.items[0].metadata.name}'",
    );
    let what = format!("error when evicting pods/\"{pod}\" -n \"default\"");
    let refused = format!(
        "{what} (will retry after 5s): Cannot evict pod as it would violate the pod's disruption \
         budget.\n"
    );
    let late = format!("{what}: global timeout reached: 8s");
    let said = format!("evicting pod default/{pod}\n").repeat(3);
    assert_eq!(
        room.failed("kubectl drain node-1 --timeout=8s"),
        format!(
            "node/node-1 cordoned\n{said}{refused}{refused}There are pending pods in node \
             \"node-1\" when an error occurred: {late}\npod/{pod}\nerror: unable to drain node \
             \"node-1\" due to error: {late}, continuing command...\nThere are pending nodes to \
             be drained:\n node-1\n{late}\n"
        )
    );
}
