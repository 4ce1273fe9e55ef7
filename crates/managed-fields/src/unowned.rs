//! [`Unowned`] fields: those that only the server sets, and those that a write through this path leaves alone.

use std::sync::LazyLock;

use crate::set::FieldSet;

/// Paths of field names, such as `&[&["status"], &["metadata", "uid"]]`.
pub type Paths<'a> = &'a [&'a [&'a str]];

/// Fields that every client sends and nobody owns.
const STRIPPED_PATHS: Paths<'static> = &[
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

pub(crate) static STRIPPED: LazyLock<FieldSet> = LazyLock::new(|| FieldSet::of_paths(STRIPPED_PATHS));

/// Fields that have no manager, besides the type, the identity and the versions of an object, which never have one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unowned<'a> {
    /// Fields that a write leaves as they are, with everything below them: `&[&["status"]]` where the status is a
    /// subresource. Upstream: the reset fields of a strategy.
    pub reset: Paths<'a>,
    /// Fields that admission fills in after managers are determined.
    pub admitted: Paths<'a>,
}

impl Unowned<'_> {
    /// Returns whether the field at `path` has no owner; fields below it may have one.
    pub(crate) fn contains(self, path: &[&str]) -> bool {
        STRIPPED_PATHS.contains(&path) || self.admitted.contains(&path)
    }

    /// Returns whether nothing at or below `path` has an owner.
    pub(crate) fn is_reset(self, path: &[&str]) -> bool {
        self.reset.contains(&path)
    }

    pub(crate) fn reset_fields(self) -> FieldSet {
        FieldSet::of_paths(self.reset)
    }

    pub(crate) fn admitted_fields(self) -> FieldSet {
        FieldSet::of_paths(self.admitted)
    }
}
