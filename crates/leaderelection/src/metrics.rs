//! The metrics of an election. The first two have the names and meanings of client-go's.
//!
//! They go to whichever recorder of the [`metrics`](https://docs.rs/metrics) facade is installed when the
//! elector is built. All are labelled with the `name` that
//! [`metrics_name`](crate::LeaderElectorBuilder::metrics_name) sets; an elector without one emits nothing.

use std::time::Duration;

use ::metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

/// Gauge: 1 while led work runs, stopping included, else 0.
pub const MASTER_STATUS: &str = "leader_election_master_status";
/// Counter: the renewals that had to read the Lease first. In a coordinated election all do.
pub const SLOWPATH_TOTAL: &str = "leader_election_slowpath_total";
/// Histogram: the seconds that a successful renewal took, from its sending to its response.
pub const RENEWAL_DURATION: &str = "leader_election_renewal_duration_seconds";
/// Gauge: the seconds that were left of the token when it was last renewed; 0 while not leading.
///
/// With healthy renewals it is the renew deadline without a retry period. At 0, leadership is lost.
pub const REMAINING_VALIDITY: &str = "leader_election_remaining_validity_seconds";

/// One elector's handles, made once.
pub(crate) struct Metrics {
    master_status: Gauge,
    slow_path: Counter,
    renewal_duration: Histogram,
    remaining_validity: Gauge,
}

impl Metrics {
    /// Reports that this process does not lead.
    pub(crate) fn new(name: &str) -> Self {
        describe_gauge!(MASTER_STATUS, "Whether this process leads: 1 if it does.");
        describe_counter!(SLOWPATH_TOTAL, "Renewals that had to read the lease first.");
        describe_histogram!(RENEWAL_DURATION, "Seconds that successful renewals took.");
        describe_gauge!(REMAINING_VALIDITY, "Seconds that were left of leadership at the last renewal.");
        let labels = [("name", name.to_owned())];
        let metrics = Self {
            master_status: gauge!(MASTER_STATUS, &labels),
            slow_path: counter!(SLOWPATH_TOTAL, &labels),
            renewal_duration: histogram!(RENEWAL_DURATION, &labels),
            remaining_validity: gauge!(REMAINING_VALIDITY, &labels),
        };
        metrics.leads(false);
        metrics
    }

    pub(crate) fn leads(&self, leads: bool) {
        self.master_status.set(f64::from(u8::from(leads)));
        if !leads {
            self.remaining_validity.set(0.0);
        }
    }

    pub(crate) fn slow_path(&self) {
        self.slow_path.increment(1);
    }

    pub(crate) fn renewed(&self, took: Duration, remaining: Duration) {
        self.renewal_duration.record(took);
        self.remaining_validity.set(remaining.as_secs_f64());
    }
}
