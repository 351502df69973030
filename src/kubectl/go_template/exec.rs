//! A template filled in.
//!
//! Models Go's text/template/exec.go.

use super::funcs;
use super::parse::{Command, Node, Pipe, Place, Term, What};
use crate::api::error::go_quote;
use crate::api::{Value, go_value};
use std::borrow::Cow;

/// A value; `None` is what Go's reflection calls invalid: nothing is there.
pub(super) type Val<'a> = Option<Cow<'a, Value>>;

/// What has been printed, and why no more, if so.
pub(super) fn run(
    text: &str,
    nodes: &[Node],
    data: &Value,
    missing_is_fine: bool,
) -> (String, Result<(), String>) {
    let dot: Val<'_> = Some(Cow::Borrowed(data));
    let mut state = State {
        text,
        out: String::new(),
        variables: vec![("$".to_owned(), dot.clone())],
        place: Place::default(),
        missing_is_fine,
    };
    let outcome = match state.nodes(nodes, &dot) {
        Err(Stop::Error(why)) => Err(why),
        _ => Ok(()),
    };
    (state.out, outcome)
}

/// Why a list of nodes ends early.
enum Stop {
    Break,
    Continue,
    Error(String),
}

struct State<'a, 't> {
    text: &'t str,
    out: String,
    variables: Vec<(String, Val<'a>)>,
    /// What is at work, for errors.
    place: Place,
    missing_is_fine: bool,
}

impl<'a> State<'a, '_> {
    fn fail<T>(&self, why: impl AsRef<str>) -> Result<T, Stop> {
        let before = self.text.get(..self.place.at).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = before.rfind('\n').map_or(before.len(), |end| before.len() - end - 1);
        let context = self.text.get(self.place.start..self.place.end).unwrap_or_default().trim();
        let why = why.as_ref();
        Err(Stop::Error(format!(
            "template: output:{line}:{column}: executing \"output\" at <{context}>: {why}"
        )))
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Val<'a>) -> Result<(), Stop> {
        for node in nodes {
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        let shown = match value.as_deref() {
                            None | Some(Value::Null) => "<no value>".to_owned(),
                            Some(value) => go_value(value),
                        };
                        self.out.push_str(&shown);
                    }
                }
                Node::If(pipe, list, otherwise) | Node::With(pipe, list, otherwise) => {
                    let known = self.variables.len();
                    let value = self.pipe(pipe, dot)?;
                    let inner = if matches!(node, Node::With(..)) { &value } else { dot };
                    let outcome = match funcs::is_true(&value) {
                        true => self.nodes(list, inner),
                        false => self.nodes(otherwise, dot),
                    };
                    self.variables.truncate(known);
                    outcome?;
                }
                Node::Range(pipe, list, otherwise) => {
                    let known = self.variables.len();
                    let outcome = self.range(pipe, list, otherwise, dot);
                    self.variables.truncate(known);
                    outcome?;
                }
                Node::Break => return Err(Stop::Break),
                Node::Continue => return Err(Stop::Continue),
            }
        }
        Ok(())
    }

    fn range(
        &mut self,
        pipe: &Pipe,
        list: &[Node],
        otherwise: &[Node],
        dot: &Val<'a>,
    ) -> Result<(), Stop> {
        let value = self.pipe(pipe, dot)?;
        let items: Vec<(Value, Val<'a>)> = match value {
            None => Vec::new(),
            Some(Cow::Borrowed(Value::Array(items))) => items
                .iter()
                .enumerate()
                .map(|(i, item)| (i.into(), Some(Cow::Borrowed(item))))
                .collect(),
            Some(Cow::Borrowed(Value::Object(fields))) => fields
                .iter()
                .map(|(key, value)| (key.as_str().into(), Some(Cow::Borrowed(value))))
                .collect(),
            Some(value) => match value.into_owned() {
                Value::Null => Vec::new(),
                Value::Array(items) => items
                    .into_iter()
                    .enumerate()
                    .map(|(i, item)| (i.into(), Some(Cow::Owned(item))))
                    .collect(),
                Value::Object(fields) => fields
                    .into_iter()
                    .map(|(key, value)| (key.into(), Some(Cow::Owned(value))))
                    .collect(),
                Value::Number(number) if number.is_i64() => {
                    let count = number.as_i64().unwrap_or_default().clamp(0, 100_000);
                    (0..count).map(|i| (i.into(), Some(Cow::Owned(i.into())))).collect()
                }
                other => {
                    return self.fail(format!("range can't iterate over {}", go_value(&other)));
                }
            },
        };
        if items.is_empty() {
            return self.nodes(otherwise, dot);
        }
        let known = self.variables.len();
        for (index, item) in items {
            match pipe.variables.as_slice() {
                [] => {}
                [element] => self.set(element, item.clone()),
                [place, element, ..] => {
                    self.set(place, Some(Cow::Owned(index)));
                    self.set(element, item.clone());
                }
            }
            let outcome = self.nodes(list, &item);
            self.variables.truncate(known);
            match outcome {
                Err(Stop::Break) => break,
                Ok(()) | Err(Stop::Continue) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Val<'a>) {
        if let Some((_, old)) = self.variables.iter_mut().rev().find(|(own, _)| own == name) {
            *old = value;
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Val<'a>) -> Result<Val<'a>, Stop> {
        self.place = pipe.place;
        let mut value = None;
        for (stage, command) in pipe.commands.iter().enumerate() {
            let last = (stage > 0).then_some(value);
            value = self.command(command, dot, last)?;
        }
        for name in &pipe.variables {
            if pipe.assigns {
                self.set(name, value.clone());
            } else {
                self.variables.push((name.clone(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Val<'a>,
        last: Option<Val<'a>>,
    ) -> Result<Val<'a>, Stop> {
        let Some((first, args)) = command.words.split_first() else { return Ok(None) };
        self.place = first.place;
        let What::Function(name) = &first.what else {
            let has_args = !args.is_empty() || last.is_some();
            return match &first.what {
                What::Nil => self.fail("nil is not a command"),
                What::Fields(names) if has_args => {
                    let name = names.last().map_or("", String::as_str);
                    self.fail(format!("{name} is not a method but has arguments"))
                }
                _ if has_args => {
                    let text = self.text.get(first.place.start..first.place.end);
                    let text = text.unwrap_or_default();
                    self.fail(format!("can't give argument to non-function {text}"))
                }
                _ => self.term(first, dot),
            };
        };
        let count = args.len() + usize::from(last.is_some());
        let (least, more) = funcs::arity(name);
        if more && count < least {
            let got = args.len();
            return self
                .fail(format!("wrong number of args for {name}: want at least {least} got {got}"));
        }
        if !more && count != least {
            return self.fail(format!("wrong number of args for {name}: want {least} got {count}"));
        }
        if name == "and" || name == "or" {
            let mut value = None;
            for arg in args {
                value = self.term(arg, dot)?;
                if funcs::is_true(&value) == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(last.unwrap_or(value));
        }
        let mut values = Vec::with_capacity(count);
        for arg in args {
            values.push(self.term(arg, dot)?);
        }
        values.extend(last);
        self.place = command.place;
        funcs::call(name, values).or_else(|why| match why.starts_with("invalid value") {
            true => self.fail(why),
            false => self.fail(format!("error calling {name}: {why}")),
        })
    }

    fn term(&mut self, term: &Term, dot: &Val<'a>) -> Result<Val<'a>, Stop> {
        self.place = term.place;
        match &term.what {
            What::Dot => Ok(dot.clone()),
            What::Nil => Ok(None),
            What::Literal(value) => Ok(Some(Cow::Owned(value.clone()))),
            What::Fields(names) => self.fields(dot.clone(), names),
            What::Variable(name, names) => {
                let found = self.variables.iter().rev().find(|(own, _)| own == name);
                let value = found.and_then(|(_, value)| value.clone());
                self.fields(value, names)
            }
            What::Function(name) => {
                let words = vec![Term { what: What::Function(name.clone()), place: term.place }];
                self.command(&Command { words, place: term.place }, dot, None)
            }
            What::Pipe(pipe, names) => {
                let value = self.pipe(pipe, dot)?;
                self.place = term.place;
                self.fields(value, names)
            }
        }
    }

    fn fields(&mut self, mut value: Val<'a>, names: &[String]) -> Result<Val<'a>, Stop> {
        for name in names {
            value = match value {
                None if self.missing_is_fine => return Ok(None),
                None => {
                    return self.fail(format!("nil data; no entry for key {}", go_quote(name)));
                }
                Some(Cow::Borrowed(Value::Object(fields))) => {
                    self.entry(name, fields.get(name).map(Cow::Borrowed))?
                }
                Some(Cow::Owned(Value::Object(mut fields))) => {
                    let found = fields.remove(name).map(Cow::Owned);
                    self.entry(name, found)?
                }
                Some(other) if other.is_null() => {
                    return self.fail(format!("nil pointer evaluating interface {{}}.{name}"));
                }
                Some(_) => {
                    return self
                        .fail(format!("can't evaluate field {name} in type interface {{}}"));
                }
            };
        }
        Ok(value)
    }

    fn entry(&self, name: &str, found: Val<'a>) -> Result<Val<'a>, Stop> {
        if found.is_none() && !self.missing_is_fine {
            return self.fail(format!("map has no entry for key {}", go_quote(name)));
        }
        Ok(found)
    }
}
