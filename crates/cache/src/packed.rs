//! [`Packed`]: a whole object for the price of its text.

mod text;

use std::{
    any::type_name,
    fmt,
    sync::{Arc, Weak},
};

use kube_client::Resource;
use parking_lot::Mutex;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

use self::text::Text;
use crate::{Json, JsonError, ManagedFields, Metadata, Object, ObjectKey};

/// A whole object, held as its own text without `managedFields`, and decoded when somebody reads it.
///
/// What a cache needs to find it is known without decoding: key, UID, resource version, labels, owner
/// references and the time of its deletion. A usual Pod takes an eighth of a decoded one's memory, and
/// following a server a fifth of the time. Take it where a controller may want any field of an object,
/// but reads few objects; take a view where it knows which fields.
///
/// ```
/// use k8s_openapi::api::core::v1::Pod;
/// use trimtab_cache::{Metadata, Object, Packed};
///
/// let pod: Packed<Pod> = serde_json::from_str(
///     r#"{"metadata": {"name": "web", "labels": {"app": "shop"}},
///         "spec": {"containers": [], "nodeName": "node-1"}}"#,
/// )?;
/// assert_eq!(pod.metadata().label("app"), Some("shop")); // decodes nothing
///
/// let read = pod.read()?; // an Arc<Pod>
/// assert_eq!(read.spec.as_ref().and_then(|spec| spec.node_name.as_deref()), Some("node-1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Packed<K> {
    text: Text,
    /// What was read, for as long as somebody holds it.
    read: Mutex<Weak<K>>,
}

impl<K: Resource + Send + Sync + 'static> Packed<K> {
    /// The whole object.
    ///
    /// It is decoded once for all who hold it at the same time, and forgotten when the last of them
    /// drops it: hold it for as long as you read, and no longer.
    ///
    /// # Errors
    ///
    /// If the text is no `K`. What [`Metadata`] tells is known all the same.
    pub fn read(&self) -> Result<Arc<K>, PackedError>
    where
        K: DeserializeOwned,
    {
        // Locked while it decodes: a second reader waits for the first instead of decoding as well.
        let mut read = self.read.lock();
        if let Some(object) = read.upgrade() {
            return Ok(object);
        }
        let object = Arc::new(self.read_as()?);
        *read = Arc::downgrade(&object);
        Ok(object)
    }

    /// The object as another type: a few fields of it, which may borrow from the text.
    ///
    /// Nothing is kept of it. For an index this is cheaper than [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// If the text is no `V`.
    pub fn read_as<'a, V: Deserialize<'a>>(&'a self) -> Result<V, PackedError> {
        let decoded = serde_json::from_str(self.json());
        decoded.map_err(|source| PackedError { key: self.key(), type_name: type_name::<V>(), source })
    }

    /// The object's text, as the server sent it but for `managedFields`.
    pub fn json(&self) -> &str {
        self.text.json()
    }
}

impl<K: Resource + Send + Sync + 'static> Object for Packed<K> {
    type Kind = K;

    fn metadata(&self) -> &impl Metadata {
        &self.text
    }

    fn decode(json: &mut Json<'_>, managed_fields: ManagedFields) -> Result<Self, JsonError> {
        Text::read(json, managed_fields).map(Self::new)
    }
}

impl<K> Packed<K> {
    fn new(text: Text) -> Self {
        Self { text, read: Mutex::new(Weak::new()) }
    }
}

/// Without `managedFields`, and from `serde_json` or [`Json`].
impl<'de, K> Deserialize<'de> for Packed<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Box::<RawValue>::deserialize(deserializer)?;
        Text::read(&mut Json::new(object.get()), ManagedFields::Dropped)
            .map(Self::new)
            .map_err(D::Error::custom)
    }
}

/// Of the text only: the copy has been read by nobody.
impl<K> Clone for Packed<K> {
    fn clone(&self) -> Self {
        Self::new(self.text.clone())
    }
}

impl<K> fmt::Debug for Packed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Packed").field(&self.text.json()).finish()
    }
}

/// A [`Packed`] object's text is not of the type that it was read as.
#[derive(Debug, thiserror::Error)]
#[error("object {key} cannot be read as {type_name}")]
pub struct PackedError {
    key: ObjectKey,
    type_name: &'static str,
    source: serde_json::Error,
}

impl PackedError {
    /// Which object it was.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }
}
