//! Filling in the variables of a word.

use super::pattern::matches;
use super::step::{Change, Part, Word};
use super::sum;

/// What a word's variables are.
pub(in crate::container) trait Variables {
    /// The value of a variable, or of `?`, `$`, `1` and their kin.
    fn value(&self, name: &str) -> Option<String>;
    /// The script's own arguments, from `$1` on.
    fn arguments(&self) -> Vec<String>;
    /// Sets a variable.
    fn assign(&mut self, name: &str, value: String);
    /// What the `$(…)` of this number printed, without line ends behind it.
    fn captured(&self, number: usize) -> String;
    /// The paths that fit a pattern, in their order.
    fn paths(&self, pattern: &str) -> Vec<String>;
}

/// The fields that a word becomes: none, one or several.
///
/// # Errors
/// The shell's sentence if it cannot be filled in.
pub(in crate::container) fn fields(
    word: &Word,
    variables: &mut dyn Variables,
) -> Result<Vec<String>, String> {
    let mut fields = Fields::default();
    for part in word {
        match part {
            Part::Text(text) => fields.add_pattern(&tilde(text, &fields, variables)),
            Part::Parameter { name, change: Change::None, quoted: true } if name == "@" => {
                let arguments = variables.arguments();
                let last = arguments.len().saturating_sub(1);
                for (number, argument) in arguments.iter().enumerate() {
                    fields.add(argument);
                    if number < last {
                        fields.end();
                    }
                }
            }
            Part::Parameter { quoted: false, .. } | Part::Captured { quoted: false, .. } => {
                fields.add_split(&of_part(part, variables)?);
            }
            part => fields.add(&of_part(part, variables)?),
        }
    }
    fields.end();
    let mut all = Vec::new();
    for (text, is_pattern) in fields.done {
        let found = if is_pattern { variables.paths(&text) } else { Vec::new() };
        match found.is_empty() {
            true => all.push(text),
            false => all.extend(found),
        }
    }
    Ok(all)
}

/// The text that a word becomes where it is not split: in assignments, redirections, `case`.
///
/// # Errors
/// The shell's sentence if it cannot be filled in.
pub(in crate::container) fn text(
    word: &Word,
    variables: &mut dyn Variables,
) -> Result<String, String> {
    let mut text = String::new();
    for (number, part) in word.iter().enumerate() {
        match part {
            Part::Text(own) if number == 0 => {
                text.push_str(&tilde(own, &Fields::default(), variables));
            }
            part => text.push_str(&of_part(part, variables)?),
        }
    }
    Ok(text)
}

/// Fields as they grow.
#[derive(Default)]
struct Fields {
    done: Vec<(String, bool)>,
    open: Option<(String, bool)>,
}

impl Fields {
    fn add(&mut self, text: &str) {
        self.open.get_or_insert_default().0.push_str(text);
    }

    fn add_pattern(&mut self, text: &str) {
        let open = self.open.get_or_insert_default();
        open.0.push_str(text);
        open.1 |= text.contains(['*', '?', '[']);
    }

    fn add_split(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.end();
        }
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            self.add_pattern(word);
            if words.peek().is_some() || text.ends_with(char::is_whitespace) {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.done.extend(self.open.take());
    }
}

fn tilde(text: &str, fields: &Fields, variables: &dyn Variables) -> String {
    match text.strip_prefix('~') {
        Some(rest) if fields.open.is_none() && (rest.is_empty() || rest.starts_with('/')) => {
            variables.value("HOME").unwrap_or_else(|| "/root".to_owned()) + rest
        }
        _ => text.to_owned(),
    }
}

fn of_part(part: &Part, variables: &mut dyn Variables) -> Result<String, String> {
    Ok(match part {
        Part::Text(text) | Part::Quoted(text) => text.clone(),
        Part::Captured { number, .. } => variables.captured(*number),
        Part::Sum(word) => {
            let expression = text(word, variables)?;
            sum::value(&expression, variables)?.to_string()
        }
        Part::Parameter { name, change, .. } => parameter(name, change, variables)?,
    })
}

fn parameter(name: &str, change: &Change, variables: &mut dyn Variables) -> Result<String, String> {
    let value = match name {
        "@" | "*" => Some(variables.arguments().join(" ")),
        "#" => Some(variables.arguments().len().to_string()),
        name => variables.value(name),
    };
    match change {
        Change::None => Ok(value.unwrap_or_default()),
        Change::Length => Ok(value.map_or(0, |value| value.chars().count()).to_string()),
        Change::Unless { sign, or_empty, word } => {
            let is_there = value.as_ref().is_some_and(|value| !or_empty || !value.is_empty());
            if is_there != (*sign == '+') {
                return Ok(value.filter(|_| *sign != '+').unwrap_or_default());
            }
            let word = text(word, variables)?;
            match sign {
                '?' if word.is_empty() => Err(format!("{name}: parameter not set")),
                '?' => Err(format!("{name}: {word}")),
                '=' => {
                    variables.assign(name, word.clone());
                    Ok(word)
                }
                _ => Ok(word),
            }
        }
        Change::Cut { sign, longest, pattern } => {
            let pattern = text(pattern, variables)?;
            Ok(cut(&value.unwrap_or_default(), *sign == '%', *longest, &pattern))
        }
    }
}

/// Takes from a text's end, or its begin, what fits a pattern.
fn cut(value: &str, at_end: bool, longest: bool, pattern: &str) -> String {
    let places = value.char_indices().map(|(place, _)| place).chain([value.len()]);
    let mut places: Vec<usize> = places.collect();
    // The shortest end begins last, the shortest begin ends first.
    if at_end != longest {
        places.reverse();
    }
    for place in places {
        let Some((before, after)) = value.split_at_checked(place) else { continue };
        let (kept, gone) = if at_end { (before, after) } else { (after, before) };
        if matches(pattern, gone) {
            return kept.to_owned();
        }
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::{Step, parse};
    use super::*;
    use std::collections::BTreeMap;

    struct Given(BTreeMap<String, String>);

    impl Variables for Given {
        fn value(&self, name: &str) -> Option<String> {
            self.0.get(name).cloned()
        }
        fn arguments(&self) -> Vec<String> {
            vec!["one".into(), "two words".into()]
        }
        fn assign(&mut self, name: &str, value: String) {
            self.0.insert(name.into(), value);
        }
        fn captured(&self, number: usize) -> String {
            format!("printed {number}")
        }
        fn paths(&self, pattern: &str) -> Vec<String> {
            ["/etc/a", "/etc/b"]
                .iter()
                .filter(|p| matches(pattern, p))
                .map(|p| (*p).into())
                .collect()
        }
    }

    #[test]
    fn words_become_fields_as_in_a_shell() {
        let cases: [(&str, &[&str]); 17] = [
            ("$A", &["a", "b"]),
            ("\"$A\"", &["a  b"]),
            ("x$A.y", &["xa", "b.y"]),
            ("$NONE", &[]),
            ("\"$NONE\"", &[""]),
            ("''", &[""]),
            ("${NONE:-d e}", &["d", "e"]),
            ("\"${N:=3}\"$N", &["33"]),
            ("${A:+set}", &["set"]),
            ("${#A}", &["4"]),
            ("${P%.tar.gz} ${P##*/}", &["/x/y", "y.tar.gz"]),
            ("\"$@\" $#", &["one", "two words", "2"]),
            ("$(date) \"$(x)\"", &["printed", "0", "printed 1"]),
            ("$((1 + 2 * (3 - 1))) $(( I++ + 1 )) $I", &["5", "8", "8"]),
            ("/etc/* '/etc/*'", &["/etc/a", "/etc/b", "/etc/*"]),
            ("~/x a~", &["/root/x", "a~"]),
            ("\\$A '$A' \"\\$A\"", &["$A", "$A", "$A"]),
        ];
        for (script, expected) in cases {
            let mut given = Given(BTreeMap::from([
                ("A".to_owned(), "a  b".to_owned()),
                ("P".to_owned(), "/x/y.tar.gz".to_owned()),
                ("I".to_owned(), "7".to_owned()),
            ]));
            let steps = parse(&format!("echo {script}")).unwrap();
            let Some(Step::Simple(simple, _)) = steps.last() else { panic!("{script}: {steps:?}") };
            let words = simple.words.iter().skip(1);
            let got: Vec<String> =
                words.flat_map(|word| fields(word, &mut given).unwrap()).collect();
            assert_eq!(got, expected, "{script}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_said() {
        for (script, why) in [
            ("${X:?}", "X: parameter not set"),
            ("${X?is needed}", "X: is needed"),
            ("$((1/0))", "divide by zero"),
            ("$((1 +))", "arithmetic syntax error"),
        ] {
            let steps = parse(&format!("echo {script}")).unwrap();
            let Some(Step::Simple(simple, _)) = steps.last() else { panic!("{script}") };
            let word = simple.words.last().unwrap();
            assert_eq!(fields(word, &mut Given(BTreeMap::new())), Err(why.to_owned()), "{script}");
        }
    }
}
