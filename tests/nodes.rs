//! Nodes that are tainted, silent or gone, and what becomes of their pods, typed into a console.

#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "a test stops where it cannot go on")]

mod room;

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
    diorama::base::order::sort(&mut all);
    diorama::base::order::sort(&mut events);
    assert_eq!(events, all);
    assert_eq!(room.field("pods", ".items[*].metadata.name"), "a");
    // Such an event says no UID, so describe does not find it.
    let described = room.done("kubectl describe pod a");
    assert!(!described.contains("Cancelling"), "{described}");
}
