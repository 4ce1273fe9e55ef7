//! [`FieldError`]: the error of one field, as upstream's `field.Error`.

use std::fmt;

use serde_json::{Value, json};

use crate::go_number;

/// The error of one field: a cause in the details of a `Status`. Its text is upstream's:
/// `spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    reason: &'static str,
    field: String,
    message: String,
}

impl FieldError {
    /// The field's value is not allowed, because of a reason in words.
    pub fn invalid(field: impl Into<String>, value: &Value, because: impl fmt::Display) -> Self {
        match value {
            Value::Object(_) | Value::Array(_) => Self::invalid_json(field, &value.to_string(), because),
            Value::Number(number) => {
                let float = number.as_f64().filter(|_| number.is_f64());
                let number = float.map_or_else(|| number.to_string(), go_number::general);
                Self::new("FieldValueInvalid", field, format!("Invalid value: {number}: {because}"))
            }
            _ => Self::new("FieldValueInvalid", field, format!("Invalid value: {value}: {because}")),
        }
    }

    /// The field's value, which Go writes as `json`, is not allowed. HTML's characters are escaped, as Go does.
    pub fn invalid_json(field: impl Into<String>, json: &str, because: impl fmt::Display) -> Self {
        let json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
        Self::new("FieldValueInvalid", field, format!("Invalid value: {json}: {because}"))
    }

    /// The field is missing.
    pub fn required(field: impl Into<String>, because: &str) -> Self {
        let colon = if because.is_empty() { "" } else { ": " };
        Self::new("FieldValueRequired", field, format!("Required value{colon}{because}"))
    }

    /// The field's value is none of `supported`.
    pub fn not_supported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        let supported = supported.join(", ");
        Self::new(
            "FieldValueNotSupported",
            field,
            format!("Unsupported value: {value}: supported values: {supported}"),
        )
    }

    /// The field must not be changed, or not be set.
    pub fn forbidden(field: impl Into<String>, because: impl fmt::Display) -> Self {
        Self::new("FieldValueForbidden", field, format!("Forbidden: {because}"))
    }

    /// An error with any reason.
    pub fn new(reason: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason, field: field.into(), message: message.into() }
    }

    /// Returns the reason, such as `FieldValueInvalid`.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Returns the path of the field, such as `spec.ports[0].name`.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns the message without the field.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether the object does not fit its schema, so that rules about it cannot be evaluated.
    pub(crate) fn makes_rules_pointless(&self) -> bool {
        matches!(
            self.reason,
            "FieldValueNotSupported"
                | "FieldValueRequired"
                | "FieldValueTooLong"
                | "FieldValueTooMany"
                | "FieldValueTypeInvalid"
        )
    }

    /// Writes the error as a cause of a `Status`.
    pub fn to_json(&self) -> Value {
        let mut cause = json!({"reason": self.reason, "message": self.message});
        if !self.field.is_empty() {
            cause["field"] = self.field.clone().into();
        }
        cause
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl std::error::Error for FieldError {}

/// Joins errors to one line as upstream does. Equal errors are listed once.
pub fn join_errors(errors: &[FieldError]) -> String {
    let mut told: Vec<String> = Vec::new();
    for error in errors.iter().map(FieldError::to_string) {
        if !told.contains(&error) {
            told.push(error);
        }
    }
    match told.as_slice() {
        [one] => one.clone(),
        told => format!("[{}]", told.join(", ")),
    }
}
