//! The group `flowcontrol.apiserver.k8s.io`.

mod base;
mod flow_schema;
mod priority_level_configuration;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![flow_schema::kind(), priority_level_configuration::kind()]
}
