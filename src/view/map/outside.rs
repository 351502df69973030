//! The world outside: the client, load balancers, and the frame of the cluster.

use crate::present::scene::{ClusterScene, External, ServiceChip};
use crate::present::shorten::cut;
use crate::present::{Layout, Rect};
use crate::text::{Lang, Text};
use yew::{Html, html};

/// The frame around the cluster.
pub(super) fn frame(layout: &Layout) -> Html {
    let Rect { x, y, w, h } = layout.cluster;
    html! { <rect class="frame" x={x.to_string()} y={y.to_string()} width={w.to_string()} height={h.to_string()} rx="20" /> }
}

/// What is written on the frame, over the streets.
pub(super) fn cluster(lang: Lang, scene: &ClusterScene, layout: &Layout) -> Html {
    let Rect { x, y, w, .. } = layout.cluster;
    let summary = lang
        .fill(Text::ClusterSummary, &[("nodes", &scene.nodes.len()), ("pods", &scene.pod_count())]);
    html! {
        <g class="cluster">
            <text class="name" x={(x + 18.0).to_string()} y={(y + 25.0).to_string()}>{ lang.t(Text::Cluster) }</text>
            <text class="small mute end" x={(x + w - 18.0).to_string()} y={(y + 25.0).to_string()}>{ summary }</text>
        </g>
    }
}

/// The streets before the nodes' doors, and the ways from the client to them.
pub(super) fn streets(layout: &Layout) -> Html {
    let Some(first) = layout.nodes.iter().map(|node| node.street).min_by(f64::total_cmp) else {
        return html! {};
    };
    let client = layout.client.center();
    let mut path = format!("M{} {}V{first}", client.x, layout.client.bottom());
    for (_, rect) in &layout.balancers {
        let middle = rect.center();
        path.push_str(&format!("M{} {}H{}V{first}H{}", client.x, middle.y, middle.x, client.x));
    }
    let mut last = first;
    for node in &layout.nodes {
        let (x, y) = (node.door.x, node.street);
        let from = if y > first { layout.trunk } else { client.x };
        path.push_str(&format!("M{from} {y}H{x}V{}", node.door.y));
        last = last.max(y);
    }
    if last > first {
        path.push_str(&format!("M{} {first}H{}V{last}", client.x, layout.trunk));
    }
    html! { <path class="street" d={path} /> }
}

/// The tray of Pods without a node.
pub(super) fn tray(lang: Lang, layout: &Layout) -> Html {
    let Rect { x, y, w, h } = layout.tray;
    if layout.waiting.is_empty() {
        return html! {};
    }
    html! {
        <g>
            <rect class="tray" x={x.to_string()} y={y.to_string()} width={w.to_string()} height={h.to_string()} rx="12" />
            <text class="small heading" x={(x + 16.0).to_string()} y={(y + 19.0).to_string()}>{ format!("{}: {}", lang.t(Text::Waiting), layout.waiting.len()) }</text>
        </g>
    }
}

/// The client.
pub(super) fn client(lang: Lang, scene: &ClusterScene, layout: &Layout) -> Html {
    let Rect { x, y, w, h } = layout.client;
    html! {
        <g class="client" transform={format!("translate({x} {y})")}>
            <title>{ lang.t(Text::ClientNote) }</title>
            <rect class="body" width={w.to_string()} height={h.to_string()} rx={(h / 2.0).to_string()} />
            <text class="name middle" x={(w / 2.0).to_string()} y="19">{ lang.t(Text::Client) }</text>
            <text class="code mute middle" x={(w / 2.0).to_string()} y="34">{ scene.client.clone() }</text>
        </g>
    }
}

/// The load balancer of a Service.
pub(super) fn balancer(lang: Lang, service: &ServiceChip, rect: Rect) -> Html {
    let (address, class) = match &service.external {
        External::Address(ip) => (ip.as_str(), "code mute middle"),
        _ => (lang.t(Text::ServicePending), "code warn middle"),
    };
    let title = format!("{} {}", lang.t(Text::LoadBalancer), service.id.name);
    html! {
        <g key={format!("lb/{}", service.id.key())} class="balancer" data-pending={matches!(service.external, External::Pending).then_some("")} data-colour={service.colour.to_string()}
            transform={format!("translate({} {})", rect.x, rect.y)}>
            <title>{ lang.t(Text::LoadBalancerNote) }</title>
            <rect class="body" width={rect.w.to_string()} height={rect.h.to_string()} rx="10" />
            <text class="name middle" x={(rect.w / 2.0).to_string()} y="19">{ cut(&title, ((rect.w - 16.0) / 7.0) as usize) }</text>
            <text class={class} x={(rect.w / 2.0).to_string()} y="34">{ address.to_owned() }</text>
        </g>
    }
}
