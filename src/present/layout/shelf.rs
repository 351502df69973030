//! What people have asked for: a line for each namespace, workloads first.

use super::Layout;
use super::nodes::grid;
use crate::present::geometry::{Point, Rect};
use crate::present::scene::{ClusterScene, RecordChip, Shelf};

/// The most records of a namespace that are on the map; the text has all of them.
pub const MOST_RECORDS: usize = 36;
/// The chip of a namespace, before its line where there is room.
const NAME_W: f64 = 100.0;
const NAME_H: f64 = 24.0;
const WIDE: f64 = 520.0;
/// A workload.
const WORK_MIN_W: f64 = 160.0;
const WORK_MAX_W: f64 = 230.0;
const WORK_H: f64 = 44.0;
const RECORD_H: f64 = 24.0;
const GAP: f64 = 8.0;
/// From what is above to the first line, and between lines.
const ABOVE: f64 = 14.0;
const LINE_GAP: f64 = 10.0;

/// A namespace and what is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShelfPlace {
    /// The namespace's own chip; no width for what is in none.
    pub name: Rect,
    /// Its workloads.
    pub workloads: Vec<Rect>,
    /// Its records; at most [`MOST_RECORDS`].
    pub records: Vec<Rect>,
    /// The chip that says how many more there are; no width if there are none.
    pub more: Rect,
}

impl Layout {
    /// Places the shelves below `inside.y`; returns where they end.
    pub(super) fn place_shelves(&mut self, scene: &ClusterScene, inside: Rect) -> f64 {
        let mut y = inside.y + ABOVE;
        let mut empty: Vec<usize> = Vec::new();
        for (at, shelf) in scene.shelves.iter().enumerate() {
            if shelf.workloads.is_empty() && shelf.records.is_empty() {
                empty.push(at);
                self.shelves.push(ShelfPlace::default());
                continue;
            }
            let place = place_shelf(shelf, Rect { y, ..inside });
            y = place.bottom() + LINE_GAP;
            self.shelves.push(place);
        }
        // Empty namespaces share a line.
        let names = empty.iter().map(|at| {
            let shelf = scene.shelves.get(*at);
            let name = shelf.and_then(|shelf| shelf.namespace.as_ref());
            name_width(name.map_or("", |id| &id.name))
        });
        let rects = flow(names, Rect { y, ..inside }, NAME_H);
        for (at, rect) in empty.into_iter().zip(rects) {
            y = rect.bottom() + LINE_GAP;
            if let Some(place) = self.shelves.get_mut(at) {
                place.name = rect;
            }
        }
        y - LINE_GAP
    }
}

impl ShelfPlace {
    fn bottom(&self) -> f64 {
        let rects = self.workloads.iter().chain(&self.records);
        rects.chain([&self.name, &self.more]).map(|rect| rect.bottom()).fold(0.0, f64::max)
    }
}

fn place_shelf(shelf: &Shelf, line: Rect) -> ShelfPlace {
    let is_wide = line.w >= WIDE;
    let has_name = shelf.namespace.is_some();
    let name = shelf.namespace.as_ref().map_or(0.0, |id| name_width(&id.name));
    let name = Rect::new(line.x, line.y, if is_wide { name.min(NAME_W) } else { name }, NAME_H);
    let body = match (is_wide, has_name) {
        (true, _) => Rect::new(line.x + NAME_W + GAP, line.y, line.w - NAME_W - GAP, 0.0),
        (false, true) => Rect { y: name.bottom() + 6.0, ..line },
        (false, false) => line,
    };
    let columns = ((body.w + GAP) / (WORK_MIN_W + GAP)).floor().max(1.0);
    let w = ((body.w + GAP) / columns - GAP).min(WORK_MAX_W);
    let count = shelf.workloads.len() as f64;
    let corner = Point::new(body.x, body.y);
    let workloads: Vec<Rect> = grid(count, columns, corner, (w, WORK_H), GAP).collect();
    let top = workloads.last().map_or(body.y, |last| last.bottom() + GAP);
    let shown = shelf.records.len().min(MOST_RECORDS);
    let hidden = shelf.records.len() - shown;
    let widths = shelf.records.iter().take(shown).map(record_width);
    let widths = widths.chain((hidden > 0).then_some(52.0));
    let mut records = flow(widths, Rect { y: top, ..body }, RECORD_H);
    let more = if hidden > 0 { records.pop().unwrap_or_default() } else { Rect::default() };
    ShelfPlace { name: if has_name { name } else { Rect::default() }, workloads, records, more }
}

/// Boxes of these widths side by side, in as many rows as they need.
fn flow(widths: impl Iterator<Item = f64>, body: Rect, h: f64) -> Vec<Rect> {
    let mut corner = Point::new(body.x, body.y);
    let mut rects = Vec::new();
    for w in widths {
        let w = w.min(body.w);
        if corner.x + w > body.right() + 0.1 {
            corner = Point::new(body.x, corner.y + h + 6.0);
        }
        rects.push(Rect::new(corner.x, corner.y, w, h));
        corner.x += w + 6.0;
    }
    rects
}

fn name_width(name: &str) -> f64 {
    name.chars().count() as f64 * 6.4 + 44.0
}

fn record_width(record: &RecordChip) -> f64 {
    let characters = |text: &str| text.chars().count() as f64;
    (characters(record.word) * 6.7 + characters(&record.id.name) * 6.4 + 28.0).min(220.0)
}
