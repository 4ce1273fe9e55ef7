//! [`Random`]: the only source of randomness in a history, with the same numbers for the same seed.

use std::ops::Range;

/// Returns a pseudo-random number that is a function of the arguments.
///
/// For random choices that must not change when other code draws more or fewer numbers, such as the latency of one
/// message.
pub(crate) fn mix(seed: u64, one: u64, other: u64) -> u64 {
    scramble(scramble(scramble(seed).wrapping_add(one)).wrapping_add(other))
}

/// Returns the last step of `SplitMix64`.
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A generator with a seed, for workloads and user code.
#[derive(Debug, Clone)]
pub struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    /// Creates a generator. The same `seed` yields the same sequence.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Draws a number.
    pub fn number(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn, 0)
    }

    /// Draws a number in `range`; its start if the range is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        match range.end.saturating_sub(range.start) {
            0 => range.start,
            width => range.start + self.number() % width,
        }
    }

    /// Draws `true` with this probability, from 0 (never) to 1 (always).
    pub fn chance(&mut self, probability: f64) -> bool {
        // The upper 53 bits, the precision of a float, as a number from 0 to less than 1.
        ((self.number() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// Draws one of `choices`; `None` if there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let index = self.within(0..choices.len() as u64);
        choices.get(usize::try_from(index).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_numbers_again_and_ranges_hold() {
        let draw = |seed| {
            let mut random = Random::seeded(seed);
            (0..1000).map(|_| random.within(10..20)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(draw(7).iter().all(|number| (10..20).contains(number)));
        let mut random = Random::seeded(1);
        assert_eq!(random.within(5..5), 5);
        assert_eq!(random.pick::<u8>(&[]), None);
        let hits = (0..10_000).filter(|_| random.chance(0.3)).count();
        assert!((2800..3200).contains(&hits), "{hits}");
    }
}
