//! The middle of the page: the map with its tools, or the same as text.

use super::Dispatch;
use super::as_text::AsText;
use super::caption::Caption;
use super::icon::Icon;
use super::legend::Legend;
use super::map::{Map, tools::other_form};
use super::request::{AimProps, RequestBar};
use super::setting_up::Progress;
use super::shared::Shared;
use super::timeline::TimelineBar;
use super::trace::Travel;
use crate::base::SimTime;
use crate::present::scene::Shelf;
use crate::present::{ClusterScene, Relation, Story};
use crate::session::{ObjectId, SettingUp, Speed, Theme};
use crate::text::{Lang, Text};
use crate::world::Activity;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct StageProps {
    pub(super) lang: Lang,
    pub(super) theme: Theme,
    pub(super) scene: Shared<ClusterScene>,
    pub(super) now: SimTime,
    pub(super) activity: Activity,
    pub(super) relation: Option<Shared<Relation>>,
    pub(super) as_text: bool,
    pub(super) selected: Option<ObjectId>,
    pub(super) aim: AimProps,
    /// The moment that is looked at, how many there are, its second, and how fast time runs; none if
    /// not asked for.
    pub(super) timeline: Option<((usize, usize), u64, Speed)>,
    /// How far the cluster is, if it is not there yet.
    pub(super) setting_up: Option<SettingUp>,
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    pub(super) is_calm: bool,
    pub(super) presenting: bool,
}

/// The map with its tools.
#[function_component]
pub(super) fn Stage(props: &StageProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let StageProps { lang, scene, as_text, selected, story, travel, .. } = props;
    let lang = *lang;
    html! {
        <main class="stage" id="map" tabindex="-1">
            <RequestBar {lang} aim={props.aim.clone()} />
            if let Some((place, seconds, speed)) = props.timeline {
                <TimelineBar {lang} {place} {seconds} {speed} />
            }
            if let Some(far) = props.setting_up {
                <Progress {lang} {far} />
            }
            <div class="stage-body">
                if *as_text {
                    <AsText {lang} scene={scene.clone()} />
                    <div class="stage-foot">{ other_form(lang, &dispatch, Text::MapAsPicture, Icon::Map) }</div>
                } else {
                    <Map {lang} scene={scene.clone()} now={props.now} activity={props.activity} selected={selected.clone()}
                        relation={props.relation.clone()} story={story.clone()} travel={*travel} is_calm={props.is_calm} presenting={props.presenting} theme={props.theme} />
                    if props.setting_up.is_none() && scene.own_pod_count == 0 && !scene.shelves.iter().any(has_workloads) {
                        <div class="empty-note"><div>
                            <h2>{ lang.t(Text::EmptyTitle) }</h2>
                            <p>{ lang.t(Text::EmptyText) }</p>
                        </div></div>
                    }
                    <Legend {lang} />
                }
            </div>
            if let (Some(story), Some(travel)) = (story, *travel) {
                <Caption {lang} story={story.clone()} {travel} />
            }
        </main>
    }
}

fn has_workloads(shelf: &Shelf) -> bool {
    !shelf.workloads.is_empty()
}
