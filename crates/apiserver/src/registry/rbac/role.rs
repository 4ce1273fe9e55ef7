//! Roles.

use super::base;
use crate::registry::{Kind, Strategy, strategy::Grants, validation};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("rbac.authorization.k8s.io", "v1", "Role", "roles").strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    validate: |role, causes| validation::rbac::role(role, true, causes),
    grants: Grants::Rules,
    ..base::BASE
};
