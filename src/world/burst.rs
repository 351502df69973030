//! Many requests over time: who answers how many, how many fail, and what would have saved them.

use super::World;
use crate::api::Kind;
use crate::api::pod::ContainerState;
use crate::base::SimTime;
use crate::net::dice::Share;
use crate::trace::chances::Chances;
use crate::trace::{Cause, Failure, Manner, Outcome, PacketTrace, Place, Request, Server};
use core::fmt::Write as _;
use core::time::Duration;
use std::sync::Arc;

/// Requests to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What is asked, each time.
    pub request: Request,
    /// How often.
    pub count: u32,
    /// How long after one request the next is sent; nothing for all at the same moment.
    pub gap: Duration,
    /// How many connections are kept alive and used in turn; 0 for a new one each time.
    pub keep_alive: u32,
}

/// What would have kept requests from failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A `preStop` hook that sleeps: the Pod's process ended before kube-proxy knew.
    PreStop,
    /// A `readinessProbe`: the Pod counted as Ready before its process listened.
    ReadinessProbe,
    /// `maxUnavailable: 0`, or more replicas: no Pod was Ready.
    MaxUnavailable,
}

impl Remedy {
    /// The setting.
    pub const fn setting(self) -> &'static str {
        match self {
            Remedy::PreStop => "lifecycle.preStop with a sleep of some seconds",
            Remedy::ReadinessProbe => "a readinessProbe",
            Remedy::MaxUnavailable => "maxUnavailable: 0",
        }
    }
}

/// Requests that failed in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Lost {
    /// Why.
    pub cause: Cause,
    /// How it showed.
    pub manner: Manner,
    /// How many.
    pub count: u32,
    /// When the first was sent.
    pub first: SimTime,
    /// When the last was sent.
    pub last: SimTime,
    /// What would have saved them, if a setting of the Pods would.
    pub remedy: Option<Remedy>,
    /// One of them.
    pub trace: Arc<PacketTrace>,
}

/// Who answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// Who.
    pub server: Server,
    /// How many requests.
    pub count: u32,
    /// Its exact share of new connections when the burst began.
    pub expected: Share,
    /// The first request that it answered.
    pub trace: Option<Arc<PacketTrace>>,
}

/// What became of a burst.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// How many were sent.
    pub count: u32,
    /// How many connections were opened for them.
    pub connections: u32,
    /// How long it took.
    pub took: Duration,
    /// Who answered, with those that were expected to and did not.
    pub answers: Vec<Answers>,
    /// What failed.
    pub lost: Vec<Lost>,
    /// How likely each end was when the burst began.
    pub chances: Chances,
}

/// A connection that is kept alive, and the request that opened it.
struct Connection {
    server: Server,
    trace: Arc<PacketTrace>,
}

impl Connection {
    /// Whether a proxy is at its end, which chooses for each request anew.
    fn leads_to_a_proxy(&self) -> bool {
        self.trace.passes_proxy()
    }
}

/// Sends requests while the world goes on, and counts.
pub fn run(world: &mut World, plan: &Plan) -> Burst {
    let chances = world.chances(&plan.request);
    let expected = chances.ends.iter().filter_map(|chance| {
        let server = chance.end.as_ref().ok()?.clone();
        Some(Answers { server, count: 0, expected: chance.share, trace: None })
    });
    let answers = expected.collect();
    let begin = world.now();
    let mut burst = Burst {
        count: plan.count,
        connections: 0,
        took: Duration::ZERO,
        answers,
        lost: Vec::new(),
        chances,
    };
    let mut open: Vec<Option<Connection>> = Vec::new();
    open.resize_with(usize::try_from(plan.keep_alive).unwrap_or(0), || None);
    for number in 0..plan.count {
        if number > 0 && !plan.gap.is_zero() {
            world.run_for(plan.gap);
        }
        let place = number.checked_rem(plan.keep_alive).and_then(|at| usize::try_from(at).ok());
        let mut slot = place.and_then(|place| open.get_mut(place));
        // A process that ends closes its connections, so its client opens another one.
        let kept = slot.as_ref().and_then(|slot| slot.as_ref());
        let kept = kept.filter(|kept| is_serving(world, &kept.server));
        if let Some(kept) = kept.filter(|kept| !kept.leads_to_a_proxy()) {
            burst.answered(kept.server.clone(), &kept.trace);
            continue;
        }
        if kept.is_none() {
            burst.connections = burst.connections.saturating_add(1);
        }
        let trace = world.send(&plan.request);
        let connection = match &trace.outcome {
            Outcome::Answered { server, .. } => {
                burst.answered(server.clone(), &trace);
                Some(Connection { server: server.clone(), trace })
            }
            Outcome::Failed(failure) => {
                let remedy = remedy(world, failure, &trace.hops);
                burst.failed(failure, remedy, world.now(), &trace);
                None
            }
        };
        if let Some(slot) = &mut slot {
            **slot = connection;
        }
    }
    burst.took = world.now().since(begin);
    burst
}

impl Burst {
    fn answered(&mut self, server: Server, trace: &Arc<PacketTrace>) {
        match self.answers.iter_mut().find(|it| it.server == server) {
            Some(answers) => {
                answers.count = answers.count.saturating_add(1);
                answers.trace.get_or_insert_with(|| trace.clone());
            }
            None => {
                let (expected, trace) = (self.chances.of(&server), Some(trace.clone()));
                self.answers.push(Answers { server, count: 1, expected, trace });
            }
        }
    }

    fn failed(
        &mut self,
        failure: &Failure,
        remedy: Option<Remedy>,
        now: SimTime,
        trace: &Arc<PacketTrace>,
    ) {
        let Failure { cause, manner, .. } = failure;
        let same = |it: &&mut Lost| it.cause == *cause && it.manner == *manner;
        match self.lost.iter_mut().find(same) {
            Some(lost) => (lost.count, lost.last) = (lost.count.saturating_add(1), now),
            None => {
                let (cause, manner, trace) = (cause.clone(), *manner, trace.clone());
                let (first, last) = (now, now);
                self.lost.push(Lost { cause, manner, count: 1, first, last, remedy, trace });
            }
        }
    }

    /// How many failed.
    pub fn failures(&self) -> u32 {
        self.lost.iter().fold(0, |all, lost| all.saturating_add(lost.count))
    }

    /// The burst as text: a bar for each server, and a line for each way to fail.
    pub fn to_text(&self, begin: SimTime) -> String {
        let mut out = format!(
            "{} requests over {} connections in {}.{:03} s: {} answered, {} failed\n",
            self.count,
            self.connections,
            self.took.as_secs(),
            self.took.subsec_millis(),
            self.count.saturating_sub(self.failures()),
            self.failures(),
        );
        let most = self.answers.iter().map(|it| it.count).max().unwrap_or(0).max(1);
        let names = self.answers.iter().map(|it| it.server.to_string());
        let width = names.map(|name| name.len()).max().unwrap_or(0);
        for Answers { server, count, expected, .. } in &self.answers {
            let bar = "#".repeat(usize::try_from(count.saturating_mul(WIDTH) / most).unwrap_or(0));
            let name = server.to_string();
            let _ = writeln!(
                out,
                "{name:<width$}  {bar:<20} {count:>5}  {}  expected {} ({expected})",
                percent(*count, self.count),
                percent(expected.millionths(), 1_000_000),
            );
        }
        for Lost { cause, manner, count, first, last, remedy, .. } in &self.lost {
            let (from, to) = (first.since(begin).as_millis(), last.since(begin).as_millis());
            let _ = write!(out, "{count} {}: {cause} ({from} to {to} ms)", manner.word());
            let _ = match remedy {
                Some(remedy) => writeln!(out, "; saved by {}", remedy.setting()),
                None => writeln!(out),
            };
        }
        out
    }
}

/// How wide the longest bar is.
const WIDTH: u32 = 20;

fn percent(part: u32, all: u32) -> String {
    let tenths = (u64::from(part) * 1000 + u64::from(all) / 2) / u64::from(all).max(1);
    format!("{:>3}.{} %", tenths / 10, tenths % 10)
}

/// Whether who answered before can still do so on the same connection.
///
/// Simplified: packets of an open connection are not taken through rules again; they go where
/// connection tracking knows.
fn is_serving(world: &World, server: &Server) -> bool {
    let Server::Pod { pod, container } = server else { return true };
    let object = world.find(Kind::Pod, &pod.namespace, &pod.name);
    let Some((object, pod)) = object.and_then(|object| Some((object, object.pod()?))) else {
        return false;
    };
    let mut all = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    let place = all.position(|own| *own.name == **container);
    if place.is_some_and(|place| world.cluster().is_ending(object, place)) {
        return false;
    }
    let mut containers = pod.spec.containers.iter().zip(&pod.status.containers);
    containers.any(|(own, status)| {
        *own.name == **container && matches!(status.state, ContainerState::Running { .. })
    })
}

/// What would have saved a request that failed.
fn remedy(world: &World, failure: &Failure, hops: &[crate::trace::Hop]) -> Option<Remedy> {
    match &failure.cause {
        Cause::NothingListens { pod, .. } => {
            let object = world.find(Kind::Pod, &pod.namespace, &pod.name)?;
            let is_ready = object.pod().is_some_and(|pod| pod.status.is_ready());
            match object.meta.is_terminating() {
                true => Some(Remedy::PreStop),
                // A Pod that is Ready and listens nowhere will never do so without a mistake in it.
                false => (!is_ready).then_some(Remedy::ReadinessProbe),
            }
        }
        // The rules still lead to a Pod that is gone.
        Cause::NoSuchAddress(_) => {
            let by_rule = hops.iter().any(|hop| matches!(hop.place, Place::Rule(..)));
            by_rule.then_some(Remedy::PreStop)
        }
        Cause::NoEndpoints { .. } | Cause::NoLocalEndpoints { .. } => Some(Remedy::MaxUnavailable),
        _ => None,
    }
}
