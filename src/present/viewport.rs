//! What of the map is in sight: panning and zooming as arithmetic.

use super::geometry::{Point, Rect};

/// The smallest and the greatest zoom of the map.
const LEAST_ZOOM: f64 = 0.2;
const MOST_ZOOM: f64 = 3.0;
/// How much of the map stays in sight, whatever a person drags, in pixels of the stage.
const KEPT_IN_SIGHT: f64 = 80.0;

/// The part of the map in sight: a point of the map is drawn at `point * zoom + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewport {
    /// Where the map's corner is drawn.
    pub offset: Point,
    /// Stage pixels for one pixel of the map.
    pub zoom: f64,
}

impl Default for Viewport {
    fn default() -> Self {
        Viewport { offset: Point::new(0.0, 0.0), zoom: 1.0 }
    }
}

impl Viewport {
    /// All of a map of size `map` on a stage of `w` by `h`, but no smaller than can be read: then
    /// its upper part. Enlarged by no more than `most`.
    pub fn fit(map: Rect, w: f64, h: f64, most: f64) -> Self {
        let whole = (w / map.w.max(1.0)).min(h / map.h.max(1.0));
        let least = if w < 480.0 { 1.0 } else { 0.8 };
        let zoom = whole.min(most).max(f64::min(least, w / map.w.max(1.0)));
        Viewport { offset: Point::new(((w - map.w * zoom) / 2.0).max(0.0), 0.0), zoom }
    }

    /// How much larger than usual the map is drawn on a stage with much room.
    pub fn growth(w: f64, h: f64) -> f64 {
        (w / 760.0).min(h / 860.0).clamp(1.0, 1.5)
    }

    /// Zooms by a factor; the point of the map under `at` stays there.
    pub fn zoomed(self, factor: f64, at: Point) -> Self {
        let zoom = (self.zoom * factor).clamp(LEAST_ZOOM, MOST_ZOOM);
        let ratio = zoom / self.zoom;
        let along = |from: f64, at: f64| at - (at - from) * ratio;
        Viewport {
            offset: Point::new(along(self.offset.x, at.x), along(self.offset.y, at.y)),
            zoom,
        }
    }

    /// Moves the map by so many pixels of the stage.
    pub fn moved(self, x: f64, y: f64) -> Self {
        Viewport { offset: Point::new(self.offset.x + x, self.offset.y + y), ..self }
    }

    /// The same, with some of the map in sight.
    pub fn kept(self, map: Rect, w: f64, h: f64) -> Self {
        let keep = |offset: f64, size: f64, room: f64| {
            let least = KEPT_IN_SIGHT.min(room) - size * self.zoom;
            offset.clamp(least.min(room - KEPT_IN_SIGHT), (room - KEPT_IN_SIGHT).max(least))
        };
        Viewport {
            offset: Point::new(keep(self.offset.x, map.w, w), keep(self.offset.y, map.h, h)),
            ..self
        }
    }

    /// Moves as little as it takes to have `rect` of the map in sight.
    pub fn showing(self, rect: Rect, w: f64, h: f64) -> Self {
        let shift = |from: f64, size: f64, room: f64| {
            let margin = 12.0;
            if from + size > room - margin && size < room {
                room - margin - from - size
            } else if from < margin {
                margin - from
            } else {
                0.0
            }
        };
        let (x, y) = (rect.x * self.zoom + self.offset.x, rect.y * self.zoom + self.offset.y);
        self.moved(shift(x, rect.w * self.zoom, w), shift(y, rect.h * self.zoom, h))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Rect = Rect::new(0.0, 0.0, 1000.0, 2000.0);

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let at = Point::new(300.0, 200.0);
        let before = Viewport { offset: Point::new(-40.0, 10.0), zoom: 0.8 };
        let after = before.zoomed(1.5, at);
        let under = |view: Viewport| {
            ((at.x - view.offset.x) / view.zoom, (at.y - view.offset.y) / view.zoom)
        };
        let ((x, y), (x2, y2)) = (under(before), under(after));
        assert!((x - x2).abs() < 1e-9 && (y - y2).abs() < 1e-9);
    }

    #[test]
    fn a_map_cannot_be_lost_out_of_sight() {
        let lost = Viewport::default().moved(-9e9, 9e9).kept(MAP, 800.0, 600.0);
        assert_eq!(lost.offset, Point::new(-920.0, 520.0));
    }

    #[test]
    fn a_hidden_object_is_brought_into_sight_and_a_visible_one_moves_nothing() {
        let view = Viewport::default();
        let below = view.showing(Rect::new(0.0, 1500.0, 100.0, 50.0), 800.0, 600.0);
        assert_eq!(below.offset, Point::new(12.0, -962.0));
        assert_eq!(view.showing(Rect::new(20.0, 20.0, 100.0, 50.0), 800.0, 600.0), view);
    }
}
