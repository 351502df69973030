//! What a hundred requests did: bars, and the same as a table.

use crate::session::Burst;
use crate::text::{Lang, Text};
use std::rc::Rc;
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct HistogramProps {
    pub(super) lang: Lang,
    pub(super) burst: Rc<Burst>,
}

/// How many requests each Pod answered, beside what chance makes expect.
#[function_component]
pub(super) fn Histogram(props: &HistogramProps) -> Html {
    let HistogramProps { lang, burst } = props;
    let lang = *lang;
    let total: u32 = burst.answers.iter().map(|(_, count)| count).sum::<u32>() + burst.lost;
    let most = burst.answers.iter().map(|(_, count)| *count).chain([burst.lost, 1]).max();
    let most = f64::from(most.unwrap_or(1));
    let expected = (burst.endpoints > 0).then(|| f64::from(total) / f64::from(burst.endpoints));
    let scale = 100.0 / most.max(expected.unwrap_or_default());
    let bar = |name: String, count: u32, is_lost: bool| {
        let mark = expected.filter(|_| !is_lost);
        html! {
            <tr data-lost={is_lost.then_some("")}>
                <th scope="row">{ name }</th>
                <td><div class="gauge">
                    <i style={format!("width:{:.1}%", f64::from(count) * scale)}></i>
                    if let Some(mark) = mark {
                        <u style={format!("left:{:.1}%", mark * scale)}></u>
                    }
                </div></td>
                <td class="n">{ count }</td>
            </tr>
        }
    };
    let percent = expected.map(|share| (share / f64::from(total.max(1)) * 100.0).round());
    html! {
        <section class="histogram" aria-label={lang.fill(Text::HistogramTitle, &[("count", &total)])}>
            <h2>{ lang.fill(Text::HistogramTitle, &[("count", &total)]) }</h2>
            if let Some(percent) = percent.filter(|_| burst.lost < total) {
                <p class="sub">{ lang.fill(Text::HistogramExpected, &[("percent", &percent)]) }</p>
            }
            <table>
                { for burst.answers.iter().map(|(name, count)| {
                    bar(crate::present::shorten::shorten(name, 22), *count, false)
                }) }
                if burst.lost > 0 {
                    { bar(lang.t(Text::HistogramLost).to_owned(), burst.lost, true) }
                }
            </table>
        </section>
    }
}
