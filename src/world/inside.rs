//! What goes on inside of containers beyond their pods: programs that ask others, commands that
//! people run, what containers printed.

use super::World;
use super::queue::Due;
use crate::api::{Kind, Object, Uid};
use crate::base::SimTime;
use crate::container::{Output, Question, Reply, kit_of};
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

/// As long as somebody watches what never ends.
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
            let runtime = self.nodes.get_mut(node).and_then(|it| it.pods.get_mut(&uid));
            if let Some(runtime) = runtime {
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
        let output = programs::run(&mut site, kit_of(&image), &question.words);
        let waited = site.waited;
        let output = output.unwrap_or_else(|| Output::failed(127, "not found"));
        let files = files.into_iter().collect();
        let Output { stdout, stderr, exit } = output;
        Some((Reply { stdout, stderr, exit, files }, waited))
    }

    /// Runs a command in a container of a pod, as `kubectl exec` does, and lets the time pass that
    /// it takes: at most `most`, and not for long if it never ends.
    ///
    /// # Errors
    /// If there is no such container, or no such program in it.
    pub fn exec(
        &mut self,
        key: &ObjectKey,
        container: &str,
        words: &[String],
        input: Option<String>,
        most: Duration,
    ) -> Result<Output, NotRun> {
        let (object, node, place) = self.place(key, container).ok_or(NotRun::NoContainer)?;
        let uid = object.meta.uid;
        self.sync_pod(&node, key, uid);
        let begin = self.now;
        let store = &self.store;
        let machine = self.nodes.get_mut(&node).filter(|it| it.up);
        let runtime = machine.and_then(|it| it.pods.get_mut(&uid)).ok_or(NotRun::NoContainer)?;
        if !inside::can_talk(runtime, place) {
            return Err(NotRun::NoContainer);
        }
        let site = Inside { api: store, object: &object, runtime, disks: &self.disks };
        if let Some(why) = words.first().and_then(|program| site.missing(place, program)) {
            return Err(NotRun::NoProgram(why));
        }
        let command = inside::command(store, &object, runtime, place, words.to_vec(), input);
        let talk = inside::begin_talk(runtime, place, true, &command, begin);
        loop {
            self.sync_pod(&node, key, uid);
            self.tell();
            let now = self.now;
            let Some(runtime) = self.runtime_mut(&node, uid) else {
                // Its pod is gone.
                return Ok(Output { exit: 137, ..Output::default() });
            };
            if let Some(talk) = inside::end_talk(runtime, place, talk) {
                inside::touched(&object, runtime, now);
                let exit = talk.end.map_or(0, |(_, code)| code);
                self.sync_pod(&node, key, uid);
                self.tell();
                return Ok(Output { stdout: talk.stdout, stderr: talk.stderr, exit });
            }
            let is_endless = inside::is_endless(runtime, place, talk);
            let limit = begin + if is_endless { WATCHING.min(most) } else { most };
            if now >= limit || !self.step(limit) {
                self.run_until(limit);
                let runtime = self.runtime_mut(&node, uid).ok_or(NotRun::NoContainer)?;
                let talk = inside::break_talk(runtime, place, talk);
                return Ok(Output { stdout: talk.stdout, stderr: talk.stderr, exit: 130 });
            }
        }
    }

    fn runtime_mut(
        &mut self,
        node: &Arc<str>,
        uid: Uid,
    ) -> Option<&mut crate::kubelet::PodRuntime> {
        self.nodes.get_mut(node)?.pods.get_mut(&uid)
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
        inside.printed(place, before)
    }
}
