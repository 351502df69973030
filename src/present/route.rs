//! The way of a packet over the map, along the streets, through doors and netfilter.
//!
//! All ways hang on the avenue like branches on a trunk: from anywhere there is one way to its
//! upper end, and from a place to another the way goes to where theirs meet.

use super::geometry::{Point, Rect};
use super::layout::{Layout, NodePlace};
use super::scene::{ClusterScene, External};
use super::story::{Spot, Story};
use crate::session::ObjectId;

/// The radius of a bend.
const BEND: f64 = 7.0;
/// How far a Pod's door is from its right corner, where no name is in the way.
const POD_DOOR: f64 = 12.0;
/// How far below the client a packet of its own is, so that it hides no address.
const CLIENT_DOOR: f64 = 8.0;
/// The same below a load balancer.
const BALANCER_DOOR: f64 = 3.0;
/// How far the lane inside of a node keeps from its left wall.
pub const LANE: f64 = 7.0;
/// How far below netfilter the Pods are joined to the node.
pub const BRIDGE: f64 = 6.0;
/// How far the way inside of a node is above its Pods.
pub const ABOVE: f64 = 4.5;
/// How far from the middle of a street one keeps to the right.
const RIGHT: f64 = 2.4;

/// A way over the map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// Its corners.
    pub points: Vec<Point>,
}

impl Route {
    /// The way from one place to another; empty if either is not on the map.
    pub fn between(scene: &ClusterScene, layout: &Layout, from: &Spot, to: &Spot) -> Route {
        let map = Map { scene, layout };
        match (map.way_out(from), map.way_out(to)) {
            (Some(out), Some(back)) => Route { points: joined(out, back) }.on_the_right(),
            _ => Route::default(),
        }
    }

    /// How long it is.
    pub fn length(&self) -> f64 {
        self.legs().map(|(a, b)| a.distance(b)).sum()
    }

    fn legs(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        self.points.iter().zip(self.points.iter().skip(1)).map(|(a, b)| (*a, *b))
    }

    /// The part of it up to `share` (0 to 1) of its length; its end is where the packet is.
    pub fn part(&self, share: f64) -> Route {
        let mut left = self.length() * share.clamp(0.0, 1.0);
        let mut points: Vec<Point> = self.points.first().copied().into_iter().collect();
        for (a, b) in self.legs() {
            let length = a.distance(b);
            if left <= 0.0 {
                break;
            }
            points.push(a.towards(b, (left / length.max(0.001)).min(1.0)));
            left -= length;
        }
        Route { points }
    }

    /// Where it ends.
    pub fn end(&self) -> Option<Point> {
        self.points.last().copied()
    }

    /// Keeps to the right of the streets, so that a way there and a way back lie beside each
    /// other. Every leg is upright or level.
    fn on_the_right(self) -> Route {
        let legs: Vec<(Point, Point)> = self.legs().filter(|(a, b)| a != b).collect();
        let aside = |(a, b): (Point, Point)| {
            let (dx, dy) = ((b.x - a.x).signum(), (b.y - a.y).signum());
            // Down the page, the right is towards smaller x.
            if a.x == b.x { Point::new(-dy * RIGHT, 0.0) } else { Point::new(0.0, dx * RIGHT) }
        };
        let shift = |point: Point, by: Point| Point::new(point.x + by.x, point.y + by.y);
        let mut points = Vec::new();
        let mut before: Option<Point> = None;
        for leg in &legs {
            let by = aside(*leg);
            match before {
                // Around a corner both shifts hold; straight back, the way turns on the spot.
                Some(last) if (last.x == 0.0) != (by.x == 0.0) => {
                    points.push(shift(shift(leg.0, last), by));
                }
                Some(last) if last == by => {}
                Some(last) => points.extend([shift(leg.0, last), shift(leg.0, by)]),
                None => points.push(shift(leg.0, by)),
            }
            before = Some(by);
        }
        if let (Some(leg), Some(by)) = (legs.last(), before) {
            points.push(shift(leg.1, by));
        }
        points.dedup();
        Route { points }
    }

    /// The path as SVG writes it, its corners rounded.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for (at, point) in self.points.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| self.points.get(at));
            match (before, self.points.get(at + 1)) {
                (None, _) => path.push_str(&format!("M{:.1} {:.1}", point.x, point.y)),
                (Some(_), None) => path.push_str(&format!("L{:.1} {:.1}", point.x, point.y)),
                (Some(before), Some(after)) => {
                    let near = |other: Point| {
                        let distance = point.distance(other).max(0.001);
                        point.towards(other, (BEND / distance).min(0.5))
                    };
                    let (a, b) = (near(*before), near(*after));
                    path.push_str(&format!(
                        "L{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
                        a.x, a.y, point.x, point.y, b.x, b.y
                    ));
                }
            }
        }
        path
    }
}

/// Where a place is: the point at which a packet rests there.
pub fn anchor(scene: &ClusterScene, layout: &Layout, spot: &Spot) -> Option<Point> {
    Map { scene, layout }.way_out(spot)?.first().copied()
}

/// The port that a request came by, and the node that it entered there, once it has.
pub fn entry(story: &Story, hop: usize) -> Option<(ObjectId, u16)> {
    let mut hops = story.hops.iter().take(hop + 1).filter(|hop| !hop.is_reply);
    hops.find_map(|hop| match &hop.spot {
        Spot::Door(node) => Some((node.clone(), hop.address.rsplit(':').next()?.parse().ok()?)),
        _ => None,
    })
}

/// The way between two places whose ways to the trunk's end are known.
fn joined(mut out: Vec<Point>, mut back: Vec<Point>) -> Vec<Point> {
    let Some(mut fork) = out.pop().filter(|end| back.pop() == Some(*end)) else {
        return Vec::new();
    };
    // Both are walked from the trunk's end, as far as they go the same way.
    while let (Some(a), Some(b)) = (out.last().copied(), back.last().copied()) {
        let upright = a.x == fork.x && b.x == fork.x && (a.y > fork.y) == (b.y > fork.y);
        let level = a.y == fork.y && b.y == fork.y && (a.x > fork.x) == (b.x > fork.x);
        if !upright && !level {
            break;
        }
        let (to_a, to_b) = (fork.distance(a), fork.distance(b));
        fork = if to_a < to_b { a } else { b };
        if to_a <= to_b {
            out.pop();
        }
        if to_b <= to_a {
            back.pop();
        }
    }
    out.push(fork);
    back.reverse();
    out.extend(back);
    out.dedup();
    out
}

struct Map<'a> {
    scene: &'a ClusterScene,
    layout: &'a Layout,
}

impl Map<'_> {
    /// The way from a place out to the avenue's upper end, its first point the place itself.
    fn way_out(&self, spot: &Spot) -> Option<Vec<Point>> {
        let avenue = self.layout.avenue;
        let mut way = match spot {
            Spot::Client => Vec::new(),
            Spot::Balancer(ip) => {
                let address = External::Address(ip.clone());
                let own = self.layout.balancers.iter().find(|(at, _)| {
                    self.scene.services.get(*at).is_some_and(|one| one.external == address)
                });
                let by_hand = || {
                    let built = self.scene.hand_built.as_ref()?;
                    (built.address == *ip).then_some(&self.layout.hand_built)
                };
                let rect = own.map(|(_, rect)| rect).or_else(by_hand)?;
                let (x, street) = (rect.center().x, self.layout.street_below(*rect));
                vec![
                    Point::new(x, rect.bottom() + BALANCER_DOOR),
                    Point::new(x, street),
                    Point::new(avenue, street),
                ]
            }
            Spot::Door(node) => self.out_of_door(self.node(node)?),
            Spot::Filter(node) => self.out_of_filter(self.node(node)?),
            Spot::Bridge(node) => self.out_of_bridge(self.node(node)?),
            Spot::Pod(pod) => {
                let (place, rect) = self.pod(pod)?;
                self.out_of_pod(place, rect)
            }
            Spot::Elsewhere => return None,
        };
        way.push(Point::new(avenue, self.layout.client.bottom() + CLIENT_DOOR));
        Some(way)
    }

    fn node(&self, id: &ObjectId) -> Option<&NodePlace> {
        let mut nodes = self.scene.nodes.iter().zip(&self.layout.nodes);
        nodes.find(|(node, _)| node.id == *id).map(|(_, place)| place)
    }

    /// A Pod's place; in a crowd, that of its node's netfilter stands for it.
    fn pod(&self, id: &ObjectId) -> Option<(&NodePlace, Rect)> {
        self.scene.nodes.iter().zip(&self.layout.nodes).find_map(|(node, place)| {
            let at = node.pods.iter().position(|pod| pod.id == *id)?;
            Some((place, place.pods.get(at).copied()?))
        })
    }

    fn out_of_door(&self, place: &NodePlace) -> Vec<Point> {
        let (door, street) = (place.door, place.street);
        vec![door, Point::new(door.x, street), Point::new(self.layout.avenue, street)]
    }

    fn out_of_filter(&self, place: &NodePlace) -> Vec<Point> {
        let mut way = vec![Point::new(place.door.x, place.filter.center().y)];
        way.extend(self.out_of_door(place));
        way
    }

    fn out_of_bridge(&self, place: &NodePlace) -> Vec<Point> {
        let mut way = vec![Point::new(place.door.x, place.filter.bottom() + BRIDGE)];
        way.extend(self.out_of_filter(place));
        way
    }

    fn out_of_pod(&self, place: &NodePlace, rect: Rect) -> Vec<Point> {
        let mut way = way_from_pod(place, rect);
        way.extend(self.out_of_bridge(place));
        way
    }
}

/// Up out of a Pod, along the space above it to the lane at the wall, up to where the Pods are
/// joined to the node. In the strip of the control plane Pods stand beside netfilter.
pub fn way_from_pod(place: &NodePlace, rect: Rect) -> Vec<Point> {
    let x = rect.right() - POD_DOOR.min(rect.w / 2.0);
    let below = place.filter.bottom() + BRIDGE;
    if place.is_strip && rect.y < below {
        return vec![Point::new(x, rect.bottom()), Point::new(x, below)];
    }
    let (lane, above) = (place.rect.x + LANE, rect.y - ABOVE);
    let mut way = vec![Point::new(x, rect.y), Point::new(x, above)];
    if above - below > 1.0 {
        way.extend([Point::new(lane, above), Point::new(lane, below)]);
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::session::{Model, Opening, Sample};

    fn map() -> (ClusterScene, Layout) {
        let mut model = Model::new(Opening { sample: Sample::Web, ..Opening::default() });
        model.console.execute(&mut model.world, "sleep 30", None);
        let scene = crate::present::survey(&model.world, &Default::default());
        let layout = Layout::of(&scene, 700.0, 800.0);
        (scene, layout)
    }

    fn node(name: &str) -> ObjectId {
        ObjectId::new(Kind::Node, "", name)
    }

    fn spots(scene: &ClusterScene) -> Vec<Spot> {
        let nodes = scene.nodes.iter().map(|node| &node.id);
        let inside = nodes.flat_map(|id| {
            [Spot::Door(id.clone()), Spot::Filter(id.clone()), Spot::Bridge(id.clone())]
        });
        let pods = scene.nodes.iter().flat_map(|node| &node.pods);
        let outside = scene.services.iter().filter_map(|service| match &service.external {
            External::Address(ip) => Some(Spot::Balancer(ip.clone())),
            _ => None,
        });
        inside
            .chain(pods.map(|pod| Spot::Pod(pod.id.clone())))
            .chain(outside)
            .chain([Spot::Client])
            .collect()
    }

    #[test]
    fn between_nodes_a_packet_takes_the_doors_and_the_street() {
        let (scene, layout) = map();
        let (from, to) = (Spot::Filter(node("node-1")), Spot::Filter(node("node-3")));
        let route = Route::between(&scene, &layout, &from, &to);
        let place = &layout.nodes[1];
        let (inside, street) = (place.filter.center().y, place.street);
        let places: Vec<f64> = route.points.iter().map(|point| point.y).collect();
        assert_eq!(places, [inside, street + RIGHT, street + RIGHT, inside]);
    }

    #[test]
    fn into_a_node_it_does_not_go_back_to_the_street() {
        let (scene, layout) = map();
        let (from, to) = (Spot::Door(node("node-2")), Spot::Filter(node("node-2")));
        assert_eq!(Route::between(&scene, &layout, &from, &to).points.len(), 2);
    }

    #[test]
    fn the_way_there_and_the_way_back_lie_beside_each_other() {
        let (scene, layout) = map();
        let (client, balancer) = (Spot::Client, Spot::Balancer("203.0.113.11".into()));
        let there = Route::between(&scene, &layout, &client, &balancer);
        let back = Route::between(&scene, &layout, &balancer, &client);
        assert!(there.points.len() > 2);
        let apart = |a: &Point| {
            let near = |(from, to): (Point, Point)| {
                let (x, y) = (
                    a.x.clamp(from.x.min(to.x), from.x.max(to.x)),
                    a.y.clamp(from.y.min(to.y), from.y.max(to.y)),
                );
                a.distance(Point::new(x, y))
            };
            back.legs().map(near).fold(f64::MAX, f64::min)
        };
        assert!(there.points.iter().all(|point| apart(point) >= RIGHT), "{there:?} {back:?}");
    }

    #[test]
    fn no_way_crosses_a_box_that_it_does_not_use() {
        let (scene, layout) = map();
        let spots = spots(&scene);
        let own = |spot: &Spot| match spot {
            Spot::Door(id) | Spot::Filter(id) | Spot::Bridge(id) => Some(id.clone()),
            Spot::Pod(id) => scene
                .nodes
                .iter()
                .find(|node| node.pods.iter().any(|pod| pod.id == *id))
                .map(|node| node.id.clone()),
            _ => None,
        };
        for from in &spots {
            for to in &spots {
                let route = Route::between(&scene, &layout, from, to);
                assert!(from == to || !route.points.is_empty(), "{from:?} {to:?}");
                for (item, rect) in layout.items(&scene) {
                    let used = item.object().is_some_and(|id| {
                        [from, to].into_iter().any(|spot| own(spot).as_ref() == Some(id))
                    });
                    // Doors and lower edges are touched, never the inside.
                    let inside = rect.inset(if used { rect.w } else { 3.0 });
                    let crosses = route.legs().any(|(a, b)| {
                        let line = Rect::new(
                            a.x.min(b.x),
                            a.y.min(b.y),
                            (a.x - b.x).abs().max(0.1),
                            (a.y - b.y).abs().max(0.1),
                        );
                        inside.w > 0.0 && line.overlaps(inside)
                    });
                    assert!(!crosses, "{from:?} to {to:?} crosses {item:?}: {route:?} {rect:?}");
                }
            }
        }
    }

    #[test]
    fn half_of_a_way_ends_in_its_middle() {
        let points = vec![Point::new(0.0, 0.0), Point::new(10.0, 0.0), Point::new(10.0, 30.0)];
        let route = Route { points };
        assert_eq!(route.part(0.5).end(), Some(Point::new(10.0, 10.0)));
        assert_eq!(route.part(0.0).end(), Some(Point::new(0.0, 0.0)));
        assert_eq!(route.part(1.0).points, route.points);
    }

    #[test]
    fn what_is_not_on_the_map_has_no_way() {
        let (scene, layout) = map();
        let nowhere = Spot::Door(node("node-9"));
        assert_eq!(Route::between(&scene, &layout, &Spot::Client, &nowhere), Route::default());
    }
}
