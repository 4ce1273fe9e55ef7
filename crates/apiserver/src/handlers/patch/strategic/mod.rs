//! Strategic merge patches: merge patches that know how the lists of the built-in kinds are merged, and
//! that carry directives.

mod lists;

use std::collections::HashSet;

use http::StatusCode;
use serde_json::{Map, Value};
use trimtab_schema::Schema;

use self::lists::{ListRule, merge_list, reorder};
use crate::api::{object::in_go, status::Status};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// The error of a patch, with upstream's message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StrategicError {
    #[error("unknown patch type: {0} in map: {1}")]
    UnknownDirective(String, String),
    #[error("merging lists cannot yet be specified in the patch")]
    MergeInList,
    #[error("map: {0} does not contain declared merge key: {1}")]
    NoMergeKey(String, String),
    #[error("list element types are not identical: [{0}]")]
    MixedList(String),
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    #[error("expected a []interface {{}}, but received a {0}")]
    NoList(&'static str),
    #[error("The order in patch list:\n{0}\n doesn't match $setElementOrder list:\n{1}\n")]
    OtherOrder(String, String),
}

type Result<T> = std::result::Result<T, StrategicError>;

impl StrategicError {
    /// The refusal: upstream takes all but one of these for its own mistakes.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::RetainKeys => Status::bad_request(self.to_string()),
            _ => Status::new(StatusCode::INTERNAL_SERVER_ERROR, "", self.to_string()),
        }
    }
}

/// The list that a directive is about which stands beside it.
pub(super) fn listed(field: &str) -> Option<&str> {
    field.strip_prefix(ORDER).or_else(|| field.strip_prefix(DELETE))
}

/// Changes `object`, of the type `schema`, as `patch` says.
pub(super) fn merge(schema: Option<Schema<'_>>, object: &mut Value, patch: &Value) -> Result<()> {
    patch.as_object().map_or(Ok(()), |patch| map(object, patch, schema))
}

/// Merges `patch` into an object of the type `schema`; where there is none, lists are replaced.
fn map(target: &mut Value, patch: &Map<String, Value>, schema: Option<Schema<'_>>) -> Result<()> {
    match patch.get(PATCH).map(|word| (word, word.as_str().unwrap_or_default())) {
        None => {}
        Some((_, "replace")) => {
            *target = without_directives(&Value::Object(patch.clone()));
            return Ok(());
        }
        Some((_, "delete")) => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some((word, _)) => return Err(unknown(word, patch)),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let target = target.as_object_mut().expect("made an object above");
    retain_keys(target, patch)?;
    for (field, gone) in patch.iter().filter_map(|(key, value)| Some((key.strip_prefix(DELETE)?, value))) {
        if let (Some(gone), Some(Value::Array(list))) = (gone.as_array(), target.get_mut(field)) {
            let gone: HashSet<String> = gone.iter().map(Value::to_string).collect();
            list.retain(|value| !gone.contains(&value.to_string()));
        }
    }
    for (field, value) in patch.iter().filter(|(field, _)| !field.starts_with('$')) {
        let schema = schema.and_then(|schema| schema.field(field));
        let replaces = schema.and_then(|schema| schema.patch()).is_some_and(|rule| rule.replaces);
        match value {
            Value::Null => drop(target.remove(field)),
            value if replaces => drop(target.insert(field.clone(), without_directives(value))),
            Value::Object(within) => match target.get_mut(field).filter(|present| present.is_object()) {
                Some(present) => map(present, within, schema)?,
                None if within.contains_key(PATCH) => drop(target.remove(field)),
                None => drop(target.insert(field.clone(), without_directives(value))),
            },
            Value::Array(items) => {
                let order = patch.get(&format!("{ORDER}{field}")).map(order_of).transpose()?;
                // Where there is no list, the patch's is taken as it is.
                if order.is_none() && !target.get(field).is_some_and(Value::is_array) {
                    target.insert(field.clone(), without_directives(value));
                    continue;
                }
                merge_list(target.entry(field.as_str()).or_insert(Value::Null), items, order, schema)?;
            }
            scalar => drop(target.insert(field.clone(), scalar.clone())),
        }
    }
    for (field, order) in patch.iter().filter_map(|(key, value)| Some((key.strip_prefix(ORDER)?, value))) {
        let (order, rule) = (order_of(order)?, ListRule::of(schema.and_then(|schema| schema.field(field))));
        rule.check_keys(order)?;
        if let (Some(Value::Array(list)), false) = (target.get_mut(field), patch.contains_key(field)) {
            let before = list.clone();
            reorder(list, order, &before, rule);
        }
    }
    Ok(())
}

/// Removes what a patch does not name among the only keys to keep.
fn retain_keys(target: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<()> {
    let Some(retained) = patch.get(RETAIN_KEYS) else { return Ok(()) };
    let retained = retained.as_array().ok_or(StrategicError::RetainKeys)?;
    let retained: HashSet<&str> = retained.iter().filter_map(Value::as_str).collect();
    let is_retained = |key: &str| retained.contains(key);
    let set = patch.iter().filter(|(key, value)| !value.is_null() && !key.starts_with('$'));
    if set.into_iter().any(|(key, _)| !is_retained(key)) {
        return Err(StrategicError::RetainKeys);
    }
    target.retain(|key, _| is_retained(key));
    Ok(())
}

/// The items in the order that a patch wants.
fn order_of(order: &Value) -> Result<&[Value]> {
    let kind = match order {
        Value::Array(items) => return Ok(items),
        Value::Object(_) => "map[string]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::Null => "<nil>",
    };
    Err(StrategicError::NoList(kind))
}

fn unknown(word: &Value, patch: &Map<String, Value>) -> StrategicError {
    StrategicError::UnknownDirective(in_go(word), in_go(&Value::Object(patch.clone())))
}

/// Cleans a new value: without directives and what they stand in, and without nulls, which would only have removed
/// something.
fn without_directives(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(field, value)| {
                !field.starts_with('$') && !value.is_null() && value.get(PATCH).is_none()
            });
            Value::Object(kept.map(|(field, value)| (field.clone(), without_directives(value))).collect())
        }
        Value::Array(items) => {
            let kept = items.iter().filter(|item| item.get(PATCH).is_none());
            Value::Array(kept.map(without_directives).collect())
        }
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests;
