//! The managers of the number of replicas in `/scale`: those of the object's field, under the path that it has there.

use std::sync::LazyLock;

use trimtab_managed_fields::{Entry, FieldSet, ManagedFields};

use super::Writer;
use crate::{
    api::subresource::Subresource,
    registry::{Kind, Kinds},
};

static SCALE: LazyLock<Kind> = LazyLock::new(|| Kind::plain("autoscaling", "v1", "Scale", "scales"));
static REPLICAS: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::of_path(&["spec", "replicas"]));

/// Makes a writer of the scale of an object.
pub(crate) fn writer<'a>(kinds: &'a Kinds, manager: &'a str, now: &'a str) -> Writer<'a> {
    Writer::new(kinds, &SCALE, Some(Subresource::Scale), manager, now)
}

/// Returns the entries of `stored`, as text, that have the field at the JSON pointer `replicas`, as the scale has them.
pub(crate) fn lend(stored: Option<&str>, replicas: &str) -> Option<String> {
    let field = path(replicas);
    let entries = ManagedFields::stored(stored).into_entries().into_iter();
    let lent = entries.filter(|entry| has(entry, &field)).map(|entry| Entry {
        api_version: SCALE.api_version(),
        fields: REPLICAS.clone(),
        ..entry
    });
    ManagedFields::from_entries(lent.collect()).to_text()
}

/// Returns the managers of an object of `api_version`, which were `stored` before: those that its scale has now replace
/// those that were lent to it.
pub(crate) fn give_back(
    stored: Option<&str>,
    api_version: &str,
    replicas: &str,
    lent: Option<&str>,
) -> Option<String> {
    let field = path(replicas);
    let mut entries = ManagedFields::stored(stored).into_entries();
    let mut lent = ManagedFields::stored(lent).into_entries();
    let is_same = |one: &Entry, other: &Entry| {
        (&one.manager, one.operation, &one.subresource)
            == (&other.manager, other.operation, &other.subresource)
    };
    entries.retain_mut(|entry| {
        if !has(entry, &field) {
            return true;
        }
        let before = lent.len();
        lent.retain(|other| !is_same(entry, other));
        if lent.len() == before {
            entry.fields.subtract(&field);
        }
        !entry.fields.is_empty()
    });
    // Upstream names these managers without a time.
    let new = lent.into_iter().filter(|entry| has(entry, &REPLICAS));
    entries.extend(new.map(|entry| Entry {
        api_version: api_version.to_owned(),
        fields: field.clone(),
        time: None,
        ..entry
    }));
    ManagedFields::from_entries(entries).to_text()
}

fn has(entry: &Entry, field: &FieldSet) -> bool {
    !entry.fields.intersection(field).is_empty()
}

fn path(pointer: &str) -> FieldSet {
    FieldSet::of_path(&pointer.split('/').skip(1).collect::<Vec<_>>())
}
