//! Commands that need more of a container than this model has: `debug`.

use super::logs;
use crate::api::Kind;
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Outcome, plain};

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
