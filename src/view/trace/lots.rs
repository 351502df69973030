//! Chance as a card: a bar cut into its possibilities, and each of them with its lot.

use crate::present::draw::{self, Chance};
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct LotsProps {
    pub(super) lang: Lang,
    pub(super) lots: draw::Lots,
}

/// The most parts that the bar is cut into.
const MOST_PARTS: usize = 24;

/// A draw.
#[function_component]
pub(super) fn Lots(props: &LotsProps) -> Html {
    let LotsProps { lang, lots } = props;
    let title = if lots.in_turn { Text::LotsTurn } else { Text::LotsTitle };
    let (left, width) = (lots.drawn as f64 / lots.among as f64, 1.0 / lots.among as f64);
    html! {
        <figure class="lots">
            <figcaption><b>{ lang.fill(title, &[("count", &lots.among)]) }</b><small>{ lots.by.clone() }</small></figcaption>
            if !lots.in_turn {
                <div class="odds" aria-hidden="true">
                    if lots.among <= MOST_PARTS {
                        { for (0..lots.among).map(|at| html! { <i data-drawn={(at == lots.drawn).then_some("")}></i> }) }
                    } else {
                        <u style={format!("left:{:.2}%;width:max(3px,{:.2}%)", left * 100.0, width * 100.0)}></u>
                    }
                </div>
            }
            <ol>
                { for lots.chances.iter().map(|chance| {
                    let state = match chance.place {
                        place if place == lots.drawn => "drawn",
                        place if place < lots.drawn => "passed",
                        _ => "never",
                    };
                    html! {
                        <li data-state={state}>
                            <code>{ chance.leads_to.clone() }</code>
                            <span>{ lot(*lang, lots, chance) }</span>
                        </li>
                    }
                }) }
                if lots.hidden() > 0 && lots.chances.len() > 1 {
                    <li data-state="never"><span>{ lang.fill(Text::LotsMore, &[("count", &lots.hidden())]) }</span></li>
                }
            </ol>
        </figure>
    }
}

/// What became of a possibility.
fn lot(lang: Lang, lots: &draw::Lots, chance: &Chance) -> String {
    let is_drawn = chance.place == lots.drawn;
    match chance.lot {
        Some((drawn, among)) => {
            let number = u64::from(drawn) + 1;
            lang.fill(Text::LotsRule, &[("count", &among), ("number", &number)])
        }
        None if is_drawn
            && chance.odds.is_empty()
            && lots.chances.iter().any(|one| one.lot.is_some()) =>
        {
            lang.t(Text::LotsRest).to_owned()
        }
        None if is_drawn && lots.in_turn => String::new(),
        None if is_drawn => lang.fill(Text::LotsDrawn, &[("number", &(lots.drawn + 1))]),
        None if chance.place > lots.drawn && !chance.odds.is_empty() => {
            lang.t(Text::LotsNotAsked).to_owned()
        }
        None => String::new(),
    }
}
