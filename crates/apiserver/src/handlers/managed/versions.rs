//! [`Served`]: the served versions of a kind, in which managers know its objects.

use std::{ops::Deref, sync::Arc};

use serde_json::Value;
use trimtab_managed_fields::{Type, Versions};

use crate::registry::{Kind, Kinds, as_stored, in_version};

/// A kind, and its other versions.
#[derive(Debug)]
pub(super) struct Served<'a> {
    kinds: &'a Kinds,
    current: Version<'a>,
}

/// A version of a kind.
#[derive(Debug)]
pub(super) enum Version<'a> {
    Current(&'a Kind),
    Other(Arc<Kind>),
}

impl Deref for Version<'_> {
    type Target = Kind;

    fn deref(&self) -> &Kind {
        match self {
            Self::Current(kind) => kind,
            Self::Other(kind) => kind,
        }
    }
}

impl<'a> Served<'a> {
    pub(super) fn new(kinds: &'a Kinds, kind: &'a Kind) -> Self {
        Self { kinds, current: Version::Current(kind) }
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.current
    }
}

impl<'a> Versions for Served<'a> {
    type Version = Version<'a>;

    fn current(&self) -> &Version<'a> {
        &self.current
    }

    fn find(&self, api_version: &str) -> Option<Version<'a>> {
        let (group, version) = split(api_version);
        self.kinds.get(group, version, &self.current.plural).map(Version::Other)
    }

    fn api_version(&self, version: &Version<'a>) -> String {
        version.api_version()
    }

    fn type_of<'v>(&'v self, version: &'v Version<'a>) -> Type<'v> {
        let is_custom = version.is_custom();
        match version.managed_type() {
            Some(def) if is_custom => Type::of_document(def),
            Some(def) => Type::of_struct(def),
            None => Type::DEDUCED,
        }
    }

    fn convert(&self, from: &Version<'a>, to: &Version<'a>, object: &Value) -> Value {
        in_version(to, &as_stored(from, object.clone())).into_owned()
    }

    fn is_current(&self, api_version: &str) -> bool {
        split(api_version) == (self.current.group.as_str(), self.current.version.as_str())
    }
}

/// Splits an `apiVersion` into group and version.
fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}
