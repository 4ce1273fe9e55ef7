//! `ServiceAccount`s.

use serde_json::{Value, json};

use crate::registry::{Kind, MetadataCheck, Strategy, Subresource, column};

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

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    prepare_for_create: keep_names,
    prepare_for_update: |_, account| keep_names(account),
    returns_deleted: true,
    ..Strategy::PLAIN
};

/// Keeps nothing of the references to Secrets but their names.
fn keep_names(account: &mut Value) {
    for secret in account.get_mut("secrets").and_then(Value::as_array_mut).into_iter().flatten() {
        *secret = secret.get("name").map_or_else(|| json!({}), |name| json!({"name": name}));
    }
}
