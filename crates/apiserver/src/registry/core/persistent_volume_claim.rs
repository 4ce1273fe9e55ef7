//! `PersistentVolumeClaim`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, status::Cause},
    registry::{
        Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
        quantity,
        strategy::{Plugin, Usage},
        validation, warnings,
    },
};

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
        .short("pvc")
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |claim| set_spec_defaults(defaults::spec(claim)),
    first_status: |_, _| Some(json!({"phase": "Pending"})),
    validate,
    warnings: |_, new| warnings(new),
    returns_deleted: true,
    plugins: &[
        Plugin::LimitClaim,
        Plugin::Protect("kubernetes.io/pvc-protection"),
        Plugin::DefaultClass {
            classes: "storageclasses.storage.k8s.io",
            annotation: "storageclass.kubernetes.io/is-default-class",
            field: "storageClassName",
        },
    ],
    usage: Usage::Claim,
    counts_by_name: true,
    ..Strategy::PLAIN
};

/// Sets the defaults of a claim's spec, which templates have, too.
pub(in crate::registry) fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(spec, [("volumeMode", json!("Filesystem"))]);
    if let Some(resources) = defaults::object(spec, "resources") {
        ["limits", "requests"].iter().for_each(|what| defaults::quantities(resources, what));
    }
}

fn validate(claim: &Value, causes: &mut Vec<Cause>) {
    let spec = &claim["spec"];
    if validation::items(spec, "accessModes").is_empty() {
        causes.push(Cause::required("spec.accessModes", "at least 1 access mode is required"));
    }
    validate_access_modes(spec, causes);
    validate_spec(spec, "spec", causes);
}

/// Validates the spec of a claim, except for the names of its access modes.
fn validate_spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let modes = validation::items(spec, "accessModes");
    if modes.len() > 1 && modes.iter().any(|mode| mode == "ReadWriteOncePod") {
        let because = "may not use ReadWriteOncePod with other access modes";
        causes.push(Cause::forbidden(format!("{path}.accessModes"), because));
    }
    let storage = &spec["resources"]["requests"]["storage"];
    let field = format!("{path}.resources[storage]");
    match quantity::of(storage) {
        None => causes.push(Cause::required(field, "")),
        Some(amount) if amount.signum() <= 0 => {
            causes.push(Cause::invalid(field, storage, "must be greater than zero"));
        }
        Some(_) => {}
    }
    let class = validation::text(spec, "storageClassName");
    if !class.is_empty() && !names::is_subdomain(class) {
        let because = names::SUBDOMAIN_RULE;
        causes.push(Cause::invalid(format!("{path}.storageClassName"), &json!(class), because));
    }
    validation::one_of(
        &spec["volumeMode"],
        || format!("{path}.volumeMode"),
        &["Block", "Filesystem"],
        causes,
    );
    validation::parts::selector(&spec["selector"], &format!("{path}.selector"), causes);
}

pub(super) fn validate_access_modes(spec: &Value, causes: &mut Vec<Cause>) {
    for mode in validation::items(spec, "accessModes")
        .iter()
        .filter(|mode| !ACCESS_MODES.iter().any(|known| mode == known))
    {
        causes.push(Cause::not_supported("spec.accessModes", mode, &ACCESS_MODES));
    }
}

fn warnings(claim: &Value) -> Vec<String> {
    let annotation = "volume.beta.kubernetes.io/storage-class";
    let mut warnings = warnings::annotations(
        claim,
        &[(annotation, "deprecated since v1.8; use \"storageClassName\" attribute instead")],
    );
    warnings.extend(warnings::pod::claim(&claim["spec"], "spec"));
    warnings
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::computed("Status", cells::volume_phase),
        column::text("Volume", "/spec/volumeName"),
        column::computed("Capacity", claimed_capacity),
        column::computed("Access Modes", claimed_access_modes),
        column::computed("StorageClass", cells::storage_class_name),
        column::computed("VolumeAttributesClass", cells::attributes_class_name),
    ]);
    columns.push(column::computed("VolumeMode", cells::volume_mode).wide());
    columns
}

/// Returns the access modes of a bound claim, which are those of its volume.
fn claimed_access_modes(claim: &Value, _: Timestamp) -> Value {
    if cells::text(claim, "/spec/volumeName").is_empty() {
        "".into()
    } else {
        cells::modes(claim, "/status/accessModes")
    }
}

fn claimed_capacity(claim: &Value, _: Timestamp) -> Value {
    match cells::text(claim, "/spec/volumeName") {
        "" => "".into(),
        _ => cells::text_or(claim, "/status/capacity/storage", "0"),
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(cells::volume_phase(&json!({"metadata": {"deletionTimestamp": "t"}}), NOW), "Terminating");
    }
}
