//! [`Key`]: where an object is stored.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Where an object is stored within its resource: `namespace/name`, or `name`.
///
/// Keys are ordered as etcd orders them, which is the order of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(Arc<str>);

impl Key {
    /// The key of `name`; an empty namespace makes a cluster-scoped key.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        if namespace.is_empty() { Self(name.into()) } else { Self([namespace, "/", name].concat().into()) }
    }

    /// A key as a continue token holds it.
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The namespace; `None` for a cluster-scoped object.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.0.split_once('/').map(|(namespace, _)| namespace)
    }

    /// The name within the namespace.
    pub(crate) fn name(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
