//! What all things on the map have in common: a key, a place, a name for those who do not see, and
//! how they stand to what is chosen.

use crate::base::SimTime;
use crate::present::layout::Item;
use crate::present::relation::{Bond, Relation};
use crate::present::shorten::{cut, shorten};
use crate::present::viewport::Grain;
use crate::present::{ClusterScene, Rect};
use crate::session::ObjectId;
use crate::text::Lang;
use yew::{Html, html};

/// What is special about the map and some things on it at the moment.
pub(super) struct Marks<'a> {
    pub(super) lang: Lang,
    pub(super) scene: &'a ClusterScene,
    /// From how near the map is seen, and the size of names that are seen from far.
    pub(super) grain: Grain,
    pub(super) far_text: f64,
    /// The part of a large map that is drawn.
    pub(super) region: Option<Rect>,
    /// The moment, for what counts down.
    pub(super) now: SimTime,
    /// The object in the inspector, and what belongs to it.
    pub(super) selected: Option<&'a ObjectId>,
    pub(super) relation: Option<&'a Relation>,
    /// The key of what the Tab key reaches; arrows go on from there.
    pub(super) entry: &'a str,
    /// The object that the packet is at.
    pub(super) lit: Option<&'a ObjectId>,
    /// The Service or Ingress by whose rules the packet goes on.
    pub(super) acting: Option<&'a ObjectId>,
    /// The port that the request came by, and the node it entered.
    pub(super) port: Option<&'a (ObjectId, u16)>,
}

impl Marks<'_> {
    /// Whether a thing that is no node has an element of its own: on a large map only what is in
    /// sight has, and is not too small to be told from others.
    pub(super) fn shows(&self, rect: Rect) -> bool {
        self.region.is_none_or(|region| rect.overlaps(region) && rect.w > self.far_text)
    }
}

/// How a thing looks.
#[derive(Default)]
pub(super) struct Look {
    /// Its classes, `pod system`.
    pub(super) class: &'static str,
    /// Its state's name in the styles.
    pub(super) state: Option<&'static str>,
    /// Its colour in the palette.
    pub(super) colour: Option<u8>,
    /// What makes it different from its like: `old`, `empty`, `pending`.
    pub(super) note: Option<&'static str>,
    /// Its name for those who do not see it, and under the pointer.
    pub(super) title: String,
}

/// A thing at its place, with what is drawn inside of it.
pub(super) fn item(marks: &Marks, item: Item, rect: Rect, look: Look, inside: Html) -> Html {
    let key = item.key();
    let id = item.object();
    let is_selected = id.is_some() && id == marks.selected;
    let bond = match (id, marks.relation) {
        (Some(id), Some(relation)) => match relation.bond(id) {
            Bond::Lit => Some("lit"),
            Bond::Waiting => Some("waiting"),
            Bond::Faded if look.class.starts_with("node") || look.class.contains("namespace") => {
                None
            }
            Bond::Faded => Some("faded"),
        },
        _ => None,
    };
    let lit = (id.is_some() && (id == marks.lit || id == marks.acting)).then_some("");
    html! {
        <g key={key.clone()} class={format!("item {}", look.class)} data-key={key.clone()} role="button"
            tabindex={if marks.entry == key { "0" } else { "-1" }} aria-pressed={is_selected.to_string()}
            data-state={look.state} data-colour={look.colour.map(|colour| colour.to_string())}
            data-note={look.note} data-bond={bond} data-lit={lit}
            style={format!("transform:translate({:.1}px,{:.1}px)", rect.x, rect.y)}>
            <title>{ look.title }</title>
            { inside }
        </g>
    }
}

/// The body of a thing: a box of its size.
pub(super) fn body(rect: Rect, rounding: u8) -> Html {
    html! {
        <rect class="body" width={format!("{:.1}", rect.w)} height={format!("{:.1}", rect.h)} rx={rounding.to_string()} />
    }
}

/// A name that can be read from far, as much of it as fits.
pub(super) fn far_name(marks: &Marks, name: &str, rect: Rect) -> Html {
    let size = marks.far_text;
    let most = ((rect.w - 0.6 * size) / (0.58 * size)) as usize;
    if most < 3 {
        return html! {};
    }
    let y = (rect.h / 2.0).min(size * 1.3) + if rect.h < size * 2.6 { size * 0.36 } else { 0.0 };
    html! {
        <text class="far" x={format!("{:.1}", 0.4 * size)} y={format!("{y:.1}")} style={format!("font-size:{size:.1}px")}>
            // What ends in a number is told by it.
            if name.ends_with(|c: char| c.is_ascii_digit()) {
                { shorten(name, most) }
            } else {
                { cut(name, most) }
            }
        </text>
    }
}

/// A line of text at a place.
pub(super) fn text(class: &'static str, x: f64, y: f64, words: impl Into<String>) -> Html {
    html! { <text class={class} x={format!("{x:.1}")} y={format!("{y:.1}")}>{ words.into() }</text> }
}
