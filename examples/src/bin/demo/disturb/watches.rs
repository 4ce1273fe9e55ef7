//! Disturbances of the controller's watches, by faults of the server in this process.

use std::time::Duration;

use tokio::time::sleep;
use trimtab_apiserver::{ApiServer, Faults, Filter, Verb};
use trimtab_controller::cache::{Metadata, ObjectKey};

use super::{Done, Stage};
use crate::failure::Failure;

/// The delay of the watch of Pods.
const LAG: Duration = Duration::from_secs(2);

/// The time that the kubelet needs to stop deleted Pods.
const ENDING: Duration = Duration::from_millis(300);

impl<'a> Stage<'a> {
    fn faults(&self) -> Result<&'a Faults, Failure> {
        let missing = || Failure::Cluster("a real cluster has no faults".to_owned());
        self.cluster.server.as_ref().map(ApiServer::faults).ok_or_else(missing)
    }

    /// Cuts every watch and kills a few Pods meanwhile. The resumed watches send these events.
    pub(super) async fn cut_watches(&mut self) -> Result<Option<Done>, Failure> {
        let (cut, killed) = self.blind(|_| {}).await?;
        let (sets, pods) = (self.subject.sets.clone(), self.subject.pods.clone());
        let before = (sets.status().watches, pods.status().watches);
        let done = Done::new(format!("{cut} watches cut, {killed} Pods deleted"));
        Ok(Some(done.with_effect("the controller watches again", move || {
            sets.status().watches > before.0 && pods.status().watches > before.1
        })))
    }

    /// Also compacts the history. Resumed watches get 410, and a relist has to find the deleted Pods.
    pub(super) async fn compact(&mut self) -> Result<Option<Done>, Failure> {
        let pods = self.subject.pods.clone();
        let before = pods.status().lists;
        let (cut, killed) = self.blind(Faults::compact).await?;
        let done = Done::new(format!("{cut} watches cut, {killed} Pods deleted"));
        Ok(Some(done.with_effect("the controller lists Pods again", move || pods.status().lists > before)))
    }

    /// Cuts every watch, kills Pods and runs `meanwhile` before new watches can start. Returns the number
    /// of cut watches and of killed Pods.
    async fn blind(&mut self, meanwhile: impl FnOnce(&Faults)) -> Result<(usize, usize), Failure> {
        let faults = self.faults()?;
        let watches = Filter::any().verb(Verb::Watch);
        let held = faults.hold(watches.clone());
        let cut = faults.cut_watches(&watches);
        if cut == 0 {
            return Err(Failure::Cluster("there was no watch to cut".to_owned()));
        }
        let killed = self.kill(10).await?.len();
        sleep(ENDING).await;
        meanwhile(faults);
        held.release();
        Ok((cut, killed))
    }

    /// Delays the controller's watch of Pods; it must not replace one Pod twice.
    pub(super) async fn lag_watch(&mut self) -> Result<Option<Done>, Failure> {
        let pods = Filter::any().resource("pods").user_agent("controller");
        let lagging = self.faults()?.lag_watches(pods, LAG);
        let killed = self.kill(20).await?;
        sleep(LAG / 2).await;
        if let Some(pod) = killed.iter().find(|pod| !self.believes_in(pod)) {
            return Err(Failure::Cluster(format!("the watch does not lag: the controller misses {pod}")));
        }
        sleep(LAG * 3 / 2).await;
        lagging.release();
        Ok((!killed.is_empty()).then(|| Done::new(format!("{} Pods deleted, seen 2 s later", killed.len()))))
    }

    /// Returns whether the controller's cache does not show yet that this Pod was deleted.
    fn believes_in(&self, pod: &ObjectKey) -> bool {
        self.subject.pods.store().get(pod).is_some_and(|pod| !pod.metadata.is_being_deleted())
    }
}
