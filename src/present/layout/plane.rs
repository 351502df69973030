//! The control plane: a slim strip below everything, with a lamp for each of its parts.

use super::nodes::{NodePlace, SHORT_GAP, SHORT_H, grid, notes};
use super::{Layout, Matrix};
use crate::present::geometry::{Point, Rect};
use crate::present::scene::ClusterScene;

/// Below this width name, lamps, netfilter and Pods stand below each other.
const WIDE: f64 = 520.0;
/// The widths of the lamps, by their names.
const LAMPS: [f64; 4] = [92.0, 56.0, 88.0, 92.0];
const LAMP_H: f64 = 22.0;
const LAMP_GAP: f64 = 6.0;
/// From what is above to the street, and from the street to the strip.
const ABOVE: f64 = 15.0;
const STREET: f64 = 21.0;
const PADDING: f64 = 14.0;
/// netfilter beside the Pods.
const FILTER_W: f64 = 136.0;
const POD_W: f64 = 92.0;

impl Layout {
    /// Places the control plane below `inside.y`; returns where it ends.
    pub(super) fn place_plane(&mut self, scene: &ClusterScene, inside: Rect) -> f64 {
        let Some(node) = scene.nodes.first().filter(|node| node.control_plane) else {
            return inside.y;
        };
        let top = inside.y + ABOVE + STREET;
        let mut place = NodePlace::at(inside.x, top, inside.w);
        place.is_strip = true;
        let is_wide = inside.w >= WIDE;
        let body = Rect::new(inside.x + PADDING, 0.0, inside.w - 2.0 * PADDING, 0.0);
        let filter_y = if is_wide {
            let total = LAMPS.iter().sum::<f64>() + 3.0 * LAMP_GAP;
            let mut x = body.right().min(body.x + 620.0) - total;
            for w in LAMPS {
                self.lamps.push(Rect::new(x, top + 13.0, w, LAMP_H));
                x += w + LAMP_GAP;
            }
            top + 47.0
        } else {
            let w = (body.w - LAMP_GAP) / 2.0;
            let corner = Point::new(body.x, top + 44.0);
            self.lamps.extend(grid(4.0, 2.0, corner, (w, LAMP_H), LAMP_GAP));
            top + 44.0 + 2.0 * (LAMP_H + LAMP_GAP) + 4.0
        };
        let filter_w = if is_wide { FILTER_W } else { body.w };
        place.filter = Rect::new(body.x, filter_y, filter_w, SHORT_H);
        place.door.x = body.x + filter_w / 2.0;
        let pods = match is_wide {
            true => Rect::new(body.x + FILTER_W + 12.0, filter_y, body.w - FILTER_W - 12.0, 0.0),
            false => Rect::new(body.x, filter_y + SHORT_H + 10.0, body.w, 0.0),
        };
        let columns = ((pods.w + SHORT_GAP) / (POD_W + SHORT_GAP)).floor().max(1.0);
        let w = ((pods.w + SHORT_GAP) / columns - SHORT_GAP).min(150.0);
        let corner = Point::new(pods.x, pods.y);
        let count = node.dots.len() as f64;
        place.matrix = Matrix { corner, columns: (pods.w / 15.0).floor().max(1.0), size: 13.0 };
        place.pods = grid(count, columns, corner, (w, SHORT_H), SHORT_GAP).collect();
        place.detail = Some(super::Detail::Short);
        let end = place.pods.last().map_or(filter_y + SHORT_H, |last| last.bottom());
        place.rect.h = end + 12.0 + notes(node) - top;
        let bottom = place.rect.bottom();
        if let Some(kept) = self.nodes.first_mut() {
            *kept = place;
        }
        bottom
    }
}
