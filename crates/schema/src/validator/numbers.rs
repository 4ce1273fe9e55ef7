//! Numbers that do not fit the format of their schema.

use serde_json::{Value, json};

use super::{Finding, Step, keywords::NOWHERE, path};
use crate::{Form, Scalar, Schema, error::FieldError};

/// Adds findings about integers that do not fit their format.
pub(crate) fn find(schema: Schema<'_>, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Finding>) {
    match value {
        Value::Number(number) if schema.kind() == Form::Scalar(Scalar::Int32) => {
            let limits = f64::from(i32::MIN)..=f64::from(i32::MAX);
            // What is no integer of 64 bits is told with the type.
            let is_integer = |float: &f64| float.fract() == 0.0 && float.abs() < 9_223_372_036_854_775_808.0;
            if number.as_f64().filter(is_integer).is_some_and(|number| !limits.contains(&number)) {
                let because =
                    format!("Checked value must be of type integer with format int32 in {}", path(at));
                found.push(Finding {
                    at: at.clone(),
                    cause: FieldError::invalid(NOWHERE, &json!(""), because),
                });
            }
        }
        _ => super::duplicates::parts(schema, value, at, Step::Field, |schema, value, at| {
            find(schema, value, at, found);
        }),
    }
}
