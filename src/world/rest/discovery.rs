//! What the API server has: groups, versions, resources.
//!
//! Models staging/src/k8s.io/apiserver/pkg/endpoints/discovery and
//! pkg/controlplane/apiserver/aggregator.go DefaultGenericAPIServicePriorities.

use super::{health, json};
use crate::api::resource::{Resource, SECOND_EVENTS};
use crate::api::{Kind, conversion};
use crate::base::order;
use crate::world::World;
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// The groups in the order in which they are listed; those of definitions come behind.
const GROUPS: [&str; 20] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// What stands below resources: its path, its kind with a group and a version of its own, and what
/// can be asked of it.
const SUBRESOURCES: &[(&str, &str, &str)] = &[
    ("certificatesigningrequests/approval", "", "get,patch,update"),
    ("deployments/scale", "autoscaling/v1/Scale", "get,patch,update"),
    ("namespaces/finalize", "", "update"),
    ("nodes/proxy", "//NodeProxyOptions", "create,delete,get,patch,update"),
    ("pods/attach", "//PodAttachOptions", "create,get"),
    ("pods/binding", "//Binding", "create"),
    ("pods/ephemeralcontainers", "", "get,patch,update"),
    ("pods/eviction", "policy/v1/Eviction", "create"),
    ("pods/exec", "//PodExecOptions", "create,get"),
    ("pods/log", "", "get"),
    ("pods/portforward", "//PodPortForwardOptions", "create,get"),
    ("pods/proxy", "//PodProxyOptions", "create,delete,get,patch,update"),
    ("pods/resize", "", "get,patch,update"),
    ("replicasets/scale", "autoscaling/v1/Scale", "get,patch,update"),
    ("replicationcontrollers/scale", "autoscaling/v1/Scale", "get,patch,update"),
    ("serviceaccounts/token", "authentication.k8s.io/v1/TokenRequest", "create"),
    ("services/proxy", "//ServiceProxyOptions", "create,delete,get,patch,update"),
    ("statefulsets/scale", "autoscaling/v1/Scale", "get,patch,update"),
];

/// The resources with a `status` of their own to write.
const WITH_STATUS: &str = " apiservices certificatesigningrequests cronjobs customresourcedefinitions daemonsets deployments flowschemas horizontalpodautoscalers ingresses jobs namespaces nodes persistentvolumeclaims persistentvolumes poddisruptionbudgets pods prioritylevelconfigurations replicasets replicationcontrollers resourceclaims resourcequotas servicecidrs services statefulsets validatingadmissionpolicies volumeattachments ";

/// The kinds that a cluster serves.
fn served(world: &World) -> impl Iterator<Item = Kind> {
    Kind::all().chain(Kind::asked_only()).filter(|kind| world.store().serves(*kind))
}

/// The versions of a kind: its own first.
fn versions(kind: Kind) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = kind.resource();
    let others = conversion::versions_served_too(own.name);
    [(own.group, own.version)].into_iter().chain(others)
}

/// Whether anything is served in a version of a group.
pub(super) fn has_version(world: &World, group: &str, version: &str) -> bool {
    served(world).any(|kind| versions(kind).any(|it| it == (group, version)))
}

/// The kind of a resource in a version of a group.
pub(super) fn kind_of(world: &World, group: &str, version: &str, plural: &str) -> Option<Kind> {
    served(world)
        .find(|kind| kind.plural() == plural && versions(*kind).any(|it| it == (group, version)))
}

/// `APIVersions`, `APIGroupList`, `APIGroup` or `APIResourceList`; `None` for what is not served.
pub(super) fn document(world: &World, words: &[&str]) -> Option<String> {
    Some(match words {
        ["api"] => json::record(&[
            ("kind", json::text("APIVersions")),
            ("versions", "[\"v1\"]".to_owned()),
            (
                "serverAddressByClientCIDRs",
                "[{\"clientCIDR\":\"0.0.0.0/0\",\"serverAddress\":\"172.18.0.2:6443\"}]".to_owned(),
            ),
        ]),
        ["apis"] => {
            let groups = groups(world);
            json::record(&[
                ("kind", json::text("APIGroupList")),
                ("apiVersion", json::text("v1")),
                (
                    "groups",
                    json::list(groups.iter().map(|group| json::record(&parts(world, group)))),
                ),
            ])
        }
        ["apis", group] if groups(world).contains(group) => {
            let mut fields =
                vec![("kind", json::text("APIGroup")), ("apiVersion", json::text("v1"))];
            fields.extend(parts(world, group));
            json::record(&fields)
        }
        ["api", version] if *version == "v1" => resources(world, "", version),
        ["apis", group, version] if has_version(world, group, version) => {
            resources(world, group, version)
        }
        _ => return None,
    })
}

fn groups(world: &World) -> Vec<&'static str> {
    let all: BTreeSet<&str> = served(world)
        .flat_map(versions)
        .map(|(group, _)| group)
        .filter(|it| !it.is_empty())
        .collect();
    let known = GROUPS.into_iter().filter(|group| all.contains(group));
    let others = all.iter().copied().filter(|group| !GROUPS.contains(group));
    known.chain(others).collect()
}

/// The versions of a group: what kinds are stored in comes first.
fn versions_of(world: &World, group: &str) -> Vec<&'static str> {
    let mut all: Vec<&str> = Vec::new();
    let own = served(world).map(|kind| (kind.resource().group, kind.resource().version));
    let others = served(world).flat_map(versions);
    for (_, version) in own.chain(others).filter(|(own, _)| *own == group) {
        if !all.contains(&version) {
            all.push(version);
        }
    }
    all
}

/// The name and the versions of a group.
fn parts(world: &World, group: &str) -> Vec<(&'static str, String)> {
    let version = |version: &&str| {
        let both = json::text(&format!("{group}/{version}"));
        json::record(&[("groupVersion", both), ("version", json::text(version))])
    };
    let all = versions_of(world, group);
    vec![
        ("name", json::text(group)),
        ("versions", json::list(all.iter().map(version))),
        ("preferredVersion", all.first().map(version).unwrap_or_default()),
    ]
}

fn resources(world: &World, group: &str, version: &str) -> String {
    let mut all: Vec<(String, String)> = Vec::new();
    for kind in served(world).filter(|kind| versions(*kind).any(|it| it == (group, version))) {
        let own = match group {
            "events.k8s.io" => &SECOND_EVENTS,
            _ => kind.resource(),
        };
        all.push((own.plural.to_owned(), resource(own, "", "", own.verbs)));
        let status = WITH_STATUS.contains(&format!(" {} ", own.plural));
        let of_definition = kind.is_custom()
            && world.store().schema_of(kind).is_some_and(|it| {
                it.get("properties").is_some_and(|it| it.get("status").is_some())
            });
        if status && !kind.is_custom() || of_definition {
            let path = format!("{}/status", own.plural);
            all.push((path.clone(), resource(own, &path, "", "get,patch,update")));
        }
        let below = SUBRESOURCES
            .iter()
            .filter(|(path, ..)| path.split('/').next() == Some(own.plural) && !kind.is_custom());
        all.extend(
            below.map(|(path, of, verbs)| ((*path).to_owned(), resource(own, path, of, verbs))),
        );
    }
    order::sort(&mut all);
    let both = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let api = if group.is_empty() { String::new() } else { json::text("v1") };
    json::record(&[
        ("kind", json::text("APIResourceList")),
        ("apiVersion", api),
        ("groupVersion", json::text(&both)),
        ("resources", json::list(all.into_iter().map(|(_, text)| text))),
    ])
}

/// One resource, or at a `path` what stands below it, of a kind of its own if `of` says so.
fn resource(own: &Resource, path: &str, of: &str, verbs: &str) -> String {
    let mut named = of.split('/');
    let mut part =
        |usual: &str| named.next().filter(|_| !of.is_empty()).unwrap_or(usual).to_owned();
    let (group, version, kind) = (part(""), part(""), part(own.name));
    let texts = |all: &[&str]| match all {
        [] => String::new(),
        all => json::list(all.iter().map(|it| json::text(it))),
    };
    let some = |text: &str| if text.is_empty() { String::new() } else { json::text(text) };
    let verbs: Vec<&str> = verbs.split(',').collect();
    let is_whole = path.is_empty();
    let name = if is_whole { own.plural } else { path };
    let hash = Sha256::digest(format!("{}/{}/{}", own.group, own.version, own.name).as_bytes());
    let is_stored = is_whole && verbs.contains(&"list") && own.name != "ComponentStatus";
    let hash = match hash.get(..8).filter(|_| is_stored) {
        Some(hash) => json::text(&BASE64.encode(hash)),
        None => String::new(),
    };
    json::record(&[
        ("name", json::text(name)),
        ("singularName", json::text(if is_whole { own.singular } else { "" })),
        ("namespaced", own.namespaced.to_string()),
        ("group", some(&group)),
        ("version", some(&version)),
        ("kind", json::text(&kind)),
        ("verbs", texts(&verbs)),
        ("shortNames", if is_whole { texts(own.short_names) } else { String::new() }),
        ("categories", if is_whole { texts(own.categories) } else { String::new() }),
        ("storageVersionHash", hash),
    ])
}

/// The version; what a build notes of itself is left out.
pub(super) fn version() -> String {
    let fields = [
        ("major", "1"),
        ("minor", "36"),
        ("emulationMajor", "1"),
        ("emulationMinor", "36"),
        ("minCompatibilityMajor", "1"),
        ("minCompatibilityMinor", "35"),
        ("gitVersion", "v1.36.2"),
        ("gitTreeState", "clean"),
        ("compiler", "gc"),
        ("platform", "linux/amd64"),
    ];
    json::record(&fields.map(|(key, value)| (key, json::text(value))))
}

/// `/`: the paths that there are.
pub(super) fn paths(world: &World) -> String {
    let mut all: Vec<String> =
        vec!["/api".into(), "/api/v1".into(), "/apis".into(), "/apis/".into()];
    for group in groups(world) {
        all.push(format!("/apis/{group}"));
        all.extend(versions_of(world, group).iter().map(|it| format!("/apis/{group}/{it}")));
    }
    for path in ["healthz", "livez", "readyz"] {
        all.push(format!("/{path}"));
        all.extend(health::checks(path).map(|check| format!("/{path}/{check}")));
    }
    all.push("/version".to_owned());
    order::sort(&mut all);
    json::record(&[("paths", json::list(all.iter().map(|path| json::text(path))))])
}
