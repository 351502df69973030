//! What a command does while time passes.

use super::{Console, burst};
use crate::base::SimTime;
use crate::kubectl::{self, Input, Wake};
use crate::programs::Output;
use crate::world::World;
use crate::world::burst::Sending;
use core::time::Duration;

/// `idle` waits no longer than this.
const MOST_IDLE: Duration = Duration::from_secs(90);
/// How often `watch` looks again.
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// Clears a terminal's screen.
pub(super) const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// A command that has begun and waits.
#[derive(Debug)]
pub(super) enum Work {
    /// One of kubectl's.
    Kubectl(Box<kubectl::Running>),
    /// Nothing more comes than the end.
    Until {
        /// When.
        at: SimTime,
        /// The exit code.
        exit: i32,
    },
    /// Nothing may change for a while.
    Idle {
        /// For how long.
        quiet: Duration,
        /// Since when.
        begin: SimTime,
    },
    /// What is printed is known, and takes time.
    Told {
        /// What comes next, and then.
        rest: Output,
        /// When.
        at: SimTime,
        /// What the command does after that.
        then: Option<Box<Work>>,
    },
    /// Requests are sent, one after the other.
    Burst(Box<Sending>),
    /// Commands in the background are to end.
    Jobs,
    /// A command that is carried out again and again.
    Watch {
        /// The command.
        line: String,
        /// When it is next.
        at: SimTime,
    },
}

/// What was printed, and the work if it is not done.
pub(super) type Step = (Output, Option<Work>);

impl Work {
    /// `idle N`.
    pub(super) const fn idle(quiet: Duration, world: &World) -> Self {
        Work::Idle { quiet, begin: world.now() }
    }

    /// When to go on.
    pub(super) fn wake(&self, world: &World) -> Wake {
        match self {
            Work::Kubectl(running) => running.wake().clone(),
            Work::Until { at, .. } | Work::Told { at, .. } | Work::Watch { at, .. } => {
                Wake::At(*at)
            }
            Work::Burst(sending) => Wake::At(sending.next().unwrap_or(world.now())),
            Work::Idle { quiet, begin } => Wake::Change(idle_until(world, *quiet, *begin).0),
            Work::Jobs => Wake::Always,
        }
    }

    /// Whether nothing but a person ends it.
    pub(super) fn is_endless(&self) -> bool {
        match self {
            Work::Kubectl(running) => {
                matches!(
                    running.wake(),
                    Wake::Always
                        | Wake::Line(_)
                        | Wake::Text { .. }
                        | Wake::Passing { is_endless: true, .. }
                )
            }
            Work::Told { then, .. } => then.as_ref().is_some_and(|then| then.is_endless()),
            Work::Watch { .. } => true,
            Work::Until { .. } | Work::Idle { .. } | Work::Burst(_) | Work::Jobs => false,
        }
    }

    /// Goes on with what has come.
    pub(super) fn go_on(self, console: &mut Console, world: &mut World, input: Input) -> Step {
        let ended = |exit| (Output { exit, ..Output::default() }, None);
        match self {
            Work::Kubectl(running) => {
                let (output, rest) = running.go_on(world, &mut console.session, input);
                let step = unfold(world, output, rest.map(|rest| Work::Kubectl(Box::new(rest))));
                console.take_time(world, step)
            }
            Work::Burst(sending) => burst::go_on(console, world, sending, input),
            // Ctrl-C ends what a line printed into a shell, and not the shell.
            Work::Told { then: Some(then), .. } if input == Input::Interrupt => {
                match then.is_endless() {
                    true => (Output::default(), Some(*then)),
                    false => then.go_on(console, world, input),
                }
            }
            _ if input == Input::Interrupt => ended(130),
            Work::Jobs if !console.has_jobs() => ended(0),
            Work::Until { at, exit } if world.now() >= at => ended(exit),
            Work::Told { rest, at, then } if world.now() >= at => {
                let step = unfold(world, rest, then.map(|then| *then));
                console.take_time(world, step)
            }
            Work::Watch { line, at } if world.now() >= at => look(console, world, line),
            Work::Idle { quiet, begin } if idle_until(world, quiet, begin).1 => ended(0),
            other => (Output::default(), Some(other)),
        }
    }
}

/// Parts what was printed at its first pause: the rest comes later.
pub(super) fn unfold(world: &World, output: Output, then: Option<Work>) -> Step {
    match output.until_pause() {
        None => (output, then),
        Some((first, pause, rest)) => {
            let at = world.now() + pause;
            (first, Some(Work::Told { rest, at, then: then.map(Box::new) }))
        }
    }
}

/// `watch COMMAND`: what the screen shows, and again in two seconds.
pub(super) fn look(console: &mut Console, world: &mut World, line: String) -> Step {
    let output = console.at_once(world, &line);
    let text = format!("{CLEAR}Every 2.0s: {line}\n\n{}{}", output.stdout, output.stderr);
    let at = world.now() + WATCH_EVERY;
    (Output { stdout: text, ..Output::default() }, Some(Work::Watch { line, at }))
}

/// When it will have been quiet for long enough, and whether it has.
fn idle_until(world: &World, quiet: Duration, begin: SimTime) -> (SimTime, bool) {
    let limit = begin + MOST_IDLE;
    let calm = world.last_change().max(begin) + quiet;
    let settled = calm >= limit || world.next_due().is_none_or(|due| due > calm);
    let until = if settled { calm.min(limit) } else { limit };
    (until, world.now() >= limit || (settled && world.now() >= until))
}
