//! The bar at the top: name, sample, time, language, theme.

use super::Dispatch;
use super::icon::{Icon, Picture};
use crate::present::chronicle::clock;
use crate::session::{Msg, Sample, Speed, Theme, TimelineMsg};
use crate::text::{Lang, Text};
use web_sys::HtmlSelectElement;
use yew::{Callback, Html, Properties, TargetCast, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct HeaderProps {
    pub(super) lang: Lang,
    pub(super) theme: Theme,
    pub(super) sample: Sample,
    pub(super) playing: bool,
    pub(super) speed: Speed,
    pub(super) seconds: u64,
    /// Whether the timeline is shown.
    pub(super) is_open: bool,
    /// How often an address was copied.
    pub(super) shared: u32,
}

/// The bar at the top.
#[function_component]
pub(super) fn Header(props: &HeaderProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let HeaderProps { lang, theme, sample, playing, speed, seconds, is_open, shared } = *props;
    let (theme_text, theme_icon) = match theme {
        Theme::Light => (Text::ThemeDark, Icon::Moon),
        Theme::Dark => (Text::ThemeLight, Icon::Sun),
    };
    html! {
        <header class="bar">
            <h1 class="brand">
                <svg class="logo" viewBox="0 0 24 24" aria-hidden="true">
                    <path class="logo-back" d="M12 1.5l9.5 5.25v10.5L12 22.5l-9.5-5.25V6.75z" />
                    <path class="logo-wall" d="M12 12l9.5-5.25M12 12v10.5M12 12L2.5 6.75" />
                    <circle class="logo-packet" cx="12" cy="12" r="3.2" />
                </svg>
                <span>{ lang.t(Text::AppName) }</span>
            </h1>
            <p class="tagline">{ lang.t(Text::AppTagline) }</p>
            <div class="spacer"></div>
            <SamplePicker {lang} {sample} />
            <Time {lang} {playing} {speed} {seconds} {is_open} />
            <div class="languages" role="group" aria-label={lang.t(Text::Language)}>
                { for Lang::ALL.into_iter().map(|one| html! {
                    <button class="quiet" lang={one.tag()} aria-pressed={(one == lang).to_string()}
                        title={one.name()}
                        onclick={dispatch.reform(move |_| Msg::UseLang(one))}>
                        { one.tag().to_uppercase() }
                    </button>
                }) }
            </div>
            <button class="quiet square present" title={lang.t(Text::Present)} aria-label={lang.t(Text::Present)}
                onclick={dispatch.reform(|_| Msg::Present(None))}>
                <Picture icon={Icon::Screen} />
            </button>
            <button class="quiet square share" title={lang.t(Text::ShareHint)} aria-label={lang.t(Text::Share)}
                onclick={dispatch.reform(|_| Msg::Share)}>
                <Picture icon={Icon::Share} />
            </button>
            if shared > 0 {
                <span class="toast brief" role="status" key={shared}>{ lang.t(Text::ShareDone) }</span>
            }
            <button class="quiet square" title={lang.t(theme_text)} aria-label={lang.t(theme_text)}
                onclick={dispatch.reform(|_| Msg::ToggleTheme)}>
                <Picture icon={theme_icon} />
            </button>
        </header>
    }
}

#[derive(Properties, PartialEq)]
struct TimeProps {
    lang: Lang,
    playing: bool,
    speed: Speed,
    seconds: u64,
    is_open: bool,
}

/// Virtual time: whether it runs, how fast, and what it is.
#[function_component]
fn Time(props: &TimeProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let TimeProps { lang, playing, speed, seconds, is_open } = *props;
    let (text, icon) = match playing {
        true => (Text::Pause, Icon::Pause),
        false => (Text::Play, Icon::Play),
    };
    html! {
        <div class="time" role="group" aria-label={lang.t(Text::Clock)}>
            <button class="quiet square play" title={lang.t(text)} aria-label={lang.t(text)}
                onclick={dispatch.reform(|_| Msg::TogglePlaying)}>
                <Picture {icon} />
            </button>
            { for speeds(lang, speed, &dispatch) }
            <button class="quiet clock" title={format!("{} · {}", lang.t(Text::Clock), lang.t(Text::Timeline))}
                aria-expanded={is_open.to_string()} onclick={dispatch.reform(|_| Msg::Timeline(TimelineMsg::Toggle))}>
                { clock(seconds) }<span class="unseen">{ lang.t(Text::Timeline) }</span>
            </button>
        </div>
    }
}

/// A button for each speed.
pub(super) fn speeds(lang: Lang, speed: Speed, dispatch: &Dispatch) -> [Html; 4] {
    Speed::ALL.map(|one| {
        html! {
            <button class="quiet speed" aria-pressed={(one == speed).to_string()}
                title={format!("{}: {}×", lang.t(Text::Speed), one.factor())}
                onclick={dispatch.reform(move |_| Msg::SetSpeed(one))}>
                { format!("{}×", one.factor()) }
            </button>
        }
    })
}

#[derive(Properties, PartialEq)]
struct SamplePickerProps {
    lang: Lang,
    sample: Sample,
}

/// The list of samples.
#[function_component]
fn SamplePicker(props: &SamplePickerProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let lang = props.lang;
    let onchange = Callback::from(move |event: yew::Event| {
        let picked = event.target_dyn_into::<HtmlSelectElement>().map(|list| list.value());
        if let Some(sample) = picked.as_deref().and_then(Sample::of_name) {
            dispatch.emit(Msg::PickSample(sample));
        }
    });
    html! {
        <label class="field sample">
            <span class="label">{ lang.t(Text::Sample) }</span>
            <select {onchange}>
                { for Sample::ALL.into_iter().map(|one| html! {
                    <option value={one.name()} selected={one == props.sample}>
                        { lang.t(one.title()) }
                    </option>
                }) }
            </select>
        </label>
    }
}
