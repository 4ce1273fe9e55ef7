//! The forms that an object has in the versions of its kind. Versions differ in `apiVersion` alone, but for
//! Events, whose two groups name the same fields differently, and for scalers, whose first version had one metric.

use std::borrow::Cow;

use serde_json::Value;
use trimtab_schema::decode;

use super::Kind;
use crate::api::object;

/// Returns the object in the version of `kind`.
pub(crate) fn in_version<'a>(kind: &Kind, object: &'a Value) -> Cow<'a, Value> {
    let object = by_schema(kind, object);
    let version = kind.api_version();
    if object::api_version(&object) == version {
        return object;
    }
    let mut object = object.into_owned();
    (kind.strategy.from_stored)(&mut object);
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

/// Returns the object as it is stored.
pub(crate) fn as_stored(kind: &Kind, mut object: Value) -> Value {
    if let Some(convert) = kind.strategy.to_stored {
        convert(&mut object);
    }
    object
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
