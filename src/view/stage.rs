//! The middle of the page: the map with its tools, or the same as text.

use super::Dispatch;
use super::as_text::AsText;
use super::icon::{Icon, Picture};
use super::legend::Legend;
use super::map::Map;
use super::request::{AimProps, RequestBar};
use super::shared::Shared;
use super::trace::Travel;
use crate::present::{ClusterScene, Story};
use crate::session::{Msg, ObjectId};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct StageProps {
    pub(super) lang: Lang,
    pub(super) scene: Shared<ClusterScene>,
    pub(super) as_text: bool,
    pub(super) selected: Option<ObjectId>,
    pub(super) aim: AimProps,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) is_calm: bool,
}

/// The map with its tools.
#[function_component]
pub(super) fn Stage(props: &StageProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let StageProps { lang, scene, as_text, selected, story, travel, .. } = props;
    let lang = *lang;
    let (other, icon) = match *as_text {
        true => (Text::MapAsPicture, Icon::Map),
        false => (Text::MapAsText, Icon::List),
    };
    html! {
        <main class="stage" id="map" tabindex="-1">
            <RequestBar {lang} aim={props.aim.clone()} />
            <div class="stage-body">
                if *as_text {
                    <AsText {lang} scene={scene.clone()} />
                } else {
                    <Map {lang} scene={scene.clone()} selected={selected.clone()}
                        story={story.clone()} travel={*travel} is_calm={props.is_calm} />
                    if scene.pod_count() == 0 && scene.services.is_empty() {
                        <div class="empty-note"><div>
                            <h2>{ lang.t(Text::EmptyTitle) }</h2>
                            <p>{ lang.t(Text::EmptyText) }</p>
                        </div></div>
                    }
                    <Legend {lang} />
                }
                <button class="as-text" title={lang.t(other)} onclick={dispatch.reform(|_| Msg::ToggleAsText)}>
                    <Picture {icon} /><span>{ lang.t(other) }</span>
                </button>
            </div>
        </main>
    }
}
