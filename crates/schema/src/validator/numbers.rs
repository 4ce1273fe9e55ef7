//! Numbers that do not fit the format of their schema.

use serde_json::{Value, json};

use super::{Finding, Step, keywords::NOWHERE, path};
use crate::{Form, Scalar, Schema, error::FieldError};

/// Beyond this, whole floats are no 64-bit integers any more.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// Adds findings about integers that do not fit their format, and about floats where integers are wanted.
pub(crate) fn find(schema: Schema<'_>, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Finding>) {
    match value {
        // A whole float is an integer for keywords. Upstream takes it for one up to 2⁵³, and has made integers of those.
        Value::Number(number)
            if number.as_f64().is_some_and(|float| number.is_f64() && float.fract() == 0.0) =>
        {
            let wanted = match schema.kind() {
                Form::Scalar(Scalar::Int32 | Scalar::Int64) => "integer",
                Form::Scalar(Scalar::IntOrString) => "integer,string",
                _ => return,
            };
            let field = path(at);
            let message =
                format!("Invalid value: \"number\": {field} in body must be of type {wanted}: \"number\"");
            let cause = FieldError::new("FieldValueTypeInvalid", &field, message);
            found.push(Finding { at: at.clone(), cause });
            let is_beyond = number.as_f64().is_some_and(|float| float.abs() >= LIMIT);
            if wanted == "integer" && is_beyond {
                let format = match schema.kind() {
                    Form::Scalar(Scalar::Int32) => "with format int32",
                    _ => "(default format)",
                };
                let because = format!("Checked value must be of type integer {format} in {field}");
                found.push(Finding {
                    at: at.clone(),
                    cause: FieldError::invalid(NOWHERE, &json!(""), because),
                });
            }
        }
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
