//! `ConfigMap`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::registry::{Column, Kind, MetadataCheck, Strategy, cells, column, validation};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "ConfigMap", "configmaps").short("cm").columns(columns()).strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    validate: |map, causes| validation::data::map(map, "binaryData", "[]", causes),
    validate_change: validation::sealed,
    counts_by_name: true,
    ..Strategy::PLAIN
};

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("Data", config_map_data)])
}

fn config_map_data(map: &Value, _: Timestamp) -> Value {
    (cells::entries(map, "/data") + cells::entries(map, "/binaryData")).into()
}
