//! What is wrong with a manifest: where, in Kubernetes' words, and in the page's.

use crate::text::{Lang, Text};

/// One thing that is wrong, or may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The line in the editor, from 1.
    pub line: u32,
    /// The first column of the place, from 0, in UTF-16 units as the browser counts.
    pub from: u32,
    /// The column after the place.
    pub to: u32,
    /// Whether the manifest works all the same.
    pub is_warning: bool,
    /// Kubernetes' own words.
    pub words: String,
    /// What it means, and what to do; filled in with `values`.
    pub explanation: Text,
    /// What the explanation's `{names}` stand for.
    pub values: Vec<(&'static str, String)>,
}

impl Fault {
    /// The explanation in a language.
    pub fn explain(&self, lang: Lang) -> String {
        let values: Vec<(&str, &dyn core::fmt::Display)> =
            self.values.iter().map(|(name, value)| (*name, value as _)).collect();
        lang.fill(self.explanation, &values)
    }
}
