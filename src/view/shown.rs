//! The view models on the page, worked out again only when what they show has changed.

use super::editor::Page;
use super::request::AimProps;
use super::shared::Shared;
use super::trace::{Followed, Travel};
use crate::base::{Map, SimTime};
use crate::net::Ruleset;
use crate::present::chronicle::{self, Counter, EventLine};
use crate::present::comparison::{Comparison, comparison};
use crate::present::difference::{self, Difference};
use crate::present::pace::Pace;
use crate::present::rule_tree::{RuleTree, rule_tree};
use crate::present::{ClusterScene, Details, Relation, Story, Surveyor, details, relation, story};
use crate::session::apply::CHECKED_WHILE_WRITTEN;
use crate::session::request::{aimed, targets};
use crate::session::{
    Compare, EventFilter, Fault, Model, ObjectId, Panel, Sample, SettingUp, Stored, Target, aim,
};
use crate::text::Lang;
use crate::trace::{PacketTrace, Source, haproxy};
use crate::world::{Activity, CLIENT_ADDRESS};
use std::rc::Rc;
use std::sync::Arc;

/// How long the nodes of a crowd may take to be drawn at a time, in milliseconds.
const SURVEY_MILLIS: f64 = 5.0;

/// What tells one state of the cluster from another: the sample it began with, how much has been
/// written, heartbeats aside, which machines are silent, how kube-proxy works, and the nodes that are
/// looked at.
#[derive(Clone, Debug, Default, PartialEq)]
struct Stamp {
    sample: Sample,
    activity: Activity,
    silent: Map<Arc<str>, SimTime>,
    proxy_mode: &'static str,
    hand_built: Option<Arc<haproxy::Config>>,
    in_sight: Rc<[Arc<str>]>,
}

/// A tree of rules, with what it was grown from.
type Grown = (Arc<Ruleset>, Option<Arc<PacketTrace>>, String, Shared<RuleTree>);

/// What a difference was worked out from: which, the text, what was stored, and the revision.
type Compared = (Compare, Rc<str>, Rc<[Stored]>, u64);

/// What the page shows now.
pub(super) struct Shown {
    /// The map, and how often it is surveyed.
    pub(super) scene: Shared<ClusterScene>,
    surveyor: Surveyor,
    pace: Pace,
    /// The moment, for what counts down on the map; it stands still while nothing does.
    pub(super) now: SimTime,
    /// Who is at work in the control plane.
    pub(super) activity: Activity,
    /// What belongs to the object in the inspector.
    pub(super) relation: Option<Shared<Relation>>,
    /// The events, if they are in front.
    pub(super) events: Shared<Vec<EventLine>>,
    /// Which of them.
    filter: (EventFilter, Option<ObjectId>),
    /// How many events there are.
    pub(super) event_count: usize,
    counter: Counter,
    /// The object in the inspector.
    pub(super) details: Option<Shared<Details>>,
    /// Where requests can go, which of it is aimed at, and who can ask.
    pub(super) targets: Shared<Vec<Target>>,
    pub(super) aimed: usize,
    askers: Shared<Vec<Source>>,
    /// The nodes, whose rules can be looked at.
    nodes: Shared<Vec<Arc<str>>>,
    /// The rules that are looked at, and those they were grown from.
    tree: Option<Grown>,
    /// The request beside another, and what it was made from.
    beside: Option<(Arc<PacketTrace>, Lang, Shared<Comparison>)>,
    /// The request that is followed, and where it is.
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    /// The trace and the language that the story was told from.
    told: Option<(Arc<PacketTrace>, Lang)>,
    /// How far the cluster is, if it is not there yet.
    pub(super) setting_up: Option<SettingUp>,
    /// Seconds of virtual time since the cluster was set up.
    pub(super) seconds: u64,
    /// The difference that is shown instead of the text, and what it was worked out from.
    differences: Option<Shared<Vec<Difference>>>,
    compared: Option<Compared>,
    /// How many fields the API server added when the manifests were applied last.
    added: usize,
    stored: Rc<[Stored]>,
    /// What is wrong with the manifests: which list it is tells whether it has changed.
    faults: Rc<[Fault]>,
    /// What the terminal and the editor showed.
    printed: (u64, bool, bool, bool),
    /// The state of the cluster that all this shows.
    stamp: Stamp,
    /// The state and the chosen object that the relation was found for.
    related: (Activity, Option<ObjectId>),
}

impl Shown {
    /// What the page shows when it opens.
    pub(super) fn of(model: &Model) -> Self {
        let mut shown = Shown {
            scene: Shared::default(),
            surveyor: Surveyor::default(),
            pace: Pace::default(),
            now: SimTime::default(),
            activity: Activity::default(),
            relation: None,
            events: Shared::default(),
            filter: (EventFilter::All, None),
            event_count: 0,
            counter: Counter::default(),
            details: None,
            targets: Shared::default(),
            aimed: 0,
            askers: Shared::default(),
            nodes: Shared::default(),
            tree: None,
            beside: None,
            story: None,
            travel: None,
            told: None,
            setting_up: None,
            seconds: 0,
            differences: None,
            compared: None,
            added: 0,
            stored: Rc::default(),
            faults: Rc::default(),
            printed: (0, false, false, false),
            stamp: Stamp::default(),
            related: (Activity::default(), None),
        };
        shown.refresh(model);
        shown
    }

    /// Brings everything up to date; says whether anything had to change.
    pub(super) fn refresh(&mut self, model: &Model) -> bool {
        let world = &model.world;
        let stamp = Stamp {
            activity: world.activity(),
            sample: model.sample,
            silent: world.store().silent().clone(),
            proxy_mode: world.proxy_mode().name(),
            hand_built: world.hand_built().cloned(),
            in_sight: model.in_sight.clone(),
        };
        let seconds = world.now().since(model.origin).as_secs();
        let began = js_sys::Date::now();
        let is_due = self.pace.is_due(began) && !world.is_being_set_up();
        let (mut before, is_closer) = (stamp.clone(), stamp.in_sight != self.stamp.in_sight);
        before.in_sight = self.stamp.in_sight.clone();
        let has_changed = (before != self.stamp || self.surveyor.is_behind()) && is_due;
        if is_closer && !has_changed {
            self.stamp.in_sight = stamp.in_sight.clone();
            self.scene.keep(self.surveyor.look_closer(world, &self.scene, &model.in_sight));
        }
        let is_later = seconds != self.seconds;
        self.seconds = seconds;
        if has_changed {
            self.stamp = stamp;
            let has_time = || js_sys::Date::now() < began + SURVEY_MILLIS;
            self.scene.keep(self.surveyor.survey(world, &model.in_sight, &has_time));
            self.targets.keep(targets(world));
            self.askers.keep(aim::askers(world.store()));
            self.nodes.keep(world.nodes().keys().cloned().collect());
            self.event_count = self.counter.count(world, model.origin);
            self.pace.done(began, js_sys::Date::now());
        }
        self.activity = world.activity();
        if self.scene.counts_down && is_later {
            self.now = world.now();
        }
        self.relate(model);
        let wants_events = model.side == Panel::Events;
        let filter = (model.events, model.selected.clone());
        let is_other = self.filter != filter;
        if wants_events && (has_changed || is_later || is_other || self.events.is_empty()) {
            self.filter = filter;
            let selected = model.selected.as_ref();
            self.events.keep(chronicle::events(world, model.origin, model.events, selected));
        }
        let shown = self.details.as_ref().map(|details| &details.id);
        if has_changed || is_later || shown != model.selected.as_ref() {
            let new = model.selected.as_ref().and_then(|id| details::details(world, id));
            if self.details.as_deref() != new.as_ref() {
                self.details = new.map(Shared::new);
            }
        }
        let aim = aimed(&self.targets, model.aim.as_ref());
        self.aimed = self.targets.iter().position(|one| Some(one) == aim).unwrap_or_default();
        let has_moved = self.tell(model);
        self.look_deeper(model);
        let is_checked = !Rc::ptr_eq(&self.faults, &model.faults);
        self.faults = model.faults.clone();
        self.compare(model, world.store().revision());
        let printed =
            (model.terminal.stamp, model.is_busy(), model.left.is_some(), model.editing.is_some());
        let setting_up = model.setting_up();
        let is_printed = self.printed != printed || self.setting_up != setting_up;
        (self.printed, self.setting_up) = (printed, setting_up);
        has_changed || is_closer || is_later || has_moved || is_checked || is_printed
    }

    /// Brings the differences up to date.
    fn compare(&mut self, model: &Model, revision: u64) {
        if !Rc::ptr_eq(&self.stored, &model.stored) {
            self.stored = model.stored.clone();
            let all = difference::added(&model.stored);
            self.added = all.iter().map(Difference::added).sum();
        }
        let compared = model.compare.map(|which| {
            // What was added does not change with the cluster.
            let revision = if which == Compare::Change { revision } else { 0 };
            (which, model.source.clone(), model.stored.clone(), revision)
        });
        if self.compared != compared {
            self.differences = compared.as_ref().map(|(which, ..)| {
                Shared::new(match which {
                    Compare::Added => difference::added(&model.stored),
                    Compare::Change => difference::change(model),
                })
            });
            self.compared = compared;
        }
    }

    /// What the editor shows.
    pub(super) fn page(&self, model: &Model) -> Page {
        let editing = model.editing.as_ref();
        Page {
            key: editing.map_or_else(|| model.sample.name().into(), |editing| editing.name.clone()),
            text: editing.map_or_else(|| model.source.clone(), |editing| editing.text.clone()),
            is_editing: editing.is_some(),
            faults: if editing.is_some() { Rc::default() } else { model.faults.clone() },
            applied: model.applied,
            go_to: model.go_to,
            added: self.added,
            compare: model.compare.zip(self.differences.clone()),
            is_kept: model.is_kept,
            is_large: model.source.len() > CHECKED_WHILE_WRITTEN,
        }
    }

    /// Finds what belongs to the chosen object.
    fn relate(&mut self, model: &Model) {
        let store = model.world.store();
        let related = (self.stamp.activity, model.selected.clone());
        if related != self.related {
            let id = model.selected.as_ref();
            let new = id.and_then(|id| relation::relation(store, id));
            if self.relation.as_deref() != new.as_ref() {
                self.relation = new.map(Shared::new);
            }
            self.related = related;
        }
    }

    /// The request that is followed, as its panel shows it.
    pub(super) fn followed(&self, model: &Model) -> Followed {
        let journey = model.journey.as_ref();
        Followed {
            story: self.story.clone(),
            travel: self.travel,
            opened: journey.map(|journey| journey.opened.clone()).unwrap_or_default(),
            remedy: journey.and_then(|journey| journey.remedy.clone()),
            view: model.tracer.view,
            changes: journey.map(|journey| journey.changes.clone()).unwrap_or_default(),
            tree: self.tree.as_ref().map(|(.., tree)| tree.clone()),
            nodes: self.nodes.clone(),
            sought: model.tracer.sought.clone(),
            comparison: self.beside.as_ref().map(|(.., it)| it.clone()),
            burst: model.burst.clone().map(Shared::from),
        }
    }

    /// Where requests would go, and who would ask.
    pub(super) fn aim(&self, model: &Model) -> AimProps {
        let own = &model.tracer.own;
        let target = self.targets.get(self.aimed);
        let internet = Source::Internet { ip: CLIENT_ADDRESS };
        let from = own.from.clone().or_else(|| target.map(aim::asker_of)).unwrap_or(internet);
        let of_target = || target.map(|target| target.url.clone()).unwrap_or_default();
        let url = own.url.clone().unwrap_or_else(of_target);
        AimProps {
            targets: self.targets.clone(),
            aimed: self.aimed,
            askers: self.askers.clone(),
            error: aim::read(from.clone(), &url).err().unwrap_or_default(),
            from,
            url,
            is_own: own.url.is_some(),
            plan: model.tracer.plan,
        }
    }

    /// Brings the tree of rules and the comparison up to date.
    fn look_deeper(&mut self, model: &Model) {
        let trace = model.journey.as_ref().map(|journey| &journey.trace);
        self.tree = model.tracer.rules.as_ref().map(|(node, ruleset)| match &self.tree {
            Some((from, of, sought, tree))
                if Arc::ptr_eq(from, ruleset)
                    && *sought == model.tracer.sought
                    && tree.node == *node
                    && of.as_ref().map(Arc::as_ptr) == trace.map(Arc::as_ptr) =>
            {
                (from.clone(), of.clone(), sought.clone(), tree.clone())
            }
            _ => {
                let sought = model.tracer.sought.clone();
                let tree = rule_tree(node, ruleset, trace.map(|trace| &**trace), &sought);
                (ruleset.clone(), trace.cloned(), sought, Shared::new(tree))
            }
        });
        let asked = model.tracer.comparison.as_ref().zip(self.story.as_ref());
        self.beside = asked.map(|((change, other), story)| match &self.beside {
            Some((of, lang, it)) if Arc::ptr_eq(of, other) && *lang == model.lang => {
                (of.clone(), *lang, it.clone())
            }
            _ => {
                let it = comparison(story, change, other, model.lang);
                (other.clone(), model.lang, Shared::new(it))
            }
        });
    }

    /// Brings the story of the request up to date; says whether the packet has moved.
    fn tell(&mut self, model: &Model) -> bool {
        let travel = model.journey.as_ref().map(|journey| Travel {
            hop: journey.hop,
            stage: journey.stage(),
            progress: journey.progress(),
            playing: journey.playing,
            is_slow: journey.pace.is_slow,
            loops: journey.pace.loops,
            follows: journey.pace.follows,
            is_open: journey.opened.contains(&journey.stage()),
        });
        let told = model.journey.as_ref().map(|journey| (journey.trace.clone(), model.lang));
        let is_told = match (&told, &self.told) {
            (Some((new, lang)), Some((old, in_lang))) => Arc::ptr_eq(new, old) && lang == in_lang,
            (None, None) => true,
            _ => false,
        };
        if !is_told {
            let asked = model.journey.as_ref().and_then(|journey| journey.asked.clone());
            let tell = |(trace, lang): &(Arc<PacketTrace>, Lang)| {
                Shared::new(Story { asked, ..story::story(trace, *lang) })
            };
            self.story = told.as_ref().map(tell);
            self.told = told;
        }
        let has_moved = self.travel != travel;
        self.travel = travel;
        has_moved || !is_told
    }
}
