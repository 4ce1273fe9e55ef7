//! The group `storagemigration.k8s.io`.

mod storage_version_migration;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![storage_version_migration::kind()]
}
