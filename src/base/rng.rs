//! The one source of chance.

use rand_core::{Rng as _, SeedableRng as _};
use rand_pcg::Pcg32;

/// A seeded generator (PCG32): the same seed gives the same draws natively and in wasm, in every
/// version of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(Pcg32);

impl Rng {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Self {
        Rng(Pcg32::seed_from_u64(seed))
    }

    /// The next 32 random bits.
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number from 0 to `bound - 1`, each as likely as the others; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        // Lemire's multiply-and-reject: no division in the common case, and no bias.
        let threshold = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
        loop {
            let product = u64::from(self.bits()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// A generator of its own for one purpose, so that drawing more there changes nothing here.
    pub fn fork(&mut self) -> Rng {
        let high = u64::from(self.bits());
        Rng::new(high << 32 | u64::from(self.bits()))
    }

    /// The 16 bytes of a random (version 4) UUID.
    pub fn uuid(&mut self) -> u128 {
        let bits = (0..4).fold(0u128, |all, _| all << 32 | u128::from(self.bits()));
        let versioned = bits & !(0xf << 76) | 0x4 << 76;
        versioned & !(0x3 << 62) | 0x2 << 62
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draws_of_a_seed_never_change() {
        let mut rng = Rng::new(1);
        let draws: Vec<u32> = (0..6).map(|_| rng.below(100)).collect();
        expect_test::expect!["[20, 49, 79, 6, 97, 16]"].assert_eq(&format!("{draws:?}"));
    }

    #[test]
    fn a_bound_of_zero_gives_zero() {
        assert_eq!(Rng::new(1).below(0), 0);
    }

    #[test]
    fn every_value_below_the_bound_is_about_as_frequent() {
        let mut rng = Rng::new(7);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[rng.below(3) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (9_700..10_300).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let uuid = format!("{:032x}", Rng::new(3).uuid());
        assert_eq!(&uuid[12..13], "4");
        assert!("89ab".contains(&uuid[16..17]));
    }
}
