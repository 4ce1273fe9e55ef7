//! The defaults of where a volume's content comes from, in a Pod and in a `PersistentVolume`.

use serde_json::json;

use super::{Fields, fill, items, object};
use crate::registry::core::persistent_volume_claim;

/// A Pod's volume: empty, if it does not say what it is.
pub(in crate::registry) fn volume(volume: &mut Fields) {
    if volume.keys().all(|field| field == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for files in ["configMap", "secret", "downwardAPI", "projected"] {
        if let Some(files) = object(volume, files) {
            fill(files, [("defaultMode", json!(0o644))]);
        }
    }
    if let Some(files) = object(volume, "downwardAPI") {
        field_files(files);
    }
    if let Some(template) = object(volume, "ephemeral").and_then(|own| object(own, "volumeClaimTemplate")) {
        fill(template, [("metadata", json!({}))]);
        if let Some(spec) = object(template, "spec") {
            persistent_volume_claim::set_spec_defaults(spec);
        }
    }
    if let Some(projected) = object(volume, "projected") {
        for source in items(projected, "sources") {
            if let Some(token) = object(source, "serviceAccountToken") {
                fill(token, [("expirationSeconds", json!(3600))]);
            }
            if let Some(files) = object(source, "downwardAPI") {
                field_files(files);
            }
        }
    }
    source(volume);
}

/// Defaults of the volume sources that Pods and `PersistentVolume`s share.
pub(in crate::registry) fn source(volume: &mut Fields) {
    if let Some(path) = object(volume, "hostPath") {
        fill(path, [("type", json!(""))]);
    }
    if let Some(disk) = object(volume, "iscsi") {
        fill(disk, [("iscsiInterface", json!("default"))]);
    }
    if let Some(disk) = object(volume, "rbd") {
        fill(
            disk,
            [("pool", json!("rbd")), ("user", json!("admin")), ("keyring", json!("/etc/ceph/keyring"))],
        );
    }
}

/// The Pod's own fields, as files.
fn field_files(files: &mut Fields) {
    items(files, "items").for_each(reference);
}

/// A reference to a field of the Pod, or to a resource of a container.
pub(in crate::registry) fn reference(from: &mut Fields) {
    if let Some(field) = object(from, "fieldRef") {
        fill(field, [("apiVersion", json!("v1"))]);
    }
    if let Some(resource) = object(from, "resourceFieldRef") {
        fill(resource, [("divisor", json!("0"))]);
    }
}
