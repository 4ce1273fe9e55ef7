//! The group `apiregistration.k8s.io`.

mod api_service;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![api_service::kind()]
}
