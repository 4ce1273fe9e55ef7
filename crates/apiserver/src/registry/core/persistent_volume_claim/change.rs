//! Changes of claims: the parts of the spec that stay.

use std::cmp::Ordering;

use serde_json::Value;

use super::BETA_CLASS;
use crate::{
    api::{object, status::Cause},
    registry::{quantity, validation},
};

const FIXED: &str = "field is immutable";

/// Validates that the spec changes in its size and its class of attributes alone, and only once it is bound.
pub(super) fn validate(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let is_bound = new["status"]["phase"] == "Bound";
    let mut unbound = old["spec"].clone();
    let mut fixed = new["spec"].clone();
    if validation::text(&unbound, "volumeName").is_empty() {
        object::copy_field(&new["spec"], &mut unbound, "volumeName"); // which is set once
    }
    if !is_annotation_moved(old, new) {
        fixed_class_annotation(old, new, causes);
    }
    if is_class_added(old, new) {
        object::copy_field(&old["spec"], &mut fixed, "storageClassName");
    }
    if is_bound {
        object::copy_field(&old["spec"], &mut fixed, "volumeAttributesClassName");
        if fixed["resources"]["requests"].is_object() {
            fixed["resources"]["requests"]["storage"] = size(old).clone();
        }
    }
    if fixed != unbound {
        let because = "spec is immutable after creation except resources.requests and volumeAttributesClassName \
                       for bound claims";
        causes.push(Cause::forbidden("spec", because));
    }
    let capacity = &old["status"]["capacity"]["storage"];
    let is_within_capacity = match quantity::compare(size(new), capacity) {
        Some(order) => order.is_le(),
        None => quantity::of(size(new)).is_some_and(|size| size.signum() <= 0),
    };
    let is_less = quantity::compare(size(new), size(old)).is_some_and(Ordering::is_lt);
    if is_less && is_within_capacity {
        let because = "field can not be less than status.capacity";
        causes.push(Cause::forbidden("spec.resources.requests.storage", because));
    }
    if old["spec"]["volumeMode"] != new["spec"]["volumeMode"] {
        causes.push(Cause::invalid("volumeMode", &new["spec"]["volumeMode"], FIXED));
    }
    attributes_class(old, new, causes);
}

/// Validates that the class of attributes, once it is applied, is only replaced by another one.
fn attributes_class(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let field = "volumeAttributesClassName";
    let (before, after) = (&old["spec"][field], &new["spec"][field]);
    if before == after || old["status"]["currentVolumeAttributesClassName"].is_null() {
        return;
    }
    let removed = match after.as_str() {
        None => "nil",
        Some("") => "empty string",
        Some(_) => return,
    };
    let because =
        format!("update to {removed} is forbidden when status.currentVolumeAttributesClassName is not nil");
    causes.push(Cause::forbidden(format!("spec.{field}"), because));
}

/// Validates that the annotation that names the class stays.
pub(super) fn fixed_class_annotation(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let (before, after) = (class_annotation(old), class_annotation(new));
    if before.unwrap_or_default() != after.unwrap_or_default() {
        let field = format!("metadata.annotations.{BETA_CLASS}");
        causes.push(Cause::invalid(field, &after.unwrap_or_default().into(), FIXED));
    }
}

/// Returns the class that the annotation names.
fn class_annotation(claim: &Value) -> Option<&str> {
    claim["metadata"]["annotations"][BETA_CLASS].as_str()
}

/// Returns whether the field takes over the class of the annotation, which may then go.
fn is_annotation_moved(old: &Value, new: &Value) -> bool {
    let (before, after) = (class_annotation(old), class_annotation(new));
    before.is_some()
        && old["spec"].get("storageClassName").is_none()
        && new["spec"]["storageClassName"].as_str() == before
        && (after.is_none() || after == before)
}

/// Returns the size that a claim asks for.
fn size(claim: &Value) -> &Value {
    &claim["spec"]["resources"]["requests"]["storage"]
}

/// Returns whether a claim without a class gets its first one, which it may if the annotation names no other.
fn is_class_added(old: &Value, new: &Value) -> bool {
    let class = new["spec"]["storageClassName"].as_str();
    old["spec"].get("storageClassName").is_none()
        && class.is_some()
        && (class_annotation(old).is_none() || class_annotation(old) == class)
}
