//! The defaults that a definition declares.

use serde_json::Value;

use super::{Form, Schema};

/// Fills in what a custom object leaves out, and what is left out in that.
pub(crate) fn set_defaults(schema: Schema<'_>, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, default) in schema.fields().filter_map(|(name, field)| Some((name, field.default()?)))
            {
                if !fields.contains_key(name) {
                    fields.insert(name.to_owned(), default.clone());
                }
            }
            for (name, value) in fields {
                if let Some(schema) = schema.field(name).filter(|schema| !schema.is_built_in()) {
                    set_defaults(schema, value);
                }
            }
        }
        Value::Array(items) if schema.kind() == Form::List => {
            if let Some(schema) = schema.items() {
                items.iter_mut().for_each(|item| set_defaults(schema, item));
            }
        }
        _ => {}
    }
}
