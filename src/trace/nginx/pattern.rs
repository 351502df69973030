//! Regular expressions as nginx' locations and rewrites use them (PCRE, the part that people write).
//!
//! A pattern is compiled into a small program that is run with backtracking. No state is entered
//! twice, so that a search takes no more steps than the program is long times the text.
//!
//! Simplified: neither backward references nor lookbehind; letters beyond ASCII have no case.

use std::collections::BTreeSet;

/// Longer programs are not compiled.
const MOST_STEPS: usize = 4096;
/// Groups nest no deeper than this.
const DEEPEST: u32 = 32;

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    program: Vec<Step>,
    groups: usize,
    ignore_case: bool,
}

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// A byte of the text must be one of these.
    One(Class),
    /// Goes on at both, the first one first.
    Fork(usize, usize),
    Jump(usize),
    /// Notes the place in the text.
    Save(usize),
    Start,
    End,
    WordEdge(bool),
    /// What stands from the next step on must match here (or must not), up to a [`Step::Found`];
    /// then it goes on at the step that is named.
    Look {
        wanted: bool,
        after: usize,
    },
    Found,
}

/// A set of bytes as ranges.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Class {
    ranges: Vec<(u8, u8)>,
    negated: bool,
}

impl Class {
    fn of(byte: u8) -> Self {
        Class { ranges: vec![(byte, byte)], negated: false }
    }

    /// `.`: anything but a new line.
    fn any() -> Self {
        Class { ranges: vec![(b'\n', b'\n')], negated: true }
    }

    fn named(letter: u8) -> Option<Self> {
        let ranges: &[(u8, u8)] = match letter.to_ascii_lowercase() {
            b'd' => &[(b'0', b'9')],
            b'w' => &[(b'0', b'9'), (b'A', b'Z'), (b'_', b'_'), (b'a', b'z')],
            b's' => &[(b'\t', b'\r'), (b' ', b' ')],
            _ => return None,
        };
        Some(Class { ranges: ranges.to_vec(), negated: letter.is_ascii_uppercase() })
    }

    fn contains(&self, byte: u8, ignore_case: bool) -> bool {
        let within = |byte: u8| self.ranges.iter().any(|(a, b)| (*a..=*b).contains(&byte));
        let other = if byte.is_ascii_lowercase() {
            byte.to_ascii_uppercase()
        } else {
            byte.to_ascii_lowercase()
        };
        (within(byte) || ignore_case && within(other)) != self.negated
    }
}

/// Where the whole pattern (0) and its groups matched: bytes from and to.
pub type Groups = Vec<Option<(usize, usize)>>;

impl Pattern {
    /// Compiles a pattern; `(?i)` at its beginning is understood.
    ///
    /// # Errors
    /// `None` for what PCRE would refuse and for what this does not know.
    pub fn new(text: &str, ignore_case: bool) -> Option<Self> {
        let (text, ignore_case) = match text.strip_prefix("(?i)") {
            Some(rest) => (rest, true),
            None => (text, ignore_case),
        };
        let mut reader = Reader { rest: text.as_bytes(), program: Vec::new(), groups: 0, depth: 0 };
        reader.push(Step::Save(0))?;
        reader.choice()?;
        reader.push(Step::Save(1))?;
        reader.push(Step::Found)?;
        let whole = reader.rest.is_empty();
        whole.then_some(Pattern { program: reader.program, groups: reader.groups, ignore_case })
    }

    /// Looks for the pattern anywhere in a text.
    pub fn find(&self, text: &str) -> Option<Groups> {
        (0..=text.len()).find_map(|start| self.at(text.as_bytes(), start))
    }

    /// Whether the pattern stands anywhere in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.find(text).is_some()
    }

    /// Whether the pattern is the whole of a text.
    pub fn is_whole(&self, text: &str) -> bool {
        let found = self.at(text.as_bytes(), 0);
        found.and_then(|groups| groups.first().copied().flatten()) == Some((0, text.len()))
    }

    /// Matches at one place.
    fn at(&self, text: &[u8], start: usize) -> Option<Groups> {
        let saves = self.run(text, start, 0, &mut BTreeSet::new())?;
        let mut groups = Vec::with_capacity(self.groups + 1);
        for pair in saves.chunks(2) {
            groups.push(match pair {
                [Some(from), Some(to)] => Some((*from, *to)),
                _ => None,
            });
        }
        Some(groups)
    }

    fn run(
        &self,
        text: &[u8],
        place: usize,
        first: usize,
        seen: &mut BTreeSet<(usize, usize)>,
    ) -> Option<Vec<Option<usize>>> {
        let mut waiting = vec![(first, place, vec![None; (self.groups + 1) * 2])];
        while let Some((mut step, mut place, mut saves)) = waiting.pop() {
            while seen.insert((step, place)) {
                let next = step + 1;
                let goes_on = match self.program.get(step)? {
                    Step::Found => return Some(saves),
                    Step::One(class) => {
                        let byte = text.get(place).copied();
                        place += 1;
                        byte.is_some_and(|byte| class.contains(byte, self.ignore_case))
                    }
                    Step::Fork(one, other) => {
                        waiting.push((*other, place, saves.clone()));
                        step = *one;
                        continue;
                    }
                    Step::Jump(to) => {
                        step = *to;
                        continue;
                    }
                    Step::Save(slot) => {
                        if let Some(slot) = saves.get_mut(*slot) {
                            *slot = Some(place);
                        }
                        true
                    }
                    Step::Start => place == 0,
                    Step::End => place == text.len(),
                    Step::WordEdge(wanted) => is_edge(text, place) == *wanted,
                    Step::Look { wanted, after } => {
                        let found = self.run(text, place, next, &mut BTreeSet::new()).is_some();
                        if found != *wanted {
                            break;
                        }
                        step = *after;
                        continue;
                    }
                };
                if !goes_on {
                    break;
                }
                step = next;
            }
        }
        None
    }
}

fn is_edge(text: &[u8], place: usize) -> bool {
    let is_word = |at: Option<usize>| {
        let byte = at.and_then(|at| text.get(at));
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    is_word(place.checked_sub(1)) != is_word(Some(place))
}

/// Reads a pattern and writes its program.
struct Reader<'a> {
    rest: &'a [u8],
    program: Vec<Step>,
    groups: usize,
    depth: u32,
}

impl Reader<'_> {
    fn push(&mut self, step: Step) -> Option<usize> {
        if self.program.len() >= MOST_STEPS {
            return None;
        }
        self.program.push(step);
        Some(self.program.len() - 1)
    }

    fn set(&mut self, place: usize, step: Step) {
        if let Some(slot) = self.program.get_mut(place) {
            *slot = step;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `a|b|c`.
    fn choice(&mut self) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut ends = Vec::new();
        loop {
            let fork = self.program.len();
            self.sequence()?;
            if !self.take("|") {
                break;
            }
            self.make_room(fork)?;
            ends.push(self.push(Step::Jump(0))?);
            let other = self.program.len();
            self.set(fork, Step::Fork(fork + 1, other));
        }
        let end = self.program.len();
        for jump in ends {
            self.set(jump, Step::Jump(end));
        }
        self.depth -= 1;
        Some(())
    }

    fn sequence(&mut self) -> Option<()> {
        while !matches!(self.rest.first(), None | Some(b'|' | b')')) {
            let start = self.program.len();
            self.atom()?;
            self.repeat(start)?;
        }
        Some(())
    }

    fn atom(&mut self) -> Option<()> {
        let step = match self.next()? {
            b'(' => return self.group(),
            b'.' => Step::One(Class::any()),
            b'^' => Step::Start,
            b'$' => Step::End,
            b'[' => Step::One(self.class()?),
            b'\\' => match self.next()? {
                b'b' => Step::WordEdge(true),
                b'B' => Step::WordEdge(false),
                b'A' => Step::Start,
                b'z' | b'Z' => Step::End,
                b'0'..=b'9' => return None,
                letter => Step::One(Class::named(letter).unwrap_or(Class::of(escaped(letter)))),
            },
            b'*' | b'+' | b'?' => return None,
            byte => Step::One(Class::of(byte)),
        };
        self.push(step).map(|_| ())
    }

    fn group(&mut self) -> Option<()> {
        if self.take("?=") || self.rest.starts_with(b"?!") {
            let wanted = !self.take("?!");
            let look = self.push(Step::Found)?;
            self.choice()?;
            self.push(Step::Found)?;
            let after = self.program.len();
            self.set(look, Step::Look { wanted, after });
        } else if self.take("?:") {
            self.choice()?;
        } else {
            if self.take("?<") || self.take("?P<") {
                // A name; groups are known by their numbers too.
                while self.next()? != b'>' {}
            } else if self.rest.first() == Some(&b'?') {
                return None;
            }
            self.groups += 1;
            let number = self.groups;
            self.push(Step::Save(number * 2))?;
            self.choice()?;
            self.push(Step::Save(number * 2 + 1))?;
        }
        self.take(")").then_some(())
    }

    /// `[^a-z\d]`, after its opening bracket.
    fn class(&mut self) -> Option<Class> {
        let mut class = Class { negated: self.take("^"), ..Class::default() };
        let mut is_first = true;
        loop {
            let mut byte = self.next()?;
            if byte == b']' && !is_first {
                return Some(class);
            }
            is_first = false;
            if byte == b'[' && self.rest.first() == Some(&b':') {
                class.ranges.extend(self.posix()?);
                continue;
            }
            if byte == b'\\' {
                let letter = self.next()?;
                if let Some(named) = Class::named(letter).filter(|named| !named.negated) {
                    class.ranges.extend(named.ranges);
                    continue;
                }
                byte = escaped(letter);
            }
            let end = match self.rest {
                [b'-', end, ..] if *end != b']' => {
                    let end = *end;
                    self.next()?;
                    self.next()?;
                    if end == b'\\' { escaped(self.next()?) } else { end }
                }
                _ => byte,
            };
            if end < byte {
                return None;
            }
            class.ranges.push((byte, end));
        }
    }

    /// `[:alnum:]`, after its first bracket.
    fn posix(&mut self) -> Option<Vec<(u8, u8)>> {
        let names: [(&str, &[(u8, u8)]); 6] = [
            (":alnum:]", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
            (":alpha:]", &[(b'A', b'Z'), (b'a', b'z')]),
            (":digit:]", &[(b'0', b'9')]),
            (":lower:]", &[(b'a', b'z')]),
            (":upper:]", &[(b'A', b'Z')]),
            (":space:]", &[(b'\t', b'\r'), (b' ', b' ')]),
        ];
        names.iter().find(|(name, _)| self.take(name)).map(|(_, ranges)| ranges.to_vec())
    }

    /// `*`, `+`, `?`, `{2,3}`, each also lazy, of what was written from `start` on.
    fn repeat(&mut self, start: usize) -> Option<()> {
        let (least, most) = match self.rest.first() {
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'?') => (0, Some(1)),
            Some(b'{') => match self.counts() {
                Some(counts) => return self.times(start, counts),
                None => return Some(()),
            },
            _ => return Some(()),
        };
        self.next()?;
        self.times(start, (least, most))
    }

    /// `{2}`, `{2,}`, `{2,3}`; what looks otherwise is text.
    fn counts(&mut self) -> Option<(usize, Option<usize>)> {
        let end = self.rest.iter().position(|byte| *byte == b'}')?;
        let inner = core::str::from_utf8(self.rest.get(1..end)?).ok()?;
        let counts = match inner.split_once(',') {
            None => inner.parse().ok().map(|count| (count, Some(count))),
            Some((least, "")) => least.parse().ok().map(|least| (least, None)),
            Some((least, most)) => least.parse().ok().zip(most.parse().ok().map(Some)),
        }?;
        self.rest = self.rest.get(end + 1..)?;
        Some(counts)
    }

    fn times(&mut self, start: usize, (least, most): (usize, Option<usize>)) -> Option<()> {
        let is_lazy = self.take("?");
        let _possessive = self.take("+");
        let body = self.program.split_off(start);
        for _ in 0..least {
            self.copy(&body, start)?;
        }
        let fork =
            |one, other| if is_lazy { Step::Fork(other, one) } else { Step::Fork(one, other) };
        match most {
            None => {
                let here = self.push(Step::Found)?;
                self.copy(&body, start)?;
                let back = self.push(Step::Jump(here))?;
                self.set(here, fork(here + 1, back + 1));
            }
            Some(most) => {
                let mut forks = Vec::new();
                for _ in least..most {
                    forks.push(self.push(Step::Found)?);
                    self.copy(&body, start)?;
                }
                let end = self.program.len();
                for here in forks {
                    self.set(here, fork(here + 1, end));
                }
            }
        }
        Some(())
    }

    /// Writes steps that stood from `start` on once more, here.
    fn copy(&mut self, body: &[Step], start: usize) -> Option<()> {
        let by = self.program.len() - start;
        for step in body {
            self.push(moved(step, start, by))?;
        }
        Some(())
    }

    /// Puts an empty step at a place; what stands there moves on by one.
    fn make_room(&mut self, place: usize) -> Option<()> {
        let body = self.program.split_off(place);
        self.push(Step::Found)?;
        for step in &body {
            self.push(moved(step, place, 1))?;
        }
        Some(())
    }
}

/// A step whose targets from `from` on have moved by so many.
fn moved(step: &Step, from: usize, by: usize) -> Step {
    let to = |target: usize| if target >= from { target + by } else { target };
    match step {
        Step::Fork(one, other) => Step::Fork(to(*one), to(*other)),
        Step::Jump(target) => Step::Jump(to(*target)),
        Step::Look { wanted, after } => Step::Look { wanted: *wanted, after: to(*after) },
        other => other.clone(),
    }
}

const fn escaped(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        other => other,
    }
}

/// Fills `$1`, `${2}` in a replacement with what the groups of a match took.
pub fn expand(replacement: &str, text: &str, groups: &Groups) -> String {
    let group = |number: usize| {
        let found = groups.get(number).copied().flatten();
        found.and_then(|(from, to)| text.get(from..to)).unwrap_or_default()
    };
    let mut out = String::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (number, tail) = match braced {
            Some((name, tail)) => (name.parse().ok(), tail),
            None => {
                let digit = after.chars().next().and_then(|letter| letter.to_digit(10));
                let tail = if digit.is_some() { after.get(1..).unwrap_or_default() } else { after };
                (digit.and_then(|digit| usize::try_from(digit).ok()), tail)
            }
        };
        match number {
            Some(number) => out.push_str(group(number)),
            None => out.push('$'),
        }
        rest = if number.is_some() { tail } else { after };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_pcre_does() {
        let cases = [
            ("/api(/|$)(.*)", "/api/v1/x", "/api/v1/x|/|v1/x"),
            ("/api(/|$)(.*)", "/api", "/api||"),
            ("/api(/|$)(.*)", "/apis", "-"),
            ("^/foo", "/foobar", "/foo"),
            ("a|bc|d", "xbcd", "bc"),
            ("(a+)(a*)", "aaa", "aaa|aaa|"),
            ("(a+?)(a*)", "aaa", "aaa|a|aa"),
            ("[a-c]{2,3}$", "xabca", "bca"),
            ("\\d+\\.html", "/a/12.html", "12.html"),
            ("/(en|es)/[^/]+", "/es/hola/x", "/es/hola|es"),
            ("^/(?!admin)", "/admin", "-"),
            ("^/(?!admin)", "/home", "/"),
            ("(?:ab)+", "ababx", "abab"),
            ("(a|b)*c", "abac", "abac|a"),
            ("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", "-"),
            ("x{0}y", "xy", "y"),
        ];
        for (pattern, text, expected) in cases {
            let compiled = Pattern::new(pattern, false).unwrap();
            let found = compiled.find(text).map_or("-".to_owned(), |groups| {
                let of = |group: &Option<(usize, usize)>| {
                    group.map_or(String::new(), |(from, to)| text[from..to].to_owned())
                };
                groups.iter().map(of).collect::<Vec<_>>().join("|")
            });
            assert_eq!(found, expected, "{pattern} in {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["(", "a)", "[b-a]", "*", "(?<=a)b", "\\1", "a{1,99999}"] {
            assert_eq!(Pattern::new(text, false), None, "{text}");
        }
    }

    #[test]
    fn case_is_ignored_where_it_is_asked() {
        assert!(Pattern::new("(?i)/API", false).unwrap().is_match("/api"));
        assert!(!Pattern::new("/API", false).unwrap().is_match("/api"));
        assert!(Pattern::new("[a-z]+", true).unwrap().is_whole("ABC"));
    }

    #[test]
    fn groups_fill_a_replacement() {
        let groups = Pattern::new("/api(/|$)(.*)", true).unwrap().find("/api/v1").unwrap();
        assert_eq!(expand("/$2", "/api/v1", &groups), "/v1");
        assert_eq!(expand("/x/${2}$9$", "/api/v1", &groups), "/x/v1$");
    }
}
