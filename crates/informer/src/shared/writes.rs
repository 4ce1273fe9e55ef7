//! Changes of the store, as the reflectors report them.

use tokio::time::Instant;
use trimtab_cache::{Metadata, Object, ObjectKey, Undecodable};

use super::{Inner, Progress, Shared};
use crate::{
    delivery::Batch,
    error::InformerError,
    event::Event,
    relist_buffer::RelistBuffer,
    source::unreadable::{UndecodableEvent, Unreadable},
};

impl<T: Object> Shared<T> {
    /// Starts to collect the next contents of the store.
    pub(crate) fn relist(&self) -> RelistBuffer<T> {
        RelistBuffer::new(self.inner.lock().store.write().replacement(), self.shard.clone())
    }

    /// Replaces the store's objects of a source by a list of them.
    pub(crate) fn replace(&self, source: usize, now: Instant, relist: RelistBuffer<T>, version: &str) {
        let RelistBuffer { mut replacement, malformed, .. } = relist;
        let malformed = self.recognise(malformed, &mut replacement);
        let is_known = |object: &Undecodable| self.store.get_undecodable(object.key()).is_some();
        let undecodable = replacement.undecodable();
        let errors: Vec<_> = undecodable.map(|one| (undecodable_error(one), is_known(one))).collect();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        if inner.versions.is_some() {
            let own = inner.records[source].status.namespace.as_deref();
            let is_others = |key: &ObjectKey| key.namespace() != own;
            let undecodable = self.store.undecodable();
            let keys = self.store.keys().into_iter().chain(undecodable.iter().map(|one| one.key().clone()));
            keys.filter(is_others).for_each(|key| {
                replacement.keep(&key);
            });
        }
        let record = &mut inner.records[source];
        let initial = !record.status.synced;
        record.lists += 1;
        record.status.synced = true;
        record.status.last_heard = Some(now);
        let changes = inner.store.write().commit(replacement, version);
        self.arrived(inner, source, version);
        self.count_undecodable();
        let ends_initial = !self.has_synced() && inner.records.iter().all(|record| record.status.synced);
        if ends_initial {
            // Before the handlers run: one of them may ask.
            self.progress.send_replace(Progress::Synced);
            if let Some(metrics) = &self.metrics {
                metrics.synced();
            }
        }
        let events = changes.into_iter().map(|change| Event::new(change, initial)).collect();
        self.dispatch(guard, Batch { events, ends_initial });
        self.report_progress();
        for (error, is_repeated) in &errors {
            self.reporter.report_repeated(error, *is_repeated);
        }
        for (number, one) in malformed {
            self.report_malformed(source, Some(number), &one);
        }
    }

    /// Applies an addition or an update.
    pub(crate) fn apply(&self, source: usize, now: Instant, mut object: T) {
        object.prune();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_event(now);
        let was_undecodable = self.is_counted_undecodable(|| object.key());
        let change = inner.store.write().apply(object);
        self.arrived(inner, source, change.metadata().resource_version());
        if was_undecodable {
            self.count_undecodable();
        }
        self.dispatch_one(guard, change);
        self.report_progress();
    }

    /// Applies a deletion.
    pub(crate) fn delete(&self, source: usize, now: Instant, mut last: T) {
        last.prune();
        let (key, version) = (last.key(), last.metadata().resource_version().to_owned());
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_event(now);
        let was_undecodable = self.is_counted_undecodable(|| key.clone());
        let change = inner.store.write().delete(&key, Some(last));
        self.arrived(inner, source, &version);
        if was_undecodable {
            self.count_undecodable();
        }
        match change {
            Some(change) => self.dispatch_one(guard, change),
            None => drop(guard),
        }
        self.report_progress();
    }

    /// Records an event whose object could not be decoded.
    pub(crate) fn unreadable(&self, source: usize, now: Instant, unreadable: Unreadable) {
        match unreadable {
            Unreadable::Object(object) => self.undecodable(source, now, object),
            Unreadable::Malformed(malformed) => self.malformed(source, now, malformed),
        }
    }

    /// Keeps the metadata of an object that could not be decoded, or applies its deletion.
    pub(super) fn undecodable(&self, source: usize, now: Instant, event: UndecodableEvent) {
        let UndecodableEvent { object, deleted } = event;
        let (error, version) = (undecodable_error(&object), object.metadata().resource_version.clone());
        let is_repeated = self.is_outdated(object.key());
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_event(now);
        let changes = if deleted {
            let change = inner.store.write().delete(object.key(), None);
            if inner.versions.is_none() {
                inner.store.write().bookmark(&version);
            }
            change.into_iter().collect()
        } else {
            inner.store.write().apply_undecodable(object)
        };
        self.arrived(inner, source, &version);
        self.count_undecodable();
        let events = changes.into_iter().map(|change| Event::new(change, false)).collect();
        self.dispatch(guard, Batch { events, ends_initial: false });
        self.report_progress();
        self.reporter.report_repeated(&error, is_repeated);
    }

    /// Whether the gauge of undecodable objects counts this object.
    fn is_counted_undecodable(&self, key: impl FnOnce() -> ObjectKey) -> bool {
        self.metrics.is_some() && self.is_outdated(&key())
    }

    fn count_undecodable(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.undecodable(self.store.snapshot().undecodable().len());
        }
    }

    /// Records that there are no further changes up to `version`.
    pub(crate) fn bookmark(&self, source: usize, now: Instant, version: &str) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.records[source].note_bookmark(now);
        if inner.versions.is_none() {
            inner.store.write().bookmark(version);
        }
        self.arrived(inner, source, version);
        drop(guard);
        self.report_progress();
    }

    /// Records that a source has reached `version`; the store has already.
    pub(super) fn arrived(&self, inner: &mut Inner<T>, source: usize, version: &str) {
        if version.is_empty() {
            return; // an object without metadata has no version
        }
        if let Some(versions) = &mut inner.versions {
            let held = inner.records[source].version.get_or_insert_default();
            held.clear();
            held.push_str(version); // in place: no allocation for an event
            if let Some(least) = versions.note(source, version) {
                inner.store.write().bookmark(&least.to_string());
            }
        }
        if let Some(metrics) = &self.metrics {
            metrics.versions(version, &self.store.resource_version().unwrap_or_default());
        }
    }
}

fn undecodable_error(object: &Undecodable) -> InformerError {
    InformerError::Undecodable { key: object.key().clone(), reason: object.reason().to_owned() }
}
