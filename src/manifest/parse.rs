//! Text to documents, each value with its place.

use super::{go_yaml, scalar};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The longest text that the API server takes, in bytes.
pub const LIMIT: usize = 3 * 1024 * 1024;
/// Deeper nesting than any object of the API has.
const MOST_DEPTH: usize = 100;
/// How many values aliases may stand for in one document.
const ALIAS_BUDGET: usize = 20_000;

/// A place in the text: lines and columns from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A stretch of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its first character.
    pub start: Position,
    /// The character after its last.
    pub end: Position,
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// kubectl's words, `error converting YAML to JSON: yaml: line 3: …`.
    pub message: String,
}

/// One document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its value.
    pub value: Value,
    /// The line it begins at, from 1.
    pub line: u32,
    spans: Node,
}

/// What a text holds. Documents that cannot be read are among the problems; empty ones nowhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The documents that can be read, in their order.
    pub documents: Vec<Document>,
    /// What cannot be read, in the order of the text.
    pub problems: Vec<Problem>,
}

/// The places of a value and of what it holds.
#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    place: Place,
    children: Children,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Children {
    #[default]
    None,
    /// By key: where the key stands, and the value.
    Fields(BTreeMap<String, (Place, Node)>),
    Items(Vec<Node>),
}

impl Document {
    /// The place of the value at a path of the API server's errors
    /// (`spec.template.spec.containers[0].name`); of the nearest value around it that exists.
    pub fn place_of(&self, path: &str) -> Place {
        self.locate(path).1
    }

    /// The same, but the place of the key where the value has one.
    pub fn key_place_of(&self, path: &str) -> Place {
        self.locate(path).0
    }

    fn locate(&self, path: &str) -> (Place, Place) {
        let mut node = &self.spans;
        let mut found = (node.place, node.place);
        for step in steps(path) {
            let next = match (&node.children, &step) {
                (Children::Fields(fields), Step::Key(key)) => fields.get(*key),
                (Children::Items(items), Step::Index(index)) => {
                    let Some(item) = items.get(*index) else { break };
                    found = (item.place, item.place);
                    node = item;
                    continue;
                }
                _ => None,
            };
            let Some((key_place, value)) = next else { break };
            found = (*key_place, value.place);
            node = value;
        }
        found
    }

    /// The path of the innermost value whose place holds a position, as its steps.
    pub(super) fn path_at(&self, position: Position) -> Vec<String> {
        let mut path = Vec::new();
        let mut node = &self.spans;
        loop {
            let next = match &node.children {
                Children::None => None,
                Children::Fields(fields) => fields
                    .iter()
                    .filter(|(_, (key, _))| key.start <= position)
                    .filter(|(_, (_, value))| position <= value.place.end)
                    .max_by_key(|(_, (key, _))| key.start)
                    .map(|(name, (_, value))| (name.clone(), value)),
                Children::Items(items) => items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| item.place.start <= position && position <= item.place.end)
                    .max_by_key(|(_, item)| item.place.start)
                    .map(|(index, item)| (index.to_string(), item)),
            };
            let Some((step, inner)) = next else { return path };
            path.push(step);
            node = inner;
        }
    }
}

enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// `spec.ports[0].name`, `metadata.labels[a.b/c]`: keys after dots or in brackets, numbers in
/// brackets.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = inner.split_once(']').unwrap_or((inner, ""));
            steps.push(match step.parse() {
                Ok(index) => Step::Index(index),
                Err(_) => Step::Key(step.trim_matches('"')),
            });
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (step, after) = rest.split_at(end);
        steps.push(Step::Key(step));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    steps
}

/// Reads a text of one or more documents. JSON is YAML too.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/yaml/decoder.go: documents are split at `---`
/// lines first, so that one that cannot be read does not hide the others.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > LIMIT {
        let message = format!("Request entity too large: limit is {LIMIT}");
        parsed.problems.push(Problem { place: first_line(0), message });
        return parsed;
    }
    for (first, document) in split(text) {
        if document.trim().is_empty() {
            continue;
        }
        match read_document(document, first) {
            Ok(Some(document)) => parsed.documents.push(document),
            Ok(None) => {}
            Err(problem) => parsed.problems.push(problem),
        }
    }
    parsed
}

/// The documents of a text, each with the number of its first line from 0.
fn split(text: &str) -> Vec<(u32, &str)> {
    let (mut documents, mut start, mut first, mut offset) = (Vec::new(), 0, 0, 0);
    for (number, line) in (0u32..).zip(text.split_inclusive('\n')) {
        let ends = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'));
        if ends {
            documents.push((first, text.get(start..offset).unwrap_or_default()));
            start = offset + line.len();
            first = number + 1;
        }
        offset += line.len();
    }
    documents.push((first, text.get(start..).unwrap_or_default()));
    documents
}

fn first_line(line: u32) -> Place {
    let at = |column| Position { line: line + 1, column };
    Place { start: at(1), end: at(2) }
}

fn read_document(text: &str, first: u32) -> Result<Option<Document>, Problem> {
    if let Some((line, _)) = (0u32..).zip(text.lines()).find(|(_, line)| {
        line.contains(|c: char| c.is_control() && c != '\t' && c != '\r' && c != '\u{85}')
    }) {
        let message = "error converting YAML to JSON: yaml: control characters are not allowed";
        return Err(Problem { place: first_line(first + line), message: message.to_owned() });
    }
    let mut reader = Reader::new(first);
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => reader.take(event, span)?,
            Err(error) => {
                let line = error.marker().line().saturating_sub(1);
                let context = reader.stack.last().map(|frame| frame.line);
                let last = text.lines().count();
                let problem = go_yaml::problem(error.info(), line, context, last);
                let start = reader.position(error.marker().line(), error.marker().col());
                let end = Position { column: start.column + 1, ..start };
                return Err(Problem {
                    place: Place { start, end },
                    message: format!("error converting YAML to JSON: {}", problem.message),
                });
            }
        }
        if reader.done.is_some() {
            break;
        }
    }
    Ok(reader.done.map(|(value, spans)| Document { value, line: first + 1, spans }))
}

/// Builds a document from the parser's events.
struct Reader {
    first: u32,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, (Value, Node)>,
    alias_budget: usize,
    done: Option<(Value, Node)>,
}

/// A collection that is not complete.
struct Frame {
    /// The line it began at, from 0 in its document.
    line: usize,
    anchor: usize,
    start: Position,
    building: Building,
}

enum Building {
    List(Vec<Value>, Vec<Node>),
    Map {
        fields: Map<String, Value>,
        nodes: BTreeMap<String, (Place, Node)>,
        /// The key whose value comes next.
        key: Option<(String, Place)>,
        /// What `<<` brings, weaker than what stands here.
        merged: Vec<Map<String, Value>>,
    },
}

impl Reader {
    fn new(first: u32) -> Self {
        Reader {
            first,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            alias_budget: ALIAS_BUDGET,
            done: None,
        }
    }

    fn position(&self, line: usize, column: usize) -> Position {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position {
            line: small(line).saturating_add(self.first).max(1),
            column: small(column).saturating_add(1),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place {
            start: self.position(span.start.line(), span.start.col()),
            end: self.position(span.end.line(), span.end.col()),
        }
    }

    fn refuse(&self, place: Place, message: &str) -> Problem {
        let message = format!("error converting YAML to JSON: yaml: {message}");
        Problem { place, message }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar_value(&text, style, tag.as_deref());
                self.add(value, Node { place, children: Children::None }, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.open(span, place, anchor, Building::List(Vec::new(), Vec::new()))
            }
            Event::MappingStart(anchor, _) => {
                let building = Building::Map {
                    fields: Map::new(),
                    nodes: BTreeMap::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.open(span, place, anchor, building)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias(anchor) => {
                let Some((value, node)) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.refuse(place, "unknown anchor referenced"));
                };
                let size = size_of(&value);
                if size > self.alias_budget {
                    let message = "document contains excessive aliasing";
                    return Err(self.refuse(place, message));
                }
                self.alias_budget -= size;
                self.add(value, Node { place, ..node }, 0)
            }
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        span: Span,
        place: Place,
        anchor: usize,
        building: Building,
    ) -> Result<(), Problem> {
        if self.stack.len() >= MOST_DEPTH {
            return Err(self.refuse(place, "exceeded max depth of 100"));
        }
        let line = span.start.line().saturating_sub(1);
        self.stack.push(Frame { line, anchor, start: place.start, building });
        Ok(())
    }

    fn close(&mut self, place: Place) -> Result<(), Problem> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let place = Place { start: frame.start, end: place.end };
        let (value, children) = match frame.building {
            Building::List(values, nodes) => (Value::Array(values), Children::Items(nodes)),
            Building::Map { mut fields, nodes, merged, .. } => {
                for (key, value) in merged.into_iter().flatten() {
                    fields.entry(key).or_insert(value);
                }
                (Value::Object(fields), Children::Fields(nodes))
            }
        };
        self.add(value, Node { place, children }, frame.anchor)
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, value: Value, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), node.clone()));
        }
        let Some(frame) = self.stack.last_mut() else {
            self.done = Some((value, node));
            return Ok(());
        };
        match &mut frame.building {
            Building::List(values, nodes) => {
                values.push(value);
                nodes.push(node);
            }
            Building::Map { fields, nodes, key, merged } => match key.take() {
                None => {
                    let place = node.place;
                    let Some(name) = key_text(&value) else {
                        let message = format!("invalid map key: {}", go_yaml::syntax(&value));
                        return Err(self.refuse(place, &message));
                    };
                    *key = Some((name, place));
                }
                Some((name, _)) if name == "<<" => merged.extend(maps_of(value)),
                Some((name, place)) => {
                    fields.insert(name.clone(), value);
                    nodes.insert(name, (place, node));
                }
            },
        }
        Ok(())
    }
}

/// What `<<` may bring: a mapping, or a list of mappings.
fn maps_of(value: Value) -> Vec<Map<String, Value>> {
    match value {
        Value::Object(map) => vec![map],
        Value::Array(items) => items.into_iter().flat_map(maps_of).collect(),
        _ => Vec::new(),
    }
}

/// A key as JSON writes it. Models sigs.k8s.io/yaml convertToJSONableObject.
fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    match tag.map(|tag| tag.suffix.as_str()) {
        Some("str") => return Value::String(text.to_owned()),
        Some("int" | "float") => {
            return scalar::number(text).unwrap_or_else(|| Value::String(text.to_owned()));
        }
        Some("bool" | "null") => return scalar::plain(text),
        _ => {}
    }
    match style {
        ScalarStyle::Plain => scalar::plain(text),
        _ => Value::String(text.to_owned()),
    }
}

fn size_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size_of).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(size_of).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn only(text: &str) -> Document {
        let parsed = parse(text);
        assert_eq!(parsed.problems, []);
        parsed.documents.into_iter().next().unwrap()
    }

    #[test]
    fn every_value_has_its_place() {
        let document = only("kind: Pod\nspec:\n  containers:\n  - name: web\n    image: nginx\n");
        let at = |path: &str| {
            let place = document.place_of(path);
            (place.start.line, place.start.column)
        };
        assert_eq!(at("kind"), (1, 7));
        assert_eq!(at("spec.containers[0].image"), (5, 12));
        assert_eq!(at("spec.containers[0].ports[0].name"), (4, 5));
        let key = document.key_place_of("spec.containers[0].image").start;
        assert_eq!((key.line, key.column), (5, 5));
    }

    #[test]
    fn documents_are_read_apart_and_a_broken_one_hides_no_other() {
        let parsed = parse("a: 1\n---\nb: [\n---\n# nothing\n---\nc: 3\n");
        let values: Vec<_> = parsed.documents.iter().map(|d| (d.line, d.value.clone())).collect();
        assert_eq!(values, [(1, json!({"a": 1})), (7, json!({"c": 3}))]);
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].place.start.line, 4);
    }

    #[test]
    fn what_is_no_yaml_is_said_in_kubectls_words() {
        let cases = [
            ("a: b: c\n", "yaml: mapping values are not allowed in this context"),
            ("x: 1\na: b: c\n", "yaml: line 2: mapping values are not allowed in this context"),
            ("a: \"b\nc: d\n", "yaml: line 3: found unexpected end of stream"),
            ("a:\n\tb: c\n", "yaml: line 2: found character that cannot start any token"),
            ("a: \u{1}\n", "yaml: control characters are not allowed"),
            ("a: *x\n", "yaml: unknown anchor referenced"),
            ("a: 1\nspec:\n  a: 1\n b: 2\n", "yaml: line 3: did not find expected key"),
            (
                "name: {{ .Values.name }}\n",
                "yaml: invalid map key: map[interface {}]interface {}{\".Values.name\":interface {}(nil)}",
            ),
        ];
        for (text, expected) in cases {
            let problems = parse(text).problems;
            let message = problems.first().map(|p| p.message.as_str()).unwrap_or("none");
            assert_eq!(message, format!("error converting YAML to JSON: {expected}"), "{text}");
        }
    }

    #[test]
    fn anchors_and_merges_are_expanded_but_no_bomb_goes_off() {
        let document = only("base: &b {a: 1, b: 2}\nown:\n  <<: *b\n  b: 3\n");
        assert_eq!(document.value["own"], json!({"a": 1, "b": 3}));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let before = format!("*a{},", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{before}]\n"));
        }
        let problems = parse(&bomb).problems;
        assert!(problems[0].message.contains("excessive aliasing"), "{problems:?}");
    }

    #[test]
    fn deep_and_long_texts_are_refused() {
        assert_eq!(parse(&"[".repeat(5000)).documents, []);
        assert!(parse(&"x".repeat(LIMIT + 1)).problems[0].message.contains("too large"));
    }
}
