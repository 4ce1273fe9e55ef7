//! Validation of objects and of their changes: the rules of all kinds, and those that several kinds share.

pub(super) mod conditions;
mod container;
pub(super) mod data;
pub(super) mod limits;
pub(super) mod parts;
pub(super) mod placement;
pub(super) mod pod;
pub(super) mod policy;
pub(super) mod probe;
mod projected;
pub(super) mod quota;
pub(super) mod rbac;
pub(super) mod resources;
pub(super) mod seen;
pub(super) mod volume;

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Value, json};

use super::{Kind, strategy::NameRule};
use crate::api::{
    names, object, path::Path, selector::is_qualified_name, status::Cause, subresource::Subresource,
};

/// The most bytes that all annotations of an object may have.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// The most errors that are reported for an object's metadata: a body can hold 700,000.
const MOST_CAUSES: usize = 1000;

/// Returns the errors of a new object.
pub(super) fn new_object(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    name(kind, object, &mut causes);
    (kind.strategy.validate_first)(object, &mut causes);
    state(kind, object, &mut causes);
    (kind.strategy.validate_new)(object, &mut causes);
    causes
}

/// Returns the errors of the change from `old` to `new`.
pub(super) fn change(kind: &Kind, subresource: Option<Subresource>, old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if object::is_being_deleted(old) {
        let kept: BTreeSet<&str> = object::finalizers(old).collect(); // there may be 100,000
        let added: Vec<&str> =
            object::finalizers(new).filter(|finalizer| !kept.contains(finalizer)).collect();
        if !added.is_empty() {
            let because = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.iter().map(|finalizer| format!("{finalizer:?}")).collect::<Vec<_>>().join(", ")
            );
            causes.push(Cause::forbidden("metadata.finalizers", because));
        }
    }
    if subresource.is_none() && !differ_in_metadata_alone(old, new) {
        let before = causes.len();
        if kind.strategy.validates_change_last {
            changed_state(kind, new, &mut causes);
            (kind.strategy.validate_change)(old, new, &mut causes);
            return causes;
        }
        (kind.strategy.validate_change)(old, new, &mut causes);
        if kind.strategy.stops_at_change && causes.len() > before {
            return causes;
        }
        changed_state(kind, new, &mut causes);
    } else {
        changed_metadata(kind, new, &mut causes);
        (kind.strategy.validate_part)(subresource, old, new, &mut causes);
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

/// Adds the errors of an object in itself.
fn state(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    metadata(kind, object, causes);
    (kind.strategy.validate)(object, causes);
}

/// Adds the errors of a changed object in itself.
fn changed_state(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    changed_metadata(kind, object, causes);
    (kind.strategy.validate)(object, causes);
}

/// Adds the errors of the metadata of a changed object: each as often as upstream finds it.
fn changed_metadata(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let mut found = Vec::new();
    metadata(kind, object, &mut found);
    let (wholes, changes) = kind.strategy.metadata_checks;
    for cause in found {
        // Finalizers are looked at with all metadata, the others with the change, too.
        let is_of_change = !cause.field().starts_with("metadata.finalizers");
        let times = 1 + wholes + if is_of_change { 1 + changes } else { 0 };
        causes.extend(std::iter::repeat_n(cause, times));
        causes.truncate(MOST_CAUSES);
    }
}

fn name(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let base = object::text(object, "generateName");
    if !base.is_empty() {
        let faults = match kind.strategy.name {
            NameRule::PathSegment => names::path_prefix_faults(base),
            rule => name_faults(rule, &masked(base)),
        };
        faulty(base, "metadata.generateName", faults, causes);
    }
    match object::name(object) {
        "" => causes.push(Cause::required("metadata.name", "name or generateName is required")),
        name => faulty(name, "metadata.name", name_faults(kind.strategy.name, name), causes),
    }
}

/// Replaces a hyphen at the end and what is before it: what follows may make them right, and nothing else.
fn masked(base: &str) -> String {
    match base.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            String::from_utf8_lossy(&rest.as_bytes()[..rest.len() - 1]).into_owned() + "a"
        }
        _ => base.to_owned(),
    }
}

fn name_faults(rule: NameRule, name: &str) -> Vec<String> {
    let faults = match rule {
        NameRule::Label => names::label_faults(name),
        NameRule::Own => Vec::new(),
        NameRule::PathSegment => return names::path_segment_faults(name),
        NameRule::Subdomain => names::subdomain_faults(name),
    };
    faults.into_iter().map(str::to_owned).collect()
}

fn metadata(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    metadata_in_full(kind, object, causes);
    causes.truncate(MOST_CAUSES);
}

fn metadata_in_full(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let metadata = object::metadata(object);
    if let Some(labels) = metadata.get("labels") {
        parts::labels(labels, "metadata.labels", causes);
    }
    if let Some(annotations) = metadata.get("annotations") {
        self::annotations(annotations, "metadata.annotations", causes);
    }
    if metadata.contains_key("finalizers") {
        finalizers(kind, object, causes);
    }
    owners(metadata.get("ownerReferences"), causes);
}

/// Validates the names of finalizers, and that they do not contradict each other.
fn finalizers(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let malformed = object::finalizers(object).filter(|finalizer| !is_qualified_name(finalizer));
    for finalizer in malformed.take(MOST_CAUSES) {
        for fault in names::qualified_faults(finalizer) {
            causes.push(Cause::invalid("metadata.finalizers", &json!(finalizer), fault));
        }
    }
    let is_held_by = |wanted| object::finalizers(object).any(|held| held == wanted);
    if is_held_by("orphan") && is_held_by("foregroundDeletion") {
        let because = "finalizer orphan and foregroundDeletion cannot be both set";
        causes.push(Cause::invalid("metadata.finalizers", &object["metadata"]["finalizers"], because));
    }
    domains(kind, object, causes);
}

/// Validates the keys and the size of annotations.
fn annotations(annotations: &Value, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        faulty(key, field, names::qualified_faults(&lower_case(key)), causes);
    }
    if size > ANNOTATIONS_LIMIT {
        let because = format!("Too long: may not be more than {ANNOTATIONS_LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", field, because));
    }
}

/// Returns a text in lower case, which most keys are in already.
fn lower_case(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

/// Checks that finalizers are Kubernetes' own or have a domain, which upstream's older kinds demand.
fn domains(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    if kind.strategy.takes_bare_finalizers {
        return;
    }
    let known = ["kubernetes", "orphan", "foregroundDeletion"];
    for (index, finalizer) in object::finalizers(object).enumerate() {
        if causes.len() >= MOST_CAUSES {
            return;
        }
        if !finalizer.contains('/') && !known.contains(&finalizer) {
            let because = "name is neither a standard finalizer name nor is it fully qualified";
            let field = format!("metadata.finalizers[{index}]");
            causes.push(Cause::invalid(field, &json!(finalizer), because));
        }
    }
}

fn owners(owners: Option<&Value>, causes: &mut Vec<Cause>) {
    let mut controllers = Vec::new();
    for owner in owners.and_then(Value::as_array).into_iter().flatten() {
        if causes.len() >= MOST_CAUSES {
            return;
        }
        for field in ["apiVersion", "kind", "name", "uid"] {
            let value = owner[field].as_str().unwrap_or_default();
            // Of a version with two slashes, upstream understands nothing.
            if value.is_empty() || field == "apiVersion" && value.matches('/').count() > 1 {
                let because =
                    if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::invalid(
                    format!("metadata.ownerReferences.{field}"),
                    &json!(value),
                    because,
                ));
            }
        }
        if owner["apiVersion"] == "v1" && owner["kind"] == "Event" {
            let because = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(Cause::invalid("metadata.ownerReferences", owner, because));
        }
        if owner["controller"] == true {
            controllers.push(owner);
        }
    }
    if let [_, second, ..] = controllers[..] {
        let because = "Only one reference can have Controller set to true. Found \"true\" in references for more \
                       than one owner";
        causes.push(Cause::invalid("metadata.ownerReferences", second, because));
    }
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
    fixed(old, new, "/spec/selector", causes);
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
