//! Chance as packets meet it: drawn, or gone through branch by branch, so that shares are known
//! exactly and not guessed from a sample.

use crate::base::Rng;
use core::fmt;

/// A share of all requests: a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    over: u128,
    under: u128,
}

impl Share {
    /// Nothing.
    pub const NONE: Share = Share { over: 0, under: 1 };
    /// All.
    pub const ALL: Share = Share { over: 1, under: 1 };

    /// `over` of `under`.
    pub const fn new(over: u128, under: u128) -> Self {
        let mut share = Share { over, under: if under == 0 { 1 } else { under } };
        let divisor = common_divisor(share.over, share.under);
        (share.over, share.under) = (share.over / divisor, share.under / divisor);
        // Fractions that grow beyond measure lose their last digits.
        while share.under >> 63 > 0 {
            (share.over, share.under) = (share.over >> 1, share.under >> 1);
        }
        share
    }

    /// The share of a share.
    #[must_use]
    pub const fn of(self, other: Share) -> Self {
        Share::new(self.over * other.over, self.under * other.under)
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Share) -> Self {
        let over = self.over * other.under + other.over * self.under;
        Share::new(over, self.under * other.under)
    }

    /// What is missing from all.
    #[must_use]
    pub const fn rest(self) -> Share {
        Share::new(self.under.saturating_sub(self.over), self.under)
    }

    /// In millionths, rounded.
    pub fn millionths(self) -> u32 {
        let scaled = (self.over * 1_000_000 + self.under / 2) / self.under.max(1);
        u32::try_from(scaled).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.under {
            1 => write!(formatter, "{}", self.over),
            under => write!(formatter, "{}/{under}", self.over),
        }
    }
}

const fn common_divisor(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

/// One choice on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    taken: u32,
    branches: u32,
}

/// A way through all choices that chance could make; after one the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    choices: Vec<Choice>,
    at: usize,
    shares: Vec<Share>,
}

impl Path {
    /// How many of all requests go this way, once it has been gone.
    pub fn share(&self) -> Share {
        self.shares.iter().fold(Share::ALL, |all, own| all.of(*own))
    }

    /// Turns to the next way; says whether there is one.
    pub fn turn(&mut self) -> bool {
        (self.at, self.shares) = (0, Vec::new());
        while let Some(last) = self.choices.last_mut() {
            last.taken += 1;
            if last.taken < last.branches {
                return true;
            }
            self.choices.pop();
        }
        false
    }

    fn take(&mut self, branches: u32, share: impl Fn(u32) -> Share) -> u32 {
        if self.at >= self.choices.len() {
            self.choices.push(Choice { taken: 0, branches });
        }
        let taken = self.choices.get(self.at).map_or(0, |choice| choice.taken);
        self.at += 1;
        self.shares.push(share(taken));
        taken
    }
}

/// Where chance comes from.
#[derive(Debug)]
pub enum Dice<'a> {
    /// It is drawn.
    Drawn(&'a mut Rng),
    /// A path is followed.
    Followed(&'a mut Path),
}

impl Dice<'_> {
    /// A number from 0 to `bound - 1`, each as likely as the others; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        match self {
            Dice::Drawn(rng) => rng.below(bound),
            Dice::Followed(_) if bound < 2 => 0,
            Dice::Followed(path) => path.take(bound, |_| Share::new(1, u128::from(bound))),
        }
    }

    /// A lot among `among` of which the first `wins` win.
    pub fn lot(&mut self, wins: u32, among: u32) -> u32 {
        match self {
            Dice::Drawn(rng) => rng.below(among),
            Dice::Followed(_) if wins >= among => 0,
            Dice::Followed(_) if wins == 0 => among.saturating_sub(1),
            Dice::Followed(path) => {
                let (won, all) = (u128::from(wins), u128::from(among));
                let share = |taken| match taken {
                    0 => Share::new(won, all),
                    _ => Share::new(all - won, all),
                };
                if path.take(2, share) == 0 { 0 } else { wins }
            }
        }
    }

    /// Whose turn it is among so many, as `next` says; a path goes to each in turn.
    pub fn turn(&mut self, among: u32, next: impl FnOnce() -> u32) -> u32 {
        match self {
            Dice::Drawn(_) => next(),
            Dice::Followed(_) => self.below(among),
        }
    }

    /// A number from 0 to `bound - 1` that decides nothing, like the port of a client.
    pub fn any(&mut self, bound: u32) -> u32 {
        match self {
            Dice::Drawn(rng) => rng.below(bound),
            Dice::Followed(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_branch_is_gone_once_and_shares_add_up() {
        // Three rules as kube-proxy writes them: one in three, one in two, the rest.
        let mut path = Path::default();
        let mut found = Vec::new();
        loop {
            let mut dice = Dice::Followed(&mut path);
            let place = match () {
                () if dice.lot(1, 3) == 0 => 0,
                () if dice.lot(1, 2) == 0 => 1,
                () => 2 + dice.below(2),
            };
            found.push((place, path.share()));
            if !path.turn() {
                break;
            }
        }
        let (third, sixth) = (Share::new(1, 3), Share::new(1, 6));
        assert_eq!(found, [(0, third), (1, third), (2, sixth), (3, sixth)]);
        let all = found.iter().fold(Share::NONE, |all, (_, share)| all.and(*share));
        assert_eq!((all, sixth.millionths()), (Share::ALL, 166_667));
    }
}
