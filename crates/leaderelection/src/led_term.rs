//! [`LedTerm`]: a term from the acquired Lease to the end of its led work.

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering::SeqCst},
};

use k8s_openapi::api::core::v1::ObjectReference;
use tracing::{error, info, warn};

use crate::{
    Leadership, Outcome,
    candidate::{Candidate, Lost},
    clock::Moment,
    config::Config,
    event::LeaderEvent,
    leadership::{Facts, Term},
    rules::Rule,
    work::Tasks,
};

/// A term. While it exists, this process is the leader for metrics, observers and the fence.
pub(crate) struct LedTerm<'a> {
    candidate: &'a Candidate,
    tasks: &'a Arc<Tasks>,
    term: Term,
}

/// The led work of a term: a future, and the tasks that hold guards.
struct Work<'a, F: Future> {
    future: Option<Pin<Box<F>>>,
    output: Option<F::Output>,
    tasks: &'a Tasks,
}

/// Why led work has to end.
enum Cause {
    Lost(Lost),
    ShutDown,
    Returned,
}

impl<'a> LedTerm<'a> {
    pub(crate) fn begin(candidate: &'a Candidate, tasks: &'a Arc<Tasks>, valid_until: Moment) -> Self {
        let Candidate { config, shared, timer, .. } = candidate;
        let facts = Facts {
            lease: shared.lease.clone(),
            identity: shared.identity.clone(),
            number: shared.terms.fetch_add(1, SeqCst),
            grace_period: config.grace_period,
            inherited: candidate.inherited(),
        };
        let term = Term::new(valid_until, timer.clone(), facts, Arc::clone(tasks));
        let begun = Self { candidate, tasks, term };
        info!(lease = shared.lease, identity = shared.identity, "became leader");
        begun.leads(true);
        begun
    }

    /// Runs led work until it has ended, or has to be given up. Also returns how the Lease was lost, if it was.
    pub(crate) async fn run<T, F>(
        &self,
        mut shutdown: impl Future<Output = ()> + Unpin,
        lead: impl FnOnce(Leadership) -> F,
    ) -> (Outcome<T>, Option<Lost>)
    where
        F: Future<Output = T>,
    {
        let Self { candidate, tasks, term } = self;
        let future = Some(Box::pin(term.scope(lead)));
        let mut work = Work { future, output: None, tasks };
        let (cause, lost) = {
            let mut renewing = std::pin::pin!(candidate.renew(term));
            let cause = tokio::select! {
                biased; // first what keeps the work safe, then the work, however busy it is
                lost = &mut renewing => Cause::Lost(lost),
                () = &mut shutdown => Cause::ShutDown,
                () = work.returned() => Cause::Returned,
            };
            let lost = match cause {
                Cause::Lost(lost) => Some(lost),
                Cause::ShutDown | Cause::Returned => {
                    term.ask_to_stop();
                    if !candidate.config.rules.keep(Rule::JoinBeforeRelease) {
                        candidate.release().await;
                    }
                    tokio::select! {
                        biased;
                        lost = &mut renewing => Some(lost),
                        () = work.ended() => None,
                        () = candidate.timer.sleep(candidate.config.grace_period) => None,
                    }
                }
            };
            (cause, lost)
        }; // no renewal from here on
        let unfinished = self.end(&mut work, lost).await;
        let output = work.output.take();
        let outcome = match (cause, output) {
            (_, output) if !unfinished.is_empty() => Outcome::Unfinished { output, tasks: unfinished },
            (Cause::Returned, Some(output)) => Outcome::Finished(output),
            (_, output) if lost.is_some() => Outcome::Lost(output),
            (_, output) => Outcome::ShutDown(output),
        };
        (outcome, lost)
    }

    /// Ends led work, by force if it takes too long. Returns the names of the tasks that do not end.
    async fn end<F: Future>(&self, work: &mut Work<'_, F>, lost: Option<Lost>) -> Vec<String> {
        let Self { candidate, tasks, term } = self;
        let (timer, margin, now) = (&candidate.timer, candidate.config.margin(), candidate.timer.now());
        // `valid_until` is the last renewal's sending and the renew deadline, so the others wait for at
        // least the margin from there. A quarter of it is left for clocks that run fast.
        let (drop_at, give_up_at) = match lost {
            None => (now, term.valid_until().plus(margin / 4 * 3)),
            Some(Lost::Expired | Lost::EndOfTerm) => {
                (term.valid_until().plus(margin / 2), term.valid_until().plus(margin / 4 * 3))
            }
            Some(Lost::Taken) => (now, now.plus(margin / 4)),
        };
        match lost {
            None => {}
            Some(Lost::EndOfTerm) => term.ask_to_stop(), // the Lease is ours until it lapses
            Some(Lost::Expired | Lost::Taken) => term.revoke(),
        }
        let Config { grace_period, .. } = candidate.config;
        if timer.timeout_at(drop_at, work.ended()).await.is_none() {
            let names = tasks.names();
            warn!(lease = candidate.shared.lease, ?grace_period, tasks = ?names, "led work is dropped");
            term.revoke();
            work.future = None;
            if timer.timeout_at(give_up_at, tasks.ended()).await.is_none() {
                let names = tasks.names();
                error!(
                    lease = candidate.shared.lease,
                    tasks = ?names,
                    "led work does not end: the Lease is not released, and the process must exit"
                );
                return names;
            }
        }
        Vec::new()
    }

    fn leads(&self, leads: bool) {
        let Candidate { shared, metrics, hooks, .. } = self.candidate;
        *shared.current.lock() = leads.then(|| self.term.token());
        metrics.iter().for_each(|metrics| metrics.leads(leads));
        hooks.event(|| {
            let election = shared.election.lock();
            let (uid, version) = match election.lease() {
                Some(lease) => (lease.uid(), lease.version()),
                None => (None, None),
            };
            LeaderEvent {
                became_leader: leads,
                identity: shared.identity.clone(),
                lease: ObjectReference {
                    api_version: Some("coordination.k8s.io/v1".into()),
                    kind: Some("Lease".into()),
                    namespace: Some(self.candidate.config.namespace.clone()),
                    name: Some(self.candidate.config.name.clone()),
                    uid: uid.map(Into::into),
                    resource_version: version.map(Into::into),
                    ..ObjectReference::default()
                },
            }
        });
    }
}

impl Drop for LedTerm<'_> {
    fn drop(&mut self) {
        self.term.revoke();
        self.leads(false);
        let shared = &self.candidate.shared;
        info!(lease = shared.lease, identity = shared.identity, "stopped leading");
    }
}

impl<F: Future> Work<'_, F> {
    /// Waits until the future has returned.
    async fn returned(&mut self) {
        if let Some(future) = &mut self.future {
            self.output = Some(future.await);
            self.future = None;
        }
    }

    /// Waits until the future has returned, and every guard is gone.
    async fn ended(&mut self) {
        self.returned().await;
        self.tasks.ended().await;
    }
}
