//! The packet where it is now: its header, and what connection tracking has noted.

use super::super::shared::Shared;
use crate::present::Story;
use crate::text::{Lang, Text};
use yew::{Html, Properties, function_component, html};

#[derive(Properties, PartialEq)]
pub(super) struct CardProps {
    pub(super) lang: Lang,
    pub(super) story: Shared<Story>,
    pub(super) hop: usize,
}

/// The packet.
#[function_component]
pub(super) fn Card(props: &CardProps) -> Html {
    let CardProps { lang, story, hop } = props;
    // Where no packet is told of (names, the end), it is as it was.
    let known = story.hops.get(..=*hop).unwrap_or_default();
    let Some(card) = known.iter().rev().find_map(|hop| hop.card.as_ref()) else {
        return html! {};
    };
    let title = if card.is_reply { Text::PacketReply } else { Text::PacketTitle };
    html! {
        <section class="card" aria-label={lang.t(title)} data-reply={card.is_reply.then_some("")}>
            <h2>{ lang.t(title) }</h2>
            <dl>
                { for card.fields.iter().map(|field| html! {
                    <div class={field.name} key={field.name} data-changed={field.before.is_some().then_some("")}>
                        <dt>{ field.name }</dt>
                        <dd>
                            if let Some(before) = &field.before {
                                <del>{ before.clone() }</del>
                                <ins>{ field.now.clone() }</ins>
                            } else {
                                { field.now.clone() }
                            }
                        </dd>
                    </div>
                }) }
            </dl>
            if !card.entry.is_empty() {
                <p class="entry">
                    <span>{ lang.fill(Text::PacketEntry, &[("node", &card.tracker)]) }</span>
                    <code>{ card.entry.clone() }</code>
                </p>
            }
        </section>
    }
}
