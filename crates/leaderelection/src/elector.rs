//! [`LeaderElector`]: terms of leadership, one after the other.

use std::{
    fmt,
    pin::{Pin, pin},
    sync::Arc,
};

use futures_util::{
    FutureExt,
    future::{Fuse, FusedFuture},
};
use kube_client::Client;
use tracing::warn;

use crate::{
    Leadership, Observer, Outcome,
    candidate::{Candidate, Lost},
    clock::Timer,
    config::Config,
    fence::FenceLayer,
    hooks::Hooks,
    led_term::LedTerm,
    work::Tasks,
};

/// Stands for election, and runs work while it is the leader.
///
/// Nothing is spawned: renewing and the led work share the task that awaits [`run`](Self::run). Work
/// that blocks its thread therefore also keeps the Lease from being renewed, and loses it. Heavy work
/// spawns tasks, each with a [`WorkGuard`](crate::WorkGuard) and a clone of the [`Leadership`] token.
pub struct LeaderElector {
    candidate: Candidate,
    tasks: Arc<Tasks>,
}

impl LeaderElector {
    pub(crate) fn new(client: Client, config: Config, hooks: Hooks, timer: Timer) -> Self {
        let candidate = Candidate::new(client, config, hooks, timer);
        Self { candidate, tasks: Arc::new(Tasks::default()) }
    }

    /// Returns a handle for health checks and diagnostics.
    pub fn observer(&self) -> Observer {
        Observer { shared: Arc::clone(&self.candidate.shared) }
    }

    /// Returns a client layer that refuses writes while this elector does not lead.
    pub fn fence(&self) -> FenceLayer {
        FenceLayer::of_elector(Arc::clone(&self.candidate.shared))
    }

    /// Waits for leadership, runs the future that `lead` returns, and ends with it: one term.
    ///
    /// Led work is that future and every task that holds a [`WorkGuard`](crate::WorkGuard) of the term.
    ///
    /// - When the future returns, or when `shutdown` completes, [`Leadership::lost`] completes, and the
    ///   rest of the led work has the grace period to end. The Lease is still renewed meanwhile.
    /// - When the Lease cannot be renewed in time, the token ends, `lost` completes, and the led work has
    ///   half of the rest of the Lease to end.
    /// - When the Lease turns out to have another holder, the work is dropped at once.
    /// - When the server prefers another holder, in a
    ///   [coordinated](crate::LeaderElectorBuilder::coordinated) election, the Lease is not renewed any more
    ///   and `lost` completes. The token stays valid until its end, and the led work has
    ///   half of the rest of the Lease after that to end.
    ///
    /// A future that has not returned in time is dropped, so that none is left when another candidate can
    /// take the Lease. After that the Lease is released, if that was asked for.
    ///
    /// A task that still holds its guard cannot be ended from outside: it blocks its thread. If it does not
    /// end in another quarter of the difference of lease duration and renew deadline, the log names it,
    /// the Lease is **not** released, and the outcome is [`Outcome::Unfinished`]. The process must exit then, as
    /// upstream does. While such a task exists, another run of this elector waits.
    ///
    /// Errors of the server are retried and logged, never returned: without a response this candidate
    /// is not the leader, and stays a candidate.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the led future is dropped and every token ends at once. The Lease is not released;
    /// it expires. Tasks with guards are not awaited, but the next run waits for them.
    pub async fn run<T, F>(
        &mut self,
        shutdown: impl Future<Output = ()>,
        lead: impl FnOnce(Leadership) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = T>,
    {
        let shutdown = pin!(shutdown.fuse());
        self.beside_candidacy(pin!(self.term(shutdown, lead))).await
    }

    /// Like [`run`](Self::run), but stands for election again each time the Lease was lost.
    ///
    /// Returns the outcome of the last term: the led work has returned, or `shutdown` has completed, or
    /// tasks did not end.
    ///
    /// # Cancel safety
    ///
    /// As [`run`](Self::run).
    pub async fn run_terms<T, F>(
        &mut self,
        shutdown: impl Future<Output = ()>,
        mut lead: impl FnMut(Leadership) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = T>,
    {
        let mut shutdown = pin!(shutdown.fuse());
        let terms = async {
            loop {
                match self.term(shutdown.as_mut(), &mut lead).await {
                    Outcome::Lost(_) if !shutdown.is_terminated() => {}
                    outcome => return outcome,
                }
            }
        };
        self.beside_candidacy(pin!(terms)).await
    }

    /// Awaits `terms`, and meanwhile keeps the `LeaseCandidate` of a coordinated election renewed.
    ///
    /// `terms` is borrowed: a future that is handed over by value takes its memory twice.
    async fn beside_candidacy<T>(&self, terms: Pin<&mut impl Future<Output = T>>) -> T {
        tokio::select! {
            biased; // no request after a shutdown
            outcome = terms => outcome,
            never = self.candidate.renew_candidate() => match never {},
        }
    }

    async fn term<T, F>(
        &self,
        mut shutdown: Pin<&mut Fuse<impl Future<Output = ()>>>,
        lead: impl FnOnce(Leadership) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = T>,
    {
        let Candidate { config, shared, .. } = &self.candidate;
        if !self.tasks.is_empty() {
            let tasks = self.tasks.names();
            warn!(lease = shared.lease, ?tasks, "tasks of an earlier term are running: not a candidate");
            tokio::select! {
                biased;
                () = &mut shutdown => return Outcome::Unfinished { output: None, tasks: self.tasks.names() },
                () = self.tasks.ended() => {}
            }
        }
        let valid_until = tokio::select! {
            biased; // no request after a shutdown
            () = &mut shutdown => {
                if config.release_on_cancel && self.candidate.is_in_doubt() {
                    self.candidate.release().await;
                }
                return Outcome::NeverLed;
            }
            valid_until = self.candidate.acquire() => valid_until,
        };
        let term = LedTerm::begin(&self.candidate, &self.tasks, valid_until);
        let (outcome, lost) = Box::pin(term.run(shutdown, lead)).await; // followers need no memory for it
        drop(term); // the token has ended, and the process does not lead any more
        let finished = !matches!(outcome, Outcome::Unfinished { .. });
        if finished && config.release_on_cancel && matches!(lost, None | Some(Lost::EndOfTerm)) {
            self.candidate.release().await;
        }
        outcome
    }
}

impl fmt::Debug for LeaderElector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderElector").field("config", &self.candidate.config).finish_non_exhaustive()
    }
}
