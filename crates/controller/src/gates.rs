//! The feature gates of Trimtab itself, and the options of the parts that they set.
//!
//! A part never reads a gate: it takes an option, and here is the one place where both are known. The
//! gates bear client-go's and Kubernetes' names where they mean the same. Until a host installs a
//! registry that holds them, each is read from `KUBE_FEATURE_<Name>` at the first question, as
//! client-go does.
//!
//! ```
//! use trimtab_controller::{featuregate::{FeatureGates, Version}, gates};
//!
//! let features = FeatureGates::builder("web", Version::new(1, 36)).gates::<gates::Features>().build()?;
//! features.install();
//! features.set_from_flag("WatchListClient=false")?; // what `--feature-gates` said
//! assert!(!gates::WATCH_LIST_CLIENT.enabled());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use kube_client::Client;
use trimtab_expectations::{Expectations, ExpectationsBuilder, Strictness};
use trimtab_informer::{InformerFactory, InformerFactoryBuilder};
use trimtab_leaderelection::{Candidacy, LeaderElector, LeaderElectorBuilder};

trimtab_featuregate::gates! {
    /// What can be switched in a controller on Trimtab.
    pub set Features, environment "KUBE_FEATURE_";

    /// First lists are asked for as streams, with a fallback where a server refuses or ignores that.
    pub WATCH_LIST_CLIENT = "WatchListClient" {
        1.30 => Beta, off;
        1.35 => Beta, on;
    }

    /// A controller acts only when its caches show what it wrote before, as upstream's own controllers
    /// do since 1.36. Off, nothing that a ledger holds keeps a key back.
    pub STALE_CONTROLLER_CONSISTENCY = "StaleControllerConsistency" {
        1.35 => Alpha, off;
        1.36 => Beta, on;
    }

    /// A write whose reply never came keeps its key back until the cache shows what became of it. No
    /// gate of upstream's does this: off, such a write is taken for not having happened, as there.
    pub UNKNOWN_OUTCOME_CONSISTENCY = "UnknownOutcomeConsistency" needs [STALE_CONTROLLER_CONSISTENCY] {
        1.36 => Beta, on;
    }

    /// The API server's own elector assigns the Lease to the candidate of the oldest version; candidates
    /// do not take it. Where the server has no such elector, they do.
    pub COORDINATED_LEADER_ELECTION = "CoordinatedLeaderElection" {
        1.31 => Alpha, off;
        1.33 => Beta, off;
    }
}

/// A factory's settings, its lists as [`WATCH_LIST_CLIENT`] says.
pub fn informers(client: Client) -> InformerFactoryBuilder {
    InformerFactory::builder(client).streaming_lists(WATCH_LIST_CLIENT.enabled())
}

/// A ledger's settings, as strict as [`STALE_CONTROLLER_CONSISTENCY`] and
/// [`UNKNOWN_OUTCOME_CONSISTENCY`] say.
pub fn ledger() -> ExpectationsBuilder {
    Expectations::builder().strictness(match STALE_CONTROLLER_CONSISTENCY.enabled() {
        false => Strictness::Off,
        true if UNKNOWN_OUTCOME_CONSISTENCY.enabled() => Strictness::Strict,
        true => Strictness::Versions,
    })
}

/// An election's settings over the Lease `name` in `namespace`, with this candidacy if
/// [`COORDINATED_LEADER_ELECTION`] says so.
pub fn leader_election(
    client: Client,
    namespace: &str,
    name: &str,
    candidacy: Candidacy,
) -> LeaderElectorBuilder {
    let elector = LeaderElector::builder(client, namespace, name);
    if COORDINATED_LEADER_ELECTION.enabled() { elector.coordinated(candidacy) } else { elector }
}
