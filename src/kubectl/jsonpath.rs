//! JSONPath templates as kubectl understands them: text with `{…}` in between.
//!
//! Models staging/src/k8s.io/client-go/util/jsonpath: fields, indexes, slices, unions, filters,
//! `..`, `*`, literals and `{range}…{end}`.

use super::go_text::{compact_json, scalar_text};
use crate::api::Value;
use core::cmp::Ordering;
use std::borrow::Cow;

/// A template that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Node>),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Literal(Value),
    Field(String),
    Wildcard,
    Recursive,
    Slice(Option<i64>, Option<i64>, Option<i64>),
    Index(i64),
    Union(Vec<Vec<Step>>),
    Filter(Vec<Step>, Operator, Vec<Step>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Exists,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

type Found<'a> = Vec<Cow<'a, Value>>;

impl JsonPath {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, in client-go's words.
    pub fn parse(template: &str) -> Result<Self, String> {
        let mut reader = Reader { text: template.chars().collect(), at: 0 };
        let nodes = reader.nodes(false)?;
        Ok(JsonPath { nodes })
    }

    /// Fills the template in from a value.
    ///
    /// # Errors
    /// An index out of bounds; a field that is absent unless `missing_is_fine`.
    pub fn print(&self, value: &Value, missing_is_fine: bool) -> Result<String, String> {
        let mut out = String::new();
        print_nodes(&self.nodes, value, missing_is_fine, &mut out)?;
        Ok(out)
    }

    /// All values that the template's paths lead to.
    ///
    /// # Errors
    /// As [`JsonPath::print`].
    pub fn find(&self, value: &Value, missing_is_fine: bool) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        for node in &self.nodes {
            if let Node::Path(steps) = node {
                let found = walk(steps, value, missing_is_fine)?;
                all.extend(found.into_iter().map(Cow::into_owned));
            }
        }
        Ok(all)
    }
}

fn print_nodes(
    nodes: &[Node],
    value: &Value,
    missing: bool,
    out: &mut String,
) -> Result<(), String> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Path(steps) => {
                let texts: Vec<String> =
                    walk(steps, value, missing)?.iter().map(|v| text(v)).collect();
                out.push_str(&texts.join(" "));
            }
            Node::Range(steps, body) => {
                for item in walk(steps, value, missing)? {
                    print_nodes(body, &item, missing, out)?;
                }
            }
        }
    }
    Ok(())
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Array(_) | Value::Object(_) => compact_json(value),
        scalar => scalar_text(scalar),
    }
}

fn walk<'a>(steps: &'a [Step], value: &'a Value, missing: bool) -> Result<Found<'a>, String> {
    let mut found: Found = vec![Cow::Borrowed(value)];
    for step in steps {
        let mut next: Found = Vec::new();
        for value in &found {
            match value {
                Cow::Borrowed(value) => take(step, value, missing, &mut next)?,
                Cow::Owned(value) => {
                    let mut owned = Vec::new();
                    take(step, value, missing, &mut owned)?;
                    next.extend(owned.into_iter().map(|v| Cow::Owned(v.into_owned())));
                }
            }
        }
        if let (Step::Field(name), true, false, false) =
            (step, next.is_empty(), found.is_empty(), missing)
        {
            return Err(format!("{name} is not found"));
        }
        found = next;
    }
    Ok(found)
}

fn take<'a>(
    step: &'a Step,
    value: &'a Value,
    missing: bool,
    out: &mut Found<'a>,
) -> Result<(), String> {
    match step {
        Step::Literal(literal) => out.push(Cow::Borrowed(literal)),
        Step::Field(name) if name.is_empty() => out.push(Cow::Borrowed(value)),
        Step::Field(name) => out.extend(value.get(name).map(Cow::Borrowed)),
        Step::Wildcard => match value {
            Value::Array(items) => out.extend(items.iter().map(Cow::Borrowed)),
            Value::Object(fields) => out.extend(fields.values().map(Cow::Borrowed)),
            _ => {}
        },
        Step::Recursive => everything_below(value, out),
        Step::Index(index) => {
            let Value::Array(items) = value else {
                return not_an_array(value);
            };
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            let place = if *index < 0 { index + length } else { *index };
            let item = usize::try_from(place).ok().and_then(|place| items.get(place));
            let wrong = || format!("array index out of bounds: index {place}, length {length}");
            out.push(Cow::Borrowed(item.ok_or_else(wrong)?));
        }
        Step::Slice(from, to, step) => {
            let Value::Array(items) = value else {
                return not_an_array(value);
            };
            slice(items, *from, *to, *step, out)?;
        }
        Step::Union(paths) => {
            for path in paths {
                out.extend(walk(path, value, missing)?);
            }
        }
        Step::Filter(left, operator, right) => {
            let items: Box<dyn Iterator<Item = &Value>> = match value {
                Value::Array(items) => Box::new(items.iter()),
                Value::Object(fields) => Box::new(fields.values()),
                Value::Null => return Ok(()),
                _ => return not_an_array(value),
            };
            for item in items {
                if passes(left, *operator, right, item)? {
                    out.push(Cow::Borrowed(item));
                }
            }
        }
    }
    Ok(())
}

fn not_an_array(value: &Value) -> Result<(), String> {
    if value.is_null() { Ok(()) } else { Err(format!("{} is not array or slice", text(value))) }
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

fn slice<'a>(
    items: &'a [Value],
    from: Option<i64>,
    to: Option<i64>,
    step: Option<i64>,
    out: &mut Found<'a>,
) -> Result<(), String> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = |index: i64| if index < 0 { (index + length).max(0) } else { index.min(length) };
    let (from, to) = (place(from.unwrap_or(0)), place(to.unwrap_or(length)));
    let step = step.unwrap_or(1);
    if step <= 0 {
        return Err("step must be > 0".into());
    }
    let mut index = from;
    while index < to {
        out.extend(
            usize::try_from(index).ok().and_then(|index| items.get(index)).map(Cow::Borrowed),
        );
        index += step;
    }
    Ok(())
}

fn passes(left: &[Step], operator: Operator, right: &[Step], item: &Value) -> Result<bool, String> {
    let left = walk(left, item, true)?;
    if operator == Operator::Exists {
        return Ok(!left.is_empty());
    }
    let Some(left) = left.first() else { return Ok(false) };
    let right = walk(right, item, true)?;
    let Some(right) = right.first() else { return Ok(false) };
    let order = match (&**left, &**right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    };
    Ok(match operator {
        Operator::Exists => true,
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    })
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(letter) = self.peek().filter(|letter| wanted(*letter)) {
            text.push(letter);
            self.at += 1;
        }
        text
    }

    fn blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn nodes(&mut self, in_range: bool) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            let text = self.take_while(|letter| letter != '{');
            if !text.is_empty() {
                nodes.push(Node::Text(text));
            }
            if self.next().is_none() {
                return if in_range { Err("unclosed range action".into()) } else { Ok(nodes) };
            }
            self.blanks();
            loop {
                self.blanks();
                if self.peek() == Some('}') {
                    self.at += 1;
                    break;
                }
                let word: String = self
                    .text
                    .iter()
                    .skip(self.at)
                    .take_while(|c| c.is_ascii_alphabetic())
                    .collect();
                match word.as_str() {
                    "range" => {
                        self.at += 5;
                        self.blanks();
                        let steps = self.path(&['}'])?;
                        self.blanks();
                        if self.next() != Some('}') {
                            return Err("unclosed action".into());
                        }
                        nodes.push(Node::Range(steps, self.nodes(true)?));
                        break;
                    }
                    "end" => {
                        self.at += 3;
                        self.take_while(|letter| letter != '}');
                        self.at += 1;
                        return if in_range {
                            Ok(nodes)
                        } else {
                            Err("not in range, nothing to end".into())
                        };
                    }
                    _ => nodes.push(Node::Path(self.path(&['}'])?)),
                }
            }
        }
    }

    /// A path up to one of `ends` or a blank, which stay.
    fn path(&mut self, ends: &[char]) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            match self.peek() {
                None => return Err("unclosed action".into()),
                Some(letter)
                    if ends.contains(&letter) || letter.is_whitespace() || letter == ',' =>
                {
                    return Ok(steps);
                }
                Some('$' | '@') => self.at += 1,
                Some('\'' | '"') => steps.push(Step::Literal(Value::String(self.quoted()?))),
                Some('.') => {
                    self.at += 1;
                    if self.peek() == Some('.') {
                        self.at += 1;
                        steps.push(Step::Recursive);
                    }
                    self.field(&mut steps);
                }
                Some('[') => {
                    self.at += 1;
                    steps.push(self.brackets()?);
                }
                Some('*') => {
                    self.at += 1;
                    steps.push(Step::Wildcard);
                }
                Some(letter) if letter.is_ascii_digit() || letter == '-' || letter == '+' => {
                    let number = self.take_while(|c| c.is_ascii_digit() || "+-.e".contains(c));
                    let value: Value = serde_json::from_str(number.trim_start_matches('+'))
                        .map_err(|_| format!("cannot parse number {number}"))?;
                    steps.push(Step::Literal(value));
                }
                Some(letter) if letter.is_alphabetic() || letter == '_' => {
                    let word = self.take_while(|c| c.is_alphanumeric() || c == '_');
                    match word.as_str() {
                        "true" | "false" => steps.push(Step::Literal(Value::Bool(word == "true"))),
                        _ if steps.is_empty() => {
                            return Err(format!("unrecognized identifier {word}"));
                        }
                        _ => steps.push(Step::Field(word)),
                    }
                }
                Some(letter) => {
                    return Err(format!(
                        "unrecognized character in action: U+{:04X} '{letter}'",
                        u32::from(letter)
                    ));
                }
            }
        }
    }

    fn field(&mut self, steps: &mut Vec<Step>) {
        let mut name = String::new();
        while let Some(letter) = self.peek() {
            match letter {
                '\\' => {
                    self.at += 1;
                    name.extend(self.next());
                    continue;
                }
                '.' | '[' | ']' | '}' | '{' | ',' | '$' | '@' | '(' | ')' | '=' | '!' | '<'
                | '>' => break,
                letter if letter.is_whitespace() => break,
                letter => name.push(letter),
            }
            self.at += 1;
        }
        match name.as_str() {
            "" => {}
            "*" => steps.push(Step::Wildcard),
            _ => steps.push(Step::Field(name)),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let Some(quote) = self.next() else { return Err("unterminated quoted string".into()) };
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err("unterminated quoted string".into()),
                Some(letter) if letter == quote => return Ok(text),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(letter) => text.push(letter),
                    None => return Err("unterminated quoted string".into()),
                },
                Some(letter) => text.push(letter),
            }
        }
    }

    /// What stands after `[`, with the `]`.
    fn brackets(&mut self) -> Result<Step, String> {
        self.blanks();
        if self.peek() == Some('?') {
            return self.filter();
        }
        let mut paths: Vec<Vec<Step>> = Vec::new();
        loop {
            self.blanks();
            let step = match self.peek() {
                Some('\'' | '"') => Step::Field(self.quoted()?),
                Some('*') => {
                    self.at += 1;
                    Step::Wildcard
                }
                _ => {
                    let text = self.take_while(|c| c.is_ascii_digit() || c == ':' || c == '-');
                    array_step(&text)?
                }
            };
            paths.push(vec![step]);
            self.blanks();
            match self.next() {
                Some(',') => {}
                Some(']') => break,
                _ => return Err("unterminated array".into()),
            }
        }
        let single =
            (paths.len() == 1).then(|| paths.pop()).flatten().and_then(|mut path| path.pop());
        Ok(single.unwrap_or(Step::Union(paths)))
    }

    fn filter(&mut self) -> Result<Step, String> {
        self.at += 1;
        self.blanks();
        if self.next() != Some('(') {
            return Err("unclosed array expect ]".into());
        }
        self.blanks();
        let ends = ['=', '!', '<', '>', ')'];
        let left = self.path(&ends)?;
        self.blanks();
        let sign = self.take_while(|letter| "=!<>".contains(letter));
        let operator = match sign.as_str() {
            "" => Operator::Exists,
            "==" | "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            other => return Err(format!("unrecognized filter operator {other}")),
        };
        self.blanks();
        let right = if operator == Operator::Exists { Vec::new() } else { self.path(&[')'])? };
        self.blanks();
        if (self.next(), self.next()) != (Some(')'), Some(']')) {
            return Err("unterminated filter".into());
        }
        Ok(Step::Filter(left, operator, right))
    }
}

fn array_step(text: &str) -> Result<Step, String> {
    let wrong = || format!("invalid array index {text}");
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part.parse::<i64>().map(Some).map_err(|_| wrong()),
    };
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [one] => Ok(Step::Index(number(one)?.ok_or_else(wrong)?)),
        [from, to] => Ok(Step::Slice(number(from)?, number(to)?, None)),
        [from, to, step] => Ok(Step::Slice(number(from)?, number(to)?, number(step)?)),
        _ => Err(wrong()),
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
            ("{.items[?(@.n>1)].metadata.name}", "b"),
            ("{.items[?(@.metadata.name==\"a\")].ok}", "true"),
            ("{.items[?(@.ok)].n}", "1"),
            ("{.items[0].metadata.labels.app\\.io/name}", "x"),
            ("{.items[0].metadata.labels['app\\.io/name']}", "x"),
            ("{.items[-1:].n}", "2"),
            ("{.items[0:2].n}", "1 2"),
            ("{.items[0,1].n}", "1 2"),
            ("{..name}", "a b"),
            ("{.items[1].l}", "[\"\\u003c\",{\"k\":1.5}]"),
            ("name: {$.kind}, {.nosuch}.", "name: List, ."),
            ("{.items[*]['n', 'ok']}", "1 true 2"),
        ];
        for (template, text) in cases {
            let got = JsonPath::parse(template).and_then(|path| path.print(&value, true));
            assert_eq!(got.as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn wrong_templates_are_refused() {
        for template in ["{.a", "{range .items}", "{end}", "{.a[}", "{foo}", "{\"x}"] {
            assert!(JsonPath::parse(template).is_err(), "{template}");
        }
        let path = JsonPath::parse("{.items[3]}").unwrap();
        let error = path.print(&json!({"items": []}), true).unwrap_err();
        assert_eq!(error, "array index out of bounds: index 3, length 0");
    }
}
