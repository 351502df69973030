//! Tokens, and the keys that have not yet turned out to be keys.

use super::{Mark, Span, Style};

/// What a text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamEnd,
    /// `%YAML` with its version.
    Version(u8, u8),
    /// `%TAG` with handle and prefix.
    TagDirective(String, String),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    /// Handle and suffix.
    Tag(String, String),
    Scalar(String, Style),
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// A token that is a key if a `:` follows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SimpleKey {
    pub(super) possible: bool,
    /// Whether nothing else can stand there.
    pub(super) required: bool,
    pub(super) token_number: usize,
    pub(super) mark: Mark,
}

/// A token without what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    StreamEnd,
    Directive,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
}

impl Shape {
    pub(super) const fn of(kind: &TokenKind) -> Self {
        match kind {
            TokenKind::StreamEnd => Shape::StreamEnd,
            TokenKind::Version(..) | TokenKind::TagDirective(..) => Shape::Directive,
            TokenKind::DocumentStart => Shape::DocumentStart,
            TokenKind::DocumentEnd => Shape::DocumentEnd,
            TokenKind::BlockSequenceStart => Shape::BlockSequenceStart,
            TokenKind::BlockMappingStart => Shape::BlockMappingStart,
            TokenKind::BlockEnd => Shape::BlockEnd,
            TokenKind::FlowSequenceStart => Shape::FlowSequenceStart,
            TokenKind::FlowSequenceEnd => Shape::FlowSequenceEnd,
            TokenKind::FlowMappingStart => Shape::FlowMappingStart,
            TokenKind::FlowMappingEnd => Shape::FlowMappingEnd,
            TokenKind::BlockEntry => Shape::BlockEntry,
            TokenKind::FlowEntry => Shape::FlowEntry,
            TokenKind::Key => Shape::Key,
            TokenKind::Value => Shape::Value,
            TokenKind::Alias(_) => Shape::Alias,
            TokenKind::Anchor(_) => Shape::Anchor,
            TokenKind::Tag(..) => Shape::Tag,
            TokenKind::Scalar(..) => Shape::Scalar,
        }
    }
}
