//! Events.

use serde_json::Value;

use crate::{
    api::status::Cause,
    registry::{Kind, Strategy, core::event, defaults, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("events.k8s.io", "v1", "Event", "events")
        .stored("", "v1")
        .short("ev")
        .columns(event::columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &[
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "regarding.apiVersion",
        "regarding.resourceVersion",
        "regarding.fieldPath",
        "reason",
        "reportingController",
        "type",
    ],
    set_defaults: |event| event::set_event_defaults(defaults::whole(event), false),
    to_stored: Some(|event| {
        event::rename(event, false);
        event["apiVersion"] = "v1".into();
    }),
    from_stored: |event| event::rename(event, true),
    validate_new,
    ..event::SHARED
};

/// Validates the required fields of a new Event.
fn validate_new(event: &Value, causes: &mut Vec<Cause>) {
    if !event.get("eventTime").is_some_and(Value::is_string) {
        causes.push(Cause::required("eventTime", ""));
        return;
    }
    for field in ["reportingController", "reportingInstance", "action", "reason"] {
        if validation::text(event, field).is_empty() {
            causes.push(Cause::required(field, ""));
        }
    }
}
