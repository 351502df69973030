//! The world outside: a client, and load balancers to its right.

use super::{Layout, Spacing};
use crate::present::geometry::Rect;
use crate::present::scene::{ClusterScene, External};

/// From the upper edge of the map to the client.
const TOP: f64 = 8.0;
/// The height of what is outside.
const BOX_H: f64 = 44.0;
const CLIENT_W: f64 = 136.0;
const BALANCER_W: f64 = 176.0;
/// The same where there is little room.
const NARROW: f64 = 480.0;
const NARROW_CLIENT_W: f64 = 108.0;
const NARROW_BALANCER_W: f64 = 108.0;
/// From the lower edge of a row to the street below it.
const STREET: f64 = 13.0;
/// From one row to the next, the street between them.
const ROW: f64 = BOX_H + 2.0 * STREET;

impl Layout {
    /// The street below a load balancer.
    pub(in crate::present) fn street_below(&self, rect: Rect) -> f64 {
        rect.bottom() + STREET
    }

    /// Places the client and the load balancers; returns the height of the last street.
    pub(super) fn place_outside(&mut self, scene: &ClusterScene, width: f64, room: Spacing) -> f64 {
        let edge = room.edge.min(10.0);
        let left = (self.avenue - 28.0).max(edge);
        let is_narrow = width < NARROW;
        let client_w = if is_narrow { NARROW_CLIENT_W } else { CLIENT_W };
        self.client = Rect::new(left, TOP, client_w, BOX_H);
        let gap = if is_narrow { 10.0 } else { 22.0 };
        let from = self.client.right() + gap;
        let space = width - edge - from;
        let by_hand = usize::from(scene.hand_built.is_some());
        let count = self::balanced(scene).count() + by_hand;
        let each = match is_narrow && count > 1 {
            true => ((space + gap) / 2.0 - gap).max(NARROW_BALANCER_W).min(space),
            false => BALANCER_W.min(space),
        };
        let per_row = ((space + gap) / (each + gap)).floor().max(1.0);
        let all = (0..by_hand).map(|_| None).chain(self::balanced(scene).map(Some));
        for (place, at) in all.enumerate() {
            let (row, column) = ((place as f64 / per_row).floor(), place as f64 % per_row);
            let (x, y) = (from + column * (each + gap), TOP + row * ROW);
            let rect = Rect::new(x, y, each, BOX_H);
            match at {
                Some(at) => self.balancers.push((at, rect)),
                None => self.hand_built = rect,
            }
        }
        let first = if by_hand > 0 { self.hand_built } else { self.client };
        let last = self.balancers.last().map_or(first, |(_, last)| *last);
        self.street_below(last)
    }
}

/// The Services that have a load balancer, or wait for one.
fn balanced(scene: &ClusterScene) -> impl Iterator<Item = usize> {
    let services = scene.services.iter().enumerate();
    services.filter(|(_, one)| one.external != External::None).map(|(at, _)| at)
}
