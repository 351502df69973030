//! One scheduling cycle: which nodes will do for a pod, and which is best.
//!
//! Models pkg/scheduler/schedule_one.go.

use super::framework::{Cycle, Filter, Rejection, Scores};
use super::node_info::{NodeInfo, Snapshot, at};
use super::plugins::Local;
use super::verdicts::{Points, Verdict};
use super::{plugins, preemption};
use crate::api::Object;
use crate::base::{Rng, order};
use crate::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a pod could go and why not elsewhere.
#[derive(Debug)]
pub struct Decision {
    /// The nodes that will do.
    pub feasible: Vec<Arc<NodeInfo>>,
    /// Each plugin's points for them.
    pub scores: Vec<Scores>,
    /// Their totals.
    pub totals: Vec<i64>,
    /// The nodes that will not do, each with the plugin's no.
    pub rejected: Vec<(Arc<str>, Rejection)>,
    /// A plugin's no to all nodes at once.
    pub refused: Option<Rejection>,
}

impl Decision {
    /// The nodes with the most points.
    pub fn best(&self) -> impl Iterator<Item = &Arc<NodeInfo>> {
        let most = self.totals.iter().max().copied();
        let all = self.feasible.iter().zip(&self.totals);
        all.filter(move |(_, total)| Some(**total) == most).map(|(node, _)| node)
    }

    /// One of the best, by lot.
    pub fn choose(&self, rng: &mut Rng) -> Option<Arc<str>> {
        let lot = draw(self.best().count(), rng)?;
        self.best().nth(lot).map(|node| node.name().clone())
    }

    /// Why no node will do, as the event says it.
    ///
    /// Models pkg/scheduler/framework/types.go FitError.Error.
    pub fn message(&self, nodes: usize, after: &str) -> String {
        let why = match &self.refused {
            Some(refused) => refused.reasons.join(", "),
            None => {
                let all = self.rejected.iter().flat_map(|(_, rejection)| &rejection.reasons);
                histogram(all.map(|reason| &**reason))
            }
        };
        let mut message = format!("0/{nodes} nodes are available:");
        if !why.is_empty() {
            message.push_str(&format!(" {why}."));
        }
        if !after.is_empty() {
            message.push_str(&format!(" {after}"));
        }
        message
    }

    /// The plugins that said no.
    pub fn plugins(&self) -> impl Iterator<Item = &'static str> {
        let refused = self.refused.iter().map(|refused| refused.plugin);
        refused.chain(self.rejected.iter().map(|(_, rejection)| rejection.plugin))
    }
}

/// One of so many, by lot where there is a choice.
fn draw(count: usize, rng: &mut Rng) -> Option<usize> {
    let lot = match u32::try_from(count).ok()? {
        0 => return None,
        1 => 0,
        count => rng.below(count),
    };
    usize::try_from(lot).ok()
}

/// `2 Insufficient cpu, 1 node(s) were unschedulable`, sorted as text.
pub(super) fn histogram<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut parts: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    order::sort(&mut parts);
    parts.join(", ")
}

/// What to look at: all nodes, or on large clusters so many from `start` on.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// The place of the first node to look at.
    pub start: usize,
    /// How many nodes that will do are enough.
    pub enough: usize,
}

impl Search {
    /// A look at every node.
    pub const EVERYWHERE: Search = Search { start: 0, enough: usize::MAX };

    /// As many as the scheduler looks at by default: all up to 100 nodes, then a share that
    /// shrinks from 50 % to 5 %.
    ///
    /// Models pkg/scheduler/schedule_one.go numFeasibleNodesToFind.
    pub fn of_cluster(start: usize, nodes: usize) -> Self {
        if nodes < 100 {
            return Search { start, enough: nodes };
        }
        let percentage = 50usize.saturating_sub(nodes / 125).max(5);
        Search { start, enough: (nodes * percentage / 100).max(100) }
    }
}

/// Finds the nodes that will do for a pod and scores them. Says also how many it looked at.
pub fn decide(
    pod: &Arc<Object>,
    snapshot: &Snapshot,
    store: &Store,
    search: Search,
) -> Option<(Decision, usize)> {
    let spread = plugins::default_spread_selector(store, pod).map(Arc::new);
    let spec = &pod.pod()?.spec;
    let cycle = Cycle { pod, spec, snapshot, store, spread: spread.as_ref() };
    let mut decision = Decision {
        feasible: Vec::new(),
        scores: Vec::new(),
        totals: Vec::new(),
        rejected: Vec::new(),
        refused: None,
    };
    let filters = match plugins::filters(&cycle) {
        Ok(filters) => filters,
        Err(refused) => {
            decision.refused = Some(refused);
            return Some((decision, 0));
        }
    };
    let looked_at = filter_nodes(&cycle, &filters, search, &mut decision);
    if decision.feasible.len() > 1 {
        let nodes: Vec<&Arc<NodeInfo>> = decision.feasible.iter().collect();
        decision.scores = plugins::scores(&cycle, &nodes);
    }
    decision.totals = vec![0; decision.feasible.len()];
    for scores in &decision.scores {
        scores.add_to(&mut decision.totals);
    }
    Some((decision, looked_at))
}

/// Looks at nodes until enough of them will do; at no others than those that the pod's affinity
/// names, if it names any. Returns how many it looked at.
///
/// Models pkg/scheduler/schedule_one.go findNodesThatFitPod.
fn filter_nodes(
    cycle: &Cycle<'_>,
    filters: &[Box<dyn Filter>],
    search: Search,
    decision: &mut Decision,
) -> usize {
    let nodes = cycle.snapshot.nodes();
    let look = |node: &Arc<NodeInfo>, decision: &mut Decision| match filters
        .iter()
        .try_for_each(|filter| filter.filter(node))
    {
        Ok(()) => decision.feasible.push(node.clone()),
        Err(rejection) => decision.rejected.push((node.name().clone(), rejection)),
    };
    if let Some(names) = plugins::wanted_names(cycle) {
        let named: Vec<_> = names.iter().filter_map(|name| cycle.snapshot.get(name)).collect();
        named.iter().for_each(|node| look(node, decision));
        // Why not elsewhere is a question only if there is no place, or somebody wants to know all.
        if decision.feasible.is_empty() || search.enough == usize::MAX {
            let others =
                nodes.iter().filter(|node| names.iter().all(|name| **name != **node.name()));
            let reason = "node(s) didn't satisfy plugin(s) [NodeAffinity]";
            decision.rejected.extend(others.map(|node| {
                (node.name().clone(), Rejection::unresolvable("NodeAffinity", reason))
            }));
        }
        return named.len();
    }
    let (before, from) = nodes.split_at_checked(search.start).unwrap_or((nodes, &[]));
    let mut looked_at = 0;
    for node in from.iter().chain(before) {
        if decision.feasible.len() >= search.enough {
            break;
        }
        looked_at += 1;
        look(node, decision);
    }
    looked_at
}

/// The nodes that will do for a pod, by what is known of nodes for pods like it: their places, and what
/// they get. The memory is used again for the next pod.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    places: Vec<u32>,
    points: Vec<Points>,
    totals: Vec<i64>,
}

impl Candidates {
    /// Looks at nodes until enough of them will do, and asks the plugins only where nothing is known.
    /// Says how many it looked at; `None` if a plugin refuses every node at once.
    fn find(&mut self, cycle: &Cycle<'_>, known: &mut [Verdict], search: Search) -> Option<usize> {
        self.places.clear();
        self.points.clear();
        let nodes = cycle.snapshot.nodes();
        let mut local = None;
        let mut looked_at = 0;
        let start = u32::try_from(search.start).ok()?;
        let (before, from) = known.split_at_mut_checked(search.start)?;
        for (place, verdict) in (start..).zip(from).chain((0..).zip(before)) {
            if self.places.len() >= search.enough {
                break;
            }
            looked_at += 1;
            if *verdict == Verdict::Unknown {
                let local: &Local<'_> = match &mut local {
                    Some(local) => local,
                    none => none.insert(Local::prepare(cycle).ok()?),
                };
                *verdict = local.verdict(nodes.get(at(place))?);
            }
            if let Verdict::Yes(points) = *verdict {
                self.places.push(place);
                self.points.push(points);
            }
        }
        Some(looked_at)
    }

    /// One of those with the most points, by lot.
    fn choose(&mut self, cycle: &Cycle<'_>, rng: &mut Rng) -> Option<&u32> {
        self.totals.clear();
        match self.places.len() {
            0 | 1 => self.totals.resize(self.places.len(), 0),
            _ => plugins::totals(cycle, &self.places, &self.points, &mut self.totals),
        }
        let most = self.totals.iter().max().copied()?;
        let best = || self.places.iter().zip(&self.totals).filter(|(_, total)| **total == most);
        let lot = draw(best().count(), rng)?;
        best().nth(lot).map(|(place, _)| place)
    }
}

/// The node that [`decide`] and [`Decision::choose`] would give, and how many were looked at, without
/// the telling: what is known of a node for pods like this one is not asked again. `None` where they
/// must be asked: no node will do, or plugins have a say that look at more than one node at a time.
pub(super) fn decide_quickly(
    cycle: &Cycle<'_>,
    known: &mut [Verdict],
    search: Search,
    candidates: &mut Candidates,
    rng: &mut Rng,
) -> Option<(Arc<str>, usize)> {
    if plugins::needs_more_than_local(cycle) {
        return None;
    }
    let looked_at = candidates.find(cycle, known, search)?;
    let place = candidates.choose(cycle, rng)?;
    let node = cycle.snapshot.nodes().get(at(*place))?;
    Some((node.name().clone(), looked_at))
}

/// Looks for pods whose removal would make room, and says what the event adds about it.
///
/// Models the PostFilter plugins: DynamicResources, then DefaultPreemption.
#[inline(never)]
pub(super) fn make_room(
    pod: &Arc<Object>,
    snapshot: &Snapshot,
    store: &Store,
    decision: &Decision,
) -> (String, Option<preemption::Victims>) {
    if decision.refused.is_some() {
        // The plugin for dynamic resources misses what its PreFilter would have stored.
        return ("not found".to_owned(), None);
    }
    let Some(facts) = pod.pod() else { return (String::new(), None) };
    let cycle = Cycle { pod, spec: &facts.spec, snapshot, store, spread: None };
    match preemption::preempt(&cycle, decision) {
        Ok(victims) => (String::new(), Some(victims)),
        Err(why) => (format!("no new claims to deallocate, preemption: {why}"), None),
    }
}
