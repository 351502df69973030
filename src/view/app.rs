//! The whole page, the one model, and the one clock.

use super::Dispatch;
use super::browser;
use super::editor::Editor;
use super::header::Header;
use super::side::Side;
use super::stage::Stage;
use super::tabs::TabBar;
use crate::present::ClusterScene;
use crate::session::{Model, Msg, update};
use crate::text::Text;
use std::rc::Rc;
use yew::{Component, Context, ContextProvider, Html, html};

/// The page.
pub(super) struct App {
    model: Model,
    dispatch: Dispatch,
    scene: Rc<ClusterScene>,
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        App {
            model: browser::opening_model(),
            dispatch: ctx.link().callback(|msg| msg),
            scene: Rc::default(),
        }
    }

    fn update(&mut self, _: &Context<Self>, msg: Msg) -> bool {
        for effect in update(&mut self.model, msg) {
            browser::perform(effect);
        }
        true
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let Model { lang, panel, side, .. } = self.model;
        let model = &self.model;
        html! {
            <ContextProvider<Dispatch> context={self.dispatch.clone()}>
                <div class="app" data-panel={panel.name()} data-embed={model.embedded.then_some("")}>
                    <a class="skip" href="#map">{ lang.t(Text::SkipToMap) }</a>
                    <Header {lang} theme={model.theme} sample={model.sample} />
                    <Stage {lang} scene={self.scene.clone()} as_text={model.as_text} />
                    <Editor {lang} text={model.source.clone()} />
                    <Side {lang} {side} />
                    <TabBar {lang} {panel} />
                </div>
            </ContextProvider<Dispatch>>
        }
    }
}
