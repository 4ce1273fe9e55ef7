//! `MutatingAdmissionPolicy`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::base;
use crate::registry::{Cell, Column, Kind, Strategy, cells, column, defaults};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("admissionregistration.k8s.io", "v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies")
        .category("api-extensions")
        .cluster()
        .stored("admissionregistration.k8s.io", "v1beta1")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |policy| base::set_policy_defaults(defaults::spec(policy), false),
    ..base::BASE
};

fn columns() -> Vec<Column> {
    column::with_age(vec![
        Column::new("Mutations", "integer", Cell::Computed(mutations)),
        column::computed("ParamKind", base::param_kind),
    ])
}

fn mutations(policy: &Value, _: Timestamp) -> Value {
    cells::array(policy, "/spec/mutations").len().into()
}
