//! Names of hosts, of listeners and of routes: what they have in common.
//!
//! Models nginx/nginx-gateway-fabric internal/controller/state/graph/route_common.go.

use std::sync::Arc;

/// Stands for every host.
pub(super) const ANY: &str = "";

/// Whether a name stands for another one: itself, or all below what follows its star.
fn covers(pattern: &str, host: &str) -> bool {
    pattern == host
        || pattern
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .is_some_and(|rest| host.strip_suffix(rest).is_some_and(|label| !label.is_empty()))
}

/// The hosts for which a route is reached through a listener; none if they have none in common.
///
/// Models findAcceptedHostnames and GetMoreSpecificHostname.
pub(super) fn accepted<'a>(
    listener: &str,
    route: impl ExactSizeIterator<Item = &'a str>,
) -> Vec<Arc<str>> {
    if route.len() == 0 {
        return vec![Arc::from(listener)];
    }
    let common = |own: &'a str| match () {
        () if listener == ANY || covers(listener, own) => Some(Arc::from(own)),
        () if covers(own, listener) => Some(Arc::from(listener)),
        () => None,
    };
    route.filter_map(common).collect()
}

/// Whether two listeners' names have hosts in common.
///
/// Models haveOverlap.
pub(super) fn overlap(a: &str, b: &str) -> bool {
    a == ANY || b == ANY || covers(a, b) || covers(b, a)
}

/// The name of a server that a host belongs to: its own, the longest with a star, the one for all.
///
/// Models the choice of nginx src/http/ngx_http_request.c ngx_http_find_virtual_server.
pub(super) fn best<'a>(
    names: impl Iterator<Item = &'a Arc<str>>,
    host: &str,
) -> Option<&'a Arc<str>> {
    let host = host.to_ascii_lowercase();
    let rank = |name: &str| match name {
        name if name == host => usize::MAX,
        ANY => 1,
        name if covers(name, &host) => name.len() + 1,
        _ => 0,
    };
    let mut best: Option<(usize, &Arc<str>)> = None;
    for name in names {
        let own = rank(name);
        if own > best.map_or(0, |(known, _)| known) {
            best = Some((own, name));
        }
    }
    best.map(|(_, name)| name)
}
