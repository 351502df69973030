//! A line at work: what its shell does, and the commands of this console that wait in it.

use super::work::{self, Work};
use super::{Console, MOST_BYTES};
use crate::base::SimTime;
use crate::container::{Asked, Desk, Line, Memory, Reply, Run, Typed};
use crate::kubectl::{Input, Wake};
use crate::programs::Output;
use crate::world::World;
use core::time::Duration;
use std::sync::Arc;

/// So many times commands are begun without a pause; then somebody else has a turn.
const MOST_AT_ONCE: u32 = 20;
/// What a turn counts in which the shell was at work all the time and began no command.
const BUSY: u32 = 250;

/// A line at work. Plain data: it goes on when time has passed, and not by itself.
#[derive(Debug)]
pub struct Job {
    run: Run,
    /// The commands that wait: the process that each is, what it was given.
    works: Vec<(u32, Arc<Asked>, Work)>,
    /// What the shell knew before, if it is to know what the line leaves behind.
    before: Option<Memory>,
    exit: i32,
    /// How much it has used of a turn, if it has to let others have theirs.
    tired: u32,
    is_done: bool,
}

impl Job {
    /// A line that the console's shell remembers.
    pub(super) fn new(line: &Line, memory: &Memory, stdin: Option<&str>, now: SimTime) -> Self {
        let run = Run::new(line, memory, stdin, now);
        Job { before: Some(memory.clone()), ..Job::beside(run) }
    }

    /// What goes on beside the console's shell.
    pub(super) const fn beside(run: Run) -> Self {
        Job { run, works: Vec::new(), before: None, exit: 0, tired: 0, is_done: false }
    }

    /// Forgets what becomes of the shell's memory.
    pub(super) fn aside(self) -> Self {
        Job { before: None, ..self }
    }

    /// When it is to go on; `None` when it is done.
    pub fn wake(&self, world: &World) -> Option<Wake> {
        if self.is_done {
            return None;
        }
        if self.is_tired() {
            return Some(Wake::At(world.now()));
        }
        let mut wakes: Vec<Wake> = self.works.iter().map(|(.., work)| work.wake(world)).collect();
        wakes.extend(self.run.prompt().map(|prompt| Wake::Line(prompt.to_string())));
        if self.works.is_empty() && self.run.is_endless() {
            wakes.push(Wake::Always);
        } else {
            wakes.extend(self.run.due().map(Wake::At));
        }
        Some(wakes.into_iter().reduce(first).unwrap_or(Wake::Always))
    }

    /// Whether nothing but a person ends what it waits for.
    pub fn is_endless(&self) -> bool {
        match self.works.is_empty() {
            true => self.run.is_endless() && !self.is_done,
            false => {
                self.run.due().is_none() && self.works.iter().all(|(.., work)| work.is_endless())
            }
        }
    }

    /// Whether it goes on by itself at once, and only let others have a turn.
    pub const fn is_tired(&self) -> bool {
        self.tired > 0
    }

    /// Goes on as far as it can. Gives back what was printed; when it is done, its exit code is in
    /// there.
    pub fn go_on(&mut self, console: &mut Console, world: &mut World, input: Input) -> Output {
        let mut shown = Output::default();
        self.tired = 0;
        match input {
            Input::Interrupt => self.interrupt(console, world, &mut shown),
            input => self.works_on(console, world, &input),
        }
        let mut turns = 0;
        while !self.is_done {
            let now = world.now();
            let has_more = self.play(console, now, &mut shown);
            if let Some((exit, memory)) = self.run.end() {
                self.exit = exit;
                self.finish(console, memory);
            } else if has_more {
                self.tired = BUSY;
                break;
            } else if !self.begin(console, world) && self.run.due().is_none_or(|due| due > now) {
                break;
            }
            turns += 1;
            if turns >= MOST_AT_ONCE && !self.is_done {
                self.tired = 1;
                break;
            }
        }
        shown.exit = self.exit;
        shown
    }

    /// Lets the shell go on, and shows what it printed.
    fn play(&mut self, console: &mut Console, now: SimTime, shown: &mut Output) -> bool {
        let next_job = console.is_live.then(|| console.next_job());
        let words = super::builtins::outside(console.is_live);
        let desk = Desk { words, aliases: &console.aliases, next_job };
        let has_more = self.run.play(&mut console.session.files, desk, now);
        for (name, run) in self.run.take_sent_off(now) {
            let number = console.next_job();
            console.sent_off.push((number, name, Job::beside(run)));
        }
        let said = self.run.take_said();
        if shown.stdout.len() + shown.stderr.len() < MOST_BYTES {
            shown.append(said);
        }
        // Who writes where nobody reads is gone.
        self.works.retain(|(pid, ..)| self.run.has(*pid));
        has_more
    }

    /// Begins with the commands that the shell asks for. Says whether it can go on for them.
    fn begin(&mut self, console: &mut Console, world: &mut World) -> bool {
        let mut can_go_on = false;
        for (pid, asked) in self.run.asked() {
            if self.works.iter().any(|(own, ..)| *own == pid) {
                continue;
            }
            let step = console.within(&asked.folder, |console| console.command(world, &asked));
            can_go_on |= self.answer(pid, asked, step, world.now());
        }
        can_go_on
    }

    /// Gives a command's process what the command has printed, and whether it goes on. Says whether
    /// that was anything.
    fn answer(&mut self, pid: u32, asked: Arc<Asked>, step: work::Step, now: SimTime) -> bool {
        let (said, work) = step;
        let is_news = work.is_none() || !said.stdout.is_empty() || !said.stderr.is_empty();
        if is_news {
            let goes_on = work.is_some().then(|| asked.clone());
            self.run.answer(pid, &Reply { said, files: Vec::new(), goes_on }, now);
        }
        self.works.extend(work.map(|work| (pid, asked, work)));
        is_news
    }

    /// Goes on with the commands that wait, and gives what was typed to who waits for it.
    fn works_on(&mut self, console: &mut Console, world: &mut World, input: &Input) {
        let now = world.now();
        for (pid, asked, work) in core::mem::take(&mut self.works) {
            let own = match (input, work.wake(world)) {
                (Input::Line(_), Wake::Line(_)) | (Input::Text(_), Wake::Text { .. }) => {
                    input.clone()
                }
                (Input::End, Wake::Line(_) | Wake::Text { .. }) => Input::End,
                (Input::End, Wake::Passing { limit, .. }) if now >= limit => Input::End,
                (Input::End, Wake::Always) => {
                    self.answer(pid, asked, (Output::default(), None), now);
                    continue;
                }
                _ => Input::Time,
            };
            let step = console.within(&asked.folder, |console| work.go_on(console, world, own));
            self.answer(pid, asked, step, world.now());
        }
        match input {
            Input::Line(line) => self.run.hear_line(&Typed::Line(line.clone()), now),
            Input::End => self.run.hear_line(&Typed::End, now),
            _ => {}
        }
    }

    /// Ctrl-C: ends what waits, and the line, unless that is what a person types into.
    #[inline(never)]
    fn interrupt(&mut self, console: &mut Console, world: &mut World, shown: &mut Output) {
        self.exit = 130;
        for (pid, asked, work) in core::mem::take(&mut self.works) {
            let (said, rest) = console
                .within(&asked.folder, |console| work.go_on(console, world, Input::Interrupt));
            match rest {
                Some(work) => drop(self.answer(pid, asked, (said, Some(work)), world.now())),
                None => {
                    self.exit = said.exit;
                    shown.append(said);
                }
            }
        }
        if self.works.is_empty() {
            let memory = self.run.memory().map(|mut memory| {
                memory.end_with(self.exit);
                memory
            });
            self.finish(console, memory);
        }
    }

    fn finish(&mut self, console: &mut Console, left: Option<Memory>) {
        self.is_done = true;
        if let (Some(before), Some(left)) = (self.before.take(), left) {
            console.memory.take_over(&before, left);
            console.memory.folder().clone_into(&mut console.session.folder);
        }
    }
}

/// Which of two moments to go on at comes first.
fn first(a: Wake, b: Wake) -> Wake {
    match (a, b) {
        (a @ (Wake::Line(_) | Wake::Text { .. }), _) => a,
        (_, b @ (Wake::Line(_) | Wake::Text { .. })) => b,
        (Wake::At(a), Wake::At(b)) => Wake::At(a.min(b)),
        (Wake::At(a) | Wake::Change(a), Wake::At(b) | Wake::Change(b)) => Wake::Change(a.min(b)),
        (Wake::Passing { limit, .. }, Wake::At(at) | Wake::Change(at))
        | (Wake::At(at) | Wake::Change(at), Wake::Passing { limit, .. })
            if at >= limit =>
        {
            Wake::Passing { limit, is_endless: false }
        }
        (Wake::Passing { limit: a, is_endless: c }, Wake::Passing { limit: b, is_endless: d }) => {
            Wake::Passing { limit: a.min(b), is_endless: c && d }
        }
        (Wake::Always, other @ Wake::Passing { .. })
        | (other @ Wake::Passing { .. }, Wake::Always) => other,
        (Wake::Always, Wake::Always) => Wake::Always,
        (Wake::At(at) | Wake::Change(at), Wake::Passing { .. } | Wake::Always)
        | (Wake::Passing { .. } | Wake::Always, Wake::At(at) | Wake::Change(at)) => {
            Wake::Change(at)
        }
    }
}

/// Lets the world run forward until a job is done, as fast as it goes. What nothing but a person
/// ends is ended.
pub(super) fn run_to_end(console: &mut Console, world: &mut World, job: &mut Job) -> Output {
    /// No line has more turns without a pause than this.
    const MOST_TURNS: u32 = 5_000;
    /// And none more in all: two commands could wait for each other.
    const MOST_WAKES: u32 = 1_000_000;
    let mut whole = job.go_on(console, world, Input::Time);
    let mut turns = 0;
    for _ in 0..MOST_WAKES {
        let input = match job.wake(world) {
            None => return whole,
            Some(Wake::At(at)) => {
                turns += job.tired;
                if turns > MOST_TURNS {
                    return whole;
                }
                world.run_until(at);
                Input::Time
            }
            Some(Wake::Change(limit)) => {
                if !world.step(limit) {
                    world.run_until(limit);
                }
                Input::Time
            }
            Some(Wake::Passing { limit, .. }) => match world.step(limit) {
                true => Input::Time,
                false => {
                    world.run_until(limit);
                    Input::End
                }
            },
            Some(Wake::Line(_) | Wake::Text { .. }) => Input::End,
            Some(Wake::Always) if job.works.is_empty() => return whole,
            Some(Wake::Always) => Input::End,
        };
        whole.append(job.go_on(console, world, input));
        whole.marks.iter_mut().for_each(|mark| mark.pause = Duration::ZERO);
    }
    whole
}
