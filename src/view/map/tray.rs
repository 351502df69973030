//! Pods that no node has been found for, by what the scheduler says.

use super::item::{Look, Marks, item, text};
use super::{mark, pod};
use crate::present::layout::{Detail, GroupPlace, Item};
use crate::present::scene::{PodChip, WaitingGroup};
use crate::present::shorten::cut;
use crate::present::viewport::Grain;
use crate::present::{Layout, Rect};
use crate::text::Text;
use yew::{Html, html};

/// The tray with its groups; the Pods with names are drawn with all others.
pub(super) fn tray(layout: &Layout, marks: &Marks) -> Html {
    let Rect { x, y, w, h } = layout.tray;
    if layout.groups.is_empty() {
        return html! {};
    }
    let count: usize = marks.scene.waiting.iter().map(|group| group.count).sum();
    let heading = format!("{}: {count}", marks.lang.t(Text::Waiting));
    html! {
        <g>
            <rect class="tray" x={format!("{x:.1}")} y={format!("{y:.1}")} width={format!("{w:.1}")} height={format!("{h:.1}")} rx="12" />
            if marks.grain != Grain::Far {
                { text("name", x + 14.0, y + 19.0, heading) }
            }
            { for marks.scene.waiting.iter().zip(&layout.groups).enumerate().map(|(at, (group, place))| {
                self::group(at, group, place, marks)
            }) }
        </g>
    }
}

#[inline(never)]
fn group(at: usize, group: &WaitingGroup, place: &GroupPlace, marks: &Marks) -> Html {
    let lang = marks.lang;
    let reason = match group.reason.as_str() {
        "" => lang.t(Text::WaitingUnseen),
        reason => reason,
    };
    let noun = if group.count == 1 { "Pod" } else { "Pods" };
    let words = format!("{} {noun} · {reason}", group.count);
    let Rect { x, y, w, h } = place.rect;
    let hidden = group.count.saturating_sub(group.pods.len());
    let look = Look {
        class: "group",
        title: format!("{words}. {}", lang.t(Text::WaitingHelp)),
        ..Look::default()
    };
    let end = place.pods.last().map(|last| (last.right() - x, last.bottom() - y));
    let inside = html! {
        <>
            <rect class="body" width={format!("{w:.1}")} height={format!("{h:.1}")} rx="8" />
            if marks.grain != Grain::Far {
                { text("small", 6.0, 13.0, cut(&words, ((w - 8.0) / 5.9) as usize)) }
                if let Some((x, y)) = end.filter(|_| hidden > 0) {
                    { text("small mute", x + 8.0, y - 2.5, format!("+{hidden}")) }
                }
            }
        </>
    };
    html! {
        <>
            { item(marks, Item::Waiting(at), place.rect, look, inside) }
            if place.is_crowded {
                { mark::crowd(group.pods.iter().map(PodChip::dot).zip(place.pods.iter().copied()), marks.grain != Grain::Far) }
            }
        </>
    }
}

/// The Pods of the tray that have names, with their places.
pub(super) fn named<'a>(
    layout: &'a Layout,
    marks: &'a Marks,
) -> impl Iterator<Item = (&'a PodChip, Rect, Detail)> {
    let groups = marks.scene.waiting.iter().zip(&layout.groups);
    let groups = groups.filter(|(_, place)| !place.is_crowded);
    groups.flat_map(|(group, place)| {
        group.pods.iter().zip(&place.pods).map(|(pod, rect)| (pod, *rect, Detail::Short))
    })
}

/// What an item that has no element of its own is called: a Pod drawn as a mark, a node far away.
pub(super) fn caption(item: Item, marks: &Marks) -> String {
    let Some(id) = item.object() else { return String::new() };
    let nodes = &marks.scene.nodes;
    let mut pods = nodes.iter().flat_map(|node| &node.pods);
    if let Some(found) = pods.find(|pod| pod.id == *id) {
        return pod::title(marks.lang, found, marks);
    }
    match nodes.iter().find(|node| node.id == *id) {
        Some(found) => super::node::title(found, marks),
        None => format!("{} {}", id.kind.name(), id.name),
    }
}
