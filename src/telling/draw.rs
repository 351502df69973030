//! Chance as a card: what was drawn, and what else could have come.

use crate::net::rule::{Action, Match, Rule};
use crate::trace::nginx::Pick;
use crate::trace::{BalancerReason, Hop, Place, ProxyReason, Reason};

/// The most possibilities that are shown one by one.
const MOST: usize = 8;

/// A draw of lots to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lots {
    /// Who draws: a chain, a load balancer, the ingress controller.
    pub by: String,
    /// Among how many.
    pub among: usize,
    /// Which one came, from 0.
    pub drawn: usize,
    /// The possibilities; where there are many, the first, and the one that came.
    pub chances: Vec<Chance>,
    /// Whether it is no chance but each in turn.
    pub in_turn: bool,
}

/// One possibility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    /// Its place, from 0.
    pub place: usize,
    /// Where it leads; empty if the trace does not tell.
    pub leads_to: String,
    /// The rule's own odds, `1/3`; empty if there is no such rule.
    pub odds: String,
    /// The lot that was drawn for it and the number of lots, the first of which wins.
    pub lot: Option<(u32, u32)>,
}

impl Lots {
    /// How many possibilities are not shown.
    pub fn hidden(&self) -> usize {
        self.among.saturating_sub(self.chances.len())
    }

    fn shortened(mut self) -> Self {
        let drawn = self.drawn;
        if self.chances.len() > MOST {
            self.chances.retain(|chance| chance.place + 1 < MOST || chance.place == drawn);
        }
        self
    }
}

/// The draws of the hops of a stage.
pub fn lots(hops: &[Hop]) -> Vec<Lots> {
    at_hops(hops).into_iter().map(|(_, lots)| lots).collect()
}

/// The same, with the hop at which each begins, from 0.
pub(super) fn at_hops(hops: &[Hop]) -> Vec<(usize, Lots)> {
    let mut all: Vec<(usize, Lots)> = Vec::new();
    for (at, hop) in hops.iter().enumerate() {
        let after = hops.get(at..).unwrap_or_default();
        let found = match &hop.reason {
            Reason::Balancer(reason) => by_balancer(hop, reason),
            Reason::Schedules { server, among } if *among > 1 => {
                Some(simple("IPVS rr".into(), *among, 0, server.to_string(), true))
            }
            Reason::Proxy(reason) => by_proxy(reason),
            Reason::Rule { .. } => by_rule(hop, after),
            _ => None,
        };
        // The rules of a chain that draw one after the other are one card.
        let is_new = |lots: &Lots| all.last().is_none_or(|(_, last)| last.by != lots.by);
        all.extend(found.filter(is_new).map(|lots| (at, lots)));
    }
    all
}

/// The draw of a load balancer.
fn by_balancer(hop: &Hop, reason: &BalancerReason) -> Option<Lots> {
    match reason {
        BalancerReason::Balances { draw, node, .. } if draw.among > 1 => {
            let by = hop.place.to_string();
            Some(simple(by, draw.among, draw.drawn, node.to_string(), false))
        }
        _ => None,
    }
}

/// The draw of a proxy.
fn by_proxy(reason: &ProxyReason) -> Option<Lots> {
    let ProxyReason::BypassesService { among: among @ 2.., endpoint, pick, .. } = reason else {
        return None;
    };
    let (by, in_turn) = match pick {
        Pick::Turn { .. } => ("ingress-nginx", true),
        Pick::Chance => ("nginx", false),
        Pick::Cookie | Pick::NewCookie => return None,
    };
    Some(simple(by.into(), *among, 0, endpoint.to_string(), in_turn))
}

/// A draw of which only the one that came is known.
fn simple(by: String, among: u32, drawn: u32, leads_to: String, in_turn: bool) -> Lots {
    let place = usize::try_from(drawn).unwrap_or_default();
    let chances = vec![Chance { place, leads_to, odds: String::new(), lot: None }];
    Lots { by, among: usize::try_from(among).unwrap_or_default(), drawn: place, chances, in_turn }
}

/// The draw that begins at a hop: of a chain with one rule for each endpoint, or of a map.
fn by_rule(hop: &Hop, hops: &[Hop]) -> Option<Lots> {
    let (Place::Rule(_, at), Reason::Rule { draw, .. }) = (&hop.place, &hop.reason) else {
        return None;
    };
    let chain = at.chain()?;
    if let (Some(draw), Some(targets)) = (draw, at.rule().and_then(numbered)) {
        let drawn = usize::try_from(draw.drawn).ok()?;
        let chances = targets.into_iter().enumerate().map(|(place, leads_to)| Chance {
            place,
            leads_to,
            odds: String::new(),
            lot: None,
        });
        let (by, among) = (chain.name.to_string(), usize::try_from(draw.among).ok()?);
        let lots = Lots { by, among, drawn, chances: chances.collect(), in_turn: false };
        return (among > 1).then(|| lots.shortened());
    }
    let first = chain.rules.iter().position(|rule| one_in(rule).is_some())?;
    if usize::try_from(at.index).ok()? < first {
        return None;
    }
    // Each rule of the chain that was met, with its lot.
    let met = |place: usize| {
        hops.iter().find_map(|hop| match (&hop.place, &hop.reason) {
            (Place::Rule(_, own), Reason::Rule { matched, draw, .. })
                if own.chain == at.chain && usize::try_from(own.index) == Ok(place) =>
            {
                Some((*matched, *draw))
            }
            _ => None,
        })
    };
    let rules =
        chain.rules.iter().enumerate().skip(first).filter(|(_, rule)| rule.target().is_some());
    let mut drawn = None;
    let mut chances = Vec::new();
    for (place, (index, rule)) in rules.enumerate() {
        let met = met(index);
        if met.is_some_and(|(matched, _)| matched) {
            drawn = Some(place);
        }
        chances.push(Chance {
            place,
            leads_to: endpoint_of(rule),
            odds: one_in(rule).map(|among| format!("1/{among}")).unwrap_or_default(),
            lot: met.and_then(|(_, draw)| draw).map(|draw| (draw.drawn, draw.among)),
        });
    }
    let (by, among) = (chain.name.to_string(), chances.len());
    let lots = Lots { by, among, drawn: drawn?, chances, in_turn: false };
    (among > 1).then(|| lots.shortened())
}

/// One in how many packets a rule takes, if it draws lots.
fn one_in(rule: &Rule) -> Option<u32> {
    rule.matches.iter().find_map(|condition| match condition {
        Match::Chance { among, .. } => Some(*among),
        _ => None,
    })
}

/// The endpoint that kube-proxy's remark names, or the chain that the rule leads to.
fn endpoint_of(rule: &Rule) -> String {
    let remarks = rule.matches.iter().filter_map(|condition| match condition {
        Match::Comment(text) => text.split_once("-> ").map(|(_, endpoint)| endpoint.to_owned()),
        _ => None,
    });
    let named = remarks.into_iter().next();
    named.or_else(|| rule.target().map(ToString::to_string)).unwrap_or_default()
}

/// Where the numbers of `numgen … map` lead.
fn numbered(rule: &Rule) -> Option<Vec<String>> {
    rule.actions.iter().find_map(|action| match action {
        Action::DnatRandom(endpoints) => Some(endpoints.iter().map(ToString::to_string).collect()),
        Action::GotoRandom(chains) => {
            Some(chains.iter().map(|chain| after_last_slash(chain)).collect())
        }
        _ => None,
    })
}

/// `10.244.1.2/80` of `endpoint-…-default/web/tcp/__10.244.1.2/80`.
fn after_last_slash(chain: &str) -> String {
    chain.rsplit_once("__").map_or(chain, |(_, end)| end).replace('/', ":")
}
