//! The map as text: the same objects, in an outline of headings and lists.

use super::link::Link;
use super::map::record::endpoints;
use super::shared::Shared;
use crate::present::ClusterScene;
use crate::present::scene::{External, NodeBox, PodChip, ServiceChip, Shelf, WaitingGroup};
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
        .fill(Text::ClusterSummary, &[("nodes", &scene.nodes.len()), ("pods", &scene.pod_count)]);
    html! {
        <div class="astext" role="region" aria-label={lang.t(Text::MapLabel)} tabindex="0">
            <p>{ summary }{ ". " }{ lang.t(Text::Client) }{ ": " }<code>{ scene.client.clone() }</code>{ ". kube-proxy: " }<code>{ scene.proxy_mode }</code></p>
            if let Some(built) = &scene.hand_built {
                <h2>{ lang.t(Text::HandBuilt) }{ " " }<code>{ built.address.clone() }</code></h2>
                <ul>{ for built.lines.iter().map(|(name, to, node)| html! {
                    <li>{ format!("{name}: {to} → {}", node.as_deref().unwrap_or("–")) }</li>
                }) }</ul>
                if !built.unlisted.is_empty() {
                    <p>{ lang.fill(Text::HopHandUnlisted, &[("count", &built.unlisted.join(", "))]) }</p>
                }
            }
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
                { for scene.waiting.iter().map(|group| waiting(lang, group)) }
            }
            { for scene.nodes.iter().map(|one| node_section(lang, one)) }
            <h2>{ lang.t(Text::Shelves) }</h2>
            { for scene.shelves.iter().map(|one| shelf(lang, one)) }
        </div>
    }
}

fn waiting(lang: Lang, group: &WaitingGroup) -> Html {
    let reason = match group.reason.as_str() {
        "" => lang.t(Text::WaitingUnseen),
        reason => reason,
    };
    let hidden = group.count - group.pods.len();
    html! {
        <>
            <h3>{ format!("{} · {reason}", group.count) }</h3>
            <ul>
                { for group.pods.iter().map(pod) }
                if hidden > 0 {
                    <li>{ lang.fill(Text::More, &[("count", &hidden)]) }</li>
                }
            </ul>
        </>
    }
}

fn node_section(lang: Lang, one: &NodeBox) -> Html {
    let unnamed = one.dots.len() - one.pods.len();
    html! {
        <section>
            <h2><Link id={one.id.clone()} bare=true /></h2>
            <p>
                { one.status.clone() }{ ", " }<code>{ one.ip.clone() }</code>
                { format!(", CPU {}, {} {}", one.cpu.text, lang.t(Text::NodeMemory), one.memory.text) }
                if one.cut_since.is_some() {
                    { ". " }{ lang.fill(Text::NodeCut, &[("time", &"")]) }
                }
            </p>
            <ul>{ for one.pods.iter().map(pod) }</ul>
            if unnamed > 0 {
                <p>{ format!("{unnamed} Pods") }</p>
            }
        </section>
    }
}

fn pod(one: &PodChip) -> Html {
    html! {
        <li><Link id={one.id.clone()} bare=true />{ namespace(&one.id.namespace) }{ format!(": {} {} ", one.ready, one.status) }
            <code>{ one.ip.clone() }</code></li>
    }
}

/// The namespace of an object, unless it is the usual one.
fn namespace(name: &str) -> String {
    if name == "default" { String::new() } else { format!(" ({name})") }
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
    let behind = endpoints(one, lang);
    html! {
        <li><Link id={one.id.clone()} bare=true />{ namespace(&one.id.namespace) }
            { format!(": {}, {}, {}{external}, {behind}", one.kind, one.cluster_ip, ports.join(", ")) }</li>
    }
}

fn shelf(lang: Lang, one: &Shelf) -> Html {
    html! {
        <section>
            <h3>
                if let Some(id) = &one.namespace {
                    { "Namespace " }<Link id={id.clone()} bare=true />
                } else {
                    { lang.t(Text::ClusterWide) }
                }
            </h3>
            <ul>
                { for one.workloads.iter().map(|one| html! {
                    <li>{ one.id.kind.name() }{ " " }<Link id={one.id.clone()} bare=true />
                        { format!(": {}/{} {}", one.ready, one.wanted, one.note) }</li>
                }) }
                { for one.records.iter().map(|one| html! {
                    <li>{ one.id.kind.name() }{ " " }<Link id={one.id.clone()} bare=true /></li>
                }) }
            </ul>
        </section>
    }
}
