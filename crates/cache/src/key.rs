//! [`ObjectKey`]: the name under which an object is cached, queued and looked up.

use std::{borrow::Borrow, cell::RefCell, cmp::Ordering, fmt, hash, str::FromStr, sync::Arc};

thread_local! {
    /// Where texts are put together before they are copied to where they are shared.
    static SCRATCH: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A namespace, if there is one, and a name: what client-go calls an `ObjectName`.
///
/// Formats as `namespace/name`, or as `name` alone for a cluster-scoped object. The text is shared
/// inside, so a clone costs one reference count. Two keys are equal when their texts are; the kind
/// and the UID of an object are not part of its key.
#[derive(Clone)]
pub struct ObjectKey {
    text: Arc<str>,
    /// Length of the namespace; 0 for a cluster-scoped key, whose text has no slash.
    namespace: u32,
}

impl ObjectKey {
    /// The key of `name` in `namespace`. An empty namespace makes a cluster-scoped key.
    pub fn namespaced(namespace: &str, name: &str) -> Self {
        if namespace.is_empty() {
            return Self::cluster_scoped(name);
        }
        let text = SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            scratch.extend([namespace, "/", name]);
            scratch.as_str().into()
        });
        Self { text, namespace: length(namespace) }
    }

    /// The key of a cluster-scoped object.
    pub fn cluster_scoped(name: &str) -> Self {
        Self { text: name.into(), namespace: 0 }
    }

    /// The namespace; `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        (self.namespace > 0).then(|| &self.text[..self.namespace as usize])
    }

    /// The name within the namespace.
    pub fn name(&self) -> &str {
        match self.namespace {
            0 => &self.text,
            length => &self.text[length as usize + 1..],
        }
    }

    /// The whole key: `namespace/name`, or `name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn length(namespace: &str) -> u32 {
    u32::try_from(namespace.len()).expect("a namespace is shorter than 4 GiB")
}

/// A text that is no key: it has more than one slash, or nothing where a name belongs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no object key: expected `name` or `namespace/name`")]
pub struct ParseKeyError(String);

impl FromStr for ObjectKey {
    type Err = ParseKeyError;

    /// Parses `name` or `namespace/name`, as client-go's `SplitMetaNamespaceKey` does.
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let key = match text.split_once('/') {
            None => Self::cluster_scoped(text),
            Some((namespace, name)) if !namespace.is_empty() && !name.contains('/') => {
                Self::namespaced(namespace, name)
            }
            Some(_) => return Err(ParseKeyError(text.to_owned())),
        };
        if key.name().is_empty() { Err(ParseKeyError(text.to_owned())) } else { Ok(key) }
    }
}

impl PartialEq for ObjectKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ObjectKey {}

impl hash::Hash for ObjectKey {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state); // the same as `str` hashes: `Borrow<str>` promises it
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Borrow<str> for ObjectKey {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KN-T1.
    #[test]
    fn keys_round_trip_with_and_without_a_namespace() {
        for (text, namespace, name) in [("default/web", Some("default"), "web"), ("node-1", None, "node-1")] {
            let key: ObjectKey = text.parse().expect("a valid key");
            assert_eq!((key.namespace(), key.name(), key.as_str()), (namespace, name, text));
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert_eq!(ObjectKey::namespaced("", "node-1"), ObjectKey::cluster_scoped("node-1"));
    }

    #[test]
    fn texts_that_are_no_keys_are_refused_by_name() {
        for text in ["", "a/b/c", "/web", "default/", "/"] {
            let error = text.parse::<ObjectKey>().expect_err(text);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
