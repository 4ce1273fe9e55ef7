//! The leader election controller of kube-apiserver, as candidates observe it.

use std::{cmp::Reverse, time::Duration};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube_client::{
    Api, Client,
    api::{ListParams, Patch, PatchParams, PostParams},
    core::{ApiResource, GroupVersionKind, NotUsed, Object},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};

pub(crate) type LeaseCandidate = Object<LeaseCandidateSpec, NotUsed>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeaseCandidateSpec {
    pub(crate) lease_name: String,
    pub(crate) binary_version: String,
    pub(crate) emulation_version: String,
    pub(crate) strategy: String,
    pub(crate) ping_time: Option<MicroTime>,
    pub(crate) renew_time: Option<MicroTime>,
}

/// The time that it waits for responses to its pings.
const PATIENCE: Duration = Duration::from_secs(5);

/// The Lease and the candidates, written by a test or by the server.
#[derive(Clone)]
pub(crate) struct Hand {
    pub(crate) leases: Api<Lease>,
    pub(crate) candidates: Api<LeaseCandidate>,
}

impl Hand {
    pub(crate) fn new(client: Client) -> Self {
        let kind = GroupVersionKind::gvk("coordination.k8s.io", "v1beta1", "LeaseCandidate");
        let resource = ApiResource::from_gvk_with_plural(&kind, "leasecandidates");
        Self {
            leases: Api::default_namespaced(client.clone()),
            candidates: Api::default_namespaced_with(client, &resource),
        }
    }

    pub(crate) async fn lease(&self) -> Option<Lease> {
        self.leases.get_opt("web").await.expect("an answer")
    }

    pub(crate) async fn spec(&self) -> LeaseSpec {
        self.lease().await.expect("a lease").spec.expect("a spec")
    }

    pub(crate) async fn candidate(&self, name: &str) -> LeaseCandidate {
        self.candidates.get(name).await.expect("a candidate")
    }

    /// Assigns the Lease to `holder` for 5 s, as the server does.
    pub(crate) async fn assign(&self, holder: &str) {
        let old = self.lease().await;
        let transitions = old.as_ref().and_then(|lease| lease.spec.as_ref()?.lease_transitions);
        let spec = LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(5),
            lease_transitions: transitions.map(|transitions| transitions + 1).or(Some(0)),
            renew_time: Some(MicroTime(Timestamp::now())),
            strategy: Some("OldestEmulationVersion".to_owned()),
            ..LeaseSpec::default()
        };
        let params = PostParams::default();
        let written = match old {
            Some(old) => self.leases.replace("web", &params, &Lease { spec: Some(spec), ..old }).await,
            None => {
                let metadata = ObjectMeta { name: Some("web".to_owned()), ..ObjectMeta::default() };
                self.leases.create(&params, &Lease { metadata, spec: Some(spec) }).await
            }
        };
        drop(written); // somebody was faster: the next look will tell
    }

    pub(crate) async fn prefer(&self, holder: &str) {
        let change = json!({"spec": {"preferredHolder": holder, "strategy": "OldestEmulationVersion"}});
        let patch = Patch::Merge(change);
        self.leases.patch("web", &PatchParams::default(), &patch).await.expect("a lease");
    }

    /// Pings a candidate, with a time a second after its last renewal.
    pub(crate) async fn ping(&self, candidate: &LeaseCandidate) {
        let renewed = candidate.spec.renew_time.as_ref().expect("renewed once").0;
        let change = json!({"spec": {"pingTime": MicroTime(renewed + SignedDuration::from_secs(1))}});
        let name = candidate.metadata.name.as_deref().expect("a name");
        let pinged = self.candidates.patch(name, &PatchParams::default(), &Patch::Merge(change)).await;
        pinged.expect("a candidate");
    }

    async fn all(&self) -> Vec<LeaseCandidate> {
        self.candidates.list(&ListParams::default()).await.expect("a list").items
    }
}

pub(crate) fn is_answered(candidate: &LeaseCandidate) -> bool {
    let time = |time: &Option<MicroTime>| time.as_ref().map(|time| time.0);
    time(&candidate.spec.renew_time) > time(&candidate.spec.ping_time)
}

/// Returns the oldest candidate of the lowest emulation version.
fn best(candidates: Vec<LeaseCandidate>) -> Option<String> {
    let rank = |candidate: &LeaseCandidate| {
        let created = candidate.metadata.creation_timestamp.clone();
        (
            candidate.spec.emulation_version.clone(),
            created.map(|time| time.0),
            candidate.metadata.name.clone(),
        )
    };
    candidates.into_iter().max_by_key(|candidate| Reverse(rank(candidate)))?.metadata.name
}

/// Picks leaders forever. It measures expiry by its own clock, because the wall clock does not follow a test's time.
pub(crate) async fn elect(hand: Hand) {
    let mut seen: Option<(String, Instant)> = None;
    loop {
        sleep(Duration::from_secs(1)).await;
        let lease = hand.lease().await;
        let version = lease.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        if seen.as_ref().map(|(version, _)| version) != version.as_ref() {
            seen = version.map(|version| (version, Instant::now()));
        }
        let spec = lease.and_then(|lease| lease.spec).unwrap_or_default();
        let holder = spec.holder_identity.filter(|holder| !holder.is_empty());
        let duration = Duration::from_secs(spec.lease_duration_seconds.unwrap_or(0).unsigned_abs().into());
        let lapsed = holder.is_none() || seen.as_ref().is_none_or(|(_, at)| at.elapsed() > duration);
        if !lapsed && (best(hand.all().await) == holder || spec.preferred_holder.is_some()) {
            continue;
        }
        for candidate in hand.all().await {
            hand.ping(&candidate).await;
        }
        sleep(PATIENCE).await;
        let answered = hand.all().await.into_iter().filter(is_answered).collect();
        match best(answered) {
            Some(best) if lapsed => hand.assign(&best).await,
            Some(best) if Some(&best) != holder.as_ref() => hand.prefer(&best).await,
            _ => {}
        }
    }
}
