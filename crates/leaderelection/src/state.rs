//! The rules of an election, as a plain value: who holds the lease as far as this candidate knows, and
//! what it may write. No lock, no clock, no request.
//!
//! - I1: only local times are compared. `renewTime` and `acquireTime` are labels for people.
//! - I2: a foreign lease is expired once the duration that *its holder* wrote has passed since this
//!   candidate learned of its last change.
//! - I3: any new resource version is a change, even if nothing else differs.
//! - I4: what is written builds on the state that was observed, resource version included, so that the
//!   server refuses it when anybody wrote in between.
//! - I5: a lease that the server assigns is only ever renewed: not created, not taken, not revived after
//!   it has expired, and not kept once the server prefers another holder.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use tokio::time::Instant;

use crate::config::Config;

/// What one candidate knows.
#[derive(Debug)]
pub(crate) struct Election {
    identity: String,
    duration_seconds: i32,
    labels: BTreeMap<String, String>,
    name: String,
    namespace: String,
    observed: Option<Observed>,
}

#[derive(Debug)]
struct Observed {
    lease: Lease,
    /// When this candidate learned of it; of its own writes, when it sent them.
    at: Instant,
}

/// What a candidate may do about a lease that it has read.
#[derive(Debug, PartialEq)]
pub(crate) enum Claim {
    /// The lease is, or was, its own: write this to keep it.
    Renew(Lease),
    /// Nobody holds it: write this to take it.
    Take(Lease),
    /// There is no lease: create this.
    Create(Lease),
    /// Another candidate holds it, as far as is known, or the server has yet to assign it.
    Held,
    /// It is ours, and is to lapse: the server prefers another holder.
    EndOfTerm,
}

impl Election {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            identity: config.identity.clone(),
            duration_seconds: config.lease_duration_seconds(),
            labels: config.labels.clone(),
            name: config.name.clone(),
            namespace: config.namespace.clone(),
            observed: None,
        }
    }

    /// Takes note of the lease as it was read; `now` is a moment after the reply came. Returns the
    /// holder if it is another than before.
    ///
    /// A moment before the request was sent would not do: the holder may have renewed in between, and
    /// its lease would seem to expire before its time.
    pub(crate) fn read(&mut self, lease: Lease, now: Instant) -> Option<String> {
        let known = self.observed.as_ref().map(|observed| version(&observed.lease));
        if known == Some(version(&lease)) {
            return None; // unchanged, so the time of the last change stays (I2, I3)
        }
        self.observe(lease, now)
    }

    /// Takes note of the lease as this candidate wrote it, with a request sent at `sent`. Returns the
    /// holder if it is another than before.
    pub(crate) fn wrote(&mut self, lease: Lease, sent: Instant) -> Option<String> {
        self.observe(lease, sent)
    }

    fn observe(&mut self, lease: Lease, at: Instant) -> Option<String> {
        let holder = holder(&lease).to_owned();
        let changed = self.holder() != Some(&holder);
        self.observed = Some(Observed { lease, at });
        changed.then_some(holder)
    }

    /// The holder as far as is known; empty if nobody holds the lease.
    pub(crate) fn holder(&self) -> Option<&str> {
        Some(holder(&self.observed.as_ref()?.lease))
    }

    /// For how long nothing about the lease has changed, as far as is known.
    pub(crate) fn unchanged_for(&self, now: Instant) -> Option<Duration> {
        Some(now.saturating_duration_since(self.observed.as_ref()?.at))
    }

    /// The renewal that may be sent without reading the lease first: it is ours and has not expired.
    pub(crate) fn renewal(&self, now: Instant, wall: Timestamp) -> Option<Lease> {
        let observed = self.observed.as_ref()?;
        (holder(&observed.lease) == self.identity && !observed.expired(now))
            .then(|| self.held(&observed.lease, wall, false))
    }

    /// What to do about the lease that was read last.
    pub(crate) fn claim(&self, now: Instant, wall: Timestamp) -> Claim {
        let Some(observed) = &self.observed else {
            return Claim::Create(self.held(&Lease::default(), wall, false));
        };
        match holder(&observed.lease) {
            own if own == self.identity => Claim::Renew(self.held(&observed.lease, wall, false)),
            other if !other.is_empty() && !observed.expired(now) => Claim::Held,
            _ => Claim::Take(self.held(&observed.lease, wall, true)),
        }
    }

    /// What to do about the lease that was read last, if the server assigns it (I5).
    pub(crate) fn assignment(&self, now: Instant, wall: Timestamp) -> Claim {
        match &self.observed {
            Some(Observed { lease, .. }) if holder(lease) != self.identity => Claim::Held,
            Some(observed) if observed.expired(now) => Claim::Held,
            Some(Observed { lease, .. }) if prefers_another(lease) => Claim::EndOfTerm,
            Some(Observed { lease, .. }) => Claim::Renew(self.held(lease, wall, false)),
            None => Claim::Held,
        }
    }

    /// What to do about a lease that is not there.
    ///
    /// Whoever deleted it did not stop its holder, who may act until it finds out. So a lease that was
    /// seen alive is waited for, as if it were still there.
    pub(crate) fn claim_missing(&self, now: Instant, wall: Timestamp) -> Claim {
        match &self.observed {
            Some(Observed { lease, .. }) if [self.identity.as_str(), ""].contains(&holder(lease)) => {}
            Some(observed) if !observed.expired(now) => return Claim::Held,
            _ => {}
        }
        Claim::Create(self.held(&Lease::default(), wall, false))
    }

    /// What to write to give `lease` back, which was read just now; `None` if it is not ours to give.
    pub(crate) fn release(&self, lease: &Lease, wall: Timestamp) -> Option<Lease> {
        if holder(lease) != self.identity {
            return None;
        }
        let mut lease = lease.clone();
        let spec = lease.spec.get_or_insert_default();
        // Empty, as client-go writes it, not missing: where there are candidates for a lease without the
        // field, the elector of kube-apiserver 1.36.3 dereferences nil, which ends that process.
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.acquire_time = Some(MicroTime(wall));
        spec.renew_time = Some(MicroTime(wall));
        Some(lease)
    }

    /// `lease`, held by this candidate.
    fn held(&self, lease: &Lease, wall: Timestamp, transition: bool) -> Lease {
        let Lease { metadata, spec } = lease.clone();
        let spec = spec.unwrap_or_default();
        let kept = if transition { None } else { spec.acquire_time };
        let labels = metadata.labels.unwrap_or_default().into_iter().chain(self.labels.clone());
        let labels = labels.collect::<BTreeMap<_, _>>();
        Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                labels: (!labels.is_empty()).then_some(labels),
                ..metadata
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: Some(self.duration_seconds),
                acquire_time: Some(kept.unwrap_or(MicroTime(wall))),
                renew_time: Some(MicroTime(wall)),
                lease_transitions: Some(
                    spec.lease_transitions.unwrap_or(0).saturating_add(i32::from(transition)),
                ),
                ..spec
            }),
        }
    }
}

impl Observed {
    /// I1, I2.
    fn expired(&self, now: Instant) -> bool {
        let seconds = self.lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds).unwrap_or(0);
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        now.saturating_duration_since(self.at) >= duration
    }
}

fn holder(lease: &Lease) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

fn prefers_another(lease: &Lease) -> bool {
    let preferred = lease.spec.as_ref().and_then(|spec| spec.preferred_holder.as_deref());
    preferred.is_some_and(|preferred| !preferred.is_empty())
}

fn version(lease: &Lease) -> Option<&str> {
    lease.metadata.resource_version.as_deref()
}

#[cfg(test)]
mod tests;
