//! Upstream's defaulting of objects by their definition, and the pruning of unknown fields that an applied
//! configuration brought along. A body is pruned while it is read.

use serde_json::Value;

use super::{Form, Schema};

/// Fills in the defaults of a custom object, and those within them. A null that is not allowed counts as absent.
pub fn set_defaults(schema: Schema<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in schema.fields() {
                let Some(default) = field.default() else { continue };
                if fields.get(name).is_none_or(|value| is_refused_null(field, value)) {
                    fields.insert(name.to_owned(), default.clone());
                }
            }
            for (name, value) in fields {
                if let Some(schema) = schema.field(name).filter(|schema| !schema.is_built_in()) {
                    replace_null(schema, value);
                    set_defaults(schema, value);
                }
            }
        }
        Value::Array(items) if schema.kind() == Form::List => {
            if let Some(schema) = schema.items() {
                for item in items {
                    replace_null(schema, item);
                    set_defaults(schema, item);
                }
            }
        }
        _ => {}
    }
}

/// Puts the default in the place of a null that is not allowed.
fn replace_null(schema: Schema<'_>, value: &mut Value) {
    if let Some(default) = schema.default().filter(|_| is_refused_null(schema, value)) {
        *value = default.clone();
    }
}

fn is_refused_null(schema: Schema<'_>, value: &Value) -> bool {
    value.is_null() && !schema.is_nullable()
}

/// Removes the fields of a custom object that its definition does not declare.
pub fn prune(schema: Schema<'_>, value: &mut Value) {
    prune_within(schema, value, false);
}

/// The same, where a list around the value may ask for all of it to be kept.
fn prune_within(schema: Schema<'_>, value: &mut Value, keeps: bool) {
    let keeps = keeps || schema.preserves_unknown();
    match value {
        Value::Object(fields) => match schema.kind() {
            Form::Struct | Form::Map => {
                fields.retain(|name, _| keeps || schema.field(name).is_some());
                for (name, value) in fields {
                    if let Some(schema) = schema.field(name).filter(|schema| !schema.is_built_in()) {
                        prune_within(schema, value, false);
                    }
                }
            }
            Form::Any if !schema.is_closed() => {}
            _ if keeps => {}
            _ => fields.clear(),
        },
        Value::Array(items) => {
            if let Some(schema) = schema.items() {
                items.iter_mut().for_each(|item| prune_within(schema, item, keeps));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::StructuralSchema;

    /// The answers are a kube-apiserver's.
    #[test]
    fn what_is_not_declared_goes_and_lists_may_keep_it() {
        let declared = StructuralSchema::new(json!({"type": "object", "properties": {
            "list": {"type": "array", "x-kubernetes-preserve-unknown-fields": true, "items": {"type": "object", "properties": {
                "a": {"type": "string"}, "o": {"type": "object"},
            }}},
            "bare": {"type": "array", "items": {"type": "object"}},
            "any": {"type": "object", "additionalProperties": true},
        }}));
        let mut object = json!({
            "list": [{"a": "b", "u": 1, "o": {"z": 1}}, {"q": [{"w": 1}]}],
            "bare": [{"u": 1, "w": {"z": 1}}],
            "any": {"a": {"b": 1}, "c": 1},
            "more": 1,
        });
        prune(declared.schema(), &mut object);
        let expected = json!({
            "list": [{"a": "b", "u": 1, "o": {}}, {"q": [{"w": 1}]}],
            "bare": [{}],
            "any": {"a": {}, "c": 1},
        });
        assert_eq!(object, expected);
    }

    /// The answers are a kube-apiserver's.
    #[test]
    fn defaults_take_the_place_of_null() {
        let declared = StructuralSchema::new(json!({"type": "object", "properties": {
            "map": {"type": "object", "additionalProperties": {
                "type": "object", "properties": {"d": {"type": "integer", "default": 5}}, "default": {"d": 9},
            }},
            "list": {"type": "array", "items": {"type": "string", "default": "x"}},
            "nullable": {"type": "string", "nullable": true, "default": "q"},
            "text": {"type": "string", "default": "q"},
        }}));
        let mut object = json!({
            "map": {"a": null, "b": {}, "c": {"d": null}}, "list": [null, "a"], "nullable": null, "text": null,
        });
        set_defaults(declared.schema(), &mut object);
        let expected = json!({
            "map": {"a": {"d": 9}, "b": {"d": 5}, "c": {"d": 5}}, "list": ["x", "a"], "nullable": null, "text": "q",
        });
        assert_eq!(object, expected);
    }
}
