//! The kinds the model knows and how the API names them.
//!
//! Kinds that only have to be stored (those of CustomResourceDefinitions, and built-in ones on which
//! nothing in the model acts) share [`Kind::Other`] and are told apart by their resource.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub use super::resource::Resource;
use super::resource::{ANYTHING_CUSTOM, ASKED_ONLY, RESOURCES, STORED};

/// One kind of object of the Kubernetes API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// A kind that is stored and shown, and on which nothing acts.
    Other(OtherKind),
}

/// One of the kinds that share [`Kind::Other`]. Two are equal if group and name are.
#[derive(Clone, Copy)]
pub struct OtherKind(&'static Resource);

impl OtherKind {
    const fn key(self) -> (&'static str, &'static str) {
        (self.0.group, self.0.name)
    }
}

impl PartialEq for OtherKind {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for OtherKind {}

impl PartialOrd for OtherKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OtherKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for OtherKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Debug for OtherKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// The kinds of [`RESOURCES`].
#[rustfmt::skip]
const KINDS: [Kind; 36] = [
    Kind::Pod,
    Kind::ReplicationController,
    Kind::PodTemplate,
    Kind::Service,
    Kind::Endpoints,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::ServiceAccount,
    Kind::Event,
    Kind::Namespace,
    Kind::Node,
    Kind::PersistentVolume,
    Kind::PersistentVolumeClaim,
    Kind::ResourceQuota,
    Kind::LimitRange,
    Kind::Deployment,
    Kind::ReplicaSet,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ControllerRevision,
    Kind::Job,
    Kind::CronJob,
    Kind::EndpointSlice,
    Kind::Ingress,
    Kind::IngressClass,
    Kind::NetworkPolicy,
    Kind::HorizontalPodAutoscaler,
    Kind::PodDisruptionBudget,
    Kind::PriorityClass,
    Kind::StorageClass,
    Kind::Lease,
    Kind::Role,
    Kind::ClusterRole,
    Kind::RoleBinding,
    Kind::ClusterRoleBinding,
    Kind::CustomResourceDefinition,
];

/// The kinds that CustomResourceDefinitions have named, in this process, by group and name. Whether
/// a cluster serves one is a question to its store.
static CUSTOM: Mutex<BTreeMap<(String, String), &'static Resource>> = Mutex::new(BTreeMap::new());

/// More custom kinds than this are not taken in: what a definition names stays in memory for good.
const MOST_CUSTOM: usize = 2048;

/// What a CustomResourceDefinition says of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomResource {
    /// The kind's name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// The version that clients prefer.
    pub version: String,
    /// All its versions.
    pub versions: Vec<String>,
    /// The plural in lower case.
    pub plural: String,
    /// The singular in lower case.
    pub singular: String,
    /// Short names.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
}

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

impl Kind {
    /// The kind of a CustomResourceDefinition. `None` if there are too many.
    pub fn custom(resource: CustomResource) -> Option<Kind> {
        let key = (resource.group.clone(), resource.name.clone());
        let mut custom = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
        let known = custom.get(&key).filter(|known| {
            known.version == resource.version
                && known.versions.iter().eq(resource.versions.iter())
                && known.plural == resource.plural
                && known.namespaced == resource.namespaced
                && known.categories.iter().eq(resource.categories.iter())
        });
        if let Some(known) = known {
            return Some(Kind::Other(OtherKind(known)));
        }
        if custom.len() >= MOST_CUSTOM {
            return None;
        }
        let leaked_all = |texts: Vec<String>| -> &'static [&'static str] {
            Box::leak(texts.into_iter().map(leaked).collect::<Vec<_>>().into_boxed_slice())
        };
        let new: &'static Resource = Box::leak(Box::new(Resource {
            name: leaked(resource.name),
            group: leaked(resource.group),
            version: leaked(resource.version),
            plural: leaked(resource.plural),
            singular: leaked(resource.singular),
            short_names: leaked_all(resource.short_names),
            namespaced: resource.namespaced,
            categories: leaked_all(resource.categories),
            verbs: ANYTHING_CUSTOM,
            versions: leaked_all(resource.versions),
        }));
        custom.insert(key, new);
        Some(Kind::Other(OtherKind(new)))
    }

    /// Every kind that something acts on.
    pub fn known() -> impl Iterator<Item = Kind> {
        KINDS.iter().copied()
    }

    /// Every kind: those that something acts on, then those that are stored.
    pub fn all() -> impl Iterator<Item = Kind> {
        let custom = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
        let custom: Vec<&'static Resource> = custom.values().copied().collect();
        let others = STORED.iter().chain(custom);
        Kind::known().chain(others.map(|resource| Kind::Other(OtherKind(resource))))
    }

    /// What the API server answers questions about, and stores nothing of.
    pub fn asked_only() -> impl Iterator<Item = Kind> {
        ASKED_ONLY.iter().map(|resource| Kind::Other(OtherKind(resource)))
    }

    /// Whether a CustomResourceDefinition has named it.
    pub fn is_custom(self) -> bool {
        match self {
            Kind::Other(OtherKind(resource)) => {
                let is_this = |built_in: &Resource| core::ptr::eq(built_in, resource);
                !STORED.iter().chain(&ASKED_ONLY).any(is_this)
            }
            _ => false,
        }
    }

    /// Its place among the [`known`](Self::known) kinds, if it is one.
    pub const fn number(self) -> Option<usize> {
        Some(match self {
            Kind::Other(_) => return None,
            Kind::Pod => 0,
            Kind::ReplicationController => 1,
            Kind::PodTemplate => 2,
            Kind::Service => 3,
            Kind::Endpoints => 4,
            Kind::ConfigMap => 5,
            Kind::Secret => 6,
            Kind::ServiceAccount => 7,
            Kind::Event => 8,
            Kind::Namespace => 9,
            Kind::Node => 10,
            Kind::PersistentVolume => 11,
            Kind::PersistentVolumeClaim => 12,
            Kind::ResourceQuota => 13,
            Kind::LimitRange => 14,
            Kind::Deployment => 15,
            Kind::ReplicaSet => 16,
            Kind::StatefulSet => 17,
            Kind::DaemonSet => 18,
            Kind::ControllerRevision => 19,
            Kind::Job => 20,
            Kind::CronJob => 21,
            Kind::EndpointSlice => 22,
            Kind::Ingress => 23,
            Kind::IngressClass => 24,
            Kind::NetworkPolicy => 25,
            Kind::HorizontalPodAutoscaler => 26,
            Kind::PodDisruptionBudget => 27,
            Kind::PriorityClass => 28,
            Kind::StorageClass => 29,
            Kind::Lease => 30,
            Kind::Role => 31,
            Kind::ClusterRole => 32,
            Kind::RoleBinding => 33,
            Kind::ClusterRoleBinding => 34,
            Kind::CustomResourceDefinition => 35,
        })
    }

    /// How the API names it.
    pub const fn resource(self) -> &'static Resource {
        let place = match (self, self.number()) {
            (Kind::Other(OtherKind(resource)), _) => return resource,
            (_, Some(place)) => place,
            (_, None) => 0,
        };
        #[expect(
            clippy::indexing_slicing,
            reason = "the table has a row for each kind, tested below"
        )]
        &RESOURCES[place]
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
        let api_version =
            super::conversion::stored_version(api_version, kind).unwrap_or(api_version);
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let fits = |kind_of: &Kind| {
            let r = kind_of.resource();
            let has_version = r.version == version || r.versions.contains(&version);
            r.name == kind && r.group == group && has_version
        };
        Kind::known().find(fits).or_else(|| Kind::all().chain(Kind::asked_only()).find(fits))
    }

    /// The kind that a person means on the command line: plural, singular, short name or kind, in
    /// any case, with or without group.
    pub fn of_word(word: &str) -> Option<Kind> {
        Kind::meant_by(word).next()
    }

    /// The version, with its group, that a word asks for if that is not the usual one:
    /// `autoscaling/v1` of `hpa.v1.autoscaling`.
    pub fn version_meant_by(self, word: &str) -> Option<String> {
        let (_, group) = word.split_once('.')?;
        let own = self.resource();
        let is_it = |(of, version): &(&str, &str)| {
            let in_full = group.strip_prefix(version).and_then(|rest| rest.strip_prefix('.'));
            in_full == Some(*of) || (*of != own.group && *of == group)
        };
        let custom = own.versions.iter().filter(|version| **version != own.version);
        let others = custom.map(|version| (own.group, *version));
        let mut others = others.chain(super::conversion::versions_served_too(own.name));
        others.find(is_it).map(|(group, version)| format!("{group}/{version}"))
    }

    /// All kinds that the word fits. Custom kinds are those of this process: which of them a
    /// cluster has is a question to its store.
    pub fn meant_by(word: &str) -> impl Iterator<Item = Kind> {
        let word = word.to_ascii_lowercase();
        let fits = move |kind: &Kind| {
            let (word, group) = word.split_once('.').unwrap_or((&word, ""));
            let r = kind.resource();
            let named = r.plural == word
                || r.singular == word
                || r.short_names.contains(&word)
                || r.name.eq_ignore_ascii_case(word);
            let is_group = |own: &str, version: &str| {
                let after = |rest: &str| rest.strip_prefix('.') == Some(own);
                own == group || group.strip_prefix(version).is_some_and(after)
            };
            let mut second = super::conversion::versions_served_too(r.name);
            named
                && (group.is_empty()
                    || is_group(r.group, r.version)
                    || r.versions.iter().any(|version| is_group(r.group, version))
                    || second.any(|(group, version)| is_group(group, version)))
        };
        Kind::known().chain(Kind::all()).chain(Kind::asked_only()).filter(fits)
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
        for (kind, resource) in KINDS.iter().zip(&RESOURCES) {
            assert_eq!(kind.resource(), resource);
            let name = format!("{kind:?}");
            assert!(name.eq_ignore_ascii_case(resource.name), "{name} {}", resource.name);
        }
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
    fn a_definition_names_a_kind() {
        let resource = CustomResource {
            name: "CronTab".into(),
            group: "kind.example.com".into(),
            version: "v1".into(),
            versions: vec!["v1".into(), "v1beta1".into()],
            plural: "crontabs".into(),
            singular: "crontab".into(),
            short_names: vec!["ct".into()],
            categories: Vec::new(),
            namespaced: true,
        };
        let kind = Kind::custom(resource.clone()).unwrap();
        assert_eq!(Kind::custom(resource), Some(kind));
        assert_eq!(Kind::of_manifest("kind.example.com/v1", "CronTab"), Some(kind));
        assert_eq!(Kind::of_word("crontabs.kind.example.com"), Some(kind));
        let (older, word) =
            (Kind::of_manifest("kind.example.com/v1beta1", "CronTab"), "ct.v1beta1");
        assert_eq!(
            (older, Kind::of_manifest("kind.example.com/v2", "CronTab")),
            (Some(kind), None)
        );
        let asked = kind.version_meant_by(&format!("{word}.kind.example.com"));
        assert_eq!(asked.as_deref(), Some("kind.example.com/v1beta1"));
        assert!(kind.is_custom() && kind.singular_group() == "crontab.kind.example.com");
        let stored = Kind::of_word("apiservice").unwrap();
        assert!(!stored.is_custom() && stored < kind && Kind::CustomResourceDefinition < stored);
    }

    #[test]
    fn only_the_served_version_of_a_kind_is_found() {
        assert_eq!(Kind::of_manifest("networking.k8s.io/v1", "Ingress"), Some(Kind::Ingress));
        assert_eq!(Kind::of_manifest("extensions/v1beta1", "Ingress"), None);
        assert_eq!(Kind::of_manifest("v1", "Deployment"), None);
    }
}
