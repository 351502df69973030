//! `kubectl attach`.

use super::exec::Command;
use super::logs;
use crate::api::tree::Tree as _;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::Input;

/// Shows what a container prints from now on, or lets a person type into it.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/attach/attach.go.
pub(crate) fn attach(call: &mut Call<'_>) -> Outcome {
    let word = match call.args.as_slice() {
        [] => return plain("at least 1 argument is required for attach"),
        [one] => one.clone(),
        [kind, name] => format!("{kind}/{name}"),
        _ => return plain("expected POD, TYPE/NAME, or TYPE NAME"),
    };
    let pod = logs::pod_of(call, &word)?;
    let value = shown(&pod);
    let phase = value.str_at(&["status", "phase"]).unwrap_or_default();
    if matches!(phase, "Succeeded" | "Failed") {
        return plain(format!(
            "cannot attach a container in a completed pod; current phase is {phase}"
        ));
    }
    let (container, status) =
        logs::container_of(call, &value).map_err(|failure| match failure {
            Failure::Plain(why) => Failure::Plain(format!("cannot attach to the container: {why}")),
            other => other,
        })?;
    if status.at(&["state", "running"]).is_none() {
        return plain("unable to upgrade connection: container not found");
    }
    call.warn("All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.");
    if let Some(shell) = Command::of_first(call, &pod, &container) {
        call.warn("If you don't see a command prompt, try pressing enter.");
        return shell.go_on(call, Input::Time);
    }
    logs::follow(call, &pod, container.str_at(&["name"]).unwrap_or_default())
}
