//! The forms of a scaler in its two versions: `autoscaling/v1` has a field for a percentage of CPU and keeps the rest in
//! annotations.

use serde_json::{Value, json};

/// The metrics of `autoscaling/v2` that v1 has no field for, as v1 shows them.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const PERCENT: &str = "targetCPUUtilizationPercentage";
const CURRENT_PERCENT: &str = "currentCPUUtilizationPercentage";

/// Gives a scaler the form of `autoscaling/v2`: the percentage becomes a metric, annotations become fields.
pub(super) fn to_v2(scaler: &mut Value) {
    for (part, percent, source, field) in
        [("spec", PERCENT, "target", "metrics"), ("status", CURRENT_PERCENT, "current", "currentMetrics")]
    {
        let percent = scaler[part].as_object_mut().and_then(|part| part.remove(percent));
        let annotation = if part == "spec" { METRICS } else { CURRENT };
        let mut metrics =
            annotated(scaler, annotation).and_then(|value| value.as_array().cloned()).unwrap_or_default();
        if let Some(percent) = percent {
            let mut value = json!({"averageUtilization": percent});
            if part == "spec" {
                value["type"] = "Utilization".into();
            }
            let cpu = json!({"type": "Resource", "resource": {"name": "cpu", source: value}});
            metrics.insert(0, cpu);
        }
        if !metrics.is_empty() {
            scaler[part][field] = metrics.into();
        }
    }
    for (annotation, part, field) in [(BEHAVIOR, "spec", "behavior"), (CONDITIONS, "status", "conditions")] {
        if let Some(value) = annotated(scaler, annotation) {
            scaler[part][field] = value;
        }
    }
}

/// Gives a scaler the form of `autoscaling/v1`, which has a field for a percentage of the processor alone.
pub(super) fn to_v1(scaler: &mut Value) {
    let take = |scaler: &mut Value, part: &str, field: &str| {
        scaler.get_mut(part).and_then(Value::as_object_mut).and_then(|part| part.remove(field))
    };
    for (part, percent, source, field) in
        [("spec", PERCENT, "target", "metrics"), ("status", CURRENT_PERCENT, "current", "currentMetrics")]
    {
        let Some(Value::Array(mut metrics)) = take(scaler, part, field) else { continue };
        let of_cpu = |metric: &Value| {
            metric["resource"]["name"] == "cpu"
                && metric["resource"][source]["averageUtilization"].is_number()
        };
        if let Some(cpu) = metrics.iter().position(of_cpu) {
            scaler[part][percent] = metrics.remove(cpu)["resource"][source]["averageUtilization"].take();
        }
        if !metrics.is_empty() {
            annotate(scaler, if part == "spec" { METRICS } else { CURRENT }, &metrics.into());
        }
    }
    for (annotation, part, field) in [(BEHAVIOR, "spec", "behavior"), (CONDITIONS, "status", "conditions")] {
        if let Some(value) = take(scaler, part, field) {
            annotate(scaler, annotation, &value);
        }
    }
}

fn annotate(object: &mut Value, key: &str, value: &Value) {
    object["metadata"]["annotations"][key] = value.to_string().into();
}

/// Removes an annotation and parses its JSON.
fn annotated(object: &mut Value, key: &str) -> Option<Value> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    let text = annotations.remove(key)?;
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    serde_json::from_str(text.as_str()?).ok()
}
