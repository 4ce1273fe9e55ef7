//! The managers of the number of replicas, as `/scale` knows them: the object's own, for that one field, which is
//! called otherwise there.

use std::sync::LazyLock;

use serde_json::Value;

use super::{
    Writer,
    entry::{Entry, Managed},
    set::FieldSet,
};
use crate::{
    http::route::Subresource,
    kinds::{Kind, Kinds},
    object,
};

static SCALE: LazyLock<Kind> = LazyLock::new(|| Kind::plain("autoscaling", "v1", "Scale", "scales"));
static REPLICAS: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::of_path(&["spec", "replicas"]));

/// Somebody who writes the scale of an object.
pub(crate) fn writer<'a>(kinds: &'a Kinds, manager: &'a str, now: &'a str) -> Writer<'a> {
    Writer::new(kinds, &SCALE, Some(Subresource::Scale), manager, now)
}

/// Gives `scale` those managers of `object` that have what is behind the JSON pointer `replicas`.
pub(crate) fn lend(object: &Value, replicas: &str, scale: &mut Value) {
    let field = path(replicas);
    let mut managed = Managed::stored(object::metadata(object).get("managedFields").cloned());
    managed.0.retain(|entry| has(entry, &field));
    for entry in &mut managed.0 {
        entry.api_version = SCALE.api_version();
        entry.fields = REPLICAS.clone();
    }
    set(scale, managed);
}

/// Gives `object`, of `api_version`, the managers that `scale` has now in place of those that it had.
pub(crate) fn give_back(object: &mut Value, api_version: &str, replicas: &str, scale: &Value) {
    let field = path(replicas);
    let list = |object: &Value| Managed::stored(object::metadata(object).get("managedFields").cloned());
    let (mut managed, mut lent) = (list(object), list(scale));
    let is_same = |one: &Entry, other: &Entry| {
        (&one.manager, one.operation, &one.subresource)
            == (&other.manager, other.operation, &other.subresource)
    };
    managed.0.retain_mut(|entry| {
        if !has(entry, &field) {
            return true;
        }
        let before = lent.0.len();
        lent.0.retain(|other| !is_same(entry, other));
        if lent.0.len() == before {
            entry.fields.subtract(&field);
        }
        !entry.fields.is_empty()
    });
    // Upstream says of these who they are and not since when.
    let new = lent.0.into_iter().filter(|entry| has(entry, &REPLICAS));
    managed.0.extend(new.map(|entry| Entry {
        api_version: api_version.to_owned(),
        fields: field.clone(),
        time: None,
        ..entry
    }));
    set(object, managed);
}

fn set(object: &mut Value, managed: Managed) {
    let metadata = object::metadata_mut(object);
    match managed.encode() {
        Some(list) => metadata.insert("managedFields".to_owned(), list),
        None => metadata.remove("managedFields"),
    };
}

fn has(entry: &Entry, field: &FieldSet) -> bool {
    !entry.fields.intersection(field).is_empty()
}

fn path(pointer: &str) -> FieldSet {
    FieldSet::of_path(&pointer.split('/').skip(1).collect::<Vec<_>>())
}
