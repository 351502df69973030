//! Text to documents, each value with its place.

use super::{go_json, reader};
use crate::base::order;
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest text that the API server takes, in bytes.
pub const LIMIT: usize = 3 * 1024 * 1024;

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
    /// kubectl's words, `error converting YAML to JSON: yaml: line 3: …`. Lines are counted from
    /// the document's first.
    pub message: String,
    /// The line that the document begins at, from 1.
    pub document: u32,
}

/// One document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its value.
    pub value: Value,
    /// The line it begins at, from 1.
    pub line: u32,
    /// Keys that stand a second time in the same place, with where: the later one counts.
    pub duplicates: Vec<(Place, String)>,
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
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) children: Children,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Children {
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

    /// The value at such a path, if it exists.
    pub fn value_at(&self, path: &str) -> Option<&Value> {
        steps(path).into_iter().try_fold(&self.value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        })
    }

    /// The places of the keys and the values of the fields at a path, in the order of the text.
    pub fn fields_of(&self, path: &str) -> Vec<(Place, Place)> {
        let mut node = Some(&self.spans);
        for step in steps(path) {
            node = node.and_then(|node| match (&node.children, &step) {
                (Children::Fields(fields), Step::Key(key)) => fields.get(*key).map(|(_, it)| it),
                (Children::Items(items), Step::Index(index)) => items.get(*index),
                _ => None,
            });
        }
        let Some(Node { children: Children::Fields(fields), .. }) = node else { return Vec::new() };
        let mut places: Vec<(Place, Place)> =
            fields.values().map(|(key, value)| (*key, value.place)).collect();
        order::sort_by_key(&mut places, |(key, _)| key.start);
        places
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

/// Reads a text of one or more documents. JSON is YAML too, but is read as JSON if it can be.
///
/// Models staging/src/k8s.io/apimachinery/pkg/util/yaml/decoder.go: documents are split at `---`
/// lines first, so that one that cannot be read does not hide the others.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if text.len() > LIMIT {
        let message = format!("Request entity too large: limit is {LIMIT}");
        parsed.problems.push(Problem { place: first_line(0), message, document: 1 });
        return parsed;
    }
    if let Some(values) = json_stream(text) {
        for (first, value) in values {
            parsed.documents.extend(read_document(value, first).ok().flatten());
        }
        return parsed;
    }
    for (first, document) in split(text) {
        let result = document.and_then(|document| match document.trim().is_empty() {
            true => Ok(None),
            false => read_document(document, first),
        });
        match result {
            Ok(document) => parsed.documents.extend(document),
            Err(problem) => parsed.problems.push(problem),
        }
    }
    if text.trim_start().starts_with('{')
        && let Some(first) = parsed.problems.first_mut()
        && let Some((why, read)) = go_json::stream_fault(text)
    {
        // Neither JSON nor YAML: what is said is why it is no JSON.
        first.message = match why.as_str() {
            "unexpected end of JSON input" => "unexpected EOF".to_owned(),
            why => format!("json: offset {read}: {why}"),
        };
    }
    parsed
}

/// Values of JSON one after the other, each with the number of its first line from 0; `None` if
/// the text is something else.
fn json_stream(text: &str) -> Option<Vec<(u32, &str)>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let (mut values, mut start, mut line) = (Vec::new(), 0, 0_u32);
    while let Some(value) = stream.next() {
        value.ok()?;
        let end = stream.byte_offset();
        let value = text.get(start..end)?;
        values.push((line, value));
        line = line.saturating_add(count_lines(value));
        start = end;
    }
    Some(values)
}

fn count_lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// The documents of a text, each with the number of its first line from 0. A `---` line before
/// anything else belongs to the document that follows.
///
/// Models decoder.go YAMLReader.
fn split(text: &str) -> Vec<(u32, Result<&str, Problem>)> {
    let (mut documents, mut start, mut first, mut offset) = (Vec::new(), 0, 0, 0);
    for (number, line) in (0u32..).zip(text.split_inclusive('\n')) {
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let message = format!("invalid Yaml document separator: {rest}");
                let problem = Problem { place: first_line(number), message, document: number + 1 };
                documents.push((number, Err(problem)));
                (start, first) = (offset + line.len(), number + 1);
            } else if offset > start {
                documents.push((first, Ok(text.get(start..offset).unwrap_or_default())));
                (start, first) = (offset + line.len(), number + 1);
            }
        }
        offset += line.len();
    }
    documents.push((first, Ok(text.get(start..).unwrap_or_default())));
    documents
}

pub(super) fn first_line(line: u32) -> Place {
    let at = |column| Position { line: line + 1, column };
    Place { start: at(1), end: at(2) }
}

fn read_document(text: &str, first: u32) -> Result<Option<Document>, Problem> {
    reader::read(text, first).map(|read| {
        read.map(|read| Document {
            value: read.value,
            line: first.saturating_add(1),
            duplicates: read.duplicates,
            spans: read.spans,
        })
    })
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
    fn a_key_that_stands_twice_counts_where_it_stands_last() {
        let document = only("a: 1\nb: {c: 1, c: 2}\na: 3\n");
        assert_eq!(document.value, json!({"a": 3, "b": {"c": 2}}));
        let twice: Vec<_> =
            document.duplicates.iter().map(|(at, key)| (at.start.line, key.as_str())).collect();
        assert_eq!(twice, [(2, "c"), (3, "a")]);
    }

    #[test]
    fn documents_are_read_apart_and_a_broken_one_hides_no_other() {
        let parsed = parse("a: 1\n---\nb: [\n---\n# nothing\n---\nc: 3\n");
        let values: Vec<_> = parsed.documents.iter().map(|d| (d.line, d.value.clone())).collect();
        assert_eq!(values, [(1, json!({"a": 1})), (7, json!({"c": 3}))]);
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].place.start.line, 4);
    }

    /// Texts that a real kubectl printed, or that follow from go.yaml.in/yaml/v2 decode.go
    /// parser.fail.
    #[test]
    fn what_is_no_yaml_is_said_in_kubectls_words() {
        let cases = [
            ("a: b: c\n", "yaml: mapping values are not allowed in this context"),
            ("x: 1\na: b: c\n", "yaml: line 2: mapping values are not allowed in this context"),
            ("a: \"b\nc: d\n", "yaml: line 3: found unexpected end of stream"),
            ("a:\n\tb: c\n", "yaml: line 2: found character that cannot start any token"),
            ("a: \u{1}\n", "yaml: control characters are not allowed"),
            ("a: *x\n", "yaml: unknown anchor 'x' referenced"),
            ("a: *\n", "yaml: did not find expected alphabetic or numeric character"),
            (
                "a: 1\nschedule: */5 * * * *\n",
                "yaml: line 2: did not find expected alphabetic or numeric character",
            ),
            ("a: 1\nspec:\n  a: 1\n b: 2\n", "yaml: line 3: did not find expected key"),
            ("a:\n- b: 1\n  c: 2\n - d: 3\n", "yaml: line 3: did not find expected key"),
            ("a:\n  b: {c: 1\n  d: 2\n", "yaml: line 2: did not find expected ',' or '}'"),
            ("a: [b, c\nd: 1\n", "yaml: line 1: did not find expected ',' or ']'"),
            (
                "a: 1\ncommand: [sleep, 10\nargs: 2\n",
                "yaml: line 2: did not find expected ',' or ']'",
            ),
            ("a: 1\nb\nc: 2\n", "yaml: line 3: could not find expected ':'"),
            ("a: b\n- c\n", "yaml: line 1: did not find expected key"),
            (
                "x: 1\na: - b\n",
                "yaml: line 2: block sequence entries are not allowed in this context",
            ),
            (
                "a: |\n  b\n\tc\nd: 1\n",
                "yaml: line 3: found a tab character where an indentation space is expected",
            ),
            (
                "a: |\n\tb\n",
                "yaml: line 2: found a tab character where an indentation space is expected",
            ),
            ("a:\n-\tb: 1\n", "yaml: line 2: found character that cannot start any token"),
            ("a: 1\nb: \"\\q\"\n", "yaml: line 2: found unknown escape character"),
            ("a: 1\nb: @x\n", "yaml: line 2: found character that cannot start any token"),
            ("a: 1\nb: !x!y z\n", "yaml: line 1: found undefined tag handle"),
            ("a: 1\nb: !!int x\n", "yaml: cannot decode !!str `x` as a !!int"),
            ("<<: x\n", "yaml: map merge requires map or sequence of maps as the value"),
            ("a: .inf\n", "json: unsupported value: +Inf"),
            ("a: &b [*b]\n", "yaml: anchor 'b' value contains itself"),
            (
                "{a: [1}\n",
                "json: offset 2: invalid character 'a' looking for beginning of object key string",
            ),
            ("{\"a\": 1\n", "unexpected EOF"),
            ("%YAML 1.1\n---\na: 1\n", "yaml: line 1: did not find expected <document start>"),
            ("a: 1\n--- b\n", "invalid Yaml document separator: b"),
            (
                "name: {{ .Values.name }}\n",
                "yaml: invalid map key: map[interface {}]interface {}{\".Values.name\":interface {}(nil)}",
            ),
            (
                "a:\n  {{- include \"x\" . }}\nb: 1\n",
                "yaml: line 1: did not find expected node content",
            ),
        ];
        for (text, expected) in cases {
            let problems = parse(text).problems;
            let message = problems.first().map(|p| p.message.as_str()).unwrap_or("none");
            let message =
                message.strip_prefix("error converting YAML to JSON: ").unwrap_or(message);
            assert_eq!(message, expected, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_from_where_a_document_begins() {
        let problem = |text: &str| parse(text).problems.remove(0);
        let first = problem("---\na: 1\nb: c: d\n");
        let second = problem("a: 1\n---\na: 1\nb: c: d\n");
        for (problem, line, document) in [(first, "line 3", 1), (second, "line 2", 3)] {
            assert!(problem.message.contains(line), "{}", problem.message);
            assert_eq!(
                (problem.document, problem.place.start.line),
                (document, document + 2 - (document - 1) / 2)
            );
        }
    }

    #[test]
    fn scalars_are_read_in_every_style() {
        let cases = [
            ("a: b c # d\n", json!({"a": "b c"})),
            ("a: b\n  c\n\n  d\n", json!({"a": "b c\nd"})),
            ("a: 'it''s'\n", json!({"a": "it's"})),
            ("a: \"x\\n\\u00e9\\\n  y\"\n", json!({"a": "x\néy"})),
            ("a: 'b\n\n  c'\n", json!({"a": "b\nc"})),
            ("a: |\n  b\n   c\n\n", json!({"a": "b\n c\n"})),
            ("a: |-\n  b\n", json!({"a": "b"})),
            ("a: |+\n  b\n\nc: 1\n", json!({"a": "b\n\n", "c": 1})),
            ("a: |2\n   b\n", json!({"a": " b\n"})),
            ("a: >\n  b\n  c\n\n  d\n   e\n", json!({"a": "b c\nd\n e\n"})),
            ("a:\n- b\n-\n  - c\n- d: 1\n  e: 2\n", json!({"a": ["b", ["c"], {"d": 1, "e": 2}]})),
            ("a: [b, {c: d}, e: f]\n", json!({"a": ["b", {"c": "d"}, {"e": "f"}]})),
            ("{a: b, \"c\":d, e:}\n", json!({"a": "b", "c": "d", "e:": null})),
            ("? a\n: b\n", json!({"a": "b"})),
            ("a: !!str 5\nb: !!binary aGk=\nc: ! x\n", json!({"a": "5", "b": "hi", "c": "x"})),
            ("a: &x {b: 1}\nc: *x\n", json!({"a": {"b": 1}, "c": {"b": 1}})),
            ("b: 1\n<<: {b: 2, c: 3}\nc: 4\n", json!({"b": 2, "c": 4})),
            ("---\na: 1\n...\n", json!({"a": 1})),
            ("a: 1\na: 2\n", json!({"a": 2})),
            ("a: b:c\nd: http://e#f\n", json!({"a": "b:c", "d": "http://e#f"})),
        ];
        for (text, expected) in cases {
            assert_eq!(only(text).value, expected, "{text}");
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
