//! [`Property`]: a condition on histories, and [`Verdict`], the result of a check.

mod known;

use std::{fmt, sync::Arc, time::Duration};

pub use self::known::controller_uid;
pub(crate) use self::known::{held_by, never_twice};
use crate::{call::Call, world::World};

/// The result of a check: the property holds if it is `true` or `Ok`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict(pub(crate) Result<(), String>);

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        Self(if holds { Ok(()) } else { Err(String::new()) })
    }
}

impl<E: fmt::Display> From<Result<(), E>> for Verdict {
    fn from(holds: Result<(), E>) -> Self {
        Self(holds.map_err(|reason| reason.to_string()))
    }
}

/// A request that a process sends, as [`Scenario::on_request`](crate::Scenario::on_request) sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Sent {
    /// The name of the process.
    pub process: Arc<str>,
    /// The process's [`identity`](crate::Process::identity).
    pub identity: String,
    /// The request.
    pub call: Call,
}

pub(crate) type Check = Arc<dyn Fn(&World) -> Verdict + Send + Sync>;
pub(crate) type CheckSent = Arc<dyn Fn(&World, &Sent) -> Verdict + Send + Sync>;

/// The time of a property's checks.
#[derive(Clone)]
pub(crate) enum When {
    /// After every commit.
    Always(Check),
    /// At this time after the last fault, and at the end.
    Eventually(Duration, Check),
    /// At the end.
    AtEnd(Check),
    /// Before a process's request leaves it.
    Sent(CheckSent),
    /// After each step of a process: at most one leads under this lease.
    OneLeader(String),
    /// At this time after the last fault, processes have stopped writing.
    Settles(Duration),
}

/// A condition on histories.
#[derive(Clone)]
pub(crate) struct Property {
    pub(crate) name: Arc<str>,
    pub(crate) when: When,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The violation of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The property's name.
    pub property: String,
    /// The property's reason, if it has one.
    pub reason: String,
    /// The time of the check, counted from the start of the processes.
    pub at: Duration,
    /// The version of the violating commit, if there is one.
    pub version: Option<u64>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was violated", self.property)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        Ok(())
    }
}
