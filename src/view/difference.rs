//! Two versions of objects, in place of the text.

use super::Dispatch;
use super::icon::{Icon, Picture};
use crate::present::difference::{DiffLine, Difference};
use crate::session::{Compare, Msg};
use crate::text::{Lang, Text};
use yew::{Html, html};

/// The differences, object by object.
pub(super) fn differences(
    lang: Lang,
    which: Compare,
    differences: &[Difference],
    dispatch: &Dispatch,
) -> Html {
    let title = match which {
        Compare::Added => Text::CompareAdded,
        Compare::Change => Text::CompareChange,
    };
    html! {
        <div class="differences">
            <header>
                <h2>{ lang.t(title) }</h2>
                <button class="quiet" onclick={dispatch.reform(|_| Msg::Compare(None))}>
                    <Picture icon={Icon::Back} />{ lang.t(Text::CompareBack) }
                </button>
            </header>
            <div class="scroll" tabindex="0" role="region" aria-label={lang.t(title)}>
                if differences.is_empty() {
                    <p class="nothing">{ lang.t(Text::CompareNone) }</p>
                }
                { for differences.iter().map(|one| html! {
                    <section>
                        <h3>{ one.title.clone() }</h3>
                        <pre>{ for one.lines.iter().map(line) }</pre>
                    </section>
                }) }
            </div>
        </div>
    }
}

fn line(line: &DiffLine) -> Html {
    let text = format!("{} {}\n", line.sign, line.text);
    match line.sign {
        '+' => html! { <ins>{ text }</ins> },
        '-' => html! { <del>{ text }</del> },
        _ => html! { <span>{ text }</span> },
    }
}
