//! Whether a definition's schema is structural: upstream's rules, as far as people run into them.

mod extensions;

use serde_json::{Value, json};

use crate::{error::FieldError, rules::rule_causes, structural_schema::default_causes};

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];
/// In which the type and everything else that shapes an object must not be said again.
const LOGICAL: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The fields that such a part must not have, and what they must be.
const FORBIDDEN: [(&str, &str); 13] = [
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    ("x-kubernetes-preserve-unknown-fields", "false"),
    ("x-kubernetes-embedded-resource", "false"),
    ("x-kubernetes-int-or-string", "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-validations", "empty"),
];

/// Adds the errors of the schema at `path`, whose root describes whole objects.
pub(crate) fn check(schema: &Value, path: &str, causes: &mut Vec<FieldError>) {
    match schema["type"].as_str() {
        None | Some("") => {
            causes.push(FieldError::required(format!("{path}.type"), "must not be empty at the root"));
        }
        Some("object") => {}
        Some(other) => {
            causes.push(FieldError::invalid(
                format!("{path}.type"),
                &json!(other),
                "must be object at the root",
            ));
        }
    }
    let metadata = &schema["properties"]["metadata"];
    let known = |field: &String| matches!(field.as_str(), "name" | "generateName");
    let restricts_more = metadata["properties"].as_object().is_some_and(|fields| !fields.keys().all(known));
    if restricts_more {
        let because = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        causes.push(FieldError::forbidden(format!("{path}.properties[metadata]"), because));
    }
    let before = causes.len();
    node(schema, path, true, causes);
    if causes.len() == before {
        restrictions(schema, path, causes); // upstream does not look that far if anything else is wrong
        defaults(schema, path, causes);
    }
    if causes.len() == before {
        causes.extend(rule_causes(schema, path));
    }
}

fn node(schema: &Value, path: &str, is_root: bool, causes: &mut Vec<FieldError>) {
    let kind = schema["type"].as_str().unwrap_or_default();
    let is_set = |extension: &str| schema[extension] == true;
    // What a resource within a resource lacks is told later.
    let is_free = is_set("x-kubernetes-int-or-string")
        || is_set("x-kubernetes-preserve-unknown-fields")
        || is_set("x-kubernetes-embedded-resource");
    if kind.is_empty() && !is_root && !is_free {
        let what = if path.ends_with(".items") { "array items" } else { "object fields" };
        let because = format!("must not be empty for specified {what}");
        causes.push(FieldError::required(format!("{path}.type"), &because));
    } else if !kind.is_empty() && !TYPES.contains(&kind) {
        causes.push(FieldError::not_supported(format!("{path}.type"), &json!(kind), &TYPES));
    }
    if schema.get("$ref").is_some() {
        causes.push(FieldError::forbidden(format!("{path}.$ref"), "$ref is not supported"));
    }
    if schema["uniqueItems"] == true {
        let because = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        causes.push(FieldError::forbidden(format!("{path}.uniqueItems"), because));
    }
    if schema["additionalProperties"] == false {
        causes.push(FieldError::forbidden(
            format!("{path}.additionalProperties"),
            "additionalProperties cannot be set to false",
        ));
    }
    if schema["properties"].is_object() && schema["additionalProperties"].is_object() {
        let because = "additionalProperties and properties are mutual exclusive";
        causes.push(FieldError::forbidden(format!("{path}.additionalProperties"), because));
    }
    extensions::check(schema, path, causes);
    if kind == "array" && schema.get("items").is_none() {
        causes.push(FieldError::required(format!("{path}.items"), "must be specified"));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if !(is_root && name == "metadata") {
            node(property, &format!("{path}.properties[{name}]"), false, causes);
        }
    }
    if schema["items"].is_object() {
        node(&schema["items"], &format!("{path}.items"), false, causes);
    }
    if schema["additionalProperties"].is_object() {
        node(&schema["additionalProperties"], &format!("{path}.additionalProperties"), false, causes);
    }
}

/// Checks that what is filled in fits. A default within a map's values is not asked for: there is none.
fn defaults(schema: &Value, path: &str, causes: &mut Vec<FieldError>) {
    causes.extend(default_causes(schema, &format!("{path}.default")));
    if schema["items"].is_object() {
        defaults(&schema["items"], &format!("{path}.items"), causes);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        defaults(property, &format!("{path}.properties[{name}]"), causes);
    }
}

/// Checks what restricts the values of a node and of all nodes below it.
fn restrictions(schema: &Value, path: &str, causes: &mut Vec<FieldError>) {
    extensions::embedded(schema, path, causes);
    let is_either = schema["x-kubernetes-int-or-string"] == true;
    quantifiers(schema, path, is_either, causes);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        restrictions(property, &format!("{path}.properties[{name}]"), causes);
    }
    for field in ["items", "additionalProperties"] {
        if schema[field].is_object() {
            restrictions(&schema[field], &format!("{path}.{field}"), causes);
        }
    }
}

/// Checks the parts of `allOf` and the like, and of `not`.
fn quantifiers(schema: &Value, path: &str, is_either: bool, causes: &mut Vec<FieldError>) {
    for logical in LOGICAL {
        for (position, part) in schema[logical].as_array().into_iter().flatten().enumerate() {
            self::logical(part, &format!("{path}.{logical}[{position}]"), is_either, causes);
        }
    }
    if schema["not"].is_object() {
        logical(&schema["not"], &format!("{path}.not"), false, causes);
    }
}

/// Checks a part of `allOf` and the like: it restricts values, and does not declare their type again.
fn logical(part: &Value, path: &str, is_int_or_string: bool, causes: &mut Vec<FieldError>) {
    let is_set = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    for (field, because) in FORBIDDEN {
        let says_what_it_is = field == "type" && is_int_or_string;
        if is_set(&part[field]) && !says_what_it_is {
            causes.push(FieldError::forbidden(
                format!("{path}.{field}"),
                format!("must be {because} to be structural"),
            ));
        }
    }
    quantifiers(part, path, is_int_or_string, causes);
    if part["items"].is_object() {
        logical(&part["items"], &format!("{path}.items"), false, causes);
    }
    for (name, property) in part["properties"].as_object().into_iter().flatten() {
        logical(property, &format!("{path}.properties[{name}]"), false, causes);
    }
    if part["properties"].get("metadata").is_some() {
        let because = "must not be specified in a nested context";
        causes.push(FieldError::forbidden(format!("{path}.properties[metadata]"), because));
    }
}
