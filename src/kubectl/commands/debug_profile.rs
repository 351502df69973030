//! What the profiles of `kubectl debug` make of a container and its pod.
//!
//! Models staging/src/k8s.io/kubectl/pkg/cmd/debug/profiles.go.

use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use serde_json::json;

/// The profiles' names.
pub(super) const NAMES: [&str; 6] =
    ["legacy", "general", "baseline", "restricted", "netadmin", "sysadmin"];

/// What is debugged, and so in which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// A container is added to a pod.
    Ephemeral,
    /// A pod is copied.
    Copy,
    /// A pod looks at a node.
    Node,
}

/// What a copy of a pod keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeps {
    pub(super) labels: bool,
    pub(super) annotations: bool,
    pub(super) liveness: bool,
    pub(super) readiness: bool,
    pub(super) startup: bool,
    pub(super) init_containers: bool,
}

/// Changes a pod by a profile, which is one of [`NAMES`].
pub(super) fn apply(pod: &mut Value, container: &str, profile: &str, style: Style, keeps: Keeps) {
    let has = |names: &[&str]| names.contains(&profile);
    if style == Style::Node && has(&["legacy", "general", "sysadmin"]) {
        mount_root(pod, container);
    }
    if has(&["baseline", "restricted"]) || (style == Style::Node && has(&["general"])) {
        change(pod, container, |own| drop(own.remove(&["securityContext"])));
    }
    if style == Style::Node && !has(&["baseline", "restricted"]) {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            pod.put(&["spec", field], true);
        }
    }
    if style == Style::Copy {
        strip(pod, if profile == "legacy" { Keeps { labels: false, ..ALL } } else { keeps });
        if profile != "legacy" {
            pod.put_default(&["spec", "shareProcessNamespace"], true);
        }
    }
    change(pod, container, |own| {
        let mut set = |field: &str, value: Value| own.put(&["securityContext", field], value);
        match profile {
            "general" if style != Style::Node => add_capabilities(own, &["SYS_PTRACE"]),
            "netadmin" => add_capabilities(own, &["NET_ADMIN", "NET_RAW"]),
            "sysadmin" => set("privileged", true.into()),
            "restricted" => {
                set("runAsNonRoot", true.into());
                set("capabilities", json!({"drop": ["ALL"]}));
                set("allowPrivilegeEscalation", false.into());
                set("seccompProfile", json!({"type": "RuntimeDefault"}));
            }
            _ => {}
        }
    });
}

/// A copy that keeps everything.
const ALL: Keeps = Keeps {
    labels: true,
    annotations: true,
    liveness: true,
    readiness: true,
    startup: true,
    init_containers: true,
};

/// Takes out of a copy what it does not keep.
fn strip(pod: &mut Value, keeps: Keeps) {
    let whole = [
        (keeps.labels, ["metadata", "labels"]),
        (keeps.annotations, ["metadata", "annotations"]),
        (keeps.init_containers, ["spec", "initContainers"]),
    ];
    for (_, path) in whole.into_iter().filter(|(keep, _)| !keep) {
        pod.remove(&path);
    }
    let probes = [
        (keeps.liveness, "livenessProbe"),
        (keeps.readiness, "readinessProbe"),
        (keeps.startup, "startupProbe"),
    ];
    let containers = pod.entry(&["spec", "containers"]).as_array_mut();
    for container in containers.into_iter().flatten() {
        for (_, probe) in probes.into_iter().filter(|(keep, _)| !keep) {
            container.remove(&[probe]);
        }
    }
}

fn mount_root(pod: &mut Value, container: &str) {
    let mut volumes = pod.items_at(&["spec", "volumes"]).to_vec();
    volumes.push(json!({"name": "host-root", "hostPath": {"path": "/"}}));
    pod.put(&["spec", "volumes"], volumes);
    change(pod, container, |own| {
        let mut mounts = own.items_at(&["volumeMounts"]).to_vec();
        mounts.push(json!({"mountPath": "/host", "name": "host-root"}));
        own.put(&["volumeMounts"], mounts);
    });
}

fn add_capabilities(container: &mut Value, names: &[&str]) {
    let path = ["securityContext", "capabilities", "add"];
    let mut all = container.items_at(&path).to_vec();
    all.extend(names.iter().map(|name| Value::from(*name)));
    container.put(&path, all);
}

/// Changes the container of a name.
fn change(pod: &mut Value, name: &str, mut act: impl FnMut(&mut Value)) {
    for list in ["containers", "ephemeralContainers"] {
        if pod.at(&["spec", list]).is_none() {
            continue;
        }
        let containers = pod.entry(&["spec", list]).as_array_mut();
        let mut own = containers.into_iter().flatten();
        if let Some(own) = own.find(|it| it.str_at(&["name"]) == Some(name)) {
            act(own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Models profiles_test.go.
    #[test]
    fn a_profile_gives_what_its_name_says() {
        let container = |profile: &str, style| {
            let list = if style == Style::Ephemeral { "ephemeralContainers" } else { "containers" };
            let mut pod =
                json!({"metadata": {"labels": {"a": "b"}}, "spec": {list: [{"name": "d"}]}});
            apply(&mut pod, "d", profile, style, Keeps { labels: false, ..ALL });
            (pod["spec"][list][0].clone(), pod)
        };
        let (own, _) = container("general", Style::Ephemeral);
        assert_eq!(
            own,
            json!({"name": "d", "securityContext": {"capabilities": {"add": ["SYS_PTRACE"]}}})
        );
        let (own, pod) = container("general", Style::Node);
        assert_eq!(
            own,
            json!({"name": "d", "volumeMounts": [{"mountPath": "/host", "name": "host-root"}]})
        );
        assert_eq!(
            (&pod["spec"]["hostPID"], &pod["spec"]["hostNetwork"]),
            (&json!(true), &json!(true))
        );
        let (own, pod) = container("restricted", Style::Copy);
        assert_eq!(own["securityContext"]["runAsNonRoot"], json!(true));
        assert_eq!(
            (&pod["spec"]["shareProcessNamespace"], pod["metadata"].get("labels")),
            (&json!(true), None)
        );
        let (own, pod) = container("baseline", Style::Node);
        assert_eq!((own, pod["spec"].get("hostPID")), (json!({"name": "d"}), None));
    }
}
