//! What people have asked for: workloads and other records, by namespace.

use super::item::{Look, Marks, body, far_name, item, text};
use crate::present::Rect;
use crate::present::layout::{Item, ShelfPlace};
use crate::present::scene::{RecordChip, Shelf, WorkloadChip};
use crate::present::shorten::{cut, shorten};
use crate::present::viewport::Grain;
use crate::text::Text;
use yew::{Html, html};

const SMALL: f64 = 6.0;
const NAME: f64 = 7.3;
const CODE: f64 = 6.65;

/// Draws a namespace and what is in it.
pub(super) fn shelf(at: usize, shelf: &Shelf, place: &ShelfPlace, marks: &Marks) -> Html {
    html! {
        <>
            if let Some(id) = shelf.namespace.as_ref().filter(|_| marks.shows(place.name)) {
                { name(id, shelf, place.name, marks) }
            }
            { for shelf.workloads.iter().zip(&place.workloads).filter(|(_, rect)| marks.shows(**rect))
                .map(|(one, rect)| workload(one, *rect, marks)) }
            { for shelf.records.iter().zip(&place.records).filter(|(_, rect)| marks.shows(**rect))
                .map(|(one, rect)| record(one, *rect, marks)) }
            if place.more.w > 0.0 && marks.shows(place.more) {
                { more(at, shelf.records.len() - place.records.len(), place.more, marks) }
            }
        </>
    }
}

fn name(id: &crate::session::ObjectId, shelf: &Shelf, rect: Rect, marks: &Marks) -> Html {
    let look = Look {
        class: if shelf.system { "record namespace system" } else { "record namespace" },
        note: shelf.is_ending.then_some("ending"),
        title: format!("Namespace {}", id.name),
        ..Look::default()
    };
    let inside = match marks.grain {
        Grain::Far => far_name(marks, &id.name, rect),
        _ => html! {
            <>
                { text("code mute", 9.0, 16.0, "ns") }
                { text("small", 27.0, 16.0, cut(&id.name, ((rect.w - 34.0) / SMALL) as usize)) }
            </>
        },
    };
    let inside = html! { <>{ body(rect, 12) }{ inside }</> };
    item(marks, Item::Object(id), rect, look, inside)
}

fn workload(one: &WorkloadChip, rect: Rect, marks: &Marks) -> Html {
    let lang = marks.lang;
    let kind = one.id.kind.name();
    let count = format!("{}/{}", one.ready, one.wanted);
    let rollout =
        lang.fill(Text::WorkloadRollout, &[("new", &one.updated), ("wanted", &one.wanted)]);
    let (words, is_rolling) = match (one.old(), one.note.as_str()) {
        (0, "") => (count.clone(), false),
        (0, note) if one.wanted == 0 => (note.to_owned(), false),
        (0, note) => (format!("{count} {note}"), false),
        _ => (rollout, true),
    };
    let kind_w = kind.len() as f64 * SMALL;
    let has_kind =
        one.id.name.len() as f64 * NAME + kind_w < rect.w - 24.0 || kind_w < rect.w * 0.5;
    let room = if has_kind { rect.w - 26.0 - kind_w } else { rect.w - 18.0 };
    let letter = if is_rolling { SMALL } else { CODE };
    let bar_w = (rect.w - 28.0 - words.chars().count() as f64 * letter).max(24.0);
    let inside = match marks.grain {
        Grain::Far => far_name(marks, &one.id.name, rect),
        _ => html! {
            <>
                { text("name", 10.0, 18.0, shorten(&one.id.name, (room / NAME).max(4.0) as usize)) }
                if has_kind {
                    { text("small mute end", rect.w - 9.0, 18.0, kind) }
                }
                if one.wanted > 0 || one.present > 0 {
                    { bar(one, bar_w) }
                    { text(if is_rolling { "small end" } else { "code end" }, rect.w - 9.0, 35.5, words.clone()) }
                } else {
                    { text("code", 10.0, 35.0, words.clone()) }
                }
            </>
        },
    };
    let look = Look {
        class: "record workload",
        colour: Some(one.colour),
        note: match (is_rolling, one.ready < one.wanted) {
            (true, _) => Some("rolling"),
            (false, true) => Some("short"),
            _ => None,
        },
        title: format!("{kind} {}, {count}, {words}", one.id.name),
        ..Look::default()
    };
    let inside = html! { <>{ body(rect, 9) }{ inside }</> };
    item(marks, Item::Object(&one.id), rect, look, inside)
}

/// The Pods of a workload as a bar: those of the newest template full, older ones hatched, those
/// that are not Ready hollow.
fn bar(one: &WorkloadChip, w: f64) -> Html {
    let whole = f64::from(one.wanted.max(one.present).max(1));
    let part = |count: u32| w * f64::from(count) / whole;
    let old = one.old().min(one.ready);
    let new = one.ready.saturating_sub(old);
    html! {
        <g class="bar" transform="translate(10 28)">
            <rect class="track" width={format!("{w:.1}")} height="8" rx="4" />
            <rect class="new" width={format!("{:.1}", part(new))} height="8" rx="4" />
            if old > 0 {
                <rect class="old" x={format!("{:.1}", part(new))} width={format!("{:.1}", part(old))} height="8" rx="4" />
            }
        </g>
    }
}

fn record(one: &RecordChip, rect: Rect, marks: &Marks) -> Html {
    let look = Look {
        class: "record small",
        note: one.is_pending.then_some("pending"),
        title: format!("{} {}", one.id.kind.name(), one.id.name),
        ..Look::default()
    };
    let word_w = one.word.len() as f64 * CODE;
    let inside = match marks.grain {
        Grain::Far => far_name(marks, &one.id.name, rect),
        _ => html! {
            <>
                { text("code mute", 8.0, 16.0, one.word) }
                { text("small", 14.0 + word_w, 16.0, shorten(&one.id.name, ((rect.w - 20.0 - word_w) / SMALL).max(3.0) as usize)) }
            </>
        },
    };
    let inside = html! { <>{ body(rect, 7) }{ inside }</> };
    item(marks, Item::Object(&one.id), rect, look, inside)
}

/// How much more there is than the map shows; the text has it.
#[inline(never)]
fn more(at: usize, count: usize, rect: Rect, marks: &Marks) -> Html {
    let words = marks.lang.fill(Text::More, &[("count", &count)]);
    let look = Look { class: "record small", title: words.clone(), ..Look::default() };
    let inside = html! { <>{ body(rect, 7) }{ text("small", 8.0, 16.0, format!("+{count}")) }</> };
    item(marks, Item::More(at), rect, look, inside)
}
