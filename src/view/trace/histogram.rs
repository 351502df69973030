//! What many requests did: the verdict, bars beside the exact shares or strips of time, and why some
//! were lost.

use super::super::Dispatch;
use super::super::shared::Shared;
use crate::present::sentence_of_loss;
use crate::present::shorten::shorten;
use crate::session::burst::Loss;
use crate::session::{Burst, Msg, TraceMsg};
use crate::text::{Lang, Text};
use crate::world::burst::Remedy;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct HistogramProps {
    pub(super) lang: Lang,
    pub(super) burst: Shared<Burst>,
}

/// How many requests each Pod answered, beside its share, or when.
#[function_component]
pub(super) fn Histogram(props: &HistogramProps) -> Html {
    let HistogramProps { lang, burst } = props;
    let lang = *lang;
    let total = burst.sent;
    let answered = total.saturating_sub(burst.lost);
    let (size, lost) = (&burst.plan.size, &burst.lost);
    let verdict = match (answered, burst.lost) {
        _ if burst.is_running => {
            lang.fill(Text::RollRunning, &[("sent", &total), ("count", size), ("lost", lost)])
        }
        (_, 0) => lang.fill(Text::BurstAll, &[("count", &total)]),
        (0, _) => lang.fill(Text::BurstNone, &[("count", &total)]),
        (answered, lost) => lang.fill(Text::BurstSome, &[("answered", &answered), ("lost", &lost)]),
    };
    let good = (burst.lost == 0 && !burst.is_running).then_some("");
    let bad = (burst.lost > 0).then_some("");
    let is_over_time = burst.span_millis > 0;
    let note = match burst.answers.iter().find_map(|one| one.expected) {
        _ if is_over_time => match &burst.workload {
            Some(workload) => lang.fill(Text::RollNote, &[("workload", workload)]),
            None => lang.t(Text::RollNothing).to_owned(),
        },
        _ if burst.plan.kept => lang.t(Text::BurstKept).to_owned(),
        Some(share) if burst.is_even() && burst.lost_expected.is_none() => {
            lang.fill(Text::HistogramExpected, &[("percent", &percent(lang, share))])
        }
        Some(_) => lang.t(Text::HistogramExpectedVaried).to_owned(),
        None => String::new(),
    };
    html! {
        <section class="histogram" data-time={is_over_time.then_some("")}
            aria-label={lang.fill(Text::HistogramTitle, &[("count", size)])}>
            // While requests are on their way, their count is not read out again and again.
            <p class="outcome" role={(!burst.is_running).then_some("status")} data-good={good} data-bad={bad}>{ verdict }</p>
            <span class="to">{ burst.url.clone() }</span>
            if !note.is_empty() {
                <p class="sub">{ note }</p>
            }
            <Bars {lang} burst={burst.clone()} />
            if !burst.losses.is_empty() {
                <ul class="losses">
                    { for burst.losses.iter().enumerate().map(|(at, loss)| html! {
                        <LossLine {lang} {at} loss={loss.clone()} is_running={burst.is_running} {is_over_time} />
                    }) }
                </ul>
            }
        </section>
    }
}

/// A row for everybody who answered, and one for what was lost.
#[function_component]
fn Bars(props: &HistogramProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let HistogramProps { lang, burst } = props;
    let (lang, total) = (*lang, burst.plan.size);
    let is_over_time = burst.span_millis > 0;
    let most = burst.answers.iter().map(|one| one.count.max(expected(one.expected, total)));
    let most =
        most.chain([burst.lost.max(expected(burst.lost_expected, total)), 1]).max().unwrap_or(1);
    let scale = 100.0 / f64::from(most);
    let row = |name: Html, count: u32, share: Option<u32>, who: Option<usize>| {
        let bar = match is_over_time {
            true => lane(burst, who),
            false => html! {
                <div class="gauge" aria-hidden="true">
                    <i style={format!("width:{:.1}%", f64::from(count) * scale)}></i>
                    if let Some(share) = share {
                        <u style={format!("left:{:.1}%", f64::from(share) / 1e6 * f64::from(total) * scale)}></u>
                    }
                </div>
            },
        };
        html! {
            <tr data-lost={who.is_none().then_some("")}>
                <th scope="row">{ name }</th>
                <td class="bars">{ bar }</td>
                <td class="n">{ count }</td>
                if !is_over_time {
                    <td class="n share">{ share.map(|share| percent(lang, share) + " %") }</td>
                }
            </tr>
        }
    };
    html! {
        <table>
            <thead><tr>
                <th scope="col">{ lang.t(Text::HistogramPod) }</th>
                <td>if is_over_time {
                    <span class="axis" aria-hidden="true"><span>{ "0 s" }</span><span>{ format!("{} s", burst.span_millis / 1000) }</span></span>
                }</td>
                <th scope="col" class="n"><span class="unseen">{ lang.t(Text::HistogramCount) }</span></th>
                if !is_over_time {
                    <th scope="col" class="n">{ lang.t(Text::HistogramShare) }</th>
                }
            </tr></thead>
            <tbody>
            { for burst.answers.iter().enumerate().map(|(at, one)| {
                let short = shorten(&one.name, 20);
                let name = match &one.trace {
                    Some(_) if !burst.is_running => html! {
                        <button class="link" title={lang.t(Text::BurstFollow)}
                            onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::FollowAnswered(at)))}>{ short }</button>
                    },
                    _ => html! { { short } },
                };
                row(name, one.count, one.expected, Some(at))
            }) }
            if burst.lost > 0 || burst.lost_expected.is_some() {
                { row(html! { { lang.t(Text::HistogramLost) } }, burst.lost, burst.lost_expected, None) }
            }
            </tbody>
        </table>
    }
}

/// A strip of time with a stroke for each request that this one answered, or nobody.
fn lane(burst: &Burst, who: Option<usize>) -> Html {
    let mut path = String::new();
    let own = burst.strokes.iter().filter(|stroke| stroke.answered == who);
    for stroke in own {
        let x = f64::from(stroke.millis) * LANE / f64::from(burst.span_millis.max(1));
        path.push_str(&format!("M{x:.1} 0V14"));
    }
    html! {
        <svg class="strip" viewBox={format!("0 0 {LANE} 14")} preserveAspectRatio="none" aria-hidden="true">
            <path d={path} />
        </svg>
    }
}

/// The width of a strip of time, before it is stretched.
const LANE: f64 = 600.0;

#[derive(Properties, PartialEq)]
struct LossProps {
    lang: Lang,
    at: usize,
    loss: Loss,
    is_running: bool,
    is_over_time: bool,
}

/// What was lost in one way, why, and what to do about it.
#[function_component]
fn LossLine(props: &LossProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let LossProps { lang, at, loss, is_running, is_over_time } = props;
    let (lang, at) = (*lang, *at);
    let (from, to) = (seconds(lang, loss.millis.0), seconds(lang, loss.millis.1));
    let head = match is_over_time {
        false => lang.fill(Text::BurstLoss, &[("count", &loss.count)]),
        true if from == to => {
            lang.fill(Text::RollLossAt, &[("count", &loss.count), ("from", &from)])
        }
        true => {
            lang.fill(Text::RollLossSpan, &[("count", &loss.count), ("from", &from), ("to", &to)])
        }
    };
    let why = match loss.remedy {
        Some(remedy) => lang.t(because(remedy)).to_owned(),
        None => sentence_of_loss(&loss.trace, lang),
    };
    html! {
        <li>
            <span><b>{ head }</b>{ " " }{ why }</span>
            if !is_running {
                <span class="deeds">
                    if let (Some(fix), Some(remedy)) = (&loss.fix, loss.remedy) {
                        <button class="primary" title={fix.to_string()}
                            onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::Save(at)))}>
                            { lang.fill(Text::RollFix, &[("field", &remedy.field())]) }
                        </button>
                    }
                    <button class="quiet" onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::FollowLost(at)))}>
                        { lang.t(Text::BurstFollow) }
                    </button>
                </span>
            }
        </li>
    }
}

/// Why requests were lost that a setting would have saved.
const fn because(remedy: Remedy) -> Text {
    match remedy {
        Remedy::PreStop => Text::RemedyPreStop,
        Remedy::GracePeriod => Text::RemedyGracePeriod,
        Remedy::ReadinessProbe => Text::RemedyReadinessProbe,
        Remedy::MinReadySeconds => Text::RemedyMinReadySeconds,
        Remedy::MaxUnavailable => Text::RemedyMaxUnavailable,
    }
}

/// Milliseconds as seconds with one digit.
fn seconds(lang: Lang, millis: u32) -> String {
    let point = if lang == Lang::Es { "," } else { "." };
    format!("{}{point}{}", millis / 1000, millis % 1000 / 100)
}

/// How many of `total` a share of a million is.
fn expected(share: Option<u32>, total: u32) -> u32 {
    let all = share.map_or(0, |share| u64::from(share) * u64::from(total) / 1_000_000);
    u32::try_from(all).unwrap_or(u32::MAX)
}

/// Millionths in hundredths, with one digit where it is needed.
fn percent(lang: Lang, millionths: u32) -> String {
    let tenths = (millionths + 500) / 1000;
    let point = if lang == Lang::Es { "," } else { "." };
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        rest => format!("{}{point}{rest}", tenths / 10),
    }
}
