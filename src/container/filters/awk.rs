//! awk: patterns, `print`, `printf`, sums and counts, `BEGIN` and `END`.

//!
//! Simplified: no functions, no `if`, no sums but `+=` and `++`.

use super::{failed, formatted, said};
use crate::container::Output;
use crate::pattern::{Dialect, Pattern};

/// A pattern with what is done where it holds.
struct Rule<'a> {
    pattern: &'a str,
    body: &'a str,
}

/// A line, and what was counted so far.
struct Place<'a> {
    fields: Vec<&'a str>,
    line: &'a str,
    number: usize,
    variables: &'a [(String, f64)],
}

/// Runs a program.
pub(super) fn run(words: &[String], text: &str) -> Output {
    let mut separator = None;
    let mut program = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("-F") {
            Some("") => separator = words.next().cloned(),
            Some(sign) => separator = Some(sign.to_owned()),
            None => program = program.or(Some(word)),
        }
    }
    let Some(rules) = program.and_then(|program| rules(program)) else {
        return failed(
            2,
            "awk: this awk knows patterns, print, printf, = += and ++ only\n".to_owned(),
        );
    };
    let split = |line| -> Vec<&str> {
        match &separator {
            Some(sign) => str::split(line, sign.as_str()).collect(),
            None => str::split_whitespace(line).collect(),
        }
    };
    let mut machine = Machine::default();
    machine.each(&rules, "BEGIN", &Vec::new, "", 0);
    let mut count = 0;
    for line in text.lines() {
        count += 1;
        machine.each(&rules, "", &|| split(line), line, count);
    }
    machine.each(&rules, "END", &Vec::new, "", count);
    said(machine.out)
}

/// A program at work.
#[derive(Default)]
struct Machine {
    variables: Vec<(String, f64)>,
    out: String,
}

impl Machine {
    /// Carries out the rules of `BEGIN`, of `END`, or of neither.
    fn each<'a>(
        &mut self,
        rules: &[Rule<'_>],
        when: &str,
        fields: &dyn Fn() -> Vec<&'a str>,
        line: &'a str,
        number: usize,
    ) {
        for rule in rules {
            let is_special = matches!(rule.pattern, "BEGIN" | "END");
            if is_special && rule.pattern != when || !is_special && !when.is_empty() {
                continue;
            }
            let place = Place { fields: fields(), line, number, variables: &self.variables };
            if !is_special && !holds(rule.pattern, &place) {
                continue;
            }
            for statement in statements(rule.body) {
                let place = Place { fields: fields(), line, number, variables: &self.variables };
                match act(statement, &place) {
                    Act::Print(text) => self.out.push_str(&text),
                    Act::Set(name, value) => {
                        self.variables.retain(|(one, _)| *one != name);
                        self.variables.push((name, value));
                    }
                }
            }
        }
    }
}

/// Parts a program at its braces.
fn rules(program: &str) -> Option<Vec<Rule<'_>>> {
    let mut rules = Vec::new();
    let mut rest = program.trim();
    while !rest.is_empty() {
        let Some((pattern, after)) = rest.split_once('{') else {
            // A pattern alone prints its lines.
            rules.push(Rule { pattern: rest, body: "print" });
            break;
        };
        let (body, after) = after.split_once('}')?;
        rules.push(Rule { pattern: pattern.trim(), body });
        rest = after.trim_start_matches([';', ' ', '\n']);
    }
    let is_known = rules.iter().all(|rule| statements(rule.body).all(is_known));
    (!rules.is_empty() && is_known).then_some(rules)
}

/// Whether a statement is one of those that are carried out here: no function, no `if`, no sum but
/// `+=` and `++`.
fn is_known(statement: &str) -> bool {
    let plain: String = statement.split('"').step_by(2).collect();
    let is_list = |list: &str| list.chars().all(|c| c.is_alphanumeric() || " \t$,._".contains(c));
    let list = plain.strip_prefix("printf ").or_else(|| plain.strip_prefix("print"));
    list.or_else(|| plain.strip_suffix("++")).is_some_and(is_list)
        || plain.split_once("+=").or_else(|| plain.split_once('=')).is_some_and(|(name, value)| {
            is_list(name) && is_list(value.trim_start_matches([' ', '-']))
        })
}

fn statements(body: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = body.split(move |c| {
        quoted ^= c == '"';
        !quoted && (c == ';' || c == '\n')
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

enum Act {
    Print(String),
    Set(String, f64),
}

fn act(statement: &str, place: &Place<'_>) -> Act {
    if let Some(list) = statement.strip_prefix("printf ") {
        return Act::Print(formatted(&place.list(list)));
    }
    if let Some(list) = statement.strip_prefix("print") {
        let text = match list.trim() {
            "" => place.line.to_owned(),
            list => place.list(list).join(" "),
        };
        return Act::Print(text + "\n");
    }
    let number = |name: &str| place.variable(name).unwrap_or(0.0);
    if let Some(name) = statement.strip_suffix("++") {
        return Act::Set(name.to_owned(), number(name) + 1.0);
    }
    if let Some((name, value)) = statement.split_once("+=") {
        let name = name.trim();
        return Act::Set(name.to_owned(), number(name) + as_number(&place.text(value)));
    }
    let (name, value) = statement.split_once('=').unwrap_or((statement, ""));
    Act::Set(name.trim().to_owned(), as_number(&place.text(value)))
}

impl Place<'_> {
    fn variable(&self, name: &str) -> Option<f64> {
        self.variables.iter().find(|(one, _)| one == name).map(|(_, value)| *value)
    }

    /// What stands between commas.
    fn list(&self, list: &str) -> Vec<String> {
        let mut quoted = false;
        let parts = list.split(move |c| {
            quoted ^= c == '"';
            !quoted && c == ','
        });
        parts.map(|part| self.text(part)).collect()
    }

    /// Terms one after the other, put together.
    fn text(&self, terms: &str) -> String {
        let mut out = String::new();
        let mut rest = terms.trim();
        while let Some(first) = rest.chars().next() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (text, after) = quoted.split_once('"').unwrap_or((quoted, ""));
                out.push_str(&text.replace("\\n", "\n").replace("\\t", "\t"));
                rest = after.trim_start();
                continue;
            }
            let is_of_it = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
            let from = first.len_utf8();
            let tail = rest.get(from..).unwrap_or_default();
            let end = from + tail.find(|c| !is_of_it(c)).unwrap_or(tail.len());
            let (term, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            out.push_str(&self.term(term));
            rest = after.trim_start();
        }
        out
    }

    fn term(&self, term: &str) -> String {
        let field = |number: usize| match number {
            0 => self.line.to_owned(),
            number => self.fields.get(number - 1).copied().unwrap_or_default().to_owned(),
        };
        match term {
            "$NF" => field(self.fields.len()),
            "NF" => self.fields.len().to_string(),
            "NR" => self.number.to_string(),
            term => match term.strip_prefix('$') {
                Some(number) => number.parse().map(field).unwrap_or_default(),
                None if term.parse::<f64>().is_ok() => term.to_owned(),
                None => self.variable(term).map(|it| it.to_string()).unwrap_or_default(),
            },
        }
    }
}

/// Whether a text has a pattern in it.
fn has(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern, Dialect::Extended, false).is_ok_and(|pattern| pattern.is_in(text))
}

/// The number that a text begins with.
fn as_number(text: &str) -> f64 {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    text.get(..end).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Whether a pattern holds: none, `/text/`, comparisons, joined by `&&` or `||`.
fn holds(pattern: &str, place: &Place<'_>) -> bool {
    if pattern.is_empty() {
        return true;
    }
    if let Some((a, b)) = pattern.split_once("||") {
        return holds(a.trim(), place) || holds(b.trim(), place);
    }
    if let Some((a, b)) = pattern.split_once("&&") {
        return holds(a.trim(), place) && holds(b.trim(), place);
    }
    if let Some(rest) = pattern.strip_prefix('!') {
        return !holds(rest.trim(), place);
    }
    let regex = |text: &str| {
        text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).map(str::to_owned)
    };
    if let Some(wanted) = regex(pattern) {
        return has(&wanted, place.line);
    }
    let signs = ["!~", "~", "==", "!=", ">=", "<=", ">", "<"];
    let found = signs
        .iter()
        .find_map(|sign| pattern.split_once(sign).map(|(a, b)| (a.trim(), *sign, b.trim())));
    let Some((a, sign, b)) = found else {
        return !matches!(place.text(pattern).as_str(), "" | "0");
    };
    let left = place.text(a);
    if let ("~" | "!~", Some(wanted)) = (sign, regex(b)) {
        return has(&wanted, &left) == (sign == "~");
    }
    let right = place.text(b);
    let both = left.trim().parse::<f64>().ok().zip(right.trim().parse::<f64>().ok());
    let order = match both {
        Some((left, right)) => left.total_cmp(&right),
        None => left.cmp(&right),
    };
    match sign {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "<" => order.is_lt(),
        _ => order.is_le(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_do_what_they_do_in_awk() {
        let text = "NAME READY AGE\nweb-1 1/1 3s\ndb-0 0/1 12s\nweb-2 1/1 4s\n";
        let cases = [
            ("{print $1, $3}", "NAME AGE\nweb-1 3s\ndb-0 12s\nweb-2 4s\n"),
            ("NR>1{print $1 \"=\" $2}", "web-1=1/1\ndb-0=0/1\nweb-2=1/1\n"),
            ("/web/ {s+=$3} END {print s}", "7\n"),
            ("$2 == \"0/1\" {print $NF; n++} END {print n \" waits\"}", "12s\n1 waits\n"),
            ("$1 ~ /^db/ || NR == 4", "db-0 0/1 12s\nweb-2 1/1 4s\n"),
            ("n < 2 && /web/ {n++; print $1}", "web-1\nweb-2\n"),
            ("END{print NR}", "4\n"),
            ("NR==2 {printf \"%s:%5s|\\n\", $1, $3}", "web-1:   3s|\n"),
        ];
        for (program, wanted) in cases {
            assert_eq!(run(&[program.to_owned()], text).stdout, wanted, "{program}");
        }
        for unknown in ["{print toupper($1)}", "{if (NR > 1) print}", "{print $1 * 2}"] {
            assert_eq!(run(&[unknown.to_owned()], text).exit, 2, "{unknown}");
        }
    }
}
