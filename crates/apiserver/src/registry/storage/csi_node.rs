//! `CSINode`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::registry::{
    Cell, Column, Kind, Strategy, cells, column,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "CSINode", "csinodes")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy =
    Strategy { set_defaults: |node| set_spec_defaults(defaults::spec(node)), ..base::BASE };

fn set_spec_defaults(spec: &mut Fields) {
    defaults::items(spec, "drivers")
        .for_each(|driver| defaults::fill(driver, [("topologyKeys", json!(null))]));
}

fn columns() -> Vec<Column> {
    column::with_age(vec![Column::new("Drivers", "integer", Cell::Computed(drivers))])
}

fn drivers(node: &Value, _: Timestamp) -> Value {
    cells::array(node, "/spec/drivers").len().into()
}
