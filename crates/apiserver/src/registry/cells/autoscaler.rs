//! The cells of a `HorizontalPodAutoscaler`, from the form of `autoscaling/v2`.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{NONE, UNKNOWN, UNSET, array, number, text};

/// How many metrics a cell shows before it counts the rest.
const SHOWN: usize = 2;

/// The scaled object, as `Deployment/web`.
pub(crate) fn scale_target(scaler: &Value, _: Timestamp) -> Value {
    let target = &scaler["spec"]["scaleTargetRef"];
    format!("{}/{}", text(target, "/kind"), text(target, "/name")).into()
}

/// Each metric's present and wanted value, as `cpu: 12%/80%`.
pub(crate) fn scale_metrics(scaler: &Value, _: Timestamp) -> Value {
    let present = array(scaler, "/status/currentMetrics");
    let all: Vec<String> = array(scaler, "/spec/metrics")
        .iter()
        .enumerate()
        .map(|(index, wanted)| metric(wanted, present.get(index).unwrap_or(&Value::Null)))
        .collect();
    match all.len() {
        0 => NONE.into(),
        1..=SHOWN => all.join(", ").into(),
        more => format!("{} + {} more...", all[..SHOWN].join(", "), more - SHOWN).into(),
    }
}

/// One metric, by what it is measured on.
fn metric(wanted: &Value, present: &Value) -> String {
    let source = |kind: &str| match kind {
        "External" => Some("external"),
        "Pods" => Some("pods"),
        "Object" => Some("object"),
        "Resource" => Some("resource"),
        "ContainerResource" => Some("containerResource"),
        _ => None,
    };
    let kind = text(wanted, "/type");
    let Some(source) = source(kind) else { return "<unknown type>".to_owned() };
    let (target, current) = (&wanted[source]["target"], &present[source]["current"]);
    let or_unknown = |field: &str| current[field].as_str().unwrap_or(UNKNOWN).to_owned();
    let name = text(&wanted[source], "/name");
    let average = target["averageValue"].as_str();
    match (source, average) {
        ("external" | "object", Some(average)) => format!("{}/{average} (avg)", or_unknown("averageValue")),
        ("external" | "object", None) => format!("{}/{}", or_unknown("value"), text(target, "/value")),
        ("pods", average) => format!("{}/{}", or_unknown("averageValue"), average.unwrap_or_default()),
        (_, Some(average)) => format!("{name}: {}/{average}", or_unknown("averageValue")),
        (_, None) => {
            let percent = |value: &Value, otherwise: &str| {
                value.as_i64().map_or(otherwise.to_owned(), |percent| format!("{percent}%"))
            };
            let current = percent(&current["averageUtilization"], UNKNOWN);
            format!("{name}: {current}/{}", percent(&target["averageUtilization"], "<auto>"))
        }
    }
}

pub(crate) fn min_pods(scaler: &Value, _: Timestamp) -> Value {
    scaler["spec"]["minReplicas"].as_i64().map_or(UNSET.into(), |least| least.to_string().into())
}

pub(crate) fn max_pods(scaler: &Value, _: Timestamp) -> Value {
    number(scaler, "/spec/maxReplicas").into()
}

pub(crate) fn current_replicas(scaler: &Value, _: Timestamp) -> Value {
    number(scaler, "/status/currentReplicas").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        assert_eq!(scaler(json!([]), json!([])), NONE);
        assert_eq!(scaler(json!([cpu]), json!([])), "cpu: <unknown>/80%");
        let current = json!([{"resource": {"current": {"averageUtilization": 12}}}]);
        assert_eq!(scaler(json!([cpu, memory]), current), "cpu: 12%/80%, memory: <unknown>/1Gi");
        assert_eq!(
            scaler(json!([queue, cpu, cpu]), json!([])),
            "<unknown>/30, cpu: <unknown>/80% + 1 more..."
        );
    }
}
