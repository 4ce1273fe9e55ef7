//! [`Status`]: how an informer is doing.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tokio::time::{Duration, Instant};
use trimtab_cache::ObjectKey;

use crate::SourceError;

/// How an informer is doing, at the moment when it was asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// What it is doing; of one that follows several namespaces, where it is worst.
    pub phase: Phase,
    /// Whether the store has been filled at least once.
    pub synced: bool,
    /// Why a list or a watch failed, the last time that one did; it may be long ago.
    pub last_error: Option<Arc<SourceError>>,
    /// Since when nothing but failures has happened; `None` while a watch is open.
    pub failing_since: Option<Instant>,
    /// How many times a list or a watch failed.
    pub restarts: u64,
    /// How many lists were read to their end.
    pub lists: u64,
    /// How many watches were opened.
    pub watches: u64,
    /// How many events the server sent, without bookmarks.
    pub events: u64,
    /// When the server sent the last event or bookmark.
    pub last_event: Option<Instant>,
    /// For how long the server has said nothing that would show the store to be up to date: no list, no
    /// event, no bookmark. While all is well this is at most about a minute. `None` before the store
    /// has been filled.
    pub lag: Option<Duration>,
    /// How many bytes of lists and watches the server sent, as they came: packed, if it packed them.
    pub bytes: u64,
    /// Objects in the store.
    pub objects: usize,
    /// Objects whose newest state could not be decoded, each with the reason. The store keeps the last
    /// state of them that could, if there was one.
    pub undecodable: BTreeMap<ObjectKey, String>,
    /// How many times the store was compared with the server, by [`audit`](crate::InformerBuilder::audit).
    pub audits: u64,
    /// The same for each namespace that is followed; a single one for all namespaces.
    pub sources: Vec<SourceStatus>,
}

/// How an informer is doing in one of its namespaces.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceStatus {
    /// Which namespace; `None` for all of them, or where there are none.
    pub namespace: Option<String>,
    /// What it is doing.
    pub phase: Phase,
    /// Whether it has been listed at least once.
    pub synced: bool,
    /// The version up to which the store holds this namespace.
    pub resource_version: Option<String>,
    /// Why a list or a watch failed, the last time that one did.
    pub last_error: Option<Arc<SourceError>>,
    /// Since when nothing but failures has happened; `None` while a watch is open.
    pub failing_since: Option<Instant>,
    /// When the server last showed the store to be up to date: by a list, an event or a bookmark.
    pub last_heard: Option<Instant>,
}

/// What an informer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// It has not been started.
    Idle,
    /// It is reading a list.
    Listing,
    /// It is following a watch.
    Watching,
    /// The last try failed, and it waits until the next.
    Waiting {
        /// When it tries again.
        until: Instant,
    },
    /// The server does not serve the kind, and it waits until the next try.
    NotServed {
        /// When it tries again.
        until: Instant,
    },
    /// It has been stopped.
    Stopped,
}

impl Phase {
    /// How far this is from all being well.
    fn severity(self) -> u8 {
        match self {
            Self::Watching => 0,
            Self::Listing => 1,
            Self::Idle | Self::Stopped => 2,
            Self::Waiting { .. } => 3,
            Self::NotServed { .. } => 4,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "not started",
            Self::Listing => "listing",
            Self::Watching => "watching",
            Self::Waiting { .. } => "waiting to try again",
            Self::NotServed { .. } => "waiting until the kind is served",
            Self::Stopped => "stopped",
        })
    }
}

/// What is known of one source.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) status: SourceStatus,
    pub(crate) restarts: u64,
    pub(crate) lists: u64,
    pub(crate) watches: u64,
    pub(crate) events: u64,
    pub(crate) last_event: Option<Instant>,
}

impl Record {
    pub(crate) fn new(namespace: Option<String>) -> Self {
        let status = SourceStatus {
            namespace,
            phase: Phase::Idle,
            synced: false,
            resource_version: None,
            last_error: None,
            failing_since: None,
            last_heard: None,
        };
        Self { status, restarts: 0, lists: 0, watches: 0, events: 0, last_event: None }
    }

    pub(crate) fn note_event(&mut self, now: Instant) {
        self.events += 1;
        self.note_bookmark(now);
    }

    pub(crate) fn note_bookmark(&mut self, now: Instant) {
        self.last_event = Some(now);
        self.status.last_heard = Some(now);
    }

    pub(crate) fn note_failure(&mut self, now: Instant, error: Arc<SourceError>, until: Instant) {
        self.restarts += 1;
        self.status.phase =
            if error.is_not_served() { Phase::NotServed { until } } else { Phase::Waiting { until } };
        self.status.failing_since.get_or_insert(now);
        self.status.last_error = Some(error);
    }
}

impl Status {
    /// One status for all sources; what they do not know is left empty.
    pub(crate) fn of(records: &[Record], now: Instant) -> Self {
        let sources = || records.iter().map(|record| &record.status);
        let sum = |count: fn(&Record) -> u64| records.iter().map(count).sum();
        let worst = sources().max_by_key(|source| source.phase.severity());
        let failing = sources().filter(|source| source.last_error.is_some());
        let synced = sources().all(|source| source.synced);
        let heard = sources().filter_map(|source| source.last_heard).min();
        Self {
            phase: worst.map_or(Phase::Idle, |source| source.phase),
            synced,
            // Of one that fails now rather than of one that did.
            last_error: failing
                .max_by_key(|source| (source.failing_since.is_some(), source.phase.severity()))
                .and_then(|source| source.last_error.clone()),
            failing_since: sources().filter_map(|source| source.failing_since).min(),
            restarts: sum(|record| record.restarts),
            lists: sum(|record| record.lists),
            watches: sum(|record| record.watches),
            events: sum(|record| record.events),
            last_event: records.iter().filter_map(|record| record.last_event).max(),
            lag: heard.filter(|_| synced).map(|heard| now - heard),
            bytes: 0,
            objects: 0,
            undecodable: BTreeMap::new(),
            audits: 0,
            sources: sources().cloned().collect(),
        }
    }
}
