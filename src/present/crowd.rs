//! Thousands of nodes and Pods as one picture: tiles and dots, painted pixel by pixel.
//!
//! An element for each would be too much for a browser, and a call to its canvas for each too
//! slow; a picture in memory is neither. What cannot be told apart is not painted: tiles of a few
//! pixels show how full a node is, not its Pods.

use super::geometry::Rect;
use super::layout::{Layout, NodePlace};
use super::scene::{ClusterScene, Dot, NodeBox, NodeState, PodState, Usage};
use super::viewport::Viewport;

/// Red, green and blue.
pub type Colour = [u8; 3];

/// A tile that is narrower than this, in pixels, shows no Pods.
const LEAST_TILE: f64 = 18.0;
/// The Pods that a kubelet takes unless it is told otherwise.
const MOST_PODS: usize = 110;
/// A dot that is at least this wide, in pixels, shows its state by its shape.
const LEAST_SHAPE: i32 = 5;

/// The colours of the picture, those of the page's theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Colours {
    /// A node.
    pub node: Colour,
    /// Its outline.
    pub line: Colour,
    /// A gauge, and what is full of it.
    pub track: Colour,
    /// The full part of a gauge; Pods of the cluster itself.
    pub fill: Colour,
    /// What is nearly full.
    pub warn: Colour,
    /// What is full or fails.
    pub bad: Colour,
    /// The applications, by their place in the palette.
    pub apps: [Colour; 7],
}

/// A picture in memory: red, green, blue and opacity of each pixel, row by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// How many pixels a row has.
    pub width: usize,
    /// How many rows there are.
    pub height: usize,
    /// The pixels.
    pub pixels: Vec<u8>,
}

impl Picture {
    /// Paints the nodes in sight of `view`, for a stage of `w` by `h` with `density` pixels to a
    /// pixel of the stage.
    pub fn paint(
        &mut self,
        scene: &ClusterScene,
        layout: &Layout,
        view: Viewport,
        (w, h, density): (f64, f64, f64),
        colours: &Colours,
    ) {
        (self.width, self.height) = ((w * density) as usize, (h * density) as usize);
        self.pixels.clear();
        self.pixels.resize(self.width * self.height * 4, 0);
        let sight = view.sight(w, h);
        let mut brush = Brush { picture: self, view, density, colours };
        for (node, place) in scene.nodes.iter().zip(&layout.nodes) {
            if place.rect.overlaps(sight) {
                brush.node(node, place);
            }
        }
    }

    /// Fills a box, as far as it is on the picture.
    fn fill(&mut self, at: Pixels, [red, green, blue]: Colour) {
        let whole = Pixels { x: 0, y: 0, w: self.width as i32, h: self.height as i32 };
        let at = at.within(whole);
        let (from, to) = (at.x as usize * 4, (at.x + at.w) as usize * 4);
        let rows = self.pixels.chunks_exact_mut(self.width.max(1) * 4);
        for row in rows.skip(at.y as usize).take(at.h as usize) {
            let pixels = row.get_mut(from..to).unwrap_or_default();
            for pixel in pixels.chunks_exact_mut(4) {
                pixel.copy_from_slice(&[red, green, blue, 255]);
            }
        }
    }
}

/// A box of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pixels {
    x: i32,
    y: i32,
    w: i32,
    h: i32,
}

impl Pixels {
    fn within(self, other: Pixels) -> Pixels {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = (self.x + self.w).min(other.x + other.w);
        let bottom = (self.y + self.h).min(other.y + other.h);
        Pixels { x, y, w: (right - x).max(0), h: (bottom - y).max(0) }
    }

    const fn inset(self, by: i32) -> Pixels {
        let (w, h) = (self.w - 2 * by, self.h - 2 * by);
        Pixels {
            x: self.x + by,
            y: self.y + by,
            w: if w > 0 { w } else { 0 },
            h: if h > 0 { h } else { 0 },
        }
    }

    /// Its lower part, `percent` of its height, one pixel at least.
    const fn lower(self, percent: i32) -> Pixels {
        let h = (self.h * percent + 99) / 100;
        Pixels { y: self.y + self.h - h, h, ..self }
    }
}

struct Brush<'a> {
    picture: &'a mut Picture,
    view: Viewport,
    density: f64,
    colours: &'a Colours,
}

impl Brush<'_> {
    /// Where a box of the map is in the picture.
    fn place(&self, rect: Rect) -> Pixels {
        let at = |from: f64, offset: f64| {
            ((from * self.view.zoom + offset) * self.density).round() as i32
        };
        let (x, y) = (at(rect.x, self.view.offset.x), at(rect.y, self.view.offset.y));
        let (right, bottom) =
            (at(rect.right(), self.view.offset.x), at(rect.bottom(), self.view.offset.y));
        Pixels { x, y, w: (right - x).max(1), h: (bottom - y).max(1) }
    }

    fn node(&mut self, node: &NodeBox, place: &NodePlace) {
        let colours = self.colours;
        let tile = self.place(place.rect);
        let edge = match node.state {
            NodeState::Ready if node.cut_since.is_none() => colours.line,
            NodeState::Ready => colours.warn,
            _ => colours.bad,
        };
        self.picture.fill(tile, edge);
        // A node that is not well has a thicker wall, so that it is told without colour too.
        let wall = if edge == colours.line { 1 } else { 2 };
        let inside = tile.inset(wall.min(tile.w / 3));
        self.picture.fill(inside, colours.node);
        if f64::from(tile.w) < LEAST_TILE * self.density {
            self.picture.fill(inside.lower(share_taken(node)), full(&node.cpu, colours));
            if node.dots.iter().any(|dot| dot.state == PodState::Failed) {
                self.picture.fill(Pixels { h: inside.h.min(2), ..inside }, colours.bad);
            }
            return;
        }
        let gauge =
            Rect::new(place.rect.x + 14.0, place.rect.bottom() - 20.0, place.rect.w - 28.0, 8.0);
        let track = self.place(gauge);
        self.picture.fill(track, colours.track);
        let part = Pixels { w: track.w * i32::from(node.cpu.percent) / 100, ..track };
        self.picture.fill(part, full(&node.cpu, colours));
        for (number, dot) in node.dots.iter().enumerate() {
            let at = self.place(place.matrix.dot(number));
            self.dot(*dot, at);
        }
    }

    /// A Pod: full if it takes requests, hollow if not, its own shape where there is room.
    fn dot(&mut self, dot: Dot, at: Pixels) {
        let colours = self.colours;
        let app = colours.apps.get(usize::from(dot.colour)).copied().unwrap_or(colours.fill);
        let own = if dot.system { colours.fill } else { app };
        let colour = if dot.state == PodState::Failed { colours.bad } else { own };
        let pale = mixed(colour, colours.node);
        if at.w < LEAST_SHAPE || at.h < LEAST_SHAPE {
            let is_full = matches!(dot.state, PodState::Ready | PodState::Failed);
            self.picture.fill(at, if is_full { colour } else { pale });
            return;
        }
        let line = (at.w.min(at.h) / 5).max(1);
        match dot.state {
            PodState::Ready => self.picture.fill(at, colour),
            PodState::Failed => {
                self.picture.fill(at, colour);
                let gap =
                    Pixels { x: at.x + at.w / 2 - line / 2, w: line, y: at.y + line, h: at.h / 2 };
                self.picture.fill(gap, colours.node);
            }
            PodState::Completed => self.picture.fill(at, pale),
            PodState::Terminating | PodState::Unknown => {
                self.picture.fill(at, pale);
                self.picture.fill(at.inset(line).lower(100), colours.node);
                let bar = Pixels { y: at.y + at.h / 2 - line / 2, h: line, ..at };
                self.picture.fill(bar, colour);
            }
            PodState::Pending | PodState::Starting | PodState::NotReady => {
                self.picture.fill(at, colour);
                self.picture.fill(at.inset(line), colours.node);
                if dot.state != PodState::Pending {
                    self.picture.fill(at.inset(line).lower(50), pale);
                }
            }
        }
    }
}

/// How much of a node is taken, in percent: of its CPU, or of the Pods that a kubelet takes, whatever
/// is more.
fn share_taken(node: &NodeBox) -> i32 {
    let pods = i32::try_from(node.dots.len() * 100 / MOST_PODS).unwrap_or(100);
    pods.max(node.cpu.percent.into()).min(100)
}

/// The colour of the full part of a gauge.
const fn full(usage: &Usage, colours: &Colours) -> Colour {
    match usage.percent {
        100.. => colours.bad,
        80.. => colours.warn,
        _ => colours.fill,
    }
}

/// A colour two thirds of the way to another.
fn mixed(colour: Colour, ground: Colour) -> Colour {
    let mix = |a: u8, b: u8| u8::try_from((u16::from(a) + 2 * u16::from(b)) / 3).unwrap_or(b);
    let ([r, g, b], [to_r, to_g, to_b]) = (colour, ground);
    [mix(r, to_r), mix(g, to_g), mix(b, to_b)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::geometry::Point;
    use crate::session::{Model, Opening};

    const COLOURS: Colours = Colours {
        node: [250, 250, 250],
        line: [200, 200, 200],
        track: [220, 220, 220],
        fill: [90, 90, 90],
        warn: [200, 120, 0],
        bad: [200, 0, 0],
        apps: [[0, 0, 200], [1, 0, 0], [2, 0, 0], [3, 0, 0], [4, 0, 0], [5, 0, 0], [6, 0, 0]],
    };

    fn field() -> (ClusterScene, Layout) {
        let mut model = Model::new(Opening { nodes: Some(40), ..Opening::default() });
        for line in ["kubectl scale deployment web --replicas=200", "sleep 20", "node stop node-7"]
        {
            model.console.execute(&mut model.world, line, None);
        }
        let scene = crate::present::survey(&model.world, &Default::default());
        let layout = Layout::of(&scene, 690.0, 700.0);
        (scene, layout)
    }

    fn count(picture: &Picture, colour: Colour) -> usize {
        picture.pixels.chunks_exact(4).filter(|pixel| pixel[..3] == colour).count()
    }

    #[test]
    fn every_pod_is_a_dot_of_its_colour_where_the_layout_has_it() {
        let (scene, layout) = field();
        let mut picture = Picture::default();
        let view = Viewport { offset: Point::default(), zoom: 1.0 };
        picture.paint(&scene, &layout, view, (layout.size.w, layout.size.h, 1.0), &COLOURS);
        let web = |dot: &Dot| !dot.system && dot.state == PodState::Ready;
        let painted: f64 = scene
            .nodes
            .iter()
            .zip(&layout.nodes)
            .flat_map(|(node, place)| {
                let dots = node.dots.iter().enumerate();
                dots.map(|(number, dot)| (dot, place.matrix.dot(number)))
            })
            .filter(|(dot, _)| web(dot))
            .map(|(_, rect)| {
                (rect.right().round() - rect.x.round()) * (rect.bottom().round() - rect.y.round())
            })
            .sum();
        assert!(painted > 0.0);
        assert_eq!(count(&picture, COLOURS.apps[0]) as f64, painted);
        // Its node is cut off, and the control plane does not know it: told by the wall.
        assert!(count(&picture, COLOURS.warn) > 100);
    }

    #[test]
    fn from_very_far_a_tile_shows_how_full_its_node_is() {
        let (scene, layout) = field();
        let mut picture = Picture::default();
        let view = Viewport::whole(layout.size, 100.0, 100.0, 1.0);
        picture.paint(&scene, &layout, view, (100.0, 100.0, 1.0), &COLOURS);
        assert_eq!(count(&picture, COLOURS.apps[0]), 0);
        assert!(count(&picture, COLOURS.fill) > 0 && count(&picture, COLOURS.node) > 0);
    }

    #[test]
    fn what_is_out_of_sight_is_left_out_and_nothing_is_painted_outside() {
        let (scene, layout) = field();
        let mut picture = Picture::default();
        let view = Viewport { offset: Point::new(-1e6, 40.0), zoom: 1.0 };
        picture.paint(&scene, &layout, view, (50.0, 50.0, 2.0), &COLOURS);
        assert_eq!(picture.pixels.len(), 100 * 100 * 4);
        assert!(picture.pixels.iter().all(|byte| *byte == 0));
    }
}
