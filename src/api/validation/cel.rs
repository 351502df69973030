//! The expressions in which definitions say what their schemas cannot (`x-kubernetes-validations`), and
//! admission policies what they ask for.
//!
//! Models github.com/google/cel-go, as far as common rules go. Their values are in `cel_values.rs`.
//!
//! Simplified: types are found while an expression is evaluated; what an expression needs that is
//! not here makes its rule hold; costs are not counted.
//!
//! Invariants: an evaluation ends: an expression has a size and a depth, and each macro goes once
//! through a list.

use super::cel_values::{self, Val};
use serde_json::{Number, Value};

/// Expressions nest no deeper than this.
const DEEPEST: usize = 64;
/// Expressions take no more steps than this.
const MOST_STEPS: u32 = 200_000;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Text(String),
    Number(Number),
    Sign(&'a str),
}

/// Signs, longer ones first.
const SIGNS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", ".?", "[?", "(", ")", "[", "]", "{", "}", ".", ",", "?",
    ":", "!", "<", ">", "+", "-", "*", "/", "%",
];

/// An expression, read.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Value(Value),
    Name(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Field(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    /// What is at a key, if it is there.
    Maybe(Box<Node>, Box<Node>),
    /// A function, or a method of its first argument.
    Call(String, Vec<Node>),
    /// A macro over a list: its name, the list, the variable, the condition if there are two
    /// expressions, the expression.
    Each(String, Box<Node>, String, Option<Box<Node>>, Box<Node>),
    Has(Box<Node>, String),
    Not(Box<Node>),
    Two(&'static str, Box<Node>, Box<Node>),
    Choice(Box<Node>, Box<Node>, Box<Node>),
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let (mut rest, mut all) = (text.trim_start(), Vec::new());
    while let Some(first) = rest.chars().next() {
        let (token, after) = if let Some(body) = rest.strip_prefix("r\"\"\"") {
            let (text, after) = body.split_once("\"\"\"")?;
            (Token::Text(text.to_owned()), after)
        } else if matches!(first, '\'' | '"') {
            quoted(rest.get(1..)?, first)?
        } else if first.is_ascii_digit() {
            number(rest)?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            (Token::Word(word), after)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
            (Token::Sign(sign), rest.get(sign.len()..)?)
        };
        all.push(token);
        rest = after.trim_start();
    }
    Some(all)
}

/// A number: `7`, `7u`, `7.5`.
fn number(text: &str) -> Option<(Token<'_>, &str)> {
    let digits = |text: &str| text.find(|l: char| !l.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    let part = rest.strip_prefix('.').map_or(0, digits);
    if part > 0 {
        let (number, rest) = text.split_at(whole.len() + 1 + part);
        return Some((Token::Number(Number::from_f64(number.parse().ok()?)?), rest));
    }
    let number: i64 = whole.parse().ok()?;
    Some((Token::Number(number.into()), rest.strip_prefix('u').unwrap_or(rest)))
}

fn quoted(text: &str, quote: char) -> Option<(Token<'_>, &str)> {
    let (mut out, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => out.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            letter if letter == quote => return Some((Token::Text(out), text.get(at + 1..)?)),
            letter => out.push(letter),
        }
    }
    None
}

/// Reads an expression from left to right.
struct Reader<'a> {
    tokens: &'a [Token<'a>],
    depth: usize,
}

/// What binds two expressions, the loosest first.
const LEVELS: [&[&str]; 5] =
    [&["||"], &["&&"], &["==", "!=", "<=", ">=", "<", ">", "in"], &["+", "-"], &["*", "/", "%"]];

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        let is_it = match self.tokens.first() {
            Some(Token::Sign(own) | Token::Word(own)) => *own == sign,
            _ => false,
        };
        if is_it {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        is_it
    }

    fn word(&mut self) -> Option<String> {
        let Some((Token::Word(word), rest)) = self.tokens.split_first() else { return None };
        self.tokens = rest;
        Some((*word).to_owned())
    }

    fn expression(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut node = self.level(0)?;
        if self.takes("?") {
            let yes = self.expression()?;
            let no = if self.takes(":") { self.expression()? } else { return None };
            node = Node::Choice(Box::new(node), Box::new(yes), Box::new(no));
        }
        self.depth -= 1;
        Some(node)
    }

    fn level(&mut self, level: usize) -> Option<Node> {
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(sign) = signs.iter().find(|sign| self.takes(sign)) {
            let right = self.level(level + 1)?;
            left = Node::Two(sign, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Node> {
        if self.takes("!") {
            return Some(Node::Not(Box::new(self.unary()?)));
        }
        if self.takes("-") {
            let zero = Box::new(Node::Value(Value::from(0)));
            return Some(Node::Two("-", zero, Box::new(self.unary()?)));
        }
        let mut node = self.primary()?;
        loop {
            if self.takes(".") {
                let name = self.word()?;
                node = match self.takes("(") {
                    true => self.method(node, name)?,
                    false => Node::Field(Box::new(node), unescaped(&name)),
                };
            } else if self.takes(".?") {
                let name = Node::Value(Value::from(unescaped(&self.word()?)));
                node = Node::Maybe(Box::new(node), Box::new(name));
            } else if self.takes("[?") {
                let key = self.expression()?;
                if !self.takes("]") {
                    return None;
                }
                node = Node::Maybe(Box::new(node), Box::new(key));
            } else if self.takes("[") {
                let index = self.expression()?;
                if !self.takes("]") {
                    return None;
                }
                node = Node::Index(Box::new(node), Box::new(index));
            } else {
                return Some(node);
            }
        }
    }

    fn method(&mut self, on: Node, name: String) -> Option<Node> {
        const MACROS: [&str; 8] =
            ["all", "exists", "exists_one", "existsOne", "filter", "map", "optMap", "optFlatMap"];
        if MACROS.contains(&name.as_str()) {
            let variable = self.word()?;
            let mut body = if self.takes(",") { self.expression()? } else { return None };
            let mut condition = None;
            if self.takes(",") {
                condition = Some(Box::new(body));
                body = self.expression()?;
            }
            let each = Node::Each(name, Box::new(on), variable, condition, Box::new(body));
            return self.takes(")").then_some(each);
        }
        let mut arguments = vec![on];
        arguments.extend(self.list(")")?);
        Some(Node::Call(name, arguments))
    }

    fn list(&mut self, end: &str) -> Option<Vec<Node>> {
        let mut all = Vec::new();
        while !self.takes(end) {
            all.push(self.expression()?);
            if !self.takes(",") {
                return self.takes(end).then_some(all);
            }
        }
        Some(all)
    }

    fn primary(&mut self) -> Option<Node> {
        if self.takes("(") {
            let inside = self.expression()?;
            return self.takes(")").then_some(inside);
        }
        if self.takes("[") {
            return Some(Node::List(self.list("]")?));
        }
        if self.takes("{") {
            let mut all = Vec::new();
            while !self.takes("}") {
                let key = self.expression()?;
                let value = if self.takes(":") { self.expression()? } else { return None };
                all.push((key, value));
                if !self.takes(",") {
                    return self.takes("}").then_some(Node::Map(all));
                }
            }
            return Some(Node::Map(all));
        }
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(match first {
            Token::Text(text) => Node::Value(Value::from(text.as_str())),
            Token::Number(number) => Node::Value(number.clone().into()),
            Token::Word("true") => Node::Value(Value::from(true)),
            Token::Word("false") => Node::Value(Value::from(false)),
            Token::Word("null") => Node::Value(Value::Null),
            Token::Word("has") => {
                let inside = if self.takes("(") { self.expression()? } else { return None };
                match (inside, self.takes(")")) {
                    (Node::Field(on, name), true) => Node::Has(on, name),
                    _ => return None,
                }
            }
            Token::Word(name) if self.takes("(") => Node::Call((*name).to_owned(), self.list(")")?),
            Token::Word(name) => Node::Name((*name).to_owned()),
            Token::Sign(_) => return None,
        })
    }
}

/// `__namespace__` stands for a field whose name is a word of the language.
fn unescaped(name: &str) -> String {
    name.strip_prefix("__").and_then(|name| name.strip_suffix("__")).unwrap_or(name).to_owned()
}

/// The variables of an expression.
struct Scope<'a> {
    names: Vec<(&'a str, Val)>,
    steps: u32,
    /// The field that was asked for and is not there, if that is why there is no value.
    missing: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// The value of an expression; `None` for one that has none, be it that it is not known here or
    /// that it asks for what is not there.
    fn value(&mut self, node: &'a Node) -> Option<Val> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return None;
        }
        match node {
            Node::Value(value) => Some(Val::Json(value.clone())),
            Node::Name(name) => self.named(name).cloned(),
            Node::List(nodes) => {
                let all: Option<Vec<Value>> =
                    nodes.iter().map(|node| self.value(node)?.json()).collect();
                Some(Val::Json(all?.into()))
            }
            Node::Map(pairs) => {
                let mut all = serde_json::Map::new();
                for (key, value) in pairs {
                    let key = self.value(key)?.json()?;
                    all.insert(key.as_str()?.to_owned(), self.value(value)?.json()?);
                }
                Some(Val::Json(all.into()))
            }
            Node::Field(on, name) => {
                if let Some(field) = self.place(node) {
                    return Some(Val::Json(field.clone()));
                }
                let on = self.value(on)?;
                let field = match &on {
                    Val::Optional(_) => return Some(maybe(&on, &Value::from(name.as_str()))),
                    on => on.as_json()?.get(name.as_str()).cloned(),
                };
                if field.is_none() && self.missing.is_none() {
                    self.missing = Some(name);
                }
                field.map(Val::Json)
            }
            Node::Index(on, index) => {
                let (on, index) = (self.value(on)?.json()?, self.value(index)?.json()?);
                at(&on, &index).cloned().map(Val::Json)
            }
            Node::Maybe(on, key) => {
                let (on, key) = (self.value(on)?, self.value(key)?.json()?);
                Some(maybe(&on, &key))
            }
            Node::Has(on, name) => {
                let has = match self.place(on) {
                    Some(on) => on.get(name.as_str()).is_some(),
                    None => self.value(on)?.as_json()?.get(name.as_str()).is_some(),
                };
                Some(has.into())
            }
            Node::Not(inside) => Some((!self.value(inside)?.as_bool()?).into()),
            Node::Choice(test, yes, no) => match self.value(test)?.as_bool()? {
                true => self.value(yes),
                false => self.value(no),
            },
            Node::Two(sign, left, right) => self.two(sign, left, right),
            Node::Each(name, on, variable, condition, body) => match self.value(on)? {
                Val::Optional(inside) => self.inside(name, inside, variable, body),
                on => self.each(name, &on.json()?, variable, (condition.as_deref(), body)),
            },
            Node::Call(name, arguments) => self.called(name, arguments),
        }
    }

    fn called(&mut self, name: &str, arguments: &'a [Node]) -> Option<Val> {
        if let [Node::Name(of), argument @ ..] = arguments
            && of == "optional"
        {
            let inside = match argument.first() {
                Some(argument) => Some(Box::new(self.value(argument)?)),
                None => None,
            };
            return Some(Val::Optional(inside));
        }
        let values: Option<Vec<Val>> = arguments.iter().map(|it| self.value(it)).collect();
        cel_values::call(name, &values?)
    }

    fn named(&self, name: &str) -> Option<&Val> {
        self.names.iter().rev().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// What a chain of fields leads to, without a copy of what is on the way.
    fn place(&self, node: &Node) -> Option<&Value> {
        match node {
            Node::Name(name) => self.named(name)?.as_json(),
            Node::Field(on, name) => self.place(on)?.get(name.as_str()),
            _ => None,
        }
    }

    /// A macro over a value that may be missing.
    fn inside(
        &mut self,
        name: &str,
        inside: Option<Box<Val>>,
        variable: &'a str,
        body: &'a Node,
    ) -> Option<Val> {
        let Some(inside) = inside else { return Some(Val::Optional(None)) };
        self.names.push((variable, *inside));
        let value = self.value(body);
        self.names.pop();
        match name {
            "optMap" => Some(Val::Optional(Some(Box::new(value?)))),
            _ => value,
        }
    }

    fn two(&mut self, sign: &str, left: &'a Node, right: &'a Node) -> Option<Val> {
        // What the other side decides alone may be without a value on one.
        if matches!(sign, "&&" | "||") {
            let decides = sign == "||";
            let before = self.missing;
            let left = self.value(left).and_then(|it| it.as_bool());
            if left == Some(decides) {
                return left.map(Val::from);
            }
            let right = self.value(right).and_then(|it| it.as_bool());
            let value = right.filter(|right| *right == decides || left.is_some());
            if value.is_some() {
                self.missing = before;
            }
            return value.map(Val::from);
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        cel_values::two(sign, &left, &right)
    }

    /// A map is gone through by its keys.
    fn each(
        &mut self,
        name: &str,
        on: &Value,
        variable: &'a str,
        (condition, body): (Option<&'a Node>, &'a Node),
    ) -> Option<Val> {
        let items: Vec<Value> = match on {
            Value::Array(items) => items.clone(),
            Value::Object(fields) => fields.keys().map(|key| Value::from(key.as_str())).collect(),
            _ => return None,
        };
        let mut found = Vec::new();
        for item in items {
            self.names.push((variable, Val::Json(item.clone())));
            let wanted = match condition {
                Some(condition) => self.value(condition).and_then(|it| it.as_bool()),
                None => Some(true),
            };
            let value = if wanted == Some(true) { self.value(body) } else { None };
            self.names.pop();
            if wanted? {
                found.push((item, value?.json()?));
            }
        }
        let count = found.iter().filter(|(_, value)| value.as_bool() == Some(true)).count();
        Some(match name {
            "all" => (count == found.len()).into(),
            "exists" => (count > 0).into(),
            "exists_one" | "existsOne" => (count == 1).into(),
            "filter" => {
                let kept = found.into_iter().filter(|(_, value)| value.as_bool() == Some(true));
                Val::Json(kept.map(|(item, _)| item).collect())
            }
            _ => Val::Json(found.into_iter().map(|(_, value)| value).collect()),
        })
    }
}

/// What is at a key or a place.
fn at<'v>(on: &'v Value, key: &Value) -> Option<&'v Value> {
    match key {
        Value::String(key) => on.get(key.as_str()),
        other => on.get(usize::try_from(other.as_u64()?).ok()?),
    }
}

/// The same, which may be missing, of what may be missing.
fn maybe(on: &Val, key: &Value) -> Val {
    let on = match on {
        Val::Optional(inside) => inside.as_deref(),
        on => Some(on),
    };
    let found = on.and_then(Val::as_json).and_then(|on| at(on, key));
    Val::Optional(found.cloned().map(|found| Box::new(Val::Json(found))))
}

/// The value of an expression with these variables; `None` if it cannot be evaluated here.
///
/// # Errors
/// What the expression asks for and is not there, in the language's words.
pub fn evaluate(source: &str, names: &[(&str, Value)]) -> Result<Option<Value>, String> {
    let Some(tokens) = tokens(source) else { return Ok(None) };
    let mut reader = Reader { tokens: &tokens, depth: 0 };
    let node = reader.expression().filter(|_| reader.tokens.is_empty());
    let Some(node) = node else { return Ok(None) };
    let names = names.iter().map(|(name, value)| (*name, Val::Json(value.clone()))).collect();
    let mut scope = Scope { names, steps: 0, missing: None };
    match (scope.value(&node), scope.missing) {
        (None, Some(name)) => Err(format!("no such key: {name}")),
        (value, _) => Ok(value.and_then(Val::json)),
    }
}

/// Whether a rule holds for a value, and for what stood there before. A rule that cannot be evaluated
/// here holds, and one that asks for what stood before holds where nothing did.
///
/// # Errors
/// What the rule asks for and is not there, in the language's words.
pub(super) fn holds(rule: &str, value: &Value, old: Option<&Value>) -> Result<bool, String> {
    if old.is_none() && tokens(rule).is_none_or(|tokens| tokens.contains(&Token::Word("oldSelf"))) {
        return Ok(true);
    }
    let names = [("self", Some(value)), ("oldSelf", old)];
    let names: Vec<(&str, Value)> =
        names.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))).collect();
    let holds = evaluate(rule, &names)?;
    Ok(holds.and_then(|it| it.as_bool()) != Some(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rules_hold_as_the_language_says() {
        let value = json!({
            "kind": "Service", "group": "", "port": 80, "names": ["a", "b", "a"],
            "listeners": [{"name": "a", "protocol": "HTTP"}, {"name": "b", "protocol": "TLS", "tls": {}}],
        });
        let cases = [
            ("self.port == 80 && size(self.names) > 2", true),
            ("self.port - 1 * 2 < 78", false),
            ("has(self.host) ? self.host != '' : true", true),
            ("(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true", true),
            ("self.names.all(a, self.names.exists_one(b, a == b))", false),
            ("self.listeners.all(l, l.protocol in ['HTTP', 'TCP'] ? !has(l.tls) : true)", true),
            ("self.names.filter(n, n == 'a').size() <= 1", false),
            ("self.kind.matches(r\"\"\"^[A-Z][a-z]+$\"\"\") && !self.kind.startsWith('P')", true),
            ("!('*' in self.names && self.names.size() > 1)", true),
            // One side without a value does not matter where the other decides.
            ("self.nothing == 1 || true", true),
            ("!has(self.nothing) || self.nothing == 1", true),
            ("self == oldSelf", true),
            // What is not known here holds.
            ("type(self.kind) == string", true),
            ("self.(", true),
            // Spans and moments, amounts, optional values, maps.
            ("duration('90m') == duration('1h30m') && duration('1500ms').getSeconds() == 1", true),
            ("duration('1m') > duration('61s')", false),
            (
                "timestamp('2026-03-01T00:00:00Z') - timestamp('2026-02-28T00:00:00Z') < duration('24h')",
                false,
            ),
            (
                "timestamp('2026-03-01T10:00:00Z').getMonth() == 2 && timestamp('2026-03-01T10:00:00Z').getHours() == 10",
                true,
            ),
            (
                "quantity('500m').isLessThan(quantity('1')) && quantity('1Gi').compareTo(quantity('1024Mi')) == 0",
                true,
            ),
            ("isQuantity('1x')", false),
            ("self.?group.orValue('x') == '' && self.?host.orValue('x') == 'x'", true),
            ("self.?tls.?mode.hasValue()", false),
            ("self.?port.optMap(p, p + 1).orValue(0) == 81", true),
            ("optional.none().hasValue() || optional.of(1).value() == 1", true),
            ("{'a': 1, 'b': 2}.all(k, k in ['a', 'b']) && {'a': 1}['a'] == 1", true),
            ("self.names.map(n, n != 'b', n + '!').join(',') == 'a!,a!'", true),
            (
                "[3, 1].min() == 1 && ![3, 1].isSorted() && [1, 2].sum() == 3 && [1] + [2] == [1, 2]",
                true,
            ),
            ("int('7') / 2 == 3 && double(7) / 2.0 == 3.5 && string(7) == '7'", true),
            (
                "'a-b'.replace('-', '+').upperAscii() == 'A+B' && 'abc'.substring(1) == 'bc' && 'abc'.indexOf('c') == 2",
                true,
            ),
        ];
        for (rule, expected) in cases {
            assert_eq!(holds(rule, &value, None), Ok(expected), "{rule}");
        }
        let missing = holds("size(self.x) > 0 || size(self.y) > 0", &value, None);
        assert_eq!(missing, Err("no such key: x".to_owned()));
        assert_eq!(holds("self == oldSelf", &json!("a"), Some(&json!("b"))), Ok(false));
    }
}
