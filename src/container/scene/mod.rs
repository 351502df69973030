//! The inside of a pod: its volumes, and in each container what was written, said and started.
//!
//! A pod whose containers are simple servers has none of this.

mod run;

pub use run::Run;

use super::archive::{self, Member, Said};
use super::files::{Files, Setting, Trees, User, View};
use super::kit::kit_of;
use super::log::Log;
use super::output::Output;
use super::process::{
    self, Asked, Command, Desk, Ground, KILL, Memory, Pipe, Process, REST, Reply, Role, Service,
    Talk, Typed, Wait,
};
use super::tree::Tree;
use crate::base::SimTime;
use core::time::Duration;
use std::sync::Arc;

/// As long as what nobody sees is put off.
const PUT_OFF: Duration = Duration::from_secs(3600);
/// As many ends of processes as are remembered for `wait`.
const MOST_ENDS: usize = 32;
/// As many turns as processes have at one moment, and in one play: whoever wants more rests.
const MOST_TURNS: u32 = 2_000;
const MOST_TURNS_OF_A_PLAY: u32 = 200_000;
/// The same of a person's own shell, which then lets others have a turn.
const MOST_TURNS_OF_A_LINE: u32 = 40;
/// The number of the first process beside the container's own.
const FIRST_NUMBER: u32 = 7;

/// A container's inside.
#[derive(Clone, Debug, PartialEq)]
struct Inside {
    layer: Tree,
    processes: Vec<Process>,
    log: Log,
    /// What the container before it printed.
    log_before: Option<Arc<Log>>,
    talks: Vec<Talk>,
    pipes: Vec<Pipe>,
    ended: Vec<(u32, i32)>,
    next_number: u32,
    /// How its first process ended.
    end: Option<(SimTime, i32)>,
    /// Signals to a first process that is no script.
    heard: Vec<u8>,
    /// Commands that a person sent off with `&`.
    sent_off: Vec<Process>,
    /// What a person's own shell knew when it ended.
    left: Option<Memory>,
}

impl Default for Inside {
    fn default() -> Self {
        Inside {
            layer: Tree::default(),
            processes: Vec::new(),
            log: Log::default(),
            log_before: None,
            talks: Vec::new(),
            pipes: Vec::new(),
            ended: Vec::new(),
            next_number: FIRST_NUMBER,
            end: None,
            heard: Vec::new(),
            sent_off: Vec::new(),
            left: None,
        }
    }
}

/// The inside of a pod. Its containers are numbered: init containers first, then the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    insides: Vec<Inside>,
    volumes: Trees,
    /// How far it has been played.
    played: SimTime,
    talks: u32,
}

/// What a scene is played in.
pub struct Stage<'a> {
    /// The disks that outlive pods.
    pub disks: &'a mut Trees,
    /// What is fixed of a container.
    pub setting: &'a dyn Fn(usize) -> Setting,
    /// The words of a container's first process, if that is no script, and whether it is the
    /// image's own server.
    pub first: &'a dyn Fn(usize) -> Option<(String, bool)>,
    /// The machine, if it is a person's own.
    pub desk: Option<Desk<'a>>,
}

/// A program that asks others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The container.
    pub place: usize,
    /// The process.
    pub pid: u32,
    /// The program.
    pub asked: Arc<Asked>,
}

impl Scene {
    /// The inside of a pod of so many containers.
    pub fn new(containers: usize, now: SimTime) -> Self {
        Scene { insides: vec![Inside::default(); containers], played: now, ..Scene::default() }
    }

    /// Has room for so many containers.
    pub fn make_room(&mut self, containers: usize) {
        if self.insides.len() < containers {
            self.insides.resize_with(containers, Inside::default);
        }
    }

    fn inside(&mut self, place: usize) -> Option<&mut Inside> {
        self.insides.get_mut(place)
    }

    /// A new container is there, with this first process, if that is a script.
    pub fn start(&mut self, place: usize, command: Option<&Command>, now: SimTime) {
        let Some(inside) = self.inside(place) else { return };
        let log = core::mem::take(&mut inside.log);
        let before = Some(Arc::new(log)).filter(|log| log.lines().next().is_some());
        let talks = core::mem::take(&mut inside.talks);
        *inside = Inside { log_before: before, talks, ..Inside::default() };
        if let Some(command) = command {
            inside.processes.push(Process::new(1, Role::Main, command, now));
        }
    }

    /// A container has ended, and its end is known: all its processes are gone.
    pub fn stop(&mut self, place: usize, now: SimTime) {
        let Some(inside) = self.inside(place) else { return };
        inside.end = None;
        inside.processes.clear();
        inside.pipes.clear();
        for talk in &mut inside.talks {
            talk.end.get_or_insert((now, 128 + i32::from(KILL)));
        }
    }

    /// Starts a program from outside; the number of the conversation.
    pub fn begin_talk(
        &mut self,
        place: usize,
        by_person: bool,
        command: &Command,
        now: SimTime,
    ) -> u32 {
        self.talks += 1;
        let number = self.talks;
        let Some(inside) = self.inside(place) else { return number };
        let role = if by_person { Role::Person(number) } else { Role::Kubelet(number) };
        let pid = inside.next_number;
        inside.next_number += 2;
        inside.talks.push(Talk { number, ..Talk::default() });
        inside.processes.push(Process::new(pid, role, command, now));
        number
    }

    /// What is new in a conversation, if anything: it is forgotten here.
    pub fn take_said(&mut self, place: usize, number: u32) -> Option<Output> {
        let talk = self.inside(place)?.talks.iter_mut().find(|it| it.number == number)?;
        Some(core::mem::take(&mut talk.said))
    }

    /// Whether anything new was said in a conversation.
    pub fn has_said(&self, place: usize, number: u32) -> bool {
        let inside = self.insides.get(place);
        let talk = inside.and_then(|it| it.talks.iter().find(|it| it.number == number));
        talk.is_some_and(|talk| !talk.said.stdout.is_empty() || !talk.said.stderr.is_empty())
    }

    /// What stands before the line that a conversation waits for, if it waits for one.
    pub fn prompt(&self, place: usize, number: u32) -> Option<&Arc<str>> {
        let mut processes = self.insides.get(place)?.processes.iter();
        processes.find_map(|it| it.prompt().filter(|_| it.role.talk() == Some(number)))
    }

    /// Gives a conversation what was typed.
    pub fn hear_line(&mut self, place: usize, number: u32, typed: &Typed, now: SimTime) {
        let processes = self.inside(place).into_iter().flat_map(|it| &mut it.processes);
        let own = processes.filter(|it| it.role.talk() == Some(number));
        own.for_each(|process| process.hear_line(typed.clone(), now));
    }

    /// Ctrl-C in a conversation: a shell that a person types into goes on with the next line, and
    /// what it was waiting for ends. Says whether there is such a shell.
    pub fn interrupt(&mut self, place: usize, number: u32, now: SimTime) -> bool {
        let Some(inside) = self.inside(place) else { return false };
        let of_talk = |it: &Process| it.role.talk() == Some(number);
        let mut own = inside.processes.iter_mut().filter(|it| of_talk(it));
        if !own.any(|it| it.is_first_of_talk() && it.interrupt(now)) {
            return false;
        }
        let others = inside.processes.iter().filter(|it| of_talk(it));
        let others = others.filter(|it| !it.is_first_of_talk() && !it.is_beside());
        let gone: Vec<u32> = others.map(|it| it.pid).collect();
        gone.into_iter().for_each(|pid| inside.end_process(pid, 130, now));
        true
    }

    /// What was said in a conversation, if it is over; then it is forgotten.
    pub fn end_talk(&mut self, place: usize, number: u32) -> Option<Talk> {
        let inside = self.inside(place)?;
        let at = inside.talks.iter().position(|it| it.number == number && it.end.is_some())?;
        Some(inside.talks.remove(at))
    }

    /// Whether a conversation goes on until somebody breaks it off.
    pub fn is_endless(&self, place: usize, number: u32) -> bool {
        let inside = self.insides.get(place);
        let own = inside.into_iter().flat_map(|inside| &inside.processes);
        own.filter(|process| process.role.talk() == Some(number))
            .all(|process| matches!(process.wait, Wait::Forever(_) | Wait::Follow(..)))
    }

    /// Ends a conversation that takes too long: its processes are killed.
    pub fn break_talk(&mut self, place: usize, number: u32) -> Talk {
        let Some(inside) = self.inside(place) else { return Talk::default() };
        inside.processes.retain(|process| process.role.talk() != Some(number));
        let at = inside.talks.iter().position(|it| it.number == number);
        at.map(|at| inside.talks.remove(at)).unwrap_or_default()
    }

    /// How a container's script has ended.
    pub fn end_of(&self, place: usize) -> Option<(SimTime, i32)> {
        self.insides.get(place)?.end
    }

    /// Whether a container's first process is a script that runs.
    pub fn runs_script(&self, place: usize) -> bool {
        let first = |inside: &Inside| inside.processes.iter().any(|process| process.pid == 1);
        self.insides.get(place).is_some_and(first)
    }

    /// Whether there are signals to a container's first process, which is no script.
    pub fn was_signalled(&self, place: usize) -> bool {
        self.insides.get(place).is_some_and(|inside| !inside.heard.is_empty())
    }

    /// Takes the signals to a container's first process, which is no script.
    pub fn take_signals(&mut self, place: usize) -> Vec<u8> {
        self.inside(place).map(|inside| core::mem::take(&mut inside.heard)).unwrap_or_default()
    }

    /// What the processes of a container serve.
    pub fn services(&self, place: usize) -> impl Iterator<Item = &Service> {
        let inside = self.insides.get(place);
        inside.into_iter().flat_map(|inside| &inside.processes).filter_map(Process::service)
    }

    /// What a container printed, or what the one before it did.
    pub fn log(&self, place: usize, before: bool) -> Option<&Log> {
        let inside = self.insides.get(place)?;
        if before { inside.log_before.as_deref() } else { Some(&inside.log) }
    }

    /// Whether anything was ever written over a container's image.
    pub fn is_written(&self, place: usize) -> bool {
        self.insides.get(place).is_some_and(|inside| !inside.layer.is_empty())
    }

    /// A container's files.
    pub fn view<'a>(
        &'a self,
        place: usize,
        setting: &'a Setting,
        disks: &'a Trees,
    ) -> Option<View<'a>> {
        let inside = self.insides.get(place)?;
        Some(View { setting, layer: &inside.layer, volumes: &self.volumes, disks })
    }

    /// Puts what was packed elsewhere into a folder of a container. Gives back what `tar` says.
    pub fn unpack(
        &mut self,
        place: usize,
        setting: &Setting,
        disks: &mut Trees,
        (folder, into): (&str, &str),
        members: &[Member],
        now: SimTime,
    ) -> Said {
        let Some(inside) = self.insides.get_mut(place) else { return (String::new(), 1) };
        let (layer, volumes) = (&mut inside.layer, &mut self.volumes);
        let mut files = Files { setting, layer, volumes, disks, now };
        archive::unpack(&mut files, kit_of(&setting.image), folder, into, members)
    }

    /// Programs that wait for an answer.
    pub fn questions(&self) -> Vec<Question> {
        let processes = self.insides.iter().enumerate();
        let all = processes
            .flat_map(|(place, inside)| inside.processes.iter().map(move |it| (place, it)));
        all.filter_map(|(place, process)| {
            let asked = process.asked()?.clone();
            Some(Question { place, pid: process.pid, asked })
        })
        .collect()
    }

    /// Gives the answer to a question.
    pub fn answer(&mut self, question: &Question, reply: Reply, at: SimTime) {
        let processes = self.inside(question.place).into_iter().flat_map(|it| &mut it.processes);
        for process in processes.filter(|process| process.pid == question.pid) {
            process.answer(reply.clone(), at);
        }
    }

    /// When it must be played on. What nobody sees is put off, unless others share its disks.
    pub fn due(&self, shares_disks: bool) -> Option<SimTime> {
        let processes = self.insides.iter().flat_map(|inside| &inside.processes);
        let due = |process: &Process| {
            let due = process.due()?;
            let later = process.can_be_put_off() && !shares_disks;
            Some(if later { due.max(self.played + PUT_OFF) } else { due })
        };
        processes.filter_map(due).min()
    }

    /// Whether there is nothing in it that would be missed.
    pub fn is_empty(&self) -> bool {
        let is_idle = |inside: &Inside| {
            inside.layer.is_empty()
                && inside.processes.is_empty()
                && inside.talks.is_empty()
                && inside.log.lines().next().is_none()
                && inside.log_before.is_none()
                && inside.end.is_none()
                && inside.heard.is_empty()
        };
        self.volumes.values().all(Tree::is_empty) && self.insides.iter().all(is_idle)
    }

    /// Plays it up to a moment: every process does what it does, in the order of time. Says whether
    /// a person's own shell could go on at once.
    pub fn play(&mut self, now: SimTime, stage: &mut Stage<'_>) -> bool {
        let mut settings: Vec<Option<Setting>> = vec![None; self.insides.len()];
        let (mut moment, mut turns, mut all_turns) = (self.played, 0, 0);
        while let Some((at, place, pid)) = self.next(now) {
            turns = if at == moment { turns + 1 } else { 1 };
            (moment, all_turns) = (at, all_turns + 1);
            if stage.desk.is_some() && all_turns > MOST_TURNS_OF_A_LINE {
                return true;
            }
            if turns > MOST_TURNS || all_turns > MOST_TURNS_OF_A_PLAY {
                let is_over = all_turns > MOST_TURNS_OF_A_PLAY;
                let rests = if is_over { now } else { at } + REST;
                let processes = self.inside(place).into_iter().flat_map(|it| &mut it.processes);
                processes.filter(|it| it.pid == pid).for_each(|it| it.put_off(rests));
                continue;
            }
            let Some(setting) = settings.get_mut(place) else { break };
            let setting = setting.get_or_insert_with(|| (stage.setting)(place));
            self.run(place, pid, at, setting, stage);
        }
        self.played = self.played.max(now);
        false
    }

    /// The process that goes on first: when, in which container, its number.
    fn next(&self, now: SimTime) -> Option<(SimTime, usize, u32)> {
        let all = self.insides.iter().enumerate().flat_map(|(place, inside)| {
            inside.processes.iter().filter_map(move |it| Some((it.due()?, place, it.pid)))
        });
        all.min().filter(|(at, ..)| *at <= now)
    }

    fn run(
        &mut self,
        place: usize,
        pid: u32,
        at: SimTime,
        setting: &Setting,
        stage: &mut Stage<'_>,
    ) {
        let first = (stage.first)(place);
        let Some(inside) = self.insides.get_mut(place) else { return };
        let Some(index) = inside.processes.iter().position(|it| it.pid == pid) else { return };
        let mut process = inside.processes.remove(index);
        let mut ground = Ground {
            files: Files {
                setting,
                layer: &mut inside.layer,
                volumes: &mut self.volumes,
                disks: stage.disks,
                now: at,
            },
            kit: kit_of(&setting.image),
            log: &mut inside.log,
            talks: &mut inside.talks,
            pipes: &mut inside.pipes,
            others: &inside.processes,
            first: first.as_ref().map(|(words, _)| words.as_str()),
            ended: &mut inside.ended,
            next_number: &mut inside.next_number,
            born: Vec::new(),
            desk: stage.desk,
            sent_off: &mut inside.sent_off,
            signals: Vec::new(),
            is_serving: first.as_ref().is_some_and(|(_, is_server)| *is_server),
            now: at,
        };
        process::run(&mut process, &mut ground);
        let (born, signals) = (ground.born, ground.signals);
        let end = match process.wait {
            Wait::Ended(code) => Some(code),
            _ => None,
        };
        inside.processes.insert(index, process);
        inside.processes.extend(born);
        if let Some(code) = end {
            inside.end_process(pid, code, at);
        }
        for (pid, number) in signals {
            inside.signal(pid, number, at);
        }
        inside.wake_readers(at);
    }

    /// Sends a signal to a container's first process.
    pub fn signal(&mut self, place: usize, number: u8, now: SimTime) {
        if let Some(inside) = self.inside(place) {
            inside.signal(1, number, now);
        }
    }
}

impl Inside {
    fn signal(&mut self, pid: u32, number: u8, now: SimTime) {
        match self.processes.iter_mut().find(|process| process.pid == pid) {
            Some(process) => {
                if let Some(code) = process.signal(number, now) {
                    self.end_process(pid, code, now);
                }
            }
            None if pid == 1 => self.heard.push(number),
            None => {}
        }
    }

    /// A process has ended: who waits for it goes on.
    fn end_process(&mut self, pid: u32, code: i32, now: SimTime) {
        let Some(index) = self.processes.iter().position(|it| it.pid == pid) else { return };
        let process = self.processes.remove(index);
        if process.is_first_of_talk() {
            self.left = process.memory().map(|mut memory| {
                memory.end_with(code);
                memory
            });
        }
        self.ended.push((pid, code));
        if self.ended.len() > MOST_ENDS {
            self.ended.remove(0);
        }
        if let Some(number) = process.role.talk()
            && process.is_first_of_talk()
            && let Some(talk) = self.talks.iter_mut().find(|talk| talk.number == number)
        {
            talk.end = Some((now, code));
        }
        if pid == 1 {
            self.end = Some((now, code));
            self.processes.clear();
            for talk in &mut self.talks {
                talk.end.get_or_insert((now, 128 + i32::from(KILL)));
            }
            return;
        }
        let alive: Vec<(u32, u32)> = self.processes.iter().map(Process::kinship).collect();
        for other in &mut self.processes {
            let is_over = match other.wait {
                Wait::Jobs(Some(wanted)) => wanted == pid,
                Wait::Jobs(None) => alive.iter().all(|(_, parent)| *parent != other.pid),
                _ => false,
            };
            if is_over {
                other.wait = Wait::Until(now);
            }
        }
        for pipe in &mut self.pipes {
            pipe.is_closed |= !self.processes.iter().any(|it| it.writes_to(pipe.number));
        }
        self.wake_readers(now);
        let processes = &self.processes;
        self.pipes.retain(|pipe| processes.iter().any(|it| it.reads_from(pipe.number)));
    }

    /// Who waits for a pipe goes on once there is a line in it, if it goes by lines, or nobody writes
    /// to it.
    fn wake_readers(&mut self, now: SimTime) {
        for process in &mut self.processes {
            let Wait::Pipe(number, by_line) = process.wait else { continue };
            let pipe = self.pipes.iter().find(|pipe| pipe.number == number);
            if pipe.is_none_or(|pipe| pipe.is_closed || by_line && pipe.text.contains('\n')) {
                process.wait = Wait::Until(now);
            }
        }
    }
}
