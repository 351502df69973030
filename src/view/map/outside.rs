//! The world outside: the client, load balancers, and the frame of the cluster.

use crate::present::scene::{ClusterScene, External, ServiceChip};
use crate::present::shorten::cut;
use crate::present::{Layout, Rect};
use crate::text::{Lang, Text};
use yew::{Html, html};

/// The frame around the cluster.
pub(super) fn cluster(lang: Lang, scene: &ClusterScene, layout: &Layout) -> Html {
    let Rect { x, y, w, h } = layout.cluster;
    let summary = lang
        .fill(Text::ClusterSummary, &[("nodes", &scene.nodes.len()), ("pods", &scene.pod_count())]);
    html! {
        <g class="cluster">
            <text class="small mute" x={x.to_string()} y="26">{ lang.t(Text::Outside) }</text>
            <rect class="frame" x={x.to_string()} y={y.to_string()} width={w.to_string()} height={h.to_string()} rx="20" />
            <text class="name" x={(x + 18.0).to_string()} y={(y + 25.0).to_string()}>{ lang.t(Text::Cluster) }</text>
            <text class="small mute end" x={(x + w - 18.0).to_string()} y={(y + 25.0).to_string()}>{ summary }</text>
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
        <g key={format!("lb/{}", service.id.key())} class="balancer" data-colour={service.colour.to_string()}
            transform={format!("translate({} {})", rect.x, rect.y)}>
            <title>{ lang.t(Text::LoadBalancerNote) }</title>
            <rect class="body" width={rect.w.to_string()} height={rect.h.to_string()} rx="10" />
            <text class="name middle" x={(rect.w / 2.0).to_string()} y="18">{ cut(&title, ((rect.w - 16.0) / 7.0) as usize) }</text>
            <text class={class} x={(rect.w / 2.0).to_string()} y="33">{ address.to_owned() }</text>
        </g>
    }
}
