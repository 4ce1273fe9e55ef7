//! [`Reasons`]: the events that queued a key, as a bounded set of source and kind of event.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::Mutex;
use trimtab_cache::ObjectKey;

/// The most different reasons that are kept for a key.
const LIMIT: usize = 8;

/// The bits of a code that hold the kind of event.
const KIND_BITS: u32 = 4;

/// The kind of an event that queues a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// An object was created, or existed already when the run began.
    Created,
    /// An object was changed.
    Updated,
    /// An object was deleted.
    Deleted,
    /// An object was delivered again without a change.
    Resync,
    /// A stream, a channel or a timer delivered the key.
    External,
    /// The cache shows the controller's own writes, for which the key waited.
    Woken,
    /// An earlier reconcile asked for another one.
    Requeued,
    /// An earlier reconcile failed.
    Retried,
}

impl EventKind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Created, "created"),
        (Self::Updated, "updated"),
        (Self::Deleted, "deleted"),
        (Self::Resync, "resync"),
        (Self::External, "external"),
        (Self::Woken, "woken"),
        (Self::Requeued, "requeued"),
        (Self::Retried, "retried"),
    ];

    /// Returns the name in lower case, for logs.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One reason for which a key was queued.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Reason {
    /// The name of the source: the description of an informer, the name of an external source, or the controller's name
    /// for its own requeues.
    pub source: Arc<str>,
    /// The kind of event.
    pub event: EventKind,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.source, self.event)
    }
}

/// The reasons for which a key was queued: a set of at most eight, merged while the key waited.
///
/// Prints as `pods updated, websites created`; with `…` at the end if there were more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    list: Vec<Reason>,
    more: bool,
}

impl Reasons {
    /// Adds a reason. For tests that call a reconciler themselves.
    #[must_use]
    pub fn and(mut self, source: &str, event: EventKind) -> Self {
        let reason = Reason { source: source.into(), event };
        match self.list.len() {
            _ if self.list.contains(&reason) => {}
            LIMIT.. => self.more = true,
            _ => self.list.push(reason),
        }
        self
    }

    /// Returns the reasons, in the order of their first event.
    pub fn iter(&self) -> impl Iterator<Item = &Reason> {
        self.list.iter()
    }

    /// Returns the number of different reasons.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns whether no reason is known.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns whether there were no more reasons than are kept.
    pub fn is_complete(&self) -> bool {
        !self.more
    }

    /// Returns whether an event of this kind is among the reasons.
    pub fn has(&self, event: EventKind) -> bool {
        self.list.iter().any(|reason| reason.event == event)
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, reason) in self.list.iter().enumerate() {
            write!(f, "{}{reason}", if number == 0 { "" } else { ", " })?;
        }
        f.write_str(if self.more { ", …" } else { "" })
    }
}

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
    waiting: Mutex<HashMap<ObjectKey, Codes>>,
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
        let mut waiting = self.waiting.lock();
        match waiting.get_mut(key) {
            Some(codes) => codes.insert(code),
            None => waiting.entry(key.clone()).or_default().insert(code),
        }
    }

    /// Removes and returns the reasons of a key that a worker has taken.
    pub(crate) fn take(&self, key: &ObjectKey) -> Reasons {
        let codes = {
            let mut waiting = self.waiting.lock();
            let codes = waiting.remove(key);
            if waiting.is_empty() && waiting.capacity() > 1024 {
                *waiting = HashMap::new(); // frees the memory of a burst
            }
            codes
        };
        let Some(codes) = codes else { return Reasons::default() };
        let names = self.names.lock();
        let reason = |code: &u16| {
            let (event, _) = *EventKind::ALL.get(usize::from(code & ((1 << KIND_BITS) - 1)))?;
            Some(Reason { source: names.get(usize::from(code >> KIND_BITS))?.clone(), event })
        };
        let list = codes.codes[..usize::from(codes.len)].iter().filter_map(reason).collect();
        Reasons { list, more: codes.more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_event_is_found_by_its_number() {
        for (number, (event, name)) in EventKind::ALL.iter().enumerate() {
            assert_eq!((*event as usize, event.as_str()), (number, *name));
        }
    }

    #[test]
    fn reasons_are_merged_without_repetition_and_handed_out_once() {
        let (table, key) = (ReasonTable::default(), ObjectKey::namespaced("default", "web"));
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
        let reasons = table.take(&key);
        assert_eq!(reasons.to_string(), "pods updated, sets created, pods deleted");
        assert!(reasons.has(EventKind::Deleted) && !reasons.has(EventKind::Retried) && reasons.is_complete());
        assert!(table.take(&key).is_empty());
    }

    #[test]
    fn more_than_eight_reasons_are_cut() {
        let (table, key) = (ReasonTable::default(), ObjectKey::cluster_scoped("web"));
        for number in 0..12 {
            let source = table.number(&number.to_string().into());
            table.add(&key, source, EventKind::Updated);
        }
        let reasons = table.take(&key);
        assert_eq!((reasons.len(), reasons.is_complete()), (LIMIT, false));
        assert!(reasons.to_string().ends_with(", …"));
        let same = (0..12).fold(Reasons::default(), |all, n| all.and(&n.to_string(), EventKind::Updated));
        assert_eq!(same, reasons);
    }
}
