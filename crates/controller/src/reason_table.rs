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
/// A key is its hash and its reasons are numbers, so that a burst of a hundred thousand keys costs 24 bytes each.
#[derive(Debug, Default)]
pub(crate) struct ReasonTable {
    /// The name of each source. A source that was removed keeps its number for a later one of its name.
    names: Mutex<Vec<Arc<str>>>,
    hasher: DefaultHashBuilder,
    shards: [Mutex<HashTable<Waiting>>; SHARDS],
}

/// A key that waits, with its reasons.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// The hash of the key stands for it. Two of a million keys have the same with a chance of 1 in 30 million; the worker
    /// that takes the first of them then gets the reasons of both, the other none.
    hash: u64,
    codes: Codes,
}

/// A set of codes, each of a source and a kind of event.
#[derive(Debug, Clone, Copy, Default)]
struct Codes {
    /// In the order in which they came; 0 after the last. The first has the bit [`MORE`] if one did not fit.
    codes: [u16; LIMIT],
}

/// The bit that says that a code is missing.
const MORE: u16 = 1 << 15;

impl Codes {
    /// Adds a code, which is neither 0 nor above [`MORE`]; `None` is a reason without a code.
    fn insert(&mut self, code: Option<u16>) {
        let known = |place: &&mut u16, code| [0, code].contains(&(**place & !MORE));
        match code.and_then(|code| Some((code, self.codes.iter_mut().find(|place| known(place, code))?))) {
            Some((code, place)) => *place = (*place & MORE) | code,
            None => self.codes[0] |= MORE,
        }
    }

    fn is_cut(self) -> bool {
        self.codes[0] & MORE != 0
    }

    fn iter(self) -> impl Iterator<Item = u16> {
        self.codes.into_iter().map(|code| code & !MORE).take_while(|code| *code != 0)
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
        let code = code(source, event);
        let (hash, shard) = self.shard(key);
        match shard.lock().entry(hash, |waiting| waiting.hash == hash, |waiting| waiting.hash) {
            Entry::Occupied(mut known) => known.get_mut().codes.insert(code),
            Entry::Vacant(place) => {
                let mut codes = Codes::default();
                codes.insert(code);
                place.insert(Waiting { hash, codes });
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
        let (waiting, _) = shard.find_entry(hash, |waiting| waiting.hash == hash).ok()?.remove();
        let burst = (shard.is_empty() && shard.capacity() > KEPT).then(|| std::mem::take(&mut *shard));
        drop(shard);
        drop(burst); // frees memory, outside the lock
        Some(waiting.codes)
    }

    fn shard(&self, key: &ObjectKey) -> (u64, &Mutex<HashTable<Waiting>>) {
        let hash = self.hasher.hash_one(key);
        // The table itself uses the lowest and the highest bits.
        (hash, &self.shards[(hash >> 32) as usize % SHARDS])
    }
}

/// Returns the code of a reason; `None` for a source with a number above 2046.
fn code(source: SourceNumber, event: EventKind) -> Option<u16> {
    let code = source.0.checked_add(1)?.checked_mul(1 << KIND_BITS)? | event as u16;
    (code < MORE).then_some(code)
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
        for code in codes.iter() {
            let (number, kind) = ((code >> KIND_BITS) - 1, code & ((1 << KIND_BITS) - 1));
            if let (Some(source), Some((event, _))) =
                (self.name(number), EventKind::ALL.get(usize::from(kind)))
            {
                reasons.insert(Reason { source, event: *event });
            }
        }
        if codes.is_cut() {
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

    #[test]
    fn a_source_beyond_the_numbers_makes_the_reasons_incomplete() {
        let (table, key) = (Arc::new(ReasonTable::default()), ObjectKey::cluster_scoped("web"));
        let sources: Vec<_> = (0..2_048).map(|number| table.number(&number.to_string().into())).collect();
        table.add(&key, sources[2_047], EventKind::Updated);
        table.add(&key, sources[2_046], EventKind::Retried);
        table.add(&key, sources[0], EventKind::Created);
        assert_eq!(table.reader().take(&key).to_string(), "2046 retried, 0 created, …");
    }

    #[test]
    fn a_key_that_waits_costs_twenty_four_bytes() {
        assert_eq!(size_of::<Waiting>(), 24);
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
