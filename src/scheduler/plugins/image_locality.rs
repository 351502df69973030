//! Nodes that have the pod's large images already are better.

use super::super::framework::{MAX_NODE_SCORE, Normalization};
use super::{Cycle, NodeInfo, Scores};
use std::borrow::Cow;
use std::sync::Arc;

const NAME: &str = "ImageLocality";
const MIB: i64 = 1024 * 1024;
const LEAST: i64 = 23 * MIB;
const MOST_A_CONTAINER: i64 = 1000 * MIB;

pub(super) fn score(cycle: &Cycle<'_>, nodes: &[&Arc<NodeInfo>]) -> Scores {
    let containers = cycle.spec.init_containers.iter().chain(&cycle.spec.containers);
    let images: Vec<_> = containers.map(|container| with_tag(&container.image)).collect();
    let most = MOST_A_CONTAINER * i64::try_from(images.len()).unwrap_or(1);
    if nodes.iter().all(|node| node.images.is_empty()) {
        let raw = vec![Some(0); nodes.len()];
        return Scores { plugin: NAME, weight: 1, raw, normalization: Normalization::None };
    }
    let all = cycle.snapshot.nodes();
    let has = |node: &NodeInfo, image: &str| {
        node.images.iter().find(|(name, _)| name == image).map(|(_, size)| *size)
    };
    // How many nodes have each of the pod's images.
    let spread: Vec<usize> = images
        .iter()
        .map(|image| all.iter().filter(|node| has(node, image).is_some()).count())
        .collect();
    let points = |node: &&Arc<NodeInfo>| {
        let sizes = images
            .iter()
            .zip(&spread)
            .filter_map(|(image, on)| Some(scaled(has(node, image)?, *on, all.len())));
        MAX_NODE_SCORE * (sizes.sum::<i64>().clamp(LEAST, most) - LEAST) / (most - LEAST)
    };
    Scores {
        plugin: NAME,
        weight: 1,
        raw: nodes.iter().map(|node| Some(points(node))).collect(),
        normalization: Normalization::None,
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "as upstream")]
fn scaled(size: i64, nodes_with: usize, nodes: usize) -> i64 {
    (size as f64 * (nodes_with as f64 / nodes as f64)) as i64
}

fn with_tag(image: &str) -> Cow<'_, str> {
    if image.rfind(':') <= image.rfind('/') {
        return Cow::Owned(format!("{image}:latest"));
    }
    Cow::Borrowed(image)
}
