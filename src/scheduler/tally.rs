//! How many pods of a selector are on each node, kept while pods come and go: spreading asks for
//! the same few selectors again and again, and counting anew would look at every pod each time.

use crate::api::{Object, Selector};
use crate::base::Map;
use crate::base::names::fnv64a;
use std::sync::Arc;

/// More selectors than this are not remembered: the oldest make room.
const MOST: usize = 8192;

/// The pods of one selector in one namespace.
#[derive(Clone, Debug)]
struct Tally {
    namespace: Arc<str>,
    selector: Selector,
    /// How many pods are on a node, by the node's place in the snapshot.
    on_node: Map<u32, u32>,
}

impl Tally {
    fn counts(&self, pod: &Object) -> bool {
        self.namespace == pod.meta.namespace && self.selector.matches(&pod.meta.labels)
    }
}

/// Everything that is being counted. What it says equals a count made anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    /// By a hash of the label pair that the selector requires, so that a pod finds those that may
    /// count it by its own labels.
    by_pair: Map<u64, Arc<Vec<Tally>>>,
}

fn pair_hash(namespace: &str, key: &str, value: &str) -> u64 {
    [namespace, "\0", key, "=", value].iter().fold(0, |hash, part| fnv64a(hash, part.as_bytes()))
}

fn hash_of(namespace: &str, selector: &Selector) -> Option<u64> {
    // Of several pairs the last in the alphabet: `pod-template-hash` says more than `app`.
    let (key, value) = selector.required_pairs().last()?;
    Some(pair_hash(namespace, key, value))
}

impl Tallies {
    /// How many pods of a selector each node has, by its place. `None` if that is not counted.
    pub(super) fn get(&self, namespace: &str, selector: &Selector) -> Option<&Map<u32, u32>> {
        let tallies = self.by_pair.get(&hash_of(namespace, selector)?)?;
        let is_it = |tally: &&Tally| *tally.namespace == *namespace && tally.selector == *selector;
        tallies.iter().find(is_it).map(|tally| &tally.on_node)
    }

    /// Starts to count a selector from what is there now. Does nothing with a selector that no
    /// label pair identifies.
    pub(super) fn begin(
        &mut self,
        namespace: &Arc<str>,
        selector: &Selector,
        on_node: Map<u32, u32>,
    ) {
        let Some(hash) = hash_of(namespace, selector) else { return };
        if self.by_pair.len() >= MOST {
            self.clear();
        }
        let tally = Tally { namespace: namespace.clone(), selector: selector.clone(), on_node };
        Arc::make_mut(self.by_pair.entry(hash).or_default()).push(tally);
    }

    /// A pod came to a node.
    pub(super) fn add(&mut self, place: u32, pod: &Object) {
        self.each(pod, |on_node| *on_node.entry(place).or_default() += 1);
    }

    /// A pod left a node.
    pub(super) fn remove(&mut self, place: u32, pod: &Object) {
        self.each(pod, |on_node| {
            if let Some(count) = on_node.get_mut(&place) {
                *count = count.saturating_sub(1);
            }
        });
    }

    /// Places mean other nodes now.
    pub(super) fn clear(&mut self) {
        self.by_pair.clear();
    }

    /// Pods that are on their way out count no more.
    fn each(&mut self, pod: &Object, mut change: impl FnMut(&mut Map<u32, u32>)) {
        if self.by_pair.is_empty() || pod.meta.is_terminating() {
            return;
        }
        for (key, value) in pod.meta.labels.iter() {
            let hash = pair_hash(&pod.meta.namespace, key, value);
            if let Some(tallies) = self.by_pair.get_mut(&hash) {
                for tally in Arc::make_mut(tallies) {
                    if tally.counts(pod) {
                        change(&mut tally.on_node);
                    }
                }
            }
        }
    }
}
