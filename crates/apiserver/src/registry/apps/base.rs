//! The rules that the kinds of the group share.

use serde_json::{Value, json};

use crate::{
    api::{selector::LabelSelector, status::Cause},
    registry::{
        Strategy,
        defaults::{self, Fields},
        validation,
    },
};

pub(super) const BASE: Strategy = Strategy { counts_generations: true, ..Strategy::PLAIN };

/// Validates the selector and the template of a workload; `limits_history` says whether a negative number of kept revisions
/// is invalid.
pub(super) fn validate_workload(object: &Value, limits_history: bool, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    for field in ["replicas", "minReadySeconds"] {
        validation::at_least(0, spec, "spec", field, causes);
    }
    if limits_history {
        validation::at_least(0, spec, "spec", "revisionHistoryLimit", causes);
    }
    validation::parts::selector(&spec["selector"], "spec.selector", causes);
    let labels = spec.pointer("/template/metadata/labels");
    let selector = spec.get("selector").map(LabelSelector::from_json);
    match &selector {
        None => causes.push(Cause::required("spec.selector", "")),
        Some(None) => {
            causes.push(Cause::invalid("spec.selector", &spec["selector"], "invalid label selector"));
        }
        Some(Some(selector)) if selector.is_empty() => {
            let because = "empty selector is invalid for deployment";
            causes.push(Cause::invalid("spec.selector", &spec["selector"], because));
        }
        Some(Some(_)) => {}
    }
    // No selector at all selects nothing, an empty one everything.
    let selects = |selector: &LabelSelector| selector.matches_labels(|key| labels?.get(key)?.as_str());
    if !selector.unwrap_or_default().is_some_and(|selector| selects(&selector)) {
        let because = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels.unwrap_or(&Value::Null), because));
    }
    validation::pod::spec(&spec["template"]["spec"], "spec.template.spec", causes);
    validation::one_of(
        &spec["template"]["spec"]["restartPolicy"],
        || "spec.template.spec.restartPolicy",
        &["Always"],
        causes,
    );
}

/// Upstream shows the whole strategy, under the names of its Go struct.
pub(super) fn validate_strategy(spec: &Value, field: &str, known: &[&str], causes: &mut Vec<Cause>) {
    let kind = validation::text(&spec[field], "type");
    if !known.contains(&kind) {
        let shown = format!("{{\"Type\":{kind:?},\"RollingUpdate\":null}}");
        let known: Vec<String> = known.iter().map(|known| format!("{known:?}")).collect();
        let message = format!("Unsupported value: {shown}: supported values: {}", known.join(", "));
        causes.push(Cause::new("FieldValueNotSupported", format!("spec.{field}"), message));
    }
}

/// Sets the defaults of a rolling update.
pub(super) fn rolling(spec: &mut Fields, field: &str, defaults: &[(&str, Value)]) {
    let Some(strategy) = defaults::object(spec, field) else { return };
    defaults::fill(strategy, [("type", json!("RollingUpdate"))]);
    if strategy["type"] == "RollingUpdate" {
        defaults::fill(strategy, [("rollingUpdate", json!({}))]);
        if let Some(rolling) = defaults::object(strategy, "rollingUpdate") {
            defaults::fill(rolling, defaults.iter().cloned());
        }
    }
}
