//! `kubectl certificate`.

use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::resources;
use serde_json::json;

/// Says yes to requests for certificates.
pub(crate) fn approve(call: &mut Call<'_>) -> Outcome {
    judge(call, "Approved", "KubectlApprove", "approve", "approved")
}

/// Says no to them.
pub(crate) fn deny(call: &mut Call<'_>) -> Outcome {
    judge(call, "Denied", "KubectlDeny", "deny", "denied")
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/certificates/certificates.go modifyCertificateCondition.
fn judge(call: &mut Call<'_>, verdict: &str, reason: &str, command: &str, done: &str) -> Outcome {
    if call.args.is_empty() && !call.flags.given("filename") {
        return plain("one or more CSRs must be specified as <name> or -f <filename>");
    }
    if !call.args.is_empty() {
        call.args.insert(0, "certificatesigningrequests".to_owned());
    }
    let found = resources::find_named(call)?;
    let mut failures = found.failures;
    for object in found.objects {
        let mut value = shown(&object);
        let mut conditions = value.items_at(&["status", "conditions"]).to_vec();
        let has = |name: &str| conditions.iter().any(|one| one.str_at(&["type"]) == Some(name));
        let opposite = if verdict == "Approved" { "Denied" } else { "Approved" };
        if has(opposite) {
            failures.push(Failure::Plain(format!(
                "certificate signing request \"{}\" is already {opposite}",
                object.meta.name
            )));
            continue;
        }
        if !has(verdict) || call.flags.on("force") {
            conditions.retain(|one| one.str_at(&["type"]) != Some(verdict));
            let now = call.world.now().rfc3339();
            conditions.push(json!({
                "type": verdict, "status": "True", "reason": reason, "lastUpdateTime": now,
                "lastTransitionTime": now,
                "message": format!("This CSR was {done} by kubectl certificate {command}."),
            }));
            value.put(&["status", "conditions"], Value::Array(conditions));
            if let Err(error) = call.world.update_status(object.kind, &value, "") {
                failures.push(error.into());
                continue;
            }
        }
        call.done_plainly(object.kind, &value, done)?;
    }
    Failure::of(failures)
}
