//! Making room for a pod by removing pods of lower priority.
//!
//! Models pkg/scheduler/framework/preemption and plugins/defaultpreemption.
//!
//! Simplified: candidates are looked for on every node, not on a sample.

use super::cycle::{Decision, histogram};
use super::framework::{Cycle, Filter};
use super::node_info::NodeInfo;
use super::plugins;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Selector};
use crate::base::{SimTime, order};
use core::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whom to remove, and from where.
#[derive(Clone, Debug)]
pub(super) struct Victims {
    /// The node that will have room.
    pub node: Arc<str>,
    /// The pods to remove, most important first.
    pub pods: Vec<Arc<Object>>,
    /// How many of them a PodDisruptionBudget would have kept.
    budget_violations: usize,
}

/// Finds the node where removing pods costs least.
///
/// # Errors
/// What the event says after `preemption: `.
pub(super) fn preempt(cycle: &Cycle<'_>, decision: &Decision) -> Result<Victims, String> {
    if cycle.spec.tree.str_at(&["preemptionPolicy"]) == Some("Never") {
        return Err("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    if waits_for_victims(cycle) {
        return Err("not eligible due to a terminating pod on the nominated node.".to_owned());
    }
    let total = cycle.snapshot.nodes().len();
    let mut reasons: BTreeMap<Arc<str>, Vec<String>> = BTreeMap::new();
    let mut candidates = Vec::new();
    let filters = plugins::filters(cycle).unwrap_or_default();
    for (name, rejection) in &decision.rejected {
        let not_helpful = || vec!["Preemption is not helpful for scheduling".to_owned()];
        let Some(node) = cycle.snapshot.get(name).filter(|_| !rejection.unresolvable) else {
            reasons.insert(name.clone(), not_helpful());
            continue;
        };
        match victims_on(cycle, &filters, node) {
            Ok(victims) => candidates.push(victims),
            Err(why) => drop(reasons.insert(name.clone(), why)),
        }
    }
    let chosen = candidates.into_iter().min_by_key(cost);
    chosen.ok_or_else(|| {
        let all = reasons.values().flatten().map(String::as_str);
        format!("0/{total} nodes are available: {}.", histogram(all))
    })
}

/// The fewest budget violations, then the least important victims, then the fewest, then those
/// that started last.
///
/// Models preemption.go pickOneNodeForPreemption.
fn cost(victims: &Victims) -> (usize, i32, i64, usize, Reverse<SimTime>) {
    let priorities = || victims.pods.iter().map(|pod| priority(pod));
    let highest = priorities().max().unwrap_or_default();
    let sum = priorities().map(|priority| i64::from(priority) + (1 << 31)).sum();
    let of_highest = victims.pods.iter().filter(|pod| priority(pod) == highest);
    let earliest = of_highest.map(|pod| start_time(pod)).min().unwrap_or_default();
    (victims.budget_violations, highest, sum, victims.pods.len(), Reverse(earliest))
}

fn waits_for_victims(cycle: &Cycle<'_>) -> bool {
    let nominated = cycle.pod.pod().and_then(|pod| pod.status.nominated_node_name.as_ref());
    let node = nominated.and_then(|name| cycle.snapshot.get(name));
    node.is_some_and(|node| {
        node.pods.iter().any(|placed| {
            placed.pod.meta.is_terminating() && priority(&placed.pod) < cycle.spec.priority
        })
    })
}

/// The pods whose removal from a node makes room there.
///
/// Models default_preemption.go SelectVictimsOnNode.
fn victims_on(
    cycle: &Cycle<'_>,
    filters: &[Box<dyn Filter>],
    node: &Arc<NodeInfo>,
) -> Result<Victims, Vec<String>> {
    let mut filters: Vec<Box<dyn Filter>> = filters.iter().map(|f| f.boxed_clone()).collect();
    let mut info = (**node).clone();
    let lower = info.pods.iter().map(|placed| placed.pod.clone());
    let mut lower: Vec<_> = lower.filter(|pod| priority(pod) < cycle.spec.priority).collect();
    if lower.is_empty() {
        return Err(vec!["No preemption victims found for incoming pod".to_owned()]);
    }
    for pod in &lower {
        info.remove(pod.meta.uid);
        filters.iter_mut().for_each(|filter| filter.suppose(cycle, pod, node, -1));
    }
    let fits = |filters: &[Box<dyn Filter>], info: &NodeInfo| {
        filters.iter().try_for_each(|filter| filter.filter(info))
    };
    if let Err(rejection) = fits(&filters, &info) {
        return Err(rejection.reasons.iter().map(|reason| reason.to_string()).collect());
    }
    order::sort_by_key(&mut lower, |pod| (Reverse(priority(pod)), start_time(pod)));
    let mut budgets = Budgets::of(cycle);
    let (protected, free): (Vec<_>, Vec<_>) =
        lower.into_iter().partition(|pod| budgets.would_be_violated(pod));
    let (mut victims, mut violations) = (Vec::new(), 0);
    let count = protected.len();
    for (index, pod) in protected.into_iter().chain(free).enumerate() {
        info.add(&pod);
        filters.iter_mut().for_each(|filter| filter.suppose(cycle, &pod, node, 1));
        if fits(&filters, &info).is_err() {
            info.remove(pod.meta.uid);
            filters.iter_mut().for_each(|filter| filter.suppose(cycle, &pod, node, -1));
            violations += usize::from(index < count);
            victims.push(pod);
        }
    }
    order::sort_by_key(&mut victims, |pod| (Reverse(priority(pod)), start_time(pod)));
    Ok(Victims { node: node.name().clone(), pods: victims, budget_violations: violations })
}

/// What is left of each PodDisruptionBudget of the namespaces in question.
struct Budgets<'a> {
    cycle: &'a Cycle<'a>,
    left: BTreeMap<crate::api::Uid, i64>,
}

impl<'a> Budgets<'a> {
    fn of(cycle: &'a Cycle<'a>) -> Self {
        Budgets { cycle, left: BTreeMap::new() }
    }

    /// Counts a pod against the budgets that cover it.
    fn would_be_violated(&mut self, pod: &Object) -> bool {
        let mut violated = false;
        let all = self.cycle.store.list_in(Kind::PodDisruptionBudget, &pod.meta.namespace);
        for budget in all {
            let selector = Selector::from_label_selector(budget.spec().at(&["selector"]));
            if !selector.is_some_and(|s| !s.is_everything() && s.matches(&pod.meta.labels)) {
                continue;
            }
            let allowed = budget.status().int_at(&["disruptionsAllowed"]).unwrap_or_default();
            let left = self.left.entry(budget.meta.uid).or_insert(allowed);
            *left -= 1;
            violated |= *left < 0;
        }
        violated
    }
}

fn priority(pod: &Object) -> i32 {
    pod.pod().map_or(0, |pod| pod.spec.priority)
}

fn start_time(pod: &Object) -> SimTime {
    let started = pod.pod().and_then(|pod| pod.status.start_time);
    started.unwrap_or(pod.meta.creation_timestamp)
}
