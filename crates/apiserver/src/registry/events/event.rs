//! Events.

use serde_json::{Value, json};
use trimtab_managed_fields::Paths;

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
    unmanaged_fields: unset_times,
    validate_new,
    validate_change,
    ..event::SHARED
};

/// The fields that never change, and their names in upstream's messages.
const FIXED: [(&str, &str); 14] = [
    ("regarding", "involvedObject"),
    ("reason", "reason"),
    ("note", "message"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
    ("reason", "reason"),
    ("type", "type"),
    ("eventTime", "eventTime"),
    ("action", "action"),
    ("related", "related"),
    ("reportingController", "reportingController"),
    ("reportingInstance", "reportingInstance"),
];

/// Validates the fields that a new Event needs and those that it may not have.
fn validate_new(event: &Value, causes: &mut Vec<Cause>) {
    validate_series(event, causes);
    if !event["eventTime"].is_string() {
        causes.push(Cause::required("eventTime", ""));
    }
    let kind = validation::text(event, "type");
    if !matches!(kind, "Normal" | "Warning") {
        causes.push(Cause::invalid("type", &json!(""), format!("has invalid value: {kind}")));
    }
    let is_set = |field: &str| match &event[field] {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        value => *value != 0,
    };
    for (field, told) in &FIXED[3..7] {
        if is_set(field) {
            causes.push(Cause::invalid(*told, &json!(""), "needs to be unset"));
        }
    }
}

fn validate_series(event: &Value, causes: &mut Vec<Cause>) {
    let series = &event["series"];
    if !series.is_object() {
        return;
    }
    if series["count"].as_i64().unwrap_or(0) < 2 {
        causes.push(Cause::invalid("series.count", &json!(""), "should be at least 2"));
    }
    if !series["lastObservedTime"].is_string() {
        causes.push(Cause::required("series.lastObservedTime", ""));
    }
}

/// Validates that a change counts the occurrences alone.
fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["series"] != new["series"] {
        validate_series(new, causes);
    }
    for (field, told) in FIXED.into_iter().filter(|(field, _)| old[field] != new[field]) {
        // What a text lacks is empty in Go's struct.
        let shown = match &new[field] {
            Value::Null if old[field].is_string() && field != "eventTime" => json!(""),
            value => value.clone(),
        };
        causes.push(Cause::invalid(told, &shown, "field is immutable"));
    }
}

/// Returns the old times of a new Event, if neither is set: they are null in the object, and nobody wrote them.
fn unset_times(event: &Value) -> Paths<'static> {
    let is_null = |field: &str| event.get(field).is_some_and(Value::is_null);
    if is_null("deprecatedFirstTimestamp") && is_null("deprecatedLastTimestamp") {
        &[&["deprecatedFirstTimestamp"], &["deprecatedLastTimestamp"]]
    } else {
        &[]
    }
}
