//! All that the page knows.

use super::burst::Burst;
use super::fault::Fault;
use super::journey::Journey;
use super::object_id::ObjectId;
use super::request::Target;
use super::samples::Sample;
use super::terminal::Terminal;
use super::tracer::Tracer;
use crate::base::SimTime;
use crate::console::Console;
use crate::text::Lang;
use crate::world::{ClusterConfig, World};
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

/// The seed of the cluster that the page opens with; a reset gives the same one.
const SEED: u64 = 1;
/// How long the add-ons have to start before the page opens.
const ADDONS_START: Duration = Duration::from_secs(60);

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

/// The state of the page.
#[derive(Clone, Debug)]
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
    /// How the cluster was set up, for a reset.
    pub config: Rc<ClusterConfig>,
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
    /// How many nodes beside the control plane; the usual three if absent.
    pub nodes: Option<u32>,
}

/// The largest cluster that Kubernetes supports.
const MOST_NODES: u32 = 5_000;

/// A sample's cluster with its add-ons up and running.
fn new_world(config: &ClusterConfig, sample: Sample) -> World {
    // Only a cluster with add-ons is the classroom's, with somebody to ask for addresses.
    let load_balancers =
        if config.addons { sample.load_balancers() } else { config.load_balancers };
    let mut world = World::new(ClusterConfig { load_balancers, ..config.clone() }, SEED);
    world.run_for(ADDONS_START);
    world
}

impl Model {
    /// The page as it opens: a sample in the editor, applied, and time running.
    pub fn new(opening: Opening) -> Self {
        let config = match opening.nodes {
            Some(count) => ClusterConfig::classroom_of(count.clamp(1, MOST_NODES)),
            None => ClusterConfig::classroom(),
        };
        let world = new_world(&config, opening.sample);
        let mut model = Model {
            lang: opening.lang,
            theme: opening.theme,
            embedded: opening.embedded,
            panel: Panel::Map,
            side: Panel::Trace,
            sample: opening.sample,
            source: opening.sample.yaml().into(),
            check_in_micros: None,
            faults: Rc::default(),
            applied: Applied::No,
            go_to: (0, 0),
            as_text: false,
            playing: true,
            speed: Speed::One,
            origin: world.now(),
            world,
            console: Console::new(),
            terminal: Terminal::default(),
            selected: None,
            in_sight: Rc::default(),
            aim: None,
            journey: None,
            burst: None,
            tracer: Tracer::default(),
            config: Rc::new(config),
        };
        super::apply::apply(&mut model);
        model
    }

    /// A new cluster with a sample, applied; language, theme and panels stay.
    pub(super) fn restart(&mut self, sample: Sample) {
        self.world = new_world(&self.config, sample);
        self.origin = self.world.now();
        self.sample = sample;
        self.source = sample.yaml().into();
        self.selected = None;
        self.console = Console::new();
        (self.aim, self.journey, self.burst) = (None, None, None);
        let Tracer { pace, plan, .. } = self.tracer;
        self.tracer = Tracer { pace, plan, ..Tracer::default() };
        super::apply::apply(self);
    }
}
