//! What goes on inside of containers beyond their pods: programs that ask others, commands that
//! people run, what containers printed.

use super::World;
use super::queue::Due;
use crate::api::{Kind, Object, Uid};
use crate::base::SimTime;
use crate::container::archive::{Member, Said};
use crate::container::{Command, Output, Presence, Question, Reply, Typed, kit_of};
use crate::kubelet::{inside, inside::Inside};
use crate::programs::{self, Site};
use crate::store::ObjectKey;
use crate::trace::Source;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a program runs that asks others, beside what it waits.
const ASKING: Duration = Duration::from_millis(20);
/// Programs in containers ask no more than this at one moment.
const MOST_QUESTIONS: usize = 64;

/// As long as a command is waited for where nobody can end it.
const PATIENCE: Duration = Duration::from_secs(86_400);
/// As long as somebody watches what never ends, where nobody can end it.
const WATCHING: Duration = Duration::from_secs(10);

/// What a container has printed: each line with its moment.
pub type Lines = Vec<(SimTime, String)>;

/// Why a command was not run in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// There is no such container, or it does not run.
    NoContainer,
    /// There is no such program in it; the runtime's sentence.
    NoProgram(String),
}

/// A command at work in a container.
#[derive(Clone, Debug)]
pub struct Exec {
    object: Arc<Object>,
    node: Arc<str>,
    /// The number of the container.
    place: usize,
    /// The number of the conversation.
    talk: u32,
    begin: SimTime,
}

/// What a command reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Nothing.
    Nothing,
    /// A text.
    Text(String),
    /// What a person types.
    Terminal,
}

/// How a command in a container goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Going {
    /// It has ended.
    Ended,
    /// It waits for a line behind this prompt.
    Asks(Arc<str>),
    /// It is at work.
    On {
        /// Until when it is looked at where nobody can end it.
        limit: SimTime,
        /// Whether nothing but a person ends it.
        is_endless: bool,
    },
}

impl World {
    /// Runs the programs of a pod that ask others, and brings them the answers.
    pub(super) fn answer_programs(&mut self, node: &Arc<str>, key: &ObjectKey, uid: Uid) {
        let questions = match self.nodes.get(node).and_then(|it| it.pods.get(&uid)) {
            Some(runtime) if runtime.scene.is_some() => inside::questions(runtime),
            _ => return,
        };
        if questions.is_empty() {
            return;
        }
        let mut first = None;
        for question in questions.into_iter().take(MOST_QUESTIONS) {
            let Some((reply, waited)) = self.ask(key, uid, &question) else { continue };
            let at = self.now + waited + ASKING;
            first = Some(first.map_or(at, |first: SimTime| first.min(at)));
            if let Some(runtime) = self.runtime_mut(node, uid) {
                inside::answer(runtime, &question, reply, at);
            }
        }
        if let Some(at) = first {
            let (node, key) = (node.clone(), key.clone());
            self.queue.push(at, Due::Pod { node, key, uid });
        }
    }

    /// What a program prints that asks others, and how long it waits.
    fn ask(&mut self, key: &ObjectKey, uid: Uid, question: &Question) -> Option<(Reply, Duration)> {
        let object = self.store.get(Kind::Pod, key).filter(|it| it.meta.uid == uid)?.clone();
        let image = inside::container_at(object.pod()?, question.place)?.image.clone();
        let from = Source::Pod { namespace: key.namespace.clone(), name: key.name.clone() };
        let mut files = BTreeMap::new();
        let mut site = Site::new(self, from, &mut files);
        let output = programs::run(&mut site, kit_of(&image), &question.asked.words);
        let output = output.unwrap_or_else(|| Output::failed(127, "not found"));
        let files = files.into_iter().collect();
        let waited = output.time();
        Some((Reply { said: output, files, goes_on: None }, waited))
    }

    /// Begins with a command in a container of a pod, as `kubectl exec` does.
    ///
    /// # Errors
    /// If there is no such container, or no such program in it.
    pub fn begin_exec(
        &mut self,
        key: &ObjectKey,
        container: &str,
        words: &[String],
        feed: Feed,
    ) -> Result<Exec, NotRun> {
        let (object, node, place) = self.place(key, container).ok_or(NotRun::NoContainer)?;
        let uid = object.meta.uid;
        self.sync_pod(&node, key, uid);
        let begin = self.now;
        let store = &self.store;
        let machine = self.nodes.get_mut(&node).filter(|it| it.up);
        let runtime = machine.and_then(|it| it.pods.get_mut(&uid)).ok_or(NotRun::NoContainer)?;
        let runtime = Arc::make_mut(runtime);
        if !inside::can_talk(runtime, place) {
            return Err(NotRun::NoContainer);
        }
        let site = Inside { api: store, object: &object, runtime, disks: &self.disks };
        if let Some(why) = words.first().and_then(|program| site.missing(place, program)) {
            return Err(NotRun::NoProgram(why));
        }
        let at_terminal = feed == Feed::Terminal;
        let input = if let Feed::Text(text) = feed { Some(text) } else { None };
        let command = inside::command(store, &object, runtime, place, words.to_vec(), input);
        let command = Command { at_terminal, ..command };
        let talk = inside::begin_talk(runtime, place, true, &command, begin);
        Ok(Exec { object, node, place, talk, begin })
    }

    /// What `tar` carries out of a container, and what it says.
    ///
    /// # Errors
    /// If there is no such container, or no tar in it.
    pub fn pack(
        &mut self,
        key: &ObjectKey,
        container: &str,
        path: &str,
    ) -> Result<(Vec<Member>, Said), NotRun> {
        let (object, node, place) = self.with_tar(key, container)?;
        let runtime = self.nodes.get(&node).and_then(|it| it.pods.get(&object.meta.uid));
        let runtime = runtime.ok_or(NotRun::NoContainer)?;
        let site = Inside { api: &self.store, object: &object, runtime, disks: &self.disks };
        Ok(site.pack(place, path))
    }

    /// Carries files into a folder of a container: which and where follows from whether the path that
    /// is asked for is a folder there. Gives back what `tar` says.
    ///
    /// # Errors
    /// If there is no such container, or no tar in it.
    pub fn unpack(
        &mut self,
        key: &ObjectKey,
        container: &str,
        path: &str,
        named: impl FnOnce(bool) -> (String, Vec<Member>),
    ) -> Result<Said, NotRun> {
        let (object, node, place) = self.with_tar(key, container)?;
        let (uid, now) = (object.meta.uid, self.now);
        let runtime = self.nodes.get_mut(&node).and_then(|it| it.pods.get_mut(&uid));
        let runtime = Arc::make_mut(runtime.ok_or(NotRun::NoContainer)?);
        let site = Inside { api: &self.store, object: &object, runtime, disks: &self.disks };
        let (into, members) = named(site.is_folder(place, path));
        let pod = (&self.store, &object);
        let said = inside::unpack(pod, runtime, &mut self.disks, place, &into, &members, now);
        inside::touched(&object, runtime, now);
        self.sync_pod(&node, key, uid);
        self.tell();
        Ok(said)
    }

    /// A container that runs, and has a tar.
    fn with_tar(
        &mut self,
        key: &ObjectKey,
        container: &str,
    ) -> Result<(Arc<Object>, Arc<str>, usize), NotRun> {
        let (object, node, place) = self.place(key, container).ok_or(NotRun::NoContainer)?;
        self.sync_pod(&node, key, object.meta.uid);
        let machine = self.nodes.get(&node).filter(|it| it.up);
        let runtime = machine.and_then(|it| it.pods.get(&object.meta.uid));
        let runs = runtime.is_some_and(|runtime| inside::can_talk(runtime, place));
        let image =
            object.pod().and_then(|pod| inside::container_at(pod, place)).map(|it| &it.image);
        match image.filter(|_| runs) {
            None => Err(NotRun::NoContainer),
            Some(image) if kit_of(image).has("tar") == Presence::No => {
                let why = "exec: \"tar\": executable file not found in $PATH";
                Err(NotRun::NoProgram(why.to_owned()))
            }
            Some(_) => Ok((object, node, place)),
        }
    }

    /// What a command in a container has printed since it was asked last, and its exit code, or
    /// how long to go on looking.
    pub fn go_on_exec(&mut self, exec: &mut Exec) -> (Output, Going) {
        let (key, uid) = (ObjectKey::of(&exec.object), exec.object.meta.uid);
        self.sync_pod(&exec.node, &key, uid);
        self.tell();
        let now = self.now;
        let Some(runtime) = self.runtime_mut(&exec.node, uid) else {
            // Its pod is gone.
            return (Output { exit: 137, ..Output::default() }, Going::Ended);
        };
        if let Some(talk) = inside::end_talk(runtime, exec.place, exec.talk) {
            inside::touched(&exec.object, runtime, now);
            let exit = talk.end.map_or(0, |(_, code)| code);
            self.sync_pod(&exec.node, &key, uid);
            self.tell();
            return (Output { exit, ..talk.said }, Going::Ended);
        }
        let is_endless = inside::is_endless(runtime, exec.place, exec.talk);
        let most = if is_endless { WATCHING } else { PATIENCE };
        let said = inside::take_said(runtime, exec.place, exec.talk);
        match inside::prompt(runtime, exec.place, exec.talk) {
            Some(prompt) => (said, Going::Asks(prompt)),
            None => (said, Going::On { limit: exec.begin + most, is_endless }),
        }
    }

    /// Gives a command in a container what a person has typed, and goes on with it.
    pub fn type_into(&mut self, exec: &mut Exec, typed: &Typed) -> (Output, Going) {
        let (uid, now) = (exec.object.meta.uid, self.now);
        // A command is waited for from its line on.
        exec.begin = now;
        if let Some(runtime) = self.runtime_mut(&exec.node, uid) {
            inside::hear_line(runtime, exec.place, exec.talk, typed, now);
        }
        self.go_on_exec(exec)
    }

    /// Ctrl-C: ends a command in a container, or what the shell waits for that the command is.
    pub fn interrupt_exec(&mut self, exec: &mut Exec) -> (Output, Going) {
        let (uid, now) = (exec.object.meta.uid, self.now);
        let runtime = self.runtime_mut(&exec.node, uid);
        let goes_on = runtime.is_some_and(|it| inside::interrupt(it, exec.place, exec.talk, now));
        match goes_on {
            true => self.go_on_exec(exec),
            false => (self.break_exec(exec), Going::Ended),
        }
    }

    /// Ends a command in a container, as who leaves it does; gives back what it printed.
    pub fn break_exec(&mut self, exec: &mut Exec) -> Output {
        let uid = exec.object.meta.uid;
        let Some(runtime) = self.runtime_mut(&exec.node, uid) else { return Output::default() };
        let talk = inside::break_talk(runtime, exec.place, exec.talk);
        Output { exit: 130, ..talk.said }
    }

    /// The first process of a container ends, as that of a shell does which somebody leaves.
    pub fn end_container(&mut self, key: &ObjectKey, container: &str, code: i32) {
        let Some((object, node, place)) = self.place(key, container) else { return };
        let (uid, now) = (object.meta.uid, self.now);
        if let Some(runtime) = self.runtime_mut(&node, uid) {
            inside::end(runtime, place, code, now);
        }
        self.sync_pod(&node, key, uid);
        self.tell();
    }

    fn runtime_mut(
        &mut self,
        node: &Arc<str>,
        uid: Uid,
    ) -> Option<&mut crate::kubelet::PodRuntime> {
        self.nodes.get_mut(node)?.pods.get_mut(&uid).map(Arc::make_mut)
    }

    /// A pod, its node, and the number of a container.
    fn place(&self, key: &ObjectKey, container: &str) -> Option<(Arc<Object>, Arc<str>, usize)> {
        let object = self.store.get(Kind::Pod, key)?.clone();
        let pod = object.pod()?;
        let (node, place) = (pod.node_name.clone()?, inside::place_of(pod, container)?);
        Some((object, node, place))
    }

    /// What a container of a pod has printed, or what the one before it did.
    pub fn printed(&mut self, key: &ObjectKey, container: &str, before: bool) -> Lines {
        let Some((object, node, place)) = self.place(key, container) else { return Lines::new() };
        let uid = object.meta.uid;
        self.sync_pod(&node, key, uid);
        self.tell();
        let Some(runtime) = self.nodes.get(&node).and_then(|it| it.pods.get(&uid)) else {
            return Lines::new();
        };
        let inside = Inside { api: &self.store, object: &object, runtime, disks: &self.disks };
        let mut lines = inside.printed(place, before);
        if !before {
            lines.extend(self.queries(key));
        }
        lines
    }
}
