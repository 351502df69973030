//! Which rule of which route a request comes to.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/nginx/config/servers.go,
//! internal/controller/state/dataplane/sort.go and internal/controller/nginx/modules/src/httpmatches.js:
//! a server for each host, a location for each path, and in a location the matches in the order of
//! their precedence. As there, a request that comes to a location and to none of its matches is
//! answered 404, though a shorter path might take it.

use super::graph::Graph;
use super::hostnames;
use super::listeners::Listener;
use super::routes::Route;
use crate::api::Value;
use crate::api::tree::Tree as _;
use crate::base::order;
use crate::store::ObjectKey;
use crate::trace::nginx::pattern::Pattern;
use crate::trace::request::Request;
use std::sync::Arc;

/// How a path is compared, in the order of nginx' own precedence among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PathType {
    Exact,
    Prefix,
    Regex,
}

/// A location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    pub(super) kind: PathType,
    pub(super) value: &'a str,
}

/// One match of one rule.
#[derive(Clone, Debug)]
struct Entry<'a> {
    host: &'a Arc<str>,
    listener: &'a Listener,
    route: &'a Route,
    rule: usize,
    path: Path<'a>,
    matches: &'a Value,
}

/// The rule that a request came to.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    pub(super) host: &'a Arc<str>,
    pub(super) listener: &'a Listener,
    pub(super) route: &'a Route,
    /// Its place in the route, from 0.
    pub(super) rule: usize,
    pub(super) path: Path<'a>,
}

impl<'a> Found<'a> {
    /// The rule itself.
    pub(super) fn source(&self) -> &'a Value {
        self.route.object.spec().items_at(&["rules"]).get(self.rule).unwrap_or(&Value::Null)
    }
}

/// Where a request came to.
#[derive(Clone, Debug)]
pub(super) enum Located<'a> {
    Found(Found<'a>),
    /// No server has its name: with TLS there is not even a certificate to show.
    NoServer,
    /// No path of its server fits.
    NoPath,
    /// A path fits, but neither method nor headers nor query do.
    NoMatch(&'a Route),
}

static NO_MATCH: Value = Value::Null;

/// Finds the rule for a request that came to a port of a Gateway.
pub(super) fn locate<'a>(
    graph: &'a Graph,
    gateway: &ObjectKey,
    port: u16,
    request: &Request,
) -> Located<'a> {
    let entries = entries(graph, gateway, port);
    let own = graph.gateways.get(gateway).map(|it| it.listeners.as_slice()).unwrap_or_default();
    // A listener with TLS that nothing is attached to, or that is for all hosts, has a server too.
    let bare = own
        .iter()
        .filter(|it| it.port == port && it.is_valid && it.is_tls())
        .filter(|it| it.routes == 0 || it.host.is_empty());
    let names = entries.iter().map(|entry| entry.host).chain(bare.map(|it| &it.host));
    let Some(server) = hostnames::best(names, request.asked_host()) else {
        return Located::NoServer;
    };
    let path = request.path.split('?').next().unwrap_or("/");
    let here: Vec<&Entry<'a>> = entries.iter().filter(|entry| entry.host == server).collect();
    let Some(chosen) = location(&here, path) else { return Located::NoPath };
    let mut here: Vec<&&Entry<'a>> = here.iter().filter(|entry| entry.path == chosen).collect();
    order::sort_by_key(&mut here, |entry| precedence(entry.matches));
    let first = here.first().map(|entry| entry.route);
    match here.into_iter().find(|entry| fits(entry.matches, request)) {
        Some(&&Entry { host, listener, route, rule, path, .. }) => {
            Located::Found(Found { host, listener, route, rule, path })
        }
        None => first.map_or(Located::NoPath, Located::NoMatch),
    }
}

/// All that is attached to the listeners of a port.
fn entries<'a>(graph: &'a Graph, gateway: &ObjectKey, port: u16) -> Vec<Entry<'a>> {
    let mut all = Vec::new();
    let Some(own) = graph.gateways.get(gateway) else { return all };
    for route in &graph.routes {
        let parents = route.parents.iter().filter(|it| it.is_attached && it.gateway == *gateway);
        for (name, hosts) in parents.flat_map(|parent| &parent.hosts) {
            let fits = |it: &&Listener| it.name == *name && it.port == port && it.is_valid;
            let Some(listener) = own.listeners.iter().find(fits) else { continue };
            for host in hosts {
                let rules = route.object.spec().items_at(&["rules"]).iter().enumerate();
                for (rule, source) in rules {
                    let matches = source.items_at(&["matches"]);
                    let matches =
                        if matches.is_empty() { core::slice::from_ref(&NO_MATCH) } else { matches };
                    all.extend(matches.iter().map(|matches| Entry {
                        host,
                        listener,
                        route,
                        rule,
                        path: path_of(matches),
                        matches,
                    }));
                }
            }
        }
    }
    all
}

fn path_of(matches: &Value) -> Path<'_> {
    let kind = match matches.str_at(&["path", "type"]) {
        Some("Exact") => PathType::Exact,
        Some("RegularExpression") => PathType::Regex,
        _ => PathType::Prefix,
    };
    Path { kind, value: matches.str_at(&["path", "value"]).unwrap_or("/") }
}

/// The location that nginx takes: the path itself, a pattern, the longest beginning.
///
/// Models createPath and initializeExternalLocations.
fn location<'a>(entries: &[&Entry<'a>], path: &str) -> Option<Path<'a>> {
    let of =
        |kind: PathType| entries.iter().map(|entry| entry.path).filter(move |it| it.kind == kind);
    let same = of(PathType::Exact).chain(of(PathType::Prefix)).find(|it| it.value == path);
    if let Some(same) = same.filter(|it| it.kind == PathType::Exact || !it.value.ends_with('/')) {
        return Some(same);
    }
    let mut patterns: Vec<Path<'_>> = of(PathType::Regex).collect();
    order::sort_by_key(&mut patterns, |it| (core::cmp::Reverse(it.value.len()), it.value));
    let is_match = |it: &&Path<'_>| {
        let pattern = Pattern::new(&format!("^{}", it.value), false);
        pattern.is_some_and(|pattern| pattern.is_match(path))
    };
    if let Some(found) = patterns.iter().find(is_match) {
        return Some(*found);
    }
    let begins = |it: &Path<'_>| {
        let rest = path.strip_prefix(it.value);
        rest.is_some_and(|rest| it.value.ends_with('/') || rest.starts_with('/'))
    };
    let mut longest: Option<Path<'a>> = None;
    for one in of(PathType::Prefix).filter(begins) {
        if longest.is_none_or(|known| known.value.len() < one.value.len()) {
            longest = Some(one);
        }
    }
    longest
}

/// The rest of the precedence; routes come oldest first, and their rules in their order.
///
/// Models higherPriority.
fn precedence(matches: &Value) -> (bool, core::cmp::Reverse<usize>, core::cmp::Reverse<usize>) {
    let count = |key: &str| core::cmp::Reverse(matches.items_at(&[key]).len());
    (matches.get("method").is_none(), count("headers"), count("queryParams"))
}

/// Whether method, headers and query are as a match wants them.
///
/// Models testMatch.
fn fits(matches: &Value, request: &Request) -> bool {
    let header = |one: &Value| {
        let value = request.headers.get(one.str_at(&["name"]).unwrap_or_default());
        value.is_some_and(|value| value.split(',').any(|value| is_value(one, value)))
    };
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let parameter = |one: &Value| {
        let name = one.str_at(&["name"]).unwrap_or_default();
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let value = pairs.find(|(own, _)| *own == name).map(|(_, value)| value);
        value.is_some_and(|value| !value.is_empty() && is_value(one, value))
    };
    matches.str_at(&["method"]).is_none_or(|method| *request.method == *method)
        && matches.items_at(&["headers"]).iter().all(header)
        && matches.items_at(&["queryParams"]).iter().all(parameter)
}

fn is_value(one: &Value, value: &str) -> bool {
    let wanted = one.str_at(&["value"]).unwrap_or_default();
    match one.str_at(&["type"]) {
        Some("RegularExpression") => {
            Pattern::new(wanted, false).is_some_and(|pattern| pattern.is_match(value))
        }
        _ => value == wanted,
    }
}
