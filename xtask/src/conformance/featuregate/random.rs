//! [`Random`]: pseudorandom numbers; the same seed draws the same numbers.

/// The `SplitMix64` generator.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64, number: u32) -> Self {
        let mut random = Self(seed ^ (u64::from(number) << 32));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number below `end`, which is more than 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let number = self.next() % end as u64;
        number as usize
    }

    /// Draws a number from `start` to `end`, both included.
    pub(super) fn between(&mut self, start: u16, end: u16) -> u16 {
        let offset = self.below(usize::from(end - start) + 1);
        start + u16::try_from(offset).expect("at most `end`")
    }

    pub(super) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}
