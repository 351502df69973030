//! The kinds the model knows and how the API names them.

use core::fmt;

/// One kind of object of the Kubernetes API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "each is the Kubernetes kind of that name")]
pub enum Kind {
    Pod,
    ReplicationController,
    PodTemplate,
    Service,
    Endpoints,
    ConfigMap,
    Secret,
    ServiceAccount,
    Event,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    ResourceQuota,
    LimitRange,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Job,
    CronJob,
    EndpointSlice,
    Ingress,
    IngressClass,
    NetworkPolicy,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    PriorityClass,
    StorageClass,
    Lease,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    CustomResourceDefinition,
    GatewayClass,
    Gateway,
    HttpRoute,
}

/// How the API names a kind: what `kubectl api-resources` prints of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The kind.
    pub kind: Kind,
    /// The kind's name, `EndpointSlice`.
    pub name: &'static str,
    /// The API group, empty for the core group.
    pub group: &'static str,
    /// The version served, `v1`.
    pub version: &'static str,
    /// The plural in lower case, as in a URL.
    pub plural: &'static str,
    /// The singular in lower case.
    pub singular: &'static str,
    /// Short names that kubectl knows.
    pub short_names: &'static [&'static str],
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// Whether `kubectl get all` lists it.
    pub in_all: bool,
}

const fn resource(
    kind: Kind,
    name: &'static str,
    api: (&'static str, &'static str),
    words: (&'static str, &'static str),
    short_names: &'static [&'static str],
    (namespaced, in_all): (bool, bool),
) -> Resource {
    let ((group, version), (plural, singular)) = (api, words);
    Resource { kind, name, group, version, plural, singular, short_names, namespaced, in_all }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");
const RBAC: (&str, &str) = ("rbac.authorization.k8s.io", "v1");
const GATEWAY: (&str, &str) = ("gateway.networking.k8s.io", "v1");
const CLUSTER: (bool, bool) = (false, false);
const NAMESPACED: (bool, bool) = (true, false);
const IN_ALL: (bool, bool) = (true, true);

/// Every kind, in the order of [`Kind`].
#[rustfmt::skip]
const RESOURCES: [Resource; 39] = [
    resource(Kind::Pod, "Pod", CORE, ("pods", "pod"), &["po"], IN_ALL),
    resource(Kind::ReplicationController, "ReplicationController", CORE, ("replicationcontrollers", "replicationcontroller"), &["rc"], IN_ALL),
    resource(Kind::PodTemplate, "PodTemplate", CORE, ("podtemplates", "podtemplate"), &[], NAMESPACED),
    resource(Kind::Service, "Service", CORE, ("services", "service"), &["svc"], IN_ALL),
    resource(Kind::Endpoints, "Endpoints", CORE, ("endpoints", "endpoints"), &["ep"], NAMESPACED),
    resource(Kind::ConfigMap, "ConfigMap", CORE, ("configmaps", "configmap"), &["cm"], NAMESPACED),
    resource(Kind::Secret, "Secret", CORE, ("secrets", "secret"), &[], NAMESPACED),
    resource(Kind::ServiceAccount, "ServiceAccount", CORE, ("serviceaccounts", "serviceaccount"), &["sa"], NAMESPACED),
    resource(Kind::Event, "Event", CORE, ("events", "event"), &["ev"], NAMESPACED),
    resource(Kind::Namespace, "Namespace", CORE, ("namespaces", "namespace"), &["ns"], CLUSTER),
    resource(Kind::Node, "Node", CORE, ("nodes", "node"), &["no"], CLUSTER),
    resource(Kind::PersistentVolume, "PersistentVolume", CORE, ("persistentvolumes", "persistentvolume"), &["pv"], CLUSTER),
    resource(Kind::PersistentVolumeClaim, "PersistentVolumeClaim", CORE, ("persistentvolumeclaims", "persistentvolumeclaim"), &["pvc"], NAMESPACED),
    resource(Kind::ResourceQuota, "ResourceQuota", CORE, ("resourcequotas", "resourcequota"), &["quota"], NAMESPACED),
    resource(Kind::LimitRange, "LimitRange", CORE, ("limitranges", "limitrange"), &["limits"], NAMESPACED),
    resource(Kind::Deployment, "Deployment", APPS, ("deployments", "deployment"), &["deploy"], IN_ALL),
    resource(Kind::ReplicaSet, "ReplicaSet", APPS, ("replicasets", "replicaset"), &["rs"], IN_ALL),
    resource(Kind::StatefulSet, "StatefulSet", APPS, ("statefulsets", "statefulset"), &["sts"], IN_ALL),
    resource(Kind::DaemonSet, "DaemonSet", APPS, ("daemonsets", "daemonset"), &["ds"], IN_ALL),
    resource(Kind::ControllerRevision, "ControllerRevision", APPS, ("controllerrevisions", "controllerrevision"), &[], NAMESPACED),
    resource(Kind::Job, "Job", BATCH, ("jobs", "job"), &[], IN_ALL),
    resource(Kind::CronJob, "CronJob", BATCH, ("cronjobs", "cronjob"), &["cj"], IN_ALL),
    resource(Kind::EndpointSlice, "EndpointSlice", ("discovery.k8s.io", "v1"), ("endpointslices", "endpointslice"), &[], NAMESPACED),
    resource(Kind::Ingress, "Ingress", NETWORKING, ("ingresses", "ingress"), &["ing"], NAMESPACED),
    resource(Kind::IngressClass, "IngressClass", NETWORKING, ("ingressclasses", "ingressclass"), &[], CLUSTER),
    resource(Kind::NetworkPolicy, "NetworkPolicy", NETWORKING, ("networkpolicies", "networkpolicy"), &["netpol"], NAMESPACED),
    resource(Kind::HorizontalPodAutoscaler, "HorizontalPodAutoscaler", ("autoscaling", "v2"), ("horizontalpodautoscalers", "horizontalpodautoscaler"), &["hpa"], IN_ALL),
    resource(Kind::PodDisruptionBudget, "PodDisruptionBudget", ("policy", "v1"), ("poddisruptionbudgets", "poddisruptionbudget"), &["pdb"], NAMESPACED),
    resource(Kind::PriorityClass, "PriorityClass", ("scheduling.k8s.io", "v1"), ("priorityclasses", "priorityclass"), &["pc"], CLUSTER),
    resource(Kind::StorageClass, "StorageClass", ("storage.k8s.io", "v1"), ("storageclasses", "storageclass"), &["sc"], CLUSTER),
    resource(Kind::Lease, "Lease", ("coordination.k8s.io", "v1"), ("leases", "lease"), &[], NAMESPACED),
    resource(Kind::Role, "Role", RBAC, ("roles", "role"), &[], NAMESPACED),
    resource(Kind::ClusterRole, "ClusterRole", RBAC, ("clusterroles", "clusterrole"), &[], CLUSTER),
    resource(Kind::RoleBinding, "RoleBinding", RBAC, ("rolebindings", "rolebinding"), &[], NAMESPACED),
    resource(Kind::ClusterRoleBinding, "ClusterRoleBinding", RBAC, ("clusterrolebindings", "clusterrolebinding"), &[], CLUSTER),
    resource(Kind::CustomResourceDefinition, "CustomResourceDefinition", ("apiextensions.k8s.io", "v1"), ("customresourcedefinitions", "customresourcedefinition"), &["crd", "crds"], CLUSTER),
    resource(Kind::GatewayClass, "GatewayClass", GATEWAY, ("gatewayclasses", "gatewayclass"), &["gc"], CLUSTER),
    resource(Kind::Gateway, "Gateway", GATEWAY, ("gateways", "gateway"), &["gtw"], NAMESPACED),
    resource(Kind::HttpRoute, "HTTPRoute", GATEWAY, ("httproutes", "httproute"), &[], NAMESPACED),
];

impl Kind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Kind> {
        RESOURCES.iter().map(|resource| resource.kind)
    }

    /// How the API names it.
    pub const fn resource(self) -> &'static Resource {
        #[expect(
            clippy::indexing_slicing,
            reason = "the table has a row for each kind, tested below"
        )]
        &RESOURCES[self as usize]
    }

    /// `Deployment`.
    pub const fn name(self) -> &'static str {
        self.resource().name
    }

    /// `deployments`.
    pub const fn plural(self) -> &'static str {
        self.resource().plural
    }

    /// Whether its objects live in a namespace.
    pub const fn namespaced(self) -> bool {
        self.resource().namespaced
    }

    /// `apps/v1`, `v1`.
    pub fn api_version(self) -> String {
        let Resource { group, version, .. } = self.resource();
        if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") }
    }

    /// `deployments.apps`, `pods`: how error messages name the resource.
    pub fn group_resource(self) -> String {
        let Resource { group, plural, .. } = self.resource();
        if group.is_empty() { (*plural).to_owned() } else { format!("{plural}.{group}") }
    }

    /// `deployment.apps`, `pod`: how kubectl names an object in front of `/NAME`.
    pub fn singular_group(self) -> String {
        let Resource { group, singular, .. } = self.resource();
        if group.is_empty() { (*singular).to_owned() } else { format!("{singular}.{group}") }
    }

    /// The kind of a manifest's `apiVersion` and `kind`, if this version of it is served.
    pub fn of_manifest(api_version: &str, kind: &str) -> Option<Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        RESOURCES
            .iter()
            .find(|r| r.name == kind && r.group == group && r.version == version)
            .map(|r| r.kind)
    }

    /// The kind that a person means on the command line: plural, singular, short name or kind, in
    /// any case, with or without group.
    pub fn of_word(word: &str) -> Option<Kind> {
        let word = word.to_ascii_lowercase();
        let (word, group) = word.split_once('.').unwrap_or((&word, ""));
        let named = |r: &&Resource| {
            r.plural == word
                || r.singular == word
                || r.short_names.contains(&word)
                || r.name.eq_ignore_ascii_case(word)
        };
        let group_fits = |r: &&Resource| {
            group.is_empty() || r.group == group || group == format!("{}.{}", r.version, r.group)
        };
        RESOURCES.iter().filter(group_fits).find(named).map(|r| r.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_kind_in_their_order() {
        for (index, resource) in RESOURCES.iter().enumerate() {
            assert_eq!(resource.kind as usize, index, "{}", resource.name);
        }
        assert_eq!(Kind::HttpRoute as usize + 1, RESOURCES.len());
    }

    #[test]
    fn people_name_kinds_in_many_ways() {
        for word in
            ["deploy", "Deployment", "deployments", "deployments.apps", "deployment.v1.apps"]
        {
            assert_eq!(Kind::of_word(word), Some(Kind::Deployment), "{word}");
        }
        assert_eq!(Kind::of_word("nosuch"), None);
        assert_eq!(Kind::of_word("pods.apps"), None);
    }

    #[test]
    fn only_the_served_version_of_a_kind_is_found() {
        assert_eq!(Kind::of_manifest("networking.k8s.io/v1", "Ingress"), Some(Kind::Ingress));
        assert_eq!(Kind::of_manifest("extensions/v1beta1", "Ingress"), None);
        assert_eq!(Kind::of_manifest("v1", "Deployment"), None);
    }
}
