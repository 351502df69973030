//! All that the page knows.

use super::apply::Stored;
use super::burst::Burst;
use super::fault::Fault;
use super::journey::Journey;
use super::object_id::ObjectId;
use super::panes::Panes;
use super::request::Target;
use super::samples::Sample;
use super::terminal::Terminal;
use super::timeline::Timeline;
use super::tracer::Tracer;
use crate::base::SimTime;
use crate::console::Console;
use crate::text::{Lang, Text};
use crate::world::{ClusterConfig, SET_UP_TIME, World};
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

/// The seed of the cluster that the page opens with; a reset gives the same one.
pub(super) const SEED: u64 = 1;
/// How long what was left behind can be had back, in microseconds of ours.
pub(super) const UNDO_MICROS: u32 = 15_000_000;
/// How long the add-ons have to start before the page opens.
pub(super) const ADDONS_START: Duration = Duration::from_secs(60);

/// Which colours the page wears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// A part of the page. On a narrow screen all but the map are sheets, one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the panel of that name")]
pub enum Panel {
    #[default]
    Map,
    Editor,
    Terminal,
    Trace,
    Inspector,
    Events,
}

impl Panel {
    /// The panels that share the right-hand column of a wide screen.
    pub const SIDE: [Panel; 3] = [Panel::Trace, Panel::Inspector, Panel::Events];
    /// All of them, in the order of the tab bar.
    pub const ALL: [Panel; 6] =
        [Panel::Map, Panel::Editor, Panel::Terminal, Panel::Trace, Panel::Inspector, Panel::Events];

    /// A short name for styles and ids.
    pub const fn name(self) -> &'static str {
        match self {
            Panel::Map => "map",
            Panel::Editor => "editor",
            Panel::Terminal => "terminal",
            Panel::Trace => "trace",
            Panel::Inspector => "inspector",
            Panel::Events => "events",
        }
    }
}

/// How many seconds of virtual time pass in a second of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// As on the wall.
    #[default]
    One,
    /// Four.
    Four,
    /// Twenty.
    Twenty,
    /// A minute.
    Sixty,
}

impl Speed {
    /// Every speed, slowest first.
    pub const ALL: [Speed; 4] = [Speed::One, Speed::Four, Speed::Twenty, Speed::Sixty];

    /// Virtual seconds per second.
    pub const fn factor(self) -> u32 {
        match self {
            Speed::One => 1,
            Speed::Four => 4,
            Speed::Twenty => 20,
            Speed::Sixty => 60,
        }
    }

    /// The speed of that factor.
    pub fn of_factor(factor: u32) -> Option<Speed> {
        Self::ALL.into_iter().find(|speed| speed.factor() == factor)
    }
}

/// What became of the manifests in the editor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Applied {
    /// They have changed, or were never applied.
    #[default]
    No,
    /// All of them were taken.
    All {
        /// How many objects.
        count: u32,
        /// When.
        at: SimTime,
    },
    /// Some were refused.
    Some {
        /// How many objects were taken.
        count: u32,
    },
}

/// An object that is edited in the editor, for `kubectl edit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editing {
    /// What it is, `deployment.apps/web`.
    pub name: Rc<str>,
    /// The text as it is now.
    pub text: Rc<str>,
}

impl Editing {
    /// An object that has just been opened.
    pub fn new(name: &str, text: &str) -> Self {
        Editing { name: name.into(), text: text.into() }
    }
}

/// Which events are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFilter {
    /// All of them.
    #[default]
    All,
    /// Warnings.
    Warnings,
    /// Those about the chosen object.
    Selected,
}

/// What was left behind by a reset or for another sample, and for how long it can be had back.
#[derive(Debug)]
pub struct Left {
    /// All of it.
    pub model: Box<Model>,
    /// How long, in microseconds of ours.
    pub micros: u32,
    /// What was done instead.
    pub text: Text,
}

/// Which difference is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// What the API server added to what was written.
    Added,
    /// What `kubectl apply` would change now.
    Change,
}

/// The state of the page.
#[derive(Debug)]
pub struct Model {
    /// The language.
    pub lang: Lang,
    /// The theme.
    pub theme: Theme,
    /// Whether the page is framed by another one and shows only what matters.
    pub embedded: bool,
    /// The panel in front on a narrow screen.
    pub panel: Panel,
    /// The panel in front in the right-hand column.
    pub side: Panel,
    /// The sample that was picked last.
    pub sample: Sample,
    /// The text in the editor.
    pub source: Rc<str>,
    /// How long until the text is checked, in microseconds of ours; none if it has been.
    pub check_in_micros: Option<u32>,
    /// What is wrong with it.
    pub faults: Rc<[Fault]>,
    /// What became of it.
    pub applied: Applied,
    /// The objects that were taken when it was applied last, as written and as stored.
    pub stored: Rc<[Stored]>,
    /// The difference that is shown instead of the text.
    pub compare: Option<Compare>,
    /// The object that is edited instead of the manifests.
    pub editing: Option<Editing>,
    /// Texts of samples as they were left, by sample.
    pub kept: Vec<(Sample, Rc<str>)>,
    /// Whether the text is one that was left before, and not the sample's own.
    pub is_kept: bool,
    /// Whether there is something that a reload would lose.
    pub is_touched: bool,
    /// What can be had back.
    pub left: Option<Left>,
    /// How large the panels are.
    pub panes: Panes,
    /// Which events are shown.
    pub events: EventFilter,
    /// How often an address was copied.
    pub shared: u32,
    /// The line of the editor that was asked for last, and how often one was.
    pub go_to: (u32, u32),
    /// Whether the map is shown as text.
    pub as_text: bool,
    /// Whether virtual time runs.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
    /// The cluster.
    pub world: World,
    /// The moment from which the page counts time.
    pub origin: SimTime,
    /// The shell behind the terminal.
    pub console: Console,
    /// The terminal.
    pub terminal: Terminal,
    /// The object in the inspector.
    pub selected: Option<ObjectId>,
    /// In a crowd, the nodes whose Pods are shown by name.
    pub in_sight: Rc<[Arc<str>]>,
    /// Where requests go, if that was chosen.
    pub aim: Option<Target>,
    /// The request that is followed.
    pub journey: Option<Journey>,
    /// The requests that were counted.
    pub burst: Option<Rc<Burst>>,
    /// What the trace panel knows beside.
    pub tracer: Tracer,
    /// Whether the page shows the map alone, large, for a room.
    pub presenting: bool,
    /// What there was before.
    pub timeline: Timeline,
    /// Whether the cluster is set up, and the manifests were applied for the first time.
    pub(super) is_set_up: bool,
    /// Tells how long a moment takes, in milliseconds of any clock, so that a crowded one slows
    /// virtual time down and not the page. It stands still where nobody waits.
    pub clock: fn() -> f64,
    /// How the cluster was set up, for a reset.
    pub config: Rc<ClusterConfig>,
    /// The seed of its chances.
    pub seed: u64,
}

/// What the page opens with.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The language.
    pub lang: Lang,
    /// The theme.
    pub theme: Theme,
    /// The sample in the editor.
    pub sample: Sample,
    /// Whether another page frames this one.
    pub embedded: bool,
    /// Whether the map is shown alone, for a room.
    pub presenting: bool,
    /// How many nodes beside the control plane; the usual three if absent.
    pub nodes: Option<u32>,
    /// Texts of samples as they were left, by the sample's name.
    pub kept: Vec<(Sample, String)>,
    /// How large the panels were.
    pub panes: Panes,
    /// A clock, in milliseconds, if somebody waits for the page.
    pub clock: Option<fn() -> f64>,
}

/// The largest cluster that Kubernetes supports.
const MOST_NODES: u32 = 5_000;

/// More nodes than this make a cluster large.
pub(super) const LARGE: usize = 300;

/// A sample's cluster with its add-ons up and running, and the moment from which the page counts. A
/// large one is not there yet: it is set up as the page's time goes on (`setting_up.rs`).
fn new_world(config: &ClusterConfig, sample: Sample, seed: u64) -> (World, SimTime) {
    // Only a cluster with add-ons is the classroom's, with somebody to ask for addresses.
    let load_balancers =
        if config.addons { sample.load_balancers() } else { config.load_balancers };
    let gateway_api = config.gateway_api || config.addons && sample == Sample::Gateway;
    let config = ClusterConfig { load_balancers, gateway_api, ..config.clone() };
    if config.nodes.len() > LARGE {
        let world = World::switched_on(config, seed);
        let origin = origin_of(&world);
        return (world, origin);
    }
    let mut world = World::begin(config, seed);
    let origin = origin_of(&world);
    world.run_until(origin);
    (world, origin)
}

/// When the add-ons of a cluster that has just begun are up and running.
pub(super) fn origin_of(world: &World) -> SimTime {
    world.now() + SET_UP_TIME + ADDONS_START
}

/// A shell with somebody in front, who reads `lang`, and with the file of a sample in its folder.
fn new_console(sample: Sample, lang: Lang) -> Console {
    let mut console = Console { is_live: true, lang, ..Console::new() };
    if let Some((name, text)) = sample.file() {
        console.session.write(name, text.to_owned());
    }
    console
}

impl Model {
    /// The page as it opens: a sample in the editor, applied, and time running.
    pub fn new(opening: Opening) -> Self {
        let config = match opening.nodes {
            Some(count) => ClusterConfig::classroom_of(count.clamp(1, MOST_NODES)),
            None => ClusterConfig::classroom(),
        };
        let (world, origin) = new_world(&config, opening.sample, SEED);
        let kept = opening.kept.into_iter();
        let mut model = Model {
            lang: opening.lang,
            theme: opening.theme,
            embedded: opening.embedded,
            panel: Panel::Map,
            side: Panel::Trace,
            sample: opening.sample,
            source: Rc::default(),
            check_in_micros: None,
            faults: Rc::default(),
            applied: Applied::No,
            stored: Rc::default(),
            compare: None,
            editing: None,
            kept: kept.map(|(sample, text)| (sample, text.into())).collect(),
            is_kept: false,
            is_touched: false,
            left: None,
            panes: opening.panes,
            events: EventFilter::All,
            shared: 0,
            go_to: (0, 0),
            as_text: false,
            playing: true,
            speed: Speed::One,
            origin,
            world,
            console: new_console(opening.sample, opening.lang),
            terminal: Terminal::default(),
            selected: None,
            in_sight: Rc::default(),
            aim: None,
            journey: None,
            burst: None,
            tracer: Tracer::default(),
            presenting: opening.presenting,
            timeline: Timeline::default(),
            is_set_up: false,
            clock: opening.clock.unwrap_or(|| 0.0),
            config: Rc::new(config),
            seed: SEED,
        };
        model.take_text(true);
        model.apply_once_set_up();
        model
    }

    /// Applies the manifests if the cluster has come to be set up, and then does what was typed ahead.
    pub(super) fn apply_once_set_up(&mut self) {
        if !self.is_set_up && self.setting_up().is_none() {
            self.is_set_up = true;
            super::apply::apply(self);
            super::enter::take_next(self);
        }
    }

    /// What stands before the line of the terminal.
    pub fn prompt(&self) -> String {
        let front = self.terminal.front().and_then(|front| front.prompt(&self.world));
        match front {
            Some(prompt) => prompt,
            None if !self.terminal.unfinished.is_empty() => "> ".to_owned(),
            None => super::enter::prompt(&self.console),
        }
    }

    /// Whether a command has the prompt and waits for no line.
    pub fn is_busy(&self) -> bool {
        self.terminal.front().is_some_and(|front| front.prompt(&self.world).is_none())
    }

    /// The name of the file that the manifests are in.
    pub fn file_name(&self) -> String {
        format!("{}.yaml", self.sample.name())
    }

    /// Puts the sample's text into the editor: as it was left, if it was, or as it is.
    fn take_text(&mut self, as_left: bool) {
        let kept = self.kept_text().filter(|_| as_left);
        self.is_kept = kept.is_some();
        self.source = kept.unwrap_or_else(|| self.sample.yaml(self.lang).into());
    }

    /// The text of the sample as it was left, if it was.
    pub(super) fn kept_text(&self) -> Option<Rc<str>> {
        self.kept.iter().find(|(sample, _)| *sample == self.sample).map(|(_, text)| text.clone())
    }

    /// Keeps the text of the sample, or forgets it.
    pub(super) fn keep_text(&mut self, text: Option<Rc<str>>) {
        let sample = self.sample;
        self.kept.retain(|(one, _)| *one != sample);
        self.kept.extend(text.map(|text| (sample, text)));
    }

    /// A new cluster with a sample, applied; language, theme and panels stay. What is left behind
    /// can be had back for a while.
    #[inline(never)]
    pub(super) fn restart(&mut self, sample: Sample, as_left: bool) {
        self.begin_anew(sample, SEED);
        self.take_text(as_left);
        self.terminal.break_off(sample.name());
        self.is_set_up = false;
        self.apply_once_set_up();
    }

    /// A new cluster, empty, in place of the one that there is, which is kept to be had back.
    pub(super) fn begin_anew(&mut self, sample: Sample, seed: u64) {
        let (world, origin) = new_world(&self.config, sample, seed);
        self.origin = origin;
        self.begin_with(world, sample, seed, new_console(sample, self.lang), Text::Reverted);
    }

    /// Another cluster in place of the one that there is, which is kept to be had back.
    pub(super) fn begin_with(
        &mut self,
        world: World,
        sample: Sample,
        seed: u64,
        console: Console,
        text: Text,
    ) {
        let Tracer { pace, plan, .. } = self.tracer;
        let new = Model {
            faults: Rc::default(),
            applied: Applied::No,
            stored: Rc::default(),
            compare: None,
            editing: None,
            kept: self.kept.clone(),
            is_kept: false,
            is_touched: false,
            left: None,
            check_in_micros: None,
            world,
            sample,
            console,
            terminal: self.terminal.successor(),
            selected: None,
            in_sight: Rc::default(),
            aim: None,
            journey: None,
            burst: None,
            tracer: Tracer { pace, plan, ..Tracer::default() },
            source: self.source.clone(),
            timeline: Timeline::default(),
            config: self.config.clone(),
            seed,
            ..*self
        };
        let mut old = core::mem::replace(self, new);
        old.left = None;
        self.left = Some(Left { model: Box::new(old), micros: UNDO_MICROS, text });
    }

    /// Gives back what was left behind; language, theme and panels stay as they are.
    #[inline(never)]
    pub(super) fn take_back(&mut self) {
        let Some(Left { model, .. }) = self.left.take() else { return };
        let mut old = *model;
        (old.lang, old.theme, old.panel, old.side) = (self.lang, self.theme, self.panel, self.side);
        (old.panes, old.shared, old.console.lang) = (self.panes, self.shared, self.lang);
        old.kept = core::mem::take(&mut self.kept);
        // What is shown must be seen to have changed.
        old.terminal.stamp = self.terminal.stamp.wrapping_add(1);
        old.terminal.caret.1 = self.terminal.caret.1.wrapping_add(1);
        *self = old;
    }
}
