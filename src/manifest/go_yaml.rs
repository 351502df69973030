//! The words and the line that kubectl has for text that is not YAML.
//!
//! Our parser and Go's differ in their messages and in the place they blame; this turns one into
//! the other for what people get wrong.
//!
//! Models sigs.k8s.io/yaml/goyaml.v2 decode.go fail, scannerc.go, parserc.go.

use crate::api::Value;

/// What Go's parser would have said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GoProblem {
    /// `yaml: line 3: mapping values are not allowed in this context`.
    pub(super) message: String,
}

/// A value as Go's `%#v` prints what its YAML parser reads into.
pub(super) fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(syntax).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key:?}:{}", syntax(value))).collect();
            format!("map[interface {{}}]interface {{}}{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether Go's scanner or its parser finds the problem: they count lines differently.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finder {
    Scanner,
    Parser,
}

/// What Go's message blames: the place where the problem shows, the collection that it is in, or
/// the scalar that it began in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blame {
    Place,
    Collection,
    Scalar,
}

/// Puts a problem in Go's words. `line` is where our parser stopped, `context` where the innermost
/// collection began and `last` the last line, all counted from 0.
pub(super) fn problem(info: &str, line: usize, context: Option<usize>, last: usize) -> GoProblem {
    let (finder, words, blame) = translate(info);
    let blamed = match (blame, context) {
        (Blame::Collection, Some(context)) if context != 0 => context,
        (Blame::Scalar, _) if line == 0 => last,
        _ => line,
    };
    let number = match finder {
        Finder::Scanner => blamed + 1,
        Finder::Parser => blamed,
    };
    let place = if blamed == 0 { String::new() } else { format!("line {number}: ") };
    GoProblem { message: format!("yaml: {place}{words}") }
}

fn translate(info: &str) -> (Finder, &'static str, Blame) {
    use Blame::{Collection, Place, Scalar};
    use Finder::{Parser, Scanner};
    let table = [
        (
            "mapping values are not allowed",
            Scanner,
            "mapping values are not allowed in this context",
            Place,
        ),
        (
            "illegal placement of ':'",
            Scanner,
            "mapping values are not allowed in this context",
            Place,
        ),
        ("quoted scalar, found unexpected end", Scanner, "found unexpected end of stream", Scalar),
        ("indentation in quoted scalar", Scanner, "found unexpected end of stream", Scalar),
        ("unexpected eof", Scanner, "found unexpected end of stream", Scalar),
        ("tab", Scanner, "found character that cannot start any token", Place),
        ("unexpected character", Scanner, "found character that cannot start any token", Place),
        ("unknown escape character", Scanner, "found unknown escape character", Scalar),
        ("simple key expect", Scanner, "could not find expected ':'", Place),
        ("unknown anchor", Parser, "unknown anchor referenced", Place),
        ("expected ',' or '}'", Parser, "did not find expected ',' or '}'", Collection),
        ("expected ',' or ']'", Parser, "did not find expected ',' or ']'", Collection),
        ("expected '-' indicator", Parser, "did not find expected '-' indicator", Collection),
        (
            "entries are not allowed",
            Scanner,
            "block sequence entries are not allowed in this context",
            Place,
        ),
        ("node content", Parser, "did not find expected node content", Collection),
        ("document start", Parser, "did not find expected <document start>", Place),
        ("document-start", Parser, "did not find expected <document start>", Place),
        ("unprintable", Scanner, "control characters are not allowed", Place),
    ];
    let known = table.into_iter().find(|(part, ..)| info.contains(part));
    known.map_or((Parser, "did not find expected key", Collection), |(_, finder, words, blame)| {
        (finder, words, blame)
    })
}
