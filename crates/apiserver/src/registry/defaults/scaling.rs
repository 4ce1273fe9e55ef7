//! The defaults of a `HorizontalPodAutoscaler` of `autoscaling/v2`.

use serde_json::{Value, json};

use super::{Fields, fill, items, object, quantity_of};

/// How a policy of each direction begins.
const UP: [(&str, i64); 2] = [("Pods", 4), ("Percent", 100)];
const DOWN: [(&str, i64); 1] = [("Percent", 100)];

pub(super) fn pod_autoscaler(spec: &mut Fields) {
    fill(spec, [("minReplicas", json!(1))]);
    if spec.get("metrics").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
        spec.insert("metrics".to_owned(), cpu);
    }
    for metric in items(spec, "metrics") {
        for source in ["resource", "containerResource", "pods", "object", "external"] {
            if let Some(target) = object(metric, source).and_then(|source| object(source, "target")) {
                quantity_of(target, "value");
                quantity_of(target, "averageValue");
            }
        }
    }
    let Some(behavior) = object(spec, "behavior") else { return };
    fill(behavior, [("scaleUp", json!({})), ("scaleDown", json!({}))]);
    if let Some(up) = object(behavior, "scaleUp") {
        fill(up, [("stabilizationWindowSeconds", json!(0))]);
        rules(up, &UP);
    }
    if let Some(down) = object(behavior, "scaleDown") {
        rules(down, &DOWN);
    }
}

fn rules(rules: &mut Fields, policies: &[(&str, i64)]) {
    let policy = |(kind, value): &(&str, i64)| json!({"type": kind, "value": value, "periodSeconds": 15});
    let policies: Vec<Value> = policies.iter().map(policy).collect();
    fill(rules, [("selectPolicy", json!("Max")), ("policies", policies.into())]);
}
