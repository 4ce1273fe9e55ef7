//! An election's metrics, under the names and with the meaning that client-go's dashboards expect.
//!
//! They go to whichever recorder of the [`metrics`](https://docs.rs/metrics) facade is installed when the
//! elector is built. Both are labelled with the `name` that
//! [`metrics_name`](crate::LeaderElectorBuilder::metrics_name) sets; an elector without one emits nothing.

use ::metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

/// Gauge: 1 while led work runs, winding up included, else 0.
pub const MASTER_STATUS: &str = "leader_election_master_status";
/// Counter: the renewals that had to read the lease first. In a coordinated election all do.
pub const SLOWPATH_TOTAL: &str = "leader_election_slowpath_total";

/// One elector's handles, made once.
pub(crate) struct Metrics {
    master_status: Gauge,
    slow_path: Counter,
}

impl Metrics {
    /// Reports that this process does not lead.
    pub(crate) fn new(name: &str) -> Self {
        describe_gauge!(MASTER_STATUS, "Whether this process leads: 1 if it does.");
        describe_counter!(SLOWPATH_TOTAL, "Renewals that had to read the lease first.");
        let labels = [("name", name.to_owned())];
        let metrics = Self {
            master_status: gauge!(MASTER_STATUS, &labels),
            slow_path: counter!(SLOWPATH_TOTAL, &labels),
        };
        metrics.leads(false);
        metrics
    }

    pub(crate) fn leads(&self, leads: bool) {
        self.master_status.set(f64::from(u8::from(leads)));
    }

    pub(crate) fn slow_path(&self) {
        self.slow_path.increment(1);
    }
}
