//! Which backend and which endpoint a request is handed on to: canaries, cookies, turns.
//!
//! Models kubernetes/ingress-nginx rootfs/etc/nginx/lua/balancer.lua and balancer/.
//!
//! Simplified: every load-balancing algorithm but cookies is taken for round robin.

use super::annotations::{Affinity, Canary};
use super::md5::md5;
use super::pattern::Pattern;
use super::{Backend, Configuration, Located};
use crate::base::names::fnv64a;
use crate::base::{Map, SimTime};
use crate::net::dice::Dice;
use crate::net::packet::Endpoint;
use crate::store::ObjectKey;
use crate::trace::request::Headers;
use std::sync::Arc;

/// The largest number that a new cookie draws.
const COOKIE_NUMBERS: u32 = 999_999;

/// Where the workers of all controllers are in their turns. A controller has a worker for each CPU,
/// and each worker takes turns of its own, from a random place on.
#[derive(Clone, Debug, Default)]
pub struct Balancers(Map<(ObjectKey, Arc<str>, u32), Turn>);

#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Of which endpoints it is the turn.
    endpoints: u64,
    next: u32,
}

/// Why a request goes to a canary, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A header decided.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A cookie decided.
    Cookie {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// The cookie that keeps clients with their servers decided.
    Affinity,
    /// Chance decided: a number below the weight is the canary's.
    Weight {
        /// The weight.
        weight: u32,
        /// Of how many.
        total: u32,
        /// The number, from 1.
        drawn: u32,
    },
}

/// How an endpoint was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// It was its turn with this worker.
    Turn {
        /// The worker, from 1.
        worker: u32,
        /// How many there are.
        workers: u32,
    },
    /// The client's cookie says so.
    Cookie,
    /// By chance, and the client gets a cookie that says so.
    NewCookie,
    /// By chance.
    Chance,
}

/// The value of a cookie of a request.
pub fn cookie_of<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let cookies = headers.get("Cookie")?.split(';').map(str::trim);
    let mut pairs = cookies.filter_map(|pair| pair.split_once('='));
    pairs.find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// The two parts of an affinity cookie: which endpoint, and of which backend.
fn affinity_of<'a>(headers: &'a Headers, affinity: &Affinity) -> Option<(&'a str, &'a str)> {
    let value = cookie_of(headers, &affinity.name)?;
    Some(value.split_once('|').unwrap_or((value, "")))
}

/// What the cookies of a backend end with.
fn backend_key(name: &str) -> String {
    md5(format!("{}{name}", md5(name.as_bytes())).as_bytes())
}

fn is_affinitized(name: &str, backend: &Backend, headers: &Headers) -> bool {
    let cookie = backend.affinity.as_ref().and_then(|own| affinity_of(headers, own));
    cookie.is_some_and(|(_, key)| key == backend_key(name))
}

impl Configuration {
    /// The canary that a backend has, and whether a request goes there.
    ///
    /// Models route_to_alternative_balancer: the cookie of an earlier answer, then the canary's
    /// header, its cookie, its weight. Only the first canary counts.
    pub fn canary(
        &self,
        name: &str,
        headers: &Headers,
        dice: &mut Dice<'_>,
    ) -> Option<(Arc<str>, bool, Choice)> {
        let backend = self.backends.get(name)?;
        let other = backend.alternatives.first()?;
        let canary = self.backends.get(other).filter(|it| !it.is_empty())?;
        let rules = canary.canary.as_ref()?;
        if is_affinitized(name, backend, headers) {
            return Some((other.clone(), false, Choice::Affinity));
        }
        if is_affinitized(other, canary, headers) {
            return Some((other.clone(), true, Choice::Affinity));
        }
        let (taken, choice) = choose(rules, headers, dice);
        Some((other.clone(), taken, choice))
    }
}

fn choose(rules: &Canary, headers: &Headers, dice: &mut Dice<'_>) -> (bool, Choice) {
    let header = Some(&rules.header).filter(|name| !name.is_empty());
    if let Some((name, value)) = header.and_then(|name| Some((name, headers.get(name)?))) {
        let decided = match () {
            () if !rules.header_value.is_empty() => (rules.header_value == value).then_some(true),
            () if !rules.header_pattern.is_empty() => {
                let pattern = Pattern::new(&rules.header_pattern, false);
                pattern.filter(|pattern| pattern.is_match(value)).map(|_| true)
            }
            () => always_or_never(value),
        };
        if let Some(taken) = decided {
            return (taken, Choice::Header { name: name.clone(), value: value.to_owned() });
        }
    }
    let cookie = Some(&rules.cookie).filter(|name| !name.is_empty());
    if let Some((name, value)) = cookie.and_then(|name| Some((name, cookie_of(headers, name)?)))
        && let Some(taken) = always_or_never(value)
    {
        return (taken, Choice::Cookie { name: name.clone(), value: value.to_owned() });
    }
    let (weight, total) = (rules.weight, rules.total);
    let drawn = dice.lot(weight, total) + 1;
    (drawn <= weight, Choice::Weight { weight, total, drawn })
}

fn always_or_never(value: &str) -> Option<bool> {
    match value {
        "always" => Some(true),
        "never" => Some(false),
        _ => None,
    }
}

impl Backend {
    /// Whether there is nobody to hand requests to.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty() && self.external.is_none()
    }
}

/// A backend at the moment of a request.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its name.
    pub name: &'a Arc<str>,
    /// Its cookie.
    pub affinity: Option<&'a Affinity>,
    /// Its endpoints, at least one.
    pub endpoints: &'a [Endpoint],
}

/// Who hands a request on.
#[derive(Clone, Copy, Debug)]
pub struct Worker<'a> {
    /// The controller's pod.
    pub pod: &'a ObjectKey,
    /// Which of its workers took the request, from 1.
    pub number: u32,
    /// How many there are.
    pub count: u32,
}

impl Balancers {
    /// Picks an endpoint: the one of the client's cookie, or the next in turn. A new cookie's value
    /// is given too. `failed` are those that were tried for this request.
    pub fn pick(
        &mut self,
        worker: Worker<'_>,
        target: Target<'_>,
        headers: &Headers,
        failed: &[Endpoint],
        (now, dice): (SimTime, &mut Dice<'_>),
    ) -> Option<(Endpoint, Pick, Option<String>)> {
        let Some(affinity) = target.affinity else {
            let endpoint = self.turn(worker, target, failed, dice)?;
            let pick = Pick::Turn { worker: worker.number, workers: worker.count };
            return Some((endpoint, pick, None));
        };
        let key = affinity_of(headers, affinity).map(|(key, _)| key);
        let known = key.and_then(|key| find(affinity, target, key));
        let moves_on = affinity.change_on_failure && !failed.is_empty();
        if let Some(endpoint) = known.filter(|_| !moves_on) {
            return Some((endpoint, Pick::Cookie, None));
        }
        let (endpoint, key) = new_cookie(affinity, target, failed, now, dice)?;
        let value = format!("{key}|{}", backend_key(target.name));
        Some((endpoint, Pick::NewCookie, Some(value)))
    }

    fn turn(
        &mut self,
        worker: Worker<'_>,
        target: Target<'_>,
        failed: &[Endpoint],
        dice: &mut Dice<'_>,
    ) -> Option<Endpoint> {
        let count = u32::try_from(target.endpoints.len()).ok()?;
        let hash = target
            .endpoints
            .iter()
            .fold(0, |hash, endpoint| fnv64a(hash, endpoint.to_string().as_bytes()));
        let key = (worker.pod.clone(), target.name.clone(), worker.number);
        let known = self.0.get(&key).filter(|turn| turn.endpoints == hash).map(|turn| turn.next);
        let place = match known {
            // Where a worker goes on after a failure is no chance any more.
            Some(next) if !failed.is_empty() => next,
            Some(next) => dice.turn(count, || next),
            None => dice.below(count),
        };
        let next = place.checked_add(1)?.checked_rem(count)?;
        self.0.insert(key, Turn { endpoints: hash, next });
        target.endpoints.get(usize::try_from(place).ok()?).copied()
    }
}

/// The endpoint that a cookie stands for.
///
/// Simplified: the ring of a balanced cookie is our own; clients move when endpoints come and go,
/// though not the same ones.
fn find(affinity: &Affinity, target: Target<'_>, key: &str) -> Option<Endpoint> {
    let mut all = target.endpoints.iter();
    if affinity.persistent {
        return all.find(|it| persistent_key(target.name, it) == key).copied();
    }
    all.max_by_key(|endpoint| fnv64a(0, format!("{key} {endpoint}").as_bytes())).copied()
}

fn persistent_key(backend: &str, endpoint: &Endpoint) -> String {
    md5(format!("{backend}{endpoint}").as_bytes())
}

fn new_cookie(
    affinity: &Affinity,
    target: Target<'_>,
    failed: &[Endpoint],
    now: SimTime,
    dice: &mut Dice<'_>,
) -> Option<(Endpoint, String)> {
    let fresh: Vec<&Endpoint> = target.endpoints.iter().filter(|it| !failed.contains(it)).collect();
    let left = u32::try_from(fresh.len()).ok()?;
    if affinity.persistent {
        let endpoint = **fresh.get(usize::try_from(dice.below(left)).ok()?)?;
        return Some((endpoint, persistent_key(target.name, &endpoint)));
    }
    // As many tries as upstream makes to find one that has not failed.
    (1..=20).find_map(|attempt| {
        let millis = now.as_micros() / 1000;
        let (seconds, millis) = (millis / 1000 + attempt, millis % 1000);
        let key = format!("{seconds}.{millis:03}.27.{}", dice.any(COOKIE_NUMBERS) + 1);
        let endpoint = find(affinity, target, &key)?;
        let place = u32::try_from(fresh.iter().position(|it| **it == endpoint)?).ok()?;
        // The numbers lead to each endpoint as often as to the others.
        let place = dice.turn(left, || place);
        Some((**fresh.get(usize::try_from(place).ok()?)?, key))
    })
}

/// The header that gives a client its cookie; none if the cookie is not for this host and path.
///
/// Models rootfs/etc/nginx/lua/balancer/sticky.lua set_cookie and should_set_cookie.
pub fn set_cookie(
    (backend, affinity): (&Backend, &Affinity),
    located: &Located<'_>,
    (host, tls): (&str, bool),
    value: &str,
    now: SimTime,
) -> Option<String> {
    let host = if &**located.host == super::CATCH_ALL { super::CATCH_ALL } else { host };
    let path = &located.location.ingress_path;
    let is_for = |(own, own_path): &(Arc<str>, Arc<str>)| {
        own_path == path && (**own == *host || super::locate::host_matches(own, host))
    };
    if !backend.affinity_paths.iter().any(is_for) {
        return None;
    }
    let mut text = format!("{}={value}", affinity.name);
    let mut add = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!("; {name}={value}"));
        }
    };
    let expires = affinity.expires.parse::<i64>().ok().map(|seconds| {
        let seconds = core::time::Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        (now + seconds).rfc1123z().replace("+0000", "GMT")
    });
    add("Expires", expires.as_deref().unwrap_or_default());
    add("Max-Age", &affinity.max_age);
    add("Domain", &affinity.domain);
    add("Path", if affinity.path.is_empty() { path } else { &affinity.path });
    if affinity.secure || tls {
        text.push_str("; Secure");
    }
    text.push_str("; HttpOnly");
    if !affinity.same_site.is_empty() {
        text.push_str(&format!("; SameSite={}", affinity.same_site));
    }
    Some(text)
}
