//! Reading and writing an object's metadata in its JSON, which is how the server keeps all objects.

use serde_json::{Map, Value, json};

/// The field of the metadata that tells who manages what. Where an object is a value, it is apart from it, as text:
/// few look at it, and it is as large as the rest.
pub(crate) const MANAGED_FIELDS: &str = "managedFields";

/// The object's metadata; empty if it has none.
pub(crate) fn metadata(object: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    object.get("metadata").and_then(Value::as_object).unwrap_or(&NONE)
}

/// The object's metadata, to be changed; made if it has none.
///
/// # Panics
///
/// If `object` is no JSON object, which decoding has ruled out.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    let slot = object
        .as_object_mut()
        .expect("only JSON objects are decoded")
        .entry("metadata")
        .or_insert_with(|| json!({}));
    if !slot.is_object() {
        *slot = json!({});
    }
    slot.as_object_mut().expect("made an object above")
}

/// The object with the list of its managers in its metadata.
pub(crate) fn whole(object: &Value, managers: Option<&str>) -> Value {
    let mut object = object.clone();
    if let Some(list) = managers.and_then(|managers| serde_json::from_str(managers).ok()) {
        metadata_mut(&mut object).insert(MANAGED_FIELDS.to_owned(), list);
    }
    object
}

/// Takes the list of managers out of the object's metadata.
pub(crate) fn take_managers(object: &mut Value) -> Option<Value> {
    metadata_mut(object).remove(MANAGED_FIELDS)
}

/// A text of the metadata, such as `name`; empty if absent.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    metadata(object).get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The object's name.
pub(crate) fn name(object: &Value) -> &str {
    text(object, "name")
}

/// The object's namespace; empty for a cluster-scoped object.
pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// The object's UID.
pub(crate) fn uid(object: &Value) -> &str {
    text(object, "uid")
}

/// The resource version in the object, as its sender wrote it.
pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, "resourceVersion")
}

/// The object's `apiVersion`.
pub(crate) fn api_version(object: &Value) -> &str {
    object.get("apiVersion").and_then(Value::as_str).unwrap_or_default()
}

/// The value of the label `key`.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    metadata(object).get("labels")?.get(key)?.as_str()
}

/// The finalizers that hold the object.
pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    metadata(object)
        .get("finalizers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Whether deletion was asked for.
pub(crate) fn is_being_deleted(object: &Value) -> bool {
    metadata(object).get("deletionTimestamp").is_some_and(|time| !time.is_null())
}

/// The grace period that a deletion set, in seconds.
pub(crate) fn grace_period(object: &Value) -> Option<i64> {
    metadata(object).get("deletionGracePeriodSeconds").and_then(Value::as_i64)
}

/// Makes `field` of the metadata what it is in `from`: a value, or absent.
pub(crate) fn copy_metadata(from: &Value, to: &mut Value, field: &str) {
    match metadata(from).get(field) {
        Some(value) => metadata_mut(to).insert(field.to_owned(), value.clone()),
        None => metadata_mut(to).remove(field),
    };
}

/// Makes the top-level `field` what it is in `from`: a value, or absent.
pub(crate) fn copy_field(from: &Value, to: &mut Value, field: &str) {
    let to = to.as_object_mut().expect("only JSON objects are decoded");
    match from.get(field) {
        Some(value) => to.insert(field.to_owned(), value.clone()),
        None => to.remove(field),
    };
}

/// The key under which the object is stored.
pub(crate) fn key(object: &Value) -> crate::api::key::Key {
    crate::api::key::Key::new(namespace(object), name(object))
}

/// How deep an object may be. Its text has to be read again, which ends at 128, and [`MANAGERS`] come on top.
const DEEPEST: usize = 110;
/// How much deeper than an object's fields the metadata can be that tells who manages them.
const MANAGERS: usize = 10;
/// How deep an object may be with all that belongs to it.
pub(crate) const DEEPEST_IN_ALL: usize = DEEPEST + MANAGERS;

/// Whether an object's text could not be read again.
pub(crate) fn is_too_deep(object: &Value) -> bool {
    let metadata = metadata(object);
    let own = object.as_object().into_iter().flatten().filter(|(field, _)| *field != "metadata");
    let own = own.map(|(_, value)| 1 + depth(value));
    let about = metadata.iter().filter(|(field, _)| *field != MANAGED_FIELDS);
    let about = about.map(|(_, value)| 2 + depth(value));
    let managers = metadata.get(MANAGED_FIELDS).map_or(0, |managers| 2 + depth(managers));
    own.chain(about).any(|depth| depth > DEEPEST) || managers > DEEPEST_IN_ALL
}

/// How many maps and lists stand in each other.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// A value as Go prints it: `map[a:1 b:[x y]]`.
pub(crate) fn in_go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}:{}", in_go(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(in_go).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// Puts `condition` into `status` in the place of the one of its type.
pub(crate) fn set_condition(status: &mut Value, condition: Value) {
    if !status.is_object() {
        *status = json!({});
    }
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let conditions = status["conditions"].as_array_mut().expect("made above");
    conditions.retain(|existing| existing["type"] != condition["type"]);
    conditions.push(condition);
}

/// Writes metadata as Go does, in the order of its struct, with managers that are a JSON text.
pub(crate) fn metadata_in_go(metadata: &Value, managers: Option<&str>) -> String {
    const FIELDS: [&str; 14] = [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
    ];
    const MANAGER: [&str; 7] =
        ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"];
    let in_order = |object: &Value, fields: &[&str]| {
        let set = fields.iter().filter(|field| !object[**field].is_null());
        set.map(|field| format!("\"{field}\":{}", object[*field])).collect::<Vec<_>>()
    };
    let mut parts = in_order(metadata, &FIELDS);
    let managers = managers.and_then(|managers| serde_json::from_str::<Vec<Value>>(managers).ok());
    if let Some(managers) = managers.filter(|managers| !managers.is_empty()) {
        let shown = managers.iter().map(|manager| format!("{{{}}}", in_order(manager, &MANAGER).join(",")));
        parts.push(format!("\"managedFields\":[{}]", shown.collect::<Vec<_>>().join(",")));
    }
    format!("{{{}}}", parts.join(","))
}
