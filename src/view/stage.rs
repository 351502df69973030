//! The middle of the page: the map with its tools.

use super::Dispatch;
use super::icon::{Icon, Picture};
use super::map::Map;
use crate::present::ClusterScene;
use crate::session::Msg;
use crate::text::{Lang, Text};
use std::rc::Rc;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct StageProps {
    pub(super) lang: Lang,
    pub(super) scene: Rc<ClusterScene>,
    pub(super) as_text: bool,
}

/// The map with its tools.
#[function_component]
pub(super) fn Stage(props: &StageProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let lang = props.lang;
    let (other, icon) = match props.as_text {
        true => (Text::MapAsPicture, Icon::Map),
        false => (Text::MapAsText, Icon::List),
    };
    html! {
        <main class="stage" id="map" tabindex="-1">
            <div class="stage-tools">
                <button class="quiet" onclick={dispatch.reform(|_| Msg::ToggleAsText)}>
                    <Picture {icon} />{ lang.t(other) }
                </button>
            </div>
            <Map {lang} scene={props.scene.clone()} />
        </main>
    }
}
