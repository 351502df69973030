//! Decisions that a real kube-scheduler 1.36 took on recorded clusters, taken again here: the nodes
//! that would do, every plugin's weighted points for them, the winner, and the words where none did.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the recordings are this test's own: where one is wrong, the test fails at its line"
)]

use diorama::api::Value;
use diorama::scheduler::explain_state;
use std::collections::BTreeSet;

const CASES: [&str; 9] = [
    include_str!("conformance/schedule/case-00.json"),
    include_str!("conformance/schedule/case-08.json"),
    include_str!("conformance/schedule/case-20.json"),
    include_str!("conformance/schedule/case-24.json"),
    include_str!("conformance/schedule/case-36.json"),
    include_str!("conformance/schedule/case-44.json"),
    include_str!("conformance/schedule/case-60.json"),
    include_str!("conformance/schedule/case-64.json"),
    include_str!("conformance/schedule/case-68.json"),
];

/// The nodes that no filter refused, by name.
fn feasible(explanation: &Value) -> Vec<(&str, &Value)> {
    let nodes = explanation["nodes"].as_array().unwrap().iter();
    let passed = nodes.filter(|node| node.get("filter").is_none_or(Value::is_null));
    passed.map(|node| (node["name"].as_str().unwrap(), node)).collect()
}

fn check(case: &Value) {
    let name = case["name"].as_str().unwrap();
    let (real, ours) = (&case["real"], explain_state(&case["state"], &case["pod"]));
    let Some(node) = real["node"].as_str() else {
        assert_eq!(ours["message"], real["message"], "{name}");
        return;
    };
    let best = ours["best"].as_array().unwrap();
    assert!(best.iter().any(|one| one == node), "{name}: {node} is among {best:?}");
    let totals = real["total"].as_object().unwrap();
    let nodes = feasible(&ours);
    let names: BTreeSet<&str> = nodes.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, totals.keys().map(String::as_str).collect(), "{name}");
    for (node, points) in nodes {
        assert_eq!(points["total"], totals[node], "{name}: {node}");
        for (plugin, weighted) in real["weighted"][node].as_object().unwrap() {
            // A plugin without an opinion gave nothing.
            let ours = points["scores"][plugin.as_str()]["weighted"].as_i64().unwrap_or(0);
            assert_eq!(ours, weighted.as_i64().unwrap(), "{name}: {plugin} on {node}");
        }
    }
}

#[test]
fn recorded_clusters_are_scheduled_as_they_were() {
    for text in CASES {
        check(&serde_json::from_str(text).unwrap());
    }
}
