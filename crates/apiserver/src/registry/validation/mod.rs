//! Validation of objects and of their changes: the rules of all kinds, and those that several kinds share.

pub(super) mod address;
pub(super) mod conditions;
mod container;
pub(super) mod data;
pub(super) mod limits;
mod metadata;
pub(super) mod parts;
pub(super) mod placement;
pub(super) mod pod;
pub(super) mod policy;
pub(super) mod probe;
mod projected;
pub(super) mod quota;
pub(super) mod rbac;
pub(super) mod resources;
mod security;
pub(super) mod seen;
pub(super) mod volume;
pub(super) mod volume_source;

use std::borrow::Cow;

use serde_json::{Value, json};

pub(super) use self::metadata::annotations;
use super::{Kind, strategy::MetadataCheck};
use crate::api::{names, path::Path, status::Cause, subresource::Subresource};

/// Returns the errors of a new object.
pub(super) fn new_object(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    metadata::name(kind, object, &mut causes);
    (kind.strategy.validate_first)(object, &mut causes);
    metadata::whole(kind, object, &mut causes);
    (kind.strategy.validate)(object, &mut causes);
    (kind.strategy.validate_new)(object, &mut causes);
    causes
}

/// Returns the errors of the change from `old` to `new`; `fixed` are those of fields of the metadata that never change.
pub(super) fn change(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
    fixed: Vec<Cause>,
) -> Vec<Cause> {
    let strategy = &kind.strategy;
    let metadata = metadata::Change::new(kind, old, new, fixed);
    let mut causes = Vec::new();
    metadata.common(&mut causes);
    let is_whole = subresource.is_none() && !differ_in_metadata_alone(old, new);
    let mut is_validated = !is_whole;
    for check in strategy.metadata_checks {
        metadata.check(*check, &mut causes);
        if *check == MetadataCheck::Whole && !is_validated {
            (strategy.validate)(new, &mut causes);
            is_validated = true;
        }
    }
    if !is_whole {
        (strategy.validate_part)(subresource, old, new, &mut causes);
        return causes;
    }
    if strategy.validates_change_last && !is_validated {
        (strategy.validate)(new, &mut causes);
        is_validated = true;
    }
    let before = causes.len();
    (strategy.validate_change)(old, new, &mut causes);
    let stops = strategy.stops_at_change && causes.len() > before;
    if !is_validated && !stops {
        (strategy.validate)(new, &mut causes);
    }
    causes
}

/// Returns whether only the metadata differs, as in most writes. The rest was validated
/// when it was written.
fn differ_in_metadata_alone(old: &Value, new: &Value) -> bool {
    let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else { return false };
    old.len() == new.len()
        && old.iter().all(|(field, value)| field == "metadata" || new.get(field) == Some(value))
}

/// Returns a text in lower case, which most keys are in already.
fn lower_case(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// The items of the list in a field.
pub(super) fn items<'a>(owner: &'a Value, field: &str) -> &'a [Value] {
    owner[field].as_array().map_or(&[], Vec::as_slice)
}

/// The object in a field, if there is one.
pub(super) fn object<'a>(owner: &'a Value, field: &str) -> Option<&'a Value> {
    owner.get(field).filter(|value| value.is_object())
}

/// The text in a field; empty if there is none.
pub(super) fn text<'a>(owner: &'a Value, field: &str) -> &'a str {
    owner[field].as_str().unwrap_or_default()
}

/// Adds an error for each fault of the text in a field.
pub(super) fn faulty<F: std::fmt::Display>(
    text: &str,
    field: impl Into<String> + Copy,
    faults: impl IntoIterator<Item = F>,
    causes: &mut Vec<Cause>,
) {
    causes.extend(faults.into_iter().map(|fault| Cause::invalid(field, &json!(text), fault)));
}

/// Validates the kind and the name in a reference to an object.
pub(super) fn kind_and_name(reference: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    for part in ["kind", "name"] {
        let (value, field) = (text(reference, part), path.child(part));
        if value.is_empty() {
            causes.push(Cause::required(field, ""));
        } else {
            faulty(value, field, names::path_segment_faults(value), causes);
        }
    }
}

/// Validates a text, if it is not empty, as a DNS subdomain.
pub(super) fn subdomain(text: &str, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    if !text.is_empty() {
        faulty(text, field, names::subdomain_faults(text), causes);
    }
}

/// Returns the error of a list with more entries than there may be.
pub(super) fn too_many(field: impl Into<String>, found: usize, most: usize) -> Cause {
    let because = format!("Too many: {found}: must have at most {most} items");
    Cause::new("FieldValueTooMany", field, because)
}

/// Returns the error of a value that stands in a list before.
pub(super) fn duplicate(field: impl Into<String>, value: &Value) -> Cause {
    Cause::new("FieldValueDuplicate", field, format!("Duplicate value: {value}"))
}

/// Validates that a text, if set, is one of `known`.
pub(super) fn one_of(value: &Value, field: impl Into<String>, known: &[&str], causes: &mut Vec<Cause>) {
    if value.as_str().is_some_and(|value| !known.contains(&value)) {
        causes.push(Cause::not_supported(field, value, known));
    }
}

/// Validates that a number, if set, is at least `least`.
pub(super) fn at_least(least: i64, owner: &Value, path: &Path<'_>, field: &str, causes: &mut Vec<Cause>) {
    if let Some(number) =
        owner.get(field).filter(|number| !number.is_null() && number.as_i64().is_none_or(|n| n < least))
    {
        let because = format!("must be greater than or equal to {least}");
        causes.push(Cause::invalid(path.child(field), number, because));
    }
}

/// Checks that the field at a JSON pointer, which escapes nothing, does not change.
pub(super) fn fixed(old: &Value, new: &Value, pointer: &str, causes: &mut Vec<Cause>) {
    let fields = || pointer.split('/').skip(1);
    let [before, after] = [old, new].map(|object| fields().try_fold(object, |value, field| value.get(field)));
    if before != after {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        causes.push(Cause::invalid(field, after.unwrap_or(&Value::Null), "field is immutable"));
    }
}

/// Checks that the selector of a workload does not change.
pub(super) fn fixed_selector(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let [before, after] = [old, new].map(|object| object["spec"].get("selector"));
    if before != after {
        let after = after.unwrap_or(&Value::Null);
        causes.push(parts::invalid_selector(after, "spec.selector", "field is immutable"));
    }
}

/// Checks that an immutable `ConfigMap` or Secret keeps its data.
pub(super) fn sealed(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["immutable"] != true {
        return;
    }
    for field in ["immutable", "data", "binaryData"] {
        if old.get(field) != new.get(field) {
            causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
}
