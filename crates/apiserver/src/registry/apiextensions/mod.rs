//! The group `apiextensions.k8s.io`.

mod custom_resource_definition;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![custom_resource_definition::kind()]
}
