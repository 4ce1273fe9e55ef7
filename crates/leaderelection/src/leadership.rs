//! [`Leadership`]: the token of led work; [`Term`]: the elector's side of it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::{
    clock::{Moment, Timer},
    work::{Tasks, WorkGuard},
};

tokio::task_local! {
    static CURRENT: Leadership;
}

/// The value of [`State::valid_until`] of a token that was found invalid or was revoked.
const ENDED: Moment = Moment(0);

/// The right to act as the leader, until a moment on the local clock.
///
/// Each renewal moves the end to one renew deadline after the moment *before* the renewal was sent. The
/// other candidates wait for the lease duration, which is longer, from the moment when they have seen
/// the renewal, which is later. So no other candidate can have taken the Lease while
/// [`is_valid`](Self::is_valid) is `true`: the crate's documentation has the proof and its assumptions.
/// Once it was `false` it is never `true` again. Nothing needs to run for the token to end: a process that
/// was frozen finds it invalid.
///
/// Clones are the same token. A task that outlives the led work holds an invalid one.
#[derive(Clone)]
pub struct Leadership {
    state: Arc<State>,
}

struct State {
    /// Nanoseconds by `timer`'s clock, or `ENDED`, which is final.
    valid_until: AtomicU64,
    /// The last end before `ENDED`, for messages and for time limits after it.
    last_end: AtomicU64,
    phase: watch::Sender<Phase>,
    timer: Timer,
    facts: Facts,
    tasks: Arc<Tasks>,
}

/// The constants of one term.
pub(crate) struct Facts {
    pub(crate) lease: String,
    pub(crate) identity: String,
    pub(crate) number: u64,
    pub(crate) grace_period: Duration,
    pub(crate) inherited: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Leading,
    /// The led work should stop; the Lease may still be renewed for it.
    Stopping,
    Over,
}

/// The error of an action that needs leadership, after its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{identity} does not lead {lease} any more")]
pub struct LeadershipLost {
    lease: String,
    identity: String,
}

impl LeadershipLost {
    pub(crate) fn new(lease: String, identity: String) -> Self {
        Self { lease, identity }
    }

    /// Returns the namespace and the name of the Lease, as `namespace/name`.
    pub fn lease(&self) -> &str {
        &self.lease
    }
}

impl Leadership {
    /// Returns the token of the calling led work; `None` outside of led work.
    ///
    /// It is known while the elector polls the future that `lead` has returned. A task that led work
    /// spawns has no current token: give it a clone.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Returns whether this process may act as the leader at this moment: one atomic load and one
    /// reading of the clock.
    ///
    /// It stays `true` while led work stops after a shutdown, since the Lease is renewed meanwhile.
    pub fn is_valid(&self) -> bool {
        self.state.is_valid()
    }

    /// Fails if this process may not act as the leader at this moment: for `?` in critical sections.
    ///
    /// # Errors
    ///
    /// If the token is not [valid](Self::is_valid).
    pub fn check(&self) -> Result<(), LeadershipLost> {
        if self.is_valid() { Ok(()) } else { Err(self.error()) }
    }

    /// Returns the moment until which this process may act as the leader if no renewal succeeds from
    /// now on.
    ///
    /// Before starting an action that must not run into another leader's term, compare this with the
    /// time that the action needs. It is a moment of tokio's clock, for tokio's timers; a suspension of
    /// the machine makes it too late, so [`is_valid`](Self::is_valid) decides.
    pub fn valid_until(&self) -> Instant {
        self.state.timer.instant(self.end())
    }

    /// Returns the time that is left of the token if no renewal succeeds from now on.
    pub fn remaining(&self) -> Duration {
        if self.is_valid() { self.end().since(self.state.timer.now()) } else { Duration::ZERO }
    }

    /// Waits until led work has to stop: the Lease is lost, or a shutdown was requested.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped early has no effect.
    pub async fn lost(&self) {
        self.reached(Phase::Stopping).await;
    }

    /// Waits until the token is invalid.
    ///
    /// # Cancel safety
    ///
    /// A call that is dropped early has no effect.
    pub async fn ended(&self) {
        self.reached(Phase::Over).await;
    }

    /// Makes a task part of the led work: the Lease is not released before the guard is dropped.
    ///
    /// Take one for each task that led work spawns, and move it into the task. `name` is what the log
    /// calls the task if it does not end in time. See
    /// [`LeaderElector::run`](crate::LeaderElector::run).
    ///
    /// # Errors
    ///
    /// If the token is not valid, or its term is over: then the task must not start.
    pub fn work_guard(
        &self,
        name: impl fmt::Display + Send + Sync + 'static,
    ) -> Result<WorkGuard, LeadershipLost> {
        self.check()?;
        let State { tasks, facts, .. } = &*self.state;
        tasks.join(facts.number, Arc::new(name)).ok_or_else(|| self.error())
    }

    /// Returns the time that led work has to stop in after a shutdown.
    pub fn grace_period(&self) -> Duration {
        self.state.facts.grace_period
    }

    /// Returns the annotations of the Lease as the leader before this one has left them.
    ///
    /// They include the annotations from its [`on_renew`](crate::LeaderElectorBuilder::on_renew).
    pub fn inherited_annotations(&self) -> &BTreeMap<String, String> {
        &self.state.facts.inherited
    }

    fn end(&self) -> Moment {
        Moment(self.state.last_end.load(SeqCst))
    }

    /// Returns the Lease and this candidate's identity.
    pub(crate) fn names(&self) -> (String, String) {
        let Facts { lease, identity, .. } = &self.state.facts;
        (lease.clone(), identity.clone())
    }

    fn error(&self) -> LeadershipLost {
        let (lease, identity) = self.names();
        LeadershipLost { lease, identity }
    }

    async fn reached(&self, phase: Phase) {
        let mut phases = self.state.phase.subscribe();
        loop {
            let now = *phases.borrow_and_update();
            if now == Phase::Over || now == phase || !self.is_valid() {
                return;
            }
            tokio::select! {
                biased; // both only lead to another look; the order is fixed for a simulation's sake
                () = self.state.timer.sleep_until(self.end()) => {} // perhaps it was moved on
                _ = phases.changed() => {}
            }
        }
    }
}

impl fmt::Debug for Leadership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { lease, identity, number, .. } = &self.state.facts;
        f.debug_struct("Leadership")
            .field("lease", lease)
            .field("identity", identity)
            .field("term", number)
            .field("remaining", &self.remaining())
            .finish()
    }
}

impl State {
    fn is_valid(&self) -> bool {
        loop {
            let end = Moment(self.valid_until.load(SeqCst));
            if self.timer.now() < end {
                return true;
            }
            // The end that is reported is made final first. Otherwise a renewal that was checked against
            // this end a moment earlier could move it on now, and the token would be valid again.
            if end == ENDED || self.valid_until.compare_exchange(end.0, ENDED.0, SeqCst, SeqCst).is_ok() {
                return false;
            }
        }
    }

    fn extend(&self, to: Moment) -> bool {
        loop {
            let end = Moment(self.valid_until.load(SeqCst));
            if self.timer.now() >= end {
                return false;
            }
            let to = end.max(to);
            if self.valid_until.compare_exchange(end.0, to.0, SeqCst, SeqCst).is_ok() {
                self.last_end.store(to.0, SeqCst);
                return true;
            }
        }
    }
}

/// One term of leadership, from the elector's side. Dropping it ends every token.
pub(crate) struct Term {
    token: Leadership,
}

impl Term {
    /// Creates a term that lasts until `valid_until`, if it is not extended.
    pub(crate) fn new(valid_until: Moment, timer: Timer, facts: Facts, tasks: Arc<Tasks>) -> Self {
        tasks.open(facts.number);
        let state = State {
            valid_until: AtomicU64::new(valid_until.0),
            last_end: AtomicU64::new(valid_until.0),
            phase: watch::Sender::new(Phase::Leading),
            timer,
            facts,
            tasks,
        };
        Self { token: Leadership { state: Arc::new(state) } }
    }

    pub(crate) fn token(&self) -> Leadership {
        self.token.clone()
    }

    /// Calls `lead`, and polls the future that it returns, with this term's token as the current one.
    pub(crate) fn scope<L, F>(&self, lead: L) -> impl Future<Output = F::Output> + use<L, F>
    where
        L: FnOnce(Leadership) -> F,
        F: Future,
    {
        let work = CURRENT.sync_scope(self.token(), || lead(self.token()));
        CURRENT.scope(self.token(), work)
    }

    pub(crate) fn valid_until(&self) -> Moment {
        self.token.end()
    }

    /// Extends the token. Returns `false` if the term is over: an end that a holder may have observed is final.
    #[must_use]
    pub(crate) fn extend(&self, valid_until: Moment) -> bool {
        self.token.state.extend(valid_until)
    }

    /// Asks the led work to stop, with the token still valid.
    pub(crate) fn ask_to_stop(&self) {
        self.token.state.phase.send_if_modified(|phase| {
            let leading = *phase == Phase::Leading;
            if leading {
                *phase = Phase::Stopping;
            }
            leading
        });
    }

    /// Makes every token invalid.
    pub(crate) fn revoke(&self) {
        let State { valid_until, last_end, phase, timer, .. } = &*self.token.state;
        valid_until.store(ENDED.0, SeqCst);
        last_end.fetch_min(timer.now().0, SeqCst);
        phase.send_replace(Phase::Over);
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.revoke();
        self.token.state.tasks.close();
    }
}

#[cfg(test)]
mod tests;
