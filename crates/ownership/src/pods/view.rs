//! [`PodView`]: the fields of a Pod that [`PodState`] reads. The parser skips the rest.

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use serde::Deserialize;
use trimtab_cache::{MetaView, Metadata, Object, Time};

use super::{PodState, cost};

/// A Pod with the fields that a controller of replicas reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PodView {
    /// Name, labels, owners, deletion.
    pub metadata: MetaView<DeletionCost>,
    /// The part of the spec that is read.
    pub spec: PodSpecView,
    /// The part of the status that is read.
    pub status: PodStatusView,
}

/// The annotation that the deletion order reads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct DeletionCost {
    #[serde(rename = "controller.kubernetes.io/pod-deletion-cost")]
    deletion_cost: Option<String>,
}

/// The part of a Pod's spec that is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSpecView {
    /// The node that the Pod is bound to; empty until then.
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

impl Object for PodView {
    type Kind = Pod;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

impl PodState for PodView {
    fn phase(&self) -> &str {
        &self.status.phase
    }

    fn node_name(&self) -> &str {
        &self.spec.node_name
    }

    fn ready_since(&self) -> Option<Timestamp> {
        let ready = self.status.conditions.iter().find(|condition| condition.r#type == "Ready")?;
        // A time after jiff's last day counts as its last moment.
        let timestamp = |time: Time| time.to_timestamp().unwrap_or(Timestamp::MAX);
        (ready.status == "True").then(|| ready.last_transition_time.map_or(Timestamp::MIN, timestamp))
    }

    fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.and_then(|time| time.to_timestamp())
    }

    fn deletion_cost(&self) -> i32 {
        cost(self.metadata.annotations.deletion_cost.as_deref())
    }

    fn restarts(&self) -> i64 {
        self.status.container_statuses.iter().map(|container| container.restart_count).max().unwrap_or(0)
    }
}
