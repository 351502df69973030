//! Node affinity: which nodes a pod, a volume or a DaemonSet may use.
//!
//! The scheduler, the DaemonSet controller and the volume binder all ask it.
//!
//! Models staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity.

use super::pod::PodSpec;
use super::selector::{Operator, Requirement, requirement_from_value};
use super::tree::Tree as _;
use super::{Object, Value};
use std::sync::Arc;

/// The annotation by which the scheduler tells a claim's provisioner the node of its pod.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// What a pod demands of its node: `nodeSelector` and required node affinity.
#[derive(Clone, Debug)]
pub struct RequiredNodes {
    spec: Arc<PodSpec>,
    terms: Option<Vec<NodeTerm>>,
}

/// One alternative: labels and fields that must all fit.
#[derive(Clone, Debug)]
struct NodeTerm {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

impl NodeTerm {
    fn from_value(value: &Value) -> Self {
        let read = |key| value.items_at(&[key]).iter().filter_map(requirement_from_value).collect();
        NodeTerm { labels: read("matchExpressions"), fields: read("matchFields") }
    }

    /// A term without conditions selects no node.
    fn matches(&self, node: &Object) -> bool {
        if self.labels.is_empty() && self.fields.is_empty() {
            return false;
        }
        let labels = &node.meta.labels;
        self.labels.iter().all(|r| r.matches_value(labels.get(&r.key)))
            && self.fields.iter().all(|r| r.matches_value(Some(&node.meta.name)))
    }
}

impl RequiredNodes {
    /// The demands of a pod.
    pub fn of(spec: &Arc<PodSpec>) -> Self {
        let path = [
            "affinity",
            "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution",
            "nodeSelectorTerms",
        ];
        let terms = spec.tree.at(&path).and_then(Value::as_array);
        let terms = terms.map(|terms| terms.iter().map(NodeTerm::from_value).collect());
        RequiredNodes { spec: spec.clone(), terms }
    }

    /// Whether anything is demanded.
    pub fn is_anything(&self) -> bool {
        self.terms.is_some() || !self.spec.node_selector.is_everything()
    }

    /// Whether a node will do.
    pub fn matches(&self, node: &Object) -> bool {
        self.spec.selects_node(&node.meta.labels)
            && self.terms.as_ref().is_none_or(|terms| terms.iter().any(|term| term.matches(node)))
    }

    /// The node names that the terms ask for by `metadata.name`, if every term does.
    ///
    /// Models pkg/scheduler/framework/plugins/nodeaffinity NodeAffinity.PreFilter.
    pub fn names(&self) -> Option<Vec<String>> {
        let mut names: Vec<String> = Vec::new();
        for term in self.terms.iter().flatten() {
            let by_name = |r: &&Requirement| r.key == "metadata.name" && r.operator == Operator::In;
            let mut wanted: Option<Vec<String>> = None;
            for requirement in term.fields.iter().filter(by_name) {
                let kept = requirement.values.iter();
                let kept = kept.filter(|v| wanted.as_ref().is_none_or(|w| w.contains(v)));
                wanted = Some(kept.cloned().collect());
            }
            names.extend(wanted?);
        }
        (self.terms.as_ref().is_some_and(|terms| !terms.is_empty())).then_some(names)
    }
}

/// Whether a node fits a `v1.NodeSelector` (`{nodeSelectorTerms: […]}`).
pub fn node_selector_matches(selector: &Value, node: &Object) -> bool {
    let terms = selector.items_at(&["nodeSelectorTerms"]).iter();
    terms.map(NodeTerm::from_value).any(|term| term.matches(node))
}

/// Preferred node affinity: the weights of the terms that a node fits.
pub fn preferred_node_score(spec: &PodSpec) -> Option<impl Fn(&Object) -> i64 + use<>> {
    let path = ["affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"];
    let terms = spec.tree.at(&path)?.as_array()?;
    let read = |term: &Value| {
        let preference = NodeTerm::from_value(term.get("preference").unwrap_or(&Value::Null));
        (term.int_at(&["weight"]).unwrap_or_default(), preference)
    };
    let terms: Vec<_> = terms.iter().map(read).collect();
    Some(move |node: &Object| {
        terms.iter().filter(|(_, term)| term.matches(node)).map(|(weight, _)| weight).sum()
    })
}
