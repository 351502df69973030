//! Which lists are merged item by item, and by which field.

use crate::api::Kind;

/// How two versions of a list become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// The new list replaces the old one.
    Replace,
    /// Items with the same value of this field are one item.
    By(&'static str),
    /// Scalars: all of both.
    Set,
}

/// How the list at the end of a path of field names is merged.
///
/// The `patchStrategy` and `patchMergeKey` of the API's types (staging/src/k8s.io/api/*/types.go).
pub(super) fn of(kind: Kind, path: &[String]) -> Merge {
    let in_container = path.iter().any(|field| is_containers(field));
    let Some(last) = path.last() else { return Merge::Replace };
    match last.as_str() {
        field if is_containers(field) => Merge::By("name"),
        "finalizers" if path.len() == 2 => Merge::Set,
        "ownerReferences" => Merge::By("uid"),
        "conditions" => Merge::By("type"),
        "env" if in_container => Merge::By("name"),
        "volumeMounts" => Merge::By("mountPath"),
        "volumeDevices" => Merge::By("devicePath"),
        "ports" if in_container => Merge::By("containerPort"),
        "ports" if kind == Kind::Service => Merge::By("port"),
        "volumes" | "imagePullSecrets" | "resourceClaims" | "schedulingGates" => Merge::By("name"),
        "secrets" if kind == Kind::ServiceAccount => Merge::By("name"),
        "hostAliases" | "podIPs" | "hostIPs" => Merge::By("ip"),
        "topologySpreadConstraints" => Merge::By("topologyKey"),
        "addresses" if kind == Kind::Node => Merge::By("type"),
        "podCIDRs" => Merge::Set,
        _ => Merge::Replace,
    }
}

fn is_containers(field: &str) -> bool {
    matches!(field, "containers" | "initContainers" | "ephemeralContainers")
}
