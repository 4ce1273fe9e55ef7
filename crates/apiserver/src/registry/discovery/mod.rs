//! The group `discovery.k8s.io`.

mod endpoint_slice;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![endpoint_slice::kind()]
}
