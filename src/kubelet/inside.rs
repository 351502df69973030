//! Playing what is inside of a pod's containers, and looking into them.

use super::environment::{Within, container_tree};
use super::mounts::{node_disk, setting, shares_disks};
use super::runtime::{PodRuntime, RunState};
use crate::api::Object;
use crate::api::pod::{Container, Pod};
use crate::api::tree::Tree as _;
use crate::base::SimTime;
use crate::container::archive::{self, Member, Said};
use crate::container::server::{self, Host};
use crate::container::tree::Tree;
use crate::container::{
    Command, Output, Question, Reply, Setting, Stage, Talk, Trees, Typed, View, kit_of, normal,
};
use crate::store::Store;
use std::sync::Arc;

/// A pod with what runs of it.
#[derive(Clone, Copy)]
pub struct Inside<'a> {
    /// The API.
    pub api: &'a Store,
    /// The pod.
    pub object: &'a Arc<Object>,
    /// What runs of it.
    pub runtime: &'a PodRuntime,
    /// The disks that outlive pods.
    pub disks: &'a Trees,
}

/// The container of a number, as the specification has it: init containers first, then the others,
/// ephemeral ones last.
pub fn container_at(pod: &Pod, place: usize) -> Option<&Container> {
    all_of(pod).nth(place)
}

/// The number of a container by its name.
pub fn place_of(pod: &Pod, name: &str) -> Option<usize> {
    all_of(pod).position(|container| container.name == name)
}

fn all_of(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = &pod.spec;
    spec.init_containers.iter().chain(&spec.containers).chain(&spec.ephemeral_containers)
}

/// Plays the inside of a pod up to a moment.
pub(super) fn play(
    api: &Store,
    object: &Object,
    runtime: &mut PodRuntime,
    disks: &mut Trees,
    now: SimTime,
) {
    let Some(mut scene) = runtime.scene.take() else { return };
    if scene.due(true).is_some_and(|due| due <= now) {
        let runs = &*runtime;
        let settings = |place: usize| {
            let references = runs.at(place).map_or(&[][..], |it| it.references.as_slice());
            setting(api, object, place, references)
        };
        let first = |place: usize| {
            let pod = object.pod()?;
            let is_up = runs.at(place).is_some_and(|it| it.is_running());
            let container = container_at(pod, place).filter(|_| is_up)?;
            let is_own = container.command.is_empty() || server::serves_itself(container);
            let words = match container.command.is_empty() {
                true => server::own_words(&container.image),
                false => container.command.join(" "),
            };
            Some((words, is_own))
        };
        let has_script = |place: usize| scene.runs_script(place);
        let scripts: Vec<bool> = (0..runs.all().count()).map(has_script).collect();
        let first = |place: usize| {
            if scripts.get(place) == Some(&true) { None } else { first(place) }
        };
        let mut stage = Stage { disks, setting: &settings, first: &first, desk: None };
        Arc::make_mut(&mut scene).play(now, &mut stage);
    }
    runtime.scene = Some(scene);
}

/// When the inside of a pod must be played on.
pub(super) fn due(object: &Object, runtime: &PodRuntime) -> Option<SimTime> {
    runtime.scene.as_ref()?.due(shares_disks(object))
}

/// Forgets an inside that has nothing in it.
pub(super) fn tidy(runtime: &mut PodRuntime) {
    if runtime.scene.as_ref().is_some_and(|scene| scene.is_empty()) {
        runtime.scene = None;
    }
}

/// A command that runs in a container: with its environment, in its folder.
pub fn command(
    api: &Store,
    object: &Object,
    runtime: &PodRuntime,
    place: usize,
    words: Vec<String>,
    input: Option<String>,
) -> Command {
    let Some(container) = container_tree(object, place) else { return Command::default() };
    let references = runtime.at(place).map_or(&[][..], |it| it.references.as_slice());
    Within { api, pod: object, container, references }.command(words, input)
}

/// Starts a program in a running container; the number of the conversation.
pub fn begin_talk(
    runtime: &mut PodRuntime,
    place: usize,
    by_person: bool,
    command: &Command,
    now: SimTime,
) -> u32 {
    runtime.scene(now).begin_talk(place, by_person, command, now)
}

/// Whether a conversation goes on until somebody breaks it off.
pub fn is_endless(runtime: &PodRuntime, place: usize, number: u32) -> bool {
    runtime.scene.as_ref().is_some_and(|scene| scene.is_endless(place, number))
}

/// Programs in a pod's containers that ask others.
pub fn questions(runtime: &PodRuntime) -> Vec<Question> {
    runtime.scene.as_ref().map(|scene| scene.questions()).unwrap_or_default()
}

/// Answers a program.
pub fn answer(runtime: &mut PodRuntime, question: &Question, reply: Reply, at: SimTime) {
    if let Some(scene) = &mut runtime.scene {
        Arc::make_mut(scene).answer(question, reply, at);
    }
}

/// What is new in a conversation: it is told once.
pub fn take_said(runtime: &mut PodRuntime, place: usize, number: u32) -> Output {
    let scene = runtime.scene.as_mut().filter(|scene| scene.has_said(place, number));
    scene.and_then(|it| Arc::make_mut(it).take_said(place, number)).unwrap_or_default()
}

/// What stands before the line that a conversation waits for, if it waits for one.
pub fn prompt(runtime: &PodRuntime, place: usize, number: u32) -> Option<Arc<str>> {
    runtime.scene.as_ref()?.prompt(place, number).cloned()
}

/// Gives a conversation what a person has typed.
pub fn hear_line(runtime: &mut PodRuntime, place: usize, number: u32, typed: &Typed, now: SimTime) {
    if let Some(scene) = &mut runtime.scene {
        Arc::make_mut(scene).hear_line(place, number, typed, now);
    }
}

/// Ctrl-C in a conversation; says whether it goes on all the same.
pub fn interrupt(runtime: &mut PodRuntime, place: usize, number: u32, now: SimTime) -> bool {
    match &mut runtime.scene {
        Some(scene) => Arc::make_mut(scene).interrupt(place, number, now),
        None => false,
    }
}

/// What was said in a conversation, if it is over.
pub fn end_talk(runtime: &mut PodRuntime, place: usize, number: u32) -> Option<Talk> {
    Arc::make_mut(runtime.scene.as_mut()?).end_talk(place, number)
}

/// Ends a conversation that takes too long.
pub fn break_talk(runtime: &mut PodRuntime, place: usize, number: u32) -> Talk {
    match &mut runtime.scene {
        Some(scene) => Arc::make_mut(scene).break_talk(place, number),
        None => Talk::default(),
    }
}

/// Looks at a container's files.
pub(super) fn look<T>(
    inside: &Inside<'_>,
    place: usize,
    look: impl FnOnce(&View<'_>, &Setting) -> T,
) -> T {
    let references = inside.runtime.at(place).map_or(&[][..], |it| it.references.as_slice());
    let setting = setting(inside.api, inside.object, place, references);
    let (layer, volumes) = (Tree::default(), Trees::new());
    let scene = inside.runtime.scene.as_ref();
    let view = scene.and_then(|scene| scene.view(place, &setting, inside.disks));
    let view = view.unwrap_or(View {
        setting: &setting,
        layer: &layer,
        volumes: &volumes,
        disks: inside.disks,
    });
    look(&view, &setting)
}

/// Carries files into a container, into a folder of it. Gives back what `tar` says.
pub fn unpack(
    (api, object): (&Store, &Arc<Object>),
    runtime: &mut PodRuntime,
    disks: &mut Trees,
    place: usize,
    into: &str,
    members: &[Member],
    now: SimTime,
) -> Said {
    let references = runtime.at(place).map_or(&[][..], |it| it.references.as_slice());
    let setting = setting(api, object, place, references);
    let folder = folder_of(object, place).to_owned();
    runtime.scene(now).unpack(place, &setting, disks, (&folder, into), members, now)
}

/// The folder that programs in a container begin in.
fn folder_of(object: &Object, place: usize) -> &str {
    container_tree(object, place).and_then(|it| it.str_at(&["workingDir"])).unwrap_or("/")
}

impl Inside<'_> {
    /// What `tar` carries out of a container, and what it says.
    pub fn pack(&self, place: usize, path: &str) -> (Vec<Member>, Said) {
        let folder = folder_of(self.object, place);
        look(self, place, |view, setting| archive::pack(view, kit_of(&setting.image), folder, path))
    }

    /// Whether there is a folder in a container.
    pub fn is_folder(&self, place: usize, path: &str) -> bool {
        let whole = normal(folder_of(self.object, place), path);
        look(self, place, |view, _| view.is_folder(&whole))
    }

    /// The container that listens on a port and runs: its number, and the folder that it serves if
    /// a program of its own does.
    pub fn listener(&self, port: u16) -> Option<(usize, Option<String>)> {
        let pod = self.object.pod()?;
        // Regular containers first: they are whom a Service means.
        let first = pod.spec.init_containers.len();
        let count = first + pod.spec.containers.len();
        let last = count + pod.spec.ephemeral_containers.len();
        let places = (first..count).chain(0..first).chain(count..last);
        places.into_iter().find_map(|place| {
            let runtime = self.runtime.at(place)?;
            runtime.is_running().then(|| self.listens(place, port))?.map(|folder| (place, folder))
        })
    }

    /// The container of the pod that listens on a port, this one first: containers of a pod share
    /// its ports.
    pub(super) fn listener_of_pod(
        &self,
        place: usize,
        port: u16,
    ) -> Option<(usize, Option<String>)> {
        let is_up = self.runtime.at(place).is_some_and(|it| it.is_running());
        let own = if is_up { self.listens(place, port) } else { None };
        own.map(|folder| (place, folder)).or_else(|| self.listener(port))
    }

    /// Whether a container listens on a port, and the folder it serves if a program of its own
    /// does.
    pub(super) fn listens(&self, place: usize, port: u16) -> Option<Option<String>> {
        let container = container_at(self.object.pod()?, place)?;
        let scene = self.runtime.scene.as_ref();
        let services = scene.into_iter().flat_map(|scene| scene.services(place));
        for service in services {
            let fits = match &service.ports {
                Some(ports) => ports.contains(&port),
                None => server::may_listen_on(container, port),
            };
            if fits && (service.stop_code.is_some() || service.ports.is_some()) {
                return Some(service.folder.clone());
            }
        }
        let is_script = scene.is_some_and(|scene| scene.runs_script(place));
        (!is_script && server::listens_on(container, port)).then_some(None)
    }

    /// The runtime's sentence, if there is no such program in a container.
    pub fn missing(&self, place: usize, program: &str) -> Option<String> {
        let container = container_tree(self.object, place)?;
        let folder = container.str_at(&["workingDir"]).unwrap_or("/");
        look(self, place, |view, setting| {
            crate::container::missing(&setting.image, folder, program, view)
        })
    }

    /// What a container has printed, or what the one before it did: each line with its moment.
    pub fn printed(&self, place: usize, before: bool) -> Vec<(SimTime, String)> {
        let scene = self.runtime.scene.as_ref();
        let log = scene.and_then(|scene| scene.log(place, before));
        let lines = log.into_iter().flat_map(|log| log.lines());
        lines.map(|(time, line)| (time, line.to_owned())).collect()
    }

    /// What a container's server answers.
    pub fn respond(
        &self,
        place: usize,
        folder: Option<&str>,
        asked: &server::Asked<'_>,
    ) -> server::Response {
        let Some(container) = self.object.pod().and_then(|pod| container_at(pod, place)) else {
            return server::Response { status: 0, body: Arc::from("") };
        };
        let since = self.runtime.at(place).and_then(|it| it.since());
        let host = Host { pod: self.object, container, since, files: None, folder };
        let served = server::served_folder(&container.image);
        let is_known = match served {
            None => folder.is_none(),
            Some(served) => {
                folder.is_none()
                    && server::is_home(asked.path)
                    && self.is_as_made(place, served, asked.now)
            }
        };
        if is_known {
            return server::respond(&host, asked);
        }
        let played = self.played(asked.now);
        let inside = Inside { runtime: played.as_ref().unwrap_or(self.runtime), ..*self };
        look(&inside, place, |view, _| {
            let host = Host { pod: self.object, container, since, files: Some(*view), folder };
            server::respond(&host, asked)
        })
    }

    /// Whether a folder of a container is as its image has it: nothing was ever written, and nothing
    /// is mounted there. Most are, and then none of the container's files need be made to know it.
    fn is_as_made(&self, place: usize, folder: &str, now: SimTime) -> bool {
        let is_untouched = self.runtime.scene.as_ref().is_none_or(|scene| {
            !scene.is_written(place) && scene.due(true).is_none_or(|due| due > now)
        });
        let container = container_tree(self.object, place);
        let mut mounts = container.into_iter().flat_map(|it| it.items_at(&["volumeMounts"]));
        is_untouched
            && !mounts.any(|mount| {
                let path = mount.str_at(&["mountPath"]).unwrap_or_default().trim_end_matches('/');
                folder.starts_with(path) || path.starts_with(folder)
            })
    }

    /// The pod as it is at a moment, if its inside has to be played on for that.
    fn played(&self, now: SimTime) -> Option<PodRuntime> {
        let scene = self.runtime.scene.as_ref()?;
        scene.due(true).filter(|due| *due <= now)?;
        let (mut runtime, mut disks) = (self.runtime.clone(), self.disks.clone());
        play(self.api, self.object, &mut runtime, &mut disks, now);
        Some(runtime)
    }
}

/// A container's first process ends by itself.
pub fn end(runtime: &mut PodRuntime, place: usize, code: i32, now: SimTime) {
    if let Some(RunState::Running { ends, .. } | RunState::Stopping { ends, .. }) =
        runtime.at_mut(place).map(|it| &mut it.state)
    {
        *ends = Some((now, code, false));
    }
}

/// A person was in a pod: what rested because nothing could change is looked at again.
pub fn touched(object: &Object, runtime: &mut PodRuntime, now: SimTime) {
    super::probes::rouse_all(object, runtime, now);
}

/// Whether a container's process is there for a program to be started beside it.
pub fn can_talk(runtime: &PodRuntime, place: usize) -> bool {
    runtime
        .at(place)
        .is_some_and(|it| matches!(it.state, RunState::Running { .. } | RunState::Stopping { .. }))
}

/// The name of a node's own disk.
pub fn disk_of(node: &str) -> Arc<str> {
    node_disk(node)
}
