//! Checks on what reaches out to the node: namespaces, ports, paths, kernel parameters.
//!
//! Models staging/src/k8s.io/pod-security-admission/policy/check_host*.go, check_procMount*.go,
//! check_restrictedVolumes.go, check_sysctls.go and check_windowsHostProcess.go.

use super::PodView;
use super::checks::{Violation, containers, plural, quoted, security, setters, sorted, those};
use crate::api::Value;
use crate::api::tree::Tree as _;
use std::collections::BTreeSet;

pub(super) fn namespaces(pod: PodView<'_>) -> Option<Violation> {
    let shared: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|field| pod.spec.bool_at(&[field]) == Some(true))
        .map(|field| format!("{field}=true"))
        .collect();
    let detail = shared.join(", ");
    (!shared.is_empty()).then_some(Violation { reason: "host namespaces", detail })
}

fn volumes_that(pod: PodView<'_>, is_bad: impl Fn(&Value) -> bool) -> Vec<String> {
    let bad = pod.spec.items_at(&["volumes"]).iter().filter(|volume| is_bad(volume));
    bad.map(|volume| volume.str_at(&["name"]).unwrap_or_default().to_owned()).collect()
}

pub(super) fn path_volumes(pod: PodView<'_>) -> Option<Violation> {
    let bad = volumes_that(pod, |volume| volume.get("hostPath").is_some());
    let detail = format!("{} {}", plural("volume", bad.len()), quoted(&bad));
    (!bad.is_empty()).then_some(Violation { reason: "hostPath volumes", detail })
}

pub(super) fn volumes(pod: PodView<'_>) -> Option<Violation> {
    const ALLOWED: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let source = |volume: &Value| -> String {
        let fields = volume.as_object().into_iter().flatten();
        let found = fields.map(|(name, _)| name.clone()).find(|name| name != "name");
        found.unwrap_or_else(|| "unknown".to_owned())
    };
    let is_bad = |volume: &Value| !ALLOWED.contains(&source(volume).as_str());
    let bad = volumes_that(pod, is_bad);
    let all = pod.spec.items_at(&["volumes"]).iter();
    let types: BTreeSet<String> = all.filter(|volume| is_bad(volume)).map(source).collect();
    let types: Vec<String> = types.into_iter().collect();
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", bad.len()),
        quoted(&bad),
        if bad.len() == 1 { "uses" } else { "use" },
        plural("restricted volume type", types.len()),
        quoted(&types)
    );
    (!bad.is_empty()).then_some(Violation { reason: "restricted volume types", detail })
}

pub(super) fn ports(pod: PodView<'_>) -> Option<Violation> {
    let taken = |container: &Value| -> Vec<String> {
        let ports = container.items_at(&["ports"]).iter();
        let ports = ports.filter_map(|port| port.int_at(&["hostPort"])).filter(|port| *port != 0);
        ports.map(|port| port.to_string()).collect()
    };
    let bad = those(pod, |container| !taken(container).is_empty());
    let numbers: BTreeSet<String> = pod.containers().flat_map(taken).collect();
    let detail = format!(
        "{} {} {} {}",
        containers(&bad),
        if bad.len() == 1 { "uses" } else { "use" },
        plural("hostPort", numbers.len()),
        numbers.into_iter().collect::<Vec<_>>().join(", ")
    );
    (!bad.is_empty()).then_some(Violation { reason: "hostPort", detail })
}

pub(super) fn probes(pod: PodView<'_>) -> Option<Violation> {
    let hosts = |container: &Value| -> Vec<String> {
        let probes = ["livenessProbe", "readinessProbe", "startupProbe"].map(|probe| vec![probe]);
        let hooks = ["postStart", "preStop"].map(|hook| vec!["lifecycle", hook]);
        let mut found = Vec::new();
        for path in probes.into_iter().chain(hooks) {
            let handler = container.at(&path);
            for action in ["httpGet", "tcpSocket"] {
                let host = handler.and_then(|handler| handler.str_at(&[action, "host"]));
                found.extend(host.filter(|host| !host.is_empty()).map(str::to_owned));
            }
        }
        found
    };
    let bad: BTreeSet<String> = those(pod, |c| !hosts(c).is_empty()).into_iter().collect();
    let bad: Vec<String> = bad.into_iter().collect();
    let found: BTreeSet<String> = pod.containers().flat_map(hosts).collect();
    let found: Vec<String> = found.into_iter().collect();
    let detail = format!(
        "{} {} {} {}",
        containers(&bad),
        if bad.len() == 1 { "uses" } else { "use" },
        plural("probe or lifecycle host", found.len()),
        quoted(&found)
    );
    (!bad.is_empty()).then_some(Violation { reason: "probe or lifecycle host", detail })
}

pub(super) fn proc_mount(pod: PodView<'_>) -> Option<Violation> {
    fn other(container: &Value) -> Option<&str> {
        security(container).str_at(&["procMount"]).filter(|mount| *mount != "Default")
    }
    let bad = those(pod, |container| other(container).is_some());
    let types = quoted(&sorted(pod.containers().filter_map(other).collect()));
    let detail = format!("{} must not set securityContext.procMount to {types}", containers(&bad));
    (!bad.is_empty()).then_some(Violation { reason: "procMount", detail })
}

pub(super) fn windows_process(pod: PodView<'_>) -> Option<Violation> {
    let is_bad =
        |value: &Value| security(value).bool_at(&["windowsOptions", "hostProcess"]) == Some(true);
    let who = setters(is_bad(pod.spec), &those(pod, is_bad))?;
    let detail = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    Some(Violation { reason: "hostProcess", detail })
}

/// The kernel parameters that a pod may set, with the minor version that allowed them.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(pod: PodView<'_>, minor: u32) -> Option<Violation> {
    let all = pod.spec.items_at(&["securityContext", "sysctls"]).iter();
    let names = all.filter_map(|sysctl| sysctl.str_at(&["name"]));
    let is_allowed = |name: &str| SYSCTLS.iter().any(|(known, at)| *known == name && *at <= minor);
    let bad: Vec<&str> = names.filter(|name| !is_allowed(name)).collect();
    let detail = bad.join(", ");
    (!bad.is_empty()).then_some(Violation { reason: "forbidden sysctls", detail })
}

pub(super) fn sysctls_1_0(pod: PodView<'_>) -> Option<Violation> {
    sysctls(pod, 0)
}

pub(super) fn sysctls_1_27(pod: PodView<'_>) -> Option<Violation> {
    sysctls(pod, 27)
}

pub(super) fn sysctls_1_29(pod: PodView<'_>) -> Option<Violation> {
    sysctls(pod, 29)
}

pub(super) fn sysctls_1_32(pod: PodView<'_>) -> Option<Violation> {
    sysctls(pod, 32)
}
