//! The group `scheduling.k8s.io`.

mod priority_class;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![priority_class::kind()]
}
