//! The way of a packet over the map, along the streets, through doors and netfilter.

use super::geometry::{Point, Rect};
use super::layout::{Layout, NodePlace};
use super::scene::{ClusterScene, External};
use super::story::Spot;
use crate::session::ObjectId;

/// The radius of a bend.
const BEND: f64 = 9.0;
/// How far a Pod's door is from its right corner, where no name is in the way.
const POD_DOOR: f64 = 9.0;
/// How far below the client a packet of its own is.
const CLIENT_DOOR: f64 = 8.0;
/// How far the lane inside of a node keeps from its left wall.
const LANE: f64 = 6.0;

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
        let (Some(mut out), Some(mut back)) = (map.way_out(from), map.way_out(to)) else {
            return Route::default();
        };
        if let (Spot::Client, Spot::Balancer(_)) | (Spot::Balancer(_), Spot::Client) = (from, to) {
            let (client, balancer) = match from {
                Spot::Client => (layout.client, back.first().copied()),
                _ => (layout.client, out.first().copied()),
            };
            let start = Point::new(client.right(), client.center().y);
            let end = balancer.unwrap_or(start);
            let way = [
                start,
                Point::new(client.right() + BEND, start.y),
                Point::new(client.right() + BEND, end.y),
                end,
            ];
            let mut points = way.to_vec();
            if *to == Spot::Client {
                points.reverse();
            }
            return Route::of(points.into_iter());
        }
        // Both ways lead to the street; what they share they need not go.
        let met = out.iter().position(|point| back.contains(point));
        match met {
            Some(at) => {
                let meeting = out.get(at).copied();
                out.truncate(at + 1);
                let end = back.iter().position(|point| Some(*point) == meeting).unwrap_or_default();
                back.truncate(end);
            }
            None => {
                let (a, b) = (out.last().copied(), back.last().copied());
                if let (Some(a), Some(b)) = (a, b)
                    && a.y != b.y
                {
                    out.push(Point::new(layout.trunk, a.y));
                    out.push(Point::new(layout.trunk, b.y));
                }
            }
        }
        back.reverse();
        Route::of(out.into_iter().chain(back))
    }

    fn of(points: impl Iterator<Item = Point>) -> Route {
        let mut points: Vec<Point> = points.collect();
        points.dedup();
        Route { points }
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

struct Map<'a> {
    scene: &'a ClusterScene,
    layout: &'a Layout,
}

impl Map<'_> {
    /// The way from a place out to the street, its first point the place itself.
    fn way_out(&self, spot: &Spot) -> Option<Vec<Point>> {
        let street = self.layout.nodes.iter().map(|node| node.street).min_by(f64::total_cmp)?;
        match spot {
            Spot::Client => {
                let rect = self.layout.client;
                let x = rect.center().x;
                // Just outside, so that the packet hides no address.
                Some(vec![Point::new(x, rect.bottom() + CLIENT_DOOR), Point::new(x, street)])
            }
            Spot::Balancer(ip) => {
                let address = External::Address(ip.clone());
                let (_, rect) = self.layout.balancers.iter().find(|(at, _)| {
                    self.scene.services.get(*at).is_some_and(|one| one.external == address)
                })?;
                let middle = rect.center();
                Some(vec![middle, Point::new(middle.x, street)])
            }
            Spot::Door(node) => Some(from_door(self.node(node)?)),
            Spot::Filter(node) => Some(from_filter(self.node(node)?)),
            Spot::Pod(pod) => {
                let (place, rect) = self.pod(pod)?;
                Some(from_pod(place, rect))
            }
            Spot::Elsewhere => None,
        }
    }

    fn node(&self, id: &ObjectId) -> Option<&NodePlace> {
        let mut nodes = self.scene.nodes.iter().zip(&self.layout.nodes);
        nodes.find(|(node, _)| node.id == *id).map(|(_, place)| place)
    }

    fn pod(&self, id: &ObjectId) -> Option<(&NodePlace, Rect)> {
        self.scene.nodes.iter().zip(&self.layout.nodes).find_map(|(node, place)| {
            let at = node.pods.iter().position(|pod| pod.id == *id)?;
            Some((place, place.pods.get(at).copied()?))
        })
    }
}

fn from_door(place: &NodePlace) -> Vec<Point> {
    vec![place.door, Point::new(place.door.x, place.street)]
}

fn from_filter(place: &NodePlace) -> Vec<Point> {
    let mut way = vec![Point::new(place.door.x, place.filter.center().y)];
    way.extend(from_door(place));
    way
}

/// Up out of the Pod, along the space above it to the lane at the wall, up to netfilter.
fn from_pod(place: &NodePlace, rect: Rect) -> Vec<Point> {
    let (x, lane) = (rect.right() - POD_DOOR.min(rect.w / 2.0), place.rect.x + LANE);
    let (above, below) = (rect.y - 4.0, place.filter.bottom() + 5.0);
    let mut way = vec![Point::new(x, rect.y), Point::new(x, above)];
    if above - below > BEND {
        way.push(Point::new(lane, above));
        way.push(Point::new(lane, below));
    }
    way.push(Point::new(place.door.x, below.min(above)));
    way.extend(from_filter(place));
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;
    use crate::session::{Model, Opening, Sample};

    fn map() -> (ClusterScene, Layout) {
        let opening = Opening { sample: Sample::Web, ..Opening::default() };
        let scene = crate::present::survey(&Model::new(opening).world);
        let layout = Layout::of(&scene, 700.0, 800.0);
        (scene, layout)
    }

    fn node(name: &str) -> ObjectId {
        ObjectId::new(Kind::Node, "", name)
    }

    #[test]
    fn between_nodes_a_packet_takes_the_doors_and_the_street() {
        let (scene, layout) = map();
        let (from, to) = (Spot::Filter(node("node-1")), Spot::Filter(node("node-3")));
        let route = Route::between(&scene, &layout, &from, &to);
        let places: Vec<f64> = route.points.iter().map(|point| point.y).collect();
        let place = &layout.nodes[1];
        let (inside, door) = (place.filter.center().y, place.door.y);
        assert_eq!(places, [inside, door, place.street, place.street, door, inside]);
    }

    #[test]
    fn into_a_node_it_does_not_go_back_to_the_street() {
        let (scene, layout) = map();
        let (from, to) = (Spot::Door(node("node-2")), Spot::Filter(node("node-2")));
        assert_eq!(Route::between(&scene, &layout, &from, &to).points.len(), 2);
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
