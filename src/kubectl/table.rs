//! Tables of `kubectl get`: one a kind, with the columns that flags add.

use super::jsonpath::JsonPath;
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
    /// What the kind's definition has beside the name, if it is a custom one.
    pub(crate) columns: Option<Vec<Column>>,
}

/// A column that a CustomResourceDefinition names.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    header: String,
    path: Option<JsonPath>,
    is_date: bool,
    wide_only: bool,
}

/// The columns of a definition for the version that is shown; `None` if it names none.
pub(crate) fn columns_of(definition: &Object, version: &str) -> Option<Vec<Column>> {
    let versions = definition.spec().items_at(&["versions"]);
    let version = versions.iter().find(|one| one.str_at(&["name"]) == Some(version))?;
    let columns = version.items_at(&["additionalPrinterColumns"]);
    let read = |column: &Value| {
        let text = |key| column.str_at(&[key]).unwrap_or_default();
        Column {
            header: text("name").to_uppercase(),
            path: JsonPath::parse(&format!("{{{}}}", text("jsonPath"))).ok(),
            is_date: text("type") == "date",
            wide_only: column.int_at(&["priority"]).unwrap_or_default() > 0,
        }
    };
    (!columns.is_empty()).then(|| columns.iter().map(read).collect())
}

/// What a kind's table has: headers, each with whether only `-o wide` shows it, and a row's cells.
fn cells(value: &Value, kind: Kind, sight: &Sight, extras: &Extras) -> Vec<String> {
    let Some(columns) = &extras.columns else { return (printer(kind).row)(value, sight) };
    let name = value.str_at(&["metadata", "name"]).unwrap_or_default().to_owned();
    let cell = |column: &Column| {
        let found = column.path.as_ref().and_then(|path| path.print(value, true).ok());
        let found = found.unwrap_or_default();
        match column.is_date && !found.is_empty() {
            true => sight.since(Some(&found)),
            false => found,
        }
    };
    [name].into_iter().chain(columns.iter().map(cell)).collect()
}

fn headers(kind: Kind, extras: &Extras) -> Vec<(String, bool)> {
    let known = |(name, wide_only): &(&str, bool)| ((*name).to_owned(), *wide_only);
    match &extras.columns {
        None => printer(kind).columns.iter().map(known).collect(),
        Some(columns) => {
            let named = columns.iter().map(|column| (column.header.clone(), column.wide_only));
            [("NAME".to_owned(), false)].into_iter().chain(named).collect()
        }
    }
}

/// A cell as far as its first line goes.
///
/// Models staging/src/k8s.io/cli-runtime/pkg/printers/tableprinter.go printRows. Simplified: tabs,
/// which kubectl's columns are torn by, are blanks.
fn first_line(cell: &str) -> String {
    match cell.split_once(['\n', '\r', '\u{c}']) {
        Some((first, _)) => format!("{}...", first.replace('\t', " ")),
        None => cell.replace('\t', " "),
    }
}

/// The table of objects of one kind.
pub(crate) fn render(
    kind: Kind,
    objects: &[(&Object, &Value)],
    sight: &Sight,
    extras: &Extras,
) -> String {
    align(&lines(kind, objects, sight, extras), 6, 3)
}

/// The lines of the table, their cells parted by tabs.
pub(crate) fn lines(
    kind: Kind,
    objects: &[(&Object, &Value)],
    sight: &Sight,
    extras: &Extras,
) -> String {
    let headers = headers(kind, extras);
    let shown =
        |index: usize| headers.get(index).is_some_and(|(_, wide_only)| extras.wide || !wide_only);
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        text.push_str(&cells.join("\t"));
        text.push('\n');
    };
    let in_namespace = extras.namespaces;
    if !extras.no_headers {
        let mut cells = Vec::new();
        if in_namespace {
            cells.push("NAMESPACE".to_owned());
        }
        let columns = headers.iter().enumerate();
        cells
            .extend(columns.filter(|(index, _)| shown(*index)).map(|(_, column)| column.0.clone()));
        let label = |key: &String| key.rsplit('/').next().unwrap_or_default().to_uppercase();
        cells.extend(extras.label_columns.iter().map(label));
        if extras.show_labels {
            cells.push("LABELS".to_owned());
        }
        line(&cells);
    }
    for (object, value) in objects {
        let row = self::cells(value, kind, sight, extras);
        let mut cells = Vec::new();
        if in_namespace {
            cells.push(object.meta.namespace.to_string());
        }
        for (index, cell) in row.into_iter().enumerate().filter(|(index, _)| shown(*index)) {
            let is_name = headers.get(index).is_some_and(|(name, _)| name == "NAME");
            let one_line = first_line(&cell);
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
    text
}
