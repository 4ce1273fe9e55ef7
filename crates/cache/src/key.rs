//! [`ObjectKey`]: the key under which an object is cached, queued and looked up.

use std::{borrow::Borrow, cell::RefCell, cmp::Ordering, fmt, hash, str::FromStr, sync::Arc};

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

thread_local! {
    /// Buffer in which a key's text is joined before it is copied into a shared allocation.
    static SCRATCH: RefCell<String> = const { RefCell::new(String::new()) };
}

/// An optional namespace and a name: client-go's `ObjectName`.
///
/// Formats as `namespace/name`, or as `name` alone for a cluster-scoped object; serialized, it is that string. Clones
/// share the text and cost a reference count. The kind and the UID of an object are not part of its key.
#[derive(Clone)]
pub struct ObjectKey {
    text: Arc<str>,
    /// The length of the namespace; 0 for a cluster-scoped key, whose text has no slash.
    namespace: u32,
}

impl ObjectKey {
    /// Creates the key of `name` in `namespace`. An empty namespace makes a cluster-scoped key.
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

    /// Creates the key of a cluster-scoped object.
    pub fn cluster_scoped(name: &str) -> Self {
        Self { text: name.into(), namespace: 0 }
    }

    /// Returns the namespace; `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        (self.namespace > 0).then(|| &self.text[..self.namespace as usize])
    }

    /// Returns the name within the namespace.
    pub fn name(&self) -> &str {
        match self.namespace {
            0 => &self.text,
            length => &self.text[length as usize + 1..],
        }
    }

    /// Returns the whole text: `namespace/name`, or `name`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn length(namespace: &str) -> u32 {
    u32::try_from(namespace.len()).expect("a namespace is shorter than 4 GiB")
}

/// A text that is not an object key: it has more than one slash, or an empty part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an object key: expected `name` or `namespace/name`")]
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

/// Namespace and name; an empty namespace makes a cluster-scoped key.
impl From<(&str, &str)> for ObjectKey {
    fn from((namespace, name): (&str, &str)) -> Self {
        Self::namespaced(namespace, name)
    }
}

/// Namespace and name, as kube's `ObjectRef` has them.
impl From<(Option<&str>, &str)> for ObjectKey {
    fn from((namespace, name): (Option<&str>, &str)) -> Self {
        Self::namespaced(namespace.unwrap_or_default(), name)
    }
}

impl From<&ObjectMeta> for ObjectKey {
    fn from(metadata: &ObjectMeta) -> Self {
        Self::from((metadata.namespace.as_deref(), metadata.name.as_deref().unwrap_or_default()))
    }
}

/// Namespace and name of the reference. Fails if it has no name.
impl TryFrom<&ObjectReference> for ObjectKey {
    type Error = ParseKeyError;

    fn try_from(reference: &ObjectReference) -> Result<Self, ParseKeyError> {
        let key = Self::from((reference.namespace.as_deref(), reference.name.as_deref().unwrap_or_default()));
        if key.name().is_empty() { Err(ParseKeyError(key.to_string())) } else { Ok(key) }
    }
}

/// A reference with namespace and name. The caller sets the kind.
impl From<&ObjectKey> for ObjectReference {
    fn from(key: &ObjectKey) -> Self {
        Self {
            namespace: key.namespace().map(str::to_owned),
            name: Some(key.name().to_owned()),
            ..Self::default()
        }
    }
}

/// As a string.
impl Serialize for ObjectKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// From a string.
impl<'de> Deserialize<'de> for ObjectKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
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
        self.text.hash(state); // as `str` hashes, because of `Borrow<str>`
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
    fn keys_convert_from_and_to_what_kubernetes_names_objects_by() {
        let key = ObjectKey::namespaced("default", "web");
        assert_eq!(ObjectKey::from(("default", "web")), key);
        assert_eq!(ObjectKey::from((Some("default"), "web")), key);
        assert_eq!(ObjectKey::from((None, "web")), ObjectKey::cluster_scoped("web"));
        let reference = ObjectReference::from(&key);
        assert_eq!(ObjectKey::try_from(&reference), Ok(key.clone()));
        ObjectKey::try_from(&ObjectReference::default()).unwrap_err();
        let metadata =
            ObjectMeta { name: reference.name, namespace: reference.namespace, ..ObjectMeta::default() };
        assert_eq!(ObjectKey::from(&metadata), key);
        assert_eq!(serde_json::to_string(&key).unwrap(), r#""default/web""#);
        assert_eq!(serde_json::from_str::<ObjectKey>(r#""default\/web""#).unwrap(), key);
        let error = serde_json::from_str::<ObjectKey>(r#""a/b/c""#).unwrap_err();
        assert!(error.to_string().contains("is not an object key"), "{error}");
    }

    #[test]
    fn texts_that_are_no_keys_are_refused_by_name() {
        for text in ["", "a/b/c", "/web", "default/", "/"] {
            let error = text.parse::<ObjectKey>().expect_err(text);
            assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        }
    }
}
