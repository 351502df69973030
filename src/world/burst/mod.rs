//! Many requests over time: who answers how many, how many fail, and what would have saved them.
//!
//! Sending is plain data that says when its next request is due and moves no clock: whoever has the
//! clock goes on with it. `remedy.rs` says which setting would have saved a request.

mod remedy;

pub use remedy::{Remedy, Workload};

use super::World;
use crate::api::Kind;
use crate::api::pod::ContainerState;
use crate::base::SimTime;
use crate::net::dice::Share;
use crate::trace::chances::Chances;
use crate::trace::{Cause, Failure, Manner, Outcome, PacketTrace, Request, Server};
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

/// A request that was sent: when, and the place of what became of it, of those who answered or of
/// what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: SimTime,
    /// What became of it.
    pub end: Result<usize, usize>,
}

/// What became of a burst.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// When the first was sent.
    pub begin: SimTime,
    /// Those that were sent, in their order.
    pub sent: Vec<Sent>,
    /// How many connections were opened for them.
    pub connections: u32,
    /// Who answered, with those that were expected to and did not.
    pub answers: Vec<Answers>,
    /// What failed.
    pub lost: Vec<Lost>,
    /// How likely each end was when the burst began.
    pub chances: Chances,
    /// What makes the Pods that were asked, if one thing makes all of them.
    pub workload: Option<Workload>,
}

/// A connection that is kept alive, and the request that opened it.
#[derive(Clone, Debug)]
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

/// Requests on their way, one after the other.
#[derive(Clone, Debug)]
pub struct Sending {
    plan: Plan,
    open: Vec<Option<Connection>>,
    burst: Burst,
}

impl Sending {
    /// Requests that begin to be sent now.
    pub fn new(world: &World, plan: Plan) -> Self {
        let chances = world.chances(&plan.request);
        let workload = Workload::of(world.store(), &chances);
        let expected = chances.ends.iter().filter_map(|chance| {
            let server = chance.end.as_ref().ok()?.clone();
            Some(Answers { server, count: 0, expected: chance.share, trace: None })
        });
        let burst = Burst {
            begin: world.now(),
            sent: Vec::new(),
            connections: 0,
            answers: expected.collect(),
            lost: Vec::new(),
            chances,
            workload,
        };
        let mut open = Vec::new();
        open.resize_with(usize::try_from(plan.keep_alive).unwrap_or(0), || None);
        Sending { plan, open, burst }
    }

    /// What is sent.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What has become of those that were sent.
    pub const fn burst(&self) -> &Burst {
        &self.burst
    }

    /// When the next one is due; none when all were sent.
    pub fn next(&self) -> Option<SimTime> {
        let number = u32::try_from(self.burst.sent.len()).unwrap_or(u32::MAX);
        (number < self.plan.count).then(|| self.burst.begin + self.plan.gap.saturating_mul(number))
    }

    /// Sends those that are due.
    pub fn send_due(&mut self, world: &mut World) {
        while self.next().is_some_and(|at| at <= world.now()) {
            let end = self.send(world);
            self.burst.sent.push(Sent { at: world.now(), end });
        }
        // Each for itself is none that a person has asked to follow.
        drop(world.take_trace());
    }

    fn send(&mut self, world: &mut World) -> Result<usize, usize> {
        let (plan, burst) = (&self.plan, &mut self.burst);
        let number = burst.sent.len();
        let place = number.checked_rem(self.open.len());
        let mut slot = place.and_then(|place| self.open.get_mut(place));
        // A process that ends closes its connections, so its client opens another one.
        let kept = slot.as_ref().and_then(|slot| slot.as_ref());
        let kept = kept.filter(|kept| is_serving(world, &kept.server));
        if let Some(kept) = kept.filter(|kept| !kept.leads_to_a_proxy()) {
            return Ok(burst.answered(&kept.server, &kept.trace));
        }
        if kept.is_none() {
            burst.connections = burst.connections.saturating_add(1);
        }
        let trace = world.send(&plan.request);
        let (end, connection) = match &trace.outcome {
            Outcome::Answered { server, .. } => {
                let server = server.clone();
                let place = burst.answered(&server, &trace);
                (Ok(place), Some(Connection { server, trace: trace.clone() }))
            }
            Outcome::Failed(failure) => (Err(burst.failed(world, failure, &trace)), None),
        };
        if let Some(slot) = &mut slot {
            **slot = connection;
        }
        end
    }
}

impl Burst {
    fn answered(&mut self, server: &Server, trace: &Arc<PacketTrace>) -> usize {
        let place = self.answers.iter().position(|it| it.server == *server);
        let place = place.unwrap_or_else(|| {
            let (server, expected) = (server.clone(), self.chances.of(server));
            self.answers.push(Answers { server, count: 0, expected, trace: None });
            self.answers.len().saturating_sub(1)
        });
        if let Some(answers) = self.answers.get_mut(place) {
            answers.count = answers.count.saturating_add(1);
            answers.trace.get_or_insert_with(|| trace.clone());
        }
        place
    }

    fn failed(&mut self, world: &World, failure: &Failure, trace: &Arc<PacketTrace>) -> usize {
        let Failure { cause, manner, .. } = failure;
        let remedy = remedy::remedy(world, self, failure, &trace.hops);
        let now = world.now();
        // What would save them may change as a rollout goes on.
        let same = |it: &Lost| it.cause == *cause && it.manner == *manner && it.remedy == remedy;
        match self.lost.iter().position(same) {
            Some(place) => {
                if let Some(lost) = self.lost.get_mut(place) {
                    (lost.count, lost.last) = (lost.count.saturating_add(1), now);
                }
                place
            }
            None => {
                let (cause, manner, trace) = (cause.clone(), *manner, trace.clone());
                let (first, last) = (now, now);
                self.lost.push(Lost { cause, manner, count: 1, first, last, remedy, trace });
                self.lost.len().saturating_sub(1)
            }
        }
    }

    /// How many were sent.
    pub fn count(&self) -> u32 {
        u32::try_from(self.sent.len()).unwrap_or(u32::MAX)
    }

    /// How long after the first the last was sent.
    pub fn took(&self) -> Duration {
        self.sent.last().map_or(Duration::ZERO, |last| last.at.since(self.begin))
    }

    /// How many failed.
    pub fn failures(&self) -> u32 {
        self.lost.iter().fold(0, |all, lost| all.saturating_add(lost.count))
    }

    /// The burst as text: a bar for each server, and a line for each way to fail.
    pub fn to_text(&self) -> String {
        let (count, took) = (self.count(), self.took());
        let mut out = format!(
            "{} requests over {} connections in {}.{:03} s: {} answered, {} failed\n",
            count,
            self.connections,
            took.as_secs(),
            took.subsec_millis(),
            count.saturating_sub(self.failures()),
            self.failures(),
        );
        let most = self.answers.iter().map(|it| it.count).max().unwrap_or(0).max(1);
        let names = self.answers.iter().map(|it| it.server.to_string());
        let width = names.map(|name| name.len()).max().unwrap_or(0);
        for Answers { server, count: own, expected, .. } in &self.answers {
            let bar = "#".repeat(usize::try_from(own.saturating_mul(WIDTH) / most).unwrap_or(0));
            let name = server.to_string();
            let _ = writeln!(
                out,
                "{name:<width$}  {bar:<20} {own:>5}  {}  expected {} ({expected})",
                percent(*own, count),
                percent(expected.millionths(), 1_000_000),
            );
        }
        for Lost { cause, manner, count, first, last, remedy, .. } in &self.lost {
            let (from, to) =
                (first.since(self.begin).as_millis(), last.since(self.begin).as_millis());
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
