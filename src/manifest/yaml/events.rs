//! Tokens to events.
//!
//! Models go.yaml.in/yaml/v2 parserc.go.

use super::scanner::{Scanned, Scanner};
use super::token::{Shape, Token, TokenKind};
use super::{Failure, Mark, Span, Style};

/// A step through a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::manifest) enum Event {
    /// A scalar: its text, how it is written, its anchor and its tag.
    Scalar(String, Style, Option<String>, Option<String>),
    /// A list begins; its anchor.
    SequenceStart(Option<String>),
    SequenceEnd,
    /// A mapping begins; its anchor.
    MappingStart(Option<String>),
    MappingEnd,
    /// A value that stands elsewhere.
    Alias(String),
    DocumentStart,
    DocumentEnd,
    StreamEnd,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequenceEntry,
    /// Inside `[a: b]`: the key, the value, the end.
    PairKey,
    PairValue,
    PairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// The events of a text.
#[derive(Debug)]
pub(in crate::manifest) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Where the collections around began.
    marks: Vec<Mark>,
    /// Handles of tags and what they stand for.
    tags: Vec<(String, String)>,
}

type Parsed = Scanned<(Event, Span)>;

impl<'a> Parser<'a> {
    pub(in crate::manifest) fn new(text: &'a str) -> Self {
        Parser {
            scanner: Scanner::new(text),
            state: State::ImplicitDocumentStart,
            states: Vec::new(),
            marks: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// The next event; [`Event::StreamEnd`] at the end and ever after.
    pub(in crate::manifest) fn next(&mut self) -> Parsed {
        match self.state {
            State::ImplicitDocumentStart => self.document_start(true),
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockSequenceEntry => self.block_sequence_entry(),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingKey => self.block_mapping_key(),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirst => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::PairKey => self.pair_key(),
            State::PairValue => self.pair_value(),
            State::PairEnd => self.pair_end(),
            State::FlowMappingFirst => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let mark = self.peek()?.1.start;
                Ok(self.empty_scalar(State::FlowMappingKey, mark))
            }
            State::End => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The next token, without what it holds.
    fn peek(&mut self) -> Scanned<(Shape, Span)> {
        let token = self.scanner.peek()?;
        Ok((Shape::of(&token.kind), token.span))
    }

    fn take(&mut self) -> Scanned<Token> {
        self.scanner.take()
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// What is missing, and where; in a collection, where that began.
    fn missing(&mut self, problem: &str, mark: Mark) -> Failure {
        let context = self.marks.pop().unwrap_or_default();
        Failure { problem: problem.to_owned(), mark, context, by_scanner: false }
    }

    fn empty_scalar(&mut self, next: State, mark: Mark) -> (Event, Span) {
        self.state = next;
        let span = Span { start: mark, end: mark };
        (Event::Scalar(String::new(), Style::Plain, None, None), span)
    }

    /// Ends a collection.
    fn close(&mut self, event: Event) -> Parsed {
        self.pop_state();
        self.marks.pop();
        Ok((event, self.take()?.span))
    }

    fn document_start(&mut self, implicit: bool) -> Parsed {
        while !implicit && self.peek()?.0 == Shape::DocumentEnd {
            self.take()?;
        }
        let (shape, span) = self.peek()?;
        if shape == Shape::StreamEnd {
            self.state = State::End;
            return Ok((Event::StreamEnd, self.take()?.span));
        }
        let explicit = matches!(shape, Shape::Directive | Shape::DocumentStart);
        self.directives()?;
        self.states.push(State::DocumentEnd);
        if implicit && !explicit {
            self.state = State::BlockNode;
            return Ok((Event::DocumentStart, span));
        }
        let (shape, at) = self.peek()?;
        if shape != Shape::DocumentStart {
            self.marks.clear();
            return Err(self.missing("did not find expected <document start>", at.start));
        }
        self.state = State::DocumentContent;
        let end = self.take()?.span.end;
        Ok((Event::DocumentStart, Span { start: span.start, end }))
    }

    fn directives(&mut self) -> Scanned<()> {
        self.tags.clear();
        let mut versions = 0;
        while self.peek()?.0 == Shape::Directive {
            let token = self.take()?;
            let problem = match token.kind {
                TokenKind::Version(..) if versions > 0 => "found duplicate %YAML directive",
                TokenKind::Version(1, 1) => {
                    versions += 1;
                    continue;
                }
                TokenKind::Version(..) => "found incompatible YAML document",
                TokenKind::TagDirective(handle, prefix) => {
                    if self.tags.iter().all(|(known, _)| *known != handle) {
                        self.tags.push((handle, prefix));
                        continue;
                    }
                    "found duplicate %TAG directive"
                }
                _ => continue,
            };
            self.marks.clear();
            return Err(self.missing(problem, token.span.start));
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            if self.tags.iter().all(|(known, _)| known != handle) {
                self.tags.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    fn document_content(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        match shape {
            Shape::Directive | Shape::DocumentStart | Shape::DocumentEnd | Shape::StreamEnd => {
                let next = self.states.pop().unwrap_or(State::End);
                Ok(self.empty_scalar(next, span.start))
            }
            _ => self.node(true, false),
        }
    }

    fn document_end(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        self.state = State::DocumentStart;
        if shape == Shape::DocumentEnd {
            return Ok((Event::DocumentEnd, self.take()?.span));
        }
        Ok((Event::DocumentEnd, Span { start: span.start, end: span.start }))
    }

    /// A value. `indentless` is whether a list may stand as far out as the key before it.
    fn node(&mut self, block: bool, indentless: bool) -> Parsed {
        if self.peek()?.0 == Shape::Alias {
            self.pop_state();
            let token = self.take()?;
            let TokenKind::Alias(name) = token.kind else { return self.next() };
            return Ok((Event::Alias(name), token.span));
        }
        let start = self.peek()?.1.start;
        let (mut anchor, mut tag, mut end) = (None, None, start);
        for _ in 0..2 {
            match self.peek()?.0 {
                Shape::Anchor if anchor.is_none() => {
                    let token = self.take()?;
                    end = token.span.end;
                    if let TokenKind::Anchor(name) = token.kind {
                        anchor = Some(name);
                    }
                }
                Shape::Tag if tag.is_none() => {
                    let token = self.take()?;
                    end = token.span.end;
                    tag = Some(self.full_tag(&token, start)?);
                }
                _ => break,
            }
        }
        let (shape, span) = self.peek()?;
        let opens = |end| Span { start, end };
        match shape {
            Shape::BlockEntry if indentless => {
                self.state = State::IndentlessSequenceEntry;
                Ok((Event::SequenceStart(anchor), opens(span.end)))
            }
            Shape::Scalar => {
                self.pop_state();
                let token = self.take()?;
                let TokenKind::Scalar(text, style) = token.kind else { return self.next() };
                Ok((Event::Scalar(text, style, anchor, tag), opens(token.span.end)))
            }
            Shape::FlowSequenceStart | Shape::BlockSequenceStart
                if block || shape == Shape::FlowSequenceStart =>
            {
                let begun = self.take()?.span.start;
                self.marks.push(begun);
                self.state = match shape {
                    Shape::FlowSequenceStart => State::FlowSequenceFirst,
                    _ => State::BlockSequenceEntry,
                };
                Ok((Event::SequenceStart(anchor), opens(span.end)))
            }
            Shape::FlowMappingStart | Shape::BlockMappingStart
                if block || shape == Shape::FlowMappingStart =>
            {
                let begun = self.take()?.span.start;
                self.marks.push(begun);
                self.state = match shape {
                    Shape::FlowMappingStart => State::FlowMappingFirst,
                    _ => State::BlockMappingKey,
                };
                Ok((Event::MappingStart(anchor), opens(span.end)))
            }
            _ if anchor.is_some() || tag.is_some() => {
                self.pop_state();
                Ok((Event::Scalar(String::new(), Style::Plain, anchor, tag), opens(end)))
            }
            _ => {
                self.marks.push(start);
                Err(self.missing("did not find expected node content", span.start))
            }
        }
    }

    fn full_tag(&mut self, token: &Token, start: Mark) -> Scanned<String> {
        let TokenKind::Tag(handle, suffix) = &token.kind else { return Ok(String::new()) };
        if handle.is_empty() {
            return Ok(suffix.clone());
        }
        let known = self.tags.iter().find(|(known, _)| known == handle);
        let Some((_, prefix)) = known else {
            self.marks.push(start);
            return Err(self.missing("found undefined tag handle", token.span.start));
        };
        Ok(format!("{prefix}{suffix}"))
    }

    fn block_sequence_entry(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        match shape {
            Shape::BlockEntry => {
                self.take()?;
                match self.peek()?.0 {
                    Shape::BlockEntry | Shape::BlockEnd => {
                        Ok(self.empty_scalar(State::BlockSequenceEntry, span.end))
                    }
                    _ => {
                        self.states.push(State::BlockSequenceEntry);
                        self.node(true, false)
                    }
                }
            }
            Shape::BlockEnd => self.close(Event::SequenceEnd),
            _ => Err(self.missing("did not find expected '-' indicator", span.start)),
        }
    }

    fn indentless_sequence_entry(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        if shape != Shape::BlockEntry {
            self.pop_state();
            return Ok((Event::SequenceEnd, Span { start: span.start, end: span.start }));
        }
        self.take()?;
        match self.peek()?.0 {
            Shape::BlockEntry | Shape::Key | Shape::Value | Shape::BlockEnd => {
                Ok(self.empty_scalar(State::IndentlessSequenceEntry, span.end))
            }
            _ => {
                self.states.push(State::IndentlessSequenceEntry);
                self.node(true, false)
            }
        }
    }

    fn block_mapping_key(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        match shape {
            Shape::Key => {
                self.take()?;
                match self.peek()?.0 {
                    Shape::Key | Shape::Value | Shape::BlockEnd => {
                        Ok(self.empty_scalar(State::BlockMappingValue, span.end))
                    }
                    _ => {
                        self.states.push(State::BlockMappingValue);
                        self.node(true, true)
                    }
                }
            }
            Shape::BlockEnd => self.close(Event::MappingEnd),
            _ => Err(self.missing("did not find expected key", span.start)),
        }
    }

    fn block_mapping_value(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        if shape != Shape::Value {
            return Ok(self.empty_scalar(State::BlockMappingKey, span.start));
        }
        self.take()?;
        match self.peek()?.0 {
            Shape::Key | Shape::Value | Shape::BlockEnd => {
                Ok(self.empty_scalar(State::BlockMappingKey, span.end))
            }
            _ => {
                self.states.push(State::BlockMappingKey);
                self.node(true, true)
            }
        }
    }

    fn flow_sequence_entry(&mut self, first: bool) -> Parsed {
        let (mut shape, mut span) = self.peek()?;
        if shape != Shape::FlowSequenceEnd {
            if !first {
                if shape != Shape::FlowEntry {
                    return Err(self.missing("did not find expected ',' or ']'", span.start));
                }
                self.take()?;
                (shape, span) = self.peek()?;
            }
            if shape == Shape::Key {
                self.state = State::PairKey;
                self.take()?;
                return Ok((Event::MappingStart(None), span));
            }
            if shape != Shape::FlowSequenceEnd {
                self.states.push(State::FlowSequenceEntry);
                return self.node(false, false);
            }
        }
        self.close(Event::SequenceEnd)
    }

    fn pair_key(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        if matches!(shape, Shape::Value | Shape::FlowEntry | Shape::FlowSequenceEnd) {
            self.take()?;
            return Ok(self.empty_scalar(State::PairValue, span.end));
        }
        self.states.push(State::PairValue);
        self.node(false, false)
    }

    fn pair_value(&mut self) -> Parsed {
        let (shape, span) = self.peek()?;
        if shape == Shape::Value {
            self.take()?;
            if !matches!(self.peek()?.0, Shape::FlowEntry | Shape::FlowSequenceEnd) {
                self.states.push(State::PairEnd);
                return self.node(false, false);
            }
        }
        Ok(self.empty_scalar(State::PairEnd, span.start))
    }

    fn pair_end(&mut self) -> Parsed {
        let mark = self.peek()?.1.start;
        self.state = State::FlowSequenceEntry;
        Ok((Event::MappingEnd, Span { start: mark, end: mark }))
    }

    fn flow_mapping_key(&mut self, first: bool) -> Parsed {
        let (mut shape, span) = self.peek()?;
        if shape != Shape::FlowMappingEnd {
            if !first {
                if shape != Shape::FlowEntry {
                    return Err(self.missing("did not find expected ',' or '}'", span.start));
                }
                self.take()?;
                shape = self.peek()?.0;
            }
            if shape == Shape::Key {
                self.take()?;
                let (shape, span) = self.peek()?;
                if matches!(shape, Shape::Value | Shape::FlowEntry | Shape::FlowMappingEnd) {
                    return Ok(self.empty_scalar(State::FlowMappingValue, span.start));
                }
                self.states.push(State::FlowMappingValue);
                return self.node(false, false);
            }
            if shape != Shape::FlowMappingEnd {
                self.states.push(State::FlowMappingEmptyValue);
                return self.node(false, false);
            }
        }
        self.close(Event::MappingEnd)
    }

    fn flow_mapping_value(&mut self) -> Parsed {
        let (shape, mut span) = self.peek()?;
        if shape == Shape::Value {
            self.take()?;
            let (shape, next) = self.peek()?;
            if !matches!(shape, Shape::FlowEntry | Shape::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(false, false);
            }
            span = next;
        }
        Ok(self.empty_scalar(State::FlowMappingKey, span.start))
    }
}
