//! The trace panel: how a request ended, its chapters and rules, and what a burst of them did.
//!
//! Reading order: `verdict.rs`, `controls.rs`, `card.rs`, `chapters.rs` with `rules.rs` and
//! `lots.rs`, `tree.rs`, `compare.rs`, `table.rs`, `histogram.rs`.

mod card;
mod chapters;
mod compare;
mod controls;
mod histogram;
mod lots;
mod rules;
mod table;
mod tree;
mod verdict;

use super::Dispatch;
use super::icon::{Icon, Picture};
use super::shared::Shared;
use crate::present::Story;
use crate::present::comparison::Comparison;
use crate::present::rule_tree::RuleTree;
use crate::session::compare::Change;
use crate::session::{Burst, Msg, TraceMsg, TraceView};
use crate::text::{Lang, Text};
use card::Card;
use chapters::Chapters;
use compare::Beside;
use controls::Controls;
use histogram::Histogram;
use std::collections::BTreeSet;
use std::sync::Arc;
use table::Table;
use tree::Tree;
use verdict::Verdict;
use yew::{Callback, Html, Properties, function_component, html, use_context};

/// Where a journey is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Travel {
    /// The hop, from 0.
    pub(super) hop: usize,
    /// The chapter, from 0.
    pub(super) stage: usize,
    /// How far the packet is on its way there, in thousandths.
    pub(super) progress: u32,
    /// Whether it goes on by itself.
    pub(super) playing: bool,
    /// Whether it goes slowly.
    pub(super) is_slow: bool,
    /// Whether it begins again after the end.
    pub(super) loops: bool,
    /// Whether it is kept in sight.
    pub(super) follows: bool,
    /// Whether the rules of the chapter are open.
    pub(super) is_open: bool,
}

/// A request that is followed, as the panel shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Followed {
    pub(super) story: Option<Shared<Story>>,
    pub(super) travel: Option<Travel>,
    /// The chapters whose rules are open.
    pub(super) opened: Arc<BTreeSet<usize>>,
    /// The command that would mend what stopped it.
    pub(super) remedy: Option<Arc<str>>,
    pub(super) view: TraceView,
    /// What else could be set.
    pub(super) changes: Arc<[Change]>,
    pub(super) tree: Option<Shared<RuleTree>>,
    pub(super) nodes: Shared<Vec<Arc<str>>>,
    /// What is looked for in the rules.
    pub(super) sought: String,
    pub(super) comparison: Option<Shared<Comparison>>,
    pub(super) burst: Option<Shared<Burst>>,
}

#[derive(Properties, PartialEq)]
pub(super) struct TraceProps {
    pub(super) lang: Lang,
    pub(super) followed: Followed,
}

/// The trace.
#[function_component]
pub(super) fn Trace(props: &TraceProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let TraceProps { lang, followed } = props;
    let (lang, it) = (*lang, followed);
    let (Some(story), Some(travel)) = (&it.story, it.travel) else {
        if let Some(burst) = &it.burst {
            return html! { <div class="trace"><Histogram {lang} burst={burst.clone()} /></div> };
        }
        return html! {
            <div class="nothing">
                <h2>{ lang.t(Text::TraceEmptyTitle) }</h2>
                <p>{ lang.t(Text::TraceEmptyText) }</p>
                <button class="start" onclick={dispatch.reform(|_| Msg::Send)}>
                    <Picture icon={Icon::Send} />{ lang.t(Text::RequestSend) }
                </button>
            </div>
        };
    };
    // Who scrolls by hand wants to look elsewhere.
    let tell = dispatch.clone();
    let leave = Callback::from(move |()| {
        if travel.playing && travel.follows {
            tell.emit(Msg::Trace(TraceMsg::Follow(false)));
        }
    });
    html! {
        <div class="trace" onwheel={leave.reform(|_| ())} ontouchmove={leave.reform(|_| ())}>
            if let Some(burst) = &it.burst {
                <Histogram {lang} burst={burst.clone()} />
            }
            <Verdict {lang} story={story.clone()} remedy={it.remedy.clone()} />
            if it.burst.as_ref().is_none_or(|burst| burst.span_millis == 0) {
                <button class="quiet roll" title={lang.t(Text::RollHint)} onclick={dispatch.reform(|_| Msg::Roll)}>
                    <Picture icon={Icon::Roll} />{ lang.t(Text::RollQuestion) }
                </button>
            }
            <div class="dock">
                <Controls {lang} {travel} count={story.chapters.len()} />
                <Card {lang} story={story.clone()} hop={travel.hop} />
            </div>
            <Views {lang} view={it.view} />
            { match it.view {
                TraceView::Story => html! {
                    <Chapters {lang} story={story.clone()} {travel} opened={it.opened.clone()} />
                },
                TraceView::Rules => html! {
                    if let Some(tree) = &it.tree {
                        <Tree {lang} tree={tree.clone()} nodes={it.nodes.clone()} sought={it.sought.clone()} />
                    }
                },
                TraceView::Compare => html! {
                    <Beside {lang} changes={it.changes.clone()} comparison={it.comparison.clone()} />
                },
                TraceView::Table => html! {
                    <Table {lang} story={story.clone()} hop={travel.hop} />
                },
            } }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ViewsProps {
    lang: Lang,
    view: TraceView,
}

/// The ways to look at a request.
#[function_component]
fn Views(props: &ViewsProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let ViewsProps { lang, view } = *props;
    html! {
        <div class="views" role="group" aria-label={lang.t(Text::TraceViews)}>
            { for TraceView::ALL.into_iter().map(|one| html! {
                <button class="quiet" aria-pressed={(one == view).to_string()}
                    onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::View(one)))}>{ lang.t(one.title()) }</button>
            }) }
        </div>
    }
}
