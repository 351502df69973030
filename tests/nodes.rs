//! Nodes that are tainted, silent or gone, and what becomes of their pods, typed into a console.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

use diorama::base::{SimTime, order};
use room::Room;

/// A pod on a node that tolerates the taint `k` for half a minute.
fn patient(room: &mut Room, name: &str, node: &str) {
    room.apply(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: {node}, \
         terminationGracePeriodSeconds: 1, tolerations: [{{key: k, operator: Exists, effect: \
         NoExecute, tolerationSeconds: 30}}], containers: [{{name: c, image: 'nginx:1.27'}}]}}}}"
    ));
}

const EVICTIONS: &str = "reason=TaintManagerEviction";

#[test]
fn a_taint_is_tolerated_from_the_moment_it_is_seen() {
    let mut room = Room::new();
    patient(&mut room, "early", "node-1");
    room.done("sleep 60");
    room.done("kubectl taint node node-1 k=v:NoExecute");
    room.done("sleep 20");
    patient(&mut room, "late", "node-1");
    room.done("sleep 9");
    assert_eq!(room.field("pods", ".items[*].metadata.name"), "early late");
    room.done("sleep 6");
    assert_eq!(room.field("pods", ".items[*].metadata.name"), "late");
    room.done("sleep 20");
    assert_eq!(room.field("pods", ".items[*].metadata.name"), "");
    let marked = |name| format!("TaintManagerEviction x1: Marking for deletion Pod default/{name}");
    assert_eq!(room.events(EVICTIONS), ["early", "late"].map(marked));
}

#[test]
fn an_eviction_is_cancelled_when_its_reason_goes_or_its_pod() {
    let mut room = Room::new();
    for (name, node) in [("a", "node-1"), ("b", "node-1"), ("c", "node-2"), ("d", "node-3")] {
        patient(&mut room, name, node);
    }
    room.done("sleep 5");
    room.done("kubectl taint node node-1 node-2 node-3 k=v:NoExecute");
    room.done("sleep 10");
    room.done("kubectl delete pod b");
    room.done("kubectl taint node node-1 k-");
    // What is not tolerated at all does not wait for what is.
    room.done("kubectl taint node node-3 other=v:NoExecute");
    room.done("sleep 40");
    let cancelled =
        |name: &str| format!("TaintManagerEviction x1: Cancelling deletion of Pod default/{name}");
    let marked =
        |name: &str| format!("TaintManagerEviction x1: Marking for deletion Pod default/{name}");
    let mut all = vec![cancelled("a"), cancelled("b"), cancelled("d"), marked("c"), marked("d")];
    let mut events = room.events(EVICTIONS);
    order::sort(&mut all);
    order::sort(&mut events);
    assert_eq!(events, all);
    assert_eq!(room.field("pods", ".items[*].metadata.name"), "a");
    // Such an event says no UID, so describe does not find it.
    let described = room.done("kubectl describe pod a");
    assert!(!described.contains("Cancelling"), "{described}");
}

fn stop(room: &mut Room, nodes: &[&str]) {
    for node in nodes {
        room.done(&format!("node stop {node}"));
    }
}

/// The `NoExecute` taints of a node, one a line.
fn evicting(room: &mut Room, node: &str) -> String {
    room.field(&format!("node {node}"), ".spec.taints[?(@.effect==\"NoExecute\")].key")
}

/// Models pkg/controller/nodelifecycle/node_lifecycle_controller.go handleDisruption.
#[test]
fn nobody_is_evicted_while_no_node_at_all_is_ready() {
    let mut room = Room::new();
    room.apply(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {replicas: 3, selector: \
         {matchLabels: {a: web}}, template: {metadata: {labels: {a: web}}, spec: {containers: \
         [{name: c, image: 'nginx:1.27'}]}}}}",
    );
    room.done("sleep 5");
    stop(&mut room, &["node-1", "node-2"]);
    room.done("sleep 70");
    assert_eq!(evicting(&mut room, "node-1"), "node.kubernetes.io/unreachable");
    stop(&mut room, &["node-3", "cp-1"]);
    room.done("sleep 60");
    for node in ["node-1", "node-2", "node-3", "cp-1"] {
        assert_eq!(evicting(&mut room, node), "");
        let taints = room.field(&format!("node {node}"), ".spec.taints[*].key");
        assert!(taints.contains("node.kubernetes.io/unreachable"), "{taints}");
    }
    room.done("sleep 400");
    let marked = |room: &mut Room| {
        let events = room.events(EVICTIONS);
        events.iter().filter(|event| event.contains("Marking")).count()
    };
    assert_eq!(marked(&mut room), 0);
    // With one node back, the others are the ones in trouble again.
    room.done("node start node-3");
    room.done("sleep 10");
    assert_eq!(evicting(&mut room, "node-2"), "");
    room.done("sleep 10");
    assert_eq!(evicting(&mut room, "node-2"), "node.kubernetes.io/unreachable");
    room.done("sleep 301");
    assert!(marked(&mut room) >= 1);
}

/// Models pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go.
#[test]
fn nodes_of_one_zone_are_emptied_one_after_the_other() {
    let mut room = Room::new();
    let label = "topology.kubernetes.io/zone=zone-a --overwrite";
    room.done(&format!("kubectl label node cp-1 node-1 node-2 node-3 {label}"));
    room.done("sleep 5");
    stop(&mut room, &["node-1", "node-2"]);
    room.done("sleep 55");
    room.done("sleep 20");
    let mut times = ["node-1", "node-2"].map(|node| {
        let path = ".spec.taints[?(@.effect==\"NoExecute\")].timeAdded";
        SimTime::parse_rfc3339(&room.field(&format!("node {node}"), path)).unwrap_or_default()
    });
    order::sort(&mut times);
    assert_eq!(times[1].since(times[0]).as_secs(), 10);
    // Three of four: the zone is too small to go on.
    stop(&mut room, &["node-3"]);
    room.done("sleep 200");
    assert_eq!(
        room.field("node node-3", ".status.conditions[?(@.type==\"Ready\")].status"),
        "Unknown"
    );
    assert_eq!(evicting(&mut room, "node-3"), "");
}

/// Models pkg/controller/podgc/gc_controller.go and node_lifecycle_controller.go monitorNodeHealth.
#[test]
fn pods_of_nodes_that_are_gone_or_out_of_service_are_cleared_away() {
    let mut room = Room::new();
    let mut start = |name, node| {
        room.apply(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{nodeName: {node}, \
             containers: [{{name: c, image: 'nginx:1.27'}}]}}}}"
        ));
    };
    start("nowhere", "node-9");
    start("orphan", "node-1");
    start("stuck", "node-2");
    room.done("sleep 5");
    room.done("kubectl delete node node-1");
    stop(&mut room, &["node-2"]);
    room.done("sleep 30");
    let names = |room: &mut Room| room.field("pods", ".items[*].metadata.name");
    assert_eq!(names(&mut room), "nowhere orphan stuck");
    let removing = "RemovingNode x1: Node node-1 event: Removing Node node-1 from Controller";
    assert_eq!(room.events("reason=RemovingNode"), [removing]);
    room.done("sleep 35");
    assert_eq!(names(&mut room), "stuck");
    room.done("kubectl delete pod stuck --wait=false");
    room.done("kubectl taint node node-2 node.kubernetes.io/out-of-service=nodeshutdown:NoExecute");
    room.done("sleep 21");
    assert_eq!(names(&mut room), "");
}
