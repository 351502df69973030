//! Regular expressions, as Go's package regexp reads them.
//!
//! A pattern is read to a tree, the tree becomes steps, and all ways through the steps are walked
//! at once, so that no pattern takes longer than its length times the text's.
//!
//! Models Go's regexp/syntax for what schemas use.
//!
//! Simplified: named classes of Unicode (`\pL`, `[[:alpha:]]`) are not known; such a pattern
//! matches everything.

/// Longer programs are refused, as by Go.
const MOST_STEPS: usize = 20_000;
/// Groups nest no deeper.
const DEEPEST: u32 = 100;

/// A pattern that can be searched for.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Letter(Class),
    Check(Check),
    Either(usize, usize),
    Jump(usize),
    Found,
}

#[derive(Clone, Copy, Debug)]
enum Check {
    Start,
    End,
    Boundary(bool),
}

#[derive(Clone, Debug, Default)]
struct Class {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Class {
    fn has(&self, letter: char) -> bool {
        let inside = self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&letter));
        inside != self.negated
    }
}

#[derive(Clone, Debug)]
enum Node {
    Letter(Class),
    Check(Check),
    Row(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
}

impl Pattern {
    /// Reads a pattern; `None` where it is none, or one that this does not know.
    pub(super) fn read(text: &str) -> Option<Pattern> {
        let mut reader = Reader { letters: text.chars().collect(), at: 0 };
        let node = reader.either(0)?;
        if reader.at < reader.letters.len() {
            return None;
        }
        let mut pattern = Pattern { steps: Vec::new() };
        pattern.add(&node)?;
        pattern.steps.push(Step::Found);
        Some(pattern)
    }

    fn add(&mut self, node: &Node) -> Option<()> {
        if self.steps.len() > MOST_STEPS {
            return None;
        }
        match node {
            Node::Letter(class) => self.steps.push(Step::Letter(class.clone())),
            Node::Check(check) => self.steps.push(Step::Check(*check)),
            Node::Row(nodes) => nodes.iter().try_for_each(|node| self.add(node))?,
            Node::Either(nodes) => {
                let mut ends = Vec::new();
                for (index, node) in nodes.iter().enumerate() {
                    if index + 1 == nodes.len() {
                        self.add(node)?;
                        continue;
                    }
                    let fork = self.hole();
                    self.add(node)?;
                    ends.push(self.hole());
                    self.fill(fork, Step::Either(fork + 1, self.steps.len()));
                }
                for end in ends {
                    self.fill(end, Step::Jump(self.steps.len()));
                }
            }
            Node::Repeat(node, least, most) => {
                for _ in 0..*least {
                    self.add(node)?;
                }
                match most {
                    None => {
                        let fork = self.hole();
                        self.add(node)?;
                        self.steps.push(Step::Jump(fork));
                        self.fill(fork, Step::Either(fork + 1, self.steps.len()));
                    }
                    Some(most) => {
                        let forks: Vec<usize> = (*least..*most)
                            .map(|_| {
                                let fork = self.hole();
                                self.add(node).map(|()| fork)
                            })
                            .collect::<Option<_>>()?;
                        for fork in forks {
                            self.fill(fork, Step::Either(fork + 1, self.steps.len()));
                        }
                    }
                }
            }
        }
        Some(())
    }

    /// A place for a step that is known later.
    fn hole(&mut self) -> usize {
        self.steps.push(Step::Found);
        self.steps.len() - 1
    }

    fn fill(&mut self, place: usize, step: Step) {
        if let Some(hole) = self.steps.get_mut(place) {
            *hole = step;
        }
    }

    /// Whether the pattern is somewhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        let mut here = Vec::new();
        for at in 0..=letters.len() {
            here.push(0);
            let mut next = Vec::new();
            let mut seen = vec![false; self.steps.len()];
            while let Some(place) = here.pop() {
                match seen.get_mut(place) {
                    Some(seen) if !*seen => *seen = true,
                    _ => continue,
                }
                match self.steps.get(place) {
                    Some(Step::Found) => return true,
                    Some(Step::Jump(to)) => here.push(*to),
                    Some(Step::Either(one, other)) => here.extend([*one, *other]),
                    Some(Step::Check(check)) if holds(*check, &letters, at) => here.push(place + 1),
                    Some(Step::Letter(class))
                        if letters.get(at).is_some_and(|letter| class.has(*letter)) =>
                    {
                        next.push(place + 1);
                    }
                    _ => {}
                }
            }
            here = next;
        }
        false
    }
}

fn holds(check: Check, letters: &[char], at: usize) -> bool {
    let is_word = |at: Option<usize>| {
        let letter = at.and_then(|at| letters.get(at));
        letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
    };
    match check {
        Check::Start => at == 0,
        Check::End => at == letters.len(),
        Check::Boundary(wanted) => (is_word(at.checked_sub(1)) != is_word(Some(at))) == wanted,
    }
}

struct Reader {
    letters: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }

    fn skip(&mut self, text: &str) -> bool {
        let is_here = text
            .chars()
            .enumerate()
            .all(|(index, letter)| self.letters.get(self.at + index) == Some(&letter));
        if is_here {
            self.at += text.chars().count();
        }
        is_here
    }

    fn either(&mut self, depth: u32) -> Option<Node> {
        let mut nodes = vec![self.row(depth)?];
        while self.skip("|") {
            nodes.push(self.row(depth)?);
        }
        if nodes.len() == 1 { nodes.pop() } else { Some(Node::Either(nodes)) }
    }

    fn row(&mut self, depth: u32) -> Option<Node> {
        let mut nodes = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let node = self.one(depth)?;
            nodes.push(self.repeated(node)?);
        }
        Some(Node::Row(nodes))
    }

    fn one(&mut self, depth: u32) -> Option<Node> {
        Some(match self.next()? {
            '(' => {
                if depth >= DEEPEST || (self.skip("?") && !self.skip(":")) {
                    return None;
                }
                let node = self.either(depth + 1)?;
                self.skip(")").then_some(node)?
            }
            '[' => Node::Letter(self.class()?),
            '.' => Node::Letter(Class { ranges: vec![('\n', '\n')], negated: true }),
            '^' => Node::Check(Check::Start),
            '$' => Node::Check(Check::End),
            '\\' => match self.next()? {
                'A' => Node::Check(Check::Start),
                'z' => Node::Check(Check::End),
                'b' => Node::Check(Check::Boundary(true)),
                'B' => Node::Check(Check::Boundary(false)),
                letter => Node::Letter(escaped(letter)?),
            },
            '*' | '+' | '?' => return None,
            letter => Node::Letter(Class { ranges: vec![(letter, letter)], negated: false }),
        })
    }

    fn repeated(&mut self, node: Node) -> Option<Node> {
        let (least, most) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.bounds() {
                Some(bounds) => bounds,
                // What is no repetition is the letter itself.
                None => return Some(node),
            },
            _ => return Some(node),
        };
        self.at += 1;
        // To look for few or for many first makes no difference to whether there is a match.
        self.skip("?");
        let again = matches!(self.peek(), Some('*' | '+' | '?'));
        (!again).then(|| Node::Repeat(Box::new(node), least, most))
    }

    /// `{2}`, `{2,}` or `{2,5}`; ends at the closing bracket.
    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let rest: String = self.letters.get(self.at + 1..)?.iter().collect();
        let (inside, _) = rest.split_once('}')?;
        let (least, most) = match inside.split_once(',') {
            None => {
                let count = inside.parse().ok()?;
                (count, Some(count))
            }
            Some((least, "")) => (least.parse().ok()?, None),
            Some((least, most)) => (least.parse().ok()?, Some(most.parse().ok()?)),
        };
        self.at += inside.chars().count() + 1;
        Some((least, most))
    }

    fn class(&mut self) -> Option<Class> {
        let negated = self.skip("^");
        let mut ranges = Vec::new();
        let mut is_first = true;
        loop {
            let letter = self.next()?;
            let from = match letter {
                ']' if !is_first => return Some(Class { ranges, negated }),
                '[' if self.peek() == Some(':') => return None,
                '\\' => {
                    let class = escaped(self.next()?)?;
                    match class.ranges.as_slice() {
                        [(one, same)] if one == same && !class.negated => *one,
                        _ if class.negated => return None,
                        _ => {
                            ranges.extend(class.ranges);
                            is_first = false;
                            continue;
                        }
                    }
                }
                letter => letter,
            };
            is_first = false;
            let is_range = self.peek() == Some('-')
                && self.letters.get(self.at + 1).is_some_and(|l| *l != ']');
            let to = if is_range {
                self.at += 1;
                match self.next()? {
                    '\\' => self.next()?,
                    to => to,
                }
            } else {
                from
            };
            if to < from {
                return None;
            }
            ranges.push((from, to));
        }
    }
}

/// What stands after a backslash.
fn escaped(letter: char) -> Option<Class> {
    let ranges = match letter.to_ascii_lowercase() {
        'd' => vec![('0', '9')],
        'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        's' => vec![('\t', '\n'), ('\u{c}', '\r'), (' ', ' ')],
        _ => {
            let letter = match letter {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'f' => '\u{c}',
                'v' => '\u{b}',
                other if other.is_ascii_alphanumeric() => return None,
                other => other,
            };
            return Some(Class { ranges: vec![(letter, letter)], negated: false });
        }
    };
    Some(Class { ranges, negated: letter.is_ascii_uppercase() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_found_as_go_finds_them() {
        let cron = r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$";
        let cases = [
            (cron, "* * * * */5", true),
            (cron, "* * * *", false),
            ("^#[0-9a-f]{6}$", "#00ff00", true),
            ("^#[0-9a-f]{6}$", "red", false),
            ("a|bc", "xbcx", true),
            ("^a|bc$", "xb", false),
            ("^(a|b)*c+?$", "ababcc", true),
            ("^[^a-c-]+$", "de-f", false),
            ("^[]a]+$", "a]a", true),
            (r"^\w+\.\w+$", "a.b", true),
            (r"\bcat\b", "concat", false),
            ("^a{2,3}$", "aaaa", false),
            ("^a{,3}$", "a{,3}", true),
            ("", "anything", true),
            ("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
        ];
        for (pattern, text, found) in cases {
            assert_eq!(Pattern::read(pattern).unwrap().is_in(text), found, "{pattern} {text}");
        }
        for pattern in ["(", "[a", "*", "a**", "[b-a]", "\\p{L}", "a)"] {
            assert!(Pattern::read(pattern).is_none(), "{pattern}");
        }
    }
}
