//! `MutatingAdmissionPolicyBinding`s.

use super::base;
use crate::registry::{Kind, Strategy, defaults};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
    )
    .category("api-extensions")
    .cluster()
    .stored("admissionregistration.k8s.io", "v1beta1")
    .columns(base::binding_columns())
    .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |binding| base::set_policy_defaults(defaults::spec(binding), true),
    ..base::BASE
};
