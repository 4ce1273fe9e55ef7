//! An object's metadata in its JSON.

use serde_json::{Map, Value};

pub(crate) const MANAGED_FIELDS: &str = "managedFields";

/// Returns the metadata; `None` if the object has none.
pub(crate) fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// Returns the metadata, to be changed; `None` if the object has none.
pub(crate) fn metadata_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    object.get_mut("metadata")?.as_object_mut()
}

/// Takes the list of managers out of the metadata.
pub(crate) fn take_managers(object: &mut Value) -> Option<Value> {
    metadata_mut(object)?.remove(MANAGED_FIELDS)
}

/// Returns whether the object was never stored: the server gives every stored object a UID.
pub(crate) fn is_new(object: &Value) -> bool {
    let uid = metadata(object).and_then(|metadata| metadata.get("uid")).and_then(Value::as_str);
    uid.unwrap_or_default().is_empty()
}
