//! A pattern's text into a tree.

use super::words::Wrong;
use super::{Dialect, class};

/// Groups nest no deeper.
const DEEPEST: u32 = 100;
/// As many quantifiers may follow each other.
const MOST_IN_A_ROW: u32 = 8;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// One letter.
    Letter(Class),
    /// A place between letters.
    Check(Check),
    /// One after the other.
    Row(Vec<Node>),
    /// One of them.
    Either(Vec<Node>),
    /// A group that is counted, from 1 on.
    Group(usize, Box<Node>),
    /// More often, or less.
    Repeat { node: Box<Node>, least: u32, most: Option<u32>, is_lazy: bool },
    /// What a group matched, once more; whether large letters are as small ones.
    Back(usize, bool),
    /// What must follow, or must not.
    Look { wanted: bool, node: Box<Node> },
}

/// A place between letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Start,
    End,
    /// `\b`, `\B`, `\<` or `\>`.
    Edge(char),
}

/// Which letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    ranges: Vec<(char, char)>,
    is_negated: bool,
    /// Whether large letters are as small ones.
    folds: bool,
}

impl Class {
    pub(super) fn has(&self, letter: char) -> bool {
        let within = |letter: char| self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&letter));
        let found = within(letter)
            || self.folds
                && (letter.to_lowercase().any(within)
                    || letter.is_lowercase() && letter.to_uppercase().any(within));
        found != self.is_negated
    }
}

/// What is wrong, and where in the pattern: from and to.
type Told<T> = Result<T, (Wrong, usize, usize)>;

/// A tree, and how many groups it has.
pub(super) struct Tree {
    pub(super) node: Node,
    pub(super) groups: usize,
    pub(super) looks_back: bool,
}

/// Reads a pattern.
pub(super) fn tree(letters: &[char], dialect: Dialect, folds: bool) -> Told<Tree> {
    let mut it = Reader {
        letters,
        at: 0,
        dialect,
        folds,
        dots_all: dialect.is_posix(),
        groups: 0,
        depth: 0,
        back: 0,
    };
    let node = match dialect {
        Dialect::Fixed => {
            it.at = letters.len();
            Node::Row(letters.iter().map(|letter| it.letter(*letter)).collect())
        }
        _ => it.either()?,
    };
    if it.at < letters.len() {
        return it.wrong(Wrong::CloseGroup, 0);
    }
    if it.back > it.groups {
        return it.wrong(Wrong::Reference, 0);
    }
    Ok(Tree { node, groups: it.groups, looks_back: it.back > 0 })
}

struct Reader<'a> {
    letters: &'a [char],
    at: usize,
    dialect: Dialect,
    folds: bool,
    /// Whether a dot stands for a line's end too.
    dots_all: bool,
    groups: usize,
    depth: u32,
    /// The highest group that is asked for again.
    back: usize,
}

impl Reader<'_> {
    /// An error of the rest of the pattern from a place on.
    fn wrong<T>(&self, wrong: Wrong, from: usize) -> Told<T> {
        Err((wrong, from, self.letters.len()))
    }

    /// An error of what was read last, from a place on.
    fn wrong_here<T>(&self, wrong: Wrong, from: usize) -> Told<T> {
        Err((wrong, from, self.at))
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek(0)?;
        self.at += 1;
        Some(letter)
    }

    fn take(&mut self, text: &str) -> bool {
        let is_here = text.chars().enumerate().all(|(at, letter)| self.peek(at) == Some(letter));
        self.at += if is_here { text.len() } else { 0 };
        is_here
    }

    /// The length of a sign that stands here, if it is special in this dialect: `\(` or `(`.
    fn sign(&self, sign: char) -> Option<usize> {
        match self.dialect {
            Dialect::Basic => {
                (self.peek(0) == Some('\\') && self.peek(1) == Some(sign)).then_some(2)
            }
            _ => (self.peek(0) == Some(sign)).then_some(1),
        }
    }

    fn take_sign(&mut self, sign: char) -> bool {
        let length = self.sign(sign);
        self.at += length.unwrap_or(0);
        length.is_some()
    }

    fn of(&self, ranges: &[(char, char)], is_negated: bool) -> Node {
        Node::Letter(Class { ranges: ranges.to_vec(), is_negated, folds: self.folds })
    }

    fn letter(&self, letter: char) -> Node {
        self.of(&[(letter, letter)], false)
    }

    fn either(&mut self) -> Told<Node> {
        let first = self.row()?;
        if self.sign('|').is_none() {
            return Ok(first);
        }
        let mut ways = vec![first];
        while self.take_sign('|') {
            ways.push(self.row()?);
        }
        Ok(Node::Either(ways))
    }

    fn row(&mut self) -> Told<Node> {
        let mut nodes = Vec::new();
        let is_closing = |it: &Self| {
            it.sign(')').is_some() && !(it.depth == 0 && it.dialect == Dialect::Extended)
        };
        while self.at < self.letters.len() && self.sign('|').is_none() && !is_closing(self) {
            let from = self.at;
            let node = self.one(nodes.is_empty())?;
            // Behind the beginning a basic expression's star stands for itself.
            let is_begin =
                self.dialect == Dialect::Basic && matches!(node, Node::Check(Check::Start));
            nodes.push(if is_begin { node } else { self.repeated(node, from)? });
        }
        Ok(Node::Row(nodes))
    }

    fn one(&mut self, is_first: bool) -> Told<Node> {
        let from = self.at;
        if self.take_sign('(') {
            return self.group(from);
        }
        let is_basic = self.dialect == Dialect::Basic;
        Ok(match self.next().unwrap_or_default() {
            '.' if self.dots_all => self.of(&[('\0', char::MAX)], false),
            '.' => self.of(&[('\n', '\n')], true),
            '[' => self.set(from)?,
            '^' if !is_basic || is_first => Node::Check(Check::Start),
            '$' if !is_basic || self.ends_here() => Node::Check(Check::End),
            '\\' => self.escape(from)?,
            '*' | '+' | '?' if !self.dialect.is_posix() => {
                return self.wrong_here(Wrong::Nothing, from);
            }
            letter => self.letter(letter),
        })
    }

    fn ends_here(&self) -> bool {
        self.at >= self.letters.len() || self.sign('|').is_some() || self.sign(')').is_some()
    }

    /// A group, behind its bracket.
    fn group(&mut self, from: usize) -> Told<Node> {
        if self.depth >= DEEPEST {
            return self.wrong(Wrong::TooDeep, 0);
        }
        let before = (self.folds, self.dots_all);
        let mut look = None;
        let mut number = None;
        if !self.dialect.is_posix() && self.take("?") {
            let is_perl = self.dialect == Dialect::Perl;
            if is_perl && (self.take("=") || self.peek(0) == Some('!')) {
                look = Some(!self.take("!"));
            } else if is_perl && (self.take("<=") || self.take("<!")) {
                return self.wrong(Wrong::Unknown, from);
            } else if self.take("P<") || self.take("<") {
                let is_of_name = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
                let begin = self.at;
                while self.peek(0).as_ref().is_some_and(is_of_name) {
                    self.at += 1;
                }
                if self.at == begin || !self.take(">") {
                    self.at += usize::from(self.at < self.letters.len());
                    return self.wrong_here(Wrong::Syntax, from);
                }
                number = Some(());
            } else if self.flags(from)? {
                return Ok(Node::Row(Vec::new()));
            }
        } else {
            number = Some(());
        }
        let number = number.map(|()| {
            self.groups += 1;
            self.groups
        });
        self.depth += 1;
        let node = self.either()?;
        self.depth -= 1;
        if !self.take_sign(')') {
            return self.wrong(Wrong::OpenGroup, 0);
        }
        (self.folds, self.dots_all) = before;
        Ok(match (look, number) {
            (Some(wanted), _) => Node::Look { wanted, node: Box::new(node) },
            (_, Some(number)) => Node::Group(number, Box::new(node)),
            _ => node,
        })
    }

    /// `i`, `s`, `-i` up to `:` or `)`; whether that closes the group, so that the flags are those
    /// of what is around it.
    fn flags(&mut self, from: usize) -> Told<bool> {
        let mut on = true;
        loop {
            match self.next() {
                Some(':') => return Ok(false),
                Some(')') => return Ok(true),
                Some('-') if on => on = false,
                Some('i') => self.folds = on,
                Some('s') => self.dots_all = on,
                Some('m' | 'U' | 'x' | 'J' | 'n' | '#' | '>' | '|') => {
                    return self.wrong(Wrong::Unknown, from);
                }
                _ => return self.wrong_here(Wrong::Syntax, from),
            }
        }
    }

    fn repeated(&mut self, mut node: Node, from: usize) -> Told<Node> {
        let first = self.at;
        let mut count = 0;
        loop {
            let begin = self.at;
            let (least, most) = if self.take("*") {
                (0, None)
            } else if self.take_sign('+') {
                (1, None)
            } else if self.take_sign('?') {
                (0, Some(1))
            } else if let Some(bounds) = self.bounds()? {
                bounds
            } else {
                return Ok(node);
            };
            count += 1;
            let is_posix = self.dialect.is_posix();
            // PCRE takes counts behind quantifiers, Go nothing.
            let is_count = self.letters.get(begin) == Some(&'{');
            let is_nested = count > 1 && !is_posix && !(is_count && self.dialect == Dialect::Perl);
            if is_nested || count > MOST_IN_A_ROW {
                return self.wrong_here(Wrong::Nested, first);
            }
            if matches!(node, Node::Look { .. }) && self.dialect == Dialect::Go {
                return self.wrong_here(Wrong::Nothing, from);
            }
            let is_lazy = !is_posix && self.take("?");
            if self.dialect == Dialect::Perl && !is_lazy {
                self.take("+");
            }
            node = Node::Repeat { node: Box::new(node), least, most, is_lazy };
        }
    }

    fn number(&mut self) -> Option<u32> {
        let begin = self.at;
        while self.peek(0).is_some_and(|letter| letter.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.letters.get(begin..self.at).unwrap_or_default().iter().collect();
        (!digits.is_empty()).then(|| digits.parse().unwrap_or(u32::MAX))
    }

    /// `{2}`, `{2,}` or `{2,5}`; what looks otherwise is text.
    fn bounds(&mut self) -> Told<Option<(u32, Option<u32>)>> {
        let begin = self.at;
        if !self.take_sign('{') {
            return Ok(None);
        }
        let is_count = |letter: char| letter.is_ascii_digit() || letter == ',';
        if self.dialect == Dialect::Extended && !self.peek(0).is_some_and(is_count) {
            self.at = begin;
            return Ok(None);
        }
        let is_posix = self.dialect.is_posix();
        let least = self.number();
        let most = if self.take(",") { self.number() } else { least };
        let is_closed = self.take_sign('}');
        if !is_posix && (least.is_none() || !is_closed) {
            self.at = begin;
            return Ok(None);
        }
        let least = least.unwrap_or(0);
        let limit = match self.dialect {
            Dialect::Go => 1000,
            Dialect::Perl => 65_535,
            _ => 32_767,
        };
        match () {
            () if !is_closed => self.wrong(Wrong::OpenCount, begin),
            () if most.is_some_and(|most| most < least) => self.wrong_here(Wrong::Count, begin),
            () if least.max(most.unwrap_or(0)) > limit => {
                let is_go = self.dialect == Dialect::Go;
                self.wrong_here(if is_go { Wrong::Count } else { Wrong::TooBig }, begin)
            }
            () => Ok(Some((least, most))),
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, from: usize) -> Told<Node> {
        let Some(letter) = self.next() else { return self.wrong_here(Wrong::Backslash, self.at) };
        let (is_posix, dialect) = (self.dialect.is_posix(), self.dialect);
        Ok(match letter {
            '1'..='9' if dialect != Dialect::Go => {
                let number = letter.to_digit(10).and_then(|it| usize::try_from(it).ok());
                let number = number.unwrap_or_default();
                self.back = self.back.max(number);
                Node::Back(number, self.folds)
            }
            'b' | 'B' => Node::Check(Check::Edge(letter)),
            '<' | '>' if is_posix => Node::Check(Check::Edge(letter)),
            'A' if !is_posix => Node::Check(Check::Start),
            'z' if !is_posix => Node::Check(Check::End),
            'Z' if dialect == Dialect::Perl => Node::Check(Check::End),
            letter => match self.named(letter) {
                Some(ranges) => self.of(&ranges, false),
                None => {
                    let plain = self.plain(letter, from)?;
                    self.letter(plain)
                }
            },
        })
    }

    /// The letters of `\d`, `\w`, `\s` and of what they leave, `\D`, `\W`, `\S`.
    fn named(&self, letter: char) -> Option<Vec<(char, char)>> {
        let ranges = match letter.to_ascii_lowercase() {
            'd' => class("digit"),
            'w' => class("word"),
            's' if self.dialect == Dialect::Go => {
                Some(&[('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')][..])
            }
            's' => class("space"),
            _ => None,
        }?;
        Some(if letter.is_ascii_uppercase() { all_but(ranges) } else { ranges.to_vec() })
    }

    /// The letter that one behind a backslash stands for.
    fn plain(&self, letter: char, from: usize) -> Told<char> {
        let is_posix = self.dialect.is_posix();
        Ok(match letter {
            'n' => '\n',
            't' => '\t',
            'r' if !is_posix => '\r',
            'f' if !is_posix => '\u{c}',
            'v' if !is_posix => '\u{b}',
            'a' if !is_posix => '\u{7}',
            'p' | 'P' | 'x' | 'Q' | 'C' if !is_posix => return self.wrong(Wrong::Unknown, from),
            'h' | 'H' | 'R' | 'K' | 'X' | 'G' | 'e' | 'E' | 'c' | 'V' | 'N' | 'o' | 'g' | 'k'
                if self.dialect == Dialect::Perl =>
            {
                return self.wrong(Wrong::Unknown, from);
            }
            other if !is_posix && other.is_ascii_alphanumeric() => {
                return self.wrong_here(Wrong::Escape, from);
            }
            other => other,
        })
    }

    /// `[a-z_]`, `[^,]`, `[[:digit:].]`, behind its bracket.
    fn set(&mut self, open: usize) -> Told<Node> {
        let is_negated = self.take("^");
        let mut ranges = Vec::new();
        let first = self.at;
        loop {
            let from = self.at;
            let Some(letter) = self.next() else { return self.wrong(Wrong::OpenSet, open) };
            if letter == ']' && from > first {
                return Ok(self.of(&ranges, is_negated));
            }
            if letter == '[' && self.peek(0) == Some(':') {
                if let Some(named) = self.named_class(from)? {
                    ranges.extend(named);
                    continue;
                }
                if self.dialect.is_posix() {
                    return self.wrong(Wrong::OpenSet, open);
                }
            }
            let Some(begin) = self.member(letter, &mut ranges)? else { continue };
            let end = match (self.peek(0), self.peek(1)) {
                (Some('-'), Some(last)) if last != ']' => {
                    self.at += 2;
                    self.member(last, &mut ranges)?.unwrap_or(begin)
                }
                _ => begin,
            };
            if end < begin {
                return self.wrong_here(Wrong::Range, from);
            }
            ranges.push((begin, end));
        }
    }

    /// A letter of a set; `None` if it is a whole class, which is added.
    fn member(&mut self, letter: char, ranges: &mut Vec<(char, char)>) -> Told<Option<char>> {
        if letter != '\\' || self.dialect.is_posix() {
            return Ok(Some(letter));
        }
        let from = self.at - 1;
        let Some(letter) = self.next() else { return self.wrong_here(Wrong::Backslash, self.at) };
        match self.named(letter) {
            Some(named) => {
                ranges.extend(named);
                Ok(None)
            }
            None if letter == 'b' && self.dialect == Dialect::Perl => Ok(Some('\u{8}')),
            None => self.plain(letter, from).map(Some),
        }
    }

    /// `[:alnum:]`, behind its first bracket.
    fn named_class(&mut self, from: usize) -> Told<Option<Vec<(char, char)>>> {
        let rest: String = self.letters.iter().skip(self.at + 1).collect();
        let Some((name, _)) = rest.split_once(":]") else { return Ok(None) };
        self.at += name.chars().count() + 3;
        let (name, is_negated) = match name.strip_prefix('^') {
            Some(name) if !self.dialect.is_posix() => (name, true),
            _ => (name, false),
        };
        match class(name) {
            Some(ranges) if is_negated => Ok(Some(all_but(ranges))),
            Some(ranges) => Ok(Some(ranges.to_vec())),
            None => self.wrong_here(Wrong::ClassName, from),
        }
    }
}

/// All letters but those of a class, which are ASCII and in their order.
fn all_but(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let beside = |letter: char, by: i8| {
        u8::try_from(letter).ok().and_then(|it| it.checked_add_signed(by)).map(char::from)
    };
    let mut all = Vec::new();
    let mut from = '\0';
    for (first, last) in ranges {
        if let Some(end) = beside(*first, -1).filter(|end| *end >= from) {
            all.push((from, end));
        }
        from = beside(*last, 1).unwrap_or_default();
    }
    all.push((from, char::MAX));
    all
}
