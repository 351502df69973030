//! Events to values, each with its place.
//!
//! Models go.yaml.in/yaml/v2 decode.go and sigs.k8s.io/yaml convertToJSONableObject.

use super::parse::{Children, Node, Place, Position, Problem, first_line};
use super::scalar;
use super::yaml::{Event, Failure, Mark, Parser, Span, Style};
use crate::api::error::go_quote;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Deeper nesting than any object of the API has.
const MOST_DEPTH: usize = 100;
/// How many values aliases may stand for in one document.
const ALIAS_BUDGET: usize = 20_000;

/// What a document holds.
pub(super) struct Read {
    pub(super) value: Value,
    pub(super) spans: Node,
    /// Keys that stand a second time in the same place, with where: the later one counts.
    pub(super) duplicates: Vec<(Place, String)>,
}

/// Reads a document that begins at line `first` from 0; `None` if it holds nothing.
pub(super) fn read(text: &str, first: u32) -> Result<Option<Read>, Problem> {
    let mut reader = Reader::new(first);
    if let Some((line, _)) = (0u32..).zip(text.lines()).find(|(_, line)| {
        line.contains(|c: char| c.is_control() && c != '\t' && c != '\r' && c != '\u{85}')
    }) {
        let place = first_line(first.saturating_add(line));
        return Err(reader.refuse(place, "yaml: control characters are not allowed"));
    }
    let mut parser = Parser::new(text);
    loop {
        let (event, span) = parser.next().map_err(|failure| reader.no_yaml(&failure))?;
        if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
            break;
        }
        reader.take(event, span)?;
    }
    match reader.wrong {
        Some(problem) => Err(problem),
        None => {
            let duplicates = reader.duplicates;
            Ok(reader.done.map(|(value, spans)| Read { value, spans, duplicates }))
        }
    }
}

/// Builds a document from events.
struct Reader {
    first: u32,
    stack: Vec<Frame>,
    anchors: BTreeMap<String, (Value, Node)>,
    alias_budget: usize,
    duplicates: Vec<(Place, String)>,
    done: Option<(Value, Node)>,
    /// The first value that has no meaning; that is said only if the text is YAML to its end.
    wrong: Option<Problem>,
}

/// A collection that is not complete.
struct Frame {
    anchor: Option<String>,
    start: Position,
    building: Building,
}

enum Building {
    List(Vec<Value>, Vec<Node>),
    Map {
        fields: Map<String, Value>,
        nodes: BTreeMap<String, (Place, Node)>,
        /// The key whose value comes next.
        key: Option<(Key, Place)>,
    },
}

/// A key of a mapping.
enum Key {
    Name(String),
    /// `<<`: what follows is merged in.
    Merge,
}

impl Reader {
    const fn new(first: u32) -> Self {
        Reader {
            first,
            stack: Vec::new(),
            anchors: BTreeMap::new(),
            alias_budget: ALIAS_BUDGET,
            duplicates: Vec::new(),
            done: None,
            wrong: None,
        }
    }

    fn position(&self, mark: Mark) -> Position {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position {
            line: small(mark.line).saturating_add(self.first).saturating_add(1),
            column: small(mark.column).saturating_add(1),
        }
    }

    fn place(&self, span: Span) -> Place {
        Place { start: self.position(span.start), end: self.position(span.end) }
    }

    fn refuse(&self, place: Place, message: &str) -> Problem {
        let message = format!("error converting YAML to JSON: {message}");
        Problem { place, message, document: self.first.saturating_add(1) }
    }

    fn no_yaml(&self, failure: &Failure) -> Problem {
        let start = self.position(failure.mark);
        let end = Position { column: start.column.saturating_add(1), ..start };
        self.refuse(Place { start, end }, &format!("yaml: {}", failure.message()))
    }

    /// Notes the first value that has no meaning.
    fn wrong(&mut self, place: Place, message: &str) {
        if self.wrong.is_none() {
            self.wrong = Some(self.refuse(place, message));
        }
    }

    fn take(&mut self, event: Event, span: Span) -> Result<(), Problem> {
        let place = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let merges = style == Style::Plain && text == "<<" && tag.is_none();
                let value = scalar_value(&text, style, tag.as_deref()).unwrap_or_else(|why| {
                    self.wrong(place, &why);
                    Value::Null
                });
                self.add(value, Node { place, children: Children::None }, anchor, merges);
            }
            Event::SequenceStart(anchor) => {
                self.open(place, anchor, Building::List(Vec::new(), Vec::new()))?;
            }
            Event::MappingStart(anchor) => {
                let (fields, nodes) = (Map::new(), BTreeMap::new());
                self.open(place, anchor, Building::Map { fields, nodes, key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place),
            Event::Alias(name) => self.alias(&name, place)?,
            Event::DocumentStart | Event::DocumentEnd | Event::StreamEnd => {}
        }
        Ok(())
    }

    fn alias(&mut self, name: &str, place: Place) -> Result<(), Problem> {
        if self.stack.iter().any(|frame| frame.anchor.as_deref() == Some(name)) {
            self.wrong(place, &format!("yaml: anchor '{name}' value contains itself"));
            self.add(Value::Null, Node { place, children: Children::None }, None, false);
            return Ok(());
        }
        let Some((value, node)) = self.anchors.get(name).cloned() else {
            return Err(self.refuse(place, &format!("yaml: unknown anchor '{name}' referenced")));
        };
        let size = size_of(&value);
        if size > self.alias_budget {
            return Err(self.refuse(place, "yaml: document contains excessive aliasing"));
        }
        self.alias_budget -= size;
        self.add(value, Node { place, ..node }, None, false);
        Ok(())
    }

    fn open(
        &mut self,
        place: Place,
        anchor: Option<String>,
        building: Building,
    ) -> Result<(), Problem> {
        if self.stack.len() >= MOST_DEPTH {
            return Err(self.refuse(place, "yaml: exceeded max depth of 100"));
        }
        self.stack.push(Frame { anchor, start: place.start, building });
        Ok(())
    }

    fn close(&mut self, place: Place) {
        let Some(frame) = self.stack.pop() else { return };
        let place = Place { start: frame.start, end: place.end };
        let (value, children) = match frame.building {
            Building::List(values, nodes) => (Value::Array(values), Children::Items(nodes)),
            Building::Map { fields, nodes, .. } => (Value::Object(fields), Children::Fields(nodes)),
        };
        self.add(value, Node { place, children }, frame.anchor, false);
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, value: Value, node: Node, anchor: Option<String>, merges: bool) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, (value.clone(), node.clone()));
        }
        let place = node.place;
        let Some(frame) = self.stack.last_mut() else {
            self.done = Some((value, node));
            return;
        };
        let problem = match &mut frame.building {
            Building::List(values, nodes) => {
                values.push(value);
                nodes.push(node);
                None
            }
            Building::Map { fields, nodes, key } => match key.take() {
                None if merges => {
                    *key = Some((Key::Merge, place));
                    None
                }
                None => {
                    let name = key_text(&value);
                    *key = Some((Key::Name(name.clone().unwrap_or_default()), place));
                    name.err()
                }
                Some((Key::Merge, _)) => merge(fields, value).err(),
                Some((Key::Name(name), place)) => {
                    fields.insert(name.clone(), value);
                    if nodes.insert(name.clone(), (place, node)).is_some() {
                        self.duplicates.push((place, name));
                    }
                    None
                }
            },
        };
        if let Some(problem) = problem {
            self.wrong(place, &problem);
        }
    }
}

/// What `<<` brings: a mapping, or a list of mappings whose first is the strongest. It replaces
/// what stands before it and is replaced by what follows.
///
/// Models decode.go decoder.merge.
fn merge(fields: &mut Map<String, Value>, value: Value) -> Result<(), String> {
    let refused = || "yaml: map merge requires map or sequence of maps as the value".to_owned();
    let maps = match value {
        Value::Object(map) => vec![Value::Object(map)],
        Value::Array(items) => items,
        _ => return Err(refused()),
    };
    for map in maps.into_iter().rev() {
        let Value::Object(map) = map else { return Err(refused()) };
        fields.extend(map);
    }
    Ok(())
}

/// A key as JSON writes it. Models sigs.k8s.io/yaml convertToJSONableObject.
fn key_text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(yes) => Ok(yes.to_string()),
        Value::Null => Err("unsupported map key of type: %!s(<nil>), key: <nil>".to_owned()),
        Value::Array(_) | Value::Object(_) => {
            Err(format!("yaml: invalid map key: {}", go_syntax(value)))
        }
    }
}

/// A value as Go's `%#v` prints what its YAML parser reads into.
fn go_syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(key, value)| format!("{}:{}", go_quote(key), go_syntax(value)))
                .collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::String(text) => go_quote(text),
        other => other.to_string(),
    }
}

/// Models resolve.go resolve.
fn scalar_value(text: &str, style: Style, tag: Option<&str>) -> Result<Value, String> {
    const STANDARD: &str = "tag:yaml.org,2002:";
    let Some(tag) = tag.filter(|tag| *tag != "!") else {
        return match style {
            Style::Plain => finite(text),
            Style::Quoted => Ok(Value::String(text.to_owned())),
        };
    };
    let short = tag.strip_prefix(STANDARD).unwrap_or_default();
    let value = match short {
        "int" | "float" | "bool" | "null" => finite(text)?,
        "binary" => {
            let bytes = data_encoding::BASE64.decode(text.trim().as_bytes());
            let bytes = bytes
                .map_err(|_| "yaml: !!binary value contains invalid base64 data".to_owned())?;
            return Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        }
        _ => return Ok(Value::String(text.to_owned())),
    };
    let found = match &value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        _ => "str",
    };
    if found == short || (short, found) == ("float", "int") {
        return Ok(value);
    }
    Err(format!("yaml: cannot decode !!{found} `{text}` as a !!{short}"))
}

/// The meaning of a plain scalar; JSON has no infinity.
fn finite(text: &str) -> Result<Value, String> {
    let name = match text {
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => "+Inf",
        "-.inf" | "-.Inf" | "-.INF" => "-Inf",
        ".nan" | ".NaN" | ".NAN" => "NaN",
        _ => return Ok(scalar::plain(text)),
    };
    Err(format!("json: unsupported value: {name}"))
}

fn size_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size_of).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(size_of).sum::<usize>(),
        _ => 1,
    }
}
