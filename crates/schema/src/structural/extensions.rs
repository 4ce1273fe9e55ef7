//! Validation of Kubernetes' extensions in a schema: lists and maps with a type, embedded resources.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::error::FieldError;

const LIST_TYPES: [&str; 3] = ["atomic", "set", "map"];
const MAP_TYPES: [&str; 2] = ["atomic", "granular"];

/// Adds the errors of the types of lists and maps, and of unknown fields that are not kept.
pub(super) fn check(schema: &Value, path: &str, causes: &mut Vec<FieldError>) {
    let preserves = "x-kubernetes-preserve-unknown-fields";
    if schema[preserves] == false {
        let because = "must be true or undefined";
        causes.push(FieldError::invalid(format!("{path}.{preserves}"), &json!(false), because));
    }
    if let Some(map) = schema["x-kubernetes-map-type"].as_str() {
        of_type(schema, path, "object", "x-kubernetes-map-type", causes);
        if !MAP_TYPES.contains(&map) {
            let field = format!("{path}.x-kubernetes-map-type");
            causes.push(FieldError::not_supported(field, &json!(map), &MAP_TYPES));
        }
    }
    list(schema, path, causes);
}

/// Adds the error of a schema that is not of the `wanted` type, which the `extension` needs.
fn of_type(schema: &Value, path: &str, wanted: &str, extension: &str, causes: &mut Vec<FieldError>) {
    let found = schema["type"].as_str().unwrap_or_default();
    let because = format!("must be {wanted} if {extension} is specified");
    if found.is_empty() {
        causes.push(FieldError::required(format!("{path}.type"), &because));
    } else if found != wanted {
        causes.push(FieldError::invalid(format!("{path}.type"), &json!(found), because));
    }
}

fn list(schema: &Value, path: &str, causes: &mut Vec<FieldError>) {
    let field = format!("{path}.x-kubernetes-list-type");
    let kind = schema["x-kubernetes-list-type"].as_str();
    let items = &schema["items"];
    if kind.is_some() && schema["type"] != "array" {
        of_type(schema, path, "array", "x-kubernetes-list-type", causes);
    } else if kind == Some("set") {
        let because = "must be atomic as item of a list with x-kubernetes-list-type=set";
        let shown = &items["x-kubernetes-list-type"]; // upstream shows it for maps, too
        let is_atomic = |extension: &str| items[extension] == "atomic";
        let extension = match items["type"].as_str() {
            Some("array") if !shown.is_null() && !is_atomic("x-kubernetes-list-type") => {
                Some("x-kubernetes-list-type")
            }
            Some("object") if !is_atomic("x-kubernetes-map-type") => Some("x-kubernetes-map-type"),
            _ => None,
        };
        let at = |extension| format!("{path}.items.{extension}");
        causes.extend(extension.map(|extension| FieldError::invalid(at(extension), shown, because)));
    }
    if let Some(kind) = kind.filter(|kind| !LIST_TYPES.contains(kind)) {
        causes.push(FieldError::not_supported(&*field, &json!(kind), &LIST_TYPES));
    }
    let keys = schema["x-kubernetes-list-map-keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !keys.is_empty() && kind != Some("map") {
        let because = "must be map if x-kubernetes-list-map-keys is non-empty";
        causes.push(match kind {
            None => FieldError::required(field, because),
            Some(kind) => FieldError::invalid(field, &json!(kind), because),
        });
    }
    if matches!(kind, Some("set" | "map")) && items["nullable"] == true {
        let because =
            format!("cannot be nullable when x-kubernetes-list-type is {}", kind.unwrap_or_default());
        causes.push(FieldError::forbidden(format!("{path}.items.nullable"), because));
    }
    if kind == Some("map") {
        map_list(schema, keys, path, causes);
    }
}

/// Adds the errors of a list whose items are identified by keys.
fn map_list(schema: &Value, keys: &[Value], path: &str, causes: &mut Vec<FieldError>) {
    let (items, field) = (&schema["items"], format!("{path}.x-kubernetes-list-map-keys"));
    if keys.is_empty() {
        let because = "must not be empty if x-kubernetes-list-type is map";
        causes.push(FieldError::required(&*field, because));
    }
    if !items.is_object() {
        let because = "must have a schema if x-kubernetes-list-type is map";
        causes.push(FieldError::required(format!("{path}.items"), because));
        return;
    }
    let kind = items["type"].as_str().unwrap_or_default();
    if kind != "object" {
        let because = "must be object if parent array's x-kubernetes-list-type is map";
        causes.push(FieldError::invalid(format!("{path}.items.type"), &json!(kind), because));
        return;
    }
    let mut seen = BTreeSet::new();
    for key in keys.iter().filter_map(Value::as_str) {
        let property = &items["properties"][key];
        let shown = &schema["x-kubernetes-list-map-keys"];
        if !property.is_object() {
            causes.push(FieldError::invalid(&*field, shown, "entries must all be names of item properties"));
        } else if matches!(property["type"].as_str(), Some("array" | "object")) {
            let because = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            let field = format!("{path}.items.properties[{key}].type");
            causes.push(FieldError::invalid(field, &json!(kind), because));
        }
        if !seen.insert(key) {
            causes.push(FieldError::invalid(&*field, shown, "must not contain duplicate entries"));
        }
        let is_nullable = property["nullable"] == true;
        if is_nullable {
            let field = format!("{path}.items.properties[{key}].nullable");
            causes.push(FieldError::forbidden(
                field,
                "this property is in x-kubernetes-list-map-keys, so it cannot be nullable",
            ));
        }
        let required = items["required"].as_array().into_iter().flatten();
        if property.is_object()
            && property.get("default").is_none()
            && !required.into_iter().any(|name| name == key)
        {
            let because = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            let field = format!("{path}.items.properties[{key}].default");
            causes.push(FieldError::required(field, because));
        }
    }
}

/// Adds the errors of a resource within a resource, and of values that are integers or strings.
pub(super) fn embedded(schema: &Value, path: &str, causes: &mut Vec<FieldError>) {
    let is_set = |extension: &str| schema[extension] == true;
    let (resource, either) = ("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string");
    for extension in ["x-kubernetes-preserve-unknown-fields", resource] {
        if is_set(either) && is_set(extension) {
            let because = format!("must be false if {either} is true");
            causes.push(FieldError::invalid(format!("{path}.{extension}"), &json!(true), because));
        }
    }
    if !is_set(resource) {
        return;
    }
    let because = format!("must be object if {resource} is true");
    match schema["type"].as_str().unwrap_or_default() {
        "object" => {}
        "" => causes.push(FieldError::required(format!("{path}.type"), &because)),
        kind => causes.push(FieldError::invalid(format!("{path}.type"), &json!(kind), because)),
    }
    if schema["additionalProperties"].is_object() {
        let because = format!("must not be used if {resource} is set");
        causes.push(FieldError::forbidden(format!("{path}.additionalProperties"), because));
    }
    let has_properties = schema["properties"].as_object().is_some_and(|properties| !properties.is_empty());
    if !has_properties && !is_set("x-kubernetes-preserve-unknown-fields") {
        let because =
            format!("must not be empty if {resource} is true without x-kubernetes-preserve-unknown-fields");
        causes.push(FieldError::required(format!("{path}.properties"), &because));
    }
}
