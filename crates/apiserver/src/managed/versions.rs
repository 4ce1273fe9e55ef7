//! [`Versions`]: the versions of a kind in which managers know its objects. A manager's fields are those of the
//! version that it used, so that is where they are compared.

use std::sync::Arc;

use serde_json::Value;

use super::{compare::Comparison, made, resets, set::FieldSet, typed::Type};
use crate::{
    http::route::Subresource,
    kinds::{Kind, Kinds, as_stored, in_version, rules},
    schema::Schema,
};

/// One kind, and the other versions of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Versions<'a> {
    pub(super) kinds: &'a Kinds,
    pub(super) kind: &'a Kind,
    pub(super) subresource: Option<Subresource>,
}

/// How objects of `kind` are divided among managers.
pub(super) fn type_of(kind: &Kind) -> Type<'_> {
    Type::new(Schema::of(kind), !rules::is_custom(kind))
}

impl Versions<'_> {
    /// What differs between two states of the object, without what this path does not write.
    pub(super) fn compare(&self, old: &Value, new: &Value) -> Comparison {
        Comparison::of(type_of(self.kind), old, new).without(&self.resets())
    }

    /// What somebody has who makes the object of nothing but `nothing`.
    pub(super) fn made(&self, nothing: &Value, object: &Value) -> FieldSet {
        let nobodys = resets::Nobodys::of(self.kind, self.subresource);
        made::written(type_of(self.kind), nothing, object, nobodys)
    }

    /// The same as a manager of `api_version` sees it; `None` if that version is no longer served.
    pub(super) fn compare_in(&self, api_version: &str, old: &Value, new: &Value) -> Option<Comparison> {
        let other = self.other(api_version)?;
        let [old, new] = [old, new].map(|object| convert(self.kind, &other, object));
        Some(Comparison::of(type_of(&other), &old, &new).without(&self.resets()))
    }

    /// Whether `api_version` is the version in use.
    pub(super) fn is_current(&self, api_version: &str) -> bool {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        (group, version) == (self.kind.group.as_str(), self.kind.version.as_str())
    }

    /// The kind in another version.
    pub(super) fn other(&self, api_version: &str) -> Option<Arc<Kind>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.kinds.get(group, version, &self.kind.plural)
    }

    /// The paths that a write to this path leaves alone, whatever it says.
    pub(super) fn resets(&self) -> FieldSet {
        resets::of(self.kind, self.subresource)
    }
}

/// An object of one version in another.
pub(super) fn convert(from: &Kind, to: &Kind, object: &Value) -> Value {
    in_version(to, &as_stored(from, object.clone())).into_owned()
}
