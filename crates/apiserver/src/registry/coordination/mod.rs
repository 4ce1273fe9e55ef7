//! The group `coordination.k8s.io`.

mod base;
mod lease;
mod lease_candidate;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![lease::kind(), lease_candidate::kind()]
}
