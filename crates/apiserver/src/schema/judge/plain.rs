//! From a structural schema, which is OpenAPI 3.0 with extensions, to JSON Schema.

use serde_json::{Map, Value, json};
use trimtab_cel::formats;

/// Returns the JSON Schema for the library.
pub(super) fn plain(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else { return schema.clone() };
    let flag = |name: &str| fields.get(name) == Some(&Value::Bool(true));
    let is_nullable = flag("nullable");
    let is_int_or_string = flag("x-kubernetes-int-or-string");
    let mut plain = Map::new();
    for (name, value) in fields {
        let value = match name.as_str() {
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                Value::Object(properties.map(|(name, schema)| (name.clone(), self::plain(schema))).collect())
            }
            "items" | "additionalProperties" | "not" => self::plain(value),
            "anyOf" if is_int_or_string && *value == json!([{"type": "integer"}, {"type": "string"}]) => {
                continue;
            }
            "allOf" | "anyOf" | "oneOf" => value.as_array().into_iter().flatten().map(self::plain).collect(),
            "type" if is_nullable => json!([value, "null"]),
            "enum" if is_nullable => {
                value.as_array().into_iter().flatten().cloned().chain([Value::Null]).collect()
            }
            // Of other types than strings, the library knows no formats.
            "format" if fields.get("type").is_none_or(|kind| kind == "string") => {
                match value.as_str().and_then(formats::known) {
                    Some(known) => known.into(),
                    None => continue,
                }
            }
            // A flag beside the number in OpenAPI 3.0, the number itself in JSON Schema.
            "minimum" if flag("exclusiveMinimum") => continue,
            "maximum" if flag("exclusiveMaximum") => continue,
            "exclusiveMinimum" if flag("exclusiveMinimum") => {
                fields.get("minimum").cloned().unwrap_or_default()
            }
            "exclusiveMaximum" if flag("exclusiveMaximum") => {
                fields.get("maximum").cloned().unwrap_or_default()
            }
            "type" | "enum" | "required" | "minimum" | "maximum" | "multipleOf" | "pattern" | "minLength"
            | "maxLength" | "minItems" | "maxItems" | "uniqueItems" | "minProperties" | "maxProperties" => {
                value.clone()
            }
            _ => continue,
        };
        plain.insert(name.clone(), value);
    }
    if is_int_or_string {
        plain.insert("type".to_owned(), json!(["integer", "string"]));
    }
    if flag("x-kubernetes-embedded-resource") {
        plain.insert("required".to_owned(), json!(["apiVersion", "kind"]));
    }
    Value::Object(plain)
}
