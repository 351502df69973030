//! The table of checks, and those on what containers may become.
//!
//! Models staging/src/k8s.io/pod-security-admission/policy.

use super::policy::{Level, LevelAndVersion};
use super::{PodView, host, profiles};
use crate::api::Value;
use crate::api::tree::Tree as _;
use std::collections::BTreeSet;

/// What a check has against a pod.
pub(super) struct Violation {
    /// In few words: `privileged`.
    pub(super) reason: &'static str,
    /// Which containers, which values.
    pub(super) detail: String,
}

/// A check: nothing, or what is wrong.
type Rule = fn(PodView<'_>) -> Option<Violation>;

/// One check: its name, by which checks are in order, and from which minor version which rule
/// counts. A check of the restricted level may stand for one of the baseline.
struct Check {
    id: &'static str,
    versions: &'static [(u32, Rule)],
    overrides: Option<&'static str>,
}

const fn check(id: &'static str, versions: &'static [(u32, Rule)]) -> Check {
    Check { id, versions, overrides: None }
}

const fn instead(
    id: &'static str,
    overrides: &'static str,
    versions: &'static [(u32, Rule)],
) -> Check {
    Check { id, versions, overrides: Some(overrides) }
}

#[rustfmt::skip]
static BASELINE: [Check; 12] = [
    check("appArmorProfile", &[(0, profiles::app_armor)]),
    check("capabilities_baseline", &[(0, added_capabilities)]),
    check("hostNamespaces", &[(0, host::namespaces)]),
    check("hostPathVolumes", &[(0, host::path_volumes)]),
    check("hostPorts", &[(0, host::ports)]),
    check("hostProbesAndHostLifecycle", &[(34, host::probes)]),
    check("privileged", &[(0, privileged)]),
    check("procMount", &[(0, host::proc_mount), (35, |pod| outside_user_namespace(pod, host::proc_mount))]),
    check("seLinuxOptions", &[(0, profiles::selinux_1_0), (31, profiles::selinux_1_31)]),
    check("seccompProfile_baseline", &[(0, profiles::seccomp_annotations), (19, profiles::seccomp_baseline)]),
    check("sysctls", &[(0, host::sysctls_1_0), (27, host::sysctls_1_27), (29, host::sysctls_1_29), (32, host::sysctls_1_32)]),
    check("windowsHostProcess", &[(0, host::windows_process)]),
];

#[rustfmt::skip]
static RESTRICTED: [Check; 7] = [
    check("allowPrivilegeEscalation", &[(8, privilege_escalation), (25, |pod| on_linux(pod, privilege_escalation))]),
    instead("capabilities_restricted", "capabilities_baseline", &[(22, capabilities), (25, |pod| on_linux(pod, capabilities))]),
    instead("procMount_restricted", "procMount", &[(35, host::proc_mount)]),
    instead("restrictedVolumes", "hostPathVolumes", &[(0, host::volumes)]),
    check("runAsNonRoot", &[(0, root), (35, |pod| outside_user_namespace(pod, root))]),
    check("runAsUser", &[(23, user_zero), (35, |pod| outside_user_namespace(pod, user_zero))]),
    instead("seccompProfile_restricted", "seccompProfile_baseline", &[(19, profiles::seccomp_restricted), (25, |pod| on_linux(pod, profiles::seccomp_restricted))]),
];

/// All that a level, as of a version, has against a pod: baseline checks first, each kind by name.
///
/// Models policy/registry.go.
pub(super) fn violations(wanted: LevelAndVersion, pod: PodView<'_>) -> Vec<Violation> {
    let rule = |check: &Check| {
        let mut known = check.versions.iter().filter(|(minor, _)| wanted.version.has(*minor));
        known.next_back().map(|(_, rule)| *rule)
    };
    let restricted: Vec<&Check> = match wanted.level {
        Level::Privileged => return Vec::new(),
        Level::Baseline => Vec::new(),
        Level::Restricted => RESTRICTED.iter().filter(|check| rule(check).is_some()).collect(),
    };
    let is_overridden =
        |check: &Check| restricted.iter().any(|other| other.overrides == Some(check.id));
    let baseline = BASELINE.iter().filter(|check| !is_overridden(check));
    baseline.chain(restricted.iter().copied()).filter_map(|check| rule(check)?(pod)).collect()
}

/// `container "a"`, `containers "a", "b"`.
pub(super) fn containers(names: &[String]) -> String {
    format!("{} {}", plural("container", names.len()), quoted(names))
}

pub(super) fn plural(word: &str, count: usize) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

pub(super) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

pub(super) fn sorted(values: BTreeSet<&str>) -> Vec<String> {
    values.into_iter().map(str::to_owned).collect()
}

pub(super) fn security(container: &Value) -> &Value {
    container.at(&["securityContext"]).unwrap_or(&Value::Null)
}

/// The names of the containers that something is so of.
pub(super) fn those(pod: PodView<'_>, is_bad: impl Fn(&Value) -> bool) -> Vec<String> {
    let bad = pod.containers().filter(|container| is_bad(container));
    bad.map(|container| container.str_at(&["name"]).unwrap_or_default().to_owned()).collect()
}

/// `pod`, `container "a"`, or `pod and container "a"`.
pub(super) fn setters(pod: bool, names: &[String]) -> Option<String> {
    match (pod, names.is_empty()) {
        (false, true) => None,
        (true, true) => Some("pod".to_owned()),
        (false, false) => Some(containers(names)),
        (true, false) => Some(format!("pod and {}", containers(names))),
    }
}

fn on_linux(pod: PodView<'_>, rule: Rule) -> Option<Violation> {
    let windows = pod.spec.str_at(&["os", "name"]) == Some("windows");
    if windows { None } else { rule(pod) }
}

/// Root in a user namespace of its own is not the node's.
fn outside_user_namespace(pod: PodView<'_>, rule: Rule) -> Option<Violation> {
    let inside = pod.spec.bool_at(&["hostUsers"]) == Some(false);
    if inside { None } else { rule(pod) }
}

fn privilege_escalation(pod: PodView<'_>) -> Option<Violation> {
    let bad = those(pod, |container| {
        security(container).bool_at(&["allowPrivilegeEscalation"]) != Some(false)
    });
    let detail =
        format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&bad));
    let reason = "allowPrivilegeEscalation != false";
    (!bad.is_empty()).then_some(Violation { reason, detail })
}

fn privileged(pod: PodView<'_>) -> Option<Violation> {
    let bad = those(pod, |container| security(container).bool_at(&["privileged"]) == Some(true));
    let detail = format!("{} must not set securityContext.privileged=true", containers(&bad));
    (!bad.is_empty()).then_some(Violation { reason: "privileged", detail })
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// What containers add to their capabilities beyond `allowed`, and which they are.
fn additions(pod: PodView<'_>, allowed: &[&str]) -> Option<String> {
    let added = |container: &Value| -> Vec<String> {
        let all = security(container).items_at(&["capabilities", "add"]).iter();
        let all = all.filter_map(Value::as_str).filter(|name| !allowed.contains(name));
        all.map(str::to_owned).collect()
    };
    let bad = those(pod, |container| !added(container).is_empty());
    let names: BTreeSet<String> = pod.containers().flat_map(added).collect();
    let names: Vec<String> = names.into_iter().collect();
    let (who, what) = (containers(&bad), quoted(&names));
    let text = format!("{who} must not include {what} in securityContext.capabilities.add");
    (!bad.is_empty()).then_some(text)
}

fn added_capabilities(pod: PodView<'_>) -> Option<Violation> {
    let detail = additions(pod, &DEFAULT_CAPABILITIES)?;
    Some(Violation { reason: "non-default capabilities", detail })
}

fn capabilities(pod: PodView<'_>) -> Option<Violation> {
    let keep = those(pod, |container| {
        let dropped = security(container).items_at(&["capabilities", "drop"]);
        !dropped.iter().any(|name| name == "ALL")
    });
    let keep = (!keep.is_empty()).then(|| {
        format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&keep))
    });
    let details: Vec<String> =
        keep.into_iter().chain(additions(pod, &["NET_BIND_SERVICE"])).collect();
    let (reason, detail) = ("unrestricted capabilities", details.join("; "));
    (!details.is_empty()).then_some(Violation { reason, detail })
}

fn root(pod: PodView<'_>) -> Option<Violation> {
    let reason = "runAsNonRoot != true";
    let of = |value: &Value| security(value).bool_at(&["runAsNonRoot"]);
    let whole = of(pod.spec);
    let explicit = those(pod, |container| of(container) == Some(false));
    if let Some(who) = setters(whole == Some(false), &explicit) {
        let detail = format!("{who} must not set securityContext.runAsNonRoot=false");
        return Some(Violation { reason, detail });
    }
    let implicit = those(pod, |container| of(container).is_none() && whole != Some(true));
    let who = containers(&implicit);
    let detail = format!("pod or {who} must set securityContext.runAsNonRoot=true");
    (!implicit.is_empty()).then_some(Violation { reason, detail })
}

fn user_zero(pod: PodView<'_>) -> Option<Violation> {
    let is_root = |value: &Value| security(value).int_at(&["runAsUser"]) == Some(0);
    let who = setters(is_root(pod.spec), &those(pod, is_root))?;
    Some(Violation { reason: "runAsUser=0", detail: format!("{who} must not set runAsUser=0") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_in_the_order_of_their_names() {
        for table in [&BASELINE[..], &RESTRICTED[..]] {
            assert!(table.is_sorted_by(|a, b| a.id < b.id));
        }
    }
}
