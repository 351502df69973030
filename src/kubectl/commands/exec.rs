//! `kubectl exec`: commands inside containers.

use super::logs::{container_of, pod_of};
use crate::api::tree::Tree as _;
use crate::base::names::fnv64a;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::store::ObjectKey;
use crate::world::NotRun;
use core::time::Duration;

/// As long as a command in a container is waited for.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// Runs a command in a container.
pub(crate) fn exec(call: &mut Call<'_>) -> Outcome {
    let Some(word) = call.args.first().cloned() else {
        return plain("pod, type/name or --filename must be specified");
    };
    let command = call.after_dash.clone().unwrap_or_default();
    if command.is_empty() {
        return plain("you must specify at least one command for the container");
    }
    let pod = pod_of(call, &word)?;
    let value = shown(&pod);
    let (container, status) = container_of(call, &value)?;
    let name = container.str_at(&["name"]).unwrap_or_default();
    if matches!(value.str_at(&["status", "phase"]), Some("Succeeded" | "Failed")) {
        let phase = value.str_at(&["status", "phase"]).unwrap_or_default();
        return plain(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        ));
    }
    let not_found = || {
        plain(format!(
            "Internal error occurred: unable to upgrade connection: container not found (\"{name}\")"
        ))
    };
    if status.at(&["state", "running"]).is_none() {
        return not_found();
    }
    let input = call.stdin.map(str::to_owned).filter(|_| call.flags.on("stdin"));
    if command.len() == 1 && is_shell(&command) && input.is_none() {
        return no_prompt(call);
    }
    match call.world.exec(&ObjectKey::of(&pod), name, &command, input, PATIENCE) {
        Ok(output) => {
            call.out.push_str(&output.stdout);
            call.err.push_str(&output.stderr);
            match output.exit {
                0 => Ok(()),
                code => Err(Failure::Exited(code)),
            }
        }
        Err(NotRun::NoContainer) => not_found(),
        Err(NotRun::NoProgram(why)) => {
            let seed = format!("{} {why}", pod.meta.uid);
            let id: String =
                (0..4).map(|part| format!("{:016x}", fnv64a(part, seed.as_bytes()))).collect();
            plain(format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: {why}: unknown"
            ))
        }
    }
}

/// Whether a command is nothing but a shell that would ask what to do.
pub(super) fn is_shell(words: &[String]) -> bool {
    matches!(words, [shell] if matches!(
        shell.rsplit('/').next(),
        Some("sh" | "bash" | "ash" | "dash" | "zsh")
    ))
}

/// A console of one line cannot be in two places.
pub(super) fn no_prompt(call: &mut Call<'_>) -> Outcome {
    call.warn("this console has no shell inside containers; give the command after --");
    Ok(())
}
