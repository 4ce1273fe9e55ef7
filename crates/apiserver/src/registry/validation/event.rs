//! Validation of Events of either group.

use serde_json::{Value, json};

use super::text;
use crate::api::{object, status::Cause};

/// An Event without a time of its own is where its object is; that of an object of no namespace is in `default`.
pub(super) fn event(event: &Value, causes: &mut Vec<Cause>) {
    if event.get("eventTime").is_some_and(Value::is_string) {
        return;
    }
    let about = event.get("regarding").or_else(|| event.get("involvedObject"));
    let about = about.map_or("", |about| text(about, "namespace"));
    let own = object::text(event, "namespace");
    if own != if about.is_empty() { "default" } else { about } {
        let because = "does not match event.namespace";
        causes.push(Cause::invalid("involvedObject.namespace", &json!(about), because));
    }
}

/// Checks the required fields of a new Event of `events.k8s.io`.
pub(super) fn new(event: &Value, causes: &mut Vec<Cause>) {
    if !event.get("eventTime").is_some_and(Value::is_string) {
        causes.push(Cause::required("eventTime", ""));
        return;
    }
    for field in ["reportingController", "reportingInstance", "action", "reason"] {
        if text(event, field).is_empty() {
            causes.push(Cause::required(field, ""));
        }
    }
}
