//! `ValidatingWebhookConfiguration`s.

use super::base;
use crate::registry::{Kind, Strategy, defaults};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
    )
    .category("api-extensions")
    .cluster()
    .columns(base::webhook_columns())
    .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |configuration| base::set_webhook_defaults(defaults::whole(configuration), false),
    ..base::BASE
};
