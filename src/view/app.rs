//! The whole page, the one model, and the one clock.

use super::Dispatch;
use super::bridge::complete_model;
use super::browser;
use super::editor::Editor;
use super::header::Header;
use super::icon::{Icon, Picture};
use super::shown::Shown;
use super::side::Side;
use super::split::splitter;
use super::stage::Stage;
use super::tabs::TabBar;
use super::terminal::{Console, Screen};
use crate::present::chronicle::clock;
use crate::session::{Model, Msg, Speed, Split, update};
use crate::text::Text;
use gloo::events::EventListener;
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
    _keys: EventListener,
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
        browser::open_shared(ctx.link().callback(AppMsg::Did));
        App {
            _keys: browser::on_keys(ctx.link().callback(AppMsg::Did)),
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

    fn rendered(&mut self, _: &Context<Self>, is_first: bool) {
        if is_first {
            wasm_bindgen_futures::spawn_local(complete_model());
        }
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let Model { lang, panel, side, panes, .. } = self.model;
        let model = &self.model;
        let shown = &self.shown;
        html! {
            <ContextProvider<Dispatch> context={self.dispatch.clone()}>
                <div class="app" data-panel={panel.name()} data-embed={model.embedded.then_some("")}
                    data-wide={panes.is_wide.then_some("")} data-present={model.presenting.then_some("")} style={panes.style()}>
                    <a class="skip" href="#map">{ lang.t(Text::SkipToMap) }</a>
                    <Header {lang} theme={model.theme} sample={model.sample} playing={model.playing}
                        speed={model.speed} is_open={model.timeline.is_open} seconds={shown.seconds} shared={model.shared} />
                    <Stage {lang} theme={model.theme} scene={shown.scene.clone()} now={shown.now} activity={shown.activity}
                        relation={shown.relation.clone()} as_text={model.as_text}
                        selected={model.selected.clone()} aim={shown.aim(model)} timeline={timeline(model, shown.seconds)} setting_up={shown.setting_up}
                        story={shown.story.clone()} travel={shown.travel} is_calm={self.is_calm} presenting={model.presenting} />
                    <Editor {lang} page={shown.page(model)} />
                    <Console {lang} screen={screen(model)} />
                    <Side {lang} {side} events={shown.events.clone()} event_count={shown.event_count}
                        filter={model.events} details={shown.details.clone()} selected={model.selected.clone()}
                        followed={shown.followed(model)} />
                    <section class="splits" aria-label={lang.t(Text::Splits)}>
                        { for [Split::Editor, Split::Side, Split::Terminal]
                            .map(|split| splitter(lang, split, panes.size(split), &self.dispatch)) }
                    </section>
                    if model.presenting {
                        <button class="square leave" title={lang.t(Text::PresentLeave)} aria-label={lang.t(Text::PresentLeave)}
                            onclick={self.dispatch.reform(|_| Msg::Present(Some(false)))}><Picture icon={Icon::Close} /></button>
                    }
                    if let Some(left) = &model.left {
                        <div class="toast" role="status">
                            <span>{ lang.fill(left.text, &[("time", &clock(shown.seconds))]) }</span>
                            <button onclick={self.dispatch.reform(|_| Msg::Undo)}>{ lang.t(Text::LeftUndo) }</button>
                        </div>
                    }
                    <TabBar {lang} {panel} />
                </div>
            </ContextProvider<Dispatch>>
        }
    }
}

/// Where the timeline stands, if it was asked for.
fn timeline(model: &Model, seconds: u64) -> Option<((usize, usize), u64, Speed)> {
    model.timeline.is_open.then(|| (model.timeline.place(), seconds, model.speed))
}

/// What the terminal shows.
fn screen(model: &Model) -> Screen {
    let terminal = &model.terminal;
    Screen {
        entries: terminal.entries.clone(),
        prompt: model.prompt(),
        input: terminal.input.clone(),
        caret: terminal.caret,
        offers: terminal.offers.clone(),
        queue: terminal.queue.clone(),
        is_busy: model.is_busy(),
        is_wide: model.panes.is_wide,
    }
}

fn next_frame(ctx: &Context<App>) -> AnimationFrame {
    let link = ctx.link().clone();
    request_animation_frame(move |now| link.send_message(AppMsg::Frame(now)))
}
