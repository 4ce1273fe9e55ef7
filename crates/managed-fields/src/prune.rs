//! Removing paths from an object that nobody applies any more.

use serde_json::{Map, Value};

use crate::{
    element::{Element, field},
    set::FieldSet,
    typed::{Shape, Type},
};

/// Removes the values at `paths`. A container that becomes empty is left as null.
pub(crate) fn without(kind: Type<'_>, value: &Value, paths: &FieldSet) -> Value {
    match kind.shape(value) {
        Shape::Fields => {
            let kept =
                value.as_object().into_iter().flatten().filter(|(name, _)| !paths.contains(&field(name)));
            let fields: Map<String, Value> = kept
                .map(|(name, value)| {
                    let type_of = kind.field(name).unwrap_or(Type::DEDUCED);
                    (name.clone(), without_below(type_of, value, paths, &field(name)))
                })
                .collect();
            if fields.is_empty() { Value::Null } else { fields.into() }
        }
        Shape::Items(list) => {
            let items = kind.items();
            let steps = value.as_array().into_iter().flatten();
            let steps = steps.map(|item| (kind.step(list, item).unwrap_or_default(), item));
            let kept = steps.filter(|(step, _)| !paths.contains(step));
            let kept: Vec<Value> =
                kept.map(|(step, item)| without_below(items, item, paths, &step)).collect();
            if kept.is_empty() { Value::Null } else { kept.into() }
        }
        Shape::Leaf => match kind.form() {
            Some(crate::typedef::Form::Scalar(_)) => value.clone(),
            None if !value.is_array() => value.clone(),
            _ => Value::Null,
        },
    }
}

fn without_below(kind: Type<'_>, value: &Value, paths: &FieldSet, step: &str) -> Value {
    if paths.has_below(step) { without(kind, value, &paths.below(step)) } else { value.clone() }
}

/// Adds the declared fields that lead to members: the owner of all fields of a struct owns the struct.
pub(crate) fn with_named_fields(kind: Type<'_>, set: &FieldSet) -> FieldSet {
    let mut named = FieldSet::default();
    for (step, is_member) in set.steps() {
        let below = set.below(&step);
        let (type_of, is_named) = match Element::parse(&step) {
            Ok(Some(Element::Field(name))) => {
                (kind.field(name).unwrap_or(Type::DEDUCED), !below.is_empty() && kind.declares(name))
            }
            Ok(Some(Element::Key(_))) => (kind.items(), false),
            _ => (Type::DEDUCED, false),
        };
        named.insert(step.clone(), is_member || is_named, with_named_fields(type_of, &below));
    }
    named
}
