//! The cells of volumes, and of what provides them.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{NONE, UNSET, array, joined, text, text_or};
use crate::api::object;

/// How an access mode is abbreviated, in the order in which upstream tells them.
const ACCESS_MODES: [(&str, &str); 4] = [
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
];

fn modes(object: &Value, pointer: &str) -> Value {
    let modes = array(object, pointer);
    let short = ACCESS_MODES.iter().filter(|(mode, _)| modes.iter().any(|found| found == mode));
    short.map(|(_, short)| *short).collect::<Vec<_>>().join(",").into()
}

pub(crate) fn access_modes(volume: &Value, _: Timestamp) -> Value {
    modes(volume, "/spec/accessModes")
}

/// A claim has what its volume gave it, once it has a volume.
pub(crate) fn claimed_access_modes(claim: &Value, _: Timestamp) -> Value {
    if text(claim, "/spec/volumeName").is_empty() { "".into() } else { modes(claim, "/status/accessModes") }
}

pub(crate) fn claimed_capacity(claim: &Value, _: Timestamp) -> Value {
    match text(claim, "/spec/volumeName") {
        "" => "".into(),
        _ => text_or(claim, "/status/capacity/storage", "0"),
    }
}

pub(crate) fn volume_phase(object: &Value, _: Timestamp) -> Value {
    if object::is_being_deleted(object) { "Terminating".into() } else { text(object, "/status/phase").into() }
}

/// Who claimed a volume, as `namespace/name`.
pub(crate) fn claim(volume: &Value, _: Timestamp) -> Value {
    match volume.pointer("/spec/claimRef") {
        None => "".into(),
        Some(claim) => format!("{}/{}", text(claim, "/namespace"), text(claim, "/name")).into(),
    }
}

/// The class, by the annotation from before there was a field.
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

/// The name, and whether Volumes without a class get this one.
pub(crate) fn name_or_default_class(class: &Value, _: Timestamp) -> Value {
    let is_default =
        ["storageclass.kubernetes.io~1is-default-class", "storageclass.beta.kubernetes.io~1is-default-class"]
            .iter()
            .any(|key| text(class, &format!("/metadata/annotations/{key}")) == "true");
    format!("{}{}", object::name(class), if is_default { " (default)" } else { "" }).into()
}

pub(crate) fn reclaim_policy(class: &Value, _: Timestamp) -> Value {
    text_or(class, "/reclaimPolicy", "Delete")
}

pub(crate) fn volume_binding_mode(class: &Value, _: Timestamp) -> Value {
    text_or(class, "/volumeBindingMode", "Immediate")
}

pub(crate) fn volume_expansion(class: &Value, _: Timestamp) -> Value {
    (class["allowVolumeExpansion"] == true).into()
}

pub(crate) fn attach_required(driver: &Value, _: Timestamp) -> Value {
    (driver["spec"]["attachRequired"] != false).into()
}

/// For whom a driver wants tokens.
pub(crate) fn token_requests(driver: &Value, _: Timestamp) -> Value {
    if !driver["spec"]["tokenRequests"].is_array() {
        return UNSET.into();
    }
    joined(array(driver, "/spec/tokenRequests").iter().map(|request| text(request, "/audience")), ",").into()
}

pub(crate) fn lifecycle_modes(driver: &Value, _: Timestamp) -> Value {
    let modes = joined(array(driver, "/spec/volumeLifecycleModes").iter().filter_map(Value::as_str), ",");
    if modes.is_empty() { NONE.into() } else { modes.into() }
}

pub(crate) fn drivers(node: &Value, _: Timestamp) -> Value {
    array(node, "/spec/drivers").len().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_claim_shows_what_its_volume_gave_it() {
        let pending = json!({"spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Pending"}});
        assert_eq!(claimed_access_modes(&pending, NOW), "");
        assert_eq!(claimed_capacity(&pending, NOW), "");
        let bound = json!({"spec": {"volumeName": "v"}, "status": {
            "phase": "Bound", "accessModes": ["ReadWriteMany", "ReadWriteOnce"], "capacity": {"storage": "1Gi"}}});
        assert_eq!(claimed_access_modes(&bound, NOW), "RWO,RWX");
        assert_eq!(claimed_capacity(&bound, NOW), "1Gi");
        assert_eq!(volume_phase(&json!({"metadata": {"deletionTimestamp": "t"}}), NOW), "Terminating");
    }

    #[test]
    fn the_default_class_says_so() {
        let class = |value: &str| {
            json!({"metadata": {"name": "fast",
                "annotations": {"storageclass.kubernetes.io/is-default-class": value}}})
        };
        assert_eq!(name_or_default_class(&class("true"), NOW), "fast (default)");
        assert_eq!(name_or_default_class(&class("false"), NOW), "fast");
    }
}
