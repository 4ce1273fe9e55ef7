//! [`PodView`]: the fields of a Pod that the kubelet reads.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The fields of a Pod that matter here; the rest is never decoded.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct PodView {
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(default)]
    owner_references: Vec<Owner>,
    #[serde(default)]
    pub(super) creation_timestamp: Option<String>,
    #[serde(default)]
    pub(super) deletion_timestamp: Option<String>,
    #[serde(default)]
    pub(super) deletion_grace_period_seconds: Option<i64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Owner {
    kind: String,
    controller: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) node_name: Option<String>,
    pub(super) scheduling_gates: Vec<Value>,
    restart_policy: Option<String>,
    pub(super) containers: Vec<Container>,
    pub(super) init_containers: Vec<Container>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: String,
    #[serde(default)]
    pub(super) image: String,
    #[serde(default)]
    pub(super) restart_policy: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub(super) phase: Option<String>,
    pub(super) conditions: Vec<Value>,
    pub(super) container_statuses: Vec<Value>,
}

/// Whether the containers of a Pod that has started are up, and how often they were started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Up { restarts: u64 },
    Down { restarts: u64 },
}

impl PodView {
    /// The kind of its controller.
    pub(super) fn controller(&self) -> Option<&str> {
        self.metadata.owner_references.iter().find(|owner| owner.controller).map(|owner| owner.kind.as_str())
    }

    pub(super) fn restart_policy(&self) -> &str {
        self.spec.restart_policy.as_deref().unwrap_or("Always")
    }

    /// How it runs; nothing if it has not started or has ended. Its first container speaks for all, as they
    /// go together.
    pub(super) fn run(&self) -> Option<Run> {
        let status = self.status.container_statuses.first()?;
        let restarts = status["restartCount"].as_u64().unwrap_or_default();
        let runs = self.status.phase.as_deref() == Some("Running");
        runs.then_some(match status["state"]["running"].is_object() {
            true => Run::Up { restarts },
            false => Run::Down { restarts },
        })
    }
}

/// A page of Pods.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) metadata: ListMetadata,
    pub(super) items: Vec<PodView>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMetadata {
    pub(super) resource_version: String,
    #[serde(default, rename = "continue")]
    pub(super) continue_: Option<String>,
}
