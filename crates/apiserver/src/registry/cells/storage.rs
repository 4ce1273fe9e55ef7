//! The cells of both volumes and claims.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{UNSET, array, text, text_or};
use crate::api::object;

/// The abbreviations of access modes, in upstream's order.
const ACCESS_MODES: [(&str, &str); 4] = [
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
];

pub(crate) fn modes(object: &Value, pointer: &str) -> Value {
    let modes = array(object, pointer);
    let short = ACCESS_MODES.iter().filter(|(mode, _)| modes.iter().any(|found| found == mode));
    short.map(|(_, short)| *short).collect::<Vec<_>>().join(",").into()
}

pub(crate) fn volume_phase(object: &Value, _: Timestamp) -> Value {
    if object::is_being_deleted(object) { "Terminating".into() } else { text(object, "/status/phase").into() }
}

/// Returns the storage class, from the old annotation or the field.
pub(crate) fn storage_class_name(object: &Value, _: Timestamp) -> Value {
    let annotation = text(object, "/metadata/annotations/volume.beta.kubernetes.io~1storage-class");
    if annotation.is_empty() { text(object, "/spec/storageClassName").into() } else { annotation.into() }
}

pub(crate) fn attributes_class_name(object: &Value, _: Timestamp) -> Value {
    text_or(object, "/spec/volumeAttributesClassName", UNSET)
}

pub(crate) fn volume_mode(object: &Value, _: Timestamp) -> Value {
    text_or(object, "/spec/volumeMode", UNSET)
}
