//! Where everything is on the map.
//!
//! From the top down: the world outside (a client, load balancers); in the cluster's frame the
//! Services, since all requests pass their addresses; the nodes with their Pods; Pods that wait for
//! a node; what people have asked for, by namespace; and the control plane, a slim strip. All
//! streets hang on one avenue along the left wall, a street to the right for each row, so that no
//! way crosses a box it does not lead to.
//!
//! What does not fit a stage is scrolled, not made smaller than can be read. Only with many nodes
//! the map is wider than the stage: then its shape is the stage's, so that all of it can be seen
//! from far.
//!
//! The same scene in the same space gives the same layout.
//!
//! Reading order: `outside.rs`, `lane.rs` (Services), `nodes.rs`, `plane.rs`, `tray.rs`, `shelf.rs`,
//! `items.rs` (what has a name).

mod items;
mod lane;
mod nodes;
mod outside;
mod plane;
mod shelf;
mod tray;

pub use items::Item;
pub use lane::Arrow;
pub use nodes::{Detail, Matrix, NOTE_H, NodePlace};
pub use shelf::{MOST_RECORDS, ShelfPlace};
pub use tray::GroupPlace;

use super::geometry::{Point, Rect};
use super::scene::ClusterScene;

/// With more nodes than this the map takes the shape of the stage and is seen from far.
const MOST_IN_COLUMNS: usize = 12;
/// The most that the nodes grow where the stage is higher than the map.
const MOST_SPARE: f64 = 70.0;
/// From the upper edge of the cluster's frame to what is in it.
const FRAME_HEAD: f64 = 32.0;

/// Where everything in a [`ClusterScene`] is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The size of the whole map.
    pub size: Rect,
    /// The street along the left wall that joins all others.
    pub avenue: f64,
    /// The client, above the avenue.
    pub client: Rect,
    /// Load balancers that have an address or wait for one: index into the Services, and place.
    pub balancers: Vec<(usize, Rect)>,
    /// The load balancer that people built; no width without one.
    pub hand_built: Rect,
    /// The frame of the cluster.
    pub cluster: Rect,
    /// The lane of Services and Ingresses; no height without any.
    pub lane: Rect,
    /// The Services, in the order of the scene.
    pub services: Vec<Rect>,
    /// The Ingresses, in the order of the scene.
    pub ingresses: Vec<Rect>,
    /// From each Ingress to its Services.
    pub arrows: Vec<Arrow>,
    /// The nodes, in the order of the scene.
    pub nodes: Vec<NodePlace>,
    /// The tray of Pods without a node; no height if there are none.
    pub tray: Rect,
    /// The groups in the tray.
    pub groups: Vec<GroupPlace>,
    /// The shelves, in the order of the scene.
    pub shelves: Vec<ShelfPlace>,
    /// The lamps of the control plane: API server, etcd, scheduler, controllers.
    pub lamps: Vec<Rect>,
    /// Whether there are so many nodes that the map is made to be seen from far.
    pub is_field: bool,
}

/// Fixed distances, smaller where there is little room.
#[derive(Clone, Copy, Debug)]
struct Spacing {
    /// From the map's edge to the cluster's frame.
    edge: f64,
    /// Between nodes.
    gap: f64,
    /// From the frame's left wall to what is inside; the avenue lies there.
    left: f64,
    /// From what is inside to the frame's right wall.
    right: f64,
}

impl Spacing {
    const fn of(width: f64) -> Self {
        if width < 480.0 {
            Spacing { edge: 6.0, gap: 10.0, left: 26.0, right: 10.0 }
        } else {
            Spacing { edge: 16.0, gap: 14.0, left: 34.0, right: 16.0 }
        }
    }
}

impl Layout {
    /// Lays a scene out for a stage of `width` by `height`. It may come out higher than the stage,
    /// and with many nodes wider too.
    pub fn of(scene: &ClusterScene, width: f64, height: f64) -> Layout {
        let width = width.max(320.0);
        if scene.nodes.len() > MOST_IN_COLUMNS {
            let width = nodes::width_of_field(scene, width, height);
            return Layout::place(scene, width, 0.0, true);
        }
        let tight = Layout::place(scene, width, 0.0, false);
        let spare = (height - tight.size.h).clamp(0.0, MOST_SPARE);
        if spare < 8.0 { tight } else { Layout::place(scene, width, spare, false) }
    }

    fn place(scene: &ClusterScene, width: f64, spare: f64, is_field: bool) -> Layout {
        let room = Spacing::of(width);
        let mut layout = Layout { is_field, ..Layout::default() };
        layout.avenue = room.edge + room.left / 2.0;
        let top = layout.place_outside(scene, width, room) + 14.0;
        layout.cluster = Rect::new(room.edge, top, width - 2.0 * room.edge, 0.0);
        let left = room.edge + room.left;
        let inside_w = width - room.edge - room.right - left;
        let inside = |y: f64| Rect::new(left, y, inside_w, 0.0);
        let mut end = layout.place_lane(scene, inside(top + FRAME_HEAD));
        end = layout.place_nodes(scene, inside(end), room, spare);
        end = layout.place_tray(scene, inside(end));
        end = layout.place_shelves(scene, inside(end));
        end = layout.place_plane(scene, inside(end));
        layout.cluster.h = end + 14.0 - top;
        layout.size = Rect::new(0.0, 0.0, width, layout.cluster.bottom() + 8.0);
        layout
    }

    /// The streets, as lines of which each begins on the avenue and ends at a door; the avenue
    /// itself is the first.
    pub fn streets(&self) -> Vec<Vec<Point>> {
        let mut ways = vec![vec![Point::new(self.avenue, self.client.bottom())]];
        let by_hand = (self.hand_built.w > 0.0).then_some(&self.hand_built);
        for rect in self.balancers.iter().map(|(_, rect)| rect).chain(by_hand) {
            ways.push(
                self.way_to(Point::new(rect.center().x, rect.bottom()), self.street_below(*rect)),
            );
        }
        for node in &self.nodes {
            ways.push(self.way_to(node.door, node.street));
        }
        let begins = ways.iter().filter_map(|way| way.first());
        let last = begins.map(|point| point.y).fold(self.client.bottom(), f64::max);
        if let Some(avenue) = ways.first_mut() {
            avenue.push(Point::new(self.avenue, last));
        }
        ways
    }

    /// From the avenue along a street to a door on it.
    fn way_to(&self, door: Point, street: f64) -> Vec<Point> {
        vec![Point::new(self.avenue, street), Point::new(door.x, street), door]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Model, Opening, Sample};

    /// The stages of common screens: projector, desktops, tablet, phones.
    const STAGES: [(f64, f64); 8] = [
        (922.0, 980.0),
        (691.0, 800.0),
        (655.0, 668.0),
        (820.0, 1020.0),
        (440.0, 1020.0),
        (390.0, 690.0),
        (360.0, 590.0),
        (600.0, 400.0),
    ];

    fn scenes() -> Vec<ClusterScene> {
        let mut scenes = Vec::new();
        for sample in Sample::ALL {
            let mut model = Model::new(Opening { sample, ..Opening::default() });
            for line in [
                "kubectl create namespace shop",
                "kubectl create deployment big --image=nginx --replicas=40 -n shop",
                "kubectl expose deployment big --port=80 --type=LoadBalancer -n shop",
                "kubectl create ingress two --class=nginx --rule=a.example/*=big:80 --rule=b.example/*=other:80 -n shop",
                "kubectl create configmap settings-of-the-shop --from-literal=a=b",
                "kubectl run waits --image=nginx --overrides='{\"spec\":{\"nodeSelector\":{\"no\":\"such\"}}}'",
                "sleep 15",
            ] {
                model.console.execute(&mut model.world, line, None);
            }
            scenes.push(crate::present::survey(&model.world, &Default::default()));
        }
        let model = Model::new(Opening { nodes: Some(60), ..Opening::default() });
        scenes.push(crate::present::survey(&model.world, &Default::default()));
        scenes
    }

    #[test]
    fn nothing_lies_on_anything_else_on_any_screen() {
        for scene in scenes() {
            for (w, h) in STAGES {
                let layout = Layout::of(&scene, w, h);
                let items: Vec<(Item<'_>, Rect)> = layout.items(&scene).collect();
                for (at, (item, rect)) in items.iter().enumerate() {
                    let whole = layout.size.inset(-0.5);
                    assert!(
                        whole.contains(Point::new(rect.x, rect.y)),
                        "{w}x{h}: {item:?} {rect:?}"
                    );
                    let end = Point::new(rect.right(), rect.bottom());
                    assert!(whole.contains(end), "{w}x{h}: {item:?} {rect:?}");
                    for (other, place) in items.iter().skip(at + 1) {
                        let contains = |a: Rect, b: Rect| {
                            a.contains(Point::new(b.x, b.y))
                                && a.contains(Point::new(b.right(), b.bottom()))
                        };
                        let apart = !rect.inset(0.5).overlaps(*place);
                        let nested = contains(*rect, *place) || contains(*place, *rect);
                        assert!(
                            apart || nested,
                            "{w}x{h}: {item:?} {rect:?} and {other:?} {place:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn no_street_and_no_arrow_crosses_a_box_that_it_does_not_lead_to() {
        for scene in scenes() {
            for (w, h) in STAGES {
                let layout = Layout::of(&scene, w, h);
                let arrows = layout.arrows.iter().map(|arrow| arrow.points.clone());
                for way in layout.streets().into_iter().chain(arrows) {
                    for (from, to) in way.iter().zip(way.iter().skip(1)) {
                        let line = Rect::new(
                            from.x.min(to.x),
                            from.y.min(to.y),
                            (from.x - to.x).abs(),
                            (from.y - to.y).abs(),
                        );
                        for (item, rect) in layout.items(&scene) {
                            let crosses = line.overlaps(rect.inset(1.0));
                            let thin =
                                Rect::new(line.x - 0.1, line.y - 0.1, line.w + 0.2, line.h + 0.2);
                            assert!(
                                !crosses && !thin.overlaps(rect.inset(1.0)),
                                "{w}x{h}: {item:?} {rect:?} {way:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_few_nodes_are_as_wide_as_the_stage_and_many_have_its_shape() {
        let few = Model::new(Opening::default());
        let layout =
            Layout::of(&crate::present::survey(&few.world, &Default::default()), 691.0, 800.0);
        assert_eq!((layout.size.w, layout.is_field), (691.0, false));
        let many = Model::new(Opening { nodes: Some(60), ..Opening::default() });
        let layout =
            Layout::of(&crate::present::survey(&many.world, &Default::default()), 691.0, 800.0);
        let shape = layout.size.w / layout.size.h;
        assert!((0.6..1.3).contains(&shape), "{:?}", layout.size);
    }

    #[test]
    fn the_opening_sample_fits_a_common_desktop() {
        let mut model = Model::new(Opening::default());
        model.console.execute(&mut model.world, "sleep 10", None);
        let scene = crate::present::survey(&model.world, &Default::default());
        let layout = Layout::of(&scene, 691.0, 800.0);
        assert!(layout.size.h <= 800.0, "{:?}", layout.size);
    }
}
