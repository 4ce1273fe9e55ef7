//! Trimtab's own feature gates, and builders whose options they set.
//!
//! The parts do not read gates; they take options, and only this module knows both. `WatchListClient` and
//! `CoordinatedLeaderElection` are gates of client-go and Kubernetes, with the same meaning. The other two are Trimtab's own.
//! Upstream has a gate of consistency for each of its controllers, such as `StaleControllerConsistencyReplicaSet`; here one,
//! `StaleControllerConsistency`, is for all controllers of a program, and [`ledger_if`] adds that of a single one. Until the
//! program installs a registry with them, their values come from `KUBE_FEATURE_<Name>` at the first read, as in client-go.
//!
//! ```
//! use trimtab_controller::{featuregate::{FeatureGates, Version}, gates};
//!
//! let features = FeatureGates::builder("web", Version::new(1, 36)).gates::<gates::Features>().build()?;
//! features.install();
//! features.set_from_flag("WatchListClient=false")?; // the value of `--feature-gates`
//! assert!(!gates::WATCH_LIST_CLIENT.enabled());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use kube_client::Client;
use trimtab_expectations::{Ledger, LedgerBuilder, Strictness};
use trimtab_informer::{InformerFactory, InformerFactoryBuilder};
use trimtab_leaderelection::{Candidacy, LeaderElector, LeaderElectorBuilder};

trimtab_featuregate::gates! {
    /// The feature gates of a controller on Trimtab.
    pub set Features, environment "KUBE_FEATURE_";

    /// Requests first lists as streams, with a fallback if the server refuses or ignores that.
    pub WATCH_LIST_CLIENT = "WatchListClient" {
        1.30 => Beta, off;
        1.35 => Beta, on;
    }

    /// Reconciles a key only when the caches have reached the versions of the controller's earlier writes, as
    /// Kubernetes' own controllers do since 1.36. If it is off, a ledger waits for counts and UIDs alone.
    pub STALE_CONTROLLER_CONSISTENCY = "StaleControllerConsistency" {
        1.35 => Alpha, off;
        1.36 => Beta, on;
    }

    /// Holds a key back after a write without a reply, until the cache shows the write's outcome. Upstream has no such
    /// gate. If it is off, such a write counts as not having happened, as upstream.
    pub UNKNOWN_OUTCOME_CONSISTENCY = "UnknownOutcomeConsistency" depends_on [STALE_CONTROLLER_CONSISTENCY] {
        1.36 => Beta, on;
    }

    /// Lets the API server's elector assign the Lease to the candidate with the oldest version. If the server has no
    /// such elector, the candidates take the Lease themselves.
    pub COORDINATED_LEADER_ELECTION = "CoordinatedLeaderElection" {
        1.31 => Alpha, off;
        1.33 => Beta, off;
    }
}

/// Returns a builder of an informer factory; [`WATCH_LIST_CLIENT`] decides whether it uses streaming lists.
pub fn informers(client: Client) -> InformerFactoryBuilder {
    InformerFactory::builder(client).streaming_lists(WATCH_LIST_CLIENT.enabled())
}

/// Returns a builder of a ledger; [`STALE_CONTROLLER_CONSISTENCY`] and [`UNKNOWN_OUTCOME_CONSISTENCY`] decide its
/// strictness.
pub fn ledger() -> LedgerBuilder {
    Ledger::builder().strictness(match STALE_CONTROLLER_CONSISTENCY.enabled() {
        false => Strictness::Counts,
        true if UNKNOWN_OUTCOME_CONSISTENCY.enabled() => Strictness::Strict,
        true => Strictness::Versions,
    })
}

/// Returns the builder of [`ledger`] for a controller with a consistency gate of its own, such as Kubernetes'
/// `StaleControllerConsistencyReplicaSet`. If that gate is off, `is_consistent` is false, and the ledger waits for counts and
/// UIDs alone.
pub fn ledger_if(is_consistent: bool) -> LedgerBuilder {
    if is_consistent { ledger() } else { Ledger::builder().strictness(Strictness::Counts) }
}

/// Returns a builder of an elector for the Lease `name` in `namespace`. If [`COORDINATED_LEADER_ELECTION`] is on, the
/// elector takes part in coordinated election with `candidacy`.
pub fn leader_election(
    client: Client,
    namespace: &str,
    name: &str,
    candidacy: Candidacy,
) -> LeaderElectorBuilder {
    let elector = LeaderElector::builder(client, namespace, name);
    if COORDINATED_LEADER_ELECTION.enabled() { elector.coordinated(candidacy) } else { elector }
}
