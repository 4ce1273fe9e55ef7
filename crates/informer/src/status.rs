//! [`Status`]: how an informer is doing.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tokio::time::Instant;
use trimtab_cache::ObjectKey;

use crate::SourceError;

/// How an informer is doing, at the moment when it was asked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// What it is doing.
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
    /// How many bytes of lists and watches the server sent, as they came: packed, if it packed them.
    pub bytes: u64,
    /// Objects in the store.
    pub objects: usize,
    /// Objects whose newest state could not be decoded, each with the reason. The store keeps the last
    /// state of them that could, if there was one.
    pub undecodable: BTreeMap<ObjectKey, String>,
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

/// What of a status is not found elsewhere.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) phase: Phase,
    pub(crate) last_error: Option<Arc<SourceError>>,
    pub(crate) failing_since: Option<Instant>,
    pub(crate) restarts: u64,
    pub(crate) lists: u64,
    pub(crate) watches: u64,
    pub(crate) events: u64,
    pub(crate) last_event: Option<Instant>,
    pub(crate) undecodable: BTreeMap<ObjectKey, String>,
}

impl Record {
    pub(crate) fn new() -> Self {
        Self {
            phase: Phase::Idle,
            last_error: None,
            failing_since: None,
            restarts: 0,
            lists: 0,
            watches: 0,
            events: 0,
            last_event: None,
            undecodable: BTreeMap::new(),
        }
    }

    pub(crate) fn note_event(&mut self, now: Instant) {
        self.events += 1;
        self.last_event = Some(now);
    }
}
