//! `ResourceClaim`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::object,
    registry::{
        Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims")
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |claim| set_spec_defaults(defaults::spec(claim)),
    returns_deleted: true,
    ..base::BASE
};

/// Defaults of the requests of a device claim: one of each.
pub(super) fn set_spec_defaults(spec: &mut Fields) {
    let Some(devices) = defaults::object(spec, "devices") else { return };
    for request in defaults::items(devices, "requests") {
        if let Some(exactly) = defaults::object(request, "exactly") {
            count(exactly);
        }
        defaults::items(request, "firstAvailable").for_each(count);
    }
}

fn count(request: &mut Fields) {
    defaults::fill(request, [("allocationMode", json!("ExactCount"))]);
    if request["allocationMode"] == "ExactCount" {
        defaults::fill(request, [("count", json!(1))]);
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("State", claim_state)])
}

/// Returns the state of a claim of devices.
fn claim_state(claim: &Value, _: Timestamp) -> Value {
    let deleted = object::is_being_deleted(claim);
    let allocated = claim.pointer("/status/allocation").is_some();
    let reserved = allocated && !cells::array(claim, "/status/reservedFor").is_empty();
    let states = [
        (deleted, "deleted"),
        (!deleted && !allocated, "pending"),
        (allocated, "allocated"),
        (reserved, "reserved"),
    ];
    states.into_iter().filter(|(is, _)| *is).map(|(_, state)| state).collect::<Vec<_>>().join(",").into()
}
