//! `-o`: how objects are printed when not as a table.

use super::columns;
use super::failure::Failure;
use super::flags::Flags;
use super::go_text::{go_syntax, indented_json};
use super::jsonpath::JsonPath;
use super::manifests::to_yaml;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::api::{Kind, Value};
use crate::base::SimTime;
use serde_json::json;

/// Prints objects as `-o` says: one alone, or a List. Not for tables.
///
/// # Errors
/// Unknown formats, wrong templates.
pub(crate) fn print_objects(
    flags: &Flags,
    objects: &[Value],
    as_list: bool,
    _now: SimTime,
) -> Result<String, Failure> {
    let format = flags.text("output");
    let (format, argument) = format.split_once('=').unwrap_or((format, flags.text("template")));
    let whole = || match objects {
        [one] if !as_list => one.clone(),
        many => json!({
            "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": many,
        }),
    };
    match format {
        "json" => Ok(indented_json(&whole()) + "\n"),
        "yaml" => Ok(to_yaml(&whole())),
        "name" => Ok(objects.iter().map(|object| name_of(object) + "\n").collect()),
        "jsonpath" | "jsonpath-as-json" => {
            if argument.is_empty() {
                let why = "template format specified but no template given";
                return Err(Failure::Plain(why.to_owned()));
            }
            jsonpath(argument, &whole(), format == "jsonpath-as-json")
        }
        "custom-columns" => columns::print(argument, objects, flags.on("no-headers")),
        "go-template" | "template" => Err(Failure::Plain(
            "this cluster in a browser tab knows jsonpath and custom-columns, but no Go templates"
                .into(),
        )),
        other => Err(unknown_format(other)),
    }
}

/// The error of a format that kubectl does not have.
pub(crate) fn unknown_format(format: &str) -> Failure {
    const ALLOWED: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";
    Failure::Plain(format!(
        "unable to match a printer suitable for the output format \"{format}\", allowed formats are: {ALLOWED}"
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

fn jsonpath(template: &str, value: &Value, as_json: bool) -> Result<String, Failure> {
    let path = JsonPath::parse(template)
        .map_err(|why| Failure::Plain(format!("error parsing jsonpath {template}, {why}")))?;
    if as_json {
        let found = path.find(value, true).map_err(|why| {
            Failure::Plain(format!("error executing jsonpath \"{template}\": {why}"))
        })?;
        return Ok(indented_json(&Value::Array(found)) + "\n");
    }
    path.print(value, true).map_err(|why| {
        let debug = format!(
            "Error executing template: {why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n\n",
            go_syntax(value)
        );
        let error = format!("error: error executing jsonpath {}: {why}\n\n", crate::api::error::go_quote(template));
        Failure::Verbatim(debug + &error)
    })
}

/// What a client shows of an object that it has not sent: the fields that Go's types always write.
pub(crate) fn complete_for_client(kind: Kind, value: &mut Value) {
    match kind {
        Kind::Service => value.put_default(&["status", "loadBalancer"], json!({})),
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
