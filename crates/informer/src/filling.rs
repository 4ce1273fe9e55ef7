//! [`Filling`]: the next contents of the store while a list comes in, with what of it cannot be decoded.

use std::{collections::BTreeMap, sync::Arc};

use trimtab_cache::{Metadata, Object, ObjectKey, Replacement};

use crate::source::watch::Undecodable;

pub(crate) struct Filling<T> {
    /// For logs.
    informer: Arc<str>,
    pub(crate) replacement: Replacement<T>,
    /// Keys, with the reason.
    pub(crate) undecodable: BTreeMap<ObjectKey, String>,
}

impl<T: Object> Filling<T> {
    pub(crate) fn new(informer: Arc<str>, replacement: Replacement<T>) -> Self {
        Self { informer, replacement, undecodable: BTreeMap::new() }
    }

    /// Takes an object of the list, or what could be made out of one.
    pub(crate) fn take(&mut self, item: Result<T, Undecodable>) {
        match item {
            Ok(mut object) if is_named(&self.informer, object.metadata().name()) => {
                object.prune();
                if !self.undecodable.is_empty() {
                    self.undecodable.remove(&object.key());
                }
                self.replacement.apply(object);
            }
            Err(wrong) if wrong.deleted => self.remove(&wrong.key),
            Err(wrong) if is_named(&self.informer, wrong.key.name()) => {
                let (key, error) = (&wrong.key, &wrong.reason);
                tracing::warn!(informer = &*self.informer, %key, %error, "object cannot be decoded");
                self.replacement.keep(key); // its last good state, if there was one
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
pub(crate) fn is_named(informer: &str, name: &str) -> bool {
    if name.is_empty() {
        tracing::warn!(informer, "the server sent an object without a name");
    }
    !name.is_empty()
}
