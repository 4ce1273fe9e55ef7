//! The disturbances of a converged cluster, one after the other, and the check of their effects.

mod controller;
mod pods;
mod watches;

use std::time::Duration;

use rand::{SeedableRng, rngs::SmallRng};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    audit::Audit, cluster::Cluster, controller::Subject, failure::Failure, live::Live, manifests::Manifest,
    report::Wanted,
};

/// The time within which the cluster must converge after a disturbance.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time within which the effect of a disturbance must be visible.
const EFFECT: Duration = Duration::from_secs(10);

/// One disturbance.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    KillPods,
    ScaleUp,
    ScaleDown,
    Compact,
    Relabel,
    CutWatches,
    LagWatch,
    Panic,
    TakeLease,
}

impl Disturbance {
    /// All disturbances, in the order of the demo.
    const ALL: [Self; 9] = [
        Self::KillPods,
        Self::ScaleUp,
        Self::ScaleDown,
        Self::Compact,
        Self::Relabel,
        Self::CutWatches,
        Self::LagWatch,
        Self::Panic,
        Self::TakeLease,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::KillPods => "kill 100 Pods at random",
            Self::ScaleUp => "scale a set up",
            Self::ScaleDown => "scale a set down",
            Self::Compact => "compact the history (410)",
            Self::Relabel => "relabel a Pod",
            Self::CutWatches => "cut every watch",
            Self::LagWatch => "lag the watch of Pods by 2 s",
            Self::Panic => "make a reconcile panic",
            Self::TakeLease => "take the lease away",
        }
    }

    /// Returns whether it needs the faults of the server in this process.
    fn needs_faults(self) -> bool {
        matches!(self, Self::CutWatches | Self::Compact | Self::LagWatch)
    }
}

/// A finished disturbance.
struct Done {
    /// A short description.
    said: String,
    /// The effect that must be visible at the end. Without it the disturbance has tested nothing.
    effect: Option<Effect>,
}

/// A description, and whether it shows.
type Effect = (&'static str, Box<dyn Fn() -> bool + Send>);

impl Done {
    fn new(said: String) -> Self {
        Self { said, effect: None }
    }

    fn with_effect(self, what: &'static str, shows: impl Fn() -> bool + Send + 'static) -> Self {
        Self { effect: Some((what, Box::new(shows))), ..self }
    }
}

/// The cluster and the tools of the disturbances.
pub(crate) struct Stage<'a> {
    cluster: &'a Cluster,
    manifests: &'a [Manifest],
    audit: &'a Audit,
    subject: &'a Subject,
    random: SmallRng,
    /// The intended changes of the disturbances.
    pub(crate) wanted: Wanted,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        cluster: &'a Cluster,
        manifests: &'a [Manifest],
        audit: &'a Audit,
        subject: &'a Subject,
    ) -> Self {
        let random = SmallRng::seed_from_u64(1);
        Self { cluster, manifests, audit, subject, random, wanted: Wanted::default() }
    }

    /// Runs all disturbances that the cluster supports, each after the cluster has converged, and prints a line for each
    /// with the time until it converged again.
    pub(crate) async fn disturb_all(&mut self, live: &Live) -> Result<(), Failure> {
        let seconds = self.converge("the manifests were applied").await?;
        live.say(&format!("{seconds:5.2} s  apply: {} objects", self.manifests.len()));
        for disturbance in Disturbance::ALL {
            let name = disturbance.name();
            if disturbance.needs_faults() && self.cluster.server.is_none() {
                live.say(&format!("   -     {name}: left out, a real cluster has no faults"));
                continue;
            }
            let Some(done) = self.disturb(disturbance).await? else {
                live.say(&format!("   -     {name}: left out, no object for it"));
                continue;
            };
            let seconds = self.converge(name).await?;
            live.say(&format!("{seconds:5.2} s  {name}: {}", done.said));
            if let Some((what, shows)) = done.effect {
                until(what, shows).await?;
            }
        }
        Ok(())
    }

    /// Runs the disturbance; `None` if there is no object for it.
    async fn disturb(&mut self, disturbance: Disturbance) -> Result<Option<Done>, Failure> {
        match disturbance {
            Disturbance::KillPods => self.kill_pods().await,
            Disturbance::ScaleUp => self.scale_up().await,
            Disturbance::ScaleDown => self.scale_down().await,
            Disturbance::Compact => self.compact().await,
            Disturbance::Relabel => self.relabel().await,
            Disturbance::CutWatches => self.cut_watches().await,
            Disturbance::LagWatch => self.lag_watch().await,
            Disturbance::Panic => self.panic().await,
            Disturbance::TakeLease => self.take_lease().await,
        }
    }

    /// Waits until every set has converged and returns the seconds.
    async fn converge(&self, after: &str) -> Result<f64, Failure> {
        let began = Instant::now();
        let version = self.cluster.version().await;
        match timeout(PATIENCE, self.audit.converged(version)).await {
            Ok(()) => Ok(began.elapsed().as_secs_f64()),
            Err(_) => Err(Failure::Cluster(format!("not converged {} s after: {after}", PATIENCE.as_secs()))),
        }
    }
}

/// Waits for an expected effect.
async fn until(what: &str, shows: impl Fn() -> bool) -> Result<(), Failure> {
    let shown = async {
        while !shows() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(EFFECT, shown)
        .await
        .map_err(|_| Failure::Cluster(format!("not within {} s: {what}", EFFECT.as_secs())))
}
