//! Security contexts of pods and containers.

use super::super::go_structs;
use super::super::names;
use super::super::path::{Errors, Fields as _, Path, Report as _};
use super::Spec;
use super::volume_paths::descending;
use crate::api::{FieldError, Value};

fn identity(context: &Value, field: &str, path: &Path<'_>, errors: &mut Errors) {
    if let Some(id) = context.int(field) {
        for message in names::user_or_group(id) {
            errors.invalid(path.child(field), id, message);
        }
    }
}

fn supported(
    context: &Value,
    field: &str,
    supported: &[&str],
    path: &Path<'_>,
    errors: &mut Errors,
) {
    if let Some(value) = context.sub(field).and_then(Value::as_str)
        && !supported.contains(&value)
    {
        errors.not_supported(path.child(field), value, supported);
    }
}

/// Models validatePodSpecSecurityContext.
pub(super) fn of_pod(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    let Some(context) = spec.tree.sub("securityContext") else { return };
    for field in ["fsGroup", "runAsUser", "runAsGroup"] {
        identity(context, field, path, errors);
    }
    let list = path.child("supplementalGroups");
    for (index, id) in context.list("supplementalGroups").iter().enumerate() {
        let id = id.as_i64().unwrap_or_default();
        for message in names::user_or_group(id) {
            errors.invalid(list.index(index), id, message);
        }
    }
    if spec.tree.flag("shareProcessNamespace") && spec.tree.flag("hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(path.child("shareProcessNamespace"), true, detail);
    }
    sysctls(spec, context, &path.child("sysctls"), errors);
    supported(context, "fsGroupChangePolicy", &["Always", "OnRootMismatch"], path, errors);
    seccomp(context, path, errors);
    app_armor(context, path, errors);
    supported(context, "supplementalGroupsPolicy", &["Merge", "Strict"], path, errors);
    // The other policy waits for a feature that 1.36 has not switched on.
    supported(context, "seLinuxChangePolicy", &["Recursive"], path, errors);
}

/// Models validateSysctls.
fn sysctls(spec: &Spec<'_>, context: &Value, path: &Path<'_>, errors: &mut Errors) {
    const PATTERN: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    let mut seen: Vec<&str> = Vec::new();
    for (index, sysctl) in context.list("sysctls").iter().enumerate() {
        let path = path.index(index);
        let name = sysctl.text("name");
        if name.is_empty() {
            errors.required(path.child("name"), "");
        } else if name.len() > 253 || !name.split(['.', '/']).all(is_sysctl_segment) {
            let detail = format!("must have at most 253 characters and match regex {PATTERN}");
            errors.invalid(path.child("name"), name, detail);
        } else if seen.contains(&name) {
            errors.duplicate(path.child("name"), name);
        }
        let dotted = name.replace('/', ".");
        let is_ipc = ["kernel.shm_rmid_forced", "fs.mqueue."]
            .iter()
            .chain(&["kernel.shm", "kernel.msg", "kernel.sem"])
            .any(|prefix| dotted.starts_with(prefix));
        if spec.tree.flag("hostNetwork") && dotted.starts_with("net.") {
            let detail = "may not be specified when 'hostNetwork' is true";
            errors.invalid(path.child("name"), name, detail);
        } else if spec.tree.flag("hostIPC") && is_ipc {
            let detail = "may not be specified when 'hostIPC' is true";
            errors.invalid(path.child("name"), name, detail);
        }
        seen.push(name);
    }
}

fn is_sysctl_segment(segment: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    segment.starts_with(is_word)
        && segment.ends_with(is_word)
        && segment.chars().all(|c| is_word(c) || c == '-' || c == '_')
}

/// Models validateSeccompProfileField.
fn seccomp(context: &Value, path: &Path<'_>, errors: &mut Errors) {
    let Some(profile) = context.sub("seccompProfile") else { return };
    let path = path.child("seccompProfile");
    let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
    let kind = profile.text("type");
    if kind.is_empty() {
        let detail = "type is required when seccompProfile is set";
        errors.required(path.child("type"), detail);
    } else if !kinds.contains(&kind) {
        errors.not_supported(path.child("type"), kind, &kinds);
    }
    let local = profile.sub("localhostProfile").and_then(Value::as_str);
    let path = path.child("localhostProfile");
    match (kind, local) {
        ("Localhost", None) => {
            errors.required(path, "must be set when seccomp type is Localhost");
        }
        ("Localhost", Some(local)) => descending(local, &path, errors),
        (_, Some(_)) => {
            let detail = "can only be set when seccomp type is Localhost";
            let shown = go_structs::compact("SeccompProfile", profile);
            errors.push(FieldError::invalid(path, profile.clone(), detail).showing(shown));
        }
        (_, None) => {}
    }
}

/// Models ValidateAppArmorProfileField.
fn app_armor(context: &Value, path: &Path<'_>, errors: &mut Errors) {
    const LONGEST_PATH: usize = 4095;
    const NEEDED: &str = "must be set when AppArmor type is Localhost";
    let Some(profile) = context.sub("appArmorProfile") else { return };
    let path = path.child("appArmorProfile");
    let local = profile.sub("localhostProfile").and_then(Value::as_str);
    let local_path = path.child("localhostProfile");
    let kinds = ["Localhost", "RuntimeDefault", "Unconfined"];
    match (profile.text("type"), local) {
        ("Localhost", None) => errors.required(local_path, NEEDED),
        ("Localhost", Some(local)) => {
            if local.trim() != local {
                errors.invalid(local_path, local, "must not be padded with whitespace");
            } else if local.is_empty() {
                errors.required(local_path, NEEDED);
            }
            if local.len() > LONGEST_PATH {
                errors.push(FieldError::too_long(local_path, LONGEST_PATH));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(local)) => {
            let detail = "can only be set when AppArmor type is Localhost";
            errors.invalid(local_path, local, detail);
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("", _) => {
            let detail = "type is required when appArmorProfile is set";
            errors.required(path.child("type"), detail);
        }
        (kind, _) => errors.not_supported(path.child("type"), kind, &kinds),
    }
}

/// Models ValidateSecurityContext.
///
/// Simplified: what is for Windows alone is not looked at.
pub(super) fn of_container(
    context: &Value,
    host_users: bool,
    path: &Path<'_>,
    errors: &mut Errors,
) {
    identity(context, "runAsUser", path, errors);
    identity(context, "runAsGroup", path, errors);
    supported(context, "procMount", &["Default", "Unmasked"], path, errors);
    if host_users && context.text("procMount") == "Unmasked" {
        let detail = "`hostUsers` must be false to use `Unmasked`";
        errors.invalid(path.child("procMount"), "Unmasked", detail);
    }
    seccomp(context, path, errors);
    let forbids_escalation =
        context.sub("allowPrivilegeEscalation").and_then(Value::as_bool) == Some(false);
    if forbids_escalation {
        let shown = || go_structs::compact("SecurityContext", context);
        if context.flag("privileged") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(FieldError::invalid(path, context.clone(), detail).showing(shown()));
        }
        let added = context.sub("capabilities").map_or(&[] as &[Value], |c| c.list("add"));
        for _ in added.iter().filter(|capability| *capability == "CAP_SYS_ADMIN") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                          CAP_SYS_ADMIN";
            errors.push(FieldError::invalid(path, context.clone(), detail).showing(shown()));
        }
    }
    app_armor(context, path, errors);
}

/// Models validateHostUsers.
pub(super) fn host_users(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    const DETAIL: &str = "when `hostUsers` is false";
    if spec.host_users {
        return;
    }
    // The API server writes two of the three names in capitals.
    for (field, shown) in
        [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")]
    {
        if spec.tree.flag(field) {
            errors.forbidden(path.child(shown), DETAIL);
        }
    }
    for list in ["initContainers", "containers"] {
        let list_path = path.child(list);
        for (index, container) in spec.tree.list(list).iter().enumerate() {
            if !container.list("volumeDevices").is_empty() {
                errors.forbidden(list_path.index(index).child("volumeDevices"), DETAIL);
            }
        }
    }
}

/// What a pod of one operating system cannot ask for of the other.
///
/// Models validateLinux and validateWindows.
pub(super) fn of_system(spec: &Spec<'_>, path: &Path<'_>, errors: &mut Errors) {
    const OF_POD: [&str; 14] = [
        "appArmorProfile",
        "seLinuxOptions",
        "hostUsers",
        "hostPID",
        "hostIPC",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ];
    const OF_CONTAINER: [&str; 10] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let (of_pod, of_container, detail): (&[&str], &[&str], &str) = match spec.os() {
        Some("linux") => {
            let options = &["windowsOptions"];
            (options, options, "windows options cannot be set for a linux pod")
        }
        Some("windows") => (&OF_POD, &OF_CONTAINER, "cannot be set for a windows pod"),
        _ => return,
    };
    let is_set = |owner: &Value, field: &str| match owner.sub(field) {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Bool(wanted)) => *wanted || !["hostPID", "hostIPC"].contains(&field),
        value => value.is_some(),
    };
    let null = Value::Null;
    let context = spec.tree.sub("securityContext").unwrap_or(&null);
    let context_path = path.child("securityContext");
    for field in of_pod {
        if field.starts_with("host") {
            if is_set(spec.tree, field) {
                errors.forbidden(path.child(field), detail);
            }
        } else if is_set(context, field) {
            errors.forbidden(context_path.child(field), detail);
        }
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let list_path = path.child(list);
        for (index, container) in spec.tree.list(list).iter().enumerate() {
            let context = container.sub("securityContext").unwrap_or(&null);
            let path = list_path.index(index);
            let path = path.child("securityContext");
            for field in of_container.iter().filter(|field| is_set(context, field)) {
                errors.forbidden(path.child(field), detail);
            }
        }
    }
}
