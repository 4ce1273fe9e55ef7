//! [`Packed`]: a whole object in the memory of its JSON text.

mod path;
mod text;

use std::{
    any::type_name,
    fmt,
    ops::Range,
    sync::{Arc, Weak},
};

use kube_client::Resource;
use parking_lot::Mutex;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error},
};
use serde_json::value::RawValue;

use self::{path::locate, text::Text};
use crate::{Json, JsonError, ManagedFields, Metadata, Object, ObjectKey};

/// A whole object, held as its JSON text without `managedFields`, and decoded when it is read.
///
/// The metadata that lookups need is known without decoding: key, UID, resource version, labels, owner references and
/// deletion timestamp. A usual Pod takes an eighth of the memory of a decoded Pod, and following a server takes a fifth
/// of the time. Use it where a controller may need any field, but reads few objects at a time; use a view where the
/// fields are known.
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
    /// The decoded object, as long as a reader holds it.
    read: Mutex<Weak<K>>,
}

impl<K: Resource + Send + Sync + 'static> Packed<K> {
    /// Decodes the whole object.
    ///
    /// All callers that hold the object at the same time share one decoded copy. It is freed when the last of them
    /// drops it: hold it only while you read.
    ///
    /// # Errors
    ///
    /// If the text is not a `K`. The [`Metadata`] is known all the same.
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

    /// Decodes the object as another type, such as a struct with a few fields, which may borrow from the text.
    ///
    /// The result is not shared with other callers. For an index function this is cheaper than [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// If the text is not a `V`.
    pub fn read_as<'a, V: Deserialize<'a>>(&'a self) -> Result<V, PackedError> {
        serde_json::from_str(self.json()).map_err(|source| self.error::<V>(&[], source))
    }

    /// Decodes the field at a path; `None` if the object has no such field, or if it is null.
    ///
    /// The path has the names of members, from the outside in. The rest of the object is skipped, not decoded.
    ///
    /// ```
    /// # use k8s_openapi::api::apps::v1::Deployment;
    /// # use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
    /// # use trimtab_cache::Packed;
    /// let web: Packed<Deployment> = serde_json::from_str(
    ///     r#"{"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {}}}"#,
    /// )?;
    /// let selector: Option<LabelSelector> = web.read_field(&["spec", "selector"])?;
    /// assert!(selector.is_some_and(|selector| selector.match_labels.is_some()));
    /// assert_eq!(web.read_field::<u32>(&["spec", "replicas"])?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the field's text is not a `V`.
    pub fn read_field<'a, V: Deserialize<'a>>(&'a self, path: &[&str]) -> Result<Option<V>, PackedError> {
        let Some(text) = self.field(path)? else { return Ok(None) };
        serde_json::from_str(text).map(Some).map_err(|source| self.error::<V>(path, source))
    }

    /// Decodes the object without the field at a path, and returns the text of that field beside it.
    ///
    /// For a large field that few callers read, such as the spec of the Pods of a ReplicaSet. The field must be one that a
    /// `K` may lack. The result is not shared with other callers.
    ///
    /// ```
    /// # use k8s_openapi::api::apps::v1::ReplicaSet;
    /// # use trimtab_cache::Packed;
    /// let web: Packed<ReplicaSet> = serde_json::from_str(
    ///     r#"{"metadata": {"name": "web"}, "spec": {"selector": {}, "template": {"spec": {"containers": []}}}}"#,
    /// )?;
    /// let (set, pods) = web.read_without(&["spec", "template", "spec"])?;
    /// assert_eq!(set.spec.template.and_then(|template| template.spec), None);
    /// assert_eq!(pods, Some(r#"{"containers": []}"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the text without the field is not a `K`.
    pub fn read_without(&self, path: &[&str]) -> Result<(K, Option<&str>), PackedError>
    where
        K: DeserializeOwned,
    {
        let json = self.json();
        let Some(field) = self.locate(path)? else { return Ok((self.read_as()?, None)) };
        let rest = [&json[..field.start], "null", &json[field.end..]].concat();
        let object = serde_json::from_str(&rest).map_err(|source| self.error::<K>(&[], source))?;
        Ok((object, Some(&json[field])))
    }

    /// Returns the text of the field at a path; `None` if the object has no such field, or if it is null.
    ///
    /// # Errors
    ///
    /// If the text is not JSON.
    pub fn field(&self, path: &[&str]) -> Result<Option<&str>, PackedError> {
        Ok(self.locate(path)?.map(|field| &self.json()[field]))
    }

    fn locate(&self, path: &[&str]) -> Result<Option<Range<usize>>, PackedError> {
        locate(self.json(), path).map_err(|error| self.error::<K>(path, serde_json::Error::custom(error)))
    }

    fn error<V>(&self, path: &[&str], source: serde_json::Error) -> PackedError {
        PackedError { key: self.key(), path: path.join("."), type_name: type_name::<V>(), source }
    }

    /// Returns the object's JSON text, as the server sent it, without `managedFields`.
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

/// Decodes without `managedFields`, from `serde_json` or [`Json`].
impl<'de, K> Deserialize<'de> for Packed<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Box::<RawValue>::deserialize(deserializer)?;
        Text::read(&mut Json::new(object.get()), ManagedFields::Dropped)
            .map(Self::new)
            .map_err(D::Error::custom)
    }
}

/// Clones the text. The clone does not share the decoded copy.
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

/// The text of a [`Packed`] object, or of a field of it, cannot be decoded as the requested type.
#[derive(Debug, thiserror::Error)]
#[error("{}object {key} cannot be read as {type_name}", if path.is_empty() { String::new() } else { format!("{path} of ") })]
pub struct PackedError {
    key: ObjectKey,
    /// The path of the field; empty for the whole object.
    path: String,
    type_name: &'static str,
    source: serde_json::Error,
}

impl PackedError {
    /// Returns the object's key.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }
}
