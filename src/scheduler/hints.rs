//! Which changes could help a pod that found no node: each plugin is asked whether its no could
//! have become a yes.
//!
//! Models the EventsToRegister and QueueingHintFns of the plugins, and pkg/scheduler/scheduler.go
//! buildQueueingHintMap.

use super::plugins::{
    ZONE_LABELS, claims_of, fits_when_empty, grew, inter_pod_affinity, pod_topology_spread,
    ports_conflict, repels, tolerates_cordon,
};
use crate::api::node_affinity::RequiredNodes;
use crate::api::pod::Taint;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, PodSpec, StringMap};
use crate::store::{ObjectKey, Store};
use std::sync::Arc;

/// The plugins that refuse nodes; the place of each is its bit.
const PLUGINS: [&str; 11] = [
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
];

/// The bit of a plugin.
pub(super) fn bit(plugin: &str) -> u32 {
    PLUGINS.iter().zip(0..).find(|(name, _)| **name == plugin).map_or(0, |(_, place)| 1 << place)
}

/// A change that the scheduler hears of. Pods are those that have a node.
#[derive(Clone, Copy, Debug)]
pub(super) enum News<'a> {
    /// A node came.
    NodeAdded(&'a Object),
    /// A node went.
    NodeGone(&'a Object),
    /// A node's labels, taints, cordon or size are others now.
    NodeChanged { old: &'a Object, new: &'a Object },
    /// A pod got a node.
    PodAdded(&'a Object),
    /// A pod left its node, or ended.
    PodGone(&'a Object),
    /// A pod's labels changed.
    PodChanged { old: &'a Object, new: &'a Object },
    /// The labels or tolerations of the waiting pod itself changed.
    Itself { old: &'a Object, new: &'a Object },
    /// A claim came or changed.
    Claim { key: &'a ObjectKey, is_new: bool },
    /// A volume came or changed.
    Volume { old: Option<&'a Object>, new: &'a Object },
    /// A class came or changed.
    Class { old: Option<&'a Object>, new: &'a Object },
}

impl News<'_> {
    /// The plugins that may care at all.
    pub(super) fn interested(&self) -> u32 {
        let names: &[&str] = match self {
            News::NodeAdded(_) | News::NodeChanged { .. } => &PLUGINS,
            News::NodeGone(_) => &["PodTopologySpread"],
            News::PodAdded(_) | News::PodChanged { .. } => {
                &["PodTopologySpread", "InterPodAffinity"]
            }
            News::PodGone(_) => &[
                "NodeResourcesFit",
                "NodePorts",
                "VolumeRestrictions",
                "PodTopologySpread",
                "InterPodAffinity",
            ],
            News::Itself { .. } => {
                &["NodeUnschedulable", "TaintToleration", "PodTopologySpread", "InterPodAffinity"]
            }
            News::Claim { .. } => &["VolumeRestrictions", "VolumeBinding", "VolumeZone"],
            News::Volume { .. } | News::Class { .. } => &["VolumeBinding", "VolumeZone"],
        };
        names.iter().fold(0, |bits, name| bits | bit(name))
    }

    /// Whether this could turn the no of one of these plugins to `pod` into a yes.
    pub(super) fn could_help(&self, store: &Store, pod: &Object, refused_by: u32) -> bool {
        let Some(facts) = pod.pod() else { return false };
        let refused = PLUGINS.iter().filter(|name| refused_by & bit(name) != 0);
        refused.copied().any(|plugin| match *self {
            News::NodeAdded(node) => node_added(plugin, pod, &facts.spec, node),
            News::NodeGone(node) => pod_topology_spread::has_all_keys(pod, node),
            News::NodeChanged { old, new } => node_changed(plugin, pod, &facts.spec, (old, new)),
            News::PodAdded(other) => match plugin {
                "PodTopologySpread" => pod_topology_spread::is_counted(pod, other),
                _ => inter_pod_affinity::is_wanted(store, pod, other),
            },
            News::PodGone(other) => pod_gone(store, plugin, pod, &facts.spec, other),
            News::PodChanged { old, new } => match plugin {
                "PodTopologySpread" => pod_topology_spread::counts_otherwise(pod, old, new),
                _ => inter_pod_affinity::is_wanted_now(store, pod, old, new),
            },
            News::Itself { old, new } => itself(plugin, &facts.spec, old, new),
            News::Claim { key, is_new } => {
                (is_new || plugin != "VolumeRestrictions")
                    && pod.meta.namespace == key.namespace
                    && claims_of(&facts.spec).any(|name| *name == *key.name)
            }
            News::Volume { old, new } => plugin == "VolumeBinding" || rezoned(old, new),
            News::Class { old, new } => class(plugin, old, new),
        })
    }
}

fn taints(node: &Object) -> Vec<Taint> {
    node.spec().items_at(&["taints"]).iter().filter_map(Taint::from_value).collect()
}

fn is_cordoned(node: &Object) -> bool {
    node.spec().bool_at(&["unschedulable"]).unwrap_or_default()
}

fn is_repelled(node: &Object, spec: &PodSpec) -> bool {
    taints(node).iter().any(|taint| repels(taint, spec))
}

fn node_added(plugin: &str, pod: &Object, spec: &Arc<PodSpec>, node: &Object) -> bool {
    match plugin {
        "NodeUnschedulable" => !is_cordoned(node),
        "TaintToleration" => !is_repelled(node, spec),
        "NodeAffinity" => RequiredNodes::of(spec).matches(node),
        "NodeResourcesFit" => fits_when_empty(spec, node),
        "PodTopologySpread" => pod_topology_spread::has_all_keys(pod, node),
        "InterPodAffinity" => inter_pod_affinity::changes_domain(pod, None, node),
        _ => true,
    }
}

/// A change of taints, or the end of a cordon, wakes also those that only care for new nodes.
fn node_changed(
    plugin: &str,
    pod: &Object,
    spec: &Arc<PodSpec>,
    (old, new): (&Object, &Object),
) -> bool {
    let uncordoned = is_cordoned(old) && !is_cordoned(new);
    let retainted = taints(old) != taints(new);
    let relabelled = old.meta.labels != new.meta.labels;
    match plugin {
        "NodeUnschedulable" => uncordoned,
        "TaintToleration" => {
            (uncordoned || retainted) && is_repelled(old, spec) && !is_repelled(new, spec)
        }
        "PodTopologySpread" => pod_topology_spread::changes_domain(pod, old, new, retainted),
        _ if uncordoned || retainted => true,
        "NodeAffinity" => {
            let required = RequiredNodes::of(spec);
            relabelled && required.matches(new) && !required.matches(old)
        }
        "NodeResourcesFit" => fits_when_empty(spec, new) && grew(spec, old, new),
        "InterPodAffinity" => relabelled && inter_pod_affinity::changes_domain(pod, Some(old), new),
        "VolumeBinding" | "VolumeZone" => relabelled,
        _ => false,
    }
}

fn pod_gone(store: &Store, plugin: &str, pod: &Object, spec: &PodSpec, other: &Object) -> bool {
    let Some(theirs) = other.pod().map(|facts| &facts.spec) else { return false };
    match plugin {
        "NodeResourcesFit" => true,
        "NodePorts" => ports_conflict(spec, theirs),
        "VolumeRestrictions" => {
            pod.meta.namespace == other.meta.namespace
                && claims_of(spec).any(|name| claims_of(theirs).any(|other| other == name))
        }
        "PodTopologySpread" => pod_topology_spread::is_counted(pod, other),
        _ => inter_pod_affinity::is_unwanted(store, pod, other),
    }
}

fn itself(plugin: &str, spec: &PodSpec, old: &Object, new: &Object) -> bool {
    let tolerations =
        |object: &Object| object.pod().map_or(0, |facts| facts.spec.tolerations.len());
    let tolerates_more = tolerations(old) != tolerations(new);
    match plugin {
        "NodeUnschedulable" => tolerates_more && tolerates_cordon(spec),
        "TaintToleration" => tolerates_more,
        "PodTopologySpread" => {
            tolerates_more && pod_topology_spread::honors_taints(new)
                || pod_topology_spread::counts_otherwise(new, old, new)
        }
        _ => old.meta.labels != new.meta.labels,
    }
}

/// Models volumezone/volume_zone.go isSchedulableAfterPersistentVolumeChange.
fn rezoned(old: Option<&Object>, new: &Object) -> bool {
    let zone = |labels: &StringMap| ZONE_LABELS.map(|key| labels.get(key).map(str::to_owned));
    old.is_none_or(|old| zone(&old.meta.labels) != zone(&new.meta.labels))
}

fn class(plugin: &str, old: Option<&Object>, new: &Object) -> bool {
    let topologies = |class: &Object| class.content().get("allowedTopologies").cloned();
    match (plugin, old) {
        ("VolumeBinding", Some(old)) => topologies(old) != topologies(new),
        ("VolumeBinding", None) => true,
        (_, None) => {
            new.kind == Kind::StorageClass
                && new.content().str_at(&["volumeBindingMode"]) == Some("WaitForFirstConsumer")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Value;
    use crate::base::Rng;
    use serde_json::json;

    fn node(fields: &Value) -> Object {
        let mut value = json!({
            "metadata": {"name": "a", "labels": {"zone": "x"}},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
        });
        for (key, field) in fields.as_object().into_iter().flatten() {
            value[key] = field.clone();
        }
        Object::from_value(Kind::Node, value)
    }

    fn pod(name: &str, labels: &Value, spec: &Value) -> Object {
        let mut spec = spec.clone();
        if spec.get("containers").is_none() {
            spec["containers"] = json!([{"name": "c", "image": "nginx"}]);
        }
        let meta = json!({"name": name, "namespace": "n", "labels": labels});
        Object::from_value(Kind::Pod, json!({"metadata": meta, "spec": spec}))
    }

    fn could_help(plugin: &str, waiting: &Object, news: News<'_>) -> bool {
        let refused_by = bit(plugin) & news.interested();
        news.could_help(&Store::new(Rng::new(1)), waiting, refused_by)
    }

    /// Cases of the plugins' Test_isSchedulableAfterNodeChange.
    #[test]
    fn a_changed_node_helps_those_whose_plugin_may_say_yes_now() {
        let asking = |cpus: &str| {
            let resources = json!({"requests": {"cpu": cpus}});
            json!({"containers": [{"name": "c", "image": "a", "resources": resources}]})
        };
        let (big, huge) = (asking("6"), asking("60"));
        let plain = node(&json!({}));
        let larger = node(&json!({"status": {"allocatable": {"cpu": "8", "memory": "8Gi"}}}));
        let tainted = json!({"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}});
        let tainted = node(&tainted);
        let cordoned = node(&json!({"spec": {"unschedulable": true}}));
        let moved = node(&json!({"metadata": {"name": "a", "labels": {"zone": "y"}}}));
        let ssd = node(&json!({"metadata": {"name": "a", "labels": {"zone": "x", "disk": "ssd"}}}));
        let near = json!({"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "zone"});
        let near = json!({"affinity": {"podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [near],
        }}});
        let spread = json!({"topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"a": "b"}},
        }]});
        let selects = json!({"nodeSelector": {"disk": "ssd"}});
        let nothing = json!({});
        let cases = [
            ("NodeResourcesFit", &big, &plain, &larger, true),
            ("NodeResourcesFit", &huge, &plain, &larger, false),
            ("NodeResourcesFit", &big, &larger, &plain, false),
            // Which is not its own affair, but upstream wakes it (issue 109437).
            ("NodeResourcesFit", &big, &plain, &tainted, true),
            ("NodeResourcesFit", &big, &plain, &moved, false),
            ("TaintToleration", &nothing, &tainted, &plain, true),
            ("TaintToleration", &nothing, &plain, &tainted, false),
            ("NodeUnschedulable", &nothing, &cordoned, &plain, true),
            ("NodeUnschedulable", &nothing, &tainted, &plain, false),
            ("NodeAffinity", &selects, &plain, &ssd, true),
            ("NodeAffinity", &selects, &ssd, &plain, false),
            ("NodeAffinity", &selects, &plain, &moved, false),
            ("InterPodAffinity", &near, &plain, &moved, true),
            ("InterPodAffinity", &near, &plain, &ssd, false),
            ("PodTopologySpread", &spread, &plain, &moved, true),
            ("PodTopologySpread", &spread, &plain, &ssd, false),
            ("PodTopologySpread", &spread, &plain, &tainted, true),
            ("NodePorts", &nothing, &plain, &larger, false),
            ("VolumeBinding", &nothing, &plain, &ssd, true),
        ];
        for (plugin, spec, old, new, expected) in cases {
            let waiting = pod("p", &json!({"a": "b"}), spec);
            let news = News::NodeChanged { old, new };
            let what = format!("{plugin}: {} -> {}", old.to_value(), new.to_value());
            assert_eq!(could_help(plugin, &waiting, news), expected, "{what}");
        }
    }

    #[test]
    fn a_pod_that_left_helps_those_that_it_kept_away() {
        let on_port = json!({"containers": [{"name": "c", "image": "a", "ports": [
            {"containerPort": 80, "hostPort": 80, "protocol": "TCP", "hostIP": "0.0.0.0"},
        ]}]});
        let with_disk = json!({"volumes": [
            {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
        ]});
        let far = json!({"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "zone"});
        let far = json!({"affinity": {"podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [far],
        }}});
        let nothing = json!({});
        let cases = [
            ("NodeResourcesFit", &nothing, &nothing, true),
            ("NodePorts", &on_port, &on_port, true),
            ("NodePorts", &on_port, &nothing, false),
            ("VolumeRestrictions", &with_disk, &with_disk, true),
            ("VolumeRestrictions", &with_disk, &nothing, false),
            ("InterPodAffinity", &far, &nothing, true),
            ("InterPodAffinity", &nothing, &far, true),
            ("InterPodAffinity", &nothing, &nothing, false),
            ("TaintToleration", &nothing, &nothing, false),
        ];
        for (plugin, waiting, gone, expected) in cases {
            let waiting = pod("p", &json!({"a": "b"}), waiting);
            let gone = pod("q", &json!({"a": "b"}), gone);
            assert_eq!(could_help(plugin, &waiting, News::PodGone(&gone)), expected, "{plugin}");
        }
    }

    #[test]
    fn claims_help_the_pods_that_use_them_and_volumes_everybody() {
        let with_disk = json!({"volumes": [
            {"name": "v", "persistentVolumeClaim": {"claimName": "data"}},
        ]});
        let waiting = pod("p", &json!({}), &with_disk);
        let (mine, other) = (ObjectKey::new("n", "data"), ObjectKey::new("n", "other"));
        let claim = |key, is_new| News::Claim { key, is_new };
        assert!(could_help("VolumeBinding", &waiting, claim(&mine, false)));
        assert!(!could_help("VolumeBinding", &waiting, claim(&other, false)));
        assert!(could_help("VolumeRestrictions", &waiting, claim(&mine, true)));
        assert!(!could_help("VolumeRestrictions", &waiting, claim(&mine, false)));
        let volume = Object::from_value(
            Kind::PersistentVolume,
            json!({"metadata": {"name": "v"}, "spec": {}}),
        );
        let changed = News::Volume { old: Some(&volume), new: &volume };
        assert!(could_help("VolumeBinding", &waiting, changed));
        assert!(!could_help("VolumeZone", &waiting, changed));
    }
}
