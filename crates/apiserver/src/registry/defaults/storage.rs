//! The defaults of volumes, of claims on them, and of what provides them.

use serde_json::json;

use super::{Fields, fill, items, object, quantities, volume::source};

/// A claim's spec, wherever it stands.
pub(super) fn claim(spec: &mut Fields) {
    fill(spec, [("volumeMode", json!("Filesystem"))]);
    if let Some(resources) = object(spec, "resources") {
        ["limits", "requests"].iter().for_each(|what| quantities(resources, what));
    }
}

pub(super) fn volume(spec: &mut Fields) {
    fill(spec, [("persistentVolumeReclaimPolicy", json!("Retain")), ("volumeMode", json!("Filesystem"))]);
    quantities(spec, "capacity");
    source(spec);
}

pub(super) fn class(class: &mut Fields) {
    fill(class, [("reclaimPolicy", json!("Delete")), ("volumeBindingMode", json!("Immediate"))]);
}

pub(super) fn csi_driver(spec: &mut Fields) {
    fill(
        spec,
        [
            ("attachRequired", json!(true)),
            ("podInfoOnMount", json!(false)),
            ("volumeLifecycleModes", json!(["Persistent"])),
            ("storageCapacity", json!(false)),
            ("fsGroupPolicy", json!("ReadWriteOnceWithFSType")),
            ("requiresRepublish", json!(false)),
            ("seLinuxMount", json!(false)),
        ],
    );
}

pub(super) fn csi_node(spec: &mut Fields) {
    items(spec, "drivers").for_each(|driver| fill(driver, [("topologyKeys", json!(null))]));
}
