//! What a person can do in the trace panel, and what the panel knows beside the request itself.

use super::aim::OwnAim;
use super::burst::{self, BurstPlan};
use super::compare::{self, Change};
use super::journey::{Journey, Pace};
use super::model::Model;
use super::object_id::ObjectId;
use super::{remedy, request};
use crate::base::SimTime;
use crate::net::Ruleset;
use crate::text::Text;
use crate::trace::{PacketTrace, Place, Request, Source};
use crate::world::World;
use core::time::Duration;
use std::sync::Arc;

/// How long the cluster has to take a remedy in before the request is sent again.
const REMEDY_TAKES: Duration = Duration::from_millis(1500);

/// A way to look at a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TraceView {
    /// Chapter by chapter.
    #[default]
    Story,
    /// A node's rules, with the branch that the packet took.
    Rules,
    /// Beside the same request under another setting.
    Compare,
    /// Hop by hop, as a table.
    Table,
}

impl TraceView {
    /// All of them, in the order in which they are offered.
    pub const ALL: [TraceView; 4] =
        [TraceView::Story, TraceView::Rules, TraceView::Compare, TraceView::Table];

    /// What it is called.
    pub const fn title(self) -> Text {
        match self {
            TraceView::Story => Text::TraceViewStory,
            TraceView::Rules => Text::TraceViewRules,
            TraceView::Compare => Text::TraceViewCompare,
            TraceView::Table => Text::TraceViewTable,
        }
    }
}

/// Something the person did in the trace panel, or to the request to come.
#[derive(Clone, Debug, PartialEq)]
pub enum TraceMsg {
    /// Chose a way to look at it.
    View(TraceView),
    /// Asked for the rules of a node.
    Rules(Arc<str>),
    /// Opened the rules of a chapter, or closed them.
    Open(usize),
    /// Changed whether the packet begins again after the end.
    Loop,
    /// Wants the packet kept in sight, or not.
    Follow(bool),
    /// Has seen enough of it.
    Close,
    /// Looks for rules with this in their text.
    Seek(String),
    /// Asked for the remedy to be carried out, and the request to be sent again.
    Try,
    /// Asked for the comparison with the change of this number, from 0.
    Compare(usize),
    /// Asked for the change that was compared to be made.
    Change,
    /// Wants to follow a request of the burst that this one answered.
    FollowAnswered(usize),
    /// Wants to follow a request of the burst that was lost like this.
    FollowLost(usize),
    /// Asked for the setting that would have saved these of the burst, and for another try.
    Save(usize),
    /// Typed a URL.
    Url(String),
    /// Chose who asks.
    From(Source),
    /// Chose how bursts are sent.
    Plan(BurstPlan),
}

/// What the trace panel knows.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    /// How it is looked at.
    pub view: TraceView,
    /// How traces are played.
    pub pace: Pace,
    /// How bursts are sent.
    pub plan: BurstPlan,
    /// Where requests go and who asks, where that was typed.
    pub own: OwnAim,
    /// A request that is sent again at that moment, when a remedy has had its time.
    pub again: Option<(SimTime, Request)>,
    /// The cluster just before a request was sent, to send it again with the same chance.
    pub before: Option<(Arc<PacketTrace>, World)>,
    /// The same request under a change.
    pub comparison: Option<(Change, Arc<PacketTrace>)>,
    /// What is looked for in the rules.
    pub sought: String,
    /// The node whose rules are shown, and they.
    pub rules: Option<(Arc<str>, Arc<Ruleset>)>,
}

impl Model {
    /// Shows a request.
    pub(super) fn follow(&mut self, trace: Arc<PacketTrace>) {
        let mut journey = Journey::new(trace, self.tracer.pace);
        journey.remedy = remedy::remedy(&self.world, &journey.trace).map(Arc::from);
        let asked = compare::asked_service(self.world.store(), &journey.trace);
        journey.asked = asked.map(|service| ObjectId::of(&service));
        journey.changes = compare::changes(&self.world, &journey.trace).into();
        self.journey = Some(journey);
        self.tracer.comparison = None;
        self.tracer.rules = None;
        match self.tracer.view {
            TraceView::Compare => self.tracer.view = TraceView::Story,
            TraceView::Rules => show_rules(self, None),
            TraceView::Story | TraceView::Table => {}
        }
    }
}

/// Does what the person asks of the trace panel.
#[inline(never)]
pub(super) fn act(model: &mut Model, msg: TraceMsg) {
    match msg {
        TraceMsg::View(view) => {
            model.tracer.view = view;
            if view == TraceView::Rules && model.tracer.rules.is_none() {
                show_rules(model, None);
            }
        }
        TraceMsg::Rules(node) => show_rules(model, Some(node)),
        TraceMsg::Open(stage) => {
            if let Some(journey) = &mut model.journey {
                journey.open(stage);
            }
        }
        TraceMsg::Loop => model.tracer.pace.loops ^= true,
        TraceMsg::Follow(follows) => model.tracer.pace.follows = follows,
        TraceMsg::Close => {
            model.journey = None;
            model.burst = None;
        }
        TraceMsg::Seek(sought) => model.tracer.sought = sought,
        TraceMsg::Try => attempt(model),
        TraceMsg::Compare(place) => set_beside(model, place),
        TraceMsg::Change => {
            if let Some((change, _)) = model.tracer.comparison.clone() {
                super::update(model, super::Msg::Run(change.command()));
            }
        }
        TraceMsg::FollowAnswered(place) => burst::pick(model, false, place),
        TraceMsg::FollowLost(place) => burst::pick(model, true, place),
        TraceMsg::Save(place) => burst::save(model, place),
        TraceMsg::Url(url) => model.tracer.own.url = Some(url),
        TraceMsg::From(source) => model.tracer.own.from = Some(source),
        TraceMsg::Plan(plan) => model.tracer.plan = plan,
    }
    let pace = model.tracer.pace;
    if let Some(journey) = &mut model.journey {
        journey.pace = pace;
    }
}

/// Shows the rules of a node: this one, or the first whose rules the request met.
fn show_rules(model: &mut Model, node: Option<Arc<str>>) {
    let hops = model.journey.iter().flat_map(|journey| &journey.trace.hops);
    let met = hops.into_iter().find_map(|hop| match &hop.place {
        Place::Rule(node, _) => Some(node.clone()),
        _ => None,
    });
    let any = || model.world.nodes().keys().next().cloned();
    let Some(node) = node.or(met).or_else(any) else { return };
    let ruleset = model.world.ruleset(&node);
    model.tracer.rules = Some((node, ruleset));
    model.tracer.view = TraceView::Rules;
}

/// Sets the request beside the same one under a change.
fn set_beside(model: &mut Model, place: usize) {
    let change = model.journey.as_ref().and_then(|it| it.changes.get(place).cloned());
    let Some(change) = change else { return };
    if let Some(other) = compare::compare(model, &change) {
        model.tracer.comparison = Some((change, other));
        model.tracer.view = TraceView::Compare;
    }
}

/// Carries the remedy out, in the terminal, and has the request sent again a little later.
fn attempt(model: &mut Model) {
    let Some((line, request)) = model
        .journey
        .as_ref()
        .and_then(|journey| Some((journey.remedy.clone()?, journey.trace.request.clone())))
    else {
        return;
    };
    super::update(model, super::Msg::Run(line.to_string()));
    model.playing = true;
    if remedy::asks(&line) {
        return;
    }
    model.tracer.again = Some((model.world.now() + REMEDY_TAKES, request));
}

/// Sends again what was to be sent again by now.
pub(super) fn tick(model: &mut Model) {
    let now = model.world.now();
    if let Some((_, request)) = model.tracer.again.take_if(|(at, _)| *at <= now) {
        model.burst = None;
        request::follow_one(model, &request);
    }
}
