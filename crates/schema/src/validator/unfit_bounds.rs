//! Bounds that are no numbers of the format that they bound: upstream refuses every value there.

use serde_json::{Value, json};

use super::{Finding, Step, path};
use crate::error::FieldError;

/// Upstream's names of the bounds.
const BOUNDS: [(&str, &str); 3] = [
    ("maximum", "Maximum boundary value"),
    ("minimum", "Minimum boundary value"),
    ("multipleOf", "MultipleOf value"),
];

/// Returns whether a schema, or one within it, has such a bound.
pub(crate) fn refuse_everything(schema: &Value) -> bool {
    unfit(schema).next().is_some()
        || schema["properties"].as_object().is_some_and(|schemas| schemas.values().any(refuse_everything))
        || ["items", "additionalProperties"]
            .iter()
            .any(|field| schema[field].is_object() && refuse_everything(&schema[field]))
}

/// The bounds of a schema for integers that are none of its format.
fn unfit(schema: &Value) -> impl Iterator<Item = &'static str> {
    let is_short = schema["type"] == "integer" && schema["format"] == "int32";
    let is_beyond = move |bound: &&(&str, &str)| {
        let bound = &schema[bound.0];
        is_short && bound.as_f64().is_some_and(|bound| !(-2_147_483_648.0..=2_147_483_647.0).contains(&bound))
    };
    BOUNDS.iter().filter(is_beyond).map(|(_, name)| *name)
}

/// Adds the findings of such bounds about a value.
pub(crate) fn find(schema: &Value, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Finding>) {
    match value {
        Value::Number(_) => {
            for bound in unfit(schema) {
                let because = format!("{bound} must be of type integer with format int32 in {}", path(at));
                found.push(Finding {
                    at: at.clone(),
                    cause: FieldError::invalid("<nil>", &json!(""), because),
                });
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let declared = schema["properties"].get(name);
                if let Some(schema) = declared.or_else(|| schema.get("additionalProperties")) {
                    at.push(Step::Field(name.clone()));
                    find(schema, value, at, found);
                    at.pop();
                }
            }
        }
        Value::Array(items) => {
            for (position, value) in items.iter().enumerate() {
                at.push(Step::Item(position));
                find(&schema["items"], value, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}
