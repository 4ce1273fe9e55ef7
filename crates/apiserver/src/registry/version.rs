//! The forms that an object has in the versions of its kind. Versions differ in `apiVersion` alone, but for
//! Events, whose two groups name the same fields differently, and for scalers, whose first version had one metric.

use std::borrow::Cow;

use serde_json::Value;
use trimtab_schema::decode;

use super::Kind;
use crate::api::object;

/// The fields of an Event that are called otherwise in `events.k8s.io`: the core group's name first.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// The object as `kind` shows it.
pub(crate) fn in_version<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let object = by_schema(kind, object);
    let version = kind.api_version();
    if object::api_version(&object) == version {
        return object;
    }
    let mut object = object.into_owned();
    match kind.resource().as_str() {
        "events" => rename(&mut object, !kind.group.is_empty()),
        SCALERS => scaler_to_v1(&mut object), // as they are stored, they are of v2
        _ => {}
    }
    object["apiVersion"] = version.into();
    Cow::Owned(object)
}

/// A custom object that was stored before the schema came, as that wants it: with its defaults, and without what it does
/// not know. One that does not fit at all is shown as it is.
fn by_schema<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let version = object::resource_version(object).parse().unwrap_or(u64::MAX);
    if kind.schema.is_none() || kind.has_judged(version) {
        return Cow::Borrowed(object);
    }
    decode(kind.structure(), object.clone()).map_or(Cow::Borrowed(object), |(fitted, _)| Cow::Owned(fitted))
}

/// The object as it is stored: an Event in the form of the core group, any other as it was written.
pub(crate) fn as_stored(kind: &Kind, mut object: Value) -> Value {
    if kind.group == "events.k8s.io" {
        rename(&mut object, false);
        object["apiVersion"] = "v1".into();
    }
    if kind.resource() == SCALERS && kind.version == "v1" {
        scaler_to_v2(&mut object);
        object["apiVersion"] = "autoscaling/v2".into();
    }
    object
}

/// The metrics of `autoscaling/v2` that v1 has no field for, as v1 shows them.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const SCALERS: &str = "horizontalpodautoscalers.autoscaling";
const PERCENT: &str = "targetCPUUtilizationPercentage";
const CURRENT_PERCENT: &str = "currentCPUUtilizationPercentage";

/// Gives a scaler the form of `autoscaling/v2`: the percentage becomes a metric, annotations become fields.
pub(super) fn scaler_to_v2(scaler: &mut Value) {
    for (part, percent, source, field) in
        [("spec", PERCENT, "target", "metrics"), ("status", CURRENT_PERCENT, "current", "currentMetrics")]
    {
        let percent = scaler[part].as_object_mut().and_then(|part| part.remove(percent));
        let annotation = if part == "spec" { METRICS } else { CURRENT };
        let mut metrics =
            annotated(scaler, annotation).and_then(|value| value.as_array().cloned()).unwrap_or_default();
        if let Some(percent) = percent {
            let mut value = serde_json::json!({"averageUtilization": percent});
            if part == "spec" {
                value["type"] = "Utilization".into();
            }
            let cpu = serde_json::json!({"type": "Resource", "resource": {"name": "cpu", source: value}});
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
pub(super) fn scaler_to_v1(scaler: &mut Value) {
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

/// Takes the JSON out of an annotation.
fn annotated(object: &mut Value, key: &str) -> Option<Value> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    let annotations = metadata.get_mut("annotations")?.as_object_mut()?;
    let text = annotations.remove(key)?;
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
    serde_json::from_str(text.as_str()?).ok()
}

/// Gives an Event's fields their names in `events.k8s.io`, or in the core group.
fn rename(event: &mut Value, to_new: bool) {
    let Some(event) = event.as_object_mut() else {
        return;
    };
    for (old, new) in EVENT_FIELDS {
        let (from, to) = if to_new { (old, new) } else { (new, old) };
        if let Some(value) = event.remove(from) {
            event.insert(to.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Kinds;

    #[test]
    fn an_event_has_the_field_names_of_the_group_that_it_is_read_in() {
        let kinds = Kinds::built_in();
        let [old, new] =
            ["", "events.k8s.io"].map(|group| kinds.get(group, "v1", "events").expect("built in"));
        let written = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"},
            "regarding": {"name": "web"}, "note": "hello", "reportingController": "tab", "reason": "Because",
        });
        let stored = as_stored(&new, written.clone());
        assert_eq!(
            stored,
            json!({
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"},
                "involvedObject": {"name": "web"}, "message": "hello", "reportingComponent": "tab", "reason": "Because",
            })
        );
        assert!(matches!(in_version(&old, &stored), Cow::Borrowed(_)));
        assert_eq!(*in_version(&new, &stored), written);
        assert_eq!(as_stored(&old, stored.clone()), stored);
    }
}
