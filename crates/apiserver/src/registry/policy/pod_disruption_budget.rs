//! `PodDisruptionBudget`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::{path::Path, status::Cause, subresource::Subresource},
    registry::{Column, Kind, Strategy, column, strategy::NameRule, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")
        .short("pdb")
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    name: NameRule::PathSegment,
    first_status: |_, _| {
        Some(json!({
            "currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0,
        }))
    },
    counts_generations: true,
    updates_unconditionally: false,
    validate,
    validate_part,
    metadata_checks: &[],
    takes_bare_finalizers: true,
    ..Strategy::PLAIN
};

fn validate(budget: &Value, causes: &mut Vec<Cause>) {
    let spec = &budget["spec"];
    if spec.get("minAvailable").is_some() && spec.get("maxUnavailable").is_some() {
        let because = "minAvailable and maxUnavailable cannot be both set";
        let part = |field: &str| spec.get(field).cloned().unwrap_or(Value::Null);
        // Upstream shows its Go struct, in its order.
        let shown = format!(
            "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            part("minAvailable"),
            validation::parts::shown_selector(&spec["selector"]),
            part("maxUnavailable"),
            part("unhealthyPodEvictionPolicy"),
        );
        causes.push(Cause::new("FieldValueInvalid", "spec", format!("Invalid value: {shown}: {because}")));
    }
    for field in ["minAvailable", "maxUnavailable"] {
        validation::parts::share(&spec[field], Path::Root("spec").child(field), true, causes);
    }
    validation::parts::selector(&spec["selector"], &Path::Root("spec.selector"), causes);
    let known = ["AlwaysAllow", "IfHealthyBudget"];
    validation::one_of(
        &spec["unhealthyPodEvictionPolicy"],
        "spec.unhealthyPodEvictionPolicy",
        &known,
        causes,
    );
}

/// Validates a changed status.
fn validate_part(subresource: Option<Subresource>, _: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if subresource != Some(Subresource::Status) {
        return;
    }
    let (status, path) = (&new["status"], Path::Root("status"));
    validation::conditions::validate(&status["conditions"], &path.child("conditions"), causes);
    for field in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
        validation::at_least(0, status, &path, field, causes);
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::computed("Min Available", min_available),
        column::computed("Max Unavailable", max_unavailable),
        column::number("Allowed Disruptions", "/status/disruptionsAllowed"),
    ])
}

fn min_available(budget: &Value, _: Timestamp) -> Value {
    number_or_percent(&budget["spec"]["minAvailable"])
}

fn max_unavailable(budget: &Value, _: Timestamp) -> Value {
    number_or_percent(&budget["spec"]["maxUnavailable"])
}

fn number_or_percent(value: &Value) -> Value {
    match value {
        Value::String(percent) => percent.as_str().into(),
        Value::Number(number) => number.to_string().into(),
        _ => "N/A".into(),
    }
}
