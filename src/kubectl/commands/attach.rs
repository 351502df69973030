//! `kubectl attach`.

use super::debug::Session;
use super::exec::Command;
use super::logs;
use crate::api::Kind;
use crate::api::pod::RestartPolicy;
use crate::api::tree::Tree as _;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::Input;
use crate::store::ObjectKey;

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
        let name = container.str_at(&["name"]).unwrap_or_default().to_owned();
        return Session::typing(ObjectKey::of(&pod), name, shell).go_on(call, Input::Time);
    }
    logs::follow(call, &pod, container.str_at(&["name"]).unwrap_or_default())
}

/// Somebody has left the shell that a container's first process is, and it has ended with that.
///
/// Models attach.go reattachMessage.
pub(super) fn left(call: &mut Call<'_>, key: &ObjectKey, container: &str, code: i32) {
    let object = call.world.store().get(Kind::Pod, key).cloned();
    call.world.end_container(key, container, code);
    let Some(pod) = object.as_ref().and_then(|object| object.pod()) else { return };
    let (is_quiet, has_terminal) = (call.flags.on("quiet"), call.flags.on("tty"));
    if is_quiet || !has_terminal || pod.spec.restart_policy != RestartPolicy::Always {
        return;
    }
    let is_beside = pod.spec.ephemeral_containers.iter().any(|it| it.name == container);
    let command = format!("'kubectl attach {} -c {container} -i -t'", key.name);
    call.say(match is_beside {
        true => format!(
            "Session ended, the ephemeral container will not be restarted but may be reattached using {command} if it is still running"
        ),
        false => {
            format!("Session ended, resume using {command} command when the pod is running")
        }
    });
}
