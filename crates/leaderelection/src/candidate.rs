//! [`Candidate`]: acquires, renews and releases the lease. The waiting around the rules of `state`.

use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube_client::Client;
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tracing::{debug, warn};

use crate::{
    config::{Config, JITTER, OnNewLeader},
    leadership::Term,
    lease::{LeaseClient, RequestError},
    metrics::Metrics,
    observer::Shared,
    standing::{LOOK_EVERY, Standing},
    state::{Claim, Election},
};

pub(crate) struct Candidate {
    pub(crate) config: Config,
    pub(crate) shared: Arc<Shared>,
    pub(crate) metrics: Option<Metrics>,
    lease: LeaseClient,
    standing: Option<Standing>,
    on_new_leader: Option<OnNewLeader>,
    /// A write was sent of which nothing is known: the lease may be ours without our knowing.
    in_doubt: AtomicBool,
}

/// Why an attempt did not end with the lease in our hands.
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

/// How leadership was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No renewal succeeded in time. The others still wait for the lease to expire.
    Expired,
    /// The server prefers another holder. It waits for the lease to expire, like everybody else.
    EndOfTerm,
    /// The lease is not ours any more: somebody edited it, or deleted it and another was faster.
    Taken,
}

impl Candidate {
    pub(crate) fn new(client: Client, config: Config, on_new_leader: Option<OnNewLeader>) -> Self {
        let shared = Shared {
            election: Mutex::new(Election::new(&config)),
            leading: AtomicBool::new(false),
            lease: format!("{}/{}", config.namespace, config.name),
            identity: config.identity.clone(),
            lease_duration: config.lease_duration,
        };
        let standing = config.coordinated.as_ref();
        Self {
            metrics: config.metrics_name.as_deref().map(Metrics::new),
            standing: standing.map(|candidacy| Standing::new(client.clone(), &config, candidacy)),
            lease: LeaseClient::new(client, &config),
            shared: Arc::new(shared),
            config,
            on_new_leader,
            in_doubt: AtomicBool::new(false),
        }
    }

    /// Tries until the lease is ours. Returns the end of leadership if it is never renewed.
    pub(crate) async fn acquire(&self) -> Instant {
        let mut rng = self.config.seed.map_or_else(SmallRng::from_os_rng, SmallRng::seed_from_u64);
        loop {
            match self.attempt(false).await {
                Ok(sent) => {
                    let valid_until = sent + self.config.renew_deadline;
                    if Instant::now() < valid_until {
                        return valid_until;
                    }
                }
                Err(refused) => debug!(lease = self.shared.lease, ?refused, "not the leader"),
            }
            let pause = if self.is_coordinated().await {
                self.config.retry_period.min(LOOK_EVERY)
            } else {
                // Candidates that started together would otherwise meet at the server each time.
                self.config.retry_period.mul_f64(1.0 + JITTER * rng.random::<f64>())
            };
            sleep(pause).await;
        }
    }

    /// Does what has to be done beside the election for this candidate to be in it. Never returns.
    pub(crate) async fn stand(&self) -> Infallible {
        match &self.standing {
            Some(standing) => standing.keep().await,
            None => pending().await,
        }
    }

    async fn is_coordinated(&self) -> bool {
        match &self.standing {
            Some(standing) => standing.is_coordinated().await,
            None => false,
        }
    }

    /// Renews until that fails for too long, and moves the end of `term` on each time.
    pub(crate) async fn renew(&self, term: &Term) -> Lost {
        loop {
            let next = Instant::now() + self.config.retry_period;
            sleep_until(next.min(term.valid_until())).await;
            // Asked before the attempt, too: after a stall of the task both times are past, and
            // nothing may be sent for a term that is over.
            if Instant::now() >= term.valid_until() {
                return Lost::Expired;
            }
            match timeout_at(term.valid_until(), self.attempt(true)).await {
                Ok(Ok(sent)) if term.extend(sent + self.config.renew_deadline) => {}
                Ok(Ok(_)) | Err(_) => return Lost::Expired,
                Ok(Err(Refused::Held)) => return Lost::Taken,
                Ok(Err(Refused::EndOfTerm)) => return Lost::EndOfTerm,
                Ok(Err(Refused::Unknown(error))) => {
                    warn!(lease = self.shared.lease, error = &error as &dyn std::error::Error, "not renewed");
                }
            }
        }
    }

    /// One attempt to get or keep the lease. Returns the moment before the write that did it was sent.
    ///
    /// Who leads (`in_term`) does not *take* a lease that was found without its name: somebody else may
    /// have led meanwhile.
    async fn attempt(&self, in_term: bool) -> Result<Instant, Refused> {
        let coordinated = self.is_coordinated().await;
        // Bound before the `match`: a lock taken in its head would be held across the request.
        let renewal = self.shared.election.lock().renewal(Instant::now(), Timestamp::now());
        // What the server assigns is read first: it may prefer another holder, and to update a lease that
        // is gone can mean to create it (I5).
        if let Some(renewal) = renewal.filter(|_| !coordinated) {
            match self.write(self.lease.update(&renewal)).await {
                Ok(sent) => return Ok(sent),
                Err(error) => debug!(lease = self.shared.lease, %error, "reading the lease again"),
            }
        }
        let read = self.lease.get().await?;
        let found = read.is_some();
        if let Some(lease) = read {
            self.note(|election| election.read(lease, Instant::now()));
        }
        let claim = {
            let (election, now, wall) = (self.shared.election.lock(), Instant::now(), Timestamp::now());
            match (found, coordinated) {
                (true, true) => election.assignment(now, wall),
                (true, false) => election.claim(now, wall),
                (false, true) => Claim::Held, // I5
                (false, false) => election.claim_missing(now, wall),
            }
        };
        match claim {
            Claim::Renew(lease) => {
                self.metrics.iter().for_each(Metrics::slow_path);
                Ok(self.write(self.lease.update(&lease)).await?)
            }
            Claim::Take(lease) if !in_term => Ok(self.write(self.lease.update(&lease)).await?),
            Claim::Create(lease) => Ok(self.write(self.lease.create(&lease)).await?),
            Claim::Take(_) | Claim::Held => Err(Refused::Held),
            Claim::EndOfTerm => Err(Refused::EndOfTerm),
        }
    }

    /// Sends a write that makes the lease ours. Returns the moment before it was sent.
    async fn write(
        &self,
        request: impl Future<Output = Result<Lease, RequestError>>,
    ) -> Result<Instant, RequestError> {
        let sent = Instant::now();
        self.in_doubt.store(true, Ordering::SeqCst);
        let lease = request.await?;
        self.in_doubt.store(false, Ordering::SeqCst);
        self.note(|election| election.wrote(lease, sent));
        Ok(sent)
    }

    /// Gives the lease back, if the server says that it is ours. To be called after led work has ended.
    pub(crate) async fn release(&self) {
        match timeout(self.config.renew_deadline, self.try_release()).await {
            Ok(Ok(released)) => debug!(lease = self.shared.lease, released, "end of term"),
            Ok(Err(error)) => warn!(lease = self.shared.lease, %error, "not released: it will expire"),
            Err(_) => warn!(lease = self.shared.lease, "not released in time: it will expire"),
        }
    }

    /// Whether an unanswered write may have made the lease ours.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::SeqCst)
    }

    async fn try_release(&self) -> Result<bool, RequestError> {
        loop {
            // Read, not remembered: the lease may have a new holder, whose record must stay.
            let Some(lease) = self.lease.get().await? else {
                return Ok(false);
            };
            let released = self.shared.election.lock().release(&lease, Timestamp::now());
            let Some(released) = released else {
                return Ok(false);
            };
            let sent = Instant::now();
            match self.lease.update(&released).await {
                Ok(lease) => {
                    self.note(|election| election.wrote(lease, sent));
                    return Ok(true);
                }
                // A renewal that was cancelled may have arrived after all.
                Err(error) if error.is_conflict() => sleep(Duration::from_millis(50)).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Changes what is known, and tells of a new holder; not under the lock, since that is foreign code.
    fn note(&self, learn: impl FnOnce(&mut Election) -> Option<String>) {
        let new_holder = learn(&mut self.shared.election.lock());
        if let (Some(holder), Some(tell)) = (new_holder, &self.on_new_leader) {
            tell(&holder);
        }
    }
}
