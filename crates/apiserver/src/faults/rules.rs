//! [`Rules`]: the faults of single requests.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{Refusal, broken::Breakage};
use crate::api::{
    filter::{Filter, Origin},
    status::Result,
};

/// The effect on a request.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    Refuse(Refusal),
    LoseReply,
    Delay(Duration),
    /// The reads that need not be fresh show the state of so long ago.
    Stale(Duration),
    /// These parameters count as absent.
    Ignore(Arc<[String]>),
    /// Requests wait for a permit that never comes, until the semaphore is closed.
    Hold(Arc<Semaphore>),
    /// The answer's body is taken apart.
    Break(Breakage),
}

impl Fault {
    pub(super) fn hold() -> Self {
        Self::Hold(Arc::new(Semaphore::new(0)))
    }
}

/// The changes that faults make to a request that they let through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Applied {
    /// Whether the connection breaks in place of the answer.
    pub(crate) is_lost: bool,
    /// How old the state is that a read shows which need not be fresh.
    pub(crate) staleness: Duration,
    /// The parameters that count as absent.
    pub(crate) ignored: Vec<Arc<[String]>>,
    /// How the answer's body is taken apart.
    pub(crate) breakage: Option<Breakage>,
}

impl Applied {
    /// Whether the server is to know nothing of this parameter.
    pub(crate) fn ignores(&self, parameter: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored.iter().any(|name| name == parameter))
    }
}

/// All rules that are in force, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Rules(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    newest: u64,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    filter: Filter,
    /// The number of matching requests so far.
    seen: u64,
    remaining: usize,
    fault: Fault,
}

impl Rules {
    /// Adds a rule for the next `times` requests; returns its id, which is never 0.
    pub(super) fn add(&self, filter: Filter, times: usize, fault: Fault) -> u64 {
        let mut list = self.0.lock();
        list.newest += 1;
        let id = list.newest;
        list.rules.push(Rule { id, filter, seen: 0, remaining: times, fault });
        id
    }

    pub(super) fn remaining(&self, id: u64) -> usize {
        self.0.lock().rules.iter().find(|rule| rule.id == id).map_or(0, |rule| rule.remaining)
    }

    pub(super) fn release(&self, id: u64) {
        let mut list = self.0.lock();
        list.rules.retain(|rule| {
            if let (Fault::Hold(gate), true) = (&rule.fault, rule.id == id) {
                gate.close();
            }
            rule.id != id
        });
    }

    /// Applies the rules to a request, in the order in which they were added.
    pub(super) async fn apply(&self, seed: u64, origin: &Origin) -> Result<Applied> {
        let mut applied = Applied::default();
        let faults = self.due(seed, origin); // the lock is released before anything waits
        for fault in faults {
            match fault {
                Fault::Refuse(refusal) => return Err(refusal.status()),
                Fault::LoseReply => applied.is_lost = true,
                Fault::Stale(staleness) => applied.staleness = applied.staleness.max(staleness),
                Fault::Ignore(parameters) => applied.ignored.push(parameters),
                Fault::Break(how) => applied.breakage = Some(how),
                Fault::Delay(delay) => tokio::time::sleep(delay).await,
                Fault::Hold(gate) => drop(gate.acquire().await), // an error: the gate was closed
            }
        }
        Ok(applied)
    }

    fn due(&self, seed: u64, origin: &Origin) -> Vec<Fault> {
        let mut list = self.0.lock();
        let mut faults = Vec::new();
        for rule in list.rules.iter_mut().filter(|rule| rule.filter.matches(origin)) {
            rule.seen += 1;
            if rule.remaining > 0 && rule.filter.selects(origin, seed, rule.id, rule.seen) {
                rule.remaining -= 1;
                faults.push(rule.fault.clone());
            }
        }
        list.rules.retain(|rule| rule.remaining > 0);
        faults
    }
}
