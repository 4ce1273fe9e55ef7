//! `StatefulSet`s.

use std::{borrow::Cow, collections::BTreeSet};

use serde_json::{Value, json};

use super::super::core::persistent_volume_claim;
use super::base;
use crate::{
    api::{names, path::Path, status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, cells, column, defaults, strategy::NameRule, validation, warnings},
};

/// The fields of the spec that a change may have.
const MUTABLE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// The fields of a template in whose place a Pod gets its own name and the Service's.
const OWN_NAMES: [&str; 2] = ["hostname", "subdomain"];

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apps", "v1", "StatefulSet", "statefulsets")
        .short("sts")
        .all()
        .status()
        .scale()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults,
    first_status: |_, _| Some(json!({"replicas": 0, "availableReplicas": 0})),
    name: NameRule::Label,
    prepare_for_create: forget_unserved,
    prepare_for_update: |_, set| forget_unserved(set),
    validate,
    validate_new,
    validate_change,
    validate_part,
    warnings,
    ..base::BASE
};

fn set_defaults(set: &mut Value) {
    let spec = defaults::spec(set);
    defaults::fill(
        spec,
        [
            ("replicas", json!(1)),
            ("podManagementPolicy", json!("OrderedReady")),
            ("revisionHistoryLimit", json!(10)),
            ("updateStrategy", json!({})),
            ("persistentVolumeClaimRetentionPolicy", json!({})),
        ],
    );
    base::rolling(spec, "updateStrategy", &[("partition", json!(0))]);
    defaults::fill(spec, [("serviceName", json!(""))]);
    for claim in defaults::items(spec, "volumeClaimTemplates") {
        defaults::fill(claim, [("apiVersion", json!("v1")), ("kind", json!("PersistentVolumeClaim"))]);
        defaults::fill(claim, [("status", json!({}))]);
        if let Some(status) = defaults::object(claim, "status") {
            defaults::fill(status, [("phase", json!("Pending"))]);
        }
        if let Some(spec) = defaults::object(claim, "spec") {
            persistent_volume_claim::set_spec_defaults(spec);
        }
    }
    if let Some(policy) = defaults::object(spec, "persistentVolumeClaimRetentionPolicy") {
        defaults::fill(policy, [("whenDeleted", json!("Retain")), ("whenScaled", json!("Retain"))]);
    }
    defaults::pod::template(spec);
}

/// Drops the fields of a feature that is off in upstream's stable release.
fn forget_unserved(set: &mut Value) {
    let rolling = set.pointer_mut("/spec/updateStrategy/rollingUpdate").and_then(Value::as_object_mut);
    rolling.map(|rolling| rolling.remove("maxUnavailable"));
}

fn validate(set: &Value, causes: &mut Vec<Cause>) {
    base::validate_workload(&as_of_pods(set), "statefulset", false, causes);
    let spec = &set["spec"];
    validate_spec(spec, causes);
    let policy = validation::text(spec, "podManagementPolicy");
    if !matches!(policy, "OrderedReady" | "Parallel") {
        let because = "must be 'OrderedReady' or 'Parallel'";
        causes.push(Cause::invalid("spec.podManagementPolicy", &json!(policy), because));
    }
}

/// Returns the set with the template that its Pods are made of: without the names that each Pod gets of its own, and with the
/// volumes of the templates of claims, in whose place they come.
fn as_of_pods(set: &Value) -> Cow<'_, Value> {
    let pod = &set["spec"]["template"]["spec"];
    let is_named = OWN_NAMES.iter().any(|field| !pod[field].is_null());
    let volumes = claimed_volumes(set);
    if !is_named && volumes.is_none() {
        return Cow::Borrowed(set);
    }
    let mut set = set.clone();
    if let Some(pod) = set.pointer_mut("/spec/template/spec").and_then(Value::as_object_mut) {
        OWN_NAMES.iter().for_each(|field| drop(pod.remove(*field)));
        volumes.map(|volumes| pod.insert("volumes".into(), volumes.into()));
    }
    Cow::Owned(set)
}

/// Returns the volumes of the Pods if some are those of claims.
fn claimed_volumes(set: &Value) -> Option<Vec<Value>> {
    let claims = validation::items(&set["spec"], "volumeClaimTemplates");
    if claims.is_empty() {
        return None;
    }
    let names: BTreeSet<&str> =
        claims.iter().map(|claim| validation::text(&claim["metadata"], "name")).collect();
    let claimed =
        names.iter().map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
    let own = validation::items(&set["spec"]["template"]["spec"], "volumes").iter();
    let kept = own.filter(|volume| !names.contains(&validation::text(volume, "name"))).cloned();
    Some(claimed.chain(kept).collect())
}

fn validate_spec(spec: &Value, causes: &mut Vec<Cause>) {
    let (strategy, field) = (&spec["updateStrategy"], "spec.updateStrategy");
    let rolling = &strategy["rollingUpdate"];
    match validation::text(strategy, "type") {
        "RollingUpdate" => {
            let path = Path::Root("spec.updateStrategy.rollingUpdate");
            validation::at_least(0, rolling, &path, "partition", causes);
            validation::parts::share(&rolling["maxUnavailable"], path.child("maxUnavailable"), true, causes);
        }
        // Upstream shows its Go structs, in their order.
        "OnDelete" if rolling.is_object() => {
            let part = |field: &str| rolling.get(field).cloned().unwrap_or_default();
            let shown = format!(
                "{{\"Partition\":{},\"MaxUnavailable\":{}}}",
                part("partition"),
                part("maxUnavailable")
            );
            let because = "only allowed for updateStrategy 'RollingUpdate'";
            let message = format!("Invalid value: {shown}: {because}");
            causes.push(Cause::new("FieldValueInvalid", format!("{field}.rollingUpdate"), message));
        }
        "OnDelete" => {}
        "" => causes.push(Cause::required(field, "")),
        other => {
            let shown = format!("{{\"Type\":{other:?},\"RollingUpdate\":null}}");
            let message = format!("Invalid value: {shown}: must be 'RollingUpdate' or 'OnDelete'");
            causes.push(Cause::new("FieldValueInvalid", field, message));
        }
    }
    validation::at_least(0, &spec["ordinals"], &Path::Root("spec.ordinals"), "start", causes);
    let (policy, path) = (
        &spec["persistentVolumeClaimRetentionPolicy"],
        Path::Root("spec.persistentVolumeClaimRetentionPolicy"),
    );
    for when in ["whenDeleted", "whenScaled"] {
        validation::one_of(&policy[when], path.child(when), &["Retain", "Delete"], causes);
    }
}

/// Validates what never changes: the name of the Service and the templates of claims.
fn validate_new(set: &Value, causes: &mut Vec<Cause>) {
    let service = validation::text(&set["spec"], "serviceName");
    if !service.is_empty() {
        validation::faulty(service, "spec.serviceName", names::label_faults(service), causes);
    }
    let claims = validation::items(&set["spec"], "volumeClaimTemplates");
    let list = Path::Root("spec.volumeClaimTemplates");
    for (position, claim) in claims.iter().enumerate() {
        persistent_volume_claim::validate_spec(&claim["spec"], &list.index(position).child("spec"), causes);
    }
}

/// Validates that only the mutable fields of the spec change.
fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let fixed = |set: &Value| {
        let mut spec = set["spec"].clone();
        if let Some(spec) = spec.as_object_mut() {
            MUTABLE.iter().for_each(|field| drop(spec.remove(*field)));
        }
        for claim in spec["volumeClaimTemplates"].as_array_mut().into_iter().flatten() {
            // What a template calls itself is not kept upstream.
            if let Some(claim) = claim.as_object_mut() {
                ["apiVersion", "kind"].iter().for_each(|field| drop(claim.remove(*field)));
            }
        }
        spec
    };
    if fixed(old) != fixed(new) {
        let because = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
                       'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and \
                       'minReadySeconds' are forbidden";
        causes.push(Cause::forbidden("spec", because));
    }
}

/// Validates the numbers of Pods in a changed status.
fn validate_part(subresource: Option<Subresource>, old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let fields = [
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ];
    let not_above = [
        ("readyReplicas", "replicas", "status.replicas"),
        ("currentReplicas", "replicas", "status.replicas"),
        ("updatedReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "replicas", "status.replicas"),
        ("availableReplicas", "readyReplicas", "status.readyReplicas"),
    ];
    if subresource == Some(Subresource::Status) {
        base::validate_status(old, new, &fields, &not_above, causes);
    }
}

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut warnings = warnings::template(old, new, "spec.template");
    let list = Path::Root("spec.volumeClaimTemplates");
    for (position, claim) in new["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten().enumerate()
    {
        let path = list.index(position);
        let path = if old.is_some() { path.child("Spec") } else { path }; // as upstream writes it
        warnings.extend(warnings::pod::claim(&claim["spec"], &path));
    }
    if new["spec"]["revisionHistoryLimit"].as_i64().is_some_and(|limit| limit < 0) {
        warnings.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
    warnings
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_workload(vec![column::computed("Ready", cells::replicas_ready)]);
    columns.pop(); // upstream shows no selector here
    columns
}
