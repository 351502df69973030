//! The sentences of ingress controllers and load balancers.

use crate::text::{Lang, Text};
use crate::trace::hop::{BalancerCause, ProxyCause, Spread, WhyNoRoute, WhyNoRule};
use crate::trace::metallb::WhySilent;
use crate::trace::nginx::{Choice, Pick};
use crate::trace::{BalancerReason, Cause, ProxyReason};
use core::fmt::Display;

/// What a load balancer did, or the router.
pub(super) fn balancer(reason: &BalancerReason, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match reason {
        BalancerReason::Balances { node, draw, spread, .. } => {
            let text = match spread {
                Spread::HealthyNodes => Text::HopBalances,
                Spread::NodesWithEndpoints { .. } => Text::HopBalancesLocal,
            };
            say(text, &[("node", node), ("count", &draw.among)])
        }
        BalancerReason::AnswersArp { ip, node, mac, among: count } => {
            let values: [(&str, &dyn Display); 4] =
                [("ip", ip), ("node", node), ("mac", mac), ("count", count)];
            say(Text::HopAnswersArp, &values)
        }
        BalancerReason::AllAnswerArp { ip, node, mac, count } => {
            let values: [(&str, &dyn Display); 4] =
                [("ip", ip), ("node", node), ("mac", mac), ("count", count)];
            say(Text::HopAllAnswerArp, &values)
        }
        BalancerReason::AsksInVain { ip } => say(Text::HopAsksInVain, &[("ip", ip)]),
        BalancerReason::RoutesByBgp { node, draw, .. } => {
            say(Text::HopRoutesByBgp, &[("node", node), ("count", &draw.among)])
        }
        BalancerReason::HandBalances { server, to, among, down, unlisted } => {
            let values: [(&str, &dyn Display); 3] =
                [("server", server), ("to", to), ("count", among)];
            let mut text = say(Text::HopHandBalances, &values);
            if *down > 0 {
                text += &format!(" {}", say(Text::HopHandDown, &[("count", down)]));
            }
            if *unlisted > 0 {
                text += &format!(" {}", say(Text::HopHandUnlisted, &[("count", unlisted)]));
            }
            text
        }
        BalancerReason::HandFails { server, to, seconds: 0, .. } => {
            say(Text::HopHandFails, &[("server", server), ("to", to)])
        }
        BalancerReason::HandFails { server, to, seconds, .. } => {
            let values: [(&str, &dyn Display); 3] =
                [("server", server), ("to", to), ("seconds", seconds)];
            say(Text::HopHandFailsLate, &values)
        }
    }
}

/// What a proxy did.
pub(super) fn proxy(reason: &ProxyReason, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match reason {
        ProxyReason::IngressRule { ingress: Some(ingress), host, path, backend } => {
            let rule = format!("{}{path}", any_host(host));
            let to = backend.as_ref().map(|(service, port)| format!("{}:{port}", service.name));
            let to = to.unwrap_or_default();
            let values: [(&str, &dyn Display); 3] =
                [("ingress", &ingress.name), ("rule", &rule), ("service", &to)];
            say(Text::HopIngress, &values)
        }
        ProxyReason::IngressRule { ingress: None, .. } => say(Text::HopIngressNone, &[]),
        ProxyReason::Rewrites { by, from, to } => {
            say(Text::HopRewrites, &[("by", by), ("from", from), ("to", to)])
        }
        ProxyReason::Canary { service, taken, choice } => {
            let text = if *taken { Text::HopCanary } else { Text::HopCanaryNot };
            say(text, &[("service", &service.name), ("why", &self::choice(choice, lang))])
        }
        ProxyReason::BypassesService { endpoint, pick, .. } => match pick {
            Pick::Turn { worker, workers } => {
                let values: [(&str, &dyn Display); 3] =
                    [("endpoint", endpoint), ("worker", worker), ("workers", workers)];
                say(Text::HopPickTurn, &values)
            }
            Pick::Chance => say(Text::HopPickChance, &[("endpoint", endpoint)]),
            Pick::Cookie => say(Text::HopPickCookie, &[("endpoint", endpoint)]),
            Pick::NewCookie => say(Text::HopPickNewCookie, &[("endpoint", endpoint)]),
        },
        ProxyReason::Fails { endpoint, seconds: 0, .. } => {
            say(Text::HopFails, &[("endpoint", endpoint)])
        }
        ProxyReason::Fails { endpoint, seconds, .. } => {
            say(Text::HopFailsLate, &[("endpoint", endpoint), ("seconds", seconds)])
        }
        ProxyReason::HttpRoute { gateway, route: None, host, .. } => {
            say(Text::HopRouteNone, &[("gateway", &gateway.name), ("host", host)])
        }
        ProxyReason::HttpRoute { listener, route: Some(route), rule, host, path, .. } => {
            let place = format!("{}{path}", any_host(host));
            let values: [(&str, &dyn Display); 4] =
                [("listener", listener), ("route", &route.name), ("rule", rule), ("place", &place)];
            say(Text::HopHttpRoute, &values)
        }
        ProxyReason::Weighs { service, weight, total } => {
            let values: [(&str, &dyn Display); 3] =
                [("service", &service.name), ("weight", weight), ("total", total)];
            say(Text::HopWeighs, &values)
        }
        ProxyReason::ChangesHeaders { changes } => {
            say(Text::HopChangesHeaders, &[("changes", changes)])
        }
    }
}

/// The host of a rule, `*` where it takes any.
fn any_host(host: &str) -> &str {
    if host.is_empty() { "*" } else { host }
}

fn choice(choice: &Choice, lang: Lang) -> String {
    match choice {
        Choice::Header { name, value } => {
            lang.fill(Text::ChoiceHeader, &[("name", name), ("value", value)])
        }
        Choice::Cookie { name, value } => {
            lang.fill(Text::ChoiceCookie, &[("name", name), ("value", value)])
        }
        Choice::Affinity => lang.t(Text::ChoiceAffinity).to_owned(),
        Choice::Weight { weight, total, drawn } => {
            lang.fill(Text::ChoiceWeight, &[("weight", weight), ("total", total), ("drawn", drawn)])
        }
    }
}

fn silent(service: &str, why: &WhySilent, lang: Lang) -> String {
    let (text, other): (Text, (&str, &dyn Display)) = match why {
        WhySilent::NoAdvertisement { pool } => (Text::CauseNoAdvertisement, ("pool", pool)),
        WhySilent::NoEndpoints => (Text::CauseSilentNoEndpoints, ("", &"")),
        WhySilent::NoLocalEndpoints => (Text::CauseSilentNoLocal, ("", &"")),
        WhySilent::NoSpeaker => (Text::CauseNoSpeaker, ("", &"")),
        WhySilent::NoSession { peer: None } => (Text::CauseNoSession, ("", &"")),
        WhySilent::NoSession { peer: Some((peer, _)) } => (Text::CausePeerMismatch, ("peer", peer)),
        WhySilent::OtherNetwork => (Text::CauseOtherNetwork, ("", &"")),
    };
    lang.fill(text, &[("service", &service), other])
}

/// What is wrong with a line of a load balancer that people built, and what to do.
fn by_hand(server: &str, to: &str, cause: &Cause, lang: Lang) -> String {
    let why = super::sentence::cause(cause, lang);
    let remedy = match cause {
        Cause::NodeDown(_) => Text::RemedyHandNode,
        Cause::NotANodePort { .. } => Text::RemedyHandPort,
        Cause::NoSuchAddress(_) => Text::RemedyHandAddress,
        _ => Text::RemedyHandOther,
    };
    let values: [(&str, &dyn Display); 4] =
        [("server", &server), ("to", &to), ("why", &why), ("remedy", &lang.t(remedy))];
    lang.fill(Text::CauseByHand, &values)
}

/// Why a load balancer knows no way.
pub(super) fn balancer_cause(cause: &BalancerCause, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match cause {
        BalancerCause::NotAnnounced { service, why } => silent(&service.name, why, lang),
        BalancerCause::AnnouncerDown { service, node } => {
            say(Text::CauseAnnouncerDown, &[("service", &service.name), ("node", node)])
        }
        BalancerCause::ByHand { server, to, cause } => {
            by_hand(server, &to.to_string(), cause, lang)
        }
        BalancerCause::AllDown { count } => say(Text::CauseAllDown, &[("count", count)]),
        BalancerCause::NoFrontend { offered, port } => {
            let offered = offered.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            say(Text::CauseNoFrontend, &[("port", port), ("offered", &offered)])
        }
    }
}

/// Why a proxy's answer is no better one.
pub(super) fn proxy_cause(cause: &ProxyCause, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match cause {
        ProxyCause::NoRule { host, path, why } => {
            let (text, ingress) = match &**why {
                WhyNoRule::NoHost => return say(Text::CauseNoRuleHost, &[("host", host)]),
                WhyNoRule::OtherClass(ingress) => (Text::CauseNoRuleClass, ingress),
                WhyNoRule::NoClass(ingress) => (Text::CauseNoRuleNoClass, ingress),
                WhyNoRule::OnlyCanary(ingress) => (Text::CauseNoRuleCanary, ingress),
                WhyNoRule::NoPath(ingress) => (Text::CauseNoRulePath, ingress),
            };
            say(text, &[("ingress", &ingress.name), ("host", host), ("path", path)])
        }
        ProxyCause::NoSuchService { ingress, service } => {
            say(Text::CauseNoSuchService, &[("ingress", &ingress.name), ("service", &service.name)])
        }
        ProxyCause::NoSuchPort { ingress, service, port, offered } => {
            let offered = offered.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            let values: [(&str, &dyn Display); 4] = [
                ("ingress", &ingress.name),
                ("service", &service.name),
                ("port", port),
                ("offered", &offered),
            ];
            say(Text::CauseNoSuchPort, &values)
        }
        ProxyCause::NoRoute { gateway, host, path, why } => {
            let (text, route, message): (Text, &str, &str) = match &**why {
                WhyNoRoute::NoHost => (Text::CauseNoRouteHost, "", ""),
                WhyNoRoute::OtherGateway(key) => (Text::CauseNoRouteGateway, &key.name, ""),
                WhyNoRoute::Refused(key, why) => (Text::CauseNoRouteRefused, &key.name, why),
                WhyNoRoute::NoPath(key) => (Text::CauseNoRoutePath, &key.name, ""),
                WhyNoRoute::NoMatch(key) => (Text::CauseNoRouteMatch, &key.name, ""),
            };
            let values: [(&str, &dyn Display); 5] = [
                ("gateway", &gateway.name),
                ("host", host),
                ("path", path),
                ("route", &route),
                ("message", &message),
            ];
            say(text, &values)
        }
        ProxyCause::NoBackend { route, message } => {
            let text = match message.is_empty() {
                true => Text::CauseNoWeight,
                false => Text::CauseNoBackend,
            };
            say(text, &[("route", &route.name), ("message", message)])
        }
        ProxyCause::NoListener { gateway, listener, message } => {
            let values: [(&str, &dyn Display); 3] =
                [("gateway", &gateway.name), ("listener", listener), ("message", message)];
            say(Text::CauseNoListener, &values)
        }
        ProxyCause::NoCertificate { ingress, secret } => {
            say(Text::CauseNoCertificate, &[("ingress", &ingress.name), ("secret", secret)])
        }
        ProxyCause::NoTlsName { gateway, host } => {
            say(Text::CauseNoTlsName, &[("gateway", &gateway.name), ("host", host)])
        }
        ProxyCause::RedirectsToTls(host) => say(Text::CauseRedirectsToTls, &[("host", host)]),
        ProxyCause::NotAllowedBy { ingress, ip } => {
            say(Text::CauseNotAllowedBy, &[("ingress", &ingress.name), ("ip", ip)])
        }
        ProxyCause::WantsPassword(secret) => say(Text::CauseWantsPassword, &[("secret", secret)]),
    }
}
