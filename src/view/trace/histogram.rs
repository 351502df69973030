//! What many requests did: the verdict, bars beside the exact shares, and why some were lost.

use super::super::Dispatch;
use crate::present::sentence_of_loss;
use crate::present::shorten::shorten;
use crate::session::{Burst, Msg, TraceMsg};
use crate::text::{Lang, Text};
use std::rc::Rc;
use yew::{Html, Properties, function_component, html, use_context};

#[derive(Properties, PartialEq)]
pub(super) struct HistogramProps {
    pub(super) lang: Lang,
    pub(super) burst: Rc<Burst>,
}

/// How many requests each Pod answered, beside its share.
#[function_component]
pub(super) fn Histogram(props: &HistogramProps) -> Html {
    let dispatch = use_context::<Dispatch>().unwrap_or_default();
    let HistogramProps { lang, burst } = props;
    let lang = *lang;
    let total = burst.plan.size;
    let answered = total.saturating_sub(burst.lost);
    let verdict = match (answered, burst.lost) {
        (_, 0) => lang.fill(Text::BurstAll, &[("count", &total)]),
        (0, _) => lang.fill(Text::BurstNone, &[("count", &total)]),
        (answered, lost) => lang.fill(Text::BurstSome, &[("answered", &answered), ("lost", &lost)]),
    };
    let (good, bad) = ((burst.lost == 0).then_some(""), (burst.lost > 0).then_some(""));
    let note = match burst.answers.iter().find_map(|one| one.expected) {
        _ if burst.plan.kept => lang.t(Text::BurstKept).to_owned(),
        Some(share) if burst.is_even() && burst.lost_expected.is_none() => {
            lang.fill(Text::HistogramExpected, &[("percent", &percent(lang, share))])
        }
        Some(_) => lang.t(Text::HistogramExpectedVaried).to_owned(),
        None => String::new(),
    };
    let most = burst.answers.iter().map(|one| one.count.max(expected(one.expected, total)));
    let most =
        most.chain([burst.lost.max(expected(burst.lost_expected, total)), 1]).max().unwrap_or(1);
    let scale = 100.0 / f64::from(most);
    let bar = |name: Html, count: u32, share: Option<u32>, is_lost: bool| {
        html! {
            <tr data-lost={is_lost.then_some("")}>
                <th scope="row">{ name }</th>
                <td class="bars"><div class="gauge" aria-hidden="true">
                    <i style={format!("width:{:.1}%", f64::from(count) * scale)}></i>
                    if let Some(share) = share {
                        <u style={format!("left:{:.1}%", f64::from(share) / 1e6 * f64::from(total) * scale)}></u>
                    }
                </div></td>
                <td class="n">{ count }</td>
                <td class="n share">{ share.map(|share| percent(lang, share) + " %") }</td>
            </tr>
        }
    };
    html! {
        <section class="histogram" aria-label={lang.fill(Text::HistogramTitle, &[("count", &total)])}>
            <p class="outcome" role="status" data-good={good} data-bad={bad}>{ verdict }</p>
            <span class="to">{ burst.url.clone() }</span>
            if !note.is_empty() {
                <p class="sub">{ note }</p>
            }
            <table>
                <thead><tr>
                    <th scope="col">{ lang.t(Text::HistogramPod) }</th>
                    <td></td>
                    <th scope="col" class="n"><span class="unseen">{ lang.t(Text::HistogramCount) }</span></th>
                    <th scope="col" class="n">{ lang.t(Text::HistogramShare) }</th>
                </tr></thead>
                <tbody>
                { for burst.answers.iter().enumerate().map(|(at, one)| {
                    let short = shorten(&one.name, 20);
                    let name = match &one.trace {
                        Some(_) => html! {
                            <button class="link" title={lang.t(Text::BurstFollow)}
                                onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::FollowAnswered(at)))}>{ short }</button>
                        },
                        None => html! { { short } },
                    };
                    bar(name, one.count, one.expected, false)
                }) }
                if burst.lost > 0 || burst.lost_expected.is_some() {
                    { bar(html! { { lang.t(Text::HistogramLost) } }, burst.lost, burst.lost_expected, true) }
                }
                </tbody>
            </table>
            if !burst.losses.is_empty() {
                <ul class="losses">
                    { for burst.losses.iter().enumerate().map(|(at, loss)| html! {
                        <li>
                            <span><b>{ lang.fill(Text::BurstLoss, &[("count", &loss.count)]) }</b>{ " " }{ sentence_of_loss(&loss.trace, lang) }</span>
                            <button class="quiet" onclick={dispatch.reform(move |_| Msg::Trace(TraceMsg::FollowLost(at)))}>
                                { lang.t(Text::BurstFollow) }
                            </button>
                        </li>
                    }) }
                </ul>
            }
        </section>
    }
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
