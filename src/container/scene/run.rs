//! A line at work on a person's own machine: a scene of one shell and what it started.

use super::super::kit::PERSONS;
use super::super::process::{Asked, Desk, Line, Memory};
use super::*;

/// The only container, and the only conversation in it.
const PLACE: usize = 0;
const TALK: u32 = 1;

/// A line at work.
#[derive(Clone, Debug)]
pub struct Run(Scene);

impl Run {
    /// Begins with a line, in a shell that remembers this.
    pub fn new(line: &Line, memory: &Memory, input: Option<&str>, now: SimTime) -> Self {
        let role = Role::Person(TALK);
        Run::of(Process::of_line(FIRST_NUMBER, role, line, memory, input, now), now)
    }

    fn of(process: Process, now: SimTime) -> Self {
        let mut scene = Scene::new(1, now);
        if let Some(inside) = scene.insides.first_mut() {
            inside.next_number = process.pid.saturating_add(2);
            inside.talks.push(Talk { number: TALK, ..Talk::default() });
            inside.processes.push(process);
        }
        Run(scene)
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.0.insides.iter().flat_map(|inside| &inside.processes)
    }

    /// Plays it up to a moment, among these files. Says whether it could go on at once, and only
    /// lets others have a turn.
    pub fn play(&mut self, files: &mut Tree, desk: Desk<'_>, now: SimTime) -> bool {
        let setting = Setting {
            image: PERSONS.to_owned(),
            user: User { uid: 1000, gid: 1000, groups: Vec::new() },
            host_name: "workstation".to_owned(),
            ..Setting::default()
        };
        let mut swap = |scene: &mut Scene| {
            scene.insides.iter_mut().for_each(|it| core::mem::swap(&mut it.layer, files));
        };
        swap(&mut self.0);
        let mut stage = Stage {
            disks: &mut Trees::new(),
            setting: &|_| setting.clone(),
            first: &|_| None,
            desk: Some(desk),
        };
        let has_more = self.0.play(now, &mut stage);
        swap(&mut self.0);
        has_more
    }

    /// What was printed since it was asked last.
    pub fn take_said(&mut self) -> Output {
        self.0.take_said(PLACE, TALK).unwrap_or_default()
    }

    /// What it asks others for: the process, and its words.
    pub fn asked(&self) -> Vec<(u32, Arc<Asked>)> {
        self.processes().filter_map(|it| Some((it.pid, it.asked()?.clone()))).collect()
    }

    /// Whether a process is still there.
    pub fn has(&self, pid: u32) -> bool {
        self.processes().any(|it| it.pid == pid)
    }

    /// Gives a process what it asked for.
    pub fn answer(&mut self, pid: u32, reply: &Reply, now: SimTime) {
        let processes = self.0.insides.iter_mut().flat_map(|inside| &mut inside.processes);
        processes.filter(|it| it.pid == pid).for_each(|it| it.answer(reply.clone(), now));
    }

    /// What stands before the line that it waits for, if it waits for one.
    pub fn prompt(&self) -> Option<&Arc<str>> {
        self.0.prompt(PLACE, TALK)
    }

    /// Gives it what was typed.
    pub fn hear_line(&mut self, typed: &Typed, now: SimTime) {
        self.0.hear_line(PLACE, TALK, typed, now);
    }

    /// When it goes on by itself.
    pub fn due(&self) -> Option<SimTime> {
        self.0.due(true)
    }

    /// Whether nothing but a person ends it.
    pub fn is_endless(&self) -> bool {
        self.0.is_endless(PLACE, TALK)
    }

    /// Takes the commands that were sent off: the number of each, its words.
    pub fn take_sent_off(&mut self, now: SimTime) -> Vec<(String, Run)> {
        let gone = self.0.insides.iter_mut().flat_map(|it| core::mem::take(&mut it.sent_off));
        gone.map(|mut process| (process.set_free(), Run::of(process, now))).collect()
    }

    /// How it ended, and what its shell remembers, if it is over.
    pub fn end(&mut self) -> Option<(i32, Option<Memory>)> {
        if self.processes().next().is_some() {
            return None;
        }
        let inside = self.0.insides.first_mut()?;
        let end = inside.talks.first().and_then(|talk| talk.end);
        Some((end.map_or(0, |(_, code)| code), inside.left.take()))
    }

    /// What its shell would remember if it ended here.
    pub fn memory(&self) -> Option<Memory> {
        let left = self.0.insides.first().and_then(|inside| inside.left.clone());
        let first = self.processes().find(|it| it.is_first_of_talk());
        left.or_else(|| first.and_then(Process::memory))
    }
}
