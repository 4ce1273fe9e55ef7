//! Who manages which fields: `metadata.managedFields`, and server-side apply, which decides by it. The rules are
//! those of upstream's structured-merge-diff.
//!
//! A manager has the fields that it set. Whoever changes a field otherwise than by applying has it alone from then
//! on; who applies shares the fields that already have the wanted value, is refused where another's would change,
//! and loses from the object what it no longer applies.

mod applied;
mod apply;
mod compare;
mod conflict;
mod element;
mod entry;
mod merge;
mod prune;
mod resets;
pub(crate) mod scale;
mod set;
mod typed;
mod update;
mod versions;

pub(crate) use self::update::Writer;

use serde_json::{Map, Value};

use self::versions::Versions;
use crate::{
    http::route::Subresource,
    kinds::{Kind, Kinds},
    object,
};

/// Whether two states of an object differ in nothing but when managers wrote: then nobody wrote anything.
pub(crate) fn differ_in_times(one: &Value, other: &Value) -> bool {
    let list = |object| object::metadata(object).get("managedFields").and_then(Value::as_array);
    let (Some(before), Some(after)) = (list(one), list(other)) else {
        return false;
    };
    let are_same = |one: &Map<String, Value>, other: &Map<String, Value>, name: &str| {
        one.len() == other.len()
            && one.iter().all(|(field, value)| field == name || other.get(field) == Some(value))
    };
    let is_same_entry = |(one, other): (&Value, &Value)| match (one.as_object(), other.as_object()) {
        (Some(one), Some(other)) => are_same(one, other, "time"),
        _ => false,
    };
    let (Some(one_fields), Some(other_fields)) = (one.as_object(), other.as_object()) else {
        return false;
    };
    before != after
        && before.len() == after.len()
        && before.iter().zip(after).all(is_same_entry)
        && are_same(object::metadata(one), object::metadata(other), "managedFields")
        && are_same(one_fields, other_fields, "metadata")
}

impl<'a> Writer<'a> {
    /// Somebody who writes objects of `kind` under the name `manager`, at the time `now`.
    pub(crate) fn new(
        kinds: &'a Kinds,
        kind: &'a Kind,
        subresource: Option<Subresource>,
        manager: &'a str,
        now: &'a str,
    ) -> Self {
        let name = subresource.map_or("", Subresource::word);
        Self { versions: Versions { kinds, kind, subresource }, manager, subresource: name, now }
    }
}

#[cfg(test)]
mod tests;
