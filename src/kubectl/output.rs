//! `-o`: how objects are printed when not as a table.

use super::call::Call;
use super::columns::Columns;
use super::failure::{Failure, Outcome, plain};
use super::go_template::GoTemplate;
use super::go_text::{compact_json, go_syntax, indented_json, scalar_text};
use super::jsonpath::JsonPath;
use super::kyaml::to_kyaml;
use super::manifests::to_yaml;
use crate::api::error::go_quote;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::base::order;
use serde_json::json;

/// What `-o` takes everywhere.
pub(crate) const FORMATS: &[&str] = &[
    "json",
    "yaml",
    "kyaml",
    "name",
    "go-template",
    "go-template-file",
    "template",
    "templatefile",
    "jsonpath",
    "jsonpath-as-json",
    "jsonpath-file",
];
/// What `kubectl get -o` takes.
pub(crate) const GET_FORMATS: &[&str] = &[
    "json",
    "yaml",
    "kyaml",
    "name",
    "go-template",
    "go-template-file",
    "template",
    "templatefile",
    "jsonpath",
    "jsonpath-as-json",
    "jsonpath-file",
    "custom-columns",
    "custom-columns-file",
    "wide",
];

/// How objects are printed.
#[derive(Clone, Debug)]
pub(crate) enum Printer {
    /// `-o json`.
    Json,
    /// `-o yaml`.
    Yaml,
    /// `-o kyaml`.
    Kyaml,
    /// `-o name`.
    Name,
    /// `-o jsonpath=…`.
    JsonPath { text: String, path: JsonPath, as_json: bool },
    /// `-o go-template=…`.
    GoTemplate(String, GoTemplate),
    /// `-o custom-columns=…`.
    Columns(Columns),
}

/// Objects to print: one, or a list of them.
#[derive(Clone, Debug)]
pub(crate) enum Objects {
    /// One by itself.
    One(Value),
    /// A List, with what its metadata are.
    List(Vec<Value>, Value),
}

impl Objects {
    /// A List as `kubectl get` makes it.
    pub(crate) fn list(items: Vec<Value>) -> Self {
        Objects::List(items, json!({"resourceVersion": ""}))
    }

    fn items(&self) -> &[Value] {
        match self {
            Objects::One(one) => core::slice::from_ref(one),
            Objects::List(items, _) => items,
        }
    }

    /// Each of them, to change.
    pub(crate) fn values_mut(&mut self) -> &mut [Value] {
        match self {
            Objects::One(value) => core::slice::from_mut(value),
            Objects::List(values, _) => values.as_mut_slice(),
        }
    }

    fn whole(&self) -> Value {
        match self {
            Objects::One(one) => one.clone(),
            Objects::List(items, metadata) => json!({
                "apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items,
            }),
        }
    }
}

impl Printer {
    /// The printer that `-o` and `--template` ask for, of these formats; `None` for the words and
    /// tables that a command prints of itself.
    ///
    /// Models staging/src/k8s.io/cli-runtime/pkg/genericclioptions/print_flags.go ToPrinter.
    ///
    /// # Errors
    /// Unknown formats, wrong templates.
    pub(crate) fn of(call: &Call<'_>, formats: &[&str]) -> Result<Option<Printer>, Failure> {
        let format = call.flags.text("output");
        let template = call.flags.text("template");
        let (name, argument) = match template {
            "" => format.split_once('=').unwrap_or((format, "")),
            template if format.is_empty() => ("go-template", template),
            template => (format, template),
        };
        let lower = format.to_lowercase();
        let simple = match lower.as_str() {
            "" if template.is_empty() => return Ok(None),
            "json" => Some(Printer::Json),
            "yaml" => Some(Printer::Yaml),
            "kyaml" => Some(Printer::Kyaml),
            "name" => Some(Printer::Name),
            "wide" if format == "wide" && formats.contains(&"wide") => return Ok(None),
            _ => None,
        };
        match simple {
            Some(simple) => Ok(Some(simple)),
            None => Printer::with_argument(call, formats, (format, name, argument)).map(Some),
        }
    }

    /// The printer of a format that takes an argument.
    #[inline(never)]
    fn with_argument(
        call: &Call<'_>,
        formats: &[&str],
        (format, name, argument): (&str, &str, &str),
    ) -> Result<Printer, Failure> {
        let takes_argument = name.contains("template") || name.contains('-') || name == "jsonpath";
        if !takes_argument || !formats.contains(&name) {
            return Err(unknown_format(format, formats));
        }
        if name.starts_with("custom-columns") {
            let columns = match name {
                "custom-columns" => Columns::of_words(argument, call.flags.on("no-headers"))?,
                _ => Columns::of_file(call, argument)?,
            };
            return Ok(Printer::Columns(columns));
        }
        if argument.is_empty() {
            return plain("template format specified but no template given");
        }
        let text = match name {
            "templatefile" | "go-template-file" | "jsonpath-file" => {
                let text = call.file(argument);
                text.map_err(|why| {
                    Failure::Plain(format!("error reading --template {argument}, {why}"))
                })?
            }
            _ => argument.to_owned(),
        };
        if name.starts_with("jsonpath") {
            let path = JsonPath::parse(&text)
                .map_err(|why| Failure::Plain(format!("error parsing jsonpath {text}, {why}")))?;
            return Ok(Printer::JsonPath { text, path, as_json: name.ends_with("json") });
        }
        let template = GoTemplate::parse(&text)
            .map_err(|why| Failure::Plain(format!("error parsing template {text}, {why}")))?;
        Ok(Printer::GoTemplate(text, template))
    }

    /// Prints: the text, and what went wrong after it.
    pub(crate) fn print(&self, call: &Call<'_>, objects: &Objects) -> (String, Outcome) {
        let missing_is_fine = call.flags.on("allow-missing-template-keys");
        let whole = || without_managed_fields(call, objects.whole());
        match self {
            Printer::Json => (indented_json(&whole()) + "\n", Ok(())),
            Printer::Yaml => (to_yaml(&whole()), Ok(())),
            Printer::Kyaml => (to_kyaml(&whole()), Ok(())),
            Printer::Name => {
                (objects.items().iter().map(|object| name_of(object) + "\n").collect(), Ok(()))
            }
            Printer::JsonPath { text, path, as_json } => {
                let value = objects.whole();
                let printed = match as_json {
                    true => path.print_json(&value, missing_is_fine),
                    false => path.print(&value, missing_is_fine),
                };
                match printed {
                    Ok(text) => (text, Ok(())),
                    Err(why) => (String::new(), Err(jsonpath_failure(text, &why, &value))),
                }
            }
            Printer::GoTemplate(text, template) => {
                let value = objects.whole();
                let (printed, outcome) = template.run(&value, missing_is_fine);
                let Err(why) = outcome else { return (printed, Ok(())) };
                let debug = format!(
                    "{printed}Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{text}\n\traw data was:\n\t\t{}\n\tobject given to template engine was:\n\t\t{}\n\n",
                    compact_json(&value),
                    scalar_text(&value)
                );
                (debug, plain(format!("error executing template {}: {why}", go_quote(text))))
            }
            Printer::Columns(columns) => match columns.print(objects.items()) {
                Ok(text) => (text, Ok(())),
                Err(why) => (String::new(), plain(why)),
            },
        }
    }
}

/// Models staging/src/k8s.io/cli-runtime/pkg/printers/jsonpath.go PrintObj.
fn jsonpath_failure(template: &str, why: &str, value: &Value) -> Failure {
    Failure::Plain(format!(
        "error executing jsonpath {}: Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
        go_quote(template),
        go_syntax(value)
    ))
}

/// Models staging/src/k8s.io/cli-runtime/pkg/printers/omitmanagedfields.go.
fn without_managed_fields(call: &Call<'_>, mut value: Value) -> Value {
    if !call.flags.on("show-managed-fields") {
        value.remove(&["metadata", "managedFields"]);
        for item in value.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            item.remove(&["metadata", "managedFields"]);
        }
    }
    value
}

/// The error of a format that a command does not have.
pub(crate) fn unknown_format(format: &str, formats: &[&str]) -> Failure {
    let mut formats = formats.to_vec();
    order::sort(&mut formats);
    Failure::Plain(format!(
        "unable to match a printer suitable for the output format {}, allowed formats are: {}",
        go_quote(format),
        formats.join(",")
    ))
}

/// `deployment.apps/web`.
pub(crate) fn name_of(object: &Value) -> String {
    let text = |key| object.str_at(&[key]).unwrap_or_default();
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
    let kind = Kind::of_manifest(text("apiVersion"), text("kind"));
    let kind = kind.map_or_else(|| text("kind").to_lowercase(), Kind::singular_group);
    format!("{kind}/{name}")
}

/// What a client shows of an object that it has not sent: the fields that Go's types always write.
pub(crate) fn complete_for_client(kind: Kind, value: &mut Value) {
    match kind {
        Kind::Service => value.put_default(&["status", "loadBalancer"], json!({})),
        Kind::PodDisruptionBudget => {
            for field in ["currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"]
            {
                value.put_default(&["status", field], json!(0));
            }
        }
        Kind::Pod
        | Kind::Job
        | Kind::CronJob
        | Kind::Deployment
        | Kind::ResourceQuota
        | Kind::Namespace => {
            value.put_default(&["status"], json!({}));
        }
        _ => {}
    }
}
