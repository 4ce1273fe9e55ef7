//! Items and events of which it is unknown which object they are, and the log's memory of them.

use std::collections::{HashMap, HashSet};

use tokio::time::Instant;
use trimtab_cache::{Metadata, Object, ObjectKey, Replacement, ResourceVersion};

use super::Shared;
use crate::{error::InformerError, source::unreadable::Malformed};

/// The number of malformed objects that are warned of. A server that sends nothing else must not fill the log.
const MOST_WARNINGS: usize = 100;

/// The malformed objects that the log has a warning of.
#[derive(Default)]
pub(super) struct Warned(HashSet<u64>);

impl Warned {
    /// Returns whether there is to be no warning: there was one, or there were too many.
    fn is_repeated(&mut self, malformed: &Malformed) -> bool {
        self.is_full() || !self.0.insert(malformed.identity())
    }

    /// Whether the last warning has been given.
    fn is_full(&self) -> bool {
        self.0.len() >= MOST_WARNINGS
    }
}

impl<T: Object> Shared<T> {
    /// Adds those objects to a list whose UID the store knows: their states cannot be decoded. Returns the others, of
    /// which nothing is known, with their numbers in the list.
    pub(super) fn recognise(
        &self,
        malformed: Vec<(usize, Malformed)>,
        replacement: &mut Replacement<T>,
    ) -> Vec<(usize, Malformed)> {
        let kept = |(_, one): &&(usize, Malformed)| !one.is_deletion();
        let keys = self.keys(malformed.iter().filter(kept).filter_map(|(_, one)| one.uid()));
        let mut unknown = Vec::new();
        for (number, one) in malformed {
            let key = one.uid().filter(|_| !one.is_deletion()).and_then(|uid| keys.get(uid));
            match key {
                // Unless the list has an object with the key: that one can be read.
                Some(key) if !replacement.contains(key) => {
                    replacement.apply_undecodable(one.recognised(key.clone()).object);
                }
                _ => unknown.push((number, one)),
            }
        }
        unknown
    }

    /// Records a malformed event. If the store knows its UID, it is the object's newest state or its deletion. Otherwise
    /// only the version moves: a watch that is resumed must not begin with the same event.
    pub(super) fn malformed(&self, source: usize, now: Instant, malformed: Malformed) {
        let key = malformed.uid().and_then(|uid| self.keys([uid].into_iter()).remove(uid));
        if let Some(key) = key {
            return self.undecodable(source, now, malformed.recognised(key));
        }
        let version = &*malformed.object.metadata().resource_version;
        let is_newer = self.version(source).is_some_and(|held| is_newer(version, &held));
        {
            let mut guard = self.inner.lock();
            let inner = &mut *guard;
            if malformed.is_bookmark() {
                inner.records[source].note_bookmark(now);
            } else {
                inner.records[source].note_event(now);
            }
            if is_newer && inner.versions.is_none() {
                inner.store.write().bookmark(version);
            }
            if is_newer {
                self.arrived(inner, source, version);
            }
        }
        self.report_progress();
        self.report_malformed(source, None, &malformed);
    }

    /// Counts and reports an item or event that was skipped.
    pub(super) fn report_malformed(&self, source: usize, number: Option<usize>, malformed: &Malformed) {
        let (namespace, is_repeated, is_last) = {
            let mut inner = self.inner.lock();
            inner.malformed += 1;
            let is_repeated = inner.warned.is_repeated(malformed);
            let is_last = !is_repeated && inner.warned.is_full();
            (inner.records[source].status.namespace.clone(), is_repeated, is_last)
        };
        if let Some(metrics) = &self.metrics {
            metrics.malformed();
        }
        let (place, mut reason) = (malformed.describe(number), malformed.object.reason().to_owned());
        if is_last {
            reason += "; others that are malformed are only counted from here on";
        }
        self.reporter.report_repeated(&InformerError::Malformed { namespace, place, reason }, is_repeated);
    }

    /// Returns the keys of the store's objects with these UIDs. It looks at all objects, because there is no index of
    /// UIDs: malformed objects are too rare for one.
    fn keys<'a>(&self, uids: impl Iterator<Item = &'a str>) -> HashMap<String, ObjectKey> {
        let wanted: HashSet<_> = uids.collect();
        if wanted.is_empty() {
            return HashMap::new();
        }
        let snapshot = self.store.snapshot();
        let mut keys = HashMap::new();
        for object in snapshot.undecodable() {
            if let Some(uid) = wanted.get(object.metadata().uid()) {
                keys.insert((*uid).to_owned(), object.key().clone());
            }
        }
        for object in snapshot.iter() {
            if let Some(uid) = wanted.get(object.metadata().uid()) {
                keys.insert((*uid).to_owned(), object.key());
            }
        }
        keys
    }
}

/// Returns whether `version` is newer than `held`; `false` if they cannot be compared.
fn is_newer(version: &str, held: &str) -> bool {
    let parse = |text: &str| text.parse::<ResourceVersion>().ok();
    parse(version).zip(parse(held)).is_some_and(|(version, held)| version > held)
}
