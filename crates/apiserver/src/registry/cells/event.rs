//! An Event's cells.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::{UNKNOWN, number, text, time};
use crate::registry::age::ago;

/// When the event was seen last: in its series, in its last occurrence, or when it was first seen.
pub(crate) fn event_last_seen(event: &Value, now: Timestamp) -> Value {
    let series = event.get("series").filter(|series| !series.is_null());
    match series
        .map(|series| time(series, "/lastObservedTime"))
        .or_else(|| time(event, "/lastTimestamp").map(Some))
    {
        Some(seen) => seen.map_or_else(|| UNKNOWN.to_owned(), |seen| ago(seen, now)).into(),
        None => event_first_seen(event, now),
    }
}

pub(crate) fn event_first_seen(event: &Value, now: Timestamp) -> Value {
    let first = time(event, "/firstTimestamp").or_else(|| time(event, "/eventTime"));
    first.map_or_else(|| UNKNOWN.to_owned(), |first| ago(first, now)).into()
}

/// The object that the Event is about, as `pod/web`.
pub(crate) fn event_object(event: &Value, _: Timestamp) -> Value {
    let [kind, name] = ["/involvedObject/kind", "/involvedObject/name"].map(|pointer| text(event, pointer));
    let slash = if name.is_empty() { "" } else { "/" };
    format!("{}{slash}{name}", kind.to_lowercase()).into()
}

/// Who told it: the component and its host, or the reporting controller and its instance.
pub(crate) fn event_source(event: &Value, _: Timestamp) -> Value {
    let [mut component, mut instance] =
        ["/source/component", "/source/host"].map(|pointer| text(event, pointer));
    if component.is_empty() {
        component = text(event, "/reportingComponent");
    }
    if instance.is_empty() {
        instance = text(event, "/reportingInstance");
    }
    let comma = if instance.is_empty() { "" } else { ", " };
    format!("{component}{comma}{instance}").into()
}

pub(crate) fn event_message(event: &Value, _: Timestamp) -> Value {
    text(event, "/message").trim().into()
}

pub(crate) fn event_count(event: &Value, _: Timestamp) -> Value {
    let count = match event.get("series").filter(|series| !series.is_null()) {
        Some(series) => number(series, "/count"),
        None => number(event, "/count").max(1),
    };
    count.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

        assert_eq!(event_last_seen(&json!({}), NOW), UNKNOWN);
    }

    #[test]
    fn the_object_and_the_source_are_named_as_far_as_known() {
        let event = json!({"involvedObject": {"kind": "Pod", "name": "web"}, "source": {"component": "kubelet", "host": "n1"}});
        assert_eq!(event_object(&event, NOW), "pod/web");
        assert_eq!(event_source(&event, NOW), "kubelet, n1");
        assert_eq!(event_source(&json!({"reportingComponent": "trimtab"}), NOW), "trimtab");
    }
}
