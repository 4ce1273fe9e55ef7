//! [`Fault`]: the kinds of faults, and [`PlannedFault`]: a fault with its time and target.

mod draw;
mod text;

use std::{sync::Arc, time::Duration};

pub use self::{draw::FaultMix, text::ParsePlanError};
use crate::call::Call;

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A request does not reach the server: the connection breaks, and nothing has changed.
    LoseRequest,
    /// A request is carried out, but the connection breaks in place of the response.
    LoseReply,
    /// The client gets 504 `Timeout`, and the request is carried out only after this time.
    LateCommit(Duration),
    /// A request is delayed on its way to the server.
    Delay(Duration),
    /// A request is refused with this HTTP code, and nothing has changed: 409, 410, 429, 500, 503 and so on.
    Refuse(u16),
    /// A request is carried out, and there is no response.
    Hang,
    /// The process crashes while it sends a request, which does not arrive. It restarts after this time.
    CrashBefore(Duration),
    /// The process crashes after a request was carried out and before the response. It restarts after this time.
    CrashAfter(Duration),
    /// A read of any version (`resourceVersion=0`) returns a state of this age.
    StaleRead(Duration),
    /// The process crashes and restarts after this time.
    Crash(Duration),
    /// The process crashes and restarts a second later on a front end that is `lag` behind for `lasts`.
    TimeTravel {
        /// The delay of the front end.
        lag: Duration,
        /// The duration of the fault.
        lasts: Duration,
    },
    /// The front end of the process is `lag` behind for `lasts`: watches, and reads of any version.
    Lag {
        /// The delay of the front end.
        lag: Duration,
        /// The duration of the fault.
        lasts: Duration,
    },
    /// For this time the process can neither watch nor list. Then its watches have expired, so that it lists again and
    /// misses the states in between.
    Unobserved(Duration),
    /// The watches of the process break.
    CutWatches,
    /// No bookmark reaches the process for this time.
    DropBookmarks(Duration),
    /// Each event reaches the process twice for this time.
    DuplicateEvents(Duration),
    /// No message reaches the process or leaves it for this time. Then its connections break.
    Partition(Duration),
    /// No task of the process runs for this time, while its clocks continue (`SIGSTOP`).
    Pause(Duration),
    /// No task of the process runs for this time, and its monotonic clock stops, too (a suspended machine).
    Suspend(Duration),
    /// The monotonic clock of the process runs at `rate` thousandths of the normal speed for `lasts`.
    Drift {
        /// 1000 is the normal speed.
        rate: u32,
        /// The duration of the fault.
        lasts: Duration,
    },
    /// The wall clock of the process is moved by this number of milliseconds.
    SetClock(i64),
    /// All history is compacted: a watch or a list from before gets 410 `Expired`.
    Compact,
    /// Another client takes one of the Leases.
    TakeLease(u32),
    /// One of the objects that chaos may touch is deleted.
    Delete(u32),
    /// One of the objects that chaos may touch is removed at once, and created again under its name.
    Recreate(u32),
    /// Another client writes an annotation to one of the objects that chaos may touch.
    Rival(u32),
    /// The namespace of one of the objects that chaos may touch is deleted. Those that every cluster has, such as
    /// `default`, cannot be.
    TerminateNamespace(u32),
}

/// The requests of a process that a fault can affect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Requests {
    /// All requests.
    #[default]
    Any,
    /// Gets, lists and watches.
    Reads,
    /// All requests that change objects.
    Writes,
}

impl Requests {
    fn contain(self, call: &Call) -> bool {
        match self {
            Self::Any => true,
            Self::Reads => !call.is_write(),
            Self::Writes => call.is_write(),
        }
    }
}

/// A fault of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFault {
    /// The begin, counted from the start of the processes. A fault of a request then waits for a matching one.
    pub at: Duration,
    /// The affected process; empty for a fault of the cluster.
    pub process: Arc<str>,
    /// The number of matching requests that are spared first.
    pub skip: u32,
    /// The requests that match.
    pub requests: Requests,
    /// The fault.
    pub fault: Fault,
}

/// The kind of a fault's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A request of the process.
    Request,
    /// The process.
    Process,
    /// The cluster.
    Cluster,
}

impl PlannedFault {
    /// Creates a fault of `process` that begins at `at`.
    pub fn new(at: Duration, process: &str, fault: Fault) -> Self {
        let process = if fault.scope() == Scope::Cluster { "" } else { process };
        let requests = match fault {
            Fault::LateCommit(_) => Requests::Writes,
            Fault::StaleRead(_) => Requests::Reads,
            _ => Requests::Any,
        };
        Self { at, process: process.into(), skip: 0, requests, fault }
    }

    /// Spares this number of matching requests first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Restricts the fault to these requests.
    #[must_use]
    pub fn requests(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// Returns whether the fault can affect this request.
    pub(crate) fn matches(&self, process: &str, call: &Call) -> bool {
        self.fault.scope() == Scope::Request && *self.process == *process && self.requests.contain(call)
    }
}

impl Fault {
    pub(crate) fn scope(&self) -> Scope {
        match self {
            Self::LoseRequest
            | Self::LoseReply
            | Self::LateCommit(_)
            | Self::Delay(_)
            | Self::Refuse(_)
            | Self::Hang
            | Self::CrashBefore(_)
            | Self::CrashAfter(_)
            | Self::StaleRead(_) => Scope::Request,
            Self::Compact
            | Self::TakeLease(_)
            | Self::Delete(_)
            | Self::Recreate(_)
            | Self::Rival(_)
            | Self::TerminateNamespace(_) => Scope::Cluster,
            _ => Scope::Process,
        }
    }

    /// Returns the fault's name in plans, timelines and coverage.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LoseRequest => "lose-request",
            Self::LoseReply => "lose-reply",
            Self::LateCommit(_) => "late-commit",
            Self::Delay(_) => "delay",
            Self::Refuse(_) => "refuse",
            Self::Hang => "hang",
            Self::CrashBefore(_) => "crash-before",
            Self::CrashAfter(_) => "crash-after",
            Self::StaleRead(_) => "stale-read",
            Self::Crash(_) => "crash",
            Self::TimeTravel { .. } => "time-travel",
            Self::Lag { .. } => "lag",
            Self::Unobserved(_) => "unobserved",
            Self::CutWatches => "cut-watches",
            Self::DropBookmarks(_) => "drop-bookmarks",
            Self::DuplicateEvents(_) => "duplicate-events",
            Self::Partition(_) => "partition",
            Self::Pause(_) => "pause",
            Self::Suspend(_) => "suspend",
            Self::Drift { .. } => "drift",
            Self::SetClock(_) => "set-clock",
            Self::Compact => "compact",
            Self::TakeLease(_) => "take-lease",
            Self::Delete(_) => "delete",
            Self::Recreate(_) => "recreate",
            Self::Rival(_) => "rival",
            Self::TerminateNamespace(_) => "terminate-namespace",
        }
    }

    /// Returns the fault's durations for shrinking, in the order of its text.
    pub(crate) fn durations(&mut self) -> Vec<&mut Duration> {
        match self {
            Self::LateCommit(time)
            | Self::Delay(time)
            | Self::CrashBefore(time)
            | Self::CrashAfter(time)
            | Self::StaleRead(time)
            | Self::Crash(time)
            | Self::Unobserved(time)
            | Self::DropBookmarks(time)
            | Self::DuplicateEvents(time)
            | Self::Partition(time)
            | Self::Pause(time)
            | Self::Suspend(time) => vec![time],
            Self::TimeTravel { lag, lasts } | Self::Lag { lag, lasts } => vec![lag, lasts],
            Self::Drift { lasts, .. } => vec![lasts],
            _ => Vec::new(),
        }
    }
}
