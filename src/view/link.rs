//! A name that leads to its object.

use super::Dispatch;
use crate::session::{Msg, ObjectId};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct LinkProps {
    pub(super) id: ObjectId,
    /// Whether the kind is known from what stands before.
    #[prop_or_default]
    pub(super) bare: bool,
}

/// The name of an object; brings it into the inspector.
#[function_component]
pub(super) fn Link(props: &LinkProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let id = props.id.clone();
    let onclick = dispatch.reform(move |_| Msg::Select(Some(id.clone())));
    let name = match props.bare {
        true => props.id.name.to_string(),
        false => format!("{}/{}", props.id.kind.resource().singular, props.id.name),
    };
    html! { <button class="link" {onclick}>{ name }</button> }
}
