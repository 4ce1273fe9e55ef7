//! The forms that an object has in the versions of its kind. Versions differ in `apiVersion` alone,
//! but for Events: their two groups name the same fields differently.

use std::borrow::Cow;

use serde_json::Value;

use super::Kind;
use crate::object;

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
    let version = kind.api_version();
    if object::api_version(object) == version {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    if kind.resource() == "events" {
        rename(&mut object, !kind.group.is_empty());
    }
    object["apiVersion"] = version.into();
    Cow::Owned(object)
}

/// The object as it is stored: an Event in the form of the core group, any other as it was written.
pub(crate) fn as_stored(kind: &Kind, mut object: Value) -> Value {
    if kind.group == "events.k8s.io" {
        rename(&mut object, false);
        object["apiVersion"] = "v1".into();
    }
    object
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
    use crate::kinds::Kinds;

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
