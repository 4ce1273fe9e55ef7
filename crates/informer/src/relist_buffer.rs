//! [`RelistBuffer`]: the next contents of the store, collected while a list is being read.

use trimtab_cache::{Metadata, Object, ObjectKey, Replacement};

use crate::{
    shard::Shard,
    source::unreadable::{Malformed, UndecodableEvent, Unreadable},
};

pub(crate) struct RelistBuffer<T> {
    pub(crate) replacement: Replacement<T>,
    /// Objects outside of it are left out.
    shard: Option<Shard>,
    /// The number of items that were taken.
    taken: usize,
    /// Each item of which it is unknown which object it is, with its number from 1.
    pub(crate) malformed: Vec<(usize, Malformed)>,
}

impl<T: Object> RelistBuffer<T> {
    pub(crate) fn new(replacement: Replacement<T>, shard: Option<Shard>) -> Self {
        Self { replacement, shard, taken: 0, malformed: Vec::new() }
    }

    /// Adds an item of the list, decoded or not.
    pub(crate) fn take(&mut self, item: Result<T, Unreadable>) {
        self.taken += 1;
        let shard = self.shard.as_ref();
        match item {
            Ok(mut object) if is_wanted(object.metadata(), shard) => {
                object.prune();
                self.replacement.apply(object);
            }
            Err(Unreadable::Object(object)) if object.deleted => self.remove(object.object.key()),
            Err(Unreadable::Object(object)) if object.is_wanted(shard) => {
                self.replacement.apply_undecodable(object.object);
            }
            Err(Unreadable::Malformed(malformed)) => self.malformed.push((self.taken, malformed)),
            Ok(_) | Err(Unreadable::Object(_)) => {}
        }
    }

    pub(crate) fn remove(&mut self, key: &ObjectKey) {
        self.replacement.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.replacement.len()
    }
}

pub(crate) fn is_wanted(metadata: &impl Metadata, shard: Option<&Shard>) -> bool {
    shard.is_none_or(|shard| shard.contains(metadata))
}

impl UndecodableEvent {
    pub(crate) fn is_wanted(&self, shard: Option<&Shard>) -> bool {
        let metadata = self.object.metadata();
        shard.is_none_or(|shard| {
            // An object without a readable UID may be in any shard by UID.
            if metadata.uid().is_empty() {
                shard.may_contain(self.object.key())
            } else {
                shard.contains(metadata)
            }
        })
    }
}
