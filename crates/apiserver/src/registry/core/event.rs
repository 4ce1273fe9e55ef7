//! Events. Those of `events.k8s.io` are the same objects under other field names.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use trimtab_managed_fields::Paths;

use crate::{
    api::{names, object, status::Cause},
    registry::{
        Column, Kind, Strategy,
        age::ago,
        cells, column,
        defaults::{self, Fields},
        strategy::{Dependents, NameRule},
        validation,
    },
};

/// The fields of an Event with different names in the two groups: the core group's name first.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Event", "events").short("ev").columns(columns()).strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    selectable_fields: &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ],
    set_defaults: |event| set_event_defaults(defaults::whole(event), true),
    takes_bare_finalizers: true,
    unmanaged_fields: unset_times,
    name: NameRule::PathSegment,
    from_stored: |event| rename(event, false),
    ..SHARED
};

/// The rules that the kinds of both groups share.
pub(in crate::registry) const SHARED: Strategy = Strategy {
    creates_on_update: true,
    dependents: Dependents::Never,
    reads_beyond_metadata: true,
    validate,
    ..Strategy::PLAIN
};

/// Sets the fields of an Event that are never absent, under the names of its group.
pub(in crate::registry) fn set_event_defaults(event: &mut Fields, is_core: bool) {
    let (first, last, source) = match is_core {
        true => ("firstTimestamp", "lastTimestamp", "source"),
        false => ("deprecatedFirstTimestamp", "deprecatedLastTimestamp", "deprecatedSource"),
    };
    defaults::fill(
        event,
        [(first, json!(null)), (last, json!(null)), (source, json!({})), ("eventTime", json!(null))],
    );
    if is_core {
        defaults::fill(event, [("reportingComponent", json!("")), ("reportingInstance", json!(""))]);
    }
}

/// Validates what the kinds of both groups have in common: an Event with a time tells who reports it, and one without is in
/// the namespace of its object, or in `default`.
fn validate(event: &Value, causes: &mut Vec<Cause>) {
    let is_core = event["apiVersion"] == "v1";
    let about = &event[if is_core { "involvedObject" } else { "regarding" }];
    let about = validation::text(about, "namespace");
    let own = object::text(event, "namespace");
    let is_timed = event["eventTime"].is_string();
    let fits = match (about.is_empty(), is_timed) {
        (true, false) => own == "default",
        (true, true) => matches!(own, "default" | "kube-system"),
        (false, false) => own == about,
        (false, true) => true,
    };
    if !fits {
        let because = "does not match event.namespace";
        causes.push(Cause::invalid("involvedObject.namespace", &json!(about), because));
    }
    if !is_timed {
        return;
    }
    let reporter = if is_core { "reportingComponent" } else { "reportingController" };
    let message = if is_core { "message" } else { "note" };
    let part = |field| validation::text(event, field);
    if part(reporter).is_empty() {
        causes.push(Cause::required(reporter, ""));
    }
    validation::faulty(part(reporter), reporter, names::qualified_faults(part(reporter)), causes);
    let limits = [
        ("reportingInstance", 128, true),
        ("action", 128, true),
        ("reason", 128, true),
        (message, 1024, false),
    ];
    for (field, most, is_required) in limits {
        let told = if field == "note" { "message" } else { field };
        if is_required && part(field).is_empty() {
            causes.push(Cause::required(told, ""));
        }
        if part(field).len() > most {
            let because = format!("can have at most {most} characters");
            causes.push(Cause::invalid(told, &json!(""), because));
        }
    }
}

/// Gives an Event's fields their names in `events.k8s.io`, or in the core group.
pub(in crate::registry) fn rename(event: &mut Value, to_new: bool) {
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

pub(in crate::registry) fn columns() -> Vec<Column> {
    vec![
        column::computed("Last Seen", event_last_seen),
        column::text("Type", "/type"),
        column::text("Reason", "/reason"),
        column::computed("Object", event_object),
        column::text("Subobject", "/involvedObject/fieldPath").wide(),
        column::computed("Source", event_source).wide(),
        column::computed("Message", event_message),
        column::computed("First Seen", event_first_seen).wide(),
        column::computed("Count", event_count).wide(),
        column::name().wide(),
    ]
}

/// Returns the age of the last occurrence: of the series, of the event, or of its first occurrence.
fn event_last_seen(event: &Value, now: Timestamp) -> Value {
    let series = event.get("series").filter(|series| !series.is_null());
    match series
        .map(|series| cells::time(series, "/lastObservedTime"))
        .or_else(|| cells::time(event, "/lastTimestamp").map(Some))
    {
        Some(seen) => seen.map_or_else(|| cells::UNKNOWN.to_owned(), |seen| ago(seen, now)).into(),
        None => event_first_seen(event, now),
    }
}

fn event_first_seen(event: &Value, now: Timestamp) -> Value {
    let first = cells::time(event, "/firstTimestamp").or_else(|| cells::time(event, "/eventTime"));
    first.map_or_else(|| cells::UNKNOWN.to_owned(), |first| ago(first, now)).into()
}

/// The object that the Event is about, as `pod/web`.
fn event_object(event: &Value, _: Timestamp) -> Value {
    let [kind, name] =
        ["/involvedObject/kind", "/involvedObject/name"].map(|pointer| cells::text(event, pointer));
    let slash = if name.is_empty() { "" } else { "/" };
    format!("{}{slash}{name}", kind.to_lowercase()).into()
}

/// Returns the source of an Event: the component and its host, or the reporting controller and its instance.
fn event_source(event: &Value, _: Timestamp) -> Value {
    let [mut component, mut instance] =
        ["/source/component", "/source/host"].map(|pointer| cells::text(event, pointer));
    if component.is_empty() {
        component = cells::text(event, "/reportingComponent");
    }
    if instance.is_empty() {
        instance = cells::text(event, "/reportingInstance");
    }
    let comma = if instance.is_empty() { "" } else { ", " };
    format!("{component}{comma}{instance}").into()
}

fn event_message(event: &Value, _: Timestamp) -> Value {
    cells::text(event, "/message").trim().into()
}

fn event_count(event: &Value, _: Timestamp) -> Value {
    let count = match event.get("series").filter(|series| !series.is_null()) {
        Some(series) => cells::number(series, "/count"),
        None => cells::number(event, "/count").max(1),
    };
    count.into()
}

/// Returns the times of a new Event that are not set: they are null in the object, and nobody wrote them.
fn unset_times(event: &Value) -> Paths<'static> {
    let is_null = |field: &str| event.get(field).is_some_and(Value::is_null);
    match ["eventTime", "firstTimestamp", "lastTimestamp"].map(is_null) {
        [true, true, true] => &[&["eventTime"], &["firstTimestamp"], &["lastTimestamp"]],
        [true, true, false] => &[&["eventTime"], &["firstTimestamp"]],
        [true, false, true] => &[&["eventTime"], &["lastTimestamp"]],
        [true, false, false] => &[&["eventTime"]],
        [false, true, true] => &[&["firstTimestamp"], &["lastTimestamp"]],
        [false, true, false] => &[&["firstTimestamp"]],
        [false, false, true] => &[&["lastTimestamp"]],
        [false, false, false] => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_700_000_100, 0);

    #[test]
    fn a_series_tells_when_the_event_was_seen_last_and_how_often() {
        let once = json!({"firstTimestamp": "2023-11-14T22:13:20Z", "lastTimestamp": "2023-11-14T22:14:00Z"});
        assert_eq!(event_last_seen(&once, NOW), "60s");
        assert_eq!(event_first_seen(&once, NOW), "100s");
        assert_eq!(event_count(&once, NOW), 1);

        let series = json!({"eventTime": "2023-11-14T22:13:20.000000Z", "series":
            {"count": 7, "lastObservedTime": "2023-11-14T22:14:59.000000Z"}});
        assert_eq!(event_last_seen(&series, NOW), "1s");
        assert_eq!(event_first_seen(&series, NOW), "100s");
        assert_eq!(event_count(&series, NOW), 7);

        assert_eq!(event_last_seen(&json!({}), NOW), cells::UNKNOWN);
    }

    #[test]
    fn the_object_and_the_source_are_named_as_far_as_known() {
        let event = json!({"involvedObject": {"kind": "Pod", "name": "web"}, "source": {"component": "kubelet", "host": "n1"}});
        assert_eq!(event_object(&event, NOW), "pod/web");
        assert_eq!(event_source(&event, NOW), "kubelet, n1");
        assert_eq!(event_source(&json!({"reportingComponent": "trimtab"}), NOW), "trimtab");
    }
}
