//! The arrow keys: from one object on the map to the nearest in a direction.

use super::geometry::Rect;
use crate::session::ObjectId;

/// A direction on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To smaller y.
    Up,
    /// To greater y.
    Down,
    /// To smaller x.
    Left,
    /// To greater x.
    Right,
}

impl Direction {
    /// The direction of an arrow key by its name in the browser.
    pub fn of_key(key: &str) -> Option<Self> {
        Some(match key {
            "ArrowUp" => Direction::Up,
            "ArrowDown" => Direction::Down,
            "ArrowLeft" => Direction::Left,
            "ArrowRight" => Direction::Right,
            _ => return None,
        })
    }
}

/// The nearest object from `from` in a direction; straight ahead counts as nearer than aside.
/// `None` at the edge.
pub fn next<'a>(
    items: impl Iterator<Item = (&'a ObjectId, Rect)>,
    from: (&ObjectId, Rect),
    direction: Direction,
) -> Option<&'a ObjectId> {
    let anchor = |rect: Rect| (rect.x + rect.w / 2.0, rect.y + rect.h.min(40.0) / 2.0);
    let (x, y) = anchor(from.1);
    let score = |rect: Rect| {
        let (to_x, to_y) = anchor(rect);
        let (ahead, aside) = match direction {
            Direction::Up => (y - to_y, x - to_x),
            Direction::Down => (to_y - y, x - to_x),
            Direction::Left => (x - to_x, y - to_y),
            Direction::Right => (to_x - x, y - to_y),
        };
        (ahead > 1.0).then(|| ahead + 2.5 * aside.abs())
    };
    items
        .filter(|(id, _)| *id != from.0)
        .filter_map(|(id, rect)| Some((score(rect)?, id)))
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    #[test]
    fn arrows_go_to_the_nearest_straight_ahead_and_stop_at_the_edge() {
        let pod = |name| ObjectId::new(Kind::Pod, "default", name);
        let at = |x, y| Rect::new(x, y, 10.0, 10.0);
        let map = [
            (pod("a"), at(0.0, 0.0)),
            (pod("b"), at(100.0, 5.0)),
            (pod("c"), at(0.0, 80.0)),
            (pod("d"), at(60.0, 70.0)),
        ];
        let cases = [
            ("a", Direction::Right, Some("b")),
            ("a", Direction::Down, Some("c")),
            ("c", Direction::Right, Some("d")),
            ("a", Direction::Up, None),
        ];
        for (from, direction, to) in cases {
            let from = map.iter().find(|(id, _)| &*id.name == from).unwrap();
            let items = map.iter().map(|(id, rect)| (id, *rect));
            let found = next(items, (&from.0, from.1), direction).map(|id| &*id.name);
            assert_eq!(found, to, "{direction:?} of {}", from.0.name);
        }
    }
}
