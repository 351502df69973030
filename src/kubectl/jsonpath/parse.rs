//! A template's text into nodes.
//!
//! Models staging/src/k8s.io/client-go/util/jsonpath/parser.go.

use super::{Bound, Node, Operator, Part};
use crate::api::Value;

/// Texts nest no deeper than this.
const DEEPEST: usize = 32;

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut reader = Reader { text: text.chars().collect(), at: 0, depth: 0 };
    loop {
        let plain = reader.take_while(|letter| letter != '{');
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        if reader.next().is_none() {
            return Ok(parts);
        }
        parts.push(Part::Action(reader.action()?));
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

/// What ends a word.
fn is_terminator(letter: char) -> bool {
    " \t\r\n.,[]$@{}".contains(letter)
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(place, it)| self.text.get(self.at + place) == Some(&it))
    }

    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(letter) = self.peek().filter(|letter| wanted(*letter)) {
            text.push(letter);
            self.at += 1;
        }
        text
    }

    /// The nodes up to the `}` of an action, which is read too.
    fn action(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            if self.starts_with("[?(") {
                self.at += 3;
                nodes.push(self.filter()?);
                continue;
            }
            if self.starts_with("..") {
                if matches!(nodes.last(), Some(Node::Recursive)) {
                    return Err("invalid multiple recursive descent".into());
                }
                self.at += 2;
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(|letter| letter == '_' || letter.is_alphanumeric()) {
                    nodes.push(self.field());
                }
                continue;
            }
            match self.next() {
                None | Some('\r' | '\n') => return Err("unclosed action".into()),
                Some('}') => return Ok(nodes),
                Some(' ' | '@' | '$') => {}
                Some('[') => self.array(&mut nodes)?,
                Some(quote @ ('"' | '\'')) => nodes.push(Node::Literal(self.quoted(quote)?.into())),
                Some('.') => nodes.push(self.field()),
                Some(letter) if letter == '+' || letter == '-' || letter.is_numeric() => {
                    self.at -= 1;
                    nodes.push(self.number()?);
                }
                Some(letter) if letter == '_' || letter.is_alphabetic() => {
                    self.at -= 1;
                    let word = self.take_while(|letter| !is_terminator(letter));
                    nodes.push(match word.as_str() {
                        "true" | "false" => Node::Literal(Value::Bool(word == "true")),
                        _ => Node::Identifier(word),
                    });
                }
                Some(letter) => {
                    let code = u32::from(letter);
                    return Err(format!(
                        "unrecognized character in action: U+{code:04X} '{letter}'"
                    ));
                }
            }
        }
    }

    fn field(&mut self) -> Node {
        let mut name = String::new();
        while let Some(letter) = self.peek().filter(|letter| !is_terminator(*letter)) {
            self.at += 1;
            match letter {
                '\\' => name.extend(self.next()),
                letter => name.push(letter),
            }
        }
        match name.as_str() {
            "*" => Node::Wildcard,
            _ => Node::Field(name),
        }
    }

    fn number(&mut self) -> Result<Node, String> {
        let mut text = String::new();
        text.extend(self.next());
        text.push_str(&self.take_while(|letter| letter == '.' || letter.is_numeric()));
        let digits = text.trim_start_matches('+');
        if let Ok(whole) = digits.parse::<i64>() {
            return Ok(Node::Literal(whole.into()));
        }
        match digits.parse::<f64>() {
            Ok(float) => Ok(Node::Literal(Value::from(float))),
            Err(_) => Err(format!("cannot parse number {text}")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let start = self.at;
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated quoted string".into()),
                Some(letter) if letter == quote => {
                    if self.text.get(self.at.wrapping_sub(2)) != Some(&'\\') {
                        break;
                    }
                }
                Some(_) => {}
            }
        }
        let inner = self.text.get(start..self.at - 1).unwrap_or_default();
        unquoted(inner, quote).ok_or_else(|| {
            let inner: String = inner.iter().collect();
            format!("unquote string {quote}{inner}{quote} error invalid syntax")
        })
    }

    /// What stands after `[`, with the `]`.
    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        let text = self.take_while(|letter| letter != ']' && letter != '\n');
        if self.next() != Some(']') {
            return Err("unterminated array".into());
        }
        let text = if text == "*" { ":".to_owned() } else { text };
        let parts: Vec<&str> = text.split(',').collect();
        if parts.len() > 1 {
            let paths: Result<Vec<Vec<Node>>, String> = parts
                .iter()
                .map(|part| self.inner(&format!("[{}]", part.trim_matches(' '))))
                .collect();
            nodes.push(Node::Union(paths?));
            return Ok(());
        }
        if let Some(key) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))
            && !key.contains('\'')
        {
            nodes.extend(self.inner(&format!(".{key}"))?);
            return Ok(());
        }
        nodes.push(bounds(&text)?);
        Ok(())
    }

    /// What stands after `[?(`, with the `)]`.
    fn filter(&mut self) -> Result<Node, String> {
        let start = self.at;
        let (mut pair, mut ended) = (None, false);
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated filter".into()),
                Some(quote @ ('"' | '\'')) => match pair {
                    None => pair = Some(quote),
                    Some(open) => {
                        let escaped = self.text.get(self.at.wrapping_sub(2)) == Some(&'\\');
                        ended |= open == quote && !escaped;
                    }
                },
                Some(')') if pair.is_some() == ended => break,
                Some(_) => {}
            }
        }
        let text: String = self.text.get(start..self.at - 1).unwrap_or_default().iter().collect();
        if self.next() != Some(']') {
            return Err("unclosed array expect ]".into());
        }
        let is_sign = |letter: char| "!<>=".contains(letter);
        let signs = text.find(is_sign).filter(|at| *at > 0).and_then(|at| {
            let (left, rest) = text.split_at(at);
            let end = rest.find(|letter| !is_sign(letter))?;
            let (sign, right) = rest.split_at(end);
            Some((left, sign, right))
        });
        match signs {
            None => Ok(Node::Filter(self.inner(&text)?, Operator::Exists, Vec::new())),
            Some((left, sign, right)) => {
                let operator = match sign {
                    "<" => Operator::Less,
                    ">" => Operator::Greater,
                    "==" => Operator::Equal,
                    "!=" => Operator::NotEqual,
                    "<=" => Operator::LessOrEqual,
                    ">=" => Operator::GreaterOrEqual,
                    other => Operator::Unknown(other.to_owned()),
                };
                Ok(Node::Filter(self.inner(left)?, operator, self.inner(right)?))
            }
        }
    }

    /// The nodes of a text as if it stood in braces.
    fn inner(&self, text: &str) -> Result<Vec<Node>, String> {
        if self.depth >= DEEPEST {
            return Err("unclosed action".into());
        }
        let letters = text.chars().chain(['}']).collect();
        Reader { text: letters, at: 0, depth: self.depth + 1 }.action()
    }
}

/// Models UnquoteExtend, which is Go's strconv.Unquote for both quotes.
fn unquoted(inner: &[char], quote: char) -> Option<String> {
    let mut text = String::new();
    let mut letters = inner.iter();
    while let Some(letter) = letters.next() {
        if *letter != '\\' {
            text.push(*letter);
            continue;
        }
        let coded = |letters: &mut core::slice::Iter<'_, char>, digits: usize| {
            let code: String = letters.by_ref().take(digits).collect();
            char::from_u32(u32::from_str_radix(&code, 16).ok()?)
        };
        text.push(match letters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' => '\\',
            'x' => coded(&mut letters, 2)?,
            'u' => coded(&mut letters, 4)?,
            other if *other == quote => quote,
            _ => return None,
        });
    }
    Some(text)
}

/// `1`, `1:3`, `::2`.
fn bounds(text: &str) -> Result<Node, String> {
    let wrong = || format!("invalid array index {text}");
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| {
        part.strip_prefix('-').unwrap_or(part).chars().all(|letter| letter.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(wrong());
    }
    let number = |part: &str| match part {
        "" => Ok(None),
        part => part.parse().map(Some).map_err(|_| format!("array index {part} is not a number")),
    };
    let from = number(parts.first().copied().unwrap_or_default())?;
    let to = match parts.get(1) {
        None => Bound::After(from.unwrap_or(0)),
        Some(part) => number(part)?.map_or(Bound::End, Bound::At),
    };
    let step = number(parts.get(2).copied().unwrap_or_default())?;
    Ok(Node::Array(from, to, step))
}
