//! Many requests at once, counted: who answered, who was expected to, and why some were lost.

use super::aim;
use super::model::Model;
use crate::net::dice::Share;
use crate::trace::chances::Chances;
use crate::trace::{Outcome, PacketTrace, Server};
use std::rc::Rc;
use std::sync::Arc;

/// How many requests a burst can have.
pub const SIZES: [u32; 3] = [10, 100, 1000];

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
    /// How many nobody answered.
    pub lost: u32,
    /// How many of a million nobody is expected to answer.
    pub lost_expected: Option<u32>,
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

/// Requests that were lost in the same way.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// How many.
    pub count: u32,
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

    fn of(url: String, plan: BurstPlan, chances: &Chances) -> Self {
        // Over one connection the lots are drawn but once.
        let is_known = !plan.kept && chances.unknown == Share::NONE;
        let expected = |share: Share| is_known.then(|| share.millionths());
        let (mut answers, mut nobody) = (Vec::<Answers>::new(), Share::NONE);
        for chance in &chances.ends {
            let Ok(server) = &chance.end else {
                nobody = nobody.and(chance.share);
                continue;
            };
            let (name, expected) = (name_of(server), expected(chance.share));
            answers.push(Answers { name, count: 0, expected, trace: None });
        }
        let lost_expected = expected(nobody).filter(|_| nobody != Share::NONE);
        Burst { url, plan, answers, losses: Vec::new(), lost: 0, lost_expected }
    }

    fn count(&mut self, outcome: &Outcome, trace: Option<&Arc<PacketTrace>>) {
        let name = match outcome {
            Outcome::Answered { server, .. } => name_of(server),
            Outcome::Failed(_) => {
                self.lose(outcome, trace);
                return;
            }
        };
        let known = self.answers.iter().position(|one| one.name == name);
        let place = known.unwrap_or_else(|| {
            let expected = None;
            self.answers.push(Answers { name, count: 0, expected, trace: None });
            self.answers.len() - 1
        });
        if let Some(one) = self.answers.get_mut(place) {
            one.count += 1;
            if one.trace.is_none() {
                one.trace = trace.cloned();
            }
        }
    }

    fn lose(&mut self, outcome: &Outcome, trace: Option<&Arc<PacketTrace>>) {
        self.lost += 1;
        let same = |loss: &&mut Loss| match (&loss.trace.outcome, outcome) {
            (Outcome::Failed(a), Outcome::Failed(b)) => a.cause == b.cause,
            _ => false,
        };
        match (self.losses.iter_mut().find(same), trace) {
            (Some(loss), _) => loss.count += 1,
            (None, Some(trace)) => self.losses.push(Loss { count: 1, trace: trace.clone() }),
            (None, None) => {}
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

/// Sends many requests to where the page aims, to be counted; the first that was lost, or else the
/// last, can be followed.
pub(super) fn burst(model: &mut Model) {
    let Some(request) = aim::request(model) else { return };
    let plan = model.tracer.plan;
    let chances = model.world.chances(&request);
    let mut burst = Burst::of(aim::address(&request), plan, &chances);
    let mut last = None;
    if plan.kept {
        let (first, outcomes) = model.world.send_kept(&request, plan.size);
        for outcome in &outcomes {
            burst.count(outcome, Some(&first));
        }
        last = Some(first);
    } else {
        for _ in 0..plan.size {
            let trace = model.world.send(&request);
            burst.count(&trace.outcome, Some(&trace));
            last = Some(trace);
        }
        model.world.take_trace();
    }
    crate::base::order::sort_by_key(&mut burst.losses, |loss| core::cmp::Reverse(loss.count));
    let shown = burst.losses.first().map(|loss| loss.trace.clone()).or(last);
    model.burst = Some(Rc::new(burst));
    if let Some(trace) = shown {
        model.follow(trace);
        if let Some(journey) = &mut model.journey {
            journey.go_to(0);
        }
    }
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
}
