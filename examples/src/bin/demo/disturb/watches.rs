//! Disturbances of what the controller is told, by the faults of the server in this process.

use std::time::Duration;

use tokio::time::sleep;
use trimtab_apiserver::{ApiServer, Faults, Filter, Verb};
use trimtab_controller::cache::{Metadata, ObjectKey};

use super::{Done, Stage};
use crate::failure::Failure;

/// By how much the watch of Pods lags.
const LAG: Duration = Duration::from_secs(2);

/// How long the kubelet takes to end Pods that were deleted.
const ENDING: Duration = Duration::from_millis(300);

impl<'a> Stage<'a> {
    fn faults(&self) -> Result<&'a Faults, Failure> {
        let missing = || Failure::Cluster("a real cluster has no faults".to_owned());
        self.cluster.server.as_ref().map(ApiServer::faults).ok_or_else(missing)
    }

    /// Cuts every watch, and kills a few Pods while nobody looks: who resumes is told of them.
    pub(super) async fn cut_watches(&mut self) -> Result<Option<Done>, Failure> {
        let (cut, killed) = self.blind(|_| {}).await?;
        let (sets, pods) = (self.subject.sets.clone(), self.subject.pods.clone());
        let before = (sets.status().watches, pods.status().watches);
        let done = Done::new(format!("{cut} watches cut, {killed} Pods deleted"));
        Ok(Some(done.with_effect("the controller watches again", move || {
            sets.status().watches > before.0 && pods.status().watches > before.1
        })))
    }

    /// Compacts the history besides: who resumes is answered 410, and a relist has to find out what is
    /// gone.
    pub(super) async fn compact(&mut self) -> Result<Option<Done>, Failure> {
        let pods = self.subject.pods.clone();
        let before = pods.status().lists;
        let (cut, killed) = self.blind(Faults::compact).await?;
        let done = Done::new(format!("{cut} watches cut, {killed} Pods deleted, history compacted"));
        Ok(Some(done.with_effect("the controller lists Pods again", move || pods.status().lists > before)))
    }

    /// Cuts every watch and lets none begin while Pods are killed and `meanwhile` is done. Returns how
    /// many watches were cut and how many Pods were killed.
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

    /// Delays what the controller sees of Pods: it must not replace one Pod twice.
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

    /// Whether the controller does not know yet that this Pod was deleted.
    fn believes_in(&self, pod: &ObjectKey) -> bool {
        self.subject.pods.store().get(pod).is_some_and(|pod| !pod.metadata.is_being_deleted())
    }
}
