//! How often something costly is done again, so that a crowded cluster slows down what is shown and
//! not the page.

/// The share of time that may be spent: one part of so many.
const SHARE: f64 = 6.0;
/// What takes less than this, in milliseconds, may be done every frame.
const CHEAP: f64 = 4.0;

/// The pace of something that is done again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    next: f64,
}

impl Pace {
    /// Whether it may be done at `now`, in milliseconds of any clock.
    pub fn is_due(&self, now: f64) -> bool {
        now >= self.next
    }

    /// Takes note that it was done.
    pub fn done(&mut self, began: f64, ended: f64) {
        let cost = ended - began;
        self.next = if cost < CHEAP { 0.0 } else { ended + cost * (SHARE - 1.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn what_is_costly_takes_a_sixth_of_the_time_and_what_is_cheap_may_always_be_done() {
        let mut pace = Pace::default();
        assert!(pace.is_due(0.0));
        pace.done(100.0, 160.0);
        assert!(!pace.is_due(400.0) && pace.is_due(460.0));
        pace.done(460.0, 462.0);
        assert!(pace.is_due(463.0));
    }
}
