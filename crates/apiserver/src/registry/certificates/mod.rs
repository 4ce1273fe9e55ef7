//! The group `certificates.k8s.io`.

pub(crate) mod certificate_signing_request;
mod cluster_trust_bundle;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![certificate_signing_request::kind(), cluster_trust_bundle::kind()]
}
