//! `ServiceCIDR`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::registry::{Column, Kind, Strategy, cells, column};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { status_reset_fields: &[&["metadata"], &["spec"]], ..Strategy::PLAIN };

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("CIDRs", cidrs)])
}

fn cidrs(range: &Value, _: Timestamp) -> Value {
    cells::array(range, "/spec/cidrs").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",").into()
}
