//! The group `rbac.authorization.k8s.io`.

mod base;
mod cluster_role;
mod cluster_role_binding;
mod role;
mod role_binding;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![cluster_role::kind(), cluster_role_binding::kind(), role::kind(), role_binding::kind()]
}
