//! Services and Ingresses: records of the control plane, not places.

use super::drawing::Marks;
use crate::present::scene::{ClusterScene, External, IngressChip, ServiceChip};
use crate::present::shorten::cut;
use crate::present::{Layout, Point, Rect};
use crate::text::{Lang, Text};
use yew::{Html, html};

/// The headings over the two groups.
pub(super) fn headings(lang: Lang, scene: &ClusterScene, layout: &Layout) -> Html {
    let heading = |at: Point, text: Text| {
        html! { <text class="small heading" x={at.x.to_string()} y={at.y.to_string()}>{ lang.t(text) }</text> }
    };
    html! {
        <>
            if !scene.services.is_empty() {
                { heading(layout.services_label, Text::Services) }
            }
            if !scene.ingresses.is_empty() {
                { heading(layout.ingresses_label, Text::Ingresses) }
            }
        </>
    }
}

/// Draws a Service.
pub(super) fn service(lang: Lang, service: &ServiceChip, rect: Rect, marks: &Marks) -> Html {
    let ports: Vec<String> = service.ports.iter().map(|(port, _)| port.to_string()).collect();
    let address = match service.cluster_ip.as_str() {
        "" => lang.t(Text::Headless).to_owned(),
        ip => format!("{ip}:{}", ports.join(",")),
    };
    let node_port = service.ports.iter().find_map(|(_, node_port)| *node_port);
    let (outer, pending) = match (&service.external, node_port) {
        (External::Address(ip), _) => (ip.clone(), false),
        (External::Pending, _) => (lang.t(Text::ServicePending).to_owned(), true),
        (External::None, Some(port)) => (format!(":{port}"), false),
        (External::None, None) => (String::new(), false),
    };
    let kind_room = rect.w - 20.0 - service.kind.len() as f64 * 6.0;
    html! {
        <g key={service.id.key()} class="item record service" data-key={service.id.key()} data-lit={marks.lit(&service.id)} data-colour={service.colour.to_string()}
            data-empty={service.endpoints.is_empty().then_some("")} role="button"
            tabindex={marks.tabindex(&service.id)} aria-pressed={marks.pressed(&service.id)}
            transform={format!("translate({} {})", rect.x, rect.y)}>
            <title>{ format!("Service {}, {}, {address} {outer}", service.id.name, service.kind) }</title>
            <rect class="body" width={rect.w.to_string()} height={rect.h.to_string()} rx="9" />
            <text class="name" x="12" y="18">{ cut(&service.id.name, (kind_room / 7.4).max(4.0) as usize) }</text>
            <text class="small mute end" x={(rect.w - 10.0).to_string()} y="18">{ service.kind.clone() }</text>
            <text class="code mute" x="12" y="34">{ address }</text>
            <text class={if pending { "code warn" } else { "code" }} x="12" y="50">{ outer }</text>
        </g>
    }
}

/// Draws an Ingress.
pub(super) fn ingress(ingress: &IngressChip, rect: Rect, marks: &Marks) -> Html {
    let most = ((rect.w - 20.0) / 6.7) as usize;
    html! {
        <g key={ingress.id.key()} class="item record ingress" data-key={ingress.id.key()} data-lit={marks.lit(&ingress.id)} role="button"
            tabindex={marks.tabindex(&ingress.id)} aria-pressed={marks.pressed(&ingress.id)}
            transform={format!("translate({} {})", rect.x, rect.y)}>
            <title>{ format!("Ingress {}, {}", ingress.id.name, ingress.rules.join(", ")) }</title>
            <rect class="body" width={rect.w.to_string()} height={rect.h.to_string()} rx="9" />
            <text class="name" x="12" y="18">{ cut(&ingress.id.name, ((rect.w - 24.0) / 7.4) as usize) }</text>
            { for ingress.rules.iter().take(3).enumerate().map(|(at, rule)| html! {
                <text class="code mute" x="12" y={(34.0 + at as f64 * 15.0).to_string()}>{ cut(rule, most) }</text>
            }) }
        </g>
    }
}
