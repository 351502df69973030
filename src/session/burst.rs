//! Many requests at once, counted: who answered, who was expected to, and why some were lost.

use super::aim;
use super::model::Model;
use crate::net::dice::Share;
use crate::trace::{PacketTrace, Server};
use crate::world::burst;
use core::time::Duration;
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

    fn of(url: String, plan: BurstPlan, counted: burst::Burst) -> Self {
        let burst::Burst { answers, lost, chances, .. } = counted;
        // Over one connection the lots are drawn but once.
        let is_known = !plan.kept && chances.unknown == Share::NONE;
        let expected = |share: Share| is_known.then(|| share.millionths());
        let nobody = chances.ends.iter().filter(|chance| chance.end.is_err());
        let nobody = nobody.fold(Share::NONE, |all, chance| all.and(chance.share));
        let lost_expected = expected(nobody).filter(|_| nobody != Share::NONE);
        let answers = answers.into_iter().map(|one| Answers {
            name: name_of(&one.server),
            count: one.count,
            expected: expected(one.expected),
            trace: one.trace,
        });
        let losses = lost.into_iter().map(|lost| Loss { count: lost.count, trace: lost.trace });
        let (answers, mut losses): (_, Vec<Loss>) = (answers.collect(), losses.collect());
        let lost = losses.iter().map(|loss| loss.count).sum();
        crate::base::order::sort_by_key(&mut losses, |loss| core::cmp::Reverse(loss.count));
        Burst { url, plan, answers, losses, lost, lost_expected }
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
    let keep_alive = u32::from(plan.kept);
    let url = aim::address(&request);
    let sent = burst::Plan { request, count: plan.size, gap: Duration::ZERO, keep_alive };
    let counted = burst::run(&mut model.world, &sent);
    let last = model.world.take_trace();
    let burst = Burst::of(url, plan, counted);
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
