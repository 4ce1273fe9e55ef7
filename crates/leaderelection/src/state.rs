//! The rules of an election, as a plain value: the holder as far as this candidate knows, and the writes
//! that it may send. No lock, no clock, no request.
//!
//! - I1: only local times are compared. `renewTime` and `acquireTime` are labels for readers, and are never parsed.
//! - I2: a foreign Lease has expired once the duration that *its holder* wrote has passed since this
//!   candidate learned of the Lease's last change. If that duration is missing, not positive or unreadable,
//!   this candidate's own `lease_duration` takes its place.
//! - I3: any new resource version is a change, even if nothing else differs.
//! - I4: each write builds on the state that was observed, resource version included, so that the
//!   server refuses it after another write.
//! - I5: a Lease that the server assigns is only ever renewed: not created, not taken, not revived after
//!   it has expired, and not kept once the server prefers another holder.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    clock::Moment,
    config::Config,
    lease::{Hold, Record, is_later_version},
    lease_watcher::Renewal,
    rules::{Rule, Rules},
};

/// The knowledge of one candidate.
#[derive(Debug)]
pub(crate) struct Election {
    identity: String,
    lease_duration: Duration,
    duration_seconds: i32,
    labels: BTreeMap<String, String>,
    /// The namespace and the name of the Lease.
    key: (Box<str>, Box<str>),
    rules: Rules,
    observed: Option<Observed>,
}

#[derive(Debug)]
struct Observed {
    lease: Arc<Record>,
    /// The resource version of the last renewal that was heard of since: nothing else of `lease` has changed.
    renewed: Option<Box<str>>,
    /// The time at which this candidate read the Lease, or sent the write.
    at: Moment,
}

/// The next step of a candidate after it has read the Lease.
#[derive(Debug, PartialEq)]
pub(crate) enum Claim {
    /// The Lease is, or was, its own: write this to keep it.
    Renew(Record),
    /// The Lease has no holder: write this to take it.
    Take(Record),
    /// There is no Lease: create this.
    Create(Record),
    /// Another candidate holds it, as far as this candidate knows, or the server has not assigned it yet.
    Held,
    /// The Lease is its own and must expire: the server prefers another holder.
    EndOfTerm,
}

/// The labels of the writes of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    /// The wall clock.
    pub(crate) wall: Timestamp,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Observed {
    fn version(&self) -> Option<&str> {
        self.renewed.as_deref().or_else(|| self.lease.version())
    }

    fn is_same_state(&self, other: &Record) -> bool {
        match &self.renewed {
            Some(version) => other.version() == Some(version) && other.uid() == self.lease.uid(),
            None => self.lease.is_same_state(other),
        }
    }
}

impl Election {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            identity: config.identity.clone(),
            lease_duration: config.lease_duration,
            duration_seconds: config.lease_duration_seconds(),
            labels: config.labels.clone(),
            key: (config.namespace.as_str().into(), config.name.as_str().into()),
            rules: config.rules,
            observed: None,
        }
    }

    /// Takes note of the Lease as it was read; `now` is a moment after the response came. Returns the
    /// holder if it is another than before.
    ///
    /// A moment before the request was sent would not do: the holder may have renewed in between, and
    /// its Lease would seem to expire before its time.
    pub(crate) fn read(&mut self, lease: Arc<Record>, now: Moment) -> Option<String> {
        match &mut self.observed {
            Some(observed) if observed.is_same_state(&lease) => {
                // Unchanged, so the time of the last change stays (I2, I3). What is kept may lack the text.
                (observed.lease, observed.renewed) = (lease, None);
                None
            }
            _ => self.observe(lease, now),
        }
    }

    /// Drops the text of the last known state. It is read again before a write.
    pub(crate) fn forget_text(&mut self) {
        if let Some(observed) = &mut self.observed {
            observed.lease = observed.lease.without_text().into();
        }
    }

    /// Takes note of the Lease as a watch shows it; `now` is a moment after the event came. Returns the holder if it
    /// is another than before.
    ///
    /// Watches are answered from a cache, which can be behind the last read: an older state is no change.
    pub(crate) fn heard(&mut self, lease: Arc<Record>, now: Moment) -> Option<String> {
        match self.version() {
            Some(known) if !lease.is_newer_than_version(known) => None,
            _ => self.read(lease, now),
        }
    }

    /// Takes note of a renewal, as a watch shows it. Returns whether it is news: a later state of the Lease that is known.
    pub(crate) fn renewed(&mut self, renewal: Renewal) -> bool {
        let Renewal { state, version, at } = renewal;
        let is_later = self.version().is_some_and(|known| is_later_version(&version, known));
        match &mut self.observed {
            // Another state was read meanwhile, unless it is a renewal itself.
            Some(observed) if is_later && observed.lease.is_renewal_of(&state) => {
                (observed.renewed, observed.at) = (Some(version), at);
                true
            }
            _ => false,
        }
    }

    /// Whether nobody holds the Lease, or this candidate does: then an attempt need not wait.
    pub(crate) fn is_free(&self) -> bool {
        self.holder().is_some_and(|holder| holder.is_empty() || holder == self.identity)
    }

    /// Takes note of the Lease as this candidate wrote it, with a request sent at `sent`. Returns the
    /// holder if it is another than before.
    pub(crate) fn wrote(&mut self, lease: Arc<Record>, sent: Moment) -> Option<String> {
        self.observe(lease, sent)
    }

    fn observe(&mut self, lease: Arc<Record>, at: Moment) -> Option<String> {
        let holder = lease.holder().to_owned();
        let changed = self.holder().as_ref() != Some(&holder);
        self.observed = Some(Observed { lease, renewed: None, at });
        changed.then_some(holder)
    }

    /// Returns the last known holder; empty if the Lease has none.
    pub(crate) fn holder(&self) -> Option<String> {
        self.observed.as_ref().map(|observed| observed.lease.holder().to_owned())
    }

    /// Returns the last known state of the Lease.
    pub(crate) fn lease(&self) -> Option<&Arc<Record>> {
        self.observed.as_ref().map(|observed| &observed.lease)
    }

    /// Returns the resource version of the last known state.
    pub(crate) fn version(&self) -> Option<&str> {
        self.observed.as_ref().and_then(Observed::version)
    }

    /// Returns the time of the last known change of the Lease.
    pub(crate) fn changed_at(&self) -> Option<Moment> {
        self.observed.as_ref().map(|observed| observed.at)
    }

    /// Returns the time since the last known change of the Lease.
    pub(crate) fn unchanged_for(&self, now: Moment) -> Option<Duration> {
        Some(now.since(self.changed_at()?))
    }

    /// Returns the time at which another holder's Lease expires if it does not change again.
    pub(crate) fn expires_at(&self) -> Option<Moment> {
        let observed = self.observed.as_ref()?;
        let holder = observed.lease.holder();
        (!holder.is_empty() && holder != self.identity).then(|| self.expiry(observed))
    }

    /// Returns the renewal that may be sent without reading the Lease first, if the Lease is its own and has not expired.
    pub(crate) fn renewal(&self, now: Moment, labels: &Labels) -> Option<Record> {
        let observed = self.observed.as_ref()?;
        let is_own = observed.lease.holder() == self.identity && observed.lease.is_complete();
        (is_own && !self.expired(observed, now, labels)).then(|| self.held(&observed.lease, labels, false))
    }

    /// Decides on the next step for the last known Lease.
    pub(crate) fn claim(&self, now: Moment, labels: &Labels) -> Claim {
        let Some(observed) = &self.observed else {
            return self.creation(labels);
        };
        let holder = observed.lease.holder();
        if !observed.lease.is_complete() {
            Claim::Held // it is read before it is claimed
        } else if holder == self.identity {
            Claim::Renew(self.held(&observed.lease, labels, false))
        } else if !holder.is_empty() && !self.expired(observed, now, labels) {
            Claim::Held
        } else {
            Claim::Take(self.held(&observed.lease, labels, true))
        }
    }

    /// Decides on the next step for the last known Lease in a coordinated election (I5).
    pub(crate) fn assignment(&self, now: Moment, labels: &Labels) -> Claim {
        match &self.observed {
            Some(observed) if observed.lease.holder() != self.identity || !observed.lease.is_complete() => {
                Claim::Held
            }
            Some(observed) if self.expired(observed, now, labels) => Claim::Held,
            Some(Observed { lease, .. }) if lease.prefers_another() => Claim::EndOfTerm,
            Some(Observed { lease, .. }) => Claim::Renew(self.held(lease, labels, false)),
            None => Claim::Held,
        }
    }

    /// Decides on the next step for a Lease that does not exist.
    ///
    /// The deletion did not stop the holder, which may act until it notices. So the candidate waits for the expiry of a
    /// Lease that was held, as if it still existed.
    pub(crate) fn claim_missing(&self, now: Moment, labels: &Labels) -> Claim {
        match &self.observed {
            Some(observed) if self.expires_at().is_some() && !self.expired(observed, now, labels) => {
                Claim::Held
            }
            _ => self.creation(labels),
        }
    }

    /// Returns the write that gives `lease` back, which was read just now; `None` if it has another
    /// holder.
    pub(crate) fn release(&self, lease: &Record, wall: Timestamp) -> Option<Record> {
        (lease.holder() == self.identity).then(|| lease.released(wall))
    }

    /// I1, I2.
    fn expired(&self, observed: &Observed, now: Moment, labels: &Labels) -> bool {
        if self.rules.keep(Rule::LocallyObservedTime) {
            return now >= self.expiry(observed);
        }
        let renewed = observed.lease.renew_time().and_then(|at| at.checked_add(self.duration(observed)).ok());
        renewed.is_some_and(|expiry| labels.wall >= expiry)
    }

    fn expiry(&self, observed: &Observed) -> Moment {
        observed.at.plus(self.duration(observed))
    }

    fn duration(&self, observed: &Observed) -> Duration {
        observed.lease.duration().unwrap_or(self.lease_duration)
    }

    fn creation(&self, labels: &Labels) -> Claim {
        let (namespace, name) = &self.key;
        Claim::Create(self.held(&Record::new(namespace, name), labels, false))
    }

    fn held(&self, lease: &Record, labels: &Labels, transition: bool) -> Record {
        lease.held(&Hold {
            identity: &self.identity,
            duration_seconds: self.duration_seconds,
            labels: &self.labels,
            annotations: &labels.annotations,
            transition,
            wall: labels.wall,
        })
    }
}

#[cfg(test)]
mod tests;
