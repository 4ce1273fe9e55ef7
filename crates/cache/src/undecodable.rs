//! [`Undecodable`]: the metadata of an object that cannot be decoded.

use std::{fmt, sync::Arc};

use serde::Deserialize;

use crate::{Json, JsonError, MetaView, Metadata, Object, ObjectKey};

/// An object that exists on the server but cannot be decoded: its metadata and the error.
///
/// One wrong field must not make an object vanish, or a controller that counts objects creates one too many. A
/// [`Store`](crate::Store) keeps the metadata under the object's key: see
/// [`Store::undecodable`](crate::Store::undecodable).
///
/// ```
/// use k8s_openapi::api::core::v1::Pod;
/// use trimtab_cache::{Json, ManagedFields, Metadata, Object, Undecodable};
///
/// let text = r#"{"metadata": {"name": "web", "uid": "7", "labels": {"app": "web"}}, "spec": "none"}"#;
/// let error = Pod::decode(&mut Json::new(text), ManagedFields::Dropped).unwrap_err();
/// let undecodable = Undecodable::read(text, error)?;
/// assert_eq!(undecodable.key().as_str(), "web");
/// assert_eq!(undecodable.metadata().label("app"), Some("web"));
/// # Ok::<(), trimtab_cache::JsonError>(())
/// ```
#[derive(Clone)]
pub struct Undecodable {
    key: ObjectKey,
    metadata: MetaView,
    reason: Arc<str>,
}

impl Undecodable {
    /// Reads the metadata of an object that gave the error `reason`.
    ///
    /// Each field of the metadata is read by itself: a field that is wrong, too, reads as if it were absent. The key
    /// has no name if the object has none, or if its namespace cannot be read.
    ///
    /// # Errors
    ///
    /// If `text` is not a JSON object.
    pub fn read(text: &str, reason: impl fmt::Display) -> Result<Self, JsonError> {
        let (mut metadata, mut has_key) = (MetaView::default(), true);
        let mut json = Json::new(text);
        json.members(|key, json| {
            let value = json.skip()?;
            if key == "metadata" {
                // Metadata that is not an object has no fields.
                let _ = Json::new(value).members(|key, json| {
                    let value = json.skip()?;
                    if key == "namespace" {
                        has_key = Option::<String>::deserialize(&mut Json::new(value)).is_ok();
                    }
                    read_field(&mut metadata, &key, value);
                    Ok(())
                });
            }
            Ok(())
        })?;
        json.end()?;
        let name = if has_key { &*metadata.name } else { "" };
        let key = ObjectKey::namespaced(metadata.namespace.as_deref().unwrap_or_default(), name);
        Ok(Self { key, metadata, reason: reason.to_string().into() })
    }

    /// Returns the object's key.
    pub fn key(&self) -> &ObjectKey {
        &self.key
    }

    /// Returns the same state under another key: for metadata without a readable name that is known, by its UID, to be
    /// that object's.
    #[must_use]
    pub fn with_key(mut self, key: ObjectKey) -> Self {
        self.metadata.name = key.name().to_owned();
        self.metadata.namespace = key.namespace().map(str::to_owned);
        self.key = key;
        self
    }

    /// Returns the object's metadata, as far as it could be decoded.
    pub fn metadata(&self) -> &MetaView {
        &self.metadata
    }

    /// Returns the error, as text: the field and the position, as far as the decoder knows them.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns whether this can be a later state of `object`, which has the same key: no UID says otherwise.
    pub(crate) fn may_be(&self, object: &impl Object) -> bool {
        let (own, other) = (self.metadata.uid(), object.metadata().uid());
        own.is_empty() || other.is_empty() || own == other
    }

    /// Returns whether both are the same state of the same object.
    pub(crate) fn is_same_state(&self, other: &Self) -> bool {
        let version = self.metadata.resource_version();
        !version.is_empty()
            && version == other.metadata.resource_version()
            && self.metadata.uid == other.metadata.uid
    }
}

fn read_field(metadata: &mut MetaView, key: &str, value: &str) {
    match key {
        "name" => metadata.name = read(value),
        "namespace" => metadata.namespace = read::<Option<String>>(value).filter(|text| !text.is_empty()),
        "uid" => metadata.uid = read(value),
        "resourceVersion" => metadata.resource_version = read(value),
        "labels" => metadata.labels = read(value),
        "ownerReferences" => metadata.owner_references = read(value),
        "creationTimestamp" => metadata.creation_timestamp = read(value),
        "deletionTimestamp" => metadata.deletion_timestamp = read(value),
        _ => {}
    }
}

fn read<'de, V: Deserialize<'de> + Default>(value: &'de str) -> V {
    V::deserialize(&mut Json::new(value)).unwrap_or_default()
}

impl fmt::Debug for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undecodable")
            .field("key", &self.key)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undecodable(text: &str) -> Undecodable {
        Undecodable::read(text, "a reason").unwrap()
    }

    #[test]
    fn every_field_of_the_metadata_is_read_by_itself() {
        let owner = r#"[{"apiVersion":"v1","kind":"X","name":"x","uid":"u","controller":true}]"#;
        let text = format!(
            r#"{{"spec":[1],"metadata":{{"name":"a","namespace":"n","uid":"1","resourceVersion":"7","labels":7,
            "ownerReferences":{owner},"deletionTimestamp":"9999-12-31T23:59:59Z","annotations":3}}}}"#
        );
        let read = undecodable(&text);
        assert_eq!((read.key().as_str(), read.reason()), ("n/a", "a reason"));
        let metadata = read.metadata();
        assert_eq!((&*metadata.uid, &*metadata.resource_version), ("1", "7"));
        assert_eq!(metadata.controller().map(|owner| &*owner.uid), Some("u"));
        assert!(metadata.is_being_deleted() && metadata.labels.is_empty());
    }

    #[test]
    fn metadata_without_a_readable_name_takes_the_key_that_it_is_given() {
        let named =
            undecodable(r#"{"metadata":{"name":5,"uid":"1"}}"#).with_key(ObjectKey::namespaced("n", "a"));
        assert_eq!((named.key().as_str(), named.metadata().uid()), ("n/a", "1"));
        assert_eq!((named.metadata().name(), named.metadata().namespace()), ("a", Some("n")));
    }

    #[test]
    fn an_object_without_metadata_has_a_key_without_a_name() {
        for text in [
            "{}",
            r#"{"metadata":7}"#,
            r#"{"metadata":{"name":{}}}"#,
            r#"{"metadata":null}"#,
            r#"{"metadata":{"name":"a","namespace":5}}"#,
        ] {
            assert_eq!(undecodable(text).key().name(), "", "{text}");
        }
        for text in ["7", "{", "{} {}", r#"{"metadata":{"name":"a"}"#] {
            Undecodable::read(text, "").expect_err(text);
        }
    }
}
