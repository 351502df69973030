//! One door for every change.

use super::effect::Effect;
use super::model::{Model, Panel, Theme};
use super::msg::Msg;
use super::samples::Sample;

/// Does what `msg` says and answers with what the browser has to do.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::UseLang(lang) => {
            model.lang = lang;
            vec![Effect::UseLang(lang)]
        }
        Msg::ToggleTheme => {
            model.theme = match model.theme {
                Theme::Light => Theme::Dark,
                Theme::Dark => Theme::Light,
            };
            vec![Effect::UseTheme(model.theme)]
        }
        Msg::Show(panel) => {
            model.panel = panel;
            if Panel::SIDE.contains(&panel) {
                model.side = panel;
            }
            Vec::new()
        }
        Msg::Edit(source) => {
            model.source = source;
            Vec::new()
        }
        Msg::PickSample(sample) => restart(model, sample),
        Msg::Reset => restart(model, model.sample),
        Msg::ToggleAsText => {
            model.as_text = !model.as_text;
            Vec::new()
        }
        Msg::TogglePlaying => {
            model.playing = !model.playing;
            Vec::new()
        }
        Msg::SetSpeed(speed) => {
            model.speed = speed;
            Vec::new()
        }
    }
}

fn restart(model: &mut Model, sample: Sample) -> Vec<Effect> {
    model.sample = sample;
    model.source = sample.yaml().into();
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    fn model() -> Model {
        Model::new(Lang::En, Theme::Light, Sample::Web, false)
    }

    #[test]
    fn a_panel_of_the_side_stays_in_front_there_while_others_come_and_go() {
        let mut model = model();
        update(&mut model, Msg::Show(Panel::Events));
        update(&mut model, Msg::Show(Panel::Terminal));
        assert_eq!((model.panel, model.side), (Panel::Terminal, Panel::Events));
    }

    #[test]
    fn reset_puts_the_sample_back_into_the_editor() {
        let mut model = model();
        update(&mut model, Msg::Edit("kind: Pod".into()));
        update(&mut model, Msg::Reset);
        assert_eq!(&*model.source, Sample::Web.yaml());
    }
}
