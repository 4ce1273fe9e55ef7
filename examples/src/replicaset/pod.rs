//! [`PodView`]: the fields of a Pod that the controller reads. The rest is never allocated.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::{api::core::v1::Pod, apimachinery::pkg::apis::meta::v1::Time};
use serde::Deserialize;
use trimtab_controller::cache::{Labels, MetaView, Metadata, Object};

/// A Pod, as far as replicas are concerned.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodView {
    /// Name, labels, owners, deletion.
    pub metadata: MetaView<Notes>,
    /// Where it runs.
    pub spec: PodSpecView,
    /// How it does.
    pub status: PodStatusView,
}

impl Object for PodView {
    type Kind = Pod;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

/// The annotation that the deletion order looks at.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Notes {
    #[serde(rename = "controller.kubernetes.io/pod-deletion-cost")]
    deletion_cost: Option<String>,
}

/// The part of a Pod's spec that is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpecView {
    /// The node that it is bound to; empty until then.
    pub node_name: String,
}

/// The part of a Pod's status that is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatusView {
    /// Pending, Running, Succeeded, Failed or Unknown.
    pub phase: String,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    r#type: String,
    status: String,
    last_transition_time: Option<Time>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    restart_count: i64,
}

impl PodView {
    /// Neither finished nor being deleted: it counts as a replica (upstream's `IsPodActive`).
    pub fn is_active(&self) -> bool {
        !self.is_finished() && !self.metadata.is_being_deleted()
    }

    /// Since when the Pod has been ready, if it is; for ever if nobody has noted the time.
    pub fn ready_since(&self) -> Option<Timestamp> {
        let ready = self.status.conditions.iter().find(|condition| condition.r#type == "Ready")?;
        (ready.status == "True")
            .then(|| ready.last_transition_time.as_ref().map_or(Timestamp::MIN, |time| time.0))
    }

    /// Whether the Pod is ready.
    pub fn is_ready(&self) -> bool {
        self.ready_since().is_some()
    }

    /// Whether the Pod has been ready for `min_ready`.
    pub fn is_available(&self, min_ready: Duration, now: Timestamp) -> bool {
        self.is_ready() && self.available_in(min_ready, now).is_none()
    }

    /// After what time the Pod, if it is ready and stays so, will have been for `min_ready`; `None` if
    /// it has been, or is not ready.
    pub fn available_in(&self, min_ready: Duration, now: Timestamp) -> Option<Duration> {
        let ready = now.duration_since(self.ready_since()?);
        let ready = Duration::try_from(ready).unwrap_or_default();
        min_ready.checked_sub(ready).filter(|rest| !rest.is_zero())
    }

    /// On its way out, and not finished yet: the status counts it apart.
    pub fn is_terminating(&self) -> bool {
        !self.is_finished() && self.metadata.is_being_deleted()
    }

    fn is_finished(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    /// What its user says that losing it costs; Pods of lower cost go first.
    pub fn deletion_cost(&self) -> i32 {
        self.metadata.annotations.deletion_cost.as_deref().and_then(|cost| cost.parse().ok()).unwrap_or(0)
    }

    /// The most often restarted container's count.
    pub fn restarts(&self) -> i64 {
        self.status.container_statuses.iter().map(|container| container.restart_count).max().unwrap_or(0)
    }

    /// The labels.
    pub fn labels(&self) -> &Labels {
        &self.metadata.labels
    }
}
