//! The ledger's counts, and the metrics of a ledger with a name.

use std::sync::{
    Once,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use ::metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use super::wait::Reason;

/// Counter, with the ledger's name before it (`replicaset_controller_stale_sync_skips_total`): syncs that
/// were skipped because a cache was behind the controller's own writes. Upstream's metric.
pub const STALE_SYNC_SKIPS_TOTAL: &str = "stale_sync_skips_total";
/// Counter, by `name` and `reason`: the times that a key had to wait.
pub const WAITS_TOTAL: &str = "expectations_waits_total";
/// Counter, by `name`: waits that ended with the time to live, because no event came.
pub const EXPIRED_TOTAL: &str = "expectations_expired_total";
/// Gauge, by `name`: keys with a record.
pub const KEYS: &str = "expectations_keys";
/// Gauge, by `name`: keys that are parked until a cache reaches a version.
pub const PARKED: &str = "expectations_parked";

/// The reasons of waits, as the label `reason` has them.
const REASONS: [&str; 6] = ["closed", "restoring", "unknown", "in_flight", "behind", "expecting"];

/// The numbers of a [`Ledger`](crate::Ledger) at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Status {
    /// Keys with a record.
    pub keys: usize,
    /// Keys that are parked until a cache reaches a version.
    pub parked: usize,
    /// The times that a key had to wait, for any reason.
    pub waits: u64,
    /// Of these, the times that a cache was behind the controller's own writes.
    pub stale_sync_skips: u64,
    /// Waits that ended with the time to live, because no event came. Each is worth a look.
    pub expired: u64,
    /// Keys that were woken by an event.
    pub woken: u64,
}

/// The counts, and the metrics if the ledger has a name.
pub(crate) struct Metrics {
    keys: AtomicUsize,
    waits: AtomicU64,
    stale: AtomicU64,
    expired: AtomicU64,
    woken: AtomicU64,
    named: Option<Named>,
}

struct Named {
    stale: Counter,
    waits: [Counter; REASONS.len()],
    expired: Counter,
    keys: Gauge,
    parked: Gauge,
}

impl Metrics {
    pub(crate) fn new(name: Option<&str>) -> Self {
        let count = || AtomicU64::new(0);
        Self {
            keys: AtomicUsize::new(0),
            waits: count(),
            stale: count(),
            expired: count(),
            woken: count(),
            named: name.map(Named::new),
        }
    }

    /// Counters order nothing: relaxed here and below.
    pub(crate) fn waits<R, V>(&self, reason: &Reason<R, V>) {
        self.waits.fetch_add(1, Relaxed);
        let stale =
            matches!(reason, Reason::Behind { .. } | Reason::Restoring { .. } | Reason::Closed { .. });
        self.stale.fetch_add(stale.into(), Relaxed);
        if let Some(named) = &self.named {
            named.stale.increment(stale.into());
            let label = reason.label();
            REASONS
                .iter()
                .zip(&named.waits)
                .filter(|(reason, _)| **reason == label)
                .for_each(|(_, waits)| waits.increment(1));
        }
    }

    pub(crate) fn expired(&self, count: u64) {
        if count > 0 {
            self.expired.fetch_add(count, Relaxed);
            if let Some(named) = &self.named {
                named.expired.increment(count);
            }
        }
    }

    pub(crate) fn woken(&self, count: usize) {
        self.woken.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn record_made(&self) {
        self.keys.fetch_add(1, Relaxed);
        if let Some(named) = &self.named {
            named.keys.increment(1);
        }
    }

    pub(crate) fn record_dropped(&self) {
        self.keys.fetch_sub(1, Relaxed);
        if let Some(named) = &self.named {
            named.keys.decrement(1);
        }
    }

    /// The number of parked keys, set under the lock of the parking.
    pub(crate) fn parked(&self, parked: usize) {
        if let Some(named) = &self.named {
            named.parked.set(parked as f64);
        }
    }

    pub(crate) fn status(&self, parked: usize) -> Status {
        Status {
            keys: self.keys.load(Relaxed),
            parked,
            waits: self.waits.load(Relaxed),
            stale_sync_skips: self.stale.load(Relaxed),
            expired: self.expired.load(Relaxed),
            woken: self.woken.load(Relaxed),
        }
    }
}

impl Named {
    fn new(name: &str) -> Self {
        describe(name);
        let labels = || [("name", name.to_owned())];
        let waits = REASONS
            .map(|reason| counter!(WAITS_TOTAL, &[("name", name.to_owned()), ("reason", reason.to_owned())]));
        Self {
            stale: counter!(stale_name(name)),
            waits,
            expired: counter!(EXPIRED_TOTAL, &labels()),
            keys: gauge!(KEYS, &labels()),
            parked: gauge!(PARKED, &labels()),
        }
    }
}

fn stale_name(name: &str) -> String {
    format!("{}_{STALE_SYNC_SKIPS_TOTAL}", name.replace('-', "_"))
}

fn describe(name: &str) {
    static ONCE: Once = Once::new();
    describe_counter!(
        stale_name(name),
        "Syncs skipped because a cache was behind the controller's own writes"
    );
    ONCE.call_once(|| {
        describe_counter!(WAITS_TOTAL, "Times that a key had to wait, by reason");
        describe_counter!(EXPIRED_TOTAL, "Waits that ended with the time to live");
        describe_gauge!(KEYS, "Keys with a record");
        describe_gauge!(PARKED, "Keys that are parked until a cache reaches a version");
    });
}
