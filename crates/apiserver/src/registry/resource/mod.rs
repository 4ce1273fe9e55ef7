//! The group `resource.k8s.io`.

mod base;
mod device_class;
mod resource_claim;
mod resource_claim_template;
mod resource_slice;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![
        device_class::kind(),
        resource_claim::kind(),
        resource_claim_template::kind(),
        resource_slice::kind(),
    ]
}
