//! JSONPath templates as kubectl understands them: text with `{…}` in between.
//!
//! Models staging/src/k8s.io/client-go/util/jsonpath: fields, indexes, slices, unions, filters,
//! `..`, `*`, literals and `{range}…{end}`.
//!
//! Reading order: `parse.rs`, then this.

mod parse;

use super::go_text::{compact_json, indented_json, scalar_text};
use crate::api::Value;
use core::cmp::Ordering;
use std::borrow::Cow;

/// A template that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Action(Vec<Node>),
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(Value),
    Field(String),
    Identifier(String),
    Wildcard,
    Recursive,
    Array(Option<i64>, Bound, Option<i64>),
    Union(Vec<Vec<Node>>),
    Filter(Vec<Node>, Operator, Vec<Node>),
}

/// Where a slice ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// Before this place.
    At(i64),
    /// One after where it begins: a single item.
    After(i64),
    /// With the list.
    End,
}

#[derive(Clone, Debug, PartialEq)]
enum Operator {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Unknown(String),
}

type Found<'a> = Vec<Cow<'a, Value>>;

impl JsonPath {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, in client-go's words.
    pub fn parse(template: &str) -> Result<Self, String> {
        Ok(JsonPath { parts: parse::template(template)? })
    }

    /// Fills the template in from a value.
    ///
    /// # Errors
    /// An index out of bounds; a field that is absent unless `missing_is_fine`.
    pub fn print(&self, value: &Value, missing_is_fine: bool) -> Result<String, String> {
        let mut out = String::new();
        for group in self.groups(value, missing_is_fine)? {
            let texts: Vec<String> = group.iter().map(|value| text(value)).collect();
            out.push_str(&texts.join(" "));
        }
        Ok(out)
    }

    /// The same as lists of JSON.
    ///
    /// # Errors
    /// As [`JsonPath::print`].
    pub fn print_json(&self, value: &Value, missing_is_fine: bool) -> Result<String, String> {
        let mut out = String::new();
        for group in self.groups(value, missing_is_fine)? {
            let values = group.into_iter().map(Cow::into_owned).collect();
            out.push_str(&indented_json(&Value::Array(values)));
            out.push('\n');
        }
        Ok(out)
    }

    /// All values that the template's paths lead to.
    ///
    /// # Errors
    /// As [`JsonPath::print`].
    pub fn find(&self, value: &Value, missing_is_fine: bool) -> Result<Vec<Value>, String> {
        let groups = self.groups(value, missing_is_fine)?;
        Ok(groups.into_iter().flatten().map(Cow::into_owned).collect())
    }

    fn groups<'a>(&'a self, value: &'a Value, missing: bool) -> Result<Vec<Found<'a>>, String> {
        let mut walker = Walker { missing, in_range: 0, groups: Vec::new() };
        walker.parts(&self.parts, Some(value))?;
        Ok(walker.groups)
    }
}

struct Walker<'a> {
    missing: bool,
    in_range: usize,
    groups: Vec<Found<'a>>,
}

impl<'a> Walker<'a> {
    /// Fills in parts up to the end of the range that they stand in; gives back its place.
    ///
    /// Models jsonpath.go FindResults.
    fn parts(
        &mut self,
        parts: &'a [Part],
        value: Option<&'a Value>,
    ) -> Result<Option<usize>, String> {
        let mut place = 0;
        while let Some(part) = parts.get(place) {
            let nodes = match part {
                Part::Text(text) => {
                    self.groups.push(vec![Cow::Owned(Value::from(text.as_str()))]);
                    place += 1;
                    continue;
                }
                Part::Action(nodes) => nodes,
            };
            let begin: Found = value.into_iter().map(Cow::Borrowed).collect();
            let mut signal = Signal::default();
            let found = walk(nodes, begin, self.missing, self.in_range > 0, &mut signal)?;
            if signal.ends {
                return Ok(Some(place));
            }
            if !signal.begins {
                self.groups.push(found);
                place += 1;
                continue;
            }
            self.in_range += 1;
            let rest = parts.get(place + 1..).unwrap_or_default();
            let mut end = None;
            for item in &found {
                // Items are parts of the value itself, whatever led to them.
                let Cow::Borrowed(item) = item else { continue };
                end = self.parts(rest, Some(item))?.or(end);
            }
            if found.is_empty() {
                let before = self.groups.len();
                end = self.parts(rest, None)?;
                self.groups.truncate(before);
            }
            self.in_range -= 1;
            place += 1 + end.map_or(0, |end| end + 1);
        }
        Ok(None)
    }
}

/// What identifiers say beside giving values.
#[derive(Default)]
struct Signal {
    begins: bool,
    ends: bool,
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) | Value::Object(_) => compact_json(value),
        scalar => scalar_text(scalar),
    }
}

/// What Go calls the type of a decoded value.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn walk<'a>(
    nodes: &'a [Node],
    mut found: Found<'a>,
    missing: bool,
    in_range: bool,
    signal: &mut Signal,
) -> Result<Found<'a>, String> {
    for node in nodes {
        if let Node::Identifier(name) = node {
            match name.as_str() {
                "range" => signal.begins = true,
                "end" if in_range => {
                    signal.ends = true;
                    found.clear();
                }
                "end" => return Err("not in range, nothing to end".into()),
                other => return Err(format!("unrecognized identifier {other}")),
            }
            continue;
        }
        let had_input = !found.is_empty();
        let mut next: Found = Vec::new();
        if let Node::Literal(literal @ Value::String(_)) = node {
            // A text stands for itself, whatever came before.
            found = vec![Cow::Borrowed(literal)];
            continue;
        }
        if let Node::Union(paths) = node {
            for path in paths {
                next.extend(walk(path, found.clone(), missing, false, &mut Signal::default())?);
            }
            found.clear();
        }
        for value in &found {
            match value {
                Cow::Borrowed(value) => take(node, value, missing, &mut next)?,
                Cow::Owned(value) => {
                    let mut owned = Vec::new();
                    take(node, value, missing, &mut owned)?;
                    next.extend(owned.into_iter().map(|v| Cow::Owned(v.into_owned())));
                }
            }
        }
        if let (Node::Field(name), true, true, false) = (node, next.is_empty(), had_input, missing)
        {
            return Err(format!("{name} is not found"));
        }
        found = next;
    }
    Ok(found)
}

fn take<'a>(
    node: &'a Node,
    value: &'a Value,
    missing: bool,
    out: &mut Found<'a>,
) -> Result<(), String> {
    match node {
        Node::Literal(literal) => out.push(Cow::Borrowed(literal)),
        Node::Identifier(_) | Node::Union(_) => {}
        Node::Field(name) if name.is_empty() => out.push(Cow::Borrowed(value)),
        Node::Field(name) => out.extend(value.get(name).map(Cow::Borrowed)),
        Node::Wildcard => match value {
            Value::Array(items) => out.extend(items.iter().map(Cow::Borrowed)),
            Value::Object(fields) => out.extend(fields.values().map(Cow::Borrowed)),
            _ => {}
        },
        Node::Recursive => everything_below(value, out),
        Node::Array(from, to, step) => match value {
            Value::Null => {}
            Value::Array(items) => slice(items, *from, *to, *step, out)?,
            other => return Err(format!("{} is not array or slice", type_name(other))),
        },
        Node::Filter(left, operator, right) => {
            let Value::Array(items) = value else {
                let shown = scalar_text(value);
                return Err(format!("{shown} is not array or slice and cannot be filtered"));
            };
            for item in items {
                if passes(left, operator, right, item, missing)? {
                    out.push(Cow::Borrowed(item));
                }
            }
        }
    }
    Ok(())
}

fn everything_below<'a>(value: &'a Value, out: &mut Found<'a>) {
    let below: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => return,
    };
    if !below.is_empty() {
        out.push(Cow::Borrowed(value));
        for value in below {
            everything_below(value, out);
        }
    }
}

/// Models jsonpath.go evalArray.
fn slice<'a>(
    items: &'a [Value],
    from: Option<i64>,
    to: Bound,
    step: Option<i64>,
    out: &mut Found<'a>,
) -> Result<(), String> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let mut from = from.unwrap_or(0);
    if from < 0 {
        from += length;
    }
    let to = match to {
        Bound::End => length,
        Bound::At(to) if to < 0 => to + length,
        Bound::At(to) => to,
        Bound::After(begin) if begin < 0 => begin + 1 + length,
        Bound::After(begin) => begin + 1,
    };
    if from == to {
        return Ok(());
    }
    let out_of_bounds =
        |index: i64| Err(format!("array index out of bounds: index {index}, length {length}"));
    if from >= length || from < 0 {
        return out_of_bounds(from);
    }
    if to > length || to < 0 {
        return out_of_bounds(to - 1);
    }
    if from > to {
        return Err(format!("starting index {from} is greater than ending index {to}"));
    }
    let step = match step {
        Some(step) => usize::try_from(step).ok().filter(|step| *step > 0),
        None => Some(1),
    };
    let step = step.ok_or_else(|| "step must be > 0".to_owned())?;
    let place = |index: i64| usize::try_from(index).unwrap_or_default();
    let chosen = items.get(place(from)..place(to)).unwrap_or_default();
    out.extend(chosen.iter().step_by(step).map(Cow::Borrowed));
    Ok(())
}

/// Models jsonpath.go evalFilter.
fn passes(
    left: &[Node],
    operator: &Operator,
    right: &[Node],
    item: &Value,
    missing: bool,
) -> Result<bool, String> {
    let side = |nodes| {
        let begin = vec![Cow::Borrowed(item)];
        walk(nodes, begin, missing, false, &mut Signal::default())
            .map(|found| found.into_iter().map(Cow::into_owned).collect::<Vec<Value>>())
    };
    let lefts = side(left);
    if *operator == Operator::Exists {
        return Ok(lefts.is_ok_and(|found| !found.is_empty()));
    }
    let one = |found: Vec<Value>| match found.len() {
        0 | 1 => Ok(found.into_iter().next()),
        _ => Err("can only compare one element at a time".to_owned()),
    };
    let Some(left) = one(lefts?)? else { return Ok(false) };
    let Some(right) = one(side(right)?)? else { return Ok(false) };
    let order = compare(&left, &right)?;
    let ordered = || match left {
        Value::Bool(_) => Err("invalid type for comparison".to_owned()),
        _ => Ok(order),
    };
    Ok(match operator {
        Operator::Exists => true,
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Less => ordered()?.is_lt(),
        Operator::LessOrEqual => ordered()?.is_le(),
        Operator::Greater => ordered()?.is_gt(),
        Operator::GreaterOrEqual => ordered()?.is_ge(),
        Operator::Unknown(sign) => return Err(format!("unrecognized filter operator {sign}")),
    })
}

/// Models staging/src/k8s.io/client-go/third_party/forked/golang/template/funcs.go.
fn compare(left: &Value, right: &Value) -> Result<Ordering, String> {
    match (left, right) {
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) if a.is_f64() == b.is_f64() => match a.as_i64() {
            Some(whole) => Ok(whole.cmp(&b.as_i64().unwrap_or_default())),
            None => {
                let float = |number: &serde_json::Number| number.as_f64().unwrap_or_default();
                Ok(float(a).total_cmp(&float(b)))
            }
        },
        (Value::Null | Value::Array(_) | Value::Object(_), _)
        | (_, Value::Null | Value::Array(_) | Value::Object(_)) => {
            Err("invalid type for comparison".into())
        }
        _ => Err("incompatible types for comparison".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_are_filled_in_as_kubectl_does() {
        let value = json!({"kind": "List", "items": [
            {"metadata": {"name": "a", "labels": {"app.io/name": "x"}}, "n": 1, "ok": true},
            {"metadata": {"name": "b"}, "n": 2, "l": ["<", {"k": 1.5}]},
        ]});
        let cases = [
            ("{.items[0].metadata.name}", "a"),
            ("{.items[*].metadata.name}{\"\\n\"}", "a b\n"),
            ("{range .items[*]}{.metadata.name}{\":\"}{.n}{'\\t'}{end}", "a:1\tb:2\t"),
            ("{range .items[*]}{.metadata.name} {.n}{\"\\n\"}{end}", "a 1\nb 2\n"),
            ("{range .nosuch[*]}{.x}-{end}!", "!"),
            ("{range .items[*]}{range .l[0:1]}{@}{end};{end}.", ";<;."),
            ("{.items[?(@.n>1)].metadata.name}", "b"),
            ("{.items[?(@.metadata.name==\"a\")].ok}", "true"),
            ("{.items[?(@.ok==true)].n}", "1"),
            ("{.items[?(@.ok)].n}", "1"),
            ("{.items[?(@.nosuch==\"x\")].n}", ""),
            ("{.items[0].metadata.labels.app\\.io/name}", "x"),
            ("{.items[0].metadata.labels['app\\.io/name']}", "x"),
            ("{.items[-1:].n}", "2"),
            ("{.items[-1].n}", "2"),
            ("{.items[0:2].n}", "1 2"),
            ("{.items[::2].n}", "1"),
            ("{.items[0,1].n}", "1 2"),
            ("{..name}", "a b"),
            ("{.items[1].l}", "[\"\\u003c\",{\"k\":1.5}]"),
            ("name: {$.kind}, {.nosuch}.", "name: List, ."),
            ("{.items[*]['n', 'ok']}", "1 2 true"),
            ("{.items[0].metadata.nosuch.x}", ""),
        ];
        for (template, text) in cases {
            let got = JsonPath::parse(template).and_then(|path| path.print(&value, true));
            assert_eq!(got.as_deref(), Ok(text), "{template}");
        }
    }

    /// Those of braces, indexes and comparisons were printed by a real kubectl.
    #[test]
    fn wrong_templates_are_refused_in_client_gos_words() {
        let value = json!({"items": [{"k": "1", "m": {"a": 1}}], "n": 1});
        let cases = [
            ("{.data.k", "unclosed action"),
            ("{.items[*][\"a\",\"b\"]}", "invalid array index \"a\""),
            ("{\"x}", "unterminated quoted string"),
            ("{.a[}", "unterminated array"),
            ("{.items[?(@.k}", "unterminated filter"),
            ("{....a}", "invalid multiple recursive descent"),
            ("{.a|b}{#}", "unrecognized character in action: U+0023 '#'"),
            ("{data.k}", "unrecognized identifier data"),
            ("{end}", "not in range, nothing to end"),
            ("{.items[9].k}", "array index out of bounds: index 9, length 1"),
            ("{.items[-2].k}", "array index out of bounds: index -1, length 1"),
            ("{.items[?(@.k>1)]}", "incompatible types for comparison"),
            ("{.items[?(@.m==1)]}", "invalid type for comparison"),
            ("{.items[?(@.k=\"1\")]}", "unrecognized filter operator ="),
            ("{.n[0]}", "int64 is not array or slice"),
            ("{.n[?(@.a)]}", "1 is not array or slice and cannot be filtered"),
        ];
        for (template, why) in cases {
            let got = JsonPath::parse(template).and_then(|path| path.print(&value, true));
            assert_eq!(got, Err(why.to_owned()), "{template}");
        }
        let strict = JsonPath::parse("{.nosuch}").unwrap().print(&value, false);
        assert_eq!(strict, Err("nosuch is not found".to_owned()));
    }
}
