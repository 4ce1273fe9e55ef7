//! `CSIDriver`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::registry::{
    Cell, Column, Kind, Strategy, cells, column,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "CSIDriver", "csidrivers")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy =
    Strategy { set_defaults: |driver| set_spec_defaults(defaults::spec(driver)), ..base::BASE };

fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(
        spec,
        [
            ("attachRequired", json!(true)),
            ("podInfoOnMount", json!(false)),
            ("volumeLifecycleModes", json!(["Persistent"])),
            ("storageCapacity", json!(false)),
            ("fsGroupPolicy", json!("ReadWriteOnceWithFSType")),
            ("requiresRepublish", json!(false)),
            ("seLinuxMount", json!(false)),
        ],
    );
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        Column::new("AttachRequired", "boolean", Cell::Computed(attach_required)),
        column::boolean("PodInfoOnMount", "/spec/podInfoOnMount"),
        column::boolean("StorageCapacity", "/spec/storageCapacity"),
        column::computed("TokenRequests", token_requests),
        column::boolean("RequiresRepublish", "/spec/requiresRepublish"),
        column::computed("Modes", lifecycle_modes),
    ])
}

fn attach_required(driver: &Value, _: Timestamp) -> Value {
    (driver["spec"]["attachRequired"] != false).into()
}

/// Returns the audiences of the tokens that a driver asks for.
fn token_requests(driver: &Value, _: Timestamp) -> Value {
    if !driver["spec"]["tokenRequests"].is_array() {
        return cells::UNSET.into();
    }
    cells::joined(
        cells::array(driver, "/spec/tokenRequests").iter().map(|request| cells::text(request, "/audience")),
        ",",
    )
    .into()
}

fn lifecycle_modes(driver: &Value, _: Timestamp) -> Value {
    let modes = cells::joined(
        cells::array(driver, "/spec/volumeLifecycleModes").iter().filter_map(Value::as_str),
        ",",
    );
    if modes.is_empty() { cells::NONE.into() } else { modes.into() }
}
