//! Many requests, counted: who answered, who was expected to, why some were lost, and what would
//! have saved them. They are sent at once, or one after the other while a rollout goes on.

use super::aim;
use super::enter;
use super::model::{Model, Panel};
use super::running::Place;
use crate::net::dice::Share;
use crate::trace::{PacketTrace, Request, Server, Source};
use crate::world::World;
use crate::world::burst::{self, Remedy, Sending, Workload};
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

/// How many requests a burst can have.
pub const SIZES: [u32; 3] = [10, 100, 1000];

/// How many requests are sent while a rollout goes on, and how many in a second.
const ROLL_SIZE: u32 = 300;
const ROLL_RATE: u32 = 20;

/// How long after a rollout its last old Pods, which have no such setting, are surely out of all
/// rules.
const OLD_PODS_END_SECONDS: u32 = 5;

/// How bursts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurstPlan {
    /// How many requests.
    pub size: u32,
    /// Whether all go over one connection (keep-alive), and not each over its own.
    pub kept: bool,
}

impl Default for BurstPlan {
    fn default() -> Self {
        BurstPlan { size: 100, kept: false }
    }
}

/// What became of many requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst {
    /// Where they went.
    pub url: String,
    /// How they were sent.
    pub plan: BurstPlan,
    /// Who answered or might have.
    pub answers: Vec<Answers>,
    /// Why requests were lost, the most frequent cause first.
    pub losses: Vec<Loss>,
    /// How many were sent so far.
    pub sent: u32,
    /// How many nobody answered.
    pub lost: u32,
    /// Each request that was sent over time; empty if all were sent at once.
    pub strokes: Vec<Stroke>,
    /// How long all of them take, in milliseconds; 0 if all are sent at once.
    pub span_millis: u32,
    /// Whether some are still to be sent.
    pub is_running: bool,
    /// What was replaced meanwhile, `deployment/web`, if one thing makes the Pods.
    pub workload: Option<String>,
    /// How many of a million nobody is expected to answer.
    pub lost_expected: Option<u32>,
}

/// One request on the strip of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stroke {
    /// When it was sent, in milliseconds.
    pub millis: u32,
    /// The place of who answered; none if nobody did.
    pub answered: Option<usize>,
}

/// How many one who answers has answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// Its name.
    pub name: Arc<str>,
    /// How many it answered.
    pub count: u32,
    /// How many of a million it is expected to; none if there are too many ways to tell.
    pub expected: Option<u32>,
    /// A request that it answered.
    pub trace: Option<Arc<PacketTrace>>,
}

/// Requests that were lost in the same way: for want of the same setting, or for the same cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// How many.
    pub count: u32,
    /// When the first and the last were sent, in milliseconds.
    pub millis: (u32, u32),
    /// The setting that would have saved them.
    pub remedy: Option<Remedy>,
    /// The line that gives the setting and tries again.
    pub fix: Option<Arc<str>>,
    /// One of them.
    pub trace: Arc<PacketTrace>,
}

impl Burst {
    /// Whether everybody has the same share.
    pub fn is_even(&self) -> bool {
        let mut shares = self.answers.iter().filter_map(|one| one.expected);
        let first = shares.next();
        first.is_some() && shares.all(|share| Some(share) == first)
    }

    /// What has become of requests so far.
    fn of(sending: &Sending, world: &World) -> Self {
        let (counted, sent) = (sending.burst(), sending.plan());
        let plan = BurstPlan { size: sent.count, kept: sent.keep_alive > 0 };
        let is_over_time = !sent.gap.is_zero();
        let burst::Burst { answers, lost, chances, .. } = counted;
        // Over one connection the lots are drawn but once, and while Pods are replaced anew.
        let is_known = !plan.kept && !is_over_time && chances.unknown == Share::NONE;
        let expected = |share: Share| is_known.then(|| share.millionths());
        let nobody = chances.ends.iter().filter(|chance| chance.end.is_err());
        let nobody = nobody.fold(Share::NONE, |all, chance| all.and(chance.share));
        let answers = answers.iter().map(|one| Answers {
            name: name_of(&one.server),
            count: one.count,
            expected: expected(one.expected),
            trace: one.trace.clone(),
        });
        let strokes = counted.sent.iter().filter(|_| is_over_time).map(|one| Stroke {
            millis: millis(one.at.since(counted.begin)),
            answered: one.end.ok(),
        });
        Burst {
            url: aim::address(&sent.request),
            plan,
            answers: answers.collect(),
            losses: losses(sending, world),
            sent: counted.count(),
            lost: lost.iter().map(|loss| loss.count).sum(),
            lost_expected: expected(nobody).filter(|_| nobody != Share::NONE),
            strokes: strokes.collect(),
            span_millis: millis(sent.gap.saturating_mul(sent.count)),
            is_running: sending.next().is_some(),
            workload: counted.workload.as_ref().map(Workload::word),
        }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// What was lost, the most frequent first: over time, what the same setting would have saved is one.
fn losses(sending: &Sending, world: &World) -> Vec<Loss> {
    let (counted, sent) = (sending.burst(), sending.plan());
    let mut losses: Vec<Loss> = Vec::new();
    for lost in &counted.lost {
        let at = |moment: crate::base::SimTime| millis(moment.since(counted.begin));
        let span = (at(lost.first), at(lost.last));
        let remedy = lost.remedy.filter(|_| !sent.gap.is_zero());
        let same = |it: &&mut Loss| remedy.is_some() && it.remedy == remedy;
        if let Some(known) = losses.iter_mut().find(same) {
            known.count = known.count.saturating_add(lost.count);
            known.millis = (known.millis.0.min(span.0), known.millis.1.max(span.1));
            continue;
        }
        let command = remedy.and_then(|it| it.command(world.store(), counted, &sent.request));
        let fix = command.zip(counted.workload.as_ref()).map(|(command, workload)| {
            let (word, flag) = (workload.word(), workload.flag());
            let roll = roll_line(&sent.request, Some(workload));
            Arc::from(format!("{command} && kubectl rollout status {word}{flag} && sleep {OLD_PODS_END_SECONDS} && {roll}"))
        });
        let (count, trace) = (lost.count, lost.trace.clone());
        losses.push(Loss { count, millis: span, remedy, fix, trace });
    }
    crate::base::order::sort_by_key(&mut losses, |loss| core::cmp::Reverse(loss.count));
    losses
}

/// The line that replaces the Pods one after the other and sends requests meanwhile.
fn roll_line(request: &Request, workload: Option<&Workload>) -> String {
    let restart = workload.map_or_else(String::new, |workload| {
        format!("kubectl rollout restart {}{} && ", workload.word(), workload.flag())
    });
    let from = match &request.from {
        Source::Internet { .. } => String::new(),
        Source::Node(name) => format!(" --from node/{name}"),
        Source::Pod { namespace, name } => format!(" --from pod/{namespace}/{name}"),
    };
    let program = match request.method.is_empty() {
        true => format!("nc -vz {} {}", request.host, request.port),
        false => format!("curl {}", aim::address(request)),
    };
    format!("{restart}burst -n {ROLL_SIZE} --rate {ROLL_RATE}{from} {program}")
}

/// Replaces the Pods that would answer, one after the other, and sends requests meanwhile.
#[inline(never)]
pub(super) fn roll(model: &mut Model) {
    let Some(request) = aim::request(model) else { return };
    let workload = Workload::of(model.world.store(), &model.world.chances(&request));
    let line = roll_line(&request, workload.as_ref());
    enter::begin(model, &line, Place::Beside);
}

/// Gives the setting that would have saved these, and tries again.
pub(super) fn save(model: &mut Model, place: usize) {
    let loss = model.burst.as_ref().and_then(|burst| burst.losses.get(place).cloned());
    if let Some(fix) = loss.and_then(|loss| loss.fix) {
        enter::begin(model, &fix, Place::Beside);
    }
}

/// Shows what a burst at work has counted, if one has.
pub(super) fn show_counted(model: &mut Model) {
    let Some(sending) = model.console.counted.take() else { return };
    let is_first = !model.burst.as_ref().is_some_and(|burst| burst.is_running);
    let burst = Burst::of(&sending, &model.world);
    let is_over = !burst.is_running;
    model.burst = Some(Rc::new(burst));
    if is_first {
        model.journey = None;
        show(model);
    }
    if is_over {
        look_at_one(model);
    }
}

/// Brings the counts to the front; on a narrow screen they would be behind the map.
fn show(model: &mut Model) {
    model.side = Panel::Trace;
    if model.panel == Panel::Map {
        model.panel = Panel::Trace;
    }
}

/// The first that was lost, or else one that was answered, can be followed.
fn look_at_one(model: &mut Model) {
    let Some(burst) = model.burst.clone() else { return };
    let lost = burst.losses.first().map(|loss| loss.trace.clone());
    let answered = || burst.answers.iter().rev().find_map(|one| one.trace.clone());
    if let Some(trace) = lost.or_else(answered) {
        model.follow(trace);
        if let Some(journey) = &mut model.journey {
            journey.go_to(0);
        }
    }
}

/// A short name for who answers.
fn name_of(server: &Server) -> Arc<str> {
    match server {
        Server::Pod { pod, .. } => pod.name.clone(),
        Server::Node(name) => name.clone(),
        Server::Internet => Arc::from("internet"),
    }
}

/// Sends many requests to where the page aims, all at once, to be counted.
#[inline(never)]
pub(super) fn burst(model: &mut Model) {
    let Some(request) = aim::request(model) else { return };
    let BurstPlan { size, kept } = model.tracer.plan;
    let keep_alive = u32::from(kept);
    let plan = burst::Plan { request, count: size, gap: Duration::ZERO, keep_alive };
    let mut sending = Sending::new(&model.world, plan);
    sending.send_due(&mut model.world);
    model.burst = Some(Rc::new(Burst::of(&sending, &model.world)));
    show(model);
    look_at_one(model);
}

/// Follows one of a burst: a request that this one answered, or one that was lost like this.
pub(super) fn pick(model: &mut Model, is_loss: bool, place: usize) {
    let Some(burst) = model.burst.clone() else { return };
    let trace = match is_loss {
        true => burst.losses.get(place).map(|loss| loss.trace.clone()),
        false => burst.answers.get(place).and_then(|one| one.trace.clone()),
    };
    if let Some(trace) = trace {
        model.follow(trace);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Msg, Opening, Sample, TraceMsg, update};
    use super::*;
    use crate::api::{Kind, Pod};

    fn model(sample: Sample) -> Model {
        let mut model = Model::new(Opening { sample, ..Opening::default() });
        model.world.run_for(core::time::Duration::from_secs(30));
        model
    }

    fn sent(model: &mut Model) -> Rc<Burst> {
        update(model, Msg::Burst);
        model.burst.clone().unwrap()
    }

    #[test]
    fn under_local_all_is_expected_of_the_nodes_own_pod() {
        let mut model = model(Sample::NodePort);
        let of_cafe = |pod: &&Pod| pod.spec.containers.iter().any(|it| it.image.contains("httpd"));
        let node = {
            let mut pods = model.world.store().list(Kind::Pod).filter_map(|pod| pod.pod());
            pods.find(of_cafe).and_then(|pod| pod.status.host_ip).unwrap()
        };
        update(&mut model, Msg::Trace(TraceMsg::Url(format!("http://{node}:30084"))));
        let burst = sent(&mut model);
        let shares: Vec<_> = burst.answers.iter().map(|one| (one.count, one.expected)).collect();
        assert_eq!(shares, [(100, Some(1_000_000))], "{burst:?}");
    }

    #[test]
    fn an_ingress_has_expected_shares_too() {
        let mut model = model(Sample::Web);
        update(&mut model, Msg::Trace(TraceMsg::Url("http://shop.example".into())));
        let burst = sent(&mut model);
        let expected: Vec<_> = burst.answers.iter().map(|one| one.expected).collect();
        assert_eq!(expected, [Some(333_333); 3]);
        assert!(burst.is_even() && burst.lost == 0);
    }

    #[test]
    fn what_is_lost_has_a_cause_that_can_be_followed() {
        let mut model = model(Sample::Web);
        update(&mut model, Msg::Run("node stop node-2".into()));
        update(&mut model, Msg::Trace(TraceMsg::Url("http://172.18.0.3:30080".into())));
        let burst = sent(&mut model);
        assert!(burst.lost > 15 && burst.lost < 55, "{}", burst.lost);
        assert_eq!(burst.lost_expected, Some(333_333));
        assert_eq!(burst.losses.iter().map(|loss| loss.count).sum::<u32>(), burst.lost);
        update(&mut model, Msg::Trace(TraceMsg::FollowLost(0)));
        assert!(!model.journey.as_ref().unwrap().trace.is_answered());
        let answered = burst.answers.iter().position(|one| one.trace.is_some()).unwrap();
        update(&mut model, Msg::Trace(TraceMsg::FollowAnswered(answered)));
        assert!(model.journey.as_ref().unwrap().trace.is_answered());
    }

    #[test]
    fn one_connection_goes_to_one_pod_but_an_ingress_spreads_its_requests() {
        let mut model = model(Sample::Web);
        let plan = BurstPlan { size: 100, kept: true };
        update(&mut model, Msg::Trace(TraceMsg::Plan(plan)));
        let mut hit = |url: &str| {
            update(&mut model, Msg::Trace(TraceMsg::Url(url.into())));
            sent(&mut model).answers.iter().filter(|one| one.count > 0).count()
        };
        assert_eq!((hit("http://172.18.0.3:30080"), hit("http://shop.example")), (1, 3));
    }

    /// What a rollout loses is sent while a student's time passes, counted as it goes on, and saved
    /// by the setting that is offered.
    #[test]
    fn a_rollout_loses_requests_and_the_setting_that_is_offered_saves_them() {
        fn wait(model: &mut Model) {
            for _ in 0..400 {
                update(model, Msg::Tick(250_000));
                if model.terminal.jobs.is_empty() {
                    return;
                }
            }
        }
        let mut model = model(Sample::Web);
        update(&mut model, Msg::Trace(TraceMsg::Url("http://172.18.0.3:30080".into())));
        update(&mut model, Msg::Roll);
        let began = model.burst.clone().unwrap();
        assert!(began.is_running && began.sent == 1, "{began:?}");
        update(&mut model, Msg::TogglePlaying);
        update(&mut model, Msg::Tick(250_000));
        assert_eq!(model.burst.as_ref().unwrap().sent, 1, "time stands still");
        update(&mut model, Msg::TogglePlaying);
        wait(&mut model);
        let burst = model.burst.clone().unwrap();
        assert_eq!((burst.is_running, burst.sent, burst.strokes.len()), (false, 300, 300));
        assert!(burst.lost > 3, "{}", burst.lost);
        assert_eq!(burst.workload.as_deref(), Some("deployment/web"));
        let [loss] = burst.losses.as_slice() else { panic!("{:?}", burst.losses) };
        assert_eq!((loss.remedy, loss.count), (Some(Remedy::PreStop), burst.lost));
        assert!(loss.millis.1 < 5_000, "only while Pods end: {:?}", loss.millis);
        let fix = loss.fix.clone().unwrap();
        assert!(fix.starts_with("kubectl patch deployment/web -p '"), "{fix}");
        update(&mut model, Msg::Trace(TraceMsg::Save(0)));
        wait(&mut model);
        let burst = model.burst.clone().unwrap();
        let of_later: Vec<_> = burst.losses.iter().map(|loss| (loss.millis, loss.count)).collect();
        assert_eq!((burst.sent, burst.lost), (300, 0), "{of_later:?}");
    }

    #[test]
    fn a_pod_that_is_ready_before_it_listens_asks_for_a_readiness_probe() {
        let mut model = model(Sample::Web);
        let slow = r#"kubectl patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","command":["sh","-c","sleep 4; nginx -g \"daemon off;\""]}]}}}}'"#;
        let burst = "burst -n 200 --rate 20 curl http://172.18.0.3:30080";
        update(&mut model, Msg::Run(format!("{slow} && {burst}")));
        for _ in 0..100 {
            update(&mut model, Msg::Tick(250_000));
        }
        let burst = model.burst.clone().unwrap();
        let probe = burst.losses.iter().find(|it| it.remedy == Some(Remedy::ReadinessProbe));
        let fix = probe.and_then(|loss| loss.fix.clone()).unwrap();
        assert!(
            fix.contains(
                r#""readinessProbe":{"periodSeconds":1,"httpGet":{"path":"/","port":80}}"#
            ),
            "{fix}"
        );
    }
}
