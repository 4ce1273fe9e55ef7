//! `PersistentVolume`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::persistent_volume_claim::validate_access_modes;
use crate::{
    api::{object, path::Path, status::Cause},
    registry::{
        Column, Kind, MetadataCheck, Strategy, cells, column,
        defaults::{self, Fields},
        quantity,
        strategy::Plugin,
        validation::{
            self,
            volume_source::{self, Owner},
        },
        warnings,
    },
};

/// The sources of a volume, in the order in which upstream looks at them.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// The annotation that had the options of a mount before there was a field.
const MOUNT_OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";

/// The sources that may have that annotation.
const MOUNTED_WITH_OPTIONS: [&str; 13] = [
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "nfs",
    "rbd",
    "quobyte",
    "iscsi",
    "cinder",
    "cephfs",
    "azureFile",
    "vsphereVolume",
    "azureDisk",
    "photonPersistentDisk",
];

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "PersistentVolume", "persistentvolumes")
        .short("pv")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |volume| set_spec_defaults(defaults::spec(volume)),
    set_status_defaults: |volume| defaults::phase(volume, "Pending"),
    first_status: |clock, _| Some(json!({"phase": "Pending", "lastPhaseTransitionTime": clock.text()})),
    prepare_for_status_update: keep_transition_time,
    validate,
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Whole],
    validate_change,
    reads_beyond_metadata: true, // an annotation depends on the source
    validate_part: |subresource, _, new, causes| {
        if subresource.is_none() {
            mount_options(new, causes);
        }
    },
    warnings: |_, new| warnings(new),
    returns_deleted: true,
    plugins: &[Plugin::Protect("kubernetes.io/pv-protection")],
    ..Strategy::PLAIN
};

/// Keeps the time of the last change of the phase while that stays the same.
fn keep_transition_time(old: &Value, new: &mut Value) {
    let field = "lastPhaseTransitionTime";
    if new["status"].get(field).is_none()
        && old["status"]["phase"] == new["status"]["phase"]
        && let (Some(time), Some(status)) = (old["status"].get(field), new["status"].as_object_mut())
    {
        status.insert(field.to_owned(), time.clone());
    }
}

fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(
        spec,
        [("persistentVolumeReclaimPolicy", json!("Retain")), ("volumeMode", json!("Filesystem"))],
    );
    defaults::quantities(spec, "capacity");
    defaults::volume::source(spec);
}

fn validate(volume: &Value, causes: &mut Vec<Cause>) {
    let spec = &volume["spec"];
    if validation::items(spec, "accessModes").is_empty() {
        causes.push(Cause::required("spec.accessModes", ""));
    }
    validate_access_modes(spec, &Path::Root("spec"), causes);
    validate_capacity(&spec["capacity"], causes);
    let known = ["Delete", "Recycle", "Retain"];
    let field = "spec.persistentVolumeReclaimPolicy";
    validation::one_of(&spec["persistentVolumeReclaimPolicy"], field, &known, causes);
    validate_source(volume, causes);
    let is_root = matches!(validation::text(&spec["hostPath"], "path").trim_end_matches('/'), "")
        && spec["hostPath"]["path"].as_str().is_some_and(|path| path.starts_with('/'));
    if is_root && spec["persistentVolumeReclaimPolicy"] == "Recycle" {
        causes.push(Cause::forbidden(field, "may not be 'recycle' for a hostPath mount of '/'"));
    }
    validation::subdomain(validation::text(spec, "storageClassName"), "spec.storageClassName", causes);
    validation::one_of(&spec["volumeMode"], "spec.volumeMode", &["Block", "Filesystem"], causes);
    if let Some(class) = spec["volumeAttributesClassName"].as_str() {
        let field = "spec.volumeAttributesClassName";
        if class.is_empty() {
            causes.push(Cause::required(field, "an empty string is disallowed"));
        }
        validation::subdomain(class, field, causes);
        if !spec["csi"].is_object() {
            let because = "has to be specified when using volumeAttributesClassName";
            causes.push(Cause::required("spec.csi", because));
        }
    }
    mount_options(volume, causes);
}

/// Validates that only volumes that are mounted with options have the annotation for them.
fn mount_options(volume: &Value, causes: &mut Vec<Cause>) {
    let has_options = volume["metadata"]["annotations"].get(MOUNT_OPTIONS).is_some();
    if has_options && !MOUNTED_WITH_OPTIONS.iter().any(|source| volume["spec"][source].is_object()) {
        let because = "may not specify mount options for this volume type";
        causes.push(Cause::forbidden(format!("metadata.annotations.{MOUNT_OPTIONS}"), because));
    }
}

fn validate_capacity(capacity: &Value, causes: &mut Vec<Cause>) {
    let amounts: Vec<_> = capacity.as_object().into_iter().flatten().collect();
    if amounts.is_empty() {
        causes.push(Cause::required("spec.capacity", ""));
    }
    if !matches!(amounts[..], [(resource, _)] if resource == "storage") {
        causes.push(Cause::not_supported("spec.capacity", capacity, &["storage"]));
    }
    for (resource, amount) in amounts {
        let Some(found) = quantity::of(amount) else { continue };
        let field = format!("spec.capacity[{resource}]");
        if found.value() < 0 {
            causes.push(Cause::invalid(&*field, &json!(found.value()), "must be a valid resource quantity"));
        }
        if found.signum() <= 0 {
            causes.push(Cause::invalid(field, amount, "must be greater than zero"));
        }
    }
}

/// Validates that there is one source, and its fields.
fn validate_source(volume: &Value, causes: &mut Vec<Cause>) {
    let (spec, mut count) = (&volume["spec"], 0);
    for name in SOURCES.into_iter().filter(|name| spec[name].is_object()) {
        count += 1;
        if count > 1 && name != "flexVolume" {
            let field = if name == "cephfs" { "cephFS" } else { name };
            let because = "may not specify more than 1 volume type";
            causes.push(Cause::forbidden(format!("spec.{field}"), because));
            continue;
        }
        let root = Path::Root("spec");
        let (source, path) = (&spec[name], root.child(name));
        let owner = Owner::Volume(object::name(volume));
        volume_source::of_type(name, source, &path, owner, causes);
        match validation::text(source, "path") {
            _ if name != "local" => continue,
            "" => causes.push(Cause::required(path.child("path"), "")),
            local => validation::volume::without_backsteps(local, path.child("path"), causes),
        }
        if !spec["nodeAffinity"]["required"].is_object() {
            causes.push(Cause::required("spec.nodeAffinity", "Local volume requires node affinity"));
        }
    }
    if count == 0 {
        causes.push(Cause::required("spec", "must specify a volume type"));
    }
}

/// Validates that a volume stays where it is.
fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    validate(new, causes); // upstream looks at it twice
    let source = |volume: &Value| {
        let known = SOURCES.into_iter().filter(|name| volume["spec"][name].is_object());
        known.map(|name| (name, volume["spec"][name].clone())).collect::<Vec<_>>()
    };
    let (before, mut after) = (source(old), source(new));
    let secret = "controllerExpandSecretRef";
    if old["spec"]["csi"].is_object() && old["spec"]["csi"].get(secret).is_none() {
        // It may be set once.
        for (_, source) in &mut after {
            source.as_object_mut().map(|fields| fields.remove(secret));
        }
    }
    if before != after {
        let because = "spec.persistentvolumesource is immutable after creation";
        causes.push(Cause::forbidden("spec.persistentvolumesource", because));
    }
    if old["spec"]["volumeMode"] != new["spec"]["volumeMode"] {
        causes.push(Cause::invalid("volumeMode", &new["spec"]["volumeMode"], "field is immutable"));
    }
    if !old["spec"]["nodeAffinity"].is_null() && old["spec"]["nodeAffinity"] != new["spec"]["nodeAffinity"] {
        let because = "field is immutable, except for updating from beta label to GA";
        causes.push(Cause::invalid("nodeAffinity", &new["spec"]["nodeAffinity"], because));
    }
    let class = "volumeAttributesClassName";
    if old["spec"][class].is_string() && new["spec"][class].is_null() {
        let because = "update from non-nil value to nil is forbidden";
        causes.push(Cause::forbidden(format!("spec.{class}"), because));
    }
}

fn warnings(new: &Value) -> Vec<String> {
    let mut warnings = warnings::annotations(
        new,
        &[
            (
                "volume.beta.kubernetes.io/storage-class",
                "deprecated since v1.8; use \"storageClassName\" attribute instead",
            ),
            (MOUNT_OPTIONS, "deprecated since v1.31; use \"mountOptions\" attribute instead"),
        ],
    );
    if warnings::text(new, "/spec/persistentVolumeReclaimPolicy") == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    warnings.extend(warnings::pod::nodes_of_volume(&new["spec"]));
    let sources = ["cephfs", "photonPersistentDisk", "scaleIO", "storageOS", "glusterfs", "rbd"];
    for source in sources.into_iter().filter(|source| new["spec"].get(source).is_some()) {
        warnings.extend(warnings::pod::retired(source).map(|told| format!("spec.{source}: {told}")));
    }
    warnings
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::text("Capacity", "/spec/capacity/storage"),
        column::computed("Access Modes", access_modes),
        column::text("Reclaim Policy", "/spec/persistentVolumeReclaimPolicy"),
        column::computed("Status", cells::volume_phase),
        column::computed("Claim", claim),
        column::computed("StorageClass", cells::storage_class_name),
        column::computed("VolumeAttributesClass", cells::attributes_class_name),
        column::text("Reason", "/status/reason"),
    ]);
    columns.push(column::computed("VolumeMode", cells::volume_mode).wide());
    columns
}

fn access_modes(volume: &Value, _: Timestamp) -> Value {
    cells::modes(volume, "/spec/accessModes")
}

/// Returns the claim of a volume, as `namespace/name`.
fn claim(volume: &Value, _: Timestamp) -> Value {
    match volume.pointer("/spec/claimRef") {
        None => "".into(),
        Some(claim) => format!("{}/{}", cells::text(claim, "/namespace"), cells::text(claim, "/name")).into(),
    }
}
