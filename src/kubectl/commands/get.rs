//! `kubectl get`.

use super::watch;
use crate::api::tree::Tree as _;
use crate::api::{Kind, Object, Value};
use crate::base::order;
use crate::kubectl::call::{Call, shown};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::jsonpath::JsonPath;
use crate::kubectl::output::{self, GET_FORMATS, Objects, Printer};
use crate::kubectl::printers::Sight;
use crate::kubectl::table::{Extras, columns_of, render};
use crate::kubectl::{columns, resources};
use core::cmp::Ordering;
use std::sync::Arc;

/// Lists or shows objects.
pub(crate) fn get(call: &mut Call<'_>) -> Outcome {
    let named = !call.args.is_empty();
    let filters = ["watch", "watch-only"].iter().any(|flag| call.flags.on(flag))
        || call.flags.get("selector").is_some();
    let rules = [
        (named, "arguments may not be passed when --raw is specified"),
        (
            filters,
            "--raw may not be specified with other flags that filter the server request or alter the output",
        ),
    ];
    if let Some(outcome) = super::raw::raw(call, "GET", &rules) {
        return outcome;
    }
    if call.args.is_empty() && !call.has_files() {
        return Err(Failure::Verbatim(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\nerror: Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples".into(),
        ));
    }
    if call.flags.on("watch") || call.flags.on("watch-only") {
        let (kind, chosen) = watch::subject(call)?;
        return watch::watch(call, kind, chosen, None);
    }
    let mut found = resources::find(call)?;
    if call.flags.on("ignore-not-found") {
        found.failures.retain(|failure| !failure.is_not_found());
    }
    for why in found.kinds.iter().copied().filter_map(crate::store::deprecation) {
        call.warn(format!("Warning: {why}"));
    }
    let mut objects: Vec<(Arc<Object>, Value)> =
        found.objects.iter().map(|object| (object.clone(), shown(object))).collect();
    let sort_by = call.flags.text("sort-by").to_owned();
    let printer = Printer::of(call, GET_FORMATS)?;
    if !sort_by.is_empty() {
        let is_table = printer.is_none();
        if is_table && has_several_tables(call, &found) {
            return Err(no_field(&columns::relaxed(&sort_by)?));
        }
        match sort(&mut objects, &sort_by) {
            // kubectl says nothing of it if what it sorts are the rows of a table.
            Err(_) if is_table => objects.truncate(usize::from(objects.len() == 1)),
            outcome => outcome?,
        }
    }
    let Some(printer) = printer else {
        tables(call, &found.kinds, &objects, !found.failures.is_empty());
        return Failure::of(found.failures);
    };
    if objects.is_empty() && found.single {
        return Failure::of(found.failures);
    }
    let mut values: Vec<Value> = objects.into_iter().map(|(_, value)| value).collect();
    let objects = match values.len() {
        1 if found.single => Objects::One(values.remove(0)),
        _ => Objects::list(values),
    };
    if let Err(failure) = call.print(&printer, &objects) {
        found.failures.push(failure);
    }
    Failure::of(found.failures)
}

fn tables(call: &mut Call<'_>, kinds: &[Kind], objects: &[(Arc<Object>, Value)], failed: bool) {
    if objects.is_empty() {
        if failed || call.flags.on("ignore-not-found") {
            return;
        }
        let namespaced = kinds.iter().all(|kind| kind.namespaced());
        let text = match namespaced && !call.all_namespaces() {
            true => format!("No resources found in {} namespace.", call.namespace()),
            false => "No resources found".to_owned(),
        };
        call.warn(text);
        return;
    }
    let mut extras = extras(call);
    extras.with_kind |= kinds.len() > 1;
    let sight = Sight { now: call.world.now(), wide: extras.wide };
    let mut first = true;
    for group in objects.chunk_by(|a, b| a.0.kind == b.0.kind) {
        let Some(kind) = group.first().map(|(object, _)| object.kind) else { continue };
        if !first {
            call.out.push('\n');
        }
        first = false;
        let rows: Vec<(&Object, &Value)> =
            group.iter().map(|(object, value)| (&**object, value)).collect();
        let definition = call.world.store().definition_of(kind);
        extras.columns =
            definition.and_then(|definition| columns_of(definition, kind.resource().version));
        let text = render(kind, &rows, &sight, &extras);
        call.out.push_str(&text);
    }
}

/// What the flags add to a table.
pub(super) fn extras(call: &Call<'_>) -> Extras {
    Extras {
        wide: call.flags.text("output") == "wide",
        namespaces: call.all_namespaces(),
        with_kind: call.flags.on("show-kind"),
        show_labels: call.flags.on("show-labels"),
        label_columns: call.flags.list("label-columns"),
        no_headers: call.flags.on("no-headers"),
        columns: None,
    }
}

/// Whether the server sent more than one table. kubectl looks for the field in the tables
/// themselves then, where it never is.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/get.go RuntimeSorter.Sort.
fn has_several_tables(call: &Call<'_>, found: &resources::Found) -> bool {
    let is_named = call.args.len() > 2 || call.args.iter().any(|arg| arg.contains('/'));
    let is_each = is_named || call.flags.given("filename");
    found.kinds.len() > 1 || (is_each && found.objects.len() > 1)
}

fn no_field(template: &str) -> Failure {
    let text = format!("couldn't find any field with path \"{template}\" in the list of objects");
    Failure::Plain(text)
}

/// Models staging/src/k8s.io/kubectl/pkg/cmd/get/sorter.go.
fn sort(objects: &mut [(Arc<Object>, Value)], field: &str) -> Outcome {
    let template = columns::relaxed(field)?;
    let path = JsonPath::parse(&template).map_err(Failure::Plain)?;
    let key =
        |value: &Value| path.find(value, true).ok().and_then(|found| found.into_iter().next());
    if !objects.is_empty() && objects.iter().all(|(_, value)| key(value).is_none()) {
        return Err(no_field(&template));
    }
    let quantities = objects.iter().all(|(_, value)| {
        key(value).is_none_or(|key| key.as_str().is_some_and(|text| quantity(text).is_some()))
    });
    order::sort_by(objects, |(_, a), (_, b)| compare(key(a).as_ref(), key(b).as_ref(), quantities));
    Ok(())
}

fn quantity(text: &str) -> Option<i64> {
    crate::base::Quantity::parse(text).ok().map(|quantity| quantity.milli_value())
}

/// A total order: what has no value, then numbers, texts, and the rest. `quantities` says that all
/// the texts are amounts such as `100m`.
fn compare(a: Option<&Value>, b: Option<&Value>, quantities: bool) -> Ordering {
    let class = |value: Option<&Value>| match value {
        None | Some(Value::Null) => 0,
        Some(Value::Number(_)) => 1,
        Some(Value::String(_)) => 2,
        Some(_) => 3,
    };
    class(a).cmp(&class(b)).then_with(|| match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            let number = |value: &serde_json::Number| value.as_f64().unwrap_or_default();
            number(a).total_cmp(&number(b))
        }
        (Some(Value::String(a)), Some(Value::String(b))) if quantities => {
            quantity(a).cmp(&quantity(b))
        }
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(a), Some(b)) => {
            crate::kubectl::go_text::scalar_text(a).cmp(&crate::kubectl::go_text::scalar_text(b))
        }
        _ => Ordering::Equal,
    })
}

/// Which events `kubectl events` prints.
#[derive(Debug)]
pub(crate) struct Wanted {
    about: Option<(Kind, String)>,
    /// `normal`, `warning`; all if empty.
    types: Vec<String>,
}

impl Wanted {
    fn new(call: &Call<'_>) -> Result<Self, Failure> {
        let about = match call.flags.get("for") {
            None => None,
            Some(text) if !text.contains('/') => {
                return crate::kubectl::failure::plain("--for must be in resource/name form");
            }
            Some(text) => match resources::queries(call.world.store(), &[text.to_owned()])?
                .into_iter()
                .next()
            {
                Some(resources::Query::Named(kind, name)) => Some((kind, name)),
                _ => return crate::kubectl::failure::plain("--for must be in resource/name form"),
            },
        };
        let types: Vec<String> =
            call.flags.list("types").iter().map(|text| text.to_lowercase()).collect();
        if types.iter().any(|one| !["normal", "warning"].contains(&one.as_str())) {
            return crate::kubectl::failure::plain("valid --types are Normal or Warning");
        }
        Ok(Wanted { about, types })
    }

    pub(super) fn has(&self, object: &Object) -> bool {
        object.event().is_some_and(|event| {
            let of_type = if event.warning { "warning" } else { "normal" };
            let wanted = self.types.is_empty() || self.types.iter().any(|wanted| wanted == of_type);
            let is_about = self.about.as_ref().is_none_or(|(kind, name)| {
                event.involved.kind == *kind && *event.involved.name == **name
            });
            wanted && is_about
        })
    }
}

/// `kubectl events`: what happened, oldest first.
///
/// Models staging/src/k8s.io/kubectl/pkg/cmd/events/events.go.
pub(crate) fn events(call: &mut Call<'_>) -> Outcome {
    let wanted = Wanted::new(call)?;
    if call.flags.on("watch") {
        let chosen = resources::Chosen::new(call, Kind::Event, None)?;
        return watch::watch(call, Kind::Event, chosen, Some(wanted));
    }
    let namespace = call.namespace();
    let all = call.all_namespaces();
    let mut objects: Vec<Arc<Object>> = call
        .world
        .store()
        .list(Kind::Event)
        .filter(|object| all || *object.meta.namespace == *namespace)
        .filter(|object| wanted.has(object))
        .cloned()
        .collect();
    order::sort_by_key(&mut objects, |object| object.event().map(|event| event.last_timestamp));
    let values: Vec<Value> = objects.iter().map(|object| shown(object)).collect();
    if let Some(printer) = Printer::of(call, output::FORMATS)? {
        return call.print(&printer, &Objects::list(values));
    }
    if objects.is_empty() {
        let text = match all {
            true => "No events found.".to_owned(),
            false => format!("No events found in {namespace} namespace."),
        };
        call.warn(text);
        return Ok(());
    }
    let lines = event_lines(call, &values, call.flags.on("no-headers"));
    call.out.push_str(&crate::kubectl::tabwriter::align(&lines, 6, 3));
    Ok(())
}

/// The lines of `kubectl events`, their cells parted by tabs.
pub(super) fn event_lines(call: &Call<'_>, events: &[Value], no_headers: bool) -> String {
    let all = call.all_namespaces();
    let mut text = String::new();
    if !no_headers {
        text.push_str(if all { "NAMESPACE\t" } else { "" });
        text.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
    }
    let sight = Sight { now: call.world.now(), wide: false };
    for value in events {
        if all {
            text.push_str(value.str_at(&["metadata", "namespace"]).unwrap_or_default());
            text.push('\t');
        }
        text.push_str(&event_row(value, &sight));
    }
    text
}

/// One line of `kubectl events`, its cells parted by tabs.
fn event_row(value: &Value, sight: &Sight) -> String {
    let count = value.int_at(&["count"]).unwrap_or(1);
    let first = value.str_at(&["firstTimestamp"]).or(value.str_at(&["eventTime"]));
    let last = value.str_at(&["lastTimestamp"]).or(first);
    let seen = match count {
        0 | 1 => sight.since(last),
        count => format!("{} (x{count} over {})", sight.since(last), sight.since(first)),
    };
    let get = |path: &[&str]| value.str_at(path).unwrap_or_default();
    let cells = [
        seen.as_str(),
        get(&["type"]),
        get(&["reason"]),
        &format!("{}/{}", get(&["involvedObject", "kind"]), get(&["involvedObject", "name"])),
        get(&["message"]).trim(),
    ];
    cells.join("\t") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_null_comes_first_and_names_sort_letter_by_letter() {
        let mut values = [json!("web-9"), json!("web-10"), Value::Null, json!(10), json!(9)];
        order::sort_by(&mut values, |a, b| compare(Some(a), Some(b), false));
        assert_eq!(values, [Value::Null, json!(9), json!(10), json!("web-10"), json!("web-9")]);
    }
}
