//! `HorizontalPodAutoscaler`s.

mod conversion;
mod validation;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::registry::{
    Column, Kind, Strategy, cells, column,
    defaults::{self, Fields},
};

/// The default policies of each direction.
const UP: [(&str, i64); 2] = [("Pods", 4), ("Percent", 100)];
const DOWN: [(&str, i64); 1] = [("Percent", 100)];
/// The most metrics that a cell shows.
const SHOWN: usize = 2;
/// Describes the kind in both versions; objects are stored as `autoscaling/v2`.
pub(in crate::registry) fn kinds() -> Vec<Kind> {
    let kind = |version| {
        Kind::plain("autoscaling", version, "HorizontalPodAutoscaler", "horizontalpodautoscalers")
            .stored("autoscaling", "v2")
            .short("hpa")
            .all()
            .status()
            .columns(columns())
    };
    vec![kind("v1").strategy(&V1), kind("v2").strategy(&STRATEGY)]
}

static V1: Strategy = Strategy {
    set_defaults: |scaler| {
        conversion::to_v2(scaler);
        set_spec_defaults(defaults::spec(scaler));
        conversion::to_v1(scaler);
    },
    set_status_defaults: |_| {},
    first_status: |_, _| Some(json!({"currentReplicas": 0, "desiredReplicas": 0})),
    to_stored: Some(|scaler| {
        conversion::to_v2(scaler);
        scaler["apiVersion"] = "autoscaling/v2".into();
    }),
    from_stored: conversion::to_v1,
    ..STRATEGY
};

/// The rules of `autoscaling/v2`.
const STRATEGY: Strategy = Strategy {
    set_defaults: |scaler| set_spec_defaults(defaults::spec(scaler)),
    set_status_defaults: |scaler| {
        if let Some(status) = scaler.get_mut("status").and_then(Value::as_object_mut) {
            defaults::fill(status, [("currentMetrics", Value::Null)]);
        }
    },
    first_status: |_, _| Some(json!({"currentMetrics": null, "desiredReplicas": 0})),
    reads_beyond_metadata: true,
    validate: validation::validate,
    validate_part: validation::validate_part,
    ..Strategy::PLAIN
};

fn set_spec_defaults(spec: &mut Fields) {
    defaults::fill(spec, [("minReplicas", json!(1))]);
    if spec.get("metrics").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
        spec.insert("metrics".to_owned(), cpu);
    }
    for metric in defaults::items(spec, "metrics") {
        for source in ["resource", "containerResource", "pods", "object", "external"] {
            if let Some(target) =
                defaults::object(metric, source).and_then(|source| defaults::object(source, "target"))
            {
                defaults::quantity_of(target, "value");
                defaults::quantity_of(target, "averageValue");
            }
        }
    }
    let Some(behavior) = defaults::object(spec, "behavior") else { return };
    defaults::fill(behavior, [("scaleUp", json!({})), ("scaleDown", json!({}))]);
    if let Some(up) = defaults::object(behavior, "scaleUp") {
        defaults::fill(up, [("stabilizationWindowSeconds", json!(0))]);
        rules(up, &UP);
    }
    if let Some(down) = defaults::object(behavior, "scaleDown") {
        rules(down, &DOWN);
    }
}

fn rules(rules: &mut Fields, policies: &[(&str, i64)]) {
    let policy = |(kind, value): &(&str, i64)| json!({"type": kind, "value": value, "periodSeconds": 15});
    let policies: Vec<Value> = policies.iter().map(policy).collect();
    defaults::fill(rules, [("selectPolicy", json!("Max")), ("policies", policies.into())]);
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::computed("Reference", scale_target),
        column::computed("Targets", scale_metrics),
        column::computed("MinPods", min_pods),
        column::computed("MaxPods", max_pods),
        column::computed("Replicas", current_replicas),
    ])
}

/// The scaled object, as `Deployment/web`.
fn scale_target(scaler: &Value, _: Timestamp) -> Value {
    let target = &scaler["spec"]["scaleTargetRef"];
    format!("{}/{}", cells::text(target, "/kind"), cells::text(target, "/name")).into()
}

/// Returns the current and target value of each metric, as `cpu: 12%/80%`.
fn scale_metrics(scaler: &Value, _: Timestamp) -> Value {
    let present = cells::array(scaler, "/status/currentMetrics");
    let all: Vec<String> = cells::array(scaler, "/spec/metrics")
        .iter()
        .enumerate()
        .map(|(index, wanted)| metric(wanted, present.get(index).unwrap_or(&Value::Null)))
        .collect();
    match all.len() {
        0 => cells::NONE.into(),
        1..=SHOWN => all.join(", ").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(", "), more - SHOWN).into(),
    }
}

/// Returns one metric by its source.
fn metric(wanted: &Value, present: &Value) -> String {
    let source = |kind: &str| match kind {
        "External" => Some("external"),
        "Pods" => Some("pods"),
        "Object" => Some("object"),
        "Resource" => Some("resource"),
        "ContainerResource" => Some("containerResource"),
        _ => None,
    };
    let kind = cells::text(wanted, "/type");
    let Some(source) = source(kind) else { return "<unknown type>".to_owned() };
    let (target, current) = (&wanted[source]["target"], &present[source]["current"]);
    let or_unknown = |field: &str| current[field].as_str().unwrap_or(cells::UNKNOWN).to_owned();
    let name = cells::text(&wanted[source], "/name");
    let average = target["averageValue"].as_str();
    match (source, average) {
        ("external" | "object", Some(average)) => format!("{}/{average} (avg)", or_unknown("averageValue")),
        ("external" | "object", None) => format!("{}/{}", or_unknown("value"), cells::text(target, "/value")),
        ("pods", average) => format!("{}/{}", or_unknown("averageValue"), average.unwrap_or_default()),
        (_, Some(average)) => format!("{name}: {}/{average}", or_unknown("averageValue")),
        (_, None) => {
            let percent = |value: &Value, otherwise: &str| {
                value.as_i64().map_or(otherwise.to_owned(), |percent| format!("{percent}%"))
            };
            let current = percent(&current["averageUtilization"], cells::UNKNOWN);
            format!("{name}: {current}/{}", percent(&target["averageUtilization"], "<auto>"))
        }
    }
}

fn min_pods(scaler: &Value, _: Timestamp) -> Value {
    scaler["spec"]["minReplicas"].as_i64().map_or(cells::UNSET.into(), |least| least.to_string().into())
}

fn max_pods(scaler: &Value, _: Timestamp) -> Value {
    cells::number(scaler, "/spec/maxReplicas").into()
}

fn current_replicas(scaler: &Value, _: Timestamp) -> Value {
    cells::number(scaler, "/status/currentReplicas").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_show_present_and_wanted_values_and_are_counted_beyond_two() {
        let scaler = |metrics: Value, current: Value| {
            let scaler = json!({"spec": {"metrics": metrics}, "status": {"currentMetrics": current}});
            scale_metrics(&scaler, Timestamp::UNIX_EPOCH)
        };
        let cpu =
            json!({"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}});
        let memory =
            json!({"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi"}}});
        let queue = json!({"type": "External", "external": {"target": {"value": "30"}}});
        assert_eq!(scaler(json!([]), json!([])), cells::NONE);
        assert_eq!(scaler(json!([cpu]), json!([])), "cpu: <unknown>/80%");
        let current = json!([{"resource": {"current": {"averageUtilization": 12}}}]);
        assert_eq!(scaler(json!([cpu, memory]), current), "cpu: 12%/80%, memory: <unknown>/1Gi");
        assert_eq!(
            scaler(json!([queue, cpu, cpu]), json!([])),
            "<unknown>/30, cpu: <unknown>/80% + 1 more..."
        );
    }
}
