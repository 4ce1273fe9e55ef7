//! `RoleBinding`s.

use super::base;
use crate::registry::{Kind, Strategy};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings")
        .columns(base::binding_columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    validate: |binding, causes| base::validate_binding(binding, &["Role", "ClusterRole"], causes),
    ..base::BINDING
};
