//! `CSIDriver`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::{path::Path, status::Cause},
    registry::{
        Cell, Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
        validation,
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "CSIDriver", "csidrivers")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |driver| set_spec_defaults(defaults::spec(driver)),
    prepare_for_create: drop_gated,
    prepare_for_update,
    updates_unconditionally: false,
    validate,
    validate_change,
    validates_change_last: true,
    warnings,
    returns_deleted: true,
    ..base::BASE
};

fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(
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

/// Drops the fields that were not there before, and counts a change of the spec: a new driver has no generation.
fn prepare_for_update(old: &Value, driver: &mut Value) {
    if old["spec"]["preventPodSchedulingIfMissing"].is_null() {
        drop_gated(driver);
    }
    if old["spec"] != driver["spec"] {
        let before = old["metadata"]["generation"].as_i64().unwrap_or(0);
        driver["metadata"]["generation"] = (before + 1).into();
    }
}

/// Drops the field of a feature that is off (`VolumeLimitScaling`).
fn drop_gated(driver: &mut Value) {
    defaults::spec(driver).remove("preventPodSchedulingIfMissing");
}

fn validate(driver: &Value, causes: &mut Vec<Cause>) {
    let (spec, path) = (&driver["spec"], Path::Root("spec"));
    let policies = ["File", "None", "ReadWriteOnceWithFSType"];
    validation::one_of(&spec["fsGroupPolicy"], path.child("fsGroupPolicy"), &policies, causes);
    validate_tokens(validation::items(spec, "tokenRequests"), &path.child("tokenRequests"), causes);
    for mode in validation::items(spec, "volumeLifecycleModes") {
        let known = ["Persistent", "Ephemeral"];
        if !known.iter().any(|known| mode == known) {
            causes.push(Cause::not_supported(path.child("volumeLifecycleModes"), mode, &known));
        }
    }
    let period = "nodeAllocatableUpdatePeriodSeconds";
    if spec[period].as_i64().is_some_and(|seconds| seconds < 10) {
        let because = "must be greater than or equal to 10 seconds";
        causes.push(Cause::invalid(path.child(period), &spec[period], because));
    }
    let in_secrets = "serviceAccountTokenInSecrets";
    if spec[in_secrets].is_boolean() && validation::items(spec, "tokenRequests").is_empty() {
        let because = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        causes.push(Cause::invalid(path.child(in_secrets), &spec[in_secrets], because));
    }
}

fn validate_tokens(requests: &[Value], path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (position, request) in requests.iter().enumerate() {
        let path = path.index(position);
        let audience = &request["audience"];
        if requests[..position].iter().any(|other| other["audience"] == *audience) {
            causes.push(validation::duplicate(path.child("audience"), audience));
            continue;
        }
        let Some(seconds) = request["expirationSeconds"].as_i64() else { continue };
        let because = match seconds {
            ..600 => "may not specify a duration less than 10 minutes",
            600..=0x1_0000_0000 => continue,
            _ => "may not specify a duration larger than 2^32 seconds",
        };
        causes.push(Cause::invalid(path.child("expirationSeconds"), &seconds.into(), because));
    }
}

fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    // Upstream misspells the first one.
    for (field, told) in
        [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")]
    {
        if old["spec"][field] != new["spec"][field] {
            let value = &new["spec"][field];
            causes.push(Cause::invalid(format!("spec.{told}"), value, "field is immutable"));
        }
    }
}

/// Warns of tokens in the attributes of volumes, if this is new.
fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let spec = &new["spec"];
    let is_new = old.is_none_or(|old| old["spec"]["tokenRequests"] != spec["tokenRequests"]);
    let warns = is_new
        && !validation::items(spec, "tokenRequests").is_empty()
        && spec["serviceAccountTokenInSecrets"].is_null();
    let warning = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to \
                   prevent possible logging of tokens in volume attributes";
    warns.then(|| warning.to_owned()).into_iter().collect()
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        Column::new("AttachRequired", "boolean", Cell::Computed(attach_required)),
        column::boolean("PodInfoOnMount", "/spec/podInfoOnMount"),
        column::boolean("StorageCapacity", "/spec/storageCapacity"),
        column::computed("TokenRequests", token_requests),
        column::boolean("RequiresRepublish", "/spec/requiresRepublish"),
        column::computed("Modes", lifecycle_modes),
    ])
}

fn attach_required(driver: &Value, _: Timestamp) -> Value {
    (driver["spec"]["attachRequired"] != false).into()
}

/// Returns the audiences of the tokens that a driver asks for.
fn token_requests(driver: &Value, _: Timestamp) -> Value {
    if !driver["spec"]["tokenRequests"].is_array() {
        return cells::UNSET.into();
    }
    cells::joined(
        cells::array(driver, "/spec/tokenRequests").iter().map(|request| cells::text(request, "/audience")),
        ",",
    )
    .into()
}

fn lifecycle_modes(driver: &Value, _: Timestamp) -> Value {
    let modes = cells::joined(
        cells::array(driver, "/spec/volumeLifecycleModes").iter().filter_map(Value::as_str),
        ",",
    );
    if modes.is_empty() { cells::NONE.into() } else { modes.into() }
}
