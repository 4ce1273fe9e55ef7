//! [`Shard`]: a share of the objects of a kind, chosen by a hash that API servers compute, too.

use std::{fmt, num::NonZeroU32};

use trimtab_cache::{Metadata, ObjectKey};

/// A share of the objects, given by ranges of a hash of their UID or of their namespace.
///
/// A server with sharded lists and watches (KEP-5866, alpha in Kubernetes 1.36) sends only the share. Other
/// servers send all objects, and the informer drops those outside the share. The hash is FNV-1a with 64 bits.
/// It distributes UIDs evenly, but **not namespaces** that differ only in their last letters: measure the
/// distribution before you choose ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    field: Field,
    /// The first hash of each range, and the hash after its last one: 2^64 at most.
    ranges: Vec<(u64, u128)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Uid,
    Namespace,
}

/// All hashes are below this.
const END: u128 = 1 << 64;

impl Shard {
    /// Selects the objects whose UID has a hash from `first` to `last`, both included.
    ///
    /// # Panics
    ///
    /// If `first` is greater than `last`.
    pub fn by_uid(first: u64, last: u64) -> Self {
        Self { field: Field::Uid, ranges: Vec::new() }.and(first, last)
    }

    /// Selects the objects whose namespace has a hash from `first` to `last`, both included.
    ///
    /// # Panics
    ///
    /// If `first` is greater than `last`.
    pub fn by_namespace(first: u64, last: u64) -> Self {
        Self { field: Field::Namespace, ranges: Vec::new() }.and(first, last)
    }

    /// Returns the `number`-th of `shares` equal shares by UID, counted from 0.
    ///
    /// # Panics
    ///
    /// If `number` is not less than `shares`.
    pub fn nth(number: u32, shares: NonZeroU32) -> Self {
        assert!(number < shares.get(), "share {number} of {shares}");
        let cut = |number: u32| END * u128::from(number) / u128::from(shares.get());
        Self { field: Field::Uid, ranges: vec![(cut(number) as u64, cut(number + 1))] }
    }

    /// Adds the objects whose UID or namespace has a hash from `first` to `last`, both included.
    ///
    /// # Panics
    ///
    /// If `first` is greater than `last`.
    #[must_use]
    pub fn and(mut self, first: u64, last: u64) -> Self {
        assert!(first <= last, "a range from {first:#x} to {last:#x}");
        self.ranges.push((first, u128::from(last) + 1));
        self
    }

    /// Returns whether an object belongs to the share.
    pub fn contains(&self, metadata: &impl Metadata) -> bool {
        self.holds(match self.field {
            Field::Uid => metadata.uid(),
            Field::Namespace => metadata.namespace().unwrap_or_default(),
        })
    }

    /// Returns whether an object of which only the key is known may belong to the share.
    pub(crate) fn may_contain(&self, key: &ObjectKey) -> bool {
        self.field == Field::Uid || self.holds(key.namespace().unwrap_or_default())
    }

    fn holds(&self, value: &str) -> bool {
        let hash = fnv1a(value);
        self.ranges.iter().any(|&(from, to)| from <= hash && u128::from(hash) < to)
    }
}

/// Writes the value of the request parameter `shardSelector`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self.field {
            Field::Uid => "uid",
            Field::Namespace => "namespace",
        };
        for (number, (from, to)) in self.ranges.iter().enumerate() {
            let or = if number > 0 { " || " } else { "" };
            write!(f, "{or}shardRange(object.metadata.{field}, '0x{from:016x}', '0x{to:016x}')")?;
        }
        Ok(())
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use trimtab_cache::MetaView;

    use super::*;

    fn of_uid(uid: &str) -> MetaView {
        MetaView { uid: uid.to_owned(), ..MetaView::default() }
    }

    #[test]
    fn the_hash_is_the_servers() {
        for (text, hash) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("default", 0xebad_a516_8620_c5fe),
            ("kube-system", 0xdf65_c7bc_1d82_b35e),
        ] {
            assert_eq!(fnv1a(text), hash, "{text}");
        }
    }

    #[test]
    fn every_object_belongs_to_exactly_one_of_equal_shares() {
        let shares = NonZeroU32::new(3).expect("not zero");
        for number in 0..1_000 {
            let object = of_uid(&format!("uid-{number}"));
            let holders = (0..3).filter(|&number| Shard::nth(number, shares).contains(&object)).count();
            assert_eq!(holders, 1);
        }
    }

    #[test]
    fn ranges_are_told_as_servers_want_them() {
        let shares = NonZeroU32::new(2).expect("not zero");
        assert_eq!(
            Shard::nth(1, shares).to_string(),
            "shardRange(object.metadata.uid, '0x8000000000000000', '0x10000000000000000')"
        );
        assert_eq!(
            Shard::by_namespace(0, 15).and(32, 47).to_string(),
            "shardRange(object.metadata.namespace, '0x0000000000000000', '0x0000000000000010') || \
             shardRange(object.metadata.namespace, '0x0000000000000020', '0x0000000000000030')"
        );
    }
}
