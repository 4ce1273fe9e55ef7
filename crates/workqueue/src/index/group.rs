//! [`Group`]: seven entries of the [`Index`](super::Index) on one cache line.

use crate::slot_id::{NONE, SlotId};

/// An occupied entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) hash: u32,
    pub(super) id: SlotId,
}

/// Seven entries, on a cache line of their own. The occupied entries come before the vacant ones.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Group {
    tags: Tags,
    hashes: [u32; Group::ENTRIES],
    ids: [SlotId; Group::ENTRIES],
}

/// A byte for each entry: part of its hash, or zero if it is vacant. The last byte is the number of occupied entries.
///
/// A lookup compares all tags at once. A branch for each entry could not be predicted by the processor.
#[derive(Debug, Clone, Copy)]
struct Tags(u64);

impl Tags {
    const NONE: Self = Self(0);
    const LOWEST_BITS: u64 = 0x0001_0101_0101_0101;
    const HIGHEST_BITS: u64 = Self::LOWEST_BITS << 7;

    /// The tag of a hash. Its highest bit tells it from the zero of a vacant entry, which therefore never matches.
    #[inline]
    fn tag(hash: u32) -> u64 {
        u64::from(hash & 0xFF | 0x80)
    }

    #[inline]
    fn len(self) -> usize {
        (self.0 >> 56) as usize
    }

    /// Returns the positions of the tag of this hash; seldom some others that are occupied, too.
    #[inline]
    fn matches(self, hash: u32) -> Matches {
        let difference = self.0 ^ (Self::tag(hash) * Self::LOWEST_BITS);
        Matches(difference.wrapping_sub(Self::LOWEST_BITS) & !difference & Self::HIGHEST_BITS)
    }

    /// Adds the tag of a hash behind the last one.
    #[inline]
    fn push(&mut self, hash: u32) {
        self.0 = (self.0 | Self::tag(hash) << (8 * self.len())) + (1 << 56);
    }

    /// Removes the last tag.
    #[inline]
    fn pop(&mut self) {
        let last = self.len() - 1;
        self.0 = (self.0 & !(0xFF << (8 * last))) - (1 << 56);
    }

    #[inline]
    fn set(&mut self, at: usize, hash: u32) {
        self.0 = self.0 & !(0xFF << (8 * at)) | Self::tag(hash) << (8 * at);
    }
}

/// Positions in a group; each is the highest bit of a byte.
#[derive(Debug, Clone, Copy)]
struct Matches(u64);

impl Iterator for Matches {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let at = self.0.trailing_zeros() as usize / 8;
        self.0 &= self.0 - 1;
        Some(at)
    }
}

impl Group {
    /// Entries of a group: with their tags they fill a cache line.
    pub(super) const ENTRIES: usize = 7;

    pub(super) const VACANT: Self =
        Self { tags: Tags::NONE, hashes: [0; Self::ENTRIES], ids: [NONE; Self::ENTRIES] };

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.tags.len()
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() == Self::ENTRIES
    }

    /// Returns the occupied entries with this hash.
    #[inline]
    pub(super) fn find(&self, hash: u32, is: impl Fn(SlotId) -> bool) -> Option<SlotId> {
        let mut matches = self.tags.matches(hash);
        matches.find(|&at| self.hashes[at] == hash && is(self.ids[at])).map(|at| self.ids[at])
    }

    /// Returns the position of an entry.
    #[inline]
    pub(super) fn position(&self, entry: Entry) -> Option<usize> {
        let mut matches = self.tags.matches(entry.hash);
        matches.find(|&at| self.ids[at] == entry.id)
    }

    /// Returns the occupied entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.hashes.iter().zip(&self.ids).take(self.len()).map(|(&hash, &id)| Entry { hash, id })
    }

    #[inline]
    pub(super) fn set(&mut self, at: usize, Entry { hash, id }: Entry) {
        self.tags.set(at, hash);
        (self.hashes[at], self.ids[at]) = (hash, id);
    }

    /// Adds an entry to a group that is not full.
    #[inline]
    pub(super) fn push(&mut self, Entry { hash, id }: Entry) {
        let at = self.len();
        self.tags.push(hash);
        (self.hashes[at], self.ids[at]) = (hash, id);
    }

    /// Removes the entry at `at`. The last one takes its place.
    #[inline]
    pub(super) fn swap_remove(&mut self, at: usize) {
        let last = self.len() - 1;
        self.set(at, Entry { hash: self.hashes[last], id: self.ids[last] });
        self.tags.pop();
        self.ids[last] = NONE; // so that `position` does not find it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_fills_a_cache_line() {
        assert_eq!((size_of::<Group>(), align_of::<Group>()), (64, 64));
    }

    /// The hash of the removed entry is still there: it was the last one.
    #[test]
    fn a_vacant_entry_never_matches() {
        for (hash, other) in (0..=0xFF).flat_map(|hash| (0..=0xFF).map(move |other| (hash, other))) {
            let mut group = Group::VACANT;
            group.push(Entry { hash, id: 1 });
            group.push(Entry { hash: other, id: 2 });
            group.swap_remove(1);
            for sought in [hash, other] {
                let seen = group.tags.matches(sought).filter(|&at| at > 0).count();
                assert_eq!(seen, 0, "{hash:#x} {other:#x} {sought:#x}");
            }
        }
    }

    #[test]
    fn entries_with_equal_tags_are_told_apart() {
        let mut group = Group::VACANT;
        let entries = [0, 1, 0x100, 0x101, 0x0203, 0xFF, 0].map(|hash| Entry { hash, id: hash });
        for (at, &entry) in entries.iter().enumerate() {
            assert!(!group.is_full());
            group.push(entry);
            assert_eq!((group.len(), group.position(entry)), (at + 1, Some(at % 6)));
        }
        assert!(group.is_full());
        assert_eq!(group.find(0x101, |_| true), Some(0x101));
        assert_eq!(group.find(0x201, |_| true), None);
        for left in (0..entries.len()).rev() {
            let gone = group.entries().next().expect("entries are left");
            group.swap_remove(0);
            assert_eq!((group.len(), group.entries().count()), (left, left));
            assert_eq!(group.position(gone).is_some(), gone.hash == 0 && left == 6);
        }
    }
}
