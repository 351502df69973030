//! How the API names its kinds, and what can be asked of them: the data of `kubectl api-resources`.

/// How the API names a kind: what `kubectl api-resources` prints of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
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
    /// The categories that it belongs to, such as `all`.
    pub categories: &'static [&'static str],
    /// What can be asked of it, parted by commas.
    pub verbs: &'static str,
    /// All versions that a CustomResourceDefinition names, served or not; none of built-in kinds.
    pub versions: &'static [&'static str],
}

impl Resource {
    /// Whether something can be asked of it.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.split(',').any(|one| one == verb)
    }
}

/// What can be asked of most kinds.
const ANYTHING: &str = "create,delete,deletecollection,get,list,patch,update,watch";
/// What can be asked of custom kinds, in the order in which the API server says it.
pub(super) const ANYTHING_CUSTOM: &str =
    "delete,deletecollection,get,list,patch,create,update,watch";

const fn resource(
    name: &'static str,
    api: (&'static str, &'static str),
    words: (&'static str, &'static str),
    short_names: &'static [&'static str],
    (namespaced, categories, verbs): (bool, &'static [&'static str], &'static str),
) -> Resource {
    let ((group, version), (plural, singular)) = (api, words);
    let versions = &[];
    Resource {
        name,
        group,
        version,
        plural,
        singular,
        short_names,
        namespaced,
        categories,
        verbs,
        versions,
    }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");
const RBAC: (&str, &str) = ("rbac.authorization.k8s.io", "v1");

type Manner = (bool, &'static [&'static str], &'static str);
const CLUSTER: Manner = (false, &[], ANYTHING);
const NAMESPACED: Manner = (true, &[], ANYTHING);
const IN_ALL: Manner = (true, &["all"], ANYTHING);
const EXTENDS: Manner = (false, &["api-extensions"], ANYTHING);
const NOT_IN_BULK: Manner = (false, &[], "create,delete,get,list,patch,update,watch");
const ASKED: Manner = (false, &[], "create");

/// Every kind that something acts on, in the order of the kinds in `kind.rs`.
#[rustfmt::skip]
pub(super) const RESOURCES: [Resource; 36] = [
    resource("Pod", CORE, ("pods", "pod"), &["po"], IN_ALL),
    resource("ReplicationController", CORE, ("replicationcontrollers", "replicationcontroller"), &["rc"], IN_ALL),
    resource("PodTemplate", CORE, ("podtemplates", "podtemplate"), &[], NAMESPACED),
    resource("Service", CORE, ("services", "service"), &["svc"], IN_ALL),
    resource("Endpoints", CORE, ("endpoints", "endpoints"), &["ep"], NAMESPACED),
    resource("ConfigMap", CORE, ("configmaps", "configmap"), &["cm"], NAMESPACED),
    resource("Secret", CORE, ("secrets", "secret"), &[], NAMESPACED),
    resource("ServiceAccount", CORE, ("serviceaccounts", "serviceaccount"), &["sa"], NAMESPACED),
    resource("Event", CORE, ("events", "event"), &["ev"], NAMESPACED),
    resource("Namespace", CORE, ("namespaces", "namespace"), &["ns"], NOT_IN_BULK),
    resource("Node", CORE, ("nodes", "node"), &["no"], CLUSTER),
    resource("PersistentVolume", CORE, ("persistentvolumes", "persistentvolume"), &["pv"], CLUSTER),
    resource("PersistentVolumeClaim", CORE, ("persistentvolumeclaims", "persistentvolumeclaim"), &["pvc"], NAMESPACED),
    resource("ResourceQuota", CORE, ("resourcequotas", "resourcequota"), &["quota"], NAMESPACED),
    resource("LimitRange", CORE, ("limitranges", "limitrange"), &["limits"], NAMESPACED),
    resource("Deployment", APPS, ("deployments", "deployment"), &["deploy"], IN_ALL),
    resource("ReplicaSet", APPS, ("replicasets", "replicaset"), &["rs"], IN_ALL),
    resource("StatefulSet", APPS, ("statefulsets", "statefulset"), &["sts"], IN_ALL),
    resource("DaemonSet", APPS, ("daemonsets", "daemonset"), &["ds"], IN_ALL),
    resource("ControllerRevision", APPS, ("controllerrevisions", "controllerrevision"), &[], NAMESPACED),
    resource("Job", BATCH, ("jobs", "job"), &[], IN_ALL),
    resource("CronJob", BATCH, ("cronjobs", "cronjob"), &["cj"], IN_ALL),
    resource("EndpointSlice", ("discovery.k8s.io", "v1"), ("endpointslices", "endpointslice"), &[], NAMESPACED),
    resource("Ingress", NETWORKING, ("ingresses", "ingress"), &["ing"], NAMESPACED),
    resource("IngressClass", NETWORKING, ("ingressclasses", "ingressclass"), &[], CLUSTER),
    resource("NetworkPolicy", NETWORKING, ("networkpolicies", "networkpolicy"), &["netpol"], NAMESPACED),
    resource("HorizontalPodAutoscaler", ("autoscaling", "v2"), ("horizontalpodautoscalers", "horizontalpodautoscaler"), &["hpa"], IN_ALL),
    resource("PodDisruptionBudget", ("policy", "v1"), ("poddisruptionbudgets", "poddisruptionbudget"), &["pdb"], NAMESPACED),
    resource("PriorityClass", ("scheduling.k8s.io", "v1"), ("priorityclasses", "priorityclass"), &["pc"], CLUSTER),
    resource("StorageClass", ("storage.k8s.io", "v1"), ("storageclasses", "storageclass"), &["sc"], CLUSTER),
    resource("Lease", ("coordination.k8s.io", "v1"), ("leases", "lease"), &[], NAMESPACED),
    resource("Role", RBAC, ("roles", "role"), &[], NAMESPACED),
    resource("ClusterRole", RBAC, ("clusterroles", "clusterrole"), &[], CLUSTER),
    resource("RoleBinding", RBAC, ("rolebindings", "rolebinding"), &[], NAMESPACED),
    resource("ClusterRoleBinding", RBAC, ("clusterrolebindings", "clusterrolebinding"), &[], CLUSTER),
    resource("CustomResourceDefinition", ("apiextensions.k8s.io", "v1"), ("customresourcedefinitions", "customresourcedefinition"), &["crd", "crds"], EXTENDS),
];

const ADMISSION: (&str, &str) = ("admissionregistration.k8s.io", "v1");
const STORAGE: (&str, &str) = ("storage.k8s.io", "v1");
const DEVICES: (&str, &str) = ("resource.k8s.io", "v1");
const AUTHENTICATION: (&str, &str) = ("authentication.k8s.io", "v1");
const AUTHORIZATION: (&str, &str) = ("authorization.k8s.io", "v1");
const FLOW: (&str, &str) = ("flowcontrol.apiserver.k8s.io", "v1");

/// Built-in kinds that are only stored.
#[rustfmt::skip]
pub(super) static STORED: [Resource; 22] = [
    resource("ValidatingWebhookConfiguration", ADMISSION, ("validatingwebhookconfigurations", "validatingwebhookconfiguration"), &[], EXTENDS),
    resource("MutatingWebhookConfiguration", ADMISSION, ("mutatingwebhookconfigurations", "mutatingwebhookconfiguration"), &[], EXTENDS),
    resource("ValidatingAdmissionPolicy", ADMISSION, ("validatingadmissionpolicies", "validatingadmissionpolicy"), &[], EXTENDS),
    resource("ValidatingAdmissionPolicyBinding", ADMISSION, ("validatingadmissionpolicybindings", "validatingadmissionpolicybinding"), &[], EXTENDS),
    resource("APIService", ("apiregistration.k8s.io", "v1"), ("apiservices", "apiservice"), &[], EXTENDS),
    resource("CertificateSigningRequest", ("certificates.k8s.io", "v1"), ("certificatesigningrequests", "certificatesigningrequest"), &["csr"], CLUSTER),
    resource("FlowSchema", FLOW, ("flowschemas", "flowschema"), &[], CLUSTER),
    resource("PriorityLevelConfiguration", FLOW, ("prioritylevelconfigurations", "prioritylevelconfiguration"), &[], CLUSTER),
    resource("IPAddress", NETWORKING, ("ipaddresses", "ipaddress"), &["ip"], CLUSTER),
    resource("ServiceCIDR", NETWORKING, ("servicecidrs", "servicecidr"), &[], CLUSTER),
    resource("RuntimeClass", ("node.k8s.io", "v1"), ("runtimeclasses", "runtimeclass"), &[], CLUSTER),
    resource("CSIDriver", STORAGE, ("csidrivers", "csidriver"), &[], CLUSTER),
    resource("CSINode", STORAGE, ("csinodes", "csinode"), &[], CLUSTER),
    resource("VolumeAttachment", STORAGE, ("volumeattachments", "volumeattachment"), &[], CLUSTER),
    resource("VolumeAttributesClass", STORAGE, ("volumeattributesclasses", "volumeattributesclass"), &["vac"], CLUSTER),
    resource("MutatingAdmissionPolicy", ADMISSION, ("mutatingadmissionpolicies", "mutatingadmissionpolicy"), &[], EXTENDS),
    resource("MutatingAdmissionPolicyBinding", ADMISSION, ("mutatingadmissionpolicybindings", "mutatingadmissionpolicybinding"), &[], EXTENDS),
    resource("CSIStorageCapacity", STORAGE, ("csistoragecapacities", "csistoragecapacity"), &[], NAMESPACED),
    resource("DeviceClass", DEVICES, ("deviceclasses", "deviceclass"), &[], CLUSTER),
    resource("ResourceClaim", DEVICES, ("resourceclaims", "resourceclaim"), &[], NAMESPACED),
    resource("ResourceClaimTemplate", DEVICES, ("resourceclaimtemplates", "resourceclaimtemplate"), &[], NAMESPACED),
    resource("ResourceSlice", DEVICES, ("resourceslices", "resourceslice"), &[], CLUSTER),
];

/// What the API server answers questions about, and stores nothing of.
///
/// Simplified: it answers none of them here.
#[rustfmt::skip]
pub(super) static ASKED_ONLY: [Resource; 8] = [
    resource("Binding", CORE, ("bindings", "binding"), &[], (true, &[], "create")),
    resource("ComponentStatus", CORE, ("componentstatuses", "componentstatus"), &["cs"], (false, &[], "get,list")),
    resource("SelfSubjectReview", AUTHENTICATION, ("selfsubjectreviews", "selfsubjectreview"), &[], ASKED),
    resource("TokenReview", AUTHENTICATION, ("tokenreviews", "tokenreview"), &[], ASKED),
    resource("LocalSubjectAccessReview", AUTHORIZATION, ("localsubjectaccessreviews", "localsubjectaccessreview"), &[], (true, &[], "create")),
    resource("SelfSubjectAccessReview", AUTHORIZATION, ("selfsubjectaccessreviews", "selfsubjectaccessreview"), &[], ASKED),
    resource("SelfSubjectRulesReview", AUTHORIZATION, ("selfsubjectrulesreviews", "selfsubjectrulesreview"), &[], ASKED),
    resource("SubjectAccessReview", AUTHORIZATION, ("subjectaccessreviews", "subjectaccessreview"), &[], ASKED),
];

/// A second name under which a kind is served beside its own.
pub static SECOND_EVENTS: Resource =
    resource("Event", ("events.k8s.io", "v1"), ("events", "event"), &["ev"], NAMESPACED);
