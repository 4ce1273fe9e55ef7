//! `ClusterRoleBinding`s.

use super::base;
use crate::registry::{Kind, Strategy};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings")
        .cluster()
        .columns(base::binding_columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    validate: |binding, causes| base::validate_binding(binding, &["ClusterRole"], causes),
    ..base::BINDING
};
