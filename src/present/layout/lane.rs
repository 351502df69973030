//! The lane of Services, each Ingress before the Services it leads to.

use super::Layout;
use crate::present::geometry::{Point, Rect};
use crate::present::scene::ClusterScene;

/// Around what is in the lane, and from its upper edge to the first chip: its heading lies there.
const PADDING: f64 = 10.0;
const HEAD: f64 = 24.0;
/// Between two columns: an arrow has room in it.
const COLUMN_GAP: f64 = 16.0;
/// Between two rows: the arrows that go over have room in it.
const ROW_GAP: f64 = 12.0;
/// The smallest widths of a chip, where there is little room and otherwise, and the greatest.
const MIN_NARROW_W: f64 = 132.0;
const MIN_W: f64 = 176.0;
const NARROW: f64 = 400.0;
const MAX_W: f64 = 260.0;
/// A chip, a narrow one, one of the cluster's own, and one among many.
const CHIP_H: f64 = 58.0;
const NARROW_H: f64 = 73.0;
const SHORT_H: f64 = 26.0;
const MARK: f64 = 13.0;
/// The most chips at length, and the most with a name.
const MOST_CHIPS: usize = 24;
const MOST_NAMED: usize = 200;
/// From the street to the doors below the lane: its own padding comes before.
const BELOW: f64 = 2.0;

/// From an Ingress to a Service.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrow {
    /// The Ingress, as its place in the scene.
    pub ingress: usize,
    /// The Service, as its place in the scene.
    pub service: usize,
    /// Its corners.
    pub points: Vec<Point>,
}

/// What comes next in the lane.
#[derive(Clone, Copy)]
enum Chip {
    Ingress(usize),
    Service(usize),
}

impl Layout {
    /// Places Ingresses and Services below `inside.y`; returns where the lane ends.
    pub(super) fn place_lane(&mut self, scene: &ClusterScene, inside: Rect) -> f64 {
        let count = scene.services.len() + scene.ingresses.len();
        if count == 0 {
            return inside.y;
        }
        let body = Rect::new(inside.x + PADDING, inside.y + HEAD, inside.w - 2.0 * PADDING, 0.0);
        let (least, h) = if body.w < NARROW { (MIN_NARROW_W, NARROW_H) } else { (MIN_W, CHIP_H) };
        let columns = ((body.w + COLUMN_GAP) / (least + COLUMN_GAP)).floor().max(1.0);
        let columns = columns.min(count.max(3) as f64);
        let w = ((body.w + COLUMN_GAP) / columns - COLUMN_GAP).min(MAX_W);
        self.services = vec![Rect::default(); scene.services.len()];
        self.ingresses = vec![Rect::default(); scene.ingresses.len()];
        let (whole, mut short) = self.sorted(scene, count);
        let end = self.grid(&whole, body, (w, h), (COLUMN_GAP, ROW_GAP));
        let used = whole.len() as f64 % columns;
        if used > 0.0 {
            // Two short ones stand where a whole one would.
            let free = ((columns - used) * 2.0) as usize;
            let rest = short.split_off(short.len().min(free));
            let corner = body.x + used * (w + COLUMN_GAP);
            let space = Rect { x: corner, w: body.right() - corner, y: end - h, ..body };
            self.grid(&short, space, (w, SHORT_H), (COLUMN_GAP, 6.0));
            short = rest;
        }
        let top = if whole.is_empty() { body.y } else { end + 8.0 };
        let strip = Rect { y: top, ..body };
        let end = match (short.is_empty(), count > MOST_NAMED) {
            (true, _) => end,
            (false, true) => self.grid(&short, strip, (MARK, MARK), (4.0, 4.0)),
            (false, false) => self.grid(&short, strip, (w, SHORT_H), (COLUMN_GAP, 6.0)),
        };
        self.lane = Rect::new(inside.x, inside.y, inside.w, end + PADDING - inside.y);
        self.draw_arrows(scene);
        self.lane.bottom() + BELOW
    }

    /// What is shown at length, in its order, and what in short.
    fn sorted(&self, scene: &ClusterScene, count: usize) -> (Vec<Chip>, Vec<Chip>) {
        let mut placed = vec![false; scene.services.len()];
        let mut chips = Vec::new();
        for (at, ingress) in scene.ingresses.iter().enumerate() {
            chips.push(Chip::Ingress(at));
            for &service in &ingress.leads_to {
                if let Some(placed) = placed.get_mut(service).filter(|placed| !**placed) {
                    *placed = true;
                    chips.push(Chip::Service(service));
                }
            }
        }
        let others = placed.iter().enumerate().filter(|(_, placed)| !**placed);
        chips.extend(others.map(|(at, _)| Chip::Service(at)));
        let is_short = |chip: &Chip| match *chip {
            Chip::Service(at) => scene.services.get(at).is_some_and(|service| service.system),
            Chip::Ingress(_) => false,
        };
        if count > MOST_CHIPS {
            (Vec::new(), chips)
        } else {
            chips.into_iter().partition(|chip| !is_short(chip))
        }
    }

    /// Places chips of one size in rows; returns where they end.
    fn grid(&mut self, chips: &[Chip], body: Rect, size: (f64, f64), gap: (f64, f64)) -> f64 {
        let columns = ((body.w + gap.0 + 0.1) / (size.0 + gap.0)).floor().max(1.0);
        let mut end = body.y;
        for (place, chip) in chips.iter().enumerate() {
            let (row, column) = ((place as f64 / columns).floor(), place as f64 % columns);
            let (x, y) = (column * (size.0 + gap.0), row * (size.1 + gap.1));
            let rect = Rect::new(body.x + x, body.y + y, size.0, size.1);
            let slot = match *chip {
                Chip::Ingress(at) => self.ingresses.get_mut(at),
                Chip::Service(at) => self.services.get_mut(at),
            };
            if let Some(slot) = slot {
                *slot = rect;
            }
            end = rect.bottom();
        }
        end
    }

    /// From each Ingress to its Services: straight to the next one, over the row to the others.
    fn draw_arrows(&mut self, scene: &ClusterScene) {
        for (ingress, chip) in scene.ingresses.iter().enumerate() {
            let Some(from) = self.ingresses.get(ingress).copied() else { continue };
            for &service in &chip.leads_to {
                let Some(to) = self.services.get(service).copied() else { continue };
                if from.h < CHIP_H || to.h < CHIP_H {
                    continue;
                }
                let lane = 3.0 + 2.5 * (ingress % 3) as f64;
                self.arrows.push(Arrow { ingress, service, points: arrow(from, to, lane) });
            }
        }
    }
}

/// The corners of an arrow; `lane` keeps those of different Ingresses apart.
fn arrow(from: Rect, to: Rect, lane: f64) -> Vec<Point> {
    let is_next = to.y == from.y && to.x > from.x && to.x - from.right() < COLUMN_GAP + 1.0;
    if is_next {
        return vec![
            Point::new(from.right(), from.center().y),
            Point::new(to.x - 2.0, to.center().y),
        ];
    }
    let start = Point::new(from.right(), from.y + 14.0);
    let channel = from.right() + lane + 2.0;
    let above = to.y - lane - 2.0;
    let down = to.x + to.w / 2.0;
    vec![
        start,
        Point::new(channel, start.y),
        Point::new(channel, above),
        Point::new(down, above),
        Point::new(down, to.y - 2.0),
    ]
}
