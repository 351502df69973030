//! Looking for a pattern: all ways through its steps, the preferred ones first, and no step twice
//! at one place, since what failed there once fails again.

use super::program::Step;
use super::read::Check;
use super::{Pattern, Places};

/// A search takes no more steps than this, and some for each letter of its text.
const MOST_STEPS: usize = 1 << 20;
const STEPS_FOR_A_LETTER: usize = 16;
/// More is not remembered of where it was, in bits.
const MOST_SEEN: usize = 1 << 27;

/// The places that were noted on the way.
type Saves = Vec<Option<usize>>;

impl Pattern {
    /// The first match at or behind a place.
    pub fn find(&self, text: &[char], from: usize) -> Option<Places> {
        let most = MOST_STEPS.saturating_add(text.len().saturating_mul(STEPS_FOR_A_LETTER));
        let mut search = Search { pattern: self, text, left: most };
        let mut saves = vec![None; self.slots];
        let mut seen = Seen { from, width: self.steps.len(), bits: Vec::new() };
        for at in from..=text.len() {
            let found = search.run(0, at, &mut seen, &mut saves);
            if let Some((end, saves)) = found {
                let mut places = vec![Some((at, end))];
                let groups = saves.chunks(2).skip(1).take(self.groups);
                places.extend(groups.map(|pair| match pair {
                    [Some(from), Some(to)] => Some((*from, *to)),
                    _ => None,
                }));
                return Some(places);
            }
            if search.left == 0 {
                return None;
            }
        }
        None
    }
}

/// At which places which steps were taken.
struct Seen {
    from: usize,
    width: usize,
    bits: Vec<u64>,
}

impl Seen {
    /// Notes a step at a place; `None` if that is too much, `false` if it was noted before.
    fn add(&mut self, step: usize, at: usize) -> Option<bool> {
        let place = (at - self.from).checked_mul(self.width)?.checked_add(step)?;
        if place > MOST_SEEN {
            return None;
        }
        let (word, bit) = (place / 64, 1u64 << (place % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let word = self.bits.get_mut(word)?;
        let is_new = *word & bit == 0;
        *word |= bit;
        Some(is_new)
    }
}

/// What is still to be tried.
enum Way {
    On(usize, usize),
    /// A place that was noted is forgotten again.
    Forget(usize, Option<usize>),
}

struct Search<'a> {
    pattern: &'a Pattern,
    text: &'a [char],
    /// How many steps may still be taken.
    left: usize,
}

impl Search<'_> {
    /// Matches at one place: where it ends, and what was noted.
    fn run(
        &mut self,
        first: usize,
        at: usize,
        seen: &mut Seen,
        saves: &mut Saves,
    ) -> Option<(usize, Saves)> {
        let mut ways = vec![Way::On(first, at)];
        let mut best: Option<(usize, Saves)> = None;
        while let Some(way) = ways.pop() {
            let (mut step, mut at) = match way {
                Way::On(step, at) => (step, at),
                Way::Forget(slot, old) => {
                    put(saves, slot, old);
                    continue;
                }
            };
            loop {
                let is_new = self.enters(step, at, seen);
                if self.left == 0 {
                    return best;
                }
                if !is_new {
                    break;
                }
                match self.pattern.steps.get(step)? {
                    Step::Fork(one, other) => {
                        ways.push(Way::On(*other, at));
                        step = *one;
                        continue;
                    }
                    Step::Jump(to) => {
                        step = *to;
                        continue;
                    }
                    Step::Save(slot) => {
                        ways.push(Way::Forget(*slot, saves.get(*slot).copied().flatten()));
                        put(saves, *slot, Some(at));
                    }
                    Step::Look { wanted, after } => {
                        let mut own = Seen { from: at, width: seen.width, bits: Vec::new() };
                        let found = self.run(step + 1, at, &mut own, &mut saves.clone());
                        if found.is_some() != *wanted {
                            break;
                        }
                        step = *after;
                        continue;
                    }
                    Step::Found => {
                        if best.as_ref().is_none_or(|(end, _)| *end < at) {
                            best = Some((at, saves.clone()));
                        }
                        if !self.pattern.is_posix || at == self.text.len() {
                            return best;
                        }
                        break;
                    }
                    single => match self.passes(single, at, saves) {
                        Some(end) => at = end,
                        None => break,
                    },
                }
                step += 1;
            }
        }
        best
    }

    /// Counts a step; whether it has not been taken at this place before.
    fn enters(&mut self, step: usize, at: usize, seen: &mut Seen) -> bool {
        self.left = self.left.saturating_sub(1);
        let is_new = if self.pattern.looks_back { Some(true) } else { seen.add(step, at) };
        if is_new.is_none() {
            self.left = 0;
        }
        is_new == Some(true)
    }

    /// Where a step that goes on at the next one ends, if it fits here.
    fn passes(&self, step: &Step, at: usize, saves: &Saves) -> Option<usize> {
        match step {
            Step::Letter(class) => {
                self.text.get(at).filter(|letter| class.has(**letter)).map(|_| at + 1)
            }
            Step::Check(check) => self.holds(*check, at).then_some(at),
            Step::Moved(slot) => (saves.get(*slot) != Some(&Some(at))).then_some(at),
            Step::Back(group, folds) => self.again(*group, *folds, at, saves),
            _ => None,
        }
    }

    fn holds(&self, check: Check, at: usize) -> bool {
        let is_word = |at: Option<usize>| {
            at.and_then(|at| self.text.get(at)).is_some_and(|letter| {
                *letter == '_'
                    || letter.is_ascii_alphanumeric()
                    || self.pattern.is_posix && letter.is_alphanumeric()
            })
        };
        let (left, right) = (is_word(at.checked_sub(1)), is_word(Some(at)));
        match check {
            Check::Start => at == 0,
            Check::End => at == self.text.len(),
            Check::Edge('<') => !left && right,
            Check::Edge('>') => left && !right,
            Check::Edge('B') => left == right,
            Check::Edge(_) => left != right,
        }
    }

    /// Where what a group matched ends, if it stands here once more.
    fn again(&self, group: usize, folds: bool, at: usize, saves: &Saves) -> Option<usize> {
        let place = |slot: usize| saves.get(slot).copied().flatten();
        let wanted = self.text.get(place(group * 2)?..place(group * 2 + 1)?)?;
        let end = at + wanted.len();
        let same =
            |(a, b): (&char, &char)| a == b || folds && a.to_lowercase().eq(b.to_lowercase());
        self.text.get(at..end)?.iter().zip(wanted).all(same).then_some(end)
    }
}

fn put(saves: &mut Saves, slot: usize, place: Option<usize>) {
    if let Some(own) = saves.get_mut(slot) {
        *own = place;
    }
}
