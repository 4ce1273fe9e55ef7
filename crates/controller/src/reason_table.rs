//! [`ReasonTable`]: the reasons of the keys that wait in a queue, apart from the queue itself.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use parking_lot::Mutex;
use trimtab_cache::ObjectKey;

use crate::reasons::{EventKind, LIMIT, Reason, Reasons};

/// The bits of a code that hold the kind of event.
const KIND_BITS: u32 = 4;

/// The number of shards: workers and sources that are busy with different keys seldom meet at one.
const SHARDS: usize = 16;

/// The most keys for which an empty shard keeps its memory.
const KEPT: usize = 8;

/// The number of a source in a [`ReasonTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceNumber(u16);

/// The reasons of the keys that wait.
///
/// A key's reasons are numbers, so that a burst of a hundred thousand keys costs 20 bytes each beside the key.
#[derive(Debug, Default)]
pub(crate) struct ReasonTable {
    /// The name of each source. A source that was removed keeps its number for a later one of its name.
    names: Mutex<Vec<Arc<str>>>,
    hasher: DefaultHashBuilder,
    shards: [Mutex<HashTable<Waiting>>; SHARDS],
}

/// A key that waits, with its reasons.
#[derive(Debug)]
struct Waiting {
    key: ObjectKey,
    codes: Codes,
}

/// A set of codes, each of a source and a kind of event.
#[derive(Debug, Clone, Copy, Default)]
struct Codes {
    codes: [u16; LIMIT],
    len: u8,
    more: bool,
}

impl Codes {
    fn insert(&mut self, code: Option<u16>) {
        let Some(code) = code else {
            self.more = true;
            return;
        };
        let len = usize::from(self.len);
        match self.codes[..len].contains(&code) {
            true => {}
            false if len == LIMIT => self.more = true,
            false => {
                self.codes[len] = code;
                self.len += 1;
            }
        }
    }
}

impl ReasonTable {
    /// Returns the number of the source `name`.
    pub(crate) fn number(&self, name: &Arc<str>) -> SourceNumber {
        let mut names = self.names.lock();
        let number = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.clone());
            names.len() - 1
        });
        SourceNumber(number.try_into().unwrap_or(u16::MAX))
    }

    /// Adds a reason of a key. Called before the key is added to the queue: the worker that takes it then sees the
    /// reason.
    pub(crate) fn add(&self, key: &ObjectKey, source: SourceNumber, event: EventKind) {
        let number = source.0.checked_mul(1 << KIND_BITS); // no number if there are more than 4095 sources
        let code = number.map(|number| number | event as u16);
        let (hash, shard) = self.shard(key);
        match shard.lock().entry(hash, |waiting| waiting.key == *key, |waiting| self.hash(&waiting.key)) {
            Entry::Occupied(mut known) => known.get_mut().codes.insert(code),
            Entry::Vacant(place) => {
                let mut codes = Codes::default();
                codes.insert(code);
                place.insert(Waiting { key: key.clone(), codes });
            }
        }
    }

    /// Returns a reader for one worker.
    pub(crate) fn reader(self: &Arc<Self>) -> ReasonReader {
        ReasonReader { table: self.clone(), names: Vec::new() }
    }

    /// Removes and returns the codes of a key.
    fn take(&self, key: &ObjectKey) -> Option<Codes> {
        let (hash, shard) = self.shard(key);
        let mut shard = shard.lock();
        let (Waiting { key, codes }, _) =
            shard.find_entry(hash, |waiting| waiting.key == *key).ok()?.remove();
        let burst = (shard.is_empty() && shard.capacity() > KEPT).then(|| std::mem::take(&mut *shard));
        drop(shard);
        drop((key, burst)); // frees memory, outside the lock
        Some(codes)
    }

    fn shard(&self, key: &ObjectKey) -> (u64, &Mutex<HashTable<Waiting>>) {
        let hash = self.hash(key);
        // The table itself uses the lowest and the highest bits.
        (hash, &self.shards[(hash >> 32) as usize % SHARDS])
    }

    fn hash(&self, key: &ObjectKey) -> u64 {
        self.hasher.hash_one(key)
    }
}

/// Takes the reasons of keys for one worker.
#[derive(Debug)]
pub(crate) struct ReasonReader {
    table: Arc<ReasonTable>,
    /// Copies of the table's names, so that workers neither lock the names nor count references to the same text.
    names: Vec<Arc<str>>,
}

impl ReasonReader {
    /// Removes and returns the reasons of a key that the worker has taken.
    pub(crate) fn take(&mut self, key: &ObjectKey) -> Reasons {
        let mut reasons = Reasons::default();
        let Some(codes) = self.table.take(key) else { return reasons };
        for code in &codes.codes[..usize::from(codes.len)] {
            let (number, kind) = (code >> KIND_BITS, code & ((1 << KIND_BITS) - 1));
            if let (Some(source), Some((event, _))) =
                (self.name(number), EventKind::ALL.get(usize::from(kind)))
            {
                reasons.insert(Reason { source, event: *event });
            }
        }
        if codes.more {
            reasons.cut();
        }
        reasons
    }

    fn name(&mut self, number: u16) -> Option<Arc<str>> {
        let number = usize::from(number);
        if number >= self.names.len() {
            let names = self.table.names.lock();
            self.names.extend(names[self.names.len()..].iter().map(|name| Arc::from(&**name)));
        }
        self.names.get(number).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_merged_without_repetition_and_handed_out_once() {
        let (table, key) = (Arc::new(ReasonTable::default()), ObjectKey::namespaced("default", "web"));
        let mut reader = table.reader();
        let [pods, sets] = ["pods", "sets"].map(|name| table.number(&name.into()));
        assert_eq!(table.number(&"pods".into()), pods);
        for (source, event) in [
            (pods, EventKind::Updated),
            (sets, EventKind::Created),
            (pods, EventKind::Updated),
            (pods, EventKind::Deleted),
        ] {
            table.add(&key, source, event);
        }
        let reasons = reader.take(&key);
        assert_eq!(reasons.to_string(), "pods updated, sets created, pods deleted");
        assert!(reasons.has(EventKind::Deleted) && !reasons.has(EventKind::Retried) && reasons.is_complete());
        assert!(reader.take(&key).is_empty());
    }

    #[test]
    fn more_than_eight_reasons_are_cut() {
        let (table, key) = (Arc::new(ReasonTable::default()), ObjectKey::cluster_scoped("web"));
        for number in 0..12 {
            let source = table.number(&number.to_string().into());
            table.add(&key, source, EventKind::Updated);
        }
        let reasons = table.reader().take(&key);
        assert_eq!((reasons.len(), reasons.is_complete()), (LIMIT, false));
        assert!(reasons.to_string().ends_with(", …"));
        let same = (0..12).fold(Reasons::default(), |all, n| all.and(&n.to_string(), EventKind::Updated));
        assert_eq!(same, reasons);
    }

    /// A source may be added while a worker has names already.
    #[test]
    fn a_reader_learns_the_names_of_later_sources() {
        let (table, key) = (Arc::new(ReasonTable::default()), ObjectKey::cluster_scoped("web"));
        let mut reader = table.reader();
        for name in ["pods", "sets"] {
            table.add(&key, table.number(&name.into()), EventKind::Created);
            assert_eq!(reader.take(&key).to_string(), format!("{name} created"));
        }
    }

    #[test]
    fn the_memory_of_a_burst_is_freed() {
        let table = Arc::new(ReasonTable::default());
        let keys: Vec<_> = (0..10_000).map(|n| ObjectKey::cluster_scoped(&n.to_string())).collect();
        let source = table.number(&"pods".into());
        keys.iter().for_each(|key| table.add(key, source, EventKind::Created));
        let mut reader = table.reader();
        assert!(keys.iter().all(|key| reader.take(key).len() == 1));
        let kept: usize = table.shards.iter().map(|shard| shard.lock().capacity()).sum();
        assert!(kept <= SHARDS * KEPT, "room for {kept} keys");
    }
}
