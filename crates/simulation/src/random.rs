//! [`Random`]: the one source of chance in a history, the same numbers for the same seed.

use std::ops::Range;

/// A number that looks like any other, the same for the same arguments.
///
/// Chance that must not change when something else draws more or less than before (the latency of one message, say)
/// is a function of what it decides, with no state.
pub(crate) fn mix(seed: u64, one: u64, other: u64) -> u64 {
    scramble(scramble(scramble(seed).wrapping_add(one)).wrapping_add(other))
}

/// The last step of `SplitMix64`.
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A stream of numbers from a seed, for workloads and for user code that must draw.
#[derive(Debug, Clone)]
pub struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    /// Draws the same sequence for the same `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn, 0)
    }

    /// A number of `range`; its start if the range is empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        match range.end.saturating_sub(range.start) {
            0 => range.start,
            width => range.start + self.number() % width,
        }
    }

    /// True with this probability: 0 is never, 1 is always.
    pub fn chance(&mut self, probability: f64) -> bool {
        // The upper 53 bits: as many as a float holds, from 0 to less than 1.
        ((self.number() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// One of `choices`; `None` if there are none.
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
