//! The parts of the control plane, each a lamp that lights up when it writes.

use super::super::shared::Shared;
use super::item::text;
use crate::present::Layout;
use crate::present::Rect;
use crate::text::{Lang, Text};
use crate::world::Activity;
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct LampsProps {
    pub(super) lang: Lang,
    pub(super) layout: Shared<Layout>,
    pub(super) activity: Activity,
}

/// The lamps. Each flashes once when its count has changed, in the order in which an order runs
/// through them: API server, etcd, controllers, scheduler.
#[function_component]
pub(super) fn Lamps(props: &LampsProps) -> Html {
    let LampsProps { lang, layout, activity } = props;
    let lamps = [
        ("API server", activity.writes(), Text::LampServer),
        ("etcd", activity.writes(), Text::LampStore),
        ("scheduler", activity.scheduler, Text::LampScheduler),
        ("controllers", activity.controllers, Text::LampControllers),
    ];
    html! {
        { for lamps.iter().zip(&layout.lamps).map(|((name, count, about), rect)| {
            let Rect { x, y, w, h } = *rect;
            html! {
                <g class="lamp" transform={format!("translate({x:.1} {y:.1})")}>
                    <title>{ format!("{name}: {}", lang.t(*about)) }</title>
                    <rect class="body" width={format!("{w:.1}")} height={format!("{h:.1}")} rx="11" />
                    <circle class="bulb" cx="12" cy="11" r="3.5" />
                    <circle key={count.to_string()} class="flash" data-on={(*count > 0).then_some("")} cx="12" cy="11" r="5" />
                    { text("small", 22.0, 15.0, *name) }
                </g>
            }
        }) }
    }
}
