//! `ResourceClaimTemplate`s.

use serde_json::json;

use super::base;
use crate::registry::{
    Kind, Strategy, column,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates")
        .columns(column::age())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |template| set_spec_defaults(defaults::spec(template)),
    returns_deleted: true,
    ..base::BASE
};

fn set_spec_defaults(template: &mut Fields) {
    defaults::fill(template, [("metadata", json!({}))]);
    if let Some(claim) = defaults::object(template, "spec") {
        super::resource_claim::set_spec_defaults(claim);
    }
}
