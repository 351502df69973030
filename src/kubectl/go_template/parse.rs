//! Tokens into a tree.
//!
//! Models Go's text/template/parse/parse.go.
//!
//! Simplified: no `define`, `block` and `template`: what kubectl is given is one template.

use super::funcs;
use super::lex::{Kind, Token, tokens};
use crate::api::Value;
use crate::api::error::go_quote;

/// Pipelines in parentheses and blocks nest no deeper than this.
const DEEPEST: usize = 50;

/// Where a node stands in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Where errors say it is, in bytes.
    pub(super) at: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Pipe, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// Whether the variables were there before.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) words: Vec<Term>,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) what: What,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Dot,
    Nil,
    Literal(Value),
    /// `.a.b`.
    Fields(Vec<String>),
    /// `$x.a`.
    Variable(String, Vec<String>),
    Function(String),
    /// `(…).a`.
    Pipe(Box<Pipe>, Vec<String>),
}

/// Reads a template.
///
/// # Errors
/// Go's sentence, `template: output:1: unclosed action`.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser {
        tokens: tokens(text),
        next: 0,
        variables: vec!["$".to_owned()],
        ranges: 0,
        depth: 0,
        action_line: 0,
    };
    let (nodes, end) = parser.nodes()?;
    match end {
        Ending::Text => Ok(nodes),
        Ending::End => parser.fail("unexpected {{end}}"),
        Ending::Else(_) => parser.fail("unexpected {{else}}"),
    }
}

/// What ends a list of nodes.
enum Ending {
    Text,
    End,
    /// `{{else}}`, or `{{else if`.
    Else(Option<String>),
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    variables: Vec<String>,
    ranges: usize,
    depth: usize,
    action_line: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        static NONE: Token = Token { kind: Kind::End, at: 0, line: 1, text: String::new() };
        self.tokens.get(self.next).or(self.tokens.last()).unwrap_or(&NONE)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn skip_spaces(&mut self) {
        while self.peek().kind == Kind::Space {
            self.next += 1;
        }
    }

    fn take_word(&mut self) -> Token {
        self.skip_spaces();
        self.take()
    }

    fn peek_word(&mut self) -> Token {
        self.skip_spaces();
        self.peek().clone()
    }

    fn fail<T>(&self, why: &str) -> Result<T, String> {
        let last = self.next.saturating_sub(1).min(self.tokens.len().saturating_sub(1));
        let line = self.tokens.get(last).map_or(1, |token| token.line);
        Err(format!("template: output:{line}: {why}"))
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Result<T, String> {
        let shown = match token.kind {
            Kind::Wrong => {
                let mut why = token.text.clone();
                if self.action_line != 0 && self.action_line != token.line {
                    let more = format!(" in action started at output:{}", self.action_line);
                    let more = if why.ends_with(" action") {
                        more.trim_start_matches(" in action")
                    } else {
                        &more
                    };
                    why.push_str(more);
                }
                return self.fail(&why);
            }
            Kind::End => "EOF".to_owned(),
            Kind::Keyword | Kind::Nil | Kind::Dot => format!("<{}>", token.text),
            _ if token.text.chars().count() > 10 => {
                let start: String = token.text.chars().take(10).collect();
                format!("{}...", go_quote(&start))
            }
            _ => go_quote(&token.text),
        };
        self.fail(&format!("unexpected {shown} in {context}"))
    }

    fn nodes(&mut self) -> Result<(Vec<Node>, Ending), String> {
        let mut nodes = Vec::new();
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail("max expression depth exceeded");
        }
        loop {
            let token = self.take_word();
            match token.kind {
                Kind::Text => nodes.push(Node::Text(token.text)),
                Kind::Open => {
                    self.action_line = token.line;
                    if let Some(ending) = self.action(&mut nodes)? {
                        self.depth -= 1;
                        return Ok((nodes, ending));
                    }
                    self.action_line = 0;
                }
                Kind::End => {
                    self.depth -= 1;
                    return Ok((nodes, Ending::Text));
                }
                _ => return self.unexpected(&token, "input"),
            }
        }
    }

    fn close(&mut self, context: &str) -> Result<(), String> {
        let token = self.take_word();
        if token.kind == Kind::Close { Ok(()) } else { self.unexpected(&token, context) }
    }

    fn action(&mut self, nodes: &mut Vec<Node>) -> Result<Option<Ending>, String> {
        let token = self.peek_word();
        if token.kind != Kind::Keyword {
            let pipe = self.pipe("command", Kind::Close)?;
            nodes.push(Node::Action(pipe));
            return Ok(None);
        }
        self.next += 1;
        match token.text.as_str() {
            "end" => {
                self.close("end")?;
                return Ok(Some(Ending::End));
            }
            "else" => {
                let next = self.peek_word();
                if next.kind == Kind::Keyword && ["if", "with"].contains(&next.text.as_str()) {
                    return Ok(Some(Ending::Else(Some(next.text))));
                }
                self.close("else")?;
                return Ok(Some(Ending::Else(None)));
            }
            word @ ("if" | "with" | "range") => nodes.push(self.control(word)?),
            word @ ("break" | "continue") => {
                self.close(&format!("{{{{{word}}}}}"))?;
                if self.ranges == 0 {
                    return self.fail(&format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                nodes.push(if word == "break" { Node::Break } else { Node::Continue });
            }
            _ => return self.unexpected(&token, "command"),
        }
        Ok(None)
    }

    fn control(&mut self, word: &str) -> Result<Node, String> {
        let known = self.variables.len();
        let pipe = self.pipe(word, Kind::Close)?;
        let is_range = word == "range";
        self.ranges += usize::from(is_range);
        let (list, ending) = self.nodes()?;
        self.ranges -= usize::from(is_range);
        let otherwise = match ending {
            Ending::End => Vec::new(),
            Ending::Else(Some(next)) if next == word => {
                self.next += 1;
                self.depth += 1;
                let inner = self.control(word)?;
                self.depth -= 1;
                vec![inner]
            }
            Ending::Else(_) => match self.nodes()? {
                (list, Ending::End) => list,
                (_, Ending::Else(_)) => return self.fail("expected end; found {{else}}"),
                (_, Ending::Text) => return self.fail("unexpected EOF"),
            },
            Ending::Text => return self.fail("unexpected EOF"),
        };
        self.variables.truncate(known);
        Ok(match word {
            "if" => Node::If(pipe, list, otherwise),
            "with" => Node::With(pipe, list, otherwise),
            _ => Node::Range(pipe, list, otherwise),
        })
    }

    fn pipe(&mut self, context: &str, end: Kind) -> Result<Pipe, String> {
        let start = self.peek_word().at;
        let mut pipe = Pipe {
            variables: Vec::new(),
            assigns: false,
            commands: Vec::new(),
            place: Place { at: start, start, end: start },
        };
        self.declarations(&mut pipe, context)?;
        loop {
            let token = self.peek_word();
            match token.kind {
                kind if kind == end => {
                    pipe.place.end = token.at;
                    self.next += 1;
                    break;
                }
                Kind::Bool
                | Kind::Char
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::OpenParen => {
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => {
                    self.next += 1;
                    return self.unexpected(&token, context);
                }
            }
        }
        if pipe.commands.is_empty() {
            return self.fail(&format!("missing value for {context}"));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            let first = command.words.first().map(|word| &word.what);
            if matches!(first, Some(What::Dot | What::Nil | What::Literal(_))) {
                let stage = stage + 1;
                return self.fail(&format!("non executable command in pipeline stage {stage}"));
            }
        }
        Ok(pipe)
    }

    /// `$x := `, `$x = `, and `$i, $e := ` of a range.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<(), String> {
        loop {
            let before = self.next;
            let variable = self.peek_word();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next += 1;
            let sign = self.peek_word();
            match sign.kind {
                Kind::Assign | Kind::Declare => {
                    self.next += 1;
                    pipe.assigns = sign.kind == Kind::Assign;
                    self.variables.push(variable.text.clone());
                    pipe.variables.push(variable.text);
                    return Ok(());
                }
                Kind::Comma => {
                    self.next += 1;
                    self.variables.push(variable.text.clone());
                    pipe.variables.push(variable.text);
                    if context != "range" || pipe.variables.len() > 1 {
                        return self.fail(&format!("too many declarations in {context}"));
                    }
                    if self.peek_word().kind != Kind::Variable {
                        return self.fail("range can only initialize variables");
                    }
                }
                _ => {
                    self.next = before;
                    self.skip_spaces();
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self) -> Result<Command, String> {
        let start = self.peek_word().at;
        let mut words: Vec<Term> = Vec::new();
        loop {
            self.skip_spaces();
            if let Some(term) = self.operand()? {
                words.push(term);
            }
            let token = self.take();
            match token.kind {
                Kind::Space => {}
                Kind::Close | Kind::CloseParen => {
                    self.next -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        let end = words.last().map_or(start, |word| word.place.end);
        match words.is_empty() {
            true => self.fail("empty command"),
            false => Ok(Command { words, place: Place { at: start, start, end } }),
        }
    }

    fn operand(&mut self) -> Result<Option<Term>, String> {
        let Some(mut term) = self.term()? else { return Ok(None) };
        if self.peek().kind != Kind::Field {
            return Ok(Some(term));
        }
        term.place.at = self.peek().at;
        let mut fields = Vec::new();
        while self.peek().kind == Kind::Field {
            let token = self.take();
            term.place.end = token.at + token.text.len();
            fields.push(token.text.trim_start_matches('.').to_owned());
        }
        match &mut term.what {
            What::Fields(own) | What::Variable(_, own) | What::Pipe(_, own) => own.extend(fields),
            What::Dot | What::Nil | What::Literal(_) => {
                let shown = match &term.what {
                    What::Dot => ".".to_owned(),
                    What::Literal(value) => crate::api::go_value(value),
                    _ => "nil".to_owned(),
                };
                return self.fail(&format!("unexpected . after term {}", go_quote(&shown)));
            }
            What::Function(name) => {
                let call = Term { what: What::Function(name.clone()), place: term.place };
                let command = Command { words: vec![call], place: term.place };
                let pipe = Pipe {
                    variables: Vec::new(),
                    assigns: false,
                    commands: vec![command],
                    place: term.place,
                };
                term.what = What::Pipe(Box::new(pipe), fields);
            }
        }
        Ok(Some(term))
    }

    fn term(&mut self) -> Result<Option<Term>, String> {
        let token = self.peek_word();
        let place = Place { at: token.at, start: token.at, end: token.at + token.text.len() };
        self.next += 1;
        let what = match token.kind {
            Kind::Identifier if funcs::is_known(&token.text) => What::Function(token.text),
            Kind::Identifier => {
                let name = go_quote(&token.text);
                return self.fail(&format!("function {name} not defined"));
            }
            Kind::Dot => What::Dot,
            Kind::Nil => What::Nil,
            Kind::Variable if self.variables.contains(&token.text) => {
                What::Variable(token.text, Vec::new())
            }
            Kind::Variable => {
                let name = go_quote(&token.text);
                return self.fail(&format!("undefined variable {name}"));
            }
            Kind::Field => What::Fields(vec![token.text.trim_start_matches('.').to_owned()]),
            Kind::Bool => What::Literal(Value::Bool(token.text == "true")),
            Kind::Number => match number(&token.text) {
                Some(value) => What::Literal(value),
                None => {
                    let text = go_quote(&token.text);
                    return self.fail(&format!("illegal number syntax: {text}"));
                }
            },
            Kind::RawString => What::Literal(token.text.trim_matches('`').into()),
            Kind::String | Kind::Char => match unquoted(&token.text) {
                Some(text) if token.kind == Kind::String => What::Literal(text.into()),
                Some(text) => {
                    What::Literal(u32::from(text.chars().next().unwrap_or_default()).into())
                }
                None => return self.fail("invalid syntax"),
            },
            Kind::OpenParen => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return self.fail("max expression depth exceeded");
                }
                let pipe = self.pipe("parenthesized pipeline", Kind::CloseParen)?;
                self.depth -= 1;
                let place = Place { end: pipe.place.end + 1, ..place };
                return Ok(Some(Term { what: What::Pipe(Box::new(pipe), Vec::new()), place }));
            }
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Term { what, place }))
    }
}

fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    let digits = plain.trim_start_matches('+');
    if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok().map(Value::from);
    }
    let whole = digits.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| digits.parse::<f64>().ok().map(Value::from))
}

/// A text in Go's double or single quotes.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    let mut out = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        out.push(match letters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' => '\\',
            quote if text.starts_with(quote) => quote,
            'u' => {
                let code: String = letters.by_ref().take(4).collect();
                char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
            }
            _ => return None,
        });
    }
    Some(out)
}
