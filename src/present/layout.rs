//! Where everything is on the map.
//!
//! Outside above, the cluster below. Nodes are columns whose doors face outwards, with a street
//! before them that all traffic takes; the control plane stands beside them (below them where the
//! map is narrow) and holds what are records, not places: Services and Ingresses. The same scene
//! in the same space gives the same layout, and a Pod that comes or goes moves only its column.

use super::geometry::{Point, Rect};
use super::scene::{ClusterScene, External, IngressChip, NodeBox, ServiceChip};
use crate::session::ObjectId;

/// The smallest width of a node's column.
const NODE_MIN_W: f64 = 148.0;
/// The greatest width of a node's column.
const NODE_MAX_W: f64 = 300.0;
/// From the top of a node to its first Pod.
const NODE_HEAD: f64 = 92.0;
/// From the top of the control plane, where it lies below the nodes, to its records.
const PLANE_HEAD: f64 = 128.0;
/// From the last Pod of a node to its lower edge.
const NODE_FOOT: f64 = 48.0;
/// A Pod in full, and the space after it.
const POD_H: f64 = 62.0;
const POD_GAP: f64 = 8.0;
/// The smallest widths of a Pod in full and in short.
const POD_MIN_W: f64 = 122.0;
const SHORT_MIN_W: f64 = 70.0;
/// A Pod in short: its state and the end of its name.
const SHORT_H: f64 = 26.0;
/// A Pod as a mark.
const MARK: f64 = 13.0;
/// The most rows of names in the tray of Pods that wait; more are marks.
const MOST_TRAY_ROWS: f64 = 4.0;
/// The smallest width of a Pod of the cluster itself.
const SYSTEM_MIN_W: f64 = 118.0;
/// From the street to the doors on it.
const STREET: f64 = 20.0;
/// From the lower edge of a row of nodes to the doors of the next.
const ROW_GAP: f64 = 40.0;
/// Room below the map for the buttons that lie over it.
const FOOT: f64 = 50.0;
/// From the upper edge of the map to the client, and the height of what is outside.
const TOP: f64 = 6.0;
const OUTSIDE_H: f64 = 44.0;
/// The width the control plane takes beside the nodes.
const ASIDE_W: f64 = 188.0;
/// Below this width the control plane goes below the nodes.
const ASIDE_FROM: f64 = 700.0;

/// How much of a Pod is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Name, IP, state and containers.
    Full,
    /// State and the end of the name.
    Short,
    /// A mark in its colour and shape.
    Mark,
}

/// A node's column.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePlace {
    /// All of it.
    pub rect: Rect,
    /// Where packets go in and out: the middle of the open ports on the upper edge.
    pub door: Point,
    /// The height of the street before the door.
    pub street: f64,
    /// The strip that stands for netfilter.
    pub filter: Rect,
    /// Its Pods, in the order of the scene.
    pub pods: Vec<Rect>,
    /// How its Pods are drawn; those of the cluster itself never in full.
    pub detail: Detail,
}

/// Where everything in a [`ClusterScene`] is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The size of the whole map.
    pub size: Rect,
    /// The client.
    pub client: Rect,
    /// Load balancers that have an address or wait for one: index into the Services, and place.
    pub balancers: Vec<(usize, Rect)>,
    /// The frame of the cluster.
    pub cluster: Rect,
    /// The lane at the left edge that joins the streets of several rows of nodes.
    pub trunk: f64,
    /// The nodes, in the order of the scene.
    pub nodes: Vec<NodePlace>,
    /// The heading over the Services: its lower left corner.
    pub services_label: Point,
    /// The Services, in the order of the scene.
    pub services: Vec<Rect>,
    /// The heading over the Ingresses.
    pub ingresses_label: Point,
    /// The Ingresses, in the order of the scene.
    pub ingresses: Vec<Rect>,
    /// The tray of Pods without a node; no height if there are none.
    pub tray: Rect,
    /// The Pods in the tray.
    pub waiting: Vec<Rect>,
    /// Whether there are so many of them that each is but a mark.
    pub is_crowded: bool,
}

/// Fixed distances, smaller where there is little room.
#[derive(Clone, Copy)]
struct Spacing {
    edge: f64,
    gap: f64,
    inner: f64,
}

impl Layout {
    /// Lays a scene out for a stage of `width` by `height`. It may come out higher than the stage.
    pub fn of(scene: &ClusterScene, width: f64, height: f64) -> Layout {
        let width = width.max(320.0);
        let height = height - FOOT;
        let room = if width < 480.0 {
            Spacing { edge: 8.0, gap: 10.0, inner: 10.0 }
        } else {
            Spacing { edge: 20.0, gap: 16.0, inner: 16.0 }
        };
        let mut layout = Layout { size: Rect::new(0.0, 0.0, width, height), ..Layout::default() };
        let frame_top = layout.place_outside(scene, width) + 26.0;
        layout.cluster = Rect::new(room.edge, frame_top, width - 2.0 * room.edge, 0.0);
        let inside = Rect::new(
            room.edge + room.inner,
            frame_top + 32.0,
            layout.cluster.w - 2.0 * room.inner,
            (height - room.edge - room.inner - frame_top - 32.0).max(0.0),
        );
        let inside = layout.place_tray(scene, inside, room);
        layout.trunk = layout.cluster.x + room.inner / 2.0;
        let inside = Rect { y: inside.y + 30.0, h: inside.h - 30.0, ..inside };
        let bottom = layout.place_cluster(scene, inside, room);
        layout.cluster.h = bottom + room.inner - layout.cluster.y;
        layout.size.h = layout.cluster.bottom() + FOOT;
        layout
    }

    /// Places the client, and the load balancers to its right; returns where they end.
    fn place_outside(&mut self, scene: &ClusterScene, width: f64) -> f64 {
        let edge = if width < 480.0 { 10.0 } else { 24.0 };
        let balanced: Vec<usize> = (0..scene.services.len())
            .filter(|&at| scene.services.get(at).is_some_and(|one| one.external != External::None))
            .collect();
        let client_w = 138.0;
        if balanced.is_empty() {
            self.client = Rect::new((width - client_w) / 2.0, TOP, client_w, OUTSIDE_H);
            return self.client.bottom();
        }
        let gap = if width < 480.0 { 24.0 } else { 44.0 };
        let room = width - 2.0 * edge - client_w - gap;
        let each = 168.0_f64.min(room);
        let per_row = ((room + 12.0) / (each + 12.0)).floor().clamp(1.0, balanced.len() as f64);
        let row = per_row * (each + 12.0) - 12.0;
        let left = (width - client_w - gap - row) / 2.0;
        self.client = Rect::new(left, TOP, client_w, OUTSIDE_H);
        let from = self.client.right() + gap;
        for (place, at) in balanced.into_iter().enumerate() {
            let (line, column) = ((place as f64 / per_row).floor(), place as f64 % per_row);
            let corner = Point::new(from + column * (each + 12.0), TOP + line * (OUTSIDE_H + 10.0));
            self.balancers.push((at, Rect::new(corner.x, corner.y, each, OUTSIDE_H)));
        }
        self.balancers.last().map_or(TOP, |(_, last)| last.bottom())
    }

    /// Puts the Pods without a node into a tray at the top of `inside`; returns what is left of it.
    fn place_tray(&mut self, scene: &ClusterScene, inside: Rect, room: Spacing) -> Rect {
        if scene.waiting.is_empty() {
            return inside;
        }
        let in_a_row =
            |w: f64, gap: f64| ((inside.w - 2.0 * room.inner + gap) / (w + gap)).floor().max(1.0);
        self.is_crowded = scene.waiting.len() as f64 > MOST_TRAY_ROWS * in_a_row(128.0, 8.0);
        let (w, h, gap) = if self.is_crowded { (MARK, MARK, 4.0) } else { (128.0, SHORT_H, 8.0) };
        let per_row = in_a_row(w, gap);
        for at in 0..scene.waiting.len() {
            let (row, column) = ((at as f64 / per_row).floor(), at as f64 % per_row);
            let corner = Point::new(inside.x + room.inner, inside.y + 30.0);
            self.waiting.push(Rect::new(
                corner.x + column * (w + gap),
                corner.y + row * (h + gap.min(6.0)),
                w,
                h,
            ));
        }
        let end = self.waiting.last().map_or(inside.y, |last| last.bottom()) + 12.0;
        self.tray = Rect::new(inside.x, inside.y, inside.w, end - inside.y);
        let used = self.tray.h + room.gap;
        Rect { y: inside.y + used, h: inside.h - used, ..inside }
    }

    /// Places nodes and control plane; returns the lower edge of the lowest.
    fn place_cluster(&mut self, scene: &ClusterScene, inside: Rect, room: Spacing) -> f64 {
        let has_control_plane = scene.nodes.first().is_some_and(|node| node.control_plane);
        let others = scene.nodes.len().saturating_sub(1) as f64;
        let needed = ASIDE_W + others.min(6.0) * (NODE_MIN_W + 30.0 + room.gap);
        let beside = has_control_plane && inside.w >= needed.max(ASIDE_FROM);
        if !has_control_plane {
            return self.place_columns(&scene.nodes, inside, room);
        }
        let (first, others) = scene.nodes.split_at(1);
        let plane_h = if beside { 0.0 } else { self.plane_height(scene, inside) + ROW_GAP };
        let inside = Rect { h: (inside.h - plane_h).max(0.0), ..inside };
        let aside = if beside { ASIDE_W } else { inside.w };
        let columns = if beside {
            let x = inside.x + ASIDE_W + room.gap;
            Rect { x, w: inside.right() - x, ..inside }
        } else {
            inside
        };
        // The control plane comes first in the scene, so its place is kept free here.
        self.nodes.push(NodePlace::empty());
        let columns_end = self.place_columns(others, columns, room);
        let top = if beside { inside.y } else { columns_end + ROW_GAP };
        let mut place = NodePlace::head(Rect::new(inside.x, top, aside, 0.0));
        let records = Rect::new(inside.x + 12.0, top + NODE_HEAD + 56.0, aside - 24.0, 0.0);
        let records = if beside { records } else { Rect { y: top + PLANE_HEAD, ..records } };
        let end = self.place_records(scene, records);
        let pods_end = first.first().map_or(end, |node| {
            let (pods, detail) = place_pods(node, Rect { y: end, ..records }, 0.0);
            let pods_end = pods.last().map_or(end, |last| last.bottom() + 12.0);
            (place.pods, place.detail) = (pods, detail);
            pods_end
        });
        let bottom = if beside { columns_end.max(pods_end) } else { pods_end };
        place.rect.h = bottom - top;
        if beside {
            for column in self.nodes.iter_mut().filter(|n| n.rect.bottom() == columns_end) {
                column.rect.h += bottom - columns_end;
            }
        }
        if let Some(kept) = self.nodes.first_mut() {
            *kept = place;
        }
        bottom
    }

    fn place_columns(&mut self, nodes: &[NodeBox], inside: Rect, room: Spacing) -> f64 {
        if nodes.is_empty() {
            return inside.y + 120.0;
        }
        let fits = ((inside.w + room.gap) / (NODE_MIN_W + room.gap)).floor().max(1.0);
        let per_row = fits.min(nodes.len() as f64);
        let w = ((inside.w + room.gap) / per_row - room.gap).min(NODE_MAX_W);
        let rows = (nodes.len() as f64 / per_row).ceil();
        let fill = if rows > 1.0 { 0.0 } else { (inside.h - 4.0).min(430.0) };
        let left = inside.x + (inside.w - per_row * (w + room.gap) + room.gap) / 2.0;
        let mut y = inside.y;
        for row in nodes.chunks(per_row as usize) {
            let start = self.nodes.len();
            let mut tallest: f64 = fill.max(NODE_HEAD + NODE_FOOT + POD_H);
            for (column, node) in row.iter().enumerate() {
                let rect = Rect::new(left + column as f64 * (w + room.gap), y, w, 0.0);
                let mut place = NodePlace::head(rect);
                let body =
                    Rect::new(rect.x + 12.0, y + NODE_HEAD, w - 24.0, fill - NODE_HEAD - NODE_FOOT);
                (place.pods, place.detail) = place_pods(node, body, body.h);
                let end = place.pods.last().map_or(body.y, |last| last.bottom());
                tallest = tallest.max(end + NODE_FOOT - y);
                self.nodes.push(place);
            }
            for place in self.nodes.iter_mut().skip(start) {
                place.rect.h = tallest;
            }
            y += tallest + ROW_GAP;
        }
        y - ROW_GAP
    }

    /// The height of the control plane below the nodes, all its records included.
    fn plane_height(&self, scene: &ClusterScene, inside: Rect) -> f64 {
        let mut trial = Layout::default();
        let strip = Rect::new(inside.x + 12.0, PLANE_HEAD, inside.w - 24.0, 0.0);
        let end = trial.place_records(scene, strip);
        let body = Rect { y: end, ..strip };
        let pods = scene.nodes.first().map(|node| place_pods(node, body, 0.0).0);
        pods.and_then(|pods| pods.last().map(|last| last.bottom() + 12.0)).unwrap_or(end)
    }

    /// Places Services and Ingresses into a strip; returns where they end.
    fn place_records(&mut self, scene: &ClusterScene, strip: Rect) -> f64 {
        let mut y = strip.y;
        if !scene.services.is_empty() {
            self.services_label = Point::new(strip.x, y);
            let heights = scene.services.iter().map(service_height);
            (self.services, y) = flow(strip, y + 10.0, heights);
            y += 24.0;
        }
        if !scene.ingresses.is_empty() {
            self.ingresses_label = Point::new(strip.x, y);
            (self.ingresses, y) = flow(strip, y + 10.0, scene.ingresses.iter().map(ingress_height));
            y += 16.0;
        }
        y
    }
}

impl Layout {
    /// Everything on the map that has a name, with its place, from the top down.
    pub fn items<'a>(
        &'a self,
        scene: &'a ClusterScene,
    ) -> impl Iterator<Item = (&'a ObjectId, Rect)> + 'a {
        let waiting = scene.waiting.iter().map(|one| &one.id).zip(self.waiting.iter().copied());
        let services = scene.services.iter().map(|one| &one.id).zip(self.services.iter().copied());
        let ingresses =
            scene.ingresses.iter().map(|one| &one.id).zip(self.ingresses.iter().copied());
        let nodes = scene.nodes.iter().zip(&self.nodes).flat_map(|(node, place)| {
            let pods = node.pods.iter().map(|pod| &pod.id).zip(place.pods.iter().copied());
            core::iter::once((&node.id, place.rect)).chain(pods)
        });
        waiting.chain(nodes).chain(services).chain(ingresses)
    }

    /// Where an object is.
    pub fn place_of(&self, scene: &ClusterScene, id: &ObjectId) -> Option<Rect> {
        self.items(scene).find(|(one, _)| *one == id).map(|(_, rect)| rect)
    }
}

impl NodePlace {
    fn empty() -> Self {
        Self::head(Rect::default())
    }

    /// The parts that hang on the upper edge.
    fn head(rect: Rect) -> Self {
        NodePlace {
            rect,
            door: Point::new(rect.x + rect.w / 2.0, rect.y),
            street: rect.y - STREET,
            filter: Rect::new(rect.x + 12.0, rect.y + 56.0, rect.w - 24.0, 22.0),
            pods: Vec::new(),
            detail: Detail::Full,
        }
    }
}

/// Places a node's Pods into `body`, in as much detail as `height` allows: the applications' from
/// the top, those of the cluster itself small and at the bottom.
fn place_pods(node: &NodeBox, body: Rect, height: f64) -> (Vec<Rect>, Detail) {
    let columns_of = |least: f64, gap: f64| ((body.w + gap) / (least + gap)).floor().max(1.0);
    let of_cluster = node.pods.iter().filter(|pod| pod.system).count();
    let count = node.pods.len().saturating_sub(of_cluster) as f64;
    let system_columns = columns_of(SYSTEM_MIN_W, 5.0);
    let system_rows = (of_cluster as f64 / system_columns).ceil();
    let system_h = system_rows * (SHORT_H + 5.0);
    let height_left = height - system_h;
    let rows_of =
        |h: f64, gap: f64, least: f64| ((height_left + gap) / (h + gap)).floor().max(least);
    let full = columns_of(POD_MIN_W, POD_GAP);
    let short = columns_of(SHORT_MIN_W, 5.0);
    let (detail, columns, h, gap) = if count <= full * rows_of(POD_H, POD_GAP, 4.0) {
        (Detail::Full, full, POD_H, POD_GAP)
    } else if count <= short * rows_of(SHORT_H, 5.0, 8.0) {
        (Detail::Short, short, SHORT_H, 5.0)
    } else {
        (Detail::Mark, columns_of(MARK, 4.0), MARK, 4.0)
    };
    let w = if detail == Detail::Mark { MARK } else { (body.w + gap) / columns - gap };
    let grid = |at: usize, columns: f64, corner: Point, size: (f64, f64), gap: f64| {
        let (row, column) = ((at as f64 / columns).floor(), at as f64 % columns);
        let (x, y) = (column * (size.0 + gap), row * (size.1 + gap));
        Rect::new(corner.x + x, corner.y + y, size.0, size.1)
    };
    let top = Point::new(body.x, body.y);
    let mut places: Vec<Rect> =
        (0..count as usize).map(|at| grid(at, columns, top, (w, h), gap)).collect();
    let end = places.last().map_or(body.y, |last| last.bottom() + POD_GAP);
    let system_top = Point::new(body.x, end.max(body.y + height - system_h));
    let system_w = (body.w + 5.0) / system_columns - 5.0;
    let system =
        (0..of_cluster).map(|at| grid(at, system_columns, system_top, (system_w, SHORT_H), 5.0));
    places.extend(system);
    (places, detail)
}

/// Places boxes of these heights side by side in `strip` from `top` on; returns them and their end.
fn flow(strip: Rect, top: f64, heights: impl Iterator<Item = f64>) -> (Vec<Rect>, f64) {
    let gap = 8.0;
    let columns = ((strip.w + gap) / (150.0 + gap)).floor().max(1.0);
    let w = (strip.w + gap) / columns - gap;
    let (mut rects, mut y, mut row_h, mut column) = (Vec::new(), top, 0.0_f64, 0.0);
    for h in heights {
        if column == columns {
            (y, row_h, column) = (y + row_h + gap, 0.0, 0.0);
        }
        rects.push(Rect::new(strip.x + column * (w + gap), y, w, h));
        row_h = row_h.max(h);
        column += 1.0;
    }
    (rects, y + row_h)
}

fn service_height(service: &ServiceChip) -> f64 {
    let ways_in = service.ports.iter().any(|(_, node_port)| node_port.is_some());
    if ways_in || service.external != External::None { 58.0 } else { 44.0 }
}

fn ingress_height(ingress: &IngressChip) -> f64 {
    30.0 + 15.0 * ingress.rules.len().clamp(1, 3) as f64
}
