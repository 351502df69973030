//! Services and Ingresses in their lane.

use super::item::{Look, Marks, body, far_name, item, text};
use crate::present::layout::{Arrow, Item};
use crate::present::scene::{External, IngressChip, ServiceChip};
use crate::present::shorten::{cut, shorten};
use crate::present::viewport::Grain;
use crate::present::{Layout, Rect};
use crate::text::{Lang, Text};
use yew::{Html, html};

/// The widths of a character: small, of a name, of code.
const SMALL: f64 = 6.0;
const NAME: f64 = 7.4;
const CODE: f64 = 6.65;
/// Below this height a chip has but a name, and below that not even one.
const TALL: f64 = 40.0;
const NAMED: f64 = 20.0;
/// Above this height a chip is narrow.
const HIGH: f64 = 65.0;
/// The most endpoints that are dots.
const MOST_DOTS: u32 = 8;

/// The lane itself, and what is in it.
pub(super) fn lane(layout: &Layout, marks: &Marks) -> Html {
    let Rect { x, y, w, h } = layout.lane;
    let heading = match marks.scene.ingresses.is_empty() {
        true => marks.lang.t(Text::Services),
        false => marks.lang.t(Text::ServicesAndIngresses),
    };
    html! {
        if h > 0.0 {
            <rect class="lane" x={format!("{x:.1}")} y={format!("{y:.1}")} width={format!("{w:.1}")} height={format!("{h:.1}")} rx="12" />
            if marks.grain != Grain::Far {
                { text("small heading", x + 12.0, y + 16.0, heading) }
            }
        }
    }
}

/// From an Ingress to one of its Services.
pub(super) fn arrow(arrow: &Arrow, marks: &Marks) -> Html {
    let line: Vec<String> =
        arrow.points.iter().map(|point| format!("{:.1} {:.1}", point.x, point.y)).collect();
    let ends = [
        marks.scene.ingresses.get(arrow.ingress).map(|one| &one.id),
        marks.scene.services.get(arrow.service).map(|one| &one.id),
    ];
    let is_chosen = ends.contains(&marks.selected) && marks.selected.is_some();
    html! { <polyline class="arrow" data-lit={is_chosen.then_some("")} points={line.join(" ")} marker-end="url(#arrow)" /> }
}

/// Draws a Service.
pub(super) fn service(service: &ServiceChip, rect: Rect, marks: &Marks) -> Html {
    let lang = marks.lang;
    let outer = match &service.external {
        External::Address(ip) => ip.clone(),
        External::Pending => "<pending>".to_owned(),
        External::None => String::new(),
    };
    let inside = match (marks.grain, rect.h) {
        (_, ..NAMED) => html! {},
        (Grain::Far, _) => far_name(marks, &service.id.name, rect),
        (_, ..TALL) => short(service, rect),
        _ => full(service, rect, &outer, lang),
    };
    let address = address(service, true, lang);
    let behind = endpoints(service, lang);
    let look = Look {
        class: if service.system { "record service system" } else { "record service" },
        colour: Some(service.colour),
        note: (service.endpoints == 0).then_some("empty"),
        title: format!(
            "Service {}, {}, {address}, {behind} {outer}",
            service.id.name, service.kind
        ),
        ..Look::default()
    };
    let rounding = if rect.h < TALL { 7 } else { 9 };
    let inside = html! { <>{ body(rect, rounding) }{ inside }</> };
    item(marks, Item::Object(&service.id), rect, look, inside)
}

/// A name with its namespace, unless that is the usual one.
fn qualified(namespace: &str, name: &str) -> String {
    if namespace == "default" { name.to_owned() } else { format!("{namespace}/{name}") }
}

fn full(service: &ServiceChip, rect: Rect, outer: &str, lang: Lang) -> Html {
    // A narrow chip is higher: there the type has a line of its own.
    let is_high = rect.h > HIGH;
    let kind_w = if is_high { 0.0 } else { service.kind.len() as f64 * SMALL };
    let name = qualified(&service.id.namespace, &service.id.name);
    let name = shorten(&name, ((rect.w - 26.0 - kind_w) / NAME).max(4.0) as usize);
    let line = if is_high { 49.0 } else { 34.0 };
    let most = ((rect.w - 22.0) / CODE) as usize;
    let is_wide = address(service, true, lang).chars().count() <= most;
    let is_pending = service.external == External::Pending;
    let port = service.ports.iter().find_map(|(_, node_port)| *node_port);
    let last = match (is_wide, port) {
        (false, Some(port)) if outer.is_empty() => format!(":{port}"),
        _ => outer.to_owned(),
    };
    html! {
        <>
            { text("name", 11.0, 19.0, name) }
            if is_high {
                { text("small mute", 11.0, 34.0, service.kind.clone()) }
            } else {
                { text("small mute end", rect.w - 10.0, 19.0, service.kind.clone()) }
            }
            { text("code mute", 11.0, line, cut(&address(service, is_wide, lang), most)) }
            { text(if is_pending { "code warn end" } else { "code end" }, rect.w - 10.0, line + 16.0, last.clone()) }
            { behind(service, line + 16.0, rect.w - 22.0 - last.len() as f64 * CODE, lang) }
        </>
    }
}

/// What is behind a Service: a dot for each Pod, hollow while it takes no requests, and in words.
fn behind(service: &ServiceChip, y: f64, room: f64, lang: Lang) -> Html {
    let (taking, all) = (service.endpoints, service.endpoints + service.not_ready);
    let words = endpoints(service, lang);
    let dots = if all > MOST_DOTS { 0 } else { all };
    let used = f64::from(dots) * 9.0 + if dots > 0 { 5.0 } else { 0.0 };
    let fits = used + words.chars().count() as f64 * SMALL <= room;
    let class = if taking == 0 { "small warn" } else { "small mute" };
    html! {
        <>
            { for (0..dots).map(|at| html! {
                <circle class="end-dot" data-ready={(at < taking).to_string()} cx={format!("{:.1}", 15.0 + f64::from(at) * 9.0)} cy={format!("{:.1}", y - 3.5)} r="3" />
            }) }
            if fits || dots == 0 {
                { text(class, 11.0 + used, y, cut(&words, ((room - used) / SMALL).max(3.0) as usize)) }
            }
        </>
    }
}

fn short(service: &ServiceChip, rect: Rect) -> Html {
    let kind_w = service.kind.len() as f64 * SMALL;
    let name = &service.id.name;
    let has_kind = name.len() as f64 * SMALL + kind_w < rect.w - 24.0;
    let room = if has_kind { rect.w - 24.0 - kind_w } else { rect.w - 14.0 };
    html! {
        <>
            { text("small", 9.0, rect.h / 2.0 + 4.0, shorten(name, (room / SMALL) as usize)) }
            if has_kind {
                { text("small mute end", rect.w - 9.0, rect.h / 2.0 + 4.0, service.kind.clone()) }
            }
        </>
    }
}

/// `10.96.44.11:80 → :30080`, or without the node port.
fn address(service: &ServiceChip, with_node_port: bool, lang: Lang) -> String {
    let ports: Vec<String> = service.ports.iter().map(|(port, _)| port.to_string()).collect();
    let address = match service.cluster_ip.as_str() {
        "" => format!("{} :{}", lang.t(Text::Headless), ports.join(",")),
        ip => format!("{ip}:{}", ports.join(",")),
    };
    let node_port = service.ports.iter().find_map(|(_, node_port)| *node_port);
    match node_port.filter(|_| with_node_port) {
        Some(port) => format!("{address} → :{port}"),
        None => address,
    }
}

/// How many endpoints there are, in words.
pub(in crate::view) fn endpoints(service: &ServiceChip, lang: Lang) -> String {
    match service.endpoints {
        0 => lang.t(Text::ServiceNoEndpoints).to_owned(),
        1 => lang.t(Text::ServiceEndpoint).to_owned(),
        count => lang.fill(Text::ServiceEndpoints, &[("count", &count)]),
    }
}

/// Draws an Ingress or a Gateway.
pub(super) fn ingress(ingress: &IngressChip, rect: Rect, marks: &Marks) -> Html {
    let most = ((rect.w - 20.0) / CODE) as usize;
    let name = qualified(&ingress.id.namespace, &ingress.id.name);
    // Rules, with what they do not fit in a line for, then who answers.
    let count = ingress.rules.len();
    let is_high = rect.h > HIGH;
    let lines = if is_high { 3 } else { 2 };
    let shown = if count > lines { lines - 1 } else { count };
    let top = 34.0;
    let last = top + 15.0 * (lines - 1) as f64;
    let whole = format!("{} {}", ingress.class, ingress.address);
    let served = if whole.chars().count() <= most { &whole } else { &ingress.address };
    // A single rule that is too long stands on two lines where there are.
    let mut rules: Vec<String> = ingress.rules.iter().take(shown).cloned().collect();
    if let (true, [rule]) = (is_high, ingress.rules.as_slice())
        && rule.chars().count() > most
        && let Some((from, to)) = rule.split_once(" → ")
    {
        rules = vec![from.to_owned(), format!("→ {to}")];
    }
    let inside = match (marks.grain, rect.h) {
        (_, ..NAMED) => html! {},
        (Grain::Far, _) => far_name(marks, &ingress.id.name, rect),
        (_, ..TALL) => {
            text("small", 9.0, rect.h / 2.0 + 4.0, cut(&name, (rect.w / SMALL) as usize))
        }
        _ => html! {
            <>
                { text("name", 11.0, 19.0, shorten(&name, ((rect.w - 74.0) / NAME) as usize)) }
                { text("small mute end", rect.w - 10.0, 19.0, ingress.id.kind.name()) }
                if count < lines {
                    { text("code mute", 11.0, last, served.trim().to_owned()) }
                }
                { for rules.iter().enumerate().map(|(at, rule)| {
                    text("code", 11.0, top + at as f64 * 15.0, cut(rule, most))
                }) }
                if count > lines {
                    { text("small mute", 11.0, last, marks.lang.fill(Text::More, &[("count", &(count - shown))])) }
                }
            </>
        },
    };
    let look = Look {
        class: "record ingress",
        title: format!(
            "{} {}, {}, {whole}",
            ingress.id.kind.name(),
            ingress.id.name,
            ingress.rules.join(", ")
        ),
        ..Look::default()
    };
    let inside = html! { <>{ body(rect, 9) }{ inside }</> };
    item(marks, Item::Object(&ingress.id), rect, look, inside)
}
