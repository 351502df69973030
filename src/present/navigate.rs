//! The arrow keys: from one object on the map to the nearest in a direction.

use super::geometry::Rect;

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
pub fn next<T: PartialEq>(
    items: impl Iterator<Item = (T, Rect)>,
    from: (T, Rect),
    direction: Direction,
) -> Option<T> {
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
        .filter(|(item, _)| *item != from.0)
        .filter_map(|(item, rect)| Some((score(rect)?, item)))
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, item)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_go_to_the_nearest_straight_ahead_and_stop_at_the_edge() {
        let at = |x, y| Rect::new(x, y, 10.0, 10.0);
        let map = [
            ("a", at(0.0, 0.0)),
            ("b", at(100.0, 5.0)),
            ("c", at(0.0, 80.0)),
            ("d", at(60.0, 70.0)),
        ];
        let cases = [
            ("a", Direction::Right, Some("b")),
            ("a", Direction::Down, Some("c")),
            ("c", Direction::Right, Some("d")),
            ("a", Direction::Up, None),
        ];
        for (from, direction, to) in cases {
            let from = *map.iter().find(|(name, _)| *name == from).unwrap();
            let found = next(map.into_iter(), from, direction);
            assert_eq!(found, to, "{direction:?} of {}", from.0);
        }
    }
}
