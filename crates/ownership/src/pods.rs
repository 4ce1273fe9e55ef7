//! Pods as a controller of replicas sees them: filters, and the order in which surplus Pods go.
//!
//! The rules work on any type that implements [`PodState`]: a whole `Pod`, a [`PodView`], or a view of
//! your own.

mod order;
mod same_template;
mod template;
mod view;

use std::time::Duration;

use k8s_openapi::{api::core::v1::Pod, jiff::Timestamp};
use trimtab_cache::{Metadata, Object};

pub use order::{DeletionOrder, pods_to_delete};
pub use same_template::{POD_TEMPLATE_HASH, TemplateMatcher, is_same_template};
pub use template::pod_from_template;
pub use view::{DeletionCost, PodSpecView, PodStatusView, PodView};

/// The annotation with the cost of deleting a Pod.
pub(crate) const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The fields of a Pod that filters and orders read.
pub trait PodState: Object {
    /// Returns the phase: Pending, Running, Succeeded, Failed or Unknown.
    fn phase(&self) -> &str;
    /// Returns the node that the Pod is bound to; empty until then.
    fn node_name(&self) -> &str;
    /// Returns the time since which the Pod has been ready, if it is. A Pod whose condition has no time
    /// counts as ready since [`Timestamp::MIN`].
    fn ready_since(&self) -> Option<Timestamp>;
    /// Returns the time at which the server created the Pod.
    fn created(&self) -> Option<Timestamp>;
    /// Returns the value of the annotation `controller.kubernetes.io/pod-deletion-cost`; 0 without
    /// one.
    fn deletion_cost(&self) -> i32;
    /// Returns the restarts of the container that was restarted most often.
    fn restarts(&self) -> i64;

    /// Returns whether the Pod has ended: its phase is Succeeded or Failed.
    fn is_finished(&self) -> bool {
        matches!(self.phase(), "Succeeded" | "Failed")
    }

    /// Returns whether the Pod counts as a replica: neither finished nor being deleted. Upstream's `IsPodActive`.
    fn is_active(&self) -> bool {
        !self.is_finished() && !self.metadata().is_being_deleted()
    }

    /// Returns whether the Pod is being deleted and has not finished. Upstream's `IsPodTerminating`.
    fn is_terminating(&self) -> bool {
        !self.is_finished() && self.metadata().is_being_deleted()
    }

    /// Returns whether the Pod is ready.
    fn is_ready(&self) -> bool {
        self.ready_since().is_some()
    }

    /// Returns whether the Pod has been ready for `min_ready`.
    fn is_available(&self, min_ready: Duration, now: Timestamp) -> bool {
        self.is_ready() && self.available_in(min_ready, now).is_none()
    }

    /// Returns the time after which a ready Pod will have been ready for `min_ready`; `None` if it has
    /// been, or is not ready.
    fn available_in(&self, min_ready: Duration, now: Timestamp) -> Option<Duration> {
        let ready = Duration::try_from(now.duration_since(self.ready_since()?)).unwrap_or_default();
        min_ready.checked_sub(ready).filter(|rest| !rest.is_zero())
    }
}

impl PodState for Pod {
    fn phase(&self) -> &str {
        self.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
    }

    fn node_name(&self) -> &str {
        self.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default()
    }

    fn ready_since(&self) -> Option<Timestamp> {
        let mut conditions = self.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let ready = conditions.find(|condition| condition.type_ == "Ready")?;
        (ready.status == "True")
            .then(|| ready.last_transition_time.as_ref().map_or(Timestamp::MIN, |time| time.0))
    }

    fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    fn deletion_cost(&self) -> i32 {
        let annotations = self.metadata.annotations.as_ref();
        cost(annotations.and_then(|annotations| annotations.get(DELETION_COST)).map(String::as_str))
    }

    fn restarts(&self) -> i64 {
        let statuses = self.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        statuses.map(|container| i64::from(container.restart_count)).max().unwrap_or(0)
    }
}

/// Returns the cost that an annotation states; 0 without one, and where it is no number.
fn cost(annotation: Option<&str>) -> i32 {
    annotation.and_then(|cost| cost.parse().ok()).unwrap_or(0)
}
