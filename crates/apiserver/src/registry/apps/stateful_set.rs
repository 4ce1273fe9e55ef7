//! `StatefulSet`s.

use serde_json::{Value, json};

use super::super::core::persistent_volume_claim;
use super::base;
use crate::{
    api::{names, status::Cause},
    registry::{Column, Kind, Strategy, cells, column, defaults, validation, warnings},
};

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
    validate,
    validate_change: validation::fixed_selector,
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
        defaults::fill(claim, [("status", json!({"phase": "Pending"}))]);
        if let Some(spec) = defaults::object(claim, "spec") {
            persistent_volume_claim::set_spec_defaults(spec);
        }
    }
    if let Some(policy) = defaults::object(spec, "persistentVolumeClaimRetentionPolicy") {
        defaults::fill(policy, [("whenDeleted", json!("Retain")), ("whenScaled", json!("Retain"))]);
    }
    defaults::pod::template(spec);
}

fn validate(set: &Value, causes: &mut Vec<Cause>) {
    base::validate_workload(set, false, causes);
    let spec = &set["spec"];
    validate_spec(spec, causes);
    let policy = validation::text(spec, "podManagementPolicy");
    if !matches!(policy, "OrderedReady" | "Parallel") {
        let because = "must be 'OrderedReady' or 'Parallel'";
        causes.push(Cause::invalid("spec.podManagementPolicy", &json!(policy), because));
    }
}

fn validate_spec(spec: &Value, causes: &mut Vec<Cause>) {
    let (strategy, field) = (&spec["updateStrategy"], "spec.updateStrategy");
    let rolling = &strategy["rollingUpdate"];
    match validation::text(strategy, "type") {
        "RollingUpdate" => {
            validation::at_least(0, rolling, &format!("{field}.rollingUpdate"), "partition", causes);
            let field = format!("{field}.rollingUpdate.maxUnavailable");
            validation::parts::share(&rolling["maxUnavailable"], &field, true, causes);
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
    validation::at_least(0, &spec["ordinals"], "spec.ordinals", "start", causes);
    for when in ["whenDeleted", "whenScaled"] {
        let path = format!("spec.persistentVolumeClaimRetentionPolicy.{when}");
        let value = &spec["persistentVolumeClaimRetentionPolicy"][when];
        validation::one_of(value, || path, &["Retain", "Delete"], causes);
    }
    let service = validation::text(spec, "serviceName");
    for fault in names::label_faults(service).into_iter().filter(|_| !service.is_empty()) {
        causes.push(Cause::invalid("spec.serviceName", &json!(service), fault));
    }
}

fn warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let mut warnings = warnings::template(old, new, "spec.template");
    let suffix = if old.is_some() { ".Spec" } else { "" }; // as upstream writes it
    for (position, claim) in new["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten().enumerate()
    {
        warnings.extend(warnings::pod::claim(
            &claim["spec"],
            &format!("spec.volumeClaimTemplates[{position}]{suffix}"),
        ));
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
