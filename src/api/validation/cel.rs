//! The expressions in which definitions say what their schemas cannot (`x-kubernetes-validations`).
//!
//! Models github.com/google/cel-go, as far as rules of common definitions go.
//!
//! Simplified: types are found while an expression is evaluated; what an expression needs that is
//! not here makes its rule hold; costs are not counted.
//!
//! Invariants: an evaluation ends: an expression has a size and a depth, and each macro goes once
//! through a list.

use crate::pattern::{Dialect, Pattern};
use serde_json::Value;

/// Expressions nest no deeper than this.
const DEEPEST: usize = 64;
/// Expressions take no more steps than this.
const MOST_STEPS: u32 = 200_000;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Text(String),
    Number(i64),
    Sign(&'a str),
}

/// Signs, longer ones first.
const SIGNS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ".", ",", "?", ":", "!", "<", ">", "+",
    "-", "*", "/", "%",
];

/// An expression, read.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Value(Value),
    Name(String),
    List(Vec<Node>),
    Field(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    /// A function, or a method of its first argument.
    Call(String, Vec<Node>),
    /// A macro over a list: its name, the list, the variable, the expression.
    Each(String, Box<Node>, String, Box<Node>),
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
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            (Token::Number(digits.parse().ok()?), after)
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
        if matches!(name.as_str(), "all" | "exists" | "exists_one" | "filter" | "map") {
            let variable = self.word()?;
            let body = if self.takes(",") { self.expression()? } else { return None };
            let each = Node::Each(name, Box::new(on), variable, Box::new(body));
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
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(match first {
            Token::Text(text) => Node::Value(Value::from(text.as_str())),
            Token::Number(number) => Node::Value(Value::from(*number)),
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
    names: Vec<(&'a str, Value)>,
    steps: u32,
    /// The field that was asked for and is not there, if that is why there is no value.
    missing: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// The value of an expression; `None` for one that has none, be it that it is not known here or
    /// that it asks for what is not there.
    fn value(&mut self, node: &'a Node) -> Option<Value> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return None;
        }
        match node {
            Node::Value(value) => Some(value.clone()),
            Node::Name(name) => {
                let mut all = self.names.iter().rev();
                all.find(|(own, _)| own == name).map(|(_, value)| value.clone())
            }
            Node::List(nodes) => nodes.iter().map(|node| self.value(node)).collect(),
            Node::Field(on, name) => {
                let field = self.value(on)?.get(name.as_str()).cloned();
                if field.is_none() && self.missing.is_none() {
                    self.missing = Some(name);
                }
                field
            }
            Node::Index(on, index) => {
                let (on, index) = (self.value(on)?, self.value(index)?);
                match &index {
                    Value::String(key) => on.get(key.as_str()).cloned(),
                    other => on.get(usize::try_from(other.as_u64()?).ok()?).cloned(),
                }
            }
            Node::Has(on, name) => Some(Value::from(self.value(on)?.get(name.as_str()).is_some())),
            Node::Not(inside) => Some(Value::from(!self.value(inside)?.as_bool()?)),
            Node::Choice(test, yes, no) => match self.value(test)?.as_bool()? {
                true => self.value(yes),
                false => self.value(no),
            },
            Node::Two(sign, left, right) => self.two(sign, left, right),
            Node::Each(name, on, variable, body) => {
                let on = self.value(on)?;
                self.each(name, &on, variable, body)
            }
            Node::Call(name, arguments) => {
                let values: Option<Vec<Value>> =
                    arguments.iter().map(|it| self.value(it)).collect();
                call(name, &values?)
            }
        }
    }

    fn two(&mut self, sign: &str, left: &'a Node, right: &'a Node) -> Option<Value> {
        // What the other side decides alone may be without a value on one.
        if matches!(sign, "&&" | "||") {
            let decides = sign == "||";
            let before = self.missing;
            let left = self.value(left).and_then(|it| it.as_bool());
            if left == Some(decides) {
                return left.map(Value::from);
            }
            let right = self.value(right).and_then(|it| it.as_bool());
            let value = right.filter(|right| *right == decides || left.is_some());
            if value.is_some() {
                self.missing = before;
            }
            return value.map(Value::from);
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        let numbers = || Some((left.as_i64()?, right.as_i64()?));
        Some(match sign {
            "==" => Value::from(left == right),
            "!=" => Value::from(left != right),
            "in" => Value::from(match &right {
                Value::Array(items) => items.contains(&left),
                other => other.get(left.as_str()?).is_some(),
            }),
            "+" => match (&left, &right) {
                (Value::String(a), Value::String(b)) => Value::from(format!("{a}{b}")),
                _ => Value::from(left.as_i64()?.checked_add(right.as_i64()?)?),
            },
            "-" => numbers().and_then(|(a, b)| a.checked_sub(b)).map(Value::from)?,
            "*" => numbers().and_then(|(a, b)| a.checked_mul(b)).map(Value::from)?,
            "/" => numbers().and_then(|(a, b)| a.checked_div(b)).map(Value::from)?,
            "%" => numbers().and_then(|(a, b)| a.checked_rem(b)).map(Value::from)?,
            _ => {
                let order = match (&left, &right) {
                    (Value::String(a), Value::String(b)) => a.cmp(b),
                    _ => numbers().map(|(a, b)| a.cmp(&b))?,
                };
                Value::from(match sign {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
        })
    }

    /// A map is gone through by its keys.
    fn each(&mut self, name: &str, on: &Value, variable: &'a str, body: &'a Node) -> Option<Value> {
        let items: Vec<Value> = match on {
            Value::Array(items) => items.clone(),
            Value::Object(fields) => fields.keys().map(|key| Value::from(key.as_str())).collect(),
            _ => return None,
        };
        let mut found = Vec::new();
        for item in items {
            self.names.push((variable, item.clone()));
            let value = self.value(body);
            self.names.pop();
            found.push((item, value?));
        }
        let count = found.iter().filter(|(_, value)| value.as_bool() == Some(true)).count();
        Some(match name {
            "all" => Value::from(count == found.len()),
            "exists" => Value::from(count > 0),
            "exists_one" => Value::from(count == 1),
            "filter" => {
                let kept = found.into_iter().filter(|(_, value)| value.as_bool() == Some(true));
                kept.map(|(item, _)| item).collect()
            }
            _ => found.into_iter().map(|(_, value)| value).collect(),
        })
    }
}

fn call(name: &str, values: &[Value]) -> Option<Value> {
    let text = |place: usize| values.get(place).and_then(Value::as_str);
    Some(match name {
        "size" => Value::from(match values.first()? {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            other => other.as_str()?.chars().count(),
        }),
        "startsWith" => Value::from(text(0)?.starts_with(text(1)?)),
        "endsWith" => Value::from(text(0)?.ends_with(text(1)?)),
        "contains" => Value::from(text(0)?.contains(text(1)?)),
        "matches" => Value::from(Pattern::new(text(1)?, Dialect::Go, false).ok()?.is_in(text(0)?)),
        "lowerAscii" => Value::from(text(0)?.to_ascii_lowercase()),
        "split" => text(0)?.split(text(1)?).map(Value::from).collect(),
        "string" => match values.first()? {
            Value::String(text) => Value::from(text.as_str()),
            other => Value::from(other.to_string()),
        },
        _ => return None,
    })
}

/// Whether a rule holds for a value, and for what stood there before. A rule that cannot be evaluated
/// here holds, and one that asks for what stood before holds where nothing did.
///
/// # Errors
/// What the rule asks for and is not there, in the language's words.
pub(super) fn holds(rule: &str, value: &Value, old: Option<&Value>) -> Result<bool, String> {
    let Some(tokens) = tokens(rule) else { return Ok(true) };
    if tokens.contains(&Token::Word("oldSelf")) && old.is_none() {
        return Ok(true);
    }
    let mut reader = Reader { tokens: &tokens, depth: 0 };
    let node = reader.expression().filter(|_| reader.tokens.is_empty());
    let Some(node) = node else { return Ok(true) };
    let mut names = vec![("self", value.clone())];
    names.extend(old.map(|old| ("oldSelf", old.clone())));
    let mut scope = Scope { names, steps: 0, missing: None };
    match (scope.value(&node), scope.missing) {
        (None, Some(name)) => Err(format!("no such key: {name}")),
        (value, _) => Ok(value.and_then(|it| it.as_bool()) != Some(false)),
    }
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
            ("duration(self.kind) > duration('1s')", true),
            ("self.(", true),
        ];
        for (rule, expected) in cases {
            assert_eq!(holds(rule, &value, None), Ok(expected), "{rule}");
        }
        let missing = holds("size(self.x) > 0 || size(self.y) > 0", &value, None);
        assert_eq!(missing, Err("no such key: x".to_owned()));
        assert_eq!(holds("self == oldSelf", &json!("a"), Some(&json!("b"))), Ok(false));
    }
}
