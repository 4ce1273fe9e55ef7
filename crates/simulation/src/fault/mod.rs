//! [`Fault`]: what can go wrong, and [`PlannedFault`]: when, and for whom.

mod draw;
mod text;

use std::{sync::Arc, time::Duration};

pub use self::{draw::FaultMix, text::ParsePlanError};
use crate::call::Call;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// A request does not reach the server: the connection breaks, and nothing was done.
    LoseRequest,
    /// A request is carried out, but the connection breaks in place of the response.
    LoseReply,
    /// The client gets 504 `Timeout`, and the request is carried out only after so long.
    LateCommit(Duration),
    /// A request takes so much longer to reach the server.
    Delay(Duration),
    /// A request is refused with this HTTP code, and nothing was done: 409, 410, 429, 500, 503 and so on.
    Refuse(u16),
    /// A request is carried out, and never answered.
    Hang,
    /// The process crashes as it sends a request, which does not arrive. It is started again after so long.
    CrashBefore(Duration),
    /// The process crashes after a request was carried out and before it learns so. It is started again after so long.
    CrashAfter(Duration),
    /// A read of any version (`resourceVersion=0`) shows the state of so long ago.
    StaleRead(Duration),
    /// The process crashes, and is started again after so long.
    Crash(Duration),
    /// The process crashes, and is started again a second later on a front end that is `lag` behind for `lasts`.
    TimeTravel {
        /// How far behind the front end is.
        lag: Duration,
        /// For how long it stays behind.
        lasts: Duration,
    },
    /// The front end of the process is `lag` behind for `lasts`: watches, and reads of any version.
    Lag {
        /// How far behind the front end is.
        lag: Duration,
        /// For how long it stays behind.
        lasts: Duration,
    },
    /// For so long the process can neither watch nor list. Then its watches have expired, so that it lists again and
    /// never sees the states in between.
    Unobserved(Duration),
    /// The watches of the process break.
    CutWatches,
    /// No bookmark reaches the process for so long.
    DropBookmarks(Duration),
    /// Each event reaches the process twice for so long.
    DuplicateEvents(Duration),
    /// Nothing reaches the process or leaves it for so long. Then its connections break.
    Partition(Duration),
    /// No task of the process runs for so long, while its clocks go on (`SIGSTOP`).
    Pause(Duration),
    /// No task of the process runs for so long, and its monotonic clock stops as well (a machine that sleeps).
    Suspend(Duration),
    /// The monotonic clock of the process runs at `rate` thousandths of the normal speed for `lasts`.
    Drift {
        /// 1000 is the normal speed.
        rate: u32,
        /// For how long.
        lasts: Duration,
    },
    /// The wall clock of the process is set by so many milliseconds.
    SetClock(i64),
    /// All history is compacted: a watch or a list from before gets 410 `Expired`.
    Compact,
    /// Somebody else writes its name into one of the leases.
    TakeLease(u32),
    /// One of the objects that chaos may touch is deleted.
    Delete(u32),
    /// One of the objects that chaos may touch is removed at once, and created again under its name.
    Recreate(u32),
    /// Somebody else writes an annotation to one of the objects that chaos may touch.
    Rival(u32),
    /// The namespace of one of the objects that chaos may touch is deleted.
    TerminateNamespace(u32),
}

/// Which requests of a process a fault meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Requests {
    /// All.
    #[default]
    Any,
    /// Gets, lists and watches.
    Reads,
    /// All that change something.
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
    /// From when on, counted from the start of the processes. A fault that meets a request waits for one.
    pub at: Duration,
    /// The process that it meets; empty for a fault of the cluster.
    pub process: Arc<str>,
    /// How many matching requests go by before one is met.
    pub skip: u32,
    /// Which requests match.
    pub requests: Requests,
    /// What goes wrong.
    pub fault: Fault,
}

/// How a fault finds its victim.
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
    /// A fault that meets `process` from `at` on.
    pub fn new(at: Duration, process: &str, fault: Fault) -> Self {
        let process = if fault.scope() == Scope::Cluster { "" } else { process };
        let requests = match fault {
            Fault::LateCommit(_) => Requests::Writes,
            Fault::StaleRead(_) => Requests::Reads,
            _ => Requests::Any,
        };
        Self { at, process: process.into(), skip: 0, requests, fault }
    }

    /// Lets so many matching requests go by first.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Meets only these requests.
    #[must_use]
    pub fn requests(self, requests: Requests) -> Self {
        Self { requests, ..self }
    }

    /// Returns whether it may meet this request.
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

    /// The fault's name in plans, timelines and coverage.
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

    /// The durations in it, for shrinking: in the order of its text.
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
