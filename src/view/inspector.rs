//! One object at length.

use super::Dispatch;
use super::events::short_events;
use super::icon::{Icon, Picture};
use super::link::Link;
use super::shared::Shared;
use crate::present::Details;
use crate::present::details::{Action, FactValue, Reason};
use crate::session::Msg;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct InspectorProps {
    pub(super) lang: Lang,
    pub(super) details: Option<Shared<Details>>,
    /// Whether an object was chosen; if it has no details it is gone.
    pub(super) is_selected: bool,
}

/// The inspector.
#[function_component]
pub(super) fn Inspector(props: &InspectorProps) -> Html {
    let lang = props.lang;
    let Some(details) = &props.details else {
        let (title, text) = match props.is_selected {
            true => (Text::InspectorGone, Text::InspectorEmptyText),
            false => (Text::InspectorEmptyTitle, Text::InspectorEmptyText),
        };
        return html! {
            <div class="nothing"><h2>{ lang.t(title) }</h2><p>{ lang.t(text) }</p></div>
        };
    };
    html! {
        <div class="inspector">
            <header>
                <span class="kind">{ details.id.kind.name() }</span>
                <h2>{ details.id.name.to_string() }</h2>
                <p class="about">{ lang.t(details.about) }</p>
            </header>
            <Buttons {lang} actions={details.actions.clone()} />
            <dl class="facts">
                { for details.facts.iter().map(|fact| html! {
                    <><dt>{ fact.name }</dt>{ value(&fact.value) }</>
                }) }
            </dl>
            <section>
                <h3>{ lang.t(Text::WhyTitle) }</h3>
                <ol class="why">{ for details.why.iter().map(|reason| why(lang, reason)) }</ol>
            </section>
            if !details.events.is_empty() {
                <section>
                    <h3>{ lang.t(Text::InspectorEvents) }</h3>
                    { short_events(&details.events) }
                </section>
            }
            <details>
                <summary>{ lang.t(Text::InspectorYaml) }</summary>
                <pre class="yaml" tabindex="0">{ details.yaml.clone() }</pre>
            </details>
        </div>
    }
}

fn value(value: &FactValue) -> Html {
    match value {
        FactValue::Words(text) => html! { <dd>{ text.clone() }</dd> },
        FactValue::Code(text) => html! { <dd class="code">{ text.clone() }</dd> },
        FactValue::Links(ids) if ids.is_empty() => html! { <dd>{ "<none>" }</dd> },
        FactValue::Links(ids) => html! {
            <dd>{ for ids.iter().enumerate().map(|(at, id)| html! {
                <>{ if at > 0 { ", " } else { "" } }<Link id={id.clone()} bare=true /></>
            }) }</dd>
        },
    }
}

/// A step of the way here, the object in it a link.
fn why(lang: Lang, reason: &Reason) -> Html {
    let text = lang.fill(reason.text, &[("writer", &reason.writer)]);
    let (before, after) = text.split_once("{object}").unwrap_or((&text, ""));
    html! {
        <li>
            { before.to_owned() }
            if let Some(id) = &reason.object {
                <Link id={id.clone()} />
            }
            { after.to_owned() }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct ButtonsProps {
    lang: Lang,
    actions: Vec<Action>,
}

/// What can be done to the object; each button says the command it stands for.
#[function_component]
fn Buttons(props: &ButtonsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    html! {
        <div class="buttons">
            { for props.actions.iter().map(|action| {
                let line = action.line.clone();
                let icon = match action.text {
                    Text::NodeStop => Some(Icon::Unplug),
                    Text::NodeStart => Some(Icon::Plug),
                    Text::PodKill | Text::ObjectDelete | Text::NodeRemove => Some(Icon::Trash),
                    _ => None,
                };
                html! {
                    <button class={action.is_harsh.then_some("danger")} title={line.clone()}
                        onclick={dispatch.reform(move |_| Msg::Run(line.clone()))}>
                        if let Some(icon) = icon {
                            <Picture {icon} />
                        }
                        { props.lang.t(action.text) }
                    </button>
                }
            }) }
        </div>
    }
}
