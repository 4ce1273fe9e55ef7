//! [`Faults`]: faults that a test injects into the server. A [`Filter`] limits each of them, and with one seed each
//! does the same in every run.

mod broken;
mod refusal;
mod rules;

use std::{fmt, sync::Arc, time::Duration};

pub use self::refusal::Refusal;
use self::{
    broken::Breakage,
    rules::{Fault, Rules},
};
pub(crate) use self::{broken::broken, rules::Applied};
use crate::{
    api::{
        filter::{Filter, Origin},
        status::Result,
    },
    handlers::watches::{Effect, End, Watches},
    store::Store,
};

/// Injects faults; reached through [`ApiServer::faults`](crate::ApiServer::faults).
#[derive(Debug)]
pub struct Faults {
    store: Arc<Store>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Decides what probabilities leave open.
    seed: u64,
    rules: Rules,
    watches: Arc<Watches>,
}

impl Faults {
    pub(crate) fn new(store: Arc<Store>, watches: Arc<Watches>, seed: u64) -> Self {
        Self { store, shared: Arc::new(Shared { seed, rules: Rules::default(), watches }) }
    }

    /// Breaks every open watch that matches, as when its connection is reset. Returns how many.
    pub fn cut_watches(&self, filter: &Filter) -> usize {
        self.shared.watches.end(filter, End::Cut)
    }

    /// Ends every open watch that matches, cleanly and without an error event, as upstream ends slow
    /// watchers. Returns how many.
    pub fn end_watches(&self, filter: &Filter) -> usize {
        self.shared.watches.end(filter, End::Clean)
    }

    /// Forgets all history: whoever asks for what happened before gets 410 Expired, and so does a
    /// watch that was not sent everything yet.
    pub fn compact(&self) {
        self.store.compact();
    }

    /// Makes matching watches, open ones and those to come, send each event `lag` after its commit,
    /// until the returned guard is dropped. Lists and gets stay up to date.
    pub fn lag_watches(&self, filter: Filter, lag: Duration) -> FaultGuard {
        self.affect(filter, Effect::Lag(lag))
    }

    /// Makes matching watches, open ones and those to come, send nothing at all, until the returned
    /// guard is dropped: the connection looks alive, as before a black hole.
    pub fn stall_watches(&self, filter: Filter) -> FaultGuard {
        self.lag_watches(filter, Duration::MAX)
    }

    /// Lets matching watches, open ones and those to come, have no bookmarks, not even the one that ends
    /// the initial events, until the returned guard is dropped.
    pub fn drop_bookmarks(&self, filter: Filter) -> FaultGuard {
        self.affect(filter, Effect::NoBookmarks)
    }

    /// Makes matching watches, open ones and those to come, have each bookmark `delay` after it was due, also the
    /// one that ends the initial events, until the returned guard is dropped.
    pub fn delay_bookmarks(&self, filter: Filter, delay: Duration) -> FaultGuard {
        self.affect(filter, Effect::LateBookmarks(delay))
    }

    /// Makes a replica of the API server out of what serves the matching clients: one that is `lag` behind.
    /// Reads of any version show the past as with [`stale_reads`](Self::stale_reads), and watches are told of
    /// commits late as with [`lag_watches`](Self::lag_watches), until the returned guard is dropped. Writes, and
    /// reads of the newest version, go to the one store that all replicas have.
    pub fn lag_replica(&self, filter: Filter, lag: Duration) -> FaultGuard {
        self.stale_reads(filter.clone(), lag).and(self.lag_watches(filter, lag))
    }

    /// Lets the connections of matching clients end nowhere: their requests do not arrive, and their watches
    /// hear nothing, not even that they end, until the returned guard is dropped. Nothing is broken for that
    /// long; a client that wants to notice has to count the time.
    pub fn black_hole(&self, filter: Filter) -> FaultGuard {
        self.hold(filter.clone()).and(self.stall_watches(filter))
    }

    /// Sends the answers to matching requests, watches' too, in pieces of odd lengths that end in the middle of
    /// names and characters, until the returned guard is dropped.
    pub fn split_bodies(&self, filter: Filter) -> FaultGuard {
        self.rule(filter, usize::MAX, Fault::Break(Breakage::Pieces))
    }

    /// Sends the answers to matching requests, watches' too, compressed, and each few bytes as a gzip member of their
    /// own, to clients that take gzip, until the returned guard is dropped. A client that stops reading after the
    /// first member sees a body that ends early.
    pub fn gzip_members(&self, filter: Filter) -> FaultGuard {
        self.rule(filter, usize::MAX, Fault::Break(Breakage::Members))
    }

    /// Makes matching gets, lists and watches that ask for `resourceVersion=0`, and so for any state,
    /// begin with the state of `staleness` ago, until the returned guard is dropped: what a client sees
    /// that was sent to a replica which lags. Together with [`lag_watches`](Self::lag_watches) the
    /// replica stays behind.
    pub fn stale_reads(&self, filter: Filter, staleness: Duration) -> FaultGuard {
        self.rule(filter, usize::MAX, Fault::Stale(staleness))
    }

    /// Makes the server know nothing of these query parameters in matching requests, until the returned
    /// guard is dropped: with `sendInitialEvents` among them, an old server that takes a streaming list
    /// for a plain watch.
    pub fn ignore_parameters(&self, filter: Filter, parameters: &[&str]) -> FaultGuard {
        let parameters = parameters.iter().map(|name| (*name).to_owned()).collect();
        self.rule(filter, usize::MAX, Fault::Ignore(parameters))
    }

    /// Answers the next `times` matching requests with `refusal`; they change nothing.
    pub fn refuse(&self, filter: Filter, refusal: Refusal, times: usize) -> FaultGuard {
        self.rule(filter, times, Fault::Refuse(refusal))
    }

    /// Carries out the next `times` matching requests, but breaks the connection in place of an answer.
    pub fn lose_reply(&self, filter: Filter, times: usize) -> FaultGuard {
        self.rule(filter, times, Fault::LoseReply)
    }

    /// Begins with the next `times` matching requests only after `delay`.
    pub fn delay(&self, filter: Filter, delay: Duration, times: usize) -> FaultGuard {
        self.rule(filter, times, Fault::Delay(delay))
    }

    /// Begins with matching requests only when the returned guard is dropped.
    pub fn hold(&self, filter: Filter) -> FaultGuard {
        self.rule(filter, usize::MAX, Fault::hold())
    }

    /// How many matching watches are open.
    pub fn open_watches(&self, filter: &Filter) -> usize {
        self.shared.watches.count(filter)
    }

    fn affect(&self, filter: Filter, effect: Effect) -> FaultGuard {
        let id = self.shared.watches.add(filter, effect);
        FaultGuard { shared: self.shared.clone(), active: vec![Active::Watches(id)] }
    }

    fn rule(&self, filter: Filter, times: usize, fault: Fault) -> FaultGuard {
        let id = self.shared.rules.add(filter, times, fault);
        FaultGuard { shared: self.shared.clone(), active: vec![Active::Rule(id)] }
    }

    /// Applies the active faults to a request before it is looked at.
    pub(crate) async fn before(&self, origin: &Origin) -> Result<Applied> {
        self.shared.rules.apply(self.shared.seed, origin).await
    }

    /// Decides what chance decides.
    pub(crate) fn seed(&self) -> u64 {
        self.shared.seed
    }
}

/// An active fault; dropping the guard ends the fault.
#[must_use = "dropping the guard ends the fault"]
pub struct FaultGuard {
    shared: Arc<Shared>,
    /// The faults that the guard ends.
    active: Vec<Active>,
}

#[derive(Debug, Clone, Copy)]
enum Active {
    Watches(u64),
    Rule(u64),
}

impl FaultGuard {
    /// Ends the fault: the same as dropping the guard.
    pub fn release(self) {}

    /// The number of requests that the fault can still affect; 0 once it is spent. A fault on watches is never spent.
    pub fn remaining(&self) -> usize {
        let remaining = self.active.iter().map(|active| match active {
            Active::Watches(_) => usize::MAX,
            Active::Rule(id) => self.shared.rules.remaining(*id),
        });
        remaining.max().unwrap_or(0)
    }

    /// This fault and another as one.
    fn and(mut self, mut other: Self) -> Self {
        self.active.append(&mut other.active);
        self
    }

    /// Keeps the fault active until it is spent, or for the rest of the server's life.
    pub fn leave(mut self) {
        self.active.clear(); // nothing for `drop` to release
    }
}

impl Drop for FaultGuard {
    fn drop(&mut self) {
        for active in &self.active {
            match *active {
                Active::Watches(id) => self.shared.watches.release(id),
                Active::Rule(id) => self.shared.rules.release(id),
            }
        }
    }
}

impl fmt::Debug for FaultGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultGuard").field("active", &self.active).finish_non_exhaustive()
    }
}
