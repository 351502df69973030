//! Objects as kubectl prints them. YAML: lists not indented below their key, strings quoted where YAML 1.1
//! would read something else, long lines folded.
//!
//! Models the output of sigs.k8s.io/yaml Marshal (go.yaml.in/yaml/v2).

use crate::api::Value;

/// Beyond this column a line is broken at its next space.
const BEST_WIDTH: usize = 80;

/// A value as a YAML document.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => mapping(value, 0, &mut out),
        Value::Array(items) if !items.is_empty() => sequence(items, 0, &mut out),
        other => {
            scalar(other, 0, 0, &mut out);
            out.push('\n');
        }
    }
    out
}

fn pad(indent: usize, out: &mut String) {
    out.extend(core::iter::repeat_n(' ', indent));
}

fn mapping(value: &Value, indent: usize, out: &mut String) {
    let Some(fields) = value.as_object() else { return };
    for (index, (key, value)) in fields.iter().enumerate() {
        if index > 0 {
            pad(indent, out);
        }
        let start = out.len();
        flow_string(key, Place { column: usize::MAX, indent: 0 }, out);
        let width = indent + out.len() - start;
        out.push(':');
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                out.push('\n');
                pad(indent + 2, out);
                mapping(value, indent + 2, out);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                pad(indent, out);
                sequence(items, indent, out);
            }
            value => {
                out.push(' ');
                scalar(value, width + 2, indent + 2, out);
                out.push('\n');
            }
        }
    }
}

fn sequence(items: &[Value], indent: usize, out: &mut String) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(indent, out);
        }
        out.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => mapping(item, indent + 2, out),
            Value::Array(items) if !items.is_empty() => sequence(items, indent + 2, out),
            item => {
                scalar(item, indent + 2, indent + 2, out);
                out.push('\n');
            }
        }
    }
}

fn scalar(value: &Value, column: usize, indent: usize, out: &mut String) {
    match value {
        Value::String(text) if text.contains('\n') && Shape::of(text).block_allowed => {
            literal(text, indent, out)
        }
        Value::String(text) => flow_string(text, Place { column, indent }, out),
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        other => out.push_str(&other.to_string()),
    }
}

/// How a text may be written.
/// Models go.yaml.in/yaml/v2 emitterc.go yaml_emitter_analyze_scalar.
struct Shape {
    plain_allowed: bool,
    single_quoted_allowed: bool,
    block_allowed: bool,
}

impl Shape {
    fn of(text: &str) -> Shape {
        let letters: Vec<char> = text.chars().collect();
        let (first, last) = (letters.first().copied(), letters.last().copied());
        let pairs = || letters.iter().zip(letters.iter().skip(1));
        let spaced = |a: char, b: char| pairs().any(|(one, next)| (*one, *next) == (a, b));
        let is_blank = |c: Option<char>| c.is_none_or(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let indicates = text.starts_with("---")
            || text.starts_with("...")
            || first.is_some_and(|c| "#,[]{}&*!|>'\"%@`".contains(c))
            || (first.is_some_and(|c| "?:-".contains(c)) && is_blank(letters.get(1).copied()))
            || pairs().any(|(one, next)| *next == '#' && is_blank(Some(*one)))
            || pairs().any(|(one, next)| *one == ':' && is_blank(Some(*next)))
            || (letters.len() > 1 && last == Some(':'));
        let at_an_end = |c: Option<char>| matches!(c, Some(' ' | '\n'));
        let special = spaced(' ', '\n') || !letters.iter().all(|c| *c == '\n' || is_printable(*c));
        let break_space = spaced('\n', ' ');
        Shape {
            plain_allowed: !(indicates
                || special
                || break_space
                || text.contains('\n')
                || at_an_end(first)
                || at_an_end(last)),
            single_quoted_allowed: !special && !break_space,
            block_allowed: !special && last != Some(' '),
        }
    }
}

/// Models go.yaml.in/yaml/v2 emitterc.go yaml_emitter_write_literal_scalar.
fn literal(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    let stripped = text.trim_end_matches('\n');
    match text.len() - stripped.len() {
        0 => out.push('-'),
        1 if !stripped.is_empty() => {}
        _ => out.push('+'),
    }
    let body = text.strip_suffix('\n').unwrap_or(text);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent, out);
            out.push_str(line);
        }
    }
}

/// What YAML may show as it is; a tab is not, and no letter beyond the first 65,536.
/// Models go.yaml.in/yaml/v2 yamlprivateh.go is_printable.
fn is_printable(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Where a text begins, and how far the lines are indented that it is folded into.
#[derive(Clone, Copy)]
struct Place {
    /// `usize::MAX` for a key, which is never folded.
    column: usize,
    indent: usize,
}

/// A string on one line, or folded.
/// Models go.yaml.in/yaml/v2 emitterc.go yaml_emitter_select_scalar_style.
fn flow_string(text: &str, place: Place, out: &mut String) {
    let shape = Shape::of(text);
    if reads_as_something_else(text) || text.contains('\n') || !shape.single_quoted_allowed {
        return fold(text, Style::Double, place, out);
    }
    let style = if shape.plain_allowed { Style::Plain } else { Style::Single };
    fold(text, style, place, out);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// Writes a text with its quotes, and breaks lines at the first space beyond the best width.
/// Models go.yaml.in/yaml/v2 emitterc.go yaml_emitter_write_plain_scalar and its siblings.
fn fold(text: &str, style: Style, place: Place, out: &mut String) {
    let quote = match style {
        Style::Plain => "",
        Style::Single => "'",
        Style::Double => "\"",
    };
    out.push_str(quote);
    let folds = place.column != usize::MAX;
    let (mut column, mut after_space) = (place.column.saturating_add(quote.len()), false);
    let mut letters = text.chars().peekable();
    let mut is_first = true;
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        let space_next = next == Some(' ');
        let is_inner = style == Style::Plain || (!is_first && next.is_some());
        let may_break = folds && !after_space && column > BEST_WIDTH && is_inner;
        is_first = false;
        after_space = letter == ' ';
        if letter == ' ' && may_break && (style == Style::Double || !space_next) {
            out.push('\n');
            pad(place.indent, out);
            column = place.indent;
            if space_next {
                // Else the reader would take the space for indentation.
                out.push('\\');
                column += 1;
            }
            continue;
        }
        let before = out.len();
        match style {
            Style::Single if letter == '\'' => out.push_str("''"),
            Style::Double => escaped(letter, out),
            _ => out.push(letter),
        }
        column = column.saturating_add(out.get(before..).map_or(0, |new| new.chars().count()));
    }
    out.push_str(quote);
}

/// A letter between double quotes.
fn escaped(letter: char, out: &mut String) {
    let short = match letter {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => letter,
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        letter if is_printable(letter) => return out.push(letter),
        letter => {
            let number = u32::from(letter);
            return out.push_str(&match number {
                ..=0xff => format!("\\x{number:02X}"),
                0x100..=0xffff => format!("\\u{number:04X}"),
                _ => format!("\\U{number:08X}"),
            });
        }
    };
    out.extend(['\\', short]);
}

/// Whether YAML 1.1 would read a plain word as null, a boolean, a number or a time.
pub fn reads_as_something_else(text: &str) -> bool {
    const WORDS: [&str; 33] = [
        "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO",
        "true", "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF",
        ".nan", ".NaN", ".NAN", "<<", ".inf", ".Inf",
    ];
    if WORDS.contains(&text) {
        return true;
    }
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    starts && (is_integer(text) || is_float(text) || is_time(text) || is_base_60(text))
}

fn is_integer(text: &str) -> bool {
    let plain = text.replace('_', "");
    let digits = plain.trim_start_matches(['+', '-']);
    let all =
        |digits: &str, base: u32| !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    if plain.len() > digits.len() + 1 {
        return false;
    }
    match digits.get(..2) {
        Some("0x" | "0X") => all(digits.get(2..).unwrap_or_default(), 16),
        Some("0b" | "0B") => all(digits.get(2..).unwrap_or_default(), 2),
        Some("0o" | "0O") => all(digits.get(2..).unwrap_or_default(), 8),
        _ => all(digits, 10),
    }
}

fn is_float(text: &str) -> bool {
    let plain = text.replace('_', "");
    let plain = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((plain, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let all = |digits: &str| digits.chars().all(|c| c.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some = !whole.is_empty() || !part.is_empty();
    matches!(plain, ".inf" | ".Inf" | ".INF")
        || (some && all(whole) && all(part) && !exponent.is_empty() && all(exponent))
}

fn is_base_60(text: &str) -> bool {
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = plain.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let rest = parts.all(|part| {
        count += 1;
        let part = part.split('.').next().unwrap_or_default();
        let digits =
            !part.is_empty() && part.len() <= 2 && part.chars().all(|c| c.is_ascii_digit());
        digits && part.parse::<u8>().is_ok_and(|number| number < 60)
    });
    count > 0 && rest && !first.is_empty() && first.chars().all(|c| c.is_ascii_digit() || c == '_')
}

/// `2026-01-01`, `2026-1-1T0:0:0Z`, `2026-01-01 10:00:00`.
fn is_time(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    };
    let date: Vec<&str> = date.split('-').collect();
    let number = |part: &&str, least: usize, most: usize| {
        (least..=most).contains(&part.len()) && part.chars().all(|c| c.is_ascii_digit())
    };
    let [year, month, day] = date.as_slice() else { return false };
    if !(number(year, 4, 4) && number(month, 1, 2) && number(day, 1, 2)) {
        return false;
    }
    time.is_none_or(|time| {
        time.split(':').count() == 3 && time.starts_with(|c: char| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn strings_are_quoted_only_where_yaml_would_read_something_else() {
        let cases = [
            ("nginx:1.27", "nginx:1.27"),
            ("1", "\"1\""),
            ("true", "\"true\""),
            ("n", "\"n\""),
            ("", "\"\""),
            ("100m", "100m"),
            ("1e3", "\"1e3\""),
            ("0x1f", "\"0x1f\""),
            ("*/5 * * * *", "'*/5 * * * *'"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("it's: x", "'it''s: x'"),
            ("2026-11-23T11:12:07Z", "\"2026-11-23T11:12:07Z\""),
            ("12:30", "\"12:30\""),
            ("-", "'-'"),
            ("-x", "-x"),
            ("10.96.0.1", "10.96.0.1"),
            ("25%", "25%"),
            ("@x", "'@x'"),
        ];
        for (text, yaml) in cases {
            assert_eq!(to_yaml(&json!({ "k": text })), format!("k: {yaml}\n"), "{text}");
        }
    }

    #[test]
    fn lists_stand_below_their_key_without_indentation() {
        let value = json!({"a": [{"b": 1, "c": [2]}, [3, 4]], "d": {}, "e": [], "f": null});
        let yaml = "a:\n- b: 1\n  c:\n  - 2\n- - 3\n  - 4\nd: {}\ne: []\nf: null\n";
        assert_eq!(to_yaml(&value), yaml);
    }

    #[test]
    fn several_lines_become_a_block() {
        let value = json!({"a": {"b": "x\ny\n", "c": "x\n\ny"}});
        assert_eq!(to_yaml(&value), "a:\n  b: |\n    x\n    y\n  c: |-\n    x\n\n    y\n");
    }

    #[test]
    fn long_lines_break_at_the_first_space_past_column_80() {
        let text = "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. no new claims";
        let yaml = "message: '0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient\n  cpu. no new claims'\n";
        assert_eq!(to_yaml(&json!({ "message": text })), yaml);
    }

    /// Printed by a real kubectl for texts of ConfigMaps.
    #[test]
    fn what_is_no_block_is_folded_between_quotes() {
        let cases = [
            ("go 1.21\n\n\trequire", "\"go 1.21\\n\\n\\trequire\""),
            ("  a\nb\n", "|2\n    a\n  b"),
            ("\na", "|2-\n\n  a"),
            ("\n", "|2+\n"),
            ("a \nb", "\"a \\nb\""),
            ("\u{1f600} é", "\"\\U0001F600 é\""),
            ("\u{1b}[0m", "\"\\e[0m\""),
        ];
        for (text, yaml) in cases {
            assert_eq!(to_yaml(&json!({ "k": text })), format!("k: {yaml}\n"), "{text:?}");
        }
        let text = format!("{}\n    grpc: x", "receivers: ".repeat(7).trim_end());
        let yaml = format!(
            "k: {}\n",
            "|-\n  receivers:".to_owned() + &" receivers:".repeat(6) + "\n      grpc: x"
        );
        assert_eq!(to_yaml(&json!({ "k": text })), yaml);
        let text = format!("{} \n    grpc: x", "r".repeat(74));
        let yaml = format!("k: \"{} \\n\n  \\   grpc: x\"\n", "r".repeat(74));
        assert_eq!(to_yaml(&json!({ "k": text })), yaml);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~\n]{0,12}".prop_map(Value::from),
            "[a-z0-9:#.*-]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any_value()) {
            let text = to_yaml(&json!({"value": value}));
            let parsed = parse(&text);
            prop_assert_eq!(&parsed.problems, &vec![], "{}", text);
            prop_assert_eq!(&parsed.documents[0].value["value"], &value, "{}", text);
        }

        #[test]
        fn no_text_panics(text in "[ -~\n\t]{0,60}") {
            let _ = parse(&text);
        }
    }
}
