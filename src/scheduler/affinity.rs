//! Affinity: which nodes a pod wants, and which other pods it wants near or far.
//!
//! Models staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity and
//! staging/src/k8s.io/kube-scheduler/framework AffinityTerm.

use super::node_info::NodeInfo;
use crate::api::pod::PodSpec;
use crate::api::selector::{Operator, Requirement, requirement_from_value};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, Value};
use crate::store::Store;
use std::sync::Arc;

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

/// Preferred node affinity: the weights of the terms that a node fits.
pub fn preferred_node_score(spec: &PodSpec) -> Option<impl Fn(&NodeInfo) -> i64 + use<>> {
    let path = ["affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"];
    let terms = spec.tree.at(&path)?.as_array()?;
    let read = |term: &Value| {
        let preference = NodeTerm::from_value(term.get("preference").unwrap_or(&Value::Null));
        (term.int_at(&["weight"]).unwrap_or_default(), preference)
    };
    let terms: Vec<_> = terms.iter().map(read).collect();
    Some(move |info: &NodeInfo| {
        terms.iter().filter(|(_, term)| term.matches(&info.node)).map(|(weight, _)| weight).sum()
    })
}

/// Which other pods count for a rule, and what "near" means in it.
#[derive(Clone, Debug)]
pub struct AffinityTerm {
    selector: Option<Selector>,
    namespaces: Vec<String>,
    namespace_selector: Option<Selector>,
    /// The node label whose value pods near each other share.
    pub topology_key: String,
}

impl AffinityTerm {
    fn from_value(value: &Value, owner: &Object) -> Self {
        let mut selector = Selector::from_label_selector(value.at(&["labelSelector"]));
        if let Some(selector) = &mut selector {
            let keys = |key| value.items_at(&[key]).iter().filter_map(Value::as_str);
            let labels = &owner.meta.labels;
            let mut add = |key: &str, operator| {
                if let Some(value) = labels.get(key) {
                    let (key, values) = (key.to_owned(), vec![value.to_owned()]);
                    selector.requirements.push(Requirement { key, operator, values });
                }
            };
            keys("matchLabelKeys").for_each(|key| add(key, Operator::In));
            keys("mismatchLabelKeys").for_each(|key| add(key, Operator::NotIn));
        }
        let namespaces = value.items_at(&["namespaces"]).iter().filter_map(Value::as_str);
        let mut namespaces: Vec<String> = namespaces.map(str::to_owned).collect();
        let namespace_selector = Selector::from_label_selector(value.at(&["namespaceSelector"]));
        if namespaces.is_empty() && namespace_selector.is_none() {
            namespaces.push(owner.meta.namespace.to_string());
        }
        let topology_key = value.str_at(&["topologyKey"]).unwrap_or_default().to_owned();
        AffinityTerm { selector, namespaces, namespace_selector, topology_key }
    }

    /// Whether a pod counts.
    pub fn matches(&self, pod: &Object, store: &Store) -> bool {
        let in_namespace = self.namespaces.iter().any(|name| **name == *pod.meta.namespace)
            || self.namespace_selector.as_ref().is_some_and(|selector| {
                let namespace = store.find(Kind::Namespace, "", &pod.meta.namespace);
                namespace.is_some_and(|namespace| selector.matches(&namespace.meta.labels))
            });
        let selected = |selector: &Selector| selector.matches(&pod.meta.labels);
        in_namespace && self.selector.as_ref().is_some_and(selected)
    }
}

/// What a pod wants of other pods.
#[derive(Clone, Debug, Default)]
pub struct PodAffinity {
    /// Must be near these.
    pub required: Vec<AffinityTerm>,
    /// Must be far from these.
    pub required_anti: Vec<AffinityTerm>,
    /// Rather near these, with weights from 1 to 100.
    pub preferred: Vec<(i64, AffinityTerm)>,
    /// Rather far from these, with weights from 1 to 100.
    pub preferred_anti: Vec<(i64, AffinityTerm)>,
}

impl PodAffinity {
    /// A pod's affinity to other pods; `None` if it has none.
    pub fn of(pod: &Object) -> Option<Self> {
        let affinity = pod.pod()?.spec.tree.get("affinity")?;
        let required = |key| {
            let path = [key, "requiredDuringSchedulingIgnoredDuringExecution"];
            let terms = affinity.items_at(&path).iter();
            terms.map(|term| AffinityTerm::from_value(term, pod)).collect::<Vec<_>>()
        };
        let preferred = |key| {
            let path = [key, "preferredDuringSchedulingIgnoredDuringExecution"];
            let terms = affinity.items_at(&path).iter().map(|term| {
                let inner = term.get("podAffinityTerm").unwrap_or(&Value::Null);
                let weight = term.int_at(&["weight"]).unwrap_or_default();
                (weight, AffinityTerm::from_value(inner, pod))
            });
            terms.collect::<Vec<_>>()
        };
        let all = PodAffinity {
            required: required("podAffinity"),
            required_anti: required("podAntiAffinity"),
            preferred: preferred("podAffinity"),
            preferred_anti: preferred("podAntiAffinity"),
        };
        let is_empty = all.required.is_empty()
            && all.required_anti.is_empty()
            && all.preferred.is_empty()
            && all.preferred_anti.is_empty();
        (!is_empty).then_some(all)
    }
}

/// Whether a node fits a `v1.NodeSelector` (`{nodeSelectorTerms: […]}`).
pub fn node_selector_matches(selector: &Value, node: &Object) -> bool {
    let terms = selector.items_at(&["nodeSelectorTerms"]).iter();
    terms.map(NodeTerm::from_value).any(|term| term.matches(node))
}
