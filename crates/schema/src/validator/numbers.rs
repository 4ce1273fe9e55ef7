//! Numbers that do not fit the format of their schema.

use serde_json::{Value, json};

use super::{Finding, Step, keywords::NOWHERE, path};
use crate::{Form, Scalar, Schema, error::FieldError};

/// Adds findings about integers that do not fit their format.
pub(crate) fn find(schema: Schema<'_>, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Finding>) {
    match value {
        Value::Number(number) if schema.kind() == Form::Scalar(Scalar::Int32) => {
            if !number.is_f64() && number.as_i64().is_none_or(|number| i32::try_from(number).is_err()) {
                let because =
                    format!("Checked value must be of type integer with format int32 in {}", path(at));
                found.push(Finding {
                    at: at.clone(),
                    cause: FieldError::invalid(NOWHERE, &json!(""), because),
                });
            }
        }
        _ => super::duplicates::parts(schema, value, at, |schema, value, at| find(schema, value, at, found)),
    }
}
