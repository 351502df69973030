//! What is wrong with a manifest: where, in Kubernetes' words, and in the page's.

use crate::text::{Lang, Text};

/// What would mend a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fix {
    /// This in place of what is marked.
    Value(String),
    /// These lines before a line.
    Insert {
        /// The line, from 1.
        line: u32,
        /// The lines, each with its end.
        text: String,
    },
    /// A line less.
    Remove {
        /// The line, from 1.
        line: u32,
    },
    /// A command of the console, before the manifests are applied again.
    Command(String),
}

impl Fix {
    /// What is written or done, in short.
    pub fn words(&self) -> &str {
        match self {
            Fix::Value(text) | Fix::Command(text) => text,
            Fix::Insert { text, .. } => text.trim(),
            Fix::Remove { .. } => "",
        }
    }
}

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
    /// What could be done, so that it works.
    pub fix: Option<Fix>,
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

    /// The source with the fix in place; `None` if there is no fix that is written.
    pub fn mend(&self, source: &str) -> Option<String> {
        match self.fix.as_ref()? {
            Fix::Value(new) => {
                let start = start_of(source, self.line);
                let line = source.get(start..)?.split('\n').next()?;
                let from = start.saturating_add(byte_column(line, self.from));
                let to = start.saturating_add(byte_column(line, self.to));
                Some(format!("{}{new}{}", source.get(..from)?, source.get(to..)?))
            }
            Fix::Insert { line, text } => {
                let (before, after) = source.split_at_checked(start_of(source, *line))?;
                let ends = before.is_empty() || before.ends_with('\n');
                let end = if ends { "" } else { "\n" };
                Some(format!("{before}{end}{text}{after}"))
            }
            Fix::Remove { line } => {
                let (from, to) =
                    (start_of(source, *line), start_of(source, line.saturating_add(1)));
                Some(format!("{}{}", source.get(..from)?, source.get(to..)?))
            }
            Fix::Command(_) => None,
        }
    }
}

/// Where a line, from 1, begins, in bytes; the end of the text if it has fewer.
fn start_of(source: &str, line: u32) -> usize {
    let before = line.saturating_sub(1) as usize;
    source.split_inclusive('\n').take(before).map(str::len).sum()
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
            let fix = fault.fix.as_ref().map(|fix| fix.words().to_owned());
            mended.push((fault.path.clone(), fix.unwrap_or_default()));
            update(&mut model, Msg::Fix(0));
            update(&mut model, Msg::Apply);
        }
        let expected = [
            ("spec.replicas", "3"),
            ("spec.template.spec.containers[0].port", "ports"),
            ("spec.template.metadata.labels[app]", "web"),
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

    #[test]
    fn a_field_that_nobody_knows_is_told_alike_while_it_is_written_and_when_it_is_applied() {
        let mut model = Model::new(Opening::default());
        let source = format!("{}\nfoo: [bar]\n", model.source);
        update(&mut model, Msg::Edit(source.into()));
        update(&mut model, Msg::Tick(500_000));
        let written = model.faults.clone();
        assert_eq!((written.len(), written[0].words.as_str()), (1, "unknown field \"foo\""));
        // The object exists: the server's answer begins with all that it was sent.
        update(&mut model, Msg::Apply);
        assert_eq!(model.faults, written);
    }
}
