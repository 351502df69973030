//! What a process stands on.

use super::super::files::Files;
use super::super::kit::Kit;
use super::super::log::Log;
use super::super::output::Output;
use super::{Desk, Process};
use crate::base::SimTime;

/// What was said to somebody outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// Its number.
    pub number: u32,
    /// What was said and not taken yet.
    pub said: Output,
    /// How it ended, and when.
    pub end: Option<(SimTime, i32)>,
}

/// A pipe between two processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::container) struct Pipe {
    /// Its number.
    pub number: u32,
    /// What is in it.
    pub text: String,
    /// Whether nobody writes to it any more.
    pub is_closed: bool,
    /// Whether nobody reads from it any more.
    pub is_broken: bool,
}

/// What a process stands on while it runs.
pub(in crate::container) struct Ground<'a> {
    /// Its container's files.
    pub files: Files<'a>,
    /// The programs of its image.
    pub kit: Kit,
    /// The container's log.
    pub log: &'a mut Log,
    /// What is said to others.
    pub talks: &'a mut Vec<Talk>,
    /// Pipes.
    pub pipes: &'a mut Vec<Pipe>,
    /// The container's other processes.
    pub others: &'a [Process],
    /// The words of the first process, if it is not among them.
    pub first: Option<&'a str>,
    /// Processes that have ended: number, code.
    pub ended: &'a mut Vec<(u32, i32)>,
    /// The next number for a process or a pipe.
    pub next_number: &'a mut u32,
    /// Processes that have begun.
    pub born: Vec<Process>,
    /// The machine, if it is a person's own, and what was sent off there with `&`.
    pub desk: Option<Desk<'a>>,
    pub sent_off: &'a mut Vec<Process>,
    /// Signals that were sent.
    pub signals: Vec<(u32, u8)>,
    /// Whether the image's own server runs in this container.
    pub is_serving: bool,
    /// The present.
    pub now: SimTime,
}

impl Ground<'_> {
    pub(super) fn number(&mut self) -> u32 {
        // A shell and the program that it waits for have a number each.
        *self.next_number += 2;
        *self.next_number - 2
    }

    /// Whether others carry out a command, and not this machine.
    pub(super) fn is_of_others(&self, name: &str) -> bool {
        self.desk.is_some_and(|desk| desk.words.contains(&name))
    }

    pub(super) fn pipe(&mut self, number: u32) -> Option<&mut Pipe> {
        self.pipes.iter_mut().find(|pipe| pipe.number == number)
    }
}
