//! Commands that wait.
//!
//! A command does what it can do at once. If it has to wait it leaves a [`Task`] behind, plain data
//! that says what is left, and a [`Wake`] that says when to go on; whoever keeps the clock lets
//! time pass and goes on with it. So the same command waits for seconds of a student's time in the
//! page and for none in `diorama run`.

use super::call::Call;
use super::commands::{
    apply, debug, delete, drain, edit, exec, logs, port_forward, proxy, rollout, run, scale, wait,
    watch,
};
use super::failure::{Failure, Outcome};
use super::flags::Flags;
use super::session::Session;
use super::verbs::Verb;
use crate::base::SimTime;
use crate::programs::Output;
use crate::world::World;

/// When a command that waits is to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At this time.
    At(SimTime),
    /// Whenever something has changed, and at this time in any case.
    Change(SimTime),
    /// Whenever something has changed and as time passes, until somebody ends it.
    Always,
    /// As time passes; where nobody can end it, until this time.
    Passing {
        /// Until when.
        limit: SimTime,
        /// Whether nothing but a person ends it.
        is_endless: bool,
    },
    /// When a line has been entered behind this prompt.
    Line(String),
    /// When a text has been changed in an editor, or not.
    Text {
        /// What is edited, `deployments.apps/web`.
        name: String,
        /// The text as it is.
        text: String,
    },
}

/// What a command that waits goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Time has passed.
    Time,
    /// A line was entered.
    Line(String),
    /// Ctrl-D: no line will come any more, or nobody looks any more.
    End,
    /// Ctrl-C.
    Interrupt,
    /// The text in the editor was saved, or the editor closed without.
    Text(Option<String>),
}

/// What is left of a command, by what it waits for.
#[derive(Debug)]
pub(crate) enum Task {
    /// `delete`: objects to be gone.
    Gone(delete::Gone),
    /// `apply`, `create -f`, `replace`: manifests to be carried out.
    Manifests(apply::Manifests),
    /// `drain`: pods to leave.
    Drain(drain::Drain),
    /// `rollout status`.
    Rollout(rollout::Watching),
    /// `wait`.
    Conditions(wait::Conditions),
    /// `wait --for=create`.
    Creation(wait::Creation),
    /// `scale --timeout`.
    Scale(scale::Scaling),
    /// `run`: a pod to be admitted.
    Run(run::Admission),
    /// `run -it`, `run --rm`: a pod to begin, and to end.
    Attach(run::Attach),
    /// `get -w`, `events -w`.
    Watch(watch::Watch),
    /// `logs -f`.
    Logs(logs::Following),
    /// `exec`: a command to end.
    Exec(exec::Command),
    /// `port-forward`.
    Forward(port_forward::Forward),
    /// `debug`: a container to begin, and to be left.
    Debug(debug::Session),
    /// `proxy`.
    Proxy(proxy::Proxy),
    /// `edit`.
    Edit(edit::Edit),
}

impl Task {
    fn go_on(self, call: &mut Call<'_>, input: Input) -> Outcome {
        let cleans_up = matches!(
            self,
            Task::Attach(_)
                | Task::Exec(_)
                | Task::Debug(_)
                | Task::Forward(_)
                | Task::Proxy(_)
                | Task::Edit(_)
        );
        if input == Input::Interrupt && !cleans_up {
            return Err(Failure::Silent(130));
        }
        match self {
            Task::Gone(task) => task.go_on(call),
            Task::Manifests(task) => task.go_on(call),
            Task::Drain(task) => task.go_on(call),
            Task::Rollout(task) => task.go_on(call),
            Task::Conditions(task) => task.go_on(call),
            Task::Creation(task) => task.go_on(call),
            Task::Scale(task) => task.go_on(call),
            Task::Run(task) => task.go_on(call),
            Task::Attach(task) => task.go_on(call, input),
            Task::Watch(task) => task.go_on(call),
            Task::Logs(task) => task.go_on(call, input),
            Task::Exec(task) => task.go_on(call, input),
            Task::Forward(task) => task.go_on(call, input),
            Task::Debug(task) => task.go_on(call, input),
            Task::Proxy(task) => task.go_on(call, input),
            Task::Edit(task) => task.go_on(call, input),
        }
    }
}

/// A command that has begun and waits.
#[derive(Debug)]
pub struct Running {
    verb: &'static Verb,
    args: Vec<String>,
    after_dash: Option<Vec<String>>,
    flags: Flags,
    task: Task,
    wake: Wake,
}

impl Running {
    /// When to go on.
    pub const fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Goes on: gives back what was printed since, and the command if it still waits.
    pub fn go_on(
        self,
        world: &mut World,
        session: &mut Session,
        input: Input,
    ) -> (Output, Option<Running>) {
        let mut call = Call::new(self.verb, world, session);
        (call.args, call.after_dash, call.flags) = (self.args, self.after_dash, self.flags);
        let outcome = self.task.go_on(&mut call, input);
        finish(call, outcome)
    }
}

/// What a command printed, and the command if it waits.
pub(super) fn finish(call: Call<'_>, outcome: Outcome) -> (Output, Option<Running>) {
    let Call { out: stdout, err: stderr, marks, .. } = call;
    let mut output = Output { stdout, stderr, marks, exit: 0 };
    match (outcome, call.rest) {
        (Err(failure), _) => {
            let (text, exit) = failure.report();
            output.complain(&text);
            output.exit = exit;
            (output, None)
        }
        (Ok(()), None) => (output, None),
        (Ok(()), Some((task, wake))) => {
            let (verb, args, after_dash) = (call.verb, call.args, call.after_dash);
            let flags = call.flags;
            (output, Some(Running { verb, args, after_dash, flags, task, wake }))
        }
    }
}
