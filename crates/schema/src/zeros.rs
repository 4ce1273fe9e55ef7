//! Zero values, which Go writes for some fields that nobody set.

use serde_json::Value;

use super::{Form, Schema};

/// Fills in the fields of built-in structs within `value` that Go writes although they are not set. Of the fields of `value`
/// itself, only those become null that Go writes so: an object's others are for its kind to complete.
///
/// It is called once the defaults are set, which take a zero value for one that is not set.
pub fn write_zeros(schema: Schema<'_>, value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        for (name, _) in schema.written().filter(|(_, field)| field.is_null_if_unset()) {
            fields.entry(name).or_insert(Value::Null);
        }
    }
    match (schema.kind(), value) {
        (Form::Struct | Form::Map, Value::Object(fields)) => {
            for (name, part) in fields.iter_mut().filter(|(_, part)| part.is_object() || part.is_array()) {
                if let Some(schema) = schema.field(name) {
                    complete(schema, part);
                }
            }
        }
        (Form::List, Value::Array(items)) => {
            if let Some(schema) = schema.items() {
                items.iter_mut().for_each(|item| complete(schema, item));
            }
        }
        _ => {}
    }
}

/// Makes null of the empty lists of an object that Go writes as null if they are not set: upstream reads an object again as
/// it was stored, and there the two are the same.
pub fn drop_empty_lists(schema: Schema<'_>, object: &mut Value) {
    for (name, _) in schema.written().filter(|(_, field)| field.is_null_if_unset()) {
        if object.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            object[name] = Value::Null;
        }
    }
}

/// Fills in the zero values of `value` and of what is within it.
fn complete(schema: Schema<'_>, value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        for (name, schema) in schema.written() {
            if !fields.contains_key(name) {
                fields.insert(name.to_owned(), schema.zero());
            }
        }
    }
    write_zeros(schema, value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A kube-apiserver answers so.
    #[test]
    fn fields_that_go_holds_by_value_are_written() {
        let schema = Schema::named("apps", "v1", "Deployment").expect("a built-in kind");
        let mut object = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "a", "env": [{"name": "B"}], "securityContext": {}},
        ]}}}});
        write_zeros(schema, &mut object);
        let spec = &object["spec"];
        assert_eq!(object.get("metadata"), None, "the object itself is its kind's to complete");
        assert_eq!((&spec["strategy"], &spec["selector"]), (&json!({}), &Value::Null));
        let container = &spec["template"]["spec"]["containers"][0];
        assert_eq!(
            *container,
            json!({"name": "a", "env": [{"name": "B"}], "resources": {}, "securityContext": {}})
        );
    }
}
