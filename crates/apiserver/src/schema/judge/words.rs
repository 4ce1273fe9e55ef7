//! Upstream's message for each kind of error.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Wrong},
};
use serde_json::{Value, json};

use super::{Finding, Step, path};
use crate::{
    http::status::Cause,
    schema::{Form, Scalar, Schema},
};

/// The field of what upstream tells of no field.
const NOWHERE: &str = "<nil>";

/// Returns upstream's messages for an error at `field`.
pub(super) fn tell(error: &ValidationError<'_>, field: &str) -> Vec<Cause> {
    let value = &**error.instance();
    let plainly = |because: String| vec![Cause::invalid(field, value, format!("{field} in body {because}"))];
    let mistyped = |wanted: &str, found: &Value| {
        let message = format!("Invalid value: {found}: {field} in body must be of type {wanted}: {found}");
        Cause::new("FieldValueTypeInvalid", field, message)
    };
    let nowhere = |because: String| vec![Cause::invalid(NOWHERE, &json!(""), format!("{field:?} {because}"))];
    let size =
        value.as_array().map(Vec::len).or(value.as_object().map(serde_json::Map::len)).unwrap_or_default();
    let too_many = |limit: u64| {
        let items = if limit == 1 { "item" } else { "items" };
        vec![Cause::new(
            "FieldValueTooMany",
            field,
            format!("Too many: {size}: must have at most {limit} {items}"),
        )]
    };
    let too_few = |limit: u64, what: &str| {
        vec![Cause::invalid(
            field,
            &size.into(),
            format!("{field} in body should have at least {limit} {what}"),
        )]
    };
    match error.kind() {
        Wrong::Type { kind } => {
            let mut causes = vec![mistyped(&wanted(kind), &json!(kind_of(value)))];
            if kind_of(value) == "number" && wanted(kind) == "integer" {
                let because = format!("Checked value must be of type integer (default format) in {field}");
                causes.push(Cause::invalid(NOWHERE, &json!(""), because));
            }
            causes
        }
        Wrong::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let dot = if field.is_empty() { "" } else { "." };
            vec![Cause::required(format!("{field}{dot}{property}"), "")]
        }
        Wrong::Minimum { limit } => plainly(format!("should be greater than or equal to {limit}")),
        Wrong::ExclusiveMinimum { limit } => plainly(format!("should be greater than {limit}")),
        Wrong::Maximum { limit } => plainly(format!("should be less than or equal to {limit}")),
        Wrong::ExclusiveMaximum { limit } => plainly(format!("should be less than {limit}")),
        Wrong::MultipleOf { multiple_of } => plainly(format!("should be a multiple of {multiple_of}")),
        Wrong::Pattern { pattern } => plainly(format!("should match '{pattern}'")),
        Wrong::MinLength { limit } => plainly(format!("should be at least {limit} chars long")),
        Wrong::MaxLength { limit } => {
            let message = format!("Too long: may not be more than {limit} bytes");
            vec![Cause::new("FieldValueTooLong", field, message)]
        }
        Wrong::MinItems { limit } => too_few(*limit, "items"),
        Wrong::MinProperties { limit } => too_few(*limit, "properties"),
        Wrong::MaxItems { limit } | Wrong::MaxProperties { limit } => too_many(*limit),
        Wrong::Format { format } => vec![mistyped(format, value)],
        Wrong::Enum { options } => {
            let options = options.as_array().into_iter().flatten().filter(|option| !option.is_null());
            let options: Vec<String> = options.map(Value::to_string).collect();
            let message = format!("Unsupported value: {value}: supported values: {}", options.join(", "));
            vec![Cause::new("FieldValueNotSupported", field, message)]
        }
        Wrong::AnyOf { context } => {
            let mut causes = nowhere("must validate at least one schema (anyOf)".to_owned());
            causes.extend(nearest(context, field));
            causes
        }
        Wrong::OneOfNotValid { context } => {
            let mut causes =
                nowhere("must validate one and only one schema (oneOf). Found none valid".to_owned());
            causes.extend(nearest(context, field));
            causes
        }
        Wrong::OneOfMultipleValid { context } => {
            let valid = context.iter().filter(|errors| errors.is_empty()).count();
            let because = "must validate one and only one schema (oneOf). Found";
            nowhere(format!("{because} {valid} valid alternatives"))
        }
        Wrong::Not { .. } => nowhere("must not validate the schema (not)".to_owned()),
        _ => plainly(error.to_string()),
    }
}

/// Returns the errors of the first alternative with the fewest errors.
fn nearest(alternatives: &[Vec<ValidationError<'static>>], field: &str) -> Vec<Cause> {
    let nearest = alternatives.iter().min_by_key(|errors| errors.len());
    let told = |error: &ValidationError<'static>| {
        // Paths within an alternative begin at the object, too.
        let at: Vec<Step> = error.instance_path().iter().map(Step::of).collect();
        tell(error, if at.is_empty() { field.to_owned() } else { path(&at) }.as_str())
    };
    nearest.into_iter().flatten().flat_map(told).collect()
}

fn wanted(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(set) => {
            let names: Vec<String> =
                set.iter().map(|one| one.to_string()).filter(|name| name != "null").collect();
            names.join(",")
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Beyond this, whole floats are no 64-bit integers any more.
const LIMIT: f64 = 9_223_372_036_854_775_808.0;

/// Numbers that do not fit the format which the schema declares; JSON Schema knows formats of strings only.
pub(super) fn number_formats(
    schema: Schema<'_>,
    value: &Value,
    at: &mut Vec<Step>,
    found: &mut Vec<Finding>,
) {
    match value {
        // JSON Schema takes a whole float for an integer. Upstream does so up to 2⁵³, and has made integers of those.
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
            let cause = Cause::new("FieldValueTypeInvalid", &field, message);
            found.push(Finding { at: at.clone(), cause });
            let is_beyond = number.as_f64().is_some_and(|float| float.abs() >= LIMIT);
            if wanted == "integer" && is_beyond {
                let format = match schema.kind() {
                    Form::Scalar(Scalar::Int32) => "with format int32",
                    _ => "(default format)",
                };
                let because = format!("Checked value must be of type integer {format} in {field}");
                found.push(Finding { at: at.clone(), cause: Cause::invalid(NOWHERE, &json!(""), because) });
            }
        }
        Value::Number(number) if schema.kind() == Form::Scalar(Scalar::Int32) => {
            if !number.is_f64() && number.as_i64().is_none_or(|number| i32::try_from(number).is_err()) {
                let because =
                    format!("Checked value must be of type integer with format int32 in {}", path(at));
                found.push(Finding { at: at.clone(), cause: Cause::invalid(NOWHERE, &json!(""), because) });
            }
        }
        _ => super::duplicates::parts(schema, value, at, |schema, value, at| {
            number_formats(schema, value, at, found)
        }),
    }
}
