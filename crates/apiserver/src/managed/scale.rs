//! The managers of the number of replicas, as `/scale` knows them: the object's own, for that one field, which is
//! called otherwise there.

use std::sync::LazyLock;

use super::{
    Writer,
    entry::{Entry, Managed},
    set::FieldSet,
};
use crate::{
    http::route::Subresource,
    kinds::{Kind, Kinds},
};

static SCALE: LazyLock<Kind> = LazyLock::new(|| Kind::plain("autoscaling", "v1", "Scale", "scales"));
static REPLICAS: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::of_path(&["spec", "replicas"]));

/// Somebody who writes the scale of an object.
pub(crate) fn writer<'a>(kinds: &'a Kinds, manager: &'a str, now: &'a str) -> Writer<'a> {
    Writer::new(kinds, &SCALE, Some(Subresource::Scale), manager, now)
}

/// Those of the managers `stored`, as text, that have what is behind the JSON pointer `replicas`, as the scale knows them.
pub(crate) fn lend(stored: Option<&str>, replicas: &str) -> Option<String> {
    let field = path(replicas);
    let mut managed = Managed::stored(stored);
    managed.0.retain(|entry| has(entry, &field));
    for entry in &mut managed.0 {
        entry.api_version = SCALE.api_version();
        entry.fields = REPLICAS.clone();
    }
    managed.write()
}

/// The managers of an object of `api_version`, `stored` before, with the managers that its scale has now in place of
/// those that were lent to it.
pub(crate) fn give_back(
    stored: Option<&str>,
    api_version: &str,
    replicas: &str,
    lent: Option<&str>,
) -> Option<String> {
    let field = path(replicas);
    let (mut managed, mut lent) = (Managed::stored(stored), Managed::stored(lent));
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
    managed.write()
}

fn has(entry: &Entry, field: &FieldSet) -> bool {
    !entry.fields.intersection(field).is_empty()
}

fn path(pointer: &str) -> FieldSet {
    FieldSet::of_path(&pointer.split('/').skip(1).collect::<Vec<_>>())
}
