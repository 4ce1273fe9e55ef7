//! The group `policy`.

mod pod_disruption_budget;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![pod_disruption_budget::kind()]
}
