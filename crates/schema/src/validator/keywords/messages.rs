//! Upstream's messages for violated keywords.

use serde_json::{Value, json};

use super::{Violation, type_of};
use crate::error::FieldError;

/// The field of errors that upstream reports without one.
pub(crate) const NOWHERE: &str = "<nil>";

/// Beyond this, whole floats are no 64-bit integers any more.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// `spec.size in body should …`.
pub(crate) fn in_body(field: &str, value: &Value, because: &str) -> FieldError {
    FieldError::invalid(field, value, format!("{field} in body {because}"))
}

/// An error without a field, which names it in its text.
pub(crate) fn nowhere(field: &str, because: &str) -> FieldError {
    FieldError::invalid(NOWHERE, &json!(""), format!("{field:?} {because}"))
}

pub(crate) fn mistyped(wanted: &str, found: &Value, field: &str) -> FieldError {
    let message = format!("Invalid value: {found}: {field} in body must be of type {wanted}: {found}");
    FieldError::new("FieldValueTypeInvalid", field, message)
}

/// The errors of a value that has none of the `types`; with a `format`, upstream compares it with the format of Go's value.
pub(crate) fn wrong_type(
    types: &[&str],
    format: Option<&str>,
    value: &Value,
    field: &str,
) -> Vec<FieldError> {
    let wanted: Vec<&str> = types.iter().copied().filter(|name| *name != "null").collect();
    let wanted = wanted.join(",");
    let told = match (format, value) {
        (None, _) | (_, Value::Null | Value::String(_) | Value::Array(_)) => {
            mistyped(&wanted, &json!(type_of(value)), field)
        }
        (Some(format), Value::Number(number)) => {
            mistyped(format, &json!(if number.is_f64() { "float64" } else { "int64" }), field)
        }
        (Some(format), _) => mistyped(format, &json!(""), field),
    };
    let mut errors = vec![told];
    let is_integer = |float: f64| float.fract() == 0.0 && float.abs() < LIMIT;
    if wanted == "integer" && value.is_f64() && !value.as_f64().is_some_and(is_integer) {
        let format =
            format.map_or_else(|| "(default format)".to_owned(), |name| format!("with format {name}"));
        let because = format!("Checked value must be of type integer {format} in {field}");
        errors.push(FieldError::invalid(NOWHERE, &json!(""), because));
    }
    errors
}

pub(crate) fn no_choice(choices: &[Value], value: &Value, field: &str) -> FieldError {
    let choices = choices.iter().filter(|choice| !choice.is_null());
    let choices: Vec<String> = choices.map(Value::to_string).collect();
    let message = format!("Unsupported value: {value}: supported values: {}", choices.join(", "));
    FieldError::new("FieldValueNotSupported", field, message)
}

pub(crate) fn missing(name: &str, field: &str) -> FieldError {
    let dot = if field.is_empty() { "" } else { "." };
    FieldError::required(format!("{field}{dot}{name}"), "")
}

pub(crate) fn too_long(limit: u64, field: &str) -> FieldError {
    let message = format!("Too long: may not be more than {limit} bytes");
    FieldError::new("FieldValueTooLong", field, message)
}

pub(crate) fn too_many(size: u64, limit: u64, field: &str) -> FieldError {
    let items = if limit == 1 { "item" } else { "items" };
    let message = format!("Too many: {size}: must have at most {limit} {items}");
    FieldError::new("FieldValueTooMany", field, message)
}

/// The errors of a value that fits none of several schemas: the fact, and the errors of the first of those that come
/// nearest.
pub(crate) fn none_of(because: &str, alternatives: &[Vec<Violation>], field: &str) -> Vec<FieldError> {
    let nearest = alternatives.iter().min_by_key(|violations| violations.len());
    let nearest = nearest.into_iter().flatten().flat_map(|violation| violation.errors.iter().cloned());
    std::iter::once(nowhere(field, because)).chain(nearest).collect()
}
