//! `PersistentVolume`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::persistent_volume_claim::validate_access_modes;
use crate::{
    api::status::Cause,
    registry::{
        Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
        strategy::Plugin,
        validation, warnings,
    },
};

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
    first_status: |clock, _| Some(json!({"phase": "Pending", "lastPhaseTransitionTime": clock.text()})),
    validate,
    warnings: |_, new| warnings(new),
    returns_deleted: true,
    plugins: &[Plugin::Protect("kubernetes.io/pv-protection")],
    ..Strategy::PLAIN
};

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
    validate_access_modes(spec, causes);
    if spec["capacity"].as_object().is_none_or(serde_json::Map::is_empty) {
        causes.push(Cause::required("spec.capacity", ""));
        causes.push(Cause::not_supported("spec.capacity", &Value::Null, &["storage"]));
    }
    let source = |(field, value): (&String, &Value)| {
        value.is_object() && !matches!(field.as_str(), "capacity" | "claimRef" | "nodeAffinity")
    };
    if !spec.as_object().into_iter().flatten().any(source) {
        causes.push(Cause::required("spec", "must specify a volume type"));
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
            (
                "volume.beta.kubernetes.io/mount-options",
                "deprecated since v1.31; use \"mountOptions\" attribute instead",
            ),
        ],
    );
    if warnings::text(new, "/spec/persistentVolumeReclaimPolicy") == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended \
             approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
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
