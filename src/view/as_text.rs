//! The map as text: the same objects, in an outline of headings and lists.

use super::link::Link;
use super::map::node;
use super::shared::Shared;
use crate::present::ClusterScene;
use crate::present::scene::{External, NodeBox, PodChip, ServiceChip};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct AsTextProps {
    pub(super) lang: Lang,
    pub(super) scene: Shared<ClusterScene>,
}

/// The map as text.
#[function_component]
pub(super) fn AsText(props: &AsTextProps) -> Html {
    let AsTextProps { lang, scene } = props;
    let lang = *lang;
    let summary = lang
        .fill(Text::ClusterSummary, &[("nodes", &scene.nodes.len()), ("pods", &scene.pod_count())]);
    html! {
        <div class="astext" role="region" aria-label={lang.t(Text::MapLabel)} tabindex="0">
            <p>{ summary }{ ". " }{ lang.t(Text::Client) }{ ": " }<code>{ scene.client.clone() }</code></p>
            if !scene.services.is_empty() {
                <h2>{ lang.t(Text::Services) }</h2>
                <ul>{ for scene.services.iter().map(|one| service(lang, one)) }</ul>
            }
            if !scene.ingresses.is_empty() {
                <h2>{ lang.t(Text::Ingresses) }</h2>
                <ul>{ for scene.ingresses.iter().map(|one| html! {
                    <li><Link id={one.id.clone()} bare=true />{ ": " }{ one.rules.join(", ") }
                        { ". " }<code>{ one.address.clone() }</code></li>
                }) }</ul>
            }
            if !scene.waiting.is_empty() {
                <h2>{ lang.t(Text::Waiting) }</h2>
                <ul>{ for scene.waiting.iter().map(pod) }</ul>
            }
            { for scene.nodes.iter().map(|one| node_section(lang, one)) }
        </div>
    }
}

fn node_section(lang: Lang, one: &NodeBox) -> Html {
    html! {
        <section>
            <h2><Link id={one.id.clone()} bare=true /></h2>
            <p>
                { lang.t(node::state_text(one)) }{ ", " }<code>{ one.ip.clone() }</code>
                { format!(", CPU {} / {}, ", one.cpu.requested, one.cpu.allocatable) }
                { format!("{} {} / {}", lang.t(Text::NodeMemory), one.memory.requested, one.memory.allocatable) }
            </p>
            <ul>{ for one.pods.iter().map(pod) }</ul>
        </section>
    }
}

fn pod(one: &PodChip) -> Html {
    html! {
        <li><Link id={one.id.clone()} bare=true />{ format!(": {} {} ", one.status, one.ready) }
            <code>{ one.ip.clone() }</code></li>
    }
}

fn service(lang: Lang, one: &ServiceChip) -> Html {
    let ports = one.ports.iter().map(|(port, node_port)| match node_port {
        Some(node_port) => format!("{port}:{node_port}"),
        None => port.to_string(),
    });
    let ports: Vec<String> = ports.collect();
    let external = match &one.external {
        External::None => String::new(),
        External::Pending => format!(", {}", lang.t(Text::ServicePending)),
        External::Address(ip) => format!(", {ip}"),
    };
    let endpoints = match one.endpoints.len() {
        0 => lang.t(Text::ServiceNoEndpoints).to_owned(),
        1 => lang.t(Text::ServiceEndpoint).to_owned(),
        count => lang.fill(Text::ServiceEndpoints, &[("count", &count)]),
    };
    html! {
        <li><Link id={one.id.clone()} bare=true />
            { format!(": {}, {}, {}{external}, {endpoints}", one.kind, one.cluster_ip, ports.join(", ")) }</li>
    }
}
