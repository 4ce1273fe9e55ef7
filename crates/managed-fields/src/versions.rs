//! [`Versions`] of a kind: a manager's fields are those of the version that it used, so they are compared in it.

use serde_json::Value;

use crate::typed::Type;

/// The served versions of one kind, and the conversion between them.
pub trait Versions {
    /// One version.
    type Version;

    /// Returns the version of the current request.
    fn current(&self) -> &Self::Version;

    /// Returns another version by its `apiVersion`; `None` if it is not served any more.
    fn find(&self, api_version: &str) -> Option<Self::Version>;

    /// Returns the `apiVersion` of a version, such as `apps/v1`.
    fn api_version(&self, version: &Self::Version) -> String;

    /// Returns the type of objects in a version.
    fn type_of<'v>(&'v self, version: &'v Self::Version) -> Type<'v>;

    /// Converts an object between versions.
    fn convert(&self, from: &Self::Version, to: &Self::Version, object: &Value) -> Value;

    /// Returns whether `api_version` is that of the current version.
    fn is_current(&self, api_version: &str) -> bool {
        self.api_version(self.current()) == api_version
    }
}

/// The [`Versions`] of a kind that has one.
#[derive(Debug, Clone, Copy)]
pub struct OneVersion<'a> {
    api_version: &'a str,
    type_of: Type<'a>,
}

impl<'a> OneVersion<'a> {
    /// Makes a kind of one version, such as `example.com/v1`.
    pub fn new(api_version: &'a str, type_of: Type<'a>) -> Self {
        Self { api_version, type_of }
    }
}

impl Versions for OneVersion<'_> {
    type Version = ();

    fn current(&self) -> &() {
        &()
    }

    fn find(&self, api_version: &str) -> Option<()> {
        (api_version == self.api_version).then_some(())
    }

    fn api_version(&self, (): &()) -> String {
        self.api_version.to_owned()
    }

    fn type_of<'v>(&'v self, (): &'v ()) -> Type<'v> {
        self.type_of
    }

    fn convert(&self, (): &(), (): &(), object: &Value) -> Value {
        object.clone()
    }

    fn is_current(&self, api_version: &str) -> bool {
        api_version == self.api_version
    }
}
