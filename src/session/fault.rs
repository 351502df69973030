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
    /// The path of the field it is about; empty if it is about none.
    pub path: String,
    /// What could stand at the place instead, so that it works.
    pub fix: Option<String>,
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

    /// The source with the fix in place; `None` if there is no fix.
    pub fn mend(&self, source: &str) -> Option<String> {
        let fix = self.fix.as_deref()?;
        let before = self.line.saturating_sub(1) as usize;
        let start: usize = source.split_inclusive('\n').take(before).map(str::len).sum();
        let line = source.get(start..)?.split('\n').next()?;
        let from = start.saturating_add(byte_column(line, self.from));
        let to = start.saturating_add(byte_column(line, self.to));
        Some(format!("{}{fix}{}", source.get(..from)?, source.get(to..)?))
    }
}

/// A column in UTF-16 units as one in bytes.
fn byte_column(line: &str, column: u32) -> usize {
    let mut units = 0_u32;
    for (at, c) in line.char_indices() {
        if units >= column {
            return at;
        }
        units = units.saturating_add(if c.len_utf16() == 2 { 2 } else { 1 });
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::super::{Applied, Model, Msg, Opening, Sample, update};

    #[test]
    fn the_broken_sample_is_mended_press_by_press() {
        let mut model = Model::new(Opening { sample: Sample::Broken, ..Opening::default() });
        let mut mended = Vec::new();
        while let Some(fault) = model.faults.first().filter(|_| mended.len() < 5) {
            mended.push((fault.path.clone(), fault.fix.clone().unwrap_or_default()));
            update(&mut model, Msg::Fix(0));
            update(&mut model, Msg::Apply);
        }
        let expected = [
            ("spec.replicas", "3"),
            ("spec.template.spec.containers[0].port", "ports"),
            ("spec.template.metadata.labels.app", "web"),
        ];
        let expected = expected.map(|(path, fix)| (path.to_owned(), fix.to_owned()));
        assert_eq!(mended, expected);
        assert!(matches!(model.applied, Applied::All { count: 1, .. }), "{:?}", model.faults);
    }

    #[test]
    fn a_fix_goes_where_the_browser_counts() {
        let mut model = Model::new(Opening::default());
        let text = "kind: Namespace\napiVersion: v1\nmetadata:\n  name: a\n  labels: {\"é\u{1f600}\": n, labels: x}\n";
        let source: std::rc::Rc<str> = text.replace("labels: {", "label: {").into();
        update(&mut model, Msg::Edit(source));
        update(&mut model, Msg::Tick(500_000));
        assert_eq!(model.faults.len(), 1, "{:?}", model.faults);
        update(&mut model, Msg::Fix(0));
        assert_eq!(&*model.source, text);
    }
}
