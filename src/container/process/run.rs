//! The steps of a process.

use super::super::shell::{self, Step, Word};
use super::{EXIT, Frame, Ground, Process, Stream, Wait};
use core::mem;
use core::time::Duration;
use std::sync::Arc;

/// As many steps as one process makes at one moment.
// Simplified: a loop that never waits goes on once a second; a real one takes all of a CPU.
const MOST_STEPS: u32 = 2_000;
/// As many as a person's own shell makes before others have a turn.
const MOST_STEPS_OF_A_TURN: u32 = 500;
/// As long as a process rests that has used its CPU for a moment.
pub(in crate::container) const REST: Duration = Duration::from_secs(1);
/// The number of a person's first command that was sent off is behind this one.
const FIRST_JOB: u32 = 1000;
/// As deep as scripts and functions call each other.
pub(super) const MOST_FRAMES: usize = 60;
/// As many processes as a container has at once.
const MOST_PROCESSES: usize = 200;

/// What came of a command.
pub(super) enum Did {
    /// It has ended.
    Done(i32),
    /// It takes its time, and ends with this status.
    Waits(Wait, i32),
    /// It has not begun: the same step again later.
    Again(Wait),
    /// It has changed where its process is.
    Moved,
}

/// Runs a process until it waits for something. How often it is run at one moment makes no
/// difference to how many steps it makes there, nor does it whether a job of its own makes them.
pub(in crate::container) fn run(process: &mut Process, ground: &mut Ground<'_>) {
    if process.moment != ground.now {
        (process.steps, process.moment) = (0, ground.now);
    }
    if let Wait::Follow(_, path, seen) = &process.wait {
        let (path, seen) = (path.clone(), *seen);
        return process.follow(&path, seen, ground);
    }
    process.doing = None;
    let (most, rest) = match ground.desk {
        None => (MOST_STEPS, REST),
        Some(_) => (MOST_STEPS_OF_A_TURN, Duration::ZERO),
    };
    loop {
        process.steps += 1;
        if process.steps > most {
            if rest.is_zero() {
                process.steps = 0;
            }
            process.wait = Wait::Until(ground.now + rest);
            return;
        }
        process.hear();
        let wait = process.step(ground);
        if let Some(wait) = wait {
            process.wait = wait;
            return;
        }
        if process.is_unheard(ground) {
            // SIGPIPE.
            process.wait = Wait::Ended(141);
            return;
        }
    }
}

impl Process {
    /// Whether nobody reads any more what it writes.
    fn is_unheard(&self, ground: &mut Ground<'_>) -> bool {
        let Stream::Pipe(number) = self.streams[1] else { return false };
        ground.pipe(number).is_none_or(|pipe| pipe.is_broken)
    }

    /// Begins the trap of a signal that has come.
    fn hear(&mut self) {
        if self.interrupted.is_some() || self.signals.is_empty() {
            return;
        }
        let number = self.signals.remove(0);
        let trap = self.shell.traps.get(&number).cloned().unwrap_or_default();
        if let Ok(code) = shell::parse(&trap) {
            let status = Some(self.shell.status);
            self.enter(code, status, false);
        }
    }

    /// Goes on in other steps; afterwards with this status, or ends.
    pub(super) fn enter(&mut self, code: Vec<Step>, status: Option<i32>, ends: bool) {
        let code = mem::replace(&mut self.code, Arc::new(code));
        let at = mem::take(&mut self.at);
        self.frames.push(Frame::Within { code, at, status, ends });
    }

    /// Takes one step. What it gives is what the process waits for.
    fn step(&mut self, ground: &mut Ground<'_>) -> Option<Wait> {
        let code = self.code.clone();
        let Some(step) = code.get(self.at) else { return self.at_end(ground) };
        self.at += 1;
        match step {
            Step::Simple(simple, captures) => self.simple(simple, *captures, ground),
            _ => self.structure(step, &code, ground),
        }
    }

    /// Takes a step of any sort: most hold commands together. It stands alone, so that the page can
    /// fetch it after its first view, whose lines are simple (scripts/annex.txt).
    #[inline(never)]
    fn structure(
        &mut self,
        step: &Step,
        code: &Arc<Vec<Step>>,
        ground: &mut Ground<'_>,
    ) -> Option<Wait> {
        match step {
            Step::Simple(simple, captures) => return self.simple(simple, *captures, ground),
            Step::Jump(by) => self.jump(*by),
            Step::JumpIf { success, by } if *success == (self.shell.status == 0) => self.jump(*by),
            Step::JumpIf { .. } => {}
            Step::Loop { len, endless } => {
                let last = self.at + count(*len) - 1;
                let head = self.at;
                self.frames.push(Frame::Loop { head, last, items: None, endless: *endless });
            }
            Step::For { variable, words, captures, len } => {
                let last = self.at + count(*len) - 1;
                self.begin_for(variable, words.as_deref(), *captures, last, ground);
            }
            Step::Next => self.next_item(),
            Step::EndLoop | Step::EndCase => drop(self.frames.pop()),
            Step::Case(word, captures) => {
                let word = self.fill(word, *captures, ground);
                self.use_captured(*captures);
                self.frames.push(Frame::Case(word.unwrap_or_default()));
            }
            Step::Match { patterns, otherwise } => {
                if !self.fits(patterns, ground) {
                    self.jump(*otherwise);
                }
            }
            Step::Redirect(redirects, captures) => {
                self.frames.push(Frame::Streams(self.streams.clone()));
                if let Err(why) = self.redirect(redirects, *captures, ground) {
                    self.complain(&why, 1, ground);
                }
                self.use_captured(*captures);
            }
            Step::Restore => {
                if let Some(Frame::Streams(streams)) = self.frames.pop() {
                    self.streams = streams;
                }
            }
            Step::Subshell { captured, len } => {
                if *captured {
                    self.capturing.push(String::new());
                }
                self.begin_subshell(self.at + count(*len) - 1, *captured);
            }
            Step::EndSubshell => self.end_subshell(ground),
            Step::Spawn(len, text) => {
                self.spawn(text, ground);
                self.jump(*len);
            }
            Step::Pipe(lens) => self.begin_pipe(lens, ground),
            Step::Define(name, len) => {
                self.shell.functions.insert(name.clone(), (code.clone(), self.at));
                self.shell.status = 0;
                self.jump(*len);
            }
            Step::Return => return self.end_function(),
            Step::Not => self.shell.status = i32::from(self.shell.status == 0),
            Step::Status(status) => self.shell.status = *status,
        }
        None
    }

    fn begin_for(
        &mut self,
        variable: &str,
        words: Option<&[Word]>,
        captures: usize,
        last: usize,
        ground: &mut Ground<'_>,
    ) {
        let items = match words {
            None => Ok(self.shell.arguments.clone()),
            Some(words) => self.expand(words, captures, ground),
        };
        match items {
            Ok(items) => {
                self.shell.status = 0;
                let (head, items) = (self.at, Some((variable.to_owned(), items, 0)));
                self.frames.push(Frame::Loop { head, last, items, endless: false });
            }
            Err(why) => {
                self.at = last + 1;
                self.complain(&why, 2, ground);
            }
        }
    }

    /// Whether one of the patterns fits what the `case` looks at.
    fn fits(&mut self, patterns: &[Word], ground: &Ground<'_>) -> bool {
        let Some(Frame::Case(subject)) = self.frames.last().cloned() else { return false };
        patterns.iter().any(|pattern| {
            let pattern = self.fill(pattern, 0, ground);
            pattern.is_ok_and(|pattern| shell::matches(&pattern, &subject))
        })
    }

    /// Begins a job that goes on at the next step.
    fn spawn(&mut self, text: &str, ground: &mut Ground<'_>) {
        if !self.can_fork(ground) {
            return;
        }
        let sent_off = ground.sent_off.len();
        let number = ground.desk.and_then(|desk| desk.next_job).filter(|_| !self.is_beside);
        let number = number.map(|next| next.saturating_add(u32::try_from(sent_off).unwrap_or(0)));
        let pid = match number {
            Some(number) => number.saturating_add(FIRST_JOB),
            None => ground.number(),
        };
        let mut job = self.sibling(pid, self.at, ground.now);
        job.streams[0] = Stream::Nothing;
        job.is_beside = true;
        match number {
            Some(number) => {
                job.doing = Some(text.to_owned());
                ground.sent_off.push(job);
                self.put(1, &format!("[{number}] {pid}\n"), ground);
            }
            None => ground.born.push(job),
        }
        self.shell.last_job = Some(pid);
        self.shell.status = 0;
    }

    /// Whether one more process may be; otherwise that is said.
    fn can_fork(&mut self, ground: &mut Ground<'_>) -> bool {
        let has_room = ground.others.len() + ground.born.len() < MOST_PROCESSES;
        if !has_room {
            self.complain(self.shell.dialect.cannot_fork(), 2, ground);
        }
        has_room
    }

    fn jump(&mut self, by: i32) {
        self.at = self.at.saturating_add_signed(isize::try_from(by).unwrap_or_default());
    }

    fn next_item(&mut self) {
        let Some(Frame::Loop { last, items: Some((variable, words, next)), .. }) =
            self.frames.last_mut()
        else {
            return;
        };
        match words.get(*next).cloned() {
            Some(word) => {
                *next += 1;
                let variable = variable.clone();
                self.shell.set(&variable, word);
            }
            None => self.at = *last,
        }
    }

    fn begin_subshell(&mut self, last: usize, captured: bool) {
        let (shell, streams) = (Box::new(self.shell.clone()), self.streams.clone());
        self.frames.push(Frame::Subshell { last, shell, streams, captured });
        if captured {
            self.streams[1] = Stream::Captured;
        }
        self.shell.traps.clear();
    }

    fn end_subshell(&mut self, ground: &mut Ground<'_>) {
        let Some(Frame::Subshell { shell, streams, captured, .. }) = self.frames.pop() else {
            return;
        };
        if let Stream::Pipe(number) = self.streams[0]
            && self.streams[0] != streams[0]
            && let Some(pipe) = ground.pipe(number)
        {
            pipe.is_broken = true;
        }
        let status = self.shell.status;
        self.shell = *shell;
        self.shell.status = status;
        self.streams = streams;
        if captured {
            let text = self.capturing.pop().unwrap_or_default();
            self.captured.push(text.trim_end_matches('\n').to_owned());
        }
    }

    fn begin_pipe(&mut self, lens: &[i32], ground: &mut Ground<'_>) {
        let mut input = self.streams[0].clone();
        let Some((last, before)) = lens.split_last() else { return };
        if !self.can_fork(ground) {
            return lens.iter().for_each(|len| self.jump(*len));
        }
        for len in before {
            let (number, pid) = (ground.number(), ground.number());
            ground.pipes.push(super::Pipe { number, ..super::Pipe::default() });
            let mut stage = self.sibling(pid, self.at, ground.now);
            stage.streams[0] = input;
            stage.streams[1] = Stream::Pipe(number);
            ground.born.push(stage);
            input = Stream::Pipe(number);
            self.jump(*len);
        }
        self.begin_subshell(self.at + count(*last) - 1, false);
        self.streams[0] = input;
    }

    /// The end of a function, or of a process that was made for these steps alone.
    fn end_function(&mut self) -> Option<Wait> {
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Call { code, at, arguments, streams } => {
                    (self.code, self.at) = (code, at);
                    self.shell.arguments = arguments;
                    self.streams = streams;
                    return None;
                }
                Frame::Streams(streams) => self.streams = streams,
                _ => {}
            }
        }
        Some(Wait::Ended(self.shell.status))
    }

    /// There are no more steps here.
    fn at_end(&mut self, ground: &mut Ground<'_>) -> Option<Wait> {
        if self.is_at_prompt() {
            return self.next_line(ground);
        }
        match self.frames.pop() {
            Some(Frame::Within { code, at, status, ends }) => {
                if ends {
                    return Some(Wait::Ended(status.unwrap_or(self.shell.status)));
                }
                (self.code, self.at) = (code, at);
                self.shell.status = status.unwrap_or(self.shell.status);
                None
            }
            Some(Frame::Script { code, at, shell, streams }) => {
                if let Some(wait) = self.last_trap() {
                    let frame = Frame::Script { code, at, shell, streams };
                    let place = self.frames.len() - 1;
                    self.frames.insert(place, frame);
                    return wait;
                }
                let status = self.shell.status;
                (self.code, self.at) = (code, at);
                self.shell = *shell;
                self.shell.status = status;
                self.streams = streams;
                self.stop_on_error()
            }
            Some(_) => None,
            // Where a person types, a line's end is not the shell's.
            None if self.shell.typing.is_some() => Some(Wait::Ended(self.shell.status)),
            None => self.last_trap().unwrap_or(Some(Wait::Ended(self.shell.status))),
        }
    }

    /// Begins the trap of the shell's end, once. What it gives is what `step` gives.
    fn last_trap(&mut self) -> Option<Option<Wait>> {
        let trap = self.shell.traps.remove(&EXIT)?;
        let code = shell::parse(&trap).ok()?;
        self.enter(code, Some(self.shell.status), false);
        Some(None)
    }

    /// `exit`: to the end of the subshell or script that it is in.
    pub(super) fn leave(&mut self, status: i32) -> Option<Wait> {
        self.shell.status = status;
        while let Some(frame) = self.frames.last() {
            match frame {
                Frame::Subshell { last, .. } => {
                    self.at = *last;
                    return None;
                }
                Frame::Script { .. } => {
                    self.shell.typing = None;
                    self.at = self.code.len();
                    return None;
                }
                Frame::Within { ends: true, .. } => return Some(Wait::Ended(status)),
                _ => drop(self.frames.pop()),
            }
        }
        self.code = Arc::new(Vec::new());
        self.at = 0;
        self.last_trap().unwrap_or(Some(Wait::Ended(status)))
    }

    /// `break` and `continue`: out of so many loops.
    pub(super) fn leave_loops(&mut self, levels: usize, again: bool) {
        let mut left = levels;
        while let Some(frame) = self.frames.last() {
            match frame {
                Frame::Loop { head, last, .. } => {
                    left = left.saturating_sub(1);
                    if left == 0 {
                        self.at = if again { *head } else { *last };
                        return;
                    }
                    self.frames.pop();
                }
                Frame::Streams(streams) => {
                    self.streams = streams.clone();
                    self.frames.pop();
                }
                Frame::Case(_) => drop(self.frames.pop()),
                _ => return,
            }
        }
    }

    pub(super) fn use_captured(&mut self, captures: usize) {
        self.captured.truncate(self.captured.len().saturating_sub(captures));
    }

    /// A step failed: `set -e` may end the script.
    pub(super) fn stop_on_error(&mut self) -> Option<Wait> {
        let next = self.code.get(self.at);
        let is_condition = matches!(next, Some(Step::JumpIf { .. } | Step::Not));
        if self.shell.status == 0 || !self.shell.stops_on_error || is_condition {
            return None;
        }
        self.leave(self.shell.status)
    }
}

/// A number of steps, of which there is at least one.
fn count(len: i32) -> usize {
    usize::try_from(len).unwrap_or(1).max(1)
}
