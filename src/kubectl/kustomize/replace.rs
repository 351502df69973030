//! `replacements`: values of one object's field put into fields of others.
//!
//! Models kustomize api/filters/replacement/replacement.go.

use super::Resource;
use crate::api::Value;
use crate::api::tree::{Tree as _, TreeMut as _};
use crate::kubectl::call::Call;
use crate::kubectl::failure::{Failure, plain};
use crate::kubectl::manifests;
use crate::pattern::{Dialect, Pattern};

/// Carries out the replacements of a kustomization.
pub(super) fn run(
    call: &Call<'_>,
    folder: &str,
    spec: &Value,
    all: &mut [Resource],
) -> Result<(), Failure> {
    for entry in spec.items_at(&["replacements"]) {
        let Some(path) = entry.str_at(&["path"]) else {
            replace(entry, all)?;
            continue;
        };
        let text = call.read(&call.session.resolve(&format!("{folder}/{path}")))?;
        let (documents, broken) = manifests::documents(&text, path);
        broken.map_or(Ok(()), Err)?;
        for document in documents {
            let list = document.as_array().cloned();
            for one in list.unwrap_or_else(|| vec![document]) {
                replace(&one, all)?;
            }
        }
    }
    Ok(())
}

fn replace(entry: &Value, all: &mut [Resource]) -> Result<(), Failure> {
    let Some(source) = entry.get("source") else {
        return plain("replacements must specify a source and at least one target");
    };
    let targets = entry.items_at(&["targets"]);
    if targets.is_empty() {
        return plain("replacements must specify a source and at least one target");
    }
    let value = value_of(source, all)?;
    for target in targets {
        let Some(select) = target.get("select") else {
            return plain("target must specify resources to select");
        };
        let usual = [Value::from("metadata.name")];
        let paths = target.items_at(&["fieldPaths"]);
        let paths = if paths.is_empty() { &usual[..] } else { paths };
        for one in all.iter_mut() {
            let mut rejected = target.items_at(&["reject"]).iter();
            if !is_selected(select, one) || rejected.any(|reject| is_selected(reject, one)) {
                continue;
            }
            for path in paths.iter().filter_map(Value::as_str) {
                let options = target.get("options").unwrap_or(&Value::Null);
                let creates = options.bool_at(&["create"]).unwrap_or_default();
                let mut found = 0;
                each(&mut one.value, &parts(path), creates, &mut |field| {
                    found += 1;
                    put(field, &value, options);
                });
                if found == 0 {
                    return plain(format!("unable to find field \"{path}\" in replacement target"));
                }
            }
        }
    }
    Ok(())
}

/// The value of the source, or a part of it.
fn value_of(source: &Value, all: &mut [Resource]) -> Result<Value, Failure> {
    let id = || {
        let text = |key: &str, none: &str| source.str_at(&[key]).unwrap_or(none).to_owned();
        format!(
            "{}.{}.{}/{}.{}",
            text("kind", "[noKind]"),
            text("version", "[noVer]"),
            text("group", "[noGrp]"),
            text("name", "[noName]"),
            text("namespace", "[noNs]")
        )
    };
    let mut found = all.iter_mut().filter(|one| is_selected(source, one));
    let (Some(one), more) = (found.next(), found.next()) else {
        return plain(format!("nothing selected by {}:{}", id(), path_of(source)));
    };
    if more.is_some() {
        return plain(format!("multiple matches for selector {}", id()));
    }
    let mut value = None;
    each(&mut one.value.clone(), &parts(path_of(source)), false, &mut |field| {
        value.get_or_insert_with(|| field.clone());
    });
    let Some(value) = value else {
        return plain(format!(
            "fieldPath `{}` is missing for replacement source {}",
            path_of(source),
            id()
        ));
    };
    let delimiter = source.str_at(&["options", "delimiter"]).unwrap_or_default();
    let Some(text) = value.as_str().filter(|_| !delimiter.is_empty()) else { return Ok(value) };
    let index = source.int_at(&["options", "index"]).unwrap_or_default();
    let part = usize::try_from(index).ok().and_then(|index| text.split(delimiter).nth(index));
    match part {
        Some(part) => Ok(part.into()),
        None => plain(format!("options.index {index} is out of bounds for value {text}")),
    }
}

fn path_of(source: &Value) -> &str {
    source.str_at(&["fieldPath"]).filter(|path| !path.is_empty()).unwrap_or("metadata.name")
}

/// Whether a selector means an object; its texts are expressions for the whole.
fn is_selected(select: &Value, one: &Resource) -> bool {
    let text = |key: &str| select.str_at(&[key]).unwrap_or_default();
    let fits = |wanted: &str, own: &str| {
        let whole = || Pattern::new(&format!("^(?:{wanted})$"), Dialect::Go, false).ok();
        wanted.is_empty() || wanted == own || whole().is_some_and(|pattern| pattern.is_in(own))
    };
    let api = one.value.str_at(&["apiVersion"]).unwrap_or_default();
    let (group, version) = api.split_once('/').unwrap_or(("", api));
    let namespace = one.value.str_at(&["metadata", "namespace"]).unwrap_or_default();
    let name = text("name");
    fits(text("group"), group)
        && fits(text("version"), version)
        && fits(text("kind"), one.kind())
        && fits(text("namespace"), namespace)
        && (fits(name, one.name()) || fits(name, &one.first_name))
}

/// The parts of `spec.containers.[name=a].image`; a dot in a key is written `\.` or in brackets.
fn parts(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut letters) = (0_i32, path.chars());
    while let Some(letter) = letters.next() {
        let last = parts.last_mut();
        match (letter, last) {
            ('\\', Some(last)) => last.extend(letters.next()),
            ('.', Some(last)) if depth == 0 => {
                if !last.is_empty() {
                    parts.push(String::new());
                }
            }
            (letter, Some(last)) => {
                depth += i32::from(letter == '[') - i32::from(letter == ']');
                last.push(letter);
            }
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Acts on each field of a path.
fn each(value: &mut Value, parts: &[String], creates: bool, act: &mut dyn FnMut(&mut Value)) {
    let Some((first, rest)) = parts.split_first() else { return act(value) };
    let inner = first.strip_prefix('[').and_then(|part| part.strip_suffix(']'));
    if let Some((key, wanted)) = inner.and_then(|inner| inner.split_once('=')) {
        for item in value.as_array_mut().into_iter().flatten() {
            let own = item.at(&[key]).map(crate::api::go_value);
            if own.as_deref() == Some(wanted) {
                each(item, rest, creates, act);
            }
        }
        return;
    }
    let key = inner.unwrap_or(first);
    match value {
        Value::Array(items) if key == "*" => {
            items.iter_mut().for_each(|item| each(item, rest, creates, act));
        }
        Value::Array(items) => {
            let index = key.parse::<usize>().ok();
            if let Some(item) = index.and_then(|index| items.get_mut(index)) {
                each(item, rest, creates, act);
            }
        }
        value if creates => each(value.entry(&[key]), rest, creates, act),
        value => {
            if let Some(field) = value.as_object_mut().and_then(|fields| fields.get_mut(key)) {
                each(field, rest, creates, act);
            }
        }
    }
}

/// Puts a value in a field's place, or in the place of a part of it.
fn put(field: &mut Value, value: &Value, options: &Value) {
    let delimiter = options.str_at(&["delimiter"]).unwrap_or_default();
    if delimiter.is_empty() {
        *field = value.clone();
        return;
    }
    let (before, new) = (crate::api::go_value(field), crate::api::go_value(value));
    let mut texts: Vec<&str> = before.split(delimiter).collect();
    let index = options.int_at(&["index"]).unwrap_or_default();
    match usize::try_from(index) {
        Err(_) => texts.insert(0, &new),
        Ok(index) => match texts.get_mut(index) {
            Some(text) => *text = &new,
            None => texts.push(&new),
        },
    }
    *field = texts.join(delimiter).into();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Models replacement_test.go.
    #[test]
    fn a_field_is_put_where_others_are() {
        let web = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web"},
            "spec": {"containers": [{"name": "a", "image": "nginx:1"}, {"name": "b", "image": "x:2"}]}});
        let map = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "m"},
            "data": {"image.tag": "9"}});
        let entry = |target: Value| {
            json!({
                "source": {"kind": "ConfigMap", "name": "m", "fieldPath": "data.[image.tag]"},
                "targets": [target],
            })
        };
        let done = |target: Value| {
            let mut all = [web.clone(), map.clone()].map(Resource::new);
            replace(&entry(target), &mut all).map(|()| all[0].value.clone())
        };
        let kind = json!({"kind": "Deployment"});
        let part = json!({"select": kind, "fieldPaths": ["spec.containers.[name=a].image"],
            "options": {"delimiter": ":", "index": 1}});
        let images = |value: Value| value["spec"]["containers"].clone();
        let expected = json!([{"name": "a", "image": "nginx:9"}, {"name": "b", "image": "x:2"}]);
        assert_eq!(done(part).map(images), Ok(expected));
        let every = json!({"select": kind, "fieldPaths": ["spec.containers.*.image"]});
        let expected = json!([{"name": "a", "image": "9"}, {"name": "b", "image": "9"}]);
        assert_eq!(done(every).map(images), Ok(expected));
        let missing = json!({"select": kind, "fieldPaths": ["spec.nosuch"]});
        let why = "unable to find field \"spec.nosuch\" in replacement target";
        assert_eq!(done(missing), plain(why));
        let made = json!({"select": kind, "fieldPaths": ["metadata.labels.tag"], "options": {"create": true}});
        assert_eq!(done(made).map(|it| it["metadata"]["labels"].clone()), Ok(json!({"tag": "9"})));
    }
}
