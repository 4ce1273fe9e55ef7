//! [`Status`]: the state of an informer at one moment.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tokio::time::{Duration, Instant};
use trimtab_cache::{ObjectKey, ResourceVersion};

use crate::{selection::Selection, source::error::SourceError};

/// The objects that an informer follows, and its state at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InformerSummary {
    /// The informer's [description](crate::Informer::description).
    pub description: String,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: String,
    /// The followed objects of that resource.
    pub selection: Selection,
    /// The informer's state.
    pub status: Status,
}

/// The state of an informer at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// The present activity; with several namespaces, that of the worst one.
    pub phase: Phase,
    /// Whether the store has been filled at least once.
    pub synced: bool,
    /// The last error of a list or a watch. It may be old.
    pub last_error: Option<Arc<SourceError>>,
    /// The time since which every attempt has failed; `None` while a watch is open.
    pub failing_since: Option<Instant>,
    /// The number of failed lists and watches.
    pub restarts: u64,
    /// The number of lists that were read completely.
    pub lists: u64,
    /// The number of watches that were opened.
    pub watches: u64,
    /// The number of events that the server has sent, without bookmarks.
    pub events: u64,
    /// The time of the server's last event or bookmark.
    pub last_event: Option<Instant>,
    /// The time since the server last confirmed the store's state by a list, an event or a bookmark. A healthy
    /// informer's lag stays below about a minute. `None` before the store has been filled.
    pub lag: Option<Duration>,
    /// The number of bytes received in lists and watches, before decompression.
    pub bytes: u64,
    /// The number of objects in the store.
    pub objects: usize,
    /// Objects whose newest state could not be decoded, with the decode error. The store keeps an object's last
    /// decoded state, if there was one.
    pub undecodable: BTreeMap<ObjectKey, String>,
    /// The number of list items and events that were skipped because their metadata is malformed: see
    /// [`InformerError::Malformed`](crate::InformerError::Malformed).
    pub malformed: u64,
    /// The number of [audits](crate::InformerBuilder::audit) that were completed.
    pub audits: u64,
    /// The state of each followed namespace; a single entry if all namespaces are followed together.
    pub sources: Vec<SourceStatus>,
}

/// The state of an informer in one namespace.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SourceStatus {
    /// The namespace; `None` for all namespaces and for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The present activity.
    pub phase: Phase,
    /// Whether a list has been completed.
    pub synced: bool,
    /// The version up to which the store holds this namespace. `None` before the first list, and if the server's
    /// versions cannot be compared.
    pub resource_version: Option<ResourceVersion>,
    /// The last error of a list or a watch.
    pub last_error: Option<Arc<SourceError>>,
    /// The time since which every attempt has failed; `None` while a watch is open.
    pub failing_since: Option<Instant>,
    /// The time at which the server last confirmed the store's state by a list, an event or a bookmark.
    pub last_heard: Option<Instant>,
}

/// The present activity of an informer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The informer has not been started.
    Idle,
    /// It reads a list.
    Listing,
    /// It follows a watch.
    Watching,
    /// The last attempt failed. The informer waits for the next one.
    Waiting {
        /// The time of the next attempt.
        until: Instant,
    },
    /// The server does not serve the kind. The informer waits for the next attempt.
    NotServed {
        /// The time of the next attempt.
        until: Instant,
    },
    /// The informer has been stopped.
    Stopped,
}

impl Phase {
    /// Returns the distance from a healthy state.
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

/// The state of one source, with its counters.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) status: SourceStatus,
    /// The version of one of several sources, as the server wrote it.
    pub(crate) version: Option<String>,
    pub(crate) restarts: u64,
    pub(crate) lists: u64,
    pub(crate) watches: u64,
    pub(crate) events: u64,
    pub(crate) last_event: Option<Instant>,
}

impl Record {
    fn source(&self) -> SourceStatus {
        let resource_version = self.version.as_ref().and_then(|version| version.parse().ok());
        SourceStatus { resource_version, ..self.status.clone() }
    }

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
        Self { status, version: None, restarts: 0, lists: 0, watches: 0, events: 0, last_event: None }
    }

    pub(crate) fn note_event(&mut self, now: Instant) {
        self.events += 1;
        self.note_bookmark(now);
    }

    pub(crate) fn note_bookmark(&mut self, now: Instant) {
        self.last_event = Some(now);
        self.status.last_heard = Some(now);
    }

    /// Returns whether every attempt since the last success has failed, the last one with the same error: one that does
    /// not pass by itself, such as missing permission.
    pub(crate) fn is_failing_with(&self, error: &SourceError) -> bool {
        let last = self.status.last_error.as_ref().filter(|_| self.status.failing_since.is_some());
        error.hint().is_some() && last.is_some_and(|last| last.code() == error.code())
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
    /// Merges the records of all sources. Fields that records do not have are left empty.
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
            // An error of a source that fails now comes before an older error.
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
            malformed: 0,
            audits: 0,
            sources: records.iter().map(Record::source).collect(),
        }
    }
}
