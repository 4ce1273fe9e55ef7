//! `ServiceAccount`s.

use crate::registry::{Kind, Strategy, Subresource, column};

const TOKEN: Subresource = Subresource {
    group: "authentication.k8s.io",
    version: "v1",
    ..Subresource::new("token", "TokenRequest", &["create"])
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "ServiceAccount", "serviceaccounts")
        .short("sa")
        .below(&[TOKEN])
        .columns(column::age())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { returns_deleted: true, ..Strategy::PLAIN };
