//! awk: patterns, fields, variables and arrays, `if`, loops, the functions for texts.
//!
//! Simplified: no functions of one's own, no `getline`, no ranges of lines, nothing printed into
//! files; what `for (k in a)` goes through is in the order of its keys.

mod parse;

use super::{failed, formatted, said};
use crate::container::Output;
use crate::pattern::{Dialect, Pattern};
use parse::{Expression, Place, Rule, Statement, When};
use std::collections::BTreeMap;

/// As many statements and repetitions as a program may make.
const MOST_STEPS: u32 = 1_000_000;

/// Runs a program.
pub(super) fn run(words: &[String], text: &str) -> Output {
    let mut machine = Machine::default();
    machine.set_variable("FS", Value::Text(" ".to_owned()));
    machine.set_variable("OFS", Value::Text(" ".to_owned()));
    let mut program = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let flag = word.get(..2).filter(|_| program.is_none()).unwrap_or_default();
        let mut value = || match word.get(2..) {
            Some("") | None => words.next().cloned().unwrap_or_default(),
            Some(glued) => glued.to_owned(),
        };
        match flag {
            "-F" => {
                let sign = super::unescape(&value()).0;
                machine.set_variable("FS", Value::Text(sign));
            }
            "-v" => {
                let pair = value();
                let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
                machine.set_variable(name, Value::Input(super::unescape(value).0));
            }
            _ => program = program.or(Some(word)),
        }
    }
    let Some(rules) = program.and_then(|program| parse::program(program)) else {
        return failed(2, "awk: this is no program that this awk knows\n".to_owned());
    };
    match machine.all(&rules, text) {
        Flow::TooLong => failed(2, "awk: this program does not end\n".to_owned()),
        _ => said(machine.out),
    }
}

/// A value; what was read is a number where it looks like one.
#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Text(String),
    Input(String),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Value::Number(number) => number_text(*number),
            Value::Text(text) | Value::Input(text) => text.clone(),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Value::Number(number) => *number,
            Value::Text(text) | Value::Input(text) => leading_number(text),
        }
    }

    /// The number that it is, if it is one and not just a text that begins with one.
    fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
            Value::Input(text) => text.trim().parse().ok(),
        }
    }

    fn is_true(&self) -> bool {
        match self.as_number() {
            Some(number) => number != 0.0,
            None => !self.text().is_empty(),
        }
    }
}

fn truth(value: bool) -> Value {
    Value::Number(f64::from(u8::from(value)))
}

/// As `%.6g` says it, whole numbers whole.
fn number_text(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e16 {
        return format!("{number:.0}");
    }
    let before = format!("{:.0}", number.abs().trunc());
    let places = if before == "0" { 6 } else { 6usize.saturating_sub(before.len()) };
    let text = format!("{number:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The number that a text begins with.
fn leading_number(text: &str) -> f64 {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c)).unwrap_or(text.len());
    text.get(..end).and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// Where a program goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    NextLine,
    Exit,
    TooLong,
}

/// A program at work.
#[derive(Default)]
struct Machine {
    variables: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    line: String,
    fields: Vec<String>,
    steps: u32,
    out: String,
}

impl Machine {
    fn all(&mut self, rules: &[Rule], text: &str) -> Flow {
        let of = |when: fn(&When) -> bool| rules.iter().filter(move |rule| when(&rule.when));
        for rule in of(|when| matches!(when, When::Begin)) {
            match self.block(&rule.body) {
                Flow::On | Flow::Break | Flow::NextLine => {}
                end => return end,
            }
        }
        let mut count = 0u32;
        'lines: for line in text.lines() {
            count += 1;
            self.set_variable("NR", Value::Number(f64::from(count)));
            self.set_line(line.to_owned());
            for rule in rules {
                let holds = match &rule.when {
                    When::Line(None) => true,
                    When::Line(Some(pattern)) => self.value(pattern).is_true(),
                    When::Begin | When::End => false,
                };
                match if holds { self.block(&rule.body) } else { Flow::On } {
                    Flow::On | Flow::Break => {}
                    Flow::NextLine => continue 'lines,
                    Flow::Exit => break 'lines,
                    Flow::TooLong => return Flow::TooLong,
                }
            }
        }
        for rule in of(|when| matches!(when, When::End)) {
            if self.block(&rule.body) == Flow::TooLong {
                return Flow::TooLong;
            }
        }
        Flow::On
    }

    fn block(&mut self, statements: &[Statement]) -> Flow {
        for statement in statements {
            let flow = self.statement(statement);
            if flow != Flow::On {
                return flow;
            }
        }
        Flow::On
    }

    fn is_too_long(&mut self) -> bool {
        self.steps += 1;
        self.steps > MOST_STEPS || self.out.len() > 1 << 20
    }

    fn statement(&mut self, statement: &Statement) -> Flow {
        if self.is_too_long() {
            return Flow::TooLong;
        }
        match statement {
            Statement::Print { values, is_formatted } => {
                let texts: Vec<String> = values.iter().map(|it| self.value(it).text()).collect();
                let text = match (is_formatted, texts.is_empty()) {
                    (true, _) => formatted(&texts),
                    (false, true) => self.line.clone() + "\n",
                    (false, false) => texts.join(&self.variable("OFS").text()) + "\n",
                };
                self.out.push_str(&text);
            }
            Statement::Do(expression) => drop(self.value(expression)),
            Statement::If(condition, yes, no) => {
                let body = if self.value(condition).is_true() { yes } else { no };
                return self.block(body);
            }
            Statement::While(condition, body, after) => {
                while self.value(condition).is_true() {
                    match self.block(body) {
                        Flow::On if self.is_too_long() => return Flow::TooLong,
                        Flow::On => {}
                        Flow::Break => break,
                        flow => return flow,
                    }
                    after.iter().for_each(|after| drop(self.value(after)));
                }
            }
            Statement::Each(name, array, body) => {
                let keys: Vec<String> = self
                    .arrays
                    .get(array)
                    .into_iter()
                    .flat_map(|all| all.keys().cloned())
                    .collect();
                for key in keys {
                    self.set_variable(name, Value::Input(key));
                    match self.block(body) {
                        Flow::On => {}
                        Flow::Break => break,
                        flow => return flow,
                    }
                }
            }
            Statement::Next => return Flow::NextLine,
            Statement::Exit => return Flow::Exit,
            Statement::Break => return Flow::Break,
        }
        Flow::On
    }

    fn variable(&self, name: &str) -> Value {
        match name {
            "NF" => Value::Number(f64::from(u32::try_from(self.fields.len()).unwrap_or(0))),
            name => self.variables.get(name).cloned().unwrap_or(Value::Input(String::new())),
        }
    }

    fn set_variable(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    fn set_line(&mut self, line: String) {
        self.fields = parts(&line, &self.variable("FS").text());
        self.line = line;
    }

    fn get(&mut self, place: &Place) -> Value {
        match place {
            Place::Variable(name) => self.variable(name),
            Place::Field(number) => match index(self.value(number).number()) {
                0 => Value::Input(self.line.clone()),
                number => Value::Input(self.fields.get(number - 1).cloned().unwrap_or_default()),
            },
            Place::Item(name, key) => {
                let key = self.value(key).text();
                let found = self.arrays.get(name).and_then(|array| array.get(&key));
                found.cloned().unwrap_or(Value::Input(String::new()))
            }
        }
    }

    fn set(&mut self, place: &Place, value: Value) -> Value {
        match place {
            Place::Variable(name) => self.set_variable(name, value.clone()),
            Place::Field(number) => match index(self.value(number).number()) {
                0 => self.set_line(value.text()),
                // No line has more fields.
                number if number < 1000 => {
                    self.fields.resize(self.fields.len().max(number), String::new());
                    if let Some(field) = self.fields.get_mut(number - 1) {
                        *field = value.text();
                    }
                    self.line = self.fields.join(&self.variable("OFS").text());
                }
                _ => {}
            },
            Place::Item(name, key) => {
                let key = self.value(key).text();
                self.arrays.entry(name.clone()).or_default().insert(key, value.clone());
            }
        }
        value
    }

    fn value(&mut self, expression: &Expression) -> Value {
        match expression {
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Pattern(pattern) => truth(has(pattern, &self.line)),
            Expression::Place(place) => self.get(place),
            Expression::Assign(place, None, value) => {
                let value = self.value(value);
                self.set(place, value)
            }
            Expression::Assign(place, Some(sign), value) => {
                let right = self.value(value).number();
                let left = self.get(place).number();
                self.set(place, Value::Number(sum(*sign, left, right)))
            }
            Expression::Step(place, by, is_old) => {
                let before = self.get(place).number();
                self.set(place, Value::Number(before + by));
                Value::Number(if *is_old { before } else { before + by })
            }
            Expression::Not(one) => truth(!self.value(one).is_true()),
            Expression::Minus(one) => Value::Number(-self.value(one).number()),
            Expression::Pair(sign, left, right) => self.pair(sign, left, right),
            Expression::Choice(three) => {
                let [condition, yes, no] = &**three;
                let one = if self.value(condition).is_true() { yes } else { no };
                self.value(one)
            }
            Expression::Call(name, words) => self.call(name, words),
        }
    }

    fn pair(&mut self, sign: &str, left: &Expression, right: &Expression) -> Value {
        let a = self.value(left);
        match sign {
            "&&" => return truth(a.is_true() && self.value(right).is_true()),
            "||" => return truth(a.is_true() || self.value(right).is_true()),
            "~" | "!~" => {
                let pattern = self.pattern(right);
                return truth(has(&pattern, &a.text()) == (sign == "~"));
            }
            _ => {}
        }
        let b = self.value(right);
        let letter = sign.chars().next().unwrap_or(' ');
        if matches!(sign, "+" | "-" | "*" | "/" | "%") {
            return Value::Number(sum(letter, a.number(), b.number()));
        }
        if sign.is_empty() {
            return Value::Text(a.text() + &b.text());
        }
        let order = match (a.as_number(), b.as_number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.text().cmp(&b.text()),
        };
        truth(match sign {
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            "<" => order.is_lt(),
            _ => order.is_le(),
        })
    }

    /// The regular expression that is meant.
    fn pattern(&mut self, expression: &Expression) -> String {
        match expression {
            Expression::Pattern(pattern) => pattern.clone(),
            other => self.value(other).text(),
        }
    }

    fn call(&mut self, name: &str, words: &[Expression]) -> Value {
        let text = |machine: &mut Self, place: usize| {
            words.get(place).map(|it| machine.value(it).text()).unwrap_or_default()
        };
        let count = |count: usize| Value::Number(f64::from(u32::try_from(count).unwrap_or(0)));
        match name {
            "length" => match words.first() {
                Some(Expression::Place(Place::Variable(name)))
                    if self.arrays.contains_key(name) =>
                {
                    count(self.arrays.get(name).map_or(0, BTreeMap::len))
                }
                Some(one) => count(self.value(one).text().chars().count()),
                None => count(self.line.chars().count()),
            },
            "toupper" => Value::Text(text(self, 0).to_uppercase()),
            "tolower" => Value::Text(text(self, 0).to_lowercase()),
            "int" => Value::Number(leading_number(&text(self, 0)).trunc()),
            "index" => {
                let (whole, part) = (text(self, 0), text(self, 1));
                let before = whole.split_once(&part).map(|(before, _)| before.chars().count() + 1);
                count(before.unwrap_or(0))
            }
            "substr" => {
                let whole = text(self, 0);
                let from = leading_number(&text(self, 1)) as i64;
                let length = words.get(2).map_or(i64::MAX, |it| self.value(it).number() as i64);
                let letters = (1i64..).zip(whole.chars());
                let is_in = |at: i64| at >= from && at - from < length;
                Value::Text(letters.filter(|(at, _)| is_in(*at)).map(|(_, it)| it).collect())
            }
            "split" => {
                let sign = match words.get(2) {
                    Some(sign) => self.pattern(sign),
                    None => self.variable("FS").text(),
                };
                let all = parts(&text(self, 0), &sign);
                let number = count(all.len());
                if let Some(Expression::Place(Place::Variable(array))) = words.get(1) {
                    let items = (1u32..).zip(all);
                    let items = items.map(|(at, it)| (at.to_string(), Value::Input(it)));
                    self.arrays.insert(array.clone(), items.collect());
                }
                number
            }
            "sprintf" => {
                let texts: Vec<String> = words.iter().map(|it| self.value(it).text()).collect();
                Value::Text(formatted(&texts))
            }
            _ => self.replace(name == "gsub", words),
        }
    }

    /// `sub(/…/, TEXT, PLACE)`.
    fn replace(&mut self, all: bool, words: &[Expression]) -> Value {
        let [pattern, new, rest @ ..] = words else { return Value::Number(0.0) };
        let (pattern, new) = (self.pattern(pattern), self.value(new).text());
        let place = match rest.first() {
            Some(Expression::Place(place)) => place.clone(),
            _ => Place::Field(Box::new(Expression::Number(0.0))),
        };
        let Ok(pattern) = Pattern::new(&pattern, Dialect::Extended, false) else {
            return Value::Number(0.0);
        };
        let old: Vec<char> = self.get(&place).text().chars().collect();
        let text = super::sed::substituted(&pattern, &new, all, 1, &old);
        // Simplified: how often is not counted.
        let is_changed = text.is_some();
        if let Some(text) = text {
            self.set(&place, Value::Input(text.into_iter().collect()));
        }
        truth(is_changed)
    }
}

fn sum(sign: char, left: f64, right: f64) -> f64 {
    match sign {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' if right != 0.0 => left / right,
        '%' if right != 0.0 => left % right,
        _ => 0.0,
    }
}

/// A field's number.
fn index(number: f64) -> usize {
    number.clamp(0.0, 1e6) as usize
}

/// The fields of a line: parted by blanks, by one letter, or by a regular expression.
fn parts(line: &str, sign: &str) -> Vec<String> {
    let owned = |part: &str| part.to_owned();
    if sign == " " {
        return line.split_whitespace().map(owned).collect();
    }
    if line.is_empty() {
        return Vec::new();
    }
    let pattern = Pattern::new(sign, Dialect::Extended, false).ok();
    let Some(pattern) = pattern.filter(|_| sign.chars().count() > 1) else {
        return line.split(sign).map(owned).collect();
    };
    let letters: Vec<char> = line.chars().collect();
    let (mut all, mut from) = (Vec::new(), 0);
    let find = |from: usize| pattern.find(&letters, from)?.first().copied().flatten();
    while let Some((start, end)) = find(from).filter(|(start, end)| start < end) {
        all.push(letters.get(from..start).unwrap_or_default().iter().collect());
        from = end;
    }
    all.push(letters.get(from..).unwrap_or_default().iter().collect());
    all
}

/// Whether a text has a pattern in it.
fn has(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern, Dialect::Extended, false).is_ok_and(|pattern| pattern.is_in(text))
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
            (
                "NR>1 {if ($2 == \"1/1\") print $1; else {print \"no\", $1}}",
                "web-1\nno db-0\nweb-2\n",
            ),
            (
                "NR==3 {n = $3 * 2 + 1; print n / 2, n % 4; n -= 1; n /= 4; print n - 1}",
                "12.5 1\n5\n",
            ),
            ("{a[$2]++} END {for (k in a) print k, a[k]}", "0/1 1\n1/1 2\nREADY 1\n"),
            (
                "NR==2 {print toupper($1), length($1), substr($1, 1, 3), index($1, \"-\")}",
                "WEB-1 5 web 4\n",
            ),
            ("NR==2 {n = split($2, p, \"/\"); print n, p[1] + p[2]}", "2 2\n"),
            (
                "NR==2 {gsub(/[0-9]/, \"N\"); print; $2 = \"x\"; print $0, NF}",
                "web-N N/N Ns\nweb-N x Ns 3\n",
            ),
            (
                "END {for (i = 1; i <= 3; i++) s = s i; print s; while (i > 0) i--; print i}",
                "123\n0\n",
            ),
            ("/db/ {next} {print ($3 + 0 > 3 ? \"old\" : \"new\")}", "new\nnew\nold\n"),
            (
                "END {print 0.1 + 0.2, 10 / 3, 10 / 4, -7 % 3, 1000000 * 10}",
                "0.3 3.33333 2.5 -1 10000000\n",
            ),
            ("NR==1 {print $NF, $(NF - 1); exit}", "AGE READY\n"),
            ("!/web/ && NR > 1 {printf(\"%d-%s\\n\", NR, $1)}", "3-db-0\n"),
        ];
        for (program, wanted) in cases {
            assert_eq!(run(&[program.to_owned()], text).stdout, wanted, "{program}");
        }
        for unknown in ["{print strftime()}", "{getline x < y", "{if NR print}", "{print (1}"] {
            assert_eq!(run(&[unknown.to_owned()], text).exit, 2, "{unknown}");
        }
    }
    #[test]
    fn flags_set_variables_and_part_fields() {
        let words = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let cases: [(&[&str], &str, &str); 4] = [
            (&["-F:", "{print $2}"], "a:b:c\n", "b\n"),
            (&["-F", "[:,]+", "{print $3}"], "a:b,,c\n", "c\n"),
            (&["-v", "x=7", "{print x + $1}"], "1\n", "8\n"),
            (&["BEGIN {OFS = \"-\"} {print $1, $2}"], "a b\n", "a-b\n"),
        ];
        for (given, text, wanted) in cases {
            assert_eq!(run(&words(given), text).stdout, wanted, "{given:?}");
        }
        assert_eq!(run(&words(&["BEGIN {while (1) i++}"]), "").exit, 2);
    }
}
