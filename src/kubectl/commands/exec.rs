//! `kubectl exec`: commands inside containers.

use super::logs::{container_of, pod_of, status_of};
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::names::fnv64a;
use crate::container::{self, Kit, Output, Part, Presence, Stream, images, kit_of};
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome, plain};
use crate::kubectl::task::{Input, Task, Wake};
use crate::store::ObjectKey;
use crate::world::{Exec, Going, NotRun};
use std::sync::Arc;

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
    let input = call.stdin.map(str::to_owned).filter(|_| reads);
    if reads
        && input.is_none()
        && let Some(shell) = Shell::of(&pod, &container, &command)
    {
        return shell.go_on(call, Input::Time);
    }
    match call.world.begin_exec(&ObjectKey::of(&pod), name, &command, input) {
        Ok(exec) => Command(exec).go_on(call, Input::Time),
        Err(why) => refused(&pod, name, why),
    }
}

/// The words of the kubelet and of the container runtime for a command that cannot run.
fn refused(pod: &Object, container: &str, why: NotRun) -> Outcome {
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
pub(crate) struct Command(Exec);

impl Command {
    pub(crate) fn go_on(mut self, call: &mut Call<'_>, input: Input) -> Outcome {
        let (output, going) = match input {
            Input::Interrupt | Input::End => (call.world.break_exec(&mut self.0), Going::Ended),
            _ => call.world.go_on_exec(&mut self.0),
        };
        let exit = output.exit;
        call.show(output);
        match (going, exit) {
            (Going::On { limit, is_endless }, _) => {
                call.wait_for(Wake::Passing { limit, is_endless }, Task::Exec(self))
            }
            (Going::Ended, 0) => Ok(()),
            (Going::Ended, code) => Err(Failure::Exited(code)),
        }
    }
}

/// A shell in a container that a person types into.
// Simplified: each line is a script of its own: only the folder is remembered between them.
#[derive(Debug)]
pub(crate) struct Shell {
    pod: Arc<Object>,
    container: String,
    restarts: i64,
    program: String,
    kit: Kit,
    folder: String,
    /// What a line that is `cd` and no more leads to.
    next_folder: Option<String>,
    /// The line at work.
    running: Option<Exec>,
    exit: i32,
}

impl Shell {
    /// The shell that a command is, if it is one.
    fn of(pod: &Arc<Object>, container: &Value, command: &[String]) -> Option<Shell> {
        let (program, rest) = command.split_first()?;
        let name = program.rsplit('/').next().unwrap_or_default();
        let is_shell = matches!(name, "sh" | "ash" | "dash" | "bash" | "zsh")
            && rest.iter().all(|word| matches!(word.as_str(), "-i" | "-l" | "-il" | "--login"));
        let kit = kit_of(container.str_at(&["image"]).unwrap_or_default());
        if !is_shell || kit.has(program) == Presence::No {
            return None;
        }
        let name = container.str_at(&["name"]).unwrap_or_default().to_owned();
        let folder = container.str_at(&["workingDir"]).filter(|it| !it.is_empty());
        Some(Shell {
            pod: pod.clone(),
            restarts: restarts(&shown(pod), &name),
            container: name,
            program: program.clone(),
            kit,
            folder: folder.unwrap_or("/").to_owned(),
            next_folder: None,
            running: None,
            exit: 0,
        })
    }

    /// The shell that a container's first process is, for who sits at its terminal.
    pub(super) fn first(call: &Call<'_>, pod: &Arc<Object>, container: &Value) -> Option<Shell> {
        let reads = container.bool_at(&["stdin"]) == Some(true);
        if !reads || !call.flags.on("stdin") || !call.flags.on("tty") {
            return None;
        }
        let lists = [container.items_at(&["command"]), container.items_at(&["args"])];
        let words: Vec<String> =
            lists.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let image = container.str_at(&["image"]).unwrap_or_default();
        let has_bash = kit_of(image).has("bash") == Presence::Yes;
        match words.is_empty() {
            // The image's own process is a shell.
            true if images::ends_at_once(image) => {
                let own = if has_bash { "bash" } else { "sh" };
                Shell::of(pod, container, &[own.to_owned()])
            }
            true => None,
            false => Shell::of(pod, container, &words),
        }
    }

    /// What stands before a line.
    fn prompt(&self) -> String {
        let name = self.program.rsplit('/').next().unwrap_or_default();
        let folder = &self.folder;
        match name {
            "bash" => format!("root@{}:{folder}# ", host_name(&shown(&self.pod))),
            _ if self.kit.busybox => format!("{folder} # "),
            _ => "# ".to_owned(),
        }
    }

    pub(crate) fn go_on(mut self, call: &mut Call<'_>, input: Input) -> Outcome {
        match self.take(call, input)? {
            Some(wake) => call.wait_for(wake, Task::Shell(self)),
            None => Ok(()),
        }
    }

    /// Carries out a line, or goes on with it. Gives back when to go on, unless it has ended.
    pub(super) fn take(
        &mut self,
        call: &mut Call<'_>,
        input: Input,
    ) -> Result<Option<Wake>, Failure> {
        if self.running.is_some() {
            return self.line_on(call, input);
        }
        if !self.is_there(call) {
            return Err(Failure::Exited(137));
        }
        let line = match input {
            Input::Line(line) => line,
            Input::End if self.exit == 0 => return Ok(None),
            Input::End => return Err(Failure::Exited(self.exit)),
            _ => return Ok(Some(Wake::Line(self.prompt()))),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        self.next_folder = match words.as_slice() {
            [] => return Ok(Some(Wake::Line(self.prompt()))),
            ["exit" | "logout", rest @ ..] => {
                let code = rest.first().and_then(|code| code.parse().ok()).unwrap_or(self.exit);
                return if code == 0 { Ok(None) } else { Err(Failure::Exited(code)) };
            }
            ["cd"] => Some("/root".to_owned()),
            ["cd", path] => Some(container::normal(&self.folder, path)),
            _ => None,
        };
        let folder = shlex::try_quote(&self.folder).unwrap_or_default();
        let script = format!("cd {folder} && {{ {line}\n}}");
        let words = [self.program.clone(), "-c".to_owned(), script];
        match call.world.begin_exec(&ObjectKey::of(&self.pod), &self.container, &words, None) {
            Ok(exec) => self.running = Some(exec),
            Err(_) => return Err(Failure::Exited(137)),
        }
        self.line_on(call, Input::Time)
    }

    /// Goes on with the line at work.
    fn line_on(&mut self, call: &mut Call<'_>, input: Input) -> Result<Option<Wake>, Failure> {
        if let Some(exec) = &mut self.running {
            let (output, going) = match input {
                Input::Interrupt | Input::End => (call.world.break_exec(exec), Going::Ended),
                _ => call.world.go_on_exec(exec),
            };
            let exit = output.exit;
            call.show(at_terminal(&output));
            if let Going::On { limit, is_endless } = going {
                return Ok(Some(Wake::Passing { limit, is_endless }));
            }
            self.exit = exit;
        }
        self.running = None;
        if let Some(folder) = self.next_folder.take().filter(|_| self.exit == 0) {
            self.folder = folder;
        }
        match self.is_there(call) {
            true => Ok(Some(Wake::Line(self.prompt()))),
            false => Err(Failure::Exited(137)),
        }
    }

    /// Whether its container is still the one that it was started in.
    fn is_there(&self, call: &Call<'_>) -> bool {
        let meta = &self.pod.meta;
        let found = call.world.find(Kind::Pod, &meta.namespace, &meta.name);
        found.filter(|pod| pod.meta.uid == meta.uid).is_some_and(|pod| {
            let pod = shown(pod);
            restarts(&pod, &self.container) == self.restarts
                && !matches!(pod.str_at(&["status", "phase"]), Some("Succeeded" | "Failed"))
        })
    }
}

/// At a terminal bash names no line.
fn at_terminal(output: &Output) -> Output {
    let mut shown = Output::default();
    for part in output.parts() {
        match part {
            Part::Text(Stream::Out, text) => shown.stdout.push_str(text),
            Part::Text(Stream::Err, text) => {
                shown.complain(&text.replace("bash: line 1: ", "bash: "));
            }
            Part::Pause(pause) => shown.pause(pause),
        }
    }
    shown
}

fn restarts(pod: &Value, container: &str) -> i64 {
    status_of(pod, container).int_at(&["restartCount"]).unwrap_or(0)
}

fn host_name(pod: &Value) -> String {
    let own = pod.str_at(&["spec", "hostname"]).filter(|name| !name.is_empty());
    own.or(pod.str_at(&["metadata", "name"])).unwrap_or_default().to_owned()
}
