//! Leases.

use serde_json::{Value, json};

use super::base;
use crate::{
    api::status::Cause,
    registry::{Column, Kind, Strategy, column},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("coordination.k8s.io", "v1", "Lease", "leases").columns(columns()).strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { creates_on_update: true, validate, ..base::BASE };

fn validate(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    for (field, least) in [("leaseDurationSeconds", 1), ("leaseTransitions", 0)] {
        if let Some(number) = spec.get(field).and_then(Value::as_i64).filter(|number| *number < least) {
            let because = format!("must be greater than {}", if least == 1 { "0" } else { "or equal to 0" });
            causes.push(Cause::invalid(format!("spec.{field}"), &json!(number), because));
        }
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("Holder", "/spec/holderIdentity")])
}
