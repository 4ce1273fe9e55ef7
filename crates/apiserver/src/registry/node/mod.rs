//! The group `node.k8s.io`.

mod runtime_class;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![runtime_class::kind()]
}
