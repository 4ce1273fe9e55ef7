//! [`LeaseCandidate`]: the object on the server. Declared here, since k8s-openapi's type of that name
//! differs from one Kubernetes version to the next, and `v1beta1` is not going to stay.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube_client::core::{ApiResource, GroupVersionKind, NotUsed, Object};
use serde::{Deserialize, Serialize};

pub(crate) type LeaseCandidate = Object<Spec, NotUsed>;

/// The spec. Times that are `None` are left out, so that a merge patch does not touch them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Spec {
    pub(crate) lease_name: String,
    pub(crate) binary_version: String,
    pub(crate) emulation_version: String,
    pub(crate) strategy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ping_time: Option<MicroTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) renew_time: Option<MicroTime>,
}

pub(crate) fn resource() -> ApiResource {
    let kind = GroupVersionKind::gvk("coordination.k8s.io", "v1beta1", "LeaseCandidate");
    ApiResource::from_gvk_with_plural(&kind, "leasecandidates")
}
