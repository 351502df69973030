//! What of the map is in sight, and from how near: panning and zooming as arithmetic.

use super::geometry::{Point, Rect};

/// The height of the buttons that lie over the lower edge of the map, in pixels of the stage.
pub const FOOT: f64 = 54.0;
/// The smallest zoom of a map that fits its stage, and the greatest of any.
const LEAST_ZOOM: f64 = 0.3;
const MOST_ZOOM: f64 = 4.0;
/// Below this zoom the map is seen from far: tiles and dots.
const FAR: f64 = 0.62;
/// From this zoom on it is seen from near: hooks of netfilter, containers by name.
const NEAR: f64 = 1.7;
/// How much of the map stays in sight, whatever a person drags, in pixels of the stage.
const KEPT_IN_SIGHT: f64 = 80.0;
/// The size of the letters of names seen from far, in pixels of the stage.
const FAR_TEXT: f64 = 11.5;

/// From how near the map is seen; what is drawn depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grain {
    /// Nodes are tiles, Pods are dots, names are short.
    Far,
    /// Everything has its name.
    #[default]
    Middle,
    /// The insides of nodes and Pods too.
    Near,
}

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
    /// All of a map of size `map` on a stage of `w` by `h`, enlarged by no more than `most`.
    pub fn whole(map: Rect, w: f64, h: f64, most: f64) -> Self {
        let zoom = (w / map.w.max(1.0)).min((h - FOOT).max(1.0) / map.h.max(1.0)).min(most);
        Viewport { offset: Point::new(((w - map.w * zoom) / 2.0).max(0.0), 0.0), zoom }
    }

    /// The same, but no smaller than `least`, as it can be read: then its upper part. A map that is wider than the
    /// stage is made to be seen from far, and shown whole.
    pub fn fit(map: Rect, w: f64, h: f64, (least, most): (f64, f64)) -> Self {
        let whole = Viewport::whole(map, w, h, most);
        if map.w > w + 1.0 {
            return whole;
        }
        let zoom = whole.zoom.max(least);
        Viewport { offset: Point::new(((w - map.w * zoom) / 2.0).max(0.0), 0.0), zoom }
    }

    /// How much larger than usual the map is drawn on a stage with much room, or for a room full of
    /// people, where rather a part of it is seen than all too small.
    pub fn growth(w: f64, h: f64, is_for_a_room: bool) -> f64 {
        if is_for_a_room {
            return (w / 900.0).min(h / 520.0).clamp(1.0, 2.0);
        }
        (w / 760.0).min(h / 860.0).clamp(1.0, 1.5)
    }

    /// From how near this is.
    pub fn grain(self) -> Grain {
        match self.zoom {
            ..FAR => Grain::Far,
            NEAR.. => Grain::Near,
            _ => Grain::Middle,
        }
    }

    /// The size of names on the map that can be read from far; it changes in few steps, so that
    /// zooming seldom draws anew.
    pub fn far_text(self) -> f64 {
        let steps = (FAR_TEXT / self.zoom).log2() * 4.0;
        (steps.ceil() / 4.0).exp2()
    }

    /// The part of the map in sight on a stage of `w` by `h`.
    pub fn sight(self, w: f64, h: f64) -> Rect {
        let (x, y) = (-self.offset.x / self.zoom, -self.offset.y / self.zoom);
        Rect::new(x, y, w / self.zoom, h / self.zoom)
    }

    /// A part of the map that has all of [`sight`](Self::sight) in it and stays the same for a while
    /// as the map is moved, so that what is drawn of a large map is seldom drawn anew.
    pub fn region(self, w: f64, h: f64) -> Rect {
        let sight = self.sight(w, h);
        let along = |from: f64, size: f64| {
            let step = (size / 3.0).max(1.0).log2().floor().exp2();
            let start = (from / step).floor() * step;
            (start, ((from + size) / step).ceil() * step - start)
        };
        let ((x, w), (y, h)) = (along(sight.x, sight.w), along(sight.y, sight.h));
        Rect::new(x, y, w, h)
    }

    /// Zooms by a factor; the point of the map under `at` stays there. A map of size `map` can be
    /// made so small that a stage of `w` by `h` shows all of it.
    pub fn zoomed(self, factor: f64, at: Point, map: Rect, (w, h): (f64, f64)) -> Self {
        let least = (Viewport::whole(map, w, h, 1.0).zoom * 0.8).min(LEAST_ZOOM);
        let zoom = (self.zoom * factor).clamp(least, MOST_ZOOM);
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

    /// The same, with the surroundings of a packet in sight. Where all of the map is, nothing
    /// moves.
    pub fn following(self, at: Point, map: Rect, w: f64, h: f64) -> Self {
        let corner = Point::new(
            map.right() * self.zoom + self.offset.x,
            map.bottom() * self.zoom + self.offset.y,
        );
        let is_whole = Rect::new(0.0, 0.0, w + 1.0, h + 1.0);
        // What lies under the buttons is not in sight.
        let h = (h - FOOT).max(h / 2.0);
        if is_whole.contains(self.offset) && is_whole.contains(corner) {
            return self;
        }
        let around = Rect::new(at.x - 60.0, at.y - 30.0, 120.0, 90.0);
        let shown = self.showing(around, w, h);
        // Along a side that has room for all of the map, the map stays; along the other it is not
        // moved beyond its edges.
        let along = |now: f64, new: f64, size: f64, room: f64| {
            let least = (room - size).min(0.0);
            if size <= room + 1.0 && now >= -1.0 && now + size <= room + 1.0 {
                now
            } else {
                new.clamp(least.min(now), now.max(0.0))
            }
        };
        let offset = Point::new(
            along(self.offset.x, shown.offset.x, map.right() * self.zoom, w),
            along(self.offset.y, shown.offset.y, map.bottom() * self.zoom, h),
        );
        Viewport { offset, ..shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Rect = Rect::new(0.0, 0.0, 1000.0, 2000.0);
    const STAGE: (f64, f64) = (800.0, 600.0);

    #[test]
    fn zooming_keeps_the_point_under_the_pointer() {
        let at = Point::new(300.0, 200.0);
        let before = Viewport { offset: Point::new(-40.0, 10.0), zoom: 0.8 };
        let after = before.zoomed(1.5, at, MAP, STAGE);
        let under = |view: Viewport| {
            ((at.x - view.offset.x) / view.zoom, (at.y - view.offset.y) / view.zoom)
        };
        let ((x, y), (x2, y2)) = (under(before), under(after));
        assert!((x - x2).abs() < 1e-9 && (y - y2).abs() < 1e-9);
    }

    #[test]
    fn a_map_as_wide_as_the_stage_is_never_made_smaller_than_can_be_read() {
        let map = Rect::new(0.0, 0.0, 800.0, 900.0);
        assert_eq!(Viewport::fit(map, 800.0, 600.0, (1.0, 1.0)).zoom, 1.0);
        let whole = Viewport::whole(map, 800.0, 600.0, 1.0);
        assert!(map.h * whole.zoom <= 600.0 && whole.zoom < 1.0);
        // A map of many nodes is wider than the stage: it is shown whole.
        let field = Rect::new(0.0, 0.0, 8000.0, 6000.0);
        let zoom = Viewport::fit(field, 800.0, 600.0, (1.0, 1.0)).zoom;
        assert_eq!(zoom, (600.0 - FOOT) / field.h);
    }

    #[test]
    fn all_of_the_largest_map_can_be_seen() {
        let field = Rect::new(0.0, 0.0, 14_000.0, 20_000.0);
        let mut view = Viewport::default();
        for _ in 0..40 {
            view = view.zoomed(0.8, Point::default(), field, STAGE);
        }
        assert!(view.zoom <= Viewport::whole(field, 800.0, 600.0, 1.0).zoom);
        assert_eq!(view.grain(), Grain::Far);
        assert!((11.0..17.0).contains(&(view.far_text() * view.zoom)));
    }

    #[test]
    fn what_is_drawn_of_a_large_map_has_all_that_is_in_sight_and_changes_seldom() {
        let mut regions: Vec<Rect> = Vec::new();
        for step in 0..200 {
            let offset = Point::new(-7.0 * f64::from(step), -3.0 * f64::from(step));
            let view = Viewport { offset, zoom: 0.7 };
            let (sight, region) = (view.sight(800.0, 600.0), view.region(800.0, 600.0));
            assert!(region.contains(Point::new(sight.x, sight.y)));
            assert!(region.contains(Point::new(sight.right(), sight.bottom())));
            assert!(region.w <= 2.0 * sight.w && region.h <= 2.0 * sight.h);
            if regions.last() != Some(&region) {
                regions.push(region);
            }
        }
        assert!(regions.len() < 25, "{}", regions.len());
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

    #[test]
    fn a_packet_moves_no_map_that_is_whole_and_shows_itself_on_one_that_is_not() {
        let small = Rect::new(0.0, 0.0, 800.0, 600.0);
        let at = Point::new(790.0, 595.0);
        assert_eq!(Viewport::default().following(at, small, 800.0, 600.0), Viewport::default());
        let moved = Viewport::default().following(Point::new(400.0, 900.0), MAP, 800.0, 600.0);
        assert_eq!(moved.offset, Point::new(0.0, -426.0));
        // Where only the height is too much, it moves up and down and never sideways.
        let tall = Rect::new(0.0, 0.0, 800.0, 2000.0);
        let view = Viewport { offset: Point::new(0.0, -100.0), zoom: 1.0 };
        for at in [Point::new(5.0, 300.0), Point::new(795.0, 1990.0), Point::new(30.0, 2.0)] {
            let moved = view.following(at, tall, 800.0, 600.0).offset;
            assert_eq!(moved.x, 0.0, "{at:?}");
            assert!((-1454.0..=0.0).contains(&moved.y), "{at:?} {moved:?}");
        }
    }
}
