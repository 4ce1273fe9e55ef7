//! Disturbances of the controller itself: a panic, and the loss of its lease.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube_client::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Done, Stage, until};
use crate::{controller::LEASE, failure::Failure};

/// The time for which nothing may be created without the lease.
const QUIET: Duration = Duration::from_millis(500);

/// The lease duration of the other holder: longer than the demo waits before it returns the lease.
const USURPED: Duration = Duration::from_secs(60);

impl Stage<'_> {
    pub(super) async fn panic(&mut self) -> Result<Option<Done>, Failure> {
        let subject = self.subject.clone();
        let before = subject.controller.status().panics;
        subject.light_fuse();
        let killed = self.kill(1).await?.len();
        let done = Done::new(format!("{killed} Pods deleted"));
        Ok(Some(done.with_effect("a reconcile panicked", move || {
            subject.is_fuse_spent() && subject.controller.status().panics > before
        })))
    }

    /// Writes another holder into the lease, kills Pods, checks that they are not replaced, and returns
    /// the lease.
    pub(super) async fn take_lease(&mut self) -> Result<Option<Done>, Failure> {
        let leading = self.subject.leading.clone();
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        self.edit_lease(json!({
            "holderIdentity": "a-usurper", "leaseDurationSeconds": USURPED.as_secs(), "acquireTime": now, "renewTime": now,
        }))
        .await?;
        until("the leader notices that it is none any more", || !leading.is_leader()).await?;
        self.converge("the lease was taken").await?; // earlier writes of the controller are recorded before
        let created = || self.audit.rows().values().map(|set| set.created).sum::<usize>();
        let before = created();
        let killed = self.kill(5).await?.len();
        sleep(QUIET).await;
        let acted = created().saturating_sub(before);
        if acted > 0 {
            return Err(Failure::Cluster(format!("{acted} Pods were created without the lease")));
        }
        self.edit_lease(json!({"holderIdentity": ""})).await?;
        let done = Done::new(format!("{killed} Pods deleted, none replaced without the lease"));
        Ok(Some(done.with_effect("the lease is won back", move || leading.is_leader())))
    }

    async fn edit_lease(&self, spec: Value) -> Result<(), Failure> {
        let api = Api::<Lease>::namespaced(self.cluster.client.clone(), LEASE.0);
        let patch = Patch::Merge(json!({"spec": spec}));
        let edited = api.patch(LEASE.1, &PatchParams::default(), &patch).await;
        edited.map(drop).map_err(Failure::api("editing the lease"))
    }
}
