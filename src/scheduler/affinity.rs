//! Affinity between pods: which other pods a pod wants near or far.
//!
//! Models staging/src/k8s.io/kube-scheduler/framework AffinityTerm.

use crate::api::selector::{Operator, Requirement};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector, Value};
use crate::store::Store;

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
