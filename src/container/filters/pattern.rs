//! Regular expressions as grep, sed and awk have them: POSIX' basic and extended ones, with what
//! GNU and busybox add to both.
//!
//! A match is found by trying, and no search makes more than [`MOST_STEPS`] steps.

use core::cell::Cell;

/// More steps than this are not tried: a pattern can be made that would never come to an end.
const MOST_STEPS: u32 = 200_000;
/// No group is repeated more often than this within one match.
const MOST_TURNS: usize = 500;
/// As deep as groups may stand in each other.
const MOST_DEPTH: usize = 20;

/// How a pattern is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    /// `\(a\|b\)\+`
    Basic,
    /// `(a|b)+`
    Extended,
    /// Every letter stands for itself.
    Fixed,
}

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    ways: Vec<Vec<Node>>,
    groups: usize,
    /// Whether large letters are as small ones.
    fold: bool,
    /// Whether there are alternatives, of which the longest counts.
    has_ways: bool,
}

#[derive(Clone, Debug)]
enum Node {
    Letter(char),
    Any,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Start,
    End,
    /// Where a word begins or ends: `\b`, `\<`, `\>`.
    Edge(char),
    Group(usize, Vec<Vec<Node>>),
    Again {
        node: Box<Node>,
        least: usize,
        most: usize,
    },
    /// What a group matched, once more.
    Back(usize),
}

/// Where the whole and its groups matched: from and to, in letters.
pub(super) type Places = Vec<Option<(usize, usize)>>;

type Then<'a> = &'a mut dyn FnMut(usize, &mut Places) -> bool;

struct Parser<'a> {
    letters: &'a [char],
    at: usize,
    flavor: Flavor,
    groups: usize,
    depth: usize,
    has_ways: bool,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in the words of the C library.
    pub(super) fn new(text: &str, flavor: Flavor, fold: bool) -> Result<Self, &'static str> {
        let letters: Vec<char> = text.chars().collect();
        if flavor == Flavor::Fixed {
            let way = letters.into_iter().map(Node::Letter).collect();
            return Ok(Pattern { ways: vec![way], groups: 0, fold, has_ways: false });
        }
        let mut parser =
            Parser { letters: &letters, at: 0, flavor, groups: 0, depth: 0, has_ways: false };
        let ways = parser.ways()?;
        if parser.at < letters.len() {
            return Err("Unmatched ) or \\)");
        }
        Ok(Pattern { ways, groups: parser.groups, fold, has_ways: parser.has_ways })
    }

    /// Whether a line has it.
    pub(super) fn is_in(&self, line: &str) -> bool {
        let letters: Vec<char> = line.chars().collect();
        self.find(&letters, 0).is_some()
    }

    /// The first match at or behind a place.
    pub(super) fn find(&self, text: &[char], from: usize) -> Option<Places> {
        let search = Search { text, fold: self.fold, steps: Cell::new(0) };
        (from..=text.len()).find_map(|at| {
            let mut best: Option<Places> = None;
            let mut places: Places = vec![None; self.groups + 1];
            search.ways(&self.ways, at, &mut places, &mut |end, places| {
                let longest = best.as_ref().and_then(|it| it.first().copied().flatten());
                if longest.is_none_or(|(_, before)| before < end) {
                    let mut found = places.clone();
                    if let Some(whole) = found.first_mut() {
                        *whole = Some((at, end));
                    }
                    best = Some(found);
                }
                !self.has_ways
            });
            best
        })
    }
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    /// Whether a sign stands here that is special in this flavour: `\(` or `(`.
    fn is_sign(&self, sign: char) -> Option<usize> {
        match self.flavor {
            Flavor::Basic => {
                (self.peek(0) == Some('\\') && self.peek(1) == Some(sign)).then_some(2)
            }
            _ => (self.peek(0) == Some(sign)).then_some(1),
        }
    }

    fn take(&mut self, sign: char) -> bool {
        let length = self.is_sign(sign);
        self.at += length.unwrap_or(0);
        length.is_some()
    }

    fn ways(&mut self) -> Result<Vec<Vec<Node>>, &'static str> {
        let mut ways = vec![self.way()?];
        while self.take('|') {
            self.has_ways = true;
            ways.push(self.way()?);
        }
        Ok(ways)
    }

    fn way(&mut self) -> Result<Vec<Node>, &'static str> {
        let mut nodes = Vec::new();
        while self.at < self.letters.len()
            && self.is_sign('|').is_none()
            && (self.is_sign(')').is_none() || self.depth == 0 && self.flavor == Flavor::Extended)
        {
            let node = self.one(nodes.is_empty())?;
            nodes.push(self.repeated(node)?);
        }
        Ok(nodes)
    }

    fn one(&mut self, is_first: bool) -> Result<Node, &'static str> {
        if self.take('(') {
            self.groups += 1;
            self.depth += 1;
            if self.depth > MOST_DEPTH {
                return Err("Regular expression too big");
            }
            let number = self.groups;
            let ways = self.ways()?;
            if !self.take(')') {
                return Err("Unmatched ( or \\(");
            }
            self.depth -= 1;
            return Ok(Node::Group(number, ways));
        }
        let letter = self.peek(0).unwrap_or_default();
        self.at += 1;
        let is_basic = self.flavor == Flavor::Basic;
        Ok(match letter {
            '.' => Node::Any,
            '[' => return self.set(),
            '^' if !is_basic || is_first => Node::Start,
            '$' if !is_basic || self.ends_here() => Node::End,
            '\\' => {
                let Some(escaped) = self.peek(0) else { return Err("Trailing backslash") };
                self.at += 1;
                escape(escaped)
            }
            letter => Node::Letter(letter),
        })
    }

    fn ends_here(&self) -> bool {
        self.at >= self.letters.len() || self.is_sign('|').is_some() || self.is_sign(')').is_some()
    }

    fn repeated(&mut self, mut node: Node) -> Result<Node, &'static str> {
        loop {
            let (least, most) = if self.peek(0) == Some('*') {
                self.at += 1;
                (0, usize::MAX)
            } else if self.take('+') {
                (1, usize::MAX)
            } else if self.take('?') {
                (0, 1)
            } else if self.is_sign('{').is_some()
                && (self.flavor == Flavor::Basic
                    || self.peek(1).is_some_and(|it| it.is_ascii_digit() || it == ','))
            {
                self.take('{');
                self.bounds()?
            } else {
                return Ok(node);
            };
            // A star that has nothing before it stands for itself.
            if matches!(node, Node::Start) && self.flavor == Flavor::Basic {
                return Ok(Node::Group(0, vec![vec![node, Node::Letter('*')]]));
            }
            node = Node::Again { node: Box::new(node), least, most };
        }
    }

    fn bounds(&mut self) -> Result<(usize, usize), &'static str> {
        let mut number = || {
            let mut digits = String::new();
            while let Some(digit) = self.peek(0).filter(char::is_ascii_digit) {
                digits.push(digit);
                self.at += 1;
            }
            digits.parse::<usize>().ok()
        };
        let least = number();
        let most = match self.peek(0) {
            Some(',') => {
                self.at += 1;
                let mut digits = String::new();
                while let Some(digit) = self.peek(0).filter(char::is_ascii_digit) {
                    digits.push(digit);
                    self.at += 1;
                }
                digits.parse().unwrap_or(usize::MAX)
            }
            _ => least.unwrap_or(0),
        };
        let least = least.unwrap_or(0);
        match self.take('}') {
            true if least <= most && least <= MOST_TURNS => Ok((least, most)),
            true => Err("Invalid content of \\{\\}"),
            false => Err("Unmatched { or \\{"),
        }
    }

    /// `[a-z_]`, `[^,]`, `[[:digit:].]`.
    fn set(&mut self) -> Result<Node, &'static str> {
        let negated = self.peek(0) == Some('^');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        let first = self.at;
        loop {
            let Some(letter) = self.peek(0) else {
                return Err("Unmatched [, [^, [:, [., or [=");
            };
            self.at += 1;
            if letter == ']' && self.at > first + 1 {
                return Ok(Node::Set { negated, ranges });
            }
            if letter == '[' && self.peek(0) == Some(':') {
                let rest: String = self.letters.iter().skip(self.at + 1).collect();
                let Some((name, _)) = rest.split_once(":]") else {
                    return Err("Unmatched [, [^, [:, [., or [=");
                };
                ranges.extend(class(name).ok_or("Invalid character class name")?);
                self.at += name.chars().count() + 3;
                continue;
            }
            match (self.peek(0), self.peek(1)) {
                (Some('-'), Some(last)) if last != ']' => {
                    if last < letter {
                        return Err("Invalid range end");
                    }
                    ranges.push((letter, last));
                    self.at += 2;
                }
                _ => ranges.push((letter, letter)),
            }
        }
    }
}

/// What a letter behind a backslash stands for.
fn escape(letter: char) -> Node {
    let set = |negated, name: &str| Node::Set {
        negated,
        ranges: class(name).map(<[_]>::to_vec).unwrap_or_default(),
    };
    match letter {
        'b' | '<' | '>' | 'B' => Node::Edge(letter),
        'w' => set(false, "word"),
        'W' => set(true, "word"),
        's' => set(false, "space"),
        'S' => set(true, "space"),
        'd' => set(false, "digit"),
        'D' => set(true, "digit"),
        'n' => Node::Letter('\n'),
        't' => Node::Letter('\t'),
        '1'..='9' => Node::Back(letter.to_digit(10).map_or(0, |it| it as usize)),
        other => Node::Letter(other),
    }
}

/// The letters of a class by its name.
pub(super) fn class(name: &str) -> Option<&'static [(char, char)]> {
    Some(match name {
        "alpha" => &[('a', 'z'), ('A', 'Z')],
        "lower" => &[('a', 'z')],
        "upper" => &[('A', 'Z')],
        "digit" => &[('0', '9')],
        "xdigit" => &[('0', '9'), ('a', 'f'), ('A', 'F')],
        "alnum" => &[('0', '9'), ('a', 'z'), ('A', 'Z')],
        "word" => &[('0', '9'), ('a', 'z'), ('A', 'Z'), ('_', '_')],
        "space" => &[(' ', ' '), ('\t', '\r')],
        "blank" => &[(' ', ' '), ('\t', '\t')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "print" => &[(' ', '~')],
        "graph" => &[('!', '~')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        _ => return None,
    })
}

/// One search in one text.
struct Search<'a> {
    text: &'a [char],
    fold: bool,
    steps: Cell<u32>,
}

impl Search<'_> {
    /// Counts a step; whether there were too many.
    fn is_tired(&self) -> bool {
        self.steps.set(self.steps.get().saturating_add(1));
        self.steps.get() > MOST_STEPS
    }

    fn ways(&self, ways: &[Vec<Node>], at: usize, places: &mut Places, then: Then<'_>) -> bool {
        ways.iter().any(|way| self.nodes(way, at, places, then))
    }

    /// Matches one node after the other, and then what follows; whether the search is over.
    fn nodes(&self, nodes: &[Node], mut at: usize, places: &mut Places, then: Then<'_>) -> bool {
        let mut nodes = nodes;
        loop {
            if self.is_tired() {
                return true;
            }
            let Some((node, rest)) = nodes.split_first() else { return then(at, places) };
            match node {
                Node::Group(number, ways) => {
                    let number = *number;
                    let before = places.get(number).copied().flatten();
                    let over = self.ways(ways, at, places, &mut |end, places| {
                        let old = places.get(number).copied().flatten();
                        if let Some(place) = places.get_mut(number) {
                            *place = Some((at, end));
                        }
                        let over = self.nodes(rest, end, places, then);
                        if let Some(place) = places.get_mut(number).filter(|_| !over) {
                            *place = old;
                        }
                        over
                    });
                    if let Some(place) = places.get_mut(number).filter(|_| !over) {
                        *place = before;
                    }
                    return over;
                }
                Node::Again { node, least, most } if is_single(node) => {
                    return self.letters(node, (*least, *most), rest, at, places, then);
                }
                Node::Again { node, least, most } => {
                    return self.turns(node, (*least, *most), 0, rest, at, places, then);
                }
                single => match self.step(single, at, places) {
                    Some(end) => at = end,
                    None => return false,
                },
            }
            nodes = rest;
        }
    }

    /// As many letters as there are, then fewer.
    fn letters(
        &self,
        node: &Node,
        (least, most): (usize, usize),
        rest: &[Node],
        at: usize,
        places: &mut Places,
        then: Then<'_>,
    ) -> bool {
        let mut end = at;
        while end - at < most && self.step(node, end, places).is_some() {
            end += 1;
            if self.is_tired() {
                return true;
            }
        }
        loop {
            if end < at + least {
                return false;
            }
            if self.nodes(rest, end, places, then) {
                return true;
            }
            if end == at {
                return false;
            }
            end -= 1;
        }
    }

    /// Once more, or on to what follows.
    #[expect(clippy::too_many_arguments, reason = "the state of a search")]
    fn turns(
        &self,
        node: &Node,
        (least, most): (usize, usize),
        done: usize,
        rest: &[Node],
        at: usize,
        places: &mut Places,
        then: Then<'_>,
    ) -> bool {
        let more = done < most && done < MOST_TURNS;
        let over = more
            && self.nodes(core::slice::from_ref(node), at, places, &mut |end, places| {
                // A turn that takes nothing would never end.
                (end > at || done < least)
                    && self.turns(node, (least, most), done + 1, rest, end, places, then)
            });
        over || done >= least && self.nodes(rest, at, places, then)
    }

    /// Where a node that is no group ends.
    fn step(&self, node: &Node, at: usize, places: &Places) -> Option<usize> {
        let letter = self.text.get(at).copied();
        let is_word = |letter: Option<&char>| {
            letter.is_some_and(|letter| letter.is_alphanumeric() || *letter == '_')
        };
        let before = at.checked_sub(1).and_then(|at| self.text.get(at));
        let (left, right) = (is_word(before), is_word(self.text.get(at)));
        let holds = |holds: bool| holds.then_some(at);
        match node {
            Node::Start => holds(at == 0),
            Node::End => holds(at == self.text.len()),
            Node::Edge('<') => holds(!left && right),
            Node::Edge('>') => holds(left && !right),
            Node::Edge('B') => holds(left == right),
            Node::Edge(_) => holds(left != right),
            Node::Any => letter.map(|_| at + 1),
            Node::Letter(own) => letter.filter(|it| self.same(*it, *own)).map(|_| at + 1),
            Node::Set { negated, ranges } => {
                let letter = letter?;
                let has = |letter: char| ranges.iter().any(|(a, b)| (*a..=*b).contains(&letter));
                let is_in = has(letter)
                    || self.fold
                        && (has(letter.to_ascii_lowercase()) || has(letter.to_ascii_uppercase()));
                (is_in != *negated).then_some(at + 1)
            }
            Node::Back(number) => {
                let (from, to) = places.get(*number).copied().flatten()?;
                let wanted = self.text.get(from..to)?;
                let found = self.text.get(at..at + wanted.len())?;
                let same = wanted.iter().zip(found).all(|(a, b)| self.same(*a, *b));
                same.then_some(at + wanted.len())
            }
            Node::Group(..) | Node::Again { .. } => None,
        }
    }

    fn same(&self, a: char, b: char) -> bool {
        a == b || self.fold && a.to_lowercase().eq(b.to_lowercase())
    }
}

/// Whether a node always takes one letter.
const fn is_single(node: &Node) -> bool {
    matches!(node, Node::Letter(_) | Node::Any | Node::Set { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, flavor: Flavor, line: &str) -> Option<String> {
        let letters: Vec<char> = line.chars().collect();
        let places = Pattern::new(pattern, flavor, false).unwrap().find(&letters, 0)?;
        let (from, to) = places[0]?;
        Some(letters[from..to].iter().collect())
    }

    #[test]
    fn patterns_match_as_in_grep() {
        use Flavor::{Basic, Extended, Fixed};
        let cases = [
            ("^(a|b) ", Extended, "b  1", Some("b ")),
            ("^[ab] ", Basic, "ab ", None),
            ("map/.*", Basic, "configmap/a", Some("map/a")),
            ("w.*2", Basic, "web-1 web-2 x", Some("web-1 web-2")),
            ("[0-9]+", Extended, "web-12", Some("12")),
            ("[0-9]+", Basic, "web-12+", Some("2+")),
            ("[0-9]\\{2\\}", Basic, "web-123", Some("12")),
            ("kube-(public|system)", Extended, "x kube-system", Some("kube-system")),
            ("a|ab", Extended, "abc", Some("ab")),
            ("a\\|ab", Basic, "abc", Some("ab")),
            ("a|b", Basic, "a|b", Some("a|b")),
            ("1/1$", Basic, "1/1 ", None),
            ("a\\.b", Basic, "axb a.b", Some("a.b")),
            ("a.b", Fixed, "axb a.b", Some("a.b")),
            ("", Basic, "x", Some("")),
            ("*a", Basic, "b*a", Some("*a")),
            ("\\bweb\\b", Basic, "xweb web", Some("web")),
            ("(ab)*c", Extended, "xababc", Some("ababc")),
            ("(.)\\1", Extended, "abccd", Some("cc")),
            ("[[:digit:].]+", Extended, "ip 10.0.0.1!", Some("10.0.0.1")),
            ("[^]]x", Basic, "]x ax", Some("ax")),
            ("colou?r{1,2}", Extended, "colorr", Some("colorr")),
        ];
        for (pattern, flavor, line, wanted) in cases {
            assert_eq!(found(pattern, flavor, line).as_deref(), wanted, "{pattern} in {line}");
        }
        for (pattern, why) in [
            ("[a", "Unmatched [, [^, [:, [., or [="),
            ("(a", "Unmatched ( or \\("),
            ("a\\", "Trailing backslash"),
        ] {
            let error = Pattern::new(pattern, Extended, false).map(|_| ()).unwrap_err();
            assert_eq!(error, why, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_that_would_never_end_is_given_up() {
        let line = "a".repeat(60) + "b";
        assert_eq!(found("(a*)*(a*)*(a*)*c", Flavor::Extended, &line), None);
        let long = "x".repeat(100_000);
        assert_eq!(found("x*y", Flavor::Extended, &long), None);
        assert_eq!(found("(x)*", Flavor::Extended, &long).map(|it| it.len()), Some(MOST_TURNS));
    }
}
