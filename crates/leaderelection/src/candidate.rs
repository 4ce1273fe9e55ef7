//! [`Candidate`]: acquires, renews and releases the Lease. The requests around the rules of `state`.

mod rest;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use kube_client::Client;
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tracing::{debug, warn};

use crate::{
    clock::{Moment, Timer},
    config::{Config, JITTER},
    hooks::Hooks,
    leadership::Term,
    lease::{LeaseClient, Reason, Record, RequestError},
    lease_watch::LeaseWatch,
    metrics::Metrics,
    observer::Shared,
    renewal::{POLL_INTERVAL, Renewal},
    rules::Rule,
    state::{Claim, Election, Labels},
};

/// Candidates that wake when a Lease expires, or is released, are spread over this time.
const EXPIRY_JITTER: Duration = Duration::from_millis(50);

pub(crate) struct Candidate {
    pub(crate) config: Config,
    pub(crate) shared: Arc<Shared>,
    pub(crate) metrics: Option<Metrics>,
    pub(crate) hooks: Hooks,
    pub(crate) timer: Timer,
    lease: LeaseClient,
    renewal: Option<Box<Renewal>>,
    /// Whether the outcome of a write is unknown, so that the Lease may be ours.
    in_doubt: AtomicBool,
    /// Why the last attempt failed, so that the log says it once.
    failing: Mutex<Option<Reason>>,
    /// The annotations of the Lease as the last leader left them.
    inherited: Mutex<BTreeMap<String, String>>,
}

/// Why an attempt did not end with the Lease in our hands.
#[derive(Debug)]
enum Refused {
    /// Another candidate holds it, or may have held it since our term began.
    Held,
    /// It is ours, but is to lapse.
    EndOfTerm,
    /// The server did not say; the next attempt may.
    Unknown(RequestError),
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self::Unknown(error)
    }
}

/// The reason for the loss of leadership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No renewal succeeded in time. The others still wait for the Lease to expire.
    Expired,
    /// The server prefers another holder. It waits for the Lease to expire, like the candidates.
    EndOfTerm,
    /// The Lease is not ours any more: it was edited, or deleted and taken by another candidate.
    Taken,
}

impl Candidate {
    pub(crate) fn new(client: Client, config: Config, hooks: Hooks, timer: Timer) -> Self {
        let coordinated = config.coordinated.as_ref();
        Self {
            metrics: config.metrics_name.as_deref().map(Metrics::new),
            renewal: coordinated
                .map(|candidacy| Renewal::new(client.clone(), &config, candidacy, timer.clone()).into()),
            lease: LeaseClient::new(client, &config, timer.clone()),
            shared: Arc::new(Shared::new(&config, timer.clone())),
            in_doubt: AtomicBool::new(false),
            failing: Mutex::new(None),
            inherited: Mutex::default(),
            config,
            hooks,
            timer,
        }
    }

    /// Tries until the Lease is ours. Returns the end of leadership if it is never renewed.
    pub(crate) async fn acquire(&self) -> Moment {
        let mut rng = self.config.seed.map_or_else(SmallRng::from_os_rng, SmallRng::seed_from_u64);
        let mut watch = LeaseWatch::new(self.config.retry_period);
        loop {
            // On the heap: a candidate rests for nearly all of its time, and must be small then.
            match Box::pin(self.attempt(false)).await {
                Ok(sent) => {
                    let valid_until = sent.plus(self.config.renew_deadline);
                    if self.timer.now() < valid_until {
                        return valid_until;
                    }
                }
                Err(Refused::Unknown(error)) => self.report(&error, "acquiring the Lease failed"),
                Err(refused) => debug!(lease = self.shared.lease, ?refused, "not the leader"),
            }
            let pause = if self.is_coordinated().await {
                self.config.retry_period.min(POLL_INTERVAL)
            } else {
                // Candidates that started together would otherwise meet at the server each time.
                self.config.retry_period.mul_f64(1.0 + JITTER * rng.random::<f64>())
            };
            self.rest(pause, EXPIRY_JITTER.mul_f64(rng.random()), &mut watch).await;
        }
    }

    /// Keeps the `LeaseCandidate` of a coordinated election renewed. Never returns.
    pub(crate) async fn renew_candidate(&self) -> Infallible {
        match &self.renewal {
            Some(renewal) => Box::pin(renewal.run()).await,
            None => pending().await,
        }
    }

    async fn is_coordinated(&self) -> bool {
        match &self.renewal {
            Some(renewal) => renewal.is_coordinated().await,
            None => false,
        }
    }

    /// Returns the annotations of the Lease as the last leader left them.
    pub(crate) fn inherited(&self) -> BTreeMap<String, String> {
        self.inherited.lock().clone()
    }

    /// Renews until that fails for too long, and moves the end of `term` on each time.
    pub(crate) async fn renew(&self, term: &Term) -> Lost {
        loop {
            let next = self.timer.now().plus(self.config.retry_period);
            self.timer.sleep_until(next.min(term.valid_until())).await;
            // Asked before the attempt, too: after a stall of the task both times are past, and
            // nothing may be sent for a term that is over.
            if self.timer.now() >= term.valid_until() {
                return self.expired();
            }
            let remaining = term.valid_until().since(self.timer.now());
            match self.timer.timeout_at(term.valid_until(), Box::pin(self.attempt(true))).await {
                Some(Ok(sent)) if term.extend(sent.plus(self.config.renew_deadline)) => {
                    let took = self.timer.now().since(sent);
                    self.metrics.iter().for_each(|metrics| metrics.renewed(took, remaining));
                }
                Some(Ok(_)) | None => return self.expired(),
                Some(Err(Refused::Held)) => {
                    let holder = self.shared.election.lock().holder();
                    warn!(
                        lease = self.shared.lease,
                        holder, "the Lease has another holder: leadership is lost"
                    );
                    return Lost::Taken;
                }
                Some(Err(Refused::EndOfTerm)) => return Lost::EndOfTerm,
                Some(Err(Refused::Unknown(error))) => self.report(&error, "renewing the Lease failed"),
            }
        }
    }

    fn expired(&self) -> Lost {
        warn!(lease = self.shared.lease, "no renewal succeeded in time: leadership is lost");
        Lost::Expired
    }

    /// Makes one attempt to get or keep the Lease. Returns the moment before the write that did it
    /// was sent.
    ///
    /// A leader (`in_term`) does not *take* a Lease without its name: another candidate may have led
    /// meanwhile.
    async fn attempt(&self, in_term: bool) -> Result<Moment, Refused> {
        let coordinated = self.is_coordinated().await;
        let labels = Labels { wall: self.timer.wall(), annotations: self.hooks.annotations() };
        // Bound before the `match`: a lock taken in its head would be held across the request.
        let renewal = self.shared.election.lock().renewal(self.timer.now(), &labels);
        // In a coordinated election the Lease is read first: the server may prefer another holder, and an update
        // can create a Lease that is gone (I5).
        if let Some(renewal) = renewal.filter(|_| !coordinated) {
            match self.write(self.lease.update(&renewal)).await {
                Ok(sent) => return Ok(sent),
                Err(error) => self.report(&error, "renewing the Lease failed, so it is read again"),
            }
        }
        let read = self.lease.get().await?;
        let found = read.is_some();
        if let Some(lease) = read {
            if !in_term {
                self.inherited.lock().clone_from(lease.annotations());
            }
            self.note(|election| election.read(lease.into(), self.timer.now()));
        }
        let claim = {
            let (election, now) = (self.shared.election.lock(), self.timer.now());
            match (found, coordinated) {
                (true, true) => election.assignment(now, &labels),
                (true, false) => election.claim(now, &labels),
                (false, true) => Claim::Held, // I5
                (false, false) => election.claim_missing(now, &labels),
            }
        };
        match claim {
            Claim::Renew(lease) => {
                self.metrics.iter().for_each(Metrics::slow_path);
                Ok(self.write(self.lease.update(&lease)).await?)
            }
            Claim::Take(lease) if !in_term => Ok(self.write(self.lease.update(&lease)).await?),
            Claim::Create(lease) => Ok(self.write(self.lease.create(&lease)).await?),
            Claim::Take(_) | Claim::Held => {
                self.shared.election.lock().forget_text();
                Err(Refused::Held)
            }
            Claim::EndOfTerm => Err(Refused::EndOfTerm),
        }
    }

    /// Sends a write that makes the Lease ours. Returns the moment before it was sent.
    ///
    /// The token's end counts from that moment. Others learn of the write later than that, so they wait for
    /// longer than the token lasts, even if the response took its time.
    async fn write(
        &self,
        request: impl Future<Output = Result<Record, RequestError>>,
    ) -> Result<Moment, RequestError> {
        let sent = self.timer.now();
        self.in_doubt.store(true, SeqCst);
        let lease = request.await?;
        let sent = if self.config.rules.keep(Rule::DeadlineBeforeSend) { sent } else { self.timer.now() };
        self.in_doubt.store(false, SeqCst);
        self.note(|election| election.wrote(lease.into(), sent));
        if self.failing.lock().take().is_some() {
            tracing::info!(lease = self.shared.lease, "the Lease can be written again");
        }
        Ok(sent)
    }

    /// Gives the Lease back, if the server says that it is ours. To be called after led work has ended.
    pub(crate) async fn release(&self) {
        match self.timer.timeout(self.config.renew_deadline, Box::pin(self.try_release())).await {
            Some(Ok(released)) => debug!(lease = self.shared.lease, released, "end of term"),
            Some(Err(error)) => warn!(
                lease = self.shared.lease,
                error = &error as &dyn std::error::Error,
                "the Lease was not released: it will expire"
            ),
            None => warn!(lease = self.shared.lease, "the Lease was not released in time: it will expire"),
        }
    }

    /// Returns whether a write without a response may have made the Lease ours.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(SeqCst)
    }

    async fn try_release(&self) -> Result<bool, RequestError> {
        loop {
            // Read, not remembered: the Lease may have a new holder, whose record must stay.
            let Some(lease) = self.lease.get().await? else {
                return Ok(false);
            };
            let released = self.shared.election.lock().release(&lease, self.timer.wall());
            let Some(released) = released else {
                return Ok(false);
            };
            let sent = self.timer.now();
            match self.lease.update(&released).await {
                Ok(lease) => {
                    self.note(|election| election.wrote(lease.into(), sent));
                    return Ok(true);
                }
                // A renewal that was cancelled may have arrived after all.
                Err(error) if error.reason() == Reason::Conflict => {
                    self.timer.sleep(Duration::from_millis(50)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Logs why an attempt failed: as a warning if the reason is another than before.
    fn report(&self, error: &RequestError, what: &'static str) {
        let (lease, identity, reason) = (&self.shared.lease, &self.shared.identity, error.reason());
        let known = self.failing.lock().replace(reason) == Some(reason);
        let error = error as &dyn std::error::Error;
        if known {
            debug!(lease, identity, error, "{what}");
        } else {
            warn!(lease, identity, error, "{what}");
        }
    }

    /// Updates the known state and reports a new holder. The hook is called without the lock, as it is foreign code.
    fn note(&self, learn: impl FnOnce(&mut Election) -> Option<String>) {
        if let Some(holder) = self.shared.note(learn) {
            self.hooks.new_leader(&holder);
        }
    }
}
