//! `kubectl exec`: commands inside containers.

use super::logs::{container_of, pod_of};
use crate::api::tree::Tree as _;
use crate::api::{Object, Value};
use crate::base::names::fnv64a;
use crate::container::{Presence, Typed, images, kit_of};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::{Input, Task, Wake};
use crate::store::ObjectKey;
use crate::world::{Exec, Feed, Going, NotRun};

/// Runs a command in a container.
pub(crate) fn exec(call: &mut Call<'_>) -> Outcome {
    let Some(word) = call.args.first().cloned() else {
        return plain("pod, type/name or --filename must be specified");
    };
    let own = call.args.get(1..).unwrap_or_default().iter();
    let command: Vec<String> = own.chain(call.after_dash.iter().flatten()).cloned().collect();
    if call.args.len() > 1 && call.after_dash.is_none() {
        return call.usage(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead",
        );
    }
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
    if status.at(&["state", "running"]).is_none() {
        return refused(&pod, name, NotRun::NoContainer);
    }
    let reads = call.flags.on("stdin");
    let feed = match call.stdin.map(str::to_owned) {
        Some(text) if reads => Feed::Text(text),
        None if reads => Feed::Terminal,
        _ => Feed::Nothing,
    };
    match call.world.begin_exec(&ObjectKey::of(&pod), name, &command, feed) {
        Ok(exec) => Command { exec, asks: false }.go_on(call, Input::Time),
        Err(why) => refused(&pod, name, why),
    }
}

/// The words of the kubelet and of the container runtime for a command that cannot run.
pub(super) fn refused(pod: &Object, container: &str, why: NotRun) -> Outcome {
    match why {
        NotRun::NoContainer => plain(format!(
            "Internal error occurred: unable to upgrade connection: container not found (\"{container}\")"
        )),
        NotRun::NoProgram(why) => {
            let seed = format!("{} {why}", pod.meta.uid);
            let id: String =
                (0..4).map(|part| format!("{:016x}", fnv64a(part, seed.as_bytes()))).collect();
            plain(format!(
                "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \"{id}\": OCI runtime exec failed: exec failed: unable to start container process: {why}: unknown"
            ))
        }
    }
}

/// A command in a container that is at work.
#[derive(Debug)]
pub(crate) struct Command {
    exec: Exec,
    /// Whether it waits for a line.
    asks: bool,
}

impl Command {
    /// The shell that a container's first process is, for who sits at its terminal.
    // Simplified: it is another one beside the first process.
    pub(super) fn of_first(
        call: &mut Call<'_>,
        pod: &Object,
        container: &Value,
    ) -> Option<Command> {
        let reads = container.bool_at(&["stdin"]) == Some(true);
        if !reads || !call.flags.on("stdin") || !call.flags.on("tty") {
            return None;
        }
        let lists = [container.items_at(&["command"]), container.items_at(&["args"])];
        let words = lists.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let mut words: Vec<String> = words.collect();
        let image = container.str_at(&["image"]).unwrap_or_default();
        if words.is_empty() && images::ends_at_once(image) {
            // The image's own process is a shell.
            let has_bash = kit_of(image).has("bash") == Presence::Yes;
            words.push(if has_bash { "bash" } else { "sh" }.to_owned());
        }
        let name = container.str_at(&["name"]).unwrap_or_default();
        let key = ObjectKey::of(pod);
        let exec =
            is_shell(&words).then(|| call.world.begin_exec(&key, name, &words, Feed::Terminal))?;
        Some(Command { exec: exec.ok()?, asks: false })
    }

    pub(crate) fn go_on(mut self, call: &mut Call<'_>, input: Input) -> Outcome {
        match self.take(call, input)? {
            Some(wake) => call.wait_for(wake, Task::Exec(self)),
            None => Ok(()),
        }
    }

    /// Goes on with what has come. Gives back when to go on again, unless it has ended.
    pub(super) fn take(
        &mut self,
        call: &mut Call<'_>,
        input: Input,
    ) -> Result<Option<Wake>, Failure> {
        let exec = &mut self.exec;
        let (output, going) = match input {
            Input::Line(line) => call.world.type_into(exec, &Typed::Line(line)),
            Input::End if self.asks => call.world.type_into(exec, &Typed::End),
            Input::End => (call.world.break_exec(exec), Going::Ended),
            Input::Interrupt => call.world.interrupt_exec(exec),
            Input::Time | Input::Text(_) => call.world.go_on_exec(exec),
        };
        let exit = output.exit;
        call.show(output);
        self.asks = matches!(going, Going::Asks(_));
        match going {
            // Without a terminal nothing asks.
            Going::Asks(_) if !call.flags.on("tty") => Ok(Some(Wake::Line(String::new()))),
            Going::Asks(prompt) => Ok(Some(Wake::Line(prompt.to_string()))),
            Going::On { limit, is_endless } => Ok(Some(Wake::Passing { limit, is_endless })),
            Going::Ended if exit == 0 => Ok(None),
            Going::Ended => Err(Failure::Exited(exit)),
        }
    }
}

/// Whether words start a shell that takes its commands from who types.
fn is_shell(words: &[String]) -> bool {
    let Some((program, rest)) = words.split_first() else { return false };
    let name = program.rsplit('/').next().unwrap_or_default();
    matches!(name, "sh" | "ash" | "dash" | "bash")
        && rest.iter().all(|word| matches!(word.as_str(), "-i" | "-l" | "-il" | "--login"))
}
