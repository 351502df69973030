//! Tables of `kubectl get`: one a kind, with the columns that flags add.

use super::printers::{Sight, printer};
use super::tabwriter::align;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};

/// What flags add to a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// `-o wide`.
    pub(crate) wide: bool,
    /// A first column with the namespace.
    pub(crate) namespaces: bool,
    /// Names with their kind.
    pub(crate) with_kind: bool,
    /// `--show-labels`.
    pub(crate) show_labels: bool,
    /// `-L`.
    pub(crate) label_columns: Vec<String>,
    /// `--no-headers`.
    pub(crate) no_headers: bool,
}

/// The table of objects of one kind.
pub(crate) fn render(
    kind: Kind,
    objects: &[(&Object, &Value)],
    sight: &Sight,
    extras: &Extras,
) -> String {
    let printer = printer(kind);
    let shown = |index: usize| {
        printer.columns.get(index).is_some_and(|(_, wide_only)| extras.wide || !wide_only)
    };
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        text.push_str(&cells.join("\t"));
        text.push('\n');
    };
    let in_namespace = extras.namespaces && kind.namespaced();
    if !extras.no_headers {
        let mut cells = Vec::new();
        if in_namespace {
            cells.push("NAMESPACE".to_owned());
        }
        let columns = printer.columns.iter().enumerate();
        cells.extend(
            columns.filter(|(index, _)| shown(*index)).map(|(_, column)| column.0.to_owned()),
        );
        let label = |key: &String| key.rsplit('/').next().unwrap_or_default().to_uppercase();
        cells.extend(extras.label_columns.iter().map(label));
        if extras.show_labels {
            cells.push("LABELS".to_owned());
        }
        line(&cells);
    }
    for (object, value) in objects {
        let mut cells = Vec::new();
        if in_namespace {
            cells.push(object.meta.namespace.to_string());
        }
        let row = (printer.row)(value, sight);
        for (index, cell) in row.into_iter().enumerate().filter(|(index, _)| shown(*index)) {
            let is_name = printer.columns.get(index).is_some_and(|(name, _)| *name == "NAME");
            let one_line = cell.replace(['\n', '\t'], " ");
            cells.push(match extras.with_kind && is_name {
                true => format!("{}/{one_line}", kind.singular_group()),
                false => one_line,
            });
        }
        let labels = &object.meta.labels;
        cells.extend(
            extras.label_columns.iter().map(|key| labels.get(key).unwrap_or_default().to_owned()),
        );
        if extras.show_labels {
            cells.push(super::printers::map_text(value.at(&["metadata", "labels"]), ","));
        }
        line(&cells);
    }
    align(&text, 6, 3)
}
