//! The published form of a definition's schema: all of it in v3, and in v2 the part that it can express.

use serde_json::{Value, json};
use trimtab_schema::openapi::Version;

/// The schema of a whole object. `metadata` is the schema of that field.
pub(super) fn object(declared: &Value, version: Version, metadata: &Value) -> Value {
    let preserves = declared["x-kubernetes-preserve-unknown-fields"] == true;
    if !declared.is_object() || (version == Version::V2 && preserves) {
        return json!({"type": "object"}); // anything: clients are not to look into it
    }
    let mut schema = node(declared, version, metadata);
    let properties = properties(&mut schema);
    properties["apiVersion"] = api_version();
    properties["kind"] = kind();
    properties["metadata"] = metadata.clone();
    schema
}

/// The type of `apiVersion`.
pub(super) fn api_version() -> Value {
    json!({"type": "string", "description": "APIVersion defines the group and the version that the object is written in."})
}

/// The type of `kind`.
pub(super) fn kind() -> Value {
    json!({"type": "string", "description": "Kind names what the object is one of, in CamelCase."})
}

fn node(declared: &Value, version: Version, metadata: &Value) -> Value {
    let mut schema = declared.clone();
    let below = |schema: &Value| node(schema, version, metadata);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(|property| *property = below(property));
    }
    for field in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get_mut(field).filter(|inner| inner.is_object()) {
            *inner = below(inner);
        }
    }
    if schema["x-kubernetes-embedded-resource"] == true {
        let properties = properties(&mut schema);
        properties["apiVersion"] = api_version();
        properties["kind"] = kind();
        properties["metadata"] = metadata.clone();
        schema["required"] = json!(["kind", "apiVersion"]);
    }
    match version {
        Version::V2 => simplify(declared, &mut schema),
        Version::V3 if schema["x-kubernetes-int-or-string"] == true && schema.get("anyOf").is_none() => {
            schema["anyOf"] = json!([{"type": "integer"}, {"type": "string"}]);
        }
        Version::V3 => {}
    }
    schema
}

/// Takes out what v2 has no words for, and what old clients would misread.
fn simplify(declared: &Value, schema: &mut Value) {
    let is = |property: &Value, field: &str| property[field] == true;
    let mut without = vec!["allOf", "anyOf", "oneOf", "not", "default", "nullable"];
    if is(declared, "nullable") {
        without.extend(["type", "properties", "items", "additionalProperties"]);
    }
    if is(declared, "x-kubernetes-preserve-unknown-fields") {
        without.extend(["type", "properties", "items"]);
    }
    let Some(fields) = schema.as_object_mut() else { return };
    fields.retain(|field, _| !without.contains(&field.as_str()));
    if let Some(required) = fields.get_mut("required").and_then(Value::as_array_mut) {
        required
            .retain(|name| name.as_str().is_none_or(|name| !is(&declared["properties"][name], "nullable")));
    }
}

/// The properties of a schema, which gets some if it has none.
fn properties(schema: &mut Value) -> &mut Value {
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    &mut schema["properties"]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers are those of a kube-apiserver, but for its prose.
    #[test]
    fn v2_says_what_it_can() {
        let declared = json!({
            "type": "object", "required": ["a", "d"],
            "properties": {
                "a": {"type": "string", "nullable": true, "description": "n", "enum": ["x"]},
                "d": {"type": "integer", "default": 3, "minimum": 1, "format": "int32"},
                "i": {"x-kubernetes-int-or-string": true},
                "m": {"type": "object", "additionalProperties": {"type": "string", "nullable": true}},
                "ap": {"type": "object", "additionalProperties": true},
                "p": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"q": {}}},
                "o": {"type": "string", "oneOf": [{"pattern": "a"}]},
            },
        });
        let expected = json!({
            "type": "object", "required": ["d"],
            "properties": {
                "a": {"description": "n", "enum": ["x"]},
                "d": {"type": "integer", "minimum": 1, "format": "int32"},
                "i": {"x-kubernetes-int-or-string": true},
                "m": {"type": "object", "additionalProperties": {}},
                "ap": {"type": "object", "additionalProperties": true},
                "p": {"x-kubernetes-preserve-unknown-fields": true},
                "o": {"type": "string"},
            },
        });
        assert_eq!(node(&declared, Version::V2, &json!({})), expected);
        let v3 = node(&declared, Version::V3, &json!({}));
        assert_eq!(v3["properties"]["d"]["default"], 3);
        assert_eq!(v3["properties"]["i"]["anyOf"], json!([{"type": "integer"}, {"type": "string"}]));
    }

    #[test]
    fn whoever_takes_anything_says_no_more_in_v2() {
        let root = json!({
            "type": "object", "description": "d", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {}},
        });
        assert_eq!(object(&root, Version::V2, &json!({})), json!({"type": "object"}));
        assert_eq!(object(&root, Version::V3, &json!({}))["properties"]["a"], json!({}));
    }

    #[test]
    fn an_object_within_an_object_says_its_kind() {
        let declared = json!({"type": "object", "x-kubernetes-embedded-resource": true});
        let schema = node(&declared, Version::V3, &json!({"$ref": "meta"}));
        assert_eq!(schema["required"], json!(["kind", "apiVersion"]));
        assert_eq!(schema["properties"]["metadata"], json!({"$ref": "meta"}));
    }
}
