//! [`LeaderElector`]: terms of leadership, one after the other.

use std::{
    fmt,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
};

use futures_util::{
    FutureExt,
    future::{Fuse, FusedFuture},
};
use kube_client::Client;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::info;

use crate::{
    Leadership, Observer, Outcome,
    candidate::{Candidate, Lost},
    config::{Config, LeaderElectorBuilder, OnNewLeader},
    leadership::Term,
};

/// Stands for election, and runs work while it is the leader.
///
/// Nothing is spawned: renewing and the led work share the task that awaits [`run`](Self::run). Work
/// that blocks its thread therefore also keeps the lease from being renewed, and loses it; work that
/// is heavy spawns tasks and gives each a clone of the [`Leadership`] token.
pub struct LeaderElector {
    candidate: Candidate,
}

impl LeaderElector {
    /// Settings for an election over the Lease `name` in `namespace`, with the durations of
    /// Kubernetes' own components.
    ///
    /// The Lease is created when it is missing; this takes the verbs get, create and update on
    /// `leases.coordination.k8s.io`.
    pub fn builder(
        client: Client,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> LeaderElectorBuilder {
        LeaderElectorBuilder::new(client, namespace.into(), name.into())
    }

    pub(crate) fn new(client: Client, config: Config, on_new_leader: Option<OnNewLeader>) -> Self {
        Self { candidate: Candidate::new(client, config, on_new_leader) }
    }

    /// A handle for health checks and diagnostics.
    pub fn observer(&self) -> Observer {
        Observer { shared: Arc::clone(&self.candidate.shared) }
    }

    /// Waits for leadership, runs what `lead` returns, and ends with it: one term.
    ///
    /// - When `shutdown` completes, [`Leadership::lost`] completes, and the work has the grace period
    ///   to return; the lease is still renewed meanwhile.
    /// - When the lease cannot be renewed in time, the token ends, `lost` completes, and the work has
    ///   half of what is left of the lease to return.
    /// - When the lease turns out to be another's, the work is dropped at once.
    /// - When the server prefers another holder, in a
    ///   [coordinated](LeaderElectorBuilder::coordinated) election, the lease is not renewed any more
    ///   and `lost` completes. The token stays valid for what is left of it, and the work has
    ///   half of what is left of the lease after that to return.
    ///
    /// Work that has not returned in time is dropped, so that none is left when another candidate can
    /// take the lease. What it has spawned must end itself, by the token. Only then is the lease
    /// released, if that was asked for.
    ///
    /// Errors of the server are retried and logged, never returned: without an answer this candidate
    /// is not the leader, and stays a candidate.
    ///
    /// # Cancel safety
    ///
    /// Dropped early, the led work is dropped and every token ends at once. The lease is not released;
    /// it expires.
    pub async fn run<T, F>(
        &mut self,
        shutdown: impl Future<Output = ()>,
        lead: impl FnOnce(Leadership) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = T>,
    {
        let shutdown = pin!(shutdown.fuse());
        self.stand(self.term(shutdown, lead)).await
    }

    /// Like [`run`](Self::run), but stands for election again each time the lease was lost.
    ///
    /// Returns how the last term ended: with the led work's own return, or with `shutdown`.
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
        self.stand(terms).await
    }

    /// Awaits `terms`, and meanwhile does what it takes to be a candidate.
    async fn stand<T>(&self, terms: impl Future<Output = T>) -> T {
        tokio::select! {
            biased; // no request after a shutdown
            outcome = terms => outcome,
            never = self.candidate.stand() => match never {},
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
        info!(lease = shared.lease, identity = shared.identity, "became leader");
        let (outcome, lost) = {
            let _leading = Leading::start(&self.candidate);
            let term = Term::new(valid_until);
            let led = lead(term.token());
            self.lead(&term, shutdown, led).await
        }; // the work has returned or was dropped, and every token has ended
        info!(lease = shared.lease, identity = shared.identity, "stopped leading");
        if config.release_on_cancel && matches!(lost, None | Some(Lost::EndOfTerm)) {
            self.candidate.release().await;
        }
        outcome
    }

    /// Runs `led` until it returns or must not run any more. It is dropped when this returns. Also tells
    /// how the lease was lost, if it was.
    async fn lead<T>(
        &self,
        term: &Term,
        mut shutdown: Pin<&mut Fuse<impl Future<Output = ()>>>,
        led: impl Future<Output = T>,
    ) -> (Outcome<T>, Option<Lost>) {
        let mut led = pin!(led);
        let mut renewing = pin!(self.candidate.renew(term));
        let lost = tokio::select! {
            biased; // first what keeps the work safe, then the work, however busy it is
            lost = &mut renewing => lost,
            () = &mut shutdown => {
                term.ask_to_end();
                tokio::select! {
                    biased;
                    lost = &mut renewing => lost,
                    output = &mut led => return (Outcome::ShutDown(Some(output)), None),
                    () = sleep(self.candidate.config.grace) => return (Outcome::ShutDown(None), None),
                }
            }
            output = &mut led => return (Outcome::Finished(output), None),
        };
        match lost {
            Lost::EndOfTerm => term.ask_to_end(), // ours until it lapses
            Lost::Expired | Lost::Taken => term.revoke(),
        }
        let output = timeout_at(self.drop_work_at(lost, term), led).await.ok();
        (Outcome::Lost(output), Some(lost))
    }

    /// When led work must have ended after a loss.
    fn drop_work_at(&self, lost: Lost, term: &Term) -> Instant {
        let Config { lease_duration, renew_deadline, .. } = self.candidate.config;
        match lost {
            // `valid_until` is the last renewal's sending and the renew deadline, so the others wait for
            // at least `lease_duration - renew_deadline` from there. Half of it is for clocks that
            // run fast.
            Lost::Expired | Lost::EndOfTerm => term.valid_until() + (lease_duration - renew_deadline) / 2,
            Lost::Taken => Instant::now(),
        }
    }
}

impl fmt::Debug for LeaderElector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaderElector").field("config", &self.candidate.config).finish_non_exhaustive()
    }
}

/// Says that led work runs, until it is dropped.
struct Leading<'a>(&'a Candidate);

impl<'a> Leading<'a> {
    fn start(candidate: &'a Candidate) -> Self {
        let leading = Self(candidate);
        leading.say(true);
        leading
    }

    fn say(&self, leads: bool) {
        self.0.shared.leading.store(leads, Ordering::SeqCst);
        self.0.metrics.iter().for_each(|metrics| metrics.leads(leads));
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.say(false);
    }
}
