//! What the demo does to a converged cluster, one thing after the other.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::try_join_all;
use jiff::Timestamp;
use k8s_openapi::api::{apps::v1::ReplicaSet, coordination::v1::Lease, core::v1::Pod};
use kube_client::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use rand::{SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use trimtab_apiserver::{ApiServer, Filter, Levers, Verb};
use trimtab_controller::cache::{Metadata, Object, ObjectKey};

use crate::{
    audit::{Audit, Page},
    cluster::Cluster,
    failure::Failure,
    manifests::Manifest,
    report::Wanted,
};

/// The annotation that asks for a Pod to be relabelled while it runs: `key=value`.
const RELABEL: &str = "demo.trimtab/relabel";

/// How long the cluster may take to converge after a disturbance.
const PATIENCE: Duration = Duration::from_secs(30);

/// For how long the lease is taken away.
const USURPED: Duration = Duration::from_secs(2);

/// Where the controller's lease is.
pub(crate) const LEASE: (&str, &str) = ("kube-system", "trimtab-replicaset");

/// One disturbance.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Disturbance {
    KillPods,
    ScaleUp,
    ScaleDown,
    Relabel,
    CutWatches,
    Compact,
    LagWatch,
    Panic,
    TakeLease,
}

impl Disturbance {
    /// All of them, in the order in which they come.
    pub(crate) const ALL: [Self; 9] = [
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

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KillPods => "kill 100 Pods at random",
            Self::ScaleUp => "scale a set up",
            Self::ScaleDown => "scale a set down",
            Self::Relabel => "relabel a Pod",
            Self::CutWatches => "cut every watch",
            Self::Compact => "compact the history (410)",
            Self::LagWatch => "lag the watch of Pods by 2 s",
            Self::Panic => "make a reconcile panic",
            Self::TakeLease => "take the lease away",
        }
    }

    /// Whether it takes the levers of the server in this process.
    pub(crate) fn needs_levers(self) -> bool {
        matches!(self, Self::CutWatches | Self::Compact | Self::LagWatch)
    }
}

/// What disturbances act on.
pub(crate) struct Stage<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) manifests: &'a [Manifest],
    pub(crate) audit: &'a Audit,
    /// When set, the next reconcile panics and clears it.
    pub(crate) fuse: &'a AtomicBool,
    pub(crate) wanted: Wanted,
    pub(crate) random: SmallRng,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        cluster: &'a Cluster,
        manifests: &'a [Manifest],
        audit: &'a Audit,
        fuse: &'a Arc<AtomicBool>,
    ) -> Self {
        Self {
            cluster,
            manifests,
            audit,
            fuse,
            wanted: Wanted::default(),
            random: SmallRng::seed_from_u64(1),
        }
    }

    /// Does it. Returns what was done, in a few words; `None` if there is nothing to do it to.
    pub(crate) async fn disturb(&mut self, disturbance: Disturbance) -> Result<Option<String>, Failure> {
        match disturbance {
            Disturbance::KillPods => self.kill(100).await.map(Some),
            Disturbance::ScaleUp => {
                self.scale(|pages| pages.iter().min_by_key(|(_, page)| page.desired), 30).await
            }
            Disturbance::ScaleDown => {
                self.scale(|pages| pages.iter().max_by_key(|(_, page)| page.desired), -80).await
            }
            Disturbance::Relabel => self.relabel().await,
            Disturbance::CutWatches => self.cut().await.map(Some),
            Disturbance::Compact => self.compact().await.map(Some),
            Disturbance::LagWatch => self.lag().await.map(Some),
            Disturbance::Panic => self.panic().await.map(Some),
            Disturbance::TakeLease => self.take_lease().await.map(Some),
        }
    }

    /// Waits until every set is as it should be; returns after how many seconds.
    pub(crate) async fn converge(&self, after: &str) -> Result<f64, Failure> {
        let began = Instant::now();
        let version = self.cluster.version().await;
        let sets = self.manifests.iter().filter(|manifest| manifest.resource.kind == "ReplicaSet").count();
        match timeout(PATIENCE, self.audit.converged(version, sets)).await {
            Ok(()) => Ok(began.elapsed().as_secs_f64()),
            Err(_) => Err(Failure::Cluster(format!("not converged {} s after: {after}", PATIENCE.as_secs()))),
        }
    }

    fn levers(&self) -> Result<&'a Levers, Failure> {
        let missing = || Failure::Cluster("a real cluster has no levers".to_owned());
        self.cluster.server.as_ref().map(ApiServer::levers).ok_or_else(missing)
    }

    /// Deletes up to `count` Pods of sets, at random; not those of the manifests, which stay to be
    /// checked.
    async fn kill(&mut self, count: usize) -> Result<String, Failure> {
        let pods = Api::<Pod>::all(self.cluster.client.clone()).list(&ListParams::default()).await;
        let pods = pods.map_err(Failure::api("listing Pods"))?.items;
        let pages = self.audit.pages();
        let is_declared = |pod: &Pod| self.manifests.iter().any(|manifest| manifest.is(pod));
        let ours = |pod: &Pod| {
            let namespace = pod.metadata().namespace().unwrap_or_default();
            let set = pod.metadata().controller().map(|set| ObjectKey::namespaced(namespace, &set.name));
            let of_a_set = set.is_some_and(|set| pages.contains_key(&set));
            of_a_set && !pod.metadata().is_being_deleted() && !is_declared(pod)
        };
        let pods: Vec<_> = pods.into_iter().filter(ours).collect();
        let victims: Vec<_> = pods.choose_multiple(&mut self.random, count).collect();
        try_join_all(victims.iter().map(async |pod| {
            let namespace = pod.metadata().namespace().unwrap_or_default();
            let api = Api::<Pod>::namespaced(self.cluster.client.clone(), namespace);
            api.delete(pod.metadata().name(), &DeleteParams::default()).await
        }))
        .await
        .map_err(Failure::api("deleting Pods"))?;
        Ok(format!("{} Pods deleted", victims.len()))
    }

    async fn scale(
        &mut self,
        choose: impl FnOnce(&BTreeMap<ObjectKey, Page>) -> Option<(&ObjectKey, &Page)>,
        by: i32,
    ) -> Result<Option<String>, Failure> {
        let pages = self.audit.pages();
        let Some((key, page)) = choose(&pages) else {
            return Ok(None);
        };
        let from = i32::try_from(page.desired).unwrap_or(i32::MAX);
        let to = (from + by).max(from / 2); // a small set is halved
        let api =
            Api::<ReplicaSet>::namespaced(self.cluster.client.clone(), key.namespace().unwrap_or_default());
        let patch = Patch::Merge(json!({"spec": {"replicas": to}}));
        let scaled = api.patch_scale(key.name(), &PatchParams::default(), &patch).await;
        scaled.map_err(Failure::api("scaling"))?;
        self.wanted.replicas.insert(key.clone(), to);
        Ok(Some(format!("{key} from {from} to {to}")))
    }

    /// Gives the Pod whose annotation asks for it another label.
    async fn relabel(&mut self) -> Result<Option<String>, Failure> {
        let asked = self.manifests.iter().find_map(|manifest| {
            let annotations = manifest.object.metadata.annotations.as_ref()?;
            Some((manifest, annotations.get(RELABEL)?.split_once('=')?))
        });
        let Some((manifest, (key, value))) = asked else {
            return Ok(None);
        };
        let patch = Patch::Merge(json!({"metadata": {"labels": {key: value}}}));
        let name = manifest.object.metadata.name.as_deref().unwrap_or_default();
        let api = manifest.api(self.cluster.client.clone());
        let relabelled = api.patch(name, &PatchParams::default(), &patch).await;
        let relabelled = relabelled.map_err(Failure::api("relabelling"))?;
        self.wanted.released.insert(relabelled.key());
        Ok(Some(format!("{} is now {key}={value}", manifest.describe())))
    }

    /// Cuts every watch, and kills a few Pods while nobody looks.
    async fn cut(&mut self) -> Result<String, Failure> {
        let cut = self.levers()?.cut_watches(&Filter::any());
        let killed = self.kill(10).await?;
        Ok(format!("{cut} watches cut, {killed}"))
    }

    /// Cuts every watch and lets none begin while Pods are killed and the history is compacted: who
    /// resumes is answered 410, and a relist has to find out what is gone.
    async fn compact(&mut self) -> Result<String, Failure> {
        let levers = self.levers()?;
        let watches = Filter::any().verb(Verb::Watch);
        let held = levers.hold(watches.clone());
        let cut = levers.cut_watches(&watches);
        let killed = self.kill(10).await?;
        sleep(Duration::from_millis(300)).await; // the kubelet ends them
        levers.compact();
        held.release();
        Ok(format!("{cut} watches cut, {killed}, history compacted"))
    }

    /// Delays what the controller sees of Pods: it must not replace one Pod twice.
    async fn lag(&mut self) -> Result<String, Failure> {
        let lag = Duration::from_secs(2);
        let pods = Filter::any().resource("pods").user_agent("controller");
        let lagging = self.levers()?.lag_watches(pods, lag);
        let killed = self.kill(20).await?;
        sleep(lag * 2).await;
        lagging.release();
        Ok(killed)
    }

    async fn panic(&mut self) -> Result<String, Failure> {
        self.fuse.store(true, SeqCst);
        self.kill(1).await
    }

    /// Writes another holder into the lease, and kills Pods that nobody may replace until it is won
    /// back.
    async fn take_lease(&mut self) -> Result<String, Failure> {
        let api = Api::<Lease>::namespaced(self.cluster.client.clone(), LEASE.0);
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let usurp = Patch::Merge(json!({"spec": {
            "holderIdentity": "a-usurper", "leaseDurationSeconds": USURPED.as_secs(), "acquireTime": now, "renewTime": now,
        }}));
        api.patch(LEASE.1, &PatchParams::default(), &usurp)
            .await
            .map_err(Failure::api("taking the lease"))?;
        sleep(Duration::from_secs(1)).await; // the leader finds out at its next renewal
        let created = |pages: BTreeMap<_, Page>| pages.values().map(|page| page.created).sum::<usize>();
        let before = created(self.audit.pages());
        let killed = self.kill(5).await?;
        sleep(Duration::from_millis(500)).await;
        match created(self.audit.pages()) - before {
            0 => Ok(format!("{killed}, none replaced without the lease")),
            acted => Err(Failure::Cluster(format!("{acted} Pods were created without the lease"))),
        }
    }
}
