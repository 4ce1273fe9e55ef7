//! `PersistentVolumeClaim`s.

mod change;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{names, path::Path, status::Cause, subresource::Subresource},
    registry::{
        Column, Kind, MetadataCheck, Strategy, cells, column,
        defaults::{self, Fields},
        quantity,
        strategy::{Plugin, Usage},
        validation, warnings,
    },
};

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// The annotation that named a claim's class before there was a field.
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
/// The states of a claim that is being resized.
const RESIZES: [&str; 5] = [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];

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
    set_status_defaults: |claim| defaults::phase(claim, "Pending"),
    prepare_for_create: |claim| normalize_sources(None, claim),
    prepare_for_update: |old, claim| normalize_sources(Some(old), claim),
    first_status: |_, _| Some(json!({"phase": "Pending"})),
    validate,
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    validate_change: change::validate,
    validate_part,
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

/// Drops sources of data that are not served, unless the old state has one, and copies a source to the field for any kind and
/// back.
fn normalize_sources(old: Option<&Value>, claim: &mut Value) {
    let has = |field: &str| old.is_some_and(|old| old["spec"].get(field).is_some());
    let (had_any, had_ref) = (has("dataSource") || has("dataSourceRef"), has("dataSourceRef"));
    let Some(spec) = claim.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let text = |source: &Value, field: &str| source[field].as_str().unwrap_or_default().to_owned();
    let is_old = |source: &Value| {
        matches!(
            (&*text(source, "apiGroup"), &*text(source, "kind")),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    if !had_ref && spec.get("dataSourceRef").is_some_and(|source| !text(source, "namespace").is_empty()) {
        spec.remove("dataSourceRef");
    }
    let is_new = !had_any && !spec.contains_key("dataSourceRef");
    if is_new && spec.get("dataSource").is_some_and(|source| !is_old(source)) {
        spec.remove("dataSource");
    }
    for (from, to) in [("dataSource", "dataSourceRef"), ("dataSourceRef", "dataSource")] {
        if let (Some(source), None) = (spec.get(from).cloned(), spec.get(to)) {
            spec.insert(to.to_owned(), source);
        }
    }
}

/// Sets the defaults of a claim's spec, which templates have, too.
pub(in crate::registry) fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(spec, [("volumeMode", json!("Filesystem"))]);
    if let Some(resources) = defaults::object(spec, "resources") {
        ["limits", "requests"].iter().for_each(|what| defaults::quantities(resources, what));
    }
}

fn validate(claim: &Value, causes: &mut Vec<Cause>) {
    validate_spec(&claim["spec"], &Path::Root("spec"), causes);
}

/// Validates the spec of a claim.
pub(in crate::registry) fn validate_spec(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if validation::items(spec, "accessModes").is_empty() {
        causes.push(Cause::required(path.child("accessModes"), "at least 1 access mode is required"));
    }
    validation::parts::selector(&spec["selector"], &path.child("selector"), causes);
    validate_access_modes(spec, path, causes);
    let storage = &spec["resources"]["requests"]["storage"];
    let field = format!("{path}.resources[storage]");
    match quantity::of(storage) {
        None => causes.push(Cause::required(field, "")),
        Some(amount) if amount.signum() <= 0 => {
            causes.push(Cause::invalid(field, storage, "must be greater than zero"));
        }
        Some(_) => {}
    }
    for field in ["storageClassName", "volumeAttributesClassName"] {
        validation::subdomain(validation::text(spec, field), path.child(field), causes);
    }
    let known = ["Block", "Filesystem"];
    validation::one_of(&spec["volumeMode"], path.child("volumeMode"), &known, causes);
    for field in ["dataSource", "dataSourceRef"] {
        validate_data_source(&spec[field], &path.child(field), causes);
    }
    let (source, reference) = (&spec["dataSource"], &spec["dataSourceRef"]);
    let differ = |field: &str| source[field] != reference[field];
    if !validation::text(reference, "namespace").is_empty() {
        if source.is_object() {
            let because = "may not be specified when dataSourceRef.namespace is specified";
            causes.push(Cause::invalid(path, &json!({}), because));
        }
    } else if source.is_object()
        && reference.is_object()
        && ["apiGroup", "kind", "name"].into_iter().any(differ)
    {
        // Upstream shows the path of the field, which has no JSON.
        causes.push(Cause::invalid(path, &json!({}), "must match dataSourceRef"));
    }
}

fn validate_data_source(source: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    if !source.is_object() {
        return;
    }
    for field in ["name", "kind"].into_iter().filter(|field| validation::text(source, field).is_empty()) {
        causes.push(Cause::required(path.child(field), ""));
    }
    let (group, kind) = (validation::text(source, "apiGroup"), validation::text(source, "kind"));
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let because = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        causes.push(Cause::invalid(path, &json!(kind), because));
    }
    validation::subdomain(group, path.child("apiGroup"), causes);
}

/// Validates the access modes of a volume or of a claim.
pub(super) fn validate_access_modes(spec: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let modes = validation::items(spec, "accessModes");
    let is_known = |mode: &&Value| ACCESS_MODES.iter().any(|known| *mode == known);
    for mode in modes.iter().filter(|mode| !is_known(mode)) {
        causes.push(Cause::not_supported(path.child("accessModes"), mode, &ACCESS_MODES));
    }
    let (alone, shared): (Vec<_>, Vec<_>) =
        modes.iter().filter(is_known).partition(|mode| **mode == "ReadWriteOncePod");
    if !alone.is_empty() && !shared.is_empty() {
        let because = "may not use ReadWriteOncePod with other access modes";
        causes.push(Cause::forbidden(path.child("accessModes"), because));
    }
}

/// Validates a changed status, and the annotation of the class if the metadata alone has changed.
fn validate_part(subresource: Option<Subresource>, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    match subresource {
        Some(Subresource::Status) => validate_status(&new["status"], causes),
        None => change::fixed_class_annotation(old, new, causes),
        Some(_) => {}
    }
}

/// Validates the amounts in a status.
fn validate_status(status: &Value, causes: &mut Vec<Cause>) {
    // An amount beyond Go's integers counts as negative.
    let is_negative = |amount: &Value| quantity::of(amount).is_some_and(|amount| amount.value() < 0);
    let because = "must be a valid resource quantity";
    let whole = |amount: &Value| json!(quantity::of(amount).map_or(0, |amount| amount.value()));
    for (resource, amount) in status["capacity"].as_object().into_iter().flatten() {
        if is_negative(amount) {
            let field = format!("status.capacity[{resource}]");
            causes.push(Cause::invalid(field, &whole(amount), because));
        }
    }
    for (resource, state) in status["allocatedResourceStatuses"].as_object().into_iter().flatten() {
        let field = "status.allocatedResourceStatuses";
        validate_resource(resource, field, causes);
        if !state.as_str().is_some_and(|state| RESIZES.contains(&state)) {
            causes.push(Cause::not_supported(field, &json!(resource), &RESIZES));
        }
    }
    for (resource, amount) in status["allocatedResources"].as_object().into_iter().flatten() {
        let (before, place) = (causes.len(), format!("status.allocatedResources[{resource}]"));
        validate_resource(resource, "status.allocatedResources", causes);
        if causes.len() > before {
            continue;
        }
        if is_negative(amount) {
            causes.push(Cause::invalid(place, &whole(amount), because));
        } else {
            validation::data::amount("storage", amount, &place, causes);
        }
    }
}

/// Validates the name of a resource of a claim: its storage, or one that others define.
fn validate_resource(name: &str, field: &str, causes: &mut Vec<Cause>) {
    let before = causes.len();
    validation::faulty(name, field, names::qualified_faults(name), causes);
    let is_native = !name.contains('/') || name.contains("kubernetes.io/");
    if causes.len() == before && name != "storage" && is_native {
        causes.push(Cause::not_supported(field, &json!(name), &["storage"]));
    }
}

fn warnings(claim: &Value) -> Vec<String> {
    let annotation = BETA_CLASS;
    let mut warnings = warnings::annotations(
        claim,
        &[(annotation, "deprecated since v1.8; use \"storageClassName\" attribute instead")],
    );
    warnings.extend(warnings::pod::claim(&claim["spec"], &Path::Root("spec")));
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
