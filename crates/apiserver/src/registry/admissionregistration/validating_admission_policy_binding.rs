//! `ValidatingAdmissionPolicyBinding`s.

use super::base;
use crate::registry::{Kind, Strategy, defaults};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
    )
    .category("api-extensions")
    .cluster()
    .columns(base::binding_columns())
    .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |binding| base::set_policy_defaults(defaults::spec(binding), true),
    ..base::BASE
};
