//! The group `events.k8s.io`.

mod event;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![event::kind()]
}
