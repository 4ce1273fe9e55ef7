//! [`Random`]: UIDs and name suffixes, the same ones for the same seed.

use std::time::Duration;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// The letters of generated names: upstream leaves out vowels and look-alikes.
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The server's only source of randomness.
#[derive(Debug)]
pub(crate) struct Random(Mutex<StdRng>);

impl Random {
    /// Draws the same sequence for the same `seed`.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A version 4 UUID.
    pub(crate) fn uid(&self) -> String {
        let bits = (self.0.lock().random::<u128>() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }

    /// The five characters that `generateName` is completed with.
    pub(crate) fn suffix(&self) -> String {
        let mut random = self.0.lock();
        (0..5).map(|_| char::from(*SUFFIX_LETTERS.choose(&mut random).expect("there are letters"))).collect()
    }

    /// A duration between `shortest` and twice that.
    pub(crate) fn spread(&self, shortest: Duration) -> Duration {
        shortest.mul_f64(1.0 + self.0.lock().random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_are_version_4_uuids_and_repeat_with_the_seed() {
        let (one, other) = (Random::seeded(7), Random::seeded(7));
        let uid = one.uid();
        assert_eq!(uid, other.uid());
        assert_ne!(uid, one.uid());
        let groups: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
    }
}
