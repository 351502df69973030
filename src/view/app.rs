//! The whole page, the one model, and the one clock.

use super::Dispatch;
use super::browser;
use super::editor::Editor;
use super::header::Header;
use super::shown::Shown;
use super::side::Side;
use super::stage::Stage;
use super::tabs::TabBar;
use super::terminal::Console;
use crate::session::{Model, Msg, update};
use crate::text::Text;
use gloo::render::{AnimationFrame, request_animation_frame};
use yew::{Component, Context, ContextProvider, Html, html};

/// The page.
pub(super) struct App {
    model: Model,
    dispatch: Dispatch,
    shown: Shown,
    /// When the last frame was drawn, in milliseconds of the browser's clock.
    last_frame: Option<f64>,
    _frame: AnimationFrame,
    /// Whether the person has asked for nothing to move by itself.
    is_calm: bool,
}

/// What reaches the page.
pub(super) enum AppMsg {
    /// What the person did.
    Did(Msg),
    /// The browser is about to draw, at this moment of its clock in milliseconds.
    Frame(f64),
}

impl Component for App {
    type Message = AppMsg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let model = browser::opening_model();
        App {
            shown: Shown::of(&model),
            model,
            dispatch: ctx.link().callback(AppMsg::Did),
            last_frame: None,
            _frame: next_frame(ctx),
            is_calm: browser::prefers("(prefers-reduced-motion: reduce)"),
        }
    }

    fn update(&mut self, ctx: &Context<Self>, msg: AppMsg) -> bool {
        match msg {
            AppMsg::Did(msg) => {
                for effect in update(&mut self.model, msg) {
                    browser::perform(effect);
                }
                self.shown.refresh(&self.model);
                true
            }
            AppMsg::Frame(now) => {
                let passed = self.last_frame.replace(now).map_or(0.0, |last| now - last);
                self._frame = next_frame(ctx);
                update(&mut self.model, Msg::Tick((passed * 1000.0) as u32));
                self.shown.refresh(&self.model)
            }
        }
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let Model { lang, panel, side, .. } = self.model;
        let model = &self.model;
        let shown = &self.shown;
        html! {
            <ContextProvider<Dispatch> context={self.dispatch.clone()}>
                <div class="app" data-panel={panel.name()} data-embed={model.embedded.then_some("")}>
                    <a class="skip" href="#map">{ lang.t(Text::SkipToMap) }</a>
                    <Header {lang} theme={model.theme} sample={model.sample} playing={model.playing}
                        speed={model.speed} seconds={shown.seconds} />
                    <Stage {lang} theme={model.theme} scene={shown.scene.clone()} now={shown.now} activity={shown.activity}
                        relation={shown.relation.clone()} as_text={model.as_text}
                        selected={model.selected.clone()} aim={shown.aim(model)}
                        story={shown.story.clone()} travel={shown.travel} is_calm={self.is_calm} />
                    <Editor {lang} text={model.source.clone()} faults={model.faults.clone()} applied={model.applied}
                        go_to={model.go_to} />
                    <Console {lang} entries={model.terminal.entries.clone()} input={model.terminal.input.clone()}
                        offers={model.terminal.offers.clone()} is_watching={model.terminal.watch.is_some()} />
                    <Side {lang} {side} events={shown.events.clone()} event_count={shown.event_count}
                        details={shown.details.clone()} is_selected={model.selected.is_some()}
                        followed={shown.followed(model)} />
                    <TabBar {lang} {panel} />
                </div>
            </ContextProvider<Dispatch>>
        }
    }
}

fn next_frame(ctx: &Context<App>) -> AnimationFrame {
    let link = ctx.link().clone();
    request_animation_frame(move |now| link.send_message(AppMsg::Frame(now)))
}
