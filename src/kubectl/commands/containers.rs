//! Commands that need more of a container than this model has: `cp`, `debug`.

use super::logs;
use crate::api::Kind;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};

/// `kubectl cp`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/cp/cp.go.
// Simplified: containers have no files of their own, so none are copied.
pub(crate) fn cp(call: &mut Call<'_>) -> Outcome {
    let [from, to] = call.args.as_slice() else {
        return plain("source and destination are required");
    };
    if [from, to].iter().any(|spec| !is_spec(spec)) {
        return plain("filespec must match the canonical format: [[namespace/]pod:]file/path");
    }
    let pod = match (remote(from), remote(to)) {
        (None, None) => return plain("one of src or dest must be a remote file specification"),
        (Some(_), Some(_)) => {
            return plain("one of src or dest must be a local file specification");
        }
        (Some((_, "")), _) | (_, Some((_, ""))) => return plain("filepath can not be empty"),
        (None, Some((pod, _))) => {
            if call.session.read(from).is_none() && !call.session.is_folder(from) {
                return plain(format!("{from} doesn't exist in local filesystem"));
            }
            pod
        }
        (Some((pod, _)), None) => pod,
    };
    let namespace = call.namespace();
    let (namespace, name) = pod.split_once('/').unwrap_or((&namespace, pod));
    call.object(Kind::Pod, namespace, name)?;
    plain("this model's containers have no files that can be copied")
}

/// Whether a text may name a file, of a pod or not.
///
/// Models cp.go extractFileSpec.
fn is_spec(spec: &str) -> bool {
    remote(spec).is_none_or(|(pod, _)| !pod.is_empty() && pod.matches('/').count() < 2)
}

/// `POD:FILE` of a file in a container.
fn remote(spec: &str) -> Option<(&str, &str)> {
    spec.split_once(':')
}

/// `kubectl debug`.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/debug/debug.go Validate.
// Simplified: nobody adds ephemeral containers to pods.
pub(crate) fn debug(call: &mut Call<'_>) -> Outcome {
    let copy = call.flags.get("copy-to").is_some();
    if call.flags.get("image").is_none() && !copy {
        return plain("you must specify --image when not using --copy-to.");
    }
    let Some(word) = call.args.first().cloned() else {
        return plain("NAME is required for debug");
    };
    let profile = call.flags.text("profile");
    if !["general", "baseline", "restricted", "netadmin", "sysadmin", "legacy"].contains(&profile) {
        return plain(format!("unknown profile: {profile}"));
    }
    match word.strip_prefix("node/").or_else(|| word.strip_prefix("nodes/")) {
        Some(node) => call.object(Kind::Node, "", node)?,
        None => logs::pod_of(call, &word)?,
    };
    plain("this model has no ephemeral containers; use kubectl exec or kubectl run")
}
