//! The columns of volumes, and of what provides them.

use super::{Cell, Column, boolean, cells, computed, name, text, with_age};

pub(in crate::registry) fn persistent_volume() -> Vec<Column> {
    let mut columns = with_age(vec![
        text("Capacity", "/spec/capacity/storage"),
        computed("Access Modes", cells::access_modes),
        text("Reclaim Policy", "/spec/persistentVolumeReclaimPolicy"),
        computed("Status", cells::volume_phase),
        computed("Claim", cells::claim),
        computed("StorageClass", cells::storage_class_name),
        computed("VolumeAttributesClass", cells::attributes_class_name),
        text("Reason", "/status/reason"),
    ]);
    columns.push(computed("VolumeMode", cells::volume_mode).wide());
    columns
}

pub(in crate::registry) fn persistent_volume_claim() -> Vec<Column> {
    let mut columns = with_age(vec![
        computed("Status", cells::volume_phase),
        text("Volume", "/spec/volumeName"),
        computed("Capacity", cells::claimed_capacity),
        computed("Access Modes", cells::claimed_access_modes),
        computed("StorageClass", cells::storage_class_name),
        computed("VolumeAttributesClass", cells::attributes_class_name),
    ]);
    columns.push(computed("VolumeMode", cells::volume_mode).wide());
    columns
}

pub(in crate::registry) fn storage_class() -> Vec<Column> {
    let mut columns = with_age(vec![
        text("Provisioner", "/provisioner"),
        computed("ReclaimPolicy", cells::reclaim_policy),
        computed("VolumeBindingMode", cells::volume_binding_mode),
        computed("AllowVolumeExpansion", cells::volume_expansion),
    ]);
    columns[0].cell = Cell::Computed(cells::name_or_default_class);
    columns
}

pub(in crate::registry) fn csi_driver() -> Vec<Column> {
    with_age(vec![
        Column::new("AttachRequired", "boolean", Cell::Computed(cells::attach_required)),
        boolean("PodInfoOnMount", "/spec/podInfoOnMount"),
        boolean("StorageCapacity", "/spec/storageCapacity"),
        computed("TokenRequests", cells::token_requests),
        boolean("RequiresRepublish", "/spec/requiresRepublish"),
        computed("Modes", cells::lifecycle_modes),
    ])
}

pub(in crate::registry) fn csi_node() -> Vec<Column> {
    with_age(vec![Column::new("Drivers", "integer", Cell::Computed(cells::drivers))])
}

pub(in crate::registry) fn volume_attachment() -> Vec<Column> {
    let attacher = Column { format: "name".to_owned(), ..text("Attacher", "/spec/attacher") };
    with_age(vec![
        attacher,
        text("PV", "/spec/source/persistentVolumeName"),
        text("Node", "/spec/nodeName"),
        boolean("Attached", "/status/attached"),
    ])
}

pub(in crate::registry) fn volume_attributes_class() -> Vec<Column> {
    with_age(vec![text("DriverName", "/driverName")])
}

pub(in crate::registry) fn ip_address() -> Vec<Column> {
    vec![name(), computed("ParentRef", cells::parent_ref)]
}
