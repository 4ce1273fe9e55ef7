//! Merging a configuration into an object: it adds and replaces fields, and puts items into its order.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::{
    typed::{Shape, Type},
    typedef::{Form, ListType, Scalar},
};

/// Merges a configuration into an object.
pub(crate) fn merge(kind: Type<'_>, live: &Value, config: &Value) -> Value {
    merged(kind, Some(live), Some(config)).unwrap_or(Value::Null)
}

fn merged(kind: Type<'_>, live: Option<&Value>, config: Option<&Value>) -> Option<Value> {
    let Some(config) = config else {
        return live.cloned();
    };
    let shape = kind.shape(config);
    let live = live.filter(|live| kind.shape(live) == shape);
    if config.is_null() && kind.drops_nulls() {
        // Null asks nothing of a value with parts; a scalar returns to its state when left out.
        return live.filter(|live| shape != Shape::Leaf && !is_empty(live)).cloned();
    }
    match shape {
        Shape::Leaf => Some(config.clone()),
        Shape::Fields => {
            let live = live.and_then(Value::as_object).filter(|live| !live.is_empty());
            let Some(config) = config.as_object().filter(|config| !config.is_empty()) else {
                return live.map_or_else(|| Some(config.clone()), |live| Some(live.clone().into()));
            };
            let fields = merged_fields(kind, live, config);
            (!fields.is_empty()).then(|| fields.into())
        }
        Shape::Items(list) => {
            let live = live.and_then(Value::as_array).filter(|live| !live.is_empty());
            let Some(config) = config.as_array().filter(|config| !config.is_empty()) else {
                return live.map_or_else(|| Some(config.clone()), |live| Some(live.clone().into()));
            };
            let items = merged_items(kind, list, live.map_or(&[], Vec::as_slice), config);
            (!items.is_empty()).then(|| items.into())
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    }
}

fn merged_fields(
    kind: Type<'_>,
    live: Option<&Map<String, Value>>,
    config: &Map<String, Value>,
) -> Map<String, Value> {
    let mut fields = live.cloned().unwrap_or_default();
    for (name, wanted) in config {
        let field = kind.field(name).unwrap_or(Type::DEDUCED);
        match merged(field, live.and_then(|live| live.get(name)), Some(wanted)) {
            Some(value) => drop(fields.insert(name.clone(), value)),
            // In a map, a text that is null is an empty one.
            None if field.form() == Some(Form::Scalar(Scalar::String)) && !kind.declares(name) => {
                drop(fields.insert(name.clone(), "".into()));
            }
            None => drop(fields.remove(name)),
        }
    }
    fields
}

/// Merges two lists. Items that only the live one has keep their place between its neighbours as far as the
/// configuration's order allows.
fn merged_items(kind: Type<'_>, list: &ListType, live: &[Value], config: &[Value]) -> Vec<Value> {
    let steps = |side: &[Value]| -> Vec<String> {
        side.iter().map(|item| kind.step(list, item).unwrap_or_default()).collect()
    };
    let (live_steps, config_steps) = (steps(live), steps(config));
    let wanted: HashSet<&str> = config_steps.iter().map(String::as_str).collect();
    // Items with the same key are not merged with the item that replaces them.
    let mut present: HashMap<&str, Option<&Value>> = HashMap::new();
    for (step, item) in live_steps.iter().zip(live) {
        present.entry(step).and_modify(|twin| *twin = None).or_insert(Some(item));
    }
    let mut shared = config_steps.iter().filter(|step| present.contains_key(step.as_str())).peekable();
    let items = kind.items();
    let mut done: HashSet<&str> = HashSet::new();
    let mut merged_list = Vec::with_capacity(live.len().max(config.len()));
    let (mut mine, mut theirs) =
        (live_steps.iter().zip(live).peekable(), config_steps.iter().zip(config).peekable());
    loop {
        if let (Some((step, _)), Some((wanted_step, _))) = (mine.peek(), theirs.peek())
            && wanted.contains(step.as_str())
            && step != wanted_step
            && shared.peek().is_some_and(|next| next != step)
        {
            mine.next(); // its turn comes where the configuration has it
            continue;
        }
        if let Some((_, item)) = mine.next_if(|(step, _)| !wanted.contains(step.as_str())) {
            merged_list.push(item.clone());
            continue;
        }
        mine.next_if(|(step, _)| done.contains(step.as_str()));
        let Some((step, item)) = theirs.next() else {
            let others = mine.filter(|(step, _)| !wanted.contains(step.as_str()));
            merged_list.extend(others.map(|(_, item)| item.clone()));
            return merged_list;
        };
        mine.next_if(|(live_step, _)| *live_step == step);
        shared.next_if(|next| *next == step);
        done.insert(step);
        merged_list.extend(merged(items, present.get(step.as_str()).copied().flatten(), Some(item)));
    }
}
