//! Applied configurations: the paths that one sets, and its errors.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    element::{Element, field},
    set::FieldSet,
    typed::{NoStep, Shape, Type},
    typedef::{Form, ListType, Scalar},
};

/// Returns the paths that `value` sets.
pub(crate) fn paths(kind: Type<'_>, value: &Value) -> FieldSet {
    set(kind, value).1
}

/// Returns whether the value itself is one of its paths, and the paths below it.
fn set(kind: Type<'_>, value: &Value) -> (bool, FieldSet) {
    let mut below = FieldSet::default();
    match kind.shape(value) {
        Shape::Leaf => return (true, below),
        Shape::Fields => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let (own, parts) = set(kind.field(name).unwrap_or(Type::DEDUCED), value);
                let is_empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
                below.insert(field(name), own || is_empty || !kind.declares(name), parts);
            }
        }
        Shape::Items(list) => {
            let items = kind.items();
            let (mut seen, mut twins) = (HashSet::new(), HashSet::new());
            let steps: Vec<(String, &Value)> = value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|item| Some((kind.step(list, item).ok()?, item)))
                .collect();
            for (step, _) in &steps {
                if !seen.insert(step) {
                    twins.insert(step);
                }
            }
            for (step, item) in &steps {
                let parts = if twins.contains(step) { FieldSet::default() } else { set(items, item).1 };
                below.insert(step.clone(), true, parts);
            }
        }
    }
    (false, below)
}

/// Returns the errors of a value of this type.
pub(crate) fn errors(kind: Type<'_>, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(kind, value, "", &mut errors);
    errors
}

/// Joins errors to one text, as upstream does.
pub(crate) fn listed(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        _ => format!("errors:\n  {}", errors.join("\n  ")),
    }
}

fn check(kind: Type<'_>, value: &Value, path: &str, errors: &mut Vec<String>) {
    let Some(form) = kind.form() else {
        return;
    };
    let expected = match (form, value) {
        (Form::Any, _) | (_, Value::Null) => None,
        (Form::Struct | Form::Map, Value::Object(fields)) => {
            for (name, value) in fields {
                let path = format!("{path}{}", Element::Field(name));
                match kind.field(name) {
                    Some(field) => check(field, value, &path, errors),
                    None => errors.push(format!("{path}: field not declared in schema")),
                }
            }
            None
        }
        (Form::List, Value::Array(items)) => {
            check_items(kind, items, path, errors);
            None
        }
        (Form::Struct | Form::Map, _) => Some("map"),
        (Form::List, _) => Some("list"),
        (Form::Scalar(scalar), value) => unfit(scalar, value),
    };
    if let Some(expected) = expected {
        errors.push(at(path, &format!("expected {expected}, got {}", go(expected, value))));
    }
}

fn check_items(kind: Type<'_>, items: &[Value], path: &str, errors: &mut Vec<String>) {
    let list = match kind.shape(&Value::Null) {
        Shape::Items(list) => Some(list),
        _ => None,
    };
    let mut seen = HashSet::new();
    for (place, item) in items.iter().enumerate() {
        let step = match list {
            None => Element::Index(i64::try_from(place).unwrap_or(i64::MAX)).to_string(),
            Some(list) => match shown(kind, list, item) {
                Ok(step) => step,
                Err(NoStep(because)) => {
                    errors.push(at(path, &format!("element {place}: {because}")));
                    return;
                }
            },
        };
        if !seen.insert(step.clone()) {
            errors.push(at(path, &format!("duplicate entries for key {step}")));
        }
        check(kind.items(), item, &format!("{path}{step}"), errors);
    }
}

fn shown(kind: Type<'_>, list: &ListType, item: &Value) -> Result<String, NoStep> {
    let step = kind.step(list, item)?;
    let element = Element::parse(&step).ok().flatten();
    Ok(element.map_or_else(|| step.clone(), |element| element.to_string()))
}

fn at(path: &str, because: &str) -> String {
    if path.is_empty() { because.to_owned() } else { format!("{path}: {because}") }
}

/// Returns the expected kind of scalar, if the value is of another.
fn unfit(scalar: Scalar, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match scalar {
        Scalar::String | Scalar::Bytes => (value.is_string(), "string"),
        Scalar::Number => (value.is_number(), "numeric (int or float)"),
        Scalar::Boolean => (value.is_boolean(), "boolean"),
        Scalar::Untyped => (!value.is_object() && !value.is_array(), "any scalar"),
    };
    (!fits).then_some(expected)
}

/// Writes a value as upstream's messages do, which depends on the expected kind.
fn go(expected: &str, value: &Value) -> String {
    match expected {
        "numeric (int or float)" => match value {
            Value::Bool(_) => "bool".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "[]interface {}".to_owned(),
            _ => "map[string]interface {}".to_owned(),
        },
        "string" => format!("&value.valueUnstructured{{Value:{}}}", literal(value)),
        _ => format!("&{{{}}}", plain(value)),
    }
}

/// Writes a value as Go's `%#v` does.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name:?}:{}", literal(value)));
            format!("map[string]interface {{}}{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}

/// Writes a value as Go's `%v` does.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}:{}", plain(value)));
            format!("map[{}]", fields.collect::<Vec<_>>().join(" "))
        }
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}
