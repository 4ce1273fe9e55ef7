//! [`RelistBuffer`]: the next contents of the store while a list comes in, with what of it cannot be decoded.

use std::collections::BTreeMap;

use trimtab_cache::{Metadata, Object, ObjectKey, Replacement};

use crate::{Shard, source::watch::Undecodable};

pub(crate) struct RelistBuffer<T> {
    pub(crate) replacement: Replacement<T>,
    /// What is not in it is left out.
    shard: Option<Shard>,
    /// Keys, with the reason.
    pub(crate) undecodable: BTreeMap<ObjectKey, String>,
}

impl<T: Object> RelistBuffer<T> {
    pub(crate) fn new(replacement: Replacement<T>, shard: Option<Shard>) -> Self {
        Self { replacement, shard, undecodable: BTreeMap::new() }
    }

    /// Takes an object of the list, or what could be made out of one.
    pub(crate) fn take(&mut self, item: Result<T, Undecodable>) {
        match item {
            Ok(mut object) if is_wanted(object.metadata(), self.shard.as_ref()) => {
                object.prune();
                if !self.undecodable.is_empty() {
                    self.undecodable.remove(&object.key());
                }
                self.replacement.apply(object);
            }
            Err(wrong) if wrong.deleted => self.remove(&wrong.key),
            Err(wrong) if wrong.is_wanted(self.shard.as_ref()) => {
                self.replacement.keep(&wrong.key); // its last good state, if there was one
                self.undecodable.insert(wrong.key, wrong.reason.to_string());
            }
            _ => {}
        }
    }

    pub(crate) fn remove(&mut self, key: &ObjectKey) {
        self.undecodable.remove(key);
        self.replacement.remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.replacement.len()
    }
}

/// Without a name it is no object, whatever a lenient type made of it (RE-T7, RE-T29).
pub(crate) fn is_wanted(metadata: &impl Metadata, shard: Option<&Shard>) -> bool {
    if metadata.name().is_empty() {
        tracing::warn!("the server sent an object without a name");
        return false;
    }
    shard.is_none_or(|shard| shard.contains(metadata))
}

impl Undecodable {
    pub(crate) fn is_wanted(&self, shard: Option<&Shard>) -> bool {
        !self.key.name().is_empty() && shard.is_none_or(|shard| shard.may_contain(&self.key))
    }
}
