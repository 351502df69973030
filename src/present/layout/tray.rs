//! The tray of Pods that no node has been found for, a line for each reason.

use super::Layout;
use super::nodes::{MARK, SHORT_GAP, SHORT_H, grid};
use crate::present::geometry::{Point, Rect};
use crate::present::scene::ClusterScene;

const PADDING: f64 = 12.0;
/// The heading of the tray, and that of a group.
const HEAD: f64 = 26.0;
const GROUP_HEAD: f64 = 20.0;
/// A group of more Pods than this shows marks instead of names.
const MOST_NAMED: usize = 8;
const POD_W: f64 = 124.0;
const MARK_GAP: f64 = 4.0;

/// A group of Pods that wait for the same reason.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupPlace {
    /// All of it, its heading first.
    pub rect: Rect,
    /// The Pods that are shown.
    pub pods: Vec<Rect>,
    /// Whether each is but a mark.
    pub is_crowded: bool,
}

impl Layout {
    /// Places the Pods without a node below `inside.y`; returns where the tray ends.
    pub(super) fn place_tray(&mut self, scene: &ClusterScene, inside: Rect) -> f64 {
        if scene.waiting.is_empty() {
            return inside.y;
        }
        let top = inside.y + 12.0;
        let body = Rect::new(inside.x + PADDING, top + HEAD, inside.w - 2.0 * PADDING, 0.0);
        let mut y = body.y;
        for group in &scene.waiting {
            let is_crowded = group.count > MOST_NAMED;
            let (size, gap) = match is_crowded {
                true => ((MARK, MARK), MARK_GAP),
                false => ((POD_W.min(body.w), SHORT_H), SHORT_GAP),
            };
            let columns = ((body.w + gap) / (size.0 + gap)).floor().max(1.0);
            let corner = Point::new(body.x, y + GROUP_HEAD);
            let pods: Vec<Rect> =
                grid(group.pods.len() as f64, columns, corner, size, gap).collect();
            let end = pods.last().map_or(corner.y, |last| last.bottom());
            let rect = Rect::new(body.x - 6.0, y, body.w + 12.0, end + 4.0 - y);
            self.groups.push(GroupPlace { rect, pods, is_crowded });
            y = end + 10.0;
        }
        self.tray = Rect::new(inside.x, top, inside.w, y - top);
        self.tray.bottom()
    }
}
