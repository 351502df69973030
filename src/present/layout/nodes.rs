//! Nodes in rows, each row on a street; Pods in nodes.

use super::{Layout, Spacing};
use crate::present::geometry::{Point, Rect};
use crate::present::route::{ABOVE, BRIDGE};
use crate::present::scene::{ClusterScene, NodeBox};
use std::rc::Rc;

/// The smallest and the greatest width of a node.
const NODE_MIN_W: f64 = 146.0;
const NODE_MAX_W: f64 = 320.0;
/// The width of a node among many, the room for its Pods, and the sizes that their dots can have.
const FIELD_W: f64 = 172.0;
const FIELD_H: f64 = 94.0;
const FIELD_MARKS: [f64; 3] = [27.0, 18.5, MARK];
/// From the top of a node to its first Pod: below netfilter, and the way along it.
const NODE_HEAD: f64 = 55.0 + FILTER_H + BRIDGE + ABOVE;
const FILTER_H: f64 = 24.0;
/// From the last Pod of a node to its lower edge.
const NODE_FOOT: f64 = 38.0;
/// A line of taints or labels, above the foot.
pub const NOTE_H: f64 = 16.0;
/// A Pod in full, and the space after it.
const POD_H: f64 = 62.0;
const POD_GAP: f64 = 9.0;
/// The smallest width of a Pod in full.
const POD_MIN_W: f64 = 118.0;
/// A Pod in short: its state and the end of its name.
const SHORT_MIN_W: f64 = 70.0;
pub(super) const SHORT_H: f64 = 24.0;
pub(super) const SHORT_GAP: f64 = 6.0;
/// A Pod as a mark.
pub(super) const MARK: f64 = 13.0;
const MARK_GAP: f64 = 2.0;
/// The smallest width of a Pod of the cluster itself.
pub(super) const SYSTEM_MIN_W: f64 = 72.0;
/// From the street to the doors on it.
const STREET: f64 = 21.0;
/// From a row of nodes, or what is above the first, to the street of the next.
const ROW_GAP: f64 = 15.0;
/// From a node's wall to its Pods, where the lane to them is.
const WALL: f64 = 14.0;

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

/// A node's place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodePlace {
    /// All of it.
    pub rect: Rect,
    /// Where packets go in and out, on the upper edge.
    pub door: Point,
    /// The height of the street before the door.
    pub street: f64,
    /// The strip that stands for netfilter.
    pub filter: Rect,
    /// Its Pods, in the order of the scene, as far as they have chips.
    pub pods: Vec<Rect>,
    /// The dots that stand for its Pods where many nodes are seen from far, or by marks.
    pub matrix: Matrix,
    /// How its Pods are drawn; those of the cluster itself never in full.
    pub detail: Option<Detail>,
    /// Whether it is the strip of the control plane.
    pub is_strip: bool,
}

/// Dots of one size in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Matrix {
    /// The corner of the first.
    pub corner: Point,
    /// How many are in a row.
    pub columns: f64,
    /// The width and height of each.
    pub size: f64,
}

impl Matrix {
    /// Where the dot of a number is.
    pub fn dot(&self, at: usize) -> Rect {
        let (row, column) = ((at as f64 / self.columns).floor(), at as f64 % self.columns);
        let step = self.size + MARK_GAP;
        let (x, y) = (self.corner.x + column * step, self.corner.y + row * step);
        Rect::new(x, y, self.size, self.size)
    }
}

impl NodePlace {
    /// The parts that hang on the upper edge.
    pub(super) fn at(x: f64, y: f64, w: f64) -> Self {
        NodePlace {
            rect: Rect::new(x, y, w, 0.0),
            door: Point::new(x + w / 2.0, y),
            street: y - STREET,
            filter: Rect::new(x + WALL, y + 55.0, w - 2.0 * WALL, FILTER_H),
            ..NodePlace::default()
        }
    }
}

impl Layout {
    /// Places all nodes but the first control plane; returns where they end.
    pub(super) fn place_nodes(
        &mut self,
        scene: &ClusterScene,
        inside: Rect,
        room: Spacing,
        spare: f64,
    ) -> f64 {
        let plane = usize::from(scene.nodes.first().is_some_and(|node| node.control_plane));
        // The control plane comes first in the scene: its place is kept free here.
        self.nodes.resize(plane, NodePlace::default());
        let nodes = scene.nodes.get(plane..).unwrap_or_default();
        if nodes.is_empty() {
            return inside.y;
        }
        let fits = ((inside.w + room.gap) / (NODE_MIN_W + room.gap)).floor().max(1.0);
        let (per_row, w, height) = if self.is_field {
            let per_row = ((inside.w + room.gap) / (FIELD_W + room.gap)).floor().max(1.0);
            (per_row, FIELD_W, field(nodes).0)
        } else {
            let rows = (nodes.len() as f64 / fits).ceil();
            let per_row = (nodes.len() as f64 / rows).ceil();
            let w = ((inside.w + room.gap) / per_row - room.gap).min(NODE_MAX_W);
            (per_row, w, 0.0)
        };
        let left = match self.is_field {
            true => inside.x,
            false => inside.x + (inside.w - per_row * (w + room.gap) + room.gap) / 2.0,
        };
        let field_mark = if self.is_field { field(nodes).1 } else { MARK };
        let is_one_row = nodes.len() as f64 <= per_row;
        let mut y = inside.y + ROW_GAP + STREET;
        for row in nodes.chunks(per_row as usize) {
            let start = self.nodes.len();
            let mut tallest: f64 = height;
            for (column, node) in row.iter().enumerate() {
                let mut place = NodePlace::at(left + column as f64 * (w + room.gap), y, w);
                let body_h = if self.is_field { height - NODE_HEAD - NODE_FOOT } else { 0.0 };
                let body = Rect::new(place.rect.x + WALL, y + NODE_HEAD, w - 2.0 * WALL, body_h);
                let size = if self.is_field { field_mark } else { MARK };
                place.matrix = matrix(body, size);
                if !node.pods.is_empty() {
                    place.place_pods(node, body);
                }
                let end = place.pods.last().map_or(body.y + POD_H, |last| last.bottom());
                let notes = if self.is_field { 0.0 } else { notes(node) };
                tallest = tallest.max(end + NODE_FOOT + notes - y);
                self.nodes.push(place);
            }
            if is_one_row {
                tallest += spare;
            }
            for place in self.nodes.iter_mut().skip(start) {
                place.rect.h = tallest;
            }
            y += tallest + ROW_GAP + STREET;
        }
        y - ROW_GAP - STREET
    }
}

impl NodePlace {
    /// Whether a Pod is drawn with its name: one of the cluster's own keeps it in the row below
    /// others that are only marks, where there is one.
    pub fn has_name(&self, is_system: bool) -> bool {
        let has_row = || self.pods.last().is_some_and(|last| last.w > last.h);
        match self.detail {
            None => false,
            Some(Detail::Mark) => is_system && has_row(),
            Some(_) => true,
        }
    }

    /// Places a node's Pods into `body`, in as much detail as its height allows (as it needs, if it
    /// has none): the applications' from the top, those of the cluster itself small and below.
    fn place_pods(&mut self, node: &NodeBox, body: Rect) {
        let system = node.dots.iter().filter(|dot| dot.system).count() as f64;
        let count = node.dots.len() as f64 - system;
        let columns_of = |least: f64, gap: f64| ((body.w + gap) / (least + gap)).floor().max(1.0);
        let system_columns = columns_of(SYSTEM_MIN_W, SHORT_GAP);
        let system_h = (system / system_columns).ceil() * (SHORT_H + SHORT_GAP);
        let is_free = body.h == 0.0;
        let rows_of = |h: f64, gap: f64, least: f64| {
            if is_free { least } else { ((body.h - system_h + gap) / (h + gap)).floor().max(0.0) }
        };
        let (full, short) = (columns_of(POD_MIN_W, POD_GAP), columns_of(SHORT_MIN_W, SHORT_GAP));
        let (detail, columns, size, gap) = if count <= full * rows_of(POD_H, POD_GAP, 3.0) {
            let w = (body.w + POD_GAP) / full - POD_GAP;
            (Detail::Full, full, (w, POD_H), POD_GAP)
        } else if count <= short * rows_of(SHORT_H, SHORT_GAP, 8.0) {
            let w = (body.w + SHORT_GAP) / short - SHORT_GAP;
            (Detail::Short, short, (w, SHORT_H), SHORT_GAP)
        } else {
            (Detail::Mark, columns_of(MARK, MARK_GAP), (MARK, MARK), MARK_GAP)
        };
        self.detail = Some(detail);
        if detail == Detail::Mark && !is_free {
            self.pods = (0..node.dots.len()).map(|at| self.matrix.dot(at)).collect();
            return;
        }
        self.pods.extend(grid(count, columns, Point::new(body.x, body.y), size, gap));
        let end = self.pods.last().map_or(body.y, |last| last.bottom() + POD_GAP);
        let top = Point::new(body.x, end.max(body.bottom() - system_h));
        let w = (body.w + SHORT_GAP) / system_columns - SHORT_GAP;
        self.pods.extend(grid(system, system_columns, top, (w, SHORT_H), SHORT_GAP));
    }
}

/// The room that a node's taints and labels take, a line for each sort.
pub(super) fn notes(node: &NodeBox) -> f64 {
    let lines = u8::from(!node.taints.is_empty()) + u8::from(!node.labels.is_empty());
    f64::from(lines) * NOTE_H
}

/// `count` boxes of one size in rows.
pub(super) fn grid(
    count: f64,
    columns: f64,
    corner: Point,
    size: (f64, f64),
    gap: f64,
) -> impl Iterator<Item = Rect> {
    (0..count as usize).map(move |at| {
        let (row, column) = ((at as f64 / columns).floor(), at as f64 % columns);
        let (x, y) = (column * (size.0 + gap), row * (size.1 + gap));
        Rect::new(corner.x + x, corner.y + y, size.0, size.1)
    })
}

/// The dots of a node, as many in a row as fit.
fn matrix(body: Rect, size: f64) -> Matrix {
    let columns = ((body.w + MARK_GAP + 0.1) / (size + MARK_GAP)).floor().max(1.0);
    Matrix { corner: Point::new(body.x, body.y), columns, size }
}

/// The height of every node among many, and the size of its dots: as large as the fullest allows,
/// which has room for all of its Pods.
fn field(nodes: &[Rc<NodeBox>]) -> (f64, f64) {
    let most = nodes.iter().map(|node| node.dots.len()).max().unwrap_or_default() as f64;
    let body = Rect::new(0.0, 0.0, FIELD_W - 2.0 * WALL, 0.0);
    let height = |size: f64| (most / matrix(body, size).columns).ceil() * (size + MARK_GAP);
    let size = FIELD_MARKS.into_iter().find(|size| height(*size) <= FIELD_H).unwrap_or(MARK);
    (NODE_HEAD + height(size).max(FIELD_H) + NODE_FOOT, size)
}

/// The width of a map of many nodes whose shape is that of the stage.
pub(super) fn width_of_field(scene: &ClusterScene, width: f64, height: f64) -> f64 {
    let room = Spacing::of(width);
    let count = scene.nodes.len() as f64;
    let row = field(&scene.nodes).0 + ROW_GAP + STREET;
    let width_of =
        |columns: f64| 2.0 * room.edge + room.left + room.right + columns * (FIELD_W + room.gap);
    // What else there is takes a band above and below the nodes.
    let others = 420.0;
    let zoom = |columns: f64| {
        (width / width_of(columns)).min(height / ((count / columns).ceil() * row + others))
    };
    let most = count.sqrt().ceil() * 3.0;
    let mut best = (1.0, 0.0);
    let mut columns = 1.0;
    while columns <= most.min(count) {
        if zoom(columns) > best.1 {
            best = (columns, zoom(columns));
        }
        columns += 1.0;
    }
    width_of(best.0).max(width)
}
