//! The completion indexes of a Job: which are done, which have failed.
//!
//! Models pkg/controller/job/indexed_job_utils.go orderedIntervals.

use crate::api::Object;
use core::fmt;
use std::collections::BTreeSet;

/// The label and annotation that say which index a pod works on.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// A set of indexes; it is written as `0-2,5`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes(BTreeSet<i64>);

impl Indexes {
    /// Reads `0-2,5`, without what is not below `completions` or no number.
    pub(super) fn parse(text: &str, completions: i64) -> Self {
        let parts = text.split(',').filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse::<i64>().ok()?, last.parse::<i64>().ok()?);
            Some(first.max(0)..=last.min(completions - 1))
        });
        Indexes(parts.flatten().collect())
    }

    pub(super) fn insert(&mut self, index: i64) {
        self.0.insert(index);
    }

    pub(super) fn has(&self, index: i64) -> bool {
        self.0.contains(&index)
    }

    pub(super) fn count(&self) -> i64 {
        self.0.iter().fold(0, |count, _| count + 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of these are among `others`.
    pub(super) fn shared(&self, others: &Indexes) -> i64 {
        self.0.iter().filter(|index| others.has(**index)).fold(0, |count, _| count + 1)
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for index in &self.0 {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == *index => *last = *index,
                _ => ranges.push((*index, *index)),
            }
        }
        let text = |(first, last): &(i64, i64)| match last - first {
            0 => first.to_string(),
            1 => format!("{first},{last}"),
            _ => format!("{first}-{last}"),
        };
        f.write_str(&ranges.iter().map(text).collect::<Vec<_>>().join(","))
    }
}

/// The index that a pod works on; `None` for a pod without one.
pub(super) fn index_of(pod: &Object) -> Option<i64> {
    pod.meta.annotations.get(INDEX)?.parse().ok().filter(|index| *index >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_written_as_ranges() {
        for text in ["", "0", "0,1", "0-2", "0-2,5", "1,3,5-9"] {
            assert_eq!(Indexes::parse(text, 10).to_string(), text);
        }
    }

    #[test]
    fn indexes_beyond_the_completions_and_what_is_no_number_are_left_out() {
        for (text, completions, expected) in
            [("0-5", 3, "0-2"), ("1,4,9", 5, "1,4"), ("x,2", 5, "2"), ("7-9", 5, "")]
        {
            assert_eq!(Indexes::parse(text, completions).to_string(), expected, "{text}");
        }
    }
}
