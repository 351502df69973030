//! The sentences of ingress controllers and load balancers.

use crate::text::{Lang, Text};
use crate::trace::Cause;
use crate::trace::hop::{Reason, WhyNoRule};
use crate::trace::metallb::WhySilent;
use crate::trace::nginx::{Choice, Pick};
use core::fmt::Display;

/// Why a proxy did what it did.
pub(super) fn reason(reason: &Reason, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match reason {
        Reason::AnswersArp { ip, node, mac, among: count } => {
            let values: [(&str, &dyn Display); 4] =
                [("ip", ip), ("node", node), ("mac", mac), ("count", count)];
            say(Text::HopAnswersArp, &values)
        }
        Reason::AllAnswerArp { ip, node, mac, count } => {
            let values: [(&str, &dyn Display); 4] =
                [("ip", ip), ("node", node), ("mac", mac), ("count", count)];
            say(Text::HopAllAnswerArp, &values)
        }
        Reason::AsksInVain { ip } => say(Text::HopAsksInVain, &[("ip", ip)]),
        Reason::RoutesByBgp { node, draw, .. } => {
            say(Text::HopRoutesByBgp, &[("node", node), ("count", &draw.among)])
        }
        Reason::Rewrites { from, to } => say(Text::HopRewrites, &[("from", from), ("to", to)]),
        Reason::Canary { service, taken, choice } => {
            let text = if *taken { Text::HopCanary } else { Text::HopCanaryNot };
            say(text, &[("service", &service.name), ("why", &self::choice(choice, lang))])
        }
        Reason::BypassesService { endpoint, pick, .. } => match pick {
            Pick::Turn { worker, workers } => {
                let values: [(&str, &dyn Display); 3] =
                    [("endpoint", endpoint), ("worker", worker), ("workers", workers)];
                say(Text::HopPickTurn, &values)
            }
            Pick::Cookie => say(Text::HopPickCookie, &[("endpoint", endpoint)]),
            Pick::NewCookie => say(Text::HopPickNewCookie, &[("endpoint", endpoint)]),
        },
        Reason::Fails { endpoint, seconds: 0, .. } => {
            say(Text::HopFails, &[("endpoint", endpoint)])
        }
        Reason::Fails { endpoint, seconds, .. } => {
            say(Text::HopFailsLate, &[("endpoint", endpoint), ("seconds", seconds)])
        }
        _ => String::new(),
    }
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

/// Why a proxy's answer is no better one.
pub(super) fn cause(cause: &Cause, lang: Lang) -> String {
    let say = |text: Text, values: &[(&str, &dyn Display)]| lang.fill(text, values);
    match cause {
        Cause::NotAnnounced { service, why } => silent(&service.name, why, lang),
        Cause::AnnouncerDown { service, node } => {
            say(Text::CauseAnnouncerDown, &[("service", &service.name), ("node", node)])
        }
        Cause::NoRule { host, path, why } => {
            let (text, ingress) = match &**why {
                WhyNoRule::NoHost => return say(Text::CauseNoRuleHost, &[("host", host)]),
                WhyNoRule::OtherClass(ingress) => (Text::CauseNoRuleClass, ingress),
                WhyNoRule::NoClass(ingress) => (Text::CauseNoRuleNoClass, ingress),
                WhyNoRule::OnlyCanary(ingress) => (Text::CauseNoRuleCanary, ingress),
                WhyNoRule::NoPath(ingress) => (Text::CauseNoRulePath, ingress),
            };
            say(text, &[("ingress", &ingress.name), ("host", host), ("path", path)])
        }
        Cause::NoSuchService { ingress, service } => {
            say(Text::CauseNoSuchService, &[("ingress", &ingress.name), ("service", &service.name)])
        }
        Cause::NoSuchPort { ingress, service, port, offered } => {
            let offered = offered.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            let values: [(&str, &dyn Display); 4] = [
                ("ingress", &ingress.name),
                ("service", &service.name),
                ("port", port),
                ("offered", &offered),
            ];
            say(Text::CauseNoSuchPort, &values)
        }
        Cause::RedirectsToTls(host) => say(Text::CauseRedirectsToTls, &[("host", host)]),
        Cause::NotAllowedBy { ingress, ip } => {
            say(Text::CauseNotAllowedBy, &[("ingress", &ingress.name), ("ip", ip)])
        }
        Cause::WantsPassword(secret) => say(Text::CauseWantsPassword, &[("secret", secret)]),
        _ => String::new(),
    }
}
