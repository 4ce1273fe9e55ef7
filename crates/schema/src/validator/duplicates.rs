//! Values that stand twice in a list which holds each once.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Finding, Step, path};
use crate::{Form, ListType, Schema, error::FieldError};

/// Adds what stands twice in the lists of `value`.
pub(crate) fn find(schema: Schema<'_>, value: &Value, at: &mut Vec<Step>, found: &mut Vec<Finding>) {
    if let Some(items) = value.as_array() {
        let keys_of = |item: &Value| match schema.list() {
            ListType::Atomic => None,
            ListType::Set => Some(item.clone()),
            ListType::Map(keys) => {
                let keys = keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
                Some(Value::Object(keys.collect::<Map<_, _>>()))
            }
        };
        let mut seen = HashSet::new();
        let is_map = matches!(schema.list(), ListType::Map(_));
        if let Some(position) = items.iter().position(|item| is_map && !item.is_object() && !item.is_null()) {
            let (field, because) =
                (format!("{}[{position}]", path(at)), "must be an object for an array of list-type map");
            let cause = FieldError::invalid(field, &items[position], because);
            found.push(Finding { at: at.clone(), cause });
            return parts(schema, value, at, Step::Key, |schema, value, at| find(schema, value, at, found));
        }
        for (position, keys) in items.iter().enumerate().filter_map(|(n, item)| Some((n, keys_of(item)?))) {
            if !seen.insert(keys.to_string()) {
                let field = format!("{}[{position}]", path(at));
                let cause = FieldError::new("FieldValueDuplicate", field, format!("Duplicate value: {keys}"));
                found.push(Finding { at: at.clone(), cause });
            }
        }
    }
    parts(schema, value, at, Step::Key, |schema, value, at| find(schema, value, at, found));
}

/// Shows `each` the parts of a value that the schema tells something of. `entry` is the step to an entry of a map.
pub(crate) fn parts(
    schema: Schema<'_>,
    value: &Value,
    at: &mut Vec<Step>,
    entry: fn(String) -> Step,
    mut each: impl FnMut(Schema<'_>, &Value, &mut Vec<Step>),
) {
    let mut part = |step: Step, schema: Option<Schema<'_>>, value: &Value| {
        // What is built in, such as metadata, was read into its type.
        if let Some(schema) = schema.filter(|schema| !schema.is_built_in()) {
            at.push(step);
            each(schema, value, at);
            at.pop();
        }
    };
    match value {
        Value::Object(fields) => {
            let step = if schema.kind() == Form::Map { entry } else { Step::Field };
            fields.iter().for_each(|(name, value)| part(step(name.clone()), schema.field(name), value));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| part(Step::Item(n), schema.items(), value));
        }
        _ => {}
    }
}
