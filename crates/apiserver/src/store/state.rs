//! The storage's rules as a plain value: no lock, no clock, no task.
//!
//! - I1: versions grow by one with every commit, across all resources; the first commit is 2, so that
//!   an empty server's lists already carry a version that is not 0.
//! - I2: an object's `metadata.resourceVersion` is the version of the commit that wrote it; a deleted
//!   object's is the version of its deletion.
//! - I3: the events of a resource are ordered by version, and hold every commit to it after `dropped`.
//! - I4: a waiter is registered only while it has seen every event of its resource, and is taken by
//!   the next commit to it, so no wake-up is lost.
//! - I5: the history has at most `most_history_bytes`, and `history_bytes` of them, those of all events.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
    ops::Bound,
    sync::Arc,
    task::Waker,
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use super::{ChangeKind, Draft, Event, Stored, compactor::Compactor};
use crate::api::key::Key;

/// How long an event is kept at least while the history is short: etcd's default compaction interval.
const WINDOW: Duration = Duration::from_secs(300);
/// How many events of one resource are kept however old they are, as upstream's watch cache does.
const KEPT: usize = 100;
/// How many events of one resource are kept at most.
const CAPACITY: usize = 102_400;
/// How many of the newest states are kept parsed: readers follow writers closely.
const PARSED: usize = 256;
/// How many bytes of JSON they may have: parsed, they take several times as many.
const PARSED_BYTES: usize = 16 * 1024 * 1024;
/// The memory of an event besides the state that it replaced.
const OF_EVENT: usize = 256;

/// The whole storage.
#[derive(Debug)]
pub(super) struct State {
    /// The version of the newest commit.
    pub(super) version: u64,
    /// Versions before this one were compacted away on demand.
    compacted: u64,
    /// The version up to which time has compacted the history, for lists alone.
    compactor: Compactor,
    resources: HashMap<Arc<str>, Resource>,
    next_waiter: u64,
    /// The newest states as values, the oldest first: nobody reads them here, but [`Stored::value`] finds
    /// what is still alive.
    parsed: VecDeque<(Arc<Value>, usize)>,
    parsed_bytes: usize,
    /// How many bytes the history of all resources has, and how many it may have.
    history_bytes: usize,
    most_history_bytes: usize,
}

/// The objects of one resource and what became of them.
#[derive(Debug, Default)]
struct Resource {
    objects: BTreeMap<Key, Arc<Stored>>,
    events: VecDeque<Arc<Event>>,
    /// The version of the newest event that is no longer in `events`.
    dropped: u64,
    /// How many bytes the events have.
    bytes: usize,
    waiters: BTreeMap<u64, Waker>,
}

/// Why a commit was refused: the object is not in the state that the writer saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved;

/// Why history cannot answer: it was compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired {
    /// The version that was asked for.
    pub(crate) seen: u64,
    /// The oldest version that can still be asked for.
    pub(crate) oldest: u64,
}

/// The result of one read of the history.
#[derive(Debug)]
pub(super) enum Look {
    /// Events that the cursor has not seen, oldest first.
    Events(Vec<Arc<Event>>),
    /// The cursor has seen them all and is registered to be woken.
    Wait,
    /// Events that it has not seen are gone.
    Expired(Expired),
}

impl State {
    /// A history of so many bytes at most.
    pub(super) fn new(most_history_bytes: usize) -> Self {
        Self {
            version: 1,
            compacted: 0,
            compactor: Compactor::default(),
            resources: HashMap::new(),
            next_waiter: 0,
            parsed: VecDeque::new(),
            parsed_bytes: 0,
            history_bytes: 0,
            most_history_bytes,
        }
    }

    pub(super) fn get(&self, resource: &str, key: &Key) -> Option<Arc<Stored>> {
        self.resources.get(resource)?.objects.get(key).cloned()
    }

    pub(super) fn get_at(&self, resource: &str, key: &Key, version: u64) -> Option<Arc<Stored>> {
        let resource = self.resources.get(resource)?;
        let undone = resource.after(version).find(|event| event.key() == key);
        undone.map_or_else(|| resource.objects.get(key).cloned(), |event| event.previous.clone())
    }

    pub(super) fn version_at(&self, resource: &str, time: Instant) -> u64 {
        let events = self.resources.get(resource).into_iter().flat_map(|resource| &resource.events);
        let newest = events.take_while(|event| event.at <= time).last();
        newest.map_or_else(|| self.oldest(resource).max(1), |event| event.version())
    }

    /// Writes `draft` (`None` deletes) if the object is still at version `expected` (`None`: absent).
    /// Also returns who waits for it.
    pub(super) fn commit(
        &mut self,
        resource: &Arc<str>,
        key: &Key,
        expected: Option<u64>,
        draft: Option<Draft>,
        now: Instant,
    ) -> Result<(Arc<Event>, BTreeMap<u64, Waker>), Moved> {
        let slot = self.resources.entry(resource.clone()).or_default();
        let previous = slot.objects.get(key).cloned();
        if previous.as_ref().map(|stored| stored.version) != expected {
            return Err(Moved);
        }
        self.compactor.commits(now, self.version);
        let version = self.version + 1; // I1
        let (change, object) = match (draft, &previous) {
            (Some(draft), previous) => {
                let change = if previous.is_none() { ChangeKind::Added } else { ChangeKind::Modified };
                let key = previous.as_ref().map_or(key, |previous| &previous.key).clone();
                let (object, value) = draft.stored(key, version, change); // I2
                if let Some(value) = value {
                    self.parsed_bytes += object.json().len();
                    self.parsed.push_back((value, object.json().len()));
                }
                while self.parsed.len() > PARSED || self.parsed_bytes > PARSED_BYTES {
                    let oldest = self.parsed.pop_front();
                    self.parsed_bytes -= oldest.map_or(self.parsed_bytes, |(_, bytes)| bytes);
                }
                (change, Arc::new(object))
            }
            (None, Some(previous)) => {
                (ChangeKind::Deleted, Arc::new(previous.retold(version, ChangeKind::Deleted)))
            }
            (None, None) => return Err(Moved),
        };
        self.version = version;
        match change {
            ChangeKind::Deleted => slot.objects.remove(key),
            _ => slot.objects.insert(object.key.clone(), object.clone()),
        };
        let event = Arc::new(Event { change, object, previous, at: now });
        let before = slot.bytes;
        slot.bytes += event.bytes();
        slot.events.push_back(event.clone());
        slot.forget_old(now);
        self.history_bytes = self.history_bytes + slot.bytes - before;
        let waiters = mem::take(&mut slot.waiters);
        self.forget_heavy();
        Ok((event, waiters))
    }

    /// Forgets the oldest events of the resource that has the most, until the history is small enough.
    fn forget_heavy(&mut self) {
        while self.history_bytes > self.most_history_bytes {
            let Some(heaviest) = self.resources.values_mut().max_by_key(|resource| resource.bytes) else {
                return;
            };
            let freed = heaviest.forget_first();
            if freed == 0 {
                return;
            }
            self.history_bytes -= freed;
        }
    }

    /// The oldest version at which a list or a watch of `resource` can start.
    fn oldest(&self, resource: &str) -> u64 {
        self.resources.get(resource).map_or(0, |resource| resource.dropped).max(self.compacted)
    }

    /// Forgets all history: only the present state can be asked for.
    pub(super) fn compact(&mut self) {
        self.compacted = self.version;
        for resource in self.resources.values_mut() {
            if let Some(newest) = resource.events.back() {
                resource.dropped = newest.version();
            }
            resource.events.clear();
            resource.bytes = 0;
        }
        self.history_bytes = 0;
    }

    /// Checks that history reaches back to `version`.
    pub(super) fn check(&self, resource: &str, version: u64) -> Result<(), Expired> {
        let oldest = self.oldest(resource);
        if version < oldest { Err(Expired { seen: version, oldest }) } else { Ok(()) }
    }

    /// Up to `limit` objects of `resource` within `range` as they were at `version`, and whether
    /// there are more.
    pub(super) fn scan(
        &self,
        resource: &str,
        range: (Bound<Key>, Bound<Key>),
        version: u64,
        limit: usize,
        now: Instant,
    ) -> Result<Scan, Expired> {
        self.check(resource, version)?;
        let oldest = self.compactor.oldest(now, self.version);
        if version < oldest {
            return Err(Expired { seen: version, oldest });
        }
        if !is_range(&range) {
            return Ok(Scan::default()); // a continue token from elsewhere; `BTreeMap::range` would panic
        }
        let Some(resource) = self.resources.get(resource) else {
            return Ok(Scan::default());
        };
        let undone = resource.undone_after(version);
        let objects = resource.objects.range(range.clone()).filter(|(key, _)| !undone.contains_key(*key));
        let older = undone.range(range).filter_map(|(key, stored)| Some((*key, (*stored)?)));
        let mut merged = merge(objects, older);
        let items = merged.by_ref().take(limit).map(|(_, stored)| stored.clone()).collect();
        Ok(Scan { items, remaining: merged.count() })
    }

    /// A number that no other waiter has.
    pub(super) fn waiter(&mut self) -> u64 {
        self.next_waiter += 1;
        self.next_waiter
    }

    /// Takes up to `limit` events after `seen`; if there are none, registers `waker`.
    pub(super) fn look(
        &mut self,
        resource: &Arc<str>,
        seen: u64,
        limit: usize,
        waiter: u64,
        waker: &Waker,
    ) -> Look {
        let slot = self.resources.entry(resource.clone()).or_default();
        if seen < slot.dropped {
            return Look::Expired(Expired { seen, oldest: slot.dropped.max(self.compacted) });
        }
        let events: Vec<_> = slot.after(seen).take(limit).cloned().collect();
        if !events.is_empty() {
            return Look::Events(events);
        }
        slot.waiters.insert(waiter, waker.clone()); // I4
        Look::Wait
    }

    /// Whether a cursor that saw events up to `seen` has seen everything; then it stands at `version`.
    pub(super) fn has_seen_all(&self, resource: &str, seen: u64) -> bool {
        let Some(resource) = self.resources.get(resource) else {
            return true;
        };
        resource.events.back().map_or(resource.dropped, |newest| newest.version()) <= seen
    }

    pub(super) fn forget_waiter(&mut self, resource: &str, waiter: u64) {
        if let Some(resource) = self.resources.get_mut(resource) {
            resource.waiters.remove(&waiter);
        }
    }

    /// Everybody who waits for anything, in the order in which they came: that of a hash map would be another one in
    /// each run.
    pub(super) fn take_waiters(&mut self) -> Vec<Waker> {
        let resources = self.resources.values_mut();
        let waiters: BTreeMap<u64, Waker> =
            resources.flat_map(|resource| mem::take(&mut resource.waiters)).collect();
        waiters.into_values().collect()
    }
}

/// The result of a scan.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) items: Vec<Arc<Stored>>,
    /// How many more there are in the range.
    pub(super) remaining: usize,
}

impl Resource {
    fn after(&self, seen: u64) -> impl Iterator<Item = &Arc<Event>> {
        let start = self.events.partition_point(|event| event.version() <= seen);
        self.events.range(start..)
    }

    /// The objects that changed after `version`, as they were then (`None`: absent).
    fn undone_after(&self, version: u64) -> BTreeMap<&Key, Option<&Arc<Stored>>> {
        let mut undone = BTreeMap::new();
        for event in self.after(version) {
            undone.entry(event.key()).or_insert(event.previous.as_ref()); // the first after `version` decides
        }
        undone
    }

    fn forget_old(&mut self, now: Instant) {
        while self.events.len() > KEPT {
            let oldest = self.events.front().expect("longer than KEPT");
            if self.events.len() <= CAPACITY && now.duration_since(oldest.at) <= WINDOW {
                return;
            }
            self.forget_first();
        }
    }

    /// Forgets the oldest event. Returns how many bytes that has freed.
    fn forget_first(&mut self) -> usize {
        let Some(oldest) = self.events.pop_front() else { return 0 };
        self.dropped = oldest.version();
        self.bytes -= oldest.bytes();
        oldest.bytes()
    }
}

impl Event {
    /// How many bytes it takes: the present state of an object is no history.
    fn bytes(&self) -> usize {
        let previous = self.previous.as_ref().map_or(0, |previous| previous.json().len());
        let last = if self.change == ChangeKind::Deleted { self.object.json().len() } else { 0 };
        previous + last + OF_EVENT
    }
}

fn is_range(range: &(Bound<Key>, Bound<Key>)) -> bool {
    match range {
        (Bound::Excluded(start), Bound::Excluded(end)) => start < end,
        _ => true,
    }
}

/// Merges two iterators, each ordered by key, with no key in both.
fn merge<'a>(
    left: impl Iterator<Item = (&'a Key, &'a Arc<Stored>)>,
    right: impl Iterator<Item = (&'a Key, &'a Arc<Stored>)>,
) -> impl Iterator<Item = (&'a Key, &'a Arc<Stored>)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some((l, _)), Some((r, _))) if r < l => right.next(),
        (None, _) => right.next(),
        _ => left.next(),
    })
}
