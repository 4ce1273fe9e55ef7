//! [`Random`]: UIDs and name suffixes, the same ones for the same seed. Secrets never come from here: see
//! [`Secret`](crate::auth::Secret).

use std::time::Duration;

use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// The letters of generated names: upstream leaves out vowels and look-alikes.
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// The use of random numbers. Each use has a stream of its own, so that one never reveals the numbers of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Objects that clients create.
    Objects,
    /// Objects that a new server holds.
    Bootstrap,
}

/// A source of numbers that repeat with the seed.
#[derive(Debug)]
pub(crate) struct Random(Mutex<StdRng>);

impl Random {
    /// Draws the same sequence for the same `seed` and `stream`.
    pub(crate) fn seeded(seed: u64, stream: Stream) -> Self {
        // The two are kept apart in the generator's key: combined into one number, a stream of one seed would be
        // another stream of another seed.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = stream as u8;
        Self(Mutex::new(StdRng::from_seed(key)))
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

    /// Once the token of an administrator was the UID of a namespace: both came from one seed.
    #[test]
    fn streams_of_the_generator_share_no_numbers_whatever_their_seeds() {
        let seeds = [0, 1, 7, u64::MAX, 0x0062_6f6f_7473, 0x0062_6f6f_7473 ^ 7];
        let mut uids = std::collections::BTreeSet::new();
        for seed in seeds {
            for stream in [Stream::Objects, Stream::Bootstrap] {
                let random = Random::seeded(seed, stream);
                let new = (0..100).filter(|_| uids.insert(random.uid())).count();
                assert_eq!(new, 100, "{stream:?} of seed {seed} repeats a UID of another stream");
            }
        }
    }

    #[test]
    fn uids_are_version_4_uuids_and_repeat_with_the_seed() {
        let (one, other) = (Random::seeded(7, Stream::Objects), Random::seeded(7, Stream::Objects));
        let uid = one.uid();
        assert_eq!(uid, other.uid());
        assert_ne!(uid, one.uid());
        let groups: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
    }
}
